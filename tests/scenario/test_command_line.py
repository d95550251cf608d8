"""The command line: help, exit codes, one JSON object, pipes instead of a terminal, and the clock put back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from bots.cli.main import app
from tests import account
from tests.scenario.commands import alters, answer, cli, one_object, opened, run
from tools.demo import layout
from tools.demo.account_file import settings
from tools.domain import PlanRecord
from tools.warehouse.views import VIEWS

pytestmark = pytest.mark.timeout(300)

METERING = "WAREHOUSE_METERING_HISTORY"


@dataclass
class House:
    home: Path
    warehouse: str
    now: datetime
    zone: ZoneInfo
    metering: pd.DataFrame
    """All metered hours, read past the product from the database file."""

    def propose(self, seconds: int) -> PlanRecord:
        with opened(self.home) as runtime:
            order = f"set auto-suspend of `{self.warehouse}` to {seconds} seconds"
            turn = runtime.ask(order, thread=None, person=runtime.person())
            return runtime.store.get(turn.plans[0].id)

    def auto_suspend(self) -> int | None:
        with opened(self.home) as runtime:
            return next(w.auto_suspend for w in runtime.reader.warehouses() if w.name == self.warehouse)


@pytest.fixture(scope="module")
def house(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = account.new_home(template_home, tmp_path_factory.mktemp("command-line") / "home")
    folder = home / "demo" / "account"
    with duckdb.connect(str(layout.database_file(folder)), read_only=True) as con:
        con.execute("SET TimeZone='UTC'")
        rows = con.execute(
            f"SELECT START_TIME, END_TIME, WAREHOUSE_NAME, CREDITS_USED FROM {layout.RAW}.{METERING} "
            "WHERE WAREHOUSE_NAME <> 'CLOUD_SERVICES_ONLY'"
        ).fetchall()
    about = settings(folder)
    with opened(home) as runtime:
        plain = [w.name for w in runtime.reader.warehouses() if w.auto_suspend and not w.is_adaptive]
    metering = pd.DataFrame(rows, columns=["START_TIME", "END_TIME", "WAREHOUSE_NAME", "CREDITS_USED"])
    yield House(home, plain[0], about.now, ZoneInfo(about.timezone), metering)
    account.stop_server(home)


# --- help ---------------------------------------------------------------------------------------------------------


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(child, (*path, name))


COMMANDS = sorted(_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=[" ".join(c) or "frostline" for c in COMMANDS])
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*path, "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.stdout
    words = re.sub(r"\s+", " ", done.stdout)
    assert len(words) > 60
    for option in re.findall(r"--[a-z][a-z-]+", words):
        assert re.search(re.escape(option) + r"(?: [A-Z]+)?,? +\S", words), option


def test_all_the_commands_of_this_version_are_there() -> None:
    assert {" ".join(c) for c in COMMANDS} >= {
        *("demo", "ask", "chat", "eval", "feedback", "setup", "doctor", "worker"),
        *("plans list", "plans show", "plans approve", "plans decline", "plans cancel", "plans undo"),
        *("account info", "account import", "account reset", "account advance", "audit list", "audit verify"),
    }


def test_help_costs_less_than_half_a_second_of_cpu() -> None:
    """The child's own user and system time, and not the clock's, which a busy machine stretches."""
    costs = []
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "bots.cli.main", "--help"],
            cwd=account.ROOT,
            stdout=subprocess.DEVNULL,
            env=account.environment(Path("unused")),
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        costs.append(usage.ru_utime + usage.ru_stime)
    assert min(costs) < 0.5, costs


_NOT_FOR_A_QUESTION = (
    *("duckdb", "fakesnow", "psycopg", "uvicorn"),
    *("joblib", "scipy", "sklearn", "statsmodels", "tools.ml.forecasting"),
    *("bm25s", "chromadb", "knowledge", "onnxruntime", "tokenizers"),
    *("langchain_openai", "openai", "opentelemetry.exporter"),
    *("bots.slack", "matplotlib", "prompt_toolkit", "rich.markdown", "slack_bolt", "slack_sdk"),
    *("evals", "tests"),
)
"""What builds and serves the demo account, forecasts, searches, speaks to a model, draws or talks in Slack."""


def test_a_usage_question_loads_only_what_it_needs(house: House) -> None:
    code = (
        "import atexit, sys; from bots.cli.main import main; "
        f"atexit.register(lambda: print([m for m in {_NOT_FOR_A_QUESTION} if m in sys.modules])); "
        "sys.argv = ['frostline', 'ask', 'credits by warehouse last week']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=account.ROOT,
        env=account.environment(house.home),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert " credits" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


# --- exit codes and JSON ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("credits by warehouse last week", "ok", 0),
        ("credits for NOPE_WH last week", "clarify", 0),
        ("credits in January 2020", "no_data", 0),
        ("set auto-suspend of `WAREHOUSE` to 240 seconds", "needs_approval", 0),
        ("set auto-suspend of `WAREHOUSE` to 1 second", "refused", 3),
        ("yes", "refused", 3),
    ],
)
def test_ask_ends_with_the_code_of_its_status(house: House, text: str, status: str, code: int) -> None:
    ended, stdout, stderr = cli(house.home, "ask", text.replace("WAREHOUSE", house.warehouse), "--json")
    turn = json.loads(stdout)
    assert (turn["status"], ended) == (status, code), turn["answer"]
    assert stdout.count("\n") == 1
    assert stderr == ""


def test_what_is_not_loaded_yet_is_no_error(house: House) -> None:
    """An hour that has passed, and that no view can hold yet."""
    ended, stdout, _ = cli(house.home, "ask", "credits by warehouse today", "--json", FROSTLINE_NOW=_at(house, hours=1))
    assert (json.loads(stdout)["status"], ended) == ("not_loaded", 0)


def _at(house: House, hours: int) -> str:
    """So many hours after local midnight of the account's own today."""
    midnight = house.now.astimezone(house.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(hours=hours)).isoformat()


@pytest.mark.parametrize(
    "args",
    [
        ("account", "info"),
        ("plans", "list"),
        ("plans", "list", "--state", "proposed"),
        ("audit", "list", "--limit", "3"),
        ("audit", "verify"),
        ("feedback", "--limit", "3"),
        ("doctor",),
        ("setup", "--print-grants"),
        ("worker", "--once"),
    ],
    ids=" ".join,
)
def test_json_is_one_object_and_nothing_else(house: House, args: tuple[str, ...]) -> None:
    code, stdout, stderr = cli(house.home, *args, "--json")
    assert code == 0, stdout
    assert isinstance(json.loads(stdout), dict)
    assert stdout.count("\n") == 1
    assert stderr == ""
    code, plain, _ = cli(house.home, *args)
    assert code == 0
    assert not plain.startswith("{")


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("ask", ""), 2, "nothing to answer"),
        (("ask",), 2, "Missing argument"),
        (("asks", "x"), 2, "No such command"),
        (("ask", "x", "--nope"), 2, "No such option"),
        (("audit", "list", "--limit", "0"), 2, "greater than or equal to 1"),
        (("worker", "--every", "-1", "--once"), 2, "greater than or equal to 1"),
        (("plans", "list", "--state", "done"), 2, "proposed, approved"),
        (("plans", "show", "000000000000"), 3, "no plan"),
        (("--profile", "nope", "ask", "x"), 2, "Known profiles: demo"),
        (("--profile", "prod", "account", "info"), 2, "no embedded one"),
        (("--profile", "prod", "account", "reset"), 2, "no embedded one"),
        (("--profile", "prod", "demo"), 2, "demo profile only"),
        (("--profile", "prod", "ask", "x", "--as", "demo-admin"), 3, "demo profile only"),
        (("--profile", "prod", "setup"), 2, "needed"),
        (("setup",), 2, "Name the profile"),
        (("--profile", "../x", "setup", "--account", "a"), 2, "not a profile name"),
        (("account", "import", "nowhere"), 2, "does not exist"),
        (("account", "advance", "soon"), 2, "not a time to advance by"),
        (("--profile", "prod", "account", "advance", "1d"), 2, "no embedded one"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_usage_says_what_to_do(house: House, args: tuple[str, ...], code: int, says: str) -> None:
    ended, stdout, stderr = cli(house.home, *args)
    assert (ended, stdout) == (code, "")
    assert says in re.sub(r"\s+", " ", stderr)
    assert "Traceback" not in stderr


def test_an_approval_needs_the_digest_where_nobody_can_be_asked(house: House) -> None:
    plan = house.propose(210)
    for more in ((), ("--json",)):
        done = run(house.home, "plans", "approve", plan.plan.id, "--as", "demo-approver", *more, stdin="y\nyes\n")
        assert done.returncode == 2
        assert "--digest" in done.stdout + done.stderr
    code, stdout, _ = cli(house.home, "plans", "cancel", plan.plan.id, "--as", "demo-proposer", "--json")
    assert code == 0, stdout
    assert json.loads(stdout)["state"] == "cancelled"


def test_an_account_that_does_not_answer_is_exit_4(house: House) -> None:
    """A live profile whose host does not listen: said, with what to check."""
    profiles = house.home / "profiles"
    profiles.mkdir(exist_ok=True)
    (profiles / "away.toml").write_text(AWAY)
    code, stdout, _ = cli(house.home, "--profile", "away", "ask", "credits last week", "--json")
    turn = json.loads(stdout)
    assert (code, turn["status"], turn["error"]["code"]) == (4, "error", "unreachable")
    assert turn["error"]["hint"]
    code, stdout, _ = cli(house.home, "--profile", "away", "doctor", "--json")
    found = {c["name"]: c["ok"] for c in json.loads(stdout)["checks"]}
    assert (code, found["store"], found["reader: sign-in"]) == (1, True, False)


def test_doctor_names_what_protects_no_warehouse(house: House, tmp_path: Path) -> None:
    packaged = resources.files("agent").joinpath("policy.toml").read_text(encoding="utf-8")
    for globs, ok in ((f'"{house.warehouse.lower()}"', True), (f'"{house.warehouse}", "PORD_*"', None)):
        file = tmp_path / "policy.toml"
        file.write_text(packaged.replace("protected = []", f"protected = [{globs}]"))
        code, stdout, _ = cli(house.home, "doctor", "--json", FROSTLINE_POLICY__FILE=str(file))
        (line,) = (c for c in json.loads(stdout)["checks"] if c["name"] == "protected")
        assert (code, line["ok"], "PORD_*" in line["detail"]) == (0, ok, ok is None)


AWAY = """
account = {kind = "live", name = "AWAY", timezone = "UTC"}
[reader]
account = "away"
user = "u"
role = "r"
password = "p"
host = "127.0.0.1"
login_timeout_s = 1
[operator]
account = "away"
user = "u"
role = "r"
password = "p"
host = "127.0.0.1"
login_timeout_s = 1
"""


# --- real processes without a terminal ------------------------------------------------------------------------------


def test_the_first_question_of_all_builds_the_account_and_prints_one_object(template_home: Path) -> None:
    """Progress goes to stderr; the next command finds the account and its server."""
    first = account.first_question(template_home)
    assert one_object(first)["status"] == "ok"
    assert "Preparing the demo account" in first.stderr
    secrets = ("reader.secret", "operator.secret", "server.json")
    assert first.modes == {"demo": "0o700", **dict.fromkeys(secrets, "0o600")}
    assert json.loads(first.info)["origin"] == "demo"
    assert first.info_stderr == ""


def test_chat_reads_lines_from_a_pipe(house: House) -> None:
    plan, before = house.propose(180), len(alters(house.home))
    lines = [
        "help",
        "credits by warehouse last week",
        "and yesterday?",
        "approve",
        f"yes, approve {plan.digest[:8]}",
        f"approve {plan.digest[:7]}",
        "approve 0123456789abcdef",
        "show 999999999999",
        "plans",
        f"approve {plan.digest[:8]}",
        f"approve {plan.digest[:8]}",
        "exit",
        "credits by user last week",
    ]
    done = run(house.home, "chat", stdin="\n".join(lines))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "Ask in plain English" in done.stdout
    assert done.stdout.count("| Warehouse |") == 2  # the follow-up knew what was asked before
    assert done.stdout.count("words in a conversation never approve") >= 2
    assert done.stderr.count("There is no plan") == 2
    assert done.stdout.count("applied:") == 1
    assert "applied already" in done.stderr or "demo-approver" in done.stderr
    assert "| User |" not in done.stdout
    assert [row["statement"] for row in alters(house.home)[before:]] == [plan.plan.statement]
    assert house.auto_suspend() == 180


def test_chat_with_nothing_to_read_ends(house: House) -> None:
    assert run(house.home, "chat", stdin="").returncode == 0


def test_the_tour_does_what_it_prints_and_takes_it_back(house: House) -> None:
    before, executed = _live(house), len(alters(house.home))
    done = run(house.home, "demo", stdin="")
    assert done.returncode == 0, done.stderr
    for step in range(1, 8):
        assert re.search(rf"^{step}\. ", done.stdout, re.MULTILINE), step
    made = [row["statement"] for row in alters(house.home)[executed:]]
    assert len(made) == 2
    for statement in made:
        assert statement in done.stdout
    assert done.stdout.count("applied:") == 2
    assert done.stdout.count("refused:") >= 2
    assert "The audit chain is whole" in done.stdout
    assert _live(house) == before


def _live(house: House) -> list[dict[str, Any]]:
    with opened(house.home) as runtime:
        shown = [w.model_dump(mode="json", exclude={"updated_on"}) for w in runtime.reader.warehouses()]
    return sorted(shown, key=lambda w: str(w["name"]))


def test_the_worker_does_one_round_and_stops(house: House) -> None:
    before = len(alters(house.home))
    done = run(house.home, "worker", "--once", "--json")
    assert done.returncode == 0
    assert all(isinstance(ids, list) for ids in one_object(done).values())
    assert len(alters(house.home)) == before


def test_what_people_thought_of_answers_is_listed(house: House) -> None:
    code, stdout, _ = cli(house.home, "feedback")
    assert code == 0 and "Nobody has rated" in stdout
    question = "which warehouse\n costs most?" + " and why" * 20
    with opened(house.home) as runtime:
        for trace in ("t1", "t2"):
            runtime.store.answers.put(trace, thread="slack:T/C/1", person="slack:T/U1", question=question, turn={})
        runtime.store.answers.rate("t1", "slack:T/U2", "good")
        runtime.store.answers.rate("t2", "slack:T/U2", "bad")
    ratings = json.loads(cli(house.home, "feedback", "--json")[1])["ratings"]
    assert [(r["trace_id"], r["person"], r["value"]) for r in ratings] == [
        ("t2", "slack:T/U2", "bad"),
        ("t1", "slack:T/U2", "good"),
    ]
    assert {r["question"] for r in ratings} == {question} and datetime.fromisoformat(ratings[0]["at"]).tzinfo
    assert len(json.loads(cli(house.home, "feedback", "--limit", "1", "--json")[1])["ratings"]) == 1
    code, stdout, _ = cli(house.home, "feedback")
    assert code == 0 and "which warehouse costs most? and why" in stdout
    assert len(stdout.splitlines()) == 3


def test_what_other_processes_write_is_not_lost_by_a_process_that_opened_the_store_twice(house: House) -> None:
    """Closing any handle of a SQLite file drops all of a process's locks on it, unless SQLite itself closes it."""
    with opened(house.home) as first, opened(house.home) as second:
        seen = [len(runtime.store.audit_rows()) for runtime in (first, second)]
        assert seen[0] == seen[1]
        for number in (1, 2):
            assert run(house.home, "ask", "yes", "--json").returncode == 3  # a row of the audit chain
            first.store.audit("noted", "test", None, {"round": number})
        assert [r.event for r in second.store.audit_rows()[seen[0] :]] == ["approval_by_text", "noted"] * 2
        assert first.store.verify_audit().ok
        head = second.store.audit_rows()[-1].hash
    verified = answer(house.home, "audit", "verify")
    assert (verified["rows"], verified["head"]) == (seen[0] + 4, head)


# --- the clock put back -----------------------------------------------------------------------------------------------


def _as_of(house: House, now: datetime, start: datetime, end: datetime) -> dict[str, float]:
    """By warehouse, from the rows that a person could have seen then."""
    due = house.metering["END_TIME"] + VIEWS[METERING].latency <= pd.Timestamp(now)
    inside = (house.metering["START_TIME"] >= pd.Timestamp(start)) & (house.metering["START_TIME"] < pd.Timestamp(end))
    sums = house.metering[due & inside].groupby("WAREHOUSE_NAME")["CREDITS_USED"].sum()
    return {str(name): float(value) for name, value in sums.items()}


@pytest.mark.parametrize("days_ago", [9, 23])
def test_a_past_now_shows_the_account_as_it_was(house: House, days_ago: int) -> None:
    then = (house.now - timedelta(days=days_ago)).replace(minute=10)
    local = then.astimezone(house.zone)
    monday = (local - timedelta(days=local.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    asked = answer(house.home, "ask", "credits by warehouse this week", env={"FROSTLINE_NOW": then.isoformat()})
    assert asked["status"] == "ok"
    expected = _as_of(house, then, monday, then)
    found = {
        f["entity"]: f["value"] for f in asked["facts"] if f["entity"] and f["label"] == asked["facts"][0]["label"]
    }
    assert len(expected) > 3
    assert found == pytest.approx({k: v for k, v in expected.items() if k in found})
    assert asked["facts"][0]["value"] == pytest.approx(sum(expected.values()))
    assert all(datetime.fromisoformat(f["as_of"]) == then for f in asked["facts"])
    # Rows that came in later are there now, so the same days hold more today.
    today = _as_of(house, house.now, monday, then)
    assert sum(today.values()) > sum(expected.values())


def test_what_lay_ahead_then_is_not_answered_then(house: House) -> None:
    then = house.now - timedelta(days=23)
    ahead = (house.now - timedelta(days=10)).date().isoformat()
    code, stdout, _ = cli(
        house.home, "ask", f"credits by warehouse on {ahead}", "--json", FROSTLINE_NOW=then.isoformat()
    )
    turn = json.loads(stdout)
    assert (turn["status"], code) == ("clarify", 0), turn["answer"]
    assert not any(f["unit"] == "credits" for f in turn["facts"])
    code, stdout, _ = cli(house.home, "ask", f"credits by warehouse on {ahead}", "--json")
    assert json.loads(stdout)["status"] == "ok"


def test_the_account_lives_on_under_what_was_approved_and_answers_move_with_it(
    template_home: Path, tmp_path: Path
) -> None:
    home = account.new_home(template_home, tmp_path / "home")
    try:
        before = settings(home / "demo" / "account")
        with opened(home) as runtime:
            turn = runtime.ask("set auto-suspend of DEV_WH to 60 seconds", thread=None, person=runtime.person())
            plan = runtime.store.get(turn.plans[0].id)
        run(home, "plans", "approve", plan.plan.id, "--digest", plan.digest, "--as", "demo-approver", "--json")
        moved = one_object(run(home, "account", "advance", "1d", "--json"))
        assert datetime.fromisoformat(moved["now"]) == before.now + timedelta(days=1)
        assert moved["rows"]["QUERY_HISTORY"] > 1000
        # The first question after it starts a server of its own and finds the new day.
        day = (before.now - timedelta(hours=8)).date()
        said = run(home, "ask", "credits of DEV_WH yesterday", "--json")
        facts = one_object(said)
        assert facts["window"]["start"].startswith(day.isoformat())
        credits = [fact["value"] for fact in facts["facts"] if fact["unit"] == "credits"]
        assert 0 < min(credits) < 23
        assert settings(home / "demo" / "account").generation_id == before.generation_id
        shown = one_object(run(home, "plans", "show", plan.plan.id, "--json"))
        assert shown["state"] == "applied"
    finally:
        account.stop_server(home)
