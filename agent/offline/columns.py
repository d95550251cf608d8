"""Names of other columns in a question: users, roles, databases, tags, services, types. Pure, but for Names."""

from __future__ import annotations

import re
from dataclasses import replace

from agent.offline.mentions import Unknown, name_key
from agent.offline.words import Token, known_words, mend
from agent.state import Names
from tools.context import FilterColumn

__all__ = ["in_other_columns", "named_filters", "serverless"]

_TYPES = re.compile(
    r"\b(select|insert|update|delete|merge|copy|call|create_table_as_select|ctas|show|alter|truncate_table)\s+"
    r"(?:queries|query|statements?)\b|(?<!by )(?<!per )\bquery type (?:is |= ?)?(\w+)",
    re.IGNORECASE,
)

_COLUMN_WORDS: tuple[tuple[FilterColumn, str], ...] = (
    ("query_tag", r"(?:query )?tag(?:ged)?(?: as| with)?"),
    ("user", r"user(?:name)?"),
    ("role", r"role"),
    ("database", r"database|db"),
    ("service_type", r"service(?: type)?"),
)
_SEARCHED: tuple[FilterColumn, ...] = ("user", "role", "database", "query_tag", "service_type")


_NOT_BY = r"(?<!by )(?<!per )(?<!each )(?<!every )(?<!which )(?<!what )"
_VALUE = r"(?:[\"'`“]([^\"'`”]+)[\"'`”]|([\w$.\-@]+))"


def named_filters(text: str, names: Names) -> tuple[dict[FilterColumn, list[str]], list[tuple[int, int]]]:
    """'user ALICE', 'the SALES database', 'SELECT queries': the names as written, and where they stand."""
    filters: dict[FilterColumn, list[str]] = {}
    used: list[tuple[int, int]] = []
    for column, word in _COLUMN_WORDS:
        after = rf"{_NOT_BY}(?<!\w)(?:{word})(?: named| called| is| =|=|:)? +{_VALUE}"
        before = rf"(?<!\w){_VALUE} +(?:{word})(?!\w)"
        for match in (*re.finditer(after, text, re.IGNORECASE), *re.finditer(before, text, re.IGNORECASE)):
            value = match[1] or match[2].rstrip(".-")
            if not _taken(match.span(), used) and _is_value(value, bool(match[1]), column, names):
                filters.setdefault(column, []).append(value)
                used.append(match.span())
    for match in _TYPES.finditer(text):
        if match[1] or _is_value(match[2], False, "query_type", names):
            filters.setdefault("query_type", []).append((match[1] or match[2]).upper())
            used.append(match.span(1 if match[1] else 2))
    if re.search(r"\b(?:untagged|without (?:a )?tag|no tag)\b", text, re.IGNORECASE):
        filters.setdefault("query_tag", []).append("(none)")
    return filters, used


_WAREHOUSE_SERVICES = ("WAREHOUSE_METERING", "WAREHOUSE_METERING_READER", "CLOUD_SERVICES")
_MOST_FILTERED = 20


def serverless(names: Names) -> list[str]:
    """Every service in use that is no warehouse's."""
    return [name for name in names.column("service_type") if name not in _WAREHOUSE_SERVICES][:_MOST_FILTERED]


def _taken(span: tuple[int, int], used: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in used)


def _is_value(value: str, quoted: bool, column: FilterColumn, names: Names) -> bool:
    """A common word is a name only where it is quoted, in capitals, or really one of that column."""
    if quoted or not (value.casefold() in known_words() or value.isdigit()):
        return quoted or mend(value) is None
    known = {name.casefold() for name in names.column(column)}
    return value.casefold() in known or (value.isupper() and len(value) > 2)


def in_other_columns(
    filters: dict[FilterColumn, list[str]], unknown: list[Unknown], names: Names, words: list[Token]
) -> tuple[dict[FilterColumn, list[str]], list[Unknown]]:
    """A name-like word that is no warehouse may be a user, a role, a database, a tag or a service; so may two words.

    'p diaz' is P_DIAZ. A word that is a part of such names ('diaz', 'dbt') is asked back with them.
    """
    left: list[Unknown] = []
    until = 0
    for word in unknown:
        if word.start < until:
            continue
        column, written, until = _column_of(word.written, names), word.written, word.end
        after = next((token for token in words if token.start > word.start), None)
        if column is None and after is not None and not word.close:
            column, written, until = _column_of(name_key(word.written + after.text), names, keys=True), "", after.end
        if column is None or word.close:
            until = word.end
            left.append(replace(word, near=(*_with_part(word.written, names), *word.near)[:_MOST_NEAR]))
        else:
            filters.setdefault(column[0], []).append(written or column[1])
    return filters, left


_MOST_NEAR = 3


def _with_part(written: str, names: Names) -> tuple[str, ...]:
    """Names that hold the word as one of their parts."""
    wanted = written.casefold()
    if len(wanted) < 3:
        return ()
    held = (n for c in _SEARCHED for n in names.column(c) if wanted in re.split(r"[^0-9a-z]+", n.casefold()))
    return tuple(dict.fromkeys(name for name in held if not name.startswith("{")))  # a tag of JSON is no name to choose


def _column_of(written: str, names: Names, *, keys: bool = False) -> tuple[FilterColumn, str] | None:
    """The column in which there is that name, and the name; `keys`: compared by letters and digits alone."""
    wanted = written.casefold()
    for column in _SEARCHED:
        for name in names.column(column):
            if (name_key(name) if keys else name.casefold()) == wanted:
                return column, name
    return None
