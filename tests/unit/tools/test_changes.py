"""The changing tools: what they store, what they refuse, and that they change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.store import Store
from tests.graph.fake_account import ACCOUNT_NOW, warehouse
from tests.graph.house import TOOLS, House, build_house
from tools.changes.proposals import cluster_limit
from tools.changes.tools import ProposedPlans
from tools.domain import ActionPlan, LiveQuery, PlanState, Size
from tools.errors import (
    AlreadySo,
    BadArgument,
    FrostlineError,
    NoPermission,
    NotAllowed,
    PlanConflict,
    Refused,
    UnknownName,
)
from tools.warehouse.statements import parse, render

QUERY = "01b2c3d4-0000-1111-0000-000012345678"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for the module: no test here changes the account (the last one checks it), plans only add up."""
    folder = tmp_path_factory.mktemp("changes")
    built = build_house(folder, f"sqlite:///{folder / 'store.db'}")
    built.account.set(
        warehouse("ETL"),
        warehouse("SMALLEST", size=Size.XSMALL, auto_suspend=None, min_clusters=2, max_clusters=4),
        warehouse("BIGGEST", size=Size.X6LARGE),
        warehouse("ASLEEP", state="SUSPENDED", running=0),
        warehouse("BUSY", running=3, queued=2),
        warehouse("WIDE", size=Size.MEDIUM, max_clusters=200),
        warehouse("SNOWPARK", type="SNOWPARK-OPTIMIZED", size=Size.MEDIUM),
        warehouse("GEN2", generation="2", size=Size.X4LARGE),
        warehouse("ADAPTIVE", type="ADAPTIVE", state="ENABLED", size=None),
        warehouse("LIVE_BI", is_interactive=True),
        warehouse("VAULT"),
        warehouse("plain", min_clusters=None, max_clusters=None, scaling_policy=None),
        warehouse('Drop "; --'),
        warehouse("lower"),
        warehouse("LOWER"),
    )
    built.reader.hidden = ("SECRET_WH",)
    built.reader.live[QUERY] = LiveQuery(
        query_id=QUERY, warehouse="ETL", user="BOB", status="RUNNING", started=ACCOUNT_NOW - timedelta(minutes=5)
    )
    yield built
    built.store.close()


@pytest.fixture(autouse=True)
def nothing_changes(house: House) -> Iterator[None]:
    before = house.account.file.read_bytes()
    yield
    assert house.account.file.read_bytes() == before and house.account.log == [] and house.writers == []


def one(house: House, tool: str, **args: Any) -> ActionPlan:
    data = house.propose(tool, **args)
    assert len(data.plans) == 1 and data.bundle is None
    assert (data.approve_id, data.approve_digest) == (data.plans[0].plan.id, data.plans[0].digest)
    return data.plans[0].plan


@pytest.mark.parametrize(
    ("tool", "args", "statement", "undo"),
    [
        ("resize_warehouse", {"warehouse": "etl", "size": "small"}, "SET WAREHOUSE_SIZE = 'SMALL'", "= 'MEDIUM'"),
        ("resize_warehouse", {"warehouse": "ETL", "size": "up"}, "SET WAREHOUSE_SIZE = 'LARGE'", "= 'MEDIUM'"),
        ("resize_warehouse", {"warehouse": " Etl ", "size": "Down"}, "SET WAREHOUSE_SIZE = 'SMALL'", "= 'MEDIUM'"),
        ("suspend_idle", {"warehouse": "ETL"}, "SUSPEND", "RESUME IF SUSPENDED"),
        ("resume_warehouse", {"warehouse": "asleep"}, "RESUME IF SUSPENDED", "SUSPEND"),
        ("set_auto_suspend", {"warehouse": "ETL", "seconds": 60}, "SET AUTO_SUSPEND = 60", "SET AUTO_SUSPEND = 600"),
        ("set_auto_suspend", {"warehouse": "SMALLEST", "seconds": 60}, "SET AUTO_SUSPEND = 60", "AUTO_SUSPEND = 0"),
        (
            "set_clusters",
            {"warehouse": "ETL", "max_clusters": 4},
            "SET MIN_CLUSTER_COUNT = 1 MAX_CLUSTER_COUNT = 4",
            "MAX_CLUSTER_COUNT = 2",
        ),
        (
            "set_clusters",
            {"warehouse": "ETL", "scaling_policy": "ECONOMY"},
            "SET MIN_CLUSTER_COUNT = 1 MAX_CLUSTER_COUNT = 2 SCALING_POLICY = 'ECONOMY'",
            "SCALING_POLICY = 'STANDARD'",
        ),
    ],
)
def test_a_plan_holds_the_statement_and_what_takes_it_back(
    house: House, tool: str, args: dict[str, Any], statement: str, undo: str
) -> None:
    plan = one(house, tool, **args)
    assert plan.statement == f'ALTER WAREHOUSE "{plan.warehouse}" {statement}'
    assert plan.undo is not None and plan.undo.endswith(undo)
    assert plan.undo_change is not None and render(plan.undo_change, plan.warehouse) == plan.undo
    record = house.store.get(plan.id)
    assert (record.plan, record.state) == (plan, PlanState.PROPOSED)
    assert (plan.requester, plan.thread, plan.account) == (house.person("ada"), "t1", "ACME")
    assert plan.expires_at - plan.created_at == timedelta(minutes=30)


def test_what_is_answered_can_be_judged_and_cited(house: House) -> None:
    house.reader.metering["BUSY"] = (900.0, 300.0)
    found = TOOLS["resize_warehouse"]
    result = found.run(house.context(), found.args(warehouse="busy", size="small", reason="too big"))
    assert isinstance(result.data, ProposedPlans)
    facts = {f.id: f for f in result.facts}
    values = {name: facts[name].value for name in ("size_before", "size_after", "running", "queued", "tasks_due")}
    assert values == {"size_before": "MEDIUM", "size_after": "SMALL", "running": 3, "queued": 2, "tasks_due": None}
    assert (facts["expected_low"].value, facts["expected_high"].value) == (-450.0, -300.0)
    assert facts["active_users"].value == 2 and facts["owner"].value == "OPS"
    assert facts["tasks_due"].source == "not known"
    assert all(f.entity == "BUSY" for f in result.facts)
    plan = result.data.plans[0].plan
    assert (plan.blast_radius.running, plan.blast_radius.queued, plan.reason) == (3, 2, "too big")
    assert "Nothing is changed yet" in result.message and result.data.approve_digest[:8] in (result.hint or "")
    assert datetime.fromisoformat(str(facts["expires"].value)) == plan.expires_at


def test_tasks_that_begin_soon_stand_in_the_plan_with_their_source(house: House) -> None:
    house.reader.due["BUSY"] = 2
    found = TOOLS["suspend_idle"]
    result = found.run(house.context(), found.args(warehouse="busy"))
    assert isinstance(result.data, ProposedPlans)
    assert result.data.plans[0].plan.blast_radius.tasks_due_15m == 2
    (fact,) = (f for f in result.facts if f.id == "tasks_due")
    assert (fact.value, fact.source) == (2, "TASK_HISTORY, SHOW TASKS")


def test_cancelling_needs_a_statement_that_runs(house: House) -> None:
    plan = one(house, "cancel_query", query_id=f" {QUERY.upper()} ")
    assert plan.statement == f"SELECT SYSTEM$CANCEL_QUERY('{QUERY}')" and plan.undo is None
    assert plan.before["query_running"] is True and plan.target["query_running"] is False
    assert plan.expected.credits_30d_low is None and plan.blast_radius.running == 1
    with pytest.raises(Refused, match="not running"):
        one(house, "cancel_query", query_id=QUERY.replace("8", "9"))
    with pytest.raises(BadArgument):
        one(house, "cancel_query", query_id="x'); DROP TABLE y; --")


@pytest.mark.parametrize(
    ("tool", "args", "error", "words"),
    [
        ("resize_warehouse", {"warehouse": "ETL", "size": "M"}, Refused, "Medium already"),
        ("resize_warehouse", {"warehouse": "ETL", "size": "enormous"}, BadArgument, "not a warehouse size"),
        ("resize_warehouse", {"warehouse": "ETL", "size": "6XL"}, NotAllowed, "in one step"),
        ("resize_warehouse", {"warehouse": "SMALLEST", "size": "down"}, Refused, "no size beyond"),
        ("resize_warehouse", {"warehouse": "BIGGEST", "size": "up"}, Refused, "no size beyond"),
        ("resize_warehouse", {"warehouse": "ADAPTIVE", "size": "L"}, Refused, "adaptive"),
        ("resize_warehouse", {"warehouse": "ADAPTIVE", "size": "up"}, Refused, "no size"),
        ("resize_warehouse", {"warehouse": "LIVE_BI", "size": "L"}, Refused, "interactive"),
        ("resize_warehouse", {"warehouse": "SNOWPARK", "size": "S"}, Refused, "does not exist"),
        ("resize_warehouse", {"warehouse": "GEN2", "size": "5XL"}, Refused, "does not exist"),
        ("resize_warehouse", {"warehouse": "WIDE", "size": "L"}, Refused, "160"),
        ("resize_warehouse", {"warehouse": "VAULT", "size": "S"}, NotAllowed, "protected"),
        ("resize_warehouse", {"warehouse": "SECRET_WH", "size": "S"}, NoPermission, "not visible"),
        ("resize_warehouse", {"warehouse": "ETK", "size": "S"}, UnknownName, "ETL"),
        ("resize_warehouse", {"warehouse": "Lower", "size": "S"}, UnknownName, "lower"),
        ("resize_warehouse", {"warehouse": "x" * 300, "size": "S"}, UnknownName, "no warehouse"),
        ("suspend_idle", {"warehouse": "ASLEEP"}, Refused, "suspended already"),
        ("suspend_idle", {"warehouse": "ADAPTIVE"}, Refused, "adaptive"),
        ("resume_warehouse", {"warehouse": "ETL"}, Refused, "running already"),
        ("set_auto_suspend", {"warehouse": "ETL", "seconds": 600}, Refused, "600 s already"),
        ("set_auto_suspend", {"warehouse": "SMALLEST", "seconds": 0}, Refused, "never already"),
        ("set_auto_suspend", {"warehouse": "ETL", "seconds": 0}, NotAllowed, "switched off"),
        ("set_auto_suspend", {"warehouse": "ETL", "seconds": 5}, NotAllowed, "outside"),
        ("set_auto_suspend", {"warehouse": "LIVE_BI", "seconds": 60}, Refused, "interactive"),
        ("set_clusters", {"warehouse": "ETL"}, BadArgument, "Nothing to set"),
        ("set_clusters", {"warehouse": "ETL", "min_clusters": 3}, BadArgument, "cannot both"),
        ("set_clusters", {"warehouse": "ETL", "max_clusters": 2}, Refused, "already"),
        ("set_clusters", {"warehouse": "ETL", "scaling_policy": "STANDARD"}, Refused, "already"),
        ("set_clusters", {"warehouse": "BIGGEST", "max_clusters": 11}, Refused, "at most 10"),
        ("set_clusters", {"warehouse": "ETL", "max_clusters": 11}, NotAllowed, "at most 10"),
        ("set_clusters", {"warehouse": "plain", "max_clusters": 2}, Refused, "Enterprise"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    house: House, tool: str, args: dict[str, Any], error: type[FrostlineError], words: str
) -> None:
    stored = len(house.store.list(limit=10_000))
    with pytest.raises(error, match=words):
        one(house, tool, **args)
    assert len(house.store.list(limit=10_000)) == stored


@pytest.mark.parametrize("tool", TOOLS)
def test_no_tool_proposes_unless_the_person_asked_and_may_ask(house: House, tool: str) -> None:
    args: dict[str, Any] = {
        "resize_warehouse": {"warehouse": "ETL", "size": "S"},
        "suspend_idle": {"warehouse": "ETL"},
        "resume_warehouse": {"warehouse": "ASLEEP"},
        "set_auto_suspend": {"warehouse": "ETL", "seconds": 60},
        "set_clusters": {"warehouse": "ETL", "max_clusters": 3},
        "cancel_query": {"query_id": QUERY},
        "propose_changes": {"changes": [{"action": "suspend_idle", "warehouse": "ETL"}]},
    }[tool]
    found = TOOLS[tool]
    given_args = found.args.model_validate(args)
    assert found.proposes and "approve" in found.summary and found.one_line(given_args).startswith("propose")
    stored = len(house.store.list(limit=10_000))
    with pytest.raises(Refused, match="No change was asked for"):
        found.run(house.context(asked=False), given_args)
    for who in ("nobody", "slack:T1/ADA"):
        with pytest.raises(NotAllowed) as refused:
            found.run(house.context(who), given_args)
        assert refused.value.rule == "role"
    assert len(house.store.list(limit=10_000)) == stored


@pytest.mark.parametrize("tool", TOOLS)
def test_schemas_are_closed_and_have_no_way_to_approve(tool: str) -> None:
    text = json.dumps(TOOLS[tool].args.model_json_schema()).lower()
    assert '"additionalproperties": false' in text
    for word in ('"approved', '"confirm', '"digest', '"statement', '"sql', '"force', '"role"', '"person', '"plan_id'):
        assert word not in text
    with pytest.raises(ValidationError):
        TOOLS[tool].args.model_validate({"warehouse": "ETL", "approved": True})


def test_warnings_say_what_is_allowed_but_odd(house: House) -> None:
    data = house.propose("set_auto_suspend", warehouse="LOWER", seconds=100)
    assert any("multiple of 30" in w for w in data.warnings)
    assert not any("open" in w for w in data.warnings)
    again = house.propose("suspend_idle", warehouse="LOWER")
    assert any("Another plan for this warehouse is open" in w for w in again.warnings)
    assert any("not idle" in w for w in house.propose("suspend_idle", warehouse="BUSY").warnings)


def test_a_hostile_name_is_quoted_whole(house: House) -> None:
    plan = one(house, "suspend_idle", warehouse='Drop "; --')
    assert plan.statement == 'ALTER WAREHOUSE "Drop ""; --" SUSPEND'
    assert parse(plan.statement)[1] == 'Drop "; --'


# --- bundles --------------------------------------------------------------------------------------------------------


def test_a_bundle_covers_its_plans_in_order(house: House) -> None:
    changes = [
        {"action": "resize_warehouse", "warehouse": "etl", "size": "small"},
        {"action": "set_clusters", "warehouse": "ETL", "max_clusters": 1},
        {"action": "suspend_idle", "warehouse": "busy"},
    ]
    data = house.propose("propose_changes", changes=changes, title="night", reason="save")
    plans = [p.plan for p in data.plans]
    assert data.bundle is not None and data.approve_digest == data.bundle.digest
    assert [p.position for p in plans] == [0, 1, 2] and {p.bundle for p in plans} == {data.bundle.id}
    # The second was made from what the first will have left.
    assert (plans[0].before["size"], plans[1].before["size"]) == ("MEDIUM", "SMALL")
    assert house.store.bundle(data.bundle.id).digest == data.bundle.digest
    assert len(data.bundle.digest) == 64 and data.bundle.plan_digests == tuple(p.digest for p in plans)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ([{"action": "resize_warehouse", "warehouse": "ETL"}], BadArgument),
        ([{"action": "suspend_idle", "warehouse": "ETL", "size": "S"}], BadArgument),
        ([{"action": "suspend_idle"}], BadArgument),
        ([{"action": "suspend_idle", "warehouse": "ETL"}, {"action": "suspend_idle", "warehouse": "etl"}], BadArgument),
        (
            [{"action": "suspend_idle", "warehouse": "ETL"}, {"action": "suspend_idle", "warehouse": "VAULT"}],
            NotAllowed,
        ),
        ([{"action": "suspend_idle", "warehouse": "ETL"}, {"action": "suspend_idle", "warehouse": "NIX"}], UnknownName),
    ],
)
def test_a_bundle_with_one_bad_change_stores_nothing(
    house: House, changes: list[dict[str, Any]], error: type[FrostlineError]
) -> None:
    stored = len(house.store.list(limit=10_000))
    with pytest.raises(error):
        house.propose("propose_changes", changes=changes)
    assert len(house.store.list(limit=10_000)) == stored


def test_a_part_that_is_so_already_is_said_and_the_others_are_proposed(house: House) -> None:
    first = {"action": "resize_warehouse", "warehouse": "ETL", "size": "medium"}
    more = {"action": "set_auto_suspend", "warehouse": "ETL", "seconds": 90}
    data = house.propose("propose_changes", changes=[first, more])
    assert [p.plan.action for p in data.plans] == ["set_auto_suspend"]
    assert data.bundle is None and data.approve_id == data.plans[0].plan.id
    assert "Left out, as nothing is to be done: `ETL` is Medium already." in data.warnings
    both = house.propose("propose_changes", changes=[more, first, {"action": "suspend_idle", "warehouse": "busy"}])
    assert both.bundle is not None and [p.plan.position for p in both.plans] == [0, 1]
    with pytest.raises(AlreadySo, match=r"ETL.+ is Medium already"):
        house.propose("propose_changes", changes=[first])


# --- whatever comes -------------------------------------------------------------------------------------------------

anything = st.one_of(st.none(), st.booleans(), st.integers(-10, 10**6), st.text(max_size=30), st.sampled_from(["ETL"]))
fields = st.sampled_from(
    ["warehouse", "size", "seconds", "min_clusters", "max_clusters", "scaling_policy", "query_id", "reason", "changes"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(TOOLS)), st.dictionaries(fields, anything, max_size=5))
def test_whatever_a_model_sends_is_answered_without_a_change(house: House, tool: str, sent: dict[str, Any]) -> None:
    found = TOOLS[tool]
    try:
        result = found.run(house.context(), found.args.model_validate(sent))
    except (ValidationError, FrostlineError):
        return
    assert result.status == "needs_approval" and result.data is not None
    for proposed in result.data.plans:
        assert proposed.plan.digest == proposed.digest
        assert render(proposed.plan.change, proposed.plan.warehouse) == proposed.plan.statement


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=300))
def test_any_text_as_a_warehouse_is_a_name_or_a_clear_no(house: House, text: str) -> None:
    known = set(house.account.warehouses())
    try:
        plan = one(house, "suspend_idle", warehouse=text)
    except FrostlineError as error:
        assert len(error.message) < 400
    else:
        assert plan.warehouse in known


def test_only_an_applied_plan_can_be_undone(house: House) -> None:
    plan = one(house, "set_auto_suspend", warehouse="ETL", seconds=90)
    with pytest.raises(PlanConflict, match="Only an applied plan"):
        house.runner.undo(plan.id, house.context())


def test_cluster_limits_by_size() -> None:
    assert [cluster_limit(s) for s in Size] == [300, 300, 300, 160, 80, 40, 20, 10, 10, 10]


def test_a_standard_account_has_no_clusters_to_set(tmp_path: Path) -> None:
    built = build_house(tmp_path, f"sqlite:///{tmp_path / 's.db'}")
    built.reader._edition = "STANDARD"
    with pytest.raises(Refused, match="Enterprise"):
        built.propose("set_clusters", warehouse="ETL", max_clusters=3)
    built.store.close()


def test_the_store_is_a_plan_store(house: House) -> None:
    assert isinstance(house.store, Store)
    assert house.store.verify_audit().ok


def test_an_undo_is_expected_to_do_the_opposite(tmp_path: Path) -> None:
    """However the history is priced by then: the way back costs what the way there saved."""
    built = build_house(tmp_path, f"sqlite:///{tmp_path / 's.db'}")
    plan = built.propose("resize_warehouse", warehouse="ETL", size="up").plans[0].plan
    built.runner.decide(plan.id, plan.digest, built.person("grace"), "approve")
    there, back = plan.expected, built.runner.undo(plan.id, built.context()).plan.expected
    assert there.credits_30d_low is not None and there.credits_30d_high is not None
    assert (back.credits_30d_low, back.credits_30d_high) == (-there.credits_30d_high, -there.credits_30d_low)
    built.store.close()
