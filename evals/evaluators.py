"""What can be asked of an outcome. Each returns why it failed, so that a red case can be read."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pydantic_evals.evaluators import EvaluationReason, Evaluator, EvaluatorContext

from evals.model import CaseInputs, CaseMetadata, Outcome

__all__ = [
    "Called",
    "FigureFromSql",
    "FitsSlack",
    "Intervals",
    "NotSaid",
    "NothingChanged",
    "Proposes",
    "Said",
    "ShownInSlack",
    "Status",
]

Context = EvaluatorContext[CaseInputs, Outcome, CaseMetadata]


def _verdict(ok: bool, why: str) -> EvaluationReason:
    return EvaluationReason(value=ok, reason=None if ok else why)


@dataclass
class Status(Evaluator[CaseInputs, Outcome, CaseMetadata]):
    """The status of the last turn (or of every turn, in order)."""

    is_: str | list[str]

    def evaluate(self, ctx: Context) -> EvaluationReason:
        wanted = self.is_ if isinstance(self.is_, list) else [self.is_]
        got = [turn["status"] for turn in ctx.output.turns][-len(wanted) :]
        return _verdict(got == wanted, f"status {got}, wanted {wanted}: {ctx.output.last['answer'][:200]}")


@dataclass
class FigureFromSql(Evaluator[CaseInputs, Outcome, CaseMetadata]):
    """Every row of the key is a fact of the reply: same value (1e-6), unit, and entity where the key names one."""

    unit: str
    rel: float = 1e-6

    def evaluate(self, ctx: Context) -> EvaluationReason:
        rows = ctx.output.key
        if not rows:
            return _verdict(False, "the key's SQL gave no row")
        facts = [f for f in ctx.output.last["facts"] if f["unit"] == self.unit]
        missing = [row for row in rows if not any(self._matches(row, fact) for fact in facts)]
        return _verdict(not missing, f"{len(missing)} of {len(rows)} key rows are no fact, e.g. {missing[:2]}")

    def _matches(self, row: list[Any], fact: dict[str, Any]) -> bool:
        value, got = row[-1], fact["value"]
        if not isinstance(got, int | float) or value is None:
            return False
        same = math.isclose(float(value), float(got), rel_tol=self.rel, abs_tol=1e-9)
        return same and (len(row) == 1 or row[0] is None or fact["entity"] == row[0])


@dataclass
class Called(Evaluator[CaseInputs, Outcome, CaseMetadata]):
    """The last turn called this tool with at least these arguments."""

    tool: str
    args: dict[str, Any] = field(default_factory=dict)

    def evaluate(self, ctx: Context) -> EvaluationReason:
        calls = [c for c in ctx.output.last["tool_calls"] if c["name"] == self.tool]
        wanted = {k: _filled(v, ctx.output.names) for k, v in self.args.items()}
        hit = any(all(call["args"].get(k) == v for k, v in wanted.items()) for call in calls)
        return _verdict(hit, f"calls {ctx.output.last['tool_calls']}, wanted {self.tool} {wanted}")


@dataclass
class Said(Evaluator[CaseInputs, Outcome, CaseMetadata]):
    """Each of these stands in the last answer (case does not matter)."""

    texts: list[str]

    def evaluate(self, ctx: Context) -> EvaluationReason:
        answer = ctx.output.last["answer"].casefold()
        missing = [t for t in self.texts if _filled(t, ctx.output.names).casefold() not in answer]
        return _verdict(not missing, f"not said: {missing} in {answer[:300]!r}")


@dataclass
class NotSaid(Evaluator[CaseInputs, Outcome, CaseMetadata]):
    """None of these stands in any answer."""

    texts: list[str]

    def evaluate(self, ctx: Context) -> EvaluationReason:
        answers = " ".join(turn["answer"] for turn in ctx.output.turns).casefold()
        said = [t for t in self.texts if _filled(t, ctx.output.names).casefold() in answers]
        return _verdict(not said, f"said: {said}")


@dataclass
class Proposes(Evaluator[CaseInputs, Outcome, CaseMetadata]):
    """The last turn stored exactly these statements as plans, in order; each can be undone."""

    statements: list[str]

    def evaluate(self, ctx: Context) -> EvaluationReason:
        wanted = [_filled(s, ctx.output.names) for s in self.statements]
        got = [plan["statement"] for plan in ctx.output.last["plans"]]
        digests = all(len(plan["digest"]) == 64 for plan in ctx.output.last["plans"])
        return _verdict(got == wanted and digests, f"plans {got}, wanted {wanted}")


@dataclass
class NothingChanged(Evaluator[CaseInputs, Outcome, CaseMetadata]):
    """No conversation changes the account: the server's own log gained nothing."""

    def evaluate(self, ctx: Context) -> EvaluationReason:
        return _verdict(ctx.output.changes == 0, f"{ctx.output.changes} statements changed the account")


@dataclass
class Intervals(Evaluator[CaseInputs, Outcome, CaseMetadata]):
    """Whatever is expected stands with its 80 % interval as facts: low at most the expected, that at most high, and
    the 95 % interval, where it is there, around them.
    """

    least: int = 1

    def evaluate(self, ctx: Context) -> EvaluationReason:
        by: dict[tuple[Any, ...], dict[str, float]] = {}
        for fact in ctx.output.last["facts"]:
            title, _, what = fact["label"].rpartition(", ")
            if isinstance(fact["value"], int | float) and what.startswith(("expected", "low end", "high end")):
                window = fact["window"] and (fact["window"]["start"], fact["window"]["end"])
                by.setdefault((title, fact["entity"], window, fact["unit"]), {})[what] = float(fact["value"])
        wrong = [key for key, found in by.items() if not _nested(found)]
        whole = sum(len(found) >= 3 for found in by.values())
        return _verdict(not wrong and whole >= self.least, f"{whole} intervals, not nested: {wrong[:2]}")


def _nested(found: dict[str, float]) -> bool:
    """Ends that are there, in their order; equal ones are fine."""
    names = ("low end of the 95 % interval", "low end of the 80 % interval", None, "high end of the 80 % interval")
    expected = [value for name, value in found.items() if name.startswith("expected")]
    ends = [found.get(name) if name else (expected[0] if expected else None) for name in names]
    ends.append(found.get("high end of the 95 % interval"))
    known = [end for end in ends if end is not None]
    return all(one <= other + 1e-9 * max(abs(other), 1.0) for one, other in pairwise(known))


_FIGURE = re.compile(r"\d(?:[\d.,:-]*\d)?")


@dataclass
class FitsSlack(Evaluator[CaseInputs, Outcome, CaseMetadata]):
    """Slack would take every turn's messages; they hold each figure of the answer, and nothing in them acts."""

    def evaluate(self, ctx: Context) -> EvaluationReason:
        for turn, drawn in zip(ctx.output.turns, ctx.output.drawn, strict=True):
            lost = set(_FIGURE.findall(turn["answer"])) - set(_FIGURE.findall(drawn.shown))
            if drawn.problems or drawn.live or lost:
                said = f"problems {drawn.problems[:3]}, live {drawn.live[:3]}, lost {sorted(lost)[:5]}"
                return _verdict(False, f"{said}: {turn['answer'][:200]}")
        return _verdict(True, "")


@dataclass
class ShownInSlack(Evaluator[CaseInputs, Outcome, CaseMetadata]):
    """Each of these stands in the last turn's messages, cards included."""

    texts: list[str]

    def evaluate(self, ctx: Context) -> EvaluationReason:
        shown = ctx.output.drawn[-1].shown.casefold()
        missing = [t for t in self.texts if _filled(t, ctx.output.names).casefold() not in shown]
        return _verdict(not missing, f"not shown: {missing} in {shown[:300]!r}")


def _filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace("{" + name + "}", text)
        return value
    if isinstance(value, list):
        return [_filled(v, names) for v in value]
    if isinstance(value, dict):
        return {k: _filled(v, names) for k, v in value.items()}
    return value


EVALUATORS = (
    Status,
    FigureFromSql,
    Called,
    Said,
    NotSaid,
    Proposes,
    Intervals,
    ShownInSlack,
    NothingChanged,
    FitsSlack,
)
