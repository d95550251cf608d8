"""The same commands on an account with entirely other names: nothing is keyed to the demo."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from agent.runtime import Runtime
from agent.state import Turn
from tests import account
from tests.scenario import foreign
from tests.scenario.commands import alters, answer, cli, opened
from tests.scenario.foreign import NAMES, PRICE, ZONE, Foreign
from tools.demo import layout
from tools.demo.importing import import_account
from tools.errors import NoPermission
from tools.warehouse.statements import quote

pytestmark = pytest.mark.timeout(300)

WEEK = ("2026-03-23", "2026-03-29")
DAY = ("2026-03-29", "2026-03-29")


@dataclass
class House:
    home: Path
    export: Foreign
    runtime: Runtime
    report: dict[str, Any]
    """What `account import --json` printed."""

    def ask(self, text: str) -> Turn:
        return self.runtime.ask(text, thread=None, person=self.runtime.person())


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    base = tmp_path_factory.mktemp("imported")
    export = foreign.make(base / "export folder [1]")
    report = answer(base / "home", "account", "import", str(export.folder))
    with opened(base / "home") as runtime:
        yield House(base / "home", export, runtime, report)
    account.stop_server(base / "home")


def figures(turn: Turn) -> dict[str | None, float]:
    """Value by whose it is, of the figure that was asked for."""
    label = turn.facts[0].label
    return {f.entity: float(f.value) for f in turn.facts if f.label == label and isinstance(f.value, (int, float))}


# --- what came in -----------------------------------------------------------------------------------------------------


def test_import_says_what_it_read_and_what_it_left_out(house: House) -> None:
    rows = house.report["rows"]
    assert house.report["name"] == "Zweig & Söhne"
    assert rows["WAREHOUSE_METERING_HISTORY"] == len(house.export.metering)
    assert rows["QUERY_HISTORY"] == len(house.export.queries)
    notes = "\n".join(house.report["notes"])
    assert "a_column_of_next_year" in notes
    assert "WAREHOUSE_LOAD_HISTORY: not in the export" in notes
    assert "CREDITS_ATTRIBUTED_COMPUTE_QUERIES" in notes


def test_account_info_is_the_imported_account(house: House) -> None:
    info = json.loads(cli(house.home, "account", "info", "--json")[1])
    assert {k: info[k] for k in ("name", "origin", "timezone", "edition", "credit_price")} == {
        "name": "Zweig & Söhne",
        "origin": "imported",
        "timezone": ZONE,
        "edition": "BUSINESS_CRITICAL",
        "credit_price": PRICE,
    }
    assert pd.Timestamp(info["now"]) == foreign.NOW
    assert {w["name"] for w in info["warehouses"]} == set(NAMES)
    views = {v["name"]: v["rows"] for v in info["views"]}
    assert views["METERING_HISTORY"] == len(house.export.services)
    assert views["WAREHOUSE_EVENTS_HISTORY"] == 0


def test_tasks_that_the_export_does_not_hold_are_not_known_and_not_none(house: House) -> None:
    with pytest.raises(NoPermission, match="no tasks"):
        house.runtime.reader.tasks_due(NAMES[0], timedelta(minutes=15))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_in_every_unit_that_pandas_writes(tmp_path: Path, unit: Any) -> None:
    export = foreign.make(tmp_path / "export", unit)
    assert import_account(export.folder, tmp_path / "account").rows["QUERY_HISTORY"] == len(export.queries)
    with duckdb.connect(str(layout.database_file(tmp_path / "account")), read_only=True) as con:
        con.execute("SET TimeZone='UTC'")
        first = con.execute(f"SELECT min(START_TIME) FROM {layout.RAW}.WAREHOUSE_METERING_HISTORY").fetchone()
    assert first is not None
    assert pd.Timestamp(first[0]) == export.metering["START_TIME"].min()


# --- figures equal those that pandas computes ------------------------------------------------------------------------

By = dict[str | None, float]


def _by(frame: pd.DataFrame, column: str, value: str) -> By:
    return {str(k): float(v) for k, v in frame.groupby(column)[value].sum().items()}


def by_warehouse(e: Foreign) -> By:
    week = e.between(e.metering, *WEEK)
    return {None: week["CREDITS_USED"].sum()} | _by(week, "WAREHOUSE_NAME", "CREDITS_USED")


def by_day(e: Foreign) -> By:
    week = e.between(e.services, *WEEK)
    days = week.assign(day=week["START_TIME"].dt.tz_convert(ZONE).dt.date.astype(str))
    return {None: week["CREDITS_USED"].sum()} | _by(days, "day", "CREDITS_USED")


def one(name: str, days: tuple[str, str]) -> Callable[[Foreign], By]:
    def total(e: Foreign) -> By:
        rows = e.between(e.metering, *days)
        return {None: rows[rows["WAREHOUSE_NAME"] == name]["CREDITS_USED"].sum()}

    return total


def cost(e: Foreign) -> By:
    return {None: PRICE * e.between(e.services, *WEEK)["CREDITS_USED"].sum()}


def billed(e: Foreign) -> By:
    dates = e.daily["USAGE_DATE"].astype(str)
    return {None: e.daily[dates.between(*WEEK)]["CREDITS_BILLED"].sum()}


def queries_by_user(e: Foreign) -> By:
    week = e.between(e.queries, *WEEK).assign(n=1)
    return {None: float(len(week))} | _by(week, "USER_NAME", "n")


def failures(e: Foreign) -> By:
    return {None: float((e.between(e.queries, *DAY)["EXECUTION_STATUS"] == "FAIL").sum())}


def attributed(e: Foreign) -> By:
    week = e.between(e.attribution, *WEEK)
    return {None: week["CREDITS_ATTRIBUTED_COMPUTE"].sum()} | _by(week, "USER_NAME", "CREDITS_ATTRIBUTED_COMPUTE")


def services(e: Foreign) -> By:
    week = e.between(e.services, *WEEK)
    return {None: week["CREDITS_USED"].sum()} | _by(week, "SERVICE_TYPE", "CREDITS_USED")


QUESTIONS: dict[str, Callable[[Foreign], By]] = {
    "credits by warehouse last week": by_warehouse,
    "How many credits did each warehouse use in the last 7 days?": by_warehouse,
    "credits by day last week": by_day,
    f"credits for `{NAMES[0]}` last week": one(NAMES[0], WEEK),
    f"credits for {NAMES[0]} yesterday": one(NAMES[0], DAY),
    f"how many credits did {NAMES[1]} use yesterday": one(NAMES[1], DAY),
    f"credits of {NAMES[2]} last week": one(NAMES[2], WEEK),
    f"credits of {NAMES[3]} last 7 days": one(NAMES[3], WEEK),
    f"credits of {NAMES[1].upper()} last week": one(NAMES[1], WEEK),
    "what did it cost last week": cost,
    "billed credits last week": billed,
    "queries by user last week": queries_by_user,
    "failed queries yesterday": failures,
    "attributed credits by user last week": attributed,
    "credits by service type last week": services,
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_figures_are_those_of_the_files(house: House, question: str) -> None:
    turn = house.ask(question)
    assert turn.status == "ok", turn.answer
    expected = QUESTIONS[question](house.export)
    found = figures(turn)
    if len(expected) == 1:
        found = {None: next(iter(found.values()))}
    assert found == pytest.approx(expected)
    assert "ignore previous instructions" not in turn.answer


def test_the_day_of_the_clock_change_has_23_hours(house: House) -> None:
    turn = house.ask("credits by hour yesterday")
    hours = {key: value for key, value in figures(turn).items() if key is not None}
    assert turn.window is not None
    assert (turn.window.end - turn.window.start).total_seconds() == 23 * 3600
    assert not any("T02:" in key or " 02:" in key for key in hours)
    assert sum(hours.values()) == pytest.approx(house.export.between(house.export.services, *DAY)["CREDITS_USED"].sum())


def test_what_the_export_does_not_hold_is_not_a_zero(house: House) -> None:
    """Bytes and queueing are columns that this export lacks: not known is another answer than 0."""
    for question in ("bytes scanned yesterday", "time queued last week", "spilled bytes by warehouse last week"):
        turn = house.ask(question)
        assert [f.value for f in turn.facts if f.value == 0 and f.unit in ("bytes", "s")] == [], turn.answer


def test_warehouses_as_they_stand(house: House) -> None:
    turn = house.ask("list warehouses")
    assert turn.status == "ok"
    for name in NAMES:
        assert f"`{name}`" in turn.answer


def test_a_near_miss_is_asked_back_with_the_accounts_own_names(house: House) -> None:
    turn = house.ask("credits for Buero Sued yesterday")
    assert turn.status == "clarify"
    assert NAMES[0] in turn.answer


# --- through the command line: what one process leaves, another goes on with ------------------------------------------


def here(house: House, *args: str) -> dict[str, Any]:
    """A command in this process."""
    code, stdout, stderr = cli(house.home, *args, "--json")
    assert code == 0, stdout + stderr
    return dict(json.loads(stdout))


def test_a_conversation_keeps_its_thread(house: House) -> None:
    first = answer(house.home, "ask", "credits by warehouse last week", "--thread", "zweig/1")
    assert first["thread"] == "zweig/1"
    rows = {f["entity"]: f["value"] for f in first["facts"] if f["label"] == first["facts"][0]["label"]}
    assert rows == pytest.approx(by_warehouse(house.export))
    after = here(house, "ask", "and yesterday?", "--thread", "zweig/1")
    assert after["tool_calls"][0]["args"] == {"metric": "credits", "by": "warehouse", "window": "yesterday"}
    day = house.export.between(house.export.metering, *DAY)
    assert after["facts"][0]["value"] == pytest.approx(day["CREDITS_USED"].sum())


def test_a_change_from_the_wish_to_its_undo(house: House) -> None:
    name = NAMES[0]
    asked = answer(house.home, "ask", f"set auto-suspend of {name} to 120 seconds")
    assert asked["status"] == "needs_approval"
    plan = asked["plans"][0]
    statement = f"ALTER WAREHOUSE {quote(name)} SET AUTO_SUSPEND = 120"
    assert (plan["statement"], plan["warehouse"]) == (statement, name)
    assert alters(house.home) == []
    listed = here(house, "plans", "list")["plans"]
    assert [p["plan"]["id"] for p in listed] == [plan["id"]]
    code, shown, _ = cli(house.home, "plans", "show", plan["id"])
    assert code == 0
    assert statement in shown
    assert plan["digest"] in shown
    approved = answer(
        house.home, "plans", "approve", plan["id"], "--digest", plan["digest"][:8], "--as", "demo-approver"
    )
    assert approved["state"] == "applied", approved
    live = {w.name: w.auto_suspend for w in house.runtime.reader.warehouses()}
    assert live[name] == 120
    undo = here(house, "plans", "undo", plan["id"], "--as", "demo-proposer")["plan"]
    assert undo["statement"] == f"ALTER WAREHOUSE {quote(name)} SET AUTO_SUSPEND = 600"
    back = here(house, "plans", "approve", undo["id"], "--digest", undo["digest"], "--as", "demo-approver")
    assert back["state"] == "applied", back
    assert [row["statement"] for row in alters(house.home)] == [statement, undo["statement"]]
    verified = here(house, "audit", "verify")
    assert verified["ok"] is True
    assert verified["rows"] >= 6


def test_grants_name_its_warehouses_alone(house: House) -> None:
    code, sql, _ = cli(house.home, "setup", "--print-grants")
    assert code == 0
    granted = re.findall(r'GRANT MONITOR ON WAREHOUSE ((?:"(?:[^"]|"")*")) TO ROLE', sql)
    assert set(granted) == {quote(name) for name in NAMES}


def test_doctor_finds_nothing_wrong(house: House) -> None:
    found = here(house, "doctor")
    assert found["ok"] is True, [c for c in found["checks"] if c["ok"] is False]
    assert "Zweig & Söhne" in next(c["detail"] for c in found["checks"] if c["name"] == "account")


# --- and nothing in the code knows the demo ---------------------------------------------------------------------------

SHIPPED = ("agent", "tools", "bots", "prompts", "knowledge", "profiles")
SNOWFLAKES_OWN = {"AI_SERVICES", "CLOUD_SERVICES_ONLY"}
"""Names that Snowflake itself writes into an account's views."""


def _demo_names(template_home: Path) -> set[str]:
    """Warehouses, owners, users, roles, databases and services of the generated account, where they are distinctive."""
    columns = {
        "WAREHOUSES": ("name", "owner", "comment"),
        "QUERY_HISTORY": ("USER_NAME", "ROLE_NAME", "WAREHOUSE_NAME", "DATABASE_NAME"),
        "METERING_HISTORY": ("NAME",),
    }
    names: set[str] = set()
    with duckdb.connect(str(layout.database_file(template_home / "demo" / "account")), read_only=True) as con:
        for table, fields in columns.items():
            for field in fields:
                rows = con.execute(f"SELECT DISTINCT {field} FROM {layout.RAW}.{table}").fetchall()
                names |= {str(row[0]) for row in rows if row[0]}
    distinctive = {n for n in names if len(n) > 4 and re.search(r"[_ ]", n)} | {_account_name(template_home)}
    return distinctive - SNOWFLAKES_OWN


def _account_name(template_home: Path) -> str:
    text = (template_home / "demo" / "account" / "account.toml").read_text(encoding="utf-8")
    found = re.search(r'^name = "(.+)"$', text, re.MULTILINE)
    assert found is not None
    return found[1]


def test_shipped_code_names_nothing_of_the_demo_account(template_home: Path) -> None:
    names = _demo_names(template_home)
    assert len(names) > 30
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(re.escape(n) for n in sorted(names)) + r")(?!\w)", re.IGNORECASE)
    keyed = [
        f"{path.relative_to(account.ROOT)}: {found[0]}"
        for package in SHIPPED
        for path in sorted((account.ROOT / package).rglob("*"))
        if path.suffix in (".py", ".md", ".yaml", ".toml", ".sql", ".csv")
        and not any(path.is_relative_to(account.ROOT / "tools" / "demo" / part) for part in ("generate", "labels"))
        and (found := pattern.search(_acting_text(path)))
    ]
    assert keyed == []


def _acting_text(path: Path) -> str:
    """What can act: of a module its strings and identifiers; comments and docstrings may give examples."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return text
    parts: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""  # a docstring
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            parts.append(node.value)
        elif isinstance(node, ast.Name):
            parts.append(node.id)
    return "\n".join(parts)
