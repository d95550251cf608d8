"""Who and what gets no answer. Shown by the inbox: what is not wanted is acknowledged and not kept, or dropped."""

from __future__ import annotations

import pytest

from agent.store.inbox import ItemState
from bots.slack.types import Action
from tests.scenario.slack.conftest import OfficeMaker
from tests.scenario.slack.office import Office

QUESTION = "credits by warehouse last week"


def dropped(office: Office, channel: str, ts: str) -> str:
    """Why a message was kept and then not answered; nothing was said."""
    item = office.finished(channel, ts)
    assert item.state is ItemState.DROPPED and office.slack.posted(channel, ts) == []
    return str(item.progress["reason"])


def not_kept(office: Office, channel: str, ts: str) -> bool:
    """Acknowledged, and never in the inbox."""
    office.acknowledged()
    return office.item(channel, ts) is None and office.slack.posted(channel, ts) == []


def joined(office: Office, user: str, channel: str | None = None) -> str:
    office.slack.channel(channel or office.cost).members.add(user)
    return user


def mention(office: Office, ts: str) -> dict[str, object]:
    """The event of a question that would be answered."""
    text = f"<@{office.slack.bot_user}> {QUESTION}"
    return {"type": "app_mention", "user": office.vera, "text": text, "ts": ts, "channel": office.cost}


def test_a_guest(office: Office) -> None:
    for made in (office.slack.add_user("guest", guest=True), office.slack.add_user("once", single_channel=True)):
        guest = joined(office, made)
        assert dropped(office, office.cost, office.slack.say(guest, office.cost, QUESTION)) == "guest"
        direct = office.slack.direct(guest)
        assert dropped(office, direct, office.slack.say(guest, direct, QUESTION)) == "guest"
    assert office.slack.violations == []


def test_somebody_who_becomes_a_guest(office: Office) -> None:
    """user_change: what was known of a person is asked anew."""
    leaver = joined(office, office.slack.add_user("leaver"))
    assert office.said(office.cost, office.ask(leaver, QUESTION))
    office.slack.user(leaver).guest = True
    office.slack.event({"type": "user_change", "user": {"id": leaver}}).wait()
    assert dropped(office, office.cost, office.slack.say(leaver, office.cost, QUESTION)) == "guest"
    assert office.slack.violations == []


def test_people_of_another_organisation(office: Office) -> None:
    shared = office.slack.add_channel("shared", [office.vera], shared=True)
    outsider = joined(office, office.slack.add_user("olga", team="T0ELSE001"), shared)
    assert dropped(office, shared, office.slack.say(outsider, shared, QUESTION)) == "outsider"
    assert office.slack.violations == []


def test_our_own_people_where_another_organisation_reads_along(office: Office, make_office: OfficeMaker) -> None:
    shared = office.slack.add_channel("with-partners", [office.vera], shared=True)
    assert dropped(office, shared, office.slack.say(office.vera, shared, QUESTION)) == "shared"
    (whisper,) = [e for e in office.slack.ephemerals if e.channel == shared]
    assert whisper.ephemeral_to == office.vera and "another organisation" in whisper.all_text
    other = make_office()
    listed = other.slack.add_channel("listed", [other.vera], shared=True)
    other.start(channels=[listed])
    assert other.said(listed, other.ask(other.vera, QUESTION, channel=listed))
    assert office.slack.violations == [] and other.slack.violations == []


def test_an_outsider_whose_event_claims_our_team(office: Office) -> None:
    shared = office.slack.add_channel("shared-too", [office.vera], shared=True)
    outsider = joined(office, office.slack.add_user("otto", team="T0ELSE001"), shared)

    def lie(event: dict[str, object]) -> None:
        event |= {"team": office.slack.team, "user_team": office.slack.team, "source_team": office.slack.team}

    ts = office.slack.say(outsider, shared, QUESTION, tweak=lie)
    assert dropped(office, shared, ts) == "outsider"
    assert office.slack.violations == []


def test_a_deactivated_person_and_one_nobody_knows(office: Office) -> None:
    gone = joined(office, office.slack.add_user("gone", deleted=True))
    assert dropped(office, office.cost, office.slack.say(gone, office.cost, QUESTION)) == "unknown_user"
    hidden = joined(office, office.slack.add_user("hidden"))
    office.slack.fail("users.info", error="user_not_visible", when=lambda args: args["user"] == hidden)
    assert dropped(office, office.cost, office.slack.say(hidden, office.cost, QUESTION)) == "unknown_user"
    assert office.slack.violations == []


def test_other_bots_even_where_they_mention_it(office: Office) -> None:
    words = f"<@{office.slack.bot_user}> {QUESTION}"
    robot = joined(office, office.slack.add_user("robot", bot=True))
    said = [office.slack.bot_says(office.cost, words), office.slack.bot_says(office.cost, words, user=robot)]
    root = office.ask(office.vera, QUESTION)
    said.append(office.slack.bot_says(office.cost, words, thread_ts=root))
    office.acknowledged()
    assert [office.item(office.cost, ts) for ts in said] == [None, None, None]
    assert dropped(office, office.cost, office.slack.say(robot, office.cost, QUESTION)) == "bot"  # without a bot_id
    assert len(office.slack.posted(office.cost, root)) == 1
    assert office.slack.violations == []


def test_slackbot_says_of_itself_that_it_is_no_bot(office: Office) -> None:
    slackbot = joined(office, office.slack.add_user("slackbot", id="USLACKBOT"))
    assert dropped(office, office.cost, office.slack.say(slackbot, office.cost, QUESTION)) == "bot"
    assert office.slack.violations == []


def test_its_own_messages_come_back_and_are_not_answered(office: Office) -> None:
    """Every answer is an event too, and so is every change of a streamed message."""
    ts = office.ask(office.vera, QUESTION)
    (answer,) = office.said(office.cost, ts)
    office.acknowledged()
    assert any(d.event.get("ts") == answer.ts for d in office.slack.deliveries)  # Slack did tell us of it
    assert office.item(office.cost, answer.ts) is None
    assert len(office.slack.posted(office.cost, ts)) == 1
    assert office.slack.violations == []


def test_edits_previews_and_deletions(office: Office) -> None:
    ts = office.ask(office.vera, QUESTION)
    plain = office.slack.say(office.vera, office.cost, QUESTION, mention=False)  # nobody was asked
    before = len(office.runtime.store.answers.ratings()), len(office.slack.posted(office.cost))
    office.slack.edit(office.vera, office.cost, ts, f"<@{office.slack.bot_user}> credits by role last week")
    office.slack.edit(office.vera, office.cost, plain, f"<@{office.slack.bot_user}> {QUESTION}")
    office.slack.unfurl(office.cost, ts)
    office.slack.delete(office.cost, plain)
    office.acknowledged()
    assert office.runtime.store.inbox.waiting().count == 0
    assert (len(office.runtime.store.answers.ratings()), len(office.slack.posted(office.cost))) == before
    assert len(office.said(office.cost, ts)) == 1
    assert office.slack.violations == []


@pytest.mark.parametrize(
    "odd",
    [
        {"subtype": "channel_join"},
        {"subtype": "thread_broadcast"},
        {"subtype": "bot_message"},
        {"subtype": "me_message"},
        {"hidden": True},
        {"edited": {"user": "U1", "ts": "1.2"}},
        {"bot_profile": {"id": "B1"}},
        {"user": None},
        {"ts": ""},
    ],
    ids=str,
)
def test_messages_that_nobody_typed_to_it(office: Office, odd: dict[str, object]) -> None:
    channel = office.slack.direct(office.vera)
    posted = len(office.slack.posted(channel))
    for only in ("message", "app_mention"):
        event = {"type": only, "user": office.vera, "text": QUESTION, "ts": office.slack.world.new_ts()}
        office.slack.event(event | {"channel": channel, "channel_type": "im"} | odd).wait()
    office.acknowledged()
    assert office.runtime.store.inbox.waiting().count == 0 and len(office.slack.posted(channel)) == posted
    assert office.slack.violations == []


@pytest.mark.parametrize(
    "body",
    [
        {"type": "reaction_added", "user": "U1", "item": {"type": "message"}},
        {"type": "team_join", "user": {"id": "U1"}},
        {"type": "app_rate_limited"},
        {"type": "tokens_revoked", "tokens": {"bot": ["U0FROSTBOT"]}},
        {"type": "app_uninstalled"},
        {"type": "message"},
        {"type": "message", "message": None, "subtype": "message_changed"},
        {"type": "app_mention", "text": None, "channel": ["C1"], "ts": 5},
        {"type": "agent_session_stopped"},
        {"type": "app_home_opened"},
        {"type": "assistant_thread_started", "assistant_thread": None},
        {"type": "user_change", "user": None},
        {"type": "subteam_updated", "subteam": None},
        {"type": "something_of_next_year", "field": [1, {"x": None}]},
    ],
    ids=lambda body: str(body["type"]),
)
def test_events_of_any_kind_are_acknowledged(office: Office, body: dict[str, object]) -> None:
    """An event that nobody takes would come again and again, and at last cost the subscription."""
    delivery = office.slack.event(body).wait()
    assert delivery.acked and len(delivery.attempts) == 1
    assert office.slack.violations == []


def test_another_apps_event_is_acknowledged_and_left_alone(office: Office) -> None:
    def of_another_app(envelope: dict[str, object]) -> None:
        envelope["api_app_id"] = "A0ELSE001"

    ts = office.slack.world.new_ts()
    event = mention(office, ts)
    office.slack.event(event, tweak=of_another_app).wait()
    assert not_kept(office, office.cost, ts)
    assert office.slack.violations == []


def test_an_event_of_another_workspace(office: Office) -> None:
    def of_another_team(envelope: dict[str, object]) -> None:
        envelope |= {"team_id": "T0ELSE001", "authorizations": [{"team_id": "T0ELSE001", "is_bot": True}]}

    ts = office.slack.world.new_ts()
    event = mention(office, ts)
    office.slack.event(event, tweak=of_another_team).wait()
    assert not_kept(office, office.cost, ts)
    assert office.runtime.store.inbox.get(f"message:T0ELSE001/{office.cost}/{ts}") is None
    assert office.slack.violations == []


def test_only_the_channels_that_settings_name(make_office: OfficeMaker) -> None:
    made = make_office()
    office = made.start(channels=[made.cost])
    assert not_kept(office, office.other, office.slack.say(office.vera, office.other, QUESTION))
    assert office.said(office.cost, office.ask(office.vera, QUESTION))
    direct = office.slack.direct(office.vera)
    assert office.said(direct, office.ask(office.vera, QUESTION, channel=direct))
    assert office.slack.violations == []


def test_guests_and_other_teams_where_settings_let_them_in(make_office: OfficeMaker) -> None:
    office = make_office().start(guests=True, teams=["T0PARTNER"])
    guest = joined(office, office.slack.add_user("guest", guest=True))
    ts = office.ask(guest, "credits by user last week")
    assert office.turn(office.cost, ts).status == "refused"  # answered as a viewer
    shared = office.slack.add_channel("shared", shared=True)
    partner = joined(office, office.slack.add_user("partner", team="T0PARTNER"), shared)
    assert office.said(shared, office.ask(partner, QUESTION, channel=shared))
    outsider = joined(office, office.slack.add_user("olga", team="T0ELSE001"), shared)
    assert dropped(office, shared, office.slack.say(outsider, shared, QUESTION)) == "outsider"
    change = office.ask(partner, "set auto-suspend of DEV_WH to 300 seconds", channel=shared)
    assert office.turn(shared, change).plans == [] and office.cards(shared) == []
    assert office.slack.violations == []


def test_where_default_role_is_none_a_stranger_is_told_so(make_office: OfficeMaker) -> None:
    made = make_office()
    policy = made.home / "demo" / "policy.toml"
    policy.write_text(policy.read_text(encoding="utf-8").replace('default_role = "viewer"', 'default_role = "none"'))
    office = made.start()
    refused = office.answer(office.zoe, QUESTION)
    assert "zoe may not ask about this account" in refused.all_text and "TRANSFORM_WH" not in refused.all_text
    answer = office.answer(office.vera, QUESTION)
    office.slack.click(office.zoe, office.cost, answer.ts, Action.EVIDENCE).wait()
    told = office.wait(lambda: office.slack.ephemerals)
    assert told[0].ephemeral_to == office.zoe and "may not see" in told[0].all_text and office.slack.views == []
    assert office.slack.violations == []
