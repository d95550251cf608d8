"""Take over an exported account: look at every file first, build aside, swap.

The format (design.md, section 4): a folder with one Parquet or CSV file per view, named after it, `WAREHOUSES`
in the shape of SHOW WAREHOUSES, and `account.toml` with now, edition, timezone, credit_price (and, if wanted,
name). Whatever cannot be used is refused in one clear error that names file, column and row, and the old account
stays as it was. What is merely unknown or absent is told in the notes.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from tools.demo import layout
from tools.demo.account import replace_account
from tools.demo.account_file import AccountSettings, settings
from tools.demo.build import finish
from tools.demo.import_files import (
    SETTINGS,
    files_of,
    is_ours,
    refuse_changed,
    refuse_oversized,
    refuse_swollen_text,
    states,
)
from tools.demo.load import TABLES, Progress, find_file, load, open_source, quiet, table_of
from tools.errors import BadImport
from tools.warehouse.views import ALL_VIEWS, FURTHER_VIEWS

__all__ = ["EDITIONS", "Imported", "import_account"]

EDITIONS = ("STANDARD", "ENTERPRISE", "BUSINESS_CRITICAL", "VPS")

_OPTIONAL = frozenset({*layout.BESIDE, *FURTHER_VIEWS}) - {"WAREHOUSES"}
"""What an export may lack without a word: no answer of Frostline's rests on it."""
_LARGEST_SETTINGS = 16 * 1024
_LONGEST_NAME = 255
_HIGHEST_PRICE = 10_000.0
_FIRST_YEAR, _LAST_YEAR = 2012, 2100


@dataclass(frozen=True)
class Imported:
    settings: AccountSettings
    rows: dict[str, int]
    """By table, of those that the export holds."""
    notes: tuple[str, ...]
    """What was ignored or is absent, for people."""


def import_account(
    source: Path,
    account_dir: Path,
    progress: Progress = quiet,
    *,
    before_swap: Callable[[], None] | None = None,
) -> Imported:
    """Make the export in `source` the account in `account_dir`.

    Args:
        before_swap: called when everything is checked and built, before the old account gives way: stop its
            server there.

    Raises:
        BadImport: something in the export cannot be used; the old account is untouched.
    """
    try:
        return _import(source, account_dir, progress, before_swap)
    except OSError as error:
        raise _unreadable(source, error) from None


def _unreadable(source: Path, error: OSError) -> BadImport:
    """What the file system says of the export; of anything else it is no business of the import's."""
    name = error.filename if isinstance(error.filename, str | bytes) else None
    path = Path(os.fsdecode(name)) if name else None
    if path is None or (path != source and source not in path.parents):
        raise error
    why = {PermissionError: "may not be read", FileNotFoundError: "is not there any more"}
    said = why.get(type(error), f"cannot be read: {error.strerror}")
    return BadImport(f"{said}.", file=path.name, hint="Give yourself the right to read the whole folder.")


def _import(source: Path, account_dir: Path, progress: Progress, before_swap: Callable[[], None] | None) -> Imported:
    files = files_of(source)
    about = _settings(files, source)
    before = states(files)
    refuse_oversized(files)
    notes = _notes(files, source)
    rows: dict[str, int] = {}

    def build(folder: Path) -> None:
        refuse_swollen_text(files)
        load(source, folder / "data", now=about.now, enforce_latency=False, progress=progress)
        with duckdb.connect(str(layout.database_file(folder))) as con:
            con.execute("SET TimeZone='UTC'")
            _check_warehouses(con, files)
            rows.update(_counts(con, files))
            notes.extend(_late_rows(con, about.now))
        refuse_changed(files, before)
        finish(folder, about)

    replace_account(account_dir, build, before_swap)
    return Imported(settings(account_dir), rows, tuple(notes))


def _notes(files: dict[str, Path], source: Path) -> list[str]:
    """What the export holds beyond what is read, and what it lacks; opens every file, reads no rows."""
    notes = [f"{path.name}: not part of an exported account, ignored" for path in sorted(source.iterdir())
             if not is_ours(path.name)]  # fmt: skip
    with duckdb.connect() as con:
        for table in TABLES:
            path = find_file(source, table)
            if path is None:
                if table not in _OPTIONAL:
                    notes.append(f"{table}: not in the export, empty")
                continue
            opened = open_source(con, table, files[path.name])
            if opened.unknown:
                notes.append(f"{path.name}: unknown columns ignored: {_listed(opened.unknown)}")
            if table == "WAREHOUSES" and "name" in opened.absent:
                raise BadImport("is missing.", file=path.name, column="name")
            absent = [column for column in opened.absent if column != "warehouse_id"]
            if absent:
                notes.append(f"{path.name}: columns not in the file, left empty: {_listed(absent)}")
    return notes


def _listed(names: list[str] | tuple[str, ...], most: int = 12) -> str:
    shown = ", ".join(name[:80] for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


# --- account.toml ----------------------------------------------------------------------------------------------------


def _settings(files: dict[str, Path], source: Path) -> AccountSettings:
    if SETTINGS not in files:
        raise BadImport(
            "is missing.", file=SETTINGS, hint="It holds now, edition, timezone and credit_price of the account."
        )
    path = files[SETTINGS]
    if path.stat().st_size > _LARGEST_SETTINGS:
        raise BadImport("is too large to be one.", file=SETTINGS)
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:  # TOML's own, bytes that are no text, numbers of 5000 digits
        line = re.search(r"line (\d+)", str(error))
        raise BadImport("is not valid TOML.", file=SETTINGS, row=int(line.group(1)) if line else None) from None
    about = AccountSettings(
        name=_name(values, source),
        origin="imported",
        now=_now(values),
        timezone=_timezone(values),
        edition=_edition(values),
        credit_price=_price(values),
    )
    return replace(about, hidden_from_reader=_hidden(values))


def _wrong(key: str, why: str, hint: str | None = None) -> BadImport:
    return BadImport(why, file=SETTINGS, column=key, hint=hint)


def _required(values: dict[str, Any], key: str) -> Any:
    if key not in values:
        raise _wrong(key, "is missing.")
    return values[key]


def _name(values: dict[str, Any], source: Path) -> str:
    name = values.get("name", source.resolve().name or "imported")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise _wrong("name", "is not a name.")
    return name.strip()


def _now(values: dict[str, Any]) -> datetime:
    value = _required(values, "now")
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime):
        raise _wrong("now", "is not a time.", hint="Write it like 2026-11-18T17:20:00Z; without an offset it is UTC.")
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise _wrong("now", f"lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}.")
    return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).astimezone(UTC)


def _timezone(values: dict[str, Any]) -> str:
    name = _required(values, "timezone")
    try:
        return ZoneInfo(name).key
    except (LookupError, ValueError, TypeError, OSError, AttributeError):
        raise _wrong("timezone", "is not a time zone.", hint="Use an IANA name, e.g. America/Los_Angeles.") from None


def _edition(values: dict[str, Any]) -> str:
    edition = _required(values, "edition")
    word = re.sub(r"[\s-]+", "_", edition.strip()).upper() if isinstance(edition, str) else ""
    if word not in EDITIONS:
        raise _wrong("edition", "is not an edition.", hint="Editions: " + ", ".join(EDITIONS))
    return word


def _price(values: dict[str, Any]) -> float:
    price = _required(values, "credit_price")
    if isinstance(price, bool) or not isinstance(price, int | float):
        raise _wrong("credit_price", "is not a number.")
    if not 0 < price <= _HIGHEST_PRICE or not math.isfinite(price):
        raise _wrong("credit_price", f"is not a price: above 0 and at most {_HIGHEST_PRICE:,.0f} USD.")
    return float(price)


def _hidden(values: dict[str, Any]) -> tuple[str, ...]:
    hidden = values.get("hidden_from_reader", [])
    if not isinstance(hidden, list) or not all(isinstance(name, str) for name in hidden):
        raise _wrong("hidden_from_reader", "is not a list of warehouse names.")
    return tuple(hidden)


# --- rows ------------------------------------------------------------------------------------------------------------


def _check_warehouses(con: duckdb.DuckDBPyConnection, files: dict[str, Path]) -> None:
    """Every warehouse has a name, and no two the same: changes are addressed by it."""
    file = next((name for name, path in files.items() if table_of(path) == "WAREHOUSES"), None)
    if file is None:
        return
    names = [row[0] for row in con.execute(f"SELECT name FROM {layout.RAW}.WAREHOUSES ORDER BY rowid").fetchall()]  # noqa: S608
    seen: set[str] = set()
    for number, name in enumerate(names, start=1):
        if name is None or not name.strip():
            raise BadImport("is empty.", file=file, column="name", row=number)
        if len(name) > _LONGEST_NAME:
            raise BadImport(f"is longer than {_LONGEST_NAME} characters.", file=file, column="name", row=number)
        if name in seen:
            raise BadImport(f"{name[:80]!r} stands twice.", file=file, column="name", row=number)
        seen.add(name)


def _counts(con: duckdb.DuckDBPyConnection, files: dict[str, Path]) -> dict[str, int]:
    present = {table_of(path) for path in files.values()}
    found = {}
    for table in TABLES:
        if table in present:
            row = con.execute(f"SELECT count(*) FROM {layout.RAW}.{table}").fetchone()  # noqa: S608
            found[table] = int(row[0]) if row else 0
    return found


def _late_rows(con: duckdb.DuckDBPyConnection, now: datetime) -> list[str]:
    notes = []
    for item in (view for view in ALL_VIEWS.values() if view.start):
        sql = f'SELECT count(*) FROM {layout.RAW}.{item.name} WHERE "{item.start}" > ?'  # noqa: S608
        row = con.execute(sql, [now]).fetchone()
        if row and row[0]:
            notes.append(f"{item.name}: {row[0]} rows start after the account's now")
    return notes
