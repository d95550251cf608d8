"""The files of an exported account before they are read: which they are, and what is too much of them.

A folder may come from anywhere. A link could name a file of this machine that the person never meant to load; a small
file may swell to more than the disk holds; a file may change between the look at it and its loading.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import duckdb

from tools.demo.casts import identifier
from tools.demo.load import TABLES, find_file, open_source, table_of
from tools.errors import BadImport

__all__ = [
    "SETTINGS",
    "files_of",
    "is_ours",
    "refuse_changed",
    "refuse_oversized",
    "refuse_swollen_text",
    "states",
]

SETTINGS = "account.toml"
_LARGEST_FILE = 20 * 1024**3
_LARGEST_EXPORT = 60 * 1024**3
_MOST_ROWS = 200_000_000
_MOST_COLUMNS = 2_000
_MOST_VALUES = 6_000_000_000
_MOST_TEXT = 8 * 1024**3
"""Bytes of text in one file as it is loaded. 20 million statements of 400 characters stay below."""
_LONGEST_TEXT = 1024**2
"""Bytes of one value. Snowflake's longest is QUERY_TEXT with 100,000 characters."""

State = tuple[int, int, int]


def files_of(source: Path) -> dict[str, Path]:
    """Every file of the folder that an exported account may have, by name.

    Raises:
        BadImport: no folder, no such file in it, a link or another oddity of such a name, two files for one view.
    """
    if not source.is_dir():
        what = "is not a folder" if source.exists() else "does not exist"
        raise BadImport(f"{what}.", file=str(source), hint="Give the folder that holds the exported files.")
    files = {}
    for path in sorted(source.iterdir()):
        if not is_ours(path.name):
            continue
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise BadImport("is a symbolic link.", file=path.name, hint="Copy the file itself into the folder.")
        if not stat.S_ISREG(mode):
            raise BadImport("is not a regular file.", file=path.name)
        files[path.name] = path
    if not any(table_of(path) for path in files.values()):
        expected = ", ".join(f"{name}.parquet" for name in ("QUERY_HISTORY", "WAREHOUSE_METERING_HISTORY"))
        raise BadImport("holds no file of an exported account.", file=source.name, hint=f"Expected: {expected}, ...")
    for table in TABLES:
        find_file(source, table)
    return files


def is_ours(name: str) -> bool:
    return name == SETTINGS or table_of(Path(name)) is not None


# --- size ------------------------------------------------------------------------------------------------------------


def refuse_oversized(files: Mapping[str, Path]) -> None:
    """
    Raises:
        BadImport: a file, or all together, is larger than is read, as it lies there or as its footer says it unpacks.
    """
    total = 0
    for name, path in files.items():
        size = path.stat().st_size
        total += size
        if size > _LARGEST_FILE or total > _LARGEST_EXPORT:
            raise BadImport(
                f"is too large ({size / 1024**3:.1f} GiB).", file=name, hint="Export a shorter time, e.g. 90 days."
            )
        if path.suffix.lower() == ".parquet":
            _refuse_swollen(path)


def _refuse_swollen(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as stream:
            about = pq.read_metadata(stream)
            unpacked = sum(about.row_group(n).total_byte_size for n in range(about.num_row_groups))
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file system's; Arrow says OSError too, without a number, of a footer that cannot be read
        raise BadImport("is not a readable Parquet file (damaged or cut off?).", file=path.name) from None
    if about.num_rows > _MOST_ROWS:
        raise BadImport(f"holds {about.num_rows:,} rows; at most {_MOST_ROWS:,} are read.", file=path.name)
    if about.num_columns > _MOST_COLUMNS:
        raise BadImport(f"holds {about.num_columns:,} columns; at most {_MOST_COLUMNS:,} are read.", file=path.name)
    if about.num_rows * about.num_columns > _MOST_VALUES or unpacked > _LARGEST_FILE:
        raise BadImport(
            f"unpacks to too much ({about.num_rows:,} rows, {unpacked / 1024**3:.1f} GiB).",
            file=path.name,
            hint="Export a shorter time, e.g. 90 days.",
        )


def refuse_swollen_text(files: Mapping[str, Path]) -> None:
    """A dictionary stores a text once for millions of rows, and neither size nor footer tells: it has to be counted.

    Raises:
        BadImport: one value, or all of a file, is longer than is read.
    """
    with duckdb.connect() as con:
        con.execute("SET memory_limit='1GB'")
        for path in files.values():
            if (table := table_of(path)) is not None and path.suffix.lower() == ".parquet":
                _refuse_long_text(con, table, path)


def _refuse_long_text(con: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    source = open_source(con, table, path)
    if not source.texts:
        return
    length = {"VARCHAR": "strlen", "BLOB": "octet_length"}
    lengths = [f"{length[kind]}({identifier(column)})" for column, kind in source.texts]
    asked = ", ".join(f"max({each}), sum({each})" for each in lengths)
    try:
        found = con.execute(f"SELECT {asked} FROM {source.reader}").fetchone() or ()  # noqa: S608 - identifiers are quoted
    except duckdb.Error:
        return  # loading reads it again, and says what is wrong with it
    longest, together = found[::2], found[1::2]
    for (column, _), size in zip(source.texts, longest, strict=True):
        if (size or 0) > _LONGEST_TEXT:
            raise BadImport(
                f"holds a text of {size:,} bytes; at most {_LONGEST_TEXT:,} are read.", file=path.name, column=column
            )
    if (text := sum(int(n or 0) for n in together)) > _MOST_TEXT:
        raise BadImport(
            f"unpacks to {text / 1024**3:.0f} GiB of text; at most {_MOST_TEXT // 1024**3} are read.", file=path.name
        )


# --- change ----------------------------------------------------------------------------------------------------------


def states(files: Mapping[str, Path]) -> dict[str, State]:
    """Enough of each file to tell whether it is still the same one, unchanged."""
    return {name: _state(path) for name, path in files.items()}


def _state(path: Path) -> State:
    found = os.lstat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns


def refuse_changed(files: Mapping[str, Path], before: Mapping[str, State]) -> None:
    """
    Raises:
        BadImport: a file is not the one, or not as it was, when the import began.
    """
    for name, path in files.items():
        try:
            now = _state(path)
        except OSError:
            now = (0, 0, 0)
        if now != before[name]:
            raise BadImport("was changed while it was being read.", file=name, hint="Import it again.")
