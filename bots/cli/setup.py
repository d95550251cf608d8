"""`frostline setup`: the profile of a Snowflake account, and the grants it needs."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import typer

from bots.cli.opening import opened, settings_for
from bots.cli.output import Output
from tools.errors import BadArgument

__all__ = ["Answers", "SignIn", "run_setup", "way_of"]


SignIn = Literal["key", "token", "oauth", "browser"]


@dataclass
class Answers:
    """What a profile for a Snowflake account needs; None: asked on a terminal."""

    account: str | None = None
    reader_user: str | None = None
    reader_key: str | None = None
    """The file with its private key or, by token, with its programmatic access token."""
    reader_warehouse: str | None = None
    operator_user: str | None = None
    operator_key: str | None = None
    credit_price: float | None = None
    sign_in: SignIn = "key"
    token_url: str | None = None
    """OAuth: the identity provider's token endpoint."""
    reader_client: str | None = None
    operator_client: str | None = None
    proxy: str | None = None
    """HOST:PORT; None: none, and it is not asked for."""


def way_of(text: str) -> SignIn:
    """
    Raises:
        typer.BadParameter: it is none of the ways that `setup` writes.
    """
    for way in get_args(SignIn):
        if text == way:
            found: SignIn = way
            return found
    raise typer.BadParameter(f"--sign-in is one of {', '.join(get_args(SignIn))}.")


Question = tuple[str, str, str | None]
_FILES: dict[str, tuple[Question, Question]] = {
    "key": (
        ("reader_key", "Its private key file", "reader_key.p8"),
        ("operator_key", "Its private key file", "operator_key.p8"),
    ),
    "token": (
        ("reader_key", "The file with its access token", "reader_token"),
        ("operator_key", "The file with its access token", "operator_token"),
    ),
    "oauth": (
        ("reader_client", "Its OAuth client id", None),
        ("operator_client", "Its OAuth client id", None),
    ),
}


def _questions(way: SignIn) -> list[Question]:
    """In the order in which they are asked."""
    of_reader, of_operator = (list(_FILES[way][n : n + 1]) if way in _FILES else [] for n in (0, 1))
    return [
        ("account", "Account identifier (org-account)", None),
        *([("token_url", "The identity provider's token endpoint (https://...)", None)] if way == "oauth" else []),
        ("reader_user", "User that reads", "FROSTLINE_READER"),
        *of_reader,
        ("reader_warehouse", "Warehouse it may use for its queries", "COST_READER_WH"),
        ("operator_user", "User that applies approved changes", "FROSTLINE_OPERATOR"),
        *of_operator,
        ("credit_price", "USD a credit, by your contract", "3.0"),
    ]


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
    if answers.sign_in == "oauth":
        out.say("First: put each identity's client secret into FROSTLINE_READER__OAUTH__CLIENT_SECRET, ..OPERATOR..")
    out.say(f"Next: frostline --profile {profile} setup --print-grants --warehouse <each>   (run its SQL as an admin)")
    out.say(f"Then: frostline --profile {profile} doctor")
    out.say(f"In Slack too: docs/slack.md, then frostline --profile {profile} slack --check")


def _ask_missing(answers: Answers) -> dict[str, Any]:
    values = asdict(answers)
    for field, question, default in _questions(answers.sign_in):
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
        values[key] = Path(values[key]).expanduser().absolute() if values[key] is not None else None
    return values


def _profile_text(values: dict[str, Any]) -> str:
    return f"""\
# Written by `frostline setup`. docs/live-account.md says which other ways there are to sign in. Secrets belong in the
# environment or in files of their own (FROSTLINE_READER__PRIVATE_KEY_PASSPHRASE_FILE, ...), not here.
[account]
kind = "live"
name = {_quoted(values, "account")}
credit_price = {values["credit_price"]}

[reader]
account = {_quoted(values, "account")}
user = {_quoted(values, "reader_user")}
role = "COST_READER"
warehouse = {_quoted(values, "reader_warehouse")}
{_sign_in(values, "reader")}
[operator]
account = {_quoted(values, "account")}
user = {_quoted(values, "operator_user")}
role = "COST_OPERATOR"
{_sign_in(values, "operator")}{_proxy(values)}
# In Slack (docs/slack.md). The tokens belong in the environment: FROSTLINE_SLACK__BOT_TOKEN, __APP_TOKEN.
# [slack]
# channels = ["C0123456789"]             # ids; default: wherever it was invited
# approvals_channel = "C0123456789"      # every plan is shown there too
"""


def _sign_in(values: dict[str, Any], identity: str) -> str:
    match values["sign_in"]:
        case "key":
            return f"private_key_file = {_quoted(values, f'{identity}_key')}\n"
        case "token":
            return f"token_file = {_quoted(values, f'{identity}_key')}\n"
        case "browser":
            return "browser = true\n"
        case _:
            return f"""\
[{identity}.oauth]
flow = "client_credentials"
token_url = {_quoted(values, "token_url")}
client_id = {_quoted(values, f"{identity}_client")}
# client_secret: FROSTLINE_{identity.upper()}__OAUTH__CLIENT_SECRET or ..._SECRET_FILE
"""


def _proxy(values: dict[str, Any]) -> str:
    if values["proxy"] is None:
        return ""
    host, _, port = str(values["proxy"]).rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) <= 65_535:
        raise BadArgument("A proxy is HOST:PORT, e.g. proxy.example.com:8080.")
    return f"""
[proxy]
host = {_quoted({"proxy": host}, "proxy")}
port = {int(port)}
# user: FROSTLINE_PROXY__USER, and FROSTLINE_PROXY__PASSWORD or ..._PASSWORD_FILE
"""


def _quoted(values: dict[str, Any], name: str) -> str:
    import json
    import tomllib

    text = json.dumps(str(values[name]), ensure_ascii=False)
    try:
        tomllib.loads(f"v = {text}").get("v", "").encode()
    except ValueError:
        raise BadArgument(f"{name.replace('_', ' ')} has characters that no profile can hold.") from None
    return text
