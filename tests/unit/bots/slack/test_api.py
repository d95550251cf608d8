"""What is sent to Slack, against a strict Slack on loopback: limits of rate, lost answers, refusals."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest

from bots.slack.api import SlackApi
from bots.slack.calls import Caller, Lost
from bots.slack.types import Attachment, Author, Message, Place
from tests.slack_server.server import SlackServer
from tools.errors import ChannelRefused, Unreachable

HELLO = Message("hello &lt;there&gt;", ({"type": "section", "text": {"type": "plain_text", "text": "hello"}},))


@pytest.fixture(scope="module")
def server() -> Iterator[SlackServer]:
    with SlackServer() as slack:
        yield slack


@pytest.fixture
def slack(server: SlackServer) -> Iterator[SlackServer]:
    yield server
    assert server.violations == []


@pytest.fixture
def api(slack: SlackServer) -> SlackApi:
    return SlackApi(slack.bot_token, slack.base_url, timeout_s=5, sleep=lambda s: time.sleep(min(s, 0.05)))


@pytest.fixture
def thread(slack: SlackServer) -> Place:
    ann = slack.add_user("ann")
    room = slack.add_channel("room", [ann])
    return Place(room, slack.say(ann, room, "hi", mention=False))


def bot_says(slack: SlackServer, place: Place) -> list[str]:
    return [m.text for m in slack.posted(place.channel, place.thread_ts)]


def test_who_we_are(slack: SlackServer, api: SlackApi) -> None:
    me = api.me()
    assert (me.team, me.user) == (slack.team, slack.bot_user)
    assert me.bot
    assert "chat:write" in me.scopes
    assert api.me() is me


def test_a_message_is_posted_literally_and_without_previews(slack: SlackServer, api: SlackApi, thread: Place) -> None:
    ts = api.post(thread, HELLO, key="k1")
    posted = slack.message(thread.channel, ts)
    assert posted.args["parse"] == "none"
    assert posted.args["unfurl_links"] is False
    assert posted.args["unfurl_media"] is False
    assert posted.thread_ts == thread.thread_ts
    assert api.find(thread, "k1") == ts
    assert api.find(thread, "k2") is None
    api.update(thread.channel, ts, Message("changed"))
    assert slack.message(thread.channel, ts).text == "changed"
    assert slack.called("chat.update")[-1].args["parse"] == "none"


@pytest.mark.parametrize("drop", ["before", "after", "body"])
def test_a_lost_answer_gives_one_message(slack: SlackServer, api: SlackApi, thread: Place, drop: str) -> None:
    slack.fail("chat.postMessage", drop=drop)  # type: ignore[arg-type]
    ts = api.post(thread, HELLO, key=f"once-{drop}")
    assert [m.ts for m in slack.posted(thread.channel, thread.thread_ts)] == [ts]


@pytest.mark.parametrize("error", ["internal_error", "fatal_error", "request_timeout"])
def test_slacks_own_errors_count_as_lost(slack: SlackServer, api: SlackApi, thread: Place, error: str) -> None:
    slack.fail("chat.postMessage", error=error)
    api.post(thread, HELLO, key="x")
    assert len(bot_says(slack, thread)) == 1


def test_without_a_key_nothing_is_sent_twice(slack: SlackServer, api: SlackApi, thread: Place) -> None:
    slack.fail("chat.postMessage", drop="after")
    with pytest.raises(Lost):
        api.post(thread, HELLO)
    assert len(bot_says(slack, thread)) == 1


def test_a_key_of_somebody_elses_app_is_not_ours(slack: SlackServer, api: SlackApi, thread: Place) -> None:
    ts = slack.bot_says(thread.channel, "fake", thread_ts=thread.thread_ts)
    with slack.world.lock:
        metadata = {"event_type": "frostline_message", "event_payload": {"key": "k9"}}
        slack.world.channels[thread.channel].messages[ts].metadata = metadata
    assert api.find(thread, "k9") is None


def test_an_old_thread_is_not_read_from_its_beginning(
    slack: SlackServer, api: SlackApi, thread: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.slack.api._PAGE", 3)
    monkeypatch.setattr("bots.slack.api._PAGES", 2)
    for number in range(8):
        slack.bot_says(thread.channel, f"old {number}", thread_ts=thread.thread_ts)
    slack.clock.advance(3600)
    ts = api.post(thread, HELLO, key="new")
    assert api.find(thread, "new") is None, "it is too far down"
    monkeypatch.setattr("bots.slack.api._LOOK_BACK_S", -1800.0)  # the old ones are older than that
    assert api.find(thread, "new") == ts


def test_rate_limits_are_waited_for_within_bounds(slack: SlackServer, thread: Place) -> None:
    slept: list[float] = []
    api = SlackApi(slack.bot_token, slack.base_url, sleep=lambda s: (slept.append(s), time.sleep(s))[0])
    slack.fail("chat.postMessage", times=1, status=429, retry_after=1)
    api.post(thread, HELLO, key="a")
    assert len(slept) == 1
    assert 0.5 < slept[0] <= 1.0
    slack.fail("chat.startStream", status=429, retry_after=30)
    with pytest.raises(ChannelRefused) as refused:
        api.start_stream(thread, Author("U1", slack.team))
    assert refused.value.reason == "ratelimited"
    with pytest.raises(ChannelRefused):  # what was learned holds for the next one too: it is not even sent
        api.start_stream(thread, Author("U1", slack.team))
    assert len(slack.called("chat.startStream")) == 1
    assert len(slept) == 1


def test_a_limit_longer_than_patience_is_an_error() -> None:
    now = [0.0]
    caller = Caller(sleep=lambda s: now.__setitem__(0, now[0] + s), now=lambda: now[0])
    caller._held["m", None] = 100.0
    with pytest.raises(ChannelRefused) as refused:
        caller.call("m", lambda: 1, patience_s=90)
    assert refused.value.reason == "ratelimited"
    assert caller.call("m", lambda: 1, patience_s=101) == 1
    assert caller.call("m", lambda: 1, lane="C1", patience_s=0) == 1


def test_reads_are_repeated(slack: SlackServer, api: SlackApi) -> None:
    ann = slack.add_user("ann", guest=True)
    slack.fail("users.info", times=2, drop="after")
    found = api.user(ann)
    assert found.id == ann
    assert found.is_guest
    with pytest.raises(ChannelRefused) as refused:
        api.user("UNOBODY")
    assert refused.value.reason == "user_not_found"


def test_groups(slack: SlackServer, api: SlackApi) -> None:
    ann = slack.add_user("ann")
    assert api.group_members(slack.add_group("ops", [ann])) == {ann}
    assert api.group_members(slack.add_group("gone", [ann], disabled=True)) == frozenset()


def test_refusals_say_what_to_do(slack: SlackServer, api: SlackApi, thread: Place) -> None:
    outside = slack.add_channel("outside", [], bot=False)
    with pytest.raises(ChannelRefused) as refused:
        api.post(Place(outside), HELLO)
    assert refused.value.reason in ("not_in_channel", "channel_not_found")
    assert "/invite" in (refused.value.hint or "")
    slack.fail("chat.postMessage", error="missing_scope")
    with pytest.raises(ChannelRefused) as refused:
        api.post(thread, HELLO)
    assert "scope" in (refused.value.hint or "")


def test_a_stream_and_its_end(slack: SlackServer, api: SlackApi, thread: Place) -> None:
    ann = next(iter(slack.channel(thread.channel).members - {slack.bot_user}))
    ts = api.start_stream(thread, Author(ann, slack.team))
    api.append_stream(thread.channel, ts, [{"type": "markdown_text", "text": "**a**"}])
    api.stop_stream(thread.channel, ts, chunks=[{"type": "markdown_text", "text": "b"}], blocks=HELLO.blocks, key="s")
    posted = slack.message(thread.channel, ts)
    assert posted.stream_state == "stopped"
    assert api.find(thread, "s") == ts
    with pytest.raises(ChannelRefused) as refused:
        api.append_stream(thread.channel, ts, [{"type": "markdown_text", "text": "c"}])
    assert refused.value.reason == "message_not_in_streaming_state"
    slack.world.violations.clear()  # meant


def test_files_follow_their_message(slack: SlackServer, api: SlackApi, thread: Place) -> None:
    file = Attachment("rows.csv", "All rows", b"a,b\n1,2\n")
    api.post(thread, Message("see the file", files=(file, Attachment("empty.csv", "Nothing", b""))), key="f")
    assert [u.title for u in slack.uploads] == ["All rows"]


def test_status_and_title_never_raise(slack: SlackServer, api: SlackApi) -> None:
    ann = slack.add_user("ann")
    direct = slack.direct(ann)
    place = Place(direct, slack.say(ann, direct, "hi"))
    api.status(place, "is working on it")
    assert slack.session(direct, place.thread_ts or "")["status"] == "processing"
    api.title(place, "  What did\nwe spend? ")
    assert slack.session(direct, place.thread_ts or "")["title"] == "What did we spend?"
    api.status(place, "")
    assert slack.session(direct, place.thread_ts or "")["status"] == "active"
    slack.fail("agents.sessions.setStatus", error="not_authorized")
    slack.fail("assistant.threads.setStatus", drop="before")
    api.status(place, "again")


def test_an_older_app_is_asked_the_older_way_from_then_on() -> None:
    with SlackServer(agent_view=False) as slack:
        slack.fail("agents.sessions.setStatus", times=9, error="feature_disabled")
        slack.fail("agents.sessions.rename", times=9, error="feature_disabled")
        api = SlackApi(slack.bot_token, slack.base_url)
        ann = slack.add_user("ann")
        place = Place(slack.direct(ann), slack.say(ann, slack.direct(ann), "hi"))
        api.status(place, "is working on it")
        api.title(place, "A title")
        api.status(place, "")
        methods = [c.method for c in slack.calls]
        assert methods.count("agents.sessions.setStatus") == 1
        assert methods.count("agents.sessions.rename") == 0
        assert methods.count("assistant.threads.setStatus") == 2
        assert methods.count("assistant.threads.setTitle") == 1
        assert slack.violations == []


def test_nobody_there_is_one_clear_error() -> None:
    api = SlackApi("xoxb-secret", "http://127.0.0.1:9/api/", sleep=lambda _: None)
    with pytest.raises(Unreachable) as away:
        api.me()
    assert "xoxb" not in str(away.value)


def test_a_response_url_elsewhere_is_not_called(api: SlackApi) -> None:
    for url in ("http://example.com/x", "ftp://hooks.slack.com/x", "", "file:///etc/passwd"):
        with pytest.raises(ChannelRefused) as refused:
            api.respond(url, HELLO)
        assert refused.value.reason == "response_url"


def test_tokens_stay_out_of_the_log(slack: SlackServer, thread: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    api = SlackApi(slack.bot_token, slack.base_url, sleep=lambda _: None)
    slack.fail("chat.postMessage", drop="after")
    api.post(thread, HELLO, key="log")
    with pytest.raises(ChannelRefused):
        api.user("UNOBODY")
    ours = [r.getMessage() for r in caplog.records if r.name.startswith(("frostline", "slack"))]
    assert not [line for line in ours if slack.bot_token in line or "hello" in line]
