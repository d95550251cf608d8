"""Clicks, modals, the Home tab, commands and response urls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from tests.contract.slack_server.conftest import Connect, acknowledge
from tests.contract.slack_server.test_methods import refused
from tests.slack_server import SlackServer


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


BUTTONS = [
    {
        "type": "actions",
        "block_id": "card",
        "elements": [
            {"type": "button", "action_id": "yes", "text": plain("Yes"), "value": "k1"},
            {"type": "button", "action_id": "no", "text": plain("No"), "value": "k1"},
        ],
    }
]
FORM: dict[str, Any] = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Why"),
    "submit": plain("Send"),
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Why"),
            "element": {"type": "plain_text_input", "action_id": "t"},
        },
        {
            "type": "actions",
            "block_id": "more",
            "elements": [{"type": "button", "action_id": "more", "text": plain("M")}],
        },
    ],
}


def codes(slack: SlackServer) -> list[str]:
    return [each.code for each in slack.violations]


def test_a_click_carries_what_slack_sends(
    slack: SlackServer, client: WebClient, app: Connect, alice: str, cost: str
) -> None:
    raw = app()
    root = slack.say(alice, cost, "hello", only="message")
    ts = client.chat_postMessage(channel=cost, thread_ts=root, text="card", blocks=BUTTONS)["ts"]
    slack.click(alice, cost, ts, "yes").wait()
    sent = raw.envelopes[-1]
    payload = sent["payload"]
    assert sent["accepts_response_payload"] is True
    assert payload["user"]["team_id"] == slack.team
    assert payload["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": cost,
        "is_ephemeral": False,
        "thread_ts": root,
    }
    action = payload["actions"][0]
    assert (action["action_id"], action["block_id"], action["value"]) == ("yes", "card", "k1")
    assert payload["message"]["ts"] == ts
    with pytest.raises(AssertionError, match="0 buttons"):
        slack.click(alice, cost, ts, "maybe")
    with pytest.raises(AssertionError, match="cannot see"):
        slack.click(slack.add_user("bob"), cost, ts, "yes")


def test_old_copies_can_be_pressed(slack: SlackServer, client: WebClient, app: Connect, alice: str, cost: str) -> None:
    raw = app()
    ts = client.chat_postMessage(channel=cost, text="card", blocks=BUTTONS)["ts"]
    old = slack.click_payload(alice, cost, ts, "yes")
    client.chat_update(channel=cost, ts=ts, text="done", blocks=[])
    first, second = slack.click_old(old).wait(), slack.click_old(old, fresh=True).wait()
    assert first.payload == old
    assert first.trigger_id != second.trigger_id
    assert [each["type"] for each in raw.envelopes].count("interactive") == 2


def test_ephemeral_clicks_carry_no_message(
    slack: SlackServer, client: WebClient, app: Connect, alice: str, cost: str
) -> None:
    raw = app()
    ts = client.chat_postEphemeral(channel=cost, user=alice, text="card", blocks=BUTTONS)["message_ts"]
    clicked = slack.click(alice, cost, ts, "yes").wait()
    assert "message" not in raw.envelopes[-1]["payload"]
    assert clicked.payload["container"]["is_ephemeral"] is True
    hook = WebhookClient(clicked.response_url)
    assert hook.send(text="thanks", replace_original=True).status_code == 200
    assert slack.ephemerals[0].text == "thanks"
    assert hook.send(delete_original=True).status_code == 200
    assert slack.ephemerals == []
    assert slack.violations == []


def test_a_trigger_is_good_once_and_for_three_seconds(
    slack: SlackServer, client: WebClient, app: Connect, alice: str, cost: str
) -> None:
    app()
    trigger = slack.command(alice, cost, "x").wait().trigger_id
    client.views_open(trigger_id=trigger, view=FORM)
    assert refused(lambda: client.views_open(trigger_id=trigger, view=FORM)) == "exchanged_trigger_id"
    assert refused(lambda: client.views_open(trigger_id="1.2.3", view=FORM)) == "invalid_trigger_id"
    late = slack.command(alice, cost, "x").wait().trigger_id
    slack.clock.advance(3.5)
    assert refused(lambda: client.views_open(trigger_id=late, view=FORM)) == "expired_trigger_id"
    assert codes(slack) == ["exchanged_trigger_id", "invalid_trigger_id", "expired_trigger_id"]


def test_a_modal_from_open_to_sent(slack: SlackServer, client: WebClient, app: Connect, alice: str, cost: str) -> None:
    answers: list[dict[str, Any] | None] = []

    def answer(envelope: dict[str, Any]) -> dict[str, Any]:
        if envelope["payload"].get("type") == "view_submission" and answers and (payload := answers.pop(0)):
            return {**acknowledge(envelope), "payload": payload}
        return acknowledge(envelope)

    raw = app(answer)
    opened = client.views_open(trigger_id=slack.command(alice, cost, "x").wait().trigger_id, view=FORM)["view"]
    with pytest.raises(AssertionError, match="without a value"):
        slack.submit(alice, opened["id"], {"why": ""})
    answers += [{"response_action": "errors", "errors": {"why": "too short"}}]
    slack.submit(alice, opened["id"], {"why": "x"})
    assert slack.views[0].errors == {"why": "too short"}
    state = raw.envelopes[-1]["payload"]["view"]["state"]["values"]
    assert state == {"why": {"t": {"type": "plain_text_input", "value": "x"}}}
    answers += [{"response_action": "update", "view": {**FORM, "title": plain("Again")}}]
    slack.submit(alice, opened["id"], {"why": "x"})
    assert slack.views[0].title == "Again"
    answers += [{"response_action": "push", "view": {**FORM, "title": plain("Third")}}]
    slack.submit(alice, opened["id"], {"why": "x"})
    assert [each.title for each in slack.views] == ["Again", "Third"]
    slack.submit(alice, slack.views[1].id, {"why": "x"})
    assert [each.title for each in slack.views] == ["Again"]
    answers += [{"response_action": "errors", "errors": {"nothing": "x"}}]
    slack.submit(alice, opened["id"], {"why": "x"})
    assert codes(slack) == ["invalid_errors"]
    slack.submit(alice, opened["id"], {"why": "x"})
    assert slack.views == []


def test_views_change_by_hash(slack: SlackServer, client: WebClient, app: Connect, alice: str, cost: str) -> None:
    raw = app()
    opened = client.views_open(trigger_id=slack.command(alice, cost, "x").wait().trigger_id, view=FORM)["view"]
    changed = client.views_update(view_id=opened["id"], hash=opened["hash"], view={**FORM, "title": plain("B")})["view"]
    assert changed["hash"] != opened["hash"]
    assert refused(lambda: client.views_update(view_id=opened["id"], hash=opened["hash"], view=FORM)) == "hash_conflict"
    pressed = slack.click_in_view(alice, opened["id"], "more").wait()
    assert raw.envelopes[-1]["payload"]["container"] == {"type": "view", "view_id": opened["id"]}
    client.views_push(trigger_id=pressed.trigger_id, view=FORM)
    third = slack.click_in_view(alice, slack.views[1].id, "more").wait()
    client.views_push(trigger_id=third.trigger_id, view=FORM)
    fourth = slack.click_in_view(alice, slack.views[2].id, "more").wait()
    slack.settle()
    assert slack.violations == []
    assert refused(lambda: client.views_push(trigger_id=fourth.trigger_id, view=FORM)) == "push_limit_reached"
    assert slack.close_view(alice, opened["id"]) is None
    assert refused(lambda: client.views_update(view_id=opened["id"], view=FORM)) == "not_found"
    assert codes(slack) == ["push_limit_reached"]


def test_the_home_tab(slack: SlackServer, client: WebClient, app: Connect, alice: str) -> None:
    raw = app()
    slack.open_home(alice)
    slack.settle()
    assert "view" not in raw.envelopes[-1]["payload"]["event"]
    client.views_publish(user_id=alice, view={"type": "home", "blocks": BUTTONS})
    slack.open_home(alice)
    slack.click_home(alice, "yes").wait()
    slack.settle()
    assert raw.envelopes[1]["payload"]["event"]["view"]["type"] == "home"
    assert slack.homes[alice].updates == 0
    slack.world.home_enabled = False
    assert refused(lambda: client.views_publish(user_id=alice, view={"type": "home", "blocks": []})) == "not_enabled"
    assert slack.violations == []


def test_a_response_url_is_good_five_times_for_half_an_hour(
    slack: SlackServer, app: Connect, alice: str, cost: str
) -> None:
    app()
    hook = WebhookClient(slack.command(alice, cost, "x").wait().response_url)
    assert hook.send(text="for you").status_code == 200
    assert hook.send(text="for all", response_type="in_channel").status_code == 200
    assert [each.ephemeral_to for each in slack.ephemerals] == [alice]
    assert [each.text for each in slack.posted(cost)] == ["for all"]
    for _ in range(3):
        hook.send(text="x")
    assert hook.send(text="x").status_code == 404
    old = WebhookClient(slack.command(alice, cost, "x").wait().response_url)
    slack.clock.advance(timedelta(minutes=31))
    assert old.send(text="x").status_code == 404
    assert codes(slack) == ["used_url", "expired_url"]


def test_commands_answer_in_their_acknowledgement(slack: SlackServer, app: Connect, alice: str, cost: str) -> None:
    app(lambda envelope: {**acknowledge(envelope), "payload": {"text": "working on it"}})
    slack.command(alice, cost, "cost <today>").wait()
    assert [each.text for each in slack.ephemerals] == ["working on it"]
    assert slack.deliveries[-1].payload["text"] == "cost &lt;today&gt;"
    assert slack.violations == []
