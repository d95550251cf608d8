"""The store: every move of a plan is a compare-and-set with its audit row in the same transaction.

    proposed -> approved -> claimed -> applied | failed | unknown (-> applied | failed, settled by people)
    proposed -> declined | expired | cancelled          approved -> expired | cancelled | stale

Times are wall time from the clock given at `open`. Methods that move a row raise PlanConflict when somebody
else was first; the message says who and when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from agent.store import audit as chain
from agent.store.engine import make_engine, reading, writing
from agent.store.migrate import upgrade
from agent.store.parts import StoreParts
from agent.store.reads import SYSTEM, BundleRecord, LedgerRow
from agent.store.rows import bundle_values, person_json, plan_values, storable
from agent.store.tables import audit, bundles, conversations, ledger, meta, plans
from tools.context import Clock
from tools.domain import ActionPlan, Bundle, Person, PlanRecord, PlanState
from tools.errors import Bug, NotAllowed, PlanConflict

__all__ = ["BundleRecord", "Decided", "LedgerRow", "Store"]

Decided = Literal[PlanState.APPROVED, PlanState.DECLINED, PlanState.CANCELLED]
Settled = Literal[PlanState.APPLIED, PlanState.FAILED, PlanState.UNKNOWN]


class _NotMovedError(Exception):
    """Rolls a transaction back."""

    def __init__(self, plan_id: str) -> None:
        super().__init__(plan_id)
        self.plan_id = plan_id


class Store(StoreParts):
    """Implements tools.context.PlanStore; safe in several threads and processes at once."""

    @classmethod
    def open(cls, url: str | Path, *, account: str, clock: Clock) -> Store:
        """Open (a path: a SQLite file), and bring the tables to the newest revision.

        Raises:
            BadSettings: a URL that cannot be used, or a store of a newer Frostline.
            Unreachable: the database does not answer.
        """
        engine = make_engine(url)
        upgrade(engine)
        return cls(engine, account=account, clock=clock)

    def close(self) -> None:
        self._engine.dispose()

    # --- proposing ---------------------------------------------------------------------------------------------

    def propose(self, plans_: Sequence[ActionPlan], bundle: Bundle | None = None) -> None:
        """Store frozen plans in state `proposed`, with their audit entries, in one transaction.

        Raises:
            Bug: a bundle that is not made of exactly these plans.
            PlanConflict: an id that is taken.
        """
        made_of = (bundle.plan_ids, bundle.plan_digests) if bundle else None
        if made_of and made_of != (tuple(p.id for p in plans_), tuple(p.digest for p in plans_)):
            raise Bug("A bundle does not list exactly the plans stored with it.")
        now = self._clock.now()
        try:
            with writing(self._engine) as connection:
                for plan in plans_:
                    connection.execute(plans.insert().values(**plan_values(plan, self.account), updated_at=now))
                    self._log(connection, "proposed", plan.requester.id, plan.id, _proposal(plan))
                if bundle:
                    connection.execute(bundles.insert().values(**bundle_values(bundle, self.account)))
                    detail = {"bundle": bundle.id, "digest": bundle.digest, "plans": list(bundle.plan_ids)}
                    self._log(connection, "bundle_proposed", bundle.requester.id, None, detail)
        except IntegrityError:
            raise PlanConflict("A plan with this id is stored already.", reason="state") from None

    # --- deciding ------------------------------------------------------------------------------------------------

    def approve(self, plan_id: str, digest: str, actor: Person, reason: str = "") -> PlanRecord:
        """proposed -> approved, for the full digest that the person saw.

        Raises:
            PlanConflict: digest, expired, or already decided by somebody.
        """
        return self.decide_all({plan_id: digest}, PlanState.APPROVED, actor, reason)[0]

    def decline(self, plan_id: str, digest: str, actor: Person, reason: str = "") -> PlanRecord:
        """proposed -> declined; raises as approve."""
        return self.decide_all({plan_id: digest}, PlanState.DECLINED, actor, reason)[0]

    def cancel(self, plan_id: str, digest: str, actor: Person, reason: str = "") -> PlanRecord:
        """proposed or approved, but not claimed -> cancelled; raises as approve."""
        return self.decide_all({plan_id: digest}, PlanState.CANCELLED, actor, reason)[0]

    def decide_all(
        self, digests: Mapping[str, str], to: Decided, actor: Person, reason: str = ""
    ) -> tuple[PlanRecord, ...]:
        """Decide several plans (id -> full digest) in one transaction: all of them move, or none.

        Raises:
            PlanConflict: as approve, for the first that cannot move.
        """
        frm = (PlanState.PROPOSED, PlanState.APPROVED) if to is PlanState.CANCELLED else (PlanState.PROPOSED,)
        for plan_id, digest in digests.items():
            if self.get(plan_id).digest != digest:
                raise _other_digest()
        try:
            with writing(self._engine) as connection:
                now = self._clock.now()  # only here: waiting for the lock may have taken the plan past its expiry
                values = {"decided_by": person_json(actor), "decided_at": now, "reason": reason}
                for plan_id, digest in digests.items():
                    where = (plans.c.digest == digest) & (plans.c.expires_at > now)
                    if not self._move(connection, plan_id, frm, to, where, **values):
                        raise _NotMovedError(plan_id)
                    self._log(connection, to.value, actor.id, plan_id, {"digest": digest, "reason": reason})
        except _NotMovedError as late:
            self.expire_due()
            raise self.already(self.get(late.plan_id)) from None
        return tuple(self.get(plan_id) for plan_id in digests)

    def expire_due(self) -> tuple[str, ...]:
        """proposed or approved, past expiry -> expired; returns the ids moved by this call."""
        now = self._clock.now()
        open_ = (PlanState.PROPOSED, PlanState.APPROVED)
        due = select(plans.c.id).where(
            plans.c.account == self.account, plans.c.state.in_([s.value for s in open_]), plans.c.expires_at <= now
        )
        moved = []
        with writing(self._engine) as connection:
            for plan_id in list(connection.execute(due).scalars()):
                self._move(connection, plan_id, open_, PlanState.EXPIRED)
                self._log(connection, "expired", SYSTEM, plan_id, {})
                moved.append(plan_id)
        return tuple(moved)

    def withdraw(self, plan_id: str, to: Literal[PlanState.STALE, PlanState.CANCELLED], reason: str) -> bool:
        """proposed or approved -> stale or cancelled, by the guard; False where it has moved on already."""
        open_ = (PlanState.PROPOSED, PlanState.APPROVED)
        with writing(self._engine) as connection:
            moved = self._move(connection, plan_id, open_, to, reason=reason)
            if moved:
                self._log(connection, to.value, SYSTEM, plan_id, {"reason": reason})
        return moved

    # --- executing -----------------------------------------------------------------------------------------------

    def claim(self, plan_id: str, digest: str, by: str, lease: timedelta, *, hourly_limit: int | None = None) -> bool:
        """approved -> claimed, with the ledger row and the audit entry `started`: the right to run it once.

        False where it is not approved (any more), has expired, or was started before (by ledger or chain).

        Raises:
            PlanConflict: digest, where the row or its approval is not what stands in the audit chain.
            NotAllowed: rule `per_hour`, where the limit was reached since the approval.
        """
        record = self.get(plan_id)
        if record.digest != digest:
            return False
        try:
            with writing(self._engine) as connection:
                now = self._clock.now()
                values = {"claimed_by": by, "claimed_until": now + lease}
                where = (plans.c.digest == digest) & (plans.c.expires_at > now)
                if not self._move(connection, plan_id, (PlanState.APPROVED,), PlanState.CLAIMED, where, **values):
                    return False
                self._check_approval(connection, plan_id, digest)
                self._check_limit(connection, now, hourly_limit)
                connection.execute(
                    ledger.insert().values(
                        plan_id=plan_id,
                        account=self.account,
                        statement=record.plan.statement,
                        claimed_by=by,
                        started_at=now,
                        outcome="started",
                    )
                )
                self._log(connection, "started", by, plan_id, {"statement": record.plan.statement})
        except (IntegrityError, _NotMovedError):
            return False
        return True

    def renew(self, plan_id: str, by: str, lease: timedelta) -> bool:
        """Start the claim's time anew, right before the statement; False where it has lapsed or is another's."""
        with writing(self._engine) as connection:
            now = self._clock.now()
            mine = (plans.c.claimed_by == by) & (plans.c.claimed_until > now)
            claimed = (PlanState.CLAIMED,)
            return self._move(connection, plan_id, claimed, PlanState.CLAIMED, mine, claimed_until=now + lease)

    def note_statement(
        self,
        plan_id: str,
        by: str,
        outcome: Literal["executed", "refused", "unknown"],
        *,
        query_id: str | None = None,
        detail: str = "",
    ) -> None:
        """What the statement came to, in ledger and audit, before the warehouse is read back.

        An answer that comes when recovery has judged the plan already makes `failed` into `unknown`: it may have
        taken effect after all.
        """
        mine = (ledger.c.plan_id == plan_id) & (ledger.c.claimed_by == by)
        with writing(self._engine) as connection:
            values = {"outcome": outcome, "query_id": query_id, "finished_at": self._clock.now()}
            in_time = update(ledger).where(mine, ledger.c.outcome == "started").values(**values)
            if connection.execute(in_time).rowcount:
                connection.execute(update(plans).where(plans.c.id == plan_id).values(query_id=query_id))
                event = {"executed": "executed", "refused": "statement_refused", "unknown": "statement_unknown"}
                self._log(connection, event[outcome], by, plan_id, {"query_id": query_id, "detail": detail})
            elif connection.execute(select(ledger.c.plan_id).where(mine)).first():
                self._late(connection, plan_id, by, outcome, query_id)

    def finish(self, plan_id: str, by: str, state: Settled, *, effect: str, reason: str = "") -> bool:
        """claimed by this process -> applied, failed or unknown; False where another has taken the claim."""
        now = self._clock.now()
        with writing(self._engine) as connection:
            values = {"effect": effect, "reason": reason, "claimed_until": None}
            mine = plans.c.claimed_by == by
            moved = self._move(connection, plan_id, (PlanState.CLAIMED,), state, mine, **values)
            if moved:
                done = {"outcome": state.value, "finished_at": now}
                connection.execute(update(ledger).where(ledger.c.plan_id == plan_id).values(**done))
                self._log(connection, state.value, by, plan_id, {"effect": effect, "reason": reason})
        return moved

    def take_over(self, plan_id: str, by: str, lease: timedelta) -> bool:
        """Take a claim that has lapsed, to read back what became of it; one of many callers gets it."""
        now = self._clock.now()
        with writing(self._engine) as connection:
            values = {"claimed_by": by, "claimed_until": now + lease}
            lapsed = plans.c.claimed_until <= now
            moved = self._move(connection, plan_id, (PlanState.CLAIMED,), PlanState.CLAIMED, lapsed, **values)
            if moved:
                self._log(connection, "recovering", by, plan_id, {})
        return moved

    def settle(self, plan_id: str, as_: Literal["applied", "failed"], actor: Person, reason: str = "") -> PlanRecord:
        """unknown -> applied or failed, on the word of a person.

        Raises:
            PlanConflict: it is not `unknown`.
        """
        state = PlanState(as_)
        note = f"settled as {as_} by {actor.name}" + (f": {reason}" if reason else "")
        with writing(self._engine) as connection:
            moved = self._move(connection, plan_id, (PlanState.UNKNOWN,), state, reason=note)
            if moved:
                connection.execute(update(ledger).where(ledger.c.plan_id == plan_id).values(outcome=as_))
                self._log(connection, "settled", actor.id, plan_id, {"as": as_, "reason": reason})
        if not moved:
            raise self.already(self.get(plan_id))
        return self.get(plan_id)

    # --- audit, meta, conversations ------------------------------------------------------------------------------

    def audit(
        self, event: str, actor: str, plan_id: str | None = None, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Append one entry of its own (denials, settings, ...); `detail` holds plain JSON values."""
        with writing(self._engine) as connection:
            self._log(connection, event, actor, plan_id, detail or {})

    def meta(self, key: str) -> str | None:
        with reading(self._engine) as connection:
            return connection.execute(select(meta.c.value).where(meta.c.key == f"user:{key}")).scalar()

    def set_meta(self, key: str, value: str) -> None:
        """Small values of the caller's own; the chain's head cannot be reached from here."""
        with writing(self._engine) as connection:
            connection.execute(delete(meta).where(meta.c.key == f"user:{key}"))
            connection.execute(meta.insert().values(key=f"user:{key}", value=value))

    def conversation(self, thread: str) -> tuple[str, str] | None:
        """(person id, profile) that a thread belongs to."""
        query = select(conversations.c.person, conversations.c.profile).where(conversations.c.thread == thread)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return (row.person, row.profile) if row else None

    def save_conversation(self, thread: str, person_id: str, profile: str) -> None:
        """Remember whose thread it is; the last writer wins."""
        with writing(self._engine) as connection:
            connection.execute(delete(conversations).where(conversations.c.thread == thread))
            values = {"person": person_id, "profile": profile, "updated_at": self._clock.now()}
            connection.execute(conversations.insert().values(thread=thread, **values))

    # --- inside --------------------------------------------------------------------------------------------------

    def _move(
        self,
        connection: Connection,
        plan_id: str,
        frm: tuple[PlanState, ...],
        to: PlanState,
        *where: Any,
        **values: Any,
    ) -> bool:
        """The compare-and-set itself."""
        values = {name: storable(value) for name, value in values.items()}
        condition = (plans.c.id == plan_id) & (plans.c.account == self.account)
        statement = update(plans).where(condition, plans.c.state.in_([s.value for s in frm]), *where)
        values |= {"state": to.value, "updated_at": self._clock.now()}
        return connection.execute(statement.values(**values)).rowcount == 1

    def _late(self, connection: Connection, plan_id: str, by: str, outcome: str, query_id: str | None) -> None:
        self._log(connection, "late_answer", by, plan_id, {"outcome": outcome, "query_id": query_id})
        reason = f"its statement was answered ({outcome}) only after it had been judged: look, and settle it"
        values = {"reason": reason, "query_id": query_id}
        if outcome != "refused" and self._move(connection, plan_id, (PlanState.FAILED,), PlanState.UNKNOWN, **values):
            connection.execute(update(ledger).where(ledger.c.plan_id == plan_id).values(outcome="unknown"))
            self._log(connection, PlanState.UNKNOWN.value, by, plan_id, {"reason": reason})

    def _log(
        self, connection: Connection, event: str, actor: str, plan_id: str | None, detail: Mapping[str, Any]
    ) -> None:
        at, plain = self._clock.now(), storable(dict(detail))
        chain.append(connection, at=at, actor=actor, event=event, plan_id=plan_id, detail=plain)

    def _check_approval(self, connection: Connection, plan_id: str, digest: str) -> None:
        """A row set to `approved` by hand has no approval in the chain, or was started by it already."""
        query = select(audit.c.event, audit.c.detail).where(audit.c.plan_id == plan_id)
        known = [(row.event, row.detail) for row in connection.execute(query)]
        if not any(event == "approved" and digest in detail for event, detail in known):
            raise PlanConflict("There is no approval of this plan in the audit chain; it is refused.", reason="digest")
        if any(event == "started" for event, _ in known):
            raise _NotMovedError(plan_id)

    def _check_limit(self, connection: Connection, now: datetime, limit: int | None) -> None:
        if limit is not None and self._applied_since(connection, now - timedelta(hours=1)) >= limit:
            raise NotAllowed(f"{limit} changes were applied in the last hour, which is the limit.", rule="per_hour")


def _other_digest() -> PlanConflict:
    return PlanConflict(
        "The digest is not this plan's: what was shown is not what is stored.",
        reason="digest",
        hint="Look at the plan again before deciding.",
    )


def _proposal(plan: ActionPlan) -> dict[str, Any]:
    return {
        "digest": plan.digest,
        "warehouse": plan.warehouse,
        "statement": plan.statement,
        "bundle": plan.bundle,
        "expires_at": plan.expires_at.isoformat(),
    }
