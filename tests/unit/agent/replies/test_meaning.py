"""What replies say in words is borne out by the figures beside them, for every tool; two windows are told apart."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import agent.nodes.check_answer as node
from agent.nodes.check_answer import refusals
from agent.replies.citations import Evidence
from tests.doubles.chain import Chain, Talk, call
from tests.doubles.chat import Chat
from tests.doubles.outlook import rhythmic

WORDED: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "worded.yaml").read_text(encoding="utf-8"))


def _watched(talk: Any, text: str) -> Evidence:
    """What check_answer saw of a turn."""
    seen: list[Evidence] = []

    def watching(template: str, evidence: Evidence, **more: Any) -> list[str]:
        seen.append(evidence)
        return refusals(template, evidence, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node, "refusals", watching)
        talk.say(text)
    return seen[0]


@cache
def _chat() -> Chat:
    return Chat(reader=rhythmic(incident=True))


@cache
def evidence(scene: str) -> Evidence:
    return _watched(_chat(), WORDED[scene]["asked"])


@pytest.mark.parametrize("scene", WORDED)
def test_what_the_figures_do_not_bear_out_is_refused(scene: str) -> None:
    passed = [template for template in WORDED[scene]["false"] if not refusals(template, evidence(scene))]
    assert passed == []


@pytest.mark.parametrize("scene", WORDED)
def test_what_they_do_bear_out_is_sent(scene: str) -> None:
    refused = {template: found for template in WORDED[scene]["true"] if (found := refusals(template, evidence(scene)))}
    assert refused == {}


def test_a_window_in_words_is_that_of_its_figure() -> None:
    both = (*call("query_usage", window="last week"), *call("query_usage", window="yesterday"))
    found = _watched(Talk(Chain([both, "It was [[f1]]."])), "credits last week and yesterday")
    assert refusals("Last week it was [[f1]] and yesterday [[f7]].", found) == []
    assert refusals("Yesterday it was [[f1]].", found)
    assert refusals("Last week it was [[f7]].", found)


@pytest.mark.parametrize(
    "claim",
    [
        "Everything is fine with your account, usage is low.",
        "Your usage is as expected and within budget.",
        "Nothing is running now.",
        "Ich habe das Warehouse gestoppt.",
        "Bob is the reason.",
        "J'ai arrêté l'entrepôt.",
        "- [x] Suspended",
        "Best practice is to suspend after a minute.",
    ],
)
def test_nothing_is_claimed_without_a_result(claim: str) -> None:
    assert refusals(claim, Evidence())


@pytest.mark.parametrize(
    "said",
    ["Which days do you mean?", "I tell where the credits go.", "I cannot write poems; I show what things cost."],
)
def test_questions_and_what_cannot_be_done_are_said_freely(said: str) -> None:
    assert refusals(said, Evidence()) == []
