"""Resource monitors: what they are, what they have counted, and the rows of their view.

State lies in `_RAW.MONITORS`; the assignment is WAREHOUSES.resource_monitor; `_RAW.RESOURCE_MONITORS`, which backs the
view, is written anew with each change. An account that comes with rows of the view and no state (generated or
imported) gets its state from them. Credits are those of WAREHOUSE_METERING_HISTORY since the interval began, cloud
services included and without the 10 % adjustment; intervals begin at 00:00 UTC (snowflake-reference.md 3.3).
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from tools.demo.layout import DATABASE, MONITOR_COLUMNS, RAW

__all__ = [
    "FREQUENCIES",
    "NONE",
    "Monitor",
    "interval_start",
    "moment",
    "monitors",
    "read_by",
    "refresh_view",
    "store",
    "take_stock",
]

NONE = "null"
"""WAREHOUSES.resource_monitor where there is none, as SHOW prints it."""
FREQUENCIES = ("MONTHLY", "DAILY", "WEEKLY", "YEARLY", "NEVER")

_WAREHOUSES = f"{DATABASE}.{RAW}.WAREHOUSES"
_RAW_TABLE = f"{DATABASE}.{RAW}.MONITORS"
_VIEW = f"{DATABASE}.{RAW}.RESOURCE_MONITORS"
_PSEUDO = "CLOUD_SERVICES_ONLY"
Rows = Callable[[str, list[Any] | None], Sequence[tuple[Any, ...]]]


@dataclass(frozen=True)
class Monitor:
    """One monitor with what it has counted at account time."""

    row: Mapping[str, Any]
    """As in `_RAW.MONITORS`; times as microseconds since 1970."""
    warehouses: tuple[str, ...]
    used: float
    ended: bool
    """Its END_TIMESTAMP has passed."""

    @property
    def name(self) -> str:
        return str(self.row["name"])

    @property
    def level(self) -> str | None:
        """ACCOUNT, WAREHOUSE, or None while it watches nothing."""
        return "ACCOUNT" if self.row["level"] == "ACCOUNT" else "WAREHOUSE" if self.warehouses else None

    @property
    def quota(self) -> float | None:
        return None if self.row["credit_quota"] is None else float(self.row["credit_quota"])

    @property
    def exhausted(self) -> bool:
        """Whether its warehouses stay suspended: used up to the lowest threshold that suspends, or past its end."""
        if self.ended:
            return True
        limits = [self.row[c] for c in ("suspend_at", "suspend_immediately_at") if self.row[c] is not None]
        return bool(limits) and self.quota is not None and self.used >= self.quota * min(limits) / 100


def read_by(con: duckdb.DuckDBPyConnection) -> Rows:
    """Reads inside the connection's own transaction."""

    def read(sql: str, params: list[Any] | None) -> Sequence[tuple[Any, ...]]:
        return con.execute(sql, params).fetchall()

    return read


def monitors(read: Rows, now: datetime) -> list[Monitor]:
    """All of them, by name."""
    listed = ", ".join(f"epoch_us({c}) AS {c}" if kind == "TIMESTAMPTZ" else c for c, kind in MONITOR_COLUMNS.items())
    found = [
        dict(zip(MONITOR_COLUMNS, row, strict=True))
        for row in read(f"SELECT {listed} FROM {_RAW_TABLE} ORDER BY name", None)  # noqa: S608 - constants
    ]
    if not found:
        return []
    assigned: dict[str, list[str]] = {}
    for name, monitor in read(f"SELECT name, resource_monitor FROM {_WAREHOUSES} ORDER BY name", None):  # noqa: S608 - constants
        assigned.setdefault(str(monitor), []).append(str(name))
    return [_monitor(read, row, tuple(assigned.get(str(row["name"]), ())), now) for row in found]


def _monitor(read: Rows, row: Mapping[str, Any], warehouses: tuple[str, ...], now: datetime) -> Monitor:
    end = moment(row["end_time"])
    used = row["used_as_given"]
    if used is None:
        since = interval_start(str(row["frequency"] or "MONTHLY"), moment(row["start_time"]) or now, now)
        used = _metered(read, None if row["level"] == "ACCOUNT" else warehouses, since, now)
    return Monitor(row, warehouses, float(used), end is not None and end <= now)


def _metered(read: Rows, warehouses: tuple[str, ...] | None, since: datetime, now: datetime) -> float:
    """Of a warehouse that was dropped and made again, only the present one counts."""
    metering = f"{DATABASE}.{RAW}.WAREHOUSE_METERING_HISTORY"
    of, params = "m.WAREHOUSE_NAME <> ?", [since, now, _PSEUDO]
    if warehouses is not None:
        of = (
            f"EXISTS (SELECT 1 FROM {_WAREHOUSES} w WHERE list_contains(?, w.name) AND w.name = m.WAREHOUSE_NAME "  # noqa: S608 - constants
            "AND (m.WAREHOUSE_ID IS NULL OR m.WAREHOUSE_ID = w.warehouse_id))"
        )
        params = [since, now, list(warehouses)]
    sql = f"SELECT sum(CREDITS_USED) FROM {metering} m WHERE m.START_TIME >= ? AND m.START_TIME < ? AND {of}"  # noqa: S608 - constants
    return float(read(sql, params)[0][0] or 0.0)


def moment(micros: int | None) -> datetime | None:
    """Microseconds since 1970 as a time; None also for one that no calendar has (an import may hold such)."""
    try:
        return None if micros is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    except OverflowError:
        return None


def interval_start(frequency: str, start: datetime, now: datetime) -> datetime:
    """When the interval began that `now` lies in: 00:00 UTC of the day that `start` sets the rhythm by."""
    start, now = start.astimezone(UTC), now.astimezone(UTC)
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if frequency == "NEVER" or now < start:
        return start
    if frequency == "DAILY":
        return max(start, now.replace(hour=0, minute=0, second=0, microsecond=0))
    if frequency == "WEEKLY":
        return max(start, day + (now - day) // timedelta(days=7) * timedelta(days=7))
    months = 12 if frequency == "YEARLY" else 1
    passed = (now.year - day.year) * 12 + now.month - day.month
    while passed > 0 and (passed % months or _plus_months(day, passed) > now):
        passed -= 1
    return max(start, _plus_months(day, passed))


def _plus_months(day: datetime, months: int) -> datetime:
    """The same day of the month, or its last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, calendar.monthrange(year, month + 1)[1]))


# --- state -----------------------------------------------------------------------------------------------------------


def store(con: duckdb.DuckDBPyConnection, row: Mapping[str, Any]) -> None:
    """Put the monitor in the place of one of that name."""
    con.execute(f"DELETE FROM {_RAW_TABLE} WHERE name = ?", [row["name"]])  # noqa: S608 - constants
    columns, marks = ", ".join(row), ", ".join("?" for _ in row)
    con.execute(f"INSERT INTO {_RAW_TABLE} ({columns}) VALUES ({marks})", list(row.values()))  # noqa: S608 - constants


def take_stock(con: duckdb.DuckDBPyConnection, now: datetime, *, imported: bool) -> None:
    """When an account is opened: state from the view's rows where there is none yet, and the view as of now.

    The view of an import says what its owner's account had counted, and is left as it is.
    """
    _seed(con, now, imported=imported)
    if not imported:
        refresh_view(con, now)


def _seed(con: duckdb.DuckDBPyConnection, now: datetime, *, imported: bool) -> None:
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    used = "USED_CREDITS" if imported else "NULL"
    con.execute(
        f"INSERT INTO {_RAW_TABLE} (name, credit_quota, used_as_given, level, frequency, start_time, notify_at, "  # noqa: S608 - constants
        "suspend_at, suspend_immediately_at, created_on, owner, comment, notify_users) "
        f"SELECT NAME, CREDIT_QUOTA, {used}, CASE WHEN upper(LEVEL) = 'ACCOUNT' THEN 'ACCOUNT' END, 'MONTHLY', ?, "
        "NOTIFY || '%', SUSPEND, SUSPEND_IMMEDIATE, CREATED, coalesce(OWNER, 'ACCOUNTADMIN'), '', '' "
        f"FROM {_VIEW} WHERE NAME IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {_RAW_TABLE})",
        [first],
    )
    con.execute(
        f"UPDATE {_WAREHOUSES} SET resource_monitor = v.NAME FROM {_VIEW} v "  # noqa: S608 - constants
        f"WHERE coalesce({_WAREHOUSES}.resource_monitor, '{NONE}') = '{NONE}' "
        f"AND list_contains(regexp_split_to_array(trim(v.WAREHOUSES), '\\s*,\\s*'), {_WAREHOUSES}.name)"
    )


def refresh_view(con: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Write the rows of RESOURCE_MONITORS anew."""
    con.execute(f"DELETE FROM {_VIEW}")  # noqa: S608 - constants
    for monitor in monitors(read_by(con), now):
        row = monitor.row
        notify = [int(p.strip(" %")) for p in str(row["notify_at"] or "").split(",") if p.strip(" %").isdigit()]
        values = {
            "NAME": monitor.name,
            "CREATED": moment(row["created_on"]),
            "CREDIT_QUOTA": monitor.quota,
            "USED_CREDITS": monitor.used,
            "REMAINING_CREDITS": None if monitor.quota is None else max(monitor.quota - monitor.used, 0.0),
            "OWNER": row["owner"],
            "WAREHOUSES": ",".join(monitor.warehouses) or None,
            "NOTIFY": min(notify, default=None),
            "SUSPEND": row["suspend_at"],
            "SUSPEND_IMMEDIATE": row["suspend_immediately_at"],
            "LEVEL": monitor.level,
        }
        columns, marks = ", ".join(values), ", ".join("?" for _ in values)
        con.execute(f"INSERT INTO {_VIEW} ({columns}) VALUES ({marks})", list(values.values()))  # noqa: S608 - constants
