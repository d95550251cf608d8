"""Properties of a warehouse: what ALTER ... SET and CREATE take, their values and defaults (reference 2.4, 3.1).

`PROPERTIES` maps a name to the SHOW column it lands in and to the reader of its value. Error numbers 001420,
001422 and 001423 are Snowflake's from memory; their texts hold the property's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tools.demo.lexer import Reader
from tools.demo.sqlerrors import SqlError, syntax
from tools.domain import Size
from tools.errors import BadArgument

__all__ = ["DEFAULTS", "PARAMETERS", "check_combination", "fresh", "read_properties", "read_unset", "settle"]

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
    "resource_constraint": "STANDARD_GEN_2",
    "generation": "2",
    "resource_monitor": "null",
}
"""Of a new warehouse, and what UNSET puts back; `fresh` and `settle` say what else follows."""

_MAX_CLUSTERS = {Size.LARGE: 160, Size.XLARGE: 80, Size.XXLARGE: 40, Size.XXXLARGE: 20}
_MAX_SECONDS = 604_800
_STANDARD, _SNOWPARK, _ADAPTIVE = "STANDARD", "SNOWPARK-OPTIMIZED", "ADAPTIVE"
_MEMORY: dict[str, tuple[Size, Size]] = {
    "MEMORY_1X": (Size.XSMALL, Size.X4LARGE),
    "MEMORY_1X_x86": (Size.XSMALL, Size.X4LARGE),
    "MEMORY_16X": (Size.MEDIUM, Size.X6LARGE),
    "MEMORY_16X_x86": (Size.MEDIUM, Size.X4LARGE),
    "MEMORY_64X": (Size.LARGE, Size.X4LARGE),
    "MEMORY_64X_x86": (Size.LARGE, Size.X4LARGE),
}
"""Resource constraints of Snowpark-optimized warehouses: the smallest and largest size that has them."""
_CONSTRAINTS = ("STANDARD_GEN_1", "STANDARD_GEN_2", *_MEMORY)


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
    spelled = {value.upper(): value for value in allowed}

    def read(name: str, reader: Reader) -> str:
        text = reader.next("word", "string").value
        if text.upper() not in spelled:
            raise _bad(name, text)
        return spelled[text.upper()]

    return read


def _text(name: str, reader: Reader) -> str:
    return reader.next("string").value


def _monitor(name: str, reader: Reader) -> str:
    """As SHOW prints it: the text null for none."""
    return "null" if reader.take("NULL") else reader.name()


PROPERTIES: dict[str, tuple[str, Callable[[str, Reader], Any]]] = {
    "WAREHOUSE_SIZE": ("size", _size),
    "WAREHOUSE_TYPE": ("type", _one_of(_STANDARD, _SNOWPARK, _ADAPTIVE)),
    "MIN_CLUSTER_COUNT": ("min_cluster_count", _whole(1, 300)),
    "MAX_CLUSTER_COUNT": ("max_cluster_count", _whole(1, 300)),
    "SCALING_POLICY": ("scaling_policy", _one_of("STANDARD", "ECONOMY")),
    "AUTO_SUSPEND": ("auto_suspend", _whole(0, _MAX_SECONDS, null=True)),
    "AUTO_RESUME": ("auto_resume", _truth),
    "COMMENT": ("comment", _text),
    "ENABLE_QUERY_ACCELERATION": ("enable_query_acceleration", _truth),
    "QUERY_ACCELERATION_MAX_SCALE_FACTOR": ("query_acceleration_max_scale_factor", _whole(0, 100)),
    "RESOURCE_CONSTRAINT": ("resource_constraint", _one_of(*_CONSTRAINTS)),
    "GENERATION": ("generation", _one_of("1", "2")),
    "RESOURCE_MONITOR": ("resource_monitor", _monitor),
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
            raise _no_property(name)
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
    """`NAME [, NAME]`: defaults, except AUTO_SUSPEND, which then never suspends (reference 3.1); parameters as None.

    Raises:
        SqlError: a property that has no default to go back to, or that does not exist.
    """
    found: dict[str, Any] = {}
    while True:
        name = reader.next("word").value
        column = PROPERTIES.get(name, ("", None))[0]
        if name in ("WAREHOUSE_SIZE", "INITIALLY_SUSPENDED") or not column:
            raise _no_property(name)
        found[column] = None if name == "AUTO_SUSPEND" else DEFAULTS.get(column)
        if not reader.mark(","):
            reader.end()
            return found


# --- what follows, and what fits together ---------------------------------------------------------------------------


def fresh(found: Mapping[str, Any], edition: str) -> dict[str, Any]:
    """All columns of a new warehouse with these properties: the defaults depend on one another (reference 3.1)."""
    kind = found.get("type", _STANDARD)
    size = DEFAULTS["size"] if kind != _SNOWPARK else Size.MEDIUM.shown
    row = DEFAULTS | {"type": kind, "size": found.get("size", size)}
    if kind == _STANDARD and _known(row["size"]).rank > Size.X4LARGE.rank:
        row |= {"generation": "1", "resource_constraint": "STANDARD_GEN_1"}
    row |= settle(DEFAULTS, found)
    modern = row["generation"] == "2" or (row["max_cluster_count"] or 1) > 1
    if modern and kind != _ADAPTIVE and edition.upper() != "STANDARD" and "enable_query_acceleration" not in found:
        row["enable_query_acceleration"] = "true"
        row["query_acceleration_max_scale_factor"] = found.get("query_acceleration_max_scale_factor", 2)
    return row


def settle(row: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """`found` and the columns that change with it: generation and constraint are one thing said twice; a type has
    columns of its own.
    """
    changed = dict(found)
    constraint, generation = found.get("resource_constraint"), found.get("generation")
    if generation and "resource_constraint" not in found:
        changed["resource_constraint"] = f"STANDARD_GEN_{generation}"
    if constraint and "generation" not in found:
        changed["generation"] = constraint[-1] if constraint.startswith(_STANDARD) else None
    kind = found.get("type", row.get("type"))
    if kind != row.get("type"):
        changed = _OF_TYPE[kind] | changed
        if kind == _STANDARD and "size" not in found:
            changed["size"] = row.get("size") or DEFAULTS["size"]
    return changed


_OF_TYPE: dict[str, dict[str, Any]] = {
    _STANDARD: {"generation": "1", "resource_constraint": "STANDARD_GEN_1"},
    _SNOWPARK: {"generation": None, "resource_constraint": "MEMORY_16X"},
    _ADAPTIVE: {
        **dict.fromkeys(("size", "generation", "resource_constraint", "auto_suspend", "min_cluster_count")),
        **dict.fromkeys(("max_cluster_count", "scaling_policy", "query_acceleration_max_scale_factor")),
    },
}
"""Columns of a warehouse that has just become one of this type."""


def check_combination(row: Mapping[str, Any], changed: Mapping[str, Any], edition: str) -> None:
    """What single values cannot tell: clusters against each other, the size and the edition; types; generations.

    Raises:
        SqlError: the warehouse cannot be as `row` with `changed` says.
    """
    after = {**row, **settle(row, changed)}
    kind = str(after.get("type")).upper()
    if kind == _ADAPTIVE:
        _check_adaptive(row, changed, edition)
        return
    size = _known(after["size"])
    _check_clusters(after, changed, size, edition)
    if changed.get("enable_query_acceleration") == "true" and edition.upper() == "STANDARD":
        raise SqlError(2, "0A000", "Unsupported feature 'QUERY ACCELERATION' in the Standard edition.")
    if {"size", "generation", "resource_constraint", "type"} & set(changed):
        _check_kind(after, kind, size)


def _check_adaptive(row: Mapping[str, Any], changed: Mapping[str, Any], edition: str) -> None:
    fixed = sorted(set(changed) - {"comment", "resource_monitor", "type", *PARAMETERS})
    if fixed:
        raise _no_property(_property(fixed[0]), "ADAPTIVE WAREHOUSE")
    before = str(row.get("type")).upper()
    if before == _ADAPTIVE:
        return
    if edition.upper() == "STANDARD":
        raise SqlError(2, "0A000", "Unsupported feature 'ADAPTIVE WAREHOUSE' in the Standard edition.")
    size = _known(row.get("size"))
    if before == _SNOWPARK or size.rank > Size.X4LARGE.rank:
        raise _combination("WAREHOUSE_TYPE", _ADAPTIVE, "WAREHOUSE_SIZE", f"{size.shown} {before}")


def _check_clusters(after: Mapping[str, Any], changed: Mapping[str, Any], size: Size, edition: str) -> None:
    low, high = after.get("min_cluster_count") or 1, after.get("max_cluster_count") or 1
    touched = {"min_cluster_count", "max_cluster_count", "size"} & set(changed)
    if touched and low > high:
        raise _combination("MIN_CLUSTER_COUNT", low, "MAX_CLUSTER_COUNT", high)
    limit = _MAX_CLUSTERS.get(size, 300 if size.rank < Size.LARGE.rank else 10)
    if touched and high > limit:
        raise _combination("MAX_CLUSTER_COUNT", high, "WAREHOUSE_SIZE", size.shown)
    if "max_cluster_count" in changed and high > 1 and edition.upper() == "STANDARD":
        raise SqlError(2, "0A000", "Unsupported feature 'MULTI-CLUSTER WAREHOUSE' in the Standard edition.")


def _check_kind(after: Mapping[str, Any], kind: str, size: Size) -> None:
    constraint, generation = after.get("resource_constraint"), after.get("generation")
    if kind == _SNOWPARK:
        if generation is not None:
            raise _combination("WAREHOUSE_TYPE", kind, "GENERATION", generation)
        low, high = _MEMORY.get(str(constraint or "MEMORY_16X"), (size, size))
        if (constraint or "MEMORY_16X") not in _MEMORY:
            raise _combination("WAREHOUSE_TYPE", kind, "RESOURCE_CONSTRAINT", constraint)
        if not low.rank <= size.rank <= high.rank:
            raise _combination("RESOURCE_CONSTRAINT", constraint or "MEMORY_16X", "WAREHOUSE_SIZE", size.shown)
        return
    if constraint in _MEMORY:
        raise _combination("WAREHOUSE_TYPE", kind, "RESOURCE_CONSTRAINT", constraint)
    if constraint and generation and not str(constraint).endswith(str(generation)):
        raise _combination("GENERATION", generation, "RESOURCE_CONSTRAINT", constraint)
    if generation == "2" and size.rank > Size.X4LARGE.rank:
        raise _combination("GENERATION", "2", "WAREHOUSE_SIZE", size.shown)


def _known(size: object) -> Size:
    """An import may hold a size that is none: it is as good as the smallest."""
    try:
        return Size.parse(str(size))
    except BadArgument:
        return Size.XSMALL


def _no_property(name: str, kind: str = "WAREHOUSE") -> SqlError:
    return SqlError(1420, "22023", f"SQL compilation error:\ninvalid property '{name[:100]}' for '{kind}'")


def _combination(one: str, first: object, other: str, second: object) -> SqlError:
    text = f"invalid property combination '{one}'='{first}' and '{other}'='{second}' for 'WAREHOUSE'"
    return SqlError(1423, "22023", f"SQL compilation error:\n{text}")


def _property(column: str) -> str:
    return next((name for name, (c, _) in PROPERTIES.items() if c == column), column)
