"""What a plan would change, in one sentence with the account's names in code spans."""

from __future__ import annotations

from typing import Any

from agent.state import PlanSummary
from tools.domain import Size
from tools.errors import BadArgument
from tools.quoting import clean, code

__all__ = ["plan_words"]

_VERBS = {
    "resize_warehouse": "Resize",
    "suspend_idle": "Suspend",
    "resume_warehouse": "Resume",
    "set_auto_suspend": "Change auto-suspend of",
    "set_clusters": "Change the clusters of",
    "cancel_query": "Cancel a query on",
}
_SHOWN = {
    "resize_warehouse": ("size",),
    "set_auto_suspend": ("auto_suspend",),
    "set_clusters": ("min_clusters", "max_clusters", "scaling_policy"),
}


def plan_words(plan: PlanSummary) -> str:
    """'Resize `ETL_WH`, now Large.' The new value stands in the statement beside it."""
    now = ", ".join(_value(name, plan.before.get(name)) for name in _SHOWN.get(plan.action, ()))
    return f"{_VERBS.get(plan.action, 'Change')} {code(plan.warehouse)}" + (f" (now: {now})" if now else "")


def _value(name: str, value: Any) -> str:
    if name == "size":
        return _size(value)
    if name == "auto_suspend":
        return f"{value} s" if value else "never"
    if name == "scaling_policy":
        return clean(str(value or "no policy"), 40)
    return f"{name.replace('_', ' ')} {value}"


def _size(value: Any) -> str:
    try:
        return Size.parse(str(value)).shown
    except BadArgument:
        return "no size"
