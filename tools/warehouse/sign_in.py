"""From an identity to the connector's arguments for signing in; secrets leave ConnectionConfig here alone.

Every file is read when it is needed and not kept: a key or token that was exchanged on disk counts from the next
sign-in on. How the connector (4.8.1) does each way was read in its auth/*.py and connection.py.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

from tools.errors import BadSettings
from tools.warehouse.config import ConnectionConfig, OAuthConfig, is_loopback
from tools.warehouse.named import named_connection

__all__ = ["Attempt", "attempts", "proxy_arguments"]

_LOG = logging.getLogger(__name__)
_BROWSER_SECONDS = 120


@dataclass(frozen=True)
class Attempt:
    """One try at signing in. `key` names the key file, where a key is used."""

    arguments: dict[str, Any]
    key: str | None = None


def attempts(config: ConnectionConfig) -> Iterator[Attempt]:
    """What to try, in this order: the first key and then the next one; all other ways are one attempt.

    Raises:
        BadSettings: a file cannot be read and there is no other, or a browser would be needed where nobody sits.
    """
    if config.private_key_file is not None:
        yield from _keys(config)
    elif config.password is not None:
        yield Attempt({"password": config.password.get_secret_value()})
    elif config.oauth is not None:
        yield Attempt(_oauth(config, config.oauth))
    elif config.browser:
        yield Attempt(_browser(config))
    elif config.token is not None or config.token_file is not None:
        token = _token(config.token, config.token_file)
        yield Attempt({"authenticator": "PROGRAMMATIC_ACCESS_TOKEN", "token": token})
    else:
        _check_named(config)
        yield Attempt({})


def proxy_arguments(config: ConnectionConfig) -> dict[str, Any]:
    """Loopback is reached directly, whatever the settings say: the demo account is on this machine. (That HTTP_PROXY is
    not followed there either is seen to where the environment is read, in agent.settings.)
    """
    if is_loopback(config.host or ""):
        return {}
    proxy = config.proxy
    if proxy.host is None:
        return {}
    found = {"proxy_host": proxy.host, "proxy_port": str(proxy.port)}
    if proxy.user is not None and proxy.password is not None:
        # The connector writes both into a URL as they are.
        found["proxy_user"] = quote(proxy.user, safe="")
        found["proxy_password"] = quote(proxy.password.get_secret_value(), safe="")
    # Never empty: then the connector would ask NO_PROXY, where agent.settings puts Snowflake for another reason.
    found["no_proxy"] = proxy.no_proxy or "localhost"
    return found


# --- keys and tokens ----------------------------------------------------------------------------------------------


def _keys(config: ConnectionConfig) -> Iterator[Attempt]:
    unreadable: BadSettings | None = None
    usable = False
    for path, passphrase in (
        (config.private_key_file, config.private_key_passphrase),
        (config.next_private_key_file, config.next_private_key_passphrase or config.private_key_passphrase),
    ):
        if path is None:
            continue
        try:
            key = _key(path, passphrase)
        except BadSettings as error:
            unreadable = unreadable or error
            _LOG.warning("%s", error.message)
            continue
        usable = True
        yield Attempt({"authenticator": "SNOWFLAKE_JWT", "private_key": key}, key=path.name)
    if unreadable is not None and not usable:
        raise unreadable from None


def _key(path: Path, passphrase: SecretStr | None) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    secret = passphrase.get_secret_value().encode() if passphrase is not None else None
    content = _read(path, "private key")
    try:
        key = serialization.load_pem_private_key(content, password=secret)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadSettings(
            f"The private key in {path.name} cannot be read.",
            hint="It must be PEM (PKCS#8); set private_key_passphrase if, and only if, it is encrypted.",
        ) from None
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _token(token: SecretStr | None, file: Path | None) -> str:
    if token is not None:
        return token.get_secret_value()
    assert file is not None
    text = _read(file, "token").decode("utf-8", "replace").strip()
    if not text:
        raise BadSettings(f"The token file {file.name} is empty.")
    return text


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadSettings(f"The {what} file {path.name} cannot be read: {error.strerror}.") from None


# --- OAuth and the browser ----------------------------------------------------------------------------------------


def _oauth(config: ConnectionConfig, given: OAuthConfig) -> dict[str, Any]:
    if given.flow == "token":
        return {"authenticator": "OAUTH", "token": _token(given.token, given.token_file)}
    found: dict[str, Any] = {
        "authenticator": f"OAUTH_{given.flow.upper()}",
        "oauth_client_id": given.client_id,
        "oauth_client_secret": given.client_secret.get_secret_value() if given.client_secret is not None else None,
        "oauth_token_request_url": given.token_url,
        "oauth_scope": given.scope,
    }
    if given.flow == "client_credentials":
        found["oauth_credentials_in_body"] = given.credentials_in_body
    else:
        found |= {
            "oauth_authorization_url": given.authorize_url,
            "oauth_redirect_uri": given.redirect_uri,
            "oauth_enable_refresh_tokens": given.refresh,
            "client_store_temporary_credential": True,
            "external_browser_timeout": _BROWSER_SECONDS,
        }
        if not _somebody_is_here(config):
            return _cached_oauth(config, given)
    return {key: value for key, value in found.items() if value is not None}


def _browser(config: ConnectionConfig) -> dict[str, Any]:
    if not _somebody_is_here(config):
        return _cached_id_token(config)
    return {
        "authenticator": "EXTERNALBROWSER",
        "client_store_temporary_credential": True,
        "external_browser_timeout": _BROWSER_SECONDS,
    }


def _check_named(config: ConnectionConfig) -> None:
    """An entry of connections.toml that would open a browser where nobody sits."""
    way = str(named_connection(str(config.connection_name)).get("authenticator", "")).upper()
    if way in ("EXTERNALBROWSER", "OAUTH_AUTHORIZATION_CODE") and not _somebody_is_here(config):
        raise _nobody(config)


def _somebody_is_here(config: ConnectionConfig) -> bool:
    """Whether a person can be asked to sign in: the connector opens a browser, or asks for a URL on the terminal."""
    return config.attended and all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _nobody(config: ConnectionConfig) -> BadSettings:
    return BadSettings(
        f"Signing in as {config.shown} needs a browser, and nobody sits in front of this process.",
        hint="Run `frostline doctor` on a terminal of the same OS user once: the token that it gets is kept and used "
        "here until it runs out. A service is better off with a key pair or OAuth client credentials.",
    )


def _cached_id_token(config: ConnectionConfig) -> dict[str, Any]:
    """The id token that an earlier sign-in left in the connector's cache; when it has run out, a refusal.

    Raises:
        BadSettings: there is none.
    """
    from snowflake.connector.auth.idtoken import AuthByIdToken
    from snowflake.connector.token_cache import TokenCache, TokenKey, TokenType

    host = _host(config)
    cache = TokenCache.make()
    # The connector writes id tokens (not OAuth's) with user and host the wrong way round (auth/_auth.py, 4.8.1).
    keys = [TokenKey(host, str(config.user), TokenType.ID_TOKEN), TokenKey(str(config.user), host, TokenType.ID_TOKEN)]
    found = next((token for key in keys if cache is not None and (token := cache.retrieve(key))), None)
    if not found:
        raise _nobody(config)
    way = AuthByIdToken(
        id_token=found,
        application="Frostline",
        protocol=config.protocol,
        host=host,
        port=str(config.port or 443),
        timeout=config.login_timeout,
    )
    way.reauthenticate = _refusing(config)
    return {"auth_class": way}


def _cached_oauth(config: ConnectionConfig, given: OAuthConfig) -> dict[str, Any]:
    """The tokens in the connector's cache, refreshed where they can be; where a browser would come next, a refusal."""
    from snowflake.connector.auth import AuthByOauthCode
    from snowflake.connector.token_cache import TokenCache

    host = _host(config)
    own = f"https://{host}:{config.port or 443}/oauth"
    way = AuthByOauthCode(
        application="Frostline",
        client_id=given.client_id or "",
        client_secret=given.client_secret.get_secret_value() if given.client_secret is not None else "",
        authentication_url=given.authorize_url or f"{own}/authorize",
        token_request_url=given.token_url or f"{own}/token-request",
        redirect_uri=given.redirect_uri or "http://127.0.0.1",
        scope=given.scope or (f"session:role:{config.role}" if config.role else ""),
        host=host,
        token_cache=TokenCache.make(),
        refresh_token_enabled=given.refresh,
        timeout=config.login_timeout,
    )
    way._request_tokens = _refusing(config)  # what would open the browser; the connector takes no class of our own
    return {"auth_class": way}


def _refusing(config: ConnectionConfig) -> Any:
    def refuse(**_: Any) -> Any:
        raise _nobody(config)

    return refuse


def _host(config: ConnectionConfig) -> str:
    """As the connector makes it: its cache is keyed by it."""
    from snowflake.connector.util_text import construct_hostname

    return config.host or str(construct_hostname(None, str(config.account)))
