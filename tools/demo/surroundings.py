"""What a statement's functions may depend on: its session, the account's clock, earlier results, and their tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
from sqlglot import exp

from tools.demo.engine import Engine
from tools.demo.results import ResultCache
from tools.demo.session import Session, Sessions, Statement

__all__ = ["Surroundings"]


@dataclass
class Surroundings:
    """All that a statement's functions may depend on, and the tables made for it."""

    engine: Engine
    session: Session
    results: ResultCache
    now: datetime
    sessions: Sessions = field(default_factory=Sessions)
    statement: Statement | None = None
    """The one that asks: it does not count among those in flight."""
    evaluate: Callable[[exp.Expr], Any] = lambda node: None
    """Works out an expression without columns, in the session's time zone."""
    tables: dict[str, pa.Table] = field(default_factory=dict)

    @property
    def local(self) -> datetime:
        return self.now.astimezone(ZoneInfo(self.session.timezone))

    def register(self, table: pa.Table) -> exp.Expr:
        name = f"FROSTLINE_RESULT_{len(self.tables) + 1}"
        self.tables[name] = table
        return exp.to_identifier(name, quoted=True)
