"""Buttons, forms and cards through Bolt, the SDK and a Slack that refuses what Slack refuses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from agent.settings import SlackSettings
from bots.slack.serve import SocketDoor
from bots.slack.service import SlackBot
from bots.slack.types import Action, Place
from tests.slack_server import Posted, SlackServer
from tests.unit.bots.slack.office import POLICY, Office, texts
from tools.domain import PlanState


@dataclass
class Room:
    slack: SlackServer
    bot: SlackBot
    office: Office
    channel: str
    root: str

    def propose(self) -> str:
        """A plan that waits, with its card in the thread; the plan's id."""
        plan = self.office.propose(warehouse="ETL", seconds=60)
        self.bot.parts.desk.post(plan.approve_id, Place(self.channel, self.root), self.slack.team)
        return plan.approve_id

    @property
    def cards(self) -> list[Posted]:
        return [m for m in self.slack.posted(self.channel, self.root) if any(b["type"] == "actions" for b in m.blocks)]

    def press(self, user: str, action: Action, card: int = 0) -> None:
        self.slack.click(user, self.channel, self.cards[card].ts, action.value).wait()

    def whisper(self, count: int) -> str:
        """The text of the count-th ephemeral message."""
        self.slack.wait_for(lambda: len(self.slack.ephemerals) >= count)
        return texts(self.slack.ephemerals[count - 1].blocks)

    def state(self, plan: str) -> PlanState:
        return self.office.store.get(plan).state


PEOPLE = ("UADA", "UGRACE", "UMARY", "UVIC")


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackServer]:
    with SlackServer() as server:
        for user in PEOPLE:
            server.add_user(user[1:].lower(), id=user)
        server.add_user("olga", id="UOUT", team="T0OTHER00")
        server.add_user("gil", id="UGUEST", guest=True)
        yield server


@pytest.fixture
def room(slack: SlackServer, opener: Callable[..., Office]) -> Iterator[Room]:
    settings = SlackSettings(
        bot_token=SecretStr(slack.bot_token),
        app_token=SecretStr(slack.app_token),
        base_url=slack.base_url,
        refresh_s=0.2,
    )
    office = opener(slack=settings, policy=POLICY.replace("slack:T1/", f"slack:{slack.team}/"))
    office.home_team = slack.team
    channel = slack.add_channel("cost", [*PEOPLE, "UOUT", "UGUEST"], shared=True)
    root = slack.say("UADA", channel, "let us talk about ETL", mention=False)
    bot = SlackBot(office.runtime, settings)
    door = SocketDoor(bot)
    door.open()
    bot.start()
    slack.world.ephemerals.clear()
    slack.world.views.clear()
    yield Room(slack, bot, office, channel, root)
    door.close()
    bot.stop(5)
    assert slack.violations == []


def test_wrong_people_then_the_right_one_and_the_way_back(room: Room) -> None:
    slack, plan = room.slack, room.propose()
    for count, (user, words) in enumerate(
        (("UVIC", "role approver"), ("UADA", "role approver"), ("UGUEST", "Guests"), ("UOUT", "Guests")), start=1
    ):
        room.press(user, Action.APPROVE)
        assert words in room.whisper(count)
    assert room.state(plan) is PlanState.PROPOSED
    room.press("UGRACE", Action.APPROVE)
    slack.wait_for(lambda: "Applied" in texts(room.cards[0].blocks))
    assert room.office.account.log == ['ALTER WAREHOUSE "ETL" SET AUTO_SUSPEND = 60']
    room.press("UADA", Action.UNDO)
    slack.wait_for(lambda: len(room.cards) == 2)
    room.press("UMARY", Action.APPROVE, card=1)
    slack.wait_for(lambda: "Applied" in texts(room.cards[1].blocks))
    assert room.office.account.warehouses()["ETL"].auto_suspend == 600
    told = [m for m in slack.posted(room.channel, room.root) if not any(b["type"] == "actions" for b in m.blocks)]
    slack.wait_for(lambda: len(slack.posted(room.channel, room.root)) == 4)
    assert len(told) <= 2


def test_declining_and_details(room: Room) -> None:
    slack, plan = room.slack, room.propose()
    room.press("UGRACE", Action.DETAILS)
    (details,) = slack.wait_for(lambda: slack.views)
    assert "Audit trail" in texts(details.blocks)
    slack.close_view("UGRACE", details.id)
    room.press("UMARY", Action.DECLINE)
    (form,) = slack.wait_for(lambda: slack.views)
    slack.submit("UMARY", form.id, {"reason": "not before <!channel> the release"})
    slack.wait_for(lambda: "Declined" in texts(room.cards[0].blocks))
    assert room.office.store.get(plan).reason == "not before <!channel> the release"


def test_a_button_of_an_old_copy_on_somebodys_screen(room: Room) -> None:
    slack, plan = room.slack, room.propose()
    old = slack.click_payload("UMARY", room.channel, room.cards[0].ts, Action.APPROVE.value)
    room.press("UGRACE", Action.APPROVE)
    slack.wait_for(lambda: room.state(plan) is PlanState.APPLIED)
    slack.click_old(old, fresh=True).wait()
    assert "Already approved by grace" in room.whisper(1)
    assert len(room.office.account.log) == 1


def test_one_press_delivered_twice_is_one_press(room: Room) -> None:
    slack, plan = room.slack, room.propose()
    press = slack.click("UGRACE", room.channel, room.cards[0].ts, Action.APPROVE.value)
    slack.deliver_again(press).wait()
    press.wait()
    slack.wait_for(lambda: room.state(plan) is PlanState.APPLIED)
    slack.wait_for(lambda: "Applied" in texts(room.cards[0].blocks))
    assert slack.ephemerals == []


def test_what_was_decided_is_in_the_log(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    """Bolt gives the logger of the app's name a level of its own at every press."""
    caplog.set_level(logging.INFO, logger="frostline")
    plan = room.propose()
    room.press("UGRACE", Action.APPROVE)
    room.slack.wait_for(lambda: f"approve of {plan} by slack:{room.slack.team}/UGRACE: applied" in caplog.text)
    assert logging.getLogger("frostline").level == logging.INFO


def test_a_card_whose_update_was_lost_is_painted_later(room: Room) -> None:
    slack, plan = room.slack, room.propose()
    slack.fail("chat.update", times=5, status=503)
    room.press("UGRACE", Action.APPROVE)
    slack.wait_for(lambda: room.state(plan) is PlanState.APPLIED)
    slack.wait_for(lambda: "Applied" in texts(room.cards[0].blocks), timeout=20)


def test_the_home_tab_shows_what_waits_and_its_details(room: Room) -> None:
    slack = room.slack
    room.propose()
    slack.open_home("UGRACE")
    slack.wait_for(lambda: "UGRACE" in slack.homes)
    assert "Waiting for approval" in texts(slack.homes["UGRACE"].blocks)
    slack.click_home("UGRACE", Action.DETAILS.value).wait()
    slack.wait_for(lambda: slack.views)


def test_a_card_that_was_deleted_and_its_thread(room: Room) -> None:
    slack, plan = room.slack, room.propose()
    slack.delete(room.channel, room.cards[0].ts)
    grace = room.office.runtime.policy.person("os:grace")
    room.office.runtime.decide(plan, room.office.store.get(plan).digest, grace, "approve")
    slack.wait_for(lambda: slack.posted(room.channel, room.root))
    slack.wait_for(lambda: room.office.store.cards.of(plan)[0].closed)
