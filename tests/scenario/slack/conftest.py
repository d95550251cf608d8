"""Offices for the scenario tests of Slack: one a module where nothing is changed, or one of a test's own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bots.slack.manifest import manifest
from tests import account
from tests.scenario.slack.office import Office, shared_home
from tests.slack_server.server import SlackServer

OfficeMaker = Callable[..., Office]


def new_slack(**settings: Any) -> SlackServer:
    """A workspace in which the app is installed by its own manifest: no scope, no event more."""
    return SlackServer(manifest=manifest(), **settings)


@pytest.fixture(scope="session")
def quiet_home(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An account (and its server) for all tests that change no warehouse."""
    home = account.new_home(template_home, tmp_path_factory.mktemp("slack") / "account")
    yield home
    account.stop_server(home)


@pytest.fixture(scope="module")
def office(quiet_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The bot with the settings that it has by itself, in Socket Mode; for all tests of a module."""
    home = shared_home(tmp_path_factory.mktemp("slack") / "office", quiet_home)
    made = Office(home, new_slack().start()).start()
    yield made
    made.close()


@pytest.fixture
def make_office(quiet_home: Path, template_home: Path, tmp_path: Path) -> Iterator[OfficeMaker]:
    """Offices of a test's own, not yet started: `make_office().start(follow_ups="anyone")`.

    `own_account=True`: with a copy of the account, whose warehouses the test may change; else the one of all others,
    with a store of its own. `slack`: from `new_slack`, made otherwise; `extra_policy`: put at policy.toml's end.
    """
    numbers, made, homes = itertools.count(1), [], []

    def make(*, own_account: bool = False, slack: SlackServer | None = None, extra_policy: str = "") -> Office:
        target = tmp_path / f"office-{next(numbers)}"
        home = account.new_home(template_home, target) if own_account else shared_home(target, quiet_home)
        if own_account:
            homes.append(home)
        made.append(Office(home, (slack or new_slack()).start(), extra_policy=extra_policy))
        return made[-1]

    yield make
    for each in made:
        each.close()
    for home in homes:
        account.stop_server(home)
