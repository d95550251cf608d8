"""TASK_HISTORY: the tasks of TASK_WH, whose statements are in QUERY_HISTORY, and the serverless ones."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tools.demo.generate.beside import statements
from tools.demo.generate.beside.chance import Ints, lognormal, pick, uniform
from tools.demo.generate.beside.intelligence import made_ids
from tools.demo.generate.beside.objects import DATABASES, schema_id
from tools.demo.generate.beside.window import HOUR_US, Window, rows, words

__all__ = ["SERVERLESS", "histories", "root_id"]

_MINUTE = 60_000_000
_AHEAD = 2


@dataclass(frozen=True)
class _Serverless:
    name: str
    id: int
    database: str
    schema: str
    minutes: int
    text: str
    condition: str | None
    outcomes: tuple[float, float, float]
    """Weights of SUCCEEDED, SKIPPED and FAILED."""
    seconds: float
    error: tuple[str, str]


SERVERLESS = (
    _Serverless(
        *("REFRESH_RECOMMENDATIONS", 70114, "ANALYTICS", "CORE", 60),
        *("CALL ANALYTICS.CORE.REFRESH_RECOMMENDATIONS()", None, (0.985, 0, 0.015), 240.0),
        ("100038", "Numeric value 'n/a' is not recognized"),
    ),
    _Serverless(
        *("EXPIRE_TOKENS", 70120, "APP", "PUBLIC", 15),
        *("DELETE FROM APP.PUBLIC.TOKENS WHERE EXPIRES_AT < CURRENT_TIMESTAMP()", None, (0.996, 0, 0.004), 6.0),
        ("000625", "Statement has locked a table in a transaction and this lock has not yet been released."),
    ),
    _Serverless(
        *("ROUTE_EVENTS", 70131, "EVENTS", "STREAM", 5),
        "INSERT INTO EVENTS.STREAM.ROUTED SELECT * FROM EVENTS.STREAM.RAW_EVENTS_STREAM",
        *("SYSTEM$STREAM_HAS_DATA('EVENTS.STREAM.RAW_EVENTS_STREAM')", (0.27, 0.727, 0.003), 21.0),
        ("100069", "Error parsing JSON: incomplete object value, pos 312"),
    ),
)
_STATES = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELLED")
_CANCELLED = ("000604", "000630")


def histories(window: Window) -> dict[str, pa.Table]:
    parts = [_of_warehouses(window), *(_serverless(window, task) for task in SERVERLESS)]
    found = pa.concat_tables(parts)
    return {"TASK_HISTORY": found.sort_by([("COMPLETED_TIME", "ascending"), ("NAME", "ascending")])}


def _of_warehouses(window: Window) -> pa.Table:
    """Runs whose statement carries the tag {"task": NAME}."""
    tag, tags = statements.codes(window.all_queries, "QUERY_TAG")
    named = [_task_of(text) for text in tags]
    mine = np.array([*(name is not None for name in named), False])[tag]
    kept = np.flatnonzero(mine)
    failures = statements.codes(window.all_queries, "ERROR_CODE")[0][kept] >= 0
    attempt = _attempts(tag[kept], statements.moments_of(window.all_queries, "START_TIME")[kept], failures)
    inside = window.ends_inside(statements.moments_of(window.all_queries, "END_TIME")[kept])
    kept, attempt = kept[inside], attempt[inside]
    found, tag = window.all_queries.take(pa.array(kept)), tag[kept]
    start, end = statements.moments_of(found, "START_TIME"), statements.moments_of(found, "END_TIME")
    # A task is due on the minute; what starts later in its batch waited for the one before.
    scheduled = start // _MINUTE * _MINUTE
    database, databases = statements.codes(found, "DATABASE_NAME")
    schema, schemas = statements.codes(found, "SCHEMA_NAME")
    error, _ = statements.codes(found, "ERROR_CODE")
    failed, cancelled = error >= 0, statements.code_is(found, "ERROR_CODE", _CANCELLED)
    state = np.where(failed, np.where(cancelled, 3, 2), 0)
    names = [name or "" for name in named]
    again = attempt > 1
    same = ("QUERY_TEXT", "QUERY_ID", "ERROR_CODE", "ERROR_MESSAGE", "QUERY_HASH", "QUERY_PARAMETERIZED_HASH")
    copied = {name: found.column(name) for name in (*same, "QUERY_HASH_VERSION", "QUERY_PARAMETERIZED_HASH_VERSION")}
    return rows(
        "TASK_HISTORY",
        copied
        | {"NAME": words(tag, names), "SCHEMA_NAME": words(schema, schemas)}
        | {"DATABASE_NAME": words(database, databases)}
        | {"TASK_SCHEMA_ID": statements.numbers(found, "SCHEMA_ID")}
        | {"TASK_DATABASE_ID": statements.numbers(found, "DATABASE_ID")}
        | {"SCHEDULED_TIME": scheduled, "COMPLETED_TIME": end, "QUERY_START_TIME": start}
        | {"STATE": words(state, _STATES), "GRAPH_VERSION": 1, "RUN_ID": scheduled // 1000}
        | {"ROOT_TASK_ID": words(tag, [root_id(name) for name in names])}
        | {"SCHEDULED_FROM": words(again.astype(np.int64), ["SCHEDULE", "AUTOMATIC RETRY"])}
        | {"ATTEMPT_NUMBER": attempt, "GRAPH_RUN_GROUP_ID": scheduled // 1000},
        len(kept),
    )


def _task_of(tag: str) -> str | None:
    if '"task"' not in tag:
        return None
    try:
        value = json.loads(tag).get("task")
    except ValueError:
        return None
    return str(value) if value else None


def _attempts(task: Ints, start: Ints, failed: statements.Bools) -> Ints:
    """2 and more for a run that follows a failure of the same task within five minutes of its start."""
    attempt = np.ones(len(start), dtype=np.int64)
    last: dict[int, tuple[int, bool, int]] = {}
    for row, (which, at, bad) in enumerate(zip(task.tolist(), start.tolist(), failed.tolist(), strict=True)):
        before = last.get(which)
        if before is not None and before[1] and at - before[0] < 5 * _MINUTE:
            attempt[row] = min(before[2] + 1, 9)
        last[which] = (at, bad, int(attempt[row]))
    return attempt


def root_id(name: str) -> str:
    found = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"


def _serverless(window: Window, task: _Serverless) -> pa.Table:
    step = task.minutes * _MINUTE
    before = _AHEAD * HOUR_US
    number = np.arange((window.since_us - before) // step, window.until_us // step + 1, dtype=np.int64)
    scheduled = number * step
    stream = f"task/{task.name}"
    state = pick(window.seed, f"{stream}/state", number, task.outcomes)
    runs = state != 1
    delay = (1 + 4 * uniform(window.seed, f"{stream}/delay", number)) * 1_000_000
    length = task.seconds * lognormal(window.seed, f"{stream}/seconds", number, 0.45) * 1_000_000
    begun = scheduled + delay.astype(np.int64)
    ended = begun + np.where(runs, np.minimum(length, 0.9 * step), 40_000).astype(np.int64)
    kept = np.flatnonzero(window.ends_inside(ended))
    number, scheduled, state, runs = number[kept], scheduled[kept], state[kept], runs[kept]
    begun, ended, failed = begun[kept], ended[kept], state == 2
    ids = made_ids(window.seed, stream, number, begun)
    skipped = ~runs
    return rows(
        "TASK_HISTORY",
        {"NAME": task.name, "QUERY_TEXT": task.text, "CONDITION_TEXT": task.condition, "SCHEMA_NAME": task.schema}
        | {"TASK_SCHEMA_ID": schema_id(task.database, task.schema), "DATABASE_NAME": task.database}
        | {"TASK_DATABASE_ID": DATABASES[task.database], "SCHEDULED_TIME": scheduled, "COMPLETED_TIME": ended}
        | {"STATE": words(state, _STATES), "QUERY_ID": pa.array(ids, mask=skipped, type=pa.string())}
        | {"QUERY_START_TIME": np.ma.masked_array(begun, skipped)}
        | {"ERROR_CODE": words(failed.astype(np.int64), [None, task.error[0]])}
        | {"ERROR_MESSAGE": words(_messages(state), [None, task.error[1], _NO_DATA[1]])}
        | {"GRAPH_VERSION": 1, "RUN_ID": scheduled // 1000, "ROOT_TASK_ID": root_id(task.name)}
        | {"SCHEDULED_FROM": "SCHEDULE", "ATTEMPT_NUMBER": 1, "GRAPH_RUN_GROUP_ID": scheduled // 1000},
        len(kept),
    )


_NO_DATA = ("0040003", "Conditional expression for task evaluated to false.")


def _messages(state: Ints) -> Ints:
    return np.select([state == 2, state == 1], [1, 2], 0)
