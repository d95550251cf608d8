"""/frostline: what only its writer sees, and what becomes a conversation in the channel."""

from __future__ import annotations

from agent.store.inbox import ItemState
from bots.slack.types import Action
from tests.scenario.slack.conftest import OfficeMaker
from tests.scenario.slack.office import PATIENCE_S, Office, key_of, live_in
from tests.slack_server.delivery import Delivery
from tests.slack_server.things import Posted

QUESTION = "credits by warehouse last week"


def opened(office: Office, channel: str, command: Delivery) -> Posted:
    """The message with which a command's conversation begins."""
    item_id = f"command:{office.slack.team}/{command.trigger_id}"

    def look() -> list[Posted]:
        return [each for each in office.slack.posted(channel) if key_of(each) == f"asked:{item_id}"]

    (found,) = office.wait(look)
    return found


def test_a_command_is_asked_in_the_channel_and_answered_in_its_thread(office: Office) -> None:
    command = office.slack.command(office.vera, office.cost, QUESTION).wait()
    asked = opened(office, office.cost, command)
    assert asked.thread_ts in (None, asked.ts) and QUESTION in asked.all_text
    assert live_in(asked) == [office.vera, f"@{office.vera}"]  # who asked, and nothing else
    office.finished(office.cost, asked.ts)
    (answer,) = office.said(office.cost, asked.ts)
    assert answer.thread_ts == asked.ts and answer.streamed and "TRANSFORM_WH" in answer.text
    follow = office.ask(office.vera, "and by role?", thread_ts=asked.ts, mention=False)
    assert office.turn(office.cost, follow).tool_calls[0].args["by"] == "role"
    assert office.slack.violations == []


def test_a_command_in_a_direct_message(office: Office) -> None:
    channel = office.slack.direct(office.vera)
    asked = opened(office, channel, office.slack.command(office.vera, channel, QUESTION).wait())
    office.finished(channel, asked.ts)
    assert "TRANSFORM_WH" in office.said(channel, asked.ts)[0].text
    assert office.slack.violations == []


def test_where_the_bot_is_not_only_the_asker_is_told(office: Office) -> None:
    before = len(office.slack.ephemerals)
    office.slack.command(office.vera, office.foreign, QUESTION).wait()
    told = office.wait(lambda: office.slack.ephemerals[before:])
    assert told[0].ephemeral_to == office.vera and "/invite" in told[0].all_text
    assert office.slack.posted(office.foreign) == []
    assert office.slack.violations == []


def test_where_another_organisation_reads_along_only_the_asker_is_told(
    office: Office, make_office: OfficeMaker
) -> None:
    """A command does not say so of its channel: Slack is asked, and where it does not say, nothing is said either."""
    shared = office.slack.add_channel("partners", [office.vera], shared=True)
    before = len(office.slack.ephemerals)
    office.slack.command(office.vera, shared, QUESTION).wait()
    told = office.wait(lambda: office.slack.ephemerals[before:])
    assert told[0].ephemeral_to == office.vera and "another organisation" in told[0].all_text
    office.slack.fail("conversations.info", error="missing_scope")
    office.slack.command(office.vera, office.other, QUESTION).wait()
    told = office.wait(lambda: office.slack.ephemerals[before + 1 :])
    assert told[0].ephemeral_to == office.vera and "channels:read" in told[0].all_text
    assert office.slack.posted(shared) == office.slack.posted(office.other) == []
    made = make_office()
    listed = made.slack.add_channel("listed", [made.vera], shared=True)
    made.start(channels=[listed])
    assert opened(made, listed, made.slack.command(made.vera, listed, QUESTION).wait())
    assert office.slack.violations == [] and made.slack.violations == []


def test_help_is_for_the_asker_alone(office: Office) -> None:
    for words in ("", "help", "?"):
        before = len(office.slack.ephemerals)
        office.slack.command(office.vera, office.foreign, words).wait()
        told = office.wait(lambda seen=before: office.slack.ephemerals[seen:])
        assert "mention me in a channel" in told[0].all_text and told[0].ephemeral_to == office.vera
    assert office.slack.violations == []


def test_a_command_of_a_guest_is_answered_by_nobody(office: Office) -> None:
    guest = office.slack.add_user("guest", guest=True)
    office.slack.channel(office.cost).members.add(guest)
    command = office.slack.command(guest, office.cost, QUESTION).wait()
    inbox = office.runtime.store.inbox
    item_id = f"command:{office.slack.team}/{command.trigger_id}"
    office.wait(lambda: (item := inbox.get(item_id)) is not None and item.state is ItemState.DROPPED)
    assert not [each for each in office.slack.posted(office.cost) if item_id in key_of(each)]
    assert office.slack.violations == []


def test_channels_that_settings_do_not_name(make_office: OfficeMaker) -> None:
    made = make_office()
    office = made.start(channels=[made.cost])
    office.slack.command(office.vera, office.other, QUESTION).wait()
    told = office.wait(lambda: office.slack.ephemerals)
    assert "does not answer in this channel" in told[0].all_text
    assert office.slack.posted(office.other) == []
    asked = opened(office, office.cost, office.slack.command(office.vera, office.cost, QUESTION).wait())
    office.finished(office.cost, asked.ts)
    assert office.slack.violations == []


def test_a_lost_answer_does_not_ask_twice(office: Office) -> None:
    """The message stood there already when the connection broke."""
    office.slack.fail("chat.postMessage", drop="after")
    command = office.slack.command(office.vera, office.cost, QUESTION).wait()
    asked = opened(office, office.cost, command)
    office.finished(office.cost, asked.ts, PATIENCE_S)
    assert opened(office, office.cost, command).ts == asked.ts
    assert len(office.said(office.cost, asked.ts)) == 1
    assert office.slack.violations == []


def test_a_change_that_was_asked_by_command_has_its_card_in_the_thread(office: Office) -> None:
    command = office.slack.command(office.pete, office.cost, "set auto-suspend of DEV_WH to 300 seconds").wait()
    asked = opened(office, office.cost, command)
    office.finished(office.cost, asked.ts)
    (card,) = office.cards(office.cost, asked.ts)
    ids = [element.get("action_id") for block in card.blocks for element in block.get("elements", [])]
    assert Action.APPROVE in ids and "DEV_WH" in card.all_text
    assert office.slack.violations == []
