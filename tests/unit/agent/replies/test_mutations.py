"""Real replies pass unharmed; what makes one of them false is stopped, whatever it is."""

from __future__ import annotations

from random import Random

import pytest

from agent.nodes.check_answer import proven, refusals
from tests.unit.agent.replies.corpus import Reply, replies
from tests.unit.agent.replies.held_out import HELD_OUT
from tests.unit.agent.replies.mutations import APPENDED, MUTATIONS, SCENES
from tests.unit.agent.replies.scene import SCENE, TRUE

SEEDS = 12


def test_real_replies_pass_unharmed() -> None:
    assert len(replies()) >= 200
    assert len({reply.template for reply in replies()}) >= 100
    harmed = {reply.question: found for reply in replies() if (found := refusals(reply.template, reply.evidence))}
    assert harmed == {}


@pytest.mark.parametrize("template", TRUE)
def test_what_a_model_may_well_say_passes(template: str) -> None:
    assert refusals(template, SCENE) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_reply_that_was_made_false_is_stopped(name: str) -> None:
    random, made = Random(name), 0
    for reply in random.sample(replies(), len(replies())):
        false = MUTATIONS[name](reply, random)
        if false is None or false == reply.template:
            continue
        made += 1
        assert proven(false, reply.evidence) is None, (reply.question, false)
        if made == SEEDS:
            break
    assert made, "no reply that this could be done to"


@pytest.mark.parametrize("false", APPENDED)
def test_a_false_sentence_anywhere_in_a_reply_is_stopped(false: str) -> None:
    random = Random(false)
    for reply in random.sample(replies(), 4):
        for changed in (f"{reply.template}\n{false}", f"{false}\n\n{reply.template}", _inside(reply, false)):
            assert proven(changed, reply.evidence) is None, reply.question


def _inside(reply: Reply, false: str) -> str:
    head, _, rest = reply.template.partition("\n")
    return f"{head} {false}\n{rest}"


@pytest.mark.parametrize("name", SCENES)
def test_a_false_sentence_is_stopped(name: str) -> None:
    assert proven(SCENES[name], SCENE) is None


@pytest.mark.parametrize("name", HELD_OUT)
def test_held_out_replies_are_stopped(name: str) -> None:
    assert proven(HELD_OUT[name], SCENE) is None
