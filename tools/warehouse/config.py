"""How to connect: one typed, checked description of an identity; nothing here reads the environment or a file.

Outside loopback the connection is TLS. Plain http exists for the demo account's own server only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from tools.errors import BadSettings
from tools.warehouse.sign_in_config import OAuthConfig, Port, ProxyConfig, is_loopback

__all__ = ["ConnectionConfig", "OAuthConfig", "ProxyConfig", "is_loopback"]

Seconds = Annotated[int, Field(ge=1, le=86_400)]

_WAYS = {
    "password": ("password",),
    "token": ("token", "token_file"),
    "private_key_file": ("private_key_file",),
    "oauth": ("oauth",),
    "browser": ("browser",),
    "connection_name": ("connection_name",),
}
"""The ways to sign in, and the values that choose each."""
_IN_WORDS = {
    "password": "password",
    "token": "programmatic access token",
    "private_key_file": "key pair",
    "browser": "browser (single sign-on)",
    "connection_name": "connections.toml",
}


class ConnectionConfig(BaseModel):
    """One Snowflake identity. Exactly one way to sign in:

    password | token or token_file (programmatic access token) | private_key_file (+ passphrase, + the next key) |
    oauth | browser (single sign-on) | connection_name (an entry of the connector's own connections.toml).

    Files are read at each sign-in, so what is put in their place counts without a restart.

    Raises:
        BadSettings: two ways to sign in or none, no account or user, http beyond loopback.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    account: str | None = None
    user: str | None = None
    role: str | None = None
    warehouse: str | None = None
    """Compute for ACCOUNT_USAGE queries; SHOW, ALTER and INFORMATION_SCHEMA need none."""

    password: SecretStr | None = None
    token: SecretStr | None = None
    token_file: Path | None = None
    private_key_file: Path | None = None
    private_key_passphrase: SecretStr | None = None
    next_private_key_file: Path | None = None
    """For a change of keys: tried when Snowflake refuses the first, or when that cannot be read."""
    next_private_key_passphrase: SecretStr | None = None
    """None: the first key's."""
    oauth: OAuthConfig | None = None
    browser: bool = False
    """Single sign-on by a browser; the connector keeps the id token in its own cache of this user."""
    connection_name: str | None = None

    attended: bool = True
    """False: nobody sits in front of this process, so no browser is opened and nothing is asked."""

    host: str | None = None
    port: Port | None = None
    protocol: Literal["https", "http"] = "https"
    proxy: ProxyConfig = ProxyConfig()

    login_timeout: Seconds = 30
    network_timeout: Seconds = 60
    """How long a line that is broken or silent is tried again, and how long a change may take. A read that runs longer
    hears "still running" from Snowflake from time to time, so only a value well below a minute could cut one off."""
    statement_timeout: Seconds = 120
    """How long a read may run: STATEMENT_TIMEOUT_IN_SECONDS of the session, after which Snowflake aborts it."""

    @classmethod
    def of(cls, **values: Any) -> ConnectionConfig:
        """Like the constructor, with every fault told as BadSettings (names and rules, never values)."""
        try:
            return cls(**values)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors())
            raise BadSettings(f"The Snowflake connection cannot be used: {faults}.") from None

    @model_validator(mode="after")
    def _checked(self) -> ConnectionConfig:
        self._check_sign_in()
        self._check_who()
        self._check_keys()
        if self.protocol == "http" and not is_loopback(self.host or ""):
            raise BadSettings(
                f"Plain http is for the demo account on this machine only, not for host {self.host!r}.",
                hint="Leave `protocol` out: the default is https.",
            )
        return self

    def _check_sign_in(self) -> None:
        ways = self._ways()
        if len(ways) == 1:
            return
        fault = f"more than one way to sign in ({', '.join(ways)})" if ways else "no way to sign in"
        raise BadSettings(
            f"The Snowflake connection has {fault}.",
            hint="Set exactly one of password, token, token_file, private_key_file, oauth, browser, connection_name.",
        )

    def _ways(self) -> list[str]:
        return [way for way, names in _WAYS.items() if any(getattr(self, name) not in (None, False) for name in names)]

    def _check_who(self) -> None:
        if self.connection_name is not None:
            return
        needed = ("account",) if self.oauth is not None and self.oauth.flow == "token" else ("account", "user")
        missing = [name for name in needed if not getattr(self, name)]
        if missing:
            raise BadSettings(f"The Snowflake connection has no {' and no '.join(missing)}.")

    def _check_keys(self) -> None:
        for name, needs in (
            ("private_key_passphrase", "private_key_file"),
            ("next_private_key_file", "private_key_file"),
            ("next_private_key_passphrase", "next_private_key_file"),
        ):
            if getattr(self, name) is not None and getattr(self, needs) is None:
                raise BadSettings(f"{name} is set, but {needs} is not.")

    @property
    def way(self) -> str:
        """How it signs in, in words."""
        if self.oauth is not None:
            return f"OAuth ({self.oauth.flow.replace('_', ' ')})"
        return _IN_WORDS[self._ways()[0]]

    @property
    def shown(self) -> str:
        """For messages: who and where, never a secret."""
        if self.connection_name is not None:
            return f"connection {self.connection_name!r}"
        where = f"{self.host}:{self.port}" if self.host and self.port else self.host or self.account
        who = f"user {self.user}" if self.user else "the token's user"
        return f"{who} at {where}" + (f" as role {self.role}" if self.role else "")
