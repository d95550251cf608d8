"""Where it takes two people, and Enterprise Grid, where one human being has several ids."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bots.slack.types import Action
from tests.scenario.slack.desk import Card, Desk, deciding
from tests.scenario.slack.office import shared_home
from tests.slack_server import SlackServer
from tools.domain import PlanState, Size

ORG = "E0FROST01"


@pytest.fixture(scope="module")
def desk(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with deciding(template_home, tmp_path_factory.mktemp("two-people")) as made:
        made.start()
        yield made


def two_sizes_up(desk: Desk, by: str, channel: str, *, already: set[str]) -> tuple[Card, str]:
    """A resize that the packaged policy's rule two-sizes is about; (card, warehouse)."""
    sizes = list(Size)
    for live in desk.runtime.reader.warehouses():
        at = sizes.index(live.size) if live.size else len(sizes)
        if at + 2 <= sizes.index(Size.X4LARGE) and live.name not in already and not live.is_adaptive:
            already.add(live.name)
            return desk.request(by, channel, f'resize "{live.name}" to {sizes[at + 2].shown}'), live.name
    raise AssertionError("no warehouse left that can go two sizes up")


def resizes(desk: Desk, warehouse: str) -> list[str]:
    return [statement for statement in desk.alters(warehouse) if "WAREHOUSE_SIZE" in statement]


@pytest.fixture(scope="module")
def used() -> set[str]:
    return set()


def test_who_asked_does_not_approve_and_another_does(desk: Desk, used: set[str]) -> None:
    card, warehouse = two_sizes_up(desk, desk.alice, desk.channel(), already=used)
    text = desk.text(card)
    assert "Two people" in text
    mentioned = str(desk.slack.message(card.channel, card.ts).blocks)
    assert desk.arthur in mentioned and mentioned.count(desk.alice) == 1  # as the one who asked
    assert desk.refused(desk.alice, card)
    assert [who for who, _ in desk.audit(card, "denied")] == [f"slack:{desk.slack.team}/{desk.alice}"]
    assert desk.record(card).state is PlanState.PROPOSED and resizes(desk, warehouse) == []
    desk.approve(card, desk.arthur)
    assert len(resizes(desk, warehouse)) == 1
    assert desk.slack.violations == []


def test_who_asked_withdraws_it(desk: Desk, used: set[str]) -> None:
    card, warehouse = two_sizes_up(desk, desk.alice, desk.channel(), already=used)
    form = desk.window(desk.alice, card, Action.DECLINE)
    desk.slack.submit(desk.alice, form.id, {"reason": "never mind"})
    desk.becomes(card, "never mind")
    assert desk.record(card).state in (PlanState.CANCELLED, PlanState.DECLINED)
    assert resizes(desk, warehouse) == []
    assert desk.slack.violations == []


def test_an_admin_is_one_person_too(desk: Desk, used: set[str]) -> None:
    card, warehouse = two_sizes_up(desk, desk.adam, desk.channel(), already=used)
    assert desk.refused(desk.adam, card)
    assert resizes(desk, warehouse) == []
    assert desk.slack.violations == []


def test_one_person_is_enough_elsewhere(desk: Desk) -> None:
    change = desk.propose(desk.alice)
    desk.approve(change.card, desk.alice)
    assert desk.alters(change.warehouse).count(change.statement) == 1
    assert desk.slack.violations == []


# --- Enterprise Grid -------------------------------------------------------------------------------------------------

GRID_PEOPLE = f"""
[[people]]
name = "grid-asker"
ids = ["slack:{ORG}/W0ASKER"]
role = "approver"
[[people]]
name = "grid-approver"
ids = ["slack:{ORG}/W0GRACE", "slack:T0FROST01/U0OLDGRACE"]
role = "approver"
"""


@contextmanager
def grid_desk(folder: Path, whose: Path, *, org_install: bool) -> Iterator[Desk]:
    """A workspace of an organisation, with a store of its own and the other desk's account."""
    slack = SlackServer(enterprise=ORG, org_install=org_install).start()
    made = Desk(shared_home(folder, whose), slack, extra_policy=GRID_PEOPLE)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("org_install", [False, True], ids=["workspace", "organisation"])
def test_on_grid_the_organisations_ids_decide(desk: Desk, used: set[str], tmp_path: Path, org_install: bool) -> None:
    home = desk.home
    with grid_desk(tmp_path / "grid", home, org_install=org_install) as desk:
        slack = desk.slack
        asker = slack.add_user("asker", id="U0ASKER", enterprise=ORG, enterprise_user="W0ASKER")
        grace = slack.add_user("grace", id="W0GRACE", team="T0SECOND1", enterprise=ORG)
        old = slack.add_user("grace", id="U0OLDGRACE", enterprise=ORG, enterprise_user="W0GRACE")
        alien = slack.add_user("grace", id="U0ALIEN", team="T0ALIEN01", enterprise="E0ALIEN01")
        desk.start()
        place = desk.channel(asker, grace, old, alien)
        card, warehouse = two_sizes_up(desk, asker, place, already=used)
        assert "W0GRACE" in str(slack.message(place, card.ts).blocks)
        # Another organisation's person, whatever the payload says.
        assert desk.refused(alien, card, tweak=lambda p: p["user"].update(team_id=slack.team))
        # Who asked, under another of their ids.
        assert desk.refused(asker, card, tweak=lambda p: p["user"].update(id="W0ASKER"))
        assert resizes(desk, warehouse) == []
        # Of another workspace of the same organisation; the click names the organisation as the team.
        desk.press(grace, card, tweak=lambda p: p["user"].update(team_id=ORG))
        desk.becomes(card, "Applied")
        assert len(resizes(desk, warehouse)) == 1
        decided = desk.record(card).decided_by
        assert decided is not None and decided.name == "grid-approver"
        # ... and under the id that she had before the workspace joined the organisation.
        change = desk.request(asker, place, f"set auto-suspend of {desk.warehouse()} to {1230 + org_install} seconds")
        desk.approve(change, old)
        decided = desk.record(change).decided_by
        assert decided is not None and decided.name == "grid-approver"
        assert slack.violations == []
