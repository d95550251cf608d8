"""Findings in their channel: posted once, changed in place, with evidence and quiet; whatever breaks in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agent.findings import Sighting
from bots.slack.api import SlackApi
from bots.slack.findings import FindingDesk, post_key
from bots.slack.render.finding import finding_message
from bots.slack.types import Action, Place
from tests.scenario.slack.desk import Desk, button, deciding
from tests.scenario.slack.office import key_of, live_in, live_parts
from tests.scenario.slack.processes import running
from tests.slack_server.things import Posted, View
from tests.unit.agent.findings import at, drawn, scanned, sighting
from tools.errors import ChannelRefused
from tools.finding import FindingRecord

HOSTILE = "a<!channel> *b* `c` <@U0AAAAAAA> & <https://x.example|y> \u202e"


class Board:
    """A channel for findings with its desk; every test has one, and warehouses of its own."""

    def __init__(self, office: Desk, **settings: object) -> None:
        self.office, self.channel = office, office.channel()
        slack = office.settings(findings_channel=self.channel, **settings).slack
        self.desk = FindingDesk(office.runtime.store, SlackApi.of(slack), slack, f"test-{self.channel}", "UTC")
        last = self.desk.store.findings.last_scan()
        if last is not None:  # what other tests have left is over
            scanned(self.desk.store, (last.as_of - at(0)) / timedelta(hours=1) + 1)

    def another(self) -> FindingDesk:
        """As a second process would have it."""
        return FindingDesk(self.desk.store, self.desk.api, self.desk.settings, f"other-{self.channel}", "UTC")

    def scan(self, hour: float, *seen: Sighting) -> tuple[FindingRecord, ...]:
        """Hours go on from test to test."""
        return scanned(self.desk.store, hour, *seen)

    def posted(self) -> list[Posted]:
        return [m for m in self.office.slack.posted(self.channel) if not m.is_reply]

    def of(self, record: FindingRecord) -> Posted:
        (found,) = [m for m in self.posted() if key_of(m) == post_key(record.id, self.channel)]
        return found

    def press(self, user: str, message: Posted, action: Action) -> View:
        """A button; the window that opens."""
        slack, known = self.office.slack, {view.id for view in self.office.slack.views}
        slack.click(user, self.channel, message.ts, action.value).wait(30)
        return self.office.eventually(lambda: [v for v in slack.views if v.user == user and v.id not in known])[-1]


@pytest.fixture(scope="module")
def office(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with deciding(template_home, tmp_path_factory.mktemp("findings")) as made:
        made.start()
        yield made


@pytest.fixture
def board(office: Desk) -> Board:
    return Board(office)


def test_posted_once_with_its_chart_and_changed_in_place(board: Board) -> None:
    (record,) = board.scan(1, drawn(seen=1))
    assert board.desk.publish() == 1
    message = board.of(record)
    for words in ("Credits used of ETL went up", "expected 1.00 credits", "+10.0 credits a day", "warning", record.id):
        assert words in message.all_text, words
    (chart,) = [u for u in board.office.slack.uploads if u.channel == board.channel]
    assert chart.thread_ts == message.ts
    assert [board.desk.publish(), board.another().publish()] == [0, 0]

    board.scan(2, drawn(seen=2, kind="level_shift", impact_credits_per_day=40.0))
    assert board.desk.publish() == 1
    assert "stayed there" in board.of(record).all_text
    assert "critical" in board.of(record).all_text
    board.scan(9, drawn(end=3))
    assert board.another().publish() == 1
    over = board.of(record)
    assert "resolved" in over.all_text
    assert button(over, Action.FINDING_SNOOZE) is None
    assert button(over, Action.EVIDENCE) == f"finding:{record.id}"
    assert len(board.posted()) == 1
    assert len([u for u in board.office.slack.uploads if u.channel == board.channel]) == 1


def test_nothing_of_an_account_acts(board: Board) -> None:
    (record,) = board.scan(100, sighting(99, seen=100, warehouse=HOSTILE, object=HOSTILE))
    board.desk.publish()
    message = board.of(record)
    assert live_in(message) == []
    assert "<!channel>" in "".join(str(b) for b in message.blocks)
    view = board.press(board.office.vera, message, Action.EVIDENCE)
    assert live_parts(view.blocks) == []
    assert board.office.slack.violations == []


def test_no_flood(office: Desk) -> None:
    """The weightiest are posted, of the rest their number is told, and they are not posted later either."""
    board = Board(office, findings_at_once=3)
    seen = [sighting(200, seen=201, warehouse=f"W{n}", impact_credits_per_day=10.0 + n) for n in range(9)]
    quiet = sighting(200, seen=201, warehouse="SMALL", impact_credits_per_day=0.1)
    board.scan(201, *seen, quiet)
    assert board.desk.publish() == 4
    texts = [m.all_text for m in board.posted()]
    assert [any(f"of W{n} " in text for text in texts) for n in range(9)] == [False] * 6 + [True] * 3
    assert "and 6 more" in texts[-1]
    assert not any("SMALL" in text for text in texts), "less than slack.findings_from"
    assert board.desk.publish() == 0
    board.scan(202, *seen, quiet, sighting(201, seen=202, warehouse="NEW"))
    assert board.desk.publish() == 1


def test_what_is_over_when_it_is_first_seen_or_snoozed_is_not_posted(board: Board) -> None:
    (_, quiet) = board.scan(302, sighting(300, 301), sighting(301, seen=302, warehouse="BI"))
    by = board.office.person(board.office.pete)
    board.desk.store.findings.snooze(quiet.id, at(310), "known", by, at(302))
    assert board.desk.publish() == 0
    board.scan(311, sighting(300, 301), sighting(301, seen=311, warehouse="BI"))
    assert board.desk.publish() == 1


def test_a_process_that_dies_between_claim_and_post_posts_nothing_twice(board: Board) -> None:
    """The message was not sent: the next process sends it. It was sent: the next process finds it."""
    posts, clock = board.desk.store.finding_posts, board.office.clock
    one, two = board.scan(402, sighting(400, seen=402), sighting(401, seen=402, warehouse="BI"))
    for record in (one, two):
        assert posts.claim(record.id, board.channel, "dead", timedelta(seconds=60)) is not None
    ts = board.desk.api.post(
        place=Place(board.channel), message=finding_message(two, "UTC"), key=post_key(two.id, board.channel)
    )  # ... and died before it wrote that down
    assert board.desk.publish() == 0, "the claims have not lapsed"
    clock.shift += timedelta(minutes=2)
    board.desk.publish()
    assert board.of(one)
    assert board.of(two).ts == ts
    assert len(board.posted()) == 2
    board.scan(403, sighting(400, seen=403), sighting(401, 402.5, warehouse="BI"))
    board.desk.publish()
    assert "resolved" in board.of(two).all_text


def test_a_post_whose_answer_is_lost_and_a_channel_that_says_no(board: Board) -> None:
    slack = board.office.slack
    (record,) = board.scan(502, sighting(500, seen=502))
    slack.fail("chat.postMessage", times=1, drop="after")
    board.desk.publish()
    assert len(board.posted()) == 1
    slack.fail("chat.update", times=1, error="message_not_found")
    board.scan(503, sighting(500, 502.5))
    assert board.desk.publish() == 0
    assert board.desk.publish() == 0

    board.scan(505, sighting(504, seen=505, warehouse="BI"))
    slack.fail("chat.postMessage", times=1, error="not_in_channel")
    with pytest.raises(ChannelRefused):
        board.desk.publish()
    assert board.desk.publish() == 1
    assert board.of(record)


def test_the_evidence_is_shown_to_who_presses(board: Board) -> None:
    office = board.office
    (record,) = board.scan(602, sighting(600, seen=602))
    board.desk.publish()
    view = board.press(office.vera, board.of(record), Action.EVIDENCE)
    shown = view.all_text
    for words in ("VIEW", "credits", record.id, "found by system", "Confidence"):
        assert words in shown, words


def test_snooze_and_dismiss_take_a_role_and_a_reason(board: Board) -> None:
    office, slack = board.office, board.office.slack
    (record,) = board.scan(702, sighting(700, seen=702))
    board.desk.publish()
    message = board.of(record)
    told = office.whispered(
        office.vera, lambda: slack.click(office.vera, board.channel, message.ts, Action.FINDING_SNOOZE.value).wait()
    )
    assert "proposer" in told
    view = board.press(office.pete, message, Action.FINDING_SNOOZE)
    wrong = office.whispered(
        office.pete, lambda: slack.submit(office.pete, view.id, {"length": "soon", "reason": "known load"}).wait()
    )
    assert "not a length of time" in wrong
    view = board.press(office.pete, message, Action.FINDING_SNOOZE)
    slack.submit(office.pete, view.id, {"length": "2d", "reason": "known load <!here>"}).wait()
    office.wait(lambda: "Snoozed until" in board.of(record).all_text)
    snoozed = board.of(record)
    assert "known load" in snoozed.all_text
    assert live_in(snoozed) == []
    assert board.desk.store.findings.get(record.id).by == "pete"

    view = board.press(office.pete, snoozed, Action.FINDING_DISMISS)
    slack.submit(office.pete, view.id, {"reason": "the migration"}).wait()
    office.wait(lambda: "Dismissed by pete: the migration" in board.of(record).all_text)
    assert [button(board.of(record), a) for a in (Action.FINDING_SNOOZE, Action.FINDING_DISMISS)] == [None, None]
    rows = [r for r in board.desk.store.audit_rows() if (r.detail or {}).get("finding") == record.id]
    assert [r.event for r in rows] == ["denied", "finding_snoozed", "finding_dismissed"]
    board.scan(703, sighting(700, seen=703, impact_credits_per_day=90.0))
    assert board.desk.publish() == 0
    assert len(board.posted()) == 1


def test_a_guest_quiets_nothing(board: Board) -> None:
    office, slack = board.office, board.office.slack
    guest = slack.add_user("gus", guest=True)
    channel = slack.channel(board.channel)
    channel.members.add(guest)
    (record,) = board.scan(802, sighting(800, seen=802))
    board.desk.publish()
    ts = board.of(record).ts
    for action in (Action.FINDING_DISMISS, Action.EVIDENCE):
        told = office.whispered(guest, lambda a=action: slack.click(guest, board.channel, ts, a.value).wait())
        assert "guest" in told.lower()
    assert board.desk.store.findings.get(record.id).finding.state == "new"


@pytest.mark.timeout(300)
def test_the_bot_scans_by_its_setting(template_home: Path, tmp_path: Path) -> None:
    """`frostline slack` itself: the demo account is scanned, and what is found stands in the channel."""
    with deciding(template_home, tmp_path) as office:
        channel = office.channel()
        office.open()
        scan = {"FROSTLINE_SCAN__EVERY": "1h", "FROSTLINE_SCAN__HISTORY_DAYS": "21"}
        scan["FROSTLINE_SLACK__FINDINGS_FROM"] = "info"
        with running(office, env=scan | {"FROSTLINE_SLACK__FINDINGS_CHANNEL": channel}) as bot:
            messages = office.wait(lambda: [m for m in office.slack.posted(channel) if not m.is_reply], 150.0)
            assert bot.terminate()[0] == 0
        last = office.runtime.store.findings.last_scan()
        assert last is not None
        assert key_of(messages[0]).startswith("finding")
        assert office.slack.violations == []
