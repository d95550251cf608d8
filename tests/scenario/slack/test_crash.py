"""`frostline slack` processes that are killed or told to stop: what people see when the next one has started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.store.inbox import ItemState
from bots.slack.types import Action
from tests.scenario.slack.desk import Desk, deciding
from tests.scenario.slack.office import key_of
from tests.scenario.slack.processes import running

QUESTION = "credits by warehouse last week"


@pytest.fixture(scope="module")
def desk(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Its own bot is not connected: it looks into the store, and processes do the work."""
    with deciding(template_home, tmp_path_factory.mktemp("crash")) as made:
        made.open()
        yield made


@pytest.mark.timeout(240)
def test_killed_in_the_middle_of_an_answer(desk: Desk) -> None:
    place = desk.channel()
    with running(desk) as first:
        hang = desk.slack.fail("chat.appendStream", times=1000, drop="before", delay=30.0)
        ts = desk.slack.say(desk.vera, place, QUESTION)
        desk.wait(lambda: hang.hits)
        first.kill()
    desk.slack.faults.clear()
    (stream,) = [m for m in desk.slack.posted(place, ts) if m.streamed]
    with running(desk) as second:
        assert desk.finished(place, ts).state is ItemState.INTERRUPTED
        (told,) = desk.said(place, ts)
        assert "restarted" in told.all_text and QUESTION in told.all_text and told.thread_ts == ts
        assert desk.slack.message(place, stream.ts).stream_state != "streaming"
        # Somebody else cannot have it asked again; she can, and once only.
        assert "Only the person who asked" in desk.whispered(
            desk.anna, lambda: desk.slack.click(desk.anna, place, told.ts, Action.AGAIN.value).wait()
        )
        desk.slack.click(desk.vera, place, told.ts, Action.AGAIN.value).wait()
        again = desk.whispered(
            desk.vera, lambda: desk.slack.click(desk.vera, place, told.ts, Action.AGAIN.value).wait()
        )
        assert "already" in again
        answers = desk.wait(lambda: [m for m in desk.slack.posted(place, ts) if key_of(m).startswith("answer:again:")])
        assert len(answers) == 1 and "credits" in answers[0].all_text
        assert len(desk.said(place, ts)) == 1
        # The thread goes on.
        follow_up = desk.slack.say(desk.vera, place, "and the week before?", ts)
        assert desk.finished(place, follow_up).state is ItemState.DONE
        assert second.terminate()[0] == 0
    assert desk.slack.violations == []


@pytest.mark.timeout(240)
def test_killed_between_storing_a_plan_and_posting_its_card(desk: Desk) -> None:
    place, name = desk.channel(), desk.warehouse()
    with running(desk) as first:
        hang = desk.slack.fail(
            "chat.postMessage", times=1000, drop="before", delay=30.0, when=lambda a: "card:" in str(a.get("metadata"))
        )
        ts = desk.slack.say(desk.pete, place, f"set auto-suspend of {name} to 1770 seconds")
        desk.wait(lambda: hang.hits)
        first.kill()
    desk.slack.faults.clear()
    assert desk.cards_in(place) == []
    with running(desk):
        assert desk.finished(place, ts).state is ItemState.DONE
        (card,) = desk.wait(lambda: desk.cards_in(place))
        assert card.thread == ts
        desk.approve(card)
        desk.wait(lambda: desk.notes(card))
        assert len(desk.said(place, ts)) == 1  # the answer stood there already
        assert len([m for m in desk.slack.posted(place) if key_of(m).startswith("card:")]) == 1
    assert desk.alters(name).count(f'ALTER WAREHOUSE "{name}" SET AUTO_SUSPEND = 1770') == 1
    assert desk.slack.violations == []


@pytest.mark.timeout(240)
def test_sigterm_finishes_what_runs_and_leaves_the_rest_to_the_next(desk: Desk) -> None:
    place = desk.channel()
    with running(desk) as first:
        slow = desk.slack.fail("chat.startStream", delay=1.5)
        ts = desk.slack.say(desk.vera, place, QUESTION)
        desk.wait(lambda: slow.hits)
        code, seconds = first.terminate()
        assert code == 0 and seconds < 20, first.words
        assert "Traceback" not in first.words
    assert desk.finished(place, ts).state is ItemState.DONE
    (answer,) = desk.said(place, ts)
    assert "credits" in answer.all_text and answer.stream_state != "streaming"
    # What is said while nobody is connected is delivered to whoever comes next.
    desk.slack.retry_delays = (0.5,) * 200
    later = desk.slack.say(desk.vera, place, "and the week before?", ts)
    with running(desk):
        assert desk.finished(place, later).state is ItemState.DONE
        assert len(desk.said(place, later)) == 1
    assert desk.slack.violations == []
