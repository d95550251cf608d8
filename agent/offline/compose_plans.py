"""The reply to a changing tool as a template: what would change, for whom, and how a person approves it."""

from __future__ import annotations

from typing import Any

from agent.state import CallResult

__all__ = ["card_lines", "plan_lines"]

_HEAD = "**Waiting for approval: nothing is changed.**"


def plan_lines(number: int, result: CallResult, before: int) -> list[str]:
    """`before`: how many plans earlier calls of the turn have stored."""
    data = result.data or {}
    plans = data["plans"]
    lines = [_HEAD]
    for place, _ in enumerate(plans, start=before + 1):
        lines += ["", *_plan(place)]
    lines += _warnings(number, data)
    lines += ["", f"[[r{number}.approve]]"]
    if len(plans) > 1:
        lines.append(
            "This is a bundle: its approval covers them all, they go in order, and it stops at the first that fails."
        )
    return lines


def card_lines(number: int, result: CallResult, before: int) -> list[str]:
    """Where a card shows the plan itself: that nothing is changed, said once, and what to be aware of."""
    return ([] if before else [_HEAD]) + _warnings(number, result.data or {})


def _plan(place: int) -> list[str]:
    plan = f"p{place}"
    return [
        f"[[{plan}.words]]",
        f"- Statement: [[{plan}.statement]]",
        f"- Undo: [[{plan}.undo]]",
        f"- Who would notice: [[{plan}.blast]]",
        f"- Expected: [[{plan}.effect]]",
        f"- Plan [[{plan}.id]], digest [[{plan}.digest]], open until [[{plan}.expires]]",
    ]


def _warnings(number: int, data: dict[str, Any]) -> list[str]:
    return [f"- [[r{number}.warnings.{place}]]" for place in range(len(data.get("warnings") or ()))]
