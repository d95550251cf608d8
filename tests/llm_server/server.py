"""`LlmServer`: the provider, in a thread of the test process."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.llm_server.answers import Answer, Body, Fail, Say
from tests.llm_server.shapes import ChatRequest, ResponsesRequest, first_problem
from tests.llm_server.streams import Event, chat_events, responses_events

Api = Literal["chat", "responses"]


@dataclass
class Seen:
    """One request as it came."""

    number: int
    api: Api
    path: str
    """With its query."""
    model: str
    """Azure's deployments: the deployment's name."""
    headers: Mapping[str, str]
    body: dict[str, Any]
    azure: bool = False
    ended: Literal["open", "whole", "cut", "left"] = "open"


class _CutError(Exception):
    """The connection is closed in the midst of the answer."""


class LlmServer:
    """See the package's docstring."""

    def __init__(self, *, key: str = "test-key-0123456789", entra_token: str = "entra.token.of.a.test") -> None:
        self.key, self.entra_token = key, entra_token
        self.seen: list[Seen] = []
        self.problems: list[str] = []
        self.brain: Callable[[Seen], Answer] | None = None
        self.deployments: set[str] = set()
        self._scripts: dict[str | None, deque[Answer]] = defaultdict(deque)
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.azure = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            Starlette(routes=_routes(self)),
            log_level="critical",
            lifespan="off",
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def __enter__(self) -> LlmServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """The provider is gone: connections are refused from now on."""
        self._server.should_exit = True
        self._server.force_exit = True
        if self._thread.is_alive():
            self._thread.join(10)
        self._socket.close()

    def script(self, *answers: Answer, model: str | None = None) -> None:
        """To be given in this order, after what is left of earlier scripts."""
        self._scripts[model].extend(answers)

    def reset(self) -> None:
        """As new, on the same port."""
        self.seen, self.problems, self.brain, self.deployments = [], [], None, set()
        self._scripts.clear()

    # --- answering -------------------------------------------------------------------------------------------------

    async def handle(self, request: Request, api: Api, *, azure: bool) -> Response:
        seen = await self._see(request, api, azure=azure)
        if isinstance(seen, Fail):
            return self._failed(seen, "")
        refused = self._refused(request, seen)
        answer = refused or self._next(seen)
        if isinstance(answer, Fail) and not answer.in_stream:
            await asyncio.sleep(answer.before)
            seen.ended = "whole"
            return self._failed(answer, _sent_key(seen.headers))
        if isinstance(answer, Body):
            seen.ended = "whole"
            return Response(answer.content, answer.status, dict(answer.headers), media_type=answer.content_type)
        await asyncio.sleep(answer.before)
        return StreamingResponse(self._stream(seen, answer), media_type="text/event-stream")

    async def _see(self, request: Request, api: Api, *, azure: bool) -> Seen | Fail:
        try:
            body = json.loads(await request.body(), parse_constant=_no_constant)
        except ValueError:
            return self._problem("the body is no JSON")
        if not isinstance(body, dict):
            return self._problem("the body is no object")
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        model = request.path_params.get("deployment") or str(body.get("model"))
        with self._lock:
            seen = Seen(len(self.seen) + 1, api, path, model, dict(request.headers), body, azure)
            self.seen.append(seen)
        return seen

    def _refused(self, request: Request, seen: Seen) -> Fail | None:
        bearer = seen.headers.get("authorization", "").removeprefix("Bearer ")
        accepted = (
            (seen.headers.get("api-key") == self.key or bearer == self.entra_token)
            if seen.azure
            else (bearer == self.key)
        )
        if not accepted:
            return Fail(401, "invalid_api_key", "Incorrect API key provided: {key}.")
        if "deployment" in request.path_params and not request.query_params.get("api-version"):
            return self._problem("api-version is missing")
        if self.deployments and seen.model not in self.deployments:
            return Fail(404, "DeploymentNotFound" if seen.azure else "model_not_found", "There is no such model.")
        problem = first_problem(ChatRequest if seen.api == "chat" else ResponsesRequest, seen.body)
        return self._problem(problem) if problem else None

    def _problem(self, text: str) -> Fail:
        self.problems.append(text)
        return Fail(400, "invalid_request_error", text)

    def _next(self, seen: Seen) -> Answer:
        with self._lock:
            for script in (self._scripts[seen.model], self._scripts[None]):
                if script:
                    return script.popleft()
        if self.brain is not None:
            return self.brain(seen)
        self.problems.append(f"request {seen.number} was not expected")
        return Fail(500, "server_error", "The script is used up.")

    def _failed(self, fail: Fail, key: str) -> Response:
        message = fail.message.replace("{key}", key)
        body = {"error": {"message": message, "type": "error", "param": fail.param, "code": fail.code}}
        return JSONResponse(body, fail.status, dict(fail.headers))

    async def _stream(self, seen: Seen, answer: Say | Fail) -> AsyncIterator[bytes]:
        try:
            if isinstance(answer, Fail):
                yield _written(None, {"error": {"message": answer.message, "code": answer.code, "type": "error"}})
            else:
                async for data in self._say(seen, answer):
                    yield data
            seen.ended = "whole"
        except _CutError:
            seen.ended = "cut"
            raise
        except asyncio.CancelledError:
            seen.ended = "left"
            raise

    async def _say(self, seen: Seen, say: Say) -> AsyncIterator[bytes]:
        async for beat in _wait(say.first, say.keep_alive):
            yield beat
        pieces = 0
        for event in self._events(seen, say):
            if event is not None:
                yield _written(*event)
                continue
            pieces += 1
            if say.cut_after == pieces:
                await asyncio.sleep(0.01)  # what was written before leaves first
                raise _CutError
            if say.stall_after == pieces:
                async for beat in _wait(3600, say.keep_alive):
                    yield beat
            await asyncio.sleep(say.between)
        if seen.api == "chat" and not say.end_early:
            yield b"data: [DONE]\n\n"

    def _events(self, seen: Seen, say: Say) -> Iterator[Event | None]:
        if seen.api == "chat":
            return chat_events(say, seen.model, seen.number, azure=seen.azure)
        return responses_events(say, seen.model, seen.number)


def _routes(server: LlmServer) -> list[Route]:
    def at(path: str, api: Api, *, azure: bool) -> Route:
        async def endpoint(request: Request) -> Response:
            return await server.handle(request, api, azure=azure)

        return Route(path, endpoint, methods=["POST"])

    return [
        at("/v1/chat/completions", "chat", azure=False),
        at("/v1/responses", "responses", azure=False),
        at("/openai/deployments/{deployment}/chat/completions", "chat", azure=True),
        at("/openai/v1/chat/completions", "chat", azure=True),
        at("/openai/v1/responses", "responses", azure=True),
    ]


async def _wait(seconds: float, keep_alive: float | None) -> AsyncIterator[bytes]:
    left = seconds
    while left > 0:
        step = min(left, keep_alive or left)
        await asyncio.sleep(step)
        left -= step
        if keep_alive:
            yield b": keep-alive\n\n"


def _written(name: str | None, data: dict[str, Any]) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def _sent_key(headers: Mapping[str, str]) -> str:
    return headers.get("api-key") or headers.get("authorization", "").removeprefix("Bearer ")


def _no_constant(name: str) -> None:
    raise ValueError(name)
