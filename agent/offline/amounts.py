"""An amount of money or credits in a question: '$5,000', '5k dollars', '2000 credits'. Pure."""

from __future__ import annotations

import re
from typing import Literal

__all__ = ["amount_in", "bare_amount", "without_amounts"]

_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?) ?(k|m|thousand|million|mio)?"
_DOLLARS = re.compile(
    rf"\$ ?{_NUMBER}(?![\w.,]\d)|(?<![\w.,]){_NUMBER} ?(?:\$|usd\b|dollars?\b|bucks\b)", re.IGNORECASE
)
_CREDITS = re.compile(rf"(?<![\w.,]){_NUMBER} ?(?:credits?|cr)\b", re.IGNORECASE)
_BARE = re.compile(
    r"\b(?:budgets?|limit|quota|amount|under|over|above|below|beyond|within|inside|exceed|past|hit|"
    r"reach|of|is|at|than) (?:is |of )?"
    rf"{_NUMBER}(?! ?(?:%|percent|hours?|days?|weeks?|months?|quarters?|years?))(?![\w.,]*\d)",
    re.IGNORECASE,
)
_BEFORE = re.compile(rf"(?<![\w.,]){_NUMBER} (?:budget|limit|quota)\b", re.IGNORECASE)
"""'our 60k budget'."""
_LASTS = re.compile(rf"(?<![\w.,]){_NUMBER} (?:(?:will |to )?(?:last|be (?:gone|used up|spent))|gone|used up)\b", re.I)
_IN_CREDITS = re.compile(r"\bcredits\b(?!.*\b(?:dollars?|usd|bucks)\b)", re.IGNORECASE)
"""What a bare number is in where the question is about credits."""
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "mio": 1e6}


def amount_in(text: str) -> tuple[float, Literal["USD", "credits"]] | None:
    """The amount and its unit; a bare number after 'budget of' and its like is dollars, or credits where
    the question is about credits. None where there is none.
    """
    for pattern in (_CREDITS, _DOLLARS, _BARE, _BEFORE, _LASTS):
        match = pattern.search(text)
        if match is not None:
            amount = _amount(match)
            if amount > 0:
                in_credits = pattern is _CREDITS or (pattern is not _DOLLARS and _IN_CREDITS.search(text) is not None)
                return (amount, "credits") if in_credits else (amount, "USD")
    return None


def bare_amount(text: str) -> float | None:
    """'30000', '30,000', '12k', '1.5m': a number alone, as a command takes it. None for anything else, and for 0."""
    match = re.fullmatch(_NUMBER, text.strip(), re.IGNORECASE)
    return (_amount(match) or None) if match else None


def without_amounts(text: str) -> str:
    """The text with every amount blanked out: '$40,000' is no name."""
    for pattern in (_CREDITS, _DOLLARS):
        text = pattern.sub(lambda match: " " * len(match[0]), text)
    return text


def _amount(match: re.Match[str]) -> float:
    number = next((g for g in match.groups() if g and g[0].isdigit()), "0")
    scale = next((g for g in match.groups() if g and g.casefold() in _SCALES), "")
    return float(number.replace(",", "")) * _SCALES.get(scale.casefold(), 1.0)
