"""From a request in a thread to one statement in the account: cards, who presses what, undo, bundles."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bots.slack.types import Action
from tests.scenario.slack.desk import Card, Change, Desk, deciding
from tools.domain import PlanState
from tools.warehouse.statements import quote
from tools.warehouse.writer import SnowflakeWriter


@pytest.fixture(scope="module")
def desk(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with deciding(template_home, tmp_path_factory.mktemp("approvals")) as made:
        made.start()
        yield made


def bundle(desk: Desk, channel: str) -> tuple[Card, list[Change]]:
    """One card for two warehouses."""
    wanted = [(desk.warehouse(), 3000 + 30 * n) for n in range(2)]
    wanted = [(name, seconds if desk.live(name) != seconds else seconds + 300) for name, seconds in wanted]
    text = " and ".join(f"set auto-suspend of {name} to {seconds} seconds" for name, seconds in wanted)
    card = desk.request(desk.pete, channel, text)
    return card, [Change(card, name, seconds) for name, seconds in wanted]


def member_states(desk: Desk, card: Card) -> list[PlanState]:
    return [record.state for record in desk.runtime.store.bundle(card.ref).plans]


def test_a_request_a_card_an_approval_and_one_statement(desk: Desk) -> None:
    change = desk.propose()
    card = change.card
    before = desk.text(card)
    for part in ("Waiting for approval: nothing is changed", change.statement, "Undo: ", "May approve: ", card.ref):
        assert part in before
    assert desk.is_untouched(change)
    after = desk.approve(card)
    assert "approved by" in after and "reads as planned" in after
    message = desk.slack.message(card.channel, card.ts)
    assert message.edits and f"'user_id': '{desk.alice}'" in str(message.blocks)
    assert "frostline_approve" not in str(message.blocks) and "frostline_undo" in str(message.blocks)
    desk.wait(lambda: desk.notes(card))
    assert desk.alters(change.warehouse).count(change.statement) == 1
    assert desk.live(change.warehouse) == change.seconds
    desk.bot.parts.desk.refresh()
    (note,) = desk.notes(card)
    assert "Applied" in note
    assert len(desk.cards_in(card.channel)) == 1
    decided = desk.record(card).decided_by
    assert decided is not None and decided.id == f"slack:{desk.slack.team}/{desk.alice}"
    assert desk.slack.violations == []


def test_words_in_the_thread_approve_nothing(desk: Desk) -> None:
    change = desk.propose()
    for text in ("yes", "approve", f"approve {change.card.key.digest[:8]}"):
        ts = desk.slack.say(desk.alice, change.card.channel, text, change.card.thread)
        desk.finished(change.card.channel, ts)
    assert desk.is_untouched(change)
    assert desk.slack.violations == []


def test_a_double_click_applies_once(desk: Desk) -> None:
    change = desk.propose()
    payloads = [
        desk.slack.click_payload(desk.alice, change.card.channel, change.card.ts, Action.APPROVE.value)
        for _ in range(2)
    ]
    with desk.slack.holding():
        sent = [desk.slack.click_old(payload) for payload in payloads]
    for each in sent:
        each.wait()
    desk.becomes(change.card, "Applied")
    assert "Already approved" in desk.wait(lambda: desk.whispers(desk.alice))[-1]
    assert desk.alters(change.warehouse).count(change.statement) == 1
    assert len(desk.wait(lambda: desk.notes(change.card))) == 1
    assert desk.slack.violations == []


def test_two_people_click_at_once(desk: Desk) -> None:
    change, people = desk.propose(), (desk.alice, desk.arthur)
    seen = {user: len(desk.whispers(user)) for user in people}
    payloads = [
        desk.slack.click_payload(user, change.card.channel, change.card.ts, Action.APPROVE.value) for user in people
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda payload: desk.slack.click_old(payload).wait(), payloads))
    desk.becomes(change.card, "Applied", "approved by")
    decided = desk.record(change.card).decided_by
    assert decided is not None
    loser = next(user for user in people if not decided.id.endswith(user))
    said = desk.wait(lambda: desk.whispers(loser)[seen[loser] :])[-1]
    assert decided.name in said
    assert desk.alters(change.warehouse).count(change.statement) == 1
    assert len(desk.wait(lambda: desk.notes(change.card))) == 1
    assert desk.slack.violations == []


def test_a_click_that_is_delivered_twice_counts_once(desk: Desk) -> None:
    change = desk.propose()
    seen = len(desk.whispers(desk.alice))
    first = desk.press(desk.alice, change.card)
    desk.slack.deliver_again(first).wait()
    desk.becomes(change.card, "Applied")
    desk.wait(lambda: desk.notes(change.card))
    desk.slack.deliver_again(first).wait()
    # Another press of hers is told about, and after it nothing of the repeated ones.
    assert "Undo" in desk.text(change.card)
    assert desk.whispers(desk.alice)[seen:] == []
    assert desk.alters(change.warehouse).count(change.statement) == 1
    assert desk.slack.violations == []


# --- declining and withdrawing ---------------------------------------------------------------------------------------


def test_declined_with_a_reason(desk: Desk) -> None:
    change = desk.propose()
    form = desk.window(desk.arthur, change.card, Action.DECLINE)
    assert form.title == "Decline" and "pete" in form.all_text
    with pytest.raises(AssertionError, match="without a value"):
        desk.slack.submit(desk.arthur, form.id, {})
    desk.slack.submit(desk.arthur, form.id, {"reason": "not  before\nthe *close*"})
    text = desk.becomes(change.card, "Declined: nothing was changed")
    assert "not before the *close*" in text
    assert not [view for view in desk.slack.views if view.id == form.id]
    (note,) = desk.wait(lambda: desk.notes(change.card))
    assert "not before the *close*" in note
    assert desk.record(change.card).state is PlanState.DECLINED
    assert change.statement not in desk.alters(change.warehouse)
    assert desk.slack.violations == []


def test_a_form_without_a_reason_declines_nothing(desk: Desk) -> None:
    change = desk.propose()
    form = desk.window(desk.arthur, change.card, Action.DECLINE)
    said = desk.whispered(desk.arthur, lambda: desk.slack.submit(desk.arthur, form.id, {"reason": "  \n "}))
    assert "a reason is needed" in said
    assert desk.is_untouched(change)
    assert desk.slack.violations == []


def test_a_form_sent_by_somebody_else_declines_nothing(desk: Desk) -> None:
    change = desk.propose()
    form = desk.window(desk.arthur, change.card, Action.DECLINE)

    def as_vera(payload: dict[str, object]) -> None:
        payload["user"] = {"id": desk.vera, "username": "arthur", "name": "arthur", "team_id": desk.slack.team}

    said = desk.whispered(
        desk.vera, lambda: desk.slack.submit(desk.arthur, form.id, {"reason": "because"}, tweak=as_vera)
    )
    assert "viewer" in said or "approver" in said
    assert desk.audit(change.card, "denied") == [(f"slack:{desk.slack.team}/{desk.vera}", "role")]
    assert desk.is_untouched(change)
    assert desk.slack.violations == []


def test_a_form_for_what_was_decided_meanwhile(desk: Desk) -> None:
    change = desk.propose()
    form = desk.window(desk.arthur, change.card, Action.DECLINE)
    desk.approve(change.card)
    said = desk.whispered(desk.arthur, lambda: desk.slack.submit(desk.arthur, form.id, {"reason": "too late"}))
    assert "Already approved by alice" in said and "applied" in said
    assert desk.record(change.card).state is PlanState.APPLIED
    assert "too late" not in desk.text(change.card)
    assert desk.slack.violations == []


def test_whoever_asked_withdraws_it(desk: Desk) -> None:
    change = desk.propose()
    form = desk.window(desk.pete, change.card, Action.DECLINE)
    assert form.title == "Withdraw the plan"
    desk.slack.submit(desk.pete, form.id, {"reason": "thought again"})
    assert "thought again" in desk.becomes(change.card, "Cancelled: nothing was changed")
    assert desk.record(change.card).state is PlanState.CANCELLED
    assert change.statement not in desk.alters(change.warehouse)
    assert desk.slack.violations == []


def test_somebody_else_who_may_only_ask_neither_declines_nor_withdraws(desk: Desk) -> None:
    change = desk.propose()
    assert desk.refused(desk.paula, change.card, Action.DECLINE)
    assert [why for _, why in desk.audit(change.card, "denied")] == ["role"]
    assert desk.is_untouched(change)
    assert desk.slack.views == []
    assert desk.slack.violations == []


def test_a_window_that_slack_no_longer_opens(desk: Desk) -> None:
    change = desk.propose()
    for action in (Action.DECLINE, Action.DETAILS):
        desk.slack.fail("views.open", error="expired_trigger_id")
        said = desk.refused(desk.alice, change.card, action)
        assert "press the button again" in said
    assert desk.window(desk.alice, change.card, Action.DETAILS).title == "Details"
    assert desk.is_untouched(change)
    assert desk.slack.violations == []


# --- undo ------------------------------------------------------------------------------------------------------------


def undo_card(desk: Desk, card: Card) -> Card:
    return desk.eventually(lambda: [c for c in desk.cards_in(card.channel, card.thread) if c.ts > card.ts])[-1]


def test_undo_is_a_new_plan_with_a_card_of_its_own(desk: Desk) -> None:
    change = desk.propose()
    before = desk.record(change.card).plan.before["auto_suspend"]
    desk.approve(change.card)
    desk.press(desk.pete, change.card, Action.UNDO)
    back = undo_card(desk, change.card)
    assert f"plan {change.card.ref}" in desk.text(back) and back.ref != change.card.ref
    assert desk.record(back).plan.undo_of == change.card.ref
    assert desk.live(change.warehouse) == change.seconds  # until it is approved
    desk.approve(back, desk.arthur)
    assert (desk.live(change.warehouse) or 0) == (before or 0)
    assert len(desk.alters(change.warehouse)) >= 2
    assert desk.slack.violations == []


def test_undo_pressed_twice_is_one_plan(desk: Desk) -> None:
    change = desk.propose()
    desk.approve(change.card)
    payloads = [
        desk.slack.click_payload(user, change.card.channel, change.card.ts, Action.UNDO.value)
        for user in (desk.pete, desk.paula)
    ]
    with desk.slack.holding():
        sent = [desk.slack.click_old(payload) for payload in payloads]
    for each in sent:
        each.wait()
    back = undo_card(desk, change.card)
    desk.wait(lambda: any(back.ref in said for user in (desk.pete, desk.paula) for said in desk.whispers(user)))
    undos = [r for r in desk.runtime.store.list(limit=1000) if r.plan.undo_of == change.card.ref]
    assert [r.plan.id for r in undos] == [back.ref]
    assert len(desk.cards_in(change.card.channel, change.card.thread)) == 2
    assert desk.slack.violations == []


def test_a_viewer_undoes_nothing(desk: Desk) -> None:
    change = desk.propose()
    desk.approve(change.card)
    assert desk.refused(desk.vera, change.card, Action.UNDO)
    assert not [r for r in desk.runtime.store.list(limit=1000) if r.plan.undo_of == change.card.ref]
    assert desk.slack.violations == []


# --- bundles ---------------------------------------------------------------------------------------------------------


def test_a_bundle_is_approved_as_a_whole_and_taken_back_plan_by_plan(desk: Desk) -> None:
    card, changes = bundle(desk, desk.channel())
    assert all(change.statement in desk.text(card) for change in changes)
    assert "2 changes" in desk.text(card)
    desk.press(desk.alice, card)
    desk.becomes(card, "2 changes. Applied", "approved by")
    assert member_states(desk, card) == [PlanState.APPLIED] * 2
    assert all(desk.alters(change.warehouse).count(change.statement) == 1 for change in changes)
    assert len(desk.wait(lambda: desk.notes(card))) == 1
    # Taken back: each plan has a button; the last that was applied stands first.
    last = desk.runtime.store.bundle(card.ref).plans[1]
    value = f"{last.plan.id}:{last.digest}"
    payload = desk.slack.click_payload(desk.pete, card.channel, card.ts, Action.UNDO.value, value)
    again = desk.slack.click_payload(desk.paula, card.channel, card.ts, Action.UNDO.value, value)
    with desk.slack.holding():
        sent = [desk.slack.click_old(each) for each in (payload, again)]
    for each in sent:
        each.wait()
    back = undo_card(desk, card)
    assert desk.record(back).plan.undo_of == last.plan.id
    desk.wait(lambda: any(back.ref in said for user in (desk.pete, desk.paula) for said in desk.whispers(user)))
    assert len([r for r in desk.runtime.store.list(limit=1000) if r.plan.undo_of == last.plan.id]) == 1
    desk.approve(back)
    assert (desk.live(changes[1].warehouse) or 0) == (last.plan.before["auto_suspend"] or 0)
    assert desk.live(changes[0].warehouse) == changes[0].seconds
    assert desk.slack.violations == []


def test_a_bundle_stops_at_the_first_that_is_not_applied(desk: Desk) -> None:
    card, changes = bundle(desk, desk.channel())
    by_hand = SnowflakeWriter(desk.runtime.operator_config)
    by_hand.execute(f"ALTER WAREHOUSE {quote(changes[0].warehouse)} SET AUTO_SUSPEND = 4321")
    said = desk.whispered(desk.alice, lambda: desk.press(desk.alice, card))
    assert "4321" in said or "stale" in said.lower()
    assert "4321" in desk.becomes(card, "0 of 2 applied", "Stale", "Cancelled")
    assert member_states(desk, card) == [PlanState.STALE, PlanState.CANCELLED]
    assert not any(change.statement in desk.alters(change.warehouse) for change in changes)
    (note,) = desk.wait(lambda: desk.notes(card))
    assert "0 of 2 applied" in note
    assert desk.slack.violations == []


def test_a_bundle_is_declined_as_a_whole(desk: Desk) -> None:
    card, changes = bundle(desk, desk.channel())
    form = desk.window(desk.adam, card, Action.DECLINE)
    desk.slack.submit(desk.adam, form.id, {"reason": "one at a time, please"})
    desk.becomes(card, "one at a time, please")
    assert member_states(desk, card) == [PlanState.DECLINED] * 2
    assert not any(change.statement in desk.alters(change.warehouse) for change in changes)
    assert desk.slack.violations == []
