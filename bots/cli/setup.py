"""`frostline setup` and `frostline doctor`: the profile, the grants it needs, and whether everything answers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bots.cli.opening import opened, settings_for
from bots.cli.output import Output
from tools.errors import BadArgument, FrostlineError

if TYPE_CHECKING:
    from agent.runtime import Runtime
    from tools.warehouse.checks import Check

__all__ = ["Answers", "run_doctor", "run_setup"]


@dataclass
class Answers:
    """What a profile for a Snowflake account needs; None: asked on a terminal."""

    account: str | None = None
    reader_user: str | None = None
    reader_key: str | None = None
    reader_warehouse: str | None = None
    operator_user: str | None = None
    operator_key: str | None = None
    credit_price: float | None = None


_QUESTIONS: tuple[tuple[str, str, str | None], ...] = (
    ("account", "Account identifier (org-account)", None),
    ("reader_user", "User that reads", "FROSTLINE_READER"),
    ("reader_key", "Its private key file", "reader_key.p8"),
    ("reader_warehouse", "Warehouse it may use for its queries", "COST_READER_WH"),
    ("operator_user", "User that applies approved changes", "FROSTLINE_OPERATOR"),
    ("operator_key", "Its private key file", "operator_key.p8"),
    ("credit_price", "USD a credit, by your contract", "3.0"),
)


def run_setup(
    out: Output, profile: str | None, print_grants: bool, warehouses: Sequence[str], answers: Answers, force: bool
) -> None:
    with out.edge():
        if print_grants:
            _print_grants(out, profile, warehouses)
        else:
            _write_profile(out, profile, answers, force)


def _print_grants(out: Output, profile: str | None, warehouses: Sequence[str]) -> None:
    from tools.warehouse.grants import operator_grants, reader_grants

    settings = settings_for(out, profile)
    names = list(warehouses)
    if not names:
        with opened(out, profile) as runtime:
            names = [w.name for w in runtime.reader.warehouses()]
    reader, operator = settings.reader, settings.operator
    sql = reader_grants(
        names,
        role=reader.role or "COST_READER",
        user=reader.user or "FROSTLINE_READER",
        compute=reader.warehouse or "COST_READER_WH",
    )
    sql += "\n" + operator_grants(
        names, role=operator.role or "COST_OPERATOR", user=operator.user or "FROSTLINE_OPERATOR"
    )
    if out.as_json:
        out.json({"warehouses": names, "sql": sql})
    else:
        typer.echo(sql, nl=False)


def _write_profile(out: Output, profile: str | None, answers: Answers, force: bool) -> None:
    from agent.settings import state_home

    if profile in (None, "demo"):
        raise BadArgument("Name the profile to write.", hint="frostline --profile prod setup")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}", str(profile)):
        raise BadArgument("That is not a profile name.", hint="Letters, digits, '-' and '_'.")
    path = state_home() / "profiles" / f"{profile}.toml"
    if path.exists() and not force:
        raise BadArgument(f"Profile {profile} is there already.", hint=f"{path}  (--force writes it anew)")
    text = _profile_text(_ask_missing(answers))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")
    if out.as_json:
        out.json({"profile": profile, "file": str(path)})
        return
    out.say(f"Wrote {path}")
    out.say(f"Next: frostline --profile {profile} setup --print-grants --warehouse <each>   (run its SQL as an admin)")
    out.say(f"Then: frostline --profile {profile} doctor")
    out.say(f"In Slack too: docs/slack.md, then frostline --profile {profile} slack --check")


def _ask_missing(answers: Answers) -> dict[str, Any]:
    values = asdict(answers)
    for field, question, default in _QUESTIONS:
        if values[field] is not None:
            continue
        if sys.stdin.isatty():
            values[field] = typer.prompt(question, default=default)
        elif default is not None:
            values[field] = default
        else:
            raise BadArgument(f"{question} is needed.", hint=f"--{field.replace('_', '-')} VALUE")
    try:
        values["credit_price"] = float(values["credit_price"])
    except ValueError:
        values["credit_price"] = 0.0
    if not 0 < values["credit_price"] <= 1000:  # also where it is no number at all
        raise BadArgument("The price of a credit is a number of USD above 0, e.g. 3.0.")
    for key in ("reader_key", "operator_key"):
        # Written down as it is, it would be looked for wherever Frostline is started.
        values[key] = Path(values[key]).expanduser().absolute()
    return values


def _profile_text(values: dict[str, Any]) -> str:
    import json
    import tomllib

    def quoted(name: str) -> str:
        text = json.dumps(str(values[name]), ensure_ascii=False)
        try:
            tomllib.loads(f"v = {text}").get("v", "").encode()
        except ValueError:
            raise BadArgument(f"{name.replace('_', ' ')} has characters that no profile can hold.") from None
        return text

    return f"""\
# Written by `frostline setup`. Other ways to log in: password, token (PAT) or connection_name instead of
# private_key_file; secrets belong in the environment (FROSTLINE_READER__PASSWORD, ..._FILE), not here.
[account]
kind = "live"
name = {quoted("account")}
credit_price = {values["credit_price"]}

[reader]
account = {quoted("account")}
user = {quoted("reader_user")}
role = "COST_READER"
warehouse = {quoted("reader_warehouse")}
private_key_file = {quoted("reader_key")}

[operator]
account = {quoted("account")}
user = {quoted("operator_user")}
role = "COST_OPERATOR"
private_key_file = {quoted("operator_key")}

# In Slack (docs/slack.md). The tokens belong in the environment: FROSTLINE_SLACK__BOT_TOKEN, __APP_TOKEN.
# [slack]
# channels = ["C0123456789"]             # ids; default: wherever it was invited
# approvals_channel = "C0123456789"      # every plan is shown there too
"""


# --- doctor ------------------------------------------------------------------------------------------------------


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
    from tools.warehouse.checks import probe_reader, probe_writer

    yield from _packages()
    yield _attempt("settings", lambda: f"profile {runtime.settings.profile}, state in {runtime.settings.state_dir}")
    yield _attempt("policy", lambda: _policy(runtime))
    yield _attempt("store", lambda: _store(runtime))
    yield _attempt("account", lambda: f"{runtime.account.name} ({runtime.account.origin}), {runtime.account.timezone}")
    yield from _probed("reader", lambda: probe_reader(runtime.reader_config))
    yield from _probed("writer", lambda: probe_writer(runtime.operator_config))
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
