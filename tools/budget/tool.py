"""`budget`: what the running month, quarter, year or contract will come to, and whether that is too much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tools.budget.chart import chart_of
from tools.budget.course import course_of
from tools.budget.model import BudgetArgs, BudgetData
from tools.budget.terms import Term, term_of
from tools.context import ToolContext
from tools.errors import BadArgument
from tools.facts import FactBook
from tools.forecast.fit import accuracy_words, fit_of, left_out_words
from tools.forecast.study import Outlook, look_ahead
from tools.history.fetch import Histories
from tools.history.measures import SeriesMetric, title_of
from tools.history.names import check_people, resolve
from tools.result import ToolResult, Unit, Window
from tools.tool import Tool
from tools.usage.span import source_of
from tools.windows.calendars import localize, zone
from tools.windows.parse import describe

__all__ = ["BUDGET", "budget"]

Verdict = Literal["over", "likely_over", "open", "likely_within", "within", "not_known", "no_budget"]
_VERDICTS: tuple[tuple[float, Verdict], ...] = (
    (97.5, "over"),
    (80.0, "likely_over"),
    (20.0, "open"),
    (2.5, "likely_within"),
    (-1.0, "within"),
)
_WITHOUT = "No amount is set: name one, or set monthly_usd or monthly_credits under [budget] in the profile."


def budget(context: ToolContext, args: BudgetArgs) -> ToolResult[BudgetData]:
    """Answer one question about a budget or the contract.

    Raises:
        NotAllowed: figures by user were asked for, and the person's role may not see them.
        BadArgument: no contract is set, or the history does not reach.
        UnknownName: a filter names nothing in the account (with the nearest names).
        NoPermission: Frostline's role may not read the view (the hint is the GRANT).
    """
    filters = args.filters.given()
    check_people(context, "total", filters)
    reader = context.reader
    term = term_of(args, context.preferences, reader.now(), reader.account().timezone)
    exact = resolve(reader, filters)
    metric: SeriesMetric = "cost" if term.unit == "USD" else "credits"
    found = look_ahead(reader, context.preferences, metric, "total", exact, term.ahead, step="day", clip=True)
    if not isinstance(found, Outlook) or not found.ids:
        histories = found if isinstance(found, Histories) else found.histories
        return _absent(term, histories)
    said = {str(column): list(names) for column, names in exact.items()}
    return _Report(args, term, found, said).result()


def _absent(term: Term, histories: Histories) -> ToolResult[BudgetData]:
    """Nothing to project from is no projection of nothing."""
    empty = histories.coverage.first is None
    return ToolResult(
        status="no_data" if empty else "not_loaded",
        window=term.ahead.window,
        complete=False,
        sources=(source_of(histories.coverage),),
        message=f"I cannot project {term.ahead.label}: {histories.view} has no whole day to project from.",
        hint="Ask again when there is some history.",
    )


@dataclass
class _Report:
    args: BudgetArgs
    term: Term
    outlook: Outlook
    said: dict[str, list[str]]

    def __post_init__(self) -> None:
        histories = self.outlook.histories
        asked = self.term.ahead.window
        if histories.start > asked.start:
            self._check_known(histories, asked)
        self.book = FactBook(histories.coverage.now)
        self.title = title_of("cost" if self.term.unit == "USD" else "credits")
        self.course = course_of(self.outlook, self.term.before)
        self.clipped = self.outlook.ahead.window.end < asked.end
        self.figures: dict[str, str] = {}
        self.notes: list[str] = []
        self.days: dict[str, str] = {}

    def _check_known(self, histories: Histories, asked: Window) -> None:
        """A contract whose beginning the view does not hold: what is used of it would be too little."""
        if self.args.period != "contract":
            return
        first = localize(histories.start, zone(histories.tz)).date()
        begins = localize(asked.start, zone(asked.tz)).date()
        raise BadArgument(
            f"{histories.view} begins on {first}, after the term does ({begins}): what was used before is not in it.",
            hint="Set contract_used and contract_used_on under [budget] in the profile, from the last bill.",
        )

    def result(self) -> ToolResult[BudgetData]:
        window = self.term.ahead.window
        self._claim_course(window)
        percent = self._claim_amount(window)
        runs_out = self._claim_date()
        self._claim_fit()
        self._note()
        histories = self.outlook.histories
        data = BudgetData(
            period=self.args.period,
            unit=self.term.unit,
            title=self.title,
            filters=self.said,
            label=self.term.ahead.label,
            asked=window,
            convention=" ".join(filter(None, (self.term.ahead.convention, histories.convention))),
            notes=tuple(self.notes),
            verdict=self._verdict(percent),
            overrun_percent=percent,
            runs_out_at=runs_out,
            days=self.days,
            chart=chart_of(self.outlook, self.course, self.term, self.title),
            figures=self.figures,
        )
        return ToolResult(
            status="ok",
            data=data,
            window=window,
            complete=not self.clipped,
            sources=(source_of(histories.coverage),),
            query_ids=histories.query_ids,
            facts=self.book.facts,
            message=f"{self.title}, {self.term.ahead.label} ({describe(window)}): {self.course.last.mean:,.6g} "
            f"{self.term.unit} expected" + (f" of {self.term.amount:,.6g}" if self.term.amount else ""),
        )

    def _verdict(self, percent: float | None) -> Verdict:
        if percent is None:
            return "no_budget"
        verdict = next(name for least, name in _VERDICTS if percent > least)
        cut = self.outlook.histories.start > self.term.ahead.window.start
        return "not_known" if cut and verdict not in ("over", "likely_over") else verdict

    # --- figures -----------------------------------------------------------------------------------------------------

    def _add(self, role: str, label: str, value: float | str | None, unit: Unit, source: str, window: Window) -> None:
        names = [name for values in self.said.values() for name in values]
        entity = names[0] if len(names) == 1 else None
        self.figures[role] = self.book.add(label, value, unit, source, entity=entity, window=window)

    def _claim_course(self, window: Window) -> None:
        unit, view, last = self.term.unit, self.outlook.histories.view, self.course.last
        model = f"= forecast over {view}"
        known = self.term.before + self.outlook.actual(window.start, self.outlook.begins)
        reach = Window(start=window.start, end=last.until, tz=window.tz)
        self._add("actual", f"{self.title}, measured so far", known, unit, view, window)
        self._add("total", f"{self.title}, expected by then", last.mean, unit, model, reach)
        formula = f"= {self.figures['total']} - {self.figures['actual']}"
        self._add("ahead", f"{self.title}, still to come", last.mean - known, unit, formula, reach)
        for role, label, value in (
            ("low", "low end of the 80 % interval", last.low),
            ("high", "high end of the 80 % interval", last.high),
            ("low95", "low end of the 95 % interval", last.low95),
            ("high95", "high end of the 95 % interval", last.high95),
        ):
            self._add(role, f"{self.title}, {label}", value, unit, model, reach)
        self._add("a_day", f"{self.title}, expected a day from here", self.course.a_day(), unit, model, reach)

    def _claim_amount(self, window: Window) -> float | None:
        """Budget, difference and probability; None without an amount."""
        amount = self.term.amount
        if amount is None:
            return None
        unit, last = self.term.unit, self.course.last
        self._add("budget", "budget", amount, unit, self.term.where_from, window)
        difference = f"= {self.figures['total']} - {self.figures['budget']}"
        self._add("difference", "expected against the budget", last.mean - amount, unit, difference, window)
        share = f"= {self.figures['actual']} of {self.figures['budget']}"
        used = self.term.before + self.outlook.actual(window.start, self.outlook.begins)
        self._add("share", "used of the budget so far", 100.0 * used / amount, "%", share, window)
        chance = self.outlook.probability_above(amount - self.term.before, window.start, last.until)
        source = f"= forecast over {self.outlook.histories.view}"
        self._add("overrun", "probability of running over", 100.0 * chance, "%", source, window)
        return 100.0 * chance

    def _claim_date(self) -> datetime | None:
        """The day on which the expected course passes the amount, and between which days it may."""
        amount = self.term.amount
        if amount is None:
            return None
        days = {"runs_out": "mean", "earliest": "high", "latest": "low"}
        found = {role: self.course.passes(amount, of) for role, of in days.items()}
        if found["runs_out"] is None and self.clipped:
            found["runs_out"] = self._straight_on(amount)
        labels = {"runs_out": "budget used up", "earliest": "at the earliest", "latest": "at the latest"}
        for role, moment in found.items():
            if moment is not None:
                self.days[role] = (moment - timedelta(seconds=1)).date().isoformat()
                source = f"= forecast over {self.outlook.histories.view}"
                self.figures[role] = self.book.add(labels[role], self.days[role], "name", source)
        return found["runs_out"]

    def _straight_on(self, amount: float) -> datetime | None:
        """Past the reach of the forecast at its own pace, up to the end of the term."""
        pace, last = self.course.a_day(), self.course.last
        if pace <= 0:
            return None
        moment = last.until + timedelta(days=(amount - last.mean) / pace)
        if moment >= self.term.ahead.window.end:
            return None
        self.notes.append("The day lies past the reach of the forecast; it is worked out at the forecast's own pace.")
        return moment

    def _claim_fit(self) -> None:
        fit = fit_of(self.outlook)
        if fit is None or fit.wape != fit.wape:
            return
        self.figures["wape"] = self.book.add("WAPE in the backtest", 100 * fit.wape, "%", "= backtest")
        accuracy = 100.0 * (1.0 - fit.wape)
        formula = f"= 100 - {self.figures['wape']}"
        self.figures["accuracy"] = self.book.add("accuracy (one minus WAPE) in the backtest", accuracy, "%", formula)
        self.notes.append(f"By the day: {accuracy_words(accuracy)}")

    def _note(self) -> None:
        histories, window = self.outlook.histories, self.term.ahead.window
        if self.term.amount is None:
            self.notes.append(_WITHOUT)
        if self.clipped:
            until = localize(self.course.last.until, zone(window.tz)) - timedelta(seconds=1)
            self.notes.append(f"The history allows a forecast up to {until.date()}; the term ends later.")
        if histories.start > window.start:
            first = localize(histories.start, zone(histories.tz)).date()
            self.notes.append(f"{histories.view} begins on {first}; what was used before is not in these figures.")
        if odd := left_out_words(self.outlook):
            self.notes.append(odd)
        view = histories.view
        self.figures["from"] = self.book.add("forecast from", self.outlook.begins.isoformat(), "time", view)
        self.figures["covered_until"] = self.book.add(
            "loaded up to", histories.coverage.covered_until.isoformat(), "time", view
        )


def _one_line(args: BudgetArgs) -> str:
    amount = f" against {args.amount:,.0f} {args.unit}" if args.amount is not None else ""
    return f"projection of {args.window or f'the {args.period}'}{amount}"


BUDGET: Tool[BudgetArgs] = Tool(
    name="budget",
    summary=(
        "Whether a budget holds: what the running month, quarter or year comes to by its end (measured so far plus "
        "forecast, with an interval), the probability of running over, and the day on which the budget is used up; or "
        "the burn-down of the capacity contract. For 'are we on track', 'will we stay under 5000 dollars', 'when does "
        "the contract run out'."
    ),
    args=BudgetArgs,
    run=budget,
    one_line=_one_line,
)
