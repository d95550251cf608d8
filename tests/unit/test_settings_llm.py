"""The language models' settings: what is taken from where, and what is refused before the first question."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.settings import LlmSettings, load_settings
from tools.errors import BadSettings

KEY = "sk-planted-0123456789"


def llm(monkeypatch: pytest.MonkeyPatch, **variables: str) -> LlmSettings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings("demo").llm


def refused(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with pytest.raises(BadSettings) as caught:
        llm(monkeypatch, **variables)
    return caught.value.message


def test_without_a_key_nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert llm(monkeypatch).models == ()


def test_a_key_alone_does_not_send_anything_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert llm(monkeypatch, OPENAI_API_KEY=KEY).models == ()


def test_a_key_and_a_model_are_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    found = llm(monkeypatch, OPENAI_API_KEY=KEY, FROSTLINE_LLM__MODEL="some-model")
    assert found.label == "openai/some-model"
    assert found.url == "https://api.openai.com/v1"
    assert found.api_key is not None and found.api_key.get_secret_value() == KEY


def test_offline_forbids_whatever_else_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    found = llm(monkeypatch, OPENAI_API_KEY=KEY, FROSTLINE_LLM__MODEL="some-model", FROSTLINE_LLM__PROVIDER="offline")
    assert found.models == () and found.api_key is None


def test_ours_wins_over_openais_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = llm(
        monkeypatch,
        OPENAI_API_KEY="sk-other",
        OPENAI_BASE_URL="https://other.example/v1",
        FROSTLINE_LLM__API_KEY=KEY,
        FROSTLINE_LLM__MODEL="some-model",
    )
    assert found.api_key is not None and found.api_key.get_secret_value() == KEY
    assert found.url == "https://api.openai.com/v1"


def test_openais_base_url_counts_with_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    found = llm(
        monkeypatch, OPENAI_API_KEY=KEY, OPENAI_BASE_URL="https://proxy.example/v1/", FROSTLINE_LLM__MODEL="some-model"
    )
    assert found.url == "https://proxy.example/v1"


def test_openais_key_is_not_sent_to_a_server_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    found = llm(
        monkeypatch,
        OPENAI_API_KEY=KEY,
        FROSTLINE_LLM__PROVIDER="compatible",
        FROSTLINE_LLM__BASE_URL="http://127.0.0.1:8000/v1",
        FROSTLINE_LLM__MODEL="some-model",
    )
    assert found.api_key is None


def test_azure_has_a_key_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    found = llm(
        monkeypatch,
        OPENAI_API_KEY="sk-other",
        AZURE_OPENAI_API_KEY=KEY,
        FROSTLINE_LLM__PROVIDER="azure",
        FROSTLINE_LLM__AZURE_ENDPOINT="https://name.openai.azure.com/",
        FROSTLINE_LLM__AZURE_DEPLOYMENT="mine",
    )
    assert found.api_key is not None and found.api_key.get_secret_value() == KEY
    assert (found.label, found.url) == ("azure/mine", "https://name.openai.azure.com/openai/v1")


def test_the_second_model_nests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text(f"{KEY}\n")
    found = llm(
        monkeypatch,
        FROSTLINE_LLM__PROVIDER="compatible",
        FROSTLINE_LLM__BASE_URL="http://localhost:8000/v1",
        FROSTLINE_LLM__MODEL="small",
        FROSTLINE_LLM__SECONDARY__PROVIDER="openai",
        FROSTLINE_LLM__SECONDARY__MODEL="big",
        FROSTLINE_LLM__SECONDARY__API_KEY_FILE=str(secret),
    )
    assert [one.label for one in found.models] == ["compatible/small", "openai/big"]
    assert found.models[1].api_key is not None and found.models[1].api_key.get_secret_value() == KEY


def test_a_key_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text(KEY)
    found = llm(monkeypatch, FROSTLINE_LLM__API_KEY_FILE=str(secret), FROSTLINE_LLM__MODEL="some-model")
    assert found.api_key is not None and found.api_key.get_secret_value() == KEY


@pytest.mark.parametrize(
    "url",
    ["http://models.example/v1", "ftp://127.0.0.1/v1", "https://user:pw@models.example", "https://x.example/?k=1", "x"],
)
def test_addresses_that_would_leak_are_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    said = refused(
        monkeypatch,
        FROSTLINE_LLM__PROVIDER="compatible",
        FROSTLINE_LLM__MODEL="m",
        FROSTLINE_LLM__BASE_URL=url,
    )
    assert "base_url" in said and "pw" not in said


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"PROVIDER": "openai", "MODEL": "m"}, "api_key"),
        ({"PROVIDER": "openai", "API_KEY": KEY}, "model"),
        ({"PROVIDER": "compatible", "MODEL": "m"}, "base_url"),
        ({"PROVIDER": "azure", "AZURE_DEPLOYMENT": "d", "API_KEY": KEY}, "azure_endpoint"),
        ({"PROVIDER": "azure", "AZURE_DEPLOYMENT": "d", "AZURE_ENDPOINT": "https://n.openai.azure.com"}, "api_key"),
        ({"BASE_URL": "https://models.example/v1", "MODEL": "m"}, "provider"),
        ({"PROVIDER": "offline", "SECONDARY__PROVIDER": "openai"}, "secondary"),
    ],
)
def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str) -> None:
    said = refused(monkeypatch, **{f"FROSTLINE_LLM__{name}": value for name, value in variables.items()})
    assert named in said and KEY not in said


def test_keys_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    found = llm(monkeypatch, OPENAI_API_KEY=KEY, FROSTLINE_LLM__MODEL="some-model")
    assert KEY not in repr(found) and KEY not in found.model_dump_json()


def test_tracing_that_is_set_for_other_programs_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.setenv(name, "true")
    load_settings("demo")
    assert "LANGSMITH_TRACING" not in os.environ and "LANGCHAIN_TRACING_V2" not in os.environ
