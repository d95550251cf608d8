"""Whether figures bear out what is said of their order: most and least, more and less, up and down, over and within.

Read in one sentence, from the values themselves. What cannot be told from the figures that stand there is refused: with
'not' beside it, of one figure alone, or of figures that are no measure of each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from agent.replies.citations import Evidence
from agent.replies.qualifiers import HEDGED
from agent.replies.sentences import Figure, Sentence
from tools.result import Fact

__all__ = ["disordered"]

_AT = re.compile(
    r"\bat (?:the )?(?:most|least|earliest|latest)\b|(?<!went )(?<!is )(?<!are )\bup to\b|\bused up\b|"
    r"\b(?:least|most) that is ordinary\b|\bor more\b"
)
_MOST = re.compile(
    r"\b(?:most|largest|biggest|highest|greatest|top|leads?|leading|leader|peaked|peak|maximum|heaviest|dominant|"
    r"most expensive)\b"
)
_LEAST = re.compile(r"\b(?:least|smallest|lowest|fewest|minimum|cheapest)\b")
_OVER_HALF = re.compile(r"\b(?:most of|mostly|mainly|the bulk|primarily|dominat\w+|largely)\b")
_FIRST = re.compile(r"\bfirst\b")
_SECOND = re.compile(r"\bsecond\b(?! window)")
_LAST = re.compile(r"\blast\b(?! (?:\d|few|scan|hours?|days?|nights?|weeks?|weekend|months?|quarters?|years?))")
_NEXT = re.compile(r"\b(?:followed by|next|then|ahead of)\b")
_MORE = re.compile(
    r"\b(?:more|higher|larger|greater|bigger|above|exceed\w*|surpass\w*|ahead)\b(?! of (?:it|this|that|them)\b)"
)
_LESS = re.compile(r"\b(?:less|fewer|lower|smaller|below|behind|cheaper)\b")
_UP = re.compile(
    r"(?<!make )(?<!makes )(?<!made )\bup\b|\b(?:rose|risen|grew|growth|increased?|climbed|jumped|spike[ds]?)\b"
)
_DOWN = re.compile(r"\b(?:down|fell|dropp?e?d?|decreased?|declined?|reduced?)\b")
_SAME = re.compile(r"\b(?:unchanged|flat|stable|steady|equal|the same)\b")
_NO = re.compile(r"\b(?:not|no|never|neither|nor|without|nothing|hardly)\b|n't\b")
_OVER = re.compile(
    r"\b(?:over|above|exceed\w*|beyond)\b.{0,12}\bbudget|\b(?:runs?|running|goe?s?|went) over\b"
    r"|\bbudget\b.{0,20}\bexceeded\b"
)
_WITHIN = re.compile(
    r"\b(?:within|under|below|inside)\b.{0,12}\bbudget|\bon track\b|\bbudget (?:holds?|lasts?)\b|\bstay\w* within\b"
)
_LEFT = re.compile(r"\b(?:left|remaining|remains|over|under)\b")
_PLACES = (_FIRST, _SECOND, _LAST)
_CLAIMS = (_MOST, _LEAST, _OVER_HALF, _MORE, _LESS, _UP, _DOWN, _SAME, _OVER, _WITHIN, _LEFT)


def disordered(sentence: Sentence, evidence: Evidence) -> Iterator[str]:
    """Claims of order in the sentence that its figures do not bear out."""
    text = _AT.sub(lambda match: " " * len(match[0]), sentence.text)
    text = re.sub(r"\A\W*(?:no|yes),", " ", text)
    if sentence.figures and not sentence.cell:
        yield from _places(text, sentence, evidence)
        yield from _ratios(sentence)
        yield from _in_turn(text, sentence)
    said = next((match for claim in _CLAIMS for match in [claim.search(text)] if match), None)
    if said is None or sentence.cell:
        return
    if not sentence.figures and not sentence.names:
        if not HEDGED.search(text):
            yield f"said without a figure: {said[0]}"
        return
    if _NO.search(text):
        yield f"with a no beside it: {said[0]}"
        return
    text = _budget_words(text)
    yield from _verdict(sentence.text, evidence)
    yield from _against_a_budget(sentence)
    yield from _ranks(text, sentence, evidence)
    yield from _compared(text, sentence)
    yield from _moved(text, sentence)


# --- most and least ---------------------------------------------------------------------------------------------------


def _ranks(text: str, sentence: Sentence, evidence: Evidence) -> Iterator[str]:
    for claim, sign in ((_MOST, 1), (_LEAST, -1)):
        for match in claim.finditer(text):
            fact = _subject(sentence, match.end())
            if fact is None or not _is_first(fact, sign, evidence):
                yield f"no figure says so: {match[0]}"
    if _OVER_HALF.search(text):
        fact = _subject(sentence, 0)
        if fact is None or 2 * _number(fact) <= sum(_number(one) for one in _group(fact, evidence)):
            yield "no figure says so: most of it"


def _in_turn(text: str, sentence: Sentence) -> Iterator[str]:
    """'ALPHA, followed by BETA': by their figures."""
    if _NEXT.search(text):
        owned = [f for figure in sentence.figures for f in [figure.one] if f and f.entity and f.unit != "%"]
        if any(one.label == other.label and _number(one) < _number(other) for one, other in pairwise(owned)):
            yield "names stand in another order than their figures"


def _subject(sentence: Sentence, place: int) -> Fact | None:
    """Whose figure is spoken of: the next one after the word, else the last one before it."""
    found = [(figure.start, figure.one) for figure in sentence.figures if figure.one and figure.one.entity]
    found = [(start, fact) for start, fact in (*found, *sentence.names) if fact and fact.entity]
    found.sort(key=lambda item: item[0])
    later = [fact for start, fact in found if start >= place]
    chosen = later[0] if later else found[-1][1] if found else None
    if chosen is None or isinstance(chosen.value, (int, float)):
        return chosen
    # A name: the figure that the sentence has of it.
    return next((fact for _, fact in found if fact and fact.entity == chosen.entity and fact is not chosen), None)


def _is_first(fact: Fact, sign: int, evidence: Evidence) -> bool:
    """Largest (smallest: -1) of its group; of a list that was cut, the smallest is not known."""
    if not isinstance(fact.value, (int, float)):
        return False
    group = _group(fact, evidence)
    cut = any(one.label == f"{fact.label}, all others" for one in evidence.facts.values())
    if not group or (sign < 0 and cut):
        return False
    return all(sign * _number(fact) >= sign * _number(one) for one in group)


def _group(fact: Fact, evidence: Evidence) -> list[Fact]:
    """Figures of the same label, of one window where there are several of it, else one of each time."""
    same = [one for one in evidence.facts.values() if one.label == fact.label and one.unit == fact.unit]
    same = [one for one in same if one.entity not in (None, evidence.scope)]
    together = [one for one in same if one.window == fact.window]
    return together if len(together) > 1 else same


def _places(text: str, sentence: Sentence, evidence: Evidence) -> Iterator[str]:
    """First, second and last, of names with figures."""
    for claim in _PLACES:
        match = claim.search(text)
        fact = _subject(sentence, match.end()) if match else None
        if match is None or fact is None or not isinstance(fact.value, (int, float)):
            continue
        larger = sum(_number(one) > _number(fact) for one in _group(fact, evidence))
        if claim is _LAST and not _is_first(fact, -1, evidence):
            yield f"no figure says so: {match[0]}"
        if claim is not _LAST and larger != _PLACES.index(claim):
            yield f"no figure says so: {match[0]}"


def _ratios(sentence: Sentence) -> Iterator[str]:
    """'ALPHA used [[ratio(f2,f3)]] as much as BETA': f2 is ALPHA's."""
    names = [fact.entity for _, fact in sentence.names]
    for figure in sentence.figures:
        owners = [fact.entity for fact in figure.facts]
        if figure.operation == "ratio" and len(names) > 1 and owners == names[1::-1] and owners[0] != owners[1]:
            yield "a ratio the other way round"


# --- more and less ----------------------------------------------------------------------------------------------------


def _compared(text: str, sentence: Sentence) -> Iterator[str]:
    for claim, sign in ((_MORE, 1), (_LESS, -1)):
        for match in claim.finditer(text):
            difference = _difference(sentence, match.start())
            if difference is not None:
                if not _borne_out(difference, sign, sentence):
                    yield f"no figure says so: {match[0]}"
                continue
            pair = _pair(sentence, match.start())
            if pair is None or sign * (_number(pair[0]) - _number(pair[1])) <= 0:
                yield f"no figure says so: {match[0]}"


def _difference(sentence: Sentence, place: int) -> Figure | None:
    near = [figure for figure in sentence.around(place) if figure.start <= place]
    one = near[-1] if near else None
    if one is None:
        return None
    special = one.one is not None and re.search(r"beyond the expected|against the budget", one.one.label)
    return one if one.operation in ("diff", "change", "ratio") or special else None


def _borne_out(figure: Figure, sign: int, sentence: Sentence) -> bool:
    if figure.one is not None:
        return sign * _number(figure.one) > 0  # beyond the expected, against the budget
    first, second = _number(figure.facts[0]), _number(figure.facts[1])
    if figure.operation == "change":
        return sign * (second - first) > 0
    if figure.operation == "ratio":
        return sign * (first - second) > 0
    owners = [fact.entity for _, fact in sentence.names]
    order = [fact.entity for fact in figure.facts]
    if len(owners) >= 2 and set(order) == set(owners[:2]):
        turned = 1 if order == owners[:2] else -1
        return turned == sign and first > second
    return _moved_by(figure, sign)


def _pair(sentence: Sentence, place: int) -> tuple[Fact, Fact] | None:
    """The two values that are compared: one on each side of the word, else the first two of the sentence."""
    values = [(figure.start, figure.one) for figure in sentence.figures]
    numbers = [(start, fact) for start, fact in values if fact is not None and isinstance(fact.value, (int, float))]
    before = [fact for start, fact in numbers if start <= place]
    after = [fact for start, fact in numbers if start > place]
    pair = (before[-1], after[0]) if before and after else tuple(fact for _, fact in numbers[:2])
    return (pair[0], pair[1]) if len(pair) == 2 and pair[0].unit == pair[1].unit else None


# --- up and down ------------------------------------------------------------------------------------------------------


def _moved(text: str, sentence: Sentence) -> Iterator[str]:
    for claim, sign in ((_UP, 1), (_DOWN, -1)):
        match = claim.search(text)
        if match and not _moves(sentence, sign):
            yield f"no figure says so: {match[0]}"
    same = _SAME.search(text)
    if same and not any(_is_flat(figure) for figure in sentence.figures):
        yield f"no figure says so: {same[0]}"


def _moves(sentence: Sentence, sign: int) -> bool:
    changes = [figure for figure in sentence.figures if figure.operation in ("change", "diff")]
    values = [fact for figure in sentence.figures for fact in [figure.one] if fact is not None]
    pairs = [(one, other) for one, other in pairwise(values) if one.unit == other.unit and one.entity == other.entity]
    steps = [step for one, other in pairs for step in [_step(one, other)] if step is not None]
    if re.search(r"\bfrom\W*\Z", sentence.before(0) if sentence.figures else "") and pairs:
        steps = [_number(pairs[0][1]) - _number(pairs[0][0]), *steps]
        if _earlier(pairs[0][1], pairs[0][0]):
            return False
    told = [_borne(figure, sign) for figure in changes] + [sign * step > 0 for step in steps]
    return bool(told) and all(told)


def _borne(figure: Figure, sign: int) -> bool:
    if figure.operation == "change":
        return sign * (_number(figure.facts[1]) - _number(figure.facts[0])) > 0
    return _moved_by(figure, sign)


def _moved_by(figure: Figure, sign: int) -> bool:
    """A difference from the earlier to the later, said without its sign."""
    first, second = figure.facts[0], figure.facts[1]
    later, earlier = (first, second) if sign > 0 else (second, first)
    return _earlier(earlier, later) and _number(first) > _number(second)


def _step(one: Fact, other: Fact) -> float | None:
    """From the earlier to the later of two values, from the expected to what was; None: neither is."""
    if _earlier(one, other):
        return _number(other) - _number(one)
    if _earlier(other, one):
        return _number(one) - _number(other)
    expected = [", expected" in fact.label for fact in (one, other)]
    if expected == [False, True] and other.label == f"{one.label}, expected":
        return _number(one) - _number(other)
    return None


def _earlier(one: Fact, other: Fact) -> bool:
    return one.window is not None and other.window is not None and one.window.start < other.window.start


def _is_flat(figure: Figure) -> bool:
    if figure.operation != "change":
        return False
    before, after = (_number(fact) for fact in figure.facts[:2])
    return abs(after - before) <= 0.005 * abs(before)


# --- a budget ---------------------------------------------------------------------------------------------------------


def _budget_words(text: str) -> str:
    """What `_verdict` reads is not read again as a comparison."""
    for verdict in (_OVER, _WITHIN):
        text = verdict.sub(lambda match: " " * len(match[0]), text)
    return text


def _verdict(text: str, evidence: Evidence) -> Iterator[str]:
    chance = next((f for f in evidence.facts.values() if f.label == "probability of running over"), None)
    if re.search(r"\bprobability\b|\bchance\b", text):
        if re.search(r"\b(?:within|under|stay\w*|hold\w*)\b", text):
            yield "the probability is that of running over"
        return
    for verdict, over in ((_OVER, True), (_WITHIN, False)):
        match = verdict.search(text)
        if match and (chance is None or (_number(chance) > 50) is not over):
            yield f"no figure says so: {match[0]}"


def _against_a_budget(sentence: Sentence) -> Iterator[str]:
    """'[[f10]] over', '[[f10]] left' of what is expected less the budget."""
    for number, figure in enumerate(sentence.figures):
        if figure.one is None or "against the budget" not in figure.one.label:
            continue
        near = sentence.before(number)[-20:] + sentence.after(number)
        for words, sign in ((r"\b(?:over|above|beyond)\b", 1), (r"\b(?:under|below|left|remain\w*|within)\b", -1)):
            said = re.search(words, near)
            if said and sign * _number(figure.one) <= 0:
                yield f"no figure says so: {said[0]}"


def _number(fact: Fact) -> float:
    return float(fact.value) if isinstance(fact.value, (int, float)) else 0.0
