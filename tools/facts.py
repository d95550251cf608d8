"""Collecting the facts of one tool result: ids f1, f2, ... in the order in which they are claimed."""

from __future__ import annotations

from datetime import datetime

from tools.result import Fact, Unit, Window

__all__ = ["FactBook"]


class FactBook:
    """Every figure, name and time a result speaks of goes through here, so none can lack its source."""

    def __init__(self, as_of: datetime) -> None:
        self._as_of = as_of
        self._facts: list[Fact] = []

    def add(
        self,
        label: str,
        value: float | int | str | None,
        unit: Unit,
        source: str,
        *,
        entity: str | None = None,
        window: Window | None = None,
    ) -> str:
        """Claim a value; returns the fact's id. `source` is a view, a SHOW command or a formula like '= f1 * f2'."""
        number = f"f{len(self._facts) + 1}"
        self._facts.append(
            Fact(
                id=number,
                label=label,
                value=value,
                unit=unit,
                entity=entity,
                window=window,
                source=source,
                as_of=self._as_of,
            )
        )
        return number

    @property
    def facts(self) -> tuple[Fact, ...]:
        return tuple(self._facts)
