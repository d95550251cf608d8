"""decide(): every approval does one thing once, every denial says why and leaves an audit row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command

from agent.actions.runner import ActionRunner
from agent.policy import Policy
from tests.graph.fake_account import warehouse
from tests.graph.house import POLICY, TOOLS, House, build_house
from tools.changes.tools import ProposedPlans
from tools.domain import PlanState, Size
from tools.errors import FrostlineError, NotAllowed, PlanConflict, Refused, StatementFailed, Unreachable


def decide(house: House, data: ProposedPlans, who: str = "grace", decision: Any = "approve", **given: Any) -> Any:
    digest = given.pop("digest", data.approve_digest)
    return house.runner.decide(data.approve_id, digest, house.person(who), decision, **given)


def denied(house: House, error: type[FrostlineError], act: Callable[[], object]) -> dict[str, Any]:
    """The detail of the audit row that the refused act left; nothing was run by it."""
    ran = list(house.account.log)
    with pytest.raises(error):
        act()
    row = house.store.audit_rows()[-1]
    assert row.event == "denied" and row.detail["message"]
    assert house.account.log == ran
    return row.detail | {"actor": row.actor, "plan": row.plan_id}


@pytest.mark.parametrize(
    ("tool", "args", "after"),
    [
        ("resize_warehouse", {"size": "small"}, {"size": Size.SMALL}),
        ("suspend_idle", {}, {"state": "SUSPENDED"}),
        ("set_auto_suspend", {"seconds": 60}, {"auto_suspend": 60}),
        ("set_clusters", {"min_clusters": 2, "max_clusters": 3}, {"min_clusters": 2, "max_clusters": 3}),
    ],
)
def test_an_approved_plan_is_applied_once_and_can_be_undone(
    house: House, tool: str, args: dict[str, Any], after: dict[str, Any]
) -> None:
    before = house.account.warehouses()["ETL"]
    data = house.propose(tool, warehouse="ETL", **args)
    outcome = decide(house, data, reason="fine")
    assert outcome.as_json() == {
        "plan": data.approve_id,
        "state": "applied",
        "reason": "",
        "effect": "ETL reads as planned",
    }
    now = house.account.warehouses()["ETL"]
    assert {k: getattr(now, k) for k in after} == after
    assert house.account.log == [data.plans[0].plan.statement] and all(w.closed for w in house.writers)
    assert house.events(data.approve_id) == ["proposed", "approved", "started", "executed", "applied"]

    undo = house.runner.undo(data.approve_id, house.context(asked=False), "changed my mind")
    assert (undo.state, undo.plan.undo_of, undo.plan.statement) == (
        PlanState.PROPOSED,
        data.approve_id,
        data.plans[0].plan.undo,
    )
    assert house.runner.decide(undo.plan.id, undo.digest, house.person("grace"), "approve").state is PlanState.APPLIED
    restored = house.account.warehouses()["ETL"]
    assert {k: getattr(restored, k) for k in after} == {k: getattr(before, k) for k in after}
    with pytest.raises(Refused):
        house.runner.undo(data.approve_id, house.context())
    assert house.store.verify_audit().ok


def test_a_second_approval_is_told_who_was_first(house: House) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    decide(house, data)
    detail = denied(house, PlanConflict, lambda: decide(house, data, "mary"))
    assert "Already approved by grace at 2026-03-02T09:00:00+00:00, and applied" in detail["message"]
    assert (detail["actor"], detail["plan"], detail["why"]) == ("os:mary", data.approve_id, "state")
    assert len(house.account.log) == 1


@pytest.mark.parametrize(("who", "decision"), [("ada", "approve"), ("nobody", "approve"), ("nobody", "cancel")])
def test_the_wrong_person(house: House, who: str, decision: str) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    assert denied(house, NotAllowed, lambda: decide(house, data, who, decision))["why"] == "role"
    assert house.store.get(data.approve_id).state is PlanState.PROPOSED
    assert decide(house, data).state is PlanState.APPLIED


def test_a_person_who_only_claims_a_role(house: House) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    liar = house.person("grace").model_copy(update={"id": "os:mallory"})
    act = lambda: house.runner.decide(data.approve_id, data.approve_digest, liar, "approve")  # noqa: E731
    assert denied(house, NotAllowed, act)["actor"] == "os:mallory"


@pytest.mark.parametrize("digest", ["", "0" * 64, "abc", "no digest at all", "%"])
def test_another_digest(house: House, digest: str) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    assert denied(house, PlanConflict, lambda: decide(house, data, digest=digest))["why"] == "digest"
    assert denied(house, PlanConflict, lambda: decide(house, data, digest=data.approve_digest[:7]))["why"] == "digest"
    assert decide(house, data, digest=data.approve_digest[:8].upper()).state is PlanState.APPLIED


def test_an_expired_plan(house: House) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    house.clock.advance(minutes=30)
    assert denied(house, PlanConflict, lambda: decide(house, data))["why"] == "expired"
    assert house.store.get(data.approve_id).state is PlanState.EXPIRED


def test_no_such_plan(house: House) -> None:
    act = lambda: house.runner.decide("nope", "0" * 64, house.person("grace"), "approve")  # noqa: E731
    assert denied(house, PlanConflict, act)["why"] == "not_found"


def test_two_people_where_policy_wants_them(house: House) -> None:
    data = house.propose("suspend_idle", by="grace", warehouse="SHARED_BI")
    for who in ("grace", "slack:T1/GRACE"):
        assert denied(house, NotAllowed, lambda name=who: decide(house, data, name))["why"] == "shared:two_people"  # type: ignore[misc]
    assert decide(house, data, "mary").state is PlanState.APPLIED


def test_a_warehouse_that_became_protected(tmp_path: Path, store_url: str) -> None:
    house = build_house(tmp_path, store_url)
    data = house.propose("suspend_idle", warehouse="ETL")
    strict = build_house(tmp_path, store_url, policy=POLICY.replace('"VAULT*"', '"E*"'), fresh=False)
    assert denied(strict, NotAllowed, lambda: decide(strict, data))["why"] == "protected"
    assert strict.store.get(data.approve_id).state is PlanState.PROPOSED
    strict.store.close()
    house.store.close()


def test_the_limit_per_hour(house: House) -> None:
    house.account.set(*(warehouse(f"W{n}") for n in range(6)))
    plans = [house.propose("suspend_idle", warehouse=f"W{n}") for n in range(6)]
    for data in plans[:5]:
        decide(house, data)
    assert denied(house, NotAllowed, lambda: decide(house, plans[5]))["why"] == "per_hour"
    house.clock.advance(minutes=61)
    again = house.propose("suspend_idle", warehouse="W5")
    assert decide(house, again).state is PlanState.APPLIED


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({"size": Size.LARGE}, "size was Medium, is Large"),
        ({"max_clusters": 5}, "most clusters was 2, is 5"),
        ({"size": Size.SMALL}, "somebody else was first"),
    ],
)
def test_drift_since_the_proposal_makes_the_plan_stale(house: House, update: dict[str, Any], words: str) -> None:
    data = house.propose("resize_warehouse", warehouse="ETL", size="small")
    house.account.change("ETL", **update)
    outcome = decide(house, data)
    assert outcome.state is PlanState.STALE and words in outcome.reason
    assert house.account.log == [] and house.events(data.approve_id) == ["proposed", "approved", "stale"]


def test_what_does_not_concern_the_change_is_no_drift(house: House) -> None:
    data = house.propose("set_auto_suspend", warehouse="ETL", seconds=60)
    house.account.change("ETL", state="SUSPENDED", size=Size.LARGE)
    assert decide(house, data).state is PlanState.APPLIED


def test_a_dropped_warehouse_is_stale(house: House) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    house.account.set(warehouse("OTHER"))
    outcome = decide(house, data)
    assert outcome.state is PlanState.STALE and "not there" in outcome.reason


def test_declining_and_cancelling_end_it(house: House) -> None:
    one, two = (house.propose("suspend_idle", warehouse=n) for n in ("ETL", "SHARED_BI"))
    assert decide(house, one, "grace", "decline", reason="not now").as_json()["reason"] == "not now"
    assert decide(house, two, "ada", "cancel").state is PlanState.CANCELLED
    for data in (one, two):
        denied(house, PlanConflict, lambda d=data: decide(house, d))  # type: ignore[misc]
        waiting = house.deps.graph.get_state({"configurable": {"thread_id": f"plan:{data.approve_id}"}})
        assert waiting.next == () and waiting.interrupts == ()
    assert house.account.log == []


def test_a_changed_row_is_not_executed(house: House, tmp_path: Path) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    with sqlite3.connect(tmp_path / "store.db") as raw:
        raw.execute("update plans set body = replace(body, 'SUSPEND', 'RESUME')")
    raw.close()
    assert denied(house, PlanConflict, lambda: decide(house, data))["why"] == "digest"
    assert "tampered" in house.events(data.approve_id) and not house.store.verify_audit().ok


def test_a_plan_may_be_decided_that_was_never_started(house: House) -> None:
    found = TOOLS["suspend_idle"]
    data = found.run(house.context(), found.args(warehouse="ETL")).data
    assert decide(house, data).state is PlanState.APPLIED


def test_an_account_that_does_not_answer_leaves_the_plan_approved(house: House) -> None:
    data = house.propose("suspend_idle", warehouse="ETL")
    house.reader.fail = Unreachable("the network is down")
    with pytest.raises(Unreachable, match=r"decision is stored \(approved\)") as away:
        decide(house, data)
    assert away.value.hint is not None and "cancel it" in away.value.hint
    assert house.store.get(data.approve_id).state is PlanState.APPROVED and house.account.log == []
    house.reader.fail = None
    assert decide(house, data, "ada", "cancel").state is PlanState.CANCELLED
    assert house.account.log == []


# --- bundles --------------------------------------------------------------------------------------------------------


def bundle(house: House) -> ProposedPlans:
    changes = [
        {"action": "resize_warehouse", "warehouse": "ETL", "size": "small"},
        {"action": "suspend_idle", "warehouse": "SHARED_BI"},
        {"action": "set_auto_suspend", "warehouse": "ETL", "seconds": 60},
    ]
    return house.propose("propose_changes", changes=changes, title="evening")


def test_a_bundle_is_approved_once_and_applied_in_order(house: House) -> None:
    data = bundle(house)
    outcome = decide(house, data)
    assert outcome.state is PlanState.APPLIED and outcome.bundle == data.approve_id
    assert [r.state for r in outcome.plans] == [PlanState.APPLIED] * 3
    assert house.account.log == [p.plan.statement for p in data.plans]
    assert all(house.store.ledger_row(p.plan.id) for p in data.plans)
    assert [p["state"] for p in outcome.as_json()["plans"]] == ["applied"] * 3


def test_a_bundle_stops_at_the_first_that_is_not_applied_and_says_so(house: House) -> None:
    data = bundle(house)
    house.account.change("SHARED_BI", state="SUSPENDED")
    outcome = decide(house, data)
    assert [r.state for r in outcome.plans] == [PlanState.APPLIED, PlanState.STALE, PlanState.CANCELLED]
    assert outcome.plan.plan.id == data.plans[1].plan.id and outcome.state is PlanState.STALE
    assert data.plans[1].plan.id in outcome.plans[2].reason and "stale" in outcome.plans[2].reason
    assert house.account.log == [data.plans[0].plan.statement]


def test_a_plan_of_a_bundle_is_not_decided_alone(house: House) -> None:
    data = bundle(house)
    inside = data.plans[1]
    act = lambda: house.runner.decide(inside.plan.id, inside.digest, house.person("grace"), "approve")  # noqa: E731
    assert "part of bundle" in denied(house, PlanConflict, act)["message"]
    assert denied(house, PlanConflict, lambda: decide(house, data, digest=inside.digest))["why"] == "digest"


def test_a_bundle_is_declined_whole(house: House) -> None:
    data = bundle(house)
    assert [r.state for r in decide(house, data, decision="decline").plans] == [PlanState.DECLINED] * 3
    assert house.account.log == []


def test_a_bundle_beyond_the_limit_per_hour_is_not_begun(house: House) -> None:
    for seconds in (60, 90, 120):
        decide(house, house.propose("set_auto_suspend", warehouse="ETL", seconds=seconds))
    data = bundle(house)
    assert denied(house, NotAllowed, lambda: decide(house, data))["why"] == "per_hour"
    assert {house.store.get(p.plan.id).state for p in data.plans} == {PlanState.PROPOSED}


def test_a_statement_that_snowflake_refuses_stops_the_bundle(house: House) -> None:
    def refuse(_run: Callable[[], None]) -> None:
        raise StatementFailed("Insufficient privileges", errno=3001)

    data = bundle(house)
    house.around = refuse
    outcome = decide(house, data)
    assert [r.state for r in outcome.plans] == [PlanState.FAILED, PlanState.CANCELLED, PlanState.CANCELLED]
    assert house.store.applied_last_hour() == 0


# --- what an attacker or an accident would try -----------------------------------------------------------------------


def test_a_bundle_that_waits_in_the_middle_can_still_be_cancelled(house: House) -> None:
    data = bundle(house)

    def gone(_run: Callable[[], None]) -> None:
        house.reader.fail = Unreachable("The account does not answer.")

    house.around = lambda run: (run(), gone(run))[0]  # the first statement runs, then the account goes away
    assert decide(house, data).state is PlanState.CLAIMED
    house.reader.fail = None
    states = [house.store.get(p.plan.id).state for p in data.plans]
    assert states == [PlanState.CLAIMED, PlanState.APPROVED, PlanState.APPROVED]
    outcome = house.runner.decide(data.approve_id, None, house.person("ada"), "cancel")
    assert [r.state for r in outcome.plans] == [PlanState.CANCELLED] * 2
    house.around = None
    house.clock.advance(minutes=5)
    house.runner.recover()
    states = [house.store.get(p.plan.id).state for p in data.plans]
    assert states == [PlanState.APPLIED, PlanState.CANCELLED, PlanState.CANCELLED]
    assert house.account.log == [data.plans[0].plan.statement] and house.store.verify_audit().ok


def test_two_people_hold_for_a_bundle_and_for_the_undo_of_it(house: House) -> None:
    data = house.propose(
        "propose_changes",
        by="grace",
        changes=(
            {"action": "set_auto_suspend", "warehouse": "ETL", "seconds": 60},
            {"action": "set_auto_suspend", "warehouse": "SHARED_BI", "seconds": 60},
        ),
    )
    alias = "slack:T1/GRACE"
    for who in ("grace", alias):
        assert denied(house, NotAllowed, lambda who=who: decide(house, data, who))["why"] == "shared:two_people"
    assert house.account.log == []
    assert decide(house, data, "mary").state is PlanState.APPLIED
    undo = house.runner.undo(data.plans[1].plan.id, house.context("grace"))
    act = lambda: house.runner.decide(undo.plan.id, undo.digest, house.person(alias), "approve")  # noqa: E731
    assert denied(house, NotAllowed, act)["why"] == "shared:two_people"


def test_an_undo_after_somebody_elses_change_is_refused_and_audited(house: House) -> None:
    """It would leap over the largest size step, which an undo is only spared because the warehouse was there."""
    data = house.propose("resize_warehouse", warehouse="ETL", size="small")
    decide(house, data)
    house.account.change("ETL", size=Size.X4LARGE)
    with pytest.raises(PlanConflict, match="size was Small, is 4X-Large") as stale:
        house.runner.undo(data.plans[0].plan.id, house.context("ada"))
    assert stale.value.reason == "stale"
    assert house.events(data.plans[0].plan.id)[-1] == "denied"


def test_an_undo_of_an_undo_ends_where_the_first_plan_did(house: House) -> None:
    first = house.propose("resize_warehouse", warehouse="ETL", size="small")
    decide(house, first)
    last = first.plans[0].plan.id
    for size in (Size.MEDIUM, Size.SMALL, Size.MEDIUM):
        undo = house.runner.undo(last, house.context("ada"))
        house.runner.decide(undo.plan.id, undo.digest, house.person("grace"), "approve")
        assert house.account.warehouses()["ETL"].size is size
        last = undo.plan.id
    assert len(house.account.log) == 4


def test_a_bundle_is_not_undone_by_its_id_and_says_how(house: House) -> None:
    data = bundle(house)
    decide(house, data)
    with pytest.raises(PlanConflict) as refused:
        house.runner.undo(data.approve_id, house.context("ada"))
    assert refused.value.hint is not None and data.plans[2].plan.id in refused.value.hint
    assert house.events()[-1] == "denied"


@pytest.mark.parametrize("decision", ["approve", "decline", "cancel"])
@pytest.mark.parametrize("ref", ["nosuchplan", "\udcff", "%", ""])
def test_a_plan_that_is_not_there_is_denied_and_audited(house: House, decision: Any, ref: str) -> None:
    with pytest.raises(PlanConflict) as missing:
        house.runner.decide(ref, None if decision != "approve" else "0" * 64, house.person("grace"), decision)
    assert missing.value.reason == "not_found"
    assert house.events() == ["denied"] and house.store.verify_audit().ok


def test_approving_needs_a_digest_whatever_the_caller_passes(house: House) -> None:
    data = house.propose("set_auto_suspend", warehouse="ETL", seconds=60)
    act = lambda: house.runner.decide(data.approve_id, None, house.person("grace"), "approve")  # noqa: E731
    assert denied(house, PlanConflict, act)["why"] == "digest"


def test_replaying_an_old_checkpoint_of_a_finished_plan_runs_nothing(house: House) -> None:
    data = house.propose("set_auto_suspend", warehouse="ETL", seconds=60)
    decide(house, data)
    graph, config = house.deps.graph, {"configurable": {"thread_id": f"plan:{data.approve_id}"}}
    for old in list(graph.get_state_history(config)):  # type: ignore[arg-type]
        for given in (None, Command(resume={"digest": data.approve_digest}), {"plan_id": data.approve_id}):
            graph.invoke(given, old.config, context=house.deps.context)
    assert house.account.log == [data.plans[0].plan.statement]
    assert house.store.get(data.approve_id).state is PlanState.APPLIED and house.store.verify_audit().ok


def test_a_policy_that_breaks_right_after_the_decision_does_not_hide_the_decision(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY)
    context = replace(house.deps.context, policy=Policy.load(file))
    runner = ActionRunner(replace(house.deps, context=context))
    data = house.propose("suspend_idle", warehouse="ETL")
    decide_all = house.store.decide_all

    def decided_and_broken(*args: Any) -> Any:
        found = decide_all(*args)
        file.write_text("version = 1\n[[people")
        return found

    monkeypatch.setattr(house.store, "decide_all", decided_and_broken)
    with pytest.raises(Unreachable, match=r"The decision is stored \(approved\)") as told:
        runner.decide(data.approve_id, data.approve_digest, house.person("grace"), "approve")
    assert "cancel it" in (told.value.hint or "")
    assert house.store.get(data.approve_id).state is PlanState.APPROVED and house.account.log == []
