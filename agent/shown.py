"""Whom a reply listed, for 'the first one' in the next question. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.state import CallResult

__all__ = ["shown_in"]

_MOST_KEPT = 20
_NAMED_BY = ("warehouse", "user", "role", "database", "service_type")


def shown_in(result: CallResult) -> dict[str, Any] | None:
    """{by, names}: the names that the reply to this call lists, in its order; None where it lists none.

    Names are of one column, so that whoever reads them later can be held to what they may see.
    """
    data = result.data or {}
    by = _column(result.name, data)
    if by is None:
        return None
    names = [_name(result.name, row) for row in data.get("rows") or ()]
    return {"by": by, "names": names[:_MOST_KEPT]} if any(names) else None


def _column(tool: str, data: Mapping[str, Any]) -> str | None:
    if tool in ("list_warehouses", "detect_anomalies", "list_findings"):
        return "warehouse"
    by = data.get("by") if tool == "query_usage" else data.get("row_kind") if tool == "run_forecast" else None
    return str(by) if by in _NAMED_BY else None


def _name(tool: str, row: Mapping[str, Any]) -> str | None:
    """A row without a name keeps its place: the second one stays the second."""
    field = {"list_warehouses": "name", "detect_anomalies": "warehouse", "list_findings": "warehouse"}.get(tool, "key")
    return row.get(field)
