"""What doctor says about language models, and that it spends nothing unless it is told to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent.account_access import AccountAccess
from agent.models.meter import Spent
from agent.runtime import Runtime
from agent.settings import load_settings
from bots.cli.doctor_models import model_checks
from tests.llm_server import Fail, LlmServer, Say
from tools.warehouse.checks import Check


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the store is opened: the account of the demo profile would have to be built."""

    def built(*_: object, **__: object) -> None:
        raise AssertionError("an account is built")

    monkeypatch.setattr(AccountAccess, "key", "ACME")
    monkeypatch.setattr("tools.demo.account.ensure_account", built)


@pytest.fixture
def provider() -> Iterator[LlmServer]:
    with LlmServer() as server:
        yield server
        assert server.problems == []


def checks(
    monkeypatch: pytest.MonkeyPatch, *, ask: bool = False, used: Spent | None = None, **given: str
) -> list[Check]:
    for name, value in given.items():
        monkeypatch.setenv(f"FROSTLINE_LLM__{name}", value)
    from agent.runtime import SystemClock

    with Runtime(load_settings("demo"), SystemClock(), lambda: "id") as runtime:
        if used is not None:
            runtime.store.llm_use.reserve("m", used, tokens=10**9, usd=10**9)
        return list(model_checks(runtime, ask=ask))


def given(provider: LlmServer) -> dict[str, str]:
    return {"PROVIDER": "compatible", "MODEL": "small", "BASE_URL": provider.url, "API_KEY": provider.key}


def test_without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    (only,) = checks(monkeypatch)
    assert only.ok and "nothing leaves this machine" in only.detail


def test_a_key_without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    (only,) = checks(monkeypatch)
    assert "llm.model" in only.detail and "planted" not in only.detail


def test_nothing_is_sent_unless_asked(monkeypatch: pytest.MonkeyPatch, provider: LlmServer) -> None:
    model, budget = checks(monkeypatch, **given(provider))
    assert provider.seen == []
    assert model.ok and provider.url in model.detail and provider.key not in model.detail
    assert budget.ok and budget.detail.startswith("0 of 2,000,000 tokens") and "without prices" in budget.detail


def test_each_model_is_asked_once(monkeypatch: pytest.MonkeyPatch, provider: LlmServer) -> None:
    provider.script(Say("ok", usage=(12, 1)), model="small")
    provider.script(Fail(401, "invalid_api_key", "No: {key}"), model="big")
    second = {f"SECONDARY__{name}": value for name, value in given(provider).items()} | {"SECONDARY__MODEL": "big"}
    first, other, budget = checks(monkeypatch, ask=True, **given(provider), **second)
    assert first.ok and "13 tokens" in first.detail
    assert other.ok is False and other.detail.startswith("401 invalid_api_key") and "key" in str(other.fix)
    assert provider.key not in f"{first}{other}{budget}"
    assert budget.detail.startswith("13 of")


def test_a_spent_budget_is_said_and_not_overdrawn(monkeypatch: pytest.MonkeyPatch, provider: LlmServer) -> None:
    prices = {"INPUT_USD": "1", "OUTPUT_USD": "2"}
    model, budget = checks(monkeypatch, ask=True, used=Spent(2_000_000, 0, 2.0), **given(provider), **prices)
    assert provider.seen == [] and model.ok is None and "used up" in model.detail
    assert budget.ok is False and "2.00 of 20.00 USD" in budget.detail
