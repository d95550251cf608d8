"""What the commands of plans do where a person answers at a terminal."""

from __future__ import annotations

import builtins
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from bots.cli import plans
from bots.cli.output import Output


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
