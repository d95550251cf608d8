"""What goes over the wire: the bodies of requests and answers as the connector writes and reads them."""

from __future__ import annotations

import gzip
import json
import logging
import random
from typing import Any

from fakesnow.converter import from_binding
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tools.demo.commands import STATEMENT_TYPES, is_query
from tools.demo.lexer import first_word
from tools.demo.results import encode
from tools.demo.session import Session
from tools.demo.sqlerrors import SqlError, syntax

__all__ = [
    "bindings",
    "dump",
    "error_body",
    "failure",
    "folded",
    "incident",
    "parameters",
    "raw",
    "read_body",
    "result_body",
    "session_info",
    "success",
    "token_of",
]

_LOG = logging.getLogger("frostline.demo")
_LARGEST_BODY = 16 * 2**20


# --- requests ------------------------------------------------------------------------------------------------------


def token_of(request: Request) -> str | None:
    found = request.headers.get("Authorization", "")
    prefix = 'Snowflake Token="'
    return found[len(prefix) : -1] if found.startswith(prefix) and found.endswith('"') else None


async def read_body(request: Request) -> dict[str, Any]:
    """
    Raises:
        SqlError: too large, or no JSON object.
    """
    raw_body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        raw_body = gzip.decompress(raw_body)
    if len(raw_body) > _LARGEST_BODY:
        raise syntax("the request is too large.")
    body = json.loads(raw_body or b"{}")
    if not isinstance(body, dict):
        raise syntax("the request is no JSON object.")
    return body


def bindings(bound: dict[str, Any] | None) -> list[Any] | None:
    """`{"1": {"type", "value"}, ...}` as a list; arrays (executemany) are not for queries."""
    if not bound:
        return None
    try:
        ordered = [bound[str(n)] for n in range(1, len(bound) + 1)]
    except KeyError:
        raise syntax("bind variables must be numbered 1, 2, ...") from None
    if any(isinstance(b.get("value"), list) for b in ordered):
        raise syntax("array bindings are not supported on this account.")
    return [None if b.get("value") is None else from_binding(b) for b in ordered]


def folded(name: str | None) -> str | None:
    """A name of the login as Snowflake reads it: quoted ones exact, others in upper case."""
    if name and len(name) > 1 and name[0] == name[-1] == '"':
        return name[1:-1].replace('""', '"')
    return name.upper() if name else name


# --- answers -------------------------------------------------------------------------------------------------------


def result_body(session: Session, query_id: str, sql: str, table: Any) -> bytes:
    """The rows go in last and as they are: another copy or two of a large result is what fills the memory."""
    rowtype, rows = encode(table)
    data = {
        "parameters": parameters(session),
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
    body = dump({"success": True, "data": data})  # ends with the two closing braces of data and body
    return b"".join((body[:-2], b', "rowsetBase64": "', rows, b'"}}'))


def parameters(session: Session) -> list[dict[str, Any]]:
    own = [{"name": n, "value": session.parameters[n]} for n in ("TIMEZONE", "QUERY_TAG")]
    fixed = {
        "AUTOCOMMIT": True,
        "CLIENT_TELEMETRY_ENABLED": False,
        "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": 3600,
        "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,
    }
    return own + [{"name": n, "value": v} for n, v in fixed.items()]


def session_info(session: Session) -> dict[str, Any]:
    return {
        "databaseName": session.database,
        "schemaName": session.schema,
        "warehouseName": session.warehouse,
        "roleName": session.identity.role,
    }


def incident(e: BaseException) -> SqlError:
    """The text of an unexpected failure stays in the log; the client gets a number to look for."""
    number = random.randrange(1_000_000, 10_000_000)  # noqa: S311 - a label
    _LOG.error("incident %d", number, exc_info=e)
    return SqlError(
        603,
        "XX000",
        f"SQL execution internal error:\nProcessing aborted due to error 300010:391167117; incident {number}.",
    )


def dump(body: dict[str, Any]) -> bytes:
    return json.dumps(body, default=str).encode()


def raw(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def success(data: Any) -> Response:
    return JSONResponse({"success": True, "code": None, "message": None, "data": data})


def error_body(e: SqlError, query_id: str | None = None) -> dict[str, Any]:
    code = f"{e.errno:06d}"
    data = {"errorCode": code, "sqlState": e.sqlstate, "internalError": False, "queryId": query_id}
    return {"success": False, "code": code, "message": e.message, "data": data}


def failure(e: SqlError, http: int = 200) -> Response:
    return JSONResponse(error_body(e), status_code=http)
