"""The networks that every fit starts from: trained on generated series only (pretrain.py), kept beside this file."""

from __future__ import annotations

from functools import cache
from importlib import resources

import numpy as np

from tools.ml.forecasting.network import Network

__all__ = ["shipped"]

_FILES = {(24, 168): "hourly.npz", (7, 28): "daily.npz"}


@cache
def shipped(seasons: tuple[int, int]) -> list[Network]:
    """The nets for these seasons; each call gives the same objects, which nobody changes."""
    with resources.files("tools.ml.forecasting").joinpath(_FILES[seasons]).open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        count = int(stored["nets"])
        return [
            Network(
                tuple(stored[f"{k}_{place}"].astype(np.float32) for place in range(7)),
                stored[f"{k}_centre"].astype(np.float32),
                stored[f"{k}_spread"].astype(np.float32),
            )
            for k in range(count)
        ]
