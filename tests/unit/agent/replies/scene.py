"""One turn's evidence, small enough to see at a glance: credits of last week and of the one before, and failures."""

from __future__ import annotations

from datetime import UTC, datetime

from agent.replies.citations import Evidence
from tools.quoting import code
from tools.result import Fact, Unit, Window

__all__ = ["SCENE", "TRUE"]

_NOW = datetime(2026, 11, 23, 18, 20, tzinfo=UTC)
_WEEK = Window(start=datetime(2026, 11, 16, tzinfo=UTC), end=datetime(2026, 11, 23, tzinfo=UTC), tz="UTC")
_BEFORE = Window(start=datetime(2026, 11, 9, tzinfo=UTC), end=datetime(2026, 11, 16, tzinfo=UTC), tz="UTC")


def _fact(
    number: int,
    value: float,
    entity: str | None = None,
    window: Window = _WEEK,
    label: str = "credits used",
    unit: Unit = "credits",
) -> Fact:
    view = "WAREHOUSE_METERING_HISTORY"
    return Fact(
        id=f"f{number}", label=label, value=value, unit=unit, entity=entity, window=window, source=view, as_of=_NOW
    )


_FACTS = (
    _fact(1, 663.6),
    _fact(2, 344.4, "ETL_WH"),
    _fact(3, 176.4, "BI_WH"),
    _fact(4, 142.8, "data science"),
    _fact(5, 590.0, window=_BEFORE, label="credits used, the window before"),
    _fact(6, 300.0, "ETL_WH", _BEFORE, "credits used, the window before"),
    _fact(7, 180.0, "BI_WH", _BEFORE, "credits used, the window before"),
    _fact(8, 31, label="failed queries", unit="count"),
    _fact(9, 412.5, "ETL_WH", label="time in queue", unit="s"),
    _fact(10, 1033.2, label="cost", unit="USD"),
)
SCENE = Evidence(
    facts={fact.id: fact for fact in _FACTS},
    texts={"o1": code("BI_WH"), "r1.window": "2026-11-16 to 2026-11-22 UTC"},
    names=frozenset({"ETL_WH", "BI_WH", "data science", "MARIA", "Finance"}),
    said=frozenset({"last week"}),
)

TRUE = (
    "Most went to [[f2.entity]]: [[f2]], which is [[pct(f2,f1)]] of [[f1]] in [[f1.window]].",
    "Last week [[f2.entity]] used [[f2]], [[change(f6,f2)]] against [[f6]] in the window before.",
    "[[f2.entity]] used [[f2]] and [[f3.entity]] [[f3]].",
    "[[f2.entity]] used [[f2]], [[ratio(f2,f3)]] as much as [[f3.entity]] with [[f3]].",
    "In all the account used [[f1]]; [[f5]] in the window before ([[f5.window]]).",
    "That is [[change(f5,f1)]].",
    "The biggest is [[f2.entity]].\nIt used [[f2]] of the [[f1]].",
    "- [[f2.entity]]: [[f2]]\n- [[f3.entity]]: [[f3]]\n- [[f4.entity]]: [[f4]]",
    "[[f2]] went to [[f2.entity]], [[f3]] to [[f3.entity]].",
    "[[f2.entity]], [[f3.entity]] and [[f4.entity]] together used [[sum(f2,f3,f4)]].",
    "There were [[f8]] failed queries.",
    "It cost [[f10]].",
    "Queries waited [[f9]] on [[f9.entity]].",
    "| Warehouse | Credits |\n|---|---:|\n| [[f2.entity]] | [[f2.bare]] |\n| [[f3.entity]] | [[f3.bare]] |",
    "[[f2.entity]] may be too large; a smaller size would cost less. Ask me to prepare the change if you want it.",
    "[[f2.entity]]'s share of [[f1]] is [[pct(f2,f1)]].",
    "The difference between [[f2.entity]] and [[f3.entity]] is [[diff(f2,f3)]].",
    "The [[f1.label]] came to [[f1]] (source: [[f1.source]]).",
)
"""As a model would word them: all may be sent."""
