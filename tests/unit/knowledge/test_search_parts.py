"""Words, fusion, filters: the parts of the search that need no index."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.lexical import Lexical, words
from knowledge.model import Entry
from knowledge.search import fused


def entry(title: str, text: str = "", **more: object) -> Entry:
    return Entry(id=title, title=title, text=text, source="s", origin="frostline", **more)  # type: ignore[arg-type]


def test_forms_of_a_word_meet() -> None:
    assert words("suspend") == words("suspended") == words("suspending") == words("suspends")
    assert words("the queries of it") == words("query")


def test_names_with_underscores_are_found_by_their_parts() -> None:
    lexical = Lexical([entry("AUTO_SUSPEND below the gap"), entry("Files")])
    assert [place for place, _ in lexical.ranked("auto suspend")] == [0]
    assert [place for place, _ in lexical.ranked("auto_suspend")] == [0]


def test_words_that_nothing_holds_find_nothing() -> None:
    assert Lexical([entry("Files")]).ranked("zebra the of") == []
    assert Lexical([]).ranked("files") == []
    assert Lexical([entry("the of")]).ranked("the") == []


def test_coverage_is_the_share_of_the_question() -> None:
    lexical = Lexical([entry("queues in the morning"), entry("files")])
    assert lexical.coverage("morning queues", 0) == 1.0
    assert lexical.coverage("morning queues", 1) == 0.0
    assert 0.0 < lexical.coverage("morning zebra", 0) < 0.5
    assert lexical.coverage("", 0) == 0.0


places = st.lists(st.integers(0, 30), unique=True, max_size=20)


@given(places, places)
def test_fusion_keeps_everything_once_and_agreement_wins(one: list[int], two: list[int]) -> None:
    order = fused((one, 1.0), (two, 1.0))
    assert sorted(order) == sorted({*one, *two})
    if one and two and one[0] == two[0]:
        assert order[0] == one[0]


@given(places)
def test_fusion_of_one_ranking_is_that_ranking(one: list[int]) -> None:
    assert fused((one, 1.0), ([], 1.0)) == one
