"""Spending through a term as a rising line against the budget."""

from __future__ import annotations

from datetime import datetime, timedelta

from tools.budget.course import Course, Step
from tools.budget.terms import Term
from tools.charts import Band, Chart, points, spoken
from tools.forecast.study import Outlook

__all__ = ["chart_of"]

_MINUTE = timedelta(minutes=1)


def chart_of(outlook: Outlook, course: Course, term: Term, title: str) -> Chart:
    """Sums from the beginning of the term, each in the last minute of its day.

    What is expected begins where the measured line ends: the first day to come stands at its own end, a day later.
    """
    known = [step for step in course.steps if step.measured]
    ahead = [step for step in course.steps if not step.measured]
    from_now = [*known[-1:], *ahead] if ahead else []
    times = tuple(_day(step) for step in from_now)
    bands = (
        Band(level=95, time=times, lo=tuple(s.low95 for s in from_now), hi=tuple(s.high95 for s in from_now)),
        Band(level=80, time=times, lo=tuple(s.low for s in from_now), hi=tuple(s.high for s in from_now)),
    )
    name = f"{title[:1].upper()}{title[1:]}, {term.ahead.label}: sum from its first day"
    so_far = known[-1].mean if known else course.before
    limit = f", against a budget of {spoken(term.amount, term.unit)}" if term.amount is not None else ""
    return Chart(
        title=name,
        unit=term.unit,
        timezone=outlook.histories.tz,
        history=points((_day(step), step.mean) for step in known),
        forecast=points((_day(step), step.mean) for step in from_now),
        bands=bands if ahead else (),
        limit=term.amount,
        limit_label="budget",
        source=f"{outlook.histories.view}, as of {outlook.histories.coverage.now:%Y-%m-%d %H:%M} UTC",
        alt=f"Line chart of a rising sum. {name}: {spoken(so_far, term.unit)} so far, "
        f"expected to come to {spoken(course.last.mean, term.unit)} by {course.last.until:%Y-%m-%d}{limit}.",
    )


def _day(step: Step) -> datetime:
    return step.until - _MINUTE
