"""Lost connections, dead processes and plain time: the row ends up saying what is true, and nothing runs twice."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.actions.runner import ActionRunner
from tests.graph.house import TOOLS, House, build_house
from tools.changes.tools import ProposedPlans
from tools.domain import PlanState, Size
from tools.errors import NoPermission, NotAllowed, OutcomeUnknown, PlanConflict, StatementFailed, Unreachable

Run = Callable[[], None]


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


def lost_before(_run: Run) -> None:
    raise OutcomeUnknown("the connection broke")


def lost_after(run: Run) -> None:
    run()
    raise OutcomeUnknown("the connection broke")


def killed_before(_run: Run) -> None:
    raise Killed


def killed_after(run: Run) -> None:
    run()
    raise Killed


def approve(house: House, data: ProposedPlans) -> Any:
    return house.runner.decide(data.approve_id, data.approve_digest, house.person("grace"), "approve")


def state(house: House, data: ProposedPlans) -> PlanState:
    return house.store.get(data.approve_id).state


# --- the statement ---------------------------------------------------------------------------------------------------


def test_a_lost_answer_is_settled_by_reading_back(house: House) -> None:
    house.around = lost_after
    data = house.propose("suspend_idle", warehouse="ETL")
    outcome = approve(house, data)
    assert outcome.state is PlanState.APPLIED and "verified by state" in outcome.effect
    assert house.events(data.approve_id)[-2:] == ["statement_unknown", "applied"]


def test_a_lost_statement_waits_for_recovery_and_is_not_run_again(house: House) -> None:
    house.around = lost_before
    data = house.propose("suspend_idle", warehouse="ETL")
    outcome = approve(house, data)
    assert outcome.state is PlanState.CLAIMED and "not known yet" in outcome.effect
    assert house.runner.recover().as_json() == {}  # the claim has not lapsed: it may still arrive
    house.clock.advance(minutes=4)
    house.around = None
    assert house.runner.recover().as_json() == {"failed": [data.approve_id]}
    assert house.account.log == [] and "not run again" in house.store.get(data.approve_id).reason
    assert house.runner.recover().as_json() == {}


def test_a_late_arrival_is_found_by_recovery(house: House) -> None:
    house.around = lost_before
    data = house.propose("suspend_idle", warehouse="ETL")
    approve(house, data)
    house.account.run(data.plans[0].plan.statement)  # it was under way all the time
    house.clock.advance(minutes=4)
    assert house.runner.recover().as_json() == {"applied": [data.approve_id]}


@pytest.mark.parametrize(
    "error", [StatementFailed("no such thing", errno=2003), NoPermission("no"), Unreachable("down")]
)
def test_a_refused_statement_fails_with_the_reason(house: House, error: Exception) -> None:
    def refuse(_run: Run) -> None:
        raise error

    house.around = refuse
    data = house.propose("suspend_idle", warehouse="ETL")
    outcome = approve(house, data)
    assert outcome.state is PlanState.FAILED and str(error) in outcome.reason
    assert house.events(data.approve_id)[-2:] == ["statement_refused", "failed"]
    assert all(w.closed for w in house.writers)


def test_a_writer_that_cannot_be_opened_runs_nothing(house: House) -> None:
    def refuse() -> None:
        raise Unreachable("no login")

    house.on_open = refuse
    data = house.propose("suspend_idle", warehouse="ETL")
    outcome = approve(house, data)
    assert outcome.state is PlanState.FAILED and "nothing was run" in outcome.reason


def test_a_login_that_outlives_the_claim_runs_nothing(house: House) -> None:
    house.on_open = lambda: house.clock.advance(minutes=5)
    data = house.propose("suspend_idle", warehouse="ETL")
    assert approve(house, data).state is PlanState.FAILED
    assert house.account.log == []


def test_an_accepted_statement_that_does_not_show_is_neither_applied_nor_failed(house: House) -> None:
    """SHOW may lag: `failed` would say that nothing was changed, and the next look would prove it wrong."""
    late: list[Run] = []
    house.around = late.append
    data = house.propose("resize_warehouse", warehouse="ETL", size="S")
    outcome = approve(house, data)
    assert outcome.state is PlanState.UNKNOWN and "size should be Small, is Medium" in outcome.effect
    assert len(house.naps) == 3  # it looked several times
    late.pop()()
    settled = house.runner.settle(data.approve_id, "applied", house.person("grace"))
    assert settled.state is PlanState.APPLIED and house.store.verify_audit().ok


def test_a_slow_change_is_waited_for(house: House) -> None:
    late: list[Run] = []
    house.around = late.append
    deps = replace(house.deps, context=replace(house.deps.context, sleep=lambda _: late.pop()() if late else None))
    data = house.propose("resize_warehouse", warehouse="ETL", size="S")
    outcome = ActionRunner(deps).decide(data.approve_id, data.approve_digest, house.person("grace"), "approve")
    assert outcome.state is PlanState.APPLIED


def test_something_else_than_asked_for_is_unknown_until_people_settle_it(house: House) -> None:
    house.around = lambda _run: house.account.change("ETL", size=Size.X4LARGE)
    data = house.propose("resize_warehouse", warehouse="ETL", size="S")
    assert approve(house, data).state is PlanState.UNKNOWN
    assert house.runner.recover().as_json() == {}
    for who in ("ada", "nobody"):
        with pytest.raises(NotAllowed):
            house.runner.settle(data.approve_id, "failed", house.person(who))
        assert house.events()[-1] == "denied"
    settled = house.runner.settle(data.approve_id, "failed", house.person("mary"), "somebody was here")
    assert settled.state is PlanState.FAILED and "mary" in settled.reason
    with pytest.raises(PlanConflict):
        house.runner.settle(data.approve_id, "applied", house.person("mary"))


def test_an_account_that_cannot_be_read_back_is_tried_again(house: House) -> None:
    def run_and_lose_the_reader(run: Run) -> None:
        run()
        house.reader.fail = Unreachable("down")

    house.around = run_and_lose_the_reader
    data = house.propose("suspend_idle", warehouse="ETL")
    assert approve(house, data).state is PlanState.CLAIMED
    house.clock.advance(minutes=4)
    assert house.runner.recover().as_json() == {"waiting": [data.approve_id]}
    house.reader.fail = None
    house.clock.advance(minutes=4)
    assert house.runner.recover().as_json() == {"applied": [data.approve_id]}
    assert len(house.account.log) == 1


def test_an_executed_change_that_was_put_back_before_recovery_is_not_said_to_have_had_no_effect(house: House) -> None:
    """A suspended warehouse is resumed by the next statement: the row must not deny what Snowflake has done."""

    def run_and_lose_the_reader(run: Run) -> None:
        run()
        house.reader.fail = Unreachable("down")

    house.around = run_and_lose_the_reader
    data = house.propose("suspend_idle", warehouse="ETL")
    assert approve(house, data).state is PlanState.CLAIMED
    house.reader.fail = None
    house.account.change("ETL", state="STARTED")
    house.clock.advance(minutes=4)
    assert house.runner.recover().as_json() == {"unknown": [data.approve_id]}
    assert "accepted" in house.store.get(data.approve_id).reason and house.store.applied_last_hour() == 1
    assert house.runner.recover().as_json() == {} and len(house.account.log) == 1
    assert house.store.verify_audit().ok


# --- dead processes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("around", "found", "ran"), [(killed_before, PlanState.FAILED, 0), (killed_after, PlanState.APPLIED, 1)]
)
def test_a_process_that_dies_at_the_statement(house: House, around: Any, found: PlanState, ran: int) -> None:
    house.around = around
    data = house.propose("suspend_idle", warehouse="ETL")
    with pytest.raises(Killed):
        approve(house, data)
    house.around = None
    assert state(house, data) is PlanState.CLAIMED
    with pytest.raises(PlanConflict, match="being applied, or was"):
        approve(house, data)
    house.clock.advance(minutes=4)
    house.runner.recover()
    assert state(house, data) is found and len(house.account.log) == ran
    assert "recovering" in house.events(data.approve_id)
    # Even running the broken thread on does nothing more.
    from agent.actions.drive import drive

    assert drive(house.deps, data.approve_id).state is found and len(house.account.log) == ran


def test_a_process_that_dies_between_approval_and_claim(house: House) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    house.store.approve(data.approve_id, data.approve_digest, house.person("grace"))
    assert house.runner.recover().as_json() == {}  # whoever approved it is running it
    house.clock.advance(seconds=40)
    assert house.runner.recover().as_json() == {"applied": [data.approve_id]}
    assert len(house.account.log) == 1


def test_what_was_left_approved_is_guarded_like_anything_else(house: House) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    house.store.approve(data.approve_id, data.approve_digest, house.person("grace"))
    house.account.change("ETL", state="SUSPENDED")
    house.clock.advance(seconds=40)
    assert house.runner.recover().as_json() == {"stale": [data.approve_id]}


def test_what_was_left_approved_too_long_expires(house: House) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    house.store.approve(data.approve_id, data.approve_digest, house.person("grace"))
    other = house.propose("suspend_idle", warehouse="SHARED_BI")
    house.clock.advance(minutes=31)
    assert house.runner.recover().as_json() == {"expired": [data.approve_id, other.approve_id]}
    assert house.runner.recover().as_json() == {} and house.account.log == []


def test_a_row_approved_by_hand_is_withdrawn_and_not_run(house: House, tmp_path: Path) -> None:
    import sqlite3

    data = house.propose("suspend_idle", warehouse="ETL")
    with sqlite3.connect(tmp_path / "store.db") as raw:
        by = '{"id":"os:grace","name":"grace","roles":["approver"]}'
        raw.execute("update plans set state = 'approved', decided_at = created_at, decided_by = ?", (by,))
    raw.close()
    house.clock.advance(seconds=40)
    assert house.runner.recover().as_json() == {"cancelled": [data.approve_id]}
    assert house.account.log == []


def test_a_bundle_broken_off_goes_on_in_order_or_ends(house: House) -> None:
    changes = [{"action": "suspend_idle", "warehouse": n} for n in ("ETL", "SHARED_BI")]
    data = house.propose("propose_changes", changes=changes)
    house.around = killed_after
    with pytest.raises(Killed):
        house.runner.decide(data.approve_id, data.approve_digest, house.person("grace"), "approve")
    house.around = None
    second = data.plans[1].plan.id
    house.clock.advance(seconds=40)
    assert house.runner.recover().as_json() == {"waiting": [second]}  # the first may yet turn out either way
    house.clock.advance(minutes=3)
    assert house.runner.recover().as_json() == {"applied": [data.plans[0].plan.id, second]}
    assert house.account.log == [p.plan.statement for p in data.plans]


# --- whatever happens, in whatever order -----------------------------------------------------------------------------

EVENTS = ("approve", "approve again", "recover", "wait", "wait long", "drift", "cancel", "decline", "restart")
NETWORKS: dict[str, Any] = {
    "fine": None,
    "lost before": lost_before,
    "lost after": lost_after,
    "killed before": killed_before,
    "killed after": killed_after,
}


def _happen(house: House, data: ProposedPlans, event: str) -> None:
    decisions: dict[str, Any] = {"approve": "mary", "approve again": "grace", "cancel": "grace", "decline": "grace"}
    if event in decisions:
        decision: Any = event.split()[0]
        house.runner.decide(data.approve_id, data.approve_digest, house.person(decisions[event]), decision)
    elif event == "recover":
        house.runner.recover()
    elif event == "drift" and not house.account.log:
        house.account.change("ETL", size=Size.X6LARGE)
    elif event == "restart":
        house.around = None
    house.clock.advance(minutes={"wait": 4, "wait long": 31}.get(event, 0))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(network=st.sampled_from(sorted(NETWORKS)), events=st.lists(st.sampled_from(EVENTS), min_size=1, max_size=8))
def test_at_most_one_effect_and_an_honest_row(
    store_template: Path, tmp_path_factory: pytest.TempPathFactory, network: str, events: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    shutil.copy(store_template, folder / "store.db")
    house = build_house(folder, f"sqlite:///{folder / 'store.db'}")
    house.around = NETWORKS[network]
    tool = TOOLS["resize_warehouse"]
    data = tool.run(house.context(), tool.args(warehouse="ETL", size="S")).data
    for event in events:
        with contextlib.suppress(Killed, PlanConflict):
            _happen(house, data, event)
    house.around = None
    for _ in range(3):
        house.clock.advance(minutes=31)
        house.runner.recover()
    record, log = house.store.get(data.approve_id), house.account.log
    ledger = house.store.ledger_row(data.approve_id)
    assert len(log) <= 1
    assert record.state not in (PlanState.PROPOSED, PlanState.APPROVED, PlanState.CLAIMED)
    if record.state is PlanState.APPLIED:
        assert len(log) == 1 and house.account.warehouses()["ETL"].size is Size.SMALL
    if log and "drift" not in events:
        assert record.state is PlanState.APPLIED
    assert (ledger is not None) == (record.state in (PlanState.APPLIED, PlanState.FAILED, PlanState.UNKNOWN))
    assert house.store.verify_audit().ok
    house.store.close()
