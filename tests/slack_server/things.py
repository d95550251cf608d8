"""What a workspace consists of: people, channels, messages, modals, files."""

from __future__ import annotations

import copy
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

StreamState = Literal["streaming", "stopped", "stopped_by_user", "expired"]


@dataclass
class User:
    id: str
    name: str
    team: str
    guest: bool = False
    single_channel: bool = False
    deleted: bool = False
    bot: bool = False
    workflow: bool = False
    stranger: bool = False
    enterprise: str | None = None
    enterprise_user: str | None = None


@dataclass
class Posted:
    """A message as it stands now."""

    channel: str
    ts: str
    user: str | None
    text: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    thread_ts: str | None = None
    bot_id: str | None = None
    subtype: str | None = None
    streamed: bool = False
    stream_state: StreamState | None = None
    chunks: list[dict[str, Any]] = field(default_factory=list)
    recipient: str | None = None
    started: float = 0.0
    edits: int = 0
    """chat.update and response_url replacements; what a stream appends is not one."""
    metadata: dict[str, Any] | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    ephemeral_to: str | None = None
    args: dict[str, Any] = field(default_factory=dict)
    """parse, mrkdwn, unfurl_links ... as they were sent."""

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def tasks(self) -> dict[str, dict[str, Any]]:
        """id -> the newest task_update of a stream."""
        return {chunk["id"]: chunk for chunk in self.chunks if chunk.get("type") == "task_update"}

    @property
    def all_text(self) -> str:
        """Everything that a person can read in it, for assertions."""
        return "\n".join([self.text, *texts(self.blocks), *texts(self.chunks)])

    @property
    def live(self) -> list[str]:
        """What notifies people or can be followed in it: `<!channel>`, `<@U...>`, `<https://...>` and the like."""
        found = [token for each in parsed_texts(self) for token in _LIVE.findall(each)]
        return found + [f"{each['type']}:{each}" for each in spans(self.blocks) if each["type"] in _LIVE_SPANS]

    def copy(self) -> Posted:
        return copy.deepcopy(self)


_LIVE = re.compile(r"<(?:![a-z]|[@#][A-Z0-9]|https?:|mailto:)[^<>]*>|\]\(\s*(?:https?:)?//[^)]*\)")
_LIVE_SPANS = ("user", "usergroup", "channel", "broadcast", "link")


def spans(thing: Any) -> list[dict[str, Any]]:
    """Every object with a `type`, depth first."""
    if isinstance(thing, list):
        return [found for each in thing for found in spans(each)]
    if not isinstance(thing, dict):
        return []
    inner = [found for value in thing.values() for found in spans(value)]
    return [thing, *inner] if isinstance(thing.get("type"), str) else inner


def parsed_texts(message: Posted) -> list[str]:
    """The texts in which Slack looks for tokens and links: the top-level one, mrkdwn, markdown and streamed ones."""
    kinds = ("mrkdwn", "markdown", "markdown_text")
    inside = [each["text"] for each in spans([message.blocks, message.chunks]) if each["type"] in kinds]
    return [message.text, *inside]


@dataclass
class Channel:
    id: str
    name: str
    kind: Literal["channel", "group", "im", "mpim"]
    members: set[str]
    shared: bool = False
    archived: bool = False
    read_only: bool = False
    messages: dict[str, Posted] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    """ts of deleted messages."""
    missed: dict[str, Any] | None = None
    """The newest mention from before the bot was invited."""
    full: deque[str] = field(default_factory=deque)
    """ts of the messages whose contents are kept, where not all of them are."""

    def thread(self, root: str) -> list[Posted]:
        return [each for each in self.messages.values() if root in (each.ts, each.thread_ts)]


@dataclass
class Group:
    id: str
    name: str
    members: list[str]
    disabled: bool = False


@dataclass
class View:
    id: str
    user: str
    body: dict[str, Any]
    hash: str
    type: Literal["modal", "home"]
    root: str
    previous: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    """What the last submission was refused with, by block_id."""
    updates: int = 0
    app_installed_team_id: str | None = None

    @property
    def title(self) -> str:
        return str(self.body.get("title", {}).get("text", ""))

    @property
    def blocks(self) -> list[dict[str, Any]]:
        return list(self.body.get("blocks", []))

    @property
    def all_text(self) -> str:
        return "\n".join(texts(self.body))

    def copy(self) -> View:
        return copy.deepcopy(self)


@dataclass
class Trigger:
    id: str
    user: str
    at: float
    view: str | None = None
    """The modal in which it was made."""
    used: bool = False


@dataclass
class ResponseUrl:
    id: str
    user: str
    channel: str
    at: float
    kind: Literal["message", "ephemeral", "command"]
    ts: str | None = None
    uses: int = 0


@dataclass
class Upload:
    id: str
    filename: str
    length: int
    title: str = ""
    content: bytes | None = None
    channel: str | None = None
    thread_ts: str | None = None
    completed: bool = False
    comment: str = ""
    alt: str = ""


@dataclass(frozen=True)
class Call:
    method: str
    args: dict[str, Any]
    at: float
    error: str | None
    """None: it was done."""


@dataclass(frozen=True)
class Violation:
    where: str
    code: str
    detail: str

    def __str__(self) -> str:
        return f"{self.where}: {self.code}: {self.detail}"


def texts(thing: Any) -> list[str]:
    """Every string under a `text` key, depth first."""
    if isinstance(thing, list):
        return [found for each in thing for found in texts(each)]
    if not isinstance(thing, dict):
        return []
    found: list[str] = []
    for key, value in thing.items():
        if isinstance(value, str):
            found += [value] if key in ("text", "title", "details", "output") else []
        else:
            found += texts(value)
    return found
