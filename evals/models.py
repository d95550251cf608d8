"""`python -m evals.models --questions 20`: how a language model does on questions of the suite. Never a gate.

The model is the one of the demo profile's settings (`FROSTLINE_LLM__MODEL`, ...). The questions are spread evenly over
evals/cases/usage.yaml; a question is right when every evaluator that gates the planner is content with it, the figures
included. They run on a demo account of their own, and its traces say who answered.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_evals import Case, Dataset

from agent.runtime import Runtime
from agent.settings import Settings, load_settings
from evals.evaluators import EVALUATORS, FitsSlack, NothingChanged
from evals.keys import Keys
from evals.model import CaseInputs, CaseMetadata, Drawn, Outcome
from evals.runner import CASES, CaseResult, Harness, case_results, key_params, outcome_of

__all__ = ["Answered", "By", "answered_by", "main", "spread", "summary"]

_Case = Case[CaseInputs, Outcome, CaseMetadata]
_Dataset = Dataset[CaseInputs, Outcome, CaseMetadata]

By = Literal["model", "composed", "planner"]
"""model: its choice of tools and its words. composed: its choice, but its words were refused, so the offline composer's
were sent. planner: no model answered, a budget was used up, or the planner took over."""


@dataclass(frozen=True)
class Answered:
    """One question; `status`, `by` and `model_calls` are those of the conversation's last turn."""

    result: CaseResult
    status: str
    by: By
    called: tuple[str, ...]
    model_calls: int
    turns: int


def spread(cases: Sequence[_Case], wanted: int) -> list[_Case]:
    """`wanted` of the cases, evenly over their order; all where there are fewer."""
    count = min(wanted, len(cases))
    return [cases[number * len(cases) // count] for number in range(count)]


def answered_by(trace: dict[str, Any] | None) -> By:
    """`trace`: of a turn (agent.tracing); None where the store has none."""
    if not trace or not trace["thinking"] or trace["planner_took_over"] or trace["model"].startswith("offline"):
        return "planner"
    return "composed" if trace["fallback"] or trace["proof"].get("replaced") else "model"


def summary(answered: Sequence[Answered]) -> dict[str, Any]:
    """Counts, not shares: there are few questions. Seconds are of a question, all its turns and calls."""
    right = [one for one in answered if one.result.passed]
    seconds = [one.result.seconds for one in answered]
    return {
        "questions": len(answered),
        "right": len(right),
        "right_by": dict(Counter(one.by for one in right)),
        "answered_by": dict(Counter(one.by for one in answered)),
        "status": dict(Counter(one.status for one in answered)),
        "answered_not_right": sum(one.status == "ok" and not one.result.passed for one in answered),
        "model_calls": sum(one.model_calls for one in answered),
        "median_s": round(statistics.median(seconds), 1) if seconds else None,
        "longest_s": round(max(seconds), 1) if seconds else None,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """0: measured, however well it went; 2: no model is set."""
    parser = argparse.ArgumentParser(prog="python -m evals.models", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--questions", type=int, default=20)
    wanted = parser.parse_args(arguments).questions
    settings = load_settings("demo")
    if not settings.llm.models:
        sys.stderr.write("No language model is set: see docs/models.md.\n")
        return 2
    answered: list[Answered] = []
    try:
        for one in _measured(_apart(settings), max(1, wanted)):
            answered.append(one)
            _show(one)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: the figures are of what was measured until then\n")
    _say(json.dumps({"model": settings.llm.models[0].label, **summary(answered)}))
    return 0


def _show(one: Answered) -> None:
    right = "right" if one.result.passed else "WRONG"
    _say(f"{right}  {one.by:<8} {one.status:<8} {one.result.seconds:6.1f} s  {one.result.name} {list(one.called)}")
    for reason in one.result.reasons:
        _say(f"       {reason[:200]}")


def _apart(settings: Settings) -> Settings:
    """A home of its own, without what an earlier run said."""
    apart = settings.model_copy(update={"home": settings.home / "evals-models", "now": None})
    for name in ("store.db", "checkpoints.db"):
        for file in apart.state_dir.glob(f"{name}*"):
            file.unlink()
    apart.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return apart


def _measured(settings: Settings, wanted: int) -> Iterator[Answered]:
    """One after the other: a model may take minutes for a question."""
    loaded = _Dataset.from_file(CASES / "usage.yaml", custom_evaluator_types=EVALUATORS)
    with Runtime.open(settings) as runtime:
        keys = Keys(runtime.reader_config)
        try:
            harness = _harness(runtime, keys)
            for case in spread(loaded.cases, wanted):
                yield _asked(runtime, harness, case)
        finally:
            keys.close()


def _asked(runtime: Runtime, harness: Harness, case: _Case) -> Answered:
    params = key_params(harness.now, harness.timezone)
    dataset = _Dataset(name="models", cases=[case], evaluators=[NothingChanged(), FitsSlack()])
    report = dataset.evaluate_sync(lambda inputs: outcome_of(harness, inputs, params), progress=False)
    outcome = report.cases[0].output if report.cases else None
    return _answered(runtime, next(case_results(report)), outcome)


def _harness(runtime: Runtime, keys: Keys) -> Harness:
    log = runtime.settings.account_dir / "alters.jsonl"

    def ask(text: str, thread: str, person: str | None) -> dict[str, Any]:
        return runtime.ask(text, thread=thread, person=runtime.person(person)).model_dump(mode="json")

    def changes() -> int:
        return len(log.read_text(encoding="utf-8").splitlines()) if log.is_file() else 0

    def drawn(turn: dict[str, Any]) -> Drawn:
        return Drawn(
            problems=[], shown=str(turn["answer"]), live=[]
        )  # as it is: how Slack shows it is not measured here

    return Harness(ask, keys.rows, changes, runtime.reader.now(), runtime.account.timezone, drawn, str)


def _answered(runtime: Runtime, result: CaseResult, outcome: Outcome | None) -> Answered:
    if outcome is None:  # it raised
        return Answered(result, "error", "planner", (), 0, 0)
    last = outcome.last
    traces = [runtime.store.traces.get(turn["trace_id"]) for turn in outcome.turns]
    called = tuple(call["name"] for call in last["tool_calls"])
    asked = sum(len(trace["thinking"]) for trace in traces if trace)
    return Answered(result, last["status"], answered_by(traces[-1]), called, asked, len(outcome.turns))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
