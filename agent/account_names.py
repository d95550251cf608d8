"""The account's names for one turn: read when first asked for, kept for the turn, empty where the role may not read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cached_property

from tools.context import FilterColumn, ToolContext, UsageReader
from tools.errors import NoPermission

__all__ = ["AccountNames", "names_to_mask"]

_BACK = timedelta(days=90)
_MOST = 2000
_PSEUDO = "CLOUD_SERVICES_ONLY"


def names_to_mask(reader: UsageReader, kinds: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Names by the kinds of agent.models.masking, whoever asks: they are read to be hidden, not to be shown.

    Raises:
        FrostlineError: they cannot be read.
    """
    now = reader.now()
    columns: dict[str, FilterColumn] = {
        "USER": "user", "WAREHOUSE": "warehouse", "DATABASE": "database", "ROLE": "role", "TAG": "query_tag"
    }  # fmt: skip
    return {kind: reader.names(columns[kind], now - _BACK, now, _MOST) for kind in kinds}


class AccountNames:
    """Implements `agent.state.Names` over a ToolContext."""

    def __init__(self, context: Callable[[], ToolContext]) -> None:
        self._make = context
        self._columns: dict[FilterColumn, tuple[str, ...]] = {}

    @cached_property
    def _context(self) -> ToolContext:
        return self._make()

    def warehouses(self) -> tuple[str, ...]:
        return self.column("warehouse")

    def column(self, column: FilterColumn) -> tuple[str, ...]:
        if column not in self._columns:
            self._columns[column] = self._read(column)
        return self._columns[column]

    def _read(self, column: FilterColumn) -> tuple[str, ...]:
        reader = self._context.reader
        if column == "user" and not self._context.policy.may_see_text(self._context.person):
            return ()  # names of people are not given away by spelling corrections either
        try:
            if column == "warehouse":
                shown = (w.name for w in reader.warehouses())
                return tuple(n for n in dict.fromkeys([*shown, *reader.known_warehouses()]) if n != _PSEUDO)
            now = reader.now()
            return reader.names(column, now - _BACK, now, _MOST)
        except NoPermission:
            return ()
