"""State and dependencies of the action graph. State is plain JSON: it is checkpointed at every step.

The plan's row in the store is the truth about how far a plan has come; what stands here only steers one run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from typing_extensions import TypedDict

from agent.policy import Policy
from agent.store import Store
from tools.context import Clock, UsageReader

__all__ = ["ActionContext", "ActionState"]


class ActionState(TypedDict, total=False):
    plan_id: str
    digest: str
    """Of the row when the run began."""
    halt: str
    """Why the run goes straight to the report; empty while it may go on."""
    approved: bool
    """What the row said after the last wake-up."""
    outcome: Literal["executed", "refused", "unknown", "lost"]
    """What the statement came to; `lost`: another process holds the claim, nothing was run here."""
    detail: str
    report: str


@dataclass(frozen=True)
class ActionContext:
    """What the nodes may use; the writer is not among it (agent.nodes.execute gets it by closure)."""

    store: Store
    policy: Policy
    reader: UsageReader
    clock: Clock
    me: str
    """Names this process among others in claims and audit, e.g. `host:pid:random`."""
    sleep: Callable[[float], None]
    lease: timedelta = field(default=timedelta(minutes=3))
    """Longer than login, statement and network timeouts together; a claim that outlives it is recovered."""
    read_back_waits: tuple[float, ...] = (0.0, 0.5, 1.5, 3.0)
    """Seconds before each look at the warehouse after a statement; the last result counts."""
