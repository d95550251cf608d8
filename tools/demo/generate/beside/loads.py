"""COPY_HISTORY and LOAD_HISTORY: the files of the COPY statements in QUERY_HISTORY, and those that pipes loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tools.demo.generate.beside import statements
from tools.demo.generate.beside.chance import Ints, lognormal, poisson, uniform
from tools.demo.generate.beside.objects import DATABASES, Table, accessed, schema_id, table
from tools.demo.generate.beside.window import HOUR_US, Window, moments, rows, words

__all__ = ["histories"]

_MIB = 1 << 20
_BYTES_PER_ROW = 150
_STATUSES = ("Loaded", "Partially loaded", "Load failed")
_BAD_JSON = "Error parsing JSON: incomplete object value, pos 312"


@dataclass(frozen=True)
class _Files:
    """Parallel columns, one for each file."""

    key: Ints
    at: Ints
    """Microseconds since 1970."""
    table: Ints
    """Index into `tables`."""
    size: Ints
    status: Ints


def histories(window: Window, credits: pd.DataFrame) -> dict[str, pa.Table]:
    """From the statements of the window and the pipes' hours of `service_credits`."""
    copied, names = _copied(window)
    targets = [table(name) for name in names]
    piped = [_piped(window, pipe, credits) for pipe in _PIPES]
    parts = [_copy_view(window, copied, targets, None), *(_copy_view(window, f, [t], p) for f, t, p in piped)]
    return {
        "COPY_HISTORY": pa.concat_tables(parts).sort_by([("LAST_LOAD_TIME", "ascending"), ("FILE_NAME", "ascending")]),
        "LOAD_HISTORY": _load_view(window, copied, targets),
    }


def _copied(window: Window) -> tuple[_Files, list[str]]:
    """Files of COPY statements: as many as the scanned bytes make of the loader's file size; a failed one has one."""
    queries = window.queries
    mine = statements.code_is(queries, "QUERY_TYPE", ("COPY",))
    mine &= window.ends_inside(statements.moments_of(queries, "END_TIME"))
    mine &= statements.numbers(queries, "EXECUTION_TIME") > 0
    found = queries.take(pa.array(np.flatnonzero(mine)))
    shape, _ = statements.codes(found, "QUERY_PARAMETERIZED_HASH")
    target, names = _targets(found, shape)
    size = statements.numbers(found, "BYTES_SCANNED").astype(np.float64)
    failed = ~statements.code_is(found, "EXECUTION_STATUS", ("SUCCESS",))
    marks = statements.marks(found)
    usual = np.array([_FILE_MIB.get(name, 6.0) * _MIB for name in names])[target] if len(names) else size
    count = np.where(failed, 1, np.clip(size // np.maximum(usual, 1), 1, 4)).astype(np.int64)
    row = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    key = marks[row] + place
    each = size[row] / count[row] * lognormal(window.seed, "files/size", key, 0.3)
    end = statements.moments_of(found, "END_TIME")[row]
    tolerant = np.array(["CLICKS" in name or "EVENTS" in name for name in names], dtype=bool)[target][row]
    partly = tolerant & ~failed[row] & (uniform(window.seed, "files/partly", key) < 0.01)
    status = np.where(failed[row], 2, np.where(partly, 1, 0))
    return _Files(key, end - 50_000, target[row], np.maximum(each, 200).astype(np.int64), status), names


def _targets(found: pa.Table, shape: Ints) -> tuple[Ints, list[str]]:
    """The table that each statement loads, found once for each shape of statement."""
    text = found.column("QUERY_TEXT")
    kinds, first, which = np.unique(shape, return_index=True, return_inverse=True)
    names = [next(iter(accessed(str(text[int(row)])).writes), "RAW.INGEST.UNKNOWN") for row in first.tolist()]
    distinct = sorted(set(names))
    places = np.array([distinct.index(name) for name in names], dtype=np.int64)
    return (places[which] if len(kinds) else shape), distinct


_FILE_MIB = {"RAW.INGEST.ORDERS": 14.0, "RAW.INGEST.ORDER_LINES": 22.0, "RAW.INGEST.CLICKS": 38.0}
_FILE_MIB |= {"EVENTS.STREAM.RAW_EVENTS": 30.0, "RAW.INGEST.LEDGER": 120.0, "RAW.FEED.CHANGES": 55.0}


@dataclass(frozen=True)
class _Pipe:
    name: str
    table: str
    files: float
    """An hour."""
    bad: float


_PIPES = (
    _Pipe("PRICES_PIPE", "RAW.INGEST.PRICES", 6, 0.01),
    _Pipe("EVENTS_PIPE", "EVENTS.STREAM.RAW_EVENTS", 22, 0.004),
)


def _piped(window: Window, pipe: _Pipe, credits: pd.DataFrame) -> tuple[_Files, Table, _Pipe]:
    """The pipe's bytes of the hour (PIPE_USAGE_HISTORY's), spread over its files."""
    hours = credits[(credits["service_type"] == "PIPE") & (credits["name"] == pipe.name)]
    moved = hours["bytes"].fillna(0).to_numpy(dtype=np.int64)
    hour = (hours["hour"].astype("int64").to_numpy() // HOUR_US).astype(np.int64)
    drawn = poisson(window.seed, f"pipe/{pipe.name}", hour, np.full(len(hour), float(pipe.files)))
    count = np.maximum(drawn, 1) * (moved > 0)
    row = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    key = hour[row] * 1000 + place
    at = hour[row] * HOUR_US + ((place + uniform(window.seed, "pipe/at", key)) * HOUR_US / count[row]).astype(np.int64)
    status = np.where(uniform(window.seed, "pipe/bad", key) < pipe.bad, 1, 0)
    files = _Files(key, at, np.zeros(len(key), dtype=np.int64), moved[row] // np.maximum(count[row], 1), status)
    return files, table(pipe.table), pipe


def _names(files: _Files, targets: list[Table]) -> list[str]:
    days = np.array(files.at // 86_400_000_000, dtype="datetime64[D]").astype(str)
    names = [target.name.lower() for target in targets]
    parts = zip(files.table.tolist(), days.tolist(), (files.key % 10_000_000_000).tolist(), strict=True)
    return [f"{names[which]}/{day}/{key:010d}.gz" for which, day, key in parts]


def _outcome(files: _Files) -> dict[str, Any]:
    """Columns that both views have; an error has its place, what went well has none."""
    parsed = files.size // _BYTES_PER_ROW + 1
    bad = np.where(files.status == 0, 0, np.where(files.status == 1, parsed // 400 + 1, 1))
    loaded = np.where(files.status == 2, 0, parsed - np.where(files.status == 1, bad, 0))
    return {
        "LAST_LOAD_TIME": files.at,
        "ROW_COUNT": loaded,
        "ROW_PARSED": parsed,
        "FIRST_ERROR_MESSAGE": words((files.status > 0).astype(np.int64), [None, _BAD_JSON]),
        "FIRST_ERROR_LINE_NUMBER": np.ma.masked_array(files.key % 9000 + 1, files.status == 0),
        "ERROR_COUNT": bad,
        "ERROR_LIMIT": np.where(files.status == 2, 1, parsed),
    }


def _copy_view(window: Window, files: _Files, targets: list[Table], pipe: _Pipe | None) -> pa.Table:
    lag = (20_000_000 * lognormal(window.seed, "pipe/lag", files.key, 0.5)).astype(np.int64)
    of_pipe: dict[str, Any] = {}
    if pipe is not None:
        of_pipe = {"PIPE_CATALOG_NAME": targets[0].database, "PIPE_SCHEMA_NAME": targets[0].schema}
        of_pipe |= {"PIPE_NAME": pipe.name, "PIPE_RECEIVED_TIME": files.at - lag, "BYTES_BILLED": files.size}
    return rows(
        "COPY_HISTORY",
        _outcome(files)
        | of_pipe
        | {"FILE_NAME": _names(files, targets), "FILE_SIZE": files.size, "STATUS": words(files.status, _STATUSES)}
        | {"FIRST_ERROR_CHARACTER_POS": np.ma.masked_array(files.key % 300 + 1, files.status == 0)}
        | {"STAGE_LOCATION": words(files.table, [f"@{t.database}.{t.schema}.LANDING/" for t in targets])}
        | {"TABLE_ID": np.array([t.id for t in targets], dtype=np.int64)[files.table]}
        | {"TABLE_NAME": words(files.table, [t.name for t in targets])}
        | {"TABLE_SCHEMA_ID": np.array([schema_id(t.database, t.schema) for t in targets], dtype=np.int64)[files.table]}
        | {"TABLE_SCHEMA_NAME": words(files.table, [t.schema for t in targets])}
        | {"TABLE_CATALOG_ID": np.array([DATABASES[t.database] for t in targets], dtype=np.int64)[files.table]}
        | {"TABLE_CATALOG_NAME": words(files.table, [t.database for t in targets])}
        | {"FIRST_COMMIT_TIME": moments(files.at)},
        len(files.key),
    )


def _load_view(window: Window, files: _Files, targets: list[Table]) -> pa.Table:
    """COPY statements that ran to their end; a load that was rolled back leaves no record."""
    kept = np.flatnonzero(files.status < 2)
    files = _Files(*(column[kept] for column in (files.key, files.at, files.table, files.size, files.status)))
    upper = [status.upper() for status in _STATUSES]
    return rows(
        "LOAD_HISTORY",
        _outcome(files)
        | {"FILE_NAME": _names(files, targets), "STATUS": words(files.status, upper)}
        | {"FIRST_ERROR_CHARACTER_POSITION": np.ma.masked_array(files.key % 300 + 1, files.status == 0)}
        | {"TABLE_ID": np.array([t.id for t in targets], dtype=np.int64)[files.table]}
        | {"TABLE_NAME": words(files.table, [t.name for t in targets])}
        | {"SCHEMA_ID": np.array([schema_id(t.database, t.schema) for t in targets], dtype=np.int64)[files.table]}
        | {"SCHEMA_NAME": words(files.table, [t.schema for t in targets])}
        | {"CATALOG_ID": np.array([DATABASES[t.database] for t in targets], dtype=np.int64)[files.table]}
        | {"CATALOG_NAME": words(files.table, [t.database for t in targets])},
        len(kept),
    )
