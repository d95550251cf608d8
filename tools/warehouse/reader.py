"""SnowflakeReader: everything Frostline may learn of an account, through an identity that cannot write."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from tools.context import Coverage, FilterColumn, Rows, UsageQuery
from tools.coverage import coverage_of
from tools.domain import Account, LiveQuery, Warehouse
from tools.errors import BadSettings, Bug, NoPermission
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.connect import OWN_TAG
from tools.warehouse.failures import Doing, grant_for
from tools.warehouse.privileges import granted
from tools.warehouse.queries import Bound, Visibility, bind, coverage_query, names_query, usage_query
from tools.warehouse.rows import frame_of, utc, warehouse_of
from tools.warehouse.session import ReadSession
from tools.warehouse.statements import quote
from tools.warehouse.tasks import due_on
from tools.warehouse.views import ALL_VIEWS

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from tools.warehouse.usage_cache import UsageCache

__all__ = ["SnowflakeReader"]

KeptT = TypeVar("KeptT")

_NOW_KEPT = 2.0
"""Seconds: one turn asks for the time more than once and should hear the same."""
_SLOW_KEPT = 60.0
"""Seconds, of wall and of account time: views change by the hour, and a demo clock may jump or stand still."""
_RETENTION = timedelta(days=800)
"""ACCOUNT_USAGE keeps 365 days; an exported account may hold more."""
_KNOWN_FOR = timedelta(days=90)
_SEES_TASKS = "MONITOR EXECUTION"
_ADMIN = "ACCOUNTADMIN"
"""Sees everything without a grant that says so."""


class SnowflakeReader:
    """Implements `tools.context.UsageReader` on snowflake-connector-python.

    Connects on first use; threads may share it. With `now_override` account time is that moment, and rows that
    were not visible at it are hidden from every statement; live state is always the present.

    Errors of every method: NoPermission (the hint is the GRANT), StatementTimedOut, StatementFailed, Unreachable,
    BadSettings; Bug where a statement of ours is wrong.
    """

    def __init__(
        self,
        config: ConnectionConfig,
        account: Account,
        *,
        now_override: datetime | None = None,
        query_tag: Mapping[str, str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        locate: Callable[[], ConnectionConfig] | None = None,
        cache: UsageCache | None = None,
    ) -> None:
        """`cache` keeps usage figures of hours that are complete; it is not used under `now_override`."""
        if now_override is not None and now_override.tzinfo is None:
            raise BadSettings("The time override needs an offset, as in 2026-11-01T12:00:00+00:00.")
        self._config = config
        self._account = account
        self._override = now_override.astimezone(UTC) if now_override is not None else None
        self._visible = Visibility(self._override)
        self._session = ReadSession(config, query_tag={"component": "reader", **(query_tag or {})}, locate=locate)
        self._cache = cache if now_override is None else None
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._actual: tuple[float, datetime] | None = None
        self._slow: dict[str, tuple[float, datetime, Any]] = {}

    def account(self) -> Account:
        return self._account

    def now(self) -> datetime:
        return self._override if self._override is not None else self._actual_now()

    def _actual_now(self) -> datetime:
        with self._lock:
            kept = self._actual
        if kept is not None and self._monotonic() - kept[0] < _NOW_KEPT:
            return kept[1]
        frame, _ = self._frame(bind("now", {}), "asking for the time")
        moment = _time(frame["now_at"].iloc[0])
        if moment is None:
            raise Bug("Snowflake does not know the time.")
        with self._lock:
            self._actual = (self._monotonic(), moment)
        return moment

    # --- usage ------------------------------------------------------------------------------------------------

    def usage(self, query: UsageQuery) -> Rows:
        if self._cache is None:
            return self._rows(usage_query(query, self._visible))
        whole, asked = usage_query(query, self._visible), False

        def ask(part: UsageQuery) -> tuple[pa.Table, str]:
            nonlocal asked
            asked = True
            bound = usage_query(part, self._visible)
            return self._table(bound, _reading(bound))

        tables, query_id = self._cache.tables(query, whole.text, self.now(), ask)
        if not asked:
            # What this role was allowed to read once it may not be now: coverage, known for a minute, would say so.
            for view in whole.views:
                self.coverage(view)
        return Rows(_joined([frame_of(table) for table in tables]), query_id)

    def sql(self, name: str, params: Mapping[str, Any]) -> Rows:
        """`:now`, `:own_tag` and `:visible_until_<VIEW>` are bound by the reader; sequences fill an IN list."""
        ours = {"now": self.now(), "own_tag": OWN_TAG}
        return self._rows(bind(name, self._visible.bindings() | ours | dict(params)))

    def names(self, column: FilterColumn, start: datetime, end: datetime, limit: int = 500) -> tuple[str, ...]:
        if column == "warehouse":
            return self.known_warehouses()[:limit]
        frame, _ = self._frame(names_query(column, start, end, limit, self._visible), f"listing {column} names")
        return tuple(str(name) for name in frame["name"])

    def known_warehouses(self) -> tuple[str, ...]:
        """Sorted. Without the right to read QUERY_HISTORY: those with metered usage."""
        return self._kept("known warehouses", self._read_known)

    def _read_known(self, now: datetime) -> tuple[str, ...]:
        params = self._visible.bindings() | {"now": now, "since": now - _KNOWN_FOR}
        names = set(self._frame(bind("known_warehouses_metered", params), "listing warehouses")[0]["name"])
        # Metering alone names nearly all; what is missing is told where QUERY_HISTORY itself is asked for.
        with contextlib.suppress(NoPermission):
            names |= set(self._frame(bind("known_warehouses_queried", params), "listing warehouses")[0]["name"])
        return tuple(sorted(str(name) for name in names))

    def coverage(self, view: str) -> Coverage:
        return self._kept(f"coverage of {view}", lambda now: self._read_coverage(view, now))

    def _kept(self, key: str, read: Callable[[datetime], KeptT]) -> KeptT:
        now, at = self.now(), self._monotonic()
        with self._lock:
            kept = self._slow.get(key)
        if kept is not None and at - kept[0] < _SLOW_KEPT and abs((now - kept[1]).total_seconds()) < _SLOW_KEPT:
            value: KeptT = kept[2]
            return value
        fresh = read(now)
        with self._lock:
            self._slow[key] = (at, now, fresh)
        return fresh

    def _read_coverage(self, name: str, now: datetime) -> Coverage:
        view = ALL_VIEWS[name]
        # What lies after the account's own present cannot be loaded, whatever the override says.
        loaded_by = now if self._override is None else min(now, self._actual_now())
        bound = coverage_query(view, loaded_by, loaded_by - _RETENTION, self._visible)
        frame, _ = self._frame(bound, f"reading {name}")
        by_day = view.columns[view.end] == "D"
        newest = _time(frame["newest_end"].iloc[0], plus_days=1 if by_day else 0)
        first = _time(frame["first_start"].iloc[0])
        reach = coverage_of(name, now=loaded_by, latency=view.latency, first=first, newest_end=newest)
        return Coverage(
            view=name,
            now=now,
            latency=reach.latency,
            first=first,
            newest_end=newest,
            complete_until=reach.complete_until,
            covered_until=reach.covered_until,
        )

    # --- live state, never cached ---------------------------------------------------------------------------------

    def warehouses(self) -> tuple[Warehouse, ...]:
        doing = Doing("showing warehouses", role=self._config.role)
        rows = self._session.records("SHOW WAREHOUSES", doing)
        return tuple(sorted((warehouse_of(row) for row in rows), key=lambda w: w.name))

    def live_queries(self, warehouse: str | None = None) -> tuple[LiveQuery, ...]:
        found = self._live(bind("live_queries", {}))
        if warehouse is None:
            return found
        mine = tuple(query for query in found if query.warehouse == warehouse)
        if not mine:
            self._check_monitored(warehouse)
        return mine

    def _check_monitored(self, warehouse: str) -> None:
        """Without MONITOR the function shows nothing instead of saying no: SHOW's own counts tell the difference."""
        shown = next((w for w in self.warehouses() if w.name == warehouse), None)
        if shown is None or shown.running + shown.queued > 0:
            doing = Doing("reading live statements", role=self._config.role, warehouse=quote(warehouse))
            raise NoPermission(
                f"Statements on warehouse {warehouse} are not visible to Frostline's role.", hint=grant_for(doing)
            )

    def live_query(self, query_id: str) -> LiveQuery | None:
        return next(iter(self._live(bind("live_query", {"query_id": query_id}))), None)

    def _live(self, bound: Bound) -> tuple[LiveQuery, ...]:
        frame, own_id = self._frame(bound, "reading live statements")
        rows = frame.to_dict("records")
        # The statement that asks is running too.
        return tuple(_live_query(row) for row in rows if row["query_id"] != own_id)

    def tasks_due(self, warehouse: str, within: timedelta) -> int:
        self._check_sees_tasks()
        doing = Doing("showing tasks", role=self._config.role)
        tasks = self._session.records("SHOW TASKS IN ACCOUNT", doing)
        if not tasks and self._account.origin == "imported":
            raise NoPermission("This export holds no tasks, which does not say that there are none.")
        frame, _ = self._frame(bind("tasks_due", {"seconds": int(within.total_seconds())}), "reading scheduled runs")
        due = due_on(warehouse, _records(frame), tasks)
        if due is None:
            raise NoPermission("A task is due whose warehouse is not visible to Frostline's role.")
        return due

    def _check_sees_tasks(self) -> None:
        """Without the privilege Snowflake shows no tasks instead of saying no: the grants tell the difference."""
        role, sees = self._kept("sees tasks", lambda now: self._sees_tasks())
        if not sees:
            raise NoPermission(
                "Tasks are not visible to Frostline's role.", hint=f"GRANT {_SEES_TASKS} ON ACCOUNT TO ROLE {role};"
            )

    def _sees_tasks(self) -> tuple[str, bool]:
        frame, _ = self._frame(bind("who", {}), "asking for the role")
        role = str(frame["role_name"].iloc[0])
        held = ((privilege, kind) for privilege, kind, _ in granted(self._session, role))
        return role, role == _ADMIN or (_SEES_TASKS, "ACCOUNT") in held

    def close(self) -> None:
        self._session.close()
        if self._cache is not None:
            self._cache.close()

    # --- inside ---------------------------------------------------------------------------------------------------

    def _rows(self, bound: Bound) -> Rows:
        frame, query_id = self._frame(bound, _reading(bound))
        return Rows(frame, query_id)

    def _frame(self, bound: Bound, what: str) -> tuple[pd.DataFrame, str]:
        table, query_id = self._table(bound, what)
        return frame_of(table), query_id

    def _table(self, bound: Bound, what: str) -> tuple[pa.Table, str]:
        doing = Doing(what, role=self._config.role, views=bound.views)
        return self._session.table(bound.text, bound.params, doing)


def _reading(bound: Bound) -> str:
    return f"reading {' and '.join(bound.views) or 'the account'}"


def _joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """One below the other; frames without rows have no types worth keeping, unless there are no others."""
    import pandas as pd

    full = [frame for frame in frames if len(frame)]
    return frames[0] if not full else full[0] if len(full) == 1 else pd.concat(full, ignore_index=True)


def _time(cell: object, plus_days: int = 0) -> datetime | None:
    """A cell of a frame as aware UTC; a UTC day as its first instant."""
    import pandas as pd

    if cell is None or cell is pd.NaT:
        return None
    moment = utc(pd.Timestamp(str(cell)).to_pydatetime())
    return moment + timedelta(days=plus_days) if moment is not None else None


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]


def _live_query(row: Mapping[Any, Any]) -> LiveQuery:
    started = utc(row["start_time"])
    return LiveQuery(
        query_id=str(row["query_id"]),
        warehouse=row["warehouse_name"],
        user=str(row["user_name"]),
        status=str(row["status"]),
        started=started if started is not None else datetime.fromtimestamp(0, UTC),
        text_length=int(row["text_length"] or 0),
    )
