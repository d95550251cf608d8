"""The nouns that everything else speaks of: warehouses, people, changes, plans.

Frozen pydantic models without I/O. `ActionPlan` is what a person approves: everything that stands in it is
covered by its digest, and nothing about its progress is (that is `PlanRecord`, kept by the store).
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tools.errors import BadArgument

__all__ = [
    "Account",
    "ActionName",
    "ActionPlan",
    "BlastRadius",
    "Bundle",
    "CancelQuery",
    "Change",
    "Effect",
    "Frozen",
    "LiveQuery",
    "Person",
    "PlanRecord",
    "PlanState",
    "ResizeWarehouse",
    "ResumeWarehouse",
    "Role",
    "SetAutoSuspend",
    "SetClusters",
    "Size",
    "SuspendWarehouse",
    "Verdict",
    "Warehouse",
    "canonical_json",
    "digest_of",
]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


# --- sizes ---------------------------------------------------------------------------------------------


class Size(StrEnum):
    """Warehouse sizes, in order; the value is the spelling DDL takes (reference 3.1)."""

    XSMALL = "XSMALL"
    SMALL = "SMALL"
    MEDIUM = "MEDIUM"
    LARGE = "LARGE"
    XLARGE = "XLARGE"
    XXLARGE = "XXLARGE"
    XXXLARGE = "XXXLARGE"
    X4LARGE = "X4LARGE"
    X5LARGE = "X5LARGE"
    X6LARGE = "X6LARGE"

    @property
    def rank(self) -> int:
        """0 for X-Small up to 9 for 6X-Large."""
        return list(Size).index(self)

    @property
    def shown(self) -> str:
        """The spelling SHOW WAREHOUSES prints: X-Small ... 6X-Large."""
        return _SHOWN[self]

    @classmethod
    def parse(cls, text: str) -> Size:
        """Accept every spelling that Snowflake prints or takes: X-Small, XSMALL, XS; 2X-Large, XXLARGE, X2LARGE.

        Raises:
            BadArgument: the text is no size.
        """
        key = re.sub(r"[\s_'\"-]", "", text).upper()
        try:
            return _SPELLINGS[key]
        except KeyError:
            raise BadArgument(
                f"{text[:40]!r} is not a warehouse size.", hint="Sizes: " + ", ".join(s.shown for s in Size)
            ) from None


_SHOWN = {
    Size.XSMALL: "X-Small",
    Size.SMALL: "Small",
    Size.MEDIUM: "Medium",
    Size.LARGE: "Large",
    Size.XLARGE: "X-Large",
    Size.XXLARGE: "2X-Large",
    Size.XXXLARGE: "3X-Large",
    Size.X4LARGE: "4X-Large",
    Size.X5LARGE: "5X-Large",
    Size.X6LARGE: "6X-Large",
}


def _spellings() -> dict[str, Size]:
    table = {"XS": Size.XSMALL, "S": Size.SMALL, "M": Size.MEDIUM, "L": Size.LARGE, "XL": Size.XLARGE}
    table |= {"EXTRASMALL": Size.XSMALL, "EXTRALARGE": Size.XLARGE, "MED": Size.MEDIUM}
    for size in Size:
        table[size.value] = size
        table[size.shown.replace("-", "").upper()] = size
    for n, size in enumerate(list(Size)[5:], start=2):
        table |= {f"{n}XL": size, f"{n}XLARGE": size, f"X{n}LARGE": size, f"X{n}L": size}
        table |= {"X" * n + "L": size, "X" * n + "LARGE": size}
    return table


_SPELLINGS = _spellings()


# --- the account and its warehouses ----------------------------------------------------------------------


class Account(Frozen):
    name: str
    origin: Literal["demo", "imported", "live"]
    timezone: str
    """IANA name; days, weeks and months of questions are this zone's."""
    edition: str
    credit_price: float
    """USD for one credit."""


class Warehouse(Frozen):
    """One row of SHOW WAREHOUSES, converted once (reference 1.4: columns differ between editions)."""

    name: str
    state: str
    """STARTED, SUSPENDED, RESIZING, RESUMING, SUSPENDING; adaptive: ENABLED, DISABLED."""
    type: str
    """STANDARD, SNOWPARK-OPTIMIZED, ADAPTIVE, ..."""
    size: Size | None
    """None for an adaptive warehouse, or where the account prints none."""
    min_clusters: int | None = None
    max_clusters: int | None = None
    started_clusters: int | None = None
    running: int = 0
    queued: int = 0
    auto_suspend: int | None = None
    """Seconds; None means never."""
    auto_resume: bool | None = None
    scaling_policy: str | None = None
    generation: str | None = None
    resource_constraint: str | None = None
    resource_monitor: str | None = None
    owner: str | None = None
    comment: str | None = None
    is_interactive: bool = False
    enable_query_acceleration: bool | None = None
    created_on: AwareDatetime | None = None
    resumed_on: AwareDatetime | None = None
    updated_on: AwareDatetime | None = None

    @property
    def is_adaptive(self) -> bool:
        return self.type.upper() == "ADAPTIVE"


class LiveQuery(Frozen):
    """A statement that is running or queued now (INFORMATION_SCHEMA, no latency)."""

    query_id: str
    warehouse: str | None
    user: str
    status: str
    """RUNNING, QUEUED, BLOCKED, RESUMING_WAREHOUSE."""
    started: AwareDatetime
    text_length: int = 0


# --- people ------------------------------------------------------------------------------------------------

Role = Literal["viewer", "analyst", "proposer", "approver", "admin"]
"""Each role may do what the ones before it may: see totals; see text and per-user figures; ask for a change;
approve one; everything."""


class Person(Frozen):
    """Who is asking or deciding, as the channel identified them: never taken from what they typed."""

    id: str
    """`os:alice`, `demo:demo-approver`, `slack:T01/U02`."""
    name: str
    roles: frozenset[Role] = frozenset()


# --- changes -------------------------------------------------------------------------------------------------

ActionName = Literal[
    "resize_warehouse", "suspend_idle", "resume_warehouse", "set_auto_suspend", "set_clusters", "cancel_query"
]


class ResizeWarehouse(Frozen):
    action: Literal["resize_warehouse"] = "resize_warehouse"
    size: Size


class SuspendWarehouse(Frozen):
    action: Literal["suspend_idle"] = "suspend_idle"


class ResumeWarehouse(Frozen):
    action: Literal["resume_warehouse"] = "resume_warehouse"


class SetAutoSuspend(Frozen):
    action: Literal["set_auto_suspend"] = "set_auto_suspend"
    seconds: Annotated[int, Field(ge=0, le=604_800)] | None
    """None or 0 means never."""


class SetClusters(Frozen):
    action: Literal["set_clusters"] = "set_clusters"
    min_clusters: Annotated[int, Field(ge=1, le=300)]
    max_clusters: Annotated[int, Field(ge=1, le=300)]
    scaling_policy: Literal["STANDARD", "ECONOMY"] | None = None
    """None leaves the policy as it is."""


class CancelQuery(Frozen):
    action: Literal["cancel_query"] = "cancel_query"
    query_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{8,12}$")]


Change = Annotated[
    ResizeWarehouse | SuspendWarehouse | ResumeWarehouse | SetAutoSuspend | SetClusters | CancelQuery,
    Field(discriminator="action"),
]


# --- plans -----------------------------------------------------------------------------------------------------

PLAN_SCHEMA_VERSION = 1


class BlastRadius(Frozen):
    """Who would notice, as of the proposal; None means not known, which is not zero."""

    running: int
    queued: int
    tasks_due_15m: int | None = None
    owner: str | None = None
    active_users_24h: int | None = None


class Effect(Frozen):
    """What the change is expected to do; negative credits are a saving."""

    credits_30d_low: float | None
    credits_30d_high: float | None
    level: int = 80
    """Coverage of the interval in percent; 100 where the two ends are bounds and not quantiles."""
    method: str
    """How the interval was made, in words for people."""


class Verdict(Frozen):
    """What policy says about a plan, frozen with it."""

    allowed: bool
    rule: str
    """The rule that decided, e.g. `protected`, `size_step`, `default`."""
    reason: str
    two_people: bool = False
    """The requester may not approve."""
    approver_role: Role = "approver"


class ActionPlan(Frozen):
    """One warehouse, one statement, frozen: what a person approves by its digest."""

    schema_version: int = PLAN_SCHEMA_VERSION
    id: str
    account: str
    """Name of the account this was made for: a plan never crosses accounts."""
    action: ActionName
    warehouse: str
    """Exact name as SHOW WAREHOUSES prints it."""
    change: Change
    statement: str
    undo: str | None
    """The exact statement that takes it back; None where nothing can (a cancelled query)."""
    undo_change: Change | None = None
    before: dict[str, str | int | bool | None]
    """The live properties the plan was made from (`tools.readback.snapshot`); drift in them makes it stale."""
    target: dict[str, str | int | bool | None]
    """What the same properties read when it is done."""
    blast_radius: BlastRadius
    verdict: Verdict
    expected: Effect
    requester: Person
    reason: str = ""
    thread: str | None = None
    """Conversation it was asked for in, for the report back."""
    undo_of: str | None = None
    created_at: AwareDatetime
    expires_at: AwareDatetime
    bundle: str | None = None
    position: int = 0

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical JSON of every field."""
        return digest_of(self)


class Bundle(Frozen):
    """An ordered list of plans approved as one; its digest covers theirs."""

    schema_version: int = PLAN_SCHEMA_VERSION
    id: str
    plan_ids: tuple[str, ...]
    plan_digests: tuple[str, ...]
    title: str
    requester: Person
    created_at: AwareDatetime
    expires_at: AwareDatetime

    @property
    def digest(self) -> str:
        return digest_of(self)


class PlanState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    CLAIMED = "claimed"
    APPLIED = "applied"
    FAILED = "failed"
    UNKNOWN = "unknown"
    DECLINED = "declined"
    EXPIRED = "expired"
    STALE = "stale"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Nothing moves it further, except that people may settle `unknown`."""
        return self not in (PlanState.PROPOSED, PlanState.APPROVED, PlanState.CLAIMED, PlanState.UNKNOWN)


class PlanRecord(Frozen):
    """A plan's row: the frozen plan, its stored digest, and how far it has come."""

    plan: ActionPlan
    digest: str
    """As stored when proposed; differs from `plan.digest` only if somebody changed the row."""
    state: PlanState
    decided_by: Person | None = None
    decided_at: AwareDatetime | None = None
    reason: str = ""
    """Why it was declined, went stale, failed, ..."""
    claimed_until: AwareDatetime | None = None
    query_id: str | None = None
    effect: str = ""
    """What the read-back saw, in words for people."""
    updated_at: AwareDatetime


def canonical_json(model: BaseModel) -> str:
    """Sorted keys, no white space, ISO times, sets as sorted lists: equal models give equal text."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {str(k): plain(v) for k, v in value.items()}
        if isinstance(value, (set, frozenset)):
            return sorted(plain(v) for v in value)
        if isinstance(value, (list, tuple)):
            return [plain(v) for v in value]
        if isinstance(value, datetime):
            return value.isoformat()
        return value

    return json.dumps(plain(model.model_dump()), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest_of(model: BaseModel) -> str:
    return hashlib.sha256(canonical_json(model).encode()).hexdigest()
