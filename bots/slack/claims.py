"""An inbox item while it is worked on: whose it is, whether it shall stop, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agent.state import Stopped

if TYPE_CHECKING:
    from agent.store.inbox import Finished, Inbox, Item

__all__ = ["Claim", "ClaimLost", "stop_id"]


class ClaimLost(Stopped):
    """The item is somebody else's by now (this process slept past its lease): nothing more may be said for it.

    A Stopped, so that it ends a turn too.
    """


def stop_id(item_id: str) -> str:
    """The id under which a press of Stop is kept for whichever process works on the item."""
    return f"stop:{item_id}"


class Claim:
    """One claimed item of one worker thread."""

    def __init__(self, inbox: Inbox, item: Item, by: str) -> None:
        self._inbox, self.item, self._by = inbox, item, by
        self._lost = threading.Event()
        self.progress: dict[str, Any] = dict(item.progress)

    @property
    def id(self) -> str:
        return self.item.id

    @property
    def is_repeated(self) -> bool:
        """Whether somebody began before: what they may have sent has to be looked for."""
        return self.item.attempts > 1

    def lose(self) -> None:
        """The heartbeat has learned that it is gone."""
        self._lost.set()

    def note(self, **progress: Any) -> None:
        """Merge into the item's progress; asked right before anything is posted, for it proves the claim.

        Raises:
            ClaimLost: it is not ours any more.
        """
        if self._lost.is_set() or not self._inbox.note(self.id, self._by, progress):
            self._lost.set()
            raise ClaimLost
        self.progress |= progress

    def check(self) -> None:
        """
        Raises:
            ClaimLost: it is not ours any more.
            Stopped: a person pressed Stop.
        """
        if self._lost.is_set():
            raise ClaimLost
        if self._inbox.get(stop_id(self.id)) is not None:
            raise Stopped

    def finish(self, state: Finished, progress: Mapping[str, Any] | None = None) -> bool:
        return self._inbox.finish(self.id, self._by, state, progress)
