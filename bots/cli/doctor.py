"""`frostline doctor`: whether everything answers, and what to do where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bots.cli.opening import opened
from bots.cli.output import Output
from tools.errors import BadArgument, FrostlineError

if TYPE_CHECKING:
    from agent.runtime import Runtime
    from tools.warehouse.checks import Check

__all__ = ["run_doctor"]


def run_doctor(out: Output, profile: str | None, *, ask_models: bool = False) -> None:
    with out.edge():
        with opened(out, profile) as runtime:
            checks = [*_checks(runtime), *_models(runtime, ask_models)]
        bad = [c for c in checks if c.ok is False]
        if out.as_json:
            out.json({"ok": not bad, "checks": [asdict(c) for c in checks]})
        else:
            mark = {True: "ok", False: "FAIL", None: "?"}
            out.table(("", "check", "found"), [(mark[c.ok], c.name, c.detail) for c in checks])
            for check in checks:
                if check.ok is not True and check.fix:
                    out.say(f"{check.name}: {check.fix}")
        if bad:
            raise typer.Exit(1)


def _checks(runtime: Runtime) -> Iterator[Check]:
    from tools.warehouse.checks import probe_keys, probe_reader, probe_same_account, probe_writer

    yield from _packages()
    yield _attempt("settings", lambda: f"profile {runtime.settings.profile}, state in {runtime.settings.state_dir}")
    yield _attempt("policy", lambda: _policy(runtime))
    yield from _protected(runtime)
    yield _attempt("store", lambda: _store(runtime))
    yield _attempt("account", lambda: f"{runtime.account.name} ({runtime.account.origin}), {runtime.account.timezone}")
    yield _attempt("proxy", lambda: _proxy(runtime))
    yield _attempt("result cache", lambda: _cache(runtime))
    yield from _probed("reader", lambda: probe_reader(runtime.reader_config))
    yield from _probed("reader", lambda: probe_keys(runtime.reader_config, "reader"))
    yield from _probed("writer", lambda: probe_writer(runtime.operator_config))
    yield from _probed("writer", lambda: probe_keys(runtime.operator_config, "writer"))
    yield from _probed("account", lambda: probe_same_account(runtime.reader_config, runtime.operator_config))
    yield _attempt("slack", lambda: _slack(runtime))


def _packages() -> Iterator[Check]:
    """A foreign distribution that owns one of our plain names would run instead of us."""
    import importlib.metadata
    import importlib.util

    from tools.warehouse.checks import Check

    here = Path(__file__).resolve().parents[2]
    owners = importlib.metadata.packages_distributions()
    for name in ("agent", "tools", "prompts", "knowledge", "bots", "evals"):
        spec = importlib.util.find_spec(name)
        places = list(spec.submodule_search_locations or []) if spec else []
        foreign = set(owners.get(name, ())) - {"frostline"}
        if foreign or not places or Path(places[0]).resolve().parent != here:
            yield Check(
                f"package {name}", False, f"belongs to {', '.join(foreign) or places}", "Use a venv of its own."
            )
            return
    yield Check("packages", True, "all six are ours")


def _policy(runtime: Runtime) -> str:
    file = runtime.policy.file
    return f"{len(file.rules)} rules, {len(file.people)} people, {len(file.groups)} groups"


def _protected(runtime: Runtime) -> Iterator[Check]:
    """A name that is misspelt protects nothing, and nobody is told of it."""
    from tools.warehouse.checks import Check

    try:
        globs = runtime.policy.file.limits.protected
        unused = runtime.policy.protects_nothing([w.name for w in runtime.reader.warehouses()]) if globs else ()
    except FrostlineError:
        return  # its own line says what is wrong with the policy or the account
    if unused:
        what = f"no warehouse that Frostline sees fits {', '.join(unused)}"
        yield Check("protected", None, what, "Spell it as SHOW WAREHOUSES does, in [limits] protected of policy.toml.")
    elif globs:
        yield Check("protected", True, f"{len(globs)} named, each fits a warehouse")


def _proxy(runtime: Runtime) -> str:
    shown = runtime.settings.proxy.shown
    return shown if runtime.settings.account.kind == "live" else f"{shown}; this machine's own account is not behind it"


def _cache(runtime: Runtime) -> str:
    given = runtime.settings.cache
    return f"on, at most {given.megabytes} MB" if given.enabled else "off"


def _slack(runtime: Runtime) -> str:
    """What is set, without asking Slack; the bot's own check does that."""
    given = runtime.settings.slack
    needed = "app_token" if given.mode == "socket" else "signing_secret"
    missing = next((name for name in ("bot_token", needed) if getattr(given, name) is None), None)
    if missing == "bot_token":
        if any(group.id.startswith("slack:") for group in runtime.policy.file.groups):
            raise BadArgument("policy.toml has Slack's groups; without a token nobody is in them.", hint=_set(missing))
        return "not configured (docs/slack.md)"
    if missing:
        raise BadArgument(f"There is no {missing}, which {given.mode} mode needs.", hint=_set(missing))
    return f"configured, {given.mode} mode; `frostline slack --check` asks Slack itself"


def _models(runtime: Runtime, ask: bool) -> list[Check]:
    from bots.cli.doctor_models import model_checks
    from tools.warehouse.checks import Check

    try:
        return list(model_checks(runtime, ask=ask))
    except FrostlineError as error:
        return [Check("models", False, error.message, error.hint)]


def _set(name: str) -> str:
    return f"Set FROSTLINE_SLACK__{name.upper()}; docs/slack.md says where to find it."


def _store(runtime: Runtime) -> str:
    report = runtime.store.verify_audit()
    if not report.ok:
        raise BadArgument(f"The audit chain is broken: {report.problems[0]}", hint="frostline audit verify")
    return f"reachable, audit chain whole ({report.rows} rows)"


def _attempt(name: str, look: Any) -> Check:
    from tools.warehouse.checks import Check

    try:
        return Check(name, True, look())
    except FrostlineError as error:
        return Check(name, False, error.message, error.hint)


def _probed(name: str, probe: Any) -> list[Check]:
    from tools.warehouse.checks import Check

    try:
        found: list[Check] = probe()
    except FrostlineError as error:
        return [Check(f"{name}: connection", False, error.message, error.hint)]
    return found
