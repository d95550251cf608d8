"""What a trace holds and what it never holds; where it is kept, and what is sent to whom."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from agent.graph import build_chat_graph, chat_context, run_turn
from agent.settings_llm import LlmSettings
from agent.store import Store
from agent.store.traces import KEPT
from agent.trace_export import exporter
from tests.doubles.chain import Chain, Talk, call
from tests.doubles.chat import Chat
from tests.unit.agent.plans import HandClock


def traces_of(chat: Chat, *texts: str) -> list[dict[str, Any]]:
    from langgraph.checkpoint.memory import InMemorySaver

    from tests.doubles.account import person

    kept: list[dict[str, Any]] = []
    graph = build_chat_graph(InMemorySaver())
    for text in texts:
        context = chat_context(
            chat._tools, person("admin"), audit=chat._audit, thinker=chat.thinker, on_trace=kept.append
        )
        run_turn(graph, context, text, "t1")
    return kept


@pytest.fixture(scope="module")
def trace() -> dict[str, Any]:
    return traces_of(Chat(), "credits by warehouse last week")[0]


def test_a_trace_has_the_path_of_the_turn(trace: dict[str, Any]) -> None:
    path = ["screen_input", "converse", "call_tools", "converse", "compose", "check_answer", "reply"]
    assert [node["node"] for node in trace["nodes"]] == path
    assert all(node["ms"] >= 0 for node in trace["nodes"])
    (called,) = trace["calls"]
    assert (called["tool"], called["status"], called["args"]["by"]) == ("query_usage", "ok", "warehouse")
    assert trace["proof"] == {"refused": 0, "mended": 0, "replaced": 0}
    assert trace["evidence"][0] == "f1"
    assert json.loads(json.dumps(trace)) == trace


def test_no_address_and_no_literal_of_a_question_is_in_a_trace() -> None:
    texts = "how do I stop queries like select * from t where mail = 'jo@acme.example'", "credits of jo@acme.example"
    kept = json.dumps(traces_of(Chat(), *texts))
    assert "acme.example" not in kept


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "store.db", account="A", clock=HandClock())
    yield opened
    opened.close()


def test_what_is_kept_is_found_summed_and_forgotten(store: Store, trace: dict[str, Any]) -> None:
    replaced = {"refused": 2, "mended": 0, "replaced": 1}
    store.traces.put(trace)
    store.traces.put(trace | {"id": "other", "ms": 900, "proof": replaced, "usd": 0.5, "planner_took_over": True})
    found = store.traces.get(trace["id"])
    assert found is not None
    assert {key: found[key] for key in trace} == trace
    assert store.traces.get("nothing") is None
    stats = store.traces.stats()
    assert (stats.replies, stats.refused, stats.mended, stats.replaced, stats.fallbacks) == (2, 1, 0, 1, 1)
    assert stats.p95_ms == 900
    assert [(day.replies, day.usd) for day in stats.days] == [(2, 0.5)]
    now = HandClock().now()
    assert store.traces.prune(now - KEPT) == 0
    assert store.traces.prune(now + timedelta(days=1)) == 2
    assert store.traces.stats().replies == 0


def test_model_calls_and_refusals_are_in_it() -> None:
    usage = call("query_usage", by="warehouse", window="last week")
    talk = Talk(Chain((usage, "I have resized it.", "It was [[f1]].")))
    talk.chat.thinker = talk.make()
    (kept,) = traces_of(talk.chat, "credits by warehouse last week")
    assert kept["proof"] == {"refused": 1, "mended": 1, "replaced": 0}
    assert kept["problems"]
    assert len(kept["thinking"]) == 3
    assert kept["tokens"]["input"] == 300


# --- where it is sent -------------------------------------------------------------------------------------------------


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self) -> None:
        self.got: queue.Queue[Any] = queue.Queue()

    def Export(self, request: Any, context: Any) -> Any:
        self.got.put((request, dict(context.invocation_metadata())))
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
def collector() -> Iterator[tuple[Collector, int]]:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    service = Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield service, port
    server.stop(0).wait()


def test_spans_arrive_at_a_collector_without_values(collector: tuple[Collector, int], trace: dict[str, Any]) -> None:
    service, port = collector
    llm = LlmSettings(export="otlp", export_url=f"http://127.0.0.1:{port}", export_key="sesame")  # type: ignore[arg-type]
    send, close = exporter(llm)
    send(trace)
    close()
    request, headers = service.got.get(timeout=10)
    spans = request.resource_spans[0].scope_spans[0].spans
    assert headers["authorization"] == "sesame"
    assert len(spans) == 1 + len(trace["nodes"]) + len(trace["calls"])
    top = next(span for span in spans if span.name == "invoke_agent frostline")
    assert {span.trace_id for span in spans} == {top.trace_id}
    assert {span.parent_span_id for span in spans if span is not top} == {top.span_id}
    tool = next(span for span in spans if span.name == "execute_tool query_usage")
    given = {pair.key for pair in tool.attributes}
    assert {"gen_ai.operation.name", "gen_ai.tool.name", "frostline.tool.status"} <= given
    assert b"last week" not in request.SerializeToString()
    assert trace["person"].encode() not in request.SerializeToString()


class LangSmith(BaseHTTPRequestHandler):
    got: ClassVar[list[tuple[str, str | None, bytes]]] = []

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.got.append((self.path, self.headers.get("x-api-key"), body))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PATCH = answer

    def log_message(self, *args: Any) -> None: ...


def test_runs_arrive_at_langsmith_without_values(trace: dict[str, Any]) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), LangSmith) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        send, close = exporter(LlmSettings(export="langsmith", export_url=url, export_key="sesame"))  # type: ignore[arg-type]
        send(trace)
        close()
        server.shutdown()
    sent = b"".join(body for _, _, body in LangSmith.got)
    assert {key for _, key, _ in LangSmith.got} == {"sesame"}
    assert b"execute_tool query_usage" in sent
    assert b"last week" not in sent


def test_nothing_is_imported_for_an_export_that_is_not_set() -> None:
    code = (
        "import sys, agent.runtime, agent.graph, agent.store\n"
        "assert not [m for m in sys.modules if m.startswith('opentelemetry.exporter')]\n"
        "assert 'agent.trace_export' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=170)
