"""What is being done and the answer's text, streamed; plain messages wherever Slack will not stream.

A stream lives about five minutes whatever is appended, so it is ended and begun anew before that. The last words of
an answer go out with the call that ends the stream: one call less, and its key proves that it arrived.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.state import Step, Turn
from bots.slack.render.answer import answer_messages, step_chunk, stream_chunks
from bots.slack.types import Author, Message, Outbound, Place
from tools.errors import ChannelRefused, FrostlineError, Unreachable

__all__ = ["Shown", "Stream", "end_quietly", "replace_stream", "upload_files"]

_log = logging.getLogger("frostline.slack")
_WORKING = "is working on it…"
_ENDED = ("message_not_in_streaming_state", "streaming_state_conflict")
_STOPPED = "stopped_by_user"


@dataclass(frozen=True)
class Shown:
    """How much of an answer stands there: `count` of the messages of `answer_messages(turn, streamed=streamed)`."""

    streamed: bool
    count: int


class Stream:
    """One answer's stream, of one thread. Nothing here raises because Slack will not stream."""

    def __init__(
        self,
        api: Outbound,
        place: Place,
        recipient: Author,
        *,
        age_s: float,
        on_start: Callable[[str], None],
        may_start: Callable[[], object] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_start` is told the ts of every stream that is begun, `may_start` is asked before; what they raise
        comes out, and no stream stays open.
        """
        self._api, self._place, self._recipient = api, place, recipient
        self._age_s, self._on_start, self._may_start, self._now = age_s, on_start, may_start, now
        self._ts: str | None = None
        self._since = 0.0
        self._is_working = False
        """Whether Slack shows that something is being done."""
        self.stopped_by_user = False

    @property
    def is_open(self) -> bool:
        return self._ts is not None

    # --- while it is worked on -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """A stream, or at least a status."""
        self._may_start()
        try:
            ts = self._api.start_stream(self._place, self._recipient)
        except FrostlineError as error:
            _log.info("no stream in %s: %s", self._place.channel, getattr(error, "reason", error.code))
            self._say(_WORKING)
            return
        self._ts, self._since, self._is_working = ts, self._now(), True
        try:
            self._on_start(ts)
        except BaseException:  # nobody else knows of it
            self._end_quietly()
            raise

    def step(self, step: Step) -> None:
        """A line that says what is being done; where there is no stream, the status says it."""
        if self._ts is not None:
            self._append([step_chunk(step)])
        elif step.state == "started":
            self._say(f"{step.title}…")

    def _say(self, text: str) -> None:
        self._api.status(self._place, text)
        self._is_working = bool(text)

    def _append(self, chunks: Sequence[Mapping[str, Any]]) -> bool:
        """Whether it was certainly appended."""
        if self._ts is not None and self._now() - self._since > self._age_s:
            self._begin_anew()
        for _ in range(2):
            if self._ts is None:
                return False
            try:
                self._api.append_stream(self._place.channel, self._ts, chunks)
                return True
            except ChannelRefused as refused:
                self._on_refusal(refused.reason)
            except Unreachable:
                return False  # perhaps it is there: not again, it would stand there twice
        return False

    def _on_refusal(self, reason: str) -> None:
        if reason in _ENDED:  # Slack has ended it
            self._ts = None
            self.begin()
        elif reason == _STOPPED:
            self.stopped_by_user, self._ts = True, None
        else:
            self._end_quietly()

    def _begin_anew(self) -> None:
        self._end_quietly()
        self.begin()

    def _end_quietly(self) -> None:
        ts, self._ts = self._ts, None
        if ts is not None:
            end_quietly(self._api, self._place.channel, ts)

    # --- at the end ----------------------------------------------------------------------------------------------

    def show(self, turn: Turn, key: str) -> Shown:
        """Put the answer into the stream and end it. `Shown(False, 0)`: nothing of it stands there."""
        if self._ts is None:
            return Shown(streamed=False, count=0)
        if self._now() - self._since > self._age_s:
            self._begin_anew()
        shown_in, chunks = self._ts, list(stream_chunks(turn))
        below = answer_messages(turn, streamed=True)
        whole = all(self._append([chunk]) for chunk in chunks[:-1])
        if whole and self._ts is not None and self._end_with(chunks[-1:], below[:1], key):
            self._ts = None
            for message in below[:1]:
                upload_files(self._api, self._place, message)
            return Shown(streamed=True, count=len(below[:1]))
        broken, self._ts = self._ts or shown_in, None
        if broken is None:
            return Shown(streamed=False, count=0)
        return replace_stream(self._api, self._place, broken, turn)

    def _end_with(self, chunks: Sequence[Mapping[str, Any]], last: Sequence[Message], key: str) -> bool:
        assert self._ts is not None
        blocks = last[0].blocks if last else ()
        try:
            self._api.stop_stream(self._place.channel, self._ts, chunks=chunks, blocks=blocks, key=key)
        except ChannelRefused as refused:
            _log.info("stream in %s not ended: %s", self._place.channel, refused.reason)
            return False
        except Unreachable:
            if not self._arrived(key):
                return False
        self._is_working = False
        return True

    def _arrived(self, key: str) -> bool:
        try:
            return self._api.find(self._place, key) is not None
        except FrostlineError:
            return False

    def end_with(self, message: Message, key: str) -> bool:
        """End it with a message of another kind (an error, stopped); False: the caller has to post it."""
        if self._ts is None:
            return False
        done = self._end_with((), (message,), key)
        if not done:
            self._end_quietly()
        self._ts = None
        return done

    def rest(self) -> None:
        """Nothing is being done any more."""
        if self._is_working:
            self._say("")


def replace_stream(api: Outbound, place: Place, ts: str, turn: Turn) -> Shown:
    """A stream that broke, also somebody else's: ended, and its message becomes the answer's first."""
    end_quietly(api, place.channel, ts)
    first = answer_messages(turn)[0]
    try:
        api.update(place.channel, ts, first)
    except ChannelRefused as refused:
        _log.info("stream in %s not replaced: %s", place.channel, refused.reason)
        return Shown(streamed=False, count=0)
    upload_files(api, place, first)
    return Shown(streamed=False, count=1)


def upload_files(api: Outbound, place: Place, message: Message) -> None:
    """What a stream or an update cannot carry along."""
    for file in message.files:
        api.upload(place, file)


def end_quietly(api: Outbound, channel: str, ts: str) -> None:
    """End a stream that may have ended already."""
    try:
        api.stop_stream(channel, ts)
    except FrostlineError as error:
        _log.debug("stream in %s: %s", channel, getattr(error, "reason", error.code))
