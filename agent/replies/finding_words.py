"""A finding in words: headline, figures, when. Plain text; who draws it makes names from the account literal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from agent.replies.figures import show, show_time
from tools.finding import Finding, FindingKind, FindingRecord
from tools.findings import words
from tools.findings.words import kind_words

__all__ = ["figures", "headline", "kind_words", "quiet_words", "state_words", "when"]

_EACH: Mapping[FindingKind, str] = {
    "left_running": " an hour",
    "resize_forgotten": " an hour",
    "advice_never_suspends": " a day",
}
"""What the figures of the live tier are of, where they are not what is now."""


def headline(record: FindingRecord) -> str:
    """One line, for how long a statement has run included."""
    finding = record.finding
    return words.headline(record, lasted=show(finding.actual, "s") if finding.unit == "s" else "long")


def figures(record: FindingRecord) -> str:
    """What it is, what it was expected to be, and what that costs a day."""
    finding = record.finding
    parts = []
    each = _EACH.get(finding.kind, "")
    if record.scope.startswith("billing:"):
        level = record.scope.endswith(":day") or record.metric.startswith("size_")
        each = " on average" if level else " an hour on average"
    if finding.actual is not None:
        actual, expected = (show(value, finding.unit) for value in (finding.actual, finding.expected))
        of = f"{words.metric_words(record)}: " if finding.unit == "count" else ""  # a bare number is of nothing
        parts.append(f"{of}{actual}{each}" + (f", expected {expected}" if finding.expected is not None else ""))
    if finding.impact_credits_per_day:
        parts.append(f"{finding.impact_credits_per_day:+,.1f} credits a day")
    return "; ".join(parts)


def when(finding: Finding, tz: str) -> str:
    began = show_time(finding.started_at, tz)
    return f"from {began} to {show_time(finding.ended_at, tz)}" if finding.ended_at else f"since {began}"


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
