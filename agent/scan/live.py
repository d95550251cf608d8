"""The live tier: SHOW WAREHOUSES and the statements that run or wait now. Minutes late at most."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agent.findings import Sighting
from agent.scan.context import Look, ScanContext, ScanRules
from tools.changes.effects import hourly_rate
from tools.context import FilterColumn, UsageQuery, UsageReader
from tools.coverage import classify
from tools.domain import LiveQuery, Warehouse
from tools.facts import FactBook
from tools.finding import Draft, FindingKind
from tools.result import Unit, Window

__all__ = ["IDLE_SCOPE", "NEVER_SCOPE", "STATEMENTS_SCOPE", "look_at_statements", "look_at_warehouses", "named"]

STATEMENTS_SCOPE, IDLE_SCOPE, NEVER_SCOPE = "live:statements", "live:idle", "live:never_suspends"
_SHOW, _LIVE = "SHOW WAREHOUSES", "INFORMATION_SCHEMA.QUERY_HISTORY"
_METERING, _QUERIES = "WAREHOUSE_METERING_HISTORY", "QUERY_HISTORY"
_ATTRIBUTED = timedelta(hours=6)
"""How late the attributed credits of WAREHOUSE_METERING_HISTORY are; idle is what is left of compute without them."""
_WEEK, _HOUR = timedelta(days=7), timedelta(hours=1)
_FIGURES = timedelta(days=365)
"""How far back WAREHOUSE_METERING_HISTORY reaches at most."""
_LEAST_IDLE = 0.1
"""Credits a day that idle time costs, from which never suspending is worth a word."""
_NEVER_IDLE = timedelta(hours=6)
"""One that never suspends is idle every night; that is said once, as advice."""
_WAITS = ("QUEUED", "BLOCKED", "RESUMING_WAREHOUSE")


# --- statements -----------------------------------------------------------------------------------------------------


def look_at_statements(context: ScanContext, now: datetime) -> Look:
    """Statements that run for long, and queues that stand.

    Raises:
        NoPermission: they are not visible to Frostline's role.
    """
    running = context.reader.live_queries()
    warehouses = {w.name: w for w in context.reader.warehouses()}
    busy = next((w.name for w in warehouses.values() if w.running + w.queued), None)
    if not running and busy is not None:
        # Without MONITOR nothing is shown instead of a no; asked about one warehouse the reader tells the two apart.
        context.reader.live_queries(busy)
    look = Look(looked={STATEMENTS_SCOPE})
    look.sightings += _long(running, warehouses, context.rules, now)
    look.sightings += _queues(running, context.rules, now)
    return look


def _long(
    queries: Iterable[LiveQuery], warehouses: Mapping[str, Warehouse], rules: ScanRules, now: datetime
) -> Iterator[Sighting]:
    for query in queries:
        lasted = now - query.started
        if query.status.upper() != "RUNNING" or lasted < rules.long_running:
            continue
        kind: FindingKind = "runaway_query" if lasted >= rules.runaway else "long_running_query"
        warehouse = warehouses.get(query.warehouse or "")
        rate = hourly_rate(warehouse) if warehouse is not None else None
        book = FactBook(now)
        book.add("statement", query.query_id, "name", _LIVE, entity=query.warehouse)
        since = book.add("runs since", query.started.isoformat(), "time", _LIVE, entity=query.query_id)
        book.add("runs for", lasted.total_seconds(), "s", f"= as_of - {since}", entity=query.query_id)
        if rate:
            source = "service consumption table, for one cluster of its size"
            book.add("credits an hour of its warehouse", rate, "credits", source, entity=query.warehouse)
        yield _seen(
            kind,
            STATEMENTS_SCOPE,
            query.warehouse,
            now,
            book,
            family="long_running",
            metric="running_seconds",
            object=query.query_id,
            started_at=query.started,
            detected_at=query.started + rules.long_running,
            expected=rules.long_running.total_seconds(),
            actual=lasted.total_seconds(),
            unit="s",
            practice="runaway-query",
            draft=Draft(tool="cancel_query", args={"query_id": query.query_id}, ask=f"cancel query {query.query_id}"),
        )


def _queues(queries: Iterable[LiveQuery], rules: ScanRules, now: datetime) -> Iterator[Sighting]:
    waiting: dict[str, list[LiveQuery]] = {}
    for query in queries:
        if query.status.upper() in _WAITS and query.warehouse:
            waiting.setdefault(query.warehouse, []).append(query)
    for name, found in sorted(waiting.items()):
        oldest = min(query.started for query in found)
        if now - oldest < rules.queued:
            continue
        book = FactBook(now)
        book.add("statements that wait", len(found), "count", _LIVE, entity=name)
        since = book.add("the oldest waits since", oldest.isoformat(), "time", _LIVE, entity=name)
        book.add("the oldest waits for", (now - oldest).total_seconds(), "s", f"= as_of - {since}", entity=name)
        yield _seen(
            "queueing",
            STATEMENTS_SCOPE,
            name,
            now,
            book,
            metric="queued_now",
            started_at=oldest,
            detected_at=oldest + rules.queued,
            expected=0.0,
            actual=float(len(found)),
            unit="count",
            practice="queueing-overload",
        )


# --- warehouses -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Activity:
    """Statements by warehouse in the last day that QUERY_HISTORY covers."""

    since: datetime
    until: datetime
    last: Mapping[str, datetime]
    """End of the last hour with a statement."""


def look_at_warehouses(context: ScanContext, now: datetime) -> Look:
    """Warehouses that are up without work, and those that never suspend and pay for it.

    Raises:
        NoPermission: SHOW WAREHOUSES, or the usage that it is held against, may not be read.
    """
    reader, look = context.reader, Look()
    warehouses = [w for w in reader.warehouses() if not w.is_adaptive and not w.is_interactive]
    activity = _activity(reader)
    if activity is not None:
        look.looked.add(IDLE_SCOPE)
        found = (_idle(w, activity, context.rules, now) for w in warehouses)
        look.sightings += [sighting for sighting in found if sighting is not None]
    else:
        look.notes.append(f"Not looked at: idle warehouses. {_QUERIES} does not cover the last day.")
    costs = _idle_costs(reader)
    if costs is not None:
        look.looked.add(NEVER_SCOPE)
        window, idle = costs
        never = [w for w in warehouses if not w.auto_suspend and idle.get(w.name, 0.0) / 7 >= _LEAST_IDLE]
        up = _up_since(reader, [w.name for w in never], window.end)
        look.sightings += [_never(w, idle[w.name], window, up.get(w.name, window.end), now) for w in never]
    return look


def _activity(reader: UsageReader) -> _Activity | None:
    coverage = reader.coverage(_QUERIES)
    until = coverage.complete_until
    since = until - timedelta(days=1)
    if classify(since, until, coverage).covered is None:
        return None
    query = UsageQuery(source="queries", start=since, end=until, by="warehouse", slot_minutes=60)
    last: dict[str, datetime] = {}
    for row in reader.usage(query).frame.to_dict("records"):
        if row["key"] is not None and row["queries"]:
            end = min(_aware(row["slot"]) + timedelta(hours=1), until)
            last[row["key"]] = max(last.get(row["key"], end), end)
    return _Activity(since, until, last)


def _aware(value: Any) -> datetime:
    moment: datetime = value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    return moment


def _idle(warehouse: Warehouse, activity: _Activity, rules: ScanRules, now: datetime) -> Sighting | None:
    """Up, nothing on it now, and nothing in what is covered since `quiet`; what lies between is not known."""
    if warehouse.state != "STARTED" or warehouse.running or warehouse.queued:
        return None
    quiet = activity.last.get(warehouse.name, activity.since)
    quiet = max(quiet, warehouse.resumed_on or quiet)
    waited = max(rules.idle, timedelta(seconds=warehouse.auto_suspend or 0) * 2)
    waited = waited if warehouse.auto_suspend else max(waited, _NEVER_IDLE)
    if activity.until - quiet < waited:
        return None
    rate, name = (hourly_rate(warehouse) or 0.0) * (warehouse.started_clusters or 1), warehouse.name
    window = Window(start=quiet, end=activity.until, tz="UTC")
    book = FactBook(now)
    book.add("state", warehouse.state, "name", _SHOW, entity=name)
    book.add("statements running or waiting now", 0, "count", _SHOW, entity=name)
    book.add("statements since", 0, "count", _QUERIES, entity=name, window=window)
    hourly = book.add("credits an hour as it stands", rate, "credits", "service consumption table", entity=name)
    book.add("credits a day if it stays so", rate * 24, "credits", f"= 24 * {hourly}", entity=name)
    _suspends(book, warehouse)
    return _seen(
        "left_running",
        IDLE_SCOPE,
        name,
        now,
        book,
        metric="idle",
        started_at=quiet,
        detected_at=quiet + waited,
        expected=0.0,
        actual=rate,
        unit="credits",
        impact=rate * 24,
        practice="idle-pays-for-nothing",
        draft=Draft(tool="suspend_idle", args={"warehouse": name}, ask=f"suspend {named(name)}"),
    )


def _suspends(book: FactBook, warehouse: Warehouse) -> None:
    if warehouse.auto_suspend:
        book.add("auto-suspend", warehouse.auto_suspend, "s", _SHOW, entity=warehouse.name)
    else:
        book.add("auto-suspend", "never", "name", _SHOW, entity=warehouse.name)


def _idle_costs(reader: UsageReader) -> tuple[Window, dict[str, float]] | None:
    """Compute credits of a week that were attributed to no statement, by warehouse; None where they are not known."""
    coverage = reader.coverage(_METERING)
    until = min(coverage.complete_until, coverage.now - _ATTRIBUTED)
    until = until.replace(minute=0, second=0, microsecond=0)
    since = until - _WEEK
    if coverage.first is None or coverage.first > since:
        return None
    rows = reader.usage(UsageQuery(source="metering", start=since, end=until, by="warehouse")).frame
    idle = {
        row["key"]: float(row["credits_compute"]) - float(row["credits_attributed"])
        for row in rows.to_dict("records")
        if row["key"] is not None and _is_number(row["credits_compute"]) and _is_number(row["credits_attributed"])
    }
    return Window(start=since, end=until, tz="UTC"), idle


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and value == value


def _up_since(reader: UsageReader, names: Sequence[str], until: datetime) -> dict[str, datetime]:
    """By warehouse: since when every hour up to `until` has compute credits, as far as the figures reach back."""
    since = max(reader.coverage(_METERING).first or until, until - _FIGURES)
    if not names or since >= until:
        return {}
    only: Mapping[FilterColumn, tuple[str, ...]] = {"warehouse": tuple(names)}
    query = UsageQuery(source="metering", start=since, end=until, by="warehouse", slot_minutes=60, filters=only)
    paid = {
        (row["key"], _aware(row["slot"]))
        for row in reader.usage(query).frame.to_dict("records")
        if _is_number(row["credits_compute"]) and row["credits_compute"] > 0
    }
    found = {}
    for name in names:
        begins = until
        while (name, begins - _HOUR) in paid:
            begins -= _HOUR
        found[name] = begins
    return found


def _never(warehouse: Warehouse, idle: float, window: Window, up_since: datetime, now: datetime) -> Sighting:
    """The setting itself has no date: it is known for as long as no hour was without credits, else for the week."""
    name = warehouse.name
    book = FactBook(now)
    book.add("auto-suspend", "never", "name", _SHOW, entity=name)
    if up_since < window.end:
        book.add("up in every hour since", up_since.isoformat(), "time", _METERING, entity=name)
    week = book.add("idle credits of 7 days", idle, "credits", _METERING, entity=name, window=window)
    book.add("idle credits a day", idle / 7, "credits", f"= {week} / 7", entity=name, window=window)
    return _seen(
        "advice_never_suspends",
        NEVER_SCOPE,
        name,
        now,
        book,
        metric="auto_suspend",
        started_at=min(up_since, window.start),
        detected_at=window.end,
        expected=0.0,
        actual=idle / 7,
        unit="credits",
        impact=idle / 7,
        practice="auto-suspend-left-at-default",
        draft=Draft(
            tool="set_auto_suspend",
            args={"warehouse": name, "seconds": 60},
            ask=f"set auto-suspend of {named(name)} to 60 seconds",
        ),
    )


def named(warehouse: str) -> str:
    """As a person would write it in a request."""
    return warehouse if re.fullmatch(r"\w+", warehouse) else f'"{warehouse}"'


# --- both -----------------------------------------------------------------------------------------------------------


def _seen(
    kind: FindingKind,
    scope: str,
    warehouse: str | None,
    now: datetime,
    book: FactBook,
    *,
    metric: str,
    started_at: datetime,
    detected_at: datetime,
    unit: Unit,
    expected: float | None,
    actual: float | None,
    practice: str,
    family: str | None = None,
    object: str | None = None,
    impact: float = 0.0,
    draft: Draft | None = None,
) -> Sighting:
    """Going on now. What is read live can be seen when it happens."""
    detected = min(detected_at, now)
    return Sighting(
        kind=kind,
        family=family or kind,
        scope=scope,
        metric=metric,
        warehouse=warehouse,
        object=object,
        started_at=min(started_at, now),
        seen_until=now,
        detected_at=detected,
        visible_at=detected,
        expected=expected,
        actual=actual,
        unit=unit,
        impact_credits_per_day=impact,
        confidence=0.9,
        evidence=book.facts,
        practice=practice,
        draft=draft,
    )
