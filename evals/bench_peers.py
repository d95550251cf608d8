"""Forecasts of other libraries for the same series: run by evals.bench_forecast with the interpreter of .venv-bench.

    .venv-bench/bin/python evals/bench_peers.py SERIES.parquet HORIZON OUT.parquet [COUNTRY]

Reads unique_id, ds, y; writes unique_id, step, peer, mean, lo-80, hi-80, lo-95, hi-95 and cpu (seconds of the peer, all
series). A peer that is not installed is left out. COUNTRY (US) is for peers that know holidays. It imports nothing of
the project.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

Said = dict[str, Any]
"""mean, lo-80, hi-80, lo-95, hi-95: one element a step each."""
_PROBABILITIES = {"lo-80": 0.1, "hi-80": 0.9, "lo-95": 0.025, "hi-95": 0.975}


def _regression(history: pd.Series, horizon: int) -> Said:
    """Trend and a dummy for each hour of the week (day of the week for daily series); normal errors."""
    from sklearn.linear_model import LinearRegression

    hourly = history.index[1] - history.index[0] < pd.Timedelta(days=1)
    period = 168 if hourly else 7

    def design(places: Any) -> Any:
        return np.column_stack([places / 1000, np.eye(period)[places % period]])

    fitted = LinearRegression(fit_intercept=False).fit(design(np.arange(len(history))), history.to_numpy())
    mean = fitted.predict(design(np.arange(len(history), len(history) + horizon)))
    spread = float(np.std(history.to_numpy() - fitted.predict(design(np.arange(len(history))))))
    bands = {80: 1.2816 * spread, 95: 1.96 * spread}
    edges = {f"{side}-{level}": mean + sign * b for level, b in bands.items() for side, sign in (("lo", -1), ("hi", 1))}
    return {"mean": mean, **edges}


def _statsforecast(kind: str) -> Callable[[pd.Series, int], Said]:
    from statsforecast import models

    def said(history: pd.Series, horizon: int) -> Said:
        hourly = history.index[1] - history.index[0] < pd.Timedelta(days=1)
        seasons = [24, 168] if hourly else [7]
        if kind == "ETS":
            model = models.AutoETS(season_length=seasons[0])
        else:
            model = models.MSTL(season_length=seasons, trend_forecaster=models.AutoETS(model="ZZN"))
        found = model.forecast(y=history.to_numpy(dtype=float), h=horizon, level=[80, 95])
        return {"mean": found["mean"], **{name: found[name] for name in _PROBABILITIES}}

    return said


def _prophet(history: pd.Series, horizon: int, country: str | None = None) -> Said:
    import logging

    from prophet import Prophet

    logging.getLogger("cmdstanpy").setLevel(logging.ERROR)
    model = Prophet(uncertainty_samples=300)
    if country:
        model.add_country_holidays(country)
    model.fit(pd.DataFrame({"ds": history.index, "y": history.to_numpy()}))
    step = history.index[1] - history.index[0]
    future = pd.DataFrame({"ds": pd.date_range(history.index[-1] + step, periods=horizon, freq=step)})
    drawn = model.predictive_samples(future)["yhat"]
    edges = {name: np.quantile(drawn, share, axis=1) for name, share in _PROBABILITIES.items()}
    return {"mean": model.predict(future)["yhat"].to_numpy(), **edges}


def _peers(country: str | None) -> dict[str, Callable[[pd.Series, int], Said]]:
    peers: dict[str, Callable[[pd.Series, int], Said]] = {"linear regression": _regression}
    with suppress(ImportError):
        peers |= {"statsforecast AutoETS": _statsforecast("ETS"), "statsforecast MSTL": _statsforecast("MSTL")}
    with suppress(ImportError):
        import prophet

        peers[f"Prophet {prophet.__version__}"] = partial(_prophet, country=country)
    return peers


def main() -> None:
    """Read, forecast, write."""
    source, horizon, target = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    country = sys.argv[4] if len(sys.argv) > 4 else None
    series = {name: rows.set_index("ds")["y"] for name, rows in pd.read_parquet(source).groupby("unique_id")}
    out = []
    for name, peer in _peers(country).items():
        peer(next(iter(series.values())), horizon)  # compiling and loading are not what is compared
        began = time.process_time()
        said = {key: peer(history, horizon) for key, history in series.items()}
        taken = time.process_time() - began
        for key, columns in said.items():
            rows = {"unique_id": key, "step": np.arange(horizon), "peer": name, **columns}
            out.append(pd.DataFrame({**rows, "cpu": taken}))
    pd.concat(out, ignore_index=True).to_parquet(target)


if __name__ == "__main__":
    main()
