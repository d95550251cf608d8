"""The conversation with one person: today's agent view, the older Assistant view, the Home tab."""

from __future__ import annotations

from bots.slack.manifest import manifest
from bots.slack.render.home import PROMPTS
from tests.scenario.slack.conftest import OfficeMaker
from tests.scenario.slack.office import Office, live_in, live_parts
from tests.slack_server.server import SlackServer

QUESTION = "credits by warehouse last week"


def test_a_direct_message_needs_no_mention(office: Office) -> None:
    channel = office.slack.direct(office.vera)
    ts = office.ask(office.vera, QUESTION, channel=channel)
    (answer,) = office.said(channel, ts)
    assert answer.thread_ts == ts and answer.streamed and answer.stream_state == "stopped"
    assert "TRANSFORM_WH" in answer.text and live_in(answer) == []
    follow = office.ask(office.vera, "and by role?", channel=channel, thread_ts=ts)
    assert office.turn(channel, follow).tool_calls[0].args["by"] == "role"
    assert office.slack.violations == []


def test_the_bots_own_mention_in_a_direct_message_is_no_part_of_the_question(office: Office) -> None:
    channel = office.slack.direct(office.vera)
    ts = office.ask(office.vera, f"<@{office.slack.bot_user}> {QUESTION}", channel=channel)
    (answer,) = office.said(channel, ts)  # and one answer, though it is mentioned
    assert "TRANSFORM_WH" in answer.text
    assert office.slack.violations == []


def test_a_new_conversation_suggests_questions_and_is_named_after_its_first(office: Office) -> None:
    channel = office.slack.direct(office.anna)
    opened = office.slack.open_dm(office.anna)
    assert opened is not None
    opened.wait()
    prompts = office.wait(lambda: office.slack.world.prompts.get((channel, None)))
    assert [(each["title"], each["message"]) for each in prompts] == list(PROMPTS)
    ts = office.ask(office.anna, QUESTION, channel=channel)
    assert office.slack.session(channel, ts)["title"] == QUESTION
    follow = office.ask(office.anna, "and by role?", channel=channel, thread_ts=ts)
    assert office.said(channel, follow)
    assert office.slack.session(channel, ts)["title"] == QUESTION
    assert office.slack.violations == []


def test_every_suggested_question_is_answered(office: Office) -> None:
    channel = office.slack.direct(office.zoe)
    for _, message in PROMPTS:
        ts = office.ask(office.zoe, message, channel=channel)
        assert office.turn(channel, ts).status == "ok", message
    assert office.slack.violations == []


def test_a_message_with_a_file_is_read_for_its_words(office: Office) -> None:
    channel = office.slack.direct(office.vera)
    files = [{"id": "F0000001", "name": "usage.csv", "mimetype": "text/csv"}]
    ts = office.slack.say(office.vera, channel, QUESTION, files=files)
    office.finished(channel, ts)
    assert "TRANSFORM_WH" in office.said(channel, ts)[0].text
    assert office.slack.violations == []


def test_the_home_tab(office: Office) -> None:
    opened = office.slack.open_home(office.pete)
    assert opened is not None
    opened.wait()
    view = office.wait(lambda: office.slack.homes.get(office.pete))
    assert "You are pete; your role: proposer." in view.all_text and live_parts(view.blocks) == []
    assert office.slack.violations == []


def test_the_older_assistant_view(make_office: OfficeMaker) -> None:
    """An app that still has it: its own events, and titles and status by the older methods."""
    old = manifest()
    old["features"]["assistant_view"] = {"assistant_description": "Costs."}
    old["features"].pop("agent_view")
    old["settings"]["event_subscriptions"]["bot_events"] += ["assistant_thread_started"]
    office = make_office(slack=SlackServer(manifest=old)).start()
    channel = office.slack.direct(office.vera)
    root = office.slack.say(office.slack.bot_user, channel, "New Assistant Thread")  # Slack makes it for the app
    started = office.slack.event(
        {
            "type": "assistant_thread_started",
            "assistant_thread": {
                "user_id": office.vera,
                "channel_id": channel,
                "thread_ts": root,
                "context": {"channel_id": office.cost, "team_id": office.slack.team},
            },
        }
    )
    started.wait()
    prompts = office.wait(lambda: office.slack.world.prompts.get((channel, root)))
    assert len(prompts) == len(PROMPTS)
    ts = office.ask(office.vera, QUESTION, channel=channel, thread_ts=root)
    (answer,) = office.said(channel, ts)
    assert answer.thread_ts == root and "TRANSFORM_WH" in answer.text
    office.slack.fail("chat.startStream", error="channel_type_not_supported")
    follow = office.ask(office.vera, "and by role?", channel=channel, thread_ts=root)
    assert office.turn(channel, follow).tool_calls[0].args["by"] == "role"
    told = [call.args["status"] for call in office.slack.called("assistant.threads.setStatus") if not call.error]
    assert told[0] and told[-1] == ""  # what is being done, by the older method, and that it is done
    assert office.slack.violations == []
