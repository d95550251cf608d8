"""The same panel by one process and by Dask: prints the greatest relative difference of the forecasts.

    .venv-bench/bin/python -m evals.bench_dask

Run by evals.bench_forecast with the peers' interpreter, since the product does not depend on Dask.
"""

from __future__ import annotations

import sys

import numpy as np

from tools.ml.forecasting import forecast_panel
from tools.ml.generated import generated_panel

__all__ = ["main"]


def main() -> None:
    """Two threads of one local worker."""
    from distributed import Client

    frame = generated_panel(14, 20, 40)
    alone = forecast_panel(frame, 24)["mean"].to_numpy()
    with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None):
        said = forecast_panel(frame, 24, backend="dask", jobs=2)["mean"].to_numpy()
    sys.stdout.write(f"{np.max(np.abs(said - alone)) / np.abs(alone).max()}\n")


if __name__ == "__main__":
    main()
