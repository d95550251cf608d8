"""Runs the cases on a demo account of their own and counts: expected, executed, passed, failed, skipped."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_evals import Case, Dataset

from evals.evaluators import EVALUATORS, FitsSlack, NothingChanged
from evals.model import CaseInputs, CaseMetadata, Drawn, Outcome
from tools.errors import BadArgument

__all__ = [
    "CaseResult",
    "EvalResult",
    "Harness",
    "case_results",
    "key_params",
    "load_cases",
    "manifest",
    "outcome_of",
    "run",
]

CASES = Path(__file__).parent / "cases"
_Dataset = Dataset[CaseInputs, Outcome, CaseMetadata]


@dataclass(frozen=True)
class Harness:
    """What the runner needs of the product: the same door people use, and SQL for the keys."""

    ask: Callable[[str, str, str | None], dict[str, Any]]
    """(text, thread, person) -> `ask --json`."""
    sql: Callable[[str, Mapping[str, Any]], list[list[Any]]]
    changes: Callable[[], int]
    """Statements in the account's change log so far."""
    now: datetime
    timezone: str
    drawn: Callable[[dict[str, Any]], Drawn]
    """A turn as Slack would show it."""
    heard: Callable[[str], str]
    """What Slack sends, as the bot reads it."""


@dataclass(frozen=True)
class CaseResult:
    name: str
    tier: str
    passed: bool
    reasons: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class EvalResult:
    expected: int
    results: tuple[CaseResult, ...]

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        return tuple(r for r in self.results if not r.passed)

    @property
    def ok(self) -> bool:
        """Every expected case ran and passed."""
        return not self.failed and len(self.results) == self.expected and self.expected > 0

    def as_json(self) -> dict[str, Any]:
        """The JSON of `frostline eval --json`."""
        tiers: dict[str, dict[str, int]] = {}
        for r in self.results:
            tier = tiers.setdefault(r.tier, {"executed": 0, "passed": 0, "failed": 0})
            tier["executed"] += 1
            tier["passed" if r.passed else "failed"] += 1
        return {
            "expected": self.expected,
            "executed": len(self.results),
            "passed": len(self.results) - len(self.failed),
            "failed": len(self.failed),
            "skipped": max(0, self.expected - len(self.results)),
            "tiers": tiers,
        }


def manifest() -> dict[str, int]:
    """Cases expected by tier."""
    table = tomllib.loads((Path(__file__).parent / "manifest.toml").read_text(encoding="utf-8"))
    return {str(tier): int(count) for tier, count in table["tiers"].items()}


def load_cases(tag: str | None = None) -> _Dataset:
    """All cases of evals/cases/*.yaml, or those with a tag.

    Raises:
        BadArgument: no case has the tag.
    """
    cases: list[Case[CaseInputs, Outcome, CaseMetadata]] = []
    for path in sorted(CASES.glob("*.yaml")):
        loaded = _Dataset.from_file(path, custom_evaluator_types=EVALUATORS)
        cases += [c for c in loaded.cases if tag is None or (c.metadata and tag in c.metadata.tags)]
    if not cases:
        raise BadArgument(f"No eval case has the tag {tag!r}.", hint="See evals/cases/*.yaml.")
    return _Dataset(name="frostline", cases=cases, evaluators=[NothingChanged(), FitsSlack()])


def key_params(now: datetime, timezone: str) -> dict[str, Any]:
    """The times a key may use; worked out here, not by the code under test."""
    local = now.astimezone(ZoneInfo(timezone))
    today = local.replace(hour=0, minute=0, second=0, microsecond=0)

    def utc(day: datetime) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(ZoneInfo("UTC"))

    days = {f"d{n}": utc(today - timedelta(days=n)) for n in range(1, 36)}
    week = utc(today - timedelta(days=today.weekday()))
    return {
        "now": now,
        "tz": timezone,
        "today": utc(today),
        "week": week,
        "last_week": utc(today - timedelta(days=today.weekday() + 7)),
        "week_before": utc(today - timedelta(days=today.weekday() + 14)),
        "month": utc(today.replace(day=1)),
        **days,
    }


def run(harness: Harness, tag: str | None = None, progress: Callable[[float, str], None] | None = None) -> EvalResult:
    """Run every case once; a case that raises has failed."""
    dataset = load_cases(tag)
    expected = len(dataset.cases) if tag else sum(manifest().values())
    params = key_params(harness.now, harness.timezone)
    count = iter(range(1, len(dataset.cases) + 1))

    def task(inputs: CaseInputs) -> Outcome:
        outcome = outcome_of(harness, inputs, params)
        if progress:
            progress(next(count) / len(dataset.cases), inputs.turns[-1][:40])
        return outcome

    report = dataset.evaluate_sync(task, max_concurrency=1, progress=False)
    return EvalResult(expected, tuple(case_results(report)))


def outcome_of(harness: Harness, inputs: CaseInputs, params: Mapping[str, Any]) -> Outcome:
    names = {name: str(harness.sql(sql, params)[0][0]) for name, sql in inputs.names.items()}
    before = harness.changes()
    thread = f"eval-{abs(hash(tuple(inputs.turns))):x}"
    turns = []
    for text in inputs.turns:
        for name, value in names.items():
            text = text.replace("{" + name + "}", value)
        turns.append(harness.ask(harness.heard(text) if inputs.raw else text, thread, inputs.person))
    key_values = {**params, **names}
    key = harness.sql(inputs.key, key_values) if inputs.key else []
    drawn = [harness.drawn(turn) for turn in turns]
    return Outcome(turns=turns, drawn=drawn, key=key, names=names, changes=harness.changes() - before)


def case_results(report: Any) -> Iterator[CaseResult]:
    for case in report.cases:
        bad = [f"{n}: {r.reason or 'false'}" for n, r in case.assertions.items() if not r.value]
        bad += [f"{f.name}: {f.error_message}" for f in case.evaluator_failures]
        tier = case.metadata.tier if case.metadata else "gate"
        # A case whose evaluators all vanished has shown nothing.
        bad += [] if len(case.assertions) > 2 else ["no evaluator of its own ran"]
        yield CaseResult(case.name, tier, not bad, tuple(bad), case.task_duration)
    for failure in report.failures:
        tier = failure.metadata.tier if failure.metadata else "gate"
        yield CaseResult(failure.name, tier, False, (failure.error_message,), 0.0)
