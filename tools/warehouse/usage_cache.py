"""The result cache of usage figures: hours that are complete are asked of the account once.

What it may keep, and why an answer with it is the one without it:

- Only rows that do not change any more: of slots that ended longer ago than the source's figures settle (`_SETTLED`,
  which is longer than the view's documented latency where a column is later than the view, or where a row belongs to
  the hour in which its statement began and may still be running).
- Figures by slot are kept slot by slot: no sum is ever put together from parts here. Asking for the last 30 days by
  hour an hour later asks the account for that hour and what is not settled yet, in one statement.
- A figure without slots, one with a limit, and a window that cuts a slot in two are kept as a whole, if all of the
  window has settled.
- The key holds account and generation, host, role, user, and the statement's own text: another account, another role
  and another version of Frostline have nothing in common.

Under FROSTLINE_NOW nothing is kept or taken: what is visible then is another account's present.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tools.context import UsageQuery, UsageSource
from tools.warehouse.cache_file import CacheFile, Piece

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["UsageCache"]

Ask = Callable[[UsageQuery], "tuple[pa.Table, str]"]

_HOUR = timedelta(hours=1)
_LONGEST_STATEMENT = timedelta(days=2)
"""STATEMENT_TIMEOUT_IN_SECONDS of an account is 172,800 unless it was lowered."""
_SETTLED: dict[UsageSource, timedelta] = {
    "metering": 6 * _HOUR,  # its cloud-services and attributed columns (reference 1.1, 1.2)
    "services": 12 * _HOUR,  # Snowpipe Streaming
    "billed": 12 * _HOUR,
    "queries": _LONGEST_STATEMENT + _HOUR,
    "attribution": _LONGEST_STATEMENT + 8 * _HOUR,
}
_MANY = 24
"""So many pieces of one answer are put together into one."""


class UsageCache:
    """Answers `UsageQuery`s from a file, asking the account for the rest. Threads may share one."""

    def __init__(self, file: CacheFile, scope: Callable[[], str]) -> None:
        """`scope` says what of the account and identity makes figures comparable; another scope knows nothing."""
        self._file = file
        self._scope = scope

    def tables(self, query: UsageQuery, statement: str, now: datetime, ask: Ask) -> tuple[list[pa.Table], str]:
        """The rows of `query`, in order, and the id of the newest statement behind them.

        Args:
            statement: the SQL text of `query`, which is the same for every window.
            now: account time.
            ask: sends a query to the account.
        """
        grid = timedelta(minutes=query.slot_minutes or 60)
        settled = _floor(now - _SETTLED[query.source], grid)
        key = self._key(query, statement)
        if query.slot_minutes is None or query.limit is not None or query.order_by is not None or _cuts(query, grid):
            return self._whole(key, query, settled, ask)
        return self._by_slot(key, query, settled, ask)

    def close(self) -> None:
        self._file.close()

    def _key(self, query: UsageQuery, statement: str) -> str:
        filters = {name: list(values) for name, values in sorted(query.filters.items())}
        text = json.dumps([query.source, query.slot_minutes, filters, statement])
        return hashlib.sha256(text.encode()).hexdigest()

    def _whole(self, key: str, query: UsageQuery, settled: datetime, ask: Ask) -> tuple[list[pa.Table], str]:
        if query.end > settled or not _whole_seconds(query):
            table, query_id = ask(query)
            return [table], query_id
        scope, key = self._scope(), f"{key}:{query.start.isoformat()}:{query.end.isoformat()}"
        for piece in self._file.pieces(scope, key, query.start, query.end):
            return [piece.table], piece.query_id
        table, query_id = ask(query)
        self._file.put(scope, key, Piece(query.start, query.end, table, query_id))
        return [table], query_id

    def _by_slot(self, key: str, query: UsageQuery, settled: datetime, ask: Ask) -> tuple[list[pa.Table], str]:
        until = max(query.start, min(query.end, settled))
        scope = self._scope()
        known = _side_by_side(self._file.pieces(scope, key, query.start, until), query.start, query.end)
        missing = _missing(known, query.start, query.end)
        if missing is None:
            return [piece.table for piece in known], known[-1].query_id
        start, end = missing
        table, query_id = ask(replace(query, start=start, end=end))
        kept = min(end, until)
        fresh = _clipped(Piece(start, end, table, query_id), start, kept) if start < kept else None
        if fresh is not None:
            self._file.put(scope, key, fresh, instead=True)
        before = [_clipped(piece, piece.start, min(piece.end, start)) for piece in known if piece.start < start]
        after = [_clipped(piece, max(piece.start, end), piece.end) for piece in known if piece.end > end]
        if len(known) >= _MANY:
            self._put_together(scope, key, [*before, *([fresh] if fresh is not None else []), *after])
        return [*(piece.table for piece in before), table, *(piece.table for piece in after)], query_id

    def _put_together(self, scope: str, key: str, pieces: Sequence[Piece]) -> None:
        """One piece for many; where their types differ (the connector sends what fits the data) they stay apart."""
        import pyarrow as pa

        full = [piece.table for piece in pieces if piece.table.num_rows]
        if full and all(table.schema.equals(full[0].schema) for table in full):
            whole = Piece(pieces[0].start, pieces[-1].end, pa.concat_tables(full), pieces[-1].query_id)
            self._file.put(scope, key, whole, instead=True)


def _side_by_side(pieces: Sequence[Piece], start: datetime, end: datetime) -> list[Piece]:
    """Within [start, end) and without overlaps, which two processes that asked at the same time leave behind."""
    found: list[Piece] = []
    at = start
    for piece in pieces:
        begins, ends = max(piece.start, at), min(piece.end, end)
        if begins < ends:
            found.append(_clipped(piece, begins, ends))
            at = ends
    return found


def _missing(known: Sequence[Piece], start: datetime, end: datetime) -> tuple[datetime, datetime] | None:
    """From the first to the last moment of [start, end) that no piece covers: one statement asks for all of it."""
    gaps: list[tuple[datetime, datetime]] = []
    at = start
    for piece in known:
        if piece.start > at:
            gaps.append((at, piece.start))
        at = piece.end
    if at < end:
        gaps.append((at, end))
    return (gaps[0][0], gaps[-1][1]) if gaps else None


def _clipped(piece: Piece, start: datetime, end: datetime) -> Piece:
    """The part of a piece in [start, end): the rows whose slot starts there."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = piece.table
    if (start, end) == (piece.start, piece.end) or not table.num_rows:
        return replace(piece, start=start, end=end)
    slot = table.column("SLOT")
    first, last = (pa.scalar(t if slot.type.tz else t.replace(tzinfo=None), type=slot.type) for t in (start, end))
    rows = table.filter(pc.and_(pc.greater_equal(slot, first), pc.less(slot, last)))
    return Piece(start, end, rows, piece.query_id)


def _floor(moment: datetime, grid: timedelta) -> datetime:
    """The last boundary of the grid; slots divide a UTC day."""
    moment = moment.astimezone(UTC)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return day + (moment - day) // grid * grid


def _cuts(query: UsageQuery, grid: timedelta) -> bool:
    return any(_floor(moment, grid) != moment for moment in (query.start, query.end))


def _whole_seconds(query: UsageQuery) -> bool:
    """The file keeps seconds."""
    return query.start.microsecond == 0 == query.end.microsecond
