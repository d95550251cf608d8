"""From a typed change to the one statement that makes it, and back.

Names come from SHOW WAREHOUSES and are always quoted; values come from enums and int() alone, so no text
that somebody typed can become SQL. `parse` reads back exactly what `render` writes and nothing else.
"""

from __future__ import annotations

import re

from tools.domain import (
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
from tools.errors import BadArgument

__all__ = ["parse", "quote", "render", "undo_of", "unquote"]

_LONGEST_NAME = 255


def quote(name: str) -> str:
    """`name` as a quoted identifier (reference 3.4): case and every character kept, a quote doubled.

    Raises:
        BadArgument: empty, longer than 255 characters, or with a control character or a lone surrogate.
    """
    if not name or len(name) > _LONGEST_NAME:
        raise BadArgument(f"A name has 1 to {_LONGEST_NAME} characters; this one has {len(name)}.")
    if any(_unprintable(char) for char in name):
        raise BadArgument("A name with line breaks or control characters cannot be used.")
    return '"' + name.replace('"', '""') + '"'


def _unprintable(char: str) -> bool:
    # U+2028 and U+2029 end a line in some readers of a statement's log.
    return ord(char) < 32 or 127 <= ord(char) < 160 or char in "\u2028\u2029" or 0xD800 <= ord(char) <= 0xDFFF


def unquote(quoted: str) -> str:
    """The name inside a quoted identifier written by `quote`."""
    return quoted[1:-1].replace('""', '"')


def render(change: Change, warehouse: str) -> str:
    """The one statement that makes `change` on `warehouse` (its exact name).

    Raises:
        BadArgument: the name cannot be quoted, or fewer most than least clusters are asked for.
    """
    name = quote(warehouse)  # also for a cancellation: its plan names the warehouse, so it must be usable
    if isinstance(change, CancelQuery):
        return f"SELECT SYSTEM$CANCEL_QUERY('{change.query_id}')"
    return f"ALTER WAREHOUSE {name} {_tail(change)}"


def _tail(
    change: ResizeWarehouse | SuspendWarehouse | ResumeWarehouse | SetAutoSuspend | SetClusters,
) -> str:
    match change:
        case ResizeWarehouse():
            return f"SET WAREHOUSE_SIZE = '{Size(change.size).value}'"
        case SuspendWarehouse():
            return "SUSPEND"
        case ResumeWarehouse():
            return "RESUME IF SUSPENDED"  # plain RESUME of a running warehouse is an error (reference 3.1)
        case SetAutoSuspend():
            return f"SET AUTO_SUSPEND = {int(change.seconds or 0)}"  # 0 = never
        case SetClusters():
            return _clusters(change)


def _clusters(change: SetClusters) -> str:
    if change.max_clusters < change.min_clusters:
        raise BadArgument(
            f"At least {change.min_clusters} and at most {change.max_clusters} clusters cannot both hold."
        )
    text = f"SET MIN_CLUSTER_COUNT = {int(change.min_clusters)} MAX_CLUSTER_COUNT = {int(change.max_clusters)}"
    return text + (f" SCALING_POLICY = '{change.scaling_policy}'" if change.scaling_policy else "")


def undo_of(change: Change, warehouse: Warehouse) -> Change | None:
    """The change that puts back what `warehouse` had; None where nothing can (a cancelled query, unknown values).

    Auto-suspend is put back with SET: UNSET leaves it at "never" and not at the default (reference 3.1).
    """
    match change:
        case ResizeWarehouse():
            return ResizeWarehouse(size=warehouse.size) if warehouse.size is not None else None
        case SuspendWarehouse():
            return ResumeWarehouse()
        case ResumeWarehouse():
            return SuspendWarehouse()
        case SetAutoSuspend():
            return SetAutoSuspend(seconds=warehouse.auto_suspend)
        case SetClusters():
            return _undo_clusters(change, warehouse)
        case CancelQuery():
            return None


def _undo_clusters(change: SetClusters, warehouse: Warehouse) -> Change | None:
    if warehouse.min_clusters is None or warehouse.max_clusters is None:
        return None
    policy = (warehouse.scaling_policy or "").upper() if change.scaling_policy else ""
    if change.scaling_policy and policy not in ("STANDARD", "ECONOMY"):
        return None
    return SetClusters(
        min_clusters=warehouse.min_clusters,
        max_clusters=warehouse.max_clusters,
        scaling_policy="STANDARD" if policy == "STANDARD" else "ECONOMY" if policy == "ECONOMY" else None,
    )


_NAME = r'(?P<name>"(?:[^"]|"")+")'
_FORMS: tuple[tuple[re.Pattern[str], type], ...] = (
    (re.compile(rf"ALTER WAREHOUSE {_NAME} SET WAREHOUSE_SIZE = '(?P<size>[A-Z0-9]+)'"), ResizeWarehouse),
    (re.compile(rf"ALTER WAREHOUSE {_NAME} SUSPEND"), SuspendWarehouse),
    (re.compile(rf"ALTER WAREHOUSE {_NAME} RESUME IF SUSPENDED"), ResumeWarehouse),
    (re.compile(rf"ALTER WAREHOUSE {_NAME} SET AUTO_SUSPEND = (?P<seconds>[0-9]+)"), SetAutoSuspend),
    (
        re.compile(
            rf"ALTER WAREHOUSE {_NAME} SET MIN_CLUSTER_COUNT = (?P<min_clusters>[0-9]+)"
            r" MAX_CLUSTER_COUNT = (?P<max_clusters>[0-9]+)"
            r"(?: SCALING_POLICY = '(?P<scaling_policy>STANDARD|ECONOMY)')?"
        ),
        SetClusters,
    ),
    (re.compile(r"SELECT SYSTEM\$CANCEL_QUERY\('(?P<query_id>[0-9a-f-]+)'\)"), CancelQuery),
)


def parse(statement: str) -> tuple[Change, str | None]:
    """The change and the warehouse's exact name (None for a cancellation) of a statement `render` wrote.

    Raises:
        BadArgument: it is anything else: the door that only these six statements pass.
    """
    for pattern, kind in _FORMS:
        found = pattern.fullmatch(statement)
        if found:
            fields = {key: value for key, value in found.groupdict().items() if value is not None}
            name = fields.pop("name", None)
            try:
                change: Change = kind(**fields)
            except ValueError:
                break
            return change, unquote(name) if name is not None else None
    raise BadArgument("This is not a statement that Frostline writes.")
