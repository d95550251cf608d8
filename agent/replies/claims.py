"""What a reply may not say in its own words: figures, names from the account, and changes that were made.

Read from the literal parts of a template, before citations are filled in. Deliberately strict: a harmless reply
that is refused costs its wording (the composed fallback is sent), a false figure that passes costs trust.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

import prompts
from agent.replies.belonging import misplaced
from agent.replies.citations import Evidence, literals
from agent.replies.fixed import without_fixed
from agent.replies.lexicon import ACTION, ADDRESS, ALLOWED, CAPITALS, DATES, FIGURE, MONTHS, OUR_CAPITALS, RELATIVE
from agent.replies.ordering import disordered
from agent.replies.qualifiers import misnamed
from agent.replies.sentences import sentences
from agent.replies.vocabulary import strange
from tools.warehouse.views import ALL_VIEWS

__all__ = ["problems_in"]

_CITATION = re.compile(r"\[\[([^\[\]]*)\]\]")
_FIGURE_CITED = re.compile(r"f\d+(?:\.bare)?|\w+\(.*\)")
_LATIN = re.compile(r"LATIN|FEMININE|MASCULINE|MICRO|MODIFIER")
_SHOUTED = re.compile(r"(?<![\w$])[A-Za-z][\w$]*_[\w$]*[\w$](?![\w$])")
_OURS = frozenset(ALL_VIEWS) | {"ACCOUNT_USAGE"}


def problems_in(template: str, evidence: Evidence, *, names: bool = True, ours: bool = False) -> list[str]:
    """What the literal text claims without evidence, and what is misplaced in it; empty when it may be sent.

    `names=False` leaves out the look for names that are plain words, for texts composed by code of ours: an
    account may call a warehouse 'Credits'. `ours`: the words are of our own code, which are not read for what they
    mean.
    """
    found: list[str] = [] if ours else _misread(template, evidence)
    for part in literals(template):
        found += _in_literal(part, evidence.names if names else ())
        found += _dates(part, evidence)
    # Words on both sides of a citation are one claim: 'The resize of [[f2.entity]] is under way'.
    claim = ACTION.search(ALLOWED.sub("", _spoken(template, evidence)))
    if claim:
        found.append(f"a claim of action: {claim[0].strip()}")
    return [*found, *misplaced(template, evidence)]


def _misread(template: str, evidence: Evidence) -> list[str]:
    """Words that cannot be checked, and what is said of figures that they do not bear out."""
    if "p1.id" in evidence.texts:
        return []  # plans are no model's to word (agent.models.thinker)
    for own in _own_texts():
        template = template.replace(own, "")
    template = without_fixed(ALLOWED.sub(" ", template), evidence)
    found = [problem for part in literals(template) for problem in strange(part, evidence)]
    for sentence in sentences(template, evidence):
        found += misnamed(sentence, evidence)
        found += disordered(sentence, evidence)
    return list(dict.fromkeys(found))


def _spoken(template: str, evidence: Evidence) -> str:
    """The template as a sentence about things: figures stand as such, names as 'it'."""

    def said(match: re.Match[str]) -> str:
        fact = evidence.facts.get(match[1].strip())
        figure = _FIGURE_CITED.fullmatch(match[1].strip()) and (fact is None or fact.unit != "name")
        return "#" if figure else "it"

    text = unicodedata.normalize("NFKC", template)
    for own in _own_texts():
        text = text.replace(own, "")
    return _CITATION.sub(said, text)


@cache
def _own_texts() -> tuple[str, ...]:
    """Fixed texts of ours: they speak of changes and approvals, and every word of them is known."""
    stems = (path.name.removesuffix(".md") for path in files("prompts").iterdir() if path.name.endswith(".md"))
    return tuple(sorted((prompts.text(stem) for stem in stems if not stem.startswith("model_")), key=len, reverse=True))


def _in_literal(part: str, names: Iterable[str]) -> Iterator[str]:
    if any(unicodedata.category(c) in ("Cf", "Cs", "Co", "Cn") or (c < " " and c not in "\n\t") for c in part):
        yield "a control or invisible character"
    text = unicodedata.normalize("NFKC", part)
    if any(c.isnumeric() for c in text) or any(c.isnumeric() for c in part):
        yield f"a figure: {_around(text)}"
    figure = FIGURE.search(text)
    if figure:
        yield f"a figure in words: {figure[0]}"
    if any(c.isalpha() and not _LATIN.match(unicodedata.name(c, "")) for c in text):
        yield "words in a script that cannot be read here"
    if "`" in text or ADDRESS.search(text):
        yield "a code span, a command or an address of its own"
    yield from _named(text, names)


def _named(text: str, names: Iterable[str]) -> Iterator[str]:
    for shouted in _SHOUTED.findall(text):
        if shouted not in _OURS:
            yield f"a name: {shouted[:60]}"
    for capitals in CAPITALS.findall(text):
        if capitals not in OUR_CAPITALS:
            yield f"a name: {capitals[:60]}"
    for name in names:
        if _says(text, name):
            yield f"a name: {name[:60]}"


def _dates(text: str, evidence: Evidence) -> Iterator[str]:
    """A window in words that no call of this turn was about: figures of another time would stand under it."""
    if not evidence.facts:
        return
    for found in (*MONTHS.findall(text), *RELATIVE.findall(text)):
        words = [DATES.get(word, word) for word in found.casefold().split()]
        if not any(" ".join(words).rstrip("s") in said for said in evidence.said):
            yield f"dates in words: {found}"


def _says(text: str, name: str) -> bool:
    """Names that are plain words count as they are written or as a name is, others in any case."""
    if len(name) < 2:
        return False
    if not name.isalpha():
        return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None
    written = {name, name.capitalize()} if len(name) > 3 else {name}
    return any(re.search(rf"(?<!\w){re.escape(one)}(?!\w)", text) for one in written)


def _around(text: str) -> str:
    place = next((i for i, c in enumerate(text) if c.isnumeric()), 0)
    return text[max(0, place - 10) : place + 10].replace("\n", " ")
