"""Takes items from the inbox, in several threads of several processes; recovers what broke off.

The inbox gives an item to one worker, and of a conversation one item at a time. A heartbeat renews the leases of what
is being worked on here; what nobody renews any more is taken over and recovered.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.state import Stopped
from agent.store.inbox import Inbox, Item
from bots.slack.claims import Claim
from bots.slack.pool import failed
from tools.errors import FrostlineError, Unreachable

if TYPE_CHECKING:
    from bots.slack.answering import Answering

__all__ = ["Dispatcher"]

_log = logging.getLogger("frostline.slack")


class Dispatcher:
    """`workers` threads and a heartbeat; `start` once, `stop` once."""

    def __init__(
        self,
        inbox: Inbox,
        answering: Answering,
        *,
        by: str,
        workers: int,
        lease_s: float,
        poll_s: float = 0.5,
    ) -> None:
        self._inbox, self._answering, self._by, self._poll_s = inbox, answering, by, poll_s
        self._lease = timedelta(seconds=lease_s)
        self._beat_s = max(0.1, lease_s / 3)
        self._active: dict[str, Claim] = {}
        self._orphans: deque[Claim] = deque()
        self._recovering, self._most_recovering = 0, max(1, workers // 2)
        self._lock = threading.Lock()
        self._news = threading.Condition()
        self._signals = 0
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"frostline-worker-{n}", daemon=True) for n in range(workers)
        ]
        self._heart = threading.Thread(target=self._beat, name="frostline-heartbeat", daemon=True)

    def start(self) -> None:
        self._heart.start()
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Something was put into the inbox here."""
        with self._news:
            self._signals += 1
            self._news.notify()

    def stop(self, grace_s: float) -> bool:
        """Begin nothing new and let what runs finish; False where something still ran after the time of grace.

        What still runs then loses its lease with the process, and whoever comes next tells people so.
        """
        self._stopping.set()
        with self._news:
            self._news.notify_all()
        deadline = time.monotonic() + grace_s
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        clean = not any(thread.is_alive() for thread in self._threads)
        self._ended.set()
        if self._heart.is_alive():
            self._heart.join(5.0)
        return clean

    @property
    def is_alive(self) -> bool:
        return self._heart.is_alive() and all(thread.is_alive() for thread in self._threads)

    # --- workers -------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._stopping.is_set():
            seen = self._signals
            try:
                ran = self._one()
            except FrostlineError as error:  # the store is away for a while
                _log.warning("the inbox does not answer: %s", error.message)
                self._stopping.wait(self._poll_s * 4)
                continue
            except Exception:  # noqa: BLE001 - an edge: whatever the store raises, a worker that ends is gone for good
                failed("taking an item")
                self._stopping.wait(self._poll_s * 4)
                continue
            if not ran:
                with self._news:
                    if self._signals == seen and not self._stopping.is_set():
                        self._news.wait(self._poll_s)

    def _one(self) -> bool:
        """Work on one item, if there is one."""
        orphan = self._orphan()
        if orphan is not None:
            try:
                self._run(orphan, recover=True)
            finally:
                with self._lock:
                    self._recovering -= 1
            return True
        item = self._inbox.claim(self._by, self._lease)
        if item is None:
            return False
        self._run(self._adopt(item), recover=False)
        return True

    def _orphan(self) -> Claim | None:
        """What broke off, in half of the workers at most: what keeps breaking off is slow, and others have asked."""
        with self._lock:
            if not self._orphans or self._recovering >= self._most_recovering:
                return None
            self._recovering += 1
            return self._orphans.popleft()

    def _adopt(self, item: Item) -> Claim:
        claim = Claim(self._inbox, item, self._by)
        with self._lock:
            self._active[item.id] = claim
        return claim

    def _run(self, claim: Claim, *, recover: bool) -> None:
        answering = self._answering
        try:
            if recover:
                answering.recover(claim)
            else:
                answering.work(claim)
        except Stopped:
            _log.info("left to whoever has it now: %s", claim.id)
        except Unreachable as error:
            # Slack or the store is away: its lease lapses, and it is taken over from where it stands.
            _log.warning("%s broke off: %s", claim.id, error.message)
            with contextlib.suppress(Stopped, FrostlineError):
                answering.broke_off(claim)
        except Exception:  # noqa: BLE001 - an edge: one question that fails must not take the worker along
            self._tell_failed(answering, claim, failed(claim.id))
        finally:
            with self._lock:
                self._active.pop(claim.id, None)

    def _tell_failed(self, answering: Answering, claim: Claim, name: str) -> None:
        try:
            answering.tell_failed(claim, name)
        except Stopped:
            _log.info("left to whoever has it now: %s", claim.id)
        except FrostlineError as error:
            _log.warning("nobody could be told of %s: %s", name, error.message)
        except Exception:  # noqa: BLE001 - the same edge: what went wrong may go wrong again while it is told
            failed(f"telling of {name}")

    # --- heartbeat -----------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        while not self._ended.is_set():
            try:
                self._renew()
                if not self._stopping.is_set():
                    self._take_over()
            except FrostlineError as error:
                _log.warning("leases could not be renewed: %s", error.message)
            except Exception:  # noqa: BLE001 - an edge: without a heartbeat all work here would be taken for dead
                failed("the heartbeat")
            self._ended.wait(self._beat_s)

    def _renew(self) -> None:
        with self._lock:
            active = dict(self._active)
        mine = self._inbox.renew(active, self._by, self._lease)
        for item_id in active.keys() - mine:
            with self._lock:
                lost = self._active.get(item_id)
            if lost is not None and lost is active[item_id]:
                lost.lose()

    def _take_over(self) -> None:
        for item in self._inbox.take_over(self._by, self._lease):
            with self._lock:
                if item.id in self._active:  # ours, and its lease has lapsed while this process slept
                    continue
                claim = Claim(self._inbox, item, self._by)
                self._active[item.id] = claim
                self._orphans.append(claim)
            self.wake()
