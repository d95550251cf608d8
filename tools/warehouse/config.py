"""How to connect: one typed, checked description of an identity; nothing here reads the environment or a file.

Outside loopback the connection is TLS. Plain http exists for the demo account's own server only.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from tools.errors import BadSettings

__all__ = ["ConnectionConfig", "is_loopback"]

Seconds = Annotated[int, Field(ge=1, le=86_400)]


class ConnectionConfig(BaseModel):
    """One Snowflake identity. Exactly one way to sign in:

    password | token or token_file (programmatic access token) | private_key_file (+ passphrase) |
    connection_name (an entry of the connector's own connections.toml).

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
    connection_name: str | None = None

    host: str | None = None
    port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    protocol: Literal["https", "http"] = "https"

    login_timeout: Seconds = 30
    network_timeout: Seconds = 60
    """Bounds the connector's own HTTP retries, which are endless by default, and with them a statement: the
    connector asks for its cancellation when it has taken that long."""
    statement_timeout: Seconds = 120
    """STATEMENT_TIMEOUT_IN_SECONDS of the session: Snowflake aborts what runs longer."""

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
        if self.connection_name is None:
            missing = [name for name in ("account", "user") if not getattr(self, name)]
            if missing:
                raise BadSettings(f"The Snowflake connection has no {' and no '.join(missing)}.")
        if self.private_key_passphrase is not None and self.private_key_file is None:
            raise BadSettings("private_key_passphrase is set, but private_key_file is not.")
        if self.protocol == "http" and not is_loopback(self.host or ""):
            raise BadSettings(
                f"Plain http is for the demo account on this machine only, not for host {self.host!r}.",
                hint="Leave `protocol` out: the default is https.",
            )
        return self

    def _check_sign_in(self) -> None:
        ways = [
            name
            for name in ("password", "token", "token_file", "private_key_file", "connection_name")
            if getattr(self, name) is not None
        ]
        if len(ways) == 1:
            return
        fault = f"more than one way to sign in ({', '.join(ways)})" if ways else "no way to sign in"
        raise BadSettings(
            f"The Snowflake connection has {fault}.",
            hint="Set exactly one of password, token, token_file, private_key_file, connection_name.",
        )

    @property
    def shown(self) -> str:
        """For messages: who and where, never a secret."""
        if self.connection_name is not None:
            return f"connection {self.connection_name!r}"
        where = f"{self.host}:{self.port}" if self.host else self.account
        return f"user {self.user} at {where}" + (f" as role {self.role}" if self.role else "")


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine: `localhost` or an address of the loopback range."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
