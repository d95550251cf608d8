"""Whether what a reply cites goes together: a figure beside the name, the dates and the label that are its own.

A citation is true by itself, yet a sentence can put it beside another's name. Read by sentence and by table row:

- a figure that belongs to somebody stands with that name, in its sentence or in the one that its paragraph named last;
- who is named in a sentence with figures has one of them; of several names, each stands next to its own figure;
- dates, labels and times cited in a sentence are those of the figures in it;
- an expression computes over figures that may be compared, and nothing is glued to a figure that changes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.replies.citations import Evidence
from agent.replies.glued import glued
from agent.replies.mixing import mixed
from tools.quoting import clean, code
from tools.result import Fact
from tools.windows.parse import describe

__all__ = ["misplaced"]

_CITED = re.compile(r"\[\[([^\[\]]*)\]\]")
_SIMPLE = re.compile(r"(f\d+)(?:\.(\w+))?")
_COMPUTED = re.compile(r"(\w+)\(([^()]*)\)")
_SENTENCE = re.compile(r"(?<=[.!?;])[\s*_)]+(?=\S)|:\s*$")
_NAME_THEN_FIGURE = re.compile(r"\[\[(f\d+)\.entity\]\]([^\[\]]*)\[\[(f\d+)(?:\.bare)?\]\]")
_PART_OF = re.compile(r"\b(?:of|from|against|than|to)\b[\s*]*(?:(?:the|all|a|its|their) )*\Z", re.IGNORECASE)
_TOTAL = re.compile(
    r"\b(?:whole|entire|overall|altogether|in (?:all|total)|(?:the|a|our) total|everything|"
    r"all (?:the )?\w+s together)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Value:
    ids: tuple[str, ...]
    owners: frozenset[str]
    """Whose: empty for a total."""
    one: Fact | None
    """The fact, where it is cited as it is."""


@dataclass
class _Segment:
    """One sentence or one row, with what it cites in order."""

    text: str
    cited: list[_Value | str]
    """Values, and names as plain strings."""
    said: list[tuple[str, str]]
    """Attributes that it cites: (window | label | as_of | source, as shown)."""

    @property
    def names(self) -> list[str]:
        return [item for item in self.cited if isinstance(item, str)]

    @property
    def values(self) -> list[_Value]:
        return [item for item in self.cited if isinstance(item, _Value)]


def misplaced(template: str, evidence: Evidence) -> list[str]:
    """What stands beside something that it does not belong to; empty where all is in its place."""
    found: list[str] = []
    several = len({fact.entity for fact in evidence.facts.values() if fact.entity} - {evidence.scope}) > 1
    for paragraph in _paragraphs(template):
        context: set[str] = set()
        for text in paragraph:
            segment = _read(text, evidence)
            found += glued(text, evidence)
            found += mixed(text, evidence)
            found += _attributes(segment, evidence)
            found += _totals_as_ones(text, evidence)
            found += _owners(segment, context, several, _ambiguous(segment, evidence))
            if segment.names:
                context = set(segment.names)
    return list(dict.fromkeys(found))


def _paragraphs(template: str) -> Iterator[list[str]]:
    """Sentences by paragraph; a row of a table is a paragraph of its own, an item of a list a sentence."""
    for block in re.split(r"\n\s*\n", template):
        sentences: list[str] = []
        for line in block.split("\n"):
            if line.lstrip().startswith("|"):
                yield [line]
                continue
            sentences += [part for part in _SENTENCE.split(line) if part.strip()]
        yield sentences


# --- reading a sentence ---------------------------------------------------------------------------------------------


def _read(text: str, evidence: Evidence) -> _Segment:
    segment = _Segment(text, [], [])
    shown = {code(name): name for name in evidence.names}
    for match in _CITED.finditer(text):
        inner = match[1].strip()
        if inner in evidence.texts:
            if shown.get(evidence.texts[inner], evidence.scope) != evidence.scope:
                segment.cited.append(shown[evidence.texts[inner]])
            if inner.endswith(".window"):
                segment.said.append(("window", evidence.texts[inner]))
            continue
        _read_fact(inner, evidence, segment)
    return segment


def _read_fact(inner: str, evidence: Evidence, segment: _Segment) -> None:
    simple, computed = _SIMPLE.fullmatch(inner), _COMPUTED.fullmatch(inner)
    if simple and simple[1] in evidence.facts:
        fact, form = evidence.facts[simple[1]], simple[2]
        if form == "entity":
            segment.cited += _owner(fact, evidence)
        elif form in ("window", "label", "as_of", "source"):
            segment.said.append((form, _attribute(fact, form)))
        elif fact.unit == "name" and fact.value == fact.entity and fact.entity:
            segment.cited.append(fact.entity)
        else:
            segment.cited.append(_Value((fact.id,), frozenset(_owner(fact, evidence)), fact))
    elif computed:
        ids = tuple(part.strip() for part in computed[2].split(","))
        facts = [evidence.facts[name] for name in ids if name in evidence.facts]
        segment.cited.append(_Value(ids, frozenset(o for fact in facts for o in _owner(fact, evidence)), None))


def _owner(fact: Fact, evidence: Evidence) -> list[str]:
    return [fact.entity] if fact.entity and fact.entity != evidence.scope else []


def _attribute(fact: Fact, form: str) -> str:
    if form == "window":
        return f"{describe(fact.window)} {fact.window.tz}" if fact.window else ""
    if form == "as_of":
        return fact.as_of.isoformat()
    return clean(fact.label if form == "label" else fact.source)


# --- the rules --------------------------------------------------------------------------------------------------------


def _attributes(segment: _Segment, evidence: Evidence) -> Iterator[str]:
    for form in ("window", "label", "as_of"):
        said = {shown for kind, shown in segment.said if kind == form}
        for value in segment.values if said else ():
            own = _attribute(value.one, form) if value.one is not None else ""
            if own and own not in said:
                yield f"{value.ids[0]} stands beside another figure's {form}"


def _ambiguous(segment: _Segment, evidence: Evidence) -> bool:
    """Whether a figure of nobody stands here that could be read as somebody's: others of its label are."""
    owned = {fact.label for fact in evidence.facts.values() if _owner(fact, evidence)}
    return any(not value.owners and (value.one is None or value.one.label in owned) for value in segment.values)


def _totals_as_ones(text: str, evidence: Evidence) -> Iterator[str]:
    """'`ETL_WH`: 663.60 credits' where that is everybody's: a figure of nobody right after a name."""
    owned = {fact.label for fact in evidence.facts.values() if _owner(fact, evidence)}
    for match in _NAME_THEN_FIGURE.finditer(text):
        fact, named = evidence.facts.get(match[3]), evidence.facts.get(match[1])
        if fact is None or named is None or not _owner(named, evidence) or _owner(fact, evidence):
            continue
        if fact.label in owned and not _PART_OF.search(match[2]):
            yield f"{fact.id} is not {clean(named.entity or '', 60)!r}'s"


def _owners(segment: _Segment, context: set[str], several: bool, ambiguous: bool) -> Iterator[str]:
    owned = [value for value in segment.values if value.owners]
    names = set(segment.names)
    alone = bool(owned) and all(value.owners and value.one is not None for value in segment.values)
    if several and alone and _TOTAL.search(segment.text):
        yield f"{owned[0].ids[0]} is not a total"
    if names:
        yield from _beside(segment, owned, names, ambiguous or bool(owned))
        return
    for value in owned:
        if context and not value.owners <= context:
            yield f"{value.ids[0]} stands beside another's name"
        elif several and not context:
            yield f"{value.ids[0]} stands without the name it belongs to"


def _beside(segment: _Segment, owned: Sequence[_Value], names: set[str], figures: bool) -> Iterator[str]:
    strange = [value for value in owned if not value.owners <= names]
    for value in strange:
        yield f"{value.ids[0]} stands beside another's name"
    have = {owner for value in owned for owner in value.owners}
    if figures and names - have:
        yield f"no figure of {clean(sorted(names - have)[0], 60)!r} stands beside its name"
    if not strange and len(names) > 1 and not _in_order(segment):
        yield "names and figures stand in another order"


def _in_order(segment: _Segment) -> bool:
    """Each figure next to its own name: after it, before it, or all names first and the figures in their order."""
    items = [item for item in segment.cited if isinstance(item, str) or len(item.owners) == 1]
    if _each_after(items) or _each_after(items[::-1]):
        return True
    names = _distinct(item for item in items if isinstance(item, str))
    return names == _distinct(next(iter(item.owners)) for item in items if isinstance(item, _Value))


def _each_after(items: Sequence[_Value | str]) -> bool:
    last = None
    for item in items:
        if isinstance(item, str):
            last = item
        elif item.owners != {last}:
            return False
    return True


def _distinct(names: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(names))
