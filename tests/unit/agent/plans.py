"""Plans for tests of the store, the policy and the approvals: real frozen models, no account behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tools.domain import (
    ActionPlan,
    BlastRadius,
    Bundle,
    Effect,
    Person,
    ResizeWarehouse,
    Size,
    Verdict,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class HandClock:
    """Wall time that moves only when told."""

    at: datetime = field(default=START)

    def now(self) -> datetime:
        return self.at

    def advance(self, **delta: float) -> None:
        self.at += timedelta(**delta)


def person(name: str, *roles: Any) -> Person:
    return Person(id=f"os:{name}", name=name, roles=frozenset(roles))


ASKER = person("ada", "proposer")
BOSS = person("grace", "approver")


def plan(plan_id: str = "p1", **changes: Any) -> ActionPlan:
    values: dict[str, Any] = {
        "id": plan_id,
        "account": "ACME",
        "action": "resize_warehouse",
        "warehouse": "ETL",
        "change": ResizeWarehouse(size=Size.SMALL),
        "statement": 'ALTER WAREHOUSE "ETL" SET WAREHOUSE_SIZE = SMALL',
        "undo": 'ALTER WAREHOUSE "ETL" SET WAREHOUSE_SIZE = MEDIUM',
        "undo_change": ResizeWarehouse(size=Size.MEDIUM),
        "before": {"size": "MEDIUM"},
        "target": {"size": "SMALL"},
        "blast_radius": BlastRadius(running=1, queued=0),
        "verdict": Verdict(allowed=True, rule="default", reason="ordinary change"),
        "expected": Effect(credits_30d_low=-20.5, credits_30d_high=0.0, method="bounds"),
        "requester": ASKER,
        "reason": "too big",
        "created_at": START,
        "expires_at": START + timedelta(minutes=30),
    }
    return ActionPlan(**(values | changes))


def bundle_of(*plans: ActionPlan, bundle_id: str = "b1") -> Bundle:
    return Bundle(
        id=bundle_id,
        plan_ids=tuple(p.id for p in plans),
        plan_digests=tuple(p.digest for p in plans),
        title="two changes",
        requester=ASKER,
        created_at=START,
        expires_at=START + timedelta(minutes=30),
    )
