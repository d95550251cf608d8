from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.slack.render.card import CardView, card_message, fingerprint, told_message
from bots.slack.render.home import PROMPTS, help_message, home_view
from bots.slack.render.modals import (
    decline_form,
    decline_view,
    details_view,
    evidence_view,
)
from bots.slack.render.notes import error_message, interrupted_message, not_for_you, said, stopped_message
from bots.slack.render.terminal import show
from bots.slack.types import Action, Message, PlanKey
from tests.unit.bots.slack.render.hostile import words
from tests.unit.bots.slack.render.makers import ASKER, NOW, TZ, plan, record, refused, texts, turn, view
from tests.unit.bots.slack.render.test_answer import LIVE, kinds, mrkdwn_of
from tools.domain import BlastRadius, Effect, Person, PlanState, Verdict
from tools.errors import NotAllowed

OURS = re.compile(r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|[\d-]+ [\d:]+ UTC>")


def buttons(message: Message) -> list[tuple[str, str]]:
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return [(b["text"]["text"], b["action_id"]) for row in rows for b in row]


def test_a_card_says_everything_that_is_to_be_judged() -> None:
    message = card_message(view(two_people=True))
    shown = texts(message)
    assert message.blocks[0]["text"]["text"] == "Resize BI_WH: Medium → Large"
    for said_ in (
        "ALTER WAREHOUSE \"BI_WH\" SET WAREHOUSE_SIZE = 'LARGE'",
        "SET WAREHOUSE_SIZE = 'MEDIUM'",
        "size: Medium → Large",
        "between 502 and 691 credits in 30 days (bounds)",
        "1 running, 0 queued, tasks due within 15 min: not known, users in 24 h: 4, owner: REPORTING_ADMIN",
        "Two people: who asked may not approve.",
        "Plan 463a01eee2e8 · digest ",
        "open until 2026-11-18 09:50 America/Los_Angeles, for you <!date^1795024200^",
    ):
        assert said_ in shown
    elements = json.dumps(message.blocks)
    assert '{"type": "user", "user_id": "U1"}' in elements  # who asked
    assert '{"type": "user", "user_id": "U2"}' in elements and '"usergroup_id": "S9"' in elements  # who may approve
    assert refused(message) == []


def test_the_buttons_carry_the_key_and_approving_repeats_the_statement() -> None:
    shown = view()
    (approve, decline, details) = card_message(shown).blocks[-1]["elements"]
    assert {PlanKey.parse(b["value"]) for b in (approve, decline, details)} == {shown.key}
    assert approve["style"] == "primary" and "SET WAREHOUSE_SIZE = 'LARGE'" in approve["confirm"]["text"]["text"]


@pytest.mark.parametrize(
    ("state", "words_", "names"),
    [
        (PlanState.PROPOSED, "Waiting for approval: nothing is changed", ["Approve", "Decline", "Details"]),
        (PlanState.APPROVED, "Approved, being applied", ["Details"]),
        (PlanState.CLAIMED, "Approved, being applied", ["Details"]),
        (PlanState.APPLIED, "Applied", ["Undo", "Details"]),
        (PlanState.FAILED, "Not applied", ["Details"]),
        (PlanState.UNKNOWN, "Not known whether it took effect", ["Details"]),
        (PlanState.DECLINED, "Declined: nothing was changed", ["Details"]),
        (PlanState.EXPIRED, "Expired: nothing was changed", ["Details"]),
        (PlanState.STALE, "Stale: nothing was changed", ["Details"]),
        (PlanState.CANCELLED, "Cancelled: nothing was changed", ["Details"]),
    ],
)
def test_each_state_has_its_words_and_buttons(state: PlanState, words_: str, names: list[str]) -> None:
    shown = view(record(state, effect="BI_WH is Large", reason="because"))
    message = card_message(shown)
    assert words_ in texts(message) and [name for name, _ in buttons(message)] == names
    if state is not PlanState.PROPOSED:
        assert "BI_WH is Large. because." in texts(message)
    told = told_message(shown)
    open_ = state in (PlanState.PROPOSED, PlanState.APPROVED, PlanState.CLAIMED)
    assert (told is None) is open_ and refused(message) == []


def test_what_cannot_be_undone_has_no_undo() -> None:
    message = card_message(view(record(PlanState.APPLIED, plan(undo=None))))
    assert "none: it cannot be taken back" in texts(message) and [n for n, _ in buttons(message)] == ["Details"]


def test_not_known_is_not_zero() -> None:
    made = plan(expected=Effect(credits_30d_low=None, credits_30d_high=None, method="No usage."))
    shown = texts(card_message(view(record(of=made))))
    assert "Expected: \nnot known" in shown and "No usage." in shown


def test_people_of_elsewhere_are_named_and_not_mentioned() -> None:
    other = plan(requester=Person(id="slack:T9/U1", name="<@U9>"))
    message = card_message(view(record(of=other)))
    assert '"user_id": "U1"' not in json.dumps(message.blocks) and "<@U9>" in texts(message)


def test_a_fingerprint_is_of_what_is_shown() -> None:
    one, same, other = view(), view(), view(record(PlanState.APPLIED))
    assert fingerprint(card_message(one)) == fingerprint(card_message(same)) != fingerprint(card_message(other))


def bundle(count: int, state: PlanState = PlanState.PROPOSED, name: str = "WH") -> CardView:
    plans = [plan(f"{name}_{n}", id=f"{n:012x}", bundle="b00000000001", position=n) for n in range(count)]
    return view(*(record(state, made) for made in plans))


def test_a_bundle_is_one_card_with_every_statement_and_its_state() -> None:
    shown = bundle(3)
    first = shown.records[0].model_copy(update={"state": PlanState.APPLIED, "effect": "done"})
    second = shown.records[1].model_copy(update={"state": PlanState.FAILED, "reason": "refused"})
    third = shown.records[2].model_copy(update={"state": PlanState.CANCELLED})
    message = card_message(view(first, second, third))
    told = texts(message)
    assert "1 of 3 applied" in told and "Not applied: refused." in told and " — Cancelled" in told
    assert all(f'ALTER WAREHOUSE "WH_{n}"' in told for n in range(3))
    assert buttons(message) == [("Undo 1: WH_0", Action.UNDO), ("Details", Action.DETAILS)]


def test_fifty_plans_fit_and_what_does_not_is_said() -> None:
    message = card_message(bundle(50, name="W" * 255))
    assert refused(message) == [] and re.search(r"… and \d+ more of 50 plans: Details", texts(message))
    assert refused(details_view(bundle(50, name="W" * 255))) == []
    small = card_message(bundle(30))
    assert refused(small) == [] and 'ALTER WAREHOUSE "WH_29"' in texts(small)


def test_a_long_statement_says_how_much_is_missing_and_stands_whole_in_the_details() -> None:
    statement = "x1" * 5_000
    shown = view(record(of=plan(statement=statement)))
    assert "… and 7,500 more characters: Details" in texts(card_message(shown))
    assert statement in texts(details_view(shown)).replace("\n", "")


@settings(max_examples=40)
@given(st.lists(words(), min_size=9, max_size=9), st.sampled_from(PlanState), st.integers(1, 6))
def test_whatever_an_account_writes_a_card_is_taken_and_wakes_nobody(
    said_: list[str], state: PlanState, count: int
) -> None:
    name, statement, undo, owner, reason, method, why, effect, title = (
        text.encode("utf-8", "replace").decode() for text in said_
    )
    made = plan(
        name,
        statement=statement,
        undo=undo or None,
        reason=reason,
        blast_radius=BlastRadius(running=0, queued=0, owner=owner),
        expected=Effect(credits_30d_low=1, credits_30d_high=2, method=method),
        verdict=Verdict(allowed=True, rule="default", reason=why),
        requester=Person(id="os:x", name=name),
        bundle="b1" if count > 1 else None,
    )
    rows = tuple(record(state, made, reason=why, effect=effect) for _ in range(count))
    shown = view(*rows, title=title)
    messages = [card_message(shown), told_message(shown)]
    for message in filter(None, messages):
        assert refused(message) == []
        assert not LIVE.search(OURS.sub("", message.text))
        assert not any(LIVE.search(OURS.sub("", text)) for text in mrkdwn_of(message.blocks))
    assert refused(details_view(shown)) == [] and not mrkdwn_of(details_view(shown))
    assert refused(home_view(made.requester, "viewer", rows, TZ)) == []
    assert card_message(shown) == messages[0]


@given(words())
def test_notes_take_any_text(text: str) -> None:
    error = NotAllowed(text, rule="role", hint=text)
    for message in (error_message(error), interrupted_message(text, "i1"), said(text), stopped_message(text, "i1")):
        assert refused(message) == [] and not LIVE.search(message.text) and not mrkdwn_of(message.blocks)


def test_the_form_gives_back_its_card() -> None:
    card = view(record())
    for withdraw in (False, True):
        form = decline_view(card, "C1", "1.2", withdraw=withdraw)
        read = decline_form(form["private_metadata"])
        assert refused(form) == [] and read is not None and (read.key, read.channel, read.ts) == (card.key, "C1", "1.2")
        (asked,) = [block for block in form["blocks"] if block["type"] == "input"]
        assert not asked["optional"] and card.heading in texts(form)
    for forged in ("", "{}", "[1]", '{"ref":1,"digest":2,"channel":3,"ts":4}', "null"):
        assert decline_form(forged) is None


def test_evidence_holds_every_fact_with_its_source() -> None:
    shown = texts(evidence_view(turn("**2**").model_dump(mode="json"), "credits? <!channel>"))
    for said_ in (
        "credits? <!channel>",
        "A: 1.00 credits",
        "B: 1.00 credits",
        "credits used (V",
        "covered until",
        "3 h",
    ):
        assert said_ in shown


@settings(max_examples=40)
@given(st.lists(words(8), max_size=60), words())
def test_evidence_takes_any_names(names: list[str], question: str) -> None:
    facts = [
        {"id": f"f{n}", "label": name or "x", "value": n, "unit": "count", "entity": name, "source": name,
         "as_of": NOW.isoformat()}
        for n, name in enumerate(name.encode("utf-8", "replace").decode() for name in names)
    ]  # fmt: skip
    asked = turn("**2**").model_dump(mode="json") | {"facts": facts}
    assert refused(evidence_view(asked, question)) == []


def test_home_and_help() -> None:
    rows = [record(of=plan(f"W{n}", expires_at=NOW + timedelta(hours=1))) for n in range(40)]
    home = home_view(ASKER, "approver", rows, TZ)
    assert refused(home) == [] and "… and 25 more" in texts(home) and len(PROMPTS) <= 4
    assert refused(help_message()) == [] and kinds(help_message()) == ["rich_text", "rich_text"]
    assert "guests" in not_for_you("guest").text


def test_a_terminal_shows_what_slack_would() -> None:
    from rich.console import Console

    console = Console(width=100)
    with console.capture() as drawn:
        console.print(show(card_message(view())))
        console.print(show(details_view(view())))
    for said_ in (
        "Resize BI_WH: Medium → Large",
        "SET WAREHOUSE_SIZE",
        "Approve",
        "@U2",
        "@S9",
        "open until 2026-11-18",
    ):
        assert said_ in drawn.get()
