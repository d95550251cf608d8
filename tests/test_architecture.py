"""The rules of the house that no single module can hold by itself."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.metadata
import subprocess
from pathlib import Path

import pytest

from tools.context import ToolContext

ROOT = Path(__file__).parent.parent
PACKAGES = ("agent", "tools", "prompts", "knowledge", "bots", "evals")


def _sources() -> list[Path]:
    return [p for package in PACKAGES for p in (ROOT / package).rglob("*.py")]


@pytest.mark.parametrize("package", PACKAGES)
def test_top_level_packages_are_ours(package: str) -> None:
    """Plain names can be taken by another distribution: then its modules would run instead of ours."""
    module = importlib.import_module(package)
    assert module.__path__, package
    assert Path(next(iter(module.__path__))).parent == ROOT
    owners = set(importlib.metadata.packages_distributions().get(package, ()))
    assert owners <= {"frostline"}


def test_a_tool_context_holds_no_way_to_write() -> None:
    names = {f.name for f in dataclasses.fields(ToolContext)}
    types = " ".join(str(f.type) for f in dataclasses.fields(ToolContext))
    assert not names & {"writer", "connection", "execute", "gateway"}
    assert "Writer" not in types


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_only_the_execute_node_imports_apply() -> None:
    users = {p.relative_to(ROOT).as_posix() for p in _sources() if "tools.apply" in _imports(p)}
    assert users == {"agent/nodes/execute.py"}


def test_no_import_chain_leads_from_the_models_tools_to_a_writer() -> None:
    """Directly or through others: nothing the registry pulls in may reach `apply` or the writer."""
    import grimp

    graph = grimp.build_graph("tools", "agent")
    for target in ("tools.apply", "tools.warehouse.writer"):
        chain = graph.find_shortest_chain(importer="tools.registry", imported=target)
        assert chain is None, chain


def test_a_scan_holds_no_way_to_write_and_none_leads_from_it() -> None:
    """Neither a writer nor what approves: by its fields, and by what it imports, directly or through others."""
    import grimp

    from agent.scan import ScanContext

    names = {f.name for f in dataclasses.fields(ScanContext)}
    types = " ".join(str(f.type) for f in dataclasses.fields(ScanContext))
    assert not names & {"writer", "connection", "execute", "gateway", "store", "plans", "runner"}
    assert "Writer" not in types
    graph = grimp.build_graph("tools", "agent")
    for source in (m for m in graph.modules if m == "agent.scan" or m.startswith("agent.scan.")):
        for target in ("tools.apply", "tools.warehouse.writer", "agent.approvals", "agent.nodes.execute"):
            chain = graph.find_shortest_chain(importer=source, imported=target)
            assert chain is None, chain


def test_only_settings_reads_the_environment() -> None:
    readers = set()
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"):
                readers.add(path.relative_to(ROOT).as_posix())
    assert readers <= {"agent/settings.py"}


def _swallows(handler: ast.ExceptHandler) -> bool:
    """A handler for everything that does not end by raising again."""
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    broad = any(n is None or (isinstance(n, ast.Name) and n.id in ("Exception", "BaseException")) for n in names)
    return broad and not isinstance(handler.body[-1], ast.Raise)


def test_broad_excepts_stand_only_at_the_edges() -> None:
    broad = {
        path.relative_to(ROOT).as_posix()
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and _swallows(node)
    }
    assert broad == {
        "bots/worker.py",  # one round of recovery
        "bots/scanning.py",  # one scan of a loop
        "bots/slack/deciding.py",  # one press or form: whoever pressed hears of it
        "bots/slack/dispatcher.py",  # one question: its person is told, and the worker goes on
        "bots/slack/pool.py",  # one press of a button, one round of a chore: logged, and its thread goes on
        "tools/demo/running.py",  # one statement of the demo account's server: an error answer at once
        "tools/demo/server.py",
    }


def test_pins_name_no_index_and_every_package_is_pinned() -> None:
    lines = [x for x in (ROOT / "requirements.txt").read_text().splitlines() if x and not x.startswith("#")]
    assert len(lines) > 50
    assert all("==" in line for line in lines)
    assert not [line for line in lines if "://" in line or line.startswith("-")]


def test_tracked_files_name_no_machine_path() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    needles = ("/" + "work/", "/" + "root/")
    offenders = [
        name
        for name in listed
        if name
        and (ROOT / name).is_file()
        and any(n in (ROOT / name).read_text(encoding="utf-8", errors="replace") for n in needles)
    ]
    assert offenders == []
