"""What is kept between calls, so that a panel that grew by a day is not learned anew.

The nets are all that is dear. Shifts, factors, blends and intervals are measured again on each call, on the newest
data.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tools.ml.forecasting.network import Network

__all__ = ["Kept", "keep", "recall"]


@dataclass(frozen=True)
class Kept:
    early: list[Network]
    late: list[Network]
    end: pd.Timestamp
    fresh: bool = True
    """Whether the nets can be used as they are; else they are where the next fit starts."""


def keep(
    state: dict[str, object] | None,
    seasons: tuple[int, int],
    end: pd.Timestamp,
    early: list[Network],
    late: list[Network],
) -> None:
    """Put the nets of a fit into the caller's state, if there is one."""
    if state is not None:
        state[_key(seasons)] = Kept(early, late, end)


def recall(state: dict[str, object] | None, seasons: tuple[int, int], end: pd.Timestamp) -> Kept | None:
    """What was kept for these seasons; fresh for one long season after the data it was fitted on."""
    kept = (state or {}).get(_key(seasons))
    if not isinstance(kept, Kept) or end < kept.end:
        return None  # other data, or an older panel: nets that saw what lies ahead must not be asked about it
    step = pd.Timedelta(hours=1) if seasons[0] == 24 else pd.Timedelta(days=1)
    return Kept(kept.early, kept.late, kept.end, fresh=end - kept.end <= seasons[1] * step)


def _key(seasons: tuple[int, int]) -> str:
    return f"nets/{seasons[0]}/{seasons[1]}"
