"""Runs evals.bench_peers with the interpreter of .venv-bench, or with this one where `make peers` was not run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

__all__ = ["PEERS", "peer_forecasts"]

_HOME = Path(__file__).parent.parent
PEERS = _HOME / ".venv-bench" / "bin" / "python"
_WITH_CACHE = ("/usr/bin/env", "NIXTLA_NUMBA_CACHE=1")
"""statsforecast keeps what it has compiled, which takes longer than its forecasts."""


def peer_forecasts(
    known: pd.DataFrame, horizon: int, country: str | None = None
) -> dict[str, tuple[pd.DataFrame, float]]:
    """By peer: its forecasts of every series (columns as bench_peers writes them), and its CPU seconds for all."""
    interpreter = str(PEERS) if PEERS.exists() else sys.executable
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "series.parquet", Path(folder) / "said.parquet"
        known.to_parquet(source)
        call = [
            *_WITH_CACHE,
            interpreter,
            str(_HOME / "evals" / "bench_peers.py"),
            str(source),
            str(horizon),
            str(target),
        ]
        call += [country] if country else []
        subprocess.run(call, check=True, capture_output=True)  # noqa: S603 - fixed arguments
        found = pd.read_parquet(target)
    return {str(name): (rows, float(rows["cpu"].iloc[0])) for name, rows in found.groupby("peer", sort=False)}
