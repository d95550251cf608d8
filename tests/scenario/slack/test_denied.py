"""Whoever may not decide: told so alone, in the audit trail, and nothing moves. Payloads that lie among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bots.slack.types import Action, PlanKey
from tests.scenario.slack.desk import Change, Desk, deciding
from tools.domain import PlanState

Payload = dict[str, Any]

GROUPS = """
[[groups]]
name = "on call"
id = "slack:T0FROST01/S0ONCALL"
role = "approver"
"""


@pytest.fixture(scope="module")
def desk(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with deciding(template_home, tmp_path_factory.mktemp("denied"), extra_policy=GROUPS) as made:
        made.slack.add_group("oncall", [], id="S0ONCALL")
        made.start()
        yield made


@pytest.fixture
def change(desk: Desk) -> Change:
    return desk.propose()


def actor(desk: Desk, user: str, team: str | None = None) -> str:
    return f"slack:{team or desk.slack.team}/{user}"


def joined(desk: Desk, change: Change, name: str, **how: Any) -> str:
    """Somebody new, in the card's channel."""
    user = desk.slack.add_user(name, **how)
    desk.slack.channel(change.card.channel).members.add(user)
    return user


def set_group(desk: Desk, members: list[str], *, disabled: bool = False, event: bool = True) -> None:
    group = desk.slack.group("S0ONCALL")
    group.members, group.disabled = members, disabled
    if event:
        changed = {"type": "subteam_members_changed", "subteam_id": "S0ONCALL", "team_id": desk.slack.team}
        desk.slack.event(changed).wait()


# --- people ----------------------------------------------------------------------------------------------------------


def test_roles_that_do_not_approve(desk: Desk, change: Change) -> None:
    people = [desk.vera, desk.anna, desk.pete, desk.paula, desk.zoe]
    for user in people:
        assert "approver" in desk.refused(user, change.card)
    assert desk.audit(change.card, "denied") == [(actor(desk, user), "role") for user in people]
    assert desk.is_untouched(change)
    # The card stays as it is for those who may.
    assert desk.approve(change.card)
    assert desk.slack.violations == []


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"guest": True}, "guest"),
        ({"single_channel": True}, "guest"),
        ({"team": "T0OTHER01"}, "outsider"),
        ({"bot": True}, "bot"),
    ],
)
def test_people_who_decide_nothing_here(desk: Desk, change: Change, how: dict[str, Any], why: str) -> None:
    user = joined(desk, change, "alice", **how)  # a display name proves nothing
    for action in (Action.APPROVE, Action.DECLINE):
        assert "Nothing was done" in desk.refused(user, change.card, action)
    denied = desk.audit(change.card, "denied")
    assert [(who.rpartition("/")[2], reason) for who, reason in denied] == [(user, why)] * 2
    assert desk.is_untouched(change) and desk.slack.views == []
    assert desk.slack.violations == []


def test_somebody_whom_slack_does_not_know(desk: Desk, change: Change) -> None:
    def as_nobody(payload: Payload) -> None:
        payload["user"] = {"id": "U0NOBODY", "username": "alice", "name": "alice", "team_id": desk.slack.team}

    desk.press(desk.alice, change.card, tweak=as_nobody)
    desk.wait(lambda: desk.audit(change.card, "denied"))
    assert desk.audit(change.card, "denied") == [(actor(desk, "U0NOBODY"), "unknown_user")]
    assert desk.is_untouched(change)


def test_slack_does_not_say_who_somebody_is(desk: Desk, change: Change) -> None:
    """An approver, and users.info fails: nothing is decided on what was known before."""
    desk.slack.fail("users.info", times=1, error="user_not_visible")
    assert "who you are" in desk.refused(desk.alice, change.card)
    assert desk.audit(change.card, "denied") == [(actor(desk, desk.alice), "unknown_user")]
    assert desk.is_untouched(change)
    assert desk.approve(change.card)
    assert desk.slack.violations == []


def test_deactivated_between_proposal_and_approval(desk: Desk, change: Change) -> None:
    desk.slack.user(desk.arthur).deleted = True
    try:
        assert desk.refused(desk.arthur, change.card)
        assert desk.audit(change.card, "denied") == [(actor(desk, desk.arthur), "unknown_user")]
        assert desk.is_untouched(change)
    finally:
        desk.slack.user(desk.arthur).deleted = False
    assert desk.slack.violations == []


def test_made_a_guest_between_proposal_and_approval(desk: Desk, change: Change) -> None:
    desk.slack.user(desk.arthur).guest = True
    try:
        assert "Nothing was done" in desk.refused(desk.arthur, change.card)
        assert desk.is_untouched(change)
    finally:
        desk.slack.user(desk.arthur).guest = False
    assert desk.slack.violations == []


def test_what_was_said_to_one_is_seen_by_nobody_else(desk: Desk, change: Change) -> None:
    before = len(desk.slack.posted(change.card.channel))
    desk.refused(desk.vera, change.card)
    whisper = desk.slack.ephemerals[-1]
    assert (whisper.ephemeral_to, whisper.channel, whisper.thread_ts) == (
        desk.vera,
        change.card.channel,
        change.card.thread,
    )
    assert len(desk.slack.posted(change.card.channel)) == before
    assert desk.slack.violations == []


def test_told_by_another_way_where_slack_refuses_the_first(desk: Desk, change: Change) -> None:
    desk.slack.fail("chat.postEphemeral", error="user_not_in_channel")
    assert "approver" in desk.refused(desk.vera, change.card)
    assert desk.is_untouched(change)
    assert desk.slack.violations == []


# --- groups ----------------------------------------------------------------------------------------------------------


def test_a_group_gives_the_role(desk: Desk, change: Change) -> None:
    set_group(desk, [desk.zoe])
    assert "S0ONCALL" in str(desk.slack.message(change.card.channel, change.card.ts).blocks)
    desk.approve(change.card, desk.zoe)
    decided = desk.record(change.card).decided_by
    assert decided is not None and decided.id == actor(desk, desk.zoe)
    assert desk.alters(change.warehouse).count(change.statement) == 1
    assert desk.slack.violations == []


def test_out_of_the_group_again(desk: Desk, change: Change) -> None:
    set_group(desk, [desk.zoe])
    other = desk.propose(channel=change.card.channel)
    desk.approve(other.card, desk.zoe)
    set_group(desk, [desk.paula])
    assert desk.refused(desk.zoe, change.card)
    # An entry of the policy wins over a group, also where it is lower.
    assert desk.refused(desk.paula, change.card)
    assert [why for _, why in desk.audit(change.card, "denied")] == ["role", "role"]
    assert desk.is_untouched(change)
    assert desk.slack.violations == []


@pytest.mark.parametrize(("what", "why"), [("disabled", "role"), ("error", "groups"), ("limited", "groups")])
def test_a_group_that_gives_nothing(desk: Desk, change: Change, what: str, why: str) -> None:
    set_group(desk, [desk.zoe], disabled=what == "disabled")
    if what == "error":
        desk.slack.fail("usergroups.users.list", times=1, error="plan_upgrade_required")
    if what == "limited":
        desk.slack.fail("usergroups.users.list", times=1, status=429, retry_after=3600)
    try:
        assert desk.refused(desk.zoe, change.card)
        assert desk.audit(change.card, "denied") == [(actor(desk, desk.zoe), why)]
        assert desk.is_untouched(change)
    finally:
        desk.slack.faults.clear()
        set_group(desk, [])
    assert desk.slack.violations == []


# --- payloads that lie -----------------------------------------------------------------------------------------------


def with_value(value: str, action: Action = Action.APPROVE) -> Callable[[Payload], None]:
    def tweak(payload: Payload) -> None:
        payload["actions"][0] |= {"value": value, "action_id": action.value}

    return tweak


def test_a_button_whose_digest_is_not_the_plans(desk: Desk, change: Change) -> None:
    other = desk.propose(channel=change.card.channel)
    wrong = PlanKey(change.card.ref, other.card.key.digest)
    said = desk.refused(desk.alice, change.card, tweak=with_value(wrong.text()))
    assert "digest" in said
    assert desk.audit(change.card, "denied") == [(actor(desk, desk.alice), "digest")]
    assert desk.is_untouched(change) and desk.is_untouched(other)
    desk.becomes(change.card, "Waiting for approval")
    assert desk.slack.violations == []


NO_KEYS = (
    "",
    "yes",
    "nosuchplan:" + "0" * 64,
    "':" + "f" * 64,
    "x" * 200_000,
    ":" + "0" * 64,
    "\u202e\x00\n:" + "a" * 64,
    "../../etc:" + "a" * 64,
    "y" * 100_000 + ":" + "b" * 64,
)


@pytest.mark.parametrize("action", [Action.APPROVE, Action.UNDO, Action.DECLINE, Action.DETAILS])
def test_values_that_are_no_key(desk: Desk, change: Change, action: Action) -> None:
    for value in NO_KEYS:
        assert desk.refused(desk.alice, change.card, tweak=with_value(value, action)), value[:40]
    assert desk.is_untouched(change)
    desk.becomes(change.card, "Waiting for approval", change.statement)
    assert desk.runtime.store.verify_audit().ok
    assert desk.slack.violations == []


def test_another_apps_button(desk: Desk, change: Change) -> None:
    seen = len(desk.whispers(desk.alice))

    def other_app(payload: Payload) -> None:
        payload["api_app_id"] = "A0OTHER01"

    desk.press(desk.alice, change.card, tweak=other_app)
    # What came after it was answered, so that this one was looked at by then.
    desk.refused(desk.vera, change.card)
    assert desk.is_untouched(change) and desk.whispers(desk.alice)[seen:] == []
    assert [who for who, _ in desk.audit(change.card, "denied")] == [actor(desk, desk.vera)]
    assert desk.slack.violations == []


def test_the_display_name_of_an_approver(desk: Desk, change: Change) -> None:
    def as_alice(payload: Payload) -> None:
        payload["user"] |= {"username": "alice", "name": "alice", "real_name": "alice"}
        payload["message"]["text"] = "Approved by alice"

    assert desk.refused(desk.vera, change.card, tweak=as_alice)
    assert desk.audit(change.card, "denied") == [(actor(desk, desk.vera), "role")]
    assert desk.is_untouched(change)
    assert desk.slack.violations == []


def test_a_team_in_the_payload_makes_nobody_one_of_ours(desk: Desk, change: Change) -> None:
    outsider = joined(desk, change, "alice", team="T0OTHER01")

    def as_ours(payload: Payload) -> None:
        payload["user"]["team_id"] = desk.slack.team

    def elsewhere(payload: Payload) -> None:
        payload["user"]["team_id"] = "T0OTHER01"

    def other_workspace(payload: Payload) -> None:
        payload["team"] = {"id": "T0OTHER01", "domain": "other"}

    def no_team(payload: Payload) -> None:
        payload["user"].pop("team_id")

    for user, tweak in (
        (outsider, as_ours),
        (desk.alice, elsewhere),
        (desk.alice, other_workspace),
        (desk.alice, no_team),
    ):
        assert desk.refused(user, change.card, tweak=tweak)
    assert len(desk.audit(change.card, "denied")) == 4
    assert desk.is_untouched(change)
    assert desk.slack.violations == []


def test_the_message_in_the_payload_is_not_believed(desk: Desk, change: Change) -> None:
    """Another card's text and blocks around this one's key: what is applied is what is stored."""

    def forged(payload: Payload) -> None:
        payload["message"]["blocks"] = []
        payload["message"]["text"] = "ALTER WAREHOUSE ALL SET WAREHOUSE_SIZE = X6LARGE"

    desk.press(desk.alice, change.card, tweak=forged)
    desk.becomes(change.card, "Applied", change.statement)
    assert desk.alters(change.warehouse).count(change.statement) == 1
    assert desk.slack.violations == []


def test_a_button_pressed_in_a_place_that_is_not_the_cards(desk: Desk, change: Change) -> None:
    """A copy of the payload that names another channel and message: the decision counts, nothing else is touched."""
    elsewhere = desk.channel()
    victim = desk.slack.say(desk.pete, elsewhere, "an innocent message", mention=False)

    def moved(payload: Payload) -> None:
        payload["container"] |= {"channel_id": elsewhere, "message_ts": victim, "thread_ts": victim}
        payload["channel"]["id"] = elsewhere

    desk.press(desk.alice, change.card, tweak=moved)
    desk.becomes(change.card, "Applied")
    assert desk.slack.message(elsewhere, victim).text == "an innocent message"
    assert desk.slack.posted(elsewhere) == []
    assert desk.slack.violations == []


def test_a_forged_decline_form(desk: Desk, change: Change) -> None:
    form = desk.window(desk.arthur, change.card, Action.DECLINE)
    for metadata in ("", "{}", "[]", "null", '{"ref": 1}', "x" * 3000, form.body["private_metadata"] + " "):
        metadata_now = metadata

        def tweak(payload: Payload, metadata: str = metadata_now) -> None:
            payload["view"]["private_metadata"] = metadata
            payload["view"]["callback_id"] = "something_else" if metadata.endswith(" ") else Action.DECLINE_FORM.value

        view = desk.window(desk.arthur, change.card, Action.DECLINE)
        desk.slack.submit(desk.arthur, view.id, {"reason": "forged"}, tweak=tweak)
    desk.refused(desk.vera, change.card)
    assert desk.is_untouched(change)
    assert desk.record(change.card).state is PlanState.PROPOSED
    assert desk.slack.violations == []
