"""The audit chain: append-only, each row holds the hash of the one before.

The hash is SHA-256 over the canonical JSON of everything else in the row, `prev_hash` included. `meta` keeps
how many rows there are and the last hash, so that rows cut off at the end are missed too. Who can write the
database can rebuild the whole chain: note the head printed by `frostline audit verify --json` elsewhere to find that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from agent.store.tables import audit, ledger, meta, plans, stamp
from tools.domain import PlanState

__all__ = ["GENESIS", "AuditReport", "AuditRow", "append", "rows", "verify"]

GENESIS = "0" * 64
_HEAD = "audit_head"


@dataclass(frozen=True)
class AuditRow:
    seq: int
    at: str
    """ISO-8601, UTC: wall time."""
    actor: str
    """Id of the person, or `system`."""
    event: str
    plan_id: str | None
    detail: dict[str, Any]
    prev_hash: str
    hash: str


@dataclass(frozen=True)
class AuditReport:
    ok: bool
    rows: int
    head: str
    """Hash of the last row; 64 zeros for an empty chain."""
    problems: tuple[str, ...] = ()


def append(
    connection: Connection,
    *,
    at: datetime,
    actor: str,
    event: str,
    plan_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add one row; the caller holds the writers' lock (`engine.writing`)."""
    count, prev = _head(connection)
    row = {
        "seq": count + 1,
        "at": stamp(at),
        "actor": actor,
        "event": event,
        "plan_id": plan_id,
        "detail": _canonical(dict(detail or {})),
        "prev_hash": prev,
    }
    digest = _hash(row)
    connection.execute(audit.insert().values(**row, hash=digest))
    head = _canonical({"count": count + 1, "hash": digest})
    if count == 0 and connection.execute(select(meta.c.key).where(meta.c.key == _HEAD)).first() is None:
        connection.execute(meta.insert().values(key=_HEAD, value=head))
    else:
        connection.execute(update(meta).where(meta.c.key == _HEAD).values(value=head))


def rows(connection: Connection, plan_id: str | None = None) -> tuple[AuditRow, ...]:
    """The chain in order, or the part of it that concerns one plan."""
    query = select(audit).order_by(audit.c.seq)
    if plan_id is not None:
        query = query.where(audit.c.plan_id == plan_id)
    return tuple(_row(r) for r in connection.execute(query).mappings())


def verify(connection: Connection) -> AuditReport:
    """Find rows that were changed, removed, reordered, inserted or cut off, and plans that differ from theirs."""
    problems: list[str] = []
    count, prev, told = 0, GENESIS, dict[str, _Told]()
    for raw in connection.execute(select(audit).order_by(audit.c.seq)).mappings():
        row = dict(raw)
        problems += _row_problems(row, expected_seq=count + 1, prev=prev)
        count, prev = row["seq"], row["hash"]
        if row["plan_id"] is not None:
            told.setdefault(row["plan_id"], _Told()).add(row["event"], row["actor"], _detail(row["detail"]))
    total, head = _head(connection)
    if (total, head) != (count, prev):
        problems.append(f"the chain ends at row {count}, but {total} rows were written: the end was cut or replaced")
    problems += _plan_problems(connection, {p: t for p, t in told.items() if t.digest or t.started})
    return AuditReport(ok=not problems, rows=count, head=prev, problems=tuple(problems))


def _row_problems(row: dict[str, Any], *, expected_seq: int, prev: str) -> list[str]:
    found = []
    seq = row["seq"]
    if seq != expected_seq:
        found.append(f"row {expected_seq} is missing (next is {seq})")
    if _hash({k: row[k] for k in row if k != "hash"}) != row["hash"]:
        found.append(f"row {seq} was changed: its hash does not fit what it holds")
    if row["prev_hash"] != prev:
        found.append(f"row {seq} does not follow the row before it")
    return found


@dataclass
class _Told:
    """What the chain tells of one plan."""

    digest: str | None = None
    state: str = ""
    decided_by: str | None = None
    started: bool = False

    def add(self, event: str, actor: str, detail: Mapping[str, Any]) -> None:
        if event == "proposed":
            self.digest = str(detail.get("digest"))
        if event in ("approved", "declined", "cancelled") and actor != "system":
            self.decided_by = actor
        self.started = self.started or event == "started"
        moved = {"started": "claimed", "settled": str(detail.get("as"))}.get(event, event)
        self.state = moved if moved in _STATES else self.state


_STATES = frozenset(state.value for state in PlanState)


def _plan_problems(connection: Connection, told: Mapping[str, _Told]) -> list[str]:
    found, there = [], set()
    columns = (plans.c.id, plans.c.digest, plans.c.body, plans.c.state, plans.c.decided_by)
    for plan_id, digest, body, state, decided_by in connection.execute(select(*columns)):
        there.add(plan_id)
        chain = told.get(plan_id, _Told())
        decider = _detail(decided_by).get("id") if decided_by else None
        if hashlib.sha256(body.encode()).hexdigest() != digest:
            found.append(f"plan {plan_id} was changed: its body does not have its digest")
        elif chain.digest != digest:
            found.append(f"plan {plan_id} does not have the digest it was proposed with")
        if state != chain.state:
            found.append(f"plan {plan_id} is {state}, but by the chain it is {chain.state or 'nothing'}")
        if decider != chain.decided_by:
            found.append(f"plan {plan_id} was decided by {chain.decided_by}, but its row says {decider}")
    run = set(connection.execute(select(ledger.c.plan_id)).scalars())
    started = {plan_id for plan_id, chain in told.items() if chain.started}
    found += [f"plan {plan_id} is gone from the store" for plan_id in sorted(set(told) - there)]
    found += [f"ledger row {plan_id} has no start in the chain" for plan_id in sorted(run - started)]
    return found + [f"plan {plan_id} was started, but its ledger row is gone" for plan_id in sorted(started - run)]


def _head(connection: Connection) -> tuple[int, str]:
    text = connection.execute(select(meta.c.value).where(meta.c.key == _HEAD)).scalar()
    if text is None:
        return 0, GENESIS
    head = _detail(text)
    return int(head.get("count", 0)), str(head.get("hash", GENESIS))


def _row(raw: Any) -> AuditRow:
    return AuditRow(**{**dict(raw), "detail": _detail(raw["detail"])})


def _detail(text: str) -> dict[str, Any]:
    """A row that somebody broke is shown as it is, not raised over: the chain must stay readable."""
    try:
        value = json.loads(text)
    except ValueError:
        return {"unreadable": text}
    return value if isinstance(value, dict) else {"unreadable": text}


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _hash(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(row).encode()).hexdigest()
