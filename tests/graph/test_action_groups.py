"""Roles that come from a group: asked again at the decision and before the statement, closed where nobody answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.policy import UNKNOWN_GROUPS
from tests.graph.house import POLICY, TOOLS, House, build_house
from tools.changes.tools import ProposedPlans
from tools.domain import PlanState
from tools.errors import NotAllowed, PlanConflict, Unreachable

GROUPS = """
[[groups]]
name = "askers"
id = "slack:T1/SASK"
role = "proposer"
[[groups]]
name = "deciders"
id = "slack:T1/SDEC"
role = "approver"
"""
ANN, DEE = "slack:T1/ANN", "slack:T1/DEE"


@dataclass
class Slack:
    members: dict[str, set[str]] = field(default_factory=lambda: {"slack:T1/SASK": {ANN}, "slack:T1/SDEC": {DEE}})
    silent: bool = False

    def __call__(self, group: str) -> frozenset[str]:
        if self.silent:
            raise Unreachable("Slack does not answer.")
        return frozenset(self.members[group])


@pytest.fixture
def slack() -> Slack:
    return Slack()


@pytest.fixture
def house(tmp_path: Path, store_url: str, slack: Slack) -> Iterator[House]:
    built = build_house(tmp_path, store_url, policy=POLICY + GROUPS, groups=slack)
    yield built
    built.store.close()


def approve(house: House, data: ProposedPlans, by: str = DEE) -> PlanState:
    return house.runner.decide(data.approve_id, data.approve_digest, house.person(by), "approve").state


def approved_and_left(house: House, by: str = DEE) -> ProposedPlans:
    """As a process leaves it that ends right after the decision was stored."""
    data = house.propose("suspend_idle", by=ANN, warehouse="ETL")
    digests = {p.plan.id: p.digest for p in data.plans}
    house.store.decide_all(digests, PlanState.APPROVED, house.person(by), "")
    house.clock.advance(minutes=1)
    return data


def test_a_member_asks_and_a_member_approves(house: House) -> None:
    data = house.propose("suspend_idle", by=ANN, warehouse="ETL")
    assert approve(house, data) is PlanState.APPLIED
    assert len(house.account.log) == 1


def test_who_is_in_no_group_approves_nothing(house: House) -> None:
    data = house.propose("suspend_idle", by=ANN, warehouse="ETL")
    for by in (ANN, "slack:T1/ZOE", "slack:T2/DEE"):
        with pytest.raises(NotAllowed) as refused:
            approve(house, data, by)
        assert refused.value.rule == "role"
    assert house.account.log == [] and house.events(data.approve_id)[-1] == "denied"


@pytest.mark.parametrize(("group", "who"), [("slack:T1/SDEC", DEE), ("slack:T1/SASK", ANN)])
def test_who_has_left_the_group_since_the_decision_stops_the_change(
    house: House, slack: Slack, group: str, who: str
) -> None:
    data = approved_and_left(house)
    slack.members[group].remove(who)
    assert house.runner.recover().as_json() == {"cancelled": [data.approve_id]}
    assert house.account.log == [] and "role" in house.store.get(data.approve_id).reason
    house.clock.advance(minutes=1)
    with pytest.raises(PlanConflict) as late:
        approve(house, data)
    (withdrawn,) = (row for row in house.store.audit_rows(data.approve_id) if row.event == "cancelled")
    assert late.value.message.startswith(f"Frostline withdrew this plan at {withdrawn.at[:19]}"), "not who approved it"


def test_an_approval_waits_while_slack_is_silent_and_is_run_when_it_speaks(house: House, slack: Slack) -> None:
    data = approved_and_left(house)
    slack.silent = True
    assert house.runner.recover().as_json() == {"waiting": [data.approve_id]}
    assert house.store.get(data.approve_id).state is PlanState.APPROVED and house.account.log == []
    slack.silent = False
    assert house.runner.recover().as_json() == {"applied": [data.approve_id]}
    assert len(house.account.log) == 1


def test_an_approval_that_nobody_can_judge_expires(house: House, slack: Slack) -> None:
    data = approved_and_left(house)
    slack.silent = True
    house.clock.advance(hours=1)
    assert house.runner.recover().as_json() == {"expired": [data.approve_id]}
    assert house.account.log == []


def test_silence_at_the_decision_refuses_it_and_leaves_the_plan_open(house: House, slack: Slack) -> None:
    data = house.propose("suspend_idle", by=ANN, warehouse="ETL")
    slack.silent = True
    for by in (DEE, "grace"):  # grace is listed; whether the requester may ask is not known
        with pytest.raises(NotAllowed) as refused:
            approve(house, data, by)
        assert refused.value.rule == UNKNOWN_GROUPS
    assert house.store.get(data.approve_id).state is PlanState.PROPOSED
    slack.silent = False
    assert approve(house, data) is PlanState.APPLIED


def test_silence_while_a_plan_is_put_on_its_thread_does_not_lose_it(house: House, slack: Slack) -> None:
    tool = TOOLS["suspend_idle"]
    found = tool.run(house.context(ANN), tool.args(warehouse="ETL"))
    assert isinstance(found.data, ProposedPlans)
    slack.silent = True
    house.runner.start(found.data.approve_id)
    assert house.store.get(found.data.approve_id).state is PlanState.PROPOSED
    slack.silent = False
    assert approve(house, found.data) is PlanState.APPLIED
    assert len(house.account.log) == 1


def test_settling_needs_a_known_role_too(house: House, slack: Slack) -> None:
    data = house.propose("suspend_idle", by=ANN, warehouse="ETL")
    slack.silent = True
    with pytest.raises(NotAllowed) as refused:
        house.runner.settle(data.approve_id, "failed", house.person(DEE))
    assert refused.value.rule == UNKNOWN_GROUPS
