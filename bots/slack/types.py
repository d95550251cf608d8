"""What comes in from Slack and where things go, as frozen values. Ids are Slack's own and opaque.

What a payload says about names, message texts and blocks is a copy for display; only ids of people, teams,
channels and messages are believed, and a button's value is a key into our own store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

__all__ = [
    "Action",
    "Attachment",
    "Author",
    "Click",
    "Command",
    "Ignored",
    "Me",
    "Message",
    "Outbound",
    "Place",
    "PlanKey",
    "Question",
    "SlackUser",
    "Submission",
]


class Action(StrEnum):
    """action_id of every button, callback_id of every modal. `value` is what `Click.value` then holds."""

    APPROVE = "frostline_approve"
    """value: `PlanKey`, as all of the card's buttons."""
    DECLINE = "frostline_decline"
    DETAILS = "frostline_details"
    UNDO = "frostline_undo"
    EVIDENCE = "frostline_evidence"
    """value: the turn's trace id; so for chart, feedback and again."""
    CHART = "frostline_chart"
    FEEDBACK = "frostline_feedback"
    """value: `good:TRACE` or `bad:TRACE`."""
    AGAIN = "frostline_again"
    """value: the inbox item's id."""
    FINDING_SNOOZE = "frostline_finding_snooze"
    """value: the finding's id; so for dismiss. EVIDENCE of a finding: `finding:ID`."""
    FINDING_DISMISS = "frostline_finding_dismiss"
    FINDING_FORM = "frostline_finding_form"
    """callback_id; private_metadata is `render.finding.QuietForm` as JSON."""
    DECLINE_FORM = "frostline_decline_form"
    """callback_id; private_metadata is the card's JSON key (`PlanKey` plus channel and ts)."""


@dataclass(frozen=True)
class Author:
    """Who wrote or pressed, as Slack's envelope says it."""

    user: str
    team: str | None
    """The person's own workspace (or organisation, E...); None where the payload does not say."""
    enterprise: str | None = None


@dataclass(frozen=True)
class Place:
    """Where something is said: a channel, and the thread's root in it."""

    channel: str
    thread_ts: str | None = None

    @property
    def is_direct(self) -> bool:
        return self.channel.startswith("D")


@dataclass(frozen=True)
class Question:
    """One message that may want an answer."""

    team: str
    """The workspace that the app is installed in."""
    author: Author
    place: Place
    """thread_ts is the conversation's root: the message's own ts where it starts one."""
    ts: str
    text: str
    """As people read it: the mention of the bot taken out, Slack's escapes undone."""
    event_id: str
    kind: str
    """mention, direct, thread (a reply without mention), command, again."""
    mentions_others: bool = False
    shared: bool = False
    """The channel is shared with another organisation."""

    @property
    def conversation(self) -> str:
        """The chat thread's id: `slack:T/C/ROOT`."""
        return f"slack:{self.team}/{self.place.channel}/{self.place.thread_ts}"


@dataclass(frozen=True)
class Click:
    """A button that was pressed (block_actions)."""

    team: str | None
    author: Author
    action: str
    value: str
    action_ts: str
    place: Place | None
    """None for a button in a modal or on the Home tab."""
    message_ts: str | None
    trigger_id: str
    response_url: str | None = None
    is_ephemeral: bool = False
    app: str | None = None
    """api_app_id; compared with our own."""


@dataclass(frozen=True)
class Command:
    """`/frostline ...`"""

    team: str
    author: Author
    channel: str
    text: str
    trigger_id: str
    response_url: str


@dataclass(frozen=True)
class Submission:
    """A modal that was sent (view_submission)."""

    author: Author
    callback: str
    metadata: str
    values: Mapping[str, str]
    """block_id -> text of its input."""


@dataclass(frozen=True)
class Attachment:
    filename: str
    title: str
    content: bytes
    alt: str = ""
    """What a picture shows, in words, for people who cannot see it."""


@dataclass(frozen=True)
class Message:
    """One Slack message, within Slack's limits (`render.limits`)."""

    text: str
    """For notifications and screen readers; escaped."""
    blocks: tuple[dict[str, Any], ...] = ()
    files: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Me:
    """auth.test: which app, where."""

    team: str
    team_name: str
    user: str
    bot: str
    app: str | None
    enterprise: str | None
    url: str
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SlackUser:
    """users.info, as far as it decides anything."""

    id: str
    name: str
    """For display only."""
    team: str | None
    is_guest: bool = False
    is_bot: bool = False
    deleted: bool = False
    enterprise: str | None = None
    enterprise_user: str | None = None
    """The organisation-wide id on Enterprise Grid."""


class Outbound(Protocol):
    """Everything that is sent to Slack (`bots.slack.api.SlackApi`). Channels and users are Slack ids.

    Each raises `ChannelRefused` where Slack says no (its error code as `reason`) and `Unreachable` where it does
    not answer or stays rate limited.
    """

    def me(self) -> Me: ...

    def post(self, place: Place, message: Message, *, key: str | None = None) -> str:
        """The message's ts. With a key (kept in the message's metadata) it is posted once: where the answer to
        the call was lost, the thread is searched for the key before it is sent again. Files follow it.
        """
        ...

    def update(self, channel: str, ts: str, message: Message) -> None: ...

    def ephemeral(self, place: Place, user: str, message: Message) -> None: ...

    def respond(self, response_url: str, message: Message, *, in_channel: bool = False) -> None: ...

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None: ...

    def publish_home(self, user: str, view: Mapping[str, Any]) -> None: ...

    def upload(self, place: Place, file: Attachment) -> None: ...

    def start_stream(self, place: Place, recipient: Author) -> str:
        """Never waits for a rate limit: ChannelRefused(`ratelimited`) at once, the caller posts plainly."""
        ...

    def append_stream(self, channel: str, ts: str, chunks: Sequence[Mapping[str, Any]]) -> None: ...

    def stop_stream(
        self,
        channel: str,
        ts: str,
        *,
        chunks: Sequence[Mapping[str, Any]] = (),
        blocks: Sequence[Mapping[str, Any]] = (),
        key: str | None = None,
    ) -> None: ...

    def status(self, place: Place, text: str) -> None:
        """What is being done, shown under the conversation; empty: nothing. Never raises: it is decoration."""
        ...

    def title(self, place: Place, text: str) -> None:
        """Names the conversation; never raises."""
        ...

    def prompts(self, channel: str, prompts: Sequence[tuple[str, str]], thread_ts: str | None = None) -> None:
        """(title, message) to start with; `thread_ts` for the older Assistant view only. Never raises."""
        ...

    def user(self, user: str) -> SlackUser: ...

    def group_members(self, group: str) -> frozenset[str]:
        """Ids of an enabled user group; empty where it is disabled."""
        ...

    def is_shared(self, channel: str) -> bool:
        """Whether people of another organisation read this channel (conversations.info); also ChannelRefused where
        Slack does not say.
        """
        ...

    def find(self, place: Place, key: str) -> str | None:
        """ts of our message of the last two days in this thread that was sent with the key."""
        ...


@dataclass(frozen=True)
class PlanKey:
    """What a card's buttons carry: which plan or bundle, and the whole digest that the card shows."""

    ref: str
    digest: str

    def text(self) -> str:
        return f"{self.ref}:{self.digest}"

    @classmethod
    def parse(cls, text: str) -> PlanKey | None:
        """None for anything that is no key of ours."""
        ref, found, digest = text.partition(":")
        return cls(ref, digest) if found and ref and len(digest) == 64 else None


@dataclass(frozen=True)
class Ignored:
    """Why something gets no answer; for the log and the counters."""

    reason: str
    """own, bot, edit, hidden, subtype, empty, other_team, channel, guest, outsider, not_ours, unknown_user."""
    detail: Mapping[str, str] = field(default_factory=dict)
