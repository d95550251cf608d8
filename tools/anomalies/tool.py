"""`detect_anomalies`: whether anything was odd in a time, what, since when and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tools.anomalies.chart import chart_of
from tools.anomalies.evidence import claim, claim_related
from tools.anomalies.model import AnomaliesArgs, AnomaliesData, AnomalyRow, LookedAt, RelatedRow
from tools.anomalies.series import Watch, Watched, watches_for, witnesses_for
from tools.anomalies.sweep import Candidate, Sweep, candidates
from tools.anomalies.titles import title_of
from tools.anomalies.words import words_of
from tools.context import FilterColumn, ToolContext
from tools.errors import BadArgument, NotAllowed
from tools.facts import FactBook
from tools.history.names import check_people, resolve
from tools.ml.anomaly import FALSE_ALARMS
from tools.quoting import code
from tools.result import Source, ToolResult, Window
from tools.tool import Tool
from tools.usage.span import source_of
from tools.windows.parse import Reading, describe, read_window

__all__ = ["DETECT_ANOMALIES", "detect_anomalies"]

_MOST_RELATED = 4
_MANY_WEEKS = 10
"""From here on series-weeks are told without decimals: '0 series-weeks' would be wrong."""
_CONVENTION = (
    "Odd is what differs from the same hours of the weeks before by more than their usual scatter; month ends, "
    "weekends and holidays are allowed for."
)


def detect_anomalies(context: ToolContext, args: AnomaliesArgs) -> ToolResult[AnomaliesData]:
    """Answer one question about oddities.

    Raises:
        NotAllowed: per-user figures were asked for, and the person's role may not see them.
        BadArgument: the window cannot be read, or no view has that metric by that breakdown.
        UnknownName: a filter names nothing in the account (with the nearest names).
        NoPermission: no view of what was asked for may be read (the hint is the GRANT).
    """
    reader = context.reader
    filters = args.filters.given()
    check_people(context, args.by or "", filters)
    exact = resolve(reader, filters)
    people = context.policy.may_see_text(context.person)
    watches = _watches(args, exact, people)
    witnesses = witnesses_for(watches) if args.metrics else ()
    now = reader.now()
    reading = read_window(args.window, now, reader.account().timezone, now)
    sweep = candidates(
        reader,
        since=reading.window.start,
        until=reading.window.end,
        watches=(*watches, *witnesses),
        filters=exact,
        preferences=context.preferences,
    )
    said = {str(column): list(names) for column, names in exact.items()}
    evidence = tuple(one for one in sweep.watched if one.watch in witnesses)
    return _Report(context, args, _without(sweep, witnesses), reading, said, people, evidence).result()


def _watches(args: AnomaliesArgs, filters: dict[FilterColumn, tuple[str, ...]], people: bool) -> tuple[Watch, ...]:
    found = watches_for(args.metrics, args.by, filters)
    allowed = tuple(watch for watch in found if people or watch.by != "user")
    if not found:
        raise BadArgument(
            "Nothing is watched under that combination of names.", hint="Ask by warehouse, by user or by service."
        )
    if not allowed:
        raise NotAllowed("Figures by user are shown to analysts and above.", rule="per_user_figures")
    return allowed


def _without(sweep: Sweep, witnesses: tuple[Watch, ...]) -> Sweep:
    """Witnesses are in what was found, and not in what was looked at: they raise nothing by themselves."""
    titles = {watch.name for watch in witnesses}
    watched = tuple(one for one in sweep.watched if one.watch not in witnesses)
    refused = {title: error for title, error in sweep.refused.items() if title not in titles}
    until = min(sweep.until, max((one.histories.end for one in watched), default=sweep.until))
    return replace(sweep, watched=watched, refused=refused, until=until)


@dataclass
class _Report:
    context: ToolContext
    args: AnomaliesArgs
    sweep: Sweep
    reading: Reading
    said: dict[str, list[str]]
    people: bool
    evidence: tuple[Watched, ...] = ()
    """What was looked at besides: it raises nothing by itself."""

    def __post_init__(self) -> None:
        self.now = self.context.reader.now()
        self.tz = self.context.reader.account().timezone
        self.book = FactBook(self.now)

    def result(self) -> ToolResult[AnomaliesData]:
        usable = [w for w in self.sweep.watched if w.histories.coverage.first is not None]
        reached = [w for w in usable if w.histories.end > self.reading.window.start]
        if not reached:
            return self._absent(usable)
        found = self.sweep.candidates
        shown = found[: self.args.top]
        window = Window(start=self.reading.window.start, end=self.sweep.until, tz=self.tz)
        figures = self._claim(found, window)
        rows = tuple(self._row(candidate) for candidate in shown)
        data = AnomaliesData(
            rows=rows,
            found=len(found),
            filters=self.said,
            label=self.reading.label,
            asked=self.reading.window,
            convention=" ".join(filter(None, (self.reading.convention, _CONVENTION))),
            notes=tuple(self._notes(reached)),
            looked_at=tuple(_looked(w) for w in reached),
            chart=chart_of(shown[0], self.tz, self.now) if shown else None,
            figures=figures,
        )
        return ToolResult(
            status="ok",
            data=data,
            window=window,
            complete=self.sweep.until >= self.reading.window.end,
            sources=_sources([*reached, *self.evidence]),
            query_ids=tuple(q for w in (*self.sweep.watched, *self.evidence) for q in w.histories.query_ids),
            facts=self.book.facts,
            message=f"{len(found)} findings in {self.sweep.series} series, {self.reading.label} ({describe(window)})",
        )

    def _absent(self, usable: Sequence[Watched]) -> ToolResult[AnomaliesData]:
        """Not loaded yet, or no rows at all: neither means that all is well."""
        if usable:
            until = max(w.histories.end for w in usable)
            why = f"what I watch is loaded up to {until:%Y-%m-%d %H:%M} UTC; this does not mean that all was well"
        else:
            why = "the views that I watch hold no rows"
        return ToolResult(
            status="not_loaded" if usable else "no_data",
            window=self.reading.window,
            complete=False,
            sources=_sources(usable),
            message=f"I cannot say whether anything was odd in {self.reading.label}: {why}.",
            hint="Ask for a window that ends before that, or again later.",
        )

    def _claim(self, found: Sequence[Candidate], window: Window) -> dict[str, str]:
        book, model = self.book, "= findings of tools.ml.anomaly"
        figures = {"found": book.add("findings", len(found), "count", model, window=window)}
        figures["series"] = book.add("series looked at", self.sweep.series, "count", model, window=window)
        until = max(w.histories.coverage.covered_until for w in self.sweep.watched)
        figures["until"] = book.add("looked at up to", self.sweep.until.isoformat(), "time", model)
        figures["covered_until"] = book.add("loaded up to", until.isoformat(), "time", model)
        more = [c for c in found if c.credits is not None and c.is_more]
        if len(more) > 1:
            credits = sum(c.credits or 0.0 for c in more)
            price = self.context.reader.account().credit_price
            figures["credits"] = book.add("credits beyond the expected, all findings", credits, "credits", model)
            figures["usd"] = book.add("cost beyond the expected, all findings", credits * price, "USD", model)
        return figures

    def _row(self, candidate: Candidate) -> AnomalyRow:
        figures = claim(candidate, self.book, self.tz)
        shown = [one for one in candidate.related if self.people or one.watch.by != "user"][:_MOST_RELATED]
        related = claim_related(candidate.also(shown), self.book, self.tz, people=self.people)
        sign = 1 if candidate.is_more else -1
        return AnomalyRow(
            metric=candidate.watch.metric,
            entity=candidate.entity,
            warehouse=candidate.warehouse,
            kind=candidate.kind,
            start=candidate.start,
            end=candidate.end,
            open=candidate.is_open,
            credits=None if candidate.credits is None else sign * candidate.credits,
            words=words_of(candidate),
            figures=figures,
            related=tuple(
                RelatedRow(metric=r.watch.metric, entity=r.entity, kind=r.kind, words=words_of(r), figures=f)
                for r, f in zip(shown, related, strict=True)
            ),
        )

    def _by_chance(self) -> str:
        """How many of the findings chance alone may have raised."""
        given = self.context.preferences.false_alarms
        budget = FALSE_ALARMS if given is None else given
        weeks = self.sweep.series_weeks
        expected = f"about {budget * weeks:.1g} in these {weeks:,.1f} series-weeks"
        if weeks >= _MANY_WEEKS:
            expected = f"about {budget * weeks:.1f} in these {weeks:,.0f} series-weeks"
        return f"Chance alone may raise {budget:g} findings per series and week: {expected}."

    def _notes(self, reached: Sequence[Watched]) -> list[str]:
        notes = [_looked_words(reached, self.evidence), self._by_chance()]
        short = [w for w in reached if w.histories.end - w.histories.start < timedelta(days=14)]
        if short:
            notes.append("Less than two weeks of history: what is usual by weekday is not known yet.")
        for title, error in self.sweep.refused.items():
            hint = f" {code(error.hint)}" if error.hint else ""
            notes.append(f"Not looked at, {title}: {error.message}{hint}")
        if not self.people and self.args.by is None:
            notes.append("Series of single users are left out: your role does not include them.")
        if self.sweep.until < self.reading.window.end:
            notes.append("The last hours are not loaded yet; what happened in them is not known.")
        for plan in self.context.preferences.planned:
            if plan.start < self.sweep.until and plan.end > self.sweep.since:
                where = f" on {code(plan.warehouse)}" if plan.warehouse else ""
                notes.append(f"Planned work{where} is allowed for: {_span(plan.start, plan.end)}.")
        return notes


def _span(start: datetime, end: datetime) -> str:
    return f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"


def _looked(watched: Watched) -> LookedAt:
    histories = watched.histories
    return LookedAt(
        title=watched.watch.title,
        by=watched.watch.by,
        series=len(histories.ids),
        view=histories.view,
        until=histories.end,
    )


def _looked_words(reached: Sequence[Watched], evidence: Sequence[Watched] = ()) -> str:
    """'Looked at: credits used by warehouse (20 series); credits used by service type (4); as evidence: queries'."""
    groups: dict[str, list[Watched]] = {}
    for watched in reached:
        groups.setdefault(watched.watch.by, []).append(watched)
    parts = []
    for by, members in groups.items():
        titles = ", ".join(w.watch.title for w in members)
        whose = "of the account" if by == "total" else f"by {by.replace('_', ' ')}"
        parts.append(f"{titles} {whose} ({sum(len(w.histories.ids) for w in members)} series)")
    if evidence:
        parts.append(f"as evidence: {', '.join(w.watch.title for w in evidence)} by warehouse")
    return f"Looked at: {'; '.join(parts)}."


def _sources(reached: Sequence[Watched]) -> tuple[Source, ...]:
    found: dict[str, Source] = {}
    for watched in reached:
        found.setdefault(watched.histories.view, source_of(watched.histories.coverage))
    return tuple(found.values())


def _one_line(args: AnomaliesArgs) -> str:
    what = ", ".join(title_of(metric) for metric in args.metrics) or "everything watched"
    by = f" by {args.by.replace('_', ' ')}" if args.by else ""
    only = "".join(f", {column} {', '.join(names)}" for column, names in args.filters.given().items())
    return f"oddities in {what}{by}{only}, {args.window}"


DETECT_ANOMALIES: Tool[AnomaliesArgs] = Tool(
    name="detect_anomalies",
    summary=(
        "Whether anything was odd (spikes, lasting steps, drift, silence) in credits, queries, queue time, failures, "
        "spilling, cloud services, by warehouse, user or service, in a window of the past; what was expected, what it "
        "cost, and what belongs together. For 'anything odd since Monday', 'any anomalies in X', 'did queueing spike'."
    ),
    args=AnomaliesArgs,
    run=detect_anomalies,
    one_line=_one_line,
)
