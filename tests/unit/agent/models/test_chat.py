"""What goes over the wire: paths, headers, bodies and answers of both APIs, OpenAI's and Azure's."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from agent.models.chat import chat_model
from agent.models.credentials import forget_tokens
from agent.models.errors import ModelsUnavailable
from tests.llm_server import Body, Call, Fail, LlmServer, Say
from tests.unit.agent.models.asking import QUESTION, TOOLS, chain, failures, model

APIS = ["chat", "responses"]
STRAY = {
    "OPENAI_ORG_ID": "org-stray",
    "OPENAI_ORGANIZATION": "org-stray",
    "OPENAI_PROJECT_ID": "proj-stray",
    "OPENAI_CUSTOM_HEADERS": "authorization: Bearer stray\nx-stray: 1",
    "OPENAI_BASE_URL": "http://stray.example/v1",
    "OPENAI_API_BASE": "http://stray.example/v1",
    "OPENAI_API_KEY": "stray",
    "OPENAI_ADMIN_KEY": "stray",
    "OPENAI_PROXY": "http://stray.example:1",
    "OPENAI_API_TYPE": "stray",
    "OPENAI_API_VERSION": "1999-01-01",
    "AZURE_OPENAI_API_KEY": "stray",
    "AZURE_OPENAI_AD_TOKEN": "stray",
    "AZURE_OPENAI_ENDPOINT": "http://stray.example",
    "LANGSMITH_GATEWAY": "http://stray.example",
    "LANGSMITH_GATEWAY_API_KEY": "lsv2_stray",
    "LC_OUTPUT_VERSION": "v0",
    "LANGCHAIN_OPENAI_STREAM_CHUNK_TIMEOUT_S": "0.0001",
}
SENT = {"host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent"}


@pytest.mark.parametrize("api", APIS)
def test_a_text_comes_whole(provider: LlmServer, api: str) -> None:
    provider.script(Say("Spend was [[f1]], mostly on ÉTL_WH – see ☃.", usage=(200, 17)))
    one = model(provider, api=api, input_usd=1.0, output_usd=10.0)
    reply = chain(one).ask(QUESTION)
    assert reply.text == "Spend was [[f1]], mostly on ÉTL_WH – see ☃."
    assert (reply.input_tokens, reply.output_tokens, reply.estimated) == (200, 17, False)
    assert reply.usd == pytest.approx((200 * 1.0 + 17 * 10.0) / 1e6)
    assert (reply.stopped, reply.model, reply.fallback) == ("stop", "compatible/small", False)


@pytest.mark.parametrize("api", APIS)
def test_calls_come_whole_and_in_order(provider: LlmServer, api: str) -> None:
    calls = [Call("query_usage", {"metric": "credits", "n": [1, {"a": "ü"}]}), Call("query_usage", "", id="call_x")]
    provider.script(Say("One moment.", calls=calls))
    reply = chain(model(provider, api=api)).ask(QUESTION, TOOLS)
    assert [call.args for call in reply.tool_calls] == [{"metric": "credits", "n": [1, {"a": "ü"}]}, {}]
    assert [call.name for call in reply.tool_calls] == ["query_usage", "query_usage"]
    assert reply.tool_calls[1].id == "call_x" and reply.stopped == "tools"


NO_JSON = ['{"metric": "cre', "{'metric': 1}", "{}{}", '{"a": NaN}']
NO_OBJECT = ["[1]", '"x"', "null", '{"a":' * 3000]


@pytest.mark.parametrize(
    ("api", "raw"), [*(("chat", r) for r in NO_JSON + NO_OBJECT), *(("responses", r) for r in NO_JSON)]
)
def test_arguments_that_are_no_object_are_not_mended(provider: LlmServer, api: str, raw: str) -> None:
    provider.script(Say(calls=[Call("query_usage", raw)], piece=4000))
    call = chain(model(provider, api=api, max_output_tokens=4000)).ask(QUESTION, TOOLS).tool_calls[0]
    assert call.args is None and call.raw == raw
    assert call.error is not None and call.error.startswith("The arguments")


@pytest.mark.parametrize("raw", NO_OBJECT)
def test_langchain_cannot_read_such_arguments_from_responses(provider: LlmServer, raw: str) -> None:
    provider.script(Say(calls=[Call("query_usage", raw)], piece=4000))
    assert failures(chain(model(provider, api="responses", max_output_tokens=4000)))[0].cause == "server"


@pytest.mark.parametrize("api", APIS)
def test_a_conversation_with_calls_has_the_right_shape(provider: LlmServer, api: str) -> None:
    provider.script(Say("done"))
    asked = AIMessage("", tool_calls=[{"id": "c1", "name": "query_usage", "args": {"metric": "credits"}}])
    messages = [SystemMessage("s"), HumanMessage("q"), asked, ToolMessage("42", tool_call_id="c1")]
    assert chain(model(provider, api=api)).ask(messages, TOOLS).text == "done"
    body = provider.seen[0].body
    assert body["model"] == "small" and body["temperature"] == 0 and len(body["tools"]) == 1


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize(("finish", "stopped"), [("length", "length"), ("content_filter", "filter")])
def test_why_it_stopped(provider: LlmServer, api: str, finish: Any, stopped: str) -> None:
    provider.script(Say("as far as it", finish=finish))
    reply = chain(model(provider, api=api)).ask(QUESTION)
    assert (reply.text, reply.stopped) == ("as far as it", stopped)


def test_a_refusal_is_a_filter(provider: LlmServer) -> None:
    provider.script(Say(refusal="I will not."))
    reply = chain(model(provider, api="responses")).ask(QUESTION)
    assert (reply.text, reply.stopped) == ("I will not.", "filter")


@pytest.mark.parametrize("api", APIS)
def test_an_empty_answer_is_an_answer(provider: LlmServer, api: str) -> None:
    provider.script(Say(""))
    reply = chain(model(provider, api=api)).ask(QUESTION)
    assert (reply.text, reply.tool_calls, reply.stopped) == ("", (), "stop")


@pytest.mark.parametrize("api", APIS)
def test_a_server_that_does_not_keep_to_the_limit_is_cut_short(provider: LlmServer, api: str) -> None:
    provider.script(Say("ha" * 400_000, piece=4000))
    reply = chain(model(provider, api=api, max_output_tokens=100)).ask(QUESTION)
    assert reply.stopped == "length" and len(reply.text) < 10_000 and reply.estimated


def test_tokens_are_estimated_where_none_are_reported(provider: LlmServer) -> None:
    provider.script(Say("x" * 300, usage=None))
    reply = chain(model(provider)).ask(QUESTION, TOOLS)
    assert reply.estimated and reply.output_tokens == 100 and reply.input_tokens > 40


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({"api": "chat"}, {"max_tokens": 77, "temperature": 0}),
        ({"api": "responses"}, {"max_output_tokens": 77, "store": False}),
        ({"provider": "openai", "api": "chat"}, {"max_completion_tokens": 77}),
        ({"provider": "openai", "api": "responses"}, {"store": False}),
        ({"temperature": None}, {"temperature": None}),
        ({"model": "gpt-5-mini"}, {"temperature": None}),
        ({"model": "o3-mini"}, {"temperature": None}),
    ],
)
def test_parameters(provider: LlmServer, settings: dict[str, Any], sent: dict[str, Any]) -> None:
    provider.script(Say("ok"))
    chain(model(provider, max_output_tokens=77, **settings)).ask(QUESTION)
    assert {name: provider.seen[0].body.get(name) for name in sent} == sent


# --- Azure -----------------------------------------------------------------------------------------------------------


def azure(server: LlmServer, **given: Any) -> Any:
    base = {"provider": "azure", "base_url": None, "azure_endpoint": server.azure, "azure_deployment": "mine"}
    return model(server, **base | {"model": ""} | given)


@pytest.mark.parametrize(
    ("settings", "path", "body_model"),
    [
        ({}, "/openai/v1/chat/completions", "mine"),
        ({"api": "responses"}, "/openai/v1/responses", "mine"),
        (
            {"azure_api_version": "2024-10-21"},
            "/openai/deployments/mine/chat/completions?api-version=2024-10-21",
            "mine",
        ),
        (
            {"azure_api_version": "2024-10-21", "model": "big-1"},
            "/openai/deployments/mine/chat/completions?api-version=2024-10-21",
            "big-1",
        ),
    ],
)
def test_azure_with_a_key(provider: LlmServer, settings: dict[str, Any], path: str, body_model: str) -> None:
    provider.deployments = {"mine"}
    provider.script(Say("hello", calls=[Call("query_usage", {"metric": "credits"})]))
    reply = chain(azure(provider, **settings)).ask(QUESTION, TOOLS)
    seen = provider.seen[0]
    assert (seen.path, seen.body["model"]) == (path, body_model)
    assert seen.headers["api-key"] == provider.key and "authorization" not in seen.headers
    assert reply.text == "hello" and reply.tool_calls[0].args == {"metric": "credits"}


@pytest.mark.parametrize("version", [None, "2024-10-21"])
def test_azure_with_a_token_of_a_command(provider: LlmServer, tmp_path: Path, version: str | None) -> None:
    forget_tokens()
    count, command = tmp_path / "count", tmp_path / "token"
    command.write_text(
        f"#!/bin/sh\necho x >> '{count}'\n"
        f'echo \'{{"accessToken": "{provider.entra_token}", "expires_on": 99999999999}}\'\n'
    )
    command.chmod(0o700)
    one = azure(
        provider, azure_auth="entra", azure_token_command=[str(command)], azure_api_version=version, key="not used"
    )
    provider.script(Say("a"), Say("b"))
    assert [chain(one).ask(QUESTION).text for _ in range(2)] == ["a", "b"]
    assert provider.seen[0].headers["authorization"] == f"Bearer {provider.entra_token}"
    assert "api-key" not in provider.seen[0].headers
    assert count.read_text() == "x\n"


def test_azure_with_a_token_of_a_file_that_changes(provider: LlmServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("an.old.one")
    one = azure(provider, azure_auth="entra", azure_token_file=file)
    assert failures(chain(one))[0].cause == "key"
    file.write_text(f"{provider.entra_token}\n")
    provider.script(Say("now"))
    assert chain(one).ask(QUESTION).text == "now"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["/nonexistent/command"], "cannot be run (FileNotFoundError)"),
        (["/bin/sh", "-c", "echo planted-secret >&2; exit 3"], "has failed (exit code 3)"),
        (["/bin/sh", "-c", "echo not a token"], "gave none"),
        (["/bin/sh", "-c", "true"], "gave none"),
    ],
)
def test_no_token_is_said_in_words_of_ours(provider: LlmServer, command: list[str], told: str) -> None:
    forget_tokens()
    failure = failures(chain(azure(provider, azure_auth="entra", azure_token_command=command)))[0]
    assert failure.cause == "credentials" and failure.lasting
    assert told in failure.detail and "planted" not in failure.detail


def test_azures_filter_of_a_prompt_is_an_answer(provider: LlmServer) -> None:
    provider.script(Fail(400, "content_filter", "The prompt was filtered."))
    reply = chain(azure(provider)).ask(QUESTION)
    assert (reply.stopped, reply.text) == ("filter", "")


# --- what must not leave, or show ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["openai", "compatible", "azure", "azure-version"])
def test_nothing_of_the_environment_gets_through(
    provider: LlmServer, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for name, value in STRAY.items():
        monkeypatch.setenv(name, value)
    if kind.startswith("azure"):
        one = azure(provider, azure_api_version="2024-10-21" if kind == "azure-version" else None)
    else:
        one = model(provider, provider=kind, api="chat")
    provider.script(Say("ok"))
    assert chain(one).ask(QUESTION).text == "ok"
    headers = provider.seen[0].headers
    assert set(headers) - SENT == {"api-key" if kind.startswith("azure") else "authorization"}
    assert "stray" not in str(headers) + str(provider.seen[0].body) + provider.seen[0].path


def test_a_server_without_a_key_is_sent_none(provider: LlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "stray")
    one = model(provider).model_copy(update={"api_key": None})
    assert failures(chain(one))[0].cause == "key"
    assert "authorization" not in provider.seen[0].headers


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_key_in_an_error_is_shown_nowhere(
    provider: LlmServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("OPENAI_LOG", "debug")
    for name in ("openai", "httpx2", "httpcore2"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    provider.script(Fail(status, "{key}", "The key {key} is wrong.", param=provider.key))
    with pytest.raises(ModelsUnavailable) as caught:
        chain(model(provider)).ask(QUESTION)
    shown = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value)) + caplog.text
    assert str(status) in shown and provider.key not in shown


def test_no_object_of_the_libraries_holds_the_key(provider: LlmServer) -> None:
    built = chat_model(model(provider))
    assert provider.key not in repr(built) + str(built.model_dump(exclude={"http_client", "http_async_client"}))


def test_what_is_meant_for_this_machine_goes_through_no_proxy(
    provider: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LlmServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.azure)
        provider.script(Say("ok"))
        assert chain(model(provider)).ask(QUESTION).text == "ok"
        assert proxy.seen == []


def test_a_redirect_is_not_followed(provider: LlmServer) -> None:
    elsewhere = f"{provider.url}/responses"
    provider.script(Body(b"", status=307, headers={"location": elsewhere}))
    assert failures(chain(model(provider)))[0].cause == "server"
    assert len(provider.seen) == 1


def test_a_question_is_not_traced_elsewhere(provider: LlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from langsmith import utils

    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    monkeypatch.setenv("LANGSMITH_ENDPOINT", provider.azure)
    monkeypatch.setenv("LANGSMITH_API_KEY", "lsv2_planted")
    utils.get_env_var.cache_clear()
    try:
        assert utils.tracing_is_enabled()
        provider.script(Say("ok"))
        chain(model(provider)).ask(QUESTION)
    finally:
        utils.get_env_var.cache_clear()
    assert [seen.path for seen in provider.seen] == ["/v1/chat/completions"]
