"""One call to Slack: waits for rate limits within bounds, tells what was refused from what may have happened."""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError

from tools.errors import ChannelRefused, Unreachable

__all__ = ["Caller", "Lost", "refused"]

T = TypeVar("T")

_TRIES = 3
_LIMITED = frozenset({"ratelimited", "rate_limited"})
_UNSURE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
"""Slack's own failures: the call may have taken effect."""
_LONGEST_WAIT_S = 60.0
_HINTS = {
    "not_in_channel": "Invite the bot to the channel: /invite @frostline",
    "channel_not_found": "The bot does not see this channel: invite it (/invite @frostline), or check its id.",
    "user_not_in_channel": "The person is not in that channel.",
    "is_archived": "The channel is archived.",
    "invalid_auth": "The token is not valid here: install the app again and set SLACK_BOT_TOKEN.",
    "not_authed": "Set SLACK_BOT_TOKEN.",
    "token_revoked": "The token was revoked: install the app again and set SLACK_BOT_TOKEN.",
    "token_expired": "The token has expired: install the app again and set SLACK_BOT_TOKEN.",
    "account_inactive": "The app was removed from the workspace: install it again.",
    "not_allowed_token_type": "This needs another kind of token: bot_token is xoxb-..., app_token is xapp-....",
    "messages_tab_disabled": "Switch the app's Messages tab on (slack-manifest.json has it).",
    "not_enabled": "Switch the app's Home tab on (slack-manifest.json has it).",
    "ratelimited": "Slack takes no more calls of this kind for a while.",
    "team_access_not_granted": "The app is not installed in this workspace.",
}


class Lost(Unreachable):
    """No answer came: the call may or may not have taken effect."""


class Caller:
    """Sends with bounded patience. What one thread learns of a rate limit, the others keep to."""

    def __init__(
        self, *, sleep: Callable[[float], None] = time.sleep, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._sleep, self._now = sleep, now
        self._held: dict[tuple[str, str | None], float] = {}
        self._lock = threading.Lock()

    def call(
        self,
        method: str,
        send: Callable[[], T],
        *,
        lane: str | None = None,
        patience_s: float,
        repeat: bool = False,
    ) -> T:
        """`send()`, again after a rate limit, and (repeat) after a lost answer.

        lane: what Slack counts apart (a channel); patience_s: how long rate limits are waited for in all.

        Raises:
            ChannelRefused: Slack said no, or the limit lasts longer than patience (`ratelimited`).
            Lost: no answer, so it is not known whether it took effect.
        """
        deadline, tries = self._now() + patience_s, 0
        while True:
            self._wait(method, lane, deadline)
            tries += 1
            try:
                return self.plain(method, send)
            except _Limited as limited:
                with self._lock:
                    self._held[method, lane] = self._now() + limited.seconds
            except Lost:
                if not repeat or tries >= _TRIES:
                    raise
                self._sleep(0.3 * tries)

    def plain(self, method: str, send: Callable[[], T]) -> T:
        """Once, with errors in our tree."""
        try:
            return send()
        except SlackApiError as error:
            raise _translated(method, error) from None
        except SlackClientError as error:
            raise ChannelRefused(f"Slack refused {method} ({type(error).__name__}).", reason="request") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _unanswered(method, error) from None

    def _wait(self, method: str, lane: str | None, deadline: float) -> None:
        with self._lock:
            until = self._held.get((method, lane), 0.0)
            if until <= self._now():
                self._held.pop((method, lane), None)
                return
        if until > deadline:
            raise refused(method, "ratelimited")
        self._sleep(until - self._now())


class _Limited(Exception):
    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def refused(method: str, reason: str, needed: str | None = None) -> ChannelRefused:
    """Slack's no, with what to do about it."""
    hint = _HINTS.get(reason)
    if reason == "missing_scope":
        hint = f"Add the scope {needed or 'it asks for'} to the app (slack-manifest.json has all) and install it again."
    elif reason.startswith("restricted_action"):
        hint = "The channel does not let the bot post: ask whoever runs the workspace."
    return ChannelRefused(f"Slack refused {method}: {reason}.", reason=reason, hint=hint)


def _translated(method: str, error: SlackApiError) -> Exception:
    response: Any = error.response
    status = getattr(response, "status_code", 200)
    body = getattr(response, "data", response)
    found = body.get("error") if isinstance(body, dict) else None
    code = found if isinstance(found, str) and re.fullmatch(r"[a-z0-9_]{1,80}", found) else None
    if status == 429 or code in _LIMITED:
        return _Limited(_seconds(getattr(response, "headers", {}) or {}))
    if status >= 500 or code is None or code in _UNSURE:
        return Lost(f"Slack did not answer {method} ({code or status}).", hint="It may have taken effect all the same.")
    needed = body.get("needed") if isinstance(body, dict) else None
    return refused(method, code, str(needed) if needed else None)


def _seconds(headers: Any) -> float:
    """Retry-After; one second where it is missing or no number."""
    value = {str(k).lower(): v for k, v in dict(headers).items()}.get("retry-after", 1)
    if isinstance(value, (list, tuple)):
        value = value[0] if value else 1
    try:
        return min(max(float(value), 0.1), _LONGEST_WAIT_S)
    except (TypeError, ValueError):
        return 1.0


def _unanswered(method: str, error: Exception) -> Unreachable:
    """Never sent (no address, nobody listens), or lost on the way. Addresses stay out of the message."""
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, (ConnectionRefusedError, socket.gaierror)):
        return Lost(f"Slack cannot be reached for {method} ({type(reason).__name__}).", hint="Check the network.")
    return Lost(f"Slack did not answer {method} ({type(reason).__name__}).", hint="It may have taken effect.")
