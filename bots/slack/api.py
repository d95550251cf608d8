"""Everything that is sent to Slack: rate limits, lost answers, and Slack's errors in our tree.

A post whose answer was lost may have taken effect: it is looked for (by its key, in the metadata) before it is
sent again. The SDK's own repetition of broken connections is off for that reason; reads are repeated here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from bots.slack.calls import Caller, Lost
from bots.slack.types import Attachment, Author, Me, Message, Place, SlackUser
from tools.errors import BadSettings, ChannelRefused, FrostlineError

if TYPE_CHECKING:
    from agent.settings import SlackSettings

__all__ = ["SlackApi"]

_log = logging.getLogger("frostline.slack")
_METADATA = "frostline_message"
_PAGE, _PAGES = 200, 10
_TITLE = 200
_JUST_NOW_S = 300.0
_LOOK_BACK_S = 2 * 86_400.0
"""What is looked for was sent within the last day: an old thread is not read from its beginning."""
_POST_PATIENCE_S, _READ_PATIENCE_S, _CLICK_PATIENCE_S = 20.0, 30.0, 1.5
"""Short: who waits keeps a worker from everybody else, and a question that broke off is taken up again later."""
_POSTS = 3
"""How often a post is sent at most where its answer is lost and it is not found."""
_OTHER_VIEW = frozenset({"feature_disabled", "unknown_method", "not_authorized", "not_agent_app", "invalid_arguments"})


class SlackApi:
    """Implements `types.Outbound`. Thread-safe."""

    def __init__(
        self, token: str, base_url: str, *, timeout_s: int = 15, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        quiet = logging.getLogger("frostline.slack.sdk")
        quiet.setLevel(logging.CRITICAL)  # what goes wrong is raised; the SDK would log whole requests at DEBUG
        self._client = WebClient(token=token, base_url=base_url, timeout=timeout_s, logger=quiet, retry_handlers=[])
        self._base, self._timeout, self._quiet, self._sleep = base_url, timeout_s, quiet, sleep
        self._caller = Caller(sleep=sleep)
        self._me: Me | None = None
        self._lock = threading.Lock()
        self._view = "agent"
        """Which calls this app's kind of conversation takes: agent, assistant (older apps) or none."""

    @classmethod
    def of(cls, settings: SlackSettings) -> SlackApi:
        """
        Raises:
            BadSettings: there is no bot token.
        """
        if settings.bot_token is None or not settings.bot_token.get_secret_value():
            raise BadSettings(
                "Slack's bot token is missing.", hint="Set SLACK_BOT_TOKEN (xoxb-...); docs/slack.md says where it is."
            )
        return cls(settings.bot_token.get_secret_value(), settings.base_url)

    # --- who we are ----------------------------------------------------------------------------------------------

    def me(self) -> Me:
        with self._lock:
            if self._me is None:
                answer = self._read("auth.test", self._client.auth_test)
                scopes = {k.lower(): v for k, v in answer.headers.items()}.get("x-oauth-scopes", "")
                self._me = Me(
                    team=answer.get("team_id") or "",
                    team_name=answer.get("team") or "",
                    user=answer.get("user_id") or "",
                    bot=answer.get("bot_id") or "",
                    app=answer.get("app_id"),
                    enterprise=answer.get("enterprise_id"),
                    url=answer.get("url") or "",
                    scopes=frozenset(s.strip() for s in str(scopes).split(",") if s.strip()),
                )
            return self._me

    def user(self, user: str) -> SlackUser:
        found = self._read("users.info", lambda: self._client.users_info(user=user))["user"]
        grid = found.get("enterprise_user") or {}
        flags = ("is_bot", "is_app_user", "is_workflow_bot")
        profile = found.get("profile") or {}
        return SlackUser(
            id=found.get("id") or user,
            name=profile.get("display_name") or found.get("real_name") or found.get("name") or user,
            team=found.get("team_id"),
            is_guest=bool(found.get("is_restricted") or found.get("is_ultra_restricted")),
            is_bot=any(found.get(flag) for flag in flags),
            deleted=bool(found.get("deleted")),
            enterprise=grid.get("enterprise_id") or found.get("enterprise_id"),
            enterprise_user=grid.get("id"),
        )

    def group_members(self, group: str) -> frozenset[str]:
        try:
            answer = self._read("usergroups.users.list", lambda: self._client.usergroups_users_list(usergroup=group))
        except ChannelRefused as refused:
            if refused.reason == "no_such_subteam":  # also what a disabled group answers
                return frozenset()
            raise
        return frozenset(str(user) for user in answer.get("users") or ())

    def is_shared(self, channel: str) -> bool:
        info = self._client.conversations_info
        answer = self._read("conversations.info", lambda: info(channel=channel), Place(channel))
        shared = (answer.get("channel") or {}).get("is_ext_shared")
        if not isinstance(shared, bool):
            raise ChannelRefused("Slack does not say whether this channel is shared.", reason="missing_scope")
        return shared

    # --- messages ------------------------------------------------------------------------------------------------

    def post(self, place: Place, message: Message, *, key: str | None = None) -> str:
        ts = self._post(place, message, key)
        thread = place if place.thread_ts else Place(place.channel, ts)
        for file in message.files:
            self.upload(thread, file)
        return ts

    def _post(self, place: Place, message: Message, key: str | None) -> str:
        arguments = _content(message) | {
            "channel": place.channel,
            "thread_ts": place.thread_ts,
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": _metadata(key),
        }
        for attempt in range(1, _POSTS + 1):
            try:
                answer = self._call("chat.postMessage", lambda: self._client.chat_postMessage(**arguments), place)
            except Lost:
                if key is None or attempt == _POSTS:
                    raise
                self._sleep(0.5 * attempt)  # a message shows in its thread a moment after it was taken
                found = self.find(place, key)
                if found is not None:
                    return found
            else:
                return str(answer["ts"])
        raise AssertionError("the last attempt returns or raises")

    def find(self, place: Place, key: str) -> str | None:
        cursor: str | None = None
        found: str | None = None
        for _ in range(_PAGES):
            answer = self._page(place, cursor)
            for message in answer.get("messages") or ():
                if self._is_mine(message) and _key_of(message) == key:
                    found = str(message["ts"])
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
            if found or not cursor:
                return found
        return None

    def _page(self, place: Place, cursor: str | None, look_back_s: float | None = None) -> Any:
        arguments: dict[str, Any] = {"channel": place.channel, "limit": _PAGE, "include_all_metadata": True}
        arguments["oldest"] = f"{time.time() - (look_back_s or _LOOK_BACK_S):.6f}"
        if cursor:
            arguments["cursor"] = cursor
        if place.thread_ts:
            arguments["ts"] = place.thread_ts
            return self._read("conversations.replies", lambda: self._client.conversations_replies(**arguments))
        return self._read("conversations.history", lambda: self._client.conversations_history(**arguments))

    def _is_mine(self, message: Mapping[str, Any]) -> bool:
        """Anybody's app may write metadata that looks like ours."""
        me = self.me()
        return bool(message.get("user") == me.user or (me.bot and message.get("bot_id") == me.bot))

    def update(self, channel: str, ts: str, message: Message) -> None:
        arguments = _content(message) | {"channel": channel, "ts": ts}
        # The same content again does no harm: a lost answer is simply asked for once more.
        self._read("chat.update", lambda: self._client.chat_update(**arguments), Place(channel))

    def ephemeral(self, place: Place, user: str, message: Message) -> None:
        arguments = _content(message) | {"channel": place.channel, "user": user, "thread_ts": place.thread_ts}
        self._call("chat.postEphemeral", lambda: self._client.chat_postEphemeral(**arguments), place)

    def respond(self, response_url: str, message: Message, *, in_channel: bool = False) -> None:
        if not self._may_be_called(response_url):
            raise ChannelRefused("That is no address of Slack's to answer to.", reason="response_url")
        hook = WebhookClient(response_url, timeout=self._timeout, logger=self._quiet, retry_handlers=[])
        body = _content(message) | {
            "response_type": "in_channel" if in_channel else "ephemeral",
            "replace_original": False,
        }
        answer = self._caller.plain("response_url", lambda: hook.send_dict(body))
        if answer.status_code != 200:
            raise ChannelRefused(
                f"Slack no longer takes an answer to this ({answer.status_code}).", reason="response_url"
            )

    def _may_be_called(self, url: str) -> bool:
        """TLS, or this machine where the API itself is on it."""
        given, base = urlsplit(url), urlsplit(self._base)
        return bool(given.hostname) and (
            given.scheme == "https" or (given.scheme == base.scheme == "http" and given.hostname == base.hostname)
        )

    def upload(self, place: Place, file: Attachment) -> None:
        if not file.content:
            return  # Slack refuses an empty file
        arguments: dict[str, Any] = {"filename": file.filename, "title": file.title, "content": file.content}
        if file.alt:
            arguments["alt_txt"] = file.alt
        if place.thread_ts:
            arguments["thread_ts"] = place.thread_ts
        send = self._client.files_upload_v2
        self._call("files.completeUploadExternal", lambda: send(channel=place.channel, **arguments), place)

    # --- views ---------------------------------------------------------------------------------------------------

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        send = self._client.views_open
        self._caller.call(
            "views.open", lambda: send(trigger_id=trigger_id, view=dict(view)), patience_s=_CLICK_PATIENCE_S
        )

    def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        self._read("views.publish", lambda: self._client.views_publish(user_id=user, view=dict(view)))

    # --- streams -------------------------------------------------------------------------------------------------

    def start_stream(self, place: Place, recipient: Author) -> str:
        if place.thread_ts is None:
            raise ChannelRefused("A stream needs a thread.", reason="thread_ts_required")
        arguments: dict[str, Any] = {"channel": place.channel, "thread_ts": place.thread_ts}
        if not place.is_direct:
            arguments["recipient_user_id"] = recipient.user
            arguments["recipient_team_id"] = recipient.team or self.me().team
        send = self._client.chat_startStream
        try:
            return str(self._caller.call("chat.startStream", lambda: send(**arguments), patience_s=0.0)["ts"])
        except Lost:
            begun = self._begun_unheard(place)
            if begun is None:
                raise
            return begun

    def _begun_unheard(self, place: Place) -> str | None:
        """A stream whose beginning we were not told of would stand there, empty, beside the answer: it is the newest
        empty message of ours that has no key. (Of a conversation one question is worked on at a time.)
        """
        try:
            messages = self._page(place, None, look_back_s=_JUST_NOW_S).get("messages") or ()
        except FrostlineError:
            return None
        ours = (m for m in messages if self._is_mine(m) and m.get("ts") != place.thread_ts)
        empty = [m for m in ours if not (_key_of(m) or m.get("files") or m.get("blocks") or m.get("text", "").strip())]
        return str(empty[-1]["ts"]) if empty else None

    def append_stream(self, channel: str, ts: str, chunks: Sequence[Mapping[str, Any]]) -> None:
        send = self._client.chat_appendStream
        self._call("chat.appendStream", lambda: send(channel=channel, ts=ts, chunks=[dict(c) for c in chunks]))

    def stop_stream(
        self,
        channel: str,
        ts: str,
        *,
        chunks: Sequence[Mapping[str, Any]] = (),
        blocks: Sequence[Mapping[str, Any]] = (),
        key: str | None = None,
    ) -> None:
        arguments: dict[str, Any] = {
            "channel": channel,
            "ts": ts,
            "chunks": [dict(c) for c in chunks] or None,
            "blocks": [dict(b) for b in blocks] or None,
            "metadata": _metadata(key),
        }
        self._call("chat.stopStream", lambda: self._client.chat_stopStream(**arguments))

    # --- decoration: never raises --------------------------------------------------------------------------------

    def status(self, place: Place, text: str) -> None:
        if place.thread_ts is None:
            return
        where: dict[str, Any] = {"channel_id": place.channel, "thread_ts": place.thread_ts}
        state = "processing" if text else "active"
        self._decorate(
            lambda: self._client.agents_sessions_setStatus(**where, status=state),
            lambda: self._client.assistant_threads_setStatus(**where, status=text),
        )

    def title(self, place: Place, text: str) -> None:
        name = " ".join(text.split())[:_TITLE]
        if place.thread_ts is None or not name:
            return
        where = {"channel_id": place.channel, "thread_ts": place.thread_ts}
        self._decorate(
            lambda: self._client.agents_sessions_rename(**where, title=name),
            lambda: self._client.assistant_threads_setTitle(**where, title=name),
        )

    def prompts(self, channel: str, prompts: Sequence[tuple[str, str]], thread_ts: str | None = None) -> None:
        wanted = [{"title": title, "message": message} for title, message in prompts]
        send = self._client.assistant_threads_setSuggestedPrompts
        self._quietly("setSuggestedPrompts", lambda: send(channel_id=channel, prompts=wanted, thread_ts=thread_ts))

    def _decorate(self, agent: Callable[[], Any], assistant: Callable[[], Any]) -> None:
        if self._view == "agent":
            refusal = self._quietly("agents.sessions", agent)
            if refusal not in _OTHER_VIEW:
                return
            self._view = "assistant"
        if self._view == "assistant" and self._quietly("assistant.threads", assistant) in _OTHER_VIEW:
            self._view = "none"

    def _quietly(self, name: str, send: Callable[[], Any]) -> str | None:
        """The reason where Slack refused; None where it took it or did not answer."""
        try:
            self._caller.call(name, send, patience_s=0.0)
        except ChannelRefused as refused:
            _log.debug("%s: %s", name, refused.reason)
            return refused.reason
        except FrostlineError as error:
            _log.debug("%s: %s", name, error.code)
        return None

    # --- inside --------------------------------------------------------------------------------------------------

    def _read(self, method: str, send: Callable[[], Any], place: Place | None = None) -> Any:
        lane = place.channel if place else None
        return self._caller.call(method, send, lane=lane, patience_s=_READ_PATIENCE_S, repeat=True)

    def _call(self, method: str, send: Callable[[], Any], place: Place | None = None) -> Any:
        lane = place.channel if place else None
        return self._caller.call(method, send, lane=lane, patience_s=_POST_PATIENCE_S)


def _content(message: Message) -> dict[str, Any]:
    """`parse` because chat.update's own default would make links and mentions of account text."""
    blocks = [dict(block) for block in message.blocks]
    return {"text": message.text or " ", "parse": "none"} | ({"blocks": blocks} if blocks else {})


def _metadata(key: str | None) -> dict[str, Any] | None:
    return {"event_type": _METADATA, "event_payload": {"key": key}} if key else None


def _key_of(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != _METADATA:
        return None
    key = (metadata.get("event_payload") or {}).get("key")
    return key if isinstance(key, str) else None
