"""One conversation through one graph: by the planner, by a recorded model, and by a live one where there is one.

The recorded one is small, and what it says is not always sensible. What has to hold is what people are told: each
figure is a fact, nothing is changed by words, and no turn ends without an answer.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from vcr.errors import CannotOverwriteExistingCassetteException  # type: ignore[import-untyped]

from agent.models.chain import Models
from agent.models.thinker import thinker_for
from agent.settings_llm import LlmSettings
from agent.state import Turn
from tests.doubles.cassettes import FOLDER, LIVE_MODEL, LIVE_URL, RECORD, cassette, orphans, refused_url, unplayed
from tests.doubles.chain import ModelChat
from tests.doubles.chat import Chat
from tests.graph.test_model_talk import Pages, Purse

TALK = (
    "credits by warehouse last week",
    "and yesterday?",
    "what is the best practice for idle warehouses?",
    "please suspend BI_WH",
    "yes",
)
CASSETTES = {"conversation"}
KEY = "sk-of-nobody-0123456789"


def model_chat(url: str, model: str = "local") -> ModelChat:
    patient = {"timeout_s": 600, "first_token_s": 600, "between_tokens_s": 600, "retries": 0}
    given = LlmSettings(
        provider="compatible", model=model, base_url=url, api_key=KEY, question_tokens=400_000, **patient
    )
    models = Models(given, Purse())
    return ModelChat(lambda: thinker_for(models), chat=Chat(retriever=Pages()))


LIVE = [pytest.param("live", marks=pytest.mark.timeout(1800))] if LIVE_URL else []


@pytest.fixture(params=["planner", "cassette", *LIVE])
def talk(request: pytest.FixtureRequest) -> Iterator[Chat | ModelChat]:
    if request.param == "planner":
        yield Chat(retriever=Pages())
        return
    if request.param == "live":
        yield model_chat(LIVE_URL, LIVE_MODEL)
        return
    with cassette("conversation") as playing:
        yield model_chat(LIVE_URL if RECORD else refused_url(), LIVE_MODEL if RECORD else "local")
    assert RECORD or unplayed(playing) == []


def test_one_conversation_whoever_thinks(talk: Chat | ModelChat) -> None:
    turns = [talk.say(text) for text in TALK]
    for turn in turns:
        assert turn.answer
        assert turn.status != "error"
        _figures_are_facts(turn)
    chat = talk if isinstance(talk, Chat) else talk.chat
    assert turns[4].status == "refused"
    assert [plan.statement for plan in chat.plans.stored] in ([], ['ALTER WAREHOUSE "BI_WH" SUSPEND'])
    assert not re.search(r"\b(I have|has been|is now) (suspended|resized|stopped)\b", turns[3].answer)
    if isinstance(talk, ModelChat):
        assert not [turn.model for turn in turns if "did not answer" in turn.model]
        assert turns[0].model.startswith("compatible/")


def _figures_are_facts(turn: Turn) -> None:
    """Every amount of credits in the answer is a fact, rounded; worked out here from the facts alone."""
    facts = {f"{fact.value:,.2f}" for fact in turn.facts if isinstance(fact.value, int | float)}
    assert set(re.findall(r"([\d,]*\d\.\d\d) credits", turn.answer)) <= facts


def test_the_recorded_model_and_the_planner_prove_the_same_figures() -> None:
    planner = Chat(retriever=Pages())
    with cassette("conversation") as playing:
        recorded = model_chat(refused_url())
        turn, plain = recorded.say(TALK[0]), planner.say(TALK[0])
        assert playing.play_count > 0
    assert turn.model == "compatible/local"
    assert {(f.entity, f.value) for f in turn.facts} == {(f.entity, f.value) for f in plain.facts}


# --- the cassettes themselves ----------------------------------------------------------------------------------------


def test_each_cassette_has_a_test_and_says_where_it_is_from() -> None:
    assert orphans(FOLDER, CASSETTES) == (set(), set())
    for path in FOLDER.glob("*.yaml"):
        label = path.read_text(encoding="utf-8").splitlines()[0]
        assert re.fullmatch(r"# recorded from .+ on loopback, \d{4}-\d\d-\d\d", label)


def test_no_cassette_holds_a_key_or_who_recorded_it() -> None:
    for path in FOLDER.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert KEY not in text
        for interaction in yaml.safe_load(text)["interactions"]:
            sent, got = interaction["request"]["headers"], interaction["response"]["headers"]
            assert {name.lower() for name in (*sent, *got)} <= {"content-type"}
            assert interaction["request"]["uri"].startswith("http://127.0.0.1:")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copy(FOLDER / "conversation.yaml", tmp_path / "conversation.yaml"))


def changed(path: Path, change: Callable[[list[dict[str, object]]], object]) -> None:
    whole = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(whole["interactions"])
    path.write_text(yaml.safe_dump(whole), encoding="utf-8")


def test_an_orphan_and_a_missing_cassette_are_noticed(copied: Path) -> None:
    (copied.parent / "old.yaml").write_text("", encoding="utf-8")
    assert orphans(copied.parent, {"conversation", "new"}) == ({"old"}, {"new"})


def test_an_interaction_that_nobody_asks_for_is_noticed(copied: Path) -> None:
    with cassette("conversation", copied.parent) as playing:
        model_chat(refused_url()).say(TALK[0])
    assert unplayed(playing) == list(range(playing.play_count, len(playing)))
    assert 0 < playing.play_count < len(playing)


def test_a_request_that_was_not_recorded_is_not_answered(copied: Path) -> None:
    changed(copied, lambda interactions: interactions.pop(0))
    with cassette("conversation", copied.parent), pytest.raises(CannotOverwriteExistingCassetteException):
        model_chat(refused_url()).say(TALK[0])
