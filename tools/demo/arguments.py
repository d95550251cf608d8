"""Arguments of table functions: by name or by position, constants of any form, times in the session's zone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlglot import exp

from tools.demo.sqlerrors import SqlError, syntax

__all__ = ["LARGEST_LIMIT", "arguments", "limit_of", "object_name", "time_of"]

LARGEST_LIMIT = 10_000
Evaluate = Callable[[exp.Expr], Any]


def arguments(function: exp.Anonymous, names: Sequence[str], evaluate: Evaluate) -> dict[str, Any]:
    """Values by the argument's name; `names` in the order that arguments without a name are taken in.

    Raises:
        SqlError: 001003, an argument that the function has not, that comes twice, or that is no constant.
    """
    given: dict[str, Any] = {}
    called = str(function.name).upper()
    for place, item in enumerate(function.expressions):
        named = isinstance(item, exp.Kwarg)
        if not named and (given.keys() - set(names[:place]) or place >= len(names)):
            raise syntax(f"{called} takes named arguments (NAME => value) after the first {len(names)}.")
        name = str(item.this.name).upper() if named else names[place]
        if name not in names:
            raise syntax(f"{called} has no argument {name[:100]}.")
        if name in given:
            raise syntax(f"{called}: {name} is given twice.")
        given[name] = _constant(item.expression if named else item, f"{called}: {name}", evaluate)
    return given


def _constant(node: exp.Expr, what: str, evaluate: Evaluate) -> Any:
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if next(node.find_all(exp.Query, exp.Column, exp.Placeholder, exp.Star), None) is not None:
        raise syntax(f"{what} takes a constant expression.")
    return evaluate(node)


def time_of(value: Any, zone: str, name: str) -> datetime:
    """A time or a day, or text of one; without an offset it is in the session's zone.

    Raises:
        SqlError: 001003, it is no time.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise syntax(f"{name} takes a timestamp; '{value[:50]}' is none.") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(), ZoneInfo(zone))
    if not isinstance(value, datetime):
        raise syntax(f"{name} takes a timestamp.")
    return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def limit_of(given: dict[str, Any]) -> int:
    """RESULT_LIMIT, 100 unless given.

    Raises:
        SqlError: 001015, it is not 1 to 10000.
    """
    limit = given.get("RESULT_LIMIT", 100)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LARGEST_LIMIT:
        raise SqlError(1015, "22023", f"SQL compilation error:\ninvalid value for RESULT_LIMIT: 1 to {LARGEST_LIMIT}.")
    return limit


def object_name(text: str) -> str:
    """Names that need quotes carry them inside the string."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"')
    return text.upper()
