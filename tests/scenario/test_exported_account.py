"""`account export`, and the account it makes elsewhere: the same answers, nothing of what is not visible yet."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from agent.runtime import Runtime
from agent.state import Turn
from tests import account
from tests.scenario.commands import answer, cli, opened
from tools.warehouse.views import ALL_VIEWS

pytestmark = pytest.mark.timeout(300)

CASES = Path(__file__).parents[2] / "evals" / "cases" / "usage.yaml"


def questions(number: int = 30) -> list[tuple[str, ...]]:
    """Conversations of the eval suite that anybody may hold on any account."""
    cases = yaml.safe_load(CASES.read_text(encoding="utf-8"))["cases"]
    talks = [tuple(c["inputs"]["turns"]) for c in cases if "person" not in c["inputs"]]
    return [talk for talk in talks if not any("{" in line for line in talk)][:number]


@dataclass
class Pair:
    first: Path
    """The home of the demo account."""
    export: Path
    report: dict[str, Any]
    original: Runtime
    again: Runtime


@pytest.fixture(scope="module")
def pair(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    base = tmp_path_factory.mktemp("exported")
    first, second = account.new_home(template_home, base / "first"), base / "second"
    report = answer(first, "account", "export", str(base / "my export"))
    answer(second, "account", "import", str(base / "my export"))
    with opened(first) as original, opened(second) as again:
        yield Pair(first, base / "my export", report, original, again)
    for home in (first, second):
        account.stop_server(home)


def talk(runtime: Runtime, lines: tuple[str, ...], name: str) -> list[Turn]:
    return [runtime.ask(line, thread=f"t-{name}", person=runtime.person()) for line in lines]


def test_there_are_thirty_questions() -> None:
    assert len(questions()) == 30


@pytest.mark.parametrize("number", range(30))
def test_the_same_answers(pair: Pair, number: int) -> None:
    lines = questions()[number]
    for one, other in zip(talk(pair.original, lines, str(number)), talk(pair.again, lines, str(number)), strict=True):
        assert other.status == one.status
        assert other.answer == one.answer
        assert [_said(f) for f in other.facts] == [_said(f) for f in one.facts]
        for fact, same in zip(other.facts, one.facts, strict=True):
            exact = not isinstance(same.value, float)  # sums of floats may be added up in another order
            assert fact.value == (same.value if exact else pytest.approx(same.value, rel=1e-9))
        assert [(s.view, s.covered_until) for s in other.sources] == [(s.view, s.covered_until) for s in one.sources]


def _said(fact: Any) -> dict[str, Any]:
    return dict(fact.model_dump(mode="json", exclude={"value"}))


def test_the_folder_holds_what_is_visible_and_no_more(pair: Pair) -> None:
    about = json.loads(cli(pair.first, "account", "info", "--json")[1])
    visible = {v["name"]: v["rows"] for v in about["views"]}
    rows = pair.report["rows"]
    assert {n: rows[n] for n in rows if n in ALL_VIEWS} == {n: c for n, c in visible.items() if n in rows}
    assert {n for n, c in visible.items() if c} <= set(rows)
    files = {p.name for p in pair.export.iterdir()}
    assert files == {f"{name}.parquet" for name in rows} | {"account.toml"}
    assert pair.report["bytes"] == sum(p.stat().st_size for p in pair.export.iterdir())
    assert {stat.S_IMODE(p.stat().st_mode) for p in pair.export.iterdir()} == {0o600}
    queries = pair.export / "QUERY_HISTORY.parquet"
    due = f"SELECT max(END_TIME) + INTERVAL 45 MINUTE <= ?::TIMESTAMPTZ FROM '{queries}'"
    with duckdb.connect() as con:
        assert con.execute(due, [about["now"]]).fetchone() == (True,)


def test_an_export_of_the_import_is_the_same_again(pair: Pair, tmp_path: Path) -> None:
    second = pair.export.parent / "second"
    report = answer(second, "account", "export", str(tmp_path / "again"))
    assert report["rows"] == pair.report["rows"]
    with duckdb.connect() as con:
        for name in report["rows"]:
            one, other = (f"SELECT * FROM '{folder / name}.parquet'" for folder in (pair.export, tmp_path / "again"))
            (differing,) = con.execute(f"SELECT count(*) FROM ({one} EXCEPT ALL {other})").fetchone() or ()
            assert differing == 0, name


# --- where it may be written ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["full", "hidden", "file", "inside", "around"])
def test_a_target_that_cannot_be_is_refused_and_left_as_it_is(pair: Pair, tmp_path: Path, what: str) -> None:
    target = {"inside": pair.first / "demo" / "account" / "export", "around": pair.first}.get(what, tmp_path / "target")
    if what in ("full", "hidden"):
        target.mkdir()
        (target / ("notes.txt" if what == "full" else ".hidden")).write_text("mine")
    if what == "file":
        target.write_text("mine")
    code, printed, _ = cli(pair.first, "account", "export", str(target), "--json")
    error = json.loads(printed)["error"]
    assert (code, error["code"]) == (2, "bad_argument")
    said = {"full": "is not empty", "hidden": "is not empty", "file": "is not a folder"}
    assert said.get(what, "belongs to the account itself") in error["message"]
    assert not list(tmp_path.glob(".target*"))
    if what in ("full", "hidden"):
        assert [p.read_text() for p in target.iterdir()] == ["mine"]


def test_an_empty_folder_is_taken_and_people_are_told(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    code, said, _ = cli(pair.first, "account", "export", str(tmp_path / "there"))
    assert code == 0
    assert said.startswith("Exported NORTHPEAK:")
    assert "is not in it" in said
    assert (tmp_path / "there" / "account.toml").is_file()
    assert not [p for p in os.listdir(tmp_path) if p.startswith(".")]
