"""From a column of a file to a column of a table: the SQL that converts it, and the SQL that finds what cannot be.

Naive times are UTC. What "missing" looks like differs by writer (NULL, an empty CSV field, pandas' NaN): all of
it becomes NULL. Everything else that does not fit is a mistake to name, never a silent NULL.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Cast", "cast", "identifier", "literal"]

_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}
_NUMBER = ("FLOAT", "DOUBLE", "DECIMAL", "HUGEINT", "UBIGINT", "UHUGEINT", "BIGNUM")
_TEXT_NULLS = "('', 'null', 'NULL')"


@dataclass(frozen=True)
class Cast:
    """How one column of a file becomes one column of a table."""

    column: str
    expression: str
    bad: str | None
    """SQL that is true for a value that cannot be used; None where every value can."""
    says: str


def cast(target: str, wanted: str, column: str, kind: str) -> Cast:
    source = identifier(column)
    base = kind.partition("(")[0]
    if wanted == "VARCHAR":
        if base == "BLOB":  # text that its writer did not mark as text
            return Cast(target, f"decode({source})", None, "")
        nested = kind.endswith("]") or base in ("STRUCT", "MAP", "LIST")
        return Cast(target, f"CAST({f'to_json({source})' if nested else source} AS VARCHAR)", None, "")
    if wanted == "TIMESTAMPTZ":
        return _time_cast(target, source, kind)
    if wanted == "BIGINT":
        return _whole_cast(target, source, base)
    if wanted == "DOUBLE":
        return _float_cast(target, source, base)
    return _plain_cast(target, source, base, wanted)


def _time_cast(target: str, source: str, kind: str) -> Cast:
    says = "is not a timestamp"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return Cast(target, source, _no_time(source), says)
    if kind == "TIMESTAMPTZ_NS":  # what pandas writes for UTC times; it converts to this type and to no naive one
        aware = f"CAST({source} AS TIMESTAMPTZ)"
        return Cast(target, aware, _no_time(aware), says)
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        naive = f"CAST({source} AS TIMESTAMP)"
        return Cast(target, f"({naive} AT TIME ZONE 'UTC')", _no_time(naive), says)
    if kind != "VARCHAR":
        return Cast(target, "NULL", f"{source} IS NOT NULL", f"{says} (the column is {kind.lower()[:40]})")
    text = _blank_as_null(source)
    # Snowflake prints `2026-01-31 09:00:00.000 -0800`; the cast wants the offset without the space, with a colon.
    tidy = f"regexp_replace({text}, '(:[0-9.]+)\\s*([+-]\\d{{2}}):?(\\d{{2}})$', '\\1\\2:\\3')"
    value = f"TRY_CAST({tidy} AS TIMESTAMPTZ)"
    shape = f"regexp_matches({text}, '^\\d{{4}}-\\d{{2}}-\\d{{2}}')"
    wrong = f"{value} IS NULL OR NOT {shape} OR {_no_time(value)}"
    return Cast(target, value, f"{text} IS NOT NULL AND ({wrong})", says)


def _no_time(value: str) -> str:
    """True for infinity and for years that no calendar of a client has: 1 to 9999 are taken."""
    return f"(NOT isfinite({value}) OR year({value}) NOT BETWEEN 1 AND 9999)"


def _whole_cast(target: str, source: str, base: str) -> Cast:
    says = "is not a whole number"
    if base in _WHOLE:
        return Cast(target, f"CAST({source} AS BIGINT)", None, "")
    if base not in _NUMBER and base != "VARCHAR":
        return Cast(target, "NULL", f"{source} IS NOT NULL", says)
    present = _present(source, base)
    value = f"TRY_CAST({present} AS BIGINT)"
    fraction = f"abs(TRY_CAST({present} AS DOUBLE) - {value}) > 1e-6"
    # Beyond 2**53 a double cannot tell fractions, and the difference would be its own rounding.
    bad = f"{present} IS NOT NULL AND ({value} IS NULL OR (abs({value}) < 9007199254740992 AND {fraction}))"
    return Cast(target, value, bad, says)


def _float_cast(target: str, source: str, base: str) -> Cast:
    says = "is not a number"
    if base not in _WHOLE and base not in _NUMBER and base != "VARCHAR":
        return Cast(target, "NULL", f"{source} IS NOT NULL", says)
    present = _present(source, base)
    value = f"TRY_CAST({present} AS DOUBLE)"
    bad = f"{present} IS NOT NULL AND ({value} IS NULL OR NOT isfinite({value}))"
    if target.startswith("CREDITS_") and "ADJUSTMENT" not in target:
        return Cast(target, value, f"({bad}) OR {value} < 0", "is not a number of credits (0 or more)")
    return Cast(target, value, bad, says)


def _plain_cast(target: str, source: str, base: str, wanted: str) -> Cast:
    text = _present(source, base)
    value = f"TRY_CAST({text} AS {wanted})"
    says = {"BOOLEAN": "is neither true nor false", "DATE": "is not a date"}[wanted]
    if base == wanted:
        return Cast(target, source, _no_time(source) if wanted == "DATE" else None, says)
    if wanted == "DATE" and base not in ("VARCHAR", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS"):
        return Cast(target, "NULL", f"{source} IS NOT NULL", says)
    beyond = f" OR {_no_time(value)}" if wanted == "DATE" else ""
    return Cast(target, value, f"{text} IS NOT NULL AND ({value} IS NULL{beyond})", says)


def _present(source: str, base: str) -> str:
    """The value, with the ways of saying "missing" made NULL: pandas writes NaN, CSV an empty field."""
    if base == "VARCHAR":
        return _blank_as_null(source)
    if base in ("FLOAT", "DOUBLE"):
        return f"(CASE WHEN isnan({source}) THEN NULL ELSE {source} END)"
    return source


def _blank_as_null(source: str) -> str:
    return f"(CASE WHEN trim({source}) IN {_TEXT_NULLS} THEN NULL ELSE trim({source}) END)"


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
