"""A finding in words: headline, figures, when. Plain text; who draws it makes names from the account literal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from agent.replies.figures import show, show_time
from tools.anomalies.titles import SIZES, sizes, title_of
from tools.finding import Finding, FindingKind, FindingRecord
from tools.findings import words
from tools.findings.words import kind_words
from tools.history.measures import WatchMetric

__all__ = ["figures", "headline", "kind_words", "quiet_words", "state_words", "when"]

_EACH: Mapping[FindingKind, str] = {
    "left_running": " an hour",
    "resize_forgotten": " an hour",
    "advice_never_suspends": " a day",
}
"""What the figures of the live tier are of, where they are not what is now."""

_NAMED_FOR: Mapping[FindingKind, WatchMetric] = {
    "queueing": "queue_seconds",
    "failing_queries": "failures",
    "retry_storm": "failures",
    "spill": "bytes_spilled",
    "cloud_services": "credits_cloud_services",
}
"""The figure that such a finding is named for; credits, which cost most, may lead it all the same."""


def headline(record: FindingRecord) -> str:
    """One line, for how long a statement has run included."""
    finding = record.finding
    return words.headline(record, lasted=show(finding.actual, "s") if finding.unit == "s" else "long")


def figures(record: FindingRecord) -> str:
    """What it is, what it was expected to be, and what that costs a day."""
    finding = record.finding
    parts = []
    if finding.actual is not None:
        parts.append(_named_for(record) or _own_words(record, finding.actual, finding.expected) or _expected(record))
    if finding.impact_credits_per_day:
        parts.append(f"{finding.impact_credits_per_day:+,.1f} credits a day")
    return "; ".join(parts)


def _named_for(record: FindingRecord) -> str:
    """'Statements waited' says how long they did, where another figure leads the finding; empty for all others."""
    metric = _NAMED_FOR.get(record.finding.kind)
    if metric is None or metric == record.metric or not record.scope.startswith("billing:"):
        return ""
    title = title_of(metric)
    of = {fact.label: fact for fact in reversed(record.finding.evidence)}
    actual, expected = of.get(title), of.get(f"{title}, expected")
    if actual is None or expected is None:
        return ""
    return f"{title}: {show(actual.value, actual.unit)} in all, expected {show(expected.value, expected.unit)}"


def _own_words(record: FindingRecord, actual: float, expected: float | None) -> str:
    """Of a figure that 'an hour on average, expected' does not suit; empty for all others."""
    metric = record.metric
    if metric in SIZES and actual > 0:
        noun, mean = sizes(actual)
        return f"{show(actual, 'count')} {noun} {SIZES[metric]} than usual{mean}"
    if metric == "longest_statement":
        before = f"; the longest in the weeks before ran for {show(expected, 's')}" if expected else ""
        return f"a statement ran for {show(actual, 's')}{before}"
    if metric == "pace" and expected and actual > expected:
        take = "took" if record.finding.ended_at else "take"
        return f"the same statements {take} {100 * (actual / expected - 1):,.0f} % longer than usual on average"
    return ""


def _expected(record: FindingRecord) -> str:
    finding = record.finding
    each = _EACH.get(finding.kind, "")
    if record.scope.startswith("billing:"):
        each = " on average" if record.scope.endswith(":day") else " an hour on average"
    actual, expected = (show(value, finding.unit) for value in (finding.actual, finding.expected))
    of = f"{words.metric_words(record)}: " if finding.unit == "count" else ""  # a bare number is of nothing
    return f"{of}{actual}{each}" + (f", expected {expected}" if finding.expected is not None else "")


def when(finding: Finding, tz: str) -> str:
    began = show_time(finding.started_at, tz)
    if finding.ended_at:
        return f"from {began} to {show_time(finding.ended_at, tz)}"
    # When a setting was made is not known: only how far back it shows.
    return f"since {began} at least" if finding.kind == "advice_never_suspends" else f"since {began}"


def state_words(record: FindingRecord, tz: str) -> str:
    """new, open, resolved, dismissed by ..., snoozed until ..."""
    finding = record.finding
    if finding.state == "resolved" and record.dismissed and finding.ended_at is None:
        return f"dismissed by {record.by}"
    if finding.state == "snoozed" and record.snoozed_until is not None:
        return f"snoozed until {show_time(record.snoozed_until, tz)}"
    return finding.state


def quiet_words(record: FindingRecord, tz: str, now: datetime | None = None) -> str:
    """Who has asked for quiet, and why; empty where nobody has."""
    if not record.by or not (record.dismissed or record.snoozed_until):
        return ""
    if record.dismissed:
        return f"Dismissed by {record.by}: {record.reason}"
    if now is not None and record.snoozed_until is not None and record.snoozed_until <= now:
        return ""
    until = show_time(record.snoozed_until, tz) if record.snoozed_until else ""
    return f"Snoozed until {until} by {record.by}: {record.reason}"
