"""Exact names for the filters of a question about series."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from tools.context import FilterColumn, ToolContext, UsageReader
from tools.errors import NotAllowed, UnknownName
from tools.names import find, usage_warehouse

__all__ = ["check_people", "resolve"]

_BACK = timedelta(days=365)
_MOST = 5_000
_NONE = ("", "(none)", "none", "null")


def check_people(context: ToolContext, by: str, filters: Mapping[FilterColumn, list[str]]) -> None:
    """
    Raises:
        NotAllowed: figures by user, and the person's role may not see them.
    """
    if (by == "user" or "user" in filters) and not context.policy.may_see_text(context.person):
        raise NotAllowed(
            "Figures by user are shown to analysts and above; your role does not include them.",
            rule="per_user_figures",
            hint="Ask by warehouse, role, database or service type instead, or ask an admin for the analyst role.",
        )


def resolve(reader: UsageReader, filters: Mapping[FilterColumn, list[str]]) -> dict[FilterColumn, tuple[str, ...]]:
    """The exact names meant; a query tag also by a part of it, as tags are often JSON.

    Raises:
        UnknownName: a filter names nothing in the account (with the nearest names).
    """
    return {
        column: tuple(dict.fromkeys(exact for name in names for exact in _exact(reader, column, name)))
        for column, names in filters.items()
    }


def _exact(reader: UsageReader, column: FilterColumn, name: str) -> list[str]:
    if name.strip().casefold() in _NONE:
        return [""]
    if column == "warehouse":
        return [usage_warehouse(reader, name)]
    now = reader.now()
    known = reader.names(column, now - _BACK, now, _MOST)
    try:
        return [find(column.replace("_", " "), name, known)]
    except UnknownName:
        part = [tag for tag in known if name.casefold() in tag.casefold()] if column == "query_tag" else []
        if not part:
            raise
        return part
