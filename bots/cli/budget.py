"""`frostline budget`: where the month or the contract will end, and whether that is too much."""

from __future__ import annotations

from typing import Any

import typer

from bots.cli.output import Output
from tools.charts import Chart

__all__ = ["read_amount", "run_budget"]

_EXIT = {"no_permission": 3, "error": 1}
_USAGE = ("bad_argument", "unknown_name")


def read_amount(text: str) -> float:
    """What stands after `frostline budget`.

    Raises:
        typer.BadParameter: it is no amount above zero.
    """
    from agent.offline.amounts import bare_amount

    found = bare_amount(text)
    if found is None:
        raise typer.BadParameter("Give a number above 0, e.g. 30000, 30,000, 12k or 1.5m.")
    return found


def run_budget(
    out: Output, profile: str | None, amount: float | None, credits: bool, period: str, warehouses: list[str]
) -> None:
    """Without an amount: the one in the settings; of a contract the one that stands there."""
    from agent.direct import answer_directly
    from bots.charts import sparkline
    from bots.cli.opening import opened

    args: dict[str, Any] = {"period": period, "unit": "credits" if credits else "USD"}
    if amount is not None:
        args["amount"] = amount
    if warehouses:
        args["filters"] = {"warehouse": warehouses}
    with out.edge():
        with opened(out, profile) as runtime:
            person = runtime.person()
            runtime.policy.check_role(person, "viewer", "ask about this account")
            with out.working("Projecting"):
                result, text = answer_directly(
                    runtime.tool_context(person, None, asked_for_change=False), "budget", args
                )
        if out.as_json:
            kept = {"status", "data", "facts", "sources", "window", "message", "hint"}
            shown = result.model_dump(mode="json", include=kept)
            error = {"code": result.error, "message": result.message, "hint": result.hint} if result.error else None
            out.json({**shown, "answer": text, "error": error})
        else:
            out.markdown(text)
            chart = (result.data or {}).get("chart")
            if chart:
                out.say("\n".join(sparkline(Chart.model_validate(chart))))
        raise typer.Exit(2 if result.error in _USAGE else _EXIT.get(result.status, 0))
