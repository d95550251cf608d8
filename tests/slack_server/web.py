"""The HTTP side: /api/METHOD, response urls and the upload URL."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.slack_server.api import METHODS, Method
from tests.slack_server.api.files import take_bytes
from tests.slack_server.api.registry import Args, check_team, check_token
from tests.slack_server.errors import Refused, breach
from tests.slack_server.faults import Fault, Faults, Rates
from tests.slack_server.responses import respond
from tests.slack_server.state import World
from tests.slack_server.things import Call

_RAW_SEND = "slack_server.send"


class _Dropped(Response):
    """The connection closes without an answer (or, `started`, in the middle of it)."""

    def __init__(self, *, started: bool = False) -> None:
        super().__init__()
        self._started = started

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._started:
            headers = [(b"content-type", b"application/json"), (b"content-length", b"4096")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b'{"ok":', "more_body": True})
        scope[_RAW_SEND].__self__.transport.close()
        while (await receive())["type"] != "http.disconnect":
            pass


async def _arguments(called: Method, request: Request) -> Args:
    """As the SDK sends them for this method; anything else is a breach."""
    body = await request.body()
    if called.form == "query" and request.method == "GET":
        return dict(request.query_params)
    if request.method != "POST":
        raise breach("missing_post_type", f"{called.name} has to be a POST")
    if request.query_params:
        raise breach("invalid_form_data", "arguments in the query of a POST")
    wanted = "application/json" if called.form == "json" else "application/x-www-form-urlencoded"
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    if body and kind != wanted:
        raise breach("invalid_post_type", f"{called.name} with {kind}")
    return _json_object(body) if called.form == "json" else dict(parse_qsl(body.decode(), keep_blank_values=True))


def _json_object(body: bytes) -> Args:
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        raise breach("invalid_json") from None
    if not isinstance(given, dict):
        raise breach("json_not_object")
    return given


class Web:
    """Runs in the server's loop; the world is changed under its lock."""

    def __init__(self, world: World, faults: Faults, rates: Rates) -> None:
        self._world, self._faults, self._rates = world, faults, rates
        routes = [
            Route("/api/{method:path}", self._api, methods=["GET", "POST"]),
            Route("/response/{name}", self._response, methods=["POST"]),
            Route("/upload/v1/{name}", self._upload, methods=["POST"]),
        ]
        self._app = Starlette(routes=routes)

    @property
    def app(self) -> ASGIApp:
        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            scope[_RAW_SEND] = send
            await self._app(scope, receive, send)

        return with_transport

    async def _api(self, request: Request) -> Response:
        name = request.path_params["method"]
        called = METHODS.get(name)
        try:
            if called is None:
                raise breach("unknown_method", name)
            given = await _arguments(called, request)
        except Refused as refusal:
            return self._refused(name, {}, refusal)
        limited = self._rates.take(name, called.tier, str(given.get("channel", "")))
        if limited is not None:
            return self._limited(name, given, limited)
        fault = self._faults.take(name, given)
        if fault is None:
            return self._call(called, given, request)
        return await self._faulty(fault, called, given, request)

    async def _faulty(self, fault: Fault, called: Method, given: Args, request: Request) -> Response:
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.drop == "before":
            self._note(called.name, given, "dropped")
            return _Dropped()
        if fault.error is not None:
            return self._refused(called.name, given, Refused(fault.error))
        if fault.status == 429:
            return self._limited(called.name, given, fault.retry_after if fault.retry_after is not None else 1)
        if fault.status is not None:
            self._note(called.name, given, str(fault.status))
            return PlainTextResponse("upstream error", fault.status)
        answer = self._call(called, given, request)
        if fault.drop is not None:
            return _Dropped(started=fault.drop == "body")
        return answer

    def _call(self, called: Method, given: Args, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            with self._world.lock:
                check_token(self._world, called, token if scheme == "Bearer" else None)
                check_team(self._world, given)
                answer = called.handler(self._world, called.read(given))
                self._note(called.name, given, None)
        except Refused as refusal:
            return self._refused(called.name, given, refusal)
        headers = {"x-oauth-scopes": ",".join(sorted(self._world.scopes)), "x-slack-req-id": self._world.token()}
        return JSONResponse({"ok": True, **answer}, headers=headers)

    def _note(self, name: str, given: Args, error: str | None) -> None:
        with self._world.lock:
            counts = self._world.counts
            counts[name] = counts.get(name, 0) + 1
            if self._world.keep_calls:
                self._world.calls.append(Call(name, given, self._world.clock.wall(), error))

    def _refused(self, name: str, given: Args, refusal: Refused) -> Response:
        self._note(name, given, refusal.code)
        if refusal.breach:
            self._world.violate(name, refusal.code, refusal.detail)
        body: dict[str, Any] = {"ok": False, "error": refusal.code, **refusal.extra}
        if refusal.detail:
            body["response_metadata"] = {"messages": [f"[ERROR] {refusal.detail}"]}
        return JSONResponse(body)

    def _limited(self, name: str, given: Args, seconds: float) -> Response:
        self._note(name, given, "ratelimited")
        return JSONResponse({"ok": False, "error": "ratelimited"}, 429, headers={"Retry-After": f"{seconds:g}"})

    async def _response(self, request: Request) -> Response:
        name, body = request.path_params["name"], await request.body()
        fault = self._faults.take("response_url", {})
        if fault is not None:
            if fault.delay:
                await asyncio.sleep(fault.delay)
            if fault.drop == "before":
                return _Dropped()
            if fault.status is not None:
                return PlainTextResponse("error", fault.status, headers={"Retry-After": f"{fault.retry_after or 1:g}"})
        try:
            if "authorization" in request.headers:
                raise breach("token_sent", "a response_url takes no token")
            if not request.headers.get("content-type", "").startswith("application/json"):
                raise breach("invalid_post_type", "a response_url takes JSON")
            with self._world.lock:
                given = json.loads(body)
                respond(self._world, name, given)
                self._note("response_url", given, None)
        except ValueError:
            return self._response_refused(breach("invalid_payload", "not JSON"))
        except Refused as refusal:
            return self._response_refused(refusal)
        return _Dropped() if fault is not None and fault.drop else PlainTextResponse("ok")

    def _response_refused(self, refusal: Refused) -> Response:
        self._refused("response_url", {}, refusal)
        return JSONResponse({"ok": False, "error": refusal.code}, 404 if refusal.code.endswith("_url") else 400)

    async def _upload(self, request: Request) -> Response:
        body = await request.body()
        fault = self._faults.take("upload", {})
        if fault is not None and (fault.status or fault.error):
            return PlainTextResponse("error", fault.status or 500)
        with self._world.lock:
            status, text = take_bytes(
                self._world, request.path_params["name"], body, authorized="authorization" in request.headers
            )
        return _Dropped() if fault is not None and fault.drop else PlainTextResponse(text, status)
