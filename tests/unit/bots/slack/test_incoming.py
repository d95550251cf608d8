"""What Slack sends, read into our types; and what gets no answer."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.slack import incoming
from bots.slack.types import Author, Click, Command, Ignored, Me, Place, Question, Submission

ME = Me(team="T1", team_name="Acme", user="UBOT", bot="BBOT", app="A1", enterprise=None, url="https://acme.slack.com/")


def envelope(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "event_callback",
        "team_id": "T1",
        "api_app_id": "A1",
        "event_id": "Ev1",
        "event_time": 1,
        "authorizations": [{"enterprise_id": None, "team_id": "T1", "user_id": "UBOT", "is_bot": True}],
        "is_ext_shared_channel": False,
        "event": event,
    } | more


def message(**more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "channel": "C1",
        "channel_type": "channel",
        "user": "UANN",
        "team": "T1",
        "text": "<@UBOT> what did we spend?",
        "ts": "1700000000.000100",
    } | more


def read(event: dict[str, Any], **more: Any) -> Question | Ignored:
    return incoming.question(envelope(event, **more), ME)


def asked(event: dict[str, Any], **more: Any) -> Question:
    found = read(event, **more)
    assert isinstance(found, Question)
    return found


def why(event: dict[str, Any], **more: Any) -> str:
    found = read(event, **more)
    assert isinstance(found, Ignored)
    return found.reason


def test_a_mention_starts_a_conversation_at_its_own_ts() -> None:
    question = asked(message(type="app_mention"))
    assert question.text == "what did we spend?"
    assert question.kind == "mention"
    assert question.author == Author("UANN", "T1")
    assert question.place == Place("C1", "1700000000.000100")
    assert question.conversation == "slack:T1/C1/1700000000.000100"
    assert not question.mentions_others


def test_both_events_of_one_message_have_one_key_and_two_event_ids() -> None:
    one, other = asked(message(type="app_mention")), asked(message(), event_id="Ev2")
    assert incoming.message_key(one) == incoming.message_key(other) == "message:T1/C1/1700000000.000100"
    assert (one.event_id, other.event_id) == ("Ev1", "Ev2")


def test_a_reply_belongs_to_its_root() -> None:
    question = asked(message(thread_ts="1600000000.000001"))
    assert question.place.thread_ts == "1600000000.000001"
    assert question.kind == "mention"
    plain = asked(message(text="and then?", thread_ts="1600000000.000001"))
    assert plain.kind == "thread"


def test_a_direct_message_needs_no_mention_and_may_carry_files() -> None:
    question = asked(message(channel="D1", channel_type="im", text="credits?", subtype="file_share", files=[{}]))
    assert question.kind == "direct"
    assert question.text == "credits?"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (message(user="UBOT"), "own"),
        (message(bot_id="BBOT", user=None), "own"),
        (message(bot_id="BOTHER"), "bot"),
        (message(subtype="bot_message", user=None), "bot"),
        (message(subtype="message_changed", hidden=True, user=None, message={"text": "x"}), "edit"),
        (message(subtype="message_deleted", user=None, deleted_ts="1"), "edit"),
        (message(hidden=True), "hidden"),
        (message(edited={"user": "UANN", "ts": "2"}), "edit"),
        (message(subtype="channel_join"), "subtype"),
        (message(subtype="thread_broadcast", root={}), "subtype"),
        (message(subtype="assistant_app_thread"), "subtype"),
        (message(user=None), "not_ours"),
        (message(text="nothing for the bot"), "not_ours"),
        (message(text="nothing", thread_ts="1700000000.000100"), "not_ours"),
        (message(type="reaction_added"), "not_ours"),
        (message(ts=None), "not_ours"),
    ],
)
def test_what_gets_no_answer(event: dict[str, Any], reason: str) -> None:
    assert why(event) == reason


def test_the_bot_is_meant_by_its_id_only() -> None:
    assert why(message(text="frostline, @frostline <@UBOTX> &lt;@UBOT&gt;")) == "not_ours"
    assert asked(message(text="<@UBOT|frostline>: hello")).text == "hello"


def test_text_is_read_as_people_read_it_and_unescaped_once() -> None:
    text = "<@UBOT> is &lt;!channel&gt; &amp;amp; <https://a.example/x|a page> in <#C2|ops> by <@UBO|bo>?"
    assert asked(message(text=text)).text == "is <!channel> &amp; a page (https://a.example/x) in #ops by @bo?"


def test_a_message_that_begins_with_somebody_else_speaks_to_them() -> None:
    assert asked(message(text="<@UBOB> look at <@UBOT>")).mentions_others
    assert not asked(message(text="<@UBOT> and <@UBOB>")).mentions_others
    reply = asked(message(text=" <@UBOB|bob> what do you think?", thread_ts="1600000000.000001"))
    assert reply.mentions_others


def test_in_a_shared_channel_the_author_is_of_their_own_team() -> None:
    event = message(team="T1", user_team="T2", source_team="T2")
    question = asked(event, is_ext_shared_channel=True, team_id="T2")
    assert question.author.team == "T2"
    assert question.team == "T1"  # the install, by `authorizations`
    assert question.shared


def test_nobody_is_taken_for_one_of_us_where_a_shared_channel_does_not_say() -> None:
    event = message()
    del event["team"]
    assert asked(event, is_ext_shared_channel=True).author.team is None
    assert asked(event).author.team == "T1"


def test_a_question_goes_through_the_inbox_unchanged() -> None:
    question = asked(message(thread_ts="1600000000.000001"), is_ext_shared_channel=True)
    body = json.loads(json.dumps(incoming.question_body(question)))
    assert incoming.question_of(body) == question
    assert incoming.question_of(body | {"response_url": "x"}, "again").kind == "again"


# --- commands, clicks, forms -----------------------------------------------------------------------------------------

COMMAND = {
    "team_id": "T1",
    "channel_id": "C1",
    "user_id": "UANN",
    "user_name": "root",
    "command": "/frostline",
    "text": "credits of <@UBOB|bob> &amp; me",
    "api_app_id": "A1",
    "trigger_id": "1.2.3",
    "response_url": "https://hooks.slack.com/commands/x",
    "is_enterprise_install": "false",
}


def test_a_command() -> None:
    command = incoming.command(COMMAND, ME)
    assert isinstance(command, Command)
    assert command.text == "credits of @bob & me"
    assert command.author == Author("UANN", "T1")
    assert incoming.command(COMMAND | {"api_app_id": "A2"}, ME) == Ignored("not_ours")
    assert incoming.command({}, ME) == Ignored("not_ours")


CLICK: dict[str, Any] = {
    "type": "block_actions",
    "user": {"id": "UANN", "username": "root", "name": "root", "team_id": "T2"},
    "team": {"id": "T1", "domain": "acme"},
    "api_app_id": "A1",
    "container": {
        "type": "message",
        "message_ts": "5.000001",
        "channel_id": "C1",
        "is_ephemeral": False,
        "thread_ts": "4.000001",
    },
    "channel": {"id": "C1", "name": "cost"},
    "message": {"ts": "5.000001", "text": "a copy"},
    "trigger_id": "1.2.3",
    "response_url": "https://hooks.slack.com/actions/x",
    "actions": [{"action_id": "frostline_approve", "block_id": "b", "value": "p1:x", "action_ts": "6.000001"}],
}


def test_a_click_is_by_the_person_and_their_own_team() -> None:
    click = incoming.click(CLICK, ME)
    assert isinstance(click, Click)
    assert click.author == Author("UANN", "T2")
    assert (click.team, click.action, click.value) == ("T1", "frostline_approve", "p1:x")
    assert click.place == Place("C1", "4.000001")
    assert click.message_ts == "5.000001"


def test_a_click_on_an_ephemeral_message_comes_without_the_message() -> None:
    body = copy.deepcopy(CLICK)
    del body["message"]
    body["container"] |= {"is_ephemeral": True}
    body["team"], body["user"] = None, {"id": "UANN"}
    click = incoming.click(body, ME)
    assert isinstance(click, Click)
    assert click.is_ephemeral
    assert click.team is None
    assert click.author.team is None  # never the app's own


def test_a_click_in_a_view_has_no_message() -> None:
    body = {**CLICK, "container": {"type": "view", "view_id": "V1"}, "channel": None, "message": None}
    click = incoming.click(body, ME)
    assert isinstance(click, Click)
    assert click.place is None
    assert click.message_ts is None


@pytest.mark.parametrize("change", [{"api_app_id": "A2"}, {"type": "shortcut"}, {"actions": []}, {"user": {}}])
def test_clicks_that_are_none(change: dict[str, Any]) -> None:
    assert incoming.click({**CLICK, **change}, ME) == Ignored("not_ours")


def test_a_form() -> None:
    body = {
        "type": "view_submission",
        "api_app_id": "A1",
        "team": {"id": "T1"},
        "user": {"id": "UANN", "team_id": "T1"},
        "view": {
            "callback_id": "frostline_decline_form",
            "private_metadata": "{}",
            "state": {
                "values": {"reason": {"input": {"type": "plain_text_input", "value": "no <b>"}}, "odd": {"x": {}}}
            },
        },
    }
    assert incoming.submission(body, ME) == Submission(
        Author("UANN", "T1"), "frostline_decline_form", "{}", {"reason": "no <b>"}
    )


def test_whose_run_was_stopped() -> None:
    event = {"type": "agent_session_stopped", "channel": "C1", "thread_ts": "4.000001", "user": "UANN"}
    assert incoming.stopped_conversation(envelope(event), ME) == "slack:T1/C1/4.000001"
    assert incoming.stopped_conversation(envelope({"type": "agent_session_stopped"}), ME) is None


@given(st.text(max_size=300))
def test_no_text_of_any_kind_breaks_the_reading(text: str) -> None:
    found = read(message(text=f"<@UBOT> {text}"))
    assert isinstance(found, Question)
    assert "<@UBOT>" not in found.text or "&lt;" in text
