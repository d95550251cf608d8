"""Which term and which amount a question is about: from its words, else from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.budget.model import BudgetArgs, MoneyUnit
from tools.errors import BadArgument
from tools.preferences import Contract, Preferences
from tools.result import Window
from tools.windows.calendars import add_months, localize, midnight, zone
from tools.windows.future import Ahead, read_future

__all__ = ["Term", "term_of"]

_SET = "[budget] in the profile: monthly_usd, monthly_credits, or contract_usd with contract_start and contract_end"


@dataclass(frozen=True)
class Term:
    ahead: Ahead
    """From its beginning to its end."""
    amount: float | None
    unit: MoneyUnit
    where_from: str
    """Where the amount comes from, for the fact."""
    before: float = 0.0
    """Used of it before `ahead` begins (a contract older than the views)."""


def term_of(args: BudgetArgs, preferences: Preferences, now: datetime, tz: str) -> Term:
    """
    Raises:
        BadArgument: a contract is asked for and none is in the settings, or it does not run now; or the window is no
            time to come.
    """
    if args.period == "contract":
        return _contract(args, preferences.contract, now, tz)
    ahead = read_future(args.window or f"this {args.period}", now, tz)
    if args.amount is not None:
        return Term(ahead, args.amount, args.unit, "the question")
    if _is_a_month(ahead, tz) and not args.filters.given():
        if preferences.monthly_usd is not None:
            return Term(ahead, preferences.monthly_usd, "USD", "settings: budget.monthly_usd")
        if preferences.monthly_credits is not None:
            return Term(ahead, preferences.monthly_credits, "credits", "settings: budget.monthly_credits")
    return Term(ahead, None, args.unit, "")


def _is_a_month(ahead: Ahead, tz: str) -> bool:
    """What the amounts of the settings are for: a whole calendar month."""
    first, after = (localize(moment, zone(tz)).date() for moment in (ahead.window.start, ahead.window.end))
    return first.day == 1 and after == add_months(first, 1)


def _contract(args: BudgetArgs, contract: Contract | None, now: datetime, tz: str) -> Term:
    if contract is None:
        raise BadArgument("No contract stands in the settings.", hint=f"Set {_SET}.")
    begins, ends = midnight(contract.start, zone(tz)), midnight(contract.end + timedelta(days=1), zone(tz))
    if not begins <= now < ends:
        raise BadArgument(
            f"The contract in the settings runs from {contract.start} to {contract.end}, not now.",
            hint="Set contract_start and contract_end of the one that runs.",
        )
    unit: MoneyUnit = "USD" if contract.credits is None else "credits"
    amount = args.amount or contract.usd or contract.credits
    first = contract.start if contract.used_on is None else contract.used_on + timedelta(days=1)
    window = Window(start=midnight(first, zone(tz)), end=ends, tz=tz)
    convention = f"The contract runs from {contract.start} to {contract.end}."
    label = f"the contract to {contract.end}"
    return Term(Ahead(window, label, convention), amount, unit, "settings: budget.contract", contract.used or 0.0)
