"""What the commands of plans do where a person answers at a terminal."""

from __future__ import annotations

import builtins
import json
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from agent.store import Store
from bots.cli import plans
from bots.cli.output import Output
from tests.unit.agent.plans import HandClock, plan


def test_ctrl_d_at_the_prompt_for_the_digest_leaves_and_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def end_of_input(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(builtins, "input", end_of_input)
    monkeypatch.setattr(plans, "show_found", lambda out, found: None)
    runtime: Any = SimpleNamespace(store=SimpleNamespace(resolve=lambda ref: None))
    out = Output()
    with pytest.raises(typer.Abort), out.edge():
        plans._typed(out, runtime, "p1")


@pytest.mark.parametrize(("stored", "more"), [(100, 0), (103, 3)])
def test_a_list_that_is_cut_says_so(
    stored: int, more: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/store.db", account="ACME", clock=HandClock())
    store.propose([plan(f"p{n}") for n in range(stored)])
    monkeypatch.setattr(plans, "opened", lambda *_: nullcontext(SimpleNamespace(store=store)))
    plans.list_plans(Output(as_json=True), None, None)
    found = capsys.readouterr()
    told = json.loads(found.out)
    assert (len(told["plans"]), told["more"]) == (100, more)
    assert (f"{more} more" in found.err) is bool(more)
    plans.list_plans(Output(as_json=True), None, "applied")
    assert json.loads(capsys.readouterr().out) == {"plans": [], "more": 0}
    store.close()
