"""`run_forecast`: what a metric will come to in a window of the future."""

from __future__ import annotations

from tools.context import ToolContext
from tools.errors import BadArgument
from tools.forecast.model import ForecastArgs, ForecastData
from tools.forecast.report import Report, absent
from tools.forecast.study import Outlook, look_ahead
from tools.history.measures import title_of
from tools.history.names import check_people, resolve
from tools.result import ToolResult
from tools.tool import Tool
from tools.windows.future import read_future

__all__ = ["RUN_FORECAST", "run_forecast"]


_BY_UTC_DAY = ("credits_billed", "cost_billed", "storage_bytes")


def run_forecast(context: ToolContext, args: ForecastArgs) -> ToolResult[ForecastData]:
    """Answer one question about the future.

    Raises:
        NotAllowed: per-user figures, and the person's role may not see them.
        BadArgument: no view has that metric by that breakdown, the window cannot be read or reaches too far.
        UnknownName: a filter names nothing in the account (with the nearest names).
        NoPermission: Frostline's role may not read the view (the hint is the GRANT).
    """
    filters = args.filters.given()
    check_people(context, args.by, filters)
    reader = context.reader
    ahead = read_future(args.window, reader.now(), _zone(context, args))
    exact = resolve(reader, filters)
    said = {str(column): list(names) for column, names in exact.items()}
    found = look_ahead(reader, context.preferences, args.metric, args.by, exact, ahead)
    if not isinstance(found, Outlook):
        return absent(args, ahead, found, said)
    if not found.ids:
        why = next(iter(found.refused.values()), "there is too little history")
        raise BadArgument(
            f"I cannot forecast that: {why}.", hint="Ask for a total, or again when there is more history."
        )
    return Report(reader, args, found, said).result()


def _zone(context: ToolContext, args: ForecastArgs) -> str:
    """Billed figures and storage are by UTC day, whatever the account's zone is."""
    return (
        "UTC"
        if args.metric in ("credits_billed", "cost_billed", "storage_bytes")
        else context.reader.account().timezone
    )


def _one_line(args: ForecastArgs) -> str:
    by = f" by {args.by.replace('_', ' ')}" if args.by != "total" else ""
    only = "".join(f", {column} {', '.join(names)}" for column, names in args.filters.given().items())
    return f"forecast of {title_of(args.metric)}{by}{only}, {args.window}"


RUN_FORECAST: Tool[ForecastArgs] = Tool(
    name="run_forecast",
    summary=(
        "Forecast of credits, cost, queries or another usage figure for a time to come (tomorrow, next 14 days, next "
        "month, by the end of the month), as a total or by warehouse, user, service, ...; with an interval, how good "
        "it was in a backtest, and a chart. For what the future brings; for a budget use `budget`."
    ),
    args=ForecastArgs,
    run=run_forecast,
    one_line=_one_line,
)
