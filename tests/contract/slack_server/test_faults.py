"""What goes wrong on purpose: limits, lost answers, slow ones."""

from __future__ import annotations

import time
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from tests.contract.slack_server.test_methods import refused
from tests.slack_server import SlackServer


def test_a_rate_limit_says_when_to_try_again(slack: SlackServer, client: WebClient, cost: str) -> None:
    slack.fail("chat.postMessage", times=1, retry_after=7)
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=cost, text="x")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"
    assert caught.value.response["error"] == "ratelimited"
    client.chat_postMessage(channel=cost, text="x")
    slack.fail("chat.postMessage", retry_after=0)
    client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=1))
    client.chat_postMessage(channel=cost, text="y")
    assert [each.text for each in slack.posted(cost)] == ["x", "y"]
    assert slack.violations == []


def test_errors_by_name_status_and_argument(slack: SlackServer, client: WebClient, cost: str) -> None:
    slack.fail("chat.postMessage", error="fatal_error")
    assert refused(lambda: client.chat_postMessage(channel=cost, text="x")) == "fatal_error"
    slack.fail("*", status=503)
    with pytest.raises(SlackApiError) as caught:
        client.auth_test()
    assert caught.value.response.status_code == 503
    slack.fail("chat.postMessage", error="msg_too_long", when=lambda args: args["text"] == "second")
    client.chat_postMessage(channel=cost, text="first")
    assert refused(lambda: client.chat_postMessage(channel=cost, text="second")) == "msg_too_long"
    assert slack.violations == []


@pytest.mark.parametrize(("drop", "posted"), [("before", 1), ("after", 2)])
def test_a_lost_answer_is_sent_again_by_the_sdk(
    slack: SlackServer, client: WebClient, cost: str, drop: Any, posted: int
) -> None:
    """After it took effect: the message stands there twice."""
    slack.fail("chat.postMessage", drop=drop)
    client.chat_postMessage(channel=cost, text="x")
    assert len(slack.posted(cost)) == posted
    assert slack.counts["chat.postMessage"] == 2


def test_an_answer_that_breaks_off(slack: SlackServer, cost: str) -> None:
    client = WebClient(slack.bot_token, base_url=slack.base_url, retry_handlers=[])
    slack.fail("chat.postMessage", drop="body")
    with pytest.raises(Exception, match=r"IncompleteRead|bytes read"):
        client.chat_postMessage(channel=cost, text="x")
    assert len(slack.posted(cost)) == 1


def test_a_slow_answer(slack: SlackServer, cost: str) -> None:
    slack.fail("chat.postMessage", delay=0.2)
    before = time.monotonic()
    WebClient(slack.bot_token, base_url=slack.base_url).chat_postMessage(channel=cost, text="x")
    assert time.monotonic() - before >= 0.2
    assert len(slack.posted(cost)) == 1


def test_tiers_are_counted_when_they_are_switched_on(slack: SlackServer, client: WebClient, alice: str) -> None:
    slack.rates.on = True
    group = slack.add_group("finops", [alice])
    for _ in range(20):
        client.usergroups_users_list(usergroup=group)
    with pytest.raises(SlackApiError) as caught:
        client.usergroups_users_list(usergroup=group)
    assert 1 <= int(caught.value.response.headers["Retry-After"]) <= 3
    slack.clock.advance(3)
    client.usergroups_users_list(usergroup=group)
    assert slack.violations == []


def test_messages_are_limited_by_channel(slack: SlackServer, client: WebClient, cost: str) -> None:
    slack.rates.on = True
    other = slack.add_channel("other")
    for _ in range(4):
        client.chat_postMessage(channel=cost, text="x")
    assert refused(lambda: client.chat_postMessage(channel=cost, text="x")) == "ratelimited"
    client.chat_postMessage(channel=other, text="x")


def test_long_runs_stay_small() -> None:
    with SlackServer(keep_calls=False, keep_messages=10) as slack:
        client = WebClient(slack.bot_token, base_url=slack.base_url)
        channel = slack.add_channel("cost")
        section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_000}}
        for number in range(40):
            client.chat_postMessage(channel=channel, text=str(number), blocks=[section])
        assert slack.calls == []
        assert slack.counts["chat.postMessage"] == 40
        kept = [bool(each.blocks) for each in slack.posted(channel)]
        assert (len(kept), sum(kept)) == (40, 10)
