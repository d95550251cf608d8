"""`score` on generated streams of 23 kinds, by the rules of the Numenta Anomaly Benchmark.

    python -m evals.bench_streams [--write]

Nineteen public files say little about kinds of streams that they do not hold; here every kind has several.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TextIO

import numpy as np

from evals.bench_report import Table, report
from evals.streams import KINDS, streams
from evals.streams.scoring import Verdict, standard, verdict
from tools.ml.anomaly import DEFAULT, score

__all__ = ["run"]

_SEED = 11
_EACH = 4


def run(out: TextIO, seed: int = _SEED, each: int = _EACH) -> list[Table]:
    out.write(f"{each} streams of each of {len(KINDS)} kinds ...\n")
    kinds: dict[str, list[Verdict]] = defaultdict(list)
    began, points = time.process_time(), 0
    for one in streams(seed, each):
        alarms = np.flatnonzero(score(one.values).to_numpy() >= DEFAULT)
        kinds[one.kind].append(verdict(alarms, one.values.size, one.windows))
        points += one.values.size
    micros = 1e6 * (time.process_time() - began) / points
    rows = [_row(kind, verdicts) for kind, verdicts in kinds.items()]
    rows.append(_row("all", [one for verdicts in kinds.values() for one in verdicts]))
    note = f"Seed {seed}, {points:,} values, {micros:.0f} us of CPU a value; the one threshold {DEFAULT:g}."
    return [Table("Generated streams by kind", ("kind", "NAB standard", "found", "false alarms"), rows, (note,))]


def _row(name: str, verdicts: list[Verdict]) -> tuple[str | float | int | None, ...]:
    found, windows = sum(one.found for one in verdicts), sum(one.windows for one in verdicts)
    return (name, standard(verdicts), f"{found} of {windows}", sum(one.false for one in verdicts))


if __name__ == "__main__":
    report("Anomalies in generated streams", "python -m evals.bench_streams", run)
