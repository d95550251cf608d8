"""The ways to sign in and to get there that need more than one value: OAuth and a proxy; checked, nothing opened."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

__all__ = ["OAuthConfig", "OAuthFlow", "Port", "ProxyConfig", "is_loopback"]

Port = Annotated[int, Field(ge=1, le=65_535)]
OAuthFlow = Literal["token", "client_credentials", "authorization_code"]


class _Checked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class OAuthConfig(_Checked):
    """OAuth, in one of three flows.

    token: somebody else gets the token and puts it here or into a file, which is read at each sign-in.
    client_credentials: Frostline asks the identity provider itself; no person takes part.
    authorization_code: a person signs in with a browser once; with `refresh` the connector keeps a refresh token in
    its own cache of this user, and from then on needs nobody until that runs out.
    """

    flow: OAuthFlow = "token"
    token: SecretStr | None = None
    token_file: Path | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    token_url: str | None = None
    """The identity provider's token endpoint."""
    authorize_url: str | None = None
    """authorization_code: where the browser goes."""
    redirect_uri: str | None = None
    """authorization_code: as registered at the provider; the connector's default is http://127.0.0.1 at a free port."""
    scope: str | None = None
    """None: `session:role:<the identity's role>`."""
    credentials_in_body: bool = False
    """client_credentials: some providers want id and secret in the request and not as basic authentication."""
    refresh: bool = True
    """authorization_code: ask for a refresh token."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        needs = {
            "token": (("token or token_file", self.token or self.token_file),),
            "client_credentials": (
                ("client_id", self.client_id),
                ("client_secret", self.client_secret),
                ("token_url", self.token_url),
            ),
            "authorization_code": (),
        }[self.flow]
        missing = [name for name, value in needs if not value]
        if missing:
            raise ValueError(f"oauth flow {self.flow} needs {', '.join(missing)}")
        if self.flow != "token" and (self.token or self.token_file):
            raise ValueError(f"oauth flow {self.flow} gets its token itself: leave token and token_file out")
        for name in ("token_url", "authorize_url"):
            if not _encrypted_or_local(getattr(self, name)):
                raise ValueError(f"oauth {name} has to be an https URL")
        if self.flow == "authorization_code":
            self._check_provider()
        return self

    def _check_provider(self) -> None:
        """All of a provider of one's own, or nothing: then Snowflake's own server and its built-in client are used."""
        given = [name for name in ("client_id", "client_secret", "authorize_url", "token_url") if getattr(self, name)]
        if given and len(given) < 4:
            raise ValueError(
                "oauth client_id, client_secret, authorize_url and token_url go together; without all of them "
                "Snowflake's own OAuth for local applications is used"
            )


class ProxyConfig(_Checked):
    """The HTTP proxy between this machine and Snowflake. This machine itself (loopback) is never asked for by it."""

    host: str | None = None
    """None: no proxy by setting; the connector then follows HTTPS_PROXY and NO_PROXY as other programs do."""
    port: Port | None = None
    user: str | None = None
    password: SecretStr | None = None
    no_proxy: str = ""
    """What is reached directly, with commas as in NO_PROXY: `.privatelink.snowflakecomputing.com,10.0.0.0/8`."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.host is None:
            given = [name for name in ("port", "user", "password", "no_proxy") if getattr(self, name)]
            if given:
                raise ValueError(f"proxy {given[0]} is set, but proxy host is not")
            return self
        if self.port is None:
            raise ValueError("proxy host needs proxy port")
        if "/" in self.host or "@" in self.host or any(c.isspace() for c in self.host) or not self.host:
            raise ValueError("proxy host is a name or an address alone, without http:// and without user or password")
        if (self.user is None) != (self.password is None):
            raise ValueError("proxy user and proxy password go together")
        return self

    @property
    def shown(self) -> str:
        """For messages; never the password."""
        if self.host is None:
            return "none by setting"
        direct = f", not for {self.no_proxy}" if self.no_proxy else ""
        return f"{self.host}:{self.port}{direct}"


def _encrypted_or_local(url: str | None) -> bool:
    """Secrets go there: TLS, or this machine."""
    if url is None:
        return True
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def is_loopback(host: str) -> bool:
    """Whether `host` names this machine: `localhost` or an address of the loopback range."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
