"""What a case holds and what one run of it gives back."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CaseInputs", "CaseMetadata", "Drawn", "Outcome"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CaseInputs(_Strict):
    turns: list[str] = Field(min_length=1)
    """What the person writes, in order, in one conversation. `{name}` is filled from `names`."""
    raw: bool = False
    """The turns are text as Slack sends it: escaped, with the bot's mention (`<@BOT>`) and other tokens."""
    person: str | None = None
    """A demo person; None: the profile's default."""
    names: dict[str, str] = {}
    """Names that the turns mention, as SQL that yields one value: cases are not keyed to an account."""
    key: str | None = None
    """SQL for the figures of the last turn: columns (value) or (entity, value). Parameters, all
    UTC times: %(now)s, %(today)s (the account zone's last midnight), %(d1)s .. %(d35)s (midnights before it),
    %(week)s (Monday), %(last_week)s, %(week_before)s, %(month)s (the 1st); and %(tz)s."""


class CaseMetadata(_Strict):
    tier: str = "gate"
    tags: list[str] = []


class Drawn(_Strict):
    """A turn as Slack messages; whoever runs the suite draws them, evals knows no channel."""

    problems: list[str]
    """What Slack would refuse."""
    shown: str
    """All that people read, in order."""
    live: list[str]
    """Tokens that act (mentions, links), from wherever they came."""


class Outcome(_Strict):
    """Everything evaluators may look at."""

    turns: list[dict[str, Any]]
    """`ask --json` of each turn."""
    drawn: list[Drawn]
    """The same turns in Slack."""
    key: list[list[Any]]
    names: dict[str, str]
    changes: int
    """Statements that changed the account while the case ran, in the server's own log."""

    @property
    def last(self) -> dict[str, Any]:
        return self.turns[-1]
