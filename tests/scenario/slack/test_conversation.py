"""Somebody asks in a channel; what stands in the thread then, and what the thread remembers."""

from __future__ import annotations

import time

import pytest

from agent.store.inbox import ItemState
from bots.slack.types import Action
from tests.scenario.slack.conftest import OfficeMaker
from tests.scenario.slack.office import Office, live_in, live_parts
from tests.scenario.slack.truth import credits_by_warehouse, last_week

BY_WAREHOUSE = "credits by warehouse last week"


def test_a_mention_is_answered_by_a_stream_with_the_true_figures(office: Office) -> None:
    truth = credits_by_warehouse(office.runtime, *last_week(office.runtime))
    ts = office.ask(office.vera, BY_WAREHOUSE)
    (answer,) = office.said(office.cost, ts)
    assert answer.thread_ts == ts and answer.streamed and answer.stream_state == "stopped"
    assert answer.recipient == office.vera
    most, used = next(iter(truth.items()))
    assert most in answer.text and f"{used:,.2f}" in answer.text and f"{sum(truth.values()):,.2f}" in answer.text
    (table,) = [block for block in answer.blocks if block["type"] == "table"]
    shown = [(row[0]["text"], row[1]["text"]) for row in table["rows"][1:]]
    assert shown == [(name, f"{value:,.2f}") for name, value in truth.items()]
    assert "WAREHOUSE_METERING_HISTORY, covered until" in answer.all_text
    assert live_in(answer) == []
    assert office.slack.violations == []


def test_what_is_being_done_shows_while_it_is_done(office: Office) -> None:
    ts = office.ask(office.vera, BY_WAREHOUSE)
    (answer,) = office.said(office.cost, ts)
    steps = [chunk for chunk in answer.chunks if chunk["type"] == "task_update"]
    assert [step["status"] for step in steps] == ["in_progress", "complete"]
    assert {step["title"] for step in steps} == {"Reading usage"}
    assert [chunk["type"] for chunk in answer.chunks][-1] == "markdown_text"  # the answer comes after the work
    assert office.slack.session(office.cost, ts)["status"] == "active"  # nothing is being done any more
    assert office.slack.violations == []


def test_the_evidence_button_opens_what_the_answer_rests_on(office: Office) -> None:
    ts = office.ask(office.vera, BY_WAREHOUSE)
    (answer,) = office.said(office.cost, ts)
    office.slack.click(office.anna, office.cost, answer.ts, Action.EVIDENCE).wait()
    (view,) = office.wait(lambda: [v for v in office.slack.views if v.user == office.anna])
    turn = office.turn(office.cost, ts)
    assert "WAREHOUSE_METERING_HISTORY" in view.all_text
    assert f"{turn.facts[0].value:,.2f}" in view.all_text and turn.trace_id in view.all_text
    assert live_parts(view.blocks) == []
    office.slack.close_view(office.anna, view.id)
    assert office.slack.violations == []


def test_a_chart_comes_as_a_picture_in_the_thread(office: Office) -> None:
    ts = office.ask(office.vera, BY_WAREHOUSE)
    (answer,) = office.said(office.cost, ts)
    office.slack.click(office.vera, office.cost, answer.ts, Action.CHART).wait()
    (upload,) = office.wait(lambda: [u for u in office.slack.uploads if u.completed and u.thread_ts == ts])
    assert upload.content is not None and upload.content.startswith(b"\x89PNG")
    assert office.slack.violations == []


def test_a_forecast_brings_its_chart_with_words_for_those_who_cannot_see_it(office: Office) -> None:
    ts = office.ask(office.vera, "what will we spend next month?")
    (answer,) = office.said(office.cost, ts)
    (upload,) = office.wait(lambda: [u for u in office.slack.uploads if u.completed and u.thread_ts == ts])
    assert upload.content is not None and upload.content.startswith(b"\x89PNG")
    turn = office.turn(office.cost, ts)
    assert upload.alt == turn.charts[0].alt and "forecast" in upload.alt
    assert "Likely between" in answer.all_text and live_in(answer) == []
    assert Action.CHART.value not in str(answer.blocks)  # it is there already
    assert office.slack.violations == []


def test_feedback_is_kept_with_the_answer_and_thanked_for(office: Office) -> None:
    ts = office.ask(office.vera, BY_WAREHOUSE)
    (answer,) = office.said(office.cost, ts)
    trace = office.turn(office.cost, ts).trace_id

    def ratings() -> list[tuple[str, str]]:
        rows = office.runtime.store.answers.ratings()
        return [(row.person, row.value) for row in rows if row.trace_id == trace]

    office.slack.click(office.vera, office.cost, answer.ts, Action.FEEDBACK, f"good:{trace}").wait()
    office.wait(lambda: ratings() == [(office.person(office.vera).id, "good")])
    office.slack.click(office.vera, office.cost, answer.ts, Action.FEEDBACK, f"bad:{trace}").wait()
    office.wait(lambda: ratings() == [(office.person(office.vera).id, "bad")])
    office.wait(lambda: len([e for e in office.slack.ephemerals if e.ephemeral_to == office.vera]) == 2)
    assert office.slack.violations == []


def test_the_thread_is_a_conversation(office: Office) -> None:
    ts = office.ask(office.vera, BY_WAREHOUSE)
    follow = office.ask(office.vera, "and the week before?", thread_ts=ts)
    (answer,) = office.said(office.cost, follow)
    start, end = last_week(office.runtime)
    before = credits_by_warehouse(office.runtime, start - (end - start), start)
    assert f"{sum(before.values()):,.2f}" in answer.all_text and answer.thread_ts == ts
    silent = office.ask(office.vera, "and by role?", thread_ts=ts, mention=False)  # asked by who began it
    assert office.turn(office.cost, silent).tool_calls[0].args["by"] == "role"
    assert office.slack.violations == []


def test_a_reply_without_a_mention_is_the_askers_alone(office: Office) -> None:
    ts = office.ask(office.vera, BY_WAREHOUSE)
    chatter = [
        office.slack.say(office.anna, office.cost, "I wonder why", ts, mention=False),
        office.slack.say(office.vera, office.cost, f"<@{office.anna}> what do you think?", ts, mention=False),
        office.slack.say(office.vera, office.cost, "nothing to do with anybody", mention=False),
    ]
    office.acknowledged()
    assert [office.item(office.cost, each) for each in chatter] == [None, None, None]
    asked = office.ask(office.anna, "and the week before?", thread_ts=ts)  # with a mention anybody may go on
    assert "the week before" in office.turn(office.cost, asked).answer or office.said(office.cost, asked)
    again = office.ask(office.anna, "and by role?", thread_ts=ts, mention=False)  # now it is her conversation
    assert office.said(office.cost, again)
    assert office.slack.violations == []


@pytest.mark.parametrize(("rule", "asker", "other"), [("anyone", True, True), ("mention", False, False)])
def test_settings_say_whose_replies_are_answered(make_office: OfficeMaker, rule: str, asker: bool, other: bool) -> None:
    office = make_office().start(follow_ups=rule)
    ts = office.ask(office.vera, BY_WAREHOUSE)
    replies = [
        (office.slack.say(office.vera, office.cost, "and the week before?", ts, mention=False), asker),
        (office.slack.say(office.anna, office.cost, "and by role?", ts, mention=False), other),
    ]
    office.acknowledged()
    for reply, answered in replies:
        assert (office.item(office.cost, reply) is not None) is answered
        if answered:
            assert office.finished(office.cost, reply).state is ItemState.DONE
    assert office.slack.violations == []


def test_a_question_back_and_its_answer(office: Office) -> None:
    ts = office.ask(office.vera, "credits of DV last week")
    (back,) = office.said(office.cost, ts)
    assert office.turn(office.cost, ts).status == "clarify"
    assert not [block for block in back.blocks if block["type"] == "context_actions"]  # nothing to rate yet
    assert "Do you mean" in back.all_text and "DEV_WH" in back.all_text
    reply = office.ask(office.vera, "DEV_WH", thread_ts=ts, mention=False)
    truth = credits_by_warehouse(office.runtime, *last_week(office.runtime))
    assert f"{truth['DEV_WH']:,.2f} credits" in office.said(office.cost, reply)[0].text
    assert office.slack.violations == []


def test_what_is_not_understood_is_said(office: Office) -> None:
    answer = office.answer(office.vera, "how are you")
    assert "I did not understand" in answer.all_text
    assert office.slack.violations == []


def test_a_mention_alone_is_help_and_no_error(office: Office) -> None:
    answer = office.answer(office.vera, "")
    assert "last week" in answer.all_text  # examples
    assert office.slack.violations == []


def test_who_may_see_what_is_the_askers_role(office: Office) -> None:
    ts = office.ask(office.anna, "credits by user last week")
    (hers,) = office.said(office.cost, ts)
    refused = office.ask(office.vera, "and the week before?", thread_ts=ts)  # the thread is hers, the role is his
    assert office.turn(office.cost, refused).status == "refused"
    (unlisted,) = office.said(office.cost, office.ask(office.zoe, "credits by user last week"))
    assert "analysts and above" in unlisted.all_text
    office.slack.click(office.vera, office.cost, hers.ts, Action.EVIDENCE).wait()
    said = office.wait(lambda: [e for e in office.slack.ephemerals if "analysts and above" in e.all_text])
    assert said[-1].ephemeral_to == office.vera and not [v for v in office.slack.views if v.user == office.vera]
    assert office.slack.violations == []


def test_two_people_in_one_thread_are_answered_in_order(office: Office) -> None:
    ts = office.ask(office.vera, BY_WAREHOUSE)
    with office.slack.holding():
        first = office.slack.say(office.vera, office.cost, "and the week before?", ts)
        second = office.slack.say(office.anna, office.cost, "and by user?", ts)
    one, two = office.finished(office.cost, first), office.finished(office.cost, second)
    assert one.updated_at <= two.updated_at
    assert (one.state, two.state) == (ItemState.DONE, ItemState.DONE)
    assert office.turn(office.cost, first).tool_calls[0].args["by"] == "warehouse"
    assert office.turn(office.cost, second).tool_calls[0].args["by"] == "user"
    assert office.said(office.cost, first)[0].ts < office.said(office.cost, second)[0].ts
    assert office.slack.violations == []


def test_threads_do_not_hear_of_each_other(office: Office) -> None:
    office.ask(office.vera, BY_WAREHOUSE)
    answer = office.answer(office.vera, "and the week before?")
    assert answer.thread_ts != "" and "credits used, " not in answer.text
    assert office.slack.violations == []


def test_a_thread_is_remembered_by_the_next_process(make_office: OfficeMaker) -> None:
    office = make_office().start()
    ts = office.ask(office.vera, BY_WAREHOUSE)
    office.stop()
    meanwhile = office.slack.say(office.vera, office.cost, "and the week before?", ts, mention=False)
    office.start()
    assert office.finished(office.cost, meanwhile).state is ItemState.DONE
    assert office.turn(office.cost, meanwhile).tool_calls[0].args["by"] == "warehouse"
    after = office.ask(office.vera, "and by role?", thread_ts=ts, mention=False)
    assert office.turn(office.cost, after).tool_calls[0].args["by"] == "role"
    assert office.slack.violations == []


def test_questions_of_many_are_answered_side_by_side(office: Office) -> None:
    """Every one has its own answer, whoever asks at the same moment."""
    began = time.monotonic()
    asked = [office.slack.say(user, office.cost, BY_WAREHOUSE) for user in office.people.values()]
    for ts in asked:
        assert office.finished(office.cost, ts).state is ItemState.DONE
    assert {len(office.said(office.cost, ts)) for ts in asked} == {1}
    assert len({office.said(office.cost, ts)[0].text for ts in asked}) == 1
    assert time.monotonic() - began < 60
    assert office.slack.violations == []


def test_a_private_channel(office: Office) -> None:
    channel = office.slack.add_channel("board", [office.vera], private=True)
    ts = office.ask(office.vera, BY_WAREHOUSE, channel=channel)
    follow = office.ask(office.vera, "and by role?", channel=channel, thread_ts=ts, mention=False)
    assert office.turn(channel, follow).tool_calls[0].args["by"] == "role"
    assert office.slack.violations == []
