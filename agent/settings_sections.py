"""The sections of a profile, as frozen models; agent.settings reads and merges them."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from agent.durations import duration_of
from agent.settings_llm import LlmModel, LlmSettings
from tools.errors import BadArgument
from tools.warehouse.config import OAuthConfig, ProxyConfig

__all__ = [
    "AccountSettings",
    "CacheSettings",
    "ConnectionSettings",
    "DemoSettings",
    "LlmModel",
    "LlmSettings",
    "PolicySettings",
    "ProxyConfig",
    "ScanSettings",
    "SlackSettings",
    "StoreSettings",
    "is_local_or_encrypted",
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AccountSettings(_Section):
    """Which account, and what Snowflake does not tell about it."""

    kind: Literal["embedded", "live"] = "live"
    """embedded: the demo or an imported account on this machine; live: a Snowflake account."""
    name: str = ""
    timezone: str | None = None
    """None: the account's own TIMEZONE parameter."""
    edition: str = "ENTERPRISE"
    credit_price: float = Field(default=3.0, gt=0, le=1000)
    """USD a credit, by your contract."""


class ConnectionSettings(_Section):
    """One identity. Name one way to log in: private_key_file, token, oauth, browser, connection_name or password.

    Files are read at each sign-in. docs/live-account.md explains each way.
    """

    account: str | None = None
    user: str | None = None
    role: str | None = None
    warehouse: str | None = None
    connection_name: str | None = None
    """An entry of Snowflake's own connections.toml."""
    password: SecretStr | None = None
    token: SecretStr | None = None
    """A programmatic access token (PAT)."""
    token_file: Path | None = None
    private_key_file: Path | None = None
    private_key_passphrase: SecretStr | None = None
    next_private_key_file: Path | None = None
    """While keys change: tried when the first is refused."""
    next_private_key_passphrase: SecretStr | None = None
    oauth: OAuthConfig | None = None
    browser: bool = False
    """Single sign-on with a browser, for a person at a terminal."""
    host: str | None = None
    login_timeout_s: int = Field(default=30, ge=1, le=600)
    network_timeout_s: int = Field(default=60, ge=1, le=3600)
    """How long a broken or silent line is tried again, and how long a change may take."""
    statement_timeout_s: int = Field(default=120, ge=1, le=3600)
    """How long a read may run."""


class CacheSettings(_Section):
    """Usage figures of hours that are complete, kept in a file of the profile's state folder."""

    enabled: bool = True
    megabytes: int = Field(default=64, ge=1, le=10_000)


class StoreSettings(_Section):
    url: SecretStr | None = None
    """SQLAlchemy URL; None: a SQLite file in the profile's state folder."""


class PolicySettings(_Section):
    file: Path | None = None
    """None: policy.toml in the profile's state folder if there is one, else the packaged policy."""


def _time(value: str, *, least: timedelta, most: timedelta) -> str:
    try:
        duration_of(value, least=least, most=most)
    except BadArgument as error:
        raise ValueError(f"{error.message} {error.hint or ''}".strip()) from None
    return value


class ScanSettings(_Section):
    """The proactive scan (docs/scan.md)."""

    every: str | None = None
    """How often `frostline slack` scans, e.g. 2m or 1h; None: not at all (cron or `frostline scan --every` may)."""
    history_days: int = Field(default=63, ge=14, le=365)
    """How far back hourly series are read, to know what is usual."""
    lookback: str = "3d"
    """How long something may be over and still be found by a scan that did not see it while it went on."""
    long_running_m: float = Field(default=60, ge=1, le=10_080)
    """Minutes after which a running statement is a finding."""
    runaway_m: float = Field(default=240, ge=1, le=10_080)
    """... and a critical one."""
    queued_m: float = Field(default=5, ge=0.5, le=1_440)
    """Minutes that a statement waits before its queue is a finding."""
    idle_m: float = Field(default=60, ge=5, le=10_080)
    """Minutes that a started warehouse is without statements before that is one."""
    lease_s: float = Field(default=120, ge=3, le=3_600)
    """How long a scan that has died keeps others out."""

    @field_validator("lookback")
    @classmethod
    def _a_time_back(cls, value: str) -> str:
        return _time(value, least=timedelta(hours=1), most=timedelta(days=365))

    @field_validator("every")
    @classmethod
    def _a_length_of_time(cls, value: str | None) -> str | None:
        if value is None:
            return None
        return _time(value, least=timedelta(seconds=10), most=timedelta(days=7))

    @property
    def pause(self) -> timedelta | None:
        return None if self.every is None else duration_of(self.every)


class SlackSettings(_Section):
    """The bot in Slack. docs/slack.md says how to get the tokens."""

    bot_token: SecretStr | None = None
    """xoxb-..."""
    app_token: SecretStr | None = None
    """xapp-..., for Socket Mode."""
    signing_secret: SecretStr | None = None
    """For HTTP mode."""
    mode: Literal["socket", "http"] = "socket"
    base_url: str = "https://slack.com/api/"
    """GovSlack: https://slack-gov.com/api/; or a proxy's."""
    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=0, le=65_535)
    """Where HTTP mode listens (/slack/events, /healthz); Socket Mode listens for /healthz only, if health is on."""
    health: bool = False
    """Serve /healthz in Socket Mode too."""
    channels: tuple[str, ...] = ()
    """Channel ids in which it answers; empty: wherever it was invited. Direct messages always."""
    teams: tuple[str, ...] = ()
    """Other workspaces (Slack Connect) whose people it answers."""
    guests: bool = False
    """Whether guests of the workspace get answers."""
    follow_ups: Literal["asker", "anyone", "mention"] = "asker"
    """Whose replies in a thread are answered without a mention."""
    approvals_channel: str | None = None
    """A channel id in which every card is posted too."""
    findings_channel: str | None = None
    """A channel id in which findings of the scan are posted."""
    findings_from: Literal["info", "warning", "critical"] = "warning"
    """The least severe findings that are posted."""
    findings_at_once: int = Field(default=5, ge=1, le=50)
    """New messages of one scan; of what is more, only the number is told."""
    workers: int = Field(default=4, ge=1, le=16)
    """Questions that are answered at the same time."""
    lease_s: float = Field(default=60, ge=1, le=600)
    """How long a question stays with a process that no longer answers."""
    stream_age_s: float = Field(default=240, ge=1, le=290)
    """A stream is ended and begun anew before Slack ends it (about 5 minutes)."""
    refresh_s: float = Field(default=5, ge=0.2, le=300)
    """How often cards are compared with their plans."""

    @field_validator("base_url")
    @classmethod
    def _encrypted(cls, value: str) -> str:
        """Tokens go there: TLS, or this machine."""
        parts = urlsplit(value)
        local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not (parts.hostname and (parts.scheme == "https" or local)):
            raise ValueError("base_url has to be an https URL, e.g. https://slack.com/api/")
        return value.rstrip("/") + "/"


class DemoSettings(_Section):
    seed: int = 7
    server_idle_s: int = Field(default=900, ge=5, le=86_400)
    person: str = "demo-proposer"
    """Who asks, in the demo profile, where --as does not say."""
    approver: str = "demo-approver"
    """Who approves at the demo profile's own prompt."""


def is_local_or_encrypted(url: str) -> bool:
    """As the driver will read the URL: `host` and `hostaddr` may also stand in its query, several in each."""
    from sqlalchemy.engine import make_url  # whoever sets store.url pays for it anyway
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return True  # no URL at all: the store refuses it, in its own words
    if parsed.get_backend_name() == "sqlite":
        return True
    query = parsed.normalized_query
    named = [parsed.host or "", *query.get("host", ()), *query.get("hostaddr", ())]
    hosts = [_PORT.sub("", host) for value in named for host in value.split(",")]
    if "service" not in query and all(h in _THIS_MACHINE or h.startswith("/") for h in hosts):
        return True
    modes = query.get("sslmode", ())
    return bool(modes) and all(mode in ("require", "verify-ca", "verify-full") for mode in modes)


_PORT = re.compile(r"(?<=[^:]):[0-9]+$")
_THIS_MACHINE = ("", "localhost", "127.0.0.1", "::1", "[::1]")
