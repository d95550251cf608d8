"""The worker's rounds: one that fails is told and the next is made; a stop is heard at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import pytest

from agent.actions.recovery import RecoveryReport
from agent.runtime import Runtime
from agent.settings import load_settings
from bots.worker import Worker
from tools.errors import Unreachable

SIGN_IN = 'account = "acme"\nuser = "u"\npassword = "p"\nhost = "127.0.0.1"\n'
PROFILE = f'[account]\nkind = "live"\ntimezone = "UTC"\n[reader]\n{SIGN_IN}[operator]\n{SIGN_IN}'


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """On a store without plans: a round has nothing to ask the account."""
    home = tmp_path_factory.mktemp("home")
    (home / "profiles").mkdir()
    (home / "profiles" / "lab.toml").write_text(PROFILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FROSTLINE_HOME", str(home))
        settings = load_settings("lab")
    with Runtime.open(settings) as opened:
        yield opened


def worker(
    opened: Callable[[], AbstractContextManager[Runtime]], heard: list[str], stop_after: int, stop: threading.Event
) -> Worker:
    def note(what: str) -> None:
        heard.append(what)
        if len(heard) >= stop_after:
            stop.set()

    return Worker(opened, on_report=lambda r: note(str(r.as_json())), on_failure=lambda e: note(type(e).__name__))


def test_a_round_settles_what_there_is(runtime: Runtime) -> None:
    one = Worker(lambda: nullcontext(runtime), on_report=lambda _: None, on_failure=lambda _: None)
    report = one.round()
    assert isinstance(report, RecoveryReport) and report.as_json() == {}


def test_a_round_that_fails_is_not_the_last(runtime: Runtime) -> None:
    tries = iter([Unreachable("away"), KeyError("a bug"), None])

    def opened() -> AbstractContextManager[Runtime]:
        problem = next(tries)
        if problem:
            raise problem
        return nullcontext(runtime)

    heard: list[str] = []
    stop = threading.Event()
    worker(opened, heard, 3, stop).run(stop, 0.01)
    assert heard == ["Unreachable", "KeyError", "{}"]


def test_a_single_round_raises_what_went_wrong() -> None:
    def opened() -> AbstractContextManager[Runtime]:
        raise Unreachable("away")

    with pytest.raises(Unreachable):
        Worker(opened, on_report=lambda _: None, on_failure=lambda _: None).round()


def test_it_stops_without_waiting_for_the_next_round(runtime: Runtime) -> None:
    heard: list[str] = []
    stop = threading.Event()
    began = time.monotonic()
    worker(lambda: nullcontext(runtime), heard, 1, stop).run(stop, 3600)
    assert heard == ["{}"] and time.monotonic() - began < 60
    worker(lambda: nullcontext(runtime), heard, 9, stop).run(stop, 3600)
    assert heard == ["{}"]  # told to stop before it began
