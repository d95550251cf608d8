"""What the SHOW commands have in common: LIKE, STARTS WITH, LIMIT ... FROM, and tables of the documented columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tools.demo.lexer import Reader
from tools.demo.sqlerrors import syntax

__all__ = ["Filter", "like_pattern", "table"]

_MOST_ROWS = 10_000
_EARLIEST, _LATEST = -62_135_596_800_000_000, 253_402_300_799_999_999
_ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
}


@dataclass
class Filter:
    """The clauses that a SHOW command may carry; `read` takes those that stand next."""

    like: str | None = None
    starts: str | None = None
    limit: int = _MOST_ROWS
    after: str | None = None

    def read(self, reader: Reader) -> None:
        """LIKE before an IN, the others after it; each at most once, in this order.

        Raises:
            SqlError: 001003, what follows a clause is not what it takes.
        """
        if reader.take("LIKE"):
            self.like = reader.next("string").value
        if reader.take("STARTS", "WITH"):
            self.starts = reader.next("string").value
        if reader.take("LIMIT"):
            text = reader.next("number").value
            if not text.isdigit() or int(text) > _MOST_ROWS:
                raise syntax(f"LIMIT takes a whole number of at most {_MOST_ROWS}.")
            self.limit = int(text)
            if reader.take("FROM"):
                self.after = reader.next("string").value

    def of(self, rows: Iterable[Mapping[str, Any]], key: str = "name") -> list[Mapping[str, Any]]:
        pattern = like_pattern(self.like) if self.like is not None else None
        kept = [
            row
            for row in rows
            if (pattern is None or pattern.fullmatch(str(row[key])))
            and (self.starts is None or str(row[key]).startswith(self.starts))
            and (self.after is None or str(row[key]) > self.after)
        ]
        return kept[: self.limit]


def like_pattern(like: str) -> re.Pattern[str]:
    """SHOW ... LIKE: case-insensitive, % and _ as wildcards, a backslash before one that is meant."""
    parts = {"%": ".*", "_": "."}
    found = re.findall(r"\\.|.", like, flags=re.DOTALL)
    regex = "".join(parts.get(p) or re.escape(p[1:] if len(p) == 2 else p) for p in found)
    return re.compile(regex, re.IGNORECASE | re.DOTALL)


def table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> pa.Table:
    """Rows as Arrow; times are microseconds since 1970, NULL where the years 1 to 9999 do not hold them."""
    rows = list(rows)
    arrays = []
    for name, kind in columns.items():
        values = [row.get(name) for row in rows]
        if kind == "TIMESTAMPTZ":
            values = [v if v is not None and _EARLIEST <= v <= _LATEST else None for v in values]
        stored = pa.int64() if kind == "TIMESTAMPTZ" else _ARROW[kind]
        arrays.append(pa.array(values, type=stored).cast(_ARROW[kind]))
    return pa.Table.from_arrays(arrays, names=list(columns))
