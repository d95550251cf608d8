"""Groups: a channel says who is in them; what it does not say counts as no, and a listed person is not moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.policy import UNKNOWN_GROUPS, Policy
from agent.policy_model import ROLES, GroupEntry, PersonEntry, PolicyFile, Rule, parse_policy
from tests.unit.agent.plans import START, plan
from tools.domain import Person, PlanRecord, PlanState
from tools.errors import BadArgument, BadSettings, NotAllowed, Unreachable

TEXT = """
version = 1
[[people]]
name = "ada"
ids = ["os:ada", "slack:T1/ADA"]
role = "proposer"
[[people]]
name = "low"
ids = ["slack:T1/LOW"]
role = "viewer"
[[people]]
name = "grace"
ids = ["os:grace"]
role = "approver"
[[groups]]
name = "askers"
id = "slack:T1/SASK"
role = "proposer"
[[groups]]
name = "deciders"
id = "slack:T1/SDEC"
role = "approver"
[[groups]]
name = "demo deciders"
id = "demo:S"
role = "admin"
[[rules]]
name = "shared"
effect = "allow"
warehouses = ["SHARED"]
two_people = true
[[rules]]
name = "bosses"
effect = "allow"
warehouses = ["BOSS"]
approver_role = "admin"
[[rules]]
name = "any"
effect = "allow"
"""
IN = {
    "slack:T1/SASK": {"slack:T1/ANN", "slack:T1/BOTH", "slack:T1/LOW", "os:intruder", "demo:x"},
    "slack:T1/SDEC": {"slack:T1/BOTH", "slack:T1/DEE", "slack:T1/LOW", "os:intruder"},
    "demo:S": {"slack:T1/ANN", "demo:x"},
}


class Directory:
    """Members by group; a group that is not in it does not answer."""

    def __init__(self, members: Mapping[str, set[str]]) -> None:
        self.members = dict(members)
        self.asked: list[str] = []

    def __call__(self, group: str) -> frozenset[str]:
        self.asked.append(group)
        if group not in self.members:
            raise Unreachable("Slack does not answer.")
        return frozenset(self.members[group])


def policy(members: Mapping[str, set[str]] | None = None, **more: Any) -> Policy:
    return Policy.load(TEXT, groups=Directory(IN if members is None else members), **more)


def top(found: Policy, person_id: str) -> str | None:
    roles = found.person(person_id).roles
    return max(roles, key=ROLES.index, default=None)


def record(requester: str, warehouse: str = "ETL") -> PlanRecord:
    made = plan(warehouse=warehouse, requester=Person(id=requester, name=requester))
    return PlanRecord(plan=made, digest=made.digest, state=PlanState.PROPOSED, updated_at=START)


def refusal(found: Policy, actor: str, of: PlanRecord, decision: Any = "approve") -> NotAllowed | None:
    try:
        found.may_decide(of, found.person(actor), START, applied_last_hour=0, decision=decision)
    except NotAllowed as refused:
        return refused
    return None


# --- who has which role ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person_id", "role"),
    [
        ("slack:T1/ANN", "proposer"),
        ("slack:T1/BOTH", "approver"),
        ("slack:T1/DEE", "approver"),
        ("slack:T1/LOW", "viewer"),
        ("slack:T1/ADA", "proposer"),
        ("slack:T1/ZOE", "viewer"),
        ("slack:T2/ANN", "viewer"),
        ("slack:T1/ann", "viewer"),
        ("os:intruder", "viewer"),
        ("demo:x", "viewer"),
        ("slack:T1/SDEC", "viewer"),
    ],
)
def test_groups_give_their_role_to_members_of_their_channel_who_are_not_listed(person_id: str, role: str) -> None:
    assert top(policy(), person_id) == role


def test_demo_groups_count_in_the_demo_alone() -> None:
    assert top(policy(demo=True), "demo:x") == "admin"
    assert [g.name for g in policy(demo=True).approver_groups()] == ["deciders", "demo deciders"]
    assert [g.name for g in policy().approver_groups()] == ["deciders"]


def test_a_silent_channel_and_no_channel_give_nothing() -> None:
    for found in (policy({}), Policy.load(TEXT)):
        assert top(found, "slack:T1/BOTH") == "viewer"
        assert top(found, "slack:T1/ADA") == "proposer"
        assert not found.knows("slack:T1/BOTH") and found.knows("slack:T1/ADA")
    half = policy({"slack:T1/SASK": IN["slack:T1/SASK"]})
    assert top(half, "slack:T1/BOTH") == "proposer"


def test_nobody_is_asked_about_a_listed_person_or_one_of_another_channel() -> None:
    directory = Directory(IN)
    found = Policy.load(TEXT, groups=directory)
    found.person("slack:T1/ADA"), found.person("os:somebody")
    assert directory.asked == []


def test_who_leaves_a_group_has_its_role_no_longer() -> None:
    directory = Directory({name: set(ids) for name, ids in IN.items()})
    found = Policy.load(TEXT, groups=directory)
    dee = found.person("slack:T1/DEE")
    assert found.has_role(dee, "approver")
    directory.members["slack:T1/SDEC"].clear()
    assert not found.has_role(dee, "approver")


@pytest.mark.parametrize(
    "groups",
    [
        '[[groups]]\nname = "a"\nid = "slack:T/S"\nrole = "proposer"\n' * 2,
        '[[groups]]\nname = "a"\nid = "os:ada"\nrole = "proposer"\n'
        '[[people]]\nname = "b"\nids = ["os:ada"]\nrole = "viewer"\n',
        '[[groups]]\nname = "a"\nid = "S0123"\nrole = "proposer"\n',
        '[[groups]]\nname = "a"\nid = "slack:T/S"\nrole = "king"\n',
        '[[groups]]\nname = "a"\nids = ["slack:T/S"]\nrole = "proposer"\n',
    ],
)
def test_groups_that_cannot_be_meant_so_are_refused(groups: str) -> None:
    with pytest.raises(BadSettings):
        parse_policy("version = 1\n" + groups)


# --- one human being under several ids -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "chosen"),
    [
        (["slack:E9/ADA", "slack:T1/ADA"], "slack:T1/ADA"),
        (["slack:T1/ANN", "slack:T1/ADA"], "slack:T1/ADA"),
        (["slack:T1/ANN", "slack:E9/ANN"], "slack:T1/ANN"),
        (["slack:E9/ZOE", "slack:T1/ZOE"], "slack:T1/ZOE"),
        (["slack:T1/ZOE"], "slack:T1/ZOE"),
    ],
)
def test_the_id_that_the_policy_lists_stands_for_the_person(ids: list[str], chosen: str) -> None:
    person = policy().person_of(ids, "shown")
    assert person == policy().person(chosen, "shown")


def test_a_person_has_an_id() -> None:
    with pytest.raises(BadArgument):
        policy().person_of([])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("slack:T1/ANN", "slack:T1/ANN", True),
        ("os:ada", "slack:T1/ADA", True),
        ("os:ada", "os:grace", False),
        ("slack:T1/ANN", "slack:T1/DEE", False),
        ("slack:T1/ANN", "slack:E9/ANN", True),
        ("slack:T1/ANN", "os:grace", True),
        ("slack:T1/ANN", "os:nobody", True),
        ("os:nobody", "os:grace", False),
    ],
)
def test_who_cannot_be_told_apart_counts_as_one(one: str, other: str, same: bool) -> None:
    found = policy()
    assert found.same_person(found.person(one), found.person(other)) is same


# --- deciding --------------------------------------------------------------------------------------------------------


def test_two_people_have_to_be_told_apart() -> None:
    found = policy()
    asked = record("slack:T1/ANN", "SHARED")
    assert refusal(found, "slack:T1/DEE", asked) is None
    refused = refusal(found, "os:grace", asked)
    assert refused is not None and refused.rule == "shared:two_people"
    assert "slack:T1/ANN" in refused.message and "os:grace" in refused.message and "policy.toml" in str(refused.hint)
    own = refusal(found, "slack:T1/BOTH", record("slack:T1/BOTH", "SHARED"))
    assert own is not None and "The person who asked" in own.message
    assert refusal(found, "os:grace", record("slack:T1/ANN")) is None  # one will do here


def test_being_taken_for_one_person_permits_nothing() -> None:
    """Cancelling one's own plan needs certainty, not doubt."""
    found = policy()
    refused = refusal(found, "slack:T1/ANN", record("os:somebody"), "cancel")
    assert refused is not None and refused.rule == "role"
    refused = refusal(found, "slack:T1/ANN", record("slack:E9/ANN"), "cancel")
    assert refused is not None and refused.rule == "role"
    assert refusal(found, "slack:T1/ANN", record("slack:T1/ANN"), "cancel") is None
    assert refusal(found, "os:ada", record("slack:T1/ADA"), "cancel") is None


def test_where_only_silence_stands_against_it_the_refusal_says_so() -> None:
    found = policy({"slack:T1/SASK": IN["slack:T1/SASK"]})
    refused = refusal(found, "slack:T1/DEE", record("slack:T1/ANN"))
    assert refused is not None and refused.rule == UNKNOWN_GROUPS and "deciders" in refused.message
    boss = refusal(found, "slack:T1/DEE", record("slack:T1/ANN", "BOSS"))
    assert boss is not None and boss.rule == UNKNOWN_GROUPS  # already the role approver is not known
    nobody = refusal(policy({}), "os:grace", record("slack:T1/ANN"))
    assert nobody is not None and nobody.rule == UNKNOWN_GROUPS and "askers" in nobody.message
    listed = refusal(policy({}), "slack:T1/LOW", record("os:ada"))
    assert listed is not None and listed.rule == "role"  # no group could change that
    admin = refusal(policy(), "slack:T1/DEE", record("slack:T1/ANN", "BOSS"))
    assert admin is not None and admin.rule == "bosses"


def test_cards_name_those_who_may_approve() -> None:
    found = policy()
    assert [p.name for p in found.approvers()] == ["grace"]
    assert [p.name for p in found.approvers("proposer")] == ["ada", "grace"]
    assert found.approvers("admin") == () and found.approver_groups("admin") == ()
    assert [g.ids for g in found.approver_groups()] == [("slack:T1/SDEC",)]


# --- whatever the people, the groups and the answers -----------------------------------------------------------------

IDS = st.sampled_from([f"{team}/{user}" for team in ("slack:T1", "slack:E1") for user in "ABC"] + ["os:a", "os:b"])
NAMES = ("slack:T1/S1", "slack:T1/S2", "os:S3")


@st.composite
def houses(draw: st.DrawFn) -> tuple[PolicyFile, dict[str, set[str]]]:
    ids = draw(st.lists(IDS, unique=True, max_size=4))
    people = tuple(PersonEntry(name=i, ids=(i,), role=draw(st.sampled_from(ROLES))) for i in ids)
    groups = tuple(GroupEntry(name=n, id=n, role=draw(st.sampled_from(ROLES))) for n in NAMES)
    members = {n: draw(st.sets(IDS, max_size=4)) for n in NAMES}
    default = draw(st.sampled_from(["viewer", "none"]))
    rules = (Rule(name="any", effect="allow", two_people=True),)
    return PolicyFile(version=1, default_role=default, people=people, groups=groups, rules=rules), members


@given(house=houses(), person_id=IDS, silent=st.sets(st.sampled_from(NAMES)))
def test_silence_never_gives_and_a_list_always_wins(
    house: tuple[PolicyFile, dict[str, set[str]]], person_id: str, silent: set[str]
) -> None:
    file, members = house
    full = Policy(file, groups=Directory(members))
    part = Policy(file, groups=Directory({n: m for n, m in members.items() if n not in silent}))
    none = Policy(file)
    least, some, most = (p.person(person_id).roles for p in (none, part, full))
    assert least <= some <= most
    assert list(ROLES[: len(most)]) == sorted(most, key=ROLES.index)  # a role brings those before it
    listed = [p for p in file.people if person_id in p.ids]
    if listed:
        assert least == most == set(ROLES[: ROLES.index(listed[0].role) + 1])
    given_by = [g for g in file.groups if person_id in members[g.id]]
    if most > least:
        assert any(g.role in most and g.id.partition(":")[0] == person_id.partition(":")[0] for g in given_by)


@given(house=houses(), one=IDS, other=IDS)
def test_sameness_has_no_direction_and_two_people_are_never_one_account(
    house: tuple[PolicyFile, dict[str, set[str]]], one: str, other: str
) -> None:
    found = Policy(house[0], groups=Directory(house[1]))
    a, b = found.person(one), found.person(other)
    assert found.same_person(a, b) == found.same_person(b, a)
    assert found.same_person(a, a)
    if refusal(found, one, record(other)) is None:  # the rule asks for two people
        assert one != other
        both_listed = all(any(i in p.ids for p in house[0].people) for i in (one, other))
        assert both_listed or (one[:2] == other[:2] and one.rpartition("/")[2] != other.rpartition("/")[2])


@given(house=houses(), ids=st.lists(IDS, min_size=1, max_size=3))
def test_a_person_is_one_of_their_ids_and_as_much_as_that_id_is(
    house: tuple[PolicyFile, dict[str, set[str]]], ids: list[str]
) -> None:
    found = Policy(house[0], groups=Directory(house[1]))
    person = found.person_of(ids)
    assert person.id in ids and person.roles == found.person(person.id).roles
    listed = [i for i in ids if any(i in p.ids for p in house[0].people)]
    assert person.id == (listed[0] if listed else person.id)
