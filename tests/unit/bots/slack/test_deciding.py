"""Buttons and forms: one effect whoever presses how often, an honest answer each time, and a trace of every no."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.settings import SlackSettings
from bots.slack.types import Action, Author, Message, Place, PlanKey, SlackUser
from tests.unit.bots.slack.office import APPROVALS, ME, POLICY, ROOM, ROOT, Office, Wall, posted, state, texts
from tools.domain import PlanState
from tools.errors import ChannelRefused, Unreachable

# --- approve ---------------------------------------------------------------------------------------------------------


def test_an_approver_applies_exactly_what_the_card_shows(office: Office, key: PlanKey) -> None:
    office.press(Action.APPROVE, key)
    assert office.account.log == ['ALTER WAREHOUSE "ETL" SET AUTO_SUSPEND = 60']
    record = office.store.get(key.ref)
    assert record.state is PlanState.APPLIED
    assert record.decided_by is not None
    assert record.decided_by.id == "slack:T1/UGRACE"
    assert "Applied" in texts(office.wall.shows("200.000001").blocks)
    assert office.wall.whispers == []


@pytest.mark.parametrize(
    ("user", "why", "words"),
    [
        ("UADA", "role", "needs the role approver"),
        ("UVIC", "role", "needs the role approver"),
        ("UNEW", "role", "needs the role approver"),
        ("UGUEST", "guest", "Guests"),
        ("UOUT", "outsider", "Guests"),
        ("UROBOT", "bot", "Guests"),
        ("UNOBODY", "unknown_user", "who you are"),
    ],
)
def test_nobody_else_approves_and_every_try_is_audited(
    office: Office, key: PlanKey, user: str, why: str, words: str
) -> None:
    office.press(Action.APPROVE, key, user)
    assert office.account.log == []
    assert state(office, key) is PlanState.PROPOSED
    assert office.denials() == [(f"slack:{office.team_of(user)}/{user}", key.ref, why)]
    (told,) = office.wall.told
    assert told.startswith(f"{user}: ")
    assert words in told


def test_a_deactivated_approver_approves_nothing(office: Office, key: PlanKey) -> None:
    office.parts.people.person(Author("UGRACE", "T1"))  # known a moment ago, and kept
    office.wall.users["UGRACE"] = SlackUser("UGRACE", "grace", "T1", deleted=True)
    office.press(Action.APPROVE, key)
    assert state(office, key) is PlanState.PROPOSED


def test_slack_silent_about_a_person_is_a_no(office: Office, key: PlanKey) -> None:
    office.wall.refuse["user"] = Unreachable("Slack did not answer users.info.")
    office.press(Action.APPROVE, key)
    assert state(office, key) is PlanState.PROPOSED
    assert "Try again" in office.wall.told[0]


def test_a_press_of_another_app_or_workspace_does_nothing(office: Office, key: PlanKey) -> None:
    office.press(Action.APPROVE, key, app="A2")
    assert office.wall.told == []
    office.press(Action.APPROVE, key, team="T9")
    assert state(office, key) is PlanState.PROPOSED
    assert office.denials() == [("slack:T1/UGRACE", key.ref, "other_team")]


def test_in_an_organisation_its_people_decide_from_any_of_its_workspaces(opener: Callable[..., Office]) -> None:
    wall = Wall(replace(ME, enterprise="E1"))
    policy = POLICY.replace("slack:T1/UMARY", "slack:E1/UMARY")
    wall.users["UMARY"] = SlackUser("UMARY", "mary", "T7", enterprise="E1", enterprise_user="UMARY")
    wall.users["UGRACE"] = SlackUser("UGRACE", "grace", "T1", enterprise="E2", enterprise_user="UGRACE")
    office = opener(api=wall, policy=policy)
    key = posted(office)
    office.press(Action.APPROVE, key, "UGRACE")
    assert state(office, key) is PlanState.PROPOSED
    office.interactions.on_click(
        replace(office.click(Action.APPROVE, key.text(), "UMARY"), team="T7", author=Author("UMARY", "E1"))
    )
    assert state(office, key) is PlanState.APPLIED


def test_it_takes_two_where_policy_says_so(office: Office) -> None:
    key = posted(office, by="UGRACE", warehouse="SHARED_BI", seconds=60)
    office.press(Action.APPROVE, key, "UGRACE")
    assert "takes two people" in office.wall.told[0]
    assert state(office, key) is PlanState.PROPOSED
    office.press(Action.APPROVE, key, "UMARY")
    assert state(office, key) is PlanState.APPLIED


def test_a_second_press_says_who_was_first(office: Office, key: PlanKey) -> None:
    office.press(Action.APPROVE, key, "UGRACE")
    office.press(Action.APPROVE, key, "UMARY")
    office.press(Action.APPROVE, key, "UGRACE")
    assert len(office.account.log) == 1
    assert [told.split(":")[0] for told in office.wall.told] == ["UMARY", "UGRACE"]
    assert all("Already approved by grace" in told for told in office.wall.told)


def test_many_at_once_in_two_processes_give_one_effect_and_an_answer_each(office: Office, key: PlanKey) -> None:
    other = office.other()
    users = ["UGRACE", "UMARY"] * 3
    ready = threading.Barrier(len(users))

    def press(who: Office, user: str) -> None:
        ready.wait()
        who.press(Action.APPROVE, key, user)

    threads = [threading.Thread(target=press, args=((office, other)[n % 2], user)) for n, user in enumerate(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    office.desk.refresh()
    other.store.close()
    assert len(office.account.log) == 1
    assert state(office, key) is PlanState.APPLIED
    assert len(office.wall.told) == len(users) - 1
    assert all("Already approved by" in told for told in office.wall.told)
    assert [s.message.text for s in office.wall.posts if s.key and s.key.startswith("told:")] == [
        office.wall.posts[-1].message.text
    ]


def test_a_digest_that_is_not_the_plans_is_refused_and_the_card_painted_anew(office: Office, key: PlanKey) -> None:
    office.press(Action.APPROVE, replace(key, digest="0" * 64))
    assert state(office, key) is PlanState.PROPOSED
    assert "digest" in office.wall.told[0]
    assert office.wall.buttons("200.000001")[Action.APPROVE] == key.text()
    assert len(office.wall.updates) == 1


def test_an_expired_plan(office: Office, key: PlanKey) -> None:
    office.clock.advance(hours=3)
    office.press(Action.APPROVE, key)
    assert "expired" in office.wall.told[0]
    assert Action.APPROVE not in office.wall.buttons("200.000001")
    assert office.account.log == []


def test_a_warehouse_that_changed_since_makes_it_stale_and_says_so(office: Office, key: PlanKey) -> None:
    office.account.change("ETL", auto_suspend=300)
    office.press(Action.APPROVE, key)
    assert state(office, key) is PlanState.STALE
    assert office.account.log == []
    assert "stale" in office.wall.told[0]
    assert "Stale" in texts(office.wall.shows("200.000001").blocks)


def test_an_account_that_does_not_answer_leaves_it_approved_and_says_how_to_stop_it(
    office: Office, key: PlanKey
) -> None:
    office.reader.fail = Unreachable("Snowflake does not answer.")
    office.press(Action.APPROVE, key)
    assert state(office, key) is PlanState.APPROVED
    assert "stored (approved)" in office.wall.told[0]
    assert "cancel" in office.wall.told[0]


@pytest.mark.parametrize("value", ["", "plan", "plan:short", f":{'0' * 64}", "x" * 1900])
def test_a_value_that_is_no_key_of_ours(office: Office, value: str) -> None:
    for action in (Action.APPROVE, Action.DECLINE, Action.DETAILS, Action.UNDO):
        office.press(action, value)
    assert len(office.wall.told) == 4
    assert office.account.log == []


def test_a_plan_that_is_not_known_answers_and_takes_the_buttons_away(office: Office) -> None:
    card = office.wall.post(Place(ROOM, ROOT), Message("a card"), key=f"card:gone:{ROOM}")
    office.press(Action.APPROVE, PlanKey("gone", "0" * 64), ts=card)
    assert "no plan" in office.wall.told[0]
    channel, ts, message = office.wall.updates[0]
    assert (channel, ts) == (ROOM, card)
    assert "actions" not in {block["type"] for block in message.blocks}
    assert office.denials() == [("slack:T1/UGRACE", None, "not_found")]


def test_a_press_that_names_a_message_which_is_no_card_of_the_plan_changes_no_message(
    office: Office, key: PlanKey
) -> None:
    answer = office.wall.post(Place(ROOM, ROOT), Message("an answer"), key="answer:1:0")
    other = posted(office, warehouse="SHARED_BI", seconds=60)
    (card,) = office.store.cards.of(other.ref)
    for ts in (answer, card.ts, "150.000001"):
        office.press(Action.APPROVE, replace(key, digest="0" * 64), ts=ts)
    assert len(office.wall.told) == 3
    assert office.wall.updates == []


def test_a_card_whose_row_was_lost_is_painted_when_it_was_pressed(office: Office, key: PlanKey) -> None:
    (card,) = office.store.cards.of(key.ref)
    office.store.cards.take(ROOM, card.ts, "x", timedelta(seconds=1))
    office.store.cards.release(ROOM, card.ts, "x", closed=True)
    assert office.store.cards.prune(office.clock.now() + timedelta(days=1)) == 1
    office.press(Action.APPROVE, key, ts=card.ts)
    assert state(office, key) is PlanState.APPLIED
    assert "Applied" in texts(office.wall.shows(card.ts).blocks)


def test_who_cannot_be_whispered_to_is_answered_by_the_clicks_own_url(office: Office, key: PlanKey) -> None:
    office.wall.refuse["ephemeral"] = ChannelRefused("no", reason="user_not_in_channel")
    office.press(Action.APPROVE, key, "UADA", response_url="https://hooks.slack.com/actions/1")
    assert len(office.wall.responses) == 1


def test_a_fault_of_our_own_is_told_with_a_reference(office: Office, key: PlanKey) -> None:
    def broken(_: Callable[[], None]) -> None:
        raise ZeroDivisionError

    office.around.append(broken)
    office.press(Action.APPROVE, key)
    (told,) = office.wall.told
    assert "reference" in told
    assert state(office, key) is PlanState.CLAIMED


def test_slack_away_after_the_decision_changes_nothing_about_it(office: Office, key: PlanKey) -> None:
    office.wall.refuse |= {"update": Unreachable("away"), "ephemeral": Unreachable("away"), "post": Unreachable("away")}
    office.press(Action.APPROVE, key)
    assert state(office, key) is PlanState.APPLIED
    office.wall.refuse.clear()
    office.ticks[0] += 60
    office.desk.refresh()
    assert "Applied" in texts(office.wall.shows("200.000001").blocks)


# --- details, undo ---------------------------------------------------------------------------------------------------


def test_details_hold_everything_and_the_audit_trail(office: Office, key: PlanKey) -> None:
    office.press(Action.APPROVE, key, "UADA")
    office.press(Action.APPROVE, key)
    office.press(Action.DETAILS, key, "UVIC")
    shown = texts(office.wall.views[-1][1]["blocks"])
    assert key.digest in shown
    assert "auto-suspend: " in shown and "auto-resume: yes" in shown and "auto_" not in shown
    for event in ("proposed by slack:T1/UADA", "denied by slack:T1/UADA", "approved by slack:T1/UGRACE", "applied by"):
        assert event in shown


def test_details_on_the_home_tab_of_a_plan_that_is_gone(office: Office) -> None:
    office.press(Action.DETAILS, PlanKey("gone", "0" * 64), place=None, message_ts=None)
    assert "no plan" in texts(office.wall.views[0][1]["blocks"])


def test_undo_proposes_the_way_back_on_a_card_of_its_own(office: Office, key: PlanKey) -> None:
    office.press(Action.APPROVE, key)
    office.press(Action.UNDO, key, "UADA")
    (waiting,) = office.store.open_plans()
    assert waiting.plan.undo_of == key.ref
    assert waiting.plan.requester.id == "slack:T1/UADA"
    assert len(office.account.log) == 1
    (card,) = office.store.cards.of(waiting.plan.id)
    assert (card.channel, card.thread_ts) == (ROOM, ROOT)
    office.press(Action.APPROVE, PlanKey(waiting.plan.id, waiting.digest), ts=card.ts)
    assert office.account.warehouses()["ETL"].auto_suspend == 600


def test_undo_pressed_at_once_and_again_makes_one_plan(office: Office, key: PlanKey) -> None:
    office.press(Action.APPROVE, key)
    other = office.other()
    ready = threading.Barrier(4)

    def press(who: Office) -> None:
        ready.wait()
        who.press(Action.UNDO, key)

    threads = [threading.Thread(target=press, args=(who,)) for who in (office, other, office, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.store.close()
    (waiting,) = office.store.open_plans()
    assert len(office.store.cards.of(waiting.plan.id)) == 1
    assert sum("waits for a decision already" in told for told in office.wall.told) == 3


@pytest.mark.parametrize(("user", "why"), [("UVIC", "not_allowed"), ("UGUEST", "guest"), ("UOUT", "outsider")])
def test_undo_is_not_for_everybody(office: Office, key: PlanKey, user: str, why: str) -> None:
    office.press(Action.APPROVE, key)
    office.press(Action.UNDO, key, user)
    assert office.store.open_plans() == ()
    assert office.denials() == [(f"slack:{office.team_of(user)}/{user}", key.ref, why)]
    assert len(office.wall.told) == 1


def test_undo_of_what_was_never_applied_or_has_changed_since(office: Office, key: PlanKey) -> None:
    office.press(Action.UNDO, key)
    assert "Only an applied plan" in office.wall.told[0]
    office.press(Action.APPROVE, key)
    office.account.change("ETL", auto_suspend=120)
    office.press(Action.UNDO, key)
    assert "no longer as plan" in office.wall.told[1]


def test_undo_in_the_approvals_channel_goes_back_to_the_thread(opener: Callable[..., Office]) -> None:
    office = opener(slack=SlackSettings(approvals_channel=APPROVALS))
    key = posted(office)
    office.press(Action.APPROVE, key)
    office.press(Action.UNDO, key, place=Place(APPROVALS), ts="200.000002")
    (waiting,) = office.store.open_plans()
    assert {(c.channel, c.thread_ts) for c in office.store.cards.of(waiting.plan.id)} == {
        (ROOM, ROOT),
        (APPROVALS, None),
    }


# --- home ------------------------------------------------------------------------------------------------------------


def test_home_says_who_one_is_and_what_waits(office: Office, key: PlanKey) -> None:
    office.interactions.on_home("UGRACE", "D1", "home")
    office.interactions.on_home("UGRACE", "D1", "messages")
    office.interactions.on_home("UGUEST", "D2", "home")
    ((user, view),) = office.wall.homes
    assert user == "UGRACE"
    assert "approver" in texts(view["blocks"])
    assert key.text() in str(view)


def test_where_default_role_is_none_plans_are_not_shown_to_who_has_none(opener: Callable[..., Office]) -> None:
    office = opener(policy=POLICY.replace("version = 1", 'version = 1\ndefault_role = "none"'))
    key = posted(office)
    office.interactions.on_home("UNEW", "D1", "home")
    ((_, view),) = office.wall.homes
    assert key.ref not in str(view) and "ETL" not in str(view)
    assert "No plan waits" not in str(view) and "people with a role" in str(view)
    office.press(Action.DETAILS, key, "UNEW")
    assert office.wall.views == [] and "may not see a plan" in office.wall.told[0]
    office.press(Action.DETAILS, key, "UVIC")
    assert len(office.wall.views) == 1
