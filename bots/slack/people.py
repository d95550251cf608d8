"""Who somebody is: Slack ids -> a person of policy.toml. Names decide nothing; what cannot be known fails closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from bots.slack.render.text import slack_id
from bots.slack.types import Author, Ignored, Me, Outbound, SlackUser
from tools.domain import Person
from tools.errors import BadArgument, FrostlineError, Unreachable

if TYPE_CHECKING:
    from agent.policy import Policy
    from agent.policy_model import GroupEntry, PersonEntry
    from agent.settings import SlackSettings

__all__ = ["GroupDirectory", "People", "group_directory"]

_KEPT_S, _ERROR_KEPT_S = 60.0, 10.0
_MOST_KEPT = 2000
_SLACKBOT = "USLACKBOT"


class People:
    """Eligibility and identity. Thread-safe; what users.info said is kept for a minute, but never for decisions."""

    def __init__(
        self,
        api: Outbound,
        settings: SlackSettings,
        policy: Callable[[], Policy],
        me: Me,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api, self._settings, self._policy, self._me, self._now = api, settings, policy, me, now
        self._known: dict[str, tuple[float, SlackUser]] = {}
        self._lock = threading.Lock()

    def person(self, author: Author) -> Person | Ignored:
        """Who asks. Guests, people of other workspaces, bots and the deleted get no answer unless settings say so."""
        try:
            user = self._user(author.user)
        except FrostlineError as error:
            return _unknown(error)
        refusal = self._never(user)
        if refusal is None and user.is_guest and not self._settings.guests:
            refusal = "guest"
        if refusal is None and not self._is_ours(author, user) and not self._is_welcome(author, user):
            refusal = "outsider"
        return Ignored(refusal) if refusal else self._identify(user)

    def person_for_decision(self, author: Author) -> Person | Ignored:
        """Who presses a button that changes something: asked anew, our own people only, never a guest."""
        try:
            user = self._api.user(author.user)
        except FrostlineError as error:
            return _unknown(error)
        self._keep(user)
        refusal = self._never(user)
        if refusal is None and user.is_guest:
            refusal = "guest"
        if refusal is None and not self._is_ours(author, user, deciding=True):
            refusal = "outsider"
        return Ignored(refusal) if refusal else self._identify(user)

    def forget(self, user: str) -> None:
        """Slack says that this person has changed."""
        with self._lock:
            self._known.pop(user, None)

    def mention_ids(self, entries: Iterable[PersonEntry | GroupEntry]) -> tuple[str, ...]:
        """Ids of people and groups of this workspace (or its organisation), to mention on cards."""
        homes = {home for home in (self._me.team, self._me.enterprise) if home}
        found: dict[str, None] = {}
        for entry in entries:
            for whole in entry.ids:
                name = slack_id(whole, homes)
                if name is not None:
                    found[name] = None
        return tuple(found)

    # --- inside --------------------------------------------------------------------------------------------------

    def _user(self, user_id: str) -> SlackUser:
        with self._lock:
            kept = self._known.get(user_id)
        if kept and self._now() - kept[0] < _KEPT_S:
            return kept[1]
        user = self._api.user(user_id)
        self._keep(user)
        return user

    def _keep(self, user: SlackUser) -> None:
        with self._lock:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[user.id] = (self._now(), user)

    def _never(self, user: SlackUser) -> str | None:
        """What no setting lets in. Slackbot says of itself that it is no bot."""
        if user.deleted:
            return "unknown_user"
        return "bot" if user.is_bot or user.id == _SLACKBOT else None

    def _is_ours(self, author: Author, user: SlackUser, *, deciding: bool = False) -> bool:
        """Of our workspace or our organisation, by what Slack says of the person; the payload may only narrow it."""
        me = self._me
        if me.enterprise:
            return user.enterprise == me.enterprise
        payload_agrees = author.team == me.team or (author.team is None and not deciding)
        return user.team == me.team and payload_agrees

    def _is_welcome(self, author: Author, user: SlackUser) -> bool:
        homes = {user.team, user.enterprise} - {None}
        return bool(homes) and author.team is not None and bool(homes & set(self._settings.teams))

    def _identify(self, user: SlackUser) -> Person:
        """On Grid one human being has an organisation-wide id and may have an older one of a workspace."""
        ids: list[str] = []
        if user.enterprise:
            ids += [f"slack:{user.enterprise}/{user.enterprise_user or user.id}"]
            ids += [f"slack:{user.enterprise}/{user.id}"]
            if user.enterprise == self._me.enterprise:
                ids += [f"slack:{self._me.team}/{user.id}"]
        ids += [f"slack:{user.team or self._me.team}/{user.id}"]
        return self._policy().person_of(tuple(dict.fromkeys(ids)), user.name)


def _unknown(error: FrostlineError) -> Ignored:
    """`why` is `unreachable` where asking again later may help."""
    later = isinstance(error, Unreachable) or getattr(error, "reason", "") == "ratelimited"
    return Ignored("unknown_user", {"why": "unreachable" if later else getattr(error, "reason", error.code)})


class GroupDirectory:
    """Members of Slack's user groups as person ids, for policy.toml's groups; kept for a minute, errors for less.

    Whoever may edit the group in Slack decides who is in it.
    """

    def __init__(self, api: Outbound, *, now: Callable[[], float] = time.monotonic) -> None:
        self._api, self._now = api, now
        self._kept: dict[str, tuple[float, frozenset[str] | FrostlineError]] = {}
        self._lock = threading.Lock()

    def __call__(self, group_id: str) -> frozenset[str]:
        """`slack:T/S` -> ids `slack:T/U`.

        Raises:
            FrostlineError: it cannot be known now.
        """
        home, _, group = group_id.removeprefix("slack:").partition("/")
        if not group_id.startswith("slack:") or not home or not group:
            raise BadArgument(f"{group_id[:80]!r} is not a group in Slack.", hint="slack:TEAM/SUBTEAM")
        members = self._members(group)
        if isinstance(members, FrostlineError):
            raise Unreachable(members.message, hint=members.hint)
        return frozenset(f"slack:{home}/{user}" for user in members)

    def _members(self, group: str) -> frozenset[str] | FrostlineError:
        with self._lock:
            until, members = self._kept.get(group, (0.0, None))
        if members is not None and self._now() < until:
            return members
        try:
            members, seconds = self._api.group_members(group), _KEPT_S
        except FrostlineError as error:
            members, seconds = error, _ERROR_KEPT_S
        with self._lock:
            self._kept[group] = (self._now() + seconds, members)
        return members

    def forget(self, group: str) -> None:
        """Slack says that this group has changed."""
        with self._lock:
            self._kept.pop(group, None)


def group_directory(settings: SlackSettings) -> GroupDirectory:
    """For `Runtime.open(groups=...)`, and then `SlackBot(groups=...)`, which tells it what has changed."""
    from bots.slack.api import SlackApi

    return GroupDirectory(SlackApi.of(settings))
