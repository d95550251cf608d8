"""The grammar in which a reply cites: `[[f3]]`, `[[f3.window]]`, `[[pct(f3,f7)]]`, `[[r1.convention]]`.

A reply is a template. Whatever stands in it as a figure, a name from the account or a statement is a citation of
something that a tool returned, or a declared expression over such; nothing is searched for that happens to fit.

    [[f3]]               value and unit            [[f3.bare]]      value without its unit (tables)
    [[f3.entity]]        whose it is, as code      [[f3.window]]    its dates
    [[f3.as_of]]         when it was true          [[f3.label]]     what it is
    [[f3.source]]        the view it came from
    [[pct(a,b)]]         a as percent of b         [[change(a,b)]]  from a to b in percent, signed
    [[diff(a,b)]]        a less b                  [[sum(a,b,..)]]  together
    [[ratio(a,b)]]       a over b, "x 1.8"
    [[r1.convention]]    a text that a tool wrote  [[p1.digest]]    part of a stored plan      [[o1]]  an option
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.replies.figures import show, show_time
from tools.quoting import clean, code
from tools.result import Fact, Unit, Window
from tools.windows.parse import describe

__all__ = ["CitationError", "Evidence", "literals", "render"]

_CITATION = re.compile(r"\[\[([^\[\]]*)\]\]")
_FACT = re.compile(r"(f\d+)(?:\.(\w+))?")
_CALL = re.compile(r"(\w+)\(([^()]*)\)")
_NOT_COMPARABLE = "not comparable"


class CitationError(ValueError):
    """A citation of nothing, or an expression over figures that do not go together."""


@dataclass(frozen=True)
class Evidence:
    """What the tools of this turn returned: all that a reply may speak of."""

    facts: Mapping[str, Fact] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    """`r1.message`, `p1.statement`, `o1`, ...: Markdown written by code of ours, account text in code spans."""
    names: frozenset[str] = frozenset()
    """Names of the account; they may stand in a reply only as citations."""
    tz: str = "UTC"
    said: frozenset[str] = frozenset()
    """Windows in words, lower case, as the calls were given them and as tools call them: 'last week'."""
    windows: Mapping[str, Window] = field(default_factory=dict)
    """What each of `said` is, where a call has found it out."""
    scope: str | None = None
    """The one name that every call of the turn was narrowed to: a total is its total."""


def render(template: str, evidence: Evidence) -> str:
    """The template with every citation evaluated. What is inserted is never read as a citation again.

    Raises:
        CitationError: it cites what is not there, or computes with units that do not go together.
    """
    text = _CITATION.sub(lambda match: _evaluate(match[1].strip(), evidence), template)
    rest = "".join(literals(template))
    if "[[" in rest or "]]" in rest:
        raise CitationError("A citation is not closed.")
    return text


def literals(template: str) -> list[str]:
    """The parts of a template that are not citations."""
    return _CITATION.split(template)[::2]


def _evaluate(inner: str, evidence: Evidence) -> str:
    if inner in evidence.texts:
        return evidence.texts[inner]
    one = _FACT.fullmatch(inner)
    if one:
        return _form(_fact(one[1], evidence), one[2], evidence.tz)
    call = _CALL.fullmatch(inner)
    if call:
        return _compute(call[1], [part.strip() for part in call[2].split(",")], evidence)
    raise CitationError(f"Nothing is known as {clean(inner, 60)!r}.")


def _fact(name: str, evidence: Evidence) -> Fact:
    try:
        return evidence.facts[name]
    except KeyError:
        raise CitationError(f"There is no fact {clean(name, 20)}.") from None


def _form(fact: Fact, form: str | None, tz: str) -> str:
    if form is None or form == "bare":
        return show(fact.value, fact.unit, tz, bare=form == "bare")
    if form == "entity":
        return code(fact.entity)
    if form == "label":
        return clean(fact.label)
    if form == "source":
        return clean(fact.source)
    if form == "as_of":
        return show_time(fact.as_of, tz)
    if form == "window" and fact.window is not None:
        return f"{describe(fact.window)} {fact.window.tz}"
    raise CitationError(f"Fact {fact.id} has no {clean(form, 20)!r}.")


# --- expressions ------------------------------------------------------------------------------------------------


def _compute(name: str, args: list[str], evidence: Evidence) -> str:
    operation = _OPERATIONS.get(name)
    if operation is None:
        raise CitationError(f"There is no expression {clean(name, 20)!r}.")
    count, function = operation
    if not (len(args) == count or (count is None and 1 <= len(args) <= 100)):
        raise CitationError(f"{name} takes {count or 'one or more'} facts.")
    facts = [_fact(arg, evidence) for arg in args]
    if len({fact.unit for fact in facts}) != 1:
        raise CitationError(f"{name} over different units: {', '.join(sorted({f.unit for f in facts}))}.")
    if facts[0].unit in ("name", "time"):
        raise CitationError(f"{name} over {facts[0].unit}s.")
    values = [fact.value for fact in facts]
    if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in values):
        return "not known"
    return function([float(value) for value in values if value is not None], facts[0].unit)


def _pct(values: list[float], unit: Unit) -> str:
    return show(100.0 * values[0] / values[1], "%") if values[1] else _NOT_COMPARABLE


def _change(values: list[float], unit: Unit) -> str:
    before, after = values
    if not before:
        return "no change" if not after else "up from nothing"
    percent = 100.0 * (after - before) / abs(before)
    if -0.05 < percent < 0.0:
        percent = 0.0  # "-0.0 %" is no way to say that
    return ("+" if percent > 0 else "") + show(percent, "%")


def _ratio(values: list[float], unit: Unit) -> str:
    return f"× {values[0] / values[1]:,.2f}" if values[1] else _NOT_COMPARABLE


_OPERATIONS: dict[str, tuple[int | None, Callable[[list[float], Unit], str]]] = {
    "pct": (2, _pct),
    "change": (2, _change),
    "diff": (2, lambda values, unit: show(values[0] - values[1], unit)),
    "sum": (None, lambda values, unit: show(math.fsum(values), unit)),
    "ratio": (2, _ratio),
}
