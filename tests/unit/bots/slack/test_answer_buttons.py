"""The buttons below an answer: evidence, chart, feedback, asking again."""

from __future__ import annotations

from typing import Any

from bots.slack.types import Action, Place
from tests.unit.bots.slack.office import ROOM, ROOT, Office, texts

FACTS = [
    {
        "id": f"f{n}",
        "label": "credits",
        "value": float(n),
        "unit": "credits",
        "entity": f"WH{n}",
        "window": None,
        "source": "WAREHOUSE_METERING_HISTORY",
        "as_of": "2026-03-02T09:00:00+00:00",
    }
    for n in (1, 2, 3)
]


def answer(office: Office, trace: str, by: str = "warehouse", facts: Any = FACTS, person: str = "UGRACE") -> None:
    calls = [{"name": "usage", "args": {"metric": "credits", "by": by}, "status": "ok"}]
    turn = {"trace_id": trace, "model": "offline", "tool_calls": calls, "facts": facts, "sources": [], "window": None}
    office.store.answers.put(
        trace, thread=f"slack:T1/{ROOM}/{ROOT}", person=f"slack:T1/{person}", question="credits by it", turn=turn
    )


def test_evidence_is_shown_to_who_gets_answers(office: Office) -> None:
    answer(office, "t1")
    office.press(Action.EVIDENCE, "t1", "UVIC")
    office.press(Action.EVIDENCE, "t1", "UNEW")
    assert len(office.wall.views) == 2
    assert "WAREHOUSE_METERING_HISTORY" in texts(office.wall.views[0][1]["blocks"])
    office.press(Action.EVIDENCE, "t1", "UGUEST")
    office.press(Action.EVIDENCE, "t1", "UOUT")
    assert len(office.wall.views) == 2
    assert len(office.wall.told) == 2


def test_what_is_behind_an_answer_is_not_shown_from_another_place(office: Office) -> None:
    turn = {"trace_id": "t1", "tool_calls": [], "facts": FACTS}
    for number, thread in enumerate((f"slack:T1/DGRACE/{ROOT}", "t", "slack:T1", "")):
        office.store.answers.put(f"t{number}", thread=thread, person="slack:T1/UGRACE", question="pay", turn=turn)
        for action in (Action.EVIDENCE, Action.CHART):
            office.press(action, f"t{number}", "UVIC")
    assert office.wall.views == []
    assert office.wall.files == []
    assert len(office.wall.told) == 8


def test_figures_by_user_are_for_analysts_whoever_asked(office: Office) -> None:
    answer(office, "t1", by="user")
    for action in (Action.EVIDENCE, Action.CHART):
        office.press(action, "t1", "UVIC")
    assert office.wall.views == []
    assert office.wall.files == []
    assert all("analysts" in told for told in office.wall.told)
    office.press(Action.EVIDENCE, "t1", "UGRACE")
    assert len(office.wall.views) == 1


def test_an_answer_that_is_not_kept_any_more(office: Office) -> None:
    office.press(Action.EVIDENCE, "t9")
    office.press(Action.CHART, "t9")
    office.press(Action.FEEDBACK, "good:t9")
    assert len(office.wall.told) == 3
    assert all("not kept" in told for told in office.wall.told)


def test_a_chart_goes_into_the_thread(office: Office) -> None:
    answer(office, "t1")
    answer(office, "t2", facts=FACTS[:1])
    office.press(Action.CHART, "t1", "UVIC")
    ((place, file),) = office.wall.files
    assert place == Place(ROOM, ROOT)
    assert file.content.startswith(b"\x89PNG")
    office.press(Action.CHART, "t2", "UVIC")
    assert "nothing to draw" in office.wall.told[0]


def test_feedback_is_kept_and_the_last_word_counts(office: Office) -> None:
    answer(office, "t1")
    office.press(Action.FEEDBACK, "good:t1", "UVIC")
    office.press(Action.FEEDBACK, "bad:t1", "UVIC")
    office.press(Action.FEEDBACK, "awful:t1", "UVIC")
    (rating,) = office.store.answers.ratings()
    assert (rating.person, rating.value) == ("slack:T1/UVIC", "bad")
    assert len(office.wall.told) == 2


def test_again_is_for_who_asked_and_once(office: Office) -> None:
    body = {"author": {"user": "UVIC", "team": "T1", "enterprise": None}, "text": "credits"}
    office.store.inbox.put("q1", ("q1",), kind="mention", conversation="c", order="1", body=body)
    office.press(Action.AGAIN, "q1", "UADA")
    assert "Only the person" in office.wall.told[0]
    office.press(Action.AGAIN, "q1", "UVIC")
    office.press(Action.AGAIN, "q1", "UVIC")
    assert office.store.inbox.waiting().count == 2
    assert "already" in office.wall.told[1]
    office.press(Action.AGAIN, "q9", "UVIC")
    assert "not kept" in office.wall.told[2]
