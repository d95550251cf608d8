"""check_answer: real replies pass; the same replies with a figure, a name or a claim put in do not."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prompts
from agent.nodes.check_answer import proven
from agent.offline.composition import write_reply
from agent.replies.citations import Evidence, literals
from agent.replies.claims import problems_in
from agent.replies.evidence import COMMANDS, evidence_of
from agent.state import CallResult
from tests.doubles.chat import Chat

QUESTIONS = (
    "credits by warehouse last week",
    "how much did we spend yesterday compared to the day before",
    "credits by day this month",
    "top 2 users by queries yesterday",
    "failure rate by warehouse last week",
    "show warehouses",
    "suspend BI_WH and set auto suspend of ETL_WH to 60s",
    "resize ETL_WH to small",
    "credits in October",
    "idle credits by warehouse yesterday",
    "compare October and August credits",
)


@cache
def reply_to(question: str) -> tuple[str, Evidence]:
    """Template and evidence of a real turn, as check_answer saw them."""
    chat = Chat()
    turn = chat.say(question)
    state = chat.state()
    results = [CallResult.model_validate(result) for result in state["results"]]
    evidence = evidence_of(results, tz="UTC", names=("ETL_WH", "BI_WH", "BI_DEV_WH", "data science"))
    assert turn.status in ("ok", "needs_approval", "no_data")
    assert not state["fallback"], question
    return write_reply(results, "UTC"), evidence


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_real_reply_is_proven(question: str) -> None:
    answer = proven(*reply_to(question))
    assert answer
    assert "[[" not in answer


FALSE_PARTS = (
    "In all 42 credits.",
    "That is about three hundred credits.",
    "Roughly half of it is idle.",
    "It doubled.",
    "Up threefold.",
    "It grew by a third.",
    "A dozen queries failed.",
    "Costs were ½ of that.",
    "Total: ٤٢.",
    "Total: ①.",
    "Total: 四.",
    "ETL_WH is the reason.",
    "etl_wh is the reason.",
    "Most of it is data science.",
    "NIGHTLY_LOAD_WH is the reason.",
    "`BI` did it.",
    "I have resized the warehouse.",
    "I've suspended it.",
    "We just resumed it.",
    "The warehouse has been suspended.",
    "It was resized.",
    "It is now Small.",
    "Done.",
    "All done!",
    "Suspended.",
    "**Resized** as asked.",
    "Successfully applied.",
    "I will suspend it now.",
    "I'm resizing it.",
    "The plan is approved.",
    "Your change was executed.",
    "Details: https://example.com.",
    "Hidden\u200btext.",
    "Bell\x07.",
    "[[f99999]]",
    "[[diff(f1]]",
    "[[p9.id]]",
)


@pytest.mark.parametrize("false", FALSE_PARTS)
@pytest.mark.parametrize("question", QUESTIONS[:2] + QUESTIONS[6:7])
def test_a_real_reply_with_a_false_part_is_not_sent(question: str, false: str) -> None:
    template, evidence = reply_to(question)
    for changed in (f"{template}\n{false}", f"{false}\n\n{template}", template.replace(". ", f". {false} ", 1)):
        if changed != template:
            assert proven(changed, evidence) is None, false


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_figure_put_in_place_of_any_citation_is_found(question: str) -> None:
    template, evidence = reply_to(question)
    cited = sorted(evidence.facts)[:30]
    for fact_id in cited:
        written = f"[[{fact_id}]]"
        value = evidence.facts[fact_id].value
        if written in template and isinstance(value, (int, float)):
            assert proven(template.replace(written, f"{value:.2f} credits", 1), evidence) is None


@given(place=st.integers(0, 10_000), digits=st.integers(0, 10**9))
@settings(deadline=None, max_examples=60)
def test_digits_anywhere_outside_a_citation_are_found(place: int, digits: int) -> None:
    template, evidence = reply_to(QUESTIONS[0])
    parts = literals(template)
    number = place % len(parts)
    parts[number] = parts[number][: place % (len(parts[number]) + 1)] + str(digits) + parts[number]
    assert any("figure" in problem for problem in problems_in(parts[number], evidence))


HARMLESS = (
    "Nothing is changed.",
    "Nothing has been changed.",
    "Source: WAREHOUSE_METERING_HISTORY.",
    "Ask for the first warehouse or another one.",
    "The window before is not kept whole.",
)


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_words_pass(text: str) -> None:
    assert problems_in(text, Evidence(names=frozenset({"ETL_WH", "Finance"}))) == []


def test_a_name_that_is_a_plain_word_counts_as_it_is_written() -> None:
    evidence = Evidence(names=frozenset({"Finance", "LOAD", "credits"}))
    assert problems_in("Finance used it.", evidence)
    assert problems_in("the LOAD one", evidence)
    assert not problems_in("the load of finance", evidence)
    assert problems_in("the credits", evidence)
    assert not problems_in("the credits", evidence, names=False)


def test_every_text_of_ours_may_be_sent() -> None:
    evidence = Evidence(texts={**COMMANDS, "failure.message": "m", "failure.hint": "h"})
    named = [path.name.removesuffix(".md") for path in files("prompts").iterdir() if path.name.endswith(".md")]
    names = [name for name in named if not name.startswith("model_")]  # those are for a model, not for people
    assert len(names) > 20
    for name in names:
        assert problems_in(prompts.text(name), evidence) == [], name
        assert proven(prompts.text(name), evidence), name


def test_the_lexicon_compiles_and_has_a_text_for_every_topic() -> None:
    from agent.offline.words import patterns

    for topic in patterns("refusals"):
        assert prompts.text(f"no_{topic}")
    for topic in patterns("talk"):
        assert prompts.text(topic)
    assert len(prompts.digest()) == 12
    for wrong in ("../secret", "nope", "A B"):
        with pytest.raises(KeyError):
            prompts.text(wrong)
