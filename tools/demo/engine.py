"""The account's DuckDB, opened once, locked down, and the only place that writes to it.

Every statement of a session runs on a DuckDB connection of its own (`statement_connection`), so that it can be
interrupted alone. File access, extensions, replacement scans and every setting except TimeZone are shut off
for good before the first session: the guard in `privileges.py` is the first line, this is the second.
"""

from __future__ import annotations

import contextlib
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from fakesnow import info_schema, macros
from fakesnow.instance import FakeSnow

from tools.demo.layout import DATABASE, RAW, create_missing_views, database_file

__all__ = ["DATABASE", "AccountInfo", "Engine"]

_LOCKDOWN = (
    "SET GLOBAL memory_limit='1GB'",
    "SET GLOBAL max_temp_directory_size='4GB'",
    "SET GLOBAL threads=2",
    "SET GLOBAL autoinstall_known_extensions=false",
    "SET GLOBAL autoload_known_extensions=false",
    "SET GLOBAL python_enable_replacements=false",
    "SET GLOBAL enable_external_access=false",
    "SET GLOBAL allowed_configs=['TimeZone']",
    "SET GLOBAL lock_configuration=true",
)


@dataclass(frozen=True)
class AccountInfo:
    """account.toml, as far as the server needs it."""

    name: str
    origin: str
    timezone: str
    edition: str
    hidden_from_reader: frozenset[str]

    @classmethod
    def read(cls, account_dir: Path) -> AccountInfo:
        values = tomllib.loads((account_dir / "account.toml").read_text(encoding="utf-8"))
        return cls(
            name=str(values["name"]),
            origin=str(values.get("origin", "demo")),
            timezone=str(values.get("timezone", "America/Los_Angeles")),
            edition=str(values.get("edition", "enterprise")),
            hidden_from_reader=frozenset(values.get("hidden_from_reader", ())),
        )


class Engine:
    def __init__(self, account_dir: Path) -> None:
        """
        Raises:
            FileNotFoundError: the account has no data yet.
        """
        path = database_file(account_dir)
        if not path.is_file():
            raise FileNotFoundError(f"no data in {path}")
        self.account_dir = account_dir
        self.info = AccountInfo.read(account_dir)
        self._write_lock = threading.Lock()
        self._fake = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False)
        self._root: duckdb.DuckDBPyConnection = self._fake.duck_conn
        quoted = str(path).replace("'", "''")
        self._root.execute(f"ATTACH '{quoted}' AS {DATABASE}")
        self._root.execute(info_schema.per_db_creation_sql(DATABASE))
        self._root.execute(macros.creation_sql(DATABASE))
        with contextlib.closing(self._root.cursor()) as con:
            con.execute(f"SET schema='{DATABASE}.ACCOUNT_USAGE'")
            create_missing_views(con)
        scratch = str(account_dir / "data" / "tmp").replace("'", "''")
        for setting in (f"SET GLOBAL temp_directory='{scratch}'", *_LOCKDOWN):
            self._root.execute(setting)

    def fake_connection(self) -> Any:
        """fakesnow's connection object: its translator reads the current database and schema from it."""
        return self._fake.connect(DATABASE, "ACCOUNT_USAGE")

    def statement_connection(self, timezone: str) -> duckdb.DuckDBPyConnection:
        """A connection for one statement, in the session's time zone (validated when it was set)."""
        con = self._root.cursor()
        con.execute(f"SET TimeZone='{timezone.replace(chr(39), '')}'")
        con.execute(f"SET schema='{DATABASE}.ACCOUNT_USAGE'")
        return con

    def now(self) -> datetime:
        """Account time, aware UTC: the demo's stands still, an import's is its account.toml's."""
        (now,) = self.rows(f"SELECT epoch_us(now) FROM {DATABASE}.{RAW}.CLOCK")[0]  # noqa: S608 - constants
        return datetime.fromtimestamp(now // 1_000_000, UTC).replace(microsecond=now % 1_000_000)

    def rows(self, sql: str, params: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Our own reads; `sql` never holds text from a session."""
        con = self._root.cursor()
        try:
            return con.execute(sql, params).fetchall()
        finally:
            con.close()

    @contextmanager
    def write(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction at a time; committed when the block ends, rolled back when it raises."""
        with self._write_lock:
            con, whole = self._root.cursor(), False
            try:
                con.execute("SET TimeZone='UTC'")
                con.begin()
                yield con
                con.commit()
                whole = True
            finally:
                if not whole:
                    con.rollback()
                con.close()

    def close(self) -> None:
        with contextlib.suppress(duckdb.Error):  # an interrupted statement may still hold a transaction
            self._root.execute(f"CHECKPOINT {DATABASE}")
        self._root.close()
