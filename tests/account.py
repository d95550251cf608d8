"""A demo account built once for the whole run, as a person's first question builds it, and copied for whoever needs one
of their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
from filelock import FileLock

ROOT = Path(__file__).parent.parent
POLICY = (ROOT / "agent" / "policy.toml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class FirstQuestion:
    """What the question that built the account printed, and the command after it; the modes of the files then."""

    stdout: str
    stderr: str
    info: str
    info_stderr: str
    modes: dict[str, str]


def template(base: Path) -> Path:
    """A home whose demo account is built; `base` is shared by all workers of one run."""
    home = base / "template-home"
    with FileLock(str(base / "template.lock")):
        if not (home / "first.json").is_file():
            (home / "first.json").write_text(json.dumps(asdict(_first_question(home))), encoding="utf-8")
    return home


def first_question(template_home: Path) -> FirstQuestion:
    return FirstQuestion(**json.loads((template_home / "first.json").read_text(encoding="utf-8")))


def _first_question(home: Path) -> FirstQuestion:
    asked = frostline(home, "ask", "credits by warehouse last week", "--json")
    folder = home / "demo"
    found = [folder, *(folder / "account" / name for name in ("reader.secret", "operator.secret", "server.json"))]
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in found}
    info = frostline(home, "account", "info", "--json")
    stop_server(home)
    _forget(folder / "account")
    return FirstQuestion(asked.stdout, asked.stderr, info.stdout, info.stderr, modes)


def _forget(account: Path) -> None:
    """The server keeps what it was asked in QUERY_HISTORY: whoever copies the account gets it as it was built."""
    from tools.demo import layout

    with duckdb.connect(str(layout.database_file(account))) as con:
        con.execute(f"DELETE FROM {layout.RAW}.QUERY_HISTORY WHERE USER_NAME = 'FROSTLINE_READER'")


def new_home(template_home: Path, target: Path, *, policy: str | None = None) -> Path:
    """A copy of the template with its own server, store and policy."""
    source = template_home / "demo" / "account"
    account = target / "demo" / "account"
    account.mkdir(parents=True, mode=0o700)
    for name in ("account.toml", "views.json", "simulation.json"):
        shutil.copy(source / name, account / name)
    shutil.copytree(source / "data", account / "data")
    if policy is not None:
        (target / "demo" / "policy.toml").write_text(policy, encoding="utf-8")
    return target


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a command started by a test sees: no setting of this machine."""
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("FROSTLINE_", "SNOWFLAKE_", "OPENAI_", "SLACK_"))}
    return keep | {"FROSTLINE_HOME": str(home), "FROSTLINE_DEMO__SERVER_IDLE_S": "120", "COLUMNS": "120"} | more


def frostline(
    home: Path, *args: str, check: bool = True, stdin: str | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person would: a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bots.cli.main", *args],
        cwd=ROOT,
        env=environment(home, **env),
        capture_output=True,
        text=True,
        input=stdin if stdin is not None else "",
        timeout=300,
        check=False,
    )
    if check and done.returncode != 0:
        raise AssertionError(f"frostline {' '.join(args)} -> {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def stop_server(home: Path) -> None:
    from tools.demo.process import stop_server as stop

    stop(home / "demo" / "account")
