"""Warehouses that were made larger than they usually are, and stayed so. The rule is pure; the look reads for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from agent.findings import Sighting
from agent.scan.context import Look, ScanContext
from agent.scan.live import named
from tools.changes.effects import hourly_rate
from tools.context import UsageQuery, UsageReader
from tools.domain import Size, Warehouse
from tools.errors import BadArgument
from tools.facts import FactBook
from tools.finding import Draft
from tools.result import Window

__all__ = ["SCOPE", "Resized", "SizeDay", "forgotten", "look_at_sizes"]

SCOPE = "live:sizes"
_LOOK_BACK = timedelta(days=42)
_USUAL = timedelta(days=28)
_FORGOTTEN = timedelta(hours=24)
_LEAST_DAYS = 5
"""Of use before the change: less is no habit."""
_HABIT = 0.2
"""A size that was used on so many of the days before is one of the usual ones."""
_VIEW = "QUERY_HISTORY"


@dataclass(frozen=True)
class SizeDay:
    """Statements of one warehouse on one size in one UTC day."""

    day: date
    size: Size
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Resized:
    usual: Size
    now: Size
    since: datetime
    """First statement on the size of now after the last one on another."""
    days: int
    """Of use before it, by which the usual size was told."""


def forgotten(days: Iterable[SizeDay], size: Size | None, now: datetime) -> Resized | None:
    """Whether the size of now is larger than the usual one, for longer than a job takes, and no habit."""
    if size is None:
        return None
    used = sorted(days, key=lambda d: d.first)
    other = max((d.last for d in used if d.size is not size), default=None)
    mine = [d for d in used if d.size is size]
    if other is None or not mine:
        return None
    since = min((d.first for d in mine if d.last > other), default=None)
    if since is None:
        return None
    since = max(since, other)
    before = [d for d in used if since - _USUAL <= d.first < since]
    by_size = {s: {d.day for d in before if d.size is s} for s in {d.size for d in before}}
    all_days = {d.day for d in before}
    if len(all_days) < _LEAST_DAYS or now - since < _FORGOTTEN:
        return None
    usual = max(by_size, key=lambda s: (len(by_size[s]), s.rank))
    # The day of the change itself has both sizes.
    habit = len(by_size.get(size, set()) - {since.date()}) / len(all_days)
    if size.rank <= usual.rank or habit >= _HABIT:
        return None
    return Resized(usual, size, since, len(all_days))


def look_at_sizes(context: ScanContext, now: datetime) -> Look:
    """
    Raises:
        NoPermission: QUERY_HISTORY may not be read.
    """
    reader, look = context.reader, Look(looked={SCOPE})
    warehouses = {w.name: w for w in reader.warehouses() if not w.is_adaptive}
    rows = reader.sql("scan_sizes", {"since": now - _LOOK_BACK}).frame.to_dict("records")
    for name, days in _by_name(rows).items():
        warehouse = warehouses.get(name)
        found = forgotten(_of_this_one(days, warehouse), warehouse.size, now) if warehouse else None
        if warehouse is not None and found is not None:
            look.sightings.append(_sighting(reader, warehouse, found, now))
    return look


def _of_this_one(days: Iterable[SizeDay], warehouse: Warehouse) -> list[SizeDay]:
    """Without those of an earlier warehouse that had the name: dropped and made anew, it was sized anew."""
    return [day for day in days if warehouse.created_on is None or day.first >= warehouse.created_on]


def _by_name(rows: Iterable[Mapping[Any, Any]]) -> dict[str, list[SizeDay]]:
    found: dict[str, list[SizeDay]] = {}
    for row in rows:
        try:
            size = Size.parse(str(row["size"]))
        except BadArgument:
            continue  # a size that is none of a standard warehouse's
        day = SizeDay(_day(row["day"]), size, _moment(row["first_at"]), _moment(row["last_at"]))
        found.setdefault(str(row["name"]), []).append(day)
    return found


def _day(value: Any) -> date:
    return value.date() if isinstance(value, datetime) else date.fromisoformat(str(value)[:10])


def _moment(value: Any) -> datetime:
    moment: datetime = value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _sighting(reader: UsageReader, warehouse: Warehouse, found: Resized, now: datetime) -> Sighting:
    usual, current = hourly_rate(warehouse, found.usual), hourly_rate(warehouse, found.now)
    tz, name = reader.account().timezone, warehouse.name
    used, until = _credits_since(reader, name, found.since)
    window = Window(start=found.since, end=max(until, found.since + timedelta(hours=1)), tz=tz)
    book = FactBook(now)
    book.add("size now", found.now.shown, "name", "SHOW WAREHOUSES", entity=name)
    book.add("usual size", found.usual.shown, "name", f"{_VIEW} (WAREHOUSE_SIZE)", entity=name)
    book.add("days of use by which the usual size was told", found.days, "count", _VIEW, entity=name)
    book.add("larger since", found.since.isoformat(), "time", _VIEW, entity=name)
    impact = 0.0
    if usual and current:
        rates = [
            book.add(f"credits an hour at {size.shown}", rate, "credits", "service consumption table", entity=name)
            for size, rate in ((found.now, current), (found.usual, usual))
        ]
        days = (until - found.since).total_seconds() / 86_400
        if used is not None and days >= 1:
            total = book.add("credits since", used, "credits", "WAREHOUSE_METERING_HISTORY", entity=name, window=window)
            impact = used / days * (1 - usual / current)
            formula = f"= {total} / days * (1 - {rates[1]} / {rates[0]})"
            label = "credits a day more than at the usual size, if the work takes as long"
            book.add(label, impact, "credits", formula, entity=name)
    ask = f"resize {named(name)} to {found.usual.shown}"
    return Sighting(
        kind="resize_forgotten",
        family="resize_forgotten",
        scope=SCOPE,
        metric="size",
        warehouse=name,
        started_at=found.since,
        seen_until=now,
        detected_at=found.since + _FORGOTTEN,
        visible_at=found.since + _FORGOTTEN,
        expected=usual,
        actual=current,
        unit="credits",
        impact_credits_per_day=impact,
        confidence=0.8,
        evidence=book.facts,
        practice="manual-resize-left-in-place",
        draft=Draft(tool="resize_warehouse", args={"warehouse": name, "size": found.usual.value}, ask=ask),
    )


def _credits_since(reader: UsageReader, name: str, since: datetime) -> tuple[float | None, datetime]:
    """Credits of the complete hours since then, and where they end; None where there are none."""
    until = reader.coverage("WAREHOUSE_METERING_HISTORY").complete_until
    if until <= since:
        return None, until
    query = UsageQuery(source="metering", start=since, end=until, by="warehouse", filters={"warehouse": (name,)})
    rows = reader.usage(query).frame.to_dict("records")
    return (float(rows[0]["credits_used"] or 0.0) if rows else None), until
