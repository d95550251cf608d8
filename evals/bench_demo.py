"""Forecasts of the demo account's daily credits, 14 days ahead from several days, beside peers on the same series.

    python -m evals.bench_demo [--write]

Incidents and the planned migration are left in, before an origin and after it: what nobody could know counts as error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Literal, TextIO

import numpy as np
import pandas as pd

from evals.bench_peer_runs import peer_forecasts
from evals.bench_report import Table, report
from evals.demo_credits import AHEAD_DAYS, TIMEZONE, demo_credits
from tools.ml.calendar import calendar_of
from tools.ml.forecasting import forecast_panel
from tools.ml.metrics import coverage, wape

__all__ = ["ORIGINS", "Row", "forecasts_of", "run", "scored"]

SEEDS = (1, 2, 3, 5, 7)
ORIGINS = tuple(date(2026, 10, 5) + timedelta(days=5 * place) for place in range(9))
"""First days that are forecast: every fifth day from the 45th on, to 14 November. The median of a few fortnights is a
matter of chance: few warehouses lie near it, and one incident moves them to its other side."""
_OURS: Mapping[str, Literal["mean", "median"]] = {"Frostline": "mean", "Frostline, medians as points": "median"}
_COUNTRY = "US"
_LEAST_DAYS = 15
"""Of history at an origin; peers with a weekly season need two weeks."""

Row = tuple[str | float | int | None, ...]


def run(out: TextIO, seeds: tuple[int, ...] = SEEDS) -> list[Table]:
    """One table with a series a warehouse (the account is their sum), one with the account as a single series."""
    frames: dict[tuple[str, int], pd.DataFrame] = {}
    for seed in seeds:
        out.write(f"demo account of seed {seed} ...\n")
        credits = demo_credits(seed)
        frames |= {("warehouses", seed): credits.warehouses, ("account", seed): credits.account}
    out.write("demo account: forecasts ...\n")
    rows = forecasts_of(frames)
    starts = f"every fifth day from {ORIGINS[0]:%d %B} to {ORIGINS[-1]:%d %B} 2026"
    said = f"Days of the account's zone from {starts}; seeds {', '.join(map(str, seeds))}; means as the point."
    left_in = "Incidents and the planned migration are left in, on both sides of an origin; all figures in percent."
    pooled = "Bias is the sum of the forecasts over what came, less 1: pooled, and the largest of one origin and seed."
    by_warehouse, whole = (rows[rows["what"] == what] for what in ("warehouses", "account"))
    return [
        _table("Demo account, credits by warehouse, daily, 14 days ahead", by_warehouse, (said, left_in, pooled)),
        _table("Demo account, all credits as one series, daily, 14 days ahead", whole, ("Services are in it, too.",)),
    ]


def forecasts_of(
    frames: Mapping[tuple[str, int], pd.DataFrame], origins: tuple[date, ...] = ORIGINS, *, peers: bool = True
) -> pd.DataFrame:
    """Forecasts of Frostline and every peer beside what came.

    Args:
        frames: (what, seed) -> unique_id, ds, y.

    Returns:
        what, seed, peer, origin, unique_id, ds, y (what came), mean, lo-80, hi-80, lo-95, hi-95.
    """
    calendar = calendar_of(TIMEZONE, _COUNTRY, sorted({day.year for day in origins}))
    cases = {(*key, pd.Timestamp(day)): _known(frame, day) for key, frame in frames.items() for day in origins}
    said: list[tuple[str, tuple[str, int, pd.Timestamp], pd.DataFrame]] = []
    for case, known in cases.items():
        ours = {
            name: forecast_panel(known, AHEAD_DAYS, calendar=calendar, point=point) for name, point in _OURS.items()
        }
        said += [*((name, case, rows) for name, rows in ours.items()), ("seasonal naive", case, _naive(known))]
    if peers:
        said += _of_peers(cases)
    parts = [
        _stamped(rows, case[2]).assign(what=case[0], seed=case[1], peer=name).merge(frames[case[:2]])
        for name, case, rows in said
    ]
    return pd.concat(parts, ignore_index=True)


def _known(frame: pd.DataFrame, origin: date) -> pd.DataFrame:
    """Before the origin; series that have begun long enough before it."""
    known = frame[frame["ds"] < pd.Timestamp(origin)]
    return known[known.groupby("unique_id")["y"].transform("size") >= _LEAST_DAYS]


def _of_peers(
    cases: Mapping[tuple[str, int, pd.Timestamp], pd.DataFrame],
) -> list[tuple[str, tuple[str, int, pd.Timestamp], pd.DataFrame]]:
    """All cases in one call: starting a peer costs more than its forecasts."""
    keys = list(cases)
    parts = [known.assign(unique_id=f"{place} " + known["unique_id"]) for place, known in enumerate(cases.values())]
    found = []
    for name, (rows, _) in peer_forecasts(pd.concat(parts), AHEAD_DAYS, _COUNTRY).items():
        split = rows["unique_id"].str.split(" ", n=1, expand=True)
        named = rows.drop(columns=["peer"]).assign(unique_id=split[1])
        found += [(name, keys[int(place)], part) for place, part in named.groupby(split[0])]
    return found


def _stamped(rows: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    days = pd.date_range(first, periods=AHEAD_DAYS, freq="D")
    place = rows.groupby("unique_id").cumcount().to_numpy()
    return rows[["unique_id", "mean", "lo-80", "hi-80", "lo-95", "hi-95"]].assign(ds=days[place], origin=first)


def _naive(known: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for name, rows in known.groupby("unique_id"):
        y = rows["y"].to_numpy(dtype=np.float64)
        mean = np.tile(y[-7:], AHEAD_DAYS // 7 + 1)[:AHEAD_DAYS]
        spread = np.sqrt(np.mean((y[7:] - y[:-7]) ** 2) * (np.arange(AHEAD_DAYS) // 7 + 1))
        edges = {
            f"{side}-{level}": mean + sign * z * spread for side, sign in (("lo", -1), ("hi", 1)) for level, z in _Z
        }
        parts.append(pd.DataFrame({"unique_id": name, "mean": mean, **edges}))
    return pd.concat(parts, ignore_index=True)


_Z = ((80, 1.2816), (95, 1.96))


def scored(rows: pd.DataFrame) -> Row:
    """Account WAPE, median warehouse WAPE, bias, largest bias of an origin, coverage of 80 % and 95 %: all in percent.

    `rows`: of one forecaster; the account is the sum of the series, by day.
    """
    account = rows.groupby(["seed", "origin", "ds"])[["y", "mean"]].sum().reset_index()
    sums = account.groupby(["seed", "origin"])[["y", "mean"]].sum()
    each = sums["mean"] / sums["y"] - 1
    series = [_error(part) for _, part in rows.groupby(["seed", "origin", "unique_id"]) if part["y"].abs().sum() > 0]
    return (
        100 * _error(account),
        100 * float(np.median(series)),
        100 * float(sums["mean"].sum() / sums["y"].sum() - 1),
        100 * float(each.iloc[int(each.abs().argmax())]),
        *(coverage(*(rows[c].to_numpy(dtype=np.float64) for c in ("y", f"lo-{k}", f"hi-{k}"))) for k in (80, 95)),
    )


def _error(rows: pd.DataFrame) -> float:
    return wape(rows["y"].to_numpy(dtype=np.float64), rows["mean"].to_numpy(dtype=np.float64))


def _table(title: str, rows: pd.DataFrame, notes: tuple[str, ...]) -> Table:
    columns = ("forecaster", "WAPE", "median series", "bias", "largest bias", "coverage 80 %", "coverage 95 %")
    found: list[Row] = [(str(name), *scored(part)) for name, part in rows.groupby("peer", sort=False)]
    ours = rows[rows["peer"] == "Frostline"]
    by: Mapping[str, Callable[[tuple[object, ...]], str]] = {
        "seed": lambda key: f"Frostline, seed {key[0]}",
        "origin": lambda key: f"Frostline, from {pd.Timestamp(str(key[0])):%d %B}",
    }
    for column, words in by.items():
        found += [(words(tuple(key)), *scored(part)) for key, part in ours.groupby([column])]
    return Table(title, columns, found, notes)


if __name__ == "__main__":
    report("Forecasts of the demo account", "python -m evals.bench_demo", run)
