"""From an outlook to a ToolResult: every figure a fact, every caveat a note, and the chart."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING

from tools.context import UsageReader
from tools.facts import FactBook
from tools.forecast.chart import chart_of
from tools.forecast.fit import Fit, accuracy_words, fit_of, left_out_words
from tools.forecast.model import ForecastArgs, ForecastData, ForecastRow, ModelNote, NotForecast
from tools.forecast.study import Outlook
from tools.history.fetch import NONE, Histories
from tools.history.measures import is_priced, is_stock, title_of, unit_of
from tools.quoting import code
from tools.result import Status, ToolResult, Window
from tools.usage.buckets import bucket_of, buckets, label, next_bucket
from tools.usage.metrics import TimeBucket
from tools.usage.span import source_of
from tools.windows.calendars import localize, zone
from tools.windows.future import Ahead
from tools.windows.parse import describe

if TYPE_CHECKING:
    from tools.ml.forecasting import Total

__all__ = ["Report", "absent"]

_DEFAULT_TOP = 15
_MOST_MODELS = 5
_MOST_REFUSED = 20
_HOURS_SHOWN = 26
_DAYS_SHOWN = 16
_WEEKS_SHOWN = 62


def absent(
    args: ForecastArgs, ahead: Ahead, histories: Histories, said: dict[str, list[str]]
) -> ToolResult[ForecastData]:
    """Nothing to forecast from: not loaded, not kept, or not used at all."""
    coverage, title = histories.coverage, title_of(args.metric)
    book = FactBook(coverage.now)
    figures = {"covered_until": book.add("loaded up to", coverage.covered_until.isoformat(), "time", coverage.view)}
    status: Status = "no_data"
    if coverage.first is None:
        why = f"{coverage.view} holds no rows at all"
    elif histories.start >= histories.end:
        status, why = "not_loaded", f"no whole {histories.step} of {coverage.view} is loaded yet"
    else:
        why = f"{coverage.view} has no usage of it from {localize(histories.start, zone(histories.tz)):%Y-%m-%d} on"
    data = ForecastData(
        metric=args.metric,
        title=title,
        unit=unit_of(args.metric),
        by=args.by,
        step=histories.step,
        row_kind=args.by,
        filters=said,
        label=ahead.label,
        asked=ahead.window,
        convention=ahead.convention,
        figures=figures,
    )
    return ToolResult(
        status=status,
        data=data,
        window=ahead.window,
        complete=False,
        sources=(source_of(coverage),),
        query_ids=histories.query_ids,
        facts=book.facts,
        message=f"Nothing to forecast {title} from for {ahead.label} ({describe(ahead.window)}): {why}.",
        hint="Ask for another metric or name, or again when there is some history.",
    )


class Report:
    """Builds the result of one answered question about the future."""

    def __init__(self, reader: UsageReader, args: ForecastArgs, outlook: Outlook, said: dict[str, list[str]]) -> None:
        self._reader, self._args, self._outlook, self._said = reader, args, outlook, said
        self._title, self._unit = title_of(args.metric), unit_of(args.metric)
        self._ahead, self._histories = outlook.ahead, outlook.histories
        self._window = self._ahead.window
        self._book = FactBook(self._histories.coverage.now)
        self._figures: dict[str, str] = {}
        self._notes: list[str] = []
        self._model = f"= forecast over {self._histories.view}"

    def result(self) -> ToolResult[ForecastData]:
        total = self._outlook.total(self._window.start, self._window.end)
        self._claim_total(total)
        kind, rows, in_all = self._rows()
        fit = fit_of(self._outlook)
        accuracy = self._claim_fit(fit)
        self._claim_times()
        self._note()
        data = ForecastData(
            metric=self._args.metric,
            title=self._title,
            unit=self._unit,
            by=self._args.by,
            step=self._histories.step,
            row_kind=kind,
            filters=self._said,
            label=self._ahead.label,
            asked=self._window,
            convention=" ".join(filter(None, (self._ahead.convention, self._histories.convention))),
            notes=tuple(self._notes),
            rows=rows,
            rows_in_all=in_all,
            models=self._models(),
            refused=tuple(NotForecast(name=n, why=w) for n, w in list(self._outlook.refused.items())[:_MOST_REFUSED]),
            accuracy=accuracy,
            chart=chart_of(self._outlook, self._title, self._unit, self._whose()),
            figures=self._figures,
        )
        low, high = total.intervals[80]
        return ToolResult(
            status="ok",
            data=data,
            window=self._window,
            complete=True,
            sources=(source_of(self._histories.coverage),),
            query_ids=self._histories.query_ids,
            facts=self._book.facts,
            message=f"{self._title}, {self._ahead.label} ({describe(self._window)}): {total.mean:,.6g} "
            f"{self._unit} expected, 80 % interval {low:,.6g} to {high:,.6g}",
        )

    # --- the figures ------------------------------------------------------------------------------------------------

    def _entity(self) -> str | None:
        names = [name for values in self._said.values() for name in values]
        return (names[0] or NONE) if len(names) == 1 else None

    def _whose(self) -> str:
        names = [name or NONE for values in self._said.values() for name in values]
        return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")

    def _add(self, role: str, title: str, value: float | None, source: str | None = None) -> None:
        self._figures[role] = self._book.add(
            title, value, self._unit, source or self._model, entity=self._entity(), window=self._window
        )

    def _claim_total(self, total: Total) -> None:
        title = self._title
        self._add("total", f"{title}, expected", total.mean)
        for level, low, high in ((80, "low", "high"), (95, "low95", "high95")):
            self._add(low, f"{title}, low end of the {level} % interval", total.intervals[level][0])
            self._add(high, f"{title}, high end of the {level} % interval", total.intervals[level][1])
        if self._window.start < self._outlook.begins and not is_stock(self._args.metric):
            known = self._outlook.actual(self._window.start, self._outlook.begins)
            self._add("actual", f"{title}, measured so far", known, self._histories.view)
            formula = f"= {self._figures['total']} - {self._figures['actual']}"
            self._add("ahead", f"{title}, still to come", total.mean - known, formula)
        if is_priced(self._args.metric):
            price = self._reader.account().credit_price
            self._figures["price"] = self._book.add("price of one credit", price, "USD", "account settings")
            self._figures["credits"] = self._book.add(
                "credits, expected",
                total.mean / price,
                "credits",
                f"= {self._figures['total']} / {self._figures['price']}",
                entity=self._entity(),
                window=self._window,
            )

    def _claim_fit(self, fit: Fit | None) -> float | None:
        """How the method fared in the past; the accuracy that may be spoken of, in percent."""
        if fit is None or math.isnan(fit.wape):
            self._notes.append("There is too little history for a backtest: how accurate this is, is not known.")
            return None
        book, source = self._book, "= backtest with rolling origin"
        self._figures["wape"] = book.add("WAPE in the backtest", 100.0 * fit.wape, "%", source)
        accuracy = 100.0 * (1.0 - fit.wape)
        formula = f"= 100 - {self._figures['wape']}"
        self._figures["accuracy"] = book.add("accuracy (one minus WAPE) in the backtest", accuracy, "%", formula)
        if not math.isnan(fit.naive):
            self._figures["naive"] = book.add("WAPE of the seasonal naive forecast", 100.0 * fit.naive, "%", source)
        for level, inside in fit.coverage.items():
            self._figures[f"coverage{level}"] = book.add(
                f"held by the {level} % intervals in the backtest", inside, "%", source
            )
        self._notes.append(accuracy_words(accuracy))
        self._figures["folds"] = book.add("origins of the backtest", fit.folds, "count", source)
        return accuracy

    def _claim_times(self) -> None:
        view, coverage = self._histories.view, self._histories.coverage
        self._figures["from"] = self._book.add("forecast from", self._outlook.begins.isoformat(), "time", view)
        self._figures["covered_until"] = self._book.add(
            "loaded up to", coverage.covered_until.isoformat(), "time", view
        )

    # --- rows --------------------------------------------------------------------------------------------------------

    def _rows(self) -> tuple[str, tuple[ForecastRow, ...], int]:
        if self._args.by == "total":
            kind = self._bucket()
            return kind, self._time_rows(kind), 0
        sums = {name: self._outlook.total(self._window.start, self._window.end, (name,)) for name in self._outlook.ids}
        ordered = sorted(sums, key=lambda name: (-sums[name].mean, name))
        top = self._args.top or _DEFAULT_TOP
        rows = tuple(self._name_row(name, sums[name]) for name in ordered[:top])
        rest = ordered[top:]
        if rest:
            others = self._outlook.total(self._window.start, self._window.end, rest)
            self._add("rest", f"{self._title}, expected of all others", others.mean)
        self._figures["groups"] = self._book.add("names with a forecast", len(ordered), "count", self._model)
        return self._args.by, rows, len(ordered)

    def _name_row(self, name: str, total: Total) -> ForecastRow:
        test = self._outlook.panel.backtests.get(name)
        wape = None if test is None or math.isnan(test.wape) else 100.0 * test.wape
        return self._row(name, None, name, self._window, total, wape)

    def _bucket(self) -> TimeBucket:
        days = (self._window.end - self._window.start).total_seconds() / 86_400
        if self._ahead.hourly and days <= _HOURS_SHOWN / 24:
            return "hour"
        if days <= _DAYS_SHOWN:
            return "day"
        return "week" if days <= _WEEKS_SHOWN else "month"

    def _time_rows(self, bucket: TimeBucket) -> tuple[ForecastRow, ...]:
        tz = zone(self._window.tz)
        rows = []
        for start in buckets(self._window, bucket, tz):
            begins, ends = max(start, self._window.start), min(next_bucket(start, bucket, tz), self._window.end)
            if ends <= self._histories.start:
                continue  # not a zero: nothing is known of it
            window = Window(start=begins, end=ends, tz=self._window.tz)
            key = label(bucket_of(begins, bucket, tz) if bucket != "week" else begins, bucket)
            rows.append(self._row(key, begins, key, window, self._outlook.total(begins, ends), None))
        return tuple(rows)

    def _row(
        self, key: str, start: datetime | None, entity: str, window: Window, total: Total, wape: float | None
    ) -> ForecastRow:
        title, (low, high) = self._title, total.intervals[80]
        figures = {}
        for role, text, value in (
            ("value", f"{title}, expected", total.mean),
            ("low", f"{title}, low end of the 80 % interval", low),
            ("high", f"{title}, high end of the 80 % interval", high),
        ):
            figures[role] = self._book.add(text, value, self._unit, self._model, entity=entity, window=window)
        if wape is not None:
            figures["wape"] = self._book.add("WAPE in the backtest", wape, "%", "= backtest", entity=entity)
        return ForecastRow(key=key, start=start, value=total.mean, low=low, high=high, wape=wape, figures=figures)

    # --- caveats -----------------------------------------------------------------------------------------------------

    def _models(self) -> tuple[ModelNote, ...]:
        """The models of the largest series."""
        means = self._outlook.panel.frame.groupby("unique_id")["mean"].sum().sort_values(ascending=False)
        names = [str(name) for name in means.index[:_MOST_MODELS]]
        choices = self._outlook.panel.choices
        return tuple(ModelNote(name=n, model=choices[n].model, why=choices[n].why) for n in names if n in choices)

    def _note(self) -> None:
        for name in self._histories.two_ids:
            self._notes.append(f"{code(name)} stands for more than one warehouse (dropped and created again).")
        steps = int(self._histories.frame["ds"].nunique())
        first = localize(self._histories.start, zone(self._histories.tz))
        self._notes.append(f"Learned from {steps:,} {self._histories.step}s, from {first:%Y-%m-%d} on.")
        if self._window.start < self._histories.start and self._window.start < self._outlook.begins:
            view = self._histories.view
            self._notes.append(f"{view} begins on {first:%Y-%m-%d}: what was used before is not in these figures.")
        if odd := left_out_words(self._outlook):
            self._notes.append(odd)
        known = steps / (24 if self._histories.step == "hour" else 1)
        if (self._window.end - self._outlook.begins).days > known:
            self._notes.append("The window is longer than the history: a yearly pattern cannot be known from it.")
        if len(self._outlook.refused) > _MOST_REFUSED:
            left = len(self._outlook.refused) - _MOST_REFUSED
            self._notes.append(f"{left} more names are not forecast for the like reasons.")
