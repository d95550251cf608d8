"""Findings on the demo account against what was planted in it: recall, precision, delay, false alarms.

    python -m evals.incidents [--seeds 1 2 3 5 7] [--json] [--verbose] [--write]

The account of each seed is built once and kept under FROSTLINE_HOME/evals/incidents; figures come through the product's
own path (a reader on the account's server, `tools.anomalies.candidates` over all of its history). Nothing of the labels
is known to that path. A finding counts from `detected_at`: when a reader who sees no future would have told it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from evals.bench_report import Table, show, write_section
from evals.incident_matching import AFTER, ANNOUNCED, BEFORE, Score, judge
from tools.anomalies import Candidate, candidates
from tools.demo import account
from tools.demo.account_file import settings
from tools.demo.labels import labels
from tools.demo.process import embedded_config, stop_server
from tools.domain import Account
from tools.warehouse.reader import SnowflakeReader

__all__ = ["SEEDS", "main", "score_of", "tables"]

SEEDS = (1, 2, 3, 5, 7)
WARM_UP = timedelta(days=21)
"""Nothing is usual yet in the first weeks of an account: labels of that time are counted apart."""
_DAYS = 120
_COMMAND = "python -m evals.incidents"


def score_of(folder: Path, seed: int) -> Score:
    """Judge the demo account in `folder`, which is built if there is none.

    Args:
        seed: of the account, for its labels.
    """
    account.ensure_account(folder, seed=seed)
    known = settings(folder)
    about = Account(
        name=known.name,
        origin=known.origin,
        timezone=known.timezone,
        edition=known.edition,
        credit_price=known.credit_price,
    )
    first = _first(folder)
    reader = SnowflakeReader(embedded_config(folder, "reader", idle_seconds=120), about)
    try:
        sweep = candidates(reader, since=first, days=_DAYS)
    finally:
        reader.close()
        stop_server(folder)
    since = first + WARM_UP
    weeks = sweep.series_weeks * (sweep.until - since) / (sweep.until - first)
    planted = labels(seed, first, known.now + ANNOUNCED)
    return judge(sweep.candidates, planted, since=since, until=sweep.until, series_weeks=weeks)


def _first(folder: Path) -> datetime:
    simulation = json.loads((folder / "simulation.json").read_text(encoding="utf-8"))
    return datetime.fromtimestamp(simulation["first"] / 1000, UTC)


def tables(scores: dict[int, Score]) -> list[Table]:
    together = _sum(scores.values())
    rows: list[tuple[str | float | int | None, ...]] = [_row(f"seed {seed}", one) for seed, one in scores.items()]
    accounts = Table(
        "Planted incidents of the demo account, 90 days by the hour",
        (
            *("account", "incidents", "findings", "recall", "precision", "delay, h", "recall, first weeks too"),
            *("false a day", "false a series-week", "planned or seasonal flagged"),
        ),
        [*rows, _row("together", together)],
        (
            f"A finding is about an incident of its warehouse, service, database or of the sign-ins that goes its way "
            f"from {_hours(BEFORE)} h before it to {_hours(AFTER)} h after it ({_hours(ANNOUNCED)} h before, where "
            "the incident has precursors); the sum over all kinds of figures is after grouping.",
            f"Incidents of the first {WARM_UP.days} days are not among recall's, save in its last column; findings "
            "are. Delay: median from an incident's start to when its first finding could be told, of hourly figures.",
        ),
    )
    kinds = Table(
        "The same by kind",
        ("kind", "planted", "found", "recall"),
        [
            (kind, planted, together.found[kind], together.found[kind] / planted)
            for kind, planted in sorted(together.planted.items())
        ],
    )
    return [accounts, kinds]


def _row(name: str, score: Score) -> tuple[str | float | int | None, ...]:
    return (
        *(name, sum(score.planted.values()), score.findings, score.recall, score.precision, score.median_delay),
        *(score.recall_with_early, score.false_per_day, score.false_per_series_week, len(score.flagged)),
    )


def _sum(scores: Any) -> Score:
    return sum(scores, Score())


def _hours(length: timedelta) -> int:
    return round(length.total_seconds() / 3600)


def main(arguments: Sequence[str] | None = None, out: TextIO = sys.stdout) -> None:
    parser = argparse.ArgumentParser(description="Findings on the demo account against what was planted in it")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--verbose", action="store_true", help="what was missed, and what was false")
    parser.add_argument("--write", action="store_true", help="keep the tables in docs/benchmarks.md")
    wanted = parser.parse_args(arguments)
    scores: dict[int, Score] = {}
    for seed in wanted.seeds:
        sys.stderr.write(f"demo account of seed {seed} ...\n")
        scores[seed] = score_of(_home() / f"seed-{seed}" / "account", seed)
    if wanted.json:
        json.dump({"together": as_json(_sum(scores.values()))} | {str(s): as_json(v) for s, v in scores.items()}, out)
        out.write("\n")
        return
    found = tables(scores)
    for table in found:
        show(table, out)
    if wanted.verbose:
        for seed, score in scores.items():
            _explain(seed, score, out)
    if wanted.write:
        seeds = "" if tuple(wanted.seeds) == SEEDS else " --seeds " + " ".join(map(str, wanted.seeds))
        write_section("Findings on the demo account", _COMMAND + seeds, found)


def _home() -> Path:
    from agent.settings import state_home

    return state_home() / "evals" / "incidents"


def as_json(score: Score) -> dict[str, Any]:
    return {
        "incidents": sum(score.planted.values()),
        "findings": score.findings,
        "recall": score.recall,
        "recall_with_first_weeks": score.recall_with_early,
        "precision": score.precision,
        "median_delay_hours": score.median_delay,
        "false_per_day": score.false_per_day,
        "false_per_series_week": score.false_per_series_week,
        "flagged": [f"{label.kind} {label.start:%Y-%m-%d}" for label in score.flagged],
        "kinds": {kind: [score.found[kind], planted] for kind, planted in sorted(score.planted.items())},
    }


def _explain(seed: int, score: Score, out: TextIO) -> None:
    for label in score.missed:
        what = f"{label.kind} {label.warehouse or label.object}"
        out.write(f"seed {seed}: missed {what}, {label.start:%m-%d %H:%M} to {label.end:%m-%d %H:%M}: {label.note}\n")
    for finding in sorted(score.false, key=lambda c: c.start):
        out.write(f"seed {seed}: false {_told(finding)}\n")


def _told(finding: Candidate) -> str:
    anomaly = finding.anomaly
    also = ", ".join(f"{c.metric} {c.entity}" for c in finding.related)
    when = f"{finding.start:%m-%d %H:%M} to {finding.end:%m-%d %H:%M}"
    return (
        f"{finding.metric} {anomaly.kind} of {finding.entity}, {when}, "
        f"{anomaly.actual:.4g} for {anomaly.expected:.4g}, confidence {anomaly.confidence:.2f}"
        + (f"; with {also}" if also else "")
    )


if __name__ == "__main__":
    main()
