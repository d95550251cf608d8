"""What scans have found, what became of it, and what people said about it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, or_, select, update

from agent.findings import MERGED, Change, Event, dismissed, snoozed, woken
from agent.store import audit as chain
from agent.store.engine import reading, writing
from agent.store.leases import is_held
from agent.store.rows import storable
from agent.store.tables import finding_events, findings, meta
from tools.context import Clock
from tools.domain import Person
from tools.errors import BadArgument, UnknownName
from tools.finding import FindingRecord, FindingState, ScanStamp

__all__ = ["FindingEvent", "Findings"]

_REF = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SHORTEST_REF = 4
_SYSTEM = "system"
_MOST = 500


@dataclass(frozen=True)
class FindingEvent:
    number: int
    at: datetime
    """Wall time."""
    as_of: datetime
    """Account time."""
    event: Event
    actor: str
    detail: str


class Findings:
    """Findings of one account; safe in several threads and processes. Every method may raise Unreachable.

    Implements tools.context.FindingView.
    """

    def __init__(self, engine: Engine, *, account: str, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.account = account

    # --- reading -------------------------------------------------------------------------------------------------

    def list(
        self,
        states: Sequence[FindingState] | None = None,
        *,
        now: datetime | None = None,
        since: datetime | None = None,
        limit: int = _MOST,
    ) -> tuple[FindingRecord, ...]:
        """Newest first. `now`: account time, at which a snooze may be over; `since`: only what went on after it."""
        where: list[ColumnElement[bool]] = []
        if since is not None:
            where.append(or_(findings.c.ended_at.is_(None), findings.c.ended_at > since))
        records = self._records(*where)
        if now is not None:
            records = tuple(woken(record, now) for record in records)
        wanted = [r for r in records if states is None or r.finding.state in states]
        return tuple(wanted[:limit])

    def over_since(self, found: datetime) -> tuple[FindingRecord, ...]:
        """Those that a scan as of `found` (account time) or later found, that went on then, and that are over by
        themselves now. Newest first. What went on in a later finding is told there.
        """
        events = finding_events.c
        first = select(events.finding_id).where(
            events.account == self.account, events.event == "found", events.as_of >= found
        )
        ended = select(events.finding_id).where(
            events.account == self.account, events.event == "resolved", events.detail != MERGED
        )
        where = (findings.c.state == "resolved", findings.c.id.in_(first), findings.c.id.in_(ended))
        return tuple(r for r in self._records(*where) if not r.dismissed and r.snoozed_until is None)

    def get(self, ref: str) -> FindingRecord:
        """By id or fingerprint, or the first characters (4 or more) of one of them.

        Raises:
            UnknownName: there is none.
            BadArgument: it could be several.
        """
        if not _REF.fullmatch(ref):
            raise _unknown(ref)
        exact = self._records((findings.c.id == ref) | (findings.c.fingerprint == ref))
        if exact:
            return exact[0]
        if len(ref) < _SHORTEST_REF:
            raise _unknown(ref, hint=f"At least {_SHORTEST_REF} characters of the id.")
        begins = [func.substr(column, 1, len(ref)) == ref for column in (findings.c.id, findings.c.fingerprint)]
        found = self._records(or_(*begins))
        if not found:
            raise _unknown(ref)
        if len(found) > 1:
            ids = ", ".join(record.id for record in found[:5])
            raise BadArgument(f"{ref} could be {len(found)} findings: {ids}.", hint="Give more characters of the id.")
        return found[0]

    def events(self, finding_id: str) -> tuple[FindingEvent, ...]:
        """Oldest first."""
        mine = (finding_events.c.account == self.account) & (finding_events.c.finding_id == finding_id)
        with reading(self._engine) as connection:
            rows = connection.execute(select(finding_events).where(mine).order_by(finding_events.c.number)).mappings()
            return tuple(FindingEvent(**{n: row[n] for n in FindingEvent.__dataclass_fields__}) for row in rows)

    def last_scan(self) -> ScanStamp | None:
        """The last scan that came to its end; None where there was none."""
        with reading(self._engine) as connection:
            kept = connection.execute(select(meta.c.value).where(meta.c.key == self._stamp_key)).scalar()
        return ScanStamp.model_validate_json(kept) if kept else None

    # --- what a scan writes --------------------------------------------------------------------------------------

    def record(self, changes: Sequence[Change], stamp: ScanStamp, *, lease: str, holder: str) -> bool:
        """All that a scan has found, in one transaction; False, and nothing is written, where the lease is not
        `holder`'s any more.

        A finding that a person snoozed or dismissed while the scan ran keeps what they said.
        """
        with writing(self._engine) as connection:
            now = self._clock.now()
            if not is_held(connection, self.account, lease, holder, now):
                return False
            for change in changes:
                self._save(connection, change, stamp.as_of, now)
            self._keep_stamp(connection, stamp)
        return True

    def _save(self, connection: Connection, change: Change, as_of: datetime, now: datetime) -> None:
        record = change.record
        kept = connection.execute(select(findings.c.body, findings.c.updated_at).where(self._is(record.id))).first()
        if kept is None:
            values = self._values(record, now) | {"created_at": now}
            connection.execute(findings.insert().values(**values))
        else:
            stands = FindingRecord.model_validate(kept.body)
            if record.updated_at is not None and kept.updated_at != record.updated_at:
                record = _as_people_said(record, stands)
            connection.execute(update(findings).where(self._is(record.id)).values(**self._values(record, now)))
        if change.event is not None:
            self._log(connection, record.id, change.event, _SYSTEM, as_of, change.detail, now)

    def _keep_stamp(self, connection: Connection, stamp: ScanStamp) -> None:
        connection.execute(delete(meta).where(meta.c.key == self._stamp_key))
        connection.execute(meta.insert().values(key=self._stamp_key, value=stamp.model_dump_json()))

    @property
    def _stamp_key(self) -> str:
        return f"scan:{hashlib.sha256(self.account.encode()).hexdigest()[:32]}"

    # --- what people say -----------------------------------------------------------------------------------------

    def snooze(self, ref: str, until: datetime, reason: str, by: Person, now: datetime) -> FindingRecord:
        """Quiet until then (account time), with its audit entry; raises as `get` and `agent.findings.snoozed`."""
        detail = {"until": until.isoformat(), "reason": reason}
        return self._said(ref, "snoozed", by, now, detail, lambda r: snoozed(r, until, reason, by, now))

    def dismiss(self, ref: str, reason: str, by: Person, now: datetime) -> FindingRecord:
        """It is none, with its audit entry; raises as `get` and `agent.findings.dismissed`."""
        return self._said(ref, "dismissed", by, now, {"reason": reason}, lambda r: dismissed(r, reason, by))

    def _said(
        self, ref: str, event: Event, by: Person, now: datetime, detail: dict[str, Any], change: Any
    ) -> FindingRecord:
        finding_id = self.get(ref).id
        with writing(self._engine) as connection:
            wall = self._clock.now()
            body = connection.execute(select(findings.c.body).where(self._is(finding_id))).scalar_one()
            record: FindingRecord = change(woken(FindingRecord.model_validate(body), now))
            connection.execute(update(findings).where(self._is(finding_id)).values(**self._values(record, wall)))
            told = storable({"finding": finding_id, "kind": record.finding.kind, **detail})
            self._log(connection, finding_id, event, by.id, now, json.dumps(detail, ensure_ascii=False), wall)
            chain.append(connection, at=wall, actor=by.id, event=f"finding_{event}", plan_id=None, detail=told)
        return record

    # --- inside --------------------------------------------------------------------------------------------------

    def _values(self, record: FindingRecord, now: datetime) -> dict[str, Any]:
        finding = record.finding
        return {
            "account": self.account,
            "id": record.id,
            "fingerprint": finding.fingerprint,
            "cause": record.cause,
            "kind": finding.kind,
            "severity": finding.severity,
            "warehouse": finding.warehouse,
            "state": finding.state,
            "started_at": finding.started_at,
            "ended_at": finding.ended_at,
            "seen_at": record.seen_at,
            "snoozed_until": record.snoozed_until,
            "body": record.model_dump(mode="json", exclude={"updated_at"}),
            "updated_at": now,
        }

    def _log(
        self,
        connection: Connection,
        finding_id: str,
        event: Event,
        actor: str,
        as_of: datetime,
        detail: str,
        now: datetime,
    ) -> None:
        mine = (finding_events.c.account == self.account) & (finding_events.c.finding_id == finding_id)
        last = connection.execute(select(func.max(finding_events.c.number)).where(mine)).scalar() or 0
        row = {"account": self.account, "finding_id": finding_id, "number": last + 1}
        said = {"at": now, "as_of": as_of, "event": event, "actor": actor, "detail": detail}
        connection.execute(finding_events.insert().values(**row, **said))

    def _records(self, *where: ColumnElement[bool]) -> tuple[FindingRecord, ...]:
        query = select(findings.c.body, findings.c.updated_at).where(findings.c.account == self.account, *where)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(findings.c.started_at.desc(), findings.c.id)).all()
        return tuple(
            FindingRecord.model_validate(row.body).model_copy(update={"updated_at": row.updated_at}) for row in rows
        )

    def prune(self, before: datetime) -> int:
        """Forget what was over, and said nothing of, before then (wall time); returns how many."""
        over = findings.c.ended_at.is_not(None) & (findings.c.updated_at < before)
        old = (findings.c.account == self.account) & over
        with writing(self._engine) as connection:
            gone = select(findings.c.id).where(old)
            mine = finding_events.c.account == self.account
            connection.execute(delete(finding_events).where(mine, finding_events.c.finding_id.in_(gone)))
            return connection.execute(delete(findings).where(old)).rowcount

    def _is(self, finding_id: str) -> ColumnElement[bool]:
        return (findings.c.account == self.account) & (findings.c.id == finding_id)


def _as_people_said(record: FindingRecord, stands: FindingRecord) -> FindingRecord:
    """Somebody snoozed or dismissed it since the scan read it: the figures are the scan's, the quiet is theirs."""
    state = stands.finding.state
    if record.finding.ended_at is not None:
        state = "resolved"
    finding = record.finding.model_copy(update={"state": state})
    said = ("snoozed_until", "dismissed", "reason", "by")
    return record.model_copy(update={"finding": finding, **{name: getattr(stands, name) for name in said}})


def _unknown(ref: str, hint: str = "frostline findings list") -> UnknownName:
    return UnknownName("finding", ref[:64], (), hint=hint)
