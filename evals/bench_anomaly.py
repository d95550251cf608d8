"""Anomaly detection beside its peers: generated labelled accounts, and public benchmarks where their folder is given.

    python -m evals.bench_anomaly [--data FOLDER] [--write]

With the interpreter of .venv-bench (`make peers`) statsforecast and Prophet stand beside it too.

A peer's threshold is the one with the best F1 in this very run; ours is the default. A peer's alarms within a day of
each other are one finding, as ours are.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import numpy as np
import pandas as pd

from evals.anomaly_peers import Peer, peers
from evals.anomaly_series import INCIDENTS, Account, account
from evals.bench_report import Table, report
from tools.ml.anomaly import DEFAULT, FALSE_ALARMS, count_false_alarms, detect_panel, score

__all__ = ["main", "run"]

_SEEDS = range(100, 105)
_PEER_SEEDS = range(100, 101)
_SERIES = 60
_HOUR = pd.Timedelta(hours=1)
_DAY = pd.Timedelta(days=1)
_GRID = tuple(z / (1 + z) for z in np.geomspace(0.3, 3000, 30))


@dataclass(frozen=True)
class Said:
    """A finding of anybody's."""

    start: pd.Timestamp
    end: pd.Timestamp
    raised: pd.Timestamp


Findings = dict[str, list[Said]]


@dataclass(frozen=True)
class Quality:
    found: int
    incidents: int
    false: int
    findings: int
    weeks: float
    delays: list[float]
    kinds: dict[str, tuple[int, int, list[float]]]

    @property
    def recall(self) -> float:
        return self.found / max(self.incidents, 1)

    @property
    def precision(self) -> float:
        return (self.findings - self.false) / max(self.findings, 1)

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def judge(accounts: Sequence[Account], findings: Sequence[Findings]) -> Quality:
    """Found: raised during the incident. False: raised in none, nor on the day after one.

    What was raised before counts for nothing: else one alarm that never ends would find everything.
    """
    false = total = 0
    weeks = 0.0
    kinds: dict[str, tuple[int, int, list[float]]] = {kind: (0, 0, []) for kind in INCIDENTS}
    for one, found in zip(accounts, findings, strict=True):
        weeks += len(one.frame) / 168
        total += sum(map(len, found.values()))
        for name, every in found.items():
            windows = [(i.start, i.end + _DAY) for i in one.incidents if i.unique_id == name]
            false += sum(not any(start < f.raised <= end for start, end in windows) for f in every)
        for incident in one.incidents:
            hits = [
                max(0.0, (f.raised - incident.start) / _HOUR - 1)
                for f in found[incident.unique_id]
                if incident.start < f.raised <= incident.end
            ]
            hit, count, delays = kinds[incident.kind]
            kinds[incident.kind] = (hit + bool(hits), count + 1, [*delays, *hits[:1]])
    delays = [delay for _, _, every in kinds.values() for delay in every]
    hits_, counts = sum(k[0] for k in kinds.values()), sum(k[1] for k in kinds.values())
    return Quality(hits_, counts, false, total, weeks, delays, kinds)


def _ours(one: Account, **settings: Any) -> Findings:
    found = detect_panel(one.frame, calendar=one.calendar, known_jobs=one.known_jobs, **settings)
    return {name: [Said(a.start, a.end, a.detected_at) for a in every] for name, every in found.items()}


def _merged(stamps: pd.DatetimeIndex, alarms: np.ndarray[Any, Any]) -> list[Said]:
    said: list[Said] = []
    for at in np.flatnonzero(alarms).tolist():
        stamp = stamps[at]
        if said and stamp - said[-1].end < _DAY:
            said[-1] = Said(said[-1].start, stamp + _HOUR, said[-1].raised)
        else:
            said.append(Said(stamp, stamp + _HOUR, stamp + _HOUR))
    return said


def _peer(accounts: Sequence[Account], peer: Peer) -> tuple[Quality, float]:
    """The peer at its best threshold, and CPU seconds a series."""
    began = time.process_time()
    scores = [
        {str(name): (group["ds"], peer(group.set_index("ds")["y"])) for name, group in one.frame.groupby("unique_id")}
        for one in accounts
    ]
    taken = (time.process_time() - began) / sum(map(len, scores))
    start = 28 * 24  # no incident before: nobody is charged for learning
    best = max(
        (
            judge(
                accounts,
                [
                    {
                        name: _merged(pd.DatetimeIndex(ds)[start:], values[start:] >= threshold)
                        for name, (ds, values) in every.items()
                    }
                    for every in scores
                ],
            )
            for threshold in _GRID
        ),
        key=lambda quality: quality.f1,
    )
    return best, taken


def _line(name: str, quality: Quality, cpu: float) -> tuple[str | float | int | None, ...]:
    delay = float(np.median(quality.delays)) if quality.delays else None
    per_week = quality.false / quality.weeks
    return (name, quality.recall, quality.precision, quality.f1, per_week, delay, cpu)


def _generated(out: TextIO) -> list[Table]:
    accounts = [account(seed, _SERIES) for seed in _SEEDS]
    began = time.process_time()
    quality = judge(accounts, [_ours(one) for one in accounts])
    cpu = (time.process_time() - began) / (len(accounts) * _SERIES)
    some = [account(seed, _SERIES) for seed in _PEER_SEEDS]
    rows = [_line("Frostline detect", judge(some, [_ours(one) for one in some]), cpu)]
    for name, peer in peers().items():
        out.write(f"{name} ...\n")
        rows.append(_line(name, *_peer(some, peer)))
    columns = ("detector", "recall", "precision", "F1", "false a series-week", "median delay h", "CPU s a series")
    note = f"{len(some)} generated account(s) of {_SERIES} hourly series of 90 days, seeds {list(_PEER_SEEDS)}."
    beside = Table(
        "Incidents on generated series",
        columns,
        rows,
        (note, "Peers: threshold of the best F1 here; they know no calendar and no known jobs."),
    )
    kinds: list[tuple[str | float | int | None, ...]] = [
        (kind, f"{hit} of {count}", float(np.median(delays)) if delays else None)
        for kind, (hit, count, delays) in quality.kinds.items()
    ]
    kinds.append(("all", f"{quality.found} of {quality.incidents}", float(np.median(quality.delays))))
    by_kind = Table(
        "Frostline detect by kind of incident",
        ("incident", "found", "median delay h"),
        kinds,
        (f"Seeds {list(_SEEDS)}; precision {quality.precision:.3f}, {quality.false} false findings.",),
    )
    return [beside, by_kind, _budget(accounts)]


def _budget(accounts: Sequence[Account]) -> Table:
    rows: list[tuple[str | float | int | None, ...]] = []
    for budget in (FALSE_ALARMS / 3, FALSE_ALARMS, 3 * FALSE_ALARMS, 10 * FALSE_ALARMS):
        false, weeks, found, incidents = 0, 0.0, 0, 0
        for one in accounts:
            said = detect_panel(one.frame, calendar=one.calendar, known_jobs=one.known_jobs, false_alarms=budget)
            labels = [(i.unique_id, i.start, i.end) for i in one.incidents]
            counted = count_false_alarms(said, labels, len(one.frame) / 168)
            false, weeks = false + counted.false, weeks + counted.series_weeks
            found += sum(any(begin < a.detected_at <= end for a in said[name]) for name, begin, end in labels)
            incidents += len(labels)
        rows.append((budget, false / weeks, found / incidents))
    return Table("The budget of false alarms", ("findings a series-week by chance", "measured", "recall"), rows)


# --- public benchmarks ---------------------------------------------------------------------------------------


def _scorer(folder: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder} has no {name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _public(folder: Path, out: TextIO) -> list[Table]:
    nab, cloud = _scorer(folder, "anomaly_nab"), _scorer(folder, "anomaly_cloud")
    detectors: dict[str, Callable[[pd.Series], Any]] = {"Frostline score": score}
    detectors |= {name: peer for name, peer in peers().items() if "interval" not in name}
    rows: list[tuple[str | float | int | None, ...]] = []
    for name, detector in detectors.items():
        out.write(f"{name} on the public benchmarks ...\n")
        began, points = time.process_time(), 0
        scored = []
        for files in (nab.load(), cloud.load()):
            points += sum(len(f["v"]) for f in files)
            scored.append((files, [_clipped(detector, f) for f in files]))
        cpu = 1000 * (time.process_time() - began) / points
        on_nab = nab.evaluate(*scored[0], fixed=DEFAULT)["profiles"]["standard"]
        on_cloud = cloud.evaluate(*scored[1], fixed=DEFAULT)
        ours = detector is score
        event = on_cloud["at_fixed" if ours else "best_f1"]
        rows.append(
            (
                name,
                on_nab["nab_fixed" if ours else "nab"],
                on_cloud["vus_pr"],
                event["f1"],
                event["false_alarms_per_1000"],
                cpu,
            )
        )
    columns = ("detector", "NAB standard", "cloud VUS-PR", "cloud event F1", "false a 1,000", "CPU s a 1,000")
    note = f"Ours at the one threshold {DEFAULT:g} for both; peers at the best threshold for each figure."
    return [Table("Public benchmarks (the part that the folder holds)", columns, rows, (note,))]


def _clipped(detector: Callable[[pd.Series], Any], file: dict[str, Any]) -> np.ndarray[Any, Any]:
    values = pd.Series(file["v"].copy(), index=file["index"])
    return np.asarray(np.clip(np.asarray(detector(values), dtype=float), 0, 1))


def run(out: TextIO, public: Path | None = None) -> list[Table]:
    return [*_generated(out), *(_public(public, out) if public else [])]


def main() -> None:
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--data", type=Path)
    known, rest = options.parse_known_args()
    sys.argv[1:] = rest  # the rest is the report's
    report("Anomalies", "python -m evals.bench_anomaly --data FOLDER", partial(run, public=known.data))


if __name__ == "__main__":
    main()
