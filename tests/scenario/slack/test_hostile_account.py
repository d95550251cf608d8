"""An account whose names are written against Slack, and more of them than Slack takes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from bots.slack.render.text import bare
from bots.slack.types import Action
from tests import account
from tests.scenario.slack import hostile
from tests.scenario.slack.conftest import new_slack
from tests.scenario.slack.office import Office, live_in, live_parts
from tests.slack_server.things import Posted


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home = tmp_path_factory.mktemp("hostile") / "home"
    hostile.build(home)
    made = Office(home, new_slack().start()).start()
    yield made
    made.close()
    account.stop_server(home)


def everything(office: Office) -> list[Posted]:
    slack = office.slack
    return [m for channel in list(slack.world.channels) for m in slack.posted(channel)] + slack.ephemerals


def idle(office: Office) -> bool:
    waiting = office.runtime.store.inbox.waiting()
    return waiting.count == 0 and waiting.claimed == 0


def live(office: Office) -> dict[str, str]:
    """What acts in anything that was posted, and where; dates in the reader's own zone do no harm."""
    return {
        part: message.all_text for message in everything(office) for part in live_in(message) if part[:6] != "!date^"
    }


@pytest.mark.parametrize("text", ["queries by query tag last week", "queries by user last week", "list warehouses"])
def test_what_an_account_is_called_notifies_nobody(office: Office, text: str) -> None:
    ts = office.ask(office.anna, text)
    answer = office.said(office.cost, ts)[-1]
    shown = office.said(office.cost, ts)
    assert "channel" in "".join(each.all_text for each in shown) and live(office) == {}
    office.slack.click(office.anna, office.cost, answer.ts, Action.EVIDENCE).wait()
    (view,) = office.wait(lambda: [v for v in office.slack.views if v.user == office.anna])
    assert live_parts(view.blocks) == []
    office.slack.close_view(office.anna, view.id)
    assert office.slack.violations == []


def test_nor_does_what_somebody_writes(office: Office) -> None:
    texts = [f'credits of "{name}" last week' for name in hostile.NAMES] + [f"{hostile.NAMES[2]} {hostile.NAMES[0]}"]
    asked = [office.slack.say(office.anna, office.cost, text) for text in texts]
    for ts in asked:
        office.finished(office.cost, ts)
        assert office.said(office.cost, ts)
    office.slack.command(office.pete, office.cost, " ".join(hostile.NAMES)).wait()
    office.wait(lambda: any("asked:" in message.text for message in everything(office)) and idle(office), 60)
    assert set(live(office)) <= {office.pete, f"@{office.pete}"}  # a command's asker is named
    assert office.slack.violations == []


def test_a_card_mentions_those_who_may_approve_and_nobody_else(office: Office) -> None:
    ts = office.ask(office.pete, f'set auto-suspend of "{hostile.NAMES[0]}" to 300 seconds')
    (card,) = office.cards(office.cost, ts)
    people = {office.pete, office.alice, office.arthur, office.adam}
    assert {part.lstrip("@") for part in live_in(card) if not part.startswith("!date^")} <= people
    assert hostile.NAMES[0] in card.all_text
    assert office.slack.violations == []


def test_an_answer_past_slacks_limits_is_all_there(office: Office) -> None:
    """Split over messages, its table whole in a file."""
    ts = office.ask(office.anna, "list warehouses")
    answer, said = office.turn(office.cost, ts).answer, office.said(office.cost, ts)
    files = [u.content.decode() for u in office.slack.uploads if u.completed and u.thread_ts == ts and u.content]
    assert len(answer) > 12_000 and len(said) > 1 and len(files) == 1
    shown = "\n".join([each.all_text for each in said] + files)
    long_names = set(re.findall(r"`(WAREHOUSE_\d{3}_[^`]*)`", bare(answer)))
    assert len(long_names) > 25 and [name for name in long_names if name not in shown] == []
    assert [bool(each.blocks) for each in said] == [True] * len(said)
    assert office.slack.violations == []


def test_a_question_of_any_length(office: Office) -> None:
    ts = office.ask(office.vera, "credits last week " + "and why <!channel> " * 1_000)
    assert office.said(office.cost, ts) and set(live(office)) <= {office.pete, *_mentioned(office)}
    assert office.slack.violations == []


def _mentioned(office: Office) -> set[str]:
    """Who is named on cards and by commands, in either of Slack's forms."""
    return {form for user in office.people.values() for form in (user, f"@{user}")}
