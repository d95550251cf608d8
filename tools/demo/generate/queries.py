"""QUERY_HISTORY and the statements in flight: the columns that describe what ran (reference 1.2 and 7.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.demo.generate.beside.objects import DATABASES, schema_id
from tools.demo.generate.days import DAY_MS
from tools.demo.generate.frames import Columns, coded, hexadecimal, moments
from tools.demo.generate.live import Live
from tools.demo.generate.runs import SIZES, Ran, memory_of
from tools.demo.generate.texts import hashes_of, tags_of, texts_of
from tools.demo.generate.workload import ERRORS, Table, Workload

__all__ = ["cloud_services_credits", "live_queries", "query_history", "query_ids"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_CLOUD_RATE = 4.4 / 3600
"""Credits per second of cloud services work."""
_PARTITION = 16e6
_ID_FROM = 20_454
"""The day since 1970 (in 2026) that the ids count from."""


def query_ids(work: Workload) -> Any:
    """Ids in Snowflake's shape, rising with time: 01bcb05d-0415-b618-0047-..."""
    at = work.ints("at")
    minute = at // 60_000 % 1440
    day = (0xA000 + 17 * (at // DAY_MS - _ID_FROM)) & 0xFFFF
    # 0415 is the clock: its decimal digits, read as hexadecimal ones, are the same text.
    clock = sum((minute // divisor % base) * 16**place for divisor, base, place in _CLOCK)
    noise = (work.floats("id") * 65536).astype(np.uint64)
    tail = (at % 60_000).astype(np.uint64) * np.uint64(65536) + (work.floats("tail") * 65536).astype(np.uint64)
    parts: list[npt.NDArray[np.uint64] | bytes] = [b"01bd", _u(day), b"-", _u(clock), b"-", noise, b"-0047-8383", tail]
    return hexadecimal(parts, (4, 4, 1, 4, 1, 4, 10, 8))


_CLOCK = ((1, 10, 0), (10, 6, 1), (60, 10, 2), (600, 10, 3))


def _u(values: Any) -> npt.NDArray[np.uint64]:
    return np.asarray(values).astype(np.uint64)


def cloud_services_credits(known: Table, work: Workload) -> Floats:
    """What compiling, listing files and answering metadata costs, per statement."""
    seconds = 0.06 + work.ints("compile") / 1000 + 1.5 * work.ints("listing") / 1000
    seconds = seconds + np.where(work.bools("metadata"), 0.4, 0.0) + known.of("cloud")[work.ints("statement")]
    return np.floor(seconds * _CLOUD_RATE * 1e9) / 1e9


def query_history(known: Table, lives: Mapping[int, Live], ran: Ran, keep: Ints) -> Columns:
    """The rows `keep`, which have ended, in their order."""
    work, started = ran.work.take(keep), ran.started.take(keep)
    hashes, shapes = hashes_of(known, work)
    executed = started["begin"] >= 0
    zero = np.zeros(len(keep), dtype=np.int64)
    columns: Columns = {
        "QUERY_ID": query_ids(work),
        "QUERY_TEXT": texts_of(known, work),
        "QUERY_HASH": hashes,
        "QUERY_PARAMETERIZED_HASH": shapes,
        "QUERY_HASH_VERSION": zero + 2,
        "QUERY_PARAMETERIZED_HASH_VERSION": zero + 1,
        "START_TIME": moments(work.ints("at")),
        "END_TIME": moments(started["end"]),
        "TOTAL_ELAPSED_TIME": started["end"] - work.ints("at"),
        "COMPILATION_TIME": work.ints("compile"),
        "EXECUTION_TIME": np.where(executed, started["end"] - started["begin"], 0),
        "QUEUED_PROVISIONING_TIME": started["provisioning"],
        "QUEUED_REPAIR_TIME": zero,
        "QUEUED_OVERLOAD_TIME": started["overload"],
        "TRANSACTION_BLOCKED_TIME": work.ints("blocked"),
        "LIST_EXTERNAL_FILES_TIME": work.ints("listing"),
        "QUERY_RETRY_TIME": np.where(executed, work.ints("retry"), 0),
        "QUERY_RETRY_CAUSE": coded(np.where(executed & (work.ints("retry") > 0), 0, -1), ["WAREHOUSE_NODE_FAILURE"]),
        "CREDITS_USED_CLOUD_SERVICES": cloud_services_credits(known, work),
    }
    columns |= _who(known, lives, work, started["warehouse"])
    return columns | _outcome(known, lives, work, started) | _volumes(known, lives, work, started)


def _who(known: Table, lives: Mapping[int, Live], work: Workload, warehouse: Ints) -> Columns:
    habits, habit, statement = known.demo.habits, work.ints("habit"), work.ints("statement")
    people = sorted({user for each in habits for user in each.users})
    number = {user: n for n, user in enumerate(people)}
    widest = max(len(each.users) for each in habits)
    seats = [[number[user] for user in each.users] + [0] * (widest - len(each.users)) for each in habits]
    user = np.array(seats)[habit, work.ints("user")]
    service = np.array([name.endswith("_SVC") or name == "SYSTEM" for name in people])[user]
    # One session for a job's run, one for a person's day.
    run, day = work.ints("run"), work.ints("day")
    session = (habit * 4_000 + day % 4_000) * 4_000 + np.where(run > 0, run % 4_000, user)
    databases = sorted({each.database for each in known.statements})
    schemas = sorted({(each.database, each.schema) for each in known.statements})
    database = np.array([databases.index(each.database) for each in known.statements])[statement]
    schema = np.array([schemas.index((each.database, each.schema)) for each in known.statements])[statement]
    transaction = session * 7 + (work.floats("id") * 1000).astype(np.int64)
    identifiers = sorted(lives)
    zero = np.zeros(len(work), dtype=np.int64)
    kinds = [each.kind for each in known.statements]
    return {
        "USER_NAME": coded(user, people),
        "ROLE_NAME": coded(habit, [each.role for each in habits]),
        "ROLE_TYPE": coded(zero, ["ROLE"]),
        "USER_TYPE": coded(service.astype(np.int64), ["PERSON", "SERVICE"]),
        "SESSION_ID": session + 7_700_000_000,
        "AUTHN_EVENT_ID": session + 9_100_000_000,
        "DATABASE_NAME": coded(database, databases),
        "DATABASE_ID": np.array([DATABASES[each.database] for each in known.statements])[statement],
        "SCHEMA_NAME": coded(schema, [name for _, name in schemas]),
        "SCHEMA_ID": np.array([schema_id(each.database, each.schema) for each in known.statements])[statement],
        "WAREHOUSE_ID": warehouse,
        "WAREHOUSE_NAME": coded(np.searchsorted(identifiers, warehouse), [lives[each].name for each in identifiers]),
        "QUERY_TYPE": coded(statement, kinds),
        "QUERY_TAG": tags_of(known, work),
        "IS_CLIENT_GENERATED_STATEMENT": np.array([kind == "ALTER_SESSION" for kind in kinds])[statement],
        "RELEASE_VERSION": coded(_release(day), [f"10.{n}.1" for n in range(1000)]),
        "TRANSACTION_ID": np.where(known.writing[statement], transaction, 0),
    }


def _release(day: Ints) -> Ints:
    """A new release every week."""
    return np.clip((day - 739_600) // 7 + 20, 0, 999)


def _outcome(known: Table, lives: Mapping[int, Live], work: Workload, started: Any) -> Columns:
    rank, error, executed = started["rank"], work.ints("error"), started["begin"] >= 0
    adaptive = np.isin(started["warehouse"], [live.id for live in lives.values() if live.adaptive])
    incident = np.array([code == "000603" for code, _ in ERRORS])[error]
    status = np.where(error == 0, 0, np.where(incident, 2, 1))
    kinds = sorted({live.settings.type for live in lives.values()})
    kind = np.zeros(len(work), dtype=np.int64)
    for live in lives.values():
        kind[started["warehouse"] == live.id] = kinds.index(live.settings.type)
    return {
        "EXECUTION_STATUS": coded(status, ["SUCCESS", "FAIL", "INCIDENT"]),
        "ERROR_CODE": coded(error - 1, [code for code, _ in ERRORS[1:]]),
        "ERROR_MESSAGE": coded(error - 1, [message for _, message in ERRORS[1:]]),
        "WAREHOUSE_SIZE": coded(
            np.where(adaptive & executed, len(SIZES), rank), [size.shown for size in SIZES] + ["ADAPTIVE"]
        ),
        "WAREHOUSE_TYPE": coded(np.where(executed, kind, -1), kinds),
        "CLUSTER_NUMBER": np.ma.masked_less(started["cluster"], 0),
        "QUERY_LOAD_PERCENT": np.ma.masked_array(np.minimum(work.ints("slots") * 100 // 8, 100), ~executed),
        "SECONDARY_ROLE_STATS": coded(np.zeros(len(work), dtype=np.int64), ['{"secondaryRoles":[]}']),
    }


def _volumes(known: Table, lives: Mapping[int, Live], work: Workload, started: Any) -> Columns:
    which, count, done = work.ints("statement"), len(work), work.floats("done")
    executed, writes, good = started["begin"] >= 0, known.writing[which], work.ints("error") == 0
    scanned = np.where(executed, work.floats("scanned") * done, 0)
    partitions = np.ceil(scanned / _PARTITION).astype(np.int64)
    total = np.ceil(partitions / np.maximum(work.floats("total") ** 1.7, 0.003)).astype(np.int64)
    # Seen on live accounts: a few statements scan more partitions than the total says.
    total = np.where(work.floats("oddity") < 0.003, np.maximum(partitions - 3, 0), total)
    produced = np.where(executed & good, np.exp(5 + 2.4 * work.floats("produced")), 0).astype(np.int64)
    kinds = known.kinds
    fixed = np.array([-1 if each.rows is None else each.rows for each in known.statements])[which]
    changed = np.where(fixed < 0, np.minimum(scanned / 180, 5e8).astype(np.int64), fixed)
    changed = np.where(writes & good, changed, 0)
    written = np.where(writes & good, scanned * work.floats("written") ** 2, 0).astype(np.int64)
    result = np.where(writes, 0, produced * (20 + (work.floats("result") * 180).astype(np.int64)))
    over, far = _spilled(lives, work, started, executed)
    inserts = np.isin(kinds, ["INSERT", "COPY", "CREATE_TABLE_AS_SELECT", "MERGE"])[which]
    cached = work.bools("cached")
    return {
        "BYTES_SCANNED": scanned.astype(np.int64),
        "PERCENTAGE_SCANNED_FROM_CACHE": _cache_share(work, writes, executed, started.floats("cold")),
        "PARTITIONS_SCANNED": partitions,
        "PARTITIONS_TOTAL": np.where(executed, total, 0),
        "BYTES_WRITTEN": written,
        "BYTES_WRITTEN_TO_RESULT": result,
        "BYTES_READ_FROM_RESULT": np.where(cached, 500 + (work.floats("result") * 200_000).astype(np.int64), 0),
        "ROWS_PRODUCED": np.where(cached, 1 + (work.floats("result") * 500).astype(np.int64), produced),
        "ROWS_WRITTEN_TO_RESULT": np.where(writes, 1, produced),
        "ROWS_INSERTED": np.where(inserts, changed, 0),
        "ROWS_UPDATED": np.select([(kinds == "UPDATE")[which], (kinds == "MERGE")[which]], [changed, changed // 3], 0),
        "ROWS_DELETED": np.where((kinds == "DELETE")[which], changed, 0),
        "ROWS_UNLOADED": np.zeros(count, dtype=np.int64),
        "BYTES_DELETED": np.where((kinds == "DELETE")[which], written // 2, 0),
        "BYTES_SPILLED_TO_LOCAL_STORAGE": over,
        "BYTES_SPILLED_TO_REMOTE_STORAGE": far,
        "BYTES_SENT_OVER_THE_NETWORK": (scanned * (1 - work.floats("network")) ** 9 * 0.5).astype(np.int64),
    }


def _spilled(lives: Mapping[int, Live], work: Workload, started: Any, executed: Bools) -> tuple[Ints, Ints]:
    """Bytes spilled to local and to remote storage; an adaptive warehouse spills nothing."""
    rank, warehouse = started["rank"], started["warehouse"]
    memory = np.full(len(work), np.inf)
    for live in lives.values():
        rows = np.flatnonzero((warehouse == live.id) & (rank >= 0))
        memory[rows] = np.array([memory_of(live, each) for each in range(len(SIZES))])[rank[rows]]
    held = work.floats("intermediate") * work.floats("done")
    over = np.where(executed, np.maximum(held - memory, 0), 0)
    far = np.where(executed, np.maximum(held - 6 * memory, 0), 0)
    return over.astype(np.int64), far.astype(np.int64)


def _cache_share(work: Workload, writes: Bools, executed: Bools, cold: Floats) -> Floats:
    """Bimodal (reference 7.2): mostly all or nothing; next to nothing on a cluster that has just started."""
    pick, low, high = work.floats("cache"), work.floats("cache_low") * 0.8, 0.8 + work.floats("cache_high") * 0.2
    reading = np.select([pick < 0.02, pick < 0.08, pick < 0.16], [0.0, low, high], 1.0)
    writing = np.select([pick < 0.15, pick < 0.38, pick < 0.45], [0.0, low, high], 1.0)
    share = np.where(writes, writing, reading)
    # The chance of meeting a cold cache is how cold it is; a statement finds some of it even then.
    share = np.where(work.floats("cache_high") < 0.95 * cold**4, np.where(low < 0.1, 0.0, 0.25 * low), share)
    rounded: Floats = np.where(executed & (work.floats("scanned") >= 1), share, 0.0).round(6)
    return rounded


def live_queries(known: Table, lives: Mapping[int, Live], ran: Ran) -> Columns:
    """LIVE_QUERIES: what has reached its warehouse and has not ended at now."""
    rows = ran.in_flight
    there = ran.work.executes[rows] & (ran.work.reaches[rows] < ran.until)
    rows = rows[there]
    rows = rows[np.argsort(ran.work.ints("at")[rows], kind="stable")]
    work, started = ran.work.take(rows), ran.started.take(rows)
    owner = [lives[int(identifier)] for identifier in started["warehouse"]]
    statements = [known.statements[int(each)] for each in work.ints("statement")]
    habits = [known.demo.habits[int(each)] for each in work.ints("habit")]
    ranks = [
        int(rank) if rank >= 0 else live.state.rank for rank, live in zip(started["rank"].tolist(), owner, strict=True)
    ]
    return {
        "QUERY_ID": query_ids(work),
        "QUERY_TEXT": texts_of(known, work),
        "DATABASE_NAME": [each.database for each in statements],
        "QUERY_TYPE": [each.kind for each in statements],
        "SESSION_ID": 8_800_000_000 + (work.floats("tail") * 1e9).astype(np.int64),
        "USER_NAME": [each.users[int(user)] for each, user in zip(habits, work.ints("user"), strict=True)],
        "ROLE_NAME": [each.role for each in habits],
        "WAREHOUSE_NAME": [live.name for live in owner],
        "WAREHOUSE_SIZE": [
            "ADAPTIVE" if live.adaptive else SIZES[rank].shown for live, rank in zip(owner, ranks, strict=True)
        ],
        "QUERY_TAG": tags_of(known, work),
        "EXECUTION_STATUS": ["RUNNING" if begin >= 0 else "QUEUED" for begin in started["begin"].tolist()],
        "START_TIME": moments(work.ints("at")),
    }
