"""Traces for those who look at them elsewhere: OpenTelemetry spans by OTLP (gRPC), or runs in LangSmith.

Sent are names of nodes, tools and arguments, states, times, tokens, cost and counts. Values of arguments, names of
people and of the account, and what check_answer objected to stay in the store. Sending happens aside: a collector
that does not answer delays no reply.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from agent.settings_llm import LlmSettings

__all__ = ["exporter"]

_OTLP = "http://127.0.0.1:4317"
Send = Callable[[dict[str, Any]], None]


def exporter(llm: LlmSettings) -> tuple[Send, Callable[[], None]]:
    """(send a trace, send what waits and close), by `llm.export`."""
    return _langsmith(llm) if llm.export == "langsmith" else _otlp(llm)


def spans(trace: dict[str, Any]) -> list[tuple[str, int, int, dict[str, Any]]]:
    """(name, ms from the turn's beginning, ms it took, attributes); the turn itself first.

    Attribute names are those of OpenTelemetry's conventions for generative AI where these have one.
    """
    proof = trace["proof"]
    turn: dict[str, Any] = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "frostline",
        "gen_ai.response.model": trace["model"],
        "gen_ai.usage.input_tokens": trace["tokens"]["input"],
        "gen_ai.usage.output_tokens": trace["tokens"]["output"],
        "frostline.trace_id": trace["id"],
        "frostline.status": trace["status"],
        "frostline.screened": trace["screened"],
        "frostline.cost_usd": trace["usd"],
        "frostline.facts": trace["facts"],
        "frostline.prompts": trace["prompts"],
        **{f"frostline.proof.{name}": int(proof.get(name, 0)) for name in ("refused", "mended", "replaced")},
    }
    found = [("invoke_agent frostline", 0, trace["ms"], turn)]
    found += [(f"node {n['node']}", n["at_ms"], n["ms"], {"frostline.node": n["node"]}) for n in trace["nodes"]]
    for call in trace["calls"]:
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call["tool"],
            "frostline.tool.arguments": sorted(call["args"]),
            "frostline.tool.status": call.get("status", "stopped"),
            "frostline.query_ids": list(call.get("query_ids", ())),
        }
        found.append((f"execute_tool {call['tool']}", call["at_ms"], call["ms"], attributes))
    return found + [(f"chat {call['model']}", 0, call["ms"], _chat(call)) for call in trace["thinking"]]


def _chat(call: dict[str, Any]) -> dict[str, Any]:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.response.model": call["model"],
        "gen_ai.usage.input_tokens": call["input_tokens"],
        "gen_ai.usage.output_tokens": call["output_tokens"],
        "frostline.purpose": call["purpose"],
        "frostline.prompt": call["prompt"],
        "frostline.fallback": call["fallback"],
    }
    return attributes | ({"error.type": call["error"]} if call["error"] else {})


# --- OpenTelemetry --------------------------------------------------------------------------------------------------


def _otlp(llm: LlmSettings) -> tuple[Send, Callable[[], None]]:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.trace import set_span_in_context

    address = urlsplit(llm.export_url or _OTLP)
    headers = {"authorization": llm.export_key.get_secret_value()} if llm.export_key else None
    sender = OTLPSpanExporter(endpoint=address.netloc, insecure=address.scheme == "http", headers=headers, timeout=5)
    provider = TracerProvider(resource=Resource({"service.name": "frostline"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(sender))
    tracer = provider.get_tracer("frostline")

    def send(trace: dict[str, Any]) -> None:
        above = None
        for name, at_ms, ms, attributes in spans(trace):
            begin = trace["began_ns"] + at_ms * 1_000_000
            span = tracer.start_span(name, context=above, attributes=attributes, start_time=begin)
            if above is None:
                above = set_span_in_context(span)
            span.end(end_time=begin + ms * 1_000_000)

    return send, provider.shutdown


# --- LangSmith --------------------------------------------------------------------------------------------------------


def _langsmith(llm: LlmSettings) -> tuple[Send, Callable[[], None]]:
    from langsmith import Client
    from langsmith.run_trees import RunTree

    key = llm.export_key.get_secret_value() if llm.export_key else None
    client = Client(api_url=llm.export_url, api_key=key, omit_traced_runtime_info=True)

    def send(trace: dict[str, Any]) -> None:
        above: RunTree | None = None
        for name, at_ms, ms, attributes in spans(trace):
            begin, end = (
                datetime.fromtimestamp(trace["began_ns"] / 1e9 + offset / 1e3, UTC) for offset in (at_ms, at_ms + ms)
            )
            kind = {"chat": "llm", "execute_tool": "tool"}.get(str(attributes.get("gen_ai.operation.name")), "chain")
            given: dict[str, Any] = {"name": name, "run_type": kind, "start_time": begin, "inputs": {}}
            run = (
                above.create_child(**given)
                if above is not None
                else RunTree(**given, ls_client=client, project_name="frostline")
            )
            run.end(outputs=attributes, end_time=end)
            run.post()
            above = above or run

    def close() -> None:
        client.flush()
        client.close()

    return send, close
