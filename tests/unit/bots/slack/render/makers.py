"""Turns and plans for the tests of rendering."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.state import Turn
from bots.slack.render.card import CardView
from bots.slack.render.check import problems
from bots.slack.types import Message
from tests.slack_server.blocks import check_blocks, check_length, check_view
from tests.slack_server.errors import Refused
from tools.domain import (
    ActionPlan,
    BlastRadius,
    Effect,
    Person,
    PlanRecord,
    PlanState,
    ResizeWarehouse,
    Size,
    Verdict,
)
from tools.result import Fact, Source

NOW = datetime(2026, 11, 18, 17, 20, tzinfo=UTC)
TZ = "America/Los_Angeles"
ASKER = Person(id="slack:T1/U1", name="Ann")
APPROVER = Person(id="slack:T1/U2", name="Bob")


def fact(number: int, entity: str | None = None, value: float = 1.0) -> Fact:
    return Fact(
        id=f"f{number}", label="credits used", value=value, unit="credits", entity=entity, source="V", as_of=NOW
    )


def turn(answer: str, **changed: Any) -> Turn:
    given: dict[str, Any] = {
        "status": "ok",
        "answer": answer,
        "facts": [fact(1, "A"), fact(2, "B")],
        "sources": [Source(view="V", as_of=NOW, covered_until=NOW - timedelta(hours=3), latency_seconds=10_800)],
        "thread": "t",
        "model": "offline",
        "trace_id": "0123456789ab",
    }
    return Turn(**{**given, **changed})


def plan(name: str = "BI_WH", **changed: Any) -> ActionPlan:
    given: dict[str, Any] = {
        "id": "463a01eee2e8",
        "account": "demo",
        "action": "resize_warehouse",
        "warehouse": name,
        "change": ResizeWarehouse(size=Size.LARGE),
        "statement": f"ALTER WAREHOUSE \"{name}\" SET WAREHOUSE_SIZE = 'LARGE'",
        "undo": f"ALTER WAREHOUSE \"{name}\" SET WAREHOUSE_SIZE = 'MEDIUM'",
        "before": {"name": name, "size": "MEDIUM", "auto_suspend": 120},
        "target": {"size": "LARGE"},
        "blast_radius": BlastRadius(running=1, queued=0, owner="REPORTING_ADMIN", active_users_24h=4),
        "verdict": Verdict(allowed=True, rule="default", reason="An approver may allow this."),
        "expected": Effect(credits_30d_low=502.1, credits_30d_high=690.9, level=100, method="From less to more."),
        "requester": ASKER,
        "created_at": NOW,
        "expires_at": NOW + timedelta(minutes=30),
    }
    return ActionPlan(**{**given, **changed})


def record(state: PlanState = PlanState.PROPOSED, of: ActionPlan | None = None, **changed: Any) -> PlanRecord:
    made = of or plan()
    given: dict[str, Any] = {"plan": made, "digest": made.digest, "state": state, "updated_at": NOW}
    if state not in (PlanState.PROPOSED, PlanState.EXPIRED):
        given |= {"decided_by": APPROVER, "decided_at": NOW}
    return PlanRecord(**{**given, **changed})


def view(*records: PlanRecord, **changed: Any) -> CardView:
    rows = records or (record(),)
    first = rows[0]
    given: dict[str, Any] = {
        "ref": first.plan.bundle or first.plan.id,
        "digest": first.digest,
        "title": "Several changes",
        "records": rows,
        "tz": TZ,
        "approvers": ("U2", "S9"),
        "teams": ("T1",),
    }
    return CardView(**{**given, **changed})


def refused(shown: Message | dict[str, Any]) -> list[str]:
    """What stands against sending it: by our own check, and by the loopback Slack, which was written without it."""
    found = problems(shown)
    plain = json.loads(json.dumps(list(shown.blocks) if isinstance(shown, Message) else shown))
    try:
        if isinstance(shown, Message):
            check_length(check_blocks(plain))
        else:
            check_view(plain, plain["type"])
    except Refused as breach:
        found.append(repr(breach))
    return found


def texts(shown: Any) -> str:
    """All text that is drawn, in order."""
    from bots.slack.render.blocks import strings_in

    return "\n".join(strings_in(shown.blocks if hasattr(shown, "blocks") else shown))
