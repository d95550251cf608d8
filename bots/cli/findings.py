"""`frostline findings ...`: what scans have found, and what people say about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from bots.cli.opening import opened
from bots.cli.output import Output
from bots.cli.scan import findings_table
from tools.errors import BadArgument

if TYPE_CHECKING:
    from agent.runtime import Runtime
    from agent.store import FindingEvent
    from tools.finding import FindingRecord, FindingState

__all__ = ["dismiss_finding", "finding_json", "list_findings", "show_finding", "snooze_finding"]

_ALL = 100_000
_STATES: dict[str, tuple[FindingState, ...] | None] = {
    "open": ("new", "open"),
    "snoozed": ("snoozed",),
    "resolved": ("resolved",),
    "all": None,
}


def finding_json(record: FindingRecord, events: tuple[FindingEvent, ...] | None = None) -> dict[str, Any]:
    """The finding of the contract, and what people have said about it."""
    said = {
        "finding": record.finding.model_dump(mode="json"),
        "confidence": record.confidence,
        "snoozed_until": record.snoozed_until,
        "dismissed": record.dismissed,
        "reason": record.reason,
        "by": record.by or None,
        "seen_at": record.seen_at,
    }
    if events is None:
        return said
    history = [
        {"at": e.at, "as_of": e.as_of, "event": e.event, "actor": e.actor, "detail": e.detail or None} for e in events
    ]
    return said | {"events": history}


def list_findings(out: Output, profile: str | None, state: str, warehouse: str | None, limit: int) -> None:
    from agent.scan.run import weightiest

    with out.edge():
        if state not in _STATES:
            raise BadArgument(f"{state[:40]!r} is not a state.", hint=f"States: {', '.join(_STATES)}.")
        with opened(out, profile) as runtime:
            now, store = runtime.reader.now(), runtime.store.findings
            found = store.list(_STATES[state], now=now, limit=_ALL)  # cut below, by weight
            last, tz = store.last_scan(), runtime.account.timezone
        if warehouse is not None:
            found = tuple(r for r in found if (r.finding.warehouse or "").casefold() == warehouse.casefold())
        found = tuple(sorted(found, key=weightiest))[:limit]
        if out.as_json:
            stamp = last.model_dump(mode="json") if last else None
            out.json({"findings": [r.finding.model_dump(mode="json") for r in found], "last_scan": stamp})
            return
        if last is None:
            out.say("No scan has run yet: frostline scan --once")
            return
        if not found:
            on = f" on {warehouse}" if warehouse is not None else ""
            out.say(f"No finding{on} is {state}." if state != "all" else f"No findings{on}.")
        findings_table(out, found, tz)


def show_finding(out: Output, profile: str | None, ref: str) -> None:
    with out.edge():
        with opened(out, profile) as runtime:
            store = runtime.store.findings
            record = store.get(ref)
            events, tz = store.events(record.id), runtime.account.timezone
        if out.as_json:
            out.json(finding_json(record, events))
        else:
            _show(out, record, events, tz)


def _show(out: Output, record: FindingRecord, events: tuple[FindingEvent, ...], tz: str) -> None:
    from agent.replies.figures import show, show_time
    from agent.replies.finding_words import figures, headline, kind_words, quiet_words, state_words, when

    finding = record.finding
    rows: list[tuple[str, object]] = [
        ("finding", finding.id),
        ("what", headline(record)),
        ("kind", kind_words(finding.kind)),
        ("severity", f"{finding.severity} (confidence {record.confidence:.0%})"),
        ("state", state_words(record, tz)),
        ("when", when(finding, tz)),
        ("figures", figures(record)),
        (
            "first to be seen",
            f"{show_time(finding.detected_at, tz)}; in the account {show_time(finding.visible_at, tz)}",
        ),
    ]
    if quiet := quiet_words(record, tz):
        rows.append(("quiet", quiet))
    if finding.practice:
        rows.append(("practice", f'{finding.practice}: frostline knowledge search "{finding.practice}"'))
    if finding.draft:
        rows.append(("could be asked for", finding.draft.ask))
    out.table(("", ""), rows)
    out.say()
    facts = [(f.label, f.entity, show(f.value, f.unit, tz).strip("`"), f.source) for f in finding.evidence]
    out.table(("evidence", "of", "value", "source"), facts)
    out.say()
    shown = [(show_time(e.at, tz), e.event, e.actor, e.detail) for e in events]
    out.table(("at", "event", "by", "detail"), shown)


def snooze_finding(
    out: Output, profile: str | None, ref: str, until: str | None, length: str | None, reason: str, person: str | None
) -> None:
    from agent.proactive import snooze

    with out.edge():
        with opened(out, profile) as runtime:
            by = runtime.person(person)
            record = snooze(runtime, ref, _until(runtime, until, length), reason, by)
            tz = runtime.account.timezone
        _said(out, record, tz)


def _until(runtime: Runtime, until: str | None, length: str | None) -> datetime:
    """Account time; what is written without an offset is the account's local time, as in every question.

    Raises:
        BadArgument: neither or both are given, or one cannot be read.
    """
    from agent.durations import duration_of
    from tools.windows.calendars import localize, zone

    if (until is None) == (length is None):
        raise BadArgument("Say how long: --for 2d, or --until 2026-12-01.")
    if length is not None:
        return runtime.reader.now() + duration_of(length, least=timedelta(minutes=1))
    try:
        read = datetime.fromisoformat(cast(str, until))
    except ValueError:
        raise BadArgument(f"{cast(str, until)[:40]!r} is not a time.", hint="E.g. 2026-12-01T09:00+00:00.") from None
    tz = zone(runtime.account.timezone)
    return read if read.tzinfo else localize(read.replace(tzinfo=tz), tz)


def dismiss_finding(out: Output, profile: str | None, ref: str, reason: str, person: str | None) -> None:
    from agent.proactive import dismiss

    with out.edge():
        with opened(out, profile) as runtime:
            record = dismiss(runtime, ref, reason, runtime.person(person))
            tz = runtime.account.timezone
        _said(out, record, tz)


def _said(out: Output, record: FindingRecord, tz: str) -> None:
    from agent.replies.finding_words import headline, state_words

    if out.as_json:
        out.json(finding_json(record))
    else:
        out.say(f"{record.id} {state_words(record, tz)}: {headline(record)}")
