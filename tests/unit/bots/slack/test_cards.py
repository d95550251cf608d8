"""Cards: posted once, true whoever decided and wherever, told once, painted by one process at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from agent.settings import SlackSettings
from agent.state import PlanSummary
from bots.slack.types import Action, Place
from tests.unit.bots.slack.office import APPROVALS, ROOM, ROOT, Office, texts
from tools.domain import ActionPlan, PlanState
from tools.errors import ChannelRefused, OutcomeUnknown, Unreachable

Opener = Callable[..., Office]


def test_a_card_stands_in_the_thread_with_the_whole_digest_behind_its_buttons(office: Office) -> None:
    plan = office.propose()
    ts = office.card(plan.approve_id)
    (sent,) = office.wall.posts
    assert sent.place == Place(ROOM, ROOT)
    assert office.wall.buttons(ts)[Action.APPROVE] == f"{plan.approve_id}:{plan.approve_digest}"
    assert "UGRACE" in str(sent.message.blocks)
    assert "UMARY" in str(sent.message.blocks)


def test_the_one_who_asked_is_not_mentioned_where_it_takes_two(office: Office) -> None:
    plan = office.propose(by="UGRACE", warehouse="SHARED_BI", seconds=60)
    assert office.desk.view(plan.approve_id).approvers == ("UMARY", "UGUEST", "UOUT")


def test_posting_again_posts_nothing(office: Office) -> None:
    plan = office.propose()
    office.card(plan.approve_id)
    office.card(plan.approve_id)
    assert len(office.wall.posts) == 1


def test_a_card_whose_row_was_lost_in_a_crash_is_adopted_by_its_key(office: Office) -> None:
    plan = office.propose()
    ts = office.card(plan.approve_id)
    office.clock.advance(days=1)
    office.store.cards.take(ROOM, ts, "x", timedelta(seconds=1))
    office.store.cards.release(ROOM, ts, "x", closed=True)
    assert office.store.cards.prune(office.clock.now()) == 1
    office.clock.advance(days=-1)
    assert office.card(plan.approve_id) == ts
    assert len(office.wall.posts) == 1


def test_the_approvals_channel_gets_a_card_too_and_its_refusal_keeps_nobody_from_theirs(opener: Opener) -> None:
    office = opener(slack=SlackSettings(approvals_channel=APPROVALS))
    plan = office.propose()
    office.card(plan.approve_id)
    assert [s.place for s in office.wall.posts] == [Place(ROOM, ROOT), Place(APPROVALS)]
    other = office.propose(warehouse="SHARED_BI", seconds=60)
    calls = iter((None, ChannelRefused("no", reason="not_in_channel")))

    def second_fails() -> None:
        if error := next(calls, None):
            raise error

    office.wall.before["post"] = second_fails
    office.desk.post(other.approve_id, Place(ROOM, ROOT), "T1")
    assert [c.channel for c in office.store.cards.of(other.approve_id)] == [ROOM]


def test_one_card_for_a_bundle(office: Office) -> None:
    plan = office.propose(
        "propose_changes",
        changes=[{"action": "set_auto_suspend", "warehouse": w, "seconds": 60} for w in ("ETL", "SHARED_BI")],
    )
    assert plan.bundle is not None
    office.desk.post_for([_summary(p.plan) for p in plan.plans], Place(ROOM, ROOT), "T1", "item")
    (card,) = office.store.cards.open()
    assert card.ref == plan.bundle.id
    assert office.wall.buttons(card.ts)[Action.APPROVE] == f"{plan.bundle.id}:{plan.bundle.digest}"


def _summary(plan: ActionPlan) -> PlanSummary:
    fields = ("id", "digest", "bundle", "action", "warehouse", "statement", "undo", "before", "expected")
    return PlanSummary(**{name: getattr(plan, name) for name in fields}, expires_at=plan.expires_at.isoformat())


# --- kept true -------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_while_nothing_changes(office: Office) -> None:
    office.card(office.propose().approve_id)
    assert [office.desk.refresh() for _ in range(3)] == [0, 0, 0]
    assert office.wall.updates == []


def test_an_idle_round_costs_two_queries_however_many_cards_there_are(office: Office) -> None:
    for number in range(12):
        office.card(office.propose(warehouse="ETL", seconds=60 + number).approve_id)
    office.desk.refresh()
    statements: list[str] = []
    event.listen(office.store._engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    assert office.desk.refresh() == 0
    queries = [s for s in statements if s.startswith(("SELECT", "UPDATE", "INSERT", "DELETE"))]
    assert len(queries) == 2
    assert all(s.startswith("SELECT") for s in queries)


def test_a_decision_at_the_command_line_shows_on_every_card_and_is_told_once(opener: Opener) -> None:
    office = opener(slack=SlackSettings(approvals_channel=APPROVALS))
    plan = office.propose()
    ts = office.card(plan.approve_id)
    grace = office.runtime.policy.person("os:grace")
    office.runtime.decide(plan.approve_id, plan.approve_digest, grace, "approve")
    assert office.desk.refresh() == 3
    assert {channel for channel, _, _ in office.wall.updates} == {ROOM, APPROVALS}
    assert Action.APPROVE not in office.wall.buttons(ts)
    assert Action.UNDO in office.wall.buttons(ts)
    told = office.wall.posts[2:]
    assert [s.place for s in told] == [Place(ROOM, ROOT)]
    assert "UADA" in str(told[0].message.blocks)
    assert office.desk.refresh() == 0
    assert all(card.closed for card in office.store.cards.of(plan.approve_id))


def test_a_plan_that_expires_says_so_without_any_worker(office: Office) -> None:
    plan = office.propose()
    ts = office.card(plan.approve_id)
    office.clock.advance(hours=2)
    office.desk.refresh()
    assert "Expired" in texts(office.wall.shows(ts).blocks)
    assert office.store.get(plan.approve_id).state is PlanState.EXPIRED
    assert len(office.wall.posts) == 2


def test_unknown_stays_open_until_somebody_has_settled_it(office: Office) -> None:
    plan = office.propose()
    ts = office.card(plan.approve_id)

    def lost(run: Callable[[], None]) -> None:
        office.account.change("ETL", auto_suspend=77)
        raise OutcomeUnknown("the connection broke")

    office.around.append(lost)
    grace = office.runtime.policy.person("os:grace")
    office.runtime.decide(plan.approve_id, plan.approve_digest, grace, "approve")
    office.desk.refresh()
    assert not office.store.cards.of(plan.approve_id)[0].closed
    assert len(office.wall.posts) == 2
    office.runtime.runner.settle(plan.approve_id, "failed", grace, "I looked")
    office.desk.refresh()
    assert office.store.cards.of(plan.approve_id)[0].closed
    assert len(office.wall.posts) == 3
    assert "Not applied" in texts(office.wall.shows(ts).blocks)


def test_a_card_that_somebody_deleted_is_given_up_but_the_thread_is_told(office: Office) -> None:
    plan = office.propose()
    office.card(plan.approve_id)
    office.wall.refuse["update"] = ChannelRefused("gone", reason="message_not_found")
    office.runtime.decide(plan.approve_id, None, office.runtime.policy.person("os:grace"), "decline")
    assert office.desk.refresh() == 1
    assert len(office.wall.posts) == 2
    assert office.store.cards.of(plan.approve_id)[0].closed


def test_a_channel_that_is_gone_closes_its_card(office: Office) -> None:
    plan = office.propose()
    office.card(plan.approve_id)
    office.wall.refuse["update"] = ChannelRefused("gone", reason="channel_not_found")
    office.runtime.decide(plan.approve_id, None, office.runtime.policy.person("os:grace"), "decline")
    assert office.desk.refresh() == 0
    assert office.store.cards.of(plan.approve_id)[0].closed


def test_slack_away_is_tried_again_later_and_ever_more_rarely(office: Office) -> None:
    plan = office.propose()
    ts = office.card(plan.approve_id)
    tries = 0

    def count() -> None:
        nonlocal tries
        tries += 1

    office.wall.before["update"] = count
    office.wall.refuse["update"] = Unreachable("Slack did not answer.")
    office.runtime.decide(plan.approve_id, None, office.runtime.policy.person("os:grace"), "decline")
    for _ in range(60):
        office.desk.refresh()
        office.ticks[0] += 5
    assert 4 <= tries <= 8
    office.wall.refuse.clear()
    office.ticks[0] += 300
    assert office.desk.refresh() == 2
    assert "Declined" in texts(office.wall.shows(ts).blocks)


def test_a_repaint_that_was_asked_for_is_not_forgotten_when_slack_is_away(office: Office) -> None:
    plan = office.propose()
    ts = office.card(plan.approve_id)
    office.runtime.decide(plan.approve_id, None, office.runtime.policy.person("os:grace"), "decline")
    office.desk.refresh()
    painted = len(office.wall.updates)
    office.desk.adopt(plan.approve_id, Place(ROOM, ROOT), ts, "T1")
    office.wall.refuse["update"] = Unreachable("Slack did not answer.")
    office.desk.refresh()
    office.wall.refuse.clear()
    office.desk.refresh()
    assert len(office.wall.updates) == painted, "not before its time"
    office.ticks[0] += 30
    office.desk.refresh()
    assert len(office.wall.updates) == painted + 1


def test_an_answer_lost_between_card_and_note_tells_once(office: Office) -> None:
    plan = office.propose()
    office.card(plan.approve_id)
    office.wall.refuse["post"] = Unreachable("lost")
    office.runtime.decide(plan.approve_id, None, office.runtime.policy.person("os:grace"), "decline")
    assert office.desk.refresh() == 1
    office.wall.refuse.clear()
    office.ticks[0] += 60
    assert office.desk.refresh() == 1
    assert len(office.wall.updates) == 1
    assert len(office.wall.posts) == 2


def test_who_dies_right_after_the_note_does_not_make_the_next_one_tell_again(office: Office) -> None:
    plan = office.propose()
    ts = office.card(plan.approve_id)
    office.runtime.decide(plan.approve_id, None, office.runtime.policy.person("os:grace"), "decline")
    real, office.wall.post = office.wall.post, dies_after(office.wall.post)  # type: ignore[method-assign]
    with pytest.raises(Died):
        office.desk.refresh()
    office.wall.post = real  # type: ignore[method-assign]
    row = office.store.cards.at(ROOM, ts)
    assert row is not None
    assert row.told == "?declined"
    office.clock.advance(minutes=2)
    office.other().desk.refresh()
    assert len(office.wall.posts) == 2
    row = office.store.cards.at(ROOM, ts)
    assert row is not None
    assert (row.told, row.closed) == ("declined", True)


def test_who_slept_through_its_lease_does_not_tell(office: Office) -> None:
    plan = office.propose()
    ts = office.card(plan.approve_id)
    office.runtime.decide(plan.approve_id, None, office.runtime.policy.person("os:grace"), "decline")

    def sleeps() -> None:
        office.wall.before.clear()
        office.clock.advance(minutes=2)
        office.other().desk.refresh()

    office.wall.before["update"] = sleeps
    office.desk.refresh()
    assert len(office.wall.posts) == 2
    row = office.store.cards.at(ROOM, ts)
    assert row is not None
    assert row.told == "declined"


class Died(BaseException):
    """As a process that is killed."""


def dies_after(call: Callable[..., str]) -> Callable[..., str]:
    def die(*arguments: Any, **named: Any) -> str:
        call(*arguments, **named)
        raise Died

    return die


def test_a_row_that_was_changed_behind_our_back_loses_its_buttons(office: Office) -> None:
    plan = office.propose()
    ts = office.card(plan.approve_id)
    with office.store._engine.begin() as connection:
        connection.execute(text("update plans set body = replace(body, 'ETL', 'VAULT')"))
    office.desk.refresh(plan.approve_id)
    assert office.wall.buttons(ts) == {}
    assert "changed after it was stored" in texts(office.wall.shows(ts).blocks)


# --- several processes -----------------------------------------------------------------------------------------------


def test_two_processes_refreshing_at_once_paint_and_tell_once(office: Office) -> None:
    plan = office.propose()
    office.card(plan.approve_id)
    other = office.other()
    office.runtime.decide(plan.approve_id, None, office.runtime.policy.person("os:grace"), "decline")
    both = threading.Barrier(2)

    def run(who: Office) -> None:
        both.wait()
        who.desk.refresh()

    threads = [threading.Thread(target=run, args=(who,)) for who in (office, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    office.desk.refresh()
    other.desk.refresh()
    other.store.close()
    assert len(office.wall.updates) == 1
    assert len(office.wall.posts) == 2


def test_a_process_that_died_at_a_card_holds_it_for_a_minute_only(office: Office) -> None:
    plan = office.propose()
    ts = office.card(plan.approve_id)
    assert office.store.cards.take(ROOM, ts, "dead", timedelta(seconds=60))
    office.runtime.decide(plan.approve_id, None, office.runtime.policy.person("os:grace"), "decline")
    assert office.desk.refresh() == 0
    office.clock.advance(seconds=61)
    assert office.desk.refresh() == 2
    assert "Declined" in texts(office.wall.shows(ts).blocks)


def test_a_process_that_slept_through_its_lease_does_not_leave_an_old_card(office: Office) -> None:
    """It read `approved`-less state, slept past the lease, and painted over what another had painted since."""
    plan = office.propose()
    ts = office.card(plan.approve_id)
    other = office.other()
    office.desk.adopt(plan.approve_id, Place(ROOM, ROOT), ts, "T1")  # so that it paints although nothing changed

    def meanwhile() -> None:
        office.wall.before.clear()
        office.clock.advance(seconds=90)
        office.runtime.decide(plan.approve_id, None, office.runtime.policy.person("os:grace"), "decline")
        other.desk.refresh()

    office.wall.before["update"] = meanwhile
    office.desk.refresh()
    assert Action.APPROVE in office.wall.buttons(ts), "the late paint came last"
    office.desk.refresh()
    other.store.close()
    assert Action.APPROVE not in office.wall.buttons(ts)
    assert len(office.wall.posts) == 2
