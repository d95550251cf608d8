"""A demo account built once for the whole run and copied for whoever needs one of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).parent.parent
POLICY = (ROOT / "agent" / "policy.toml").read_text(encoding="utf-8")


def template(base: Path) -> Path:
    """A home whose demo account is built; `base` is shared by all workers of one run."""
    home = base / "template-home"
    with FileLock(str(base / "template.lock")):
        if not (home / "demo" / "account" / "account.toml").is_file():
            frostline(home, "account", "reset", "--json")
    return home


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
