"""The account as a whole: built once, by one of many, and never half."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tools.demo.account import ensure_account, info, replace_account, reset
from tools.demo.account_file import AccountSettings, settings, write_settings
from tools.demo.build import build_demo
from tools.errors import Unreachable

ABOUT = AccountSettings(
    name='a "quoted"\tname \\ with\x7f everything',
    origin="imported",
    now=datetime(2026, 6, 1, 12, tzinfo=UTC),
    timezone="UTC",
    edition="STANDARD",
    credit_price=2.0,
    hidden_from_reader=("odd 'name'",),
)


def build(name: str) -> Callable[[Path], None]:
    def files(folder: Path) -> None:
        (folder / "data").mkdir()
        (folder / "data" / "SNOWFLAKE.db").write_text(name)
        (folder / "views.json").write_text('{"views": []}')
        write_settings(folder, replace(ABOUT, name=name))

    return files


def leftovers(account: Path) -> list[str]:
    return sorted(p.name for p in account.parent.iterdir() if p.name.startswith(f".{account.name}") and p.is_dir())


def _short_builds() -> None:
    """In this process accounts get three days: it is asked who builds, and when, and not what."""
    from tools.demo import build as made

    made.build_demo = functools.partial(made.build_demo, days=3)  # type: ignore[assignment]


def _ensure(account: Path, results: multiprocessing.Queue[tuple[bool, str]]) -> None:
    _short_builds()
    done = ensure_account(account)
    results.put((done.built, done.settings.generation_id))


def test_settings_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_settings(tmp_path, ABOUT)
    read = settings(tmp_path)
    assert replace(read, generation_id="") == ABOUT
    assert read.generation_id


def test_no_account_and_a_damaged_one_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="no account") as caught:
        settings(tmp_path)
    assert caught.value.hint
    for text in ("name = ", 'name = "x"\n', 'now = 5\nname = "x"\norigin = "demo"\n'):
        (tmp_path / "account.toml").write_text(text)
        with pytest.raises(Unreachable, match="damaged"):
            settings(tmp_path)
    replace_account(tmp_path / "x", build("x"))
    (tmp_path / "x" / "views.json").unlink()
    with pytest.raises(Unreachable, match=r"views\.json"):
        info(tmp_path / "x")


def test_a_killed_build_is_cleared_and_of_two_processes_one_builds(tmp_path: Path) -> None:
    account = tmp_path / "account"
    # The whole 90 days: it is killed long before it has them.
    code = "import sys, pathlib, tools.demo.account as a; a.ensure_account(pathlib.Path(sys.argv[1]))"
    with subprocess.Popen([sys.executable, "-c", code, str(account)]) as first:
        deadline = time.monotonic() + 60
        work = tmp_path / ".account.build" / "data" / "SNOWFLAKE.db"
        while not work.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(first.pid, signal.SIGKILL)
    assert work.exists()
    assert not account.exists()
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[tuple[bool, str]] = context.Queue()
    processes = [context.Process(target=_ensure, args=(account, results)) for _ in range(2)]
    for process in processes:
        process.start()
    found = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(timeout=30)
    assert sorted(built for built, _ in found) == [False, True]
    assert len({generation for _, generation in found}) == 1
    assert leftovers(account) == []
    about = info(account)
    assert about["origin"] == "demo"
    assert len(about["views"]) > 30
    assert not ensure_account(account).built


def test_reset_rebuilds_the_demo_in_the_place_of_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.demo.build.build_demo", functools.partial(build_demo, days=3))
    account = tmp_path / "account"
    replace_account(account, build("imported"))
    told: list[float] = []
    seen: list[str] = []
    done = reset(
        account, progress=lambda share, _: told.append(share), before_swap=lambda: seen.append(settings(account).name)
    )
    assert seen == ["imported"]
    assert done.built
    assert done.settings.origin == "demo"
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_build_that_fails_or_forgets_its_settings_changes_nothing(tmp_path: Path) -> None:
    account = tmp_path / "account"
    replace_account(account, build("old"))
    before = settings(account)

    def fails(folder: Path) -> None:
        build("new")(folder)
        raise RuntimeError("disk full")

    def refuses_to_stop() -> None:
        raise TimeoutError("the server does not stop")

    for attempt, error in ((fails, RuntimeError), (lambda folder: None, Exception)):
        with pytest.raises(error):
            replace_account(account, attempt)
    with pytest.raises(TimeoutError):
        replace_account(account, build("new"), refuses_to_stop)
    assert settings(account) == before
    assert leftovers(account) == []


@pytest.mark.parametrize("whole", ["new", "old"])
def test_a_swap_that_was_killed_between_its_two_renames_is_finished(tmp_path: Path, whole: str) -> None:
    account = tmp_path / "account"
    replace_account(account, build("before"))
    account.rename(tmp_path / ".account.old")
    if whole == "new":
        replace_account(tmp_path / "other", build("after"))
        (tmp_path / "other").rename(tmp_path / ".account.new")
    assert not ensure_account(account).built
    assert settings(account).name == ("after" if whole == "new" else "before")
    assert leftovers(account) == []


def test_importing_the_module_is_cheap() -> None:
    heavy = ("duckdb", "pandas", "numpy", "pyarrow", "fakesnow", "pydantic")
    code = f"import sys, tools.demo.account; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_account_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    account = tmp_path / "account"
    old = os.umask(0)
    try:
        replace_account(account, build("one"))
    finally:
        os.umask(old)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (account, *account.rglob("*"))}
    assert {name for name, mode in modes.items() if mode & 0o077} == set()
