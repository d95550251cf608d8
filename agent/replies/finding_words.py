"""A finding in words: headline, figures, when. Plain text; who draws it makes names from the account literal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from agent.replies.figures import show, show_time
from tools.finding import Finding, FindingKind, FindingRecord
from tools.usage.metrics import METRICS, Metric

__all__ = ["figures", "headline", "kind_words", "quiet_words", "state_words", "when"]

_HEADLINES: Mapping[FindingKind, str] = {
    "queueing": "Statements wait on {name}",
    "spill": "{name} runs out of memory: its statements spill to storage",
    "runaway_query": "A statement has run for {lasted} on {name}",
    "long_running_query": "A statement has run for {lasted} on {name}",
    "failing_queries": "More statements fail on {name}",
    "retry_storm": "Statements fail on {name} and are tried again",
    "resize_forgotten": "{name} was made larger and has stayed so",
    "left_running": "{name} is up, and nothing runs on it",
    "cloud_services": "{name} uses more cloud services than usual",
    "clustering_storm": "Automatic clustering uses more credits than usual",
    "advice_never_suspends": "{name} never suspends, and its idle time is paid",
}
_SERIES: Mapping[FindingKind, tuple[str, str]] = {
    "spend_spike": ("{metric} of {name} went up", "{metric} of {name} went down"),
    "level_shift": ("{metric} of {name} went up and stayed there", "{metric} of {name} went down and stayed there"),
    "drift": ("{metric} of {name} creep up", "{metric} of {name} creep down"),
    "silence": ("{name} is busy where it is usually quiet", "{name} is quiet where it is usually busy"),
    "seasonality_change": ("{name} works at other hours than usual",) * 2,
    "variance_change": ("{metric} of {name} vary more than usual", "{metric} of {name} vary less than usual"),
}
"""More than expected, less than expected."""
_EACH: Mapping[FindingKind, str] = {
    "left_running": " an hour",
    "resize_forgotten": " an hour",
    "advice_never_suspends": " a day",
}
"""What the figures of the live tier are of, where they are not what is now."""


def kind_words(kind: str) -> str:
    return kind.removeprefix("advice_").replace("_", " ")


def headline(record: FindingRecord) -> str:
    """One line: what it is about, without figures that change from scan to scan (but for how long a statement runs)."""
    finding = record.finding
    name = finding.warehouse or finding.object or "The account"
    if finding.kind in _SERIES:
        more = (finding.actual or 0.0) >= (finding.expected or 0.0)
        text = _SERIES[finding.kind][0 if more else 1]
    else:
        text = _HEADLINES.get(finding.kind, "{kind}: {name}")
    lasted = show(finding.actual, "s") if finding.unit == "s" else ""
    words = {"name": name, "metric": _metric(record), "lasted": lasted, "kind": kind_words(finding.kind)}
    for key, value in words.items():  # names may hold braces: str.format would read them
        text = text.replace("{" + key + "}", value)
    return text[:1].upper() + text[1:]


def _metric(record: FindingRecord) -> str:
    known = METRICS.get(cast("Metric", record.metric))
    return known.title if known is not None else record.metric.replace("_", " ")


def figures(record: FindingRecord) -> str:
    """What it is, what it was expected to be, and what that costs a day."""
    finding = record.finding
    parts = []
    each = " an hour on average" if record.scope.startswith("billing:") else _EACH.get(finding.kind, "")
    if finding.actual is not None:
        actual, expected = (show(value, finding.unit) for value in (finding.actual, finding.expected))
        parts.append(f"{actual}{each}" + (f", expected {expected}" if finding.expected is not None else ""))
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
