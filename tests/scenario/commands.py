"""The command line as a person or a script runs it: a process each, its one JSON object, its exit code."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from typer.testing import CliRunner

from agent.runtime import Runtime
from agent.settings import load_settings
from bots.cli.main import app
from tests import account


def run(
    home: Path, *args: str, stdin: str | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """One command; whatever its exit code."""
    return account.frostline(home, *args, check=False, stdin=stdin, **(env or {}))


def answer(home: Path, *args: str, code: int = 0, env: dict[str, str] | None = None) -> dict[str, Any]:
    """The one JSON object of a command that was called with --json."""
    done = run(home, *args, "--json", env=env)
    assert done.returncode == code, f"{args} -> {done.returncode}\n{done.stdout}\n{done.stderr}"
    return one_object(done)


class Printed(Protocol):
    """What a command wrote."""

    @property
    def stdout(self) -> str: ...
    @property
    def stderr(self) -> str: ...


def one_object(done: Printed) -> dict[str, Any]:
    """Stdout is exactly one JSON object on one line; nobody is shown a traceback."""
    assert "Traceback" not in done.stderr + done.stdout
    assert done.stdout.count("\n") == 1, done.stdout
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def cli(home: Path, *args: str, **env: str) -> tuple[int, str, str]:
    """A command in this process, where only its words and its exit code count: code, stdout, stderr."""
    done = CliRunner().invoke(app, list(args), env={"FROSTLINE_HOME": str(home)} | env, catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


@contextmanager
def opened(home: Path, **env: str) -> Iterator[Runtime]:
    """The same home in this process: much quicker where many questions are asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FROSTLINE_HOME", str(home))
        for name, value in ({"FROSTLINE_DEMO__SERVER_IDLE_S": "300"} | env).items():
            patch.setenv(name, value)
        settings = load_settings("demo")
    with Runtime.open(settings) as runtime:
        yield runtime


def alters(home: Path) -> list[dict[str, Any]]:
    """What the demo server really executed."""
    log = home / "demo" / "account" / "alters.jsonl"
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.is_file() else []
