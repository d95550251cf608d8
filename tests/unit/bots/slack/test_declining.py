"""Decline: a form that asks for a reason, whoever sends it, and the same for who withdraws."""

from __future__ import annotations

from bots.slack.types import Action, Author, PlanKey, Submission
from tests.unit.bots.slack.office import Office, state, texts
from tools.domain import PlanState
from tools.errors import ChannelRefused, Unreachable


def test_declining_asks_for_a_reason_and_keeps_it(office: Office, key: PlanKey) -> None:
    office.press(Action.DECLINE, key)
    ((_, view),) = office.wall.views
    assert state(office, key) is PlanState.PROPOSED
    assert "Asked for by ada" in texts(view["blocks"])
    assert [b["optional"] for b in view["blocks"] if b["type"] == "input"] == [False]
    office.send(view, "UGRACE", "  not\n this week ")
    record = office.store.get(key.ref)
    assert (record.state, record.reason) == (PlanState.DECLINED, "not this week")
    assert "not this week" in texts(office.wall.shows("200.000001").blocks)


def test_who_asked_withdraws_and_the_form_says_so(office: Office, key: PlanKey) -> None:
    office.press(Action.DECLINE, key, "UADA")
    ((_, view),) = office.wall.views
    assert "withdraw" in texts(view).lower()
    office.send(view, "UADA")
    record = office.store.get(key.ref)
    assert record.state is PlanState.CANCELLED
    assert record.decided_by is not None
    assert record.decided_by.name == "ada"


def test_others_get_no_form(office: Office, key: PlanKey) -> None:
    for user, why in (("UVIC", "role"), ("UGUEST", "guest"), ("UOUT", "outsider")):
        office.press(Action.DECLINE, key, user)
        assert office.denials()[-1] == (f"slack:{office.team_of(user)}/{user}", key.ref, why)
    assert office.wall.views == []
    assert len(office.wall.told) == 3


def test_a_form_sent_by_somebody_else_is_judged_by_who_sent_it(office: Office, key: PlanKey) -> None:
    office.press(Action.DECLINE, key)
    ((_, view),) = office.wall.views
    for user in ("UVIC", "UGUEST", "UOUT"):
        office.send(view, user)
    assert state(office, key) is PlanState.PROPOSED
    assert [why for _, _, why in office.denials()] == ["role", "guest", "outsider"]
    assert len(office.wall.told) == 3


def test_a_form_that_comes_after_the_decision_says_who_was_first(office: Office, key: PlanKey) -> None:
    office.press(Action.DECLINE, key)
    ((_, view),) = office.wall.views
    office.press(Action.APPROVE, key, "UMARY")
    office.send(view, "UGRACE")
    assert state(office, key) is PlanState.APPLIED
    assert "Already approved by mary" in office.wall.told[0]


def test_a_form_without_a_reason_or_without_a_key_declines_nothing(office: Office, key: PlanKey) -> None:
    office.press(Action.DECLINE, key)
    ((_, view),) = office.wall.views
    office.send(view, "UGRACE", "  \n ")
    assert "reason" in office.wall.told[0]
    for metadata in ("", "{}", "[]", '{"ref": 1}', "null"):
        office.interactions.on_submission(
            Submission(Author("UGRACE", "T1"), Action.DECLINE_FORM, metadata, {"reason": "x"})
        )
    office.interactions.on_submission(Submission(Author("UGRACE", "T1"), "other", "{}", {}))
    assert state(office, key) is PlanState.PROPOSED


def test_declining_what_is_decided_already_opens_nothing(office: Office, key: PlanKey) -> None:
    office.press(Action.APPROVE, key)
    office.press(Action.DECLINE, key, "UMARY")
    assert office.wall.views == []
    assert "Already approved by grace" in office.wall.told[0]


def test_what_was_approved_and_not_run_can_still_be_stopped(office: Office, key: PlanKey) -> None:
    office.reader.fail = Unreachable("Snowflake does not answer.")
    office.press(Action.APPROVE, key)
    office.press(Action.DECLINE, key, "UMARY")
    ((_, view),) = office.wall.views
    office.send(view, "UMARY")
    assert state(office, key) is PlanState.CANCELLED


def test_a_trigger_that_came_too_late_is_explained(office: Office, key: PlanKey) -> None:
    office.wall.refuse["open_view"] = ChannelRefused("no", reason="expired_trigger_id")
    office.press(Action.DECLINE, key)
    assert "press the button again" in office.wall.told[0]
