"""SHOW TASKS: what is scheduled, as it is defined. Its runs are TASK_HISTORY's (beside/tasks.py)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tools.demo.generate.beside.tasks import SERVERLESS, root_id
from tools.demo.generate.catalog import Demo
from tools.demo.generate.model import Batch, Every, Habit

__all__ = ["show_tasks"]

_SAME: dict[str, Any] = {
    "state": "started",
    "allow_overlapping_execution": "false",
    "error_integration": "null",
    "owner_role_type": "ROLE",
}


def show_tasks(demo: Demo, first: datetime) -> list[dict[str, Any]]:
    """Rows of layout.TASK_COLUMNS, those that are not given NULL. `first`: when the account's history begins."""
    made = first - timedelta(days=30)
    rows = [row for habit in demo.habits if habit.tag == "task" for row in _of_warehouse(habit, demo.timezone)]
    rows += [
        {
            "name": task.name,
            "database_name": task.database,
            "schema_name": task.schema,
            "schedule": f"{task.minutes} MINUTES",
            "definition": task.text,
            "condition": task.condition,
        }
        for task in SERVERLESS
    ]
    whole = {"owner": "TASKS", "predecessors": "[]", "created_on": made, "last_committed_on": made}
    return [_SAME | whole | row | {"id": root_id(row["name"])} for row in rows]


def _of_warehouse(habit: Habit, timezone: str) -> Iterator[dict[str, Any]]:
    """A task for each of its statements; those of a batch in order are a chain behind the first."""
    schedule = _schedule(habit, timezone)
    if schedule is None:
        return  # an incident's own statements are sent by no schedule
    before: str | None = None
    for statement in habit.statements:
        name = statement.key.removeprefix("task.").upper()
        yield {
            "name": name,
            "database_name": statement.database,
            "schema_name": statement.schema,
            "warehouse": habit.warehouse,
            "schedule": schedule if before is None else None,
            "predecessors": json.dumps([f"{statement.database}.{statement.schema}.{before}"] if before else []),
            "definition": statement.text.replace("'{day}'", "CURRENT_DATE()"),
        }
        before = name if isinstance(habit.arrivals, Batch) and habit.arrivals.in_order else None


def _schedule(habit: Habit, timezone: str) -> str | None:
    match habit.arrivals:
        case Every(minutes=minutes):
            return f"{minutes:g} MINUTES"
        case Batch(hours=hours, minute=minute):
            return f"USING CRON {minute} {','.join(map(str, hours))} * * * {timezone}"
    return None
