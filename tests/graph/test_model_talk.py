"""One conversation of seven messages, by the planner, by a scripted model, and by a model over real HTTP.

The model's side is a small brain that reads what it was sent and nothing else: the conversation is the same code for
the scripted chain and behind the loopback server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage

from agent.models.chain import Models
from agent.models.errors import ModelFailure, ModelsUnavailable
from agent.models.meter import Spent
from agent.models.reply import ToolRequest
from agent.models.thinker import thinker_for
from agent.settings_llm import LlmSettings
from agent.state import Turn
from tests.doubles.account import account
from tests.doubles.chain import MODEL, Chain, ModelChat, Talk, call
from tests.doubles.chat import Chat
from tests.llm_server import Answer, Call, Fail, LlmServer, Say, Seen

DEAD = ModelsUnavailable((ModelFailure(MODEL, "connection", "connection refused", lasting=False),))
PAGE = {
    "id": "idle-time", "title": "Suspend sooner", "text": "Idle minutes are paid.", "source": "docs.example.com",
    "score": 0.9, "origin": "frostline", "severity": "warn", "applies_to": ["warehouse"], "tool": None,
    "checked": "2026-11-01", "parts": {"action": "Set auto-suspend to 60 seconds.", "effect": "Less idle time.",
                                       "caveat": "Caches are lost.", "symptom": "", "check": "", "check_note": ""},
}  # fmt: skip


class Pages:
    """A Retriever with one page."""

    def search(
        self, text: str, k: int = 5, *, where: Mapping[str, str | Sequence[str]] | None = None
    ) -> Sequence[Mapping[str, Any]]:
        return (PAGE,)

    def notes(self) -> tuple[str, ...]:
        return ()


# --- the model's side -----------------------------------------------------------------------------------------------


def brain(messages: Sequence[Mapping[str, Any]]) -> str | tuple[str, dict[str, Any]]:
    """What a sensible model would say to these messages: words, or a call as (tool, arguments)."""
    last = messages[-1]
    if last["role"] == "tool":
        return _worded(json.loads(last["content"]))
    context, text = last["content"].split("The person's message:\n")
    said = text.casefold()
    if "yesterday" in said:
        before = json.loads(context.split("\n", 1)[1])["conversation"]["last_call"]
        return before["name"], {**before["args"], "window": "yesterday"}
    if "the warehouse" in said:
        return "Do you mean ETL_WH or BI_WH?"
    if "second" in said:
        return "query_usage", {"filters": {"warehouse": ["BI_WH"]}, "window": "last week"}
    if "suspend bi_wh" in said:
        return "suspend_idle", {"warehouse": "BI_WH"}
    if "practice" in said:
        return "search_practices", {"text": "warehouses idle"}
    return "query_usage", {"by": "warehouse", "window": "last week"}


def _worded(result: Mapping[str, Any]) -> str:
    if result["status"] != "ok":
        return "Shown as it is."
    if result.get("passages"):
        page = result["passages"][0]["cite"]
        return f"Look at [[{page}.title]]: [[{page}.action]]"
    return f"It was [[{result['facts'][0][0]}]]."


def scripted(messages: Sequence[BaseMessage]) -> str | tuple[ToolRequest, ...]:
    roles = {"system": "system", "human": "user", "ai": "assistant", "tool": "tool"}
    said = brain([{"role": roles[m.type], "content": m.content} for m in messages])
    return said if isinstance(said, str) else call(said[0], **said[1])


def over_http(seen: Seen) -> Answer:
    said = brain(seen.body["messages"])
    return Say(said) if isinstance(said, str) else Say(calls=[Call(*said)])


class Purse:
    """A DayLedger without a limit."""

    def reserve(self, model: str, most: Spent, *, tokens: int, usd: float) -> str:
        return "r"

    def settle(self, handle: str, spent: Spent) -> None:
        return None

    def today(self) -> Spent:
        return Spent()


@pytest.fixture(scope="module")
def server() -> Iterator[LlmServer]:
    with LlmServer() as running:
        yield running


def http_chat(server: LlmServer, **changed: Any) -> ModelChat:
    values = {"provider": "compatible", "model": "small", "base_url": server.url, "api_key": server.key, "retries": 0}
    models = Models(LlmSettings(**(values | changed)), Purse())
    return ModelChat(lambda: thinker_for(models), chat=Chat(retriever=Pages()))


# --- the conversation ----------------------------------------------------------------------------------------------

TALK = [
    ("credits by warehouse last week", "ok"),
    ("and yesterday?", "ok"),
    ("credits last week of the warehouse", "clarify"),
    ("the second one", "ok"),
    ("please suspend BI_WH", "needs_approval"),
    ("yes", "refused"),
    ("what is the best practice for idle warehouses?", "ok"),
]
TOOLS = ["query_usage", "query_usage", None, "query_usage", "suspend_idle", None, "search_practices"]


def held(say: Callable[[str], Turn]) -> list[Turn]:
    return [say(text) for text, _ in TALK]


@pytest.fixture(params=["scripted", "http"])
def talk(request: pytest.FixtureRequest, server: LlmServer) -> ModelChat:
    if request.param == "scripted":
        return Talk(Chain(scripted), chat=Chat(retriever=Pages()))
    server.brain = over_http
    return http_chat(server)


def test_the_same_conversation_by_a_model(talk: ModelChat, server: LlmServer) -> None:
    turns = held(talk.say)
    assert [turn.status for turn in turns] == [status for _, status in TALK]
    assert [turn.tool_calls[0].name if turn.tool_calls else None for turn in turns] == TOOLS
    assert turns[0].answer.startswith("It was 663.60 credits.")
    assert turns[1].answer.startswith("It was 94.80 credits.")
    assert turns[2].answer == "Do you mean `ETL_WH` or `BI_WH`?"
    assert turns[3].answer.startswith("It was 176.40 credits.")
    assert turns[4].plans[0].statement == 'ALTER WAREHOUSE "BI_WH" SUSPEND'
    assert "words in a conversation never approve" in turns[5].answer
    assert turns[6].answer.startswith("Look at Suspend sooner: Set auto-suspend to 60 seconds.")
    assert {turn.model for turn in turns if turn.tool_calls} <= {MODEL, "compatible/small"}
    assert len(talk.chat.plans.stored) == 1
    assert server.problems == []


def test_the_same_conversation_by_the_planner() -> None:
    chat = Chat(retriever=Pages())
    turns = held(chat.say)
    assert [turns[n].status for n in (0, 1, 4, 5, 6)] == [TALK[n][1] for n in (0, 1, 4, 5, 6)]
    assert [turns[n].tool_calls[0].name for n in (0, 1, 4, 6)] == [TOOLS[n] for n in (0, 1, 4, 6)]
    assert {turn.model for turn in turns} == {"offline"}
    assert len(chat.plans.stored) == 1


def test_planner_and_model_prove_the_same_figures() -> None:
    by_model = Talk(Chain(scripted), chat=Chat(retriever=Pages()))
    by_planner = Chat(retriever=Pages())
    for text, _ in TALK[:2]:
        assert by_model.say(text).facts == by_planner.say(text).facts


# --- the provider dies -----------------------------------------------------------------------------------------------


def test_a_provider_that_dies_in_mid_conversation(server: LlmServer) -> None:
    server.brain = over_http
    talk = http_chat(server)
    assert talk.say("credits by warehouse last week").model == "compatible/small"
    server.brain = lambda seen: Fail(500, "server_error")
    turn = talk.say("and yesterday?")
    assert turn.status == "ok"
    assert turn.window == Chat().say("credits by warehouse yesterday").window
    assert turn.model == "offline (compatible/small did not answer)"
    assert "language model did not answer" in turn.answer
    server.brain = over_http
    assert talk.say("credits by warehouse last week").model == "compatible/small"


def test_a_server_that_is_gone() -> None:
    with LlmServer() as running:
        talk = http_chat(running)
    turn = talk.say("credits by warehouse last week")
    assert turn.status == "ok"
    assert turn.model.startswith("offline")


# --- faults over HTTP ------------------------------------------------------------------------------------------------


@pytest.fixture
def faulty(server: LlmServer) -> Iterator[LlmServer]:
    server.brain = None
    server.seen.clear()
    server.problems.clear()
    yield server
    assert server.problems == []


USAGE = Say(calls=[Call("query_usage", {"by": "warehouse", "window": "last week"})])


@pytest.mark.parametrize(
    "wrong",
    [
        Say(calls=[Call("query_usage", '{"by": "warehouse", ')]),
        Say(calls=[Call("query_usage", {"by": "planet"})]),
        Say(calls=[Call("drop_everything", {})]),
        Say(""),
    ],
)
def test_what_cannot_be_used_is_mended_over_http(faulty: LlmServer, wrong: Say) -> None:
    faulty.script(wrong, USAGE, Say("It was [[f1]]."))
    turn = http_chat(faulty).say("credits by warehouse last week")
    assert turn.status == "ok"
    assert turn.answer.startswith("It was 663.60 credits.")
    assert len(faulty.seen) == 3


def test_an_uncited_figure_is_refused_mended_and_replaced_over_http(faulty: LlmServer) -> None:
    talk = http_chat(faulty)
    faulty.script(USAGE, Say("It was 663.6 credits."), Say("It was [[f1]]."))
    assert talk.say("credits by warehouse last week").answer.startswith("It was 663.60 credits.")
    faulty.script(USAGE, Say("It was 9000 credits."), Say("It was 9000 credits."))
    turn = talk.say("credits by warehouse last week")
    assert turn.answer == Chat().say("credits by warehouse last week").answer
    assert talk.chat.state()["proof"] == {"refused": 2, "mended": 0, "replaced": 1}


def test_a_loop_over_http_is_stopped(server: LlmServer) -> None:
    server.brain = lambda seen: USAGE if "tools" in seen.body else Say("It was [[f1]].")
    turn = http_chat(server).say("credits by warehouse last week")
    assert len(turn.tool_calls) == 1
    assert turn.answer.startswith("It was 663.60 credits.")


def test_a_filtered_answer_leaves_the_composed_reply(faulty: LlmServer) -> None:
    faulty.script(USAGE, Say("", finish="content_filter"), Say("", finish="content_filter"))
    turn = http_chat(faulty).say("credits by warehouse last week")
    assert turn.status == "ok"
    assert turn.answer == Chat().say("credits by warehouse last week").answer


# --- what leaves -----------------------------------------------------------------------------------------------------

SAID = (
    "what did ALICE (alice@acme.io) spend last week on ETL_WH, password is hunter2!horse, "
    "with select * from people where ssn = '123-45-6789'"
)


def test_nothing_that_is_masked_reaches_the_server(faulty: LlmServer) -> None:
    def obliging(seen: Seen) -> Answer:
        if seen.body["messages"][-1]["role"] == "tool":
            return Say("USER_1 spent 5.")
        if "may not be sent" in seen.body["messages"][-1]["content"]:
            return Say("It was [[f1]] of [[f1.entity]].")
        user = re.search(r"what did (USER_\d+)", seen.body["messages"][1]["content"])
        assert user is not None
        return Say(calls=[Call("query_usage", {"by": "user", "filters": {"user": [user[1]]}, "window": "last week"})])

    faulty.brain = obliging
    talk = http_chat(faulty, mask_objects=True)
    turn = talk.say(SAID)
    assert turn.tool_calls[0].args["filters"] == {"user": ["ALICE"]}
    assert turn.facts[0].value is not None
    assert turn.answer.startswith("It was 100.80 credits of `ALICE`.")
    talk.say("what did ALICE do")
    left = json.dumps([seen.body for seen in faulty.seen])
    assert len(faulty.seen) >= 3
    for secret in ("ALICE", "alice", "acme.io", "hunter2", "123-45-6789", "SVC_LOADER", "BOB", "ETL_WH", "BI_WH"):
        assert secret not in left, secret


PLANTED = st.one_of(
    st.from_regex(r"[a-z]{3,12}\.[a-z]{3,12}@[a-z]{3,12}\.(com|io)", fullmatch=True),
    st.from_regex(r"AKIA[A-Z0-9]{16}", fullmatch=True),
    st.from_regex(r"eyJ[A-Za-z0-9]{20,30}\.eyJ[A-Za-z0-9]{20,30}\.[A-Za-z0-9_-]{20,30}", fullmatch=True),
    st.from_regex(r"xox[bp]-[0-9]{10,12}-[A-Za-z0-9]{12,20}", fullmatch=True),
)
PLACES = ("{}", "password is {} and", "select 1 from t where a = '{}'", "https://joe:{}@host/x", "({})", '"{}",')


@settings(max_examples=12, deadline=None)
@given(planted=PLANTED, place=st.sampled_from(PLACES), brain_asks_wrong=st.booleans())
def test_what_is_planted_anywhere_is_in_no_message(planted: str, place: str, brain_asks_wrong: bool) -> None:
    """In the person's words, in a tag of the account, in a user's name, in a name that does not exist."""
    reader = account(days=9)
    queries = reader.frames["queries"]
    queries.loc[queries["query_tag"] == "nightly", "query_tag"] = place.format(planted)
    queries.loc[queries["user"] == "BOB", "user"] = planted

    def thinking(messages: Sequence[BaseMessage]) -> str | tuple[ToolRequest, ...]:
        tokens = [*re.findall(r"(?:SECRET|EMAIL|USER|LITERAL)_\d+", str(messages[1].content)), "NONE"]
        lines: list[Any] = [
            call("query_usage", metric="queries", by="query_tag", window="last week"),
            call("query_usage", metric="queries", by="user", window="last week"),
            call("query_usage", metric="queries", filters={"warehouse": [tokens[0]]}, window="last week"),
            f"It was {tokens[0]}: [[f1]].",
        ]
        return lines[min(sum(m.type == "tool" for m in messages), 3)] if not brain_asks_wrong else lines[2]

    talk = Talk(Chain(thinking), chat=Chat(reader=reader))
    talk.say(f"what is slow here: {place.format(planted)}")
    talk.say(f"and what of {planted}")
    assert len(talk.chain.sent) >= 4
    assert planted not in talk.chain.everything()


def test_names_leave_where_the_settings_allow_it(faulty: LlmServer) -> None:
    faulty.brain = lambda seen: Say("Which days?")
    http_chat(faulty, mask_users=False).say("what did ALICE spend on ETL_WH")
    left = json.dumps([seen.body for seen in faulty.seen])
    assert "ALICE" in left
    assert "ETL_WH" in left


def test_a_key_of_ours_is_in_no_message(faulty: LlmServer) -> None:
    faulty.brain = over_http
    http_chat(faulty).say("credits by warehouse last week")
    assert faulty.key not in json.dumps([seen.body for seen in faulty.seen])
    assert MODEL not in json.dumps([seen.body for seen in faulty.seen])


def test_an_answer_to_the_models_question_is_understood_by_the_planner() -> None:
    lines: list[Any] = ["Do you mean ETL_WH or BI_WH?", DEAD]
    talk = Talk(Chain(lines))
    assert talk.say("credits last week of the warehouse").status == "clarify"
    turn = talk.say("the second one")
    assert turn.status == "ok"
    assert turn.tool_calls[0].args["filters"] == {"warehouse": ["BI_WH"]}
    assert turn.model.startswith("offline")


def test_a_question_of_the_models_about_a_change_keeps_what_was_asked_for() -> None:
    lines: list[Any] = ["Which of BI_WH and ETL_WH?", call("suspend_idle", warehouse="BI_WH"), "ok"]
    talk = Talk(Chain(lines))
    assert talk.say("please suspend the warehouse that costs so much").status == "clarify"
    turn = talk.say("BI_WH")
    assert turn.status == "needs_approval"
    assert [plan.warehouse for plan in turn.plans] == ["BI_WH"]
    assert talk.say("yes").status == "refused"
