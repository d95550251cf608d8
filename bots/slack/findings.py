"""Findings in their channel: one message each, posted once, changed in place, and never a flood.

The store says what is open and what stands where; nothing is remembered here. A row is claimed before its message is
sent, and from the second claim on the message is looked for first: a process that dies in between repeats none.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agent.scan.run import weightiest
from bots.slack.pictures import picture
from bots.slack.render.finding import finding_message, mark_of, more_message
from bots.slack.types import Outbound, Place
from tools.errors import ChannelRefused, FrostlineError, UnknownName
from tools.finding import SEVERITIES, FindingRecord

if TYPE_CHECKING:
    from agent.runtime import Runtime
    from agent.settings import SlackSettings
    from agent.store import FindingPost, Store

__all__ = ["FindingDesk", "post_key"]

_log = logging.getLogger("frostline.slack.findings")
_LEASE = timedelta(seconds=60)
_QUIET_AFTER = timedelta(days=2)
"""How long after its end a message may still have to change: what comes back soon is the same finding."""
_NO_MESSAGE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


@dataclass(frozen=True)
class FindingDesk:
    """Any number of processes may share the store."""

    store: Store
    api: Outbound
    settings: SlackSettings
    by: str
    """Unique for each desk: whose a claim is."""
    tz: str

    @classmethod
    def of(cls, runtime: Runtime, api: Outbound, settings: SlackSettings, by: str | None = None) -> FindingDesk:
        name = by or f"findings:{runtime.new_id()}"
        return cls(runtime.store, api, settings, name, runtime.account.timezone)

    def publish(self) -> int:
        """Post what the channel was not told of, change what has changed; how many messages were sent or changed.

        Raises:
            FrostlineError: Slack says no or nothing, or the store does not answer. What was done stands.
        """
        channel, last = self.settings.findings_channel, self.store.findings.last_scan()
        if not channel or last is None:
            return 0
        posts = self.store.finding_posts
        since = posts.published(channel)
        if since is None:  # what was over before the channel was first told of anything is history
            since = last.as_of
            posts.keep_published(channel, since)
        sent = self._change(channel, last.as_of) + self._post_new(channel, last.as_of, since)
        posts.keep_published(channel, last.as_of)
        return sent

    def refresh(self, finding_id: str) -> None:
        """Paint the messages of one finding anew, after somebody snoozed or dismissed it.

        Raises:
            FrostlineError: as publish.
        """
        for post in self.store.finding_posts.of(finding_id):
            if post.ts is not None:
                self._update(post, self.store.findings.get(finding_id))

    # --- new ones ------------------------------------------------------------------------------------------------

    def _post_new(self, channel: str, now: datetime, since: datetime) -> int:
        """What is open; and what began and ended while Slack was away, told as over."""
        counted = self.store.finding_posts.counted(channel)
        known = self.store.finding_posts.known(channel)
        least = SEVERITIES.index(self.settings.findings_from)
        found = [
            record
            for record in (*self.store.findings.list(("new", "open"), now=now), *self.store.findings.over_since(since))
            if (record.id not in known or _has_risen(record, counted.get(record.id)))
            and SEVERITIES.index(record.finding.severity) >= least
        ]
        found.sort(key=lambda record: (record.is_over, weightiest(record)))
        shown, rest = found[: self.settings.findings_at_once], found[self.settings.findings_at_once :]
        for record in shown:
            if record.id in counted:
                self.store.finding_posts.reopen(record.id, channel)
        sent = sum(self._post(record, channel) for record in shown)
        if rest:
            self._count(rest, channel)
            sent += 1
        return sent

    def _count(self, rest: Sequence[FindingRecord], channel: str) -> None:
        """Told first: a crash in between costs the number, and never a second one. Where Slack says no or nothing,
        the next publish tells of them.
        """
        ids = tuple(record.id for record in rest)
        self.store.finding_posts.told({record.id: record.finding.severity for record in rest}, channel)
        key = f"findings-more:{rest[0].id}:{rest[0].finding.severity}:{len(rest)}"
        try:
            self.api.post(Place(channel), more_message(len(rest)), key=key)
        except FrostlineError:
            self.store.finding_posts.untold(ids, channel)
            raise

    def _post(self, record: FindingRecord, channel: str) -> int:
        posts, place, key = self.store.finding_posts, Place(channel), post_key(record.id, channel)
        claimed = posts.claim(record.id, channel, self.by, _LEASE)
        if claimed is None or claimed.ts is not None:
            return 0
        ts: str | None = None
        try:
            if claimed.attempts > 1:
                ts = self.api.find(place, key)
            if ts is not None:
                posts.release(record.id, channel, self.by, ts=ts, shown="")  # as old as the claim: it is painted anew
                return 0
            ts = self.api.post(place, finding_message(record, self.tz), key=key)
            posts.release(record.id, channel, self.by, ts=ts, shown=mark_of(record))
        except FrostlineError:
            posts.release(record.id, channel, self.by)
            raise
        _log.info("finding %s is posted in %s", record.id, channel)
        self._chart(record, Place(channel, ts))
        return 1

    def _chart(self, record: FindingRecord, thread: Place) -> None:
        """Under the message, once; a picture that Slack does not take is no reason to say anything twice."""
        file = picture(record.chart) if record.chart is not None else None
        if file is None:
            return
        try:
            self.api.upload(thread, file)
        except FrostlineError as error:
            _log.warning("no chart for finding %s: %s", record.id, error.message)

    # --- those that stand ----------------------------------------------------------------------------------------

    def _change(self, channel: str, now: datetime) -> int:
        standing = [post for post in self.store.finding_posts.open(channel) if post.ts is not None]
        changed = 0
        for post in standing:
            try:
                record = self.store.findings.get(post.finding_id)
            except UnknownName:  # forgotten long ago
                self._close(post)
                continue
            changed += self._update(post, record)
            if _is_done(record, now):
                self._close(post)
        return changed

    def _update(self, post: FindingPost, record: FindingRecord) -> int:
        mark = mark_of(record)
        if mark == post.shown or post.ts is None:
            return 0
        posts = self.store.finding_posts
        claimed = posts.claim(post.finding_id, post.channel, self.by, _LEASE)
        if claimed is None or claimed.ts is None:
            return 0  # another is at it
        closed: bool | None = None
        try:
            self.api.update(post.channel, claimed.ts, finding_message(record, self.tz))
        except ChannelRefused as refused:
            if refused.reason not in _NO_MESSAGE:
                posts.release(post.finding_id, post.channel, self.by)
                raise
            _log.info("finding %s cannot be changed in %s: %s", record.id, post.channel, refused.reason)
            closed = True
        except FrostlineError:
            posts.release(post.finding_id, post.channel, self.by)
            raise
        posts.release(post.finding_id, post.channel, self.by, shown=mark, closed=closed)
        return 0 if closed else 1

    def _close(self, post: FindingPost) -> None:
        if self.store.finding_posts.claim(post.finding_id, post.channel, self.by, _LEASE) is not None:
            self.store.finding_posts.release(post.finding_id, post.channel, self.by, closed=True)


def _has_risen(record: FindingRecord, told: str | None) -> bool:
    """Above the severity with which it was counted."""
    severities: tuple[str, ...] = SEVERITIES
    return told in severities and severities.index(record.finding.severity) > severities.index(told)


def _is_done(record: FindingRecord, now: datetime) -> bool:
    ended = record.finding.ended_at
    return ended is not None and ended < now - _QUIET_AFTER


def post_key(finding_id: str, channel: str) -> str:
    """In the message's metadata: by it a message is found whose row was not written any more."""
    return f"finding:{finding_id}:{channel}"
