"""A template read sentence by sentence: its figures, and the words around each of them. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from agent.replies.citations import Evidence
from tools.result import Fact

__all__ = ["Figure", "Sentence", "sentences"]

_CITED = re.compile(r"\[\[\s*([^\[\]]*?)\s*\]\]")
_SIMPLE = re.compile(r"(f\d+)(?:\.(\w+))?")
_COMPUTED = re.compile(r"(\w+)\(([^()]*)\)")
_SAID = re.compile(r"r\d+\.(?:title|level|label)")
_PASSAGE = re.compile(r"r\d+\.practice\.\d+\.\w+")
_END = re.compile(r"(?<=[.!?;])[\s*_)]+(?=\S)")
_NAME = "\x00"
"""Where a name is cited."""


@dataclass(frozen=True)
class Figure:
    """A cited value, or an expression over several."""

    facts: tuple[Fact, ...]
    operation: str
    """pct, change, diff, ...; empty for a value as it is."""
    start: int
    """Place in Sentence.text; there it stands for no character."""

    @property
    def one(self) -> Fact | None:
        return None if self.operation else self.facts[0]


@dataclass(frozen=True)
class Sentence:
    text: str
    """In lower case, without its figures; a cited name is a NUL, a cited label or title stands as its text."""
    figures: tuple[Figure, ...]
    names: tuple[tuple[int, Fact], ...]
    """Facts whose name is cited, with the places."""
    quoted: tuple[str, ...] = ()
    """Labels and titles that it cites, in lower case."""
    head: str = ""
    """The table's head above it, cells joined by ' | '."""
    cell: bool = False
    """A cell of a table: `text` is the head of its column and what the cell says."""

    def before(self, number: int) -> str:
        """Words between the figure before it (or the beginning) and the numbered one."""
        return self.text[self.figures[number - 1].start if number else 0 : self.figures[number].start]

    def after(self, number: int) -> str:
        last = number + 1 == len(self.figures)
        return self.text[self.figures[number].start : None if last else self.figures[number + 1].start]

    def around(self, place: int) -> tuple[Figure, ...]:
        """The figures on both sides of a place in the text; at either end the only one."""
        earlier = [figure for figure in self.figures if figure.start <= place]
        later = [figure for figure in self.figures if figure.start > place]
        return (*earlier[-1:], *later[:1])


def sentences(template: str, evidence: Evidence) -> Iterator[Sentence]:
    """Sentences of prose, items of lists, and each cell of a table with the head of its column."""
    head: list[str] = []
    for line in unicodedata.normalize("NFKC", template).split("\n"):
        if not line.lstrip().startswith("|"):
            head = []
            yield from (_read(part, evidence) for part in _END.split(line) if part.strip(" *_-"))
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if all(re.fullmatch(r":?-*:?", cell) for cell in cells):
            continue
        if not head:
            head = cells
            continue
        for place, cell in enumerate(cells):
            title = head[place] if place < len(head) else ""
            yield _read(f"{title}: {cell}", evidence, head=" | ".join(head).casefold(), cell=True)


def _read(text: str, evidence: Evidence, head: str = "", *, cell: bool = False) -> Sentence:
    said, end = "", 0
    figures: list[Figure] = []
    names: list[tuple[int, Fact]] = []
    quoted: list[str] = []
    for match in _CITED.finditer(text):
        said += text[end : match.start()]
        end = match.end()
        inner = match[1]
        simple, computed = _SIMPLE.fullmatch(inner), _COMPUTED.fullmatch(inner)
        if simple and simple[1] in evidence.facts:
            fact, form = evidence.facts[simple[1]], simple[2]
            if form == "entity" or (form in (None, "bare") and fact.unit == "name" and fact.value == fact.entity):
                names.append((len(said), fact))
                said += _NAME
            elif form in (None, "bare"):
                figures.append(Figure((fact,), "", len(said)))
            else:
                quoted += [fact.label.casefold()] if form == "label" else []
                said += f" {fact.label} " if form == "label" else " "
        elif computed:
            ids = [part.strip() for part in computed[2].split(",")]
            facts = tuple(evidence.facts[one] for one in ids if one in evidence.facts)
            if facts:
                figures.append(Figure(facts, computed[1], len(said)))
        elif _SAID.fullmatch(inner):
            quoted.append(evidence.texts.get(inner, "").casefold())
            said += f" {evidence.texts.get(inner, '')} "
        else:
            quoted += ["practices pages policy"] if _PASSAGE.fullmatch(inner) else []
            said += " "
    said += text[end:]
    return Sentence(said.casefold(), tuple(figures), tuple(names), tuple(quoted), head, cell)
