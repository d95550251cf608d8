"""What the parts of the bot are made of: one frozen bundle, handed to each of them by `service`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bots.slack.types import Me, Outbound

if TYPE_CHECKING:
    from agent.runtime import Runtime
    from agent.settings import SlackSettings
    from bots.slack.cards import CardDesk
    from bots.slack.people import People

__all__ = ["Parts"]


@dataclass(frozen=True)
class Parts:
    """`CardDesk(parts)` is made of parts without a desk; everything else gets parts that have it."""

    runtime: Runtime
    """Its store holds inbox, cards and answers."""
    settings: SlackSettings
    api: Outbound
    people: People
    me: Me
    """The app and the workspace that it is installed in."""
    by: str
    """This process's name in leases (inbox items, cards): unique for each start."""
    cards: CardDesk | None = None

    def may_be_overheard(self, channel: str) -> bool:
        """A setting says that another organisation may read the answers in this channel."""
        return bool(self.settings.teams) or channel in self.settings.channels

    @property
    def desk(self) -> CardDesk:
        """The desk that `service` has put in."""
        assert self.cards is not None
        return self.cards
