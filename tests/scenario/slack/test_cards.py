"""A card says what is true, wherever it was decided and whatever became of the message."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bots.slack.types import Action
from tests.scenario.commands import run
from tests.scenario.slack.desk import Change, Desk, deciding
from tests.scenario.slack.office import key_of
from tools.domain import PlanState
from tools.warehouse.statements import quote
from tools.warehouse.writer import SnowflakeWriter


@pytest.fixture(scope="module")
def desk(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """With an approvals channel, named `approvals`."""
    with deciding(template_home, tmp_path_factory.mktemp("cards")) as made:
        made.approvals = made.slack.add_channel("approvals", list(made.people.values()))
        made.start(approvals_channel=made.approvals)
        yield made


@pytest.fixture
def change(desk: Desk) -> Change:
    return desk.propose()


def by_hand(desk: Desk, warehouse: str, seconds: int) -> None:
    SnowflakeWriter(desk.runtime.operator_config).execute(
        f"ALTER WAREHOUSE {quote(warehouse)} SET AUTO_SUSPEND = {seconds}"
    )


# --- windows ---------------------------------------------------------------------------------------------------------


def test_details_say_everything(desk: Desk, change: Change) -> None:
    desk.refused(desk.vera, change.card)
    view = desk.window(desk.vera, change.card, Action.DETAILS)  # a viewer may look
    text = view.all_text
    for part in (change.card.ref, change.card.key.digest, change.statement, "Audit trail", "denied", "pete"):
        assert part in text
    assert "AUTO_SUSPEND = " in text.split("Undo")[1]
    assert desk.slack.violations == []


def test_the_evidence_of_an_answer(desk: Desk) -> None:
    place = desk.channel()
    answer = desk.answer(desk.anna, "credits by warehouse last week", channel=place)
    known = {view.id for view in desk.slack.views}
    desk.slack.click(desk.anna, place, answer.ts, Action.EVIDENCE.value).wait()
    view = desk.wait(lambda: [v for v in desk.slack.views if v.id not in known])[0]
    assert "WAREHOUSE_METERING" in view.all_text.upper() and "credits by warehouse last week" in view.all_text
    assert desk.slack.violations == []


# --- what happens without a button -----------------------------------------------------------------------------------


def test_expired(desk: Desk, change: Change) -> None:
    old = desk.slack.click_payload(desk.alice, change.card.channel, change.card.ts, Action.APPROVE.value)
    desk.clock.shift += timedelta(hours=1)
    text = desk.becomes(change.card, "Expired: nothing was changed")
    assert "frostline_approve" not in str(desk.slack.message(change.card.channel, change.card.ts).blocks)
    assert "Details" in text
    assert len(desk.wait(lambda: desk.notes(change.card))) == 1
    said = desk.whispered(desk.alice, lambda: desk.slack.click_old(old, fresh=True).wait())
    assert "expired" in said
    assert desk.record(change.card).state is PlanState.EXPIRED
    assert change.statement not in desk.alters(change.warehouse)
    assert desk.slack.violations == []


def test_pressed_in_the_moment_when_it_expires(desk: Desk, change: Change) -> None:
    """Before any refresher has seen it: the answer and the card say the same."""
    old = desk.slack.click_payload(desk.alice, change.card.channel, change.card.ts, Action.APPROVE.value)
    desk.clock.shift += timedelta(hours=1)
    assert "expired" in desk.whispered(desk.alice, lambda: desk.slack.click_old(old).wait())
    desk.becomes(change.card, "Expired: nothing was changed")
    assert change.statement not in desk.alters(change.warehouse)
    assert desk.slack.violations == []


def test_drift_makes_it_stale_and_says_what_changed(desk: Desk, change: Change) -> None:
    by_hand(desk, change.warehouse, 4242)
    said = desk.refused(desk.alice, change.card)
    assert "4242" in said
    text = desk.becomes(change.card, "Stale: nothing was changed")
    assert "4242" in text
    assert desk.record(change.card).state is PlanState.STALE
    assert change.statement not in desk.alters(change.warehouse)
    (note,) = desk.wait(lambda: desk.notes(change.card))
    assert "4242" in note
    assert desk.slack.violations == []


def test_approved_on_the_command_line(desk: Desk, change: Change) -> None:
    desk.clock.shift = timedelta(0)  # the command has the wall's time
    fresh = desk.propose(channel=change.card.channel)
    ref, digest = fresh.card.ref, fresh.card.key.digest
    done = run(desk.home, "plans", "approve", ref, "--digest", digest[:12])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "demo-approver" in desk.becomes(fresh.card, "Applied", "approved by")
    assert len(desk.wait(lambda: desk.notes(fresh.card))) == 1
    assert desk.alters(fresh.warehouse).count(fresh.statement) == 1
    assert desk.slack.violations == []


# --- the approvals channel -------------------------------------------------------------------------------------------


def test_the_card_in_the_approvals_channel_is_another_view_of_the_same(desk: Desk, change: Change) -> None:
    copies = [card for card in desk.cards_in(desk.approvals) if card.ref == change.card.ref]
    assert len(copies) == 1
    desk.approve(copies[0], desk.arthur)
    desk.becomes(change.card, "Applied", "approved by")
    desk.wait(lambda: desk.notes(change.card))
    # The thread where it was asked for is told, the copy's is not.
    assert desk.notes(copies[0]) == []
    assert desk.alters(change.warehouse).count(change.statement) == 1
    # Taken back there: the new card stands where the first was asked for, and in the channel for approvals.
    desk.press(desk.arthur, copies[0], Action.UNDO)
    back = desk.wait(lambda: [c for c in desk.cards_in(change.card.channel) if c.ref != change.card.ref])[0]
    assert back.thread == change.card.thread
    desk.wait(lambda: [c for c in desk.cards_in(desk.approvals) if c.ref == back.ref])
    assert desk.slack.violations == []


def test_asked_for_in_a_direct_message(desk: Desk) -> None:
    """Nobody else sees that conversation: approvers have the card in their channel."""
    change = desk.propose(channel=desk.slack.direct(desk.pete))
    (copy,) = [card for card in desk.cards_in(desk.approvals) if card.ref == change.card.ref]
    assert desk.refused(desk.pete, change.card)
    desk.approve(copy)
    desk.becomes(change.card, "Applied", "approved by")
    assert "Applied" in desk.wait(lambda: desk.notes(change.card))[0]
    assert desk.alters(change.warehouse).count(change.statement) == 1
    assert desk.slack.violations == []


def test_no_approvals_channel_any_more(desk: Desk) -> None:
    desk.slack.channel(desk.approvals).archived = True
    try:
        change = desk.propose()
        desk.approve(change.card)
    finally:
        desk.slack.channel(desk.approvals).archived = False
    assert desk.alters(change.warehouse).count(change.statement) == 1
    assert desk.slack.violations == []


# --- messages that go away, Slack that does not answer ---------------------------------------------------------------


def test_a_card_that_was_deleted(desk: Desk, change: Change) -> None:
    (copy,) = [card for card in desk.cards_in(desk.approvals) if card.ref == change.card.ref]
    desk.slack.delete(change.card.channel, change.card.ts)
    desk.approve(copy)
    assert "Applied" in desk.wait(lambda: desk.notes(change.card))[0]
    desk.wait(lambda: not [c for c in desk.runtime.store.cards.open() if c.ref == change.card.ref])
    assert desk.alters(change.warehouse).count(change.statement) == 1
    assert desk.slack.violations == []


def test_the_bot_was_thrown_out(desk: Desk, change: Change) -> None:
    desk.slack.channel(change.card.channel).members.discard(desk.slack.bot_user)
    (copy,) = [card for card in desk.cards_in(desk.approvals) if card.ref == change.card.ref]
    desk.approve(copy)
    desk.wait(lambda: not [c for c in desk.runtime.store.cards.open() if c.ref == change.card.ref])
    assert "Waiting for approval" in desk.text(change.card)
    assert desk.alters(change.warehouse).count(change.statement) == 1
    assert desk.slack.violations == []


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "retry_after": 1},
        {"drop": "after"},
        {"drop": "before"},
        {"error": "internal_error"},
        {"status": 503},
    ],
    ids=["limited", "lost", "cut", "internal", "unavailable"],
)
def test_an_update_that_fails(desk: Desk, change: Change, fault: dict[str, Any]) -> None:
    desk.slack.fail("chat.update", times=1, when=lambda args: args.get("ts") == change.card.ts, **fault)
    desk.approve(change.card)
    desk.wait(lambda: desk.notes(change.card))
    assert len(desk.notes(change.card)) == 1
    assert desk.alters(change.warehouse).count(change.statement) == 1
    assert desk.slack.violations == []


@pytest.mark.parametrize("drop", ["after", "before", "body"])
def test_a_card_whose_posting_got_lost_stands_there_once(desk: Desk, drop: Any) -> None:
    place = desk.channel()
    desk.slack.fail("chat.postMessage", drop=drop, when=lambda args: "card:" in str(args.get("metadata")))
    change = desk.propose(channel=place)
    desk.approve(change.card)
    cards = [m for m in desk.slack.posted(place) if key_of(m).startswith("card:")]
    assert len(cards) == 1
    assert desk.slack.violations == []


def test_a_note_that_got_lost_is_told_once(desk: Desk, change: Change) -> None:
    desk.slack.fail("chat.postMessage", drop="after", when=lambda args: "told:" in str(args.get("metadata")))
    desk.approve(change.card)
    desk.wait(lambda: not [c for c in desk.runtime.store.cards.open() if c.ref == change.card.ref])
    assert len(desk.notes(change.card)) == 1
    assert desk.slack.violations == []
