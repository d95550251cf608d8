"""Text for Slack: what is escaped, what is literal, what a mention is; and text from Slack, made readable.

Reference 5: only `&`, `<` and `>` are escaped; `*`, `_` and backticks cannot be, so text from an account never
stands in mrkdwn at all. Characters that steer a display (controls, a turned direction) become '?', as everywhere
in Frostline: a name must not paint over the statement beside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import datetime
from typing import Any

from agent.replies.figures import show_time

__all__ = [
    "bare",
    "chunks_of",
    "date_token",
    "escape",
    "mention",
    "mention_token",
    "plain",
    "readable",
    "shortened",
    "slack_id",
    "top_text",
]

_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn")
_TOKEN = re.compile(r"<([^<>\n]*)>")
_ID = re.compile(r"[A-Z][A-Z0-9]{1,30}")


def bare(text: str) -> str:
    """The text without characters that a display obeys instead of showing; line breaks and tabs stay."""
    if text.isprintable():  # nearly always, and much faster than to look at each character
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join("?" if c not in "\n\t" and unicodedata.category(c) in _UNSEEN else c for c in text)


def escape(text: str) -> str:
    """For mrkdwn and top-level text: no `<...>` of it is a mention, a link or a date any more."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(text: str, limit: int) -> str:
    """Without its middle where it is longer: only for what stands in full elsewhere in the same message or view."""
    if len(text) <= limit:
        return text
    tail = (limit - 1) // 3
    return f"{text[: limit - 1 - tail]}…{text[len(text) - tail :]}"


def plain(text: str, limit: int) -> dict[str, Any]:
    """A plain_text object: literal, never empty. Longer text loses its middle (`shortened`)."""
    return {"type": "plain_text", "text": shortened(bare(text).strip(), limit) or "–", "emoji": False}


def top_text(text: str, limit: int) -> str:
    """Top-level `text`: escaped, on one line, never empty, at most `limit` characters after escaping."""
    line = " ".join(bare(text).split()) or "Frostline"
    while (length := len(escape(line))) > limit:
        line = shortened(line, min(len(line) - 1, len(line) * limit // length))
    return escape(line)


def chunks_of(text: str, size: int) -> list[str]:
    """The text in pieces of at most `size` characters, broken at a line end or a space where there is one."""
    pieces: list[str] = []
    while len(text) > size:
        cut = max(text.rfind("\n", size // 2, size), text.rfind(" ", size // 2, size)) + 1 or size
        pieces.append(text[:cut])
        text = text[cut:]
    return [*pieces, text] if text else pieces


# --- ids --------------------------------------------------------------------------------------------------------


def slack_id(person: str, teams: Collection[str]) -> str | None:
    """The Slack id in `slack:TEAM/ID`, if it is one of these teams (a workspace, and its organisation)."""
    channel, _, rest = person.partition(":")
    team, _, user = rest.partition("/")
    return user if channel == "slack" and team in teams and _ID.fullmatch(user) else None


def mention(user: str) -> dict[str, Any]:
    """A rich_text element for a user or group id; anything else is shown literally and mentions nobody."""
    if not _ID.fullmatch(user):
        return {"type": "text", "text": bare(user) or "–"}
    if user.startswith("S"):
        return {"type": "usergroup", "usergroup_id": user}
    return {"type": "user", "user_id": user}


def mention_token(user: str) -> str:
    """The same for mrkdwn and top-level text."""
    if not _ID.fullmatch(user):
        return escape(bare(user))
    return f"<!subteam^{user}>" if user.startswith("S") else f"<@{user}>"


def date_token(moment: datetime) -> str:
    """For mrkdwn: the moment in the reader's own zone; where that cannot be drawn, in UTC."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{show_time(moment, 'UTC')}>"


# --- what comes in ----------------------------------------------------------------------------------------------


def readable(text: str) -> str:
    """Slack's text as people read it: `<@U1|ann>` is @ann, `<url|label>` is label (url), escapes are undone once."""
    plain_text = _TOKEN.sub(lambda match: _token(match[1]), text)
    return plain_text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _token(inner: str) -> str:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        return f"@{label or target[1:]}"
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label or "@" + target[1:].partition("^")[0]
    target = target.removeprefix("mailto:")
    return f"{label} ({target})" if label and label != target and not target.endswith(f"//{label}") else target
