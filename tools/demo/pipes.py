"""`statement ->> statement ->> ...`: the flow operator. `$1` in a statement is the result of the one before it."""

from __future__ import annotations

import re

from tools.demo.lexer import pieces
from tools.demo.sqlerrors import syntax

__all__ = ["refer", "stages"]

_MOST_STAGES = 50
_REFERENCE = re.compile(r"(?<![\w$])\$([1-9]\d{0,2})(?![\w$])")


def stages(sql: str) -> list[str]:
    """The statements of a chain in their order; one that holds no `->>` comes back as it is.

    Raises:
        SqlError: a chain with an empty link, or with too many.
    """
    if "->>" not in sql:
        return [sql]
    parts, current = [], ""
    found = list(pieces(sql))
    at = 0
    while at < len(found):
        if [text for _, text in found[at : at + 3]] == ["-", ">", ">"]:
            parts.append(current)
            current, at = "", at + 3
        else:
            current, at = current + found[at][1], at + 1
    parts.append(current)
    if len(parts) > 1 and not all(part.strip(" \t\r\n;") for part in parts):
        raise syntax("a statement is missing beside '->>'.")
    if len(parts) > _MOST_STAGES:
        raise syntax(f"a chain of {len(parts)} statements; at most {_MOST_STAGES} are allowed.")
    return parts


def refer(sql: str, earlier: list[str]) -> str:
    """`$n` as the result of the n-th statement before this one; `earlier` holds their query ids in order.

    Raises:
        SqlError: there is no n-th statement before.
    """

    def result(found: re.Match[str]) -> str:
        number = int(found[1])
        if number > len(earlier):
            raise syntax(f"'${number}': there are only {len(earlier)} statements before this one.")
        return f"TABLE(RESULT_SCAN('{earlier[-number]}'))"

    text, loose = "", ""
    for kind, piece in pieces(sql):
        if kind in ("string", "quoted", "skip"):
            text, loose = text + _REFERENCE.sub(result, loose) + piece, ""
        else:
            loose += piece
    return text + _REFERENCE.sub(result, loose)
