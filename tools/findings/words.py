"""A finding in one line of words, without figures. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from tools.anomalies.titles import SIZES, title_of
from tools.finding import FindingKind, FindingRecord
from tools.history.measures import WatchMetric

__all__ = ["headline", "kind_words", "metric_words"]

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
    "login_failures": "More sign-ins fail",
    "storage_growth": "{name} stores more, and faster than usual",
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
_PACE: Mapping[FindingKind, str] = {
    "level_shift": "The same statements {take} longer than usual on {name}",
    "drift": "The same statements {take} longer and longer on {name}",
}
_OTHER = "{kind}: {name}"
_OVER: Mapping[FindingKind, str] = {
    "queueing": "Statements waited on {name}",
    "spill": "{name} ran out of memory: its statements spilled to storage",
    "runaway_query": "A statement ran for {lasted} on {name}",
    "long_running_query": "A statement ran for {lasted} on {name}",
    "failing_queries": "More statements failed on {name}",
    "retry_storm": "Statements failed on {name} and were tried again",
    "resize_forgotten": "{name} was larger than usual",
    "left_running": "{name} was up, and nothing ran on it",
    "cloud_services": "{name} used more cloud services than usual",
    "clustering_storm": "Automatic clustering used more credits than usual",
    "login_failures": "More sign-ins failed",
    "storage_growth": "{name} stored more, and faster than usual",
    "advice_never_suspends": "{name} never suspended, and its idle time was paid",
}
_SERIES_OVER: Mapping[FindingKind, tuple[str, str]] = {
    "spend_spike": ("{metric} of {name} went up", "{metric} of {name} went down"),
    "level_shift": ("{metric} of {name} went up for a while", "{metric} of {name} went down for a while"),
    "drift": ("{metric} of {name} crept up", "{metric} of {name} crept down"),
    "silence": ("{name} was busy where it is usually quiet", "{name} was quiet where it is usually busy"),
    "seasonality_change": ("{name} worked at other hours than usual",) * 2,
    "variance_change": ("{metric} of {name} varied more than usual", "{metric} of {name} varied less than usual"),
}
"""What has ended: 'has stayed so' would be wrong."""


def kind_words(kind: str) -> str:
    return kind.removeprefix("advice_").replace("_", " ")


def metric_words(record: FindingRecord) -> str:
    """The metric's title; of the live tier, its name in words."""
    try:
        title = title_of(cast("WatchMetric", record.metric))
    except KeyError:
        return record.metric.replace("_", " ")
    return title


def _series(record: FindingRecord, over: bool) -> str:
    finding, metric = record.finding, record.metric
    more = (finding.actual or 0.0) >= (finding.expected or 0.0)
    if metric in SIZES and more:
        return f"{{name}} {'was' if over else 'is'} {SIZES[metric]} than usual"
    if metric == "pace" and more and finding.kind in _PACE:
        return _PACE[finding.kind].replace("{take}", "took" if over else "take")
    return (_SERIES_OVER if over else _SERIES)[finding.kind][0 if more else 1]


def headline(record: FindingRecord, *, name: str | None = None, lasted: str = "long") -> str:
    """What it is about. `name`: how the warehouse or object is written; `lasted`: for how long a statement has run."""
    finding = record.finding
    whose = name or finding.warehouse or finding.object or "the account"
    over = finding.ended_at is not None
    if finding.kind in _SERIES:
        text = _series(record, over)
    else:
        text = (_OVER if over else _HEADLINES).get(finding.kind, _OTHER)
    named = text.startswith("{name}") and whose not in ("it", "the account")
    words = {"metric": metric_words(record), "lasted": lasted, "kind": kind_words(finding.kind), "name": whose}
    for key, value in words.items():  # names may hold braces, which str.format would read; they come last
        text = text.replace("{" + key + "}", value)
    return (
        text if named else text[:1].upper() + text[1:]
    )  # a name stays as it is written: `adhoc lab` is not `Adhoc lab`
