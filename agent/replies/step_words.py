"""What a call does, in a few words for the person who waits for it."""

from __future__ import annotations

__all__ = ["step_title"]

_TITLES = {
    "query_usage": "Reading usage",
    "list_warehouses": "Looking at the warehouses",
    "own_cost": "Counting what Frostline itself used",
    "run_forecast": "Working out a forecast",
    "budget": "Projecting the budget",
    "detect_anomalies": "Looking for oddities",
    "search_practices": "Looking into the practices",
    "resize_warehouse": "Preparing a resize",
    "suspend_idle": "Preparing a suspension",
    "resume_warehouse": "Preparing a resume",
    "set_auto_suspend": "Preparing a change of auto-suspend",
    "set_clusters": "Preparing a change of clusters",
    "cancel_query": "Preparing a cancellation",
    "propose_changes": "Preparing the changes",
}


def step_title(tool: str) -> str:
    """Fixed words; of a tool without any, its name as words."""
    return _TITLES.get(tool) or tool.replace("_", " ")[:60].capitalize()
