"""Makes hourly.npz and daily.npz, the networks' first weights, from generated series.

    python -m tools.ml.forecasting.pretrain

Takes some minutes. Nothing but tools.ml.generated goes in.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tools.ml.forecasting.features import least_past
from tools.ml.forecasting.learning import Rows, training_rows
from tools.ml.forecasting.network import Network, Training, fit
from tools.ml.generated import generated_series

__all__ = ["main"]

Floats = npt.NDArray[np.float64]

_SEED = 7
_PARTS = 6
_SERIES = 500


def _panel(seed: int, hourly: bool) -> Floats:
    hours = 24 * 40 if hourly else 24 * 7 * 26
    series = generated_series(seed, hours)
    many = np.stack([next(series) for _ in range(_SERIES if hourly else _SERIES // 2)])
    if hourly:
        return many
    return np.asarray(many.reshape(len(many), -1, 24).sum(axis=2))


def _rows(seed: int, hourly: bool) -> Rows:
    seasons = (24, 168) if hourly else (7, 28)
    panel = _panel(seed, hourly)
    panel = panel / np.abs(panel).mean(axis=1, keepdims=True)
    rows = training_rows(panel, 48 if hourly else 28, seasons, least_past(seasons[0]), seed)
    assert rows is not None
    return rows


def _train(hourly: bool, nets: int, how: Training) -> list[Network]:
    parts = [_rows(_SEED + part, hourly) for part in range(_PARTS)]
    features = np.concatenate([part.features for part in parts])
    target = np.concatenate([part.target for part in parts])
    weight = np.concatenate([part.weight for part in parts])
    return [fit(features, target, weight, _SEED + net, how) for net in range(nets)]


def _store(nets: list[Network], file: Path) -> None:
    arrays: dict[str, npt.NDArray[np.generic]] = {"nets": np.array(len(nets))}
    for k, net in enumerate(nets):
        arrays |= {f"{k}_{place}": array.astype(np.float16) for place, array in enumerate(net.parameters)}
        arrays |= {f"{k}_centre": net.centre, f"{k}_spread": net.spread}
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def main() -> None:
    """Train and write both files beside this one."""
    here = Path(__file__).parent
    for name, hourly in (("daily.npz", False), ("hourly.npz", True)):
        _store(_train(hourly, 1, Training(epochs=8)), here / name)
        sys.stdout.write(f"{name} written\n")


if __name__ == "__main__":
    main()
