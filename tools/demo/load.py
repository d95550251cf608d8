"""A folder of Parquet or CSV files (the exported-account format) into a fresh SNOWFLAKE.db.

One file per view, named after it, plus those of `layout.BESIDE`: WAREHOUSES (the shape of SHOW WAREHOUSES), statements
in flight, tasks, resource monitors. Missing files stay empty tables, missing columns NULL, unknown columns are
ignored. DuckDB reads and casts; every value that cannot become the column's type is refused with its file, column
and row. Used for the generated account and for imported ones alike.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from tools.demo import layout
from tools.demo.casts import Cast, cast, identifier, literal
from tools.errors import BadImport
from tools.warehouse.views import ALL_VIEWS

__all__ = ["FORMATS", "TABLES", "Progress", "Source", "find_file", "load", "open_source", "quiet", "table_of"]

Progress = Callable[[float, str], None]
"""Share done (0 to 1), and what is being done, for people."""

FORMATS = (".parquet", ".csv")
TABLES: tuple[str, ...] = (*layout.BESIDE, *ALL_VIEWS)

_LONGEST_HEADER = 1024 * 1024
_LARGEST_FIELD = 16 * 1024 * 1024


def quiet(done: float, text: str) -> None:
    """A progress callback for callers that show none."""


@dataclass(frozen=True)
class Source:
    """One file of the folder, opened: how its rows are read and which columns it holds."""

    table: str
    path: Path
    reader: str
    casts: tuple[Cast, ...]
    unknown: tuple[str, ...]
    """Columns that no table of ours has."""
    absent: tuple[str, ...]
    """Columns of the table that the file does not hold."""
    texts: tuple[tuple[str, str], ...]
    """Columns of the file that are read and hold text: name, and VARCHAR or BLOB."""


def load(
    folder: Path,
    data_dir: Path,
    *,
    now: datetime,
    enforce_latency: bool,
    progress: Progress = quiet,
) -> None:
    """Build `data_dir`/SNOWFLAKE.db from the files in `folder`.

    Args:
        now: account time; with `enforce_latency` the views hide what would not be visible then.

    Raises:
        BadImport: a file cannot be read, or holds a value of the wrong type.
        FileExistsError: there is a database already.
    """
    target = layout.database_file(data_dir.parent) if data_dir.name == "data" else data_dir / "SNOWFLAKE.db"
    if target.exists():
        raise FileExistsError(str(target))
    data_dir.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(target)) as con:
        _prepare(con)
        layout.create_schema(con)
        con.execute(f"INSERT INTO {layout.RAW}.CLOCK VALUES (?, ?)", [now, enforce_latency])  # noqa: S608
        present = [(table, file) for table in TABLES if (file := find_file(folder, table)) is not None]
        weights = [file.stat().st_size + 1 for _, file in present]
        for n, (table, file) in enumerate(present):
            progress(0.9 * sum(weights[:n]) / sum(weights), f"loading {table}")
            _insert(con, open_source(con, table, file))
        _number_warehouses(con)
        progress(0.9, "writing to disk")
        con.execute("CHECKPOINT")
    progress(1.0, "loaded")


def _prepare(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("SET TimeZone='UTC'")
    con.execute("SET memory_limit='1GB'")
    con.execute("SET autoinstall_known_extensions=false")


def find_file(folder: Path, table: str) -> Path | None:
    """The table's file, whatever the case of its name, or None.

    Raises:
        BadImport: there is more than one.
    """
    found = sorted(path for path in folder.iterdir() if table_of(path) == table)
    if len(found) > 1:
        raise BadImport(
            f"stands beside {found[1].name}; it is not clear which one counts.",
            file=found[0].name,
            hint="Remove one of the two.",
        )
    return found[0] if found else None


def table_of(path: Path) -> str | None:
    """The table that a file of this name holds, or None."""
    known = path.suffix.lower() in FORMATS and path.stem.upper() in TABLES
    return path.stem.upper() if known else None


# --- what a file holds ---------------------------------------------------------------------------------------


def open_source(con: duckdb.DuckDBPyConnection, table: str, file: Path) -> Source:
    """Look at a file's columns and decide how each is read; reads no rows.

    Raises:
        BadImport: not a Parquet or CSV file, or two columns of one name.
    """
    reader = _reader(file)
    wanted = _wanted(table)
    names = {name.casefold(): name for name in wanted}
    found: dict[str, tuple[str, str]] = {}
    unknown = []
    for column, kind in _columns(con, file, reader):
        target = names.get(column.casefold())
        if target is None:
            unknown.append(column)
        else:
            found[target] = (column, kind)
    casts = tuple(cast(target, wanted[target], *found[target]) for target in wanted if target in found)
    absent = tuple(column for column in wanted if column not in found)
    texts = tuple((column, kind) for column, kind in found.values() if kind in ("VARCHAR", "BLOB"))
    return Source(table, file, reader, casts, tuple(unknown), absent, texts)


def _wanted(table: str) -> dict[str, str]:
    """Columns of the table and their DuckDB types."""
    if table in layout.BESIDE:
        return layout.BESIDE[table]
    return {name: layout.DUCK_TYPES[kind] for name, kind in ALL_VIEWS[table].columns.items()}


def _reader(file: Path) -> str:
    # DuckDB takes a path for a pattern: a folder may well be named `export [prod]`.
    path = re.sub(r"[*?\[]", r"[\g<0>]", str(file)).replace("'", "''")
    if _is_parquet(file):
        return f"read_parquet(['{path}'], file_row_number=true)"
    return (
        f"read_csv(['{path}'], header=true, all_varchar=true, auto_detect=false, sep=',', quote='\"', escape='\"', "
        f"columns={{{_csv_columns(file)}}}, strict_mode=true, compression='none', max_line_size={_LARGEST_FIELD})"
    )


def _is_parquet(file: Path) -> bool:
    return file.suffix.lower() == ".parquet"


def _csv_columns(file: Path) -> str:
    return ", ".join(f"{literal(name)}: 'VARCHAR'" for name in _csv_header(file))


def _csv_header(file: Path) -> list[str]:
    try:
        with file.open("rb") as stream:
            # No more than this of a file that may be one line of many gigabytes; the last line of it may be cut off.
            start = stream.read(_LONGEST_HEADER)
        text = start.decode("utf-8-sig", errors="strict" if len(start) < _LONGEST_HEADER else "ignore")
        header = next(csv.reader(io.StringIO(text, newline="")), [])
    except (UnicodeDecodeError, csv.Error):
        raise BadImport("is not a CSV file in UTF-8.", file=file.name) from None
    if not any(name.strip() for name in header):
        raise BadImport("has no header line with column names.", file=file.name, row=0)
    _refuse_doubles(file, header)
    return header


def _columns(con: duckdb.DuckDBPyConnection, file: Path, reader: str) -> list[tuple[str, str]]:
    """(name, DuckDB type) of the file's own columns, in order."""
    if not _is_parquet(file):
        return [(name, "VARCHAR") for name in _csv_header(file)]
    _refuse_doubles(file, _parquet_names(file))
    try:
        rows = con.execute(f"DESCRIBE SELECT * EXCLUDE (file_row_number) FROM {reader}").fetchall()  # noqa: S608
    except duckdb.Error as error:
        raise _unreadable(file, error) from None
    return [(str(row[0]), str(row[1])) for row in rows]


def _parquet_names(file: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open("rb") as stream:
            return list(pq.read_schema(stream).names)
    except (pa.ArrowException, UnicodeDecodeError):
        raise BadImport("is not a readable Parquet file (damaged or cut off?).", file=file.name) from None


def _refuse_doubles(file: Path, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise BadImport("stands twice.", file=file.name, column=name[:80])
        seen.add(name.casefold())


def _unreadable(file: Path, error: duckdb.Error) -> BadImport:
    text = str(error)
    line = re.search(r"[Ll]ine:? (\d+)", text)
    why = "is not valid CSV: quotes, columns or encoding" if not _is_parquet(file) else "cannot be read as Parquet"
    return BadImport(f"{why}.", file=file.name, row=int(line.group(1)) - 1 if line else None)


# --- rows --------------------------------------------------------------------------------------------------------


def _insert(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    try:
        _check_values(con, source)
        columns = ", ".join(identifier(c.column) for c in source.casts)
        values = ", ".join(c.expression for c in source.casts)
        if source.casts:
            con.execute(f"INSERT INTO {layout.RAW}.{source.table} ({columns}) SELECT {values} FROM {source.reader}")  # noqa: S608
    except duckdb.Error as error:
        raise _unreadable(source.path, error) from None


def _check_values(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    checked = [c for c in source.casts if c.bad is not None]
    if not checked:
        return
    counts = ", ".join(f"count_if({c.bad})" for c in checked)
    found = con.execute(f"SELECT {counts} FROM {source.reader}").fetchone()  # noqa: S608
    for item, count in zip(checked, found or (), strict=True):
        if count:
            raise BadImport(f"{item.says}.", file=source.path.name, column=item.column, row=_first(con, source, item))


def _first(con: duckdb.DuckDBPyConnection, source: Source, item: Cast) -> int:
    """Number of the first bad row, counted from 1, the header apart."""
    number = "file_row_number + 1" if _is_parquet(source.path) else "row_number() OVER ()"
    found = con.execute(
        f"SELECT min(n) FROM (SELECT {number} AS n, ({item.bad}) AS bad FROM {source.reader}) WHERE bad"  # noqa: S608
    ).fetchone()
    return int(found[0]) if found else 0


def _number_warehouses(con: duckdb.DuckDBPyConnection) -> None:
    """Give each shown warehouse the id that its newest usage carries; SHOW does not print one."""
    raw = layout.RAW
    for table in ("WAREHOUSE_METERING_HISTORY", "QUERY_HISTORY"):
        con.execute(
            f"UPDATE {raw}.WAREHOUSES SET warehouse_id = found.id FROM (SELECT WAREHOUSE_NAME AS name, "  # noqa: S608
            f"arg_max(WAREHOUSE_ID, START_TIME) AS id FROM {raw}.{table} WHERE WAREHOUSE_ID IS NOT NULL GROUP BY 1) "
            f"found WHERE found.name = WAREHOUSES.name AND WAREHOUSES.warehouse_id IS NULL"
        )
    con.execute(
        f"UPDATE {raw}.WAREHOUSES SET warehouse_id = found.id FROM (SELECT rowid AS row, "  # noqa: S608
        f"row_number() OVER (ORDER BY rowid) + (SELECT coalesce(max(warehouse_id), 0) FROM {raw}.WAREHOUSES) AS id "
        f"FROM {raw}.WAREHOUSES WHERE warehouse_id IS NULL) found WHERE found.row = WAREHOUSES.rowid"
    )
