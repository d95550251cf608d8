"""Whether a finding is about a planted incident, and what follows of it: recall, precision, delay. Pure.

A finding is about a label where one of its members (the finding itself or what is grouped with it)

- belongs to the label's warehouse; of a label without one: to its service, its database, or the logins;
- goes the label's way: less for a silence, more for all else (a warehouse made too small may also use less);
- goes on within [start - BEFORE, end + AFTER] of the label, ANNOUNCED before it where it has precursors.

What is told before a label began (ANNOUNCED before, with precursors) is not what finds it. A finding about no label is
false, and a planned or seasonal label that a false finding falls into is flagged wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from tools.anomalies import Candidate
from tools.demo.labels import Label

__all__ = ["AFTER", "ANNOUNCED", "BEFORE", "Score", "is_about", "judge"]

BEFORE, AFTER = timedelta(hours=1), timedelta(hours=6)
"""An hour's sum belongs to the whole hour; what was held up comes after the end."""
ANNOUNCED = timedelta(hours=21)
"""How long before its start a label with precursors may show, in run times first."""
_EITHER_WAY = frozenset({"spill", "resize_forgotten"})
_BESIDE: dict[str, Callable[[Candidate, Label], bool]] = {
    "clustering_storm": lambda c, label: c.object == "AUTO_CLUSTERING",
    "login_failures": lambda c, label: c.metric == "failed_logins",
    "storage_growth": lambda c, label: c.metric == "storage_bytes" and c.object == (label.object or "").split(".")[0],
}


def is_about(finding: Candidate, label: Label) -> bool:
    return bool(_parts_about(finding, label))


def _parts_about(finding: Candidate, label: Label) -> list[Candidate]:
    return [one for one in (finding, *finding.related) if _is_about(one, label)]


def _finds(finding: Candidate, label: Label) -> bool:
    """About it, and not told before it began: then it is about something else that goes on meanwhile."""
    return is_about(finding, label) and finding.detected_at > label.start - _before(label)


def _before(label: Label) -> timedelta:
    return ANNOUNCED if label.precursors else BEFORE


def _is_about(one: Candidate, label: Label) -> bool:
    if label.warehouse is None:
        place = _BESIDE.get(label.kind)
        if place is None or not place(one, label):
            return False
    elif one.warehouse != label.warehouse:
        return False
    if label.kind not in _EITHER_WAY and one.is_more == (label.kind == "silence"):
        return False
    return one.start < label.end + AFTER and one.end > label.start - _before(label)


@dataclass(frozen=True)
class Score:
    """Of one account, or of several added up."""

    found: dict[str, int] = field(default_factory=dict)
    """Labels that must be found and were, by kind."""
    planted: dict[str, int] = field(default_factory=dict)
    delays: tuple[float, ...] = ()
    """Hours from a label's start to when its first finding could be seen, of labels that were found by the hour."""
    findings: int = 0
    false: tuple[Candidate, ...] = ()
    missed: tuple[Label, ...] = ()
    flagged: tuple[Label, ...] = ()
    """Planned or seasonal, and flagged all the same."""
    early_found: int = 0
    early: int = 0
    """Labels of the first weeks, in which nothing is known yet; counted apart."""
    days: float = 0.0
    series_weeks: float = 0.0

    def __add__(self, other: Score) -> Score:
        kinds = self.planted.keys() | other.planted.keys()
        return Score(
            found={k: self.found.get(k, 0) + other.found.get(k, 0) for k in kinds},
            planted={k: self.planted.get(k, 0) + other.planted.get(k, 0) for k in kinds},
            delays=self.delays + other.delays,
            findings=self.findings + other.findings,
            false=self.false + other.false,
            missed=self.missed + other.missed,
            flagged=self.flagged + other.flagged,
            early_found=self.early_found + other.early_found,
            early=self.early + other.early,
            days=self.days + other.days,
            series_weeks=self.series_weeks + other.series_weeks,
        )

    @property
    def recall(self) -> float:
        planted = sum(self.planted.values())
        return sum(self.found.values()) / planted if planted else 1.0

    @property
    def recall_with_early(self) -> float:
        planted = sum(self.planted.values()) + self.early
        return (sum(self.found.values()) + self.early_found) / planted if planted else 1.0

    @property
    def precision(self) -> float:
        return 1 - len(self.false) / self.findings if self.findings else 1.0

    @property
    def median_delay(self) -> float | None:
        return median(self.delays) if self.delays else None

    @property
    def false_per_series_week(self) -> float:
        return len(self.false) / self.series_weeks if self.series_weeks else 0.0

    @property
    def false_per_day(self) -> float:
        return len(self.false) / self.days if self.days else 0.0


def judge(
    findings: Sequence[Candidate],
    labels: Sequence[Label],
    *,
    since: datetime,
    until: datetime,
    series_weeks: float,
) -> Score:
    """
    Args:
        findings: after grouping.
        labels: also those of the day after `until`, whose precursors may show.
        since: labels that start before are counted apart: nothing can be known yet.
        until: how far the series reach.
    """
    real = [label for label in labels if label.expected_flag]
    must = [label for label in real if label.start < until]
    quiet = [label for label in labels if not label.expected_flag]
    hits = {id(label): [f for f in findings if _finds(f, label)] for label in must}
    counted = [label for label in must if label.start >= since]
    early = [label for label in must if label.start < since]
    false = [f for f in findings if not any(is_about(f, label) for label in real)]
    planted: dict[str, int] = {}
    found: dict[str, int] = {}
    for label in counted:
        planted[label.kind] = planted.get(label.kind, 0) + 1
        found[label.kind] = found.get(label.kind, 0) + bool(hits[id(label)])
    return Score(
        found=found,
        planted=planted,
        delays=tuple(delay for label in counted if (delay := _delay(label, hits[id(label)])) is not None),
        findings=len(findings),
        false=tuple(false),
        missed=tuple(label for label in counted if not hits[id(label)]),
        flagged=tuple(label for label in quiet if any(_falls_into(f, label) for f in false)),
        early_found=sum(bool(hits[id(label)]) for label in early),
        early=len(early),
        days=(until - since).total_seconds() / 86_400,
        series_weeks=series_weeks,
    )


def _delay(label: Label, hits: Sequence[Candidate]) -> float | None:
    hourly = [f.detected_at for f in hits if any(one.watch.step == "hour" for one in _parts_about(f, label))]
    return max((min(hourly) - label.start).total_seconds() / 3600, 0.0) if hourly else None


def _falls_into(finding: Candidate, label: Label) -> bool:
    """Whether a false finding is what was planned or seasonal: more work, there and then. A holiday is everywhere."""
    mine = label.warehouse is None or any(c.warehouse == label.warehouse for c in (finding, *finding.related))
    return mine and finding.start < label.end and finding.end > label.start
