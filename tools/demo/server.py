"""The HTTP face: the requests of the real Snowflake connector, answered by one account's engine.

Every answer is HTTP 200 with Snowflake's own success or error body, because the connector repeats a 5xx for a
minute. Nothing but the login answers without a session's token, and the health probe proves itself with a
message authentication code.
"""

from __future__ import annotations

import asyncio
import gzip
import hmac
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fakesnow.converter import from_binding
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tools.demo.cancel import cancel_query, cancelled_id
from tools.demo.commands import STATEMENT_TYPES, is_query, run_command
from tools.demo.engine import Engine
from tools.demo.functions import VERSION, Surroundings
from tools.demo.lexer import first_word
from tools.demo.process import probe_mac
from tools.demo.query import Translator, parse, run_query
from tools.demo.results import ResultCache, encode
from tools.demo.session import Session, Sessions, Statement, check_login, starting_parameters
from tools.demo.show import visible_warehouses, warehouse_parameters
from tools.demo.sqlerrors import SqlError, syntax

__all__ = ["DemoServer"]

_LOG = logging.getLogger("frostline.demo")
_WORKERS = 8
_LARGEST_TEXT = 1_000_000
_LARGEST_BODY = 16 * 2**20
Handler = Callable[[Request, Session], Awaitable[Response]]


class DemoServer:
    """One account's engine, sessions and application."""

    def __init__(self, account_dir: Path, *, in_charge: Callable[[], bool] = lambda: True) -> None:
        """`in_charge`: whether the folder still is this server's; another account may have been put in its place."""
        self.account_dir = account_dir
        self.in_charge = in_charge
        self.engine = Engine(account_dir)
        self.sessions = Sessions()
        self.results = ResultCache()
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="statement")
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

    def cancel_everything(self) -> None:
        for session in self.sessions.all():
            for statement in session.running():
                statement.stop(_CANCELED)

    def close(self) -> None:
        self.cancel_everything()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.engine.close()

    # --- doors ---------------------------------------------------------------------------------------------

    def _plain(self, handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except SqlError as e:
                return _failure(e)
            except Exception as e:  # noqa: BLE001 - an edge: whatever it is, the connector gets an answer at once
                return _failure(_incident(e))

        return answer

    def _authenticated(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            token = _token(request)
            if token is None:
                return _failure(SqlError(390103, "08001", "Session token not found in the request data."), http=401)
            session = self.sessions.find(token)
            if session is None or not self.in_charge():
                return _failure(SqlError(390112, "08001", "Your session has expired. Please login again."))
            self._last_request = time.monotonic()
            return await handler(request, session)

        return self._plain(answer)

    # --- session -------------------------------------------------------------------------------------------

    async def _login(self, request: Request) -> Response:
        data = (await _body(request)).get("data") or {}
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
            "parameters": _parameters(session),
            "sessionInfo": _info(session),
        }
        return _success({**tokens, **rest})

    def _enter(self, session: Session, request: Request) -> None:
        """The database, schema and warehouse of the login; what cannot be seen is left unset, as Snowflake does."""
        asked = {k: _folded(request.query_params.get(k)) for k in ("databaseName", "schemaName", "warehouse")}
        if asked["databaseName"] == "SNOWFLAKE":
            session.database = "SNOWFLAKE"
            if asked["schemaName"] in ("ACCOUNT_USAGE", "INFORMATION_SCHEMA"):
                session.schema = asked["schemaName"]
        if asked["warehouse"] in visible_warehouses(self.engine, session):
            session.warehouse = asked["warehouse"]

    async def _renew(self, request: Request) -> Response:
        session = self.sessions.renew(_token(request) or "")
        if session is None:
            raise SqlError(390114, "08001", "Authentication token has expired. The user must authenticate again.")
        return _success(
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
        return _success(None)

    async def _telemetry(self, request: Request, session: Session) -> Response:
        return _success("Log Received")

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
            body = await _body(request)
            earlier = session.begin(request_id)
            earlier.answer = asyncio.ensure_future(self._run(session, earlier, body))
        assert earlier.answer is not None
        # shielded: when the client hangs up and asks again with the same request id, it gets this answer
        return _raw(await asyncio.shield(earlier.answer))

    async def _run(self, session: Session, statement: Statement, body: dict[str, Any]) -> bytes:
        loop = asyncio.get_running_loop()
        timer = None
        try:
            timer = self._arm(loop, session, statement)
            return await loop.run_in_executor(self._pool, self._answer, session, statement, body)
        finally:
            statement.done.set()
            if timer:
                timer.cancel()

    def _arm(
        self, loop: asyncio.AbstractEventLoop, session: Session, statement: Statement
    ) -> asyncio.TimerHandle | None:
        """The statement timeout: the lowest of session and warehouse that is not 0 (reference 3.1)."""
        limits = [session.timeout] if session.timeout else []
        if session.warehouse:
            own = float(warehouse_parameters(self.engine, session.warehouse)["STATEMENT_TIMEOUT_IN_SECONDS"])
            limits += [own] if own else []
        if not limits:
            return None
        seconds = min(limits)
        reason = SqlError(
            630,
            "57014",
            f"Statement reached its statement or warehouse timeout of {seconds:.0f} second(s) and was canceled.",
        )
        return loop.call_later(seconds, statement.stop, reason)

    def _answer(self, session: Session, statement: Statement, body: dict[str, Any]) -> bytes:
        """Runs in a worker thread: the whole statement, its error body included."""
        sql = str(body.get("sqlText") or "")
        try:
            table = self._execute(session, statement, sql, body)
            self.results.put(session.identity.user, statement.query_id, table)
            return _result_body(session, statement.query_id, sql, table)
        except SqlError as e:
            return _dump(_error(e, statement.query_id))
        except RecursionError:
            return _dump(_error(syntax("the statement is nested too deeply."), statement.query_id))
        except Exception as e:  # noqa: BLE001 - an edge: an unexpected failure answers at once, with a number to look for
            return _dump(_error(_incident(e), statement.query_id))
        finally:
            session.query_ids = [*session.query_ids[-999:], statement.query_id]

    def _execute(self, session: Session, statement: Statement, sql: str, body: dict[str, Any]) -> Any:
        statement.check()
        if len(sql) > _LARGEST_TEXT:
            raise syntax(f"the statement has {len(sql)} characters; the limit is {_LARGEST_TEXT}.")
        around = Surroundings(self.engine, session, self.results, self.engine.now())
        if not is_query(sql):
            return run_command(sql, around, statement.query_id)
        params = _bindings(body.get("bindings"))
        tree = parse(sql)
        if (target := cancelled_id(tree, params)) is not None:
            return cancel_query(target, tree, around, statement.query_id, sql)
        with self.engine.fake_connection() as fake:
            return run_query(tree, params, around, Translator(fake, fake._duck_conn), statement)

    async def _abort_request(self, request: Request, session: Session) -> Response:
        wanted = str((await _body(request)).get("requestId") or "")
        if statement := session.statements.get(wanted):
            statement.stop(_CANCELED)
        return _success(None)

    async def _abort_query(self, request: Request, session: Session) -> Response:
        for statement in session.running():
            if statement.query_id == request.path_params["query_id"]:
                statement.stop(_CANCELED)
        return _success(None)

    async def _monitoring(self, request: Request, session: Session) -> Response:
        found = next((s for s in session.statements.values() if s.query_id == request.path_params["query_id"]), None)
        if found is None:
            return _success({"queries": []})
        state = "RUNNING" if not found.done.is_set() else ("FAILED_WITH_ERROR" if found.stop_reason else "SUCCESS")
        return _success({"queries": [{"id": found.query_id, "status": state, "state": state}]})

    async def _result(self, request: Request, session: Session) -> Response:
        query_id = str(request.path_params["query_id"])
        table = self.results.get(session.identity.user, query_id)
        if table is None:
            raise SqlError(709, "02000", f"Statement {query_id} not found")
        return _raw(_result_body(session, query_id, "SELECT", table))


_CANCELED = SqlError(604, "57014", "SQL execution canceled")


def _incident(e: BaseException) -> SqlError:
    """The text of an unexpected failure stays in the log; the client gets a number to look for."""
    number = random.randrange(1_000_000, 10_000_000)  # noqa: S311 - a label
    _LOG.error("incident %d", number, exc_info=e)
    return SqlError(
        603,
        "XX000",
        f"SQL execution internal error:\nProcessing aborted due to error 300010:391167117; incident {number}.",
    )


def _bindings(bindings: dict[str, Any] | None) -> list[Any] | None:
    """`{"1": {"type", "value"}, ...}` as a list; arrays (executemany) are not for queries."""
    if not bindings:
        return None
    try:
        ordered = [bindings[str(n)] for n in range(1, len(bindings) + 1)]
    except KeyError:
        raise syntax("bind variables must be numbered 1, 2, ...") from None
    if any(isinstance(b.get("value"), list) for b in ordered):
        raise syntax("array bindings are not supported on this account.")
    return [None if b.get("value") is None else from_binding(b) for b in ordered]


def _result_body(session: Session, query_id: str, sql: str, table: Any) -> bytes:
    """The rows go in last and as they are: another copy or two of a large result is what fills the memory."""
    rowtype, rows = encode(table)
    data = {
        "parameters": _parameters(session),
        "rowtype": rowtype,
        "total": table.num_rows,
        "returned": table.num_rows,
        "queryId": query_id,
        "statementTypeId": STATEMENT_TYPES.get(first_word(sql), 0x1000 if is_query(sql) else 0x6000),
        "queryResultFormat": "arrow",
        "finalDatabaseName": session.database,
        "finalSchemaName": session.schema,
        "finalWarehouseName": session.warehouse,
        "finalRoleName": session.identity.role,
    }
    body = _dump({"success": True, "data": data})  # ends with the two closing braces of data and body
    return b"".join((body[:-2], b', "rowsetBase64": "', rows, b'"}}'))


def _parameters(session: Session) -> list[dict[str, Any]]:
    own = [{"name": n, "value": session.parameters[n]} for n in ("TIMEZONE", "QUERY_TAG")]
    fixed = {
        "AUTOCOMMIT": True,
        "CLIENT_TELEMETRY_ENABLED": False,
        "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": 3600,
        "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,
    }
    return own + [{"name": n, "value": v} for n, v in fixed.items()]


def _info(session: Session) -> dict[str, Any]:
    return {
        "databaseName": session.database,
        "schemaName": session.schema,
        "warehouseName": session.warehouse,
        "roleName": session.identity.role,
    }


def _folded(name: str | None) -> str | None:
    if name and len(name) > 1 and name[0] == name[-1] == '"':
        return name[1:-1].replace('""', '"')
    return name.upper() if name else name


def _token(request: Request) -> str | None:
    found = request.headers.get("Authorization", "")
    prefix = 'Snowflake Token="'
    return found[len(prefix) : -1] if found.startswith(prefix) and found.endswith('"') else None


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        raw = gzip.decompress(raw)
    if len(raw) > _LARGEST_BODY:
        raise syntax("the request is too large.")
    body = json.loads(raw or b"{}")
    if not isinstance(body, dict):
        raise syntax("the request is no JSON object.")
    return body


def _dump(body: dict[str, Any]) -> bytes:
    return json.dumps(body, default=str).encode()


def _raw(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _success(data: Any) -> Response:
    return JSONResponse({"success": True, "code": None, "message": None, "data": data})


def _error(e: SqlError, query_id: str | None = None) -> dict[str, Any]:
    code = f"{e.errno:06d}"
    data = {"errorCode": code, "sqlState": e.sqlstate, "internalError": False, "queryId": query_id}
    return {"success": False, "code": code, "message": e.message, "data": data}


def _failure(e: SqlError, http: int = 200) -> Response:
    return JSONResponse(_error(e), status_code=http)
