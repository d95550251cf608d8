"""Whether a figure is called what it is: the low end is not the expectation, a forecast is not what was spent.

Two rules, by the labels of the facts. What is special about a figure is said next to it ('expected', 'so far', 'low');
and a word that makes a figure special ('failed', 'idle', 'budget', 'expected') stands next to one that is so.
Next to: between the figure before it and the one after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.replies.citations import Evidence
from agent.replies.kinds import kinds
from agent.replies.lexicon import DATES, RELATIVE
from agent.replies.sentences import Figure, Sentence
from tools.result import Fact, Window

__all__ = ["HEDGED", "misnamed"]

HEDGED = re.compile(
    r"\b(?:may|might|could|would|if|whether|check|consider|ask|can|cannot|can't|should|want)\b|\?", re.IGNORECASE
)
"""A sentence of advice, or about what can be asked: it claims nothing of the account."""


@dataclass(frozen=True)
class _Special:
    label: re.Pattern[str]
    """Facts that are special so."""
    said: re.Pattern[str]
    """What says so, in the words next to the figure; '<' stands for the figure itself."""
    anywhere: bool = False
    """It may stand anywhere in the sentence, as may the figure that it is said of."""


def _special(label: str, said: str, *, anywhere: bool = False) -> _Special:
    return _Special(re.compile(label), re.compile(said), anywhere)


_LOW_END, _HIGH_END = r"\blow end\b|least that is ordinary|, low$", r"\bhigh end\b|most that is ordinary|, high$"
_BEFORE = r"the window before$"
_EXPECTED = r"\bexpected\b(?! against| of all others)(?<!the expected)"
_MUST_BE_SAID = (
    _special(_BEFORE, r"\b(?:before|previous\w*|prior|earlier)\b|\bfrom\W*<"),
    _special(
        _LOW_END, r"\blow(?:er)?\b|\b(?:at )?least\b|\b(?:between|from|ordinary|ranges?)\W*<|\(\W*<|<\W*(?:to|and)\W*\Z"
    ),
    _special(_HIGH_END, r"\bhigh(?:er)?\b|\b(?:at )?most\b|\bupper\b|\b(?:to|and)\W*<|[–-]\W*<"),
    _special(
        _EXPECTED,
        r"\b(?:expect\w*|forecast\w*|project\w*|predict\w*|estimat\w*|likely|will|would|average day)\b"
        r"|\binstead of\W*<",
    ),
    _special(r"still to come", r"\b(?:to come|remain\w*|rest|ahead|still)\b"),
    _special(r"measured so far", r"\b(?:so far|measured|actual\w*|used|spent|until now)\b"),
    _special(r"\ba day\b", r"\b(?:a|per|average|each) day\b|\bdaily\b"),
    _special(r"^budget$", r"\b(?:budget|amount)\b|\b(?:of|against)\W*<"),
    _special(r"against the budget", r"\b(?:over|above|beyond|under|below|left|against)\b"),
    _special(r"used of the budget", r"\b(?:used|spent|share)\b|<\W*of the budget|\bbudget\W*<"),
    _special(r"probability", r"\b(?:probability|chance|likelihood)\b"),
    _special(r"^budget used up$", r"\b(?:used up|runs? out|last\w*)\b"),
    _special(r"^budget used up$", r"\b(?:expect\w*|forecast\w*|project\w*|likely|will|would)\b"),
    _special(r"at the earliest", r"\bearliest\b|\bbetween\W*<"),
    _special(r"at the latest", r"\blatest\b|\band\W*<"),
    _special(r"^WAPE in", r"\b(?:errors?|wape)\b"),
    _special(r"^(?:WAPE|accuracy).*in the backtest$", r"\bbacktest\b", anywhere=True),
    _special(r"naive", r"\bnaive\b"),
    _special(r"^accuracy", r"\baccura\w*"),
    _special(r"^loaded up to|^looked at up to|^last scan", r"\b(?:loaded|covered|until|up to|as of|end)\b"),
    _special(r"with a figure$", r"\b(?:with|of|across|over|used|by|on)\b"),
    _special(r"^held by", r"\b(?:held|hold|cover\w*)\b|\band\W*<"),
    _special(r"^origins", r"\borigins\b"),
    _special(r"^price of", r"\b(?:price|each)\b|\bat\W*<|\b(?:a|per) credit\b"),
    _special(r"beyond the expected", r"\b(?:beyond|more|extra|against|above|excess|over|impact)\b|,(?: which is)?\W*<"),
    _special(r"^began$|^since$|forecast from", r"\b(?:beg[aiu]n\w*|start\w*|from|since)\b"),
    _special(r"^ended$", r"\b(?:ended|ends?|until|to)\b"),
    _special(r"^lasted$|^for$", r"\b(?:last\w*|duration|long)\b|\bfor\W*<"),
    _special(r"^could be seen", r"\bseen\b"),
    _special(r"^confidence", r"\bconfiden\w*"),
    _special(r"all others", r"\b(?:others?|rest|remaining)\b", anywhere=True),
    _special(
        r"Frostline|language models",
        r"\b(?:frostline\w*|itself|own|language models|i (?:use|spen|cost)\w*)\b",
        anywhere=True,
    ),
)
_OF_CELLS = tuple(one for one in _MUST_BE_SAID if one.label.pattern in (_LOW_END, _HIGH_END, _EXPECTED, _BEFORE))
"""In a table the head of the column says it."""
_FORESEEN = rf"{_EXPECTED}|{_LOW_END}|{_HIGH_END}|still to come|used up|at the (?:earliest|latest)"
_IS_SAID = (
    # what a word next to a figure makes of it -> labels of which one is such a figure's
    _special(r"fail|^WAPE", r"\berrors?\b"),
    _special(r"fail", r"\bfail\w*"),
    _special(r"idle", r"\bidle\b"),
    _special(r"queue(?!.*window a)", r"\b(?:queue[ds]?|queue?ing|wait(?:s|ed|ing)?)\b"),
    _special(r"\brunning\b|statement", r"\b(?:running|runs?)\b(?! (?:over|out))"),
    _special(r"spill", r"\bspill\w*"),
    _special(r"scan", r"\bscanned\b"),
    _special(r"written", r"\bwritten\b"),
    _special(r"remote", r"\bremote\b"),
    _special(r"billed", r"\bbill\w*"),
    _special(r"adjustment", r"\badjustment\b"),
    _special(r"attributed", r"\battribut\w+"),
    _special(r"compute", r"\bcompute\b"),
    _special(r"cloud", r"\bcloud\b"),
    _special(r"cluster", r"\bclusters?\b"),
    _special(r"^size", r"\bsizes?\b"),
    _special(r"suspend", r"\bsuspends?\b"),
    _special(r"monitor", r"\bmonitors?\b"),
    _special(r"budget|probability", r"\bbudgets?\b", anywhere=True),
    _special(r"budget", r"\b(?:limit|amount)\b", anywhere=True),
    _special(r"against the budget", r"\bleft\b"),
    _special(r"to come|against the budget|all others", r"\b(?:remains?|remaining)\b"),
    _special(r"to come|all others", r"\b(?:rest|others?)\b", anywhere=True),
    _special(r"finding|open until", r"\bopen\b"),
    _special(r"language models", r"\blanguage models?\b"),
    _special(r"probability", r"\b(?:probability|chance|likelihood)\b"),
    _special(r"^price", r"\bprice\b"),
    _special(r"interval", r"\bintervals?\b"),
    _special(r"^confidence", r"\bconfidence\b"),
    _special(r"^accuracy", r"\baccura\w+"),
    _special(r"^WAPE", r"\bwape\b"),
    _special(r"naive", r"\bnaive\b"),
    _special(r"^lasted$", r"\b(?:lasted|lasts|duration)\b"),
    _special(r"^began$|^since$|started$", r"\b(?:began|begun|begins?|started|starts?)\b"),
    _special(r"^ended$", r"\bended\b"),
    _special(r"^findings|finding", r"\bfindings?\b|\banomal\w+"),
    _special(r"series", r"\bseries\b"),
    _special(
        r"quer|statement|queue|execution|scanned|spilled|written|Frostline",
        r"\bquer(?:y|ies)\b(?! (?:tag|type))|\bstatements?\b",
    ),
    _special(r"average|a day", r"\baverages?\b|\bdaily\b|\bhourly\b|\bweekly\b|\bmonthly\b|\byearly\b"),
    _special(r"average|a day|^price", r"\b(?:each|every|per)\b"),
    _special(r"rate", r"\brates?\b"),
    _special(r"metered", r"\bmetered\b"),
    _special(r"tokens", r"\btokens?\b"),
    _special(r"requests", r"\brequests?\b"),
    _special(
        r"Frostline|language models|in all",
        r"\bfrostline\b(?!'s practice)|\bitself\b|\bi (?:have )?(?:use|spen|cost|consume)\w*"
        r"|\bmy (?:own )?(?:cost|credits?|usage)\b",
    ),
    _special(r"^size", r"\b(?:small|large)\b"),
    _special(r"beyond the expected", r"\b(?:beyond|extra|excess)\b"),
    _special(r"the window before$", r"\bbefore\b|\bprevious\w*|\bprior\b|\bearlier\b"),
    _special(r"so far|^(?!.*(?:expected|low|high|to come|budget)).*$", r"\bso far\b|\bmeasured\b|\bactual\w*"),
    _special(r"still to come", r"\bto come\b|\bremaining\b"),
    _special(
        rf"{_FORESEEN}|interval|probability|ordinary|forecast|backtest|against the budget|beyond",
        r"\bexpect\w*|\bforecast\w*|\bproject\w*|\bpredict\w*|\bestimat\w*|\bwill\b",
    ),
    _special(
        rf"\A(?!.*(?:{_FORESEEN})).*",
        r"\b(?:spent|consumed|incurred|went|ha[sd] cost|have cost)\b|\bused\b(?! (?:up|of))",
    ),
    _special(_LOW_END, r"\blow\b|\bat least\b"),
    _special(_HIGH_END, r"\bhigh\b|\bat most\b"),
    _special(r"ordinary", r"\bordinary\b"),
    _special(r"storage", r"\bstorage\b"),
    _special(r"serverless", r"\bserverless\b"),
    _special(r"scaling", r"\bscaling\b"),
    _special(r"owner", r"\bowner\b"),
    _special(r"practice|page of yours|policy", r"\b(?:practices?|pages?|policy|prompt)\b"),
    _special(r"workload", r"\bworkloads?\b"),
)
_A_TIME = re.compile(
    r"\b(?:an?|one|the|that|each|every|any|of|first|second|other|whole|full|entire|single) "
    r"(?:second|minute|hour|day|week|month|quarter|year)\b"
    r"|\b(?:year|quarter|month|week)[ -]to[ -]date\b"
)
_TO_THE_END = re.compile(r"\b(?:by|to|until|before|at) the end of the (?:month|quarter|year|week)\b")
_THE_ONE_BEFORE = re.compile(r"\bthe (hour|day|week|month|quarter|year) (?:before|earlier)\b")
_ALLOWED = re.compile(r"\bat (?:the )?(?:end|beginning) of\b|\b(?:average|a|per) day\b(?= here)")
_JOINED = r"\W*(?:and|or|with|to|then|followed by)?\W*(?:with|at|to)?\W*"
_GOING_ON = re.compile(r"\b(?:goes|going) on\b|\bongoing\b")
_NEVER_SUSPENDS = re.compile(r"\bnever\W+suspends?\b|\b(?:does|do) not suspend\b|\bwithout auto-suspend\b")
_NOTHING_ODD = re.compile(r"\b(?:nothing|no)\b.{0,12}\b(?:odd|unusual|findings?|anomal\w+)\b")
_DAYS = {"hour": (0, 0), "day": (1, 1), "week": (7, 7), "month": (28, 31), "quarter": (90, 92), "year": (365, 366)}


def misnamed(sentence: Sentence, evidence: Evidence) -> Iterator[str]:
    """What is said of a figure that it is not, and what of it should have been said."""
    yield from _unsaid(sentence)
    if sentence.figures or (sentence.names and not HEDGED.search(sentence.text)):
        yield from _wrongly_said(sentence)
        yield from kinds(sentence, evidence)
        yield from _times(sentence, evidence)
        yield from _ends(sentence)
        yield from _absences(sentence, evidence)
    elif not sentence.names and not sentence.cell and not HEDGED.search(sentence.text):
        said = (match[0] for special in _IS_SAID for match in special.said.finditer(sentence.text))
        word = next((word for word in said if word != "before" and not _quoted(word, sentence)), "")
        if word:
            yield f"said without a figure: {word}"


def _unsaid(sentence: Sentence) -> Iterator[str]:
    for number, figure in enumerate(sentence.figures):
        for special in _OF_CELLS if sentence.cell else _MUST_BE_SAID:
            if _is(figure, special) and not _said_of(sentence, number, special):
                yield f"{figure.facts[0].id} is {figure.facts[0].label!r}, and its sentence does not say so"
                break


def _is(figure: Figure, special: _Special) -> bool:
    return all(special.label.search(fact.label) for fact in figure.facts)


def _said_of(sentence: Sentence, number: int, special: _Special) -> bool:
    near = f"{sentence.before(number)}<{sentence.after(number)}"
    if special.said.search(sentence.text if special.anywhere else near):
        return True
    if sentence.cell:  # 'Credits | Low | High': what stands between the two ends needs no word of its own
        return special.label.pattern == _EXPECTED and {"low", "high"} <= set(sentence.head.split(" | "))
    # 'ALPHA is expected to use [[f1]], BETA [[f2]] and GAMMA [[f3]]'
    parallel = number > 0 and re.fullmatch(_JOINED, sentence.before(number))
    return bool(parallel) and _is(sentence.figures[number - 1], special) and _said_of(sentence, number - 1, special)


def _wrongly_said(sentence: Sentence) -> Iterator[str]:
    for special in _IS_SAID:
        for match in special.said.finditer(sentence.text):
            place = None if special.anywhere else match.start()
            labels = [fact.label for fact in _near(sentence, place)]
            if not _quoted(match[0], sentence) and not any(special.label.search(label) for label in labels):
                yield f"no figure beside it is that: {match[0]}"
                break


def _quoted(word: str, sentence: Sentence) -> bool:
    """It stands in a label or title that is cited."""
    return any(word in said for said in sentence.quoted)


def _near(sentence: Sentence, place: int | None) -> list[Fact]:
    around = sentence.figures if place is None else sentence.around(place)
    figures = [fact for figure in around for fact in figure.facts]
    return figures or [fact for _, fact in sentence.names]


# --- times ------------------------------------------------------------------------------------------------------------


def _times(sentence: Sentence, evidence: Evidence) -> Iterator[str]:
    """'[[f1]] in an hour', 'the week before', 'yesterday', of figures of another time."""
    for match in RELATIVE.finditer(sentence.text):
        words = " ".join(DATES.get(word, word) for word in match[0].casefold().split())
        meant = evidence.windows.get(words)
        near = [fact for fact in _near(sentence, match.start()) if fact.window is not None]
        if meant and near and not any(_is_of(fact, meant, evidence) for fact in near):
            yield f"the figure beside it is of another time: {match[0]}"
    text = _TO_THE_END.sub(" ", _ALLOWED.sub(" ", sentence.text))
    facts = [fact for figure in sentence.figures for fact in figure.facts]
    for match in _THE_ONE_BEFORE.finditer(text):
        least, most = _DAYS[match[1]]
        earlier = [fact.window for fact in facts if "window before" in fact.label and fact.window]
        if not any(least <= (window.end - window.start).days <= most for window in earlier):
            yield f"a time of its own: {match[0]}"
    text = _THE_ONE_BEFORE.sub(" ", text)
    alone = _A_TIME.search(text) if sentence.figures and not sentence.cell else None
    own = any(re.search(r"\ba day\b|average|hour", fact.label) for fact in facts)
    if alone and not own and not any(alone[0] in said for said in evidence.said):
        yield f"a time of its own: {alone[0]}"


def _is_of(fact: Fact, meant: Window, evidence: Evidence) -> bool:
    """The figure of that time, where there is one; else one of a part of it."""
    own = [f for f in evidence.facts.values() if (f.label, f.entity) == (fact.label, fact.entity)]
    if any(one.window == meant for one in own):
        return fact.window == meant
    return fact.window is not None and meant.start <= fact.window.start and fact.window.end <= meant.end


def _absences(sentence: Sentence, evidence: Evidence) -> Iterator[str]:
    """'Still going on', 'never suspends', 'nothing odd': borne out by what is not among the facts."""
    names = {fact.entity for _, fact in sentence.names}
    facts = evidence.facts.values()
    for words, label in ((_GOING_ON, "ended"), (_NEVER_SUSPENDS, "auto-suspend")):
        said = words.search(sentence.text)
        if said and (not names or any(fact.label == label and fact.entity in names for fact in facts)):
            yield f"a figure says otherwise, or none says so: {said[0]}"
    nothing = _NOTHING_ODD.search(sentence.text)
    if nothing and any(fact.label == "findings" and fact.value for fact in facts):
        yield f"a figure says otherwise: {nothing[0]}"


def _ends(sentence: Sentence) -> Iterator[str]:
    """Two ends of a span in the wrong order, or of no span, or of two; 'up to' of what is no upper end."""
    for number, figure in enumerate(sentence.figures):
        fact = figure.facts[0]
        if re.search(r"\bup to\W*\Z", sentence.before(number)) and fact.unit != "time" and _end_of(fact) != "h":
            yield f"{fact.id} is no upper end"
    for number in range(len(sentence.figures) - 1):
        low, high = sentence.figures[number].one, sentence.figures[number + 1].one
        joined = re.fullmatch(r"\W*(?:and|to|–|-)\W*", sentence.after(number))
        if low is None or high is None or joined is None:
            continue
        pair = f"{_end_of(low)}{_end_of(high)}"
        span = re.search(r"\b(?:between|from|ranges?|ordinary)\W*\Z|\(\W*\Z", sentence.before(number))
        if pair == "hl" or (span and pair in ("l", "h", "lx", "xh", "hx", "xl", "hh", "ll")) or _levels(low, high):
            yield f"{low.id} and {high.id} are not the two ends of one span"
    level = re.search(r"\b(\d+) % interval", sentence.text)
    for figure in sentence.figures if level else ():
        found = re.search(r"the (\d+) % interval", figure.facts[0].label)
        if found and level and found[1] != level[1]:
            yield f"{figure.facts[0].id} is an end of another interval"


def _end_of(fact: Fact) -> str:
    return "l" if re.search(_LOW_END, fact.label) else "h" if re.search(_HIGH_END, fact.label) else "x"


def _levels(low: Fact, high: Fact) -> bool:
    levels = [re.search(r"end of the (\d+) %", fact.label) for fact in (low, high)]
    return all(levels) and len({level[1] for level in levels if level}) > 1
