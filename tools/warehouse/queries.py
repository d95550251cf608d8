"""From a typed question to SQL text and bound values.

The text lives in `sql/*.sql`; what varies in it comes from the closed tables below (columns, never free text),
and every value is bound: `:name` in a file becomes `?` with its value beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from tools.context import FilterColumn, GroupBy, UsageQuery, UsageSource
from tools.errors import BadArgument, Bug
from tools.warehouse.views import ALL_VIEWS, View

__all__ = ["Bound", "Visibility", "bind", "coverage_query", "names_query", "usage_query", "views_in"]


@dataclass(frozen=True)
class Bound:
    """A statement with `?` and its values, in the connector's qmark form."""

    text: str
    params: tuple[Any, ...]
    views: tuple[str, ...]
    """ACCOUNT_USAGE views it reads, for messages and grants."""


# --- visibility under a time override ---------------------------------------------------------------------------

_ALL_TIME = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Visibility:
    """What FROSTLINE_NOW lets through: rows that had ended and were due under their view's latency at it."""

    override: datetime | None = None

    def until(self, view: View) -> datetime:
        """Rows that end after this are hidden."""
        return _ALL_TIME if self.override is None else self.override - view.latency

    def bindings(self) -> dict[str, Any]:
        """`visible_until_<VIEW>` for every view; `visible_day_<VIEW>` where rows are UTC days (exclusive)."""
        values: dict[str, Any] = {}
        for view in ALL_VIEWS.values():
            until = self.until(view)
            values[f"visible_until_{view.name}"] = until
            values[f"visible_day_{view.name}"] = until.astimezone(UTC).date()
        return values


# --- files and bound values -----------------------------------------------------------------------------------------

_PLACEHOLDER = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")
_VIEW = re.compile(r"ACCOUNT_USAGE\.(\w+)")


@cache
def _file(name: str) -> str:
    """The statement in `sql/<name>.sql`, without its comments.

    Raises:
        Bug: there is no such file (names are constants in our own code).
    """
    path = files("tools.warehouse").joinpath("sql", f"{name}.sql")
    if not re.fullmatch(r"[a-z0-9_]+", name) or not path.is_file():
        raise Bug(f"There is no statement {name!r}.")
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--")).strip()


def views_in(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_VIEW.findall(text)))


def bind(name: str, params: Mapping[str, Any], parts: Mapping[str, str] | None = None) -> Bound:
    """`sql/<name>.sql` with its parts filled in and its `:names` bound; a sequence becomes a list of `?`.

    Raises:
        Bug: a name without a value, or a value of a type that cannot be bound.
    """
    template = _file(name)
    text = template.format_map(parts) if parts is not None else template
    values: list[Any] = []

    def place(found: re.Match[str]) -> str:
        if found[1] not in params:
            raise Bug(f"Statement {name!r} needs a value for {found[1]!r}.")
        value = params[found[1]]
        several = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
        values.extend(_bindable(item, found[1]) for item in several)
        return ", ".join("?" * len(several)) or "NULL"

    sql = _PLACEHOLDER.sub(place, text)
    return Bound("\n".join(line for line in sql.splitlines() if line.strip()), tuple(values), views_in(sql))


def _bindable(value: Any, name: str) -> Any:
    """Times are bound with their type: a bare datetime would be compared as a time without zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise Bug(f"The value for {name!r} is a time without a zone.")
        return ("TIMESTAMP_LTZ", value.astimezone(UTC))
    if isinstance(value, date):
        return ("DATE", value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise Bug(f"A value of type {type(value).__name__} cannot be bound to {name!r}.")


# --- usage --------------------------------------------------------------------------------------------------------

_TAG = "NULLIF(QUERY_TAG, '')"  # a session without a tag writes '' or NULL: one and the same
_COLUMNS: dict[UsageSource, dict[str, str]] = {
    "metering": {"warehouse": "WAREHOUSE_NAME"},
    "services": {"service_type": "SERVICE_TYPE", "database": "DATABASE_NAME"},
    "billed": {"service_type": "SERVICE_TYPE"},
    "queries": {
        "warehouse": "WAREHOUSE_NAME",
        "user": "USER_NAME",
        "role": "ROLE_NAME",
        "database": "DATABASE_NAME",
        "query_tag": _TAG,
        "query_type": "QUERY_TYPE",
    },
    "attribution": {
        "warehouse": "A.WAREHOUSE_NAME",
        "user": "A.USER_NAME",
        "query_tag": "NULLIF(A.QUERY_TAG, '')",
        "role": "Q.ROLE_NAME",
        "database": "Q.DATABASE_NAME",
        "query_type": "Q.QUERY_TYPE",
    },
}
_JOINED = frozenset({"role", "database", "query_type"})
_CREDITS = ("credits_used", "credits_compute", "credits_cloud_services")
_RESULTS: dict[UsageSource, tuple[str, ...]] = {
    "metering": (*_CREDITS, "credits_attributed", "warehouse_ids"),
    "services": _CREDITS,
    "billed": (*_CREDITS, "credits_adjustment", "credits_billed"),
    "queries": (
        *("queries", "failures", "bytes_scanned", "bytes_written", "bytes_spilled_local", "bytes_spilled_remote"),
        *("queued_overload_s", "queued_provisioning_s", "queued_repair_s", "execution_s", "elapsed_s"),
        "credits_cloud_services",
    ),
    "attribution": ("credits_attributed", "queries"),
}
_DAY = 1440
_LONGEST_LIMIT = 10_000


def usage_query(query: UsageQuery, visible: Visibility) -> Bound:
    """The aggregation as SQL.

    Raises:
        BadArgument: the source has no such column to group, filter or order by, or the slots do not fit.
    """
    if query.end <= query.start:
        raise BadArgument("The window ends before it starts.")
    by = _column(query.source, query.by) if query.by != "total" else "'total'"
    filters, values = _filters(query)
    slot = _slot(query)
    parts = {
        "key": by,
        "slot": f"{slot} AS SLOT," if slot else "",
        "filters": filters,
        "group": _group(query.by, slot),
        "order": _order(query, slot),
        "limit": f"LIMIT {_limit(query.limit)}" if query.limit is not None else "",
    }
    times = {
        "start": query.start,
        "start_early": query.start - timedelta(days=2),
        "end": query.end,
        "first_day": _first_midnight(query.start),
        "end_day": _first_midnight(query.end),
    }
    return bind(_statement(query), visible.bindings() | times | values, parts)


def _statement(query: UsageQuery) -> str:
    joined = query.source == "attribution" and bool(_JOINED & {query.by, *query.filters})
    return f"usage_{query.source}" + ("_joined" if joined else "")


def _column(source: UsageSource, name: GroupBy | FilterColumn) -> str:
    try:
        return _COLUMNS[source][name]
    except KeyError:
        can = ", ".join(_COLUMNS[source])
        raise BadArgument(f"{source} figures cannot be told apart by {name}.", hint=f"They can by: {can}.") from None


def _filters(query: UsageQuery) -> tuple[str, dict[str, Any]]:
    clauses: list[str] = []
    values: dict[str, Any] = {}
    for name, wanted in query.filters.items():
        column = _column(query.source, name)
        values[f"only_{name}"] = tuple(value for value in wanted if value)
        clause = f"{column} IN (:only_{name})"
        clauses.append(f"AND ({clause} OR {column} IS NULL)" if "" in wanted else f"AND {clause}")
    if query.source == "metering" and "warehouse" in (query.by, *query.filters):
        clauses.append("AND WAREHOUSE_NAME <> 'CLOUD_SERVICES_ONLY'")
    return "\n    ".join(clauses), values


def _slot(query: UsageQuery) -> str:
    minutes = query.slot_minutes
    if minutes is None:
        return ""
    if query.source == "billed":
        if minutes != _DAY:
            raise BadArgument("Billed figures exist by UTC day only.", hint="slot_minutes=1440")
        return "CAST(USAGE_DATE AS TIMESTAMP_LTZ)"
    if not 1 <= minutes <= _DAY or _DAY % minutes:
        raise BadArgument(f"Slots of {minutes} minutes do not divide a day.")
    column = "A.START_TIME" if query.source == "attribution" else "START_TIME"
    return f"TIME_SLICE({column}, {int(minutes)}, 'MINUTE')"  # the session is in UTC


def _group(by: GroupBy, slot: str) -> str:
    if by == "total":
        # Without GROUP BY an empty window would give one row of nothing; it must give none.
        return "GROUP BY 2" if slot else "HAVING COUNT(*) > 0"
    return "GROUP BY 1, 2" if slot else "GROUP BY 1"


def _order(query: UsageQuery, slot: str) -> str:
    # By position: several aliases are also names of columns, and which of the two wins differs between engines.
    ties = "2, 1 NULLS LAST" if slot else "1 NULLS LAST"
    if query.order_by is None:
        return ties
    if query.order_by not in _RESULTS[query.source]:
        can = ", ".join(_RESULTS[query.source])
        raise BadArgument(f"{query.source} figures cannot be ordered by {query.order_by[:40]!r}.", hint=f"By: {can}.")
    position = _RESULTS[query.source].index(query.order_by) + (3 if slot else 2)
    return f"{position} DESC NULLS LAST, {ties}"


def _limit(limit: int) -> int:
    if not 1 <= limit <= _LONGEST_LIMIT:
        raise BadArgument(f"A limit is 1 to {_LONGEST_LIMIT}.")
    return int(limit)


def _first_midnight(moment: datetime) -> date:
    """The first UTC day that starts at or after `moment`."""
    moment = moment.astimezone(UTC)
    day = moment.date()
    return day if moment == datetime(day.year, day.month, day.day, tzinfo=UTC) else day + timedelta(days=1)


# --- names and coverage -------------------------------------------------------------------------------------------


def names_query(column: FilterColumn, start: datetime, end: datetime, limit: int, visible: Visibility) -> Bound:
    """Distinct values in the window, most used first."""
    params = visible.bindings() | {"start": start, "end": end}
    if column == "service_type":
        return bind("names_services", params, {"limit": str(_limit(limit))})
    return bind("names_queries", params, {"limit": str(_limit(limit)), "key": _column("queries", column)})


def coverage_query(view: View, now: datetime, oldest: datetime, visible: Visibility) -> Bound:
    """First start and newest end of a view's rows."""
    by_day = view.columns[view.start] == "D"
    until = min(now, visible.until(view))
    params = {"oldest": oldest.date() if by_day else oldest, "until": until, "today": until.astimezone(UTC).date()}
    ended = f"COALESCE({view.end}, {view.start}) <= :until"
    # Without an override the row of the day that still runs counts: it is what the view shows.
    day = f"{view.start} < :today" if visible.override is not None else f"{view.start} <= :today"
    parts = {"view": view.name, "start": view.start, "end": view.end, "visible": day if by_day else ended}
    return bind("coverage", params, parts)
