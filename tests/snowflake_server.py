"""A Snowflake on loopback that signs people in and then does to each statement what the test's script says.

The real connector speaks to it, so what goes over the wire and what becomes of a fault are the connector's own.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

DONE = {
    "success": True,
    "data": {
        "parameters": [],
        "rowtype": [
            {
                "name": "status",
                "type": "text",
                "nullable": True,
                "length": 100,
                "byteLength": 400,
                "precision": None,
                "scale": None,
            }
        ],
        "rowset": [["Statement executed successfully."]],
        "total": 1,
        "returned": 1,
        "queryId": "01-done",
        "queryResultFormat": "json",
        "statementTypeId": 24576,
    },
}


def refusal(code: str, message: str = "no") -> dict[str, Any]:
    return {
        "success": False,
        "code": code,
        "message": message,
        "data": {"queryId": "01-no", "errorCode": code, "sqlState": "42501"},
    }


class Scripted(ThreadingHTTPServer):
    """`script` holds what happens to each statement in turn; the last one is repeated."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Any] = [DONE]
        self.login: dict[str, Any] = {"success": True}
        self.judge: Callable[[dict[str, Any]], dict[str, Any]] = lambda data: self.login
        """What is changed in the answer to a sign-in."""
        self.tokens: list[Any] = [{"access_token": "from-the-provider"}]
        """Answers of the OAuth token endpoint at /oauth/token, in turn; a number is a status."""
        self.token_requests: list[dict[str, Any]] = []
        self.logins: list[dict[str, Any]] = []
        self.statements: list[dict[str, Any]] = []
        self.request_ids: list[str] = []
        self.paths: set[str] = set()


class Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_POST(self) -> None:
        url = urlparse(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if url.path == "/oauth/token":
            self._token(body)
            return
        data = json.loads(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body or b"{}")
        self.server.paths.add(url.path)
        if url.path == "/session/v1/login-request":
            self._login(data)
        elif url.path == "/session/authenticator-request":
            port = data["data"]["BROWSER_MODE_REDIRECT_PORT"]
            sso = {"ssoUrl": f"http://127.0.0.1:{self.server.server_address[1]}/sso?back={port}", "proofKey": "proof"}
            self._answer(200, {"success": True, "data": sso})
        elif url.path == "/queries/v1/query-request":
            self.server.request_ids += parse_qs(url.query).get("requestId", [])
            self.server.statements.append(data)
            self._act(self.server.script[min(len(self.server.statements), len(self.server.script)) - 1])
        else:
            self._answer(200, {"success": True, "data": {}})

    def _token(self, body: bytes) -> None:
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.server.token_requests.append(asked | {"authorization": self.headers.get("Authorization")})
        what = self.server.tokens[min(len(self.server.token_requests), len(self.server.tokens)) - 1]
        self._answer(what if isinstance(what, int) else 200, {"error": "refused"} if isinstance(what, int) else what)

    def _login(self, data: dict[str, Any]) -> None:
        self.server.logins.append(data["data"])
        token = {"token": "t", "masterToken": "m", "parameters": [], "sessionInfo": {}, "sessionId": 1}
        self._answer(200, {"data": token, "code": None, "message": None} | self.server.judge(data["data"]))

    def _act(self, what: Any) -> None:
        match what:
            case "hang up":
                self.close_connection = True
                self.connection.close()
            case "rubbish":
                self._send(200, b"<html>proxy</html>")
            case "half":
                self.send_response(200)
                self.send_header("Content-Length", "5000")
                self.end_headers()
                self.wfile.write(b'{"success": tr')
                self.close_connection = True
            case "silence":
                time.sleep(3)
            case "slow":
                time.sleep(1.3)
                self._answer(200, DONE)
            case "gone":
                self.server.socket.close()
                self.close_connection = True
                self.connection.close()
            case int():
                self._answer(what, {})
            case _:
                self._answer(200, what)

    def _answer(self, status: int, value: object) -> None:
        self._send(status, json.dumps(value).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def scripted_server() -> Iterator[Scripted]:
    made = Scripted()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()
