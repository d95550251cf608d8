"""Budgets: what a question and a day may spend, what a failure costs, and one day's budget for several processes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from agent.models.errors import BudgetKind, BudgetSpent
from agent.models.meter import Limits, Meter, Prices, Spent
from agent.models.raw import estimated_tokens
from agent.store import Store
from tests.llm_server import Fail, LlmServer, Say
from tests.unit.agent.models.asking import QUESTION, TOOLS, WIDE, Ledger, chain, failures, model
from tests.unit.agent.plans import HandClock

INPUT = estimated_tokens(QUESTION, ())


def limits(**given: float) -> Limits:
    return Limits(**(vars(WIDE) | given))


@pytest.mark.parametrize(
    ("given", "used", "which"),
    [
        ({"question_tokens": INPUT + 99}, Spent(), "question_tokens"),
        ({"question_usd": 0.0001}, Spent(), "question_usd"),
        ({"day_tokens": 1000 + INPUT + 99}, Spent(700, 300), "day_tokens"),
        ({"day_usd": 2.0}, Spent(0, 0, 1.9999), "day_usd"),
    ],
)
def test_what_may_go_beyond_a_budget_is_not_asked(
    provider: LlmServer, given: dict[str, float], used: Spent, which: BudgetKind
) -> None:
    one = model(provider, max_output_tokens=100, input_usd=1.0, output_usd=10.0)
    ledger = Ledger(used)
    asking = chain(one, limits=limits(**given), ledger=ledger)
    with pytest.raises(BudgetSpent) as caught:
        asking.ask(QUESTION)
    assert caught.value.which == which and which in str(caught.value.hint)
    assert provider.seen == [] and ledger.today() == used and asking.meter.spent == Spent()


def test_the_last_of_a_budget_can_be_used(provider: LlmServer) -> None:
    provider.script(Say("ok", usage=(INPUT, 10)), Say("ok"))
    asking = chain(model(provider, max_output_tokens=100), limits=limits(question_tokens=INPUT + 100))
    asking.ask(QUESTION)
    with pytest.raises(BudgetSpent):
        asking.ask(QUESTION)


def test_a_question_is_counted_over_its_requests(provider: LlmServer) -> None:
    provider.brain = lambda seen: Say("ok", usage=(1000, 100))
    ledger = Ledger()
    asking = chain(model(provider, input_usd=2.0, output_usd=4.0), limits=limits(question_tokens=4000), ledger=ledger)
    with pytest.raises(BudgetSpent):
        for _ in range(10):
            asking.ask(QUESTION)
    assert len(provider.seen) == 3
    assert asking.meter.spent.tokens == 3300 and ledger.today().usd == pytest.approx(3 * 0.0024)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_what_is_turned_away_costs_nothing(provider: LlmServer, status: int) -> None:
    provider.script(Fail(status))
    ledger = Ledger()
    failures(chain(model(provider), ledger=ledger))
    assert ledger.today() == Spent()


def test_what_broke_off_costs_what_is_known(provider: LlmServer) -> None:
    provider.script(Say("x" * 400, piece=100, cut_after=3))
    ledger = Ledger()
    failures(chain(model(provider), ledger=ledger))
    assert ledger.today() == Spent(estimated_tokens(QUESTION, TOOLS), 100)


def test_without_prices_only_tokens_count(provider: LlmServer) -> None:
    provider.script(Say("ok"))
    reply = chain(model(provider, input_usd=3.0), limits=limits(question_usd=0.000001)).ask(QUESTION)
    assert reply.usd is None


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=30))
def test_reservations_never_go_beyond_and_settle_to_what_was_spent(requests: list[tuple[int, int]]) -> None:
    ledger = Ledger()
    meter = Meter(limits(question_tokens=2000, day_tokens=1500), ledger)
    spent = 0
    for most, share in requests:
        try:
            reservation = meter.reserve("m", Spent(most, 0))
        except BudgetSpent:
            assert meter.spent.tokens + most > 1500
            continue
        assert ledger.today().tokens <= 1500
        used = min(share, most)
        meter.settle(reservation, Spent(used, 0))
        spent += used
        assert meter.spent.tokens == ledger.today().tokens == spent


@given(st.text(max_size=300))
def test_estimates_are_not_too_small(text: str) -> None:
    """No tokenizer in use makes more tokens than bytes; 3 bytes each is on the safe side for words."""
    size = len(text.encode("utf-8", "replace"))
    assert size / 3 <= estimated_tokens([HumanMessage(text)], ()) <= size * 2 + 20


def test_prices_need_both() -> None:
    assert Prices(1.0, None).usd(10, 10) is None
    assert Prices(0.0, 0.0).usd(10, 10) == 0


# --- the store -------------------------------------------------------------------------------------------------------


def test_a_day_is_kept_and_ends_at_midnight_utc(store: Store, clock: HandClock) -> None:
    use = store.llm_use
    clock.at = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
    handle = use.reserve("openai/m", Spent(1000, 500, 0.5), tokens=2000, usd=1)
    assert use.today() == Spent(1000, 500, 0.5)
    with pytest.raises(BudgetSpent) as caught:
        use.reserve("openai/m", Spent(501), tokens=2000, usd=1)
    assert caught.value.which == "day_tokens"
    with pytest.raises(BudgetSpent) as caught:
        use.reserve("openai/m", Spent(1, 0, 0.51), tokens=2000, usd=1)
    assert caught.value.which == "day_usd"
    clock.at += timedelta(minutes=2)
    assert use.today() == Spent()
    use.settle(handle, Spent(100, 50, 0.05))
    use.settle("unknown", Spent(1))
    assert [(str(d.day), d.model, d.requests, d.spent) for d in use.by_day()] == [
        ("2026-11-22", "openai/m", 1, Spent(100, 50, 0.05))
    ]


def test_old_days_are_forgotten(store: Store, clock: HandClock) -> None:
    clock.at = datetime(2026, 10, 1, tzinfo=UTC)
    store.llm_use.reserve("m", Spent(10), tokens=100, usd=1)
    clock.at += timedelta(days=40)
    store.llm_use.reserve("m", Spent(10), tokens=100, usd=1)
    assert [d.day.isoformat() for d in store.llm_use.by_day(90)] == ["2026-11-10"]


def test_threads_cannot_both_take_the_last(store: Store) -> None:
    taken: list[str] = []

    def take() -> None:
        with contextlib.suppress(BudgetSpent):
            taken.append(store.llm_use.reserve("m", Spent(100), tokens=1000, usd=1))

    threads = [threading.Thread(target=take) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 10 and store.llm_use.today() == Spent(1000)


_TAKER = """
import sys
from agent.models.errors import BudgetSpent
from agent.models.meter import Spent
from agent.runtime import SystemClock
from agent.store import Store

store = Store.open(sys.argv[1], account="ACME", clock=SystemClock())
print("ready", flush=True)
sys.stdin.readline()
taken = 0
try:
    while True:
        store.llm_use.reserve("m", Spent(10), tokens=200, usd=1)
        taken += 1
except BudgetSpent:
    print(taken)
"""


def test_processes_share_a_day(store_file: Path) -> None:
    url = f"sqlite:///{store_file}"
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", _TAKER, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path.cwd(),
        )
        for _ in range(2)
    ]
    for taker in takers:
        assert taker.stdout is not None and taker.stdout.readline() == "ready\n"
    taken = [int(taker.communicate("go\n", timeout=60)[0]) for taker in takers]
    assert sum(taken) == 20
