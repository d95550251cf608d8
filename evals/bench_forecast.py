"""`make bench`, forecasts: error, intervals and cost beside peers in the same run, on generated series.

    python -m evals.bench_forecast [--data FOLDER] [--write]

Peers that need packages of their own run in .venv-bench (`make peers`); without it only the plain ones are shown.
`--data` is a folder with forecast_m4.py and its data, for a table on M4 Hourly beside what is published.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt
import pandas as pd

from evals.bench_peer_runs import PEERS, peer_forecasts
from evals.bench_report import Table, report
from tools.ml.forecasting import forecast_panel, study_panel
from tools.ml.generated import generated_panel
from tools.ml.metrics import coverage, mase, msis, wape

__all__ = ["run"]

Floats = npt.NDArray[np.float64]

_HOME = Path(__file__).parent.parent
_SEED = 11
_SERIES, _DAYS = 40, 60
_PUBLISHED = (
    ("ES-RNN, winner (all 414, published)", 0.440),
    ("Doornik (all 414, published)", 0.410),
    ("Chronos-2 (all 414, published)", 0.395),
    ("TiRex (all 414, published)", 0.364),
    ("Toto-2, 2.5 billion parameters (all 414, published)", 0.348),
)


def run(out: TextIO, data: Path | None = None) -> list[Table]:
    """All tables; `data` is the folder of the public benchmark, if there is one."""
    hourly = generated_panel(_SEED, _SERIES, _DAYS)
    tables = [_compared("Generated series, hourly, 48 hours ahead", hourly, 48, 24, out)]
    tables.append(_compared("Generated series, daily, 14 days ahead", _by_day(_SEED + 1), 14, 7, out))
    tables += [_cost(out), _backends(out)]
    if data is not None:
        tables.append(_m4(data, out))
    return tables


def _by_day(seed: int) -> pd.DataFrame:
    frame = generated_panel(seed, _SERIES, 104)
    frame["ds"] = frame["ds"].dt.floor("D")
    return frame.groupby(["unique_id", "ds"])[["y"]].sum().reset_index()


def _compared(title: str, frame: pd.DataFrame, horizon: int, season: int, out: TextIO) -> Table:
    out.write(f"{title} ...\n")
    place = frame.groupby("unique_id").cumcount(ascending=False)
    known, later = frame[place >= horizon], frame[place < horizon]
    began = time.process_time()
    ours = forecast_panel(known, horizon)
    taken = time.process_time() - began
    said = {"Frostline": (ours, taken), "seasonal naive": _naive(known, horizon, season)} | peer_forecasts(
        known, horizon
    )
    scores = {name: (*_scores(known, later, frame_, season), cpu) for name, (frame_, cpu) in said.items()}
    base = scores["Frostline"]
    rows: list[tuple[str | float | int | None, ...]] = []
    for name, (error, scaled, interval, inside, cpu) in scores.items():
        rows.append((name, error, scaled, interval, inside, cpu / _SERIES, error / base[0]))
    columns = ("forecaster", "WAPE", "MASE", "MSIS 95", "coverage 95 %", "CPU s a series", "WAPE / ours")
    notes = (
        f"Means over {_SERIES} series that tools.ml.generated makes; none of them was seen before.",
        "The networks' first weights come from the same generator with other seeds, which is kind to Frostline here.",
    )
    return Table(title, columns, rows, notes)


def _naive(known: pd.DataFrame, horizon: int, season: int) -> tuple[pd.DataFrame, float]:
    began, parts = time.process_time(), []
    for name, rows in known.groupby("unique_id"):
        y = rows["y"].to_numpy(dtype=np.float64)
        mean = np.tile(y[-season:], horizon // season + 1)[:horizon]
        spread = np.sqrt(np.mean((y[season:] - y[:-season]) ** 2) * (np.arange(horizon) // season + 1))
        band = {"lo-95": mean - 1.96 * spread, "hi-95": mean + 1.96 * spread}
        parts.append(pd.DataFrame({"unique_id": name, "mean": mean, **band}))
    return pd.concat(parts, ignore_index=True), time.process_time() - began


def _scores(known: pd.DataFrame, later: pd.DataFrame, said: pd.DataFrame, season: int) -> tuple[float, ...]:
    """WAPE, MASE, MSIS and coverage of the 95 % interval, each a mean over the series."""
    histories = {name: rows["y"].to_numpy(dtype=np.float64) for name, rows in known.groupby("unique_id")}
    actuals = {name: rows["y"].to_numpy(dtype=np.float64) for name, rows in later.groupby("unique_id")}
    found = []
    for name, rows in said.groupby("unique_id"):
        mean, low, high = (rows[column].to_numpy(dtype=np.float64) for column in ("mean", "lo-95", "hi-95"))
        actual, history = actuals[name], histories[name]
        scaled = mase(actual, mean, history, season)
        interval = msis(actual, low, high, history, season)
        found.append((wape(actual, mean), scaled, interval, coverage(actual, low, high)))
    return tuple(float(value) for value in np.nanmean(np.array(found), axis=0))


def _cost(out: TextIO) -> Table:
    """How the cost of one call grows with the panel; memory is the process's peak so far."""
    rows: list[tuple[str | float | int | None, ...]] = []
    for series in (20, 200, 1000):
        out.write(f"cost of {series} series ...\n")
        frame = generated_panel(_SEED + 2, series, 90)
        state: dict[str, object] = {}
        began = time.process_time()
        study_panel(frame, 48, state=state)
        first = time.process_time() - began
        began = time.process_time()
        study_panel(frame, 48, state=state)
        again = time.process_time() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
        rows.append((series, first / series, again / series, round(peak)))
    columns = ("series of 90 days", "CPU s a series", "with kept state", "peak memory MB")
    return Table("Cost of one call, hourly, 48 hours ahead", columns, rows)


def _backends(out: TextIO) -> Table:
    """The same panel on each of joblib's backends: the greatest relative difference from one process."""
    frame = generated_panel(_SEED + 3, 20, 40)
    alone = forecast_panel(frame, 24)["mean"].to_numpy()
    rows: list[tuple[str | float | int | None, ...]] = []
    for backend in ("loky", "threading"):
        out.write(f"backend {backend} ...\n")
        said = forecast_panel(frame, 24, backend=backend, jobs=2)["mean"].to_numpy()
        rows.append((backend, float(np.max(np.abs(said - alone)) / np.abs(alone).max())))
    out.write("backend dask ...\n")
    rows.append(("dask", _on_dask()))
    return Table("The same result on each backend", ("joblib backend, 2 jobs", "greatest difference"), rows)


def _on_dask() -> float | str:
    if not PEERS.exists():
        return "not installed (make peers)"
    call = [str(PEERS), "-m", "evals.bench_dask"]
    found = subprocess.run(call, check=True, capture_output=True, cwd=_HOME, text=True)  # noqa: S603 - fixed arguments
    return float(found.stdout.split()[-1])


def _m4(data: Path, out: TextIO) -> Table:
    rows: list[tuple[str | float | int | None, ...]] = []
    for name, spec, more in (
        ("Frostline, the panel in one call", "tools.ml.forecasting:forecast_panel", ["--panel"]),
        ("Frostline, one series at a time", "tools.ml.forecasting:forecast", []),
    ):
        out.write(f"M4 Hourly: {name} ...\n")
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "scores.json"
            call = [
                sys.executable,
                str(data / "forecast_m4.py"),
                "--spec",
                spec,
                *more,
                "--no-peer",
                "--json",
                str(target),
            ]
            subprocess.run(call, check=True, capture_output=True, cwd=_HOME)  # noqa: S603 - the caller's own folder
            scores = json.loads(target.read_text(encoding="utf-8"))
        found = scores[spec]
        rows.append(_m4_row(name, found))
        if more:
            rows.append(_m4_row("seasonal naive", scores["builtin:seasonal_naive"]))
    rows += [(name, figure, None, None, None, None) for name, figure in _PUBLISHED]
    columns = ("forecaster", "OWA", "MSIS", "coverage 80 %", "coverage 95 %", "CPU s a series")
    return Table("M4 Hourly, 138 of the 414 series", columns, rows, ("Published figures are of all 414 series.",))


def _m4_row(name: str, found: dict[str, float]) -> tuple[str | float | int | None, ...]:
    cpu = found["cpu_sec_per_series"]
    return (name, found["OWA"], found["MSIS"], 100 * found["cov80"], 100 * found["cov95"], cpu)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(add_help=False)
    arguments.add_argument("--data", type=Path, default=None)
    wanted, sys.argv[1:] = arguments.parse_known_args()
    command = "python -m evals.bench_forecast" + (" --data FOLDER" if wanted.data else "")
    report("Forecasts", command, partial(run, data=wanted.data))
