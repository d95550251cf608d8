"""Reading half of the store: plans, bundles, ledger, audit."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, func, or_, select

from agent.store import audit as chain
from agent.store.conflicts import already, tampered
from agent.store.engine import reading, writing
from agent.store.rows import body_is_intact, to_bundle, to_record
from agent.store.tables import audit, bundles, ledger, plans
from tools.context import Clock
from tools.domain import Bundle, PlanRecord, PlanState
from tools.errors import PlanConflict

__all__ = ["BundleRecord", "LedgerRow", "StoreReads"]

SYSTEM = "system"
"""The actor of what Frostline does by itself."""
NOT_APPLIED = ("refused", "failed")
"""Ledger outcomes that are sure to have changed nothing; all others count against the limit per hour."""


_REF = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What an id or the beginning of a digest is made of; anything else is not looked for."""
_SHORTEST_REF = 6


@dataclass(frozen=True)
class BundleRecord:
    bundle: Bundle
    digest: str
    plans: tuple[PlanRecord, ...]
    """In the order in which they are applied."""


@dataclass(frozen=True)
class LedgerRow:
    plan_id: str
    statement: str
    claimed_by: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    """started, executed, refused (it did not run), unknown; at the end applied, failed or unknown."""
    query_id: str | None


class StoreReads:
    """Rows of one account; a plan made for another account is not found here."""

    def __init__(self, engine: Engine, *, account: str, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.account = account

    # --- plans -------------------------------------------------------------------------------------------

    def get(self, plan_id: str) -> PlanRecord:
        """
        Raises:
            PlanConflict: not_found; digest where the row was changed after it was stored (audited).
        """
        found = self._records(plans.c.id == plan_id) if _REF.fullmatch(plan_id) else ()
        if not found:
            raise self._no_plan(plan_id)
        return found[0]

    def find(self, ref: str) -> PlanRecord:
        """By id, or by the first characters (6 or more) of the id or the digest.

        Raises:
            PlanConflict: not_found, ambiguous, digest.
        """
        ids = self._find_ids(plans, ref)
        if not ids:
            raise self._no_plan(ref)
        return self.get(ids[0])

    def list(self, states: Iterable[PlanState] | None = None, limit: int = 100) -> tuple[PlanRecord, ...]:
        """Newest first; rows that were changed are left out (and audited)."""
        where: tuple[ColumnElement[bool], ...] = ()
        if states is not None:
            where = (plans.c.state.in_([s.value for s in states]),)
        return self._records(*where, newest=True, limit=limit, skip_changed=True)

    def count(self, states: Iterable[PlanState] | None = None) -> int:
        """How many plans `list` would give without a limit, with those that were changed."""
        query = select(func.count()).select_from(plans).where(plans.c.account == self.account)
        if states is not None:
            query = query.where(plans.c.state.in_([s.value for s in states]))
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar_one())

    def already(self, record: PlanRecord) -> PlanConflict:
        """What to tell a person whose decision comes too late; where it was cancelled, the chain says by whom."""
        cancelled = [r for r in self.audit_rows(record.plan.id) if r.event == PlanState.CANCELLED.value]
        by_us = record.state is PlanState.CANCELLED and bool(cancelled) and cancelled[-1].actor == SYSTEM
        return already(record, datetime.fromisoformat(cancelled[-1].at) if by_us else None)

    def open_plans(self, warehouse: str | None = None) -> tuple[PlanRecord, ...]:
        """Plans that are not final, oldest first."""
        where: tuple[ColumnElement[bool], ...] = (plans.c.state.in_([s.value for s in PlanState if not s.is_final]),)
        if warehouse is not None:
            where = (*where, plans.c.warehouse == warehouse)
        return self._records(*where, skip_changed=True)

    def lapsed(self) -> tuple[PlanRecord, ...]:
        """Claimed plans whose claim has run out: the process that held it is gone or stuck."""
        now = self._clock.now()
        return self._records(plans.c.state == PlanState.CLAIMED.value, plans.c.claimed_until <= now, skip_changed=True)

    def applied_since(self, since: datetime) -> int:
        """Changes begun since then, less those that are sure not to have happened."""
        with reading(self._engine) as connection:
            return self._applied_since(connection, since)

    def applied_last_hour(self) -> int:
        return self.applied_since(self._clock.now() - timedelta(hours=1))

    # --- bundles, ledger, audit ------------------------------------------------------------------------------

    def bundle(self, ref: str) -> BundleRecord:
        """By id, or by the first characters (6 or more) of the id or the digest.

        Raises:
            PlanConflict: not_found, ambiguous, digest.
        """
        ids = self._find_ids(bundles, ref)
        if not ids:
            raise PlanConflict(f"There is no bundle {ref[:64]!r}.", reason="not_found")
        with reading(self._engine) as connection:
            row = dict(connection.execute(select(bundles).where(bundles.c.id == ids[0])).mappings().one())
        found = to_bundle(row)
        members = tuple(self.get(plan_id) for plan_id in found.plan_ids)
        if tuple(m.digest for m in members) != found.plan_digests:
            raise PlanConflict("This bundle's plans are not the ones it was made of; it is refused.", reason="digest")
        return BundleRecord(found, row["digest"], members)

    def resolve(self, ref: str) -> PlanRecord | BundleRecord:
        """The plan or bundle meant by an id or the beginning (6 characters or more) of an id or a digest.

        Raises:
            PlanConflict: not_found, ambiguous, digest.
        """
        kinds = (plans, bundles)
        exact = [table for table in kinds if _REF.fullmatch(ref) and self._ids(table, table.c.id == ref)]
        # A whole id is meant before any beginning, and what begins a plan and a bundle alike means neither.
        found = exact[:1] or [table for table in kinds if self._find_ids(table, ref)]
        if len(found) > 1:
            raise _ambiguous(ref)
        if not found:
            raise self._no_plan(ref)
        return self.find(ref) if found[0] is plans else self.bundle(ref)

    def ledger_row(self, plan_id: str) -> LedgerRow | None:
        columns = [c for c in ledger.c if c.name != "account"]
        query = select(*columns).where(ledger.c.plan_id == plan_id, ledger.c.account == self.account)
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return LedgerRow(**row) if row else None

    def audit_rows(self, plan_id: str | None = None) -> tuple[chain.AuditRow, ...]:
        """The chain, oldest first, or the part of it that concerns one plan."""
        with reading(self._engine) as connection:
            return chain.rows(connection, plan_id)

    def verify_audit(self) -> chain.AuditReport:
        with reading(self._engine) as connection:
            return chain.verify(connection)

    # --- inside ------------------------------------------------------------------------------------------------

    def _records(
        self,
        *where: ColumnElement[bool],
        newest: bool = False,
        limit: int | None = None,
        skip_changed: bool = False,
    ) -> tuple[PlanRecord, ...]:
        order = [plans.c.created_at, plans.c.position, plans.c.id]
        query = select(plans).where(plans.c.account == self.account, *where)
        query = query.order_by(*(c.desc() for c in order) if newest else order).limit(limit)
        with reading(self._engine) as connection:
            found = [dict(row) for row in connection.execute(query).mappings()]
        changed = [row for row in found if not body_is_intact(row)]
        for row in changed:
            self._note_tampering(row)
        if changed and not skip_changed:
            raise tampered(changed[0]["id"])
        return (
            tuple(self._readable(row for row in found if row not in changed))
            if skip_changed
            else tuple(to_record(row) for row in found)
        )

    @staticmethod
    def _readable(rows: Iterable[Mapping[str, Any]]) -> Iterable[PlanRecord]:
        """One row of another version does not hide the others from a list."""
        for row in rows:
            try:
                yield to_record(row)
            except PlanConflict:
                continue

    def _find_ids(self, table: Table, ref: str) -> tuple[str, ...]:
        """The one id meant by an id, or by the beginning of an id or a digest; empty where there is none."""
        if not _REF.fullmatch(ref):
            return ()
        exact = self._ids(table, table.c.id == ref)
        if exact or len(ref) < _SHORTEST_REF:
            return exact
        begins = [column.startswith(text, autoescape=True) for column, text in _beginnings(table, ref)]
        found = self._ids(table, or_(*begins))
        if len(found) > 1:
            raise _ambiguous(ref)
        return found

    def _no_plan(self, ref: str) -> PlanConflict:
        """Says so where the plan is there, but was made for another account or for this one before a new build."""
        if _REF.fullmatch(ref):
            with reading(self._engine) as connection:
                for table in (plans, bundles):
                    if connection.execute(select(table.c.id).where(table.c.id == ref)).first():
                        return PlanConflict(
                            f"Plan {ref} was made for another account than this one (or for this one before it was "
                            "imported or built anew); nothing of it is applied here.",
                            reason="not_found",
                            hint="Ask for the change again.",
                        )
        return PlanConflict(f"There is no plan {ref[:64]!r}.", reason="not_found")

    def _ids(self, table: Table, where: ColumnElement[bool]) -> tuple[str, ...]:
        with reading(self._engine) as connection:
            query = select(table.c.id).where(table.c.account == self.account, where).limit(2)
            return tuple(connection.execute(query).scalars())

    def _applied_since(self, connection: Connection, since: datetime) -> int:
        query = select(func.count()).where(
            ledger.c.account == self.account,
            ledger.c.started_at >= since,
            ledger.c.outcome.not_in(NOT_APPLIED),
        )
        return int(connection.execute(query).scalar_one())

    def _note_tampering(self, row: Mapping[str, Any]) -> None:
        """Once for each change found, not at every reading."""
        found = hashlib.sha256(row["body"].encode()).hexdigest()
        seen = select(audit.c.detail).where(audit.c.plan_id == row["id"], audit.c.event == "tampered")
        with writing(self._engine) as connection:
            if any(found in detail for detail in connection.execute(seen).scalars()):
                return
            chain.append(
                connection,
                at=self._clock.now(),
                actor=SYSTEM,
                event="tampered",
                plan_id=row["id"],
                detail={"stored_digest": row["digest"], "found_digest": found},
            )


def _ambiguous(ref: str) -> PlanConflict:
    return PlanConflict(f"{ref!r} is the beginning of more than one.", reason="ambiguous", hint="Give more of it.")


def _beginnings(table: Table, ref: str) -> tuple[tuple[Column[str], str], ...]:
    return ((table.c.id, ref), (table.c.digest, ref.lower()))
