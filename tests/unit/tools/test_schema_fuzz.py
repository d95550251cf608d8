"""No path from the model's tools to a mutation: whatever JSON a model sends, at most a plan is stored.

Every tool of the registry is called with arguments drawn from its own schema, bent and mixed with fields that a
model would like to have (approved, sql, digest, ...), on a context in which every door that is not a tool's is
wired to an alarm.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from langgraph.runtime import Runtime
from pydantic import ValidationError

from agent.nodes.call_tools import call_tools
from agent.state import ChatContext, ChatState, ToolCall, ToolCalls
from tests.doubles.account import NOW, FrameReader, Roles, WallClock, account, person
from tools.context import ToolContext
from tools.domain import ActionPlan, Bundle, LiveQuery, Person, PlanRecord, PlanState, Size, Warehouse
from tools.errors import FrostlineError, PlanConflict
from tools.registry import TOOLS, schemas
from tools.result import ToolResult
from tools.warehouse.statements import parse, quote, render

QUERY = "01b2c3d4-0000-1111-0000-000012345678"
HOSTILE = 'Robert"; ALTER WAREHOUSE "ETL_WH" SUSPEND; --'
STATUSES = {"ok", "no_data", "no_permission", "not_loaded", "needs_approval", "error"}
FORBIDDEN = {
    *("approve", "approved", "approval", "approver", "confirm", "confirmed", "force", "forced", "yes", "decision"),
    *("statement", "sql", "query_text", "ddl", "undo", "digest", "plan_id", "plan", "execute", "apply", "dry_run"),
    *("person", "requester", "actor", "user_id", "asked_for_change", "writer", "connection"),
}


class LiveReader(FrameReader):
    """The small account with one running statement, which a tool may want to cancel."""

    def live_queries(self, warehouse: str | None = None) -> tuple[LiveQuery, ...]:
        return (self._running,) if warehouse in (None, "ETL_WH") else ()

    def live_query(self, query_id: str) -> LiveQuery | None:
        return self._running if query_id == QUERY else None

    @property
    def _running(self) -> LiveQuery:
        return LiveQuery(query_id=QUERY, warehouse="ETL_WH", user="BOB", status="RUNNING", started=NOW)


READER_DOORS = {
    *("account", "now", "warehouses", "known_warehouses", "coverage", "usage", "names", "sql", "live_queries"),
    *("live_query", "tasks_due"),
}


class OnlyReading:
    """A reader that raises the alarm when anything beyond the UsageReader protocol is reached for."""

    def __init__(self, reader: LiveReader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        if name not in READER_DOORS:
            raise AssertionError(f"a tool reached for reader.{name}")
        return getattr(self._reader, name)


class OnlyProposing:
    """A PlanStore that keeps what is proposed; every other door of a store raises the alarm."""

    def __init__(self) -> None:
        self.proposed: list[tuple[tuple[ActionPlan, ...], Bundle | None]] = []

    def propose(self, plans: Sequence[ActionPlan], bundle: Bundle | None = None) -> None:
        self.proposed.append((tuple(plans), bundle))

    def get(self, plan_id: str) -> PlanRecord:
        raise PlanConflict("There is no such plan.", reason="not_found")

    def open_plans(self, warehouse: str | None = None) -> tuple[PlanRecord, ...]:
        plans = [plan for stored, _ in self.proposed for plan in stored if warehouse in (None, plan.warehouse)]
        at = datetime(2026, 11, 23, tzinfo=UTC)
        return tuple(PlanRecord(plan=p, digest=p.digest, state=PlanState.PROPOSED, updated_at=at) for p in plans)

    def applied_since(self, since: datetime) -> int:
        return 0

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a tool reached for plans.{name}")


def _warehouses(reader: FrameReader) -> tuple[Warehouse, ...]:
    odd = Warehouse(
        name=HOSTILE, state="STARTED", type="STANDARD", size=Size.SMALL, min_clusters=1, max_clusters=2,
        auto_suspend=300, auto_resume=True, scaling_policy="STANDARD", resource_monitor="MONTHLY",
    )  # fmt: skip
    return (*reader.shown, odd, odd.model_copy(update={"name": "line\nbreak"}))


@pytest.fixture(scope="module")
def reader() -> LiveReader:
    plain = account(days=16)
    return LiveReader(plain.frames, plain.now_at, plain.timezone, _warehouses(plain))


@pytest.fixture(autouse=True)
def no_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real writer, the apply function and the connector itself are wired to the alarm."""
    import snowflake.connector

    import tools.apply
    from tools.warehouse import writer

    def alarm(*args: Any, **more: Any) -> Any:
        raise AssertionError("a tool reached the writer")

    for name in ("__init__", "execute"):
        monkeypatch.setattr(writer.SnowflakeWriter, name, alarm)
    for name in tools.apply.__all__:
        monkeypatch.setattr(tools.apply, name, alarm)
    monkeypatch.setattr(snowflake.connector, "connect", alarm)


def context_of(reader: LiveReader, asked: bool, who: Person) -> tuple[ToolContext, OnlyProposing]:
    plans = OnlyProposing()
    ids = iter(range(10_000))
    return ToolContext(
        reader=OnlyReading(reader),
        plans=plans,
        policy=Roles(),
        clock=WallClock(),
        person=who,
        thread="fuzz",
        new_id=lambda: f"id{next(ids):04d}",
        asked_for_change=asked,
    ), plans


# --- arguments ---------------------------------------------------------------------------------------------------

NAMES = [
    "ETL_WH",
    "etl wh",
    "BI_WH",
    "bi_dev_wh",
    "FLEX_WH",
    "data science",
    "FINANCE_WH",
    HOSTILE,
    "line\nbreak",
    "NOPE",
]
SIZES = ["up", "down", "small", "Medium", "X-Large", "6XL", "gigantic"]
WINDOWS = ["last 7 days", "yesterday", "this month", "last 0 days", "tomorrow", "31 Feb", "2026-11-20"]
BAD = [
    *("'; DROP WAREHOUSE ETL_WH; --", "", "\u202eHW", "\x00", "\ud800", "[[f1]]", "{0}", "%s", "../../etc/passwd"),
    *("W" * 300, "W" * 10_000, "approved", "(none)", "ALICE"),
]  # fmt: skip
WORDS = [*NAMES, *SIZES, *WINDOWS, QUERY, QUERY.upper(), *BAD]
BY_FIELD = {"warehouse": NAMES, "size": SIZES, "window": WINDOWS, "query_id": [QUERY, QUERY.upper(), QUERY[:-1]]}
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(WORDS), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=5,
)
EXTRA = st.dictionaries(st.sampled_from(sorted(FORBIDDEN)), st.one_of(st.just(True), JSON), max_size=2)


def fitting(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a JSON schema, mostly inside its bounds."""
    if "$ref" in schema:
        return fitting(defs[schema["$ref"].rsplit("/", 1)[1]], defs)
    if "anyOf" in schema:
        return st.one_of(*(fitting(part, defs) for part in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    return _typed(schema, defs)


def _typed(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    kind = schema.get("type")
    if kind == "string":
        return st.sampled_from(WORDS)
    if kind == "integer":
        inside = st.integers(schema.get("minimum", -5), schema.get("maximum", 10**12))
        return st.one_of(inside, st.sampled_from([1, 60, 300, -5, 10**12]))
    if kind == "array":
        least = min(1, schema.get("minItems", 0))
        return st.lists(fitting(schema["items"], defs), min_size=least, max_size=3)
    if kind == "object":
        return _object(schema, defs)
    return {"boolean": st.booleans(), "null": st.none()}.get(str(kind), JSON)


def _object(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    fields = {name: _field(name, part, defs) for name, part in schema.get("properties", {}).items()}
    needed = {name: fields.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(needed, optional=fields)


def _field(name: str, schema: Mapping[str, Any], defs: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """A field of text gets words that could stand there, often enough that calls reach the tool."""
    plain = fitting(schema, defs)
    if name == "changes":
        return st.one_of(plain, st.lists(_change_item(), min_size=1, max_size=3))
    if name not in BY_FIELD or schema.get("type") == "array":
        return plain
    likely = st.sampled_from(BY_FIELD[name])
    return st.one_of(likely, likely, likely, plain)


def _change_item() -> st.SearchStrategy[Any]:
    """One change of a bundle with the fields of the single tool."""

    def of(action: str) -> st.SearchStrategy[Any]:
        schema = TOOLS[action].args.model_json_schema()
        return fitting(schema, {}).map(
            lambda args: {"action": action} | {k: v for k, v in args.items() if k != "reason"}
        )

    return st.sampled_from(sorted({"suspend_idle", "set_auto_suspend", "resize_warehouse", "cancel_query"})).flatmap(of)


def arguments(name: str) -> st.SearchStrategy[Any]:
    """Half of them as the schema has it, the rest bent: a field of another type, extra fields, no object at all."""
    schema = TOOLS[name].args.model_json_schema()
    good = fitting(schema, schema.get("$defs", {}))
    fields = sorted(schema.get("properties", {}))
    bent = st.dictionaries(st.sampled_from(fields), JSON, min_size=1, max_size=2)
    return st.one_of(
        good,
        good,
        st.builds(lambda base, extra: base | extra, good, EXTRA),
        st.builds(lambda base, other: base | other, good, bent),
        JSON,
    )


RIGHT: dict[str, dict[str, Any]] = {
    "resize_warehouse": {"warehouse": "ETL_WH", "size": "small"},
    "suspend_idle": {"warehouse": "BI_WH"},
    "resume_warehouse": {"warehouse": "BI_DEV_WH"},
    "set_auto_suspend": {"warehouse": "ETL_WH", "seconds": 60},
    "set_clusters": {"warehouse": "BI_WH", "min_clusters": 1},
    "cancel_query": {"query_id": QUERY},
    "propose_changes": {"changes": [{"action": "suspend_idle", "warehouse": "BI_WH"}]},
    "query_usage": {},
    "search_practices": {"text": "queueing"},
    "list_warehouses": {},
    "own_cost": {},
    "list_findings": {},
    "run_forecast": {"window": "next 7 days"},
    "budget": {"amount": 5000},
    "detect_anomalies": {"metrics": ["credits"]},
}

WITHOUT_ACCOUNT = {"search_practices": ("no_data",), "list_findings": ("no_data",)}
"""Tools that ask the account nothing, so that nothing there can refuse; with what they answer on this context."""

ABLE = [person("proposer"), person("approver"), person("admin")]
PEOPLE = st.sampled_from([*ABLE, *ABLE, person("analyst"), person("viewer"), Person(id="x", name="x")])
ASKED = st.sampled_from([True, True, True, False])
FUZZ = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,  # the same cases on every machine: a red run can be looked at
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip


SLOW = {"run_forecast", "budget", "detect_anomalies"}
"""Tools that fit models to what they read: fewer of the same cases."""


# --- what may happen -----------------------------------------------------------------------------------------------


def outcome(name: str, context: ToolContext, given: Any) -> ToolResult[Any] | FrostlineError | ValidationError:
    tool = TOOLS[name]
    try:
        args = tool.args.model_validate(given)
        assert isinstance(tool.one_line(args), str)
        return tool.run(context, args)
    except (ValidationError, FrostlineError) as error:
        return error


def check_stored(plans: OnlyProposing, reader: LiveReader, context: ToolContext) -> None:
    """Every stored plan is one typed statement on a warehouse that exists, in the name of who really asked."""
    names = {w.name for w in reader.shown}
    for stored, bundle in plans.proposed:
        assert context.asked_for_change and context.policy.may_propose(context.person)
        assert len(stored) == 1 or bundle is not None
        for plan in stored:
            assert plan.warehouse in names
            assert plan.statement == render(plan.change, plan.warehouse)
            assert plan.statement.startswith(
                (f"ALTER WAREHOUSE {quote(plan.warehouse)} ", "SELECT SYSTEM$CANCEL_QUERY('")
            )
            assert parse(plan.statement)[0] == plan.change or plan.action == "set_auto_suspend"
            assert plan.requester == context.person
            assert plan.expires_at - plan.created_at == timedelta(minutes=30)


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_whatever_a_model_sends_at_most_a_plan_is_stored(name: str, reader: LiveReader) -> None:
    seen: set[str] = set()

    @settings(FUZZ, max_examples=30 if name in SLOW else 60)
    @given(arguments(name), ASKED, PEOPLE)
    @example(RIGHT[name], True, person("admin"))
    @example(RIGHT[name] | {"approved": True}, True, person("admin"))
    @example(RIGHT[name], False, person("admin"))
    @example(RIGHT[name] | {"window": "the day before the beginning of time"}, True, person("admin"))
    def fuzz(given: Any, asked: bool, who: Person) -> None:
        shown = tuple(reader.shown)
        context, plans = context_of(reader, asked, who)
        result = outcome(name, context, given)
        if isinstance(result, ToolResult):
            assert result.status in STATUSES
            assert (result.status == "needs_approval") == (len(plans.proposed) == 1)
            seen.add(result.status)
        else:
            assert plans.proposed == []
            assert str(result)
            seen.add("refused" if isinstance(result, FrostlineError) else "invalid")
        assert not (plans.proposed and not TOOLS[name].proposes)
        check_stored(plans, reader, context)
        assert tuple(reader.shown) == shown

    fuzz()
    # The fuzz is worth something only if it gets past the schema and into the tool.
    assert {"invalid", *(() if name in WITHOUT_ACCOUNT else ("refused",))} <= seen
    assert seen & ({"needs_approval"} if TOOLS[name].proposes else {"ok", *WITHOUT_ACCOUNT.get(name, ())}), seen


@dataclasses.dataclass
class NoNames:
    def warehouses(self) -> tuple[str, ...]:
        return ()

    def column(self, column: str) -> tuple[str, ...]:
        return ()


CALLS = st.lists(
    st.one_of(
        st.sampled_from(sorted(TOOLS)).flatmap(lambda n: st.tuples(st.just(n), arguments(n))),
        st.tuples(
            st.sampled_from(["apply", "execute", "approve_plan", "decide", "tools.apply.apply", "run_sql", ""]),
            st.dictionaries(st.text(max_size=5), JSON, max_size=2),
        ),
    ),
    max_size=4,
)  # fmt: skip


@FUZZ
@given(calls=CALLS, asked=ASKED, who=PEOPLE)
@example(calls=[("suspend_idle", {"warehouse": "BI_WH", "approved": True})], asked=False, who=person("admin"))
@example(calls=[("suspend_idle", {"warehouse": "BI_WH"})] * 12, asked=False, who=person("admin"))
def test_the_node_that_runs_a_models_calls_answers_every_one(
    calls: list[tuple[str, Any]], asked: bool, who: Person, reader: LiveReader
) -> None:
    """Unknown tools, bad arguments and refusals are results; nothing escapes, nothing is stored unasked."""
    context, plans = context_of(reader, asked, who)
    made = tuple(ToolCall(name=name, args=args) for name, args in calls if isinstance(args, dict))
    chat = ChatContext(
        make_tools=lambda thread, wanted: dataclasses.replace(context, asked_for_change=wanted),
        person=who,
        thinker=None,  # type: ignore[arg-type]  # this node does not think
        names=NoNames(),
        audit=lambda event, detail: None,
    )
    decision = ToolCalls(calls=made).model_dump()
    state: ChatState = {"thread": "fuzz", "trace_id": "t", "asked_for_change": asked, "decision": decision}
    results = call_tools(state, Runtime(context=chat))["results"]
    assert len(results) == min(len(made), 8)
    for call, result in zip(made, results, strict=False):
        assert result["name"] == call.name
        assert result["status"] in STATUSES
        assert result["message"] or result["status"] == "ok"
    assert len(plans.proposed) == sum(r["status"] == "needs_approval" for r in results)
    check_stored(plans, reader, context)


# --- the schemas themselves -----------------------------------------------------------------------------------------


def _field_names(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for part in schema.values():
            yield from _field_names(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _field_names(part)


def test_no_schema_has_a_field_that_says_yes_or_speaks_sql() -> None:
    for schema in schemas():
        names = {name.casefold() for name in _field_names(schema)}
        assert names, schema["function"]["name"]
        assert not names & FORBIDDEN, schema["function"]["name"]


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_an_extra_field_is_refused_by_every_tool(name: str, reader: LiveReader) -> None:
    """Also with arguments that are right otherwise: a field is never dropped in silence."""
    base = RIGHT[name]
    context, plans = context_of(reader, True, person("admin"))
    for field in sorted(FORBIDDEN):
        assert isinstance(outcome(name, context, base | {field: True}), ValidationError), field
    assert plans.proposed == []
    result = outcome(name, context, base)
    assert isinstance(result, ToolResult), result
    assert len(plans.proposed) == (1 if TOOLS[name].proposes else 0)
