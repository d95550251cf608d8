"""Every way to sign in, as the real connector sends it; what is refused, and what is tried next."""

from __future__ import annotations

import base64
import json
import threading
import urllib.request
import webbrowser
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from agent.runtime import Runtime, SystemClock
from agent.settings import load_settings
from tests.snowflake_server import Scripted, scripted_server
from tools.errors import BadSettings, Unreachable
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.connect import connect

HOST = "127.0.0.1"


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted_server() as made:
        yield made


@pytest.fixture(autouse=True)
def token_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The connector keeps id tokens and refresh tokens here and not in this machine's own folder."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("SF_TEMPORARY_CREDENTIAL_CACHE_DIR", str(folder))
    return folder


def config(server: Scripted, **values: Any) -> ConnectionConfig:
    where = {"account": "a", "user": "U", "role": "COST_READER", "host": HOST, "port": server.server_address[1]}
    limits = {"login_timeout": 2, "network_timeout": 2}
    return ConnectionConfig.of(**where | {"protocol": "http"} | limits | values)


def sign_in(server: Scripted, **values: Any) -> dict[str, Any]:
    """What the server is told."""
    connect(config(server, **values), query_tag={}).close()
    return server.logins[-1]


# --- tokens -----------------------------------------------------------------------------------------------------


def test_tokens_are_sent_under_their_own_authenticator(server: Scripted, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    pat = sign_in(server, token_file=file)
    assert (pat["AUTHENTICATOR"], pat["TOKEN"]) == ("PROGRAMMATIC_ACCESS_TOKEN", "first")
    file.write_text("second\n")
    assert sign_in(server, token_file=file)["TOKEN"] == "second"
    oauth = sign_in(server, oauth={"token_file": file}, user=None)
    assert (oauth["AUTHENTICATOR"], oauth["TOKEN"]) == ("OAUTH", "second")
    assert sign_in(server, oauth={"token": "given"})["TOKEN"] == "given"


def test_an_empty_token_file_is_told(server: Scripted, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("\n")
    with pytest.raises(BadSettings, match="token is empty"):
        sign_in(server, oauth={"token_file": file})
    assert server.logins == []


@pytest.mark.parametrize(("code", "says"), [("390318", "run out"), ("390303", "not valid")])
def test_an_oauth_token_that_snowflake_refuses(server: Scripted, code: str, says: str) -> None:
    server.login = {"success": False, "code": code, "message": "token s3cr3t", "data": {}}
    with pytest.raises(BadSettings) as refused:
        sign_in(server, oauth={"token": "s3cr3t"})
    assert says in (refused.value.hint or "")
    assert "s3cr3t" not in f"{refused.value.message} {refused.value.hint}"


def client(server: Scripted, **values: Any) -> dict[str, Any]:
    url = f"http://{HOST}:{server.server_address[1]}/oauth/token"
    return {"flow": "client_credentials", "client_id": "id", "client_secret": "s3cr3t", "token_url": url} | values


def test_client_credentials_get_a_token_and_use_it(server: Scripted) -> None:
    login = sign_in(server, oauth=client(server))
    assert (login["AUTHENTICATOR"], login["TOKEN"]) == ("OAUTH", "from-the-provider")
    (asked,) = server.token_requests
    assert (asked["grant_type"], asked["scope"]) == ("client_credentials", "session:role:COST_READER")
    assert asked["authorization"] == "Basic " + base64.b64encode(b"id:s3cr3t").decode()
    sign_in(server, oauth=client(server, scope="own", credentials_in_body=True))
    assert (server.token_requests[-1]["scope"], server.token_requests[-1]["client_secret"]) == ("own", "s3cr3t")


def test_a_client_that_the_provider_refuses(server: Scripted) -> None:
    server.tokens = [401]
    with pytest.raises(BadSettings, match="identity provider gave no token") as refused:
        sign_in(server, oauth=client(server))
    assert "s3cr3t" not in f"{refused.value.message} {refused.value.hint}"
    assert server.logins == []


def test_a_provider_that_does_not_answer(server: Scripted) -> None:
    with pytest.raises(Unreachable, match="token endpoint"):
        sign_in(server, oauth=client(server, token_url=f"http://{HOST}:1/oauth/token"))


# --- keys -------------------------------------------------------------------------------------------------------


def key_file(path: Path, passphrase: bytes | None = None) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock))
    return path


def fingerprint(login: dict[str, Any]) -> str:
    payload = login["TOKEN"].split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["iss"])


def refuse_all_but(server: Scripted, *taken: str) -> None:
    no = {"success": False, "code": "390144", "message": "JWT token is invalid.", "data": {}}
    server.judge = lambda data: {"success": True} if fingerprint(data) in taken else no


def test_the_next_key_is_tried_when_the_first_is_refused(server: Scripted, tmp_path: Path) -> None:
    first, second = key_file(tmp_path / "first.p8"), key_file(tmp_path / "second.p8", b"other")
    both = {"private_key_file": first, "next_private_key_file": second, "next_private_key_passphrase": "other"}
    old = fingerprint(sign_in(server, private_key_file=first))
    new = fingerprint(sign_in(server, private_key_file=second, private_key_passphrase="other"))
    server.logins.clear()
    refuse_all_but(server, old, new)
    assert fingerprint(sign_in(server, **both)) == old
    refuse_all_but(server, new)
    assert fingerprint(sign_in(server, **both)) == new
    assert [fingerprint(login) for login in server.logins] == [old, old, new]
    refuse_all_but(server)
    with pytest.raises(BadSettings, match="refused the sign-in"):
        sign_in(server, **both)


def test_keys_are_read_at_each_sign_in(server: Scripted, tmp_path: Path) -> None:
    first, second = key_file(tmp_path / "first.p8"), key_file(tmp_path / "second.p8")
    both = {"private_key_file": first, "next_private_key_file": second}
    new = fingerprint(sign_in(server, private_key_file=second))
    first.unlink()
    assert fingerprint(sign_in(server, **both)) == new
    second.rename(first)
    server.logins.clear()
    assert fingerprint(sign_in(server, **both)) == new
    assert len(server.logins) == 1
    first.write_text("no key")
    with pytest.raises(BadSettings, match=r"first\.p8 cannot be read"):
        sign_in(server, **both)


def test_what_is_not_about_the_key_is_not_tried_with_another(server: Scripted, tmp_path: Path) -> None:
    server.login = {"success": False, "code": "390201", "message": "no such role", "data": {}}
    with pytest.raises(BadSettings):
        sign_in(
            server,
            private_key_file=key_file(tmp_path / "first.p8"),
            next_private_key_file=key_file(tmp_path / "second.p8"),
        )
    assert len(server.logins) == 1


# --- browsers ---------------------------------------------------------------------------------------------------


class Terminal:
    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        """Nothing waits."""


def sit_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody at a terminal, whose browser signs in at once. Called by the test: before, the streams are pytest's."""
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("sys.stderr", Terminal())

    def open_new(url: str) -> bool:
        back = f"http://127.0.0.1:{url.rpartition('=')[2]}/?token=from-the-browser"
        threading.Thread(target=lambda: urllib.request.urlopen(back).close(), daemon=True).start()
        return True

    monkeypatch.setattr(webbrowser, "open_new", open_new)


def test_single_sign_on_keeps_an_id_token_that_a_process_without_a_person_then_uses(
    server: Scripted, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sit_down(monkeypatch)
    session = {"token": "t", "masterToken": "m", "parameters": [], "sessionInfo": {}, "sessionId": 1, "idToken": "ID"}
    server.judge = lambda data: {"success": True, "data": session}
    login = sign_in(server, browser=True)
    assert (login["AUTHENTICATOR"], login["TOKEN"]) == ("EXTERNALBROWSER", "from-the-browser")
    assert capsys.readouterr().out == ""
    login = sign_in(server, browser=True, attended=False)
    assert (login["AUTHENTICATOR"], login["TOKEN"]) == ("ID_TOKEN", "ID")


@pytest.mark.parametrize("attended", [True, False])
def test_without_a_person_and_a_token_a_browser_is_refused(server: Scripted, attended: bool) -> None:
    for way in ({"browser": True}, {"oauth": {"flow": "authorization_code"}}):
        with pytest.raises(BadSettings, match="nobody sits in front") as refused:
            sign_in(server, attended=attended, **way)
        assert "frostline doctor" in (refused.value.hint or "")
    assert server.logins == []


def keep(kind: str, host: str, token: str) -> None:
    from snowflake.connector.token_cache import TokenCache, TokenKey, TokenType

    cache = TokenCache.make()
    assert cache is not None
    cache.store(TokenKey("U", host, TokenType[kind]), token)


def test_an_id_token_that_has_run_out_is_refused_and_no_browser_opens(
    server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open_new", opened.append)
    keep("ID_TOKEN", HOST, "old")
    server.login = {"success": False, "code": "390195", "message": "expired", "data": {}}
    with pytest.raises(BadSettings, match="nobody sits in front"):
        sign_in(server, browser=True, attended=False)
    assert opened == []


def provider(server: Scripted) -> dict[str, Any]:
    return client(server, flow="authorization_code", authorize_url="https://idp.example/authorize")


def test_a_refresh_token_needs_no_person(server: Scripted) -> None:
    keep("OAUTH_REFRESH_TOKEN", HOST, "kept")
    server.tokens = [{"access_token": "fresh", "refresh_token": "newer"}]
    login = sign_in(server, oauth=provider(server), attended=False)
    assert (login["AUTHENTICATOR"], login["TOKEN"]) == ("OAUTH", "fresh")
    assert (server.token_requests[0]["grant_type"], server.token_requests[0]["refresh_token"]) == (
        "refresh_token",
        "kept",
    )


def test_a_refresh_token_that_has_run_out_is_refused(server: Scripted) -> None:
    keep("OAUTH_REFRESH_TOKEN", HOST, "dead")
    server.tokens = [400]
    with pytest.raises(BadSettings, match="nobody sits in front"):
        sign_in(server, oauth=provider(server), attended=False)
    assert server.logins == []


# --- proxies ----------------------------------------------------------------------------------------------------


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), Connecting)
        self.asked: list[tuple[str, str | None]] = []


class Connecting(BaseHTTPRequestHandler):
    server: Proxy

    def do_CONNECT(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Proxy-Authorization")))
        self.send_error(502)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def test_snowflake_is_reached_by_the_proxy_that_is_set(proxy: Proxy) -> None:
    given = {"host": HOST, "port": proxy.server_address[1], "user": "me@corp", "password": "p:/@%"}
    away = ConnectionConfig.of(account="org-acct", user="U", password="x", proxy=given, login_timeout=1)
    with pytest.raises(Unreachable):
        connect(away, query_tag={})
    where, who = proxy.asked[0]
    assert where == "org-acct.snowflakecomputing.com:443"
    assert who == "Basic " + base64.b64encode(b"me@corp:p:/@%").decode()


def test_the_proxy_that_is_set_comes_before_the_environments(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://{HOST}:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    profile = tmp_path / "home" / "profiles" / "lab.toml"
    profile.parent.mkdir(parents=True)
    profile.write_text(
        '[account]\nkind = "live"\ntimezone = "UTC"\n[reader]\naccount = "org-acct"\nuser = "U"\ntoken = "t"\n'
        f'login_timeout_s = 1\n[proxy]\nhost = "{HOST}"\nport = {proxy.server_address[1]}\n'
    )
    config = Runtime(load_settings("lab"), SystemClock(), lambda: "id").reader_config
    with pytest.raises(Unreachable):
        connect(config, query_tag={})
    assert proxy.asked[0][0] == "org-acct.snowflakecomputing.com:443"


def test_what_no_proxy_names_is_not_asked_of_the_proxy(proxy: Proxy) -> None:
    given = {"host": HOST, "port": proxy.server_address[1], "no_proxy": "elsewhere.example,.snowflakecomputing.com"}
    away = ConnectionConfig.of(account="org-acct", user="U", password="x", proxy=given, login_timeout=1)
    with pytest.raises((Unreachable, AssertionError)):  # the suite lets nothing leave loopback
        connect(away, query_tag={})
    assert proxy.asked == []


@pytest.mark.parametrize("by_setting", [True, False])
def test_loopback_is_never_asked_of_a_proxy(
    server: Scripted, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, by_setting: bool
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{HOST}:{proxy.server_address[1]}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "elsewhere.example")
    load_settings()
    given = {"host": HOST, "port": proxy.server_address[1]} if by_setting else {}
    assert sign_in(server, password="p", proxy=given)["PASSWORD"] == "p"
    assert proxy.asked == []
