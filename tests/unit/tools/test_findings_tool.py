"""`list_findings`: what is read from the store, how it is sorted, cut and worded."""

from __future__ import annotations

import itertools
from typing import Any

from agent.findings import Sighting, reconcile
from agent.offline.compose_findings import finding_lines
from agent.replies import finding_words
from agent.state import CallResult
from tests.doubles.account import NOW as ACCOUNT_NOW
from tests.doubles.account import Roles, WallClock, account, person
from tests.unit.agent.findings import SCOPE, at, sighting
from tools.context import FindingView, ToolContext
from tools.finding import FINDING_KINDS, FindingRecord, ScanStamp
from tools.findings.tool import FindingsArgs, FindingsData, list_findings
from tools.findings.words import headline
from tools.result import Fact, ToolResult, Unit


class Kept:
    """A FindingView of what one scan has seen."""

    def __init__(self, *seen: Sighting, notes: tuple[str, ...] = ()) -> None:
        ids = itertools.count(1)
        changes = reconcile((), seen, now=at(500), looked=(SCOPE,), new_id=lambda: f"finding-{next(ids)}")
        self.records = tuple(change.record for change in changes)
        self.notes = notes

    def list(self, states: Any = None, **_: Any) -> tuple[FindingRecord, ...]:
        return tuple(r for r in self.records if states is None or r.finding.state in states)

    def last_scan(self) -> ScanStamp | None:
        return ScanStamp(as_of=ACCOUNT_NOW, at=ACCOUNT_NOW, seen=len(self.records), notes=self.notes)


def ask(findings: FindingView | None, **args: Any) -> ToolResult[FindingsData]:
    context = ToolContext(
        reader=account(days=2),
        plans=None,  # type: ignore[arg-type]
        policy=Roles(),
        clock=WallClock(),
        person=person("viewer"),
        thread=None,
        new_id=lambda: "id",
        findings=findings,
    )
    return list_findings(context, FindingsArgs(**args))


def names(result: ToolResult[FindingsData]) -> list[str | None]:
    assert result.data is not None
    return [row.warehouse for row in result.data.rows]


SEEN = (
    sighting(10, seen=500, warehouse="ETL_WH", impact_credits_per_day=5.0),
    sighting(20, seen=500, warehouse="BI_WH", impact_credits_per_day=90.0),
    sighting(30, 40, warehouse="FLEX_WH"),
    sighting(40, seen=500, warehouse="BI_DEV_WH", impact_credits_per_day=0.5),
)


class NoScan(Kept):
    def last_scan(self) -> ScanStamp | None:
        return None


def test_before_the_first_scan_nothing_is_known() -> None:
    for view in (None, NoScan()):
        result = ask(view)
        assert (result.status, result.data, result.facts) == ("no_data", None, ())
        assert "No scan has run" in result.message


def test_the_weightiest_first_and_the_rest_counted() -> None:
    assert names(ask(Kept(*SEEN))) == ["BI_WH", "ETL_WH", "BI_DEV_WH"]
    assert names(ask(Kept(*SEEN), severity="warning")) == ["BI_WH", "ETL_WH"]
    assert names(ask(Kept(*SEEN), state="resolved")) == ["FLEX_WH"]
    assert names(ask(Kept(*SEEN), state="all"))[-1] == "FLEX_WH"
    assert names(ask(Kept(*SEEN), warehouses=["etl wh"])) == ["ETL_WH"]
    cut = ask(Kept(*SEEN), top=1)
    assert cut.data is not None
    assert (names(cut), cut.data.cut) == (["BI_WH"], True)
    facts = {fact.id: fact for fact in cut.facts}
    assert (facts[cut.data.figures["found"]].value, facts[cut.data.figures["shown"]].value) == (3, 1)


def test_every_figure_is_a_fact_with_its_finding_as_source() -> None:
    result = ask(Kept(*SEEN))
    assert result.data is not None
    facts = {fact.id: fact for fact in result.facts}
    row = result.data.rows[0]
    assert facts[row.figures["impact"]].value == 90.0
    assert row.id in facts[row.figures["impact"]].source
    assert {facts[i].entity for i in row.figures.values()} == {"BI_WH"}
    assert all(fact.as_of == ACCOUNT_NOW for fact in result.facts)


def test_what_could_not_be_looked_at_is_said() -> None:
    result = ask(Kept(notes=("Not looked at: sizes. No permission.",)))
    assert result.data is not None
    assert result.data.rows == ()
    assert result.data.notes == ("Not looked at: sizes. No permission.",)


def test_every_kind_has_a_headline_and_names_stand_in_code() -> None:
    hostile = "x` {metric} **b** <!here>|"
    for kind in FINDING_KINDS:
        (record,) = Kept(sighting(0, seen=500, kind=kind, warehouse=hostile)).records
        assert "{" not in headline(record, name="X")
        assert headline(record).startswith(hostile) or headline(record)[:1].isupper()
    result = ask(Kept(sighting(0, seen=500, warehouse=hostile)))
    assert result.data is not None
    assert result.data.rows[0].title == "Credits used of `xˋ {metric} **b** <!here>¦` went up"
    assert hostile not in result.data.rows[0].what


def test_a_name_stays_as_it_is_written_and_what_is_over_is_told_as_past() -> None:
    kind: Any = {"kind": "resize_forgotten", "warehouse": "adhoc lab"}
    (on,) = Kept(sighting(0, seen=500, **kind)).records
    (over,) = Kept(sighting(0, 3, **kind)).records
    assert headline(on) == "adhoc lab was made larger and has stayed so"
    assert headline(over) == "adhoc lab was larger than usual"
    assert headline(over, name="it") == "It was larger than usual"


def test_sizes_paces_and_long_statements_are_told_as_people_say_it() -> None:
    def told(metric: str, kind: str, actual: float, expected: float, unit: str, **more: Any) -> tuple[str, str]:
        values: dict[str, Any] = {"metric": metric, "kind": kind, "actual": actual, "expected": expected, "unit": unit}
        (record,) = Kept(sighting(0, seen=500, impact_credits_per_day=0.0, **(values | more))).records
        return finding_words.headline(record), finding_words.figures(record)

    assert told("size_above", "resize_forgotten", 2, 0, "count")[1] == "2 sizes larger than usual"
    assert told("size_below", "level_shift", 1, 0, "count") == (
        "ETL is smaller than usual",
        "1 size smaller than usual",
    )
    assert told("size_above", "resize_forgotten", 1.9, 0, "count")[1] == "1.9 sizes larger than usual on average"
    slower = told("pace", "drift", 129, 100, "%")
    assert slower[0] == "The same statements take longer and longer on ETL"
    assert slower[1] == "the same statements take 29 % longer than usual on average"
    long = told("longest_statement", "long_running_query", 9 * 3_600, 9_600, "s")
    assert long[0] == "A statement has run for 9 h on ETL"
    assert long[1] == "a statement ran for 9 h; the longest in the weeks before ran for 2 h 40 min"


def test_a_finding_that_is_named_for_its_queue_tells_the_queue_also_where_credits_lead_it() -> None:
    def fact(label: str, value: float, unit: Unit) -> Fact:
        return Fact(id="f1", label=label, value=value, unit=unit, entity="ETL", source="VIEW", as_of=at(0))

    evidence = (
        fact("credits used", 23.0, "credits"),
        fact("credits used, expected", 5.2, "credits"),
        fact("time queued", 122_400.0, "s"),
        fact("time queued, expected", 252.0, "s"),
        fact("failed queries", 61.0, "count"),
        fact("failed queries, expected", 330.9, "count"),
    )

    def told(kind: str, **more: Any) -> str:
        (record,) = Kept(sighting(0, 2, kind=kind, evidence=evidence, **more)).records
        return finding_words.figures(record)

    assert told("queueing") == "time queued: 1 d 10 h in all, expected 4 min 12 s; +10.0 credits a day"
    assert told("failing_queries") == "failed queries: 61 in all, expected 331; +10.0 credits a day"
    assert told("spend_spike") == "5.00 credits an hour on average, expected 1.00 credits; +10.0 credits a day"
    live = told("queueing", scope="live", metric="queued", actual=3.0, expected=None, unit="count")
    assert live.startswith("queued: 3")


def test_what_was_asked_about_is_said_and_what_is_snoozed_is_counted() -> None:
    (quiet,) = Kept(sighting(0, seen=500, warehouse="BI_WH")).records
    kept = Kept(sighting(10, seen=500, warehouse="ETL_WH"))
    snoozed = quiet.model_copy(update={"finding": quiet.finding.model_copy(update={"state": "snoozed"})})
    kept.records += (snoozed,)
    result = ask(kept, warehouses=["BI_WH"], severity="info")
    assert result.data is not None and not result.data.rows
    facts = {fact.id: fact.value for fact in result.facts}
    assert facts[result.data.figures["of0"]] == "BI_WH"
    assert facts[result.data.figures["snoozed"]] == 1
    (line, *_) = finding_lines(1, CallResult(name="list_findings", args={}, status="ok", data=result.data.model_dump()))
    assert line.startswith(f"**Nothing is open on [[{result.data.figures['of0']}]]**")


def test_what_has_been_open_for_long_is_not_pushed_out_by_what_is_over() -> None:
    class Full(Kept):
        def list(self, states: Any = None, *, limit: int = 500, **_: Any) -> tuple[FindingRecord, ...]:
            newest = sorted(super().list(states), key=lambda r: r.finding.started_at, reverse=True)
            return tuple(newest[:limit])

    long_open = sighting(0, seen=500, warehouse="ETL_WH", impact_credits_per_day=90.0)
    over = (sighting(10, 11, warehouse=f"W{number}") for number in range(501))
    result = ask(Full(long_open, *over))
    assert names(result) == ["ETL_WH"]
