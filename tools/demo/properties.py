"""Properties of a warehouse: what ALTER ... SET and CREATE take, their values and defaults (reference 2.4, 3.1).

`PROPERTIES` maps a name to the SHOW column it lands in and to the reader of its value. Error numbers 001420,
001422 and 001423 are Snowflake's from memory; their texts hold the property's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tools.demo.lexer import Reader
from tools.demo.sqlerrors import SqlError, insufficient, syntax
from tools.domain import Size
from tools.errors import BadArgument

__all__ = ["DEFAULTS", "PARAMETERS", "check_combination", "read_properties", "read_unset"]

PARAMETERS = {
    "MAX_CONCURRENCY_LEVEL": "8",
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": "0",
    "STATEMENT_TIMEOUT_IN_SECONDS": "172800",
}
"""Object parameters: not in SHOW WAREHOUSES, but in SHOW PARAMETERS IN WAREHOUSE."""

DEFAULTS: dict[str, Any] = {
    "type": "STANDARD",
    "size": Size.XSMALL.shown,
    "min_cluster_count": 1,
    "max_cluster_count": 1,
    "scaling_policy": "STANDARD",
    "auto_suspend": 600,
    "auto_resume": "true",
    "comment": "",
    "enable_query_acceleration": "false",
    "query_acceleration_max_scale_factor": 8,
    "resource_constraint": None,
    "generation": "1",
}

_MAX_CLUSTERS = {Size.LARGE: 160, Size.XLARGE: 80, Size.XXLARGE: 40, Size.XXXLARGE: 20}
_MAX_SECONDS = 604_800


def _bad(name: str, text: str) -> SqlError:
    return SqlError(1422, "22023", f"SQL compilation error:\ninvalid value '{text[:100]}' for property '{name}'")


def _size(name: str, reader: Reader) -> str:
    text = reader.next("word", "string").value
    try:
        return Size.parse(text).shown
    except BadArgument:
        raise _bad(name, text) from None


def _whole(low: int, high: int, *, null: bool = False) -> Callable[[str, Reader], int | None]:
    def read(name: str, reader: Reader) -> int | None:
        if null and reader.take("NULL"):
            return None
        text = reader.next("number", "string", "word").value
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise _bad(name, text)
        return int(text)

    return read


def _truth(name: str, reader: Reader) -> str:
    text = reader.next("word", "string").value.lower()
    if text not in ("true", "false"):
        raise _bad(name, text)
    return text


def _one_of(*allowed: str) -> Callable[[str, Reader], str]:
    def read(name: str, reader: Reader) -> str:
        text = reader.next("word", "string").value.upper()
        if text not in allowed:
            raise _bad(name, text)
        return text

    return read


def _text(name: str, reader: Reader) -> str:
    return reader.next("string").value


def _nobody(name: str, reader: Reader) -> str:
    raise insufficient("resource monitor", reader.name())


PROPERTIES: dict[str, tuple[str, Callable[[str, Reader], Any]]] = {
    "WAREHOUSE_SIZE": ("size", _size),
    "WAREHOUSE_TYPE": ("type", _one_of("STANDARD", "SNOWPARK-OPTIMIZED")),
    "MIN_CLUSTER_COUNT": ("min_cluster_count", _whole(1, 300)),
    "MAX_CLUSTER_COUNT": ("max_cluster_count", _whole(1, 300)),
    "SCALING_POLICY": ("scaling_policy", _one_of("STANDARD", "ECONOMY")),
    "AUTO_SUSPEND": ("auto_suspend", _whole(0, _MAX_SECONDS, null=True)),
    "AUTO_RESUME": ("auto_resume", _truth),
    "COMMENT": ("comment", _text),
    "ENABLE_QUERY_ACCELERATION": ("enable_query_acceleration", _truth),
    "QUERY_ACCELERATION_MAX_SCALE_FACTOR": ("query_acceleration_max_scale_factor", _whole(0, 100)),
    "RESOURCE_CONSTRAINT": ("resource_constraint", _one_of("STANDARD_GEN_1", "STANDARD_GEN_2", "MEMORY_16X")),
    "GENERATION": ("generation", _one_of("1", "2")),
    "RESOURCE_MONITOR": ("resource_monitor", _nobody),
    "MAX_CONCURRENCY_LEVEL": ("MAX_CONCURRENCY_LEVEL", _whole(1, 32)),
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": ("STATEMENT_QUEUED_TIMEOUT_IN_SECONDS", _whole(0, _MAX_SECONDS)),
    "STATEMENT_TIMEOUT_IN_SECONDS": ("STATEMENT_TIMEOUT_IN_SECONDS", _whole(0, _MAX_SECONDS)),
    "WAIT_FOR_COMPLETION": ("", _truth),
    "INITIALLY_SUSPENDED": ("initially_suspended", _truth),
}


def read_properties(reader: Reader, *, creating: bool) -> dict[str, Any]:
    """`NAME = value ...`, separated by blanks or commas, up to the end; columns and parameters to set.

    Raises:
        SqlError: an unknown property, a value it does not take, the same one twice, or none at all.
    """
    found: dict[str, Any] = {}
    seen: set[str] = set()
    while reader.peek() is not None:
        name = reader.next("word").value
        if name not in PROPERTIES or (name == "INITIALLY_SUSPENDED" and not creating):
            raise SqlError(1420, "22023", f"SQL compilation error:\ninvalid property '{name[:100]}' for 'WAREHOUSE'")
        if name in seen:
            raise syntax(f"duplicate property '{name}'.")
        seen.add(name)
        if not reader.mark("="):
            raise reader.unexpected()
        column, read = PROPERTIES[name]
        value = read(name, reader)
        if column:
            found[column] = value
        reader.mark(",")
    if not seen and not creating:
        raise reader.unexpected()
    if "WAIT_FOR_COMPLETION" in seen and "WAREHOUSE_SIZE" not in seen:
        raise syntax("WAIT_FOR_COMPLETION is only allowed together with WAREHOUSE_SIZE.")
    return found


def read_unset(reader: Reader) -> dict[str, Any]:
    """`NAME [, NAME]`: defaults, except AUTO_SUSPEND, which then never suspends (reference 3.1)."""
    found: dict[str, Any] = {}
    while True:
        name = reader.next("word").value
        column = PROPERTIES.get(name, ("", None))[0]
        if name in ("WAREHOUSE_SIZE", "INITIALLY_SUSPENDED") or not column:
            raise SqlError(1420, "22023", f"SQL compilation error:\ninvalid property '{name[:100]}' for 'WAREHOUSE'")
        found[column] = None if name == "AUTO_SUSPEND" else {**DEFAULTS, **_AS_NUMBERS}.get(column)
        if not reader.mark(","):
            reader.end()
            return found


_AS_NUMBERS = {name: int(value) for name, value in PARAMETERS.items()}


def check_combination(row: Mapping[str, Any], changed: Mapping[str, Any], edition: str) -> None:
    """What single values cannot tell: clusters against each other, the size and the edition; Adaptive; Gen2.

    Raises:
        SqlError: the warehouse cannot be as `row` with `changed` says.
    """
    after = {**row, **changed}
    if str(after.get("type")).upper() == "ADAPTIVE":
        fixed = sorted(set(changed) - {"comment", "resource_monitor", *PARAMETERS})
        if fixed:
            raise SqlError(
                1420,
                "22023",
                f"SQL compilation error:\ninvalid property '{_property(fixed[0])}' for 'ADAPTIVE WAREHOUSE'",
            )
        return
    low, high = after.get("min_cluster_count") or 1, after.get("max_cluster_count") or 1
    touched = {"min_cluster_count", "max_cluster_count", "size"} & set(changed)
    if touched and low > high:
        raise _combination("MIN_CLUSTER_COUNT", low, "MAX_CLUSTER_COUNT", high)
    size = Size.parse(str(after["size"]))
    limit = _MAX_CLUSTERS.get(size, 300 if size.rank < Size.LARGE.rank else 10)
    if touched and high > limit:
        raise _combination("MAX_CLUSTER_COUNT", high, "WAREHOUSE_SIZE", size.shown)
    if "max_cluster_count" in changed and high > 1 and edition.upper() == "STANDARD":
        raise SqlError(2, "0A000", "Unsupported feature 'MULTI-CLUSTER WAREHOUSE' in the Standard edition.")
    if {"size", "generation"} & set(changed) and after.get("generation") == "2" and size.rank > Size.X4LARGE.rank:
        raise _combination("GENERATION", "2", "WAREHOUSE_SIZE", size.shown)


def _combination(one: str, first: object, other: str, second: object) -> SqlError:
    text = f"invalid property combination '{one}'='{first}' and '{other}'='{second}' for 'WAREHOUSE'"
    return SqlError(1423, "22023", f"SQL compilation error:\n{text}")


def _property(column: str) -> str:
    return next((name for name, (c, _) in PROPERTIES.items() if c == column), column)
