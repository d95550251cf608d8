"""What a view's coverage means for a window (design.md, section 4): four answers that are never mixed up.

not_loaded   the window lies wholly after what can have been loaded
no_data      it lies wholly before the first row, or the view is empty
partial      it reaches past what is sure to be loaded: ok, `complete: false`, the covered part said
whole        all of it is loaded: rows, or a true 0
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tools.context import Coverage

__all__ = ["Judgement", "Standing", "classify", "coverage_of"]

Standing = Literal["not_loaded", "no_data", "partial", "whole"]


@dataclass(frozen=True)
class Judgement:
    """`covered` is the half-open part of the window that may be spoken of; None when there is none.

    A window that begins before the first row and ends after it keeps its start: what lies before the first row is
    a true 0 as far as the view can tell, and `before_first` tells how much that is.
    """

    standing: Standing
    covered: tuple[datetime, datetime] | None
    before_first: timedelta = timedelta(0)

    @property
    def complete(self) -> bool:
        return self.standing == "whole"


def coverage_of(
    view: str, *, now: datetime, latency: timedelta, first: datetime | None, newest_end: datetime | None
) -> Coverage:
    """Coverage from what a view shows: `complete_until` = now - latency, `covered_until` reaches further where
    rows already do, and never past now.
    """
    complete_until = now - latency
    reach = complete_until if newest_end is None else max(complete_until, newest_end)
    return Coverage(
        view=view,
        now=now,
        latency=latency,
        first=first,
        newest_end=newest_end,
        complete_until=complete_until,
        covered_until=min(reach, now),
    )


def classify(start: datetime, end: datetime, coverage: Coverage) -> Judgement:
    """Judge the half-open window [start, end).

    Raises:
        ValueError: the window is empty or turned round (the caller cut it wrongly).
    """
    if end <= start:
        raise ValueError("a window ends after it starts")
    if start >= coverage.covered_until:
        return Judgement("not_loaded", None)
    if coverage.first is None or end <= coverage.first:
        return Judgement("no_data", None)
    before = max(timedelta(0), coverage.first - start)
    if end > coverage.complete_until:
        return Judgement("partial", (start, min(end, coverage.covered_until)), before)
    return Judgement("whole", (start, end), before)
