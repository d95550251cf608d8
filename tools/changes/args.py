"""Arguments of the changing tools, and the typed change that each means on the live account."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.context import ToolContext
from tools.domain import (
    ActionName,
    CancelQuery,
    Change,
    ResizeWarehouse,
    ResumeWarehouse,
    SetAutoSuspend,
    SetClusters,
    Size,
    SuspendWarehouse,
    Warehouse,
)
from tools.errors import BadArgument, Refused
from tools.names import live_warehouse

__all__ = [
    "AutoSuspendArgs",
    "BundleArgs",
    "CancelArgs",
    "ChangeItem",
    "ClustersArgs",
    "ResizeArgs",
    "Wanted",
    "WarehouseArgs",
    "auto_suspend",
    "cancel",
    "clusters",
    "item",
    "resize",
    "resume",
    "suspend",
]


class _Args(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


WarehouseText = Annotated[
    str, Field(min_length=1, max_length=300, description="Name of the warehouse as the person wrote it.")
]
ReasonText = Annotated[str, Field(max_length=500, description="Why, in the person's words; shown to the approver.")]
SizeText = Annotated[
    str,
    Field(min_length=1, max_length=40, description="New size, X-Small to 6X-Large in any spelling, or 'up' or 'down'."),
]
Seconds = Annotated[int, Field(ge=0, le=604_800, description="Idle seconds before it suspends; 0 means never.")]
Clusters = Annotated[int | None, Field(ge=1, le=300, description="Number of clusters; left out: as it is.")]
Policy = Annotated[Literal["STANDARD", "ECONOMY"] | None, Field(description="Scaling policy; left out: as it is.")]
QueryId = Annotated[str, Field(min_length=1, max_length=60, description="Id of the running query.")]


class ResizeArgs(_Args):
    warehouse: WarehouseText
    size: SizeText
    reason: ReasonText = ""


class WarehouseArgs(_Args):
    warehouse: WarehouseText
    reason: ReasonText = ""


class AutoSuspendArgs(_Args):
    warehouse: WarehouseText
    seconds: Seconds
    reason: ReasonText = ""


class ClustersArgs(_Args):
    warehouse: WarehouseText
    min_clusters: Clusters = None
    max_clusters: Clusters = None
    scaling_policy: Policy = None
    reason: ReasonText = ""


class CancelArgs(_Args):
    query_id: QueryId
    reason: ReasonText = ""


class ChangeItem(_Args):
    """One change of several; which fields count depends on the action."""

    action: Annotated[ActionName, Field(description="What to do.")]
    warehouse: Annotated[
        str | None, Field(min_length=1, max_length=300, description="Name as written; not for cancel_query.")
    ] = None
    size: Annotated[str | None, Field(min_length=1, max_length=40, description="For resize_warehouse.")] = None
    seconds: Annotated[int | None, Field(ge=0, le=604_800, description="For set_auto_suspend; 0: never.")] = None
    min_clusters: Clusters = None
    max_clusters: Clusters = None
    scaling_policy: Policy = None
    query_id: Annotated[str | None, Field(min_length=1, max_length=60, description="For cancel_query.")] = None


class BundleArgs(_Args):
    changes: Annotated[tuple[ChangeItem, ...], Field(min_length=1, max_length=10, description="In order.")]
    title: Annotated[str, Field(max_length=200, description="What the changes are for.")] = ""
    reason: ReasonText = ""


# --- from arguments to changes -------------------------------------------------------------------------------------

_UP = {"up", "bigger", "larger", "increase", "+1"}
_DOWN = {"down", "smaller", "decrease", "-1"}
_QUERY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{8,12}")

Wanted = tuple[Warehouse, Change]


def resize(ctx: ToolContext, args: ResizeArgs) -> Wanted:
    warehouse = live_warehouse(ctx.reader, args.warehouse)
    word = args.size.strip().lower()
    if word not in _UP | _DOWN:
        return warehouse, ResizeWarehouse(size=Size.parse(args.size))
    if warehouse.size is None:
        raise Refused(f"{warehouse.name} shows no size to go {'up' if word in _UP else 'down'} from.")
    rank = warehouse.size.rank + (1 if word in _UP else -1)
    if not 0 <= rank < len(Size):
        raise Refused(f"{warehouse.name} is {warehouse.size.shown}: there is no size beyond it.")
    return warehouse, ResizeWarehouse(size=list(Size)[rank])


def suspend(ctx: ToolContext, args: WarehouseArgs) -> Wanted:
    return live_warehouse(ctx.reader, args.warehouse), SuspendWarehouse()


def resume(ctx: ToolContext, args: WarehouseArgs) -> Wanted:
    return live_warehouse(ctx.reader, args.warehouse), ResumeWarehouse()


def auto_suspend(ctx: ToolContext, args: AutoSuspendArgs) -> Wanted:
    return live_warehouse(ctx.reader, args.warehouse), SetAutoSuspend(seconds=args.seconds or None)


def clusters(ctx: ToolContext, args: ClustersArgs) -> Wanted:
    warehouse = live_warehouse(ctx.reader, args.warehouse)
    if (args.min_clusters, args.max_clusters, args.scaling_policy) == (None, None, None):
        raise BadArgument("Nothing to set.", hint="Give the least or most clusters, or the scaling policy.")
    least = args.min_clusters or warehouse.min_clusters or 1
    most = args.max_clusters or warehouse.max_clusters or 1
    if least > most:
        raise BadArgument(f"At least {least} and at most {most} clusters cannot both hold.", hint="Give both numbers.")
    return warehouse, SetClusters(min_clusters=least, max_clusters=most, scaling_policy=args.scaling_policy)


def cancel(ctx: ToolContext, args: CancelArgs) -> Wanted:
    query_id = args.query_id.strip().lower()
    if not _QUERY_ID.fullmatch(query_id):
        raise BadArgument("That is not a query id.", hint="It reads like 01b2c3d4-0000-1111-0000-000012345678.")
    running = ctx.reader.live_query(query_id)
    if running is None:
        raise Refused(f"Query {query_id} is not running now, so there is nothing to cancel.")
    if running.warehouse is None:
        raise Refused(f"Query {query_id} runs on no warehouse; it is not cancelled from here.")
    return live_warehouse(ctx.reader, running.warehouse), CancelQuery(query_id=query_id)


def item(ctx: ToolContext, one: ChangeItem) -> Wanted:
    """One item of a bundle, through the very arguments of the single tool.

    Raises:
        BadArgument: a field that the action needs is missing.
    """
    needs: dict[str, tuple[type[_Args], Callable[[ToolContext, Any], Wanted]]] = {
        "resize_warehouse": (ResizeArgs, resize),
        "suspend_idle": (WarehouseArgs, suspend),
        "resume_warehouse": (WarehouseArgs, resume),
        "set_auto_suspend": (AutoSuspendArgs, auto_suspend),
        "set_clusters": (ClustersArgs, clusters),
        "cancel_query": (CancelArgs, cancel),
    }
    model, make = needs[one.action]
    given = one.model_dump(exclude_none=True, exclude={"action"})
    missing = sorted(n for n, f in model.model_fields.items() if f.is_required() and n not in given)
    unused = sorted(set(given) - set(model.model_fields))
    if missing or unused:
        word, names = ("needs", missing) if missing else ("does not take", unused)
        raise BadArgument(f"{one.action} {word} {', '.join(names)}.")
    return make(ctx, model(**given))
