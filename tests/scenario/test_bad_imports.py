"""Broken exports: one clear error that names file, column and row, exit code 2, and the old account still answers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

from agent.runtime import Runtime
from bots.cli.account import import_folder
from bots.cli.output import Output
from tests import account
from tests.scenario import foreign
from tests.scenario.commands import one_object, opened, run

pytestmark = pytest.mark.timeout(300)

QUESTION = "credits by warehouse last week"


@dataclass
class House:
    home: Path
    runtime: Runtime

    def figures(self) -> list[tuple[str | None, Any]]:
        turn = self.runtime.ask(QUESTION, thread=None, person=self.runtime.person())
        assert turn.status == "ok", turn.answer
        return [(fact.entity, fact.value) for fact in turn.facts]

    def files(self) -> dict[str, tuple[int, int]]:
        """Of the account's folder: what a failed import must not touch."""
        folder = self.home / "demo" / "account"
        names = ("account.toml", "views.json", "server.json", "reader.secret", "data/SNOWFLAKE.db")
        return {name: (s.st_ino, s.st_size) for name in names for s in [(folder / name).stat()]}


@pytest.fixture(scope="module")
def house(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = account.new_home(template_home, tmp_path_factory.mktemp("bad-imports") / "home")
    with opened(home) as runtime:
        made = House(home, runtime)
        made.figures()  # starts the server, which is to survive every import that fails
        yield made
    account.stop_server(home)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A whole export, for one thing in it to be broken."""
    return foreign.make(tmp_path / "export").folder


Break = Callable[[Path], None]


def change(file: str, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> Break:
    def apply(folder: Path) -> None:
        path = folder / file
        if path.suffix == ".csv":
            edit(pd.read_csv(path, dtype=object)).to_csv(path, index=False)
        else:
            edit(pd.read_parquet(path)).to_parquet(path, index=False)

    return apply


def put(file: str, column: str, row: int, value: Any) -> Break:
    """Another value in one place; rows are counted from 1."""

    def edit(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype({column: object})
        frame.loc[row - 1, column] = value
        return frame

    return change(file, edit)


def settings(old: str, new: str) -> Break:
    def apply(folder: Path) -> None:
        text = (folder / "account.toml").read_text(encoding="utf-8")
        assert old in text
        (folder / "account.toml").write_text(text.replace(old, new), encoding="utf-8")

    return apply


def cut_short(folder: Path) -> None:
    path = folder / "QUERY_HISTORY.parquet"
    os.truncate(path, path.stat().st_size // 2)


def rotten(folder: Path) -> None:
    """Readable at both ends, wrong within."""
    path = folder / "WAREHOUSE_METERING_HISTORY.parquet"
    data = bytearray(path.read_bytes())
    for place in range(200, len(data) // 2, 7):
        data[place] ^= 0xFF
    path.write_bytes(bytes(data))


def twice(folder: Path) -> None:
    (folder / "QUERY_HISTORY.csv").write_text("QUERY_ID\n1\n")


def linked(folder: Path) -> None:
    path = folder / "WAREHOUSES.csv"
    other = folder.parent / "elsewhere.csv"
    path.rename(other)
    path.symlink_to(other)


def emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def removed(folder: Path) -> None:
    emptied(folder)
    folder.rmdir()


def a_file(folder: Path) -> None:
    removed(folder)
    folder.write_text("x")


def no_settings(folder: Path) -> None:
    (folder / "account.toml").unlink()


def torn(folder: Path) -> None:
    path = folder / "QUERY_ATTRIBUTION_HISTORY.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[400] += ",one,too,many"
    path.write_text("\n".join(lines), encoding="utf-8")


def latin(folder: Path) -> None:
    path = folder / "WAREHOUSES.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))


def no_header(folder: Path) -> None:
    (folder / "WAREHOUSES.csv").write_text("\n")


METERING, QUERIES = "WAREHOUSE_METERING_HISTORY.parquet", "QUERY_HISTORY.parquet"
ATTRIBUTION, DAILY, SHOWN = "QUERY_ATTRIBUTION_HISTORY.csv", "METERING_DAILY_HISTORY.csv", "WAREHOUSES.csv"
TOML, PRICE = "account.toml", f"credit_price = {foreign.PRICE}"
USED, SPENT = "CREDITS_USED", "CREDITS_ATTRIBUTED_COMPUTE"

BROKEN: dict[str, tuple[Break, tuple[str, ...]]] = {
    "text where credits belong": (put(ATTRIBUTION, SPENT, 700, "lots"), (ATTRIBUTION, SPENT, "row 700")),
    "a whole column of text": (change(METERING, lambda f: f.assign(CREDITS_USED="much")), (METERING, USED, "row 1")),
    "a bad time deep in a file": (
        put(ATTRIBUTION, "START_TIME", 811, "2026-02-31 10:00:00"),
        (ATTRIBUTION, "START_TIME", "row 811"),
    ),
    "a time that is a number": (change(QUERIES, lambda f: f.assign(END_TIME=1)), (QUERIES, "END_TIME", "row 1")),
    "negative credits": (put(DAILY, "CREDITS_BILLED", 9, "-4"), (DAILY, "CREDITS_BILLED", "row 9")),
    "infinite credits": (change(METERING, lambda f: f.assign(CREDITS_USED=float("inf"))), (METERING, USED, "row 1")),
    "a date that is none": (put(DAILY, "USAGE_DATE", 3, "yesterday"), (DAILY, "USAGE_DATE", "row 3")),
    "one warehouse twice": (put(SHOWN, "name", 4, foreign.NAMES[0]), (SHOWN, "name", "row 4")),
    "a warehouse without a name": (put(SHOWN, "name", 2, ""), (SHOWN, "name", "row 2")),
    "a wait that is no number": (put(SHOWN, "auto_suspend", 3, "soon"), (SHOWN, "auto_suspend", "row 3")),
    "warehouses without names": (change(SHOWN, lambda f: f.drop(columns="name")), (SHOWN, "name")),
    "one column twice": (change(ATTRIBUTION, lambda f: f.assign(query_id=f["QUERY_ID"])), (ATTRIBUTION, "query_id")),
    "a line too long": (torn, (ATTRIBUTION,)),
    "another encoding": (latin, (SHOWN, "UTF-8")),
    "no header": (no_header, (SHOWN, "header")),
    "a file cut short": (cut_short, (QUERIES, "damaged")),
    "a rotten file": (rotten, (METERING,)),
    "both csv and parquet": (twice, ("QUERY_HISTORY.csv", QUERIES)),
    "a link": (linked, (SHOWN, "symbolic link")),
    "no account.toml": (no_settings, (TOML, "missing")),
    "another planet's time": (settings(foreign.ZONE, "Mars/Olympus_Mons"), (TOML, "timezone")),
    "a zone that is a path": (settings(foreign.ZONE, "../../../etc/passwd"), (TOML, "timezone")),
    "no now": (settings("now = ", "then = "), (TOML, "now")),
    "a price of nothing": (settings(PRICE, "credit_price = 0"), (TOML, "credit_price")),
    "a price in words": (settings(PRICE, 'credit_price = "cheap"'), (TOML, "credit_price")),
    "no edition there is": (settings("Business Critical", "Gold"), (TOML, "edition")),
    "no TOML": (settings("now = ", "now == "), (TOML, "row 2")),
    "an empty folder": (emptied, ("export",)),
    "no folder": (removed, ("export", "does not exist")),
    "a file instead": (a_file, ("export", "not a folder")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_clear_error_and_the_old_account_stays(
    house: House, export: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command's own function, in this process."""
    monkeypatch.setenv("FROSTLINE_HOME", str(house.home))
    spoil, said = BROKEN[name]
    spoil(export)
    before = house.files()
    with pytest.raises(typer.Exit) as ended:
        import_folder(Output(as_json=True), "demo", export)
    assert ended.value.exit_code == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "bad_import", error
    for part in said:
        assert part in error["message"] + str(error["hint"]), error
    assert "Error" not in error["message"]
    assert len(error["message"]) < 400
    assert house.files() == before
    assert not list((house.home / "demo").glob(".account.build*"))


def test_the_account_answers_as_before_after_all_of_them(house: House, export: Path) -> None:
    """Through real processes: people's words, JSON, exit codes, and the same figures on the same server."""
    before, figures = house.files(), house.figures()
    put(ATTRIBUTION, "START_TIME", 811, "never")(export)
    done = run(house.home, "account", "import", str(export), "--json")
    error = one_object(done)["error"]
    assert (done.returncode, error["code"]) == (2, "bad_import")
    assert error["message"] == f"{ATTRIBUTION}, column START_TIME, row 811: is not a timestamp."
    plain = run(house.home, "account", "import", str(export))
    assert (plain.returncode, plain.stdout) == (2, "")
    assert "row 811" in plain.stderr
    assert "Traceback" not in plain.stderr
    asked = run(house.home, "ask", QUESTION, "--json")
    facts = one_object(asked)["facts"]
    assert [(f["entity"], f["value"]) for f in facts] == figures
    assert house.figures() == figures
    assert house.files() == before
