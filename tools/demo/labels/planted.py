"""Everything that was planted: incidents of warehouses, those beside them, and what must not be flagged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tools.demo.generate.catalog import Demo, catalog
from tools.demo.generate.days import DAY_MS, holidays, milliseconds, moment
from tools.demo.generate.incidents import Incident, announced, incidents, migration_at
from tools.demo.labels.beside import beside_labels
from tools.demo.labels.label import Label

__all__ = ["labels"]

_SYSTEM_TASK = "SYNC_CRM"


def labels(seed: int, first: datetime, until: datetime, *, precursors: bool | None = None) -> list[Label]:
    """What was planted in [first, until), in order of time.

    Args:
        seed, first: the account's (simulation.json tells them: UTC midnight of the first day).
        until: the account's now, UTC.
        precursors: as the account was built; None as its seed says.
    """
    demo = catalog()
    begin, end = milliseconds(first), milliseconds(until)
    told = announced(seed) if precursors is None else precursors
    found = [_label(each, precursors=told) for each in incidents(demo, seed, begin, begin, end) if each.start < end]
    found += beside_labels(seed, first, until)
    found += [label for label in _planned(demo, seed, first, until) if label.start < until]
    return sorted(found, key=lambda label: (label.start, label.kind, label.warehouse or ""))


def _label(incident: Incident, *, precursors: bool) -> Label:
    kind = incident.kind
    return Label(
        kind=kind,
        warehouse=incident.warehouse,
        object=_SYSTEM_TASK if kind == "retry_storm" else None,
        start=moment(incident.start),
        end=moment(incident.end),
        expected_flag=True,
        precursors=precursors and kind == "failing_queries",
        note=_NOTES[kind](incident),
    )


_NOTES: dict[str, Callable[[Incident], str]] = {
    "runaway_query": lambda each: f"one statement of {each.plan.user} runs until it is cancelled",
    "resize_forgotten": lambda each: f"{each.plan.user} makes it {each.plan.size} sizes larger and forgets it",
    "keep_alive_poller": lambda each: f"a statement every {each.gap_seconds:.0f} s keeps it awake",
    "retry_storm": lambda each: f"a task fails and is tried again every {each.gap_seconds:.0f} s",
    "backfill": lambda each: f"{each.count} large loads by {each.plan.user}",
    "silence": lambda each: "its services send nothing",
    "drift": lambda each: f"its services' work grows by {100 * each.growth_per_day:.1f} % a day",
    "queueing": lambda each: f"{each.count} statements at once",
    "cloud_services": lambda each: f"a crawler sends {each.count} metadata statements",
    "spill": lambda each: f"{each.plan.user} makes it {-each.plan.size} sizes smaller: large statements spill",
    "failing_queries": lambda each: f"{100 * each.chance:.0f} % of its services' statements fail",
}


def _planned(demo: Demo, seed: int, first: datetime, until: datetime) -> list[Label]:
    zone = ZoneInfo(demo.timezone)
    found = []
    day = first.astimezone(zone).date()
    while day <= until.astimezone(zone).date():
        if day in holidays(day.year):
            found.append(Label("holiday", None, None, *_day(day, 1, zone), False, note="people stay at home"))
        if (day + timedelta(days=2)).day == 1:
            span = _day(day, 4, zone)
            found.append(Label("month_end", "FINANCE_WH", None, *span, False, note="the books are closed"))
            found.append(Label("month_end", "TRANSFORM_WH", None, *span, False, note="the nightly run has more to do"))
        day += timedelta(days=1)
    moved = migration_at(demo, seed, milliseconds(first))
    span = (moment(moved), moment(moved + demo.migration.parallel_days * DAY_MS))
    both, why = (demo.migration.from_warehouse, demo.migration.to_warehouse), "reports move, and run twice meanwhile"
    return found + [Label("planned_migration", name, None, *span, False, note=why) for name in both]


def _day(day: date, count: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start, end = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (day, day + timedelta(days=count)))
    return start.astimezone(UTC), end.astimezone(UTC)
