"""Which warehouse a scheduled run will use: TASK_HISTORY knows when, SHOW TASKS knows where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["due_on"]

_PLACE = ("database_name", "schema_name")


def due_on(warehouse: str, runs: Iterable[Mapping[str, Any]], tasks: Sequence[Mapping[str, Any]]) -> int | None:
    """How many of `runs` will use `warehouse`; None where one of them cannot be laid to a single warehouse.

    A serverless task has no warehouse, so its runs count for none.

    Args:
        runs: rows of the function TASK_HISTORY: name, database_name, schema_name, root_task_id. The place is NULL for
            a role without USAGE on the task's database and schema.
        tasks: rows of SHOW TASKS: id, name, database_name, schema_name, warehouse.
    """
    found = [_warehouses(run, tasks) for run in runs]
    if any(len(places) != 1 for places in found):
        return None
    return sum(warehouse in places for places in found)


def _warehouses(run: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> set[str | None]:
    """Of the tasks that it may be a run of; more than one, or none at all, where the two do not tell."""
    named = [task for task in tasks if task["name"] == run["name"]]
    root = [task for task in named if task.get("id") is not None and task["id"] == run["root_task_id"]]
    placed = [task for task in named if all(task[column] == run[column] for column in _PLACE)]
    return {_name(task.get("warehouse")) for task in root or placed or named}


def _name(cell: object) -> str | None:
    """SHOW prints nothing as '', 'null' or NULL."""
    return None if cell is None or str(cell) in ("", "null") else str(cell)
