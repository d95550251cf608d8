"""QUERY_HISTORY and the statements in flight: the columns that describe what ran (reference 1.2 and 7.6)."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from tools.demo.generate.frames import Columns, coded, moments
from tools.demo.generate.habits import Demo
from tools.demo.generate.model import Habit
from tools.demo.generate.runs import Ran
from tools.demo.generate.statements import WRITING_KINDS
from tools.demo.generate.workload import ERRORS, memory_bytes
from tools.domain import Size

__all__ = ["cloud_services_credits", "live_queries", "query_history", "query_ids"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_CLOUD_RATE = 4.4 / 3600
"""Credits per second of cloud services work."""
_PARTITION = 16e6


def query_ids(ran: Ran, rng: np.random.Generator) -> list[str]:
    """Ids in Snowflake's shape, rising with time: 01bcb05d-0415-b618-0047-..."""
    minutes = ran.work.at // 60_000
    noise = rng.integers(0, 1 << 16, len(minutes)).tolist()
    tail = (np.arange(len(minutes)) * 64 + rng.integers(0, 64, len(minutes))).tolist()
    return [
        f"01bd{minute // 1440 * 17 + 0xA000:04x}-{minute % 1440 // 60:02d}{minute % 60:02d}-{n:04x}-0047-8383{t:08x}"
        for minute, n, t in zip(minutes.tolist(), noise, tail, strict=True)
    ]


def cloud_services_credits(ran: Ran) -> Floats:
    """What compiling, listing files and answering metadata costs, per statement."""
    work = ran.work
    seconds = 0.06 + work.compile / 1000 + 1.5 * work.listing / 1000
    seconds = seconds + np.where(work.metadata, 0.4, 0.0)
    return np.floor(seconds * _CLOUD_RATE * 1e9) / 1e9


def query_history(
    demo: Demo, ran: Ran, ids: list[str], cloud: Floats, rng: np.random.Generator, epoch_ms: int
) -> Columns:
    """Finished statements in order of their start."""
    work, keep = ran.work, np.flatnonzero(ran.finished)
    texts, hashes, shapes = _texts(ran, keep)
    columns: Columns = {
        "QUERY_ID": [ids[row] for row in keep.tolist()],
        "QUERY_TEXT": texts,
        "QUERY_HASH": hashes,
        "QUERY_PARAMETERIZED_HASH": shapes,
        "QUERY_HASH_VERSION": np.full(len(keep), 2),
        "QUERY_PARAMETERIZED_HASH_VERSION": np.full(len(keep), 1),
        "START_TIME": moments(work.at[keep], epoch_ms),
        "END_TIME": moments(ran.end[keep], epoch_ms),
        "TOTAL_ELAPSED_TIME": ran.end[keep] - work.at[keep],
        "COMPILATION_TIME": work.compile[keep],
        "EXECUTION_TIME": np.where(ran.begin[keep] >= 0, ran.end[keep] - ran.begin[keep], 0),
        "QUEUED_PROVISIONING_TIME": ran.provisioning[keep],
        "QUEUED_REPAIR_TIME": np.zeros(len(keep), dtype=np.int64),
        "QUEUED_OVERLOAD_TIME": ran.overload[keep],
        "TRANSACTION_BLOCKED_TIME": work.blocked[keep],
        "LIST_EXTERNAL_FILES_TIME": work.listing[keep],
        "CREDITS_USED_CLOUD_SERVICES": cloud[keep],
    }
    return columns | _who(demo, ran, keep, rng) | _outcome(ran, keep) | _volumes(ran, keep, rng)


def _texts(ran: Ran, keep: Ints) -> tuple[list[str], list[str], Any]:
    """Text, hash of the text and hash of its shape; equal texts are hashed once."""
    work = ran.work
    known: dict[tuple[int, int, int], tuple[str, str]] = {}
    texts, hashes = [], []
    for key in zip(work.statement[keep].tolist(), work.literal[keep].tolist(), work.day[keep].tolist(), strict=True):
        if key not in known:
            text = _text(ran, *key)
            known[key] = (text, _hash(text))
        texts.append(known[key][0])
        hashes.append(known[key][1])
    return texts, hashes, coded(work.statement[keep], [_hash(statement.key) for statement in work.statements])


def _text(ran: Ran, statement: int, literal: int, day: int) -> str:
    shown = date.fromordinal(day - 1 - 7 * (literal % 4)).isoformat()
    return ran.work.statements[statement].text.format(n=1000 + 7 * literal, day=shown)


def _hash(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _who(demo: Demo, ran: Ran, keep: Ints, rng: np.random.Generator) -> Columns:
    work = ran.work
    habit, statement = work.habit[keep], work.statement[keep]
    people = sorted({user for each in work.habits for user in each.users})
    number = {user: n for n, user in enumerate(people)}
    seats = [[number[user] for user in each.users] for each in work.habits]
    widest = max(len(seat) for seat in seats)
    user = np.array([seat + [0] * (widest - len(seat)) for seat in seats])[habit, work.user[keep]]
    service = np.array([name.endswith("_SVC") for name in people])[user]
    # One session for a job's run, one for a person's day.
    session = (habit * 4_000 + work.day[keep] % 4_000) * 4_000 + np.where(work.run[keep] > 0, work.run[keep], user)
    names = {w.id: w.name for w in demo.warehouses}
    tags, tag_codes = _tags(ran, keep)
    databases = sorted({each.database for each in work.statements})
    schemas = sorted({(each.database, each.schema) for each in work.statements})
    database = np.array([databases.index(each.database) for each in work.statements])[statement]
    schema = np.array([schemas.index((each.database, each.schema)) for each in work.statements])[statement]
    identifiers = sorted(names)
    return {
        "USER_NAME": coded(user, people),
        "ROLE_NAME": coded(habit, [each.role for each in work.habits]),
        "ROLE_TYPE": coded(np.zeros(len(keep), dtype=np.int64), ["ROLE"]),
        "USER_TYPE": coded(service.astype(np.int64), ["PERSON", "SERVICE"]),
        "SESSION_ID": session + 7_700_000_000,
        "AUTHN_EVENT_ID": session + 9_100_000_000,
        "DATABASE_NAME": coded(database, databases),
        "DATABASE_ID": database + 11,
        "SCHEMA_NAME": coded(schema, [name for _, name in schemas]),
        "SCHEMA_ID": schema + 41,
        "WAREHOUSE_ID": work.warehouse[keep],
        "WAREHOUSE_NAME": coded(
            np.searchsorted(identifiers, work.warehouse[keep]), [names[identifier] for identifier in identifiers]
        ),
        "QUERY_TYPE": coded(statement, [each.kind for each in work.statements]),
        "QUERY_TAG": coded(tag_codes, tags),
        "IS_CLIENT_GENERATED_STATEMENT": np.array([each.kind == "ALTER_SESSION" for each in work.statements])[
            statement
        ],
        "RELEASE_VERSION": coded((work.day[keep] - work.day[keep].min()) // 7, [f"10.{36 + n}.1" for n in range(60)]),
        "TRANSACTION_ID": np.where(_writes(ran, keep), session * 7 + rng.integers(0, 1000, len(keep)), 0),
    }


def _tags(ran: Ran, keep: Ints) -> tuple[list[str], Ints]:
    work = ran.work
    known: dict[str, int] = {}
    codes = np.zeros(len(keep), dtype=np.int64)
    rows = zip(work.habit[keep].tolist(), work.statement[keep].tolist(), work.run[keep].tolist(), strict=True)
    memo: dict[tuple[int, int, int], int] = {}
    for index, key in enumerate(rows):
        if key not in memo:
            habit, statement, run = key
            tag = _tag(work.habits[habit], work.statements[statement].key, habit, run)
            memo[key] = known.setdefault(tag, len(known))
        codes[index] = memo[key]
    return list(known), codes


def _tag(habit: Habit, key: str, number: int, run: int) -> str:
    if habit.tag == "dbt":
        what = {"app": "dbt", "dbt_version": "1.10.4", "project_name": "analytics", "target_name": "prod"}
        return json.dumps(what | {"node_id": key, "invocation_id": _hash(f"{number}/{run}")[:16]})
    if habit.tag == "bi":
        return json.dumps({"app": "dashboards", "tile": key})
    return json.dumps({"job": habit.tag_text}) if habit.tag else ""


def _writes(ran: Ran, keep: Ints) -> npt.NDArray[np.bool_]:
    return np.array([each.kind in WRITING_KINDS for each in ran.work.statements])[ran.work.statement[keep]]


def _outcome(ran: Ran, keep: Ints) -> Columns:
    work, rank = ran.work, ran.rank[keep]
    sizes = list(Size)
    size_code = np.where(ran.adaptive[keep], len(sizes), rank)
    error = work.error[keep]
    incident = np.array([code == "000603" for code, _ in ERRORS])[error]
    status = np.where(error == 0, 0, np.where(incident, 2, 1))
    executed = ran.begin[keep] >= 0
    slots = np.array([each.slots for each in work.statements])[work.statement[keep]]
    return {
        "EXECUTION_STATUS": coded(status, ["SUCCESS", "FAIL", "INCIDENT"]),
        "ERROR_CODE": coded(error - 1, [code for code, _ in ERRORS[1:]]),
        "ERROR_MESSAGE": coded(error - 1, [message for _, message in ERRORS[1:]]),
        "WAREHOUSE_SIZE": coded(size_code, [size.shown for size in sizes] + ["ADAPTIVE"]),
        "WAREHOUSE_TYPE": _types(ran, keep, executed),
        "CLUSTER_NUMBER": np.ma.masked_less(ran.cluster[keep], 0),
        "QUERY_LOAD_PERCENT": np.ma.masked_array(np.minimum(slots * 100 // 8, 100), ~executed),
        "SECONDARY_ROLE_STATS": coded(np.zeros(len(keep), dtype=np.int64), ['{"secondaryRoles":[]}']),
    }


def _types(ran: Ran, keep: Ints, executed: npt.NDArray[np.bool_]) -> Any:
    special = dict(zip(ran.stretches["warehouse"], ran.stretches["type"], strict=True))
    snowpark = [identifier for identifier, kind in special.items() if kind == "SNOWPARK-OPTIMIZED"]
    code = np.where(np.isin(ran.work.warehouse[keep], snowpark), 1, 0)
    code = np.where(ran.adaptive[keep], 2, code)
    return coded(np.where(executed, code, -1), ["STANDARD", "SNOWPARK-OPTIMIZED", "ADAPTIVE"])


def _volumes(ran: Ran, keep: Ints, rng: np.random.Generator) -> Columns:
    work, count = ran.work, len(keep)
    executed, writes = ran.begin[keep] >= 0, _writes(ran, keep)
    scanned = np.where(executed, work.scanned[keep] * work.done[keep], 0)
    partitions = np.ceil(scanned / _PARTITION).astype(np.int64)
    total = np.ceil(partitions / np.maximum(rng.beta(0.7, 1.2, count), 0.003)).astype(np.int64)
    # Seen on live accounts: a few statements scan more partitions than the total says.
    total = np.where(rng.random(count) < 0.003, np.maximum(partitions - 3, 0), total)
    produced = np.where(executed & (work.error[keep] == 0), np.exp(rng.normal(5, 2.4, count)), 0).astype(np.int64)
    kinds = np.array([each.kind for each in work.statements])[work.statement[keep]]
    changed = np.where(writes, np.minimum(scanned / 180, 5e8), 0).astype(np.int64) * (work.error[keep] == 0)
    written = np.where(writes & (work.error[keep] == 0), scanned * rng.beta(2, 6, count), 0).astype(np.int64)
    result = np.where(writes, 0, produced * rng.integers(20, 200, count))
    memory = np.array([memory_bytes(size) for size in Size])[np.maximum(ran.rank[keep], 0)]
    over = np.where(executed & (ran.rank[keep] >= 0), work.intermediate[keep] * work.done[keep] - memory, 0)
    far = np.maximum(work.intermediate[keep] * work.done[keep] - 6 * memory, 0) * (over > 0)
    inserts = np.isin(kinds, ["INSERT", "COPY", "CREATE_TABLE_AS_SELECT", "MERGE"])
    return {
        "BYTES_SCANNED": scanned.astype(np.int64),
        "PERCENTAGE_SCANNED_FROM_CACHE": _cache_share(ran, keep, writes, executed, rng),
        "PARTITIONS_SCANNED": partitions,
        "PARTITIONS_TOTAL": np.where(executed, total, 0),
        "BYTES_WRITTEN": written,
        "BYTES_WRITTEN_TO_RESULT": result,
        "BYTES_READ_FROM_RESULT": np.where(work.cached[keep], rng.integers(500, 200_000, count), 0),
        "ROWS_PRODUCED": np.where(work.cached[keep], rng.integers(1, 500, count), produced),
        "ROWS_WRITTEN_TO_RESULT": np.where(writes, 1, produced),
        "ROWS_INSERTED": np.where(inserts, changed, 0),
        "ROWS_UPDATED": np.where(np.isin(kinds, ["MERGE", "UPDATE"]), changed // 3, 0),
        "ROWS_DELETED": np.where(kinds == "DELETE", changed, 0),
        "ROWS_UNLOADED": np.zeros(count, dtype=np.int64),
        "BYTES_DELETED": np.where(kinds == "DELETE", written // 2, 0),
        "BYTES_SPILLED_TO_LOCAL_STORAGE": np.maximum(over, 0).astype(np.int64),
        "BYTES_SPILLED_TO_REMOTE_STORAGE": far.astype(np.int64),
        "BYTES_SENT_OVER_THE_NETWORK": (np.where(executed, scanned, 0) * rng.beta(1, 9, count)).astype(np.int64),
    }


def _cache_share(
    ran: Ran, keep: Ints, writes: npt.NDArray[np.bool_], executed: npt.NDArray[np.bool_], rng: np.random.Generator
) -> Floats:
    """Bimodal (reference 7.2): mostly all or nothing; next to nothing on a cluster that has just started."""
    pick, low, high = rng.random(len(keep)), rng.random(len(keep)) * 0.8, 0.8 + rng.random(len(keep)) * 0.2
    reading = np.select([pick < 0.04, pick < 0.17, pick < 0.40], [0.0, low, high], 1.0)
    writing = np.select([pick < 0.17, pick < 0.44, pick < 0.50], [0.0, low, high], 1.0)
    share = np.where(writes, writing, reading)
    share = np.where(ran.cold[keep], 0.1 * low, share)
    rounded: Floats = np.where(executed & (ran.work.scanned[keep] > 0), share, 0.0).round(6).astype(np.float64)
    return rounded


def live_queries(demo: Demo, ran: Ran, ids: list[str], epoch_ms: int) -> Columns:
    """LIVE_QUERIES: what has reached its warehouse and has not ended at now."""
    work = ran.work
    open_ones = work.executes & (work.reaches <= ran.now) & ~((ran.end >= 0) & (ran.end <= ran.now))
    rows = np.flatnonzero(open_ones).tolist()
    names = {w.id: w for w in demo.warehouses}

    def size(row: int) -> str | None:
        known = names[int(work.warehouse[row])].size
        rank = int(ran.rank[row])
        return list(Size)[rank].shown if rank >= 0 else (known.shown if known else "ADAPTIVE")

    def habit(row: int) -> Habit:
        return work.habits[int(work.habit[row])]

    statements = {row: work.statements[int(work.statement[row])] for row in rows}
    return {
        "QUERY_ID": [ids[row] for row in rows],
        "QUERY_TEXT": [_text(ran, int(work.statement[r]), int(work.literal[r]), int(work.day[r])) for r in rows],
        "DATABASE_NAME": [statements[row].database for row in rows],
        "QUERY_TYPE": [statements[row].kind for row in rows],
        "SESSION_ID": np.array([8_800_000_000 + row for row in rows], dtype=np.int64),
        "USER_NAME": [habit(row).users[int(work.user[row])] for row in rows],
        "ROLE_NAME": [habit(row).role for row in rows],
        "WAREHOUSE_NAME": [names[int(work.warehouse[row])].name for row in rows],
        "WAREHOUSE_SIZE": [size(row) for row in rows],
        "QUERY_TAG": [_tag(habit(r), statements[r].key, int(work.habit[r]), int(work.run[r])) for r in rows],
        "EXECUTION_STATUS": ["RUNNING" if ran.begin[row] >= 0 else "QUEUED" for row in rows],
        "START_TIME": moments(work.at[np.array(rows, dtype=np.int64)], epoch_ms),
    }
