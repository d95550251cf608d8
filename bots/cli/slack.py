"""`frostline slack`: the bot, its check, and the manifest of its app."""

from __future__ import annotations

import logging
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from bots.cli.opening import opened, settings_for
from bots.cli.output import Output, visible
from tools.errors import BadArgument, BadSettings

if TYPE_CHECKING:
    from agent.settings import Settings, SlackSettings
    from bots.slack.types import Me

__all__ = ["SlackOptions", "run_slack"]


@dataclass(frozen=True)
class SlackOptions:
    check: bool = False
    manifest: bool = False
    http: bool = False
    """By HTTP, whatever the profile says."""
    url: str | None = None
    """The bot's public URL, for the manifest."""


def run_slack(out: Output, profile: str | None, options: SlackOptions) -> None:
    with out.edge():
        if options.url and not (options.manifest and options.http):
            raise BadArgument("A URL belongs to a manifest.", hint="frostline slack --manifest --http https://...")
        if options.manifest:
            _print_manifest(options)
            return
        settings = settings_for(out, profile)
        if options.http:
            slack = settings.slack.model_copy(update={"mode": "http"})
            settings = settings.model_copy(update={"slack": slack})
        if options.check:
            _check(out, settings)
        else:
            _serve(out, profile, settings.slack)


def _print_manifest(options: SlackOptions) -> None:
    from bots.slack.manifest import manifest_text

    if options.http and not options.url:
        raise BadArgument(
            "Slack has to be told where the bot is.", hint="frostline slack --manifest --http https://frostline.example"
        )
    typer.echo(manifest_text(options.url), nl=False)


# --- check -----------------------------------------------------------------------------------------------------------


def _check(out: Output, settings: Settings) -> None:
    from agent.runtime import Runtime, SystemClock
    from bots.slack.check import run_checks

    # Not opened: neither the account nor the store is needed for this.
    policy = Runtime(settings, SystemClock(), lambda: "").policy
    with out.working("Asking Slack"):
        report = run_checks(settings.slack, policy)
    if out.as_json:
        out.json({"ok": report.exit_code == 0, "checks": [asdict(c) for c in report.checks]})
    else:
        mark = {True: "ok", False: "FAIL", None: "?"}
        out.table(("", "check", "found"), [(mark[c.ok], c.name, c.detail) for c in report.checks])
        for check in report.checks:
            if check.ok is not True and check.fix:
                out.say(f"{check.name}: {check.fix}")
    if report.exit_code:
        raise typer.Exit(report.exit_code)


# --- run -------------------------------------------------------------------------------------------------------------


def _serve(out: Output, profile: str | None, settings: SlackSettings) -> None:
    _require_tokens(settings)
    _log_to_stderr()
    from bots.slack import serve
    from bots.slack.api import SlackApi
    from bots.slack.people import GroupDirectory
    from bots.slack.service import SlackBot

    api = SlackApi.of(settings)
    me = api.me()  # a token that Slack refuses is told before anything is built
    _warn_of_missing_scopes(me)
    groups = GroupDirectory(api)
    with opened(out, profile, groups, attended=False) as runtime:
        every = runtime.settings.scan.pause
        bot = SlackBot(runtime.warm(), settings, api=api, groups=groups, scan_every=every)
        where = "Socket Mode" if settings.mode == "socket" else f"HTTP on {settings.host}:{settings.port}"
        if out.as_json:
            out.json({"team": me.team, "team_name": me.team_name, "user": me.user, "mode": settings.mode})
        out.note(
            f"Frostline is {me.user} in {me.team_name} ({me.team}) by {where}, for the account "
            f"{runtime.account.name}. Stop it with Ctrl-C."
        )
        serve.run(bot)


def _warn_of_missing_scopes(me: Me) -> None:
    from bots.slack.manifest import BOT_SCOPES

    missing = sorted(set(BOT_SCOPES) - me.scopes) if me.scopes else []
    if missing:
        logging.getLogger("frostline.slack").warning("scopes are missing (frostline slack --check): %s", missing)


def _require_tokens(settings: SlackSettings) -> None:
    """
    Raises:
        BadSettings: one is missing; the message names the variable.
    """
    needed = {"SLACK_BOT_TOKEN": (settings.bot_token, "xoxb-..., OAuth & Permissions")}
    if settings.mode == "socket":
        needed["SLACK_APP_TOKEN"] = (settings.app_token, "xapp-..., Basic Information, App-Level Tokens")
    else:
        needed["SLACK_SIGNING_SECRET"] = (settings.signing_secret, "Basic Information, Signing Secret")
    for name, (value, where) in needed.items():
        if value is None or not value.get_secret_value():
            raise BadSettings(
                f"{name} is not set ({where}).",
                hint="docs/slack.md shows each step, and `frostline slack --check` looks whether all fits together.",
            )


class _Line(logging.Formatter):
    """Time (UTC), level, text; what came from outside cannot steer the terminal."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record), "\n")


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("frostline")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
