"""What becomes of findings that Slack did not take."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.settings import SlackSettings
from bots.slack.findings import FindingDesk
from tests.unit.agent.findings import scanned, sighting
from tests.unit.bots.slack.office import Office, texts
from tools.errors import ChannelRefused, Unreachable


def test_what_could_not_even_be_counted_is_told_by_the_next_publish(opener: Callable[..., Office]) -> None:
    office = opener(slack=SlackSettings(findings_channel="CF", findings_at_once=1))
    desk = FindingDesk(office.store, office.wall, office.parts.settings, "one", "UTC")
    scanned(office.store, 1, *(sighting(0, warehouse=f"W{n}", impact_credits_per_day=10.0 + n) for n in range(3)))

    def limited_after_the_first() -> None:
        if office.wall.posts:
            raise ChannelRefused("no more for a while", reason="ratelimited")

    office.wall.before["post"] = limited_after_the_first
    with pytest.raises(ChannelRefused):
        desk.publish()
    office.wall.before.clear()
    assert desk.publish() == 2
    assert [
        words in texts(sent.message.blocks)
        for sent, words in zip(office.wall.posts, ("of W2 ", "of W1 ", "and 1 more"), strict=True)
    ] == [True] * 3
    assert desk.publish() == 0


def test_what_was_only_counted_and_rises_gets_a_message_of_its_own(opener: Callable[..., Office]) -> None:
    office = opener(slack=SlackSettings(findings_channel="CF", findings_at_once=1))
    desk = FindingDesk(office.store, office.wall, office.parts.settings, "one", "UTC")
    seen = [sighting(0, warehouse=f"W{n}", impact_credits_per_day=10.0 + n) for n in range(3)]
    scanned(office.store, 1, *seen)
    assert desk.publish() == 2
    rise = [sighting(0, seen=2, warehouse=f"W{n}", impact_credits_per_day=500.0 + n) for n in range(2)]
    scanned(office.store, 2, *rise, seen[2])
    assert desk.publish() == 2
    said = [texts(sent.message.blocks) for sent in office.wall.posts]
    assert "of W1 " in said[2] and "critical" in said[2], "one at once, the weightiest"
    assert "and 1 more" in said[3]
    for hour, impact in ((3, 20.0), (4, 600.0)):
        again = (sighting(0, seen=hour, warehouse=f"W{n}", impact_credits_per_day=impact) for n in range(3))
        scanned(office.store, hour, *again)
        desk.publish()
        assert len(office.wall.posts) == 4, "what was told as critical is not news when it is so again"


def test_what_began_and_ended_while_slack_was_away_is_told_as_over(opener: Callable[..., Office]) -> None:
    office = opener(slack=SlackSettings(findings_channel="CF"))
    desk = FindingDesk(office.store, office.wall, office.parts.settings, "one", "UTC")
    scanned(office.store, 1, sighting(0, warehouse="OLD"))
    scanned(office.store, 2)
    assert desk.publish() == 0, "over before the channel was told of anything"
    office.wall.refuse["post"] = Unreachable("away")
    scanned(office.store, 3, sighting(2, seen=3, warehouse="GONE"), sighting(2, seen=3, warehouse="STAYS"))
    with pytest.raises(Unreachable):
        desk.publish()
    scanned(office.store, 4, sighting(2, seen=4, warehouse="STAYS"), sighting(2, 3, warehouse="SEEN_OVER"))
    with pytest.raises(Unreachable):
        desk.publish()
    office.wall.refuse.clear()
    office.clock.advance(minutes=2)
    assert desk.publish() == 2
    stays, gone = (texts(sent.message.blocks) for sent in office.wall.posts)
    assert "of STAYS " in stays and "resolved" not in stays
    assert "of GONE " in gone and "resolved" in gone
    assert desk.publish() == 0
