"""`account advance`: the demo account lives on under its present settings, and takes its own place when it is done.

The rows are added to a copy, which is swapped in as a reset is: whoever kills an advance keeps the old account.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.demo import layout
from tools.demo.account import Progress, change_in_place
from tools.demo.account_file import AccountSettings, settings
from tools.errors import BadArgument, Refused, Unreachable

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from tools.demo.generate.history import History

__all__ = ["Advanced", "advance", "duration"]

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LONGEST = timedelta(weeks=52)
_NOT_COPIED = ("server.json", "server.lock", "server.log", "start.lock")


@dataclass(frozen=True)
class Advanced:
    settings: AccountSettings
    was: datetime
    """The account's now before."""
    rows: dict[str, int]
    """View name to rows that were added, where there were any."""


def duration(text: str) -> timedelta:
    """`6h`, `7d` or `2w`.

    Raises:
        BadArgument: anything else, nothing, or more than a year.
    """
    found = re.fullmatch(r"\s*(\d{1,5})\s*([hdw])\s*", text.lower())
    span = int(found.group(1)) * _UNITS[found.group(2)] if found else timedelta(0)
    if not timedelta(0) < span <= _LONGEST:
        raise BadArgument(
            f"{text[:40]!r} is not a time to advance by.", hint="Write 6h, 7d or 2w; 52w is the most at once."
        )
    return span


def advance(
    account_dir: Path,
    by: timedelta,
    *,
    progress: Progress | None = None,
    stop_server: Callable[[], None] | None = None,
    stage: bool = True,
) -> Advanced:
    """Simulate on from the account's now under its present settings, and move its clock.

    Args:
        by: whole hours.
        stop_server: called while nobody may start another one; it must let go of the database.
        stage: have the statements in flight that the tour speaks of at the new now, too.

    Raises:
        Refused: the account is an import: nothing is known of what its people would do next.
        Unreachable: there is no account, or what going on needs is missing or damaged.
    """
    about = settings(account_dir)
    _refuse_import(about, account_dir)
    told: dict[str, int] = {}

    def build(folder: Path) -> None:
        shutil.copytree(account_dir, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        (folder / "account.toml").unlink()
        told.update(_go_on(folder, about, by, progress, stage=stage))

    with _no_new_server(account_dir):
        if stop_server is not None:
            stop_server()
        change_in_place(account_dir, build)
    return Advanced(settings(account_dir), about.now, told)


def _refuse_import(about: AccountSettings, account_dir: Path) -> None:
    from tools.demo.build import SIMULATION

    if about.origin != "demo":
        raise Refused(
            f"{about.name} was imported: what would happen in it next is not known, so its clock cannot be moved.",
            hint="advance works on the demo account: frostline account reset",
        )
    if not (account_dir / SIMULATION).is_file():
        raise Unreachable(
            "This account was built without what going on needs.", hint="Build it anew: frostline account reset"
        )


@contextlib.contextmanager
def _no_new_server(account_dir: Path) -> Any:
    """Whoever wants a server waits until the account has moved on."""
    import os
    import time

    from tools.demo.process import try_lock

    deadline = time.monotonic() + 30
    while (fd := try_lock(account_dir / "start.lock")) is None:
        if time.monotonic() > deadline:
            raise Unreachable("The account's server is being started.", hint="Try again in a moment.")
        time.sleep(0.05)
    try:
        yield
    finally:
        os.close(fd)


# --- the copy -----------------------------------------------------------------------------------------------------


def _go_on(
    folder: Path, about: AccountSettings, by: timedelta, progress: Progress | None, *, stage: bool
) -> dict[str, int]:
    from tools.demo.build import SIMULATION, finish, go_on, open_database
    from tools.demo.generate.history import History

    tell = progress or (lambda done, text: None)
    try:
        history = History.load(folder / SIMULATION)
    except (OSError, ValueError, KeyError, TypeError):
        raise Unreachable("What going on needs is damaged.", hint="Build it anew: frostline account reset") from None
    until = about.now + by
    with open_database(folder) as con:
        before = _counts(con)
        _take_over(con, history)
        history.recent = _recent(con, history)
        go_on(con, history, until, lambda done, text: tell(0.9 * done, text), stage=stage)
        con.execute(f"UPDATE {layout.RAW}.CLOCK SET now = ?", [until])  # noqa: S608 - names are constants
        added = {name: count - before.get(name, 0) for name, count in _counts(con).items()}
        tell(0.9, "writing to disk")
        con.execute("CHECKPOINT")
    history.save(folder / SIMULATION)
    finish(folder, replace(about, now=until))
    tell(1.0, "ready")
    return {name: count for name, count in added.items() if count > 0}


def _counts(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    sql = "SELECT table_name, estimated_size FROM duckdb_tables() WHERE schema_name = ?"
    return {str(name): int(count) for name, count in con.execute(sql, [layout.RAW]).fetchall()}


def _take_over(con: duckdb.DuckDBPyConnection, history: History) -> None:
    """What people changed while the clock stood still."""
    from tools.demo.generate.reconcile import Shown, reconcile

    cursor = con.execute(f"SELECT * FROM {layout.RAW}.WAREHOUSES")  # noqa: S608 - names are constants
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    levels = _concurrency(con)
    shown = [Shown(row, levels.get(int(row["warehouse_id"]), 8)) for row in rows]
    live = con.execute(f"SELECT QUERY_ID FROM {layout.RAW}.LIVE_QUERIES").fetchall()  # noqa: S608
    reconcile(history, shown, frozenset(str(identifier) for (identifier,) in live))


def _concurrency(con: duckdb.DuckDBPyConnection) -> dict[int, int]:
    """MAX_CONCURRENCY_LEVEL by WAREHOUSE_ID, where it is set."""
    known = con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'WAREHOUSE_PARAMETERS'").fetchone()
    if known is None:
        return {}
    sql = f"SELECT warehouse_id, value FROM {layout.RAW}.WAREHOUSE_PARAMETERS WHERE key = 'MAX_CONCURRENCY_LEVEL'"  # noqa: S608
    return {int(identifier): int(value) for identifier, value in con.execute(sql).fetchall()}


def _recent(con: duckdb.DuckDBPyConnection, history: History) -> pa.Table:
    """QUERY_HISTORY rows from before the account's now that some views look back at, as the generator writes them."""
    from tools.demo.generate.days import moment
    from tools.demo.generate.history import RECENT_MS

    sql = (
        f"SELECT * FROM {layout.RAW}.QUERY_HISTORY WHERE END_TIME > ? AND END_TIME <= ? "  # noqa: S608 - constants
        "AND WAREHOUSE_ID IS NOT NULL AND USER_NAME NOT LIKE 'FROSTLINE%' ORDER BY START_TIME"
    )
    return con.sql(sql, params=[moment(history.now - RECENT_MS), moment(history.now)]).to_arrow_table()
