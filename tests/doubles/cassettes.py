"""Cassettes: what a real language model answered over HTTP, recorded once and replayed with no server.

They are recorded only (`make cassettes`), never written or edited by hand; the first line of each says from where.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import vcr  # type: ignore[import-untyped]
from vcr.serializers import yamlserializer  # type: ignore[import-untyped]

FOLDER = Path(__file__).parent.parent / "cassettes"

# Read before a test's clean environment: they say what the suite is run for.
LIVE_URL = os.environ.get("FROSTLINE_TEST_LLM_URL", "")
LIVE_MODEL = os.environ.get("FROSTLINE_TEST_LLM_MODEL", "local")
RECORD = os.environ.get("FROSTLINE_TEST_LLM_RECORD", "")
"""What the cassettes are recorded from, in words: 'Qwen2.5-Coder-1.5B on loopback'. Empty: they are replayed."""

_SENT = ("authorization", "api-key", "cookie", "user-agent", "x-stainless-*")
_KEPT = ("content-type",)
"""Of a response; cookies, organisations, servers and dates say who recorded it, and no test needs them."""


class _Labelled:
    """YAML below a line that says what it is."""

    @staticmethod
    def serialize(cassette: dict[str, Any]) -> str:
        return f"# recorded from {RECORD}, {datetime.now(UTC):%Y-%m-%d}\n{yamlserializer.serialize(cassette)}"

    @staticmethod
    def deserialize(text: str) -> Any:
        return yamlserializer.deserialize(text)


def _without_sender(request: Any) -> Any:
    """Of the headers, only what says how to read the body."""
    for name in list(request.headers):
        if name.lower() not in _KEPT:
            del request.headers[name]
    return request


def _without_server(response: dict[str, Any]) -> dict[str, Any]:
    response["headers"] = {name: value for name, value in response["headers"].items() if name.lower() in _KEPT}
    return response


@contextmanager
def cassette(name: str, folder: Path = FOLDER) -> Iterator[Any]:
    """Requests go to the cassette: each has to be in it, method, path and body, and is answered once."""
    player = vcr.VCR(
        cassette_library_dir=str(folder),
        record_mode="all" if RECORD else "none",
        match_on=("method", "path", "body"),
        filter_headers=[header for header in _SENT if "*" not in header],
        before_record_request=_without_sender,
        before_record_response=_without_server,
        decode_compressed_response=True,
    )
    player.register_serializer("labelled", _Labelled)
    path = f"{name}.yaml"
    if RECORD:
        (folder / path).unlink(missing_ok=True)
    with player.use_cassette(path, serializer="labelled", allow_playback_repeats=False) as playing:
        yield playing


def unplayed(playing: Any) -> list[int]:
    """Numbers of the interactions that nobody asked for."""
    return [number for number in range(len(playing)) if playing.play_counts[number] == 0]


def orphans(folder: Path, names: set[str]) -> tuple[set[str], set[str]]:
    """Cassettes without a test, and tests without a cassette."""
    there = {path.stem for path in folder.iterdir() if path.suffix in (".yaml", ".yml", ".json")}
    return there - names, names - there


def refused_url() -> str:
    """Where nobody listens: a connection there is refused."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", port)) != 0
    return f"http://127.0.0.1:{port}/v1"
