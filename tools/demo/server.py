"""The HTTP face: the requests of the real Snowflake connector, answered by one account's engine.

Every answer is HTTP 200 with Snowflake's own success or error body, because the connector repeats a 5xx for a
minute. Nothing but the login answers without a session's token, and the health probe proves itself with a
message authentication code.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tools.demo.engine import Engine
from tools.demo.functions import VERSION
from tools.demo.monitors import take_stock
from tools.demo.process import probe_mac
from tools.demo.results import ResultCache
from tools.demo.running import Runner
from tools.demo.session import CANCELED, Session, Sessions, check_login, starting_parameters
from tools.demo.sqlerrors import SqlError
from tools.demo.warehouse_rows import visible_warehouses
from tools.demo.wire import (
    failure,
    folded,
    incident,
    parameters,
    raw,
    read_body,
    result_body,
    session_info,
    success,
    token_of,
)

__all__ = ["DemoServer"]

Handler = Callable[[Request, Session], Awaitable[Response]]


class DemoServer:
    """One account's engine, sessions and application."""

    def __init__(self, account_dir: Path, *, in_charge: Callable[[], bool] = lambda: True) -> None:
        """`in_charge`: whether the folder still is this server's; another account may have been put in its place."""
        self.account_dir = account_dir
        self.in_charge = in_charge
        self.engine = Engine(account_dir)
        with self.engine.write() as con:
            take_stock(con, self.engine.now(), imported=self.engine.info.origin == "imported")
        self.sessions = Sessions()
        self.results = ResultCache()
        self.runner = Runner(self.engine, self.sessions, self.results)
        self._last_request = time.monotonic()
        self.app = Starlette(
            routes=[
                Route("/session/v1/login-request", self._plain(self._login), methods=["POST"]),
                Route("/session/token-request", self._plain(self._renew), methods=["POST"]),
                Route("/frostline/health", self._plain(self._health), methods=["GET"]),
                Route("/session", self._authenticated(self._session), methods=["POST"]),
                Route("/session/heartbeat", self._authenticated(self._session), methods=["POST", "GET"]),
                Route("/queries/v1/query-request", self._authenticated(self._query), methods=["POST"]),
                Route("/queries/v1/abort-request", self._authenticated(self._abort_request), methods=["POST"]),
                Route("/queries/{query_id}/abort-request", self._authenticated(self._abort_query), methods=["POST"]),
                Route("/queries/{query_id}/result", self._authenticated(self._result), methods=["GET"]),
                Route("/monitoring/queries/{query_id}", self._authenticated(self._monitoring), methods=["GET"]),
                Route("/telemetry/send", self._authenticated(self._telemetry), methods=["POST"]),
            ]
        )

    def idle_for(self, seconds: float) -> bool:
        """Whether nobody has asked for anything that long and nothing is running."""
        quiet = time.monotonic() - self._last_request >= seconds
        return quiet and not any(s.running() for s in self.sessions.all())

    def tidy(self) -> None:
        """What may wait for a quiet moment: rows of history that have not been written yet."""
        self.runner.journal.flush()

    def cancel_everything(self) -> None:
        self.runner.cancel_everything()

    def close(self) -> None:
        self.runner.close()
        self.engine.close()

    # --- doors ---------------------------------------------------------------------------------------------

    def _plain(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except SqlError as e:
                return failure(e)
            except Exception as e:  # noqa: BLE001 - an edge: whatever it is, the connector gets an answer at once
                return failure(incident(e))

        return answer

    def _authenticated(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            token = token_of(request)
            if token is None:
                return failure(SqlError(390103, "08001", "Session token not found in the request data."), http=401)
            session = self.sessions.find(token)
            if session is None or not self.in_charge():
                return failure(SqlError(390112, "08001", "Your session has expired. Please login again."))
            self._last_request = time.monotonic()
            return await handler(request, session)

        return self._plain(answer)

    # --- session -------------------------------------------------------------------------------------------

    async def _login(self, request: Request) -> Response:
        data = (await read_body(request)).get("data") or {}
        user, password = str(data.get("LOGIN_NAME") or ""), str(data.get("PASSWORD") or data.get("TOKEN") or "")
        if not self.in_charge():
            raise SqlError(390112, "08001", "This server's account has been replaced.")
        identity = check_login(self.account_dir, user, password)
        role = (request.query_params.get("roleName") or identity.role).strip('"')
        if role.upper() != identity.role:
            known = f"Role '{role[:100]}' specified in the connect string is not granted to this user."
            raise SqlError(390189, "08001", known)
        timezone = self.engine.info.timezone
        session = self.sessions.open(
            identity, starting_parameters(timezone, data.get("SESSION_PARAMETERS") or {}), timezone
        )
        self._enter(session, request)
        self._last_request = time.monotonic()
        tokens = {
            "token": session.token,
            "masterToken": session.master,
            "validityInSeconds": 3600,
            "masterValidityInSeconds": 14400,
        }
        rest = {
            "displayUserName": identity.user,
            "serverVersion": VERSION,
            "sessionId": session.id,
            "parameters": parameters(session),
            "sessionInfo": session_info(session),
        }
        return success({**tokens, **rest})

    def _enter(self, session: Session, request: Request) -> None:
        """The database, schema and warehouse of the login; what cannot be seen is left unset, as Snowflake does."""
        asked = {k: folded(request.query_params.get(k)) for k in ("databaseName", "schemaName", "warehouse")}
        if asked["databaseName"] == "SNOWFLAKE":
            session.database = "SNOWFLAKE"
            if asked["schemaName"] in ("ACCOUNT_USAGE", "INFORMATION_SCHEMA"):
                session.schema = asked["schemaName"]
        if asked["warehouse"] in visible_warehouses(self.engine, session):
            session.warehouse = asked["warehouse"]

    async def _renew(self, request: Request) -> Response:
        session = self.sessions.renew(token_of(request) or "")
        if session is None:
            raise SqlError(390114, "08001", "Authentication token has expired. The user must authenticate again.")
        return success(
            {
                "sessionToken": session.token,
                "masterToken": session.master,
                "masterValidityInSeconds": 14400,
                "validityInSecondsST": 3600,
            }
        )

    async def _session(self, request: Request, session: Session) -> Response:
        if request.query_params.get("delete"):
            self.sessions.close(session.token)
        return success(None)

    async def _telemetry(self, request: Request, session: Session) -> Response:
        return success("Log Received")

    async def _health(self, request: Request) -> Response:
        secret = (self.account_dir / "reader.secret").read_text().strip()
        nonce = request.query_params.get("nonce", "")
        asked = hmac.compare_digest(probe_mac(secret, "probe", nonce), request.query_params.get("mac", ""))
        if not asked or not self.in_charge():
            return PlainTextResponse("", status_code=403)
        self._last_request = time.monotonic()
        port = (request.scope.get("server") or ("", 0))[1]
        return PlainTextResponse(probe_mac(secret, f"alive:{port}", nonce))

    # --- statements ----------------------------------------------------------------------------------------

    async def _query(self, request: Request, session: Session) -> Response:
        request_id = request.query_params.get("requestId") or ""
        earlier = session.statements.get(request_id)
        if earlier is None:
            body = await read_body(request)
            earlier = session.begin(request_id)
            earlier.answer = asyncio.ensure_future(self.runner.run(session, earlier, body))
        assert earlier.answer is not None
        # shielded: when the client hangs up and asks again with the same request id, it gets this answer
        return raw(await asyncio.shield(earlier.answer))

    async def _abort_request(self, request: Request, session: Session) -> Response:
        wanted = str((await read_body(request)).get("requestId") or "")
        if statement := session.statements.get(wanted):
            statement.stop(CANCELED)
        return success(None)

    async def _abort_query(self, request: Request, session: Session) -> Response:
        for statement in session.running():
            if statement.query_id == request.path_params["query_id"]:
                statement.stop(CANCELED)
        return success(None)

    async def _monitoring(self, request: Request, session: Session) -> Response:
        found = next((s for s in session.statements.values() if s.query_id == request.path_params["query_id"]), None)
        if found is None:
            return success({"queries": []})
        state = "RUNNING" if not found.done.is_set() else ("FAILED_WITH_ERROR" if found.stop_reason else "SUCCESS")
        return success({"queries": [{"id": found.query_id, "status": state, "state": state}]})

    async def _result(self, request: Request, session: Session) -> Response:
        query_id = str(request.path_params["query_id"])
        table = self.results.get(session.identity.user, query_id)
        if table is None:
            raise SqlError(709, "02000", f"Statement {query_id} not found")
        return raw(result_body(session, query_id, "SELECT", table))
