"""Policy: limits before rules, first match wins, nothing allowed by default, nobody unknown decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.policy import Policy
from agent.policy_model import PersonEntry, PolicyFile, parse_policy
from tests.unit.agent.plans import START, plan
from tools.domain import ActionName, Person, PlanRecord, PlanState, Role, Size, Verdict
from tools.errors import BadSettings, NotAllowed

PEOPLE = """
version = 1
[[people]]
name = "ada"
ids = ["os:ada", "slack:T1/ADA"]
role = "proposer"
[[people]]
name = "grace"
ids = ["os:grace", "slack:T1/GRACE"]
role = "approver"
[[people]]
name = "root"
ids = ["os:root"]
role = "admin"
[[people]]
name = "demo-admin"
ids = ["demo:demo-admin"]
role = "admin"
"""
ANYTHING = '[[rules]]\nname = "any"\neffect = "allow"\n'
ACTIONS: tuple[ActionName, ...] = (
    "resize_warehouse",
    "suspend_idle",
    "resume_warehouse",
    "set_auto_suspend",
    "set_clusters",
    "cancel_query",
)


def policy(rules: str = ANYTHING, limits: str = "", top: str = "", demo: bool = False) -> Policy:
    return Policy.load(PEOPLE.replace("version = 1", "version = 1\n" + top) + f"[limits]\n{limits}\n{rules}", demo=demo)


def ask(
    found: Policy,
    action: str = "suspend_idle",
    warehouse: str = "ETL",
    before: dict[str, Any] | None = None,
    target: dict[str, Any] | None = None,
    who: str = "os:ada",
    at: datetime = START,
    undo: bool = False,
) -> Verdict:
    return found.verdict(
        action=action,
        warehouse=warehouse,
        before=before or {},
        target=target or {},
        requester=found.person(who),
        at=at,
        undo=undo,
    )


def resize(old: str, new: str) -> dict[str, Any]:
    return {"action": "resize_warehouse", "before": {"size": old}, "target": {"size": new}}


def record(requester: str = "os:ada", **changes: Any) -> PlanRecord:
    made = plan(requester=Person(id=requester, name=requester, roles=frozenset({"admin"})), **changes)
    return PlanRecord(plan=made, digest=made.digest, state=PlanState.PROPOSED, updated_at=START)


def refusal(found: Policy, actor: str, of: PlanRecord | None = None, done: int = 0, at: datetime = START) -> str | None:
    try:
        found.may_decide(of or record(), found.person(actor), at, applied_last_hour=done)
    except NotAllowed as refused:
        return refused.rule
    return None


# --- what comes with Frostline --------------------------------------------------------------------------------------


def test_the_packaged_policy_knows_the_demo_people_only_in_the_demo() -> None:
    demo, other = Policy.load(demo=True), Policy.load()
    assert [p for p in demo.file.people if not p.name.startswith("demo-")] == []
    for name in ("viewer", "analyst", "proposer", "approver", "admin"):
        assert name in demo.person(f"demo:demo-{name}").roles
        assert other.person(f"demo:demo-{name}").roles == {"viewer"}
    assert not other.may_propose(other.person("demo:demo-admin"))


def test_the_packaged_policy_allows_ordinary_changes_of_any_name() -> None:
    found = Policy.load(demo=True)
    for name in ("ETL", "weiß nicht", 'a "quoted" one'):
        verdict = ask(found, warehouse=name, who="demo:demo-proposer", **resize("SMALL", "MEDIUM"))
        assert (verdict.allowed, verdict.rule, verdict.two_people) == (True, "ordinary", False)
    for far in (resize("SMALL", "LARGE"), resize("LARGE", "SMALL")):
        verdict = ask(found, who="demo:demo-proposer", **far)
        assert (verdict.allowed, verdict.rule, verdict.two_people) == (True, "two-sizes", True)
    assert ask(found, who="demo:demo-admin", **resize("SMALL", "XLARGE")).rule == "size_step"
    assert ask(found, who="demo:demo-admin", **resize("XLARGE", "XXLARGE")).two_people


# --- people ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person_id", "text", "propose"),
    [
        ("os:ada", True, True),
        ("slack:T1/GRACE", True, True),
        ("os:nobody", False, False),
        ("OS:ADA", False, False),
        ("demo:demo-admin", False, False),
    ],
)
def test_roles_come_from_the_policy_by_id(person_id: str, text: bool, propose: bool) -> None:
    found = policy()
    claims_more = Person(id=person_id, name="root", roles=frozenset({"admin", "approver"}))
    assert (found.may_see_text(claims_more), found.may_propose(claims_more)) == (text, propose)


def test_unknown_people_may_be_shut_out_whole() -> None:
    assert policy(top='default_role = "none"').person("os:nobody").roles == frozenset()
    with pytest.raises(BadSettings):
        policy(top='default_role = "approver"')


@pytest.mark.parametrize(
    ("actor", "rule"),
    [("os:ada", "role"), ("os:nobody", "role"), ("os:grace", None), ("os:root", None), ("demo:demo-admin", "role")],
)
def test_who_may_approve(actor: str, rule: str | None) -> None:
    assert refusal(policy(), actor) == rule


def test_declining_needs_an_approver_and_cancelling_also_the_requester() -> None:
    found, of = policy(), record()
    for actor, decision, allowed in (
        ("os:grace", "decline", True),
        ("os:ada", "decline", False),
        ("os:ada", "cancel", True),
        ("slack:T1/ADA", "cancel", True),
        ("os:nobody", "cancel", False),
    ):
        try:
            found.may_decide(of, found.person(actor), START, applied_last_hour=99, decision=decision)  # type: ignore[arg-type]
        except NotAllowed:
            assert not allowed, (actor, decision)
        else:
            assert allowed, (actor, decision)
    unknown = record("os:stranger")
    with pytest.raises(NotAllowed):
        found.may_decide(unknown, found.person("os:stranger"), START, applied_last_hour=0, decision="cancel")


def test_two_people_are_two_human_beings() -> None:
    two = policy('[[rules]]\nname = "shared"\neffect = "allow"\ntwo_people = true\n')
    for actor in ("os:grace", "slack:T1/GRACE"):
        assert refusal(two, actor, record("os:grace")) == "shared:two_people"
    assert refusal(two, "os:root", record("os:grace")) is None
    assert refusal(policy(), "os:grace", record("os:grace")) is None


def test_the_plan_keeps_the_two_people_it_was_frozen_with() -> None:
    frozen = Verdict(allowed=True, rule="old", reason="", two_people=True)
    assert refusal(policy(), "os:grace", record("os:grace", verdict=frozen)) == "old:two_people"


def test_approving_asks_the_policy_as_it_is_now() -> None:
    assert refusal(policy(limits='protected = ["ETL"]'), "os:root") == "protected"
    assert refusal(policy(limits="per_hour = 3"), "os:root", done=3) == "per_hour"
    assert refusal(policy(limits="per_hour = 3"), "os:root", done=2) is None
    assert refusal(policy('[[rules]]\nname = "a"\neffect = "allow"\napprover_role = "admin"\n'), "os:grace") == "a"


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "question", "rule"),
    [
        ('protected = ["PROD_*"]', {"warehouse": "PROD_X"}, "protected"),
        ('protected = ["PROD_*"]', {"warehouse": "prod_x"}, "protected"),
        ('protected = ["prod_[a-z]"]', {"warehouse": "PROD_X"}, "protected"),
        ('protected = ["PROD_*"]', {"warehouse": "PRO_X"}, "any"),
        ('protected = ["*"]', {"warehouse": "x", "who": "os:root"}, "protected"),
        ('actions = ["suspend_idle"]', {"action": "cancel_query"}, "actions"),
        ("", {"action": "drop_warehouse"}, "actions"),
        ("", resize("SMALL", "LARGE"), "size_step"),
        ("", resize("LARGE", "SMALL"), "size_step"),
        ("", resize("SMALL", "MEDIUM"), "any"),
        ("", {"action": "resize_warehouse", "target": {"size": "MEDIUM"}}, "size_step"),
        ("", {"action": "resize_warehouse", "before": {"size": 3}, "target": {"size": "MEDIUM"}}, "size_step"),
        ('max_size = "L"', resize("LARGE", "XLARGE"), "max_size"),
        ("", {"action": "set_auto_suspend", "target": {"auto_suspend": None}}, "never_suspend"),
        ("never_suspend = true", {"action": "set_auto_suspend", "target": {"auto_suspend": 0}}, "any"),
        ("", {"action": "set_auto_suspend", "target": {"auto_suspend": 10}}, "auto_suspend"),
        ("max_auto_suspend = 600", {"action": "set_auto_suspend", "target": {"auto_suspend": 601}}, "auto_suspend"),
        ("max_clusters = 3", {"action": "set_clusters", "target": {"max_clusters": 4}}, "max_clusters"),
        ("max_clusters = 3", {"action": "set_clusters", "target": {}}, "max_clusters"),
        ("", {"who": "os:nobody"}, "role"),
    ],
)
def test_limits_hold_before_any_rule(limits: str, question: dict[str, Any], rule: str) -> None:
    verdict = ask(policy(limits=limits), **question)
    assert (verdict.rule, verdict.allowed) == (rule, rule == "any")


def test_an_undo_may_go_back_beyond_a_limit_but_not_touch_what_is_protected() -> None:
    back: dict[str, Any] = {"action": "set_auto_suspend", "target": {"auto_suspend": None}, "undo": True}
    assert ask(policy(), **back).allowed
    assert ask(policy(limits='protected = ["ETL"]'), **back).rule == "protected"
    assert ask(policy(rules=""), **back).rule == "default"


# --- rules ----------------------------------------------------------------------------------------------------------

OFFICE = """
[windows.office]
days = ["mon", "fri"]
from = "08:00"
to = "18:00"
zone = "Europe/Berlin"
[windows.night]
days = ["mon"]
from = "22:00"
to = "04:00"
"""


def test_without_rules_nothing_is_allowed() -> None:
    assert ask(policy(rules=""), who="os:root").rule == "default"


def test_the_first_rule_that_matches_decides() -> None:
    rules = """
[[rules]]
name = "not-this"
effect = "deny"
warehouses = ["ETL"]
reason = "because"
[[rules]]
name = "big"
effect = "allow"
actions = ["resize_warehouse"]
size_from = "X-Large"
approver_role = "admin"
[[rules]]
name = "rest"
effect = "allow"
"""
    found = policy(rules)
    assert ask(found) == Verdict(allowed=False, rule="not-this", reason="because")
    assert ask(found, warehouse="BI", **resize("LARGE", "XLARGE")).approver_role == "admin"
    assert ask(found, warehouse="BI", **resize("LARGE", "MEDIUM")).rule == "rest"


def test_a_rule_about_steps_counts_up_and_down() -> None:
    rules = '[[rules]]\nname = "far"\neffect = "allow"\nsteps_from = 2\ntwo_people = true\n' + ANYTHING
    found = policy(rules, limits="size_step = 3")
    assert ask(found, **resize("LARGE", "SMALL")).two_people
    assert not ask(found, **resize("LARGE", "MEDIUM")).two_people
    assert not ask(found).two_people


@pytest.mark.parametrize(
    ("at", "office", "night"),
    [
        ("2026-03-02T07:00:00+00:00", True, False),  # Monday 08:00 in Berlin
        ("2026-03-02T06:59:59+00:00", False, False),
        ("2026-03-02T17:00:00+00:00", False, False),
        ("2026-03-03T09:00:00+00:00", False, False),  # Tuesday
        ("2026-03-02T23:00:00+00:00", False, True),
        ("2026-03-03T03:59:00+00:00", False, True),  # Monday night, on Tuesday
        ("2026-03-02T03:00:00+00:00", False, False),  # Sunday night
        ("2026-03-30T06:00:00+00:00", True, False),  # 08:00 after the clocks went forward
    ],
)
def test_windows_are_local_times(at: str, office: bool, night: bool) -> None:
    windows = policy(OFFICE + ANYTHING).file.windows
    moment = datetime.fromisoformat(at)
    assert (windows["office"].holds(moment), windows["night"].holds(moment)) == (office, night)


def test_rules_inside_and_outside_of_a_window() -> None:
    inside = policy(OFFICE + '[[rules]]\nname = "a"\neffect = "allow"\nwindow = "office"\n')
    outside = policy(OFFICE + '[[rules]]\nname = "a"\neffect = "deny"\noutside = "office"\n' + ANYTHING)
    monday, tuesday = START, START + timedelta(days=1)
    assert [ask(inside, at=t).rule for t in (monday, tuesday)] == ["a", "default"]
    assert [ask(outside, at=t).rule for t in (monday, tuesday)] == ["any", "a"]
    assert refusal(inside, "os:grace", at=tuesday) == "default"


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "version = 2",
        "nonsense",
        "version = 1\nsurprise = 3",
        'version = 1\n[[people]]\nname = "a"\nids = ["a"]\nrole = "admin"',
        'version = 1\n[[people]]\nname = "a"\nids = ["os:a"]\nrole = "king"',
        'version = 1\n[[people]]\nname = "a"\nids = ["os:a"]\nrole = "admin"\n'
        '[[people]]\nname = "b"\nids = ["os:a"]\nrole = "viewer"',
        'version = 1\n[[rules]]\nname = "a"\neffect = "allow"\nwindow = "office"',
        'version = 1\n[[rules]]\nname = "a"\neffect = "perhaps"',
        'version = 1\n[[rules]]\nname = "a"\neffect = "allow"\nactions = ["drop"]',
        'version = 1\n[windows.w]\nfrom = "25:00"',
        'version = 1\n[windows.w]\nzone = "Mars/Olympus"',
        'version = 1\n[windows.w]\nzone = "../etc/passwd"',
        'version = 1\n[limits]\nmax_size = "huge"',
        "version = 1\n[limits]\nsize_step = 0",
    ],
)
def test_a_file_that_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(BadSettings):
        Policy.load(text)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(BadSettings):
        Policy.load(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadSettings):
        Policy.load(tmp_path / "bytes.toml")


# --- for any policy -------------------------------------------------------------------------------------------------

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)
globs = st.lists(st.one_of(names, st.sampled_from(["*", "?", "[", "[!a]", "ETL*"])), max_size=3)
roles: st.SearchStrategy[Role] = st.sampled_from(["viewer", "analyst", "proposer", "approver", "admin"])
entries = st.builds(lambda n, r: PersonEntry(name=f"p{n}", ids=(f"os:p{n}",), role=r), st.integers(0, 3), roles).map(
    lambda e: e.model_dump()
)
rules = st.fixed_dictionaries(
    {"effect": st.sampled_from(["allow", "deny"])},
    optional={
        "actions": st.lists(st.sampled_from(ACTIONS), max_size=3),
        "warehouses": globs,
        "two_people": st.booleans(),
        "approver_role": st.sampled_from(["approver", "admin"]),
        "steps_from": st.integers(1, 9),
        "size_from": st.sampled_from([s.value for s in Size]),
    },
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    people = {e["name"]: e for e in draw(st.lists(entries, max_size=4))}
    listed = [r | {"name": f"r{i}"} for i, r in enumerate(draw(st.lists(rules, max_size=4)))]
    limits = {"protected": draw(globs), "size_step": draw(st.integers(1, 9)), "never_suspend": draw(st.booleans())}
    default = draw(st.sampled_from(["viewer", "none"]))
    shape = {"version": 1, "people": list(people.values()), "rules": listed, "limits": limits, "default_role": default}
    return Policy(PolicyFile.model_validate(shape), demo=draw(st.booleans()))


states = st.fixed_dictionaries(
    {},
    optional={
        "size": st.one_of(st.none(), st.sampled_from([s.value for s in Size]), names),
        "auto_suspend": st.one_of(st.none(), st.integers(-5, 10**6)),
        "max_clusters": st.one_of(st.none(), st.integers(0, 400)),
    },
)
moments = st.datetimes(timezones=st.just(UTC))


@given(policies(), names, st.frozensets(roles), moments, st.booleans())
def test_no_policy_lets_an_unknown_person_ask_or_approve(
    found: Policy, stranger: str, claimed: frozenset[Role], at: datetime, undo: bool
) -> None:
    actor = Person(id=f"slack:{stranger}", name="p0", roles=claimed)
    assert not found.may_propose(actor) and not found.may_see_text(actor)
    for decision in ("approve", "decline", "cancel"):
        with pytest.raises(NotAllowed):
            found.may_decide(record(actor.id), actor, at, applied_last_hour=0, decision=decision)  # type: ignore[arg-type]
    asked = found.verdict(
        action="suspend_idle", warehouse="ETL", before={}, target={}, requester=actor, at=at, undo=undo
    )
    assert (asked.allowed, asked.rule) == (False, "role")


@given(policies(), st.sampled_from(ACTIONS), names, states, states, moments, st.booleans())
def test_what_is_protected_is_never_allowed_and_nothing_raises(
    found: Policy, action: str, name: str, before: dict[str, Any], target: dict[str, Any], at: datetime, undo: bool
) -> None:
    for n in range(4):
        verdict = found.verdict(
            action=action,
            warehouse=name,
            before=before,
            target=target,
            requester=Person(id=f"os:p{n}", name="x"),
            at=at,
            undo=undo,
        )
        if found.is_protected(name) or not found.file.rules:
            assert not verdict.allowed
        if verdict.allowed:
            matching = [r for r in found.file.rules if r.name == verdict.rule]
            assert matching and matching[0].effect == "allow"


@given(policies(), st.integers(0, 3), st.integers(0, 3), st.integers(0, 30))
def test_two_people_and_the_limit_hold_under_any_policy(found: Policy, one: int, two: int, done: int) -> None:
    of = record(f"os:p{one}")
    actor = found.person(f"os:p{two}")
    try:
        found.may_decide(of, actor, START, applied_last_hour=done)
    except NotAllowed:
        return
    now = ask(found, "resize_warehouse", before=of.plan.before, target=of.plan.target, who=f"os:p{one}")
    assert "approver" in actor.roles and now.allowed and done < found.per_hour
    assert one != two or not now.two_people


def test_parse_policy_says_where() -> None:
    with pytest.raises(BadSettings, match=r"rules\.0\.effect"):
        parse_policy('version = 1\n[[rules]]\nname = "a"\neffect = "perhaps"')


def test_a_policy_file_is_followed_and_a_broken_one_allows_nothing(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    entry = '[[people]]\nname = "Ann"\nids = ["os:ann"]\nrole = "{}"\n'
    file.write_text("version = 1\n" + entry.format("approver"))
    policy = Policy.load(file)
    ann = policy.person("os:ann")
    assert policy.has_role(ann, "approver")

    file.write_text("version = 1\n" + entry.format("viewer"))
    assert not policy.has_role(ann, "approver")

    file.write_text("version = 1\n[[people")
    for _ in range(2):
        with pytest.raises(BadSettings):
            policy.has_role(ann, "viewer")

    file.unlink()
    with pytest.raises(BadSettings):
        policy.has_role(ann, "viewer")

    other = tmp_path / "other.toml"
    other.write_text("version = 1\n" + entry.format("admin"))
    other.rename(file)
    assert policy.has_role(ann, "admin")
