"""Write the account as an exported one: a folder that `account import` takes, here or on another machine.

The format is design.md's: one Parquet file per view, those of `layout.BESIDE`, and account.toml. What a view's
latency hides at the account's now is not in it, since its owner could not see it either. The folder appears whole or
not at all: files are written beside it and renamed into place. The account's server is stopped only for as long as
its database takes to copy.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from tools.demo import layout
from tools.demo.account import held
from tools.demo.account_file import AccountSettings, settings, toml_text
from tools.demo.load import Progress, quiet
from tools.demo.monitors import monitors, read_by, take_stock
from tools.demo.process import stop_server, try_lock
from tools.errors import BadArgument, Unreachable
from tools.warehouse.views import ALL_VIEWS, VIEWS

__all__ = ["Exported", "export_account"]

_PATIENCE = 20.0
_COPYING = 0.2
"""Share of the time that the copy takes."""


@dataclass(frozen=True)
class Exported:
    settings: AccountSettings
    folder: Path
    rows: dict[str, int]
    """By file, in the order they were written."""
    bytes: int


def export_account(account_dir: Path, target: Path, progress: Progress = quiet) -> Exported:
    """Write the account in `account_dir` to `target`, a folder that does not exist yet or is empty.

    Raises:
        BadArgument: the target cannot be used or written to.
        Unreachable: there is no account, or its server does not let go of it.
    """
    account_dir, target = account_dir.resolve(), target.expanduser().resolve()
    settings(account_dir)
    _check(target, account_dir)
    try:
        with _beside(target) as work:
            progress(0.0, "copying the account")
            with held(account_dir):
                about = settings(account_dir)
                _copy_database(account_dir, work)
            rows = _write(work, about, progress)
            written = sum(path.stat().st_size for path in work.iterdir())
            _into_place(work, target)
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "the disk may be full"
        raise BadArgument(f"{target} cannot be written: {reason}.", hint="Name a folder of your own.") from error
    progress(1.0, "exported")
    return Exported(about, target, rows, written)


def _check(target: Path, account_dir: Path) -> None:
    home = account_dir.parent
    if target == home or home in target.parents or target in home.parents:
        raise BadArgument(f"{target} belongs to the account itself.", hint="Name a folder outside of it.")
    if not target.exists():
        return
    if not target.is_dir():
        raise BadArgument(f"{target} is not a folder.", hint="Name a folder that does not exist yet.")
    try:
        full = any(target.iterdir())
    except OSError as error:
        raise BadArgument(f"{target} cannot be read: {error.strerror}.") from None
    if full:
        raise BadArgument(f"{target} is not empty.", hint="Name a folder that does not exist yet, or an empty one.")


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A fresh folder on the target's own disk; gone afterwards, unless it was renamed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    work = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    work.mkdir(mode=0o700)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _into_place(work: Path, target: Path) -> None:
    for path in work.iterdir():
        path.chmod(0o600)
    try:
        os.replace(work, target)  # takes the place of an empty folder, and of nothing else
    except OSError as error:
        raise BadArgument(f"{target} is not empty any more.", hint="Name a folder that nobody else uses.") from error


# --- the database ----------------------------------------------------------------------------------------------------


def _copy_database(account_dir: Path, work: Path) -> None:
    source = layout.database_file(account_dir)
    if not source.is_file():
        raise Unreachable(f"The account in {account_dir} has no data.", hint="Build it: frostline account reset")
    with _no_server(account_dir):
        for path in (source, source.with_name(source.name + ".wal")):
            if path.exists():
                shutil.copyfile(path, work / path.name)


@contextmanager
def _no_server(account_dir: Path) -> Iterator[None]:
    """The account's server is stopped and cannot start: its lock is ours. Who asks for one meanwhile waits."""
    deadline = time.monotonic() + _PATIENCE
    lock = account_dir / "server.lock"
    stop_server(account_dir)
    while (descriptor := try_lock(lock)) is None:
        if time.monotonic() > deadline:
            raise Unreachable(f"The server of the account in {account_dir} does not let go of it.", hint="Try again.")
        stop_server(account_dir)
        time.sleep(0.05)
    try:
        os.ftruncate(descriptor, 0)  # its text names the server's process, and this one is none
        yield
    finally:
        os.close(descriptor)


def _write(work: Path, about: AccountSettings, progress: Progress) -> dict[str, int]:
    database = work / layout.database_file(work).name
    rows: dict[str, int] = {}
    with duckdb.connect(str(database)) as con:
        con.execute("SET TimeZone='UTC'")
        con.execute("SET memory_limit='1GB'")
        con.execute("SET autoinstall_known_extensions=false")
        layout.create_missing_views(con)
        take_stock(con, about.now, imported=about.origin == "imported")
        selects = _selects(con, about.now)
        counts = {name: _count(con, sql) for name, sql in selects.items()}
        # The views that Frostline's questions read are always there: "no rows" is then known, and not "no file".
        wanted = [name for name, count in counts.items() if count or name in VIEWS or name == "WAREHOUSES"]
        done, total = 0, sum(counts[name] + 1 for name in wanted)
        for name in wanted:
            progress(_COPYING + (1 - _COPYING) * done / total, f"writing {name}")
            file = str(work / f"{name}.parquet").replace("'", "''")
            con.execute(f"COPY ({selects[name]}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
            rows[name] = counts[name]
            done += counts[name] + 1
    for leftover in work.glob(f"{database.name}*"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    (work / "account.toml").write_text(_settings_text(about), encoding="utf-8")
    return rows


def _selects(con: duckdb.DuckDBPyConnection, now: datetime) -> dict[str, str]:
    """What goes into each file, as SQL: the tables beside the views, and the views as they show themselves."""
    found = {name: f"SELECT * FROM {layout.RAW}.{name}" for name in layout.BESIDE}  # noqa: S608 - constants
    found["MONITORS"] = _monitors(con, now)
    for view in ALL_VIEWS.values():
        columns = ", ".join(
            f'CAST("{c}" AS VARCHAR) AS "{c}"' if kind in ("A", "VAR") else f'"{c}"' for c, kind in view.columns.items()
        )
        found[view.name] = f"SELECT {columns} FROM {layout.USAGE}.{view.name}"  # noqa: S608 - constants
    return found


def _monitors(con: duckdb.DuckDBPyConnection, now: datetime) -> str:
    """Resource monitors with what they have counted: the metering that goes with them ends before now."""
    con.execute("CREATE TEMP TABLE counted (name VARCHAR, used DOUBLE)")
    for monitor in monitors(read_by(con), now):
        con.execute("INSERT INTO counted VALUES (?, ?)", [monitor.name, monitor.used])
    return (
        "SELECT m.* REPLACE (c.used AS used_as_given) "  # noqa: S608 - constants
        f"FROM {layout.RAW}.MONITORS m JOIN counted c USING (name)"
    )


def _count(con: duckdb.DuckDBPyConnection, sql: str) -> int:
    found = con.execute(f"SELECT count(*) FROM ({sql})").fetchone()  # noqa: S608 - constants
    return int(found[0]) if found else 0


def _settings_text(about: AccountSettings) -> str:
    keep = ("name", "now", "edition", "timezone", "credit_price", "hidden_from_reader")
    values: dict[str, Any] = {key: getattr(about, key) for key in keep}
    return toml_text(values)
