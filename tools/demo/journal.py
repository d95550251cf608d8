"""The sessions' own statements on their way into QUERY_HISTORY, so that what Frostline itself costs can be counted.

Account time stands still, so a statement ends at the account's now and has begun as long before as it took: its row
lies in the past that is written already, and what `account advance` writes begins after it. Rows wait in memory and
are written many at once: before anybody calls the function, when there are many, in a quiet moment, at the end.

An imported account is left alone: nothing that is run here was run on the account it is an export of, and its views
show all they hold, so that every question would change what the next one finds.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from tools.demo.engine import DATABASE, Engine
from tools.demo.layout import RAW
from tools.demo.lexer import pieces
from tools.demo.session import Session, Statement
from tools.demo.sqlerrors import SqlError

__all__ = ["Journal", "query_type", "reads_history"]

_LOG = logging.getLogger("frostline.demo")
_MOST_WAITING = 64
_LONGEST_TEXT, _LONGEST_ERROR = 100_000, 5_000
_CLOUD_SERVICES_RATE = 4.4
"""Credits for an hour of compiling (reference 2.5)."""
_RELEASE = "9.14.2"
_FUNCTION = re.compile(r"QUERY_HISTORY(_BY_[A-Z]+)?[\"\s]*\(", re.IGNORECASE)
_STAMP = pa.timestamp("us", tz="UTC")
_TYPES = {"START_TIME": _STAMP, "END_TIME": _STAMP, "IS_CLIENT_GENERATED_STATEMENT": pa.bool_()}
_FLOATS = frozenset({"CREDITS_USED_CLOUD_SERVICES", "PERCENTAGE_SCANNED_FROM_CACHE"})
_TEXTS = frozenset(
    {
        *("QUERY_ID", "QUERY_TEXT", "DATABASE_NAME", "SCHEMA_NAME", "QUERY_TYPE", "USER_NAME", "ROLE_NAME"),
        *("WAREHOUSE_NAME", "WAREHOUSE_SIZE", "WAREHOUSE_TYPE", "QUERY_TAG", "EXECUTION_STATUS", "ERROR_CODE"),
        *("ERROR_MESSAGE", "RELEASE_VERSION", "ROLE_TYPE", "QUERY_HASH", "QUERY_PARAMETERIZED_HASH", "USER_TYPE"),
    }
)
_ALTER_WAREHOUSE = {"SUSPEND": "ALTER_WAREHOUSE_SUSPEND", "RESUME": "ALTER_WAREHOUSE_RESUME"}
_READ = {"SELECT": "SELECT", "WITH": "SELECT", "(": "SELECT", "DESC": "DESCRIBE", "BEGIN": "BEGIN_TRANSACTION"}


def reads_history(sql: str) -> bool:
    """Whether the text calls the function. The view need not wait for rows that its latency hides anyway."""
    return _FUNCTION.search(sql) is not None


def query_type(sql: str) -> str:
    """QUERY_TYPE as Snowflake prints it for what this account runs (values of ALTER WAREHOUSE: from memory)."""
    words = [text.upper() for kind, text in pieces(sql) if kind != "skip"][:40]
    first = words[0] if words else ""
    if words[:2] == ["ALTER", "SESSION"]:
        return "ALTER_SESSION"
    if words[:2] == ["ALTER", "WAREHOUSE"]:
        return next((_ALTER_WAREHOUSE[word] for word in words[2:6] if word in _ALTER_WAREHOUSE), "ALTER")
    if first in _READ:
        return _READ[first]
    return first if first in ("SHOW", "USE", "DESCRIBE", "ALTER", "CREATE", "DROP", "COMMIT", "ROLLBACK") else "UNKNOWN"


class Journal:
    """Rows of QUERY_HISTORY that are not written yet, and the writing of them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()

    def add(self, session: Session, statement: Statement, table: pa.Table | None, error: SqlError | None) -> None:
        """Take note of a statement that has just ended, whether it gave a result or an error."""
        if self._engine.info.origin == "imported":
            return
        row = _row(session, statement, table, error, time.monotonic())
        with self._lock:
            self._waiting.append(row)
            many = len(self._waiting) >= _MOST_WAITING
        if many:
            self.flush()

    def flush(self) -> None:
        """Write what waits; when this returns, everything that was added before is written.

        A failure loses the rows and is logged: the statements themselves have been answered.
        """
        with self._writing:
            with self._lock:
                rows, self._waiting = self._waiting, []
            if not rows:
                return
            try:
                self._write(rows)
            except (duckdb.Error, OSError):
                _LOG.exception("%d rows of QUERY_HISTORY were not written", len(rows))

    def _write(self, rows: list[dict[str, Any]]) -> None:
        now = self._engine.now()
        for row in rows:
            row |= _times(row.pop("elapsed"), row.pop("compiling"), now, running=row["WAREHOUSE_SIZE_WANTED"])
        fields = [pa.field(name, _type(name)) for name in rows[0] if name != "WAREHOUSE_SIZE_WANTED"]
        own = pa.Table.from_pylist(rows, schema=pa.schema([*fields, pa.field("WAREHOUSE_SIZE_WANTED", pa.bool_())]))
        names = ", ".join(field.name for field in fields)
        with self._engine.write() as con:
            con.register("FROSTLINE_OWN", own)
            con.execute(
                f"INSERT INTO {DATABASE}.{RAW}.QUERY_HISTORY ({names}, WAREHOUSE_ID, WAREHOUSE_SIZE, WAREHOUSE_TYPE, "  # noqa: S608 - constants
                f"CLUSTER_NUMBER) SELECT {names}, w.warehouse_id, CASE WHEN WAREHOUSE_SIZE_WANTED THEN "
                "CASE upper(w.type) WHEN 'ADAPTIVE' THEN 'ADAPTIVE' ELSE w.size END END, w.type, "
                "CASE WHEN WAREHOUSE_SIZE_WANTED THEN 1 END "
                f"FROM FROSTLINE_OWN o LEFT JOIN {DATABASE}.{RAW}.WAREHOUSES w ON w.name = o.WAREHOUSE_NAME"
            )
            con.unregister("FROSTLINE_OWN")


def _row(
    session: Session, statement: Statement, table: pa.Table | None, error: SqlError | None, ended: float
) -> dict[str, Any]:
    compiled = statement.compiled if statement.compiled is not None else ended
    exact, loose = _hashes(statement.text)
    return {
        "QUERY_ID": statement.query_id,
        "QUERY_TEXT": statement.text[:_LONGEST_TEXT],
        "DATABASE_NAME": session.database,
        "SCHEMA_NAME": session.schema,
        "QUERY_TYPE": query_type(statement.text),
        "SESSION_ID": session.id,
        "USER_NAME": session.identity.user,
        "ROLE_NAME": session.identity.role,
        "WAREHOUSE_NAME": statement.warehouse,
        "WAREHOUSE_SIZE_WANTED": bool(statement.computes and statement.warehouse),
        "QUERY_TAG": session.parameters["QUERY_TAG"],
        "EXECUTION_STATUS": "FAIL" if error else "SUCCESS",
        "ERROR_CODE": f"{error.errno:06d}" if error else None,
        "ERROR_MESSAGE": error.message[:_LONGEST_ERROR] if error else None,
        "ROWS_PRODUCED": table.num_rows if table is not None else None,
        "BYTES_WRITTEN_TO_RESULT": table.nbytes if table is not None else 0,
        "RELEASE_VERSION": _RELEASE,
        "IS_CLIENT_GENERATED_STATEMENT": statement.internal,
        "ROLE_TYPE": "ROLE",
        "QUERY_HASH": exact,
        "QUERY_HASH_VERSION": 2,
        "QUERY_PARAMETERIZED_HASH": loose,
        "QUERY_PARAMETERIZED_HASH_VERSION": 1,
        "USER_TYPE": "SERVICE",
        "elapsed": max(1, round((ended - statement.started) * 1000)),
        "compiling": max(1, round((compiled - statement.started) * 1000)),
    }


def _times(elapsed: int, compiling: int, now: datetime, *, running: bool) -> dict[str, Any]:
    """It ended at the account's now. What did not run on a warehouse was done by the cloud services alone."""
    compiling = min(compiling, elapsed)
    zeros = ("QUEUED_PROVISIONING_TIME", "QUEUED_REPAIR_TIME", "QUEUED_OVERLOAD_TIME", "TRANSACTION_BLOCKED_TIME")
    return {
        "START_TIME": now - timedelta(milliseconds=elapsed),
        "END_TIME": now,
        "TOTAL_ELAPSED_TIME": elapsed,
        "COMPILATION_TIME": compiling,
        "EXECUTION_TIME": elapsed - compiling,
        "CREDITS_USED_CLOUD_SERVICES": (compiling if running else elapsed) / 3_600_000 * _CLOUD_SERVICES_RATE,
        **dict.fromkeys(zeros, 0),
    }


def _type(name: str) -> pa.DataType:
    if name in _TYPES:
        return _TYPES[name]
    return pa.string() if name in _TEXTS else pa.float64() if name in _FLOATS else pa.int64()


def _hashes(sql: str) -> tuple[str, str]:
    """QUERY_HASH and QUERY_PARAMETERIZED_HASH: equal for texts that are equal, or equal but for their literals."""
    parts = [
        (kind, text if kind in ("string", "quoted") else text.upper()) for kind, text in pieces(sql[:_LONGEST_TEXT])
    ]
    words = [(kind, text) for kind, text in parts if kind != "skip"]
    exact = " ".join(text for _, text in words)
    loose = " ".join("?" if kind in ("string", "number") else text for kind, text in words)
    return _hash(exact), _hash(re.sub(r"\?( , \?)+", "?", loose))


def _hash(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
