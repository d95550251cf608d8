"""`frostline slack --check`: whether Slack, the tokens, the channels and the people of the policy fit together.

Looks only: nothing is posted. Opening a Socket Mode URL connects nobody.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from slack_sdk import WebClient

from agent.policy import Policy
from agent.settings import SlackSettings
from bots.slack.calls import Caller
from bots.slack.manifest import BOT_SCOPES
from tools.errors import ChannelRefused, Unreachable
from tools.warehouse.checks import Check

__all__ = ["HOW_TO_BEGIN", "SlackReport", "run_checks"]

HOW_TO_BEGIN = (
    "Create the app from slack-manifest.json, install it, and set SLACK_BOT_TOKEN (OAuth & Permissions, xoxb-...) "
    "and SLACK_APP_TOKEN (Basic Information, App-Level Tokens with connections:write, xapp-...). "
    "docs/slack.md shows each step."
)
_QUIET = logging.getLogger("frostline.slack.sdk")
_QUIET.setLevel(logging.CRITICAL)  # what goes wrong is a line of the report
_PATIENCE_S = 60.0
_APPROVES = ("approver", "admin")
_ID = re.compile(r"[A-Z0-9]{3,40}")
_SECRET = re.compile(r"[0-9a-f]{32}")
_FIXES = {
    "user_not_found": "Nobody here has this id: take it from the profile, Copy member ID.",
    "user_not_visible": "Nobody this app can see: take the id from the profile, Copy member ID.",
    "no_such_subteam": "No user group has this id, or it is disabled.",
}


@dataclass
class SlackReport:
    checks: list[Check] = field(default_factory=list)
    unreachable: bool = False
    """Slack did not answer: trying again may help, other settings will not."""

    @property
    def exit_code(self) -> int:
        if self.unreachable:
            return 4
        return 2 if any(c.ok is False for c in self.checks) else 0


def run_checks(settings: SlackSettings, policy: Policy) -> SlackReport:
    """Tokens, scopes, channels, people and groups; stops early where nothing further can be asked."""
    report = SlackReport()
    if settings.bot_token is None:
        report.checks.append(Check("bot token", False, "not set", HOW_TO_BEGIN))
        return report
    token = settings.bot_token.get_secret_value()
    asked = _Asked(WebClient(token, base_url=settings.base_url, timeout=15, retry_handlers=[], logger=_QUIET), report)
    me = asked.ask("bot token", "auth.test", asked.client.auth_test)
    if me is None:
        return report
    where = f"{me.get('user', '?')} in {me.get('team', '?')} ({me.get('team_id', '?')}), {me.get('url', '')}"
    report.checks.append(Check("bot token", True, where))
    report.checks += _scopes(me.headers)
    report.checks += _transport(asked, settings)
    _channels(asked, settings)
    _People(asked, policy, _homes(me.data if isinstance(me.data, dict) else {})).look()
    return report


def _homes(me: Mapping[str, Any]) -> frozenset[str]:
    """Ids that a person of this workspace may stand under in the policy: the workspace's, the organisation's."""
    return frozenset(str(me[k]) for k in ("team_id", "enterprise_id") if me.get(k))


@dataclass
class _Asked:
    """Calls that answer or leave a line in the report."""

    client: WebClient
    report: SlackReport
    caller: Caller = field(default_factory=Caller)

    def ask(self, name: str, method: str, send: Callable[[], Any]) -> Any:
        """Slack's answer; None where it says no (the report then has a line for it)."""
        try:
            return self.caller.call(method, send, patience_s=_PATIENCE_S, repeat=True)
        except ChannelRefused as refused:
            fix = refused.hint or _FIXES.get(refused.reason)
            self.add(name, False, f"Slack says: {refused.reason}", fix or f"docs.slack.dev/reference/methods/{method}")
        except Unreachable as error:
            self.report.unreachable = True
            self.add(name, False, error.message, f"Check the network; slack.base_url is {self.client.base_url}")
        return None

    def add(self, name: str, ok: bool | None, detail: str, fix: str | None = None) -> None:
        self.report.checks.append(Check(name, ok, detail, fix))


def _scopes(headers: Mapping[str, Any]) -> Iterator[Check]:
    """What the token may do, against what the manifest asks for; Slack names it in each answer's header."""
    said = next((str(v) for k, v in headers.items() if k.lower() == "x-oauth-scopes"), None)
    if said is None:
        yield Check("scopes", None, "Slack does not say which scopes the token has")
        return
    granted = {scope.strip() for scope in said.split(",") if scope.strip()}
    missing = sorted(set(BOT_SCOPES) - granted)
    for scope in missing:
        yield Check(f"scope {scope}", False, f"missing: {BOT_SCOPES[scope]}", "Add it to the app and install it again.")
    if not missing:
        yield Check("scopes", True, f"all {len(BOT_SCOPES)} are granted")
    extra = sorted(granted - set(BOT_SCOPES))
    if extra:
        yield Check("more scopes than needed", None, ", ".join(extra), "Take them out of the app; the bot needs none.")
    if "assistant:write" in granted:
        yield Check("agent view", True, "the app may be an agent (assistant:write)")
    else:
        fix = "Declare agent_view in the app's manifest and install it again; questions are answered without it too."
        yield Check("agent view", False, "the app is no agent: no suggested prompts in its direct messages", fix)


def _transport(asked: _Asked, settings: SlackSettings) -> Iterator[Check]:
    """Socket Mode: a URL can be opened with the app token. HTTP: the signing secret looks like one."""
    if settings.mode == "http":
        yield _signing_secret(settings)
        return
    if settings.app_token is None:
        fix = "Basic Information, App-Level Tokens, scope connections:write; set SLACK_APP_TOKEN."
        yield Check("app token", False, "not set; Socket Mode needs it", fix)
        return
    token = settings.app_token.get_secret_value()
    open_ = asked.client.apps_connections_open
    if asked.ask("app token", "apps.connections.open", lambda: open_(app_token=token)) is not None:
        yield Check("app token", True, "Socket Mode connections can be opened")


def _signing_secret(settings: SlackSettings) -> Check:
    fix = "Basic Information, Signing Secret; set SLACK_SIGNING_SECRET."
    if settings.signing_secret is None:
        return Check("signing secret", False, "not set; HTTP mode needs it", fix)
    if not _SECRET.fullmatch(settings.signing_secret.get_secret_value()):
        return Check("signing secret", False, "set, but it is not 32 hexadecimal digits", fix)
    return Check("signing secret", True, "set; the first request shows whether it is the app's")


def _channels(asked: _Asked, settings: SlackSettings) -> None:
    wanted = [(c, "channel") for c in settings.channels]
    if settings.approvals_channel:
        wanted.append((settings.approvals_channel, "approvals channel"))
    if settings.findings_channel:
        wanted.append((settings.findings_channel, "findings channel"))
    if not settings.channels:
        asked.add("channels", True, "it answers wherever it was invited")
    for channel, kind in wanted:
        name = f"{kind} {channel}"
        if not _ID.fullmatch(channel):
            fix = "Use its id (C...): channel details, at the bottom."
            asked.add(name, False, "that is no channel id", fix)
            continue
        look = partial(asked.client.conversations_history, channel=channel, limit=1)
        if asked.ask(name, "conversations.history", look) is not None:
            asked.add(name, True, "the bot is in it")
            if kind != "channel":
                _overheard(asked, settings, channel, name)


def _overheard(asked: _Asked, settings: SlackSettings, channel: str, name: str) -> None:
    """A channel that is posted to unasked: whether another organisation reads it, and whether settings say it may."""
    line = f"{name} is ours alone"
    answer = asked.ask(line, "conversations.info", partial(asked.client.conversations_info, channel=channel))
    if answer is None:
        return
    shared = (answer.get("channel") or {}).get("is_ext_shared")
    allowed = bool(settings.teams) or channel in settings.channels
    if shared is False:
        asked.add(line, True, "no other organisation reads it")
    elif shared is None:
        asked.add(line, None, "Slack does not say whether another organisation reads it", "See the channel's details.")
    elif allowed:
        asked.add(line, None, "another organisation reads it; the settings name it, or that organisation")
    else:
        fix = "Take a channel of your own, or list it in slack.channels if the other side may read what is posted."
        asked.add(line, False, "another organisation reads it", fix)


@dataclass
class _People:
    """The policy's people and groups, as Slack knows them now."""

    asked: _Asked
    policy: Policy
    homes: frozenset[str]
    may_approve: set[str] = field(default_factory=set)

    def look(self) -> None:
        found = 0
        for entry in self.policy.file.people:
            for person_id in (i for i in entry.ids if i.startswith("slack:")):
                found += 1
                if self._person(f"person {entry.name} ({person_id})", person_id) and entry.role in _APPROVES:
                    self.may_approve.add(person_id)
        for group in self.policy.file.groups:
            if group.id.startswith("slack:"):
                found += 1
                members = self._group(f"group {group.name} ({group.id})", group.id)
                self.may_approve |= members if group.role in _APPROVES else set()
        self._somebody(found)

    def _somebody(self, found: int) -> None:
        if self.may_approve:
            self.asked.add("approvers", True, f"{len(self.may_approve)} may approve in Slack")
            return
        team = next(iter(sorted(self.homes, reverse=True)), "T...")
        fix = f'Add to policy.toml: ids = ["slack:{team}/U..."], role = "approver" (docs/slack.md).'
        what = "none of them" if found else "the policy lists nobody by a slack: id: nobody"
        self.asked.add("approvers", False, f"{what} may approve in Slack", fix)

    def _person(self, name: str, person_id: str) -> bool:
        user = self._ours(name, person_id)
        look = partial(self.asked.client.users_info, user=user or "")
        answer = self.asked.ask(name, "users.info", look) if user else None
        if answer is None:
            return False
        info = answer.get("user") or {}
        wrong = _unfit(info)
        if wrong is None and not self.homes & _homes(info | (info.get("enterprise_user") or {})):
            wrong = "of another workspace"
        if wrong:
            self.asked.add(name, False, f"{wrong}: never decides", "Take the id out of policy.toml.")
            return False
        self.asked.add(name, True, f"is {info.get('name', user)}")
        return True

    def _group(self, name: str, group_id: str) -> set[str]:
        group = self._ours(name, group_id)
        look = partial(self.asked.client.usergroups_users_list, usergroup=group or "")
        answer = self.asked.ask(name, "usergroups.users.list", look) if group else None
        if answer is None:
            return set()
        home = group_id.removeprefix("slack:").partition("/")[0]
        users = {f"slack:{home}/{user}" for user in answer.get("users") or ()}
        self.asked.add(name, bool(users), f"{len(users)} members", None if users else "It is empty or disabled.")
        return users

    def _ours(self, name: str, policy_id: str) -> str | None:
        """The part that Slack knows; None (with a line) where it is malformed or of another workspace."""
        team, found, rest = policy_id.removeprefix("slack:").partition("/")
        if not found or not _ID.fullmatch(team) or not _ID.fullmatch(rest):
            self.asked.add(name, False, "is not slack:TEAM/ID", "E.g. slack:T0123456789/U0123456789.")
        elif team not in self.homes:
            here = " or ".join(sorted(self.homes))
            self.asked.add(name, False, f"{team} is not this workspace ({here})", "Nobody decides here by this id.")
        else:
            return rest
        return None


def _unfit(info: Mapping[str, Any]) -> str | None:
    """Why users.info says that this one may not decide."""
    if info.get("deleted"):
        return "deactivated"
    if info.get("is_restricted") or info.get("is_ultra_restricted"):
        return "a guest"
    if info.get("is_bot") or info.get("is_workflow_bot") or info.get("id") == "USLACKBOT":
        return "a bot"
    return "an outsider" if info.get("is_stranger") else None
