"""From Slack's payloads to the types of `types`, and who gets no answer at all. Pure: no I/O, no clock, no settings.

A payload is believed where its ids are concerned and nowhere else. What is missing or odd is Ignored, never guessed.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from bots.slack.render.text import readable
from bots.slack.types import Author, Click, Command, Ignored, Me, Place, Question, Submission

__all__ = [
    "click",
    "command",
    "message_key",
    "question",
    "question_body",
    "question_of",
    "stopped_conversation",
    "submission",
    "text_of",
]

_READ_SUBTYPES = (None, "", "file_share")
_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_LONGEST_TEXT = 8000
"""Slack cuts at 40,000; Frostline refuses long before that, and says so."""


# --- events ----------------------------------------------------------------------------------------------------------


def question(payload: Mapping[str, Any], me: Me) -> Question | Ignored:
    """From the envelope of an app_mention or message event. Both kinds of one message give the same key."""
    event = payload.get("event")
    if not isinstance(event, Mapping) or event.get("type") not in ("app_mention", "message"):
        return Ignored("not_ours")
    refusal = _not_a_question(event, me)
    if refusal:
        return refusal
    channel, ts, raw = str(event["channel"]), str(event["ts"]), str(event.get("text") or "")
    root = str(event.get("thread_ts") or ts)
    mentioned = [found.group(1) for found in _MENTION.finditer(raw)]
    kind = _kind(event, channel, me.user in mentioned)
    if kind is None:
        return Ignored("not_ours")
    text = text_of(raw, me)
    return Question(
        team=_installed_in(payload, me),
        author=_author(event, payload),
        place=Place(channel, root),
        ts=ts,
        text=text,
        event_id=str(payload.get("event_id") or f"{channel}/{ts}"),
        kind=kind,
        mentions_others=_begins_with_somebody_else(raw, me),
        shared=bool(payload.get("is_ext_shared_channel")),
    )


def _not_a_question(event: Mapping[str, Any], me: Me) -> Ignored | None:
    user, subtype = event.get("user"), event.get("subtype")
    if subtype == "message_changed" or subtype == "message_deleted":
        return Ignored("edit")
    if event.get("hidden"):
        return Ignored("hidden")
    if user == me.user or (me.bot and event.get("bot_id") == me.bot):
        return Ignored("own")
    if event.get("bot_id") or event.get("bot_profile") or subtype == "bot_message":
        return Ignored("bot")
    if subtype not in _READ_SUBTYPES:
        return Ignored("subtype", {"subtype": str(subtype)[:40]})
    if event.get("edited"):
        return Ignored("edit")
    if not (isinstance(user, str) and user and event.get("channel") and event.get("ts")):
        return Ignored("not_ours")
    return None


def _kind(event: Mapping[str, Any], channel: str, mentions_me: bool) -> str | None:
    """None: a message at the top of a channel that does not speak to the bot."""
    if event.get("channel_type") == "im" or channel.startswith("D"):
        return "direct"
    if mentions_me:
        return "mention"
    reply = event.get("thread_ts") and event.get("thread_ts") != event.get("ts")
    return "thread" if reply and event.get("type") == "message" else None


def _author(event: Mapping[str, Any], payload: Mapping[str, Any]) -> Author:
    """In a shared channel `user_team` (or `source_team`) is the author's own; `team` may be the app's."""
    shared = bool(payload.get("is_ext_shared_channel"))
    names = ("user_team", "source_team") if shared else ("user_team", "source_team", "team")
    team = next((str(event[name]) for name in names if event.get(name)), None)
    if team is None:
        team = _text_or_none(event.get("team")) or (None if shared else _text_or_none(payload.get("team_id")))
    return Author(user=str(event["user"]), team=team, enterprise=_text_or_none(payload.get("enterprise_id")))


def _installed_in(payload: Mapping[str, Any], me: Me) -> str:
    """Which install: in shared channels the envelope's team_id may be the other side's."""
    authorizations = payload.get("authorizations") or ()
    first = authorizations[0] if authorizations and isinstance(authorizations[0], Mapping) else {}
    return str(first.get("team_id") or payload.get("team_id") or me.team)


def message_key(question: Question) -> str:
    """The same for the app_mention and the message event of one message."""
    return f"message:{question.team}/{question.place.channel}/{question.ts}"


def stopped_conversation(payload: Mapping[str, Any], me: Me) -> str | None:
    """agent_session_stopped: whose run a person has stopped."""
    event = payload.get("event") or {}
    channel, thread = event.get("channel"), event.get("thread_ts")
    if not channel or not thread:
        return None
    return f"slack:{_installed_in(payload, me)}/{channel}/{thread}"


# --- text ------------------------------------------------------------------------------------------------------------


def text_of(raw: str, me: Me) -> str:
    """As people read it: the bot's own mention taken out by its id, Slack's escapes undone once."""
    own = re.compile(rf"<@{re.escape(me.user)}(?:\|[^<>]*)?>") if me.user else None
    text = own.sub(" ", raw) if own else raw
    lines = (" ".join(line.split()) for line in readable(text[:_LONGEST_TEXT]).splitlines())
    return "\n".join(lines).strip(" \n,:")


def _begins_with_somebody_else(raw: str, me: Me) -> bool:
    found = _MENTION.match(raw.lstrip())
    return found is not None and found.group(1) != me.user


# --- commands and clicks ---------------------------------------------------------------------------------------------


def command(body: Mapping[str, Any], me: Me) -> Command | Ignored:
    """`/frostline ...`: a form of strings; `user_name` is no identity."""
    user, channel = body.get("user_id"), body.get("channel_id")
    if not user or not channel or _other_app(body, me):
        return Ignored("not_ours")
    # A command's team is where it was typed; what users.info says of the person decides.
    return Command(
        team=str(body.get("team_id") or me.team),
        author=Author(str(user), _text_or_none(body.get("team_id")), _text_or_none(body.get("enterprise_id"))),
        channel=str(channel),
        text=text_of(str(body.get("text") or ""), me),
        trigger_id=str(body.get("trigger_id") or ""),
        response_url=str(body.get("response_url") or ""),
    )


def click(body: Mapping[str, Any], me: Me) -> Click | Ignored:
    """block_actions: the first action. Ephemeral messages come without `message`."""
    if body.get("type") != "block_actions" or _other_app(body, me):
        return Ignored("not_ours")
    actions = body.get("actions") or ()
    action = actions[0] if actions and isinstance(actions[0], Mapping) else None
    author = _presser(body)
    if action is None or author is None:
        return Ignored("not_ours")
    container = body.get("container") or {}
    channel = container.get("channel_id") or (body.get("channel") or {}).get("id")
    ts = container.get("message_ts") if container.get("type") != "view" else None
    thread = container.get("thread_ts") or (body.get("message") or {}).get("thread_ts")
    return Click(
        team=_text_or_none((body.get("team") or {}).get("id")),
        author=author,
        action=str(action.get("action_id") or ""),
        value=str(action.get("value") or ""),
        action_ts=str(action.get("action_ts") or ""),
        place=Place(str(channel), _text_or_none(thread)) if channel else None,
        message_ts=_text_or_none(ts),
        trigger_id=str(body.get("trigger_id") or ""),
        response_url=_text_or_none(body.get("response_url")),
        is_ephemeral=bool(container.get("is_ephemeral")),
        app=_text_or_none(body.get("api_app_id")),
    )


def submission(body: Mapping[str, Any], me: Me) -> Submission | Ignored:
    """view_submission: what people typed is free text."""
    view, author = body.get("view") or {}, _presser(body)
    if body.get("type") != "view_submission" or author is None or _other_app(body, me):
        return Ignored("not_ours")
    blocks = (view.get("state") or {}).get("values") or {}
    values = {
        str(block): str(state["value"])
        for block, inputs in blocks.items()
        for state in inputs.values()
        if isinstance(state, Mapping) and isinstance(state.get("value"), str)
    }
    return Submission(
        author=author,
        callback=str(view.get("callback_id") or ""),
        metadata=str(view.get("private_metadata") or ""),
        values=values,
    )


def _presser(body: Mapping[str, Any]) -> Author | None:
    """`team` at the top is the app's workspace: the person's own stands in `user` alone."""
    user = body.get("user") or {}
    if not user.get("id"):
        return None
    team = body.get("team") or {}
    return Author(str(user["id"]), _text_or_none(user.get("team_id")), _text_or_none(team.get("enterprise_id")))


def _other_app(body: Mapping[str, Any], me: Me) -> bool:
    return bool(me.app and body.get("api_app_id") and body["api_app_id"] != me.app)


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


# --- in the inbox ----------------------------------------------------------------------------------------------------


def question_body(question: Question) -> dict[str, Any]:
    """Plain JSON for the inbox."""
    return dataclasses.asdict(question)


_FIELDS = tuple(field.name for field in dataclasses.fields(Question))


def question_of(body: Mapping[str, Any], kind: str | None = None) -> Question:
    """Back from `question_body`, whatever else the item's body holds; `kind` where the item is asked again."""
    fields = {name: body[name] for name in _FIELDS if name in body}
    fields["author"] = Author(**body["author"])
    fields["place"] = Place(**body["place"])
    if kind is not None:
        fields["kind"] = kind
    return Question(**fields)
