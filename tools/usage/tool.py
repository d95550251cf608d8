"""`query_usage`: credits, cost, queries, bytes, queueing and failures by anything, over any window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from tools.context import FilterColumn, ToolContext, UsageReader
from tools.errors import BadArgument, NotAllowed, UnknownName
from tools.names import find, usage_warehouse
from tools.quoting import code
from tools.result import ToolResult
from tools.tool import Tool
from tools.usage.fetch import Fetch
from tools.usage.metrics import BY_TIME, METRICS, SOURCE_VIEW, Recipe, choose
from tools.usage.model import UsageArgs, UsageData, UsageFilters, UsageRow
from tools.usage.report import Report, absent
from tools.usage.span import AnsweredSpan, span_of, view_coverage

__all__ = ["QUERY_USAGE", "UsageArgs", "UsageData", "UsageFilters", "UsageRow", "query_usage"]

NONE_NAMES = ("", "(none)", "none", "null")
_NAMES_BACK = timedelta(days=365)
_MOST_NAMES = 5000
_MOST_TAGS = 4000
_WITH_IDLE = "Idle time is included: each warehouse's compute credits, spread by the share of its attributed queries."


def query_usage(context: ToolContext, args: UsageArgs) -> ToolResult[UsageData]:
    """Answer one usage question.

    Raises:
        NotAllowed: per-user figures, and the person's role may not see them.
        BadArgument: no view has that metric by that breakdown, or the window cannot be read.
        UnknownName: a filter names nothing in the account (with the nearest names).
        NoPermission: Frostline's role may not read the view (the hint is the GRANT).
    """
    filters = args.filters.given()
    _check_people(context, args, filters)
    reader = context.reader
    recipe, notes = _recipe(reader, args, list(filters))
    span = span_of(args.window, view_coverage(reader, recipe), recipe, reader.account().timezone)
    exact, said = _resolve(reader, filters, span, notes)
    if span.window is None:
        return absent(args, span, said)
    spread = args.include_idle and recipe.source == "attribution"
    fetch = Fetch(reader, recipe, args.by, exact, args.ascending, spread)
    report = Report(reader, args, recipe, span, fetch, notes, said)
    return report.result()


def _check_people(context: ToolContext, args: UsageArgs, filters: dict[FilterColumn, list[str]]) -> None:
    if (args.by == "user" or "user" in filters) and not context.policy.may_see_text(context.person):
        raise NotAllowed(
            "Figures by user are shown to analysts and above; your role does not include them.",
            rule="per_user_figures",
            hint="Ask by warehouse, role, database or service type instead, or ask an admin for the analyst role.",
        )


def _recipe(reader: UsageReader, args: UsageArgs, filters: Sequence[str]) -> tuple[Recipe, list[str]]:
    """The view to ask; the account's own services view may be missing from an export."""
    recipe = choose(args.metric, args.by, filters)
    notes: list[str] = []
    if recipe.source == "services" and args.by != "service_type" and not filters:
        fallback = next((r for r in METRICS[args.metric].recipes if r.source == "metering"), None)
        empty = reader.coverage(SOURCE_VIEW["services"]).first is None
        if fallback is not None and empty and reader.coverage(SOURCE_VIEW["metering"]).first is not None:
            recipe = fallback
            notes.append(
                "METERING_HISTORY is empty here, so this is warehouses only; serverless services are not in it."
            )
    if args.include_idle:
        recipe = _including_idle(recipe, args, filters)
    return recipe, notes


def _including_idle(recipe: Recipe, args: UsageArgs, filters: Sequence[str]) -> Recipe:
    if recipe.source != "attribution":
        return recipe  # metered credits hold idle time already
    if args.by in ("total", "warehouse", *BY_TIME) and set(filters) <= {"warehouse"}:
        return Recipe("metering", ("credits_compute",), convention="Compute credits with idle time.")
    if args.by in ("user", "role", "database", "query_tag", "query_type") and set(filters) <= {"warehouse", args.by}:
        return replace(recipe, convention=_WITH_IDLE)
    raise BadArgument(
        "Idle credits can be spread over one kind of owner at a time.",
        hint="Use include_idle with by=user, role, database, query_tag or query_type and at most a warehouse filter.",
    )


def _resolve(
    reader: UsageReader, filters: dict[FilterColumn, list[str]], span: AnsweredSpan, notes: list[str]
) -> tuple[dict[FilterColumn, tuple[str, ...]], dict[FilterColumn, tuple[str, ...]]]:
    """Exact names for what the person wrote, a year back; and the same as the reply may list them."""
    exact: dict[FilterColumn, tuple[str, ...]] = {}
    said: dict[FilterColumn, tuple[str, ...]] = {}
    for column, names in filters.items():
        found: list[str] = []
        shown: list[str] = []
        for name in names:
            meant = _exact(reader, column, name, span)
            found += meant
            shown += meant if len(meant) == 1 else [name]
            if len(meant) > 1 or (column == "query_tag" and name.casefold() != meant[0].casefold() and meant[0]):
                notes.append(_contained(name, meant))
        exact[column], said[column] = tuple(dict.fromkeys(found)), tuple(dict.fromkeys(shown))
    return exact, said


def _contained(name: str, tags: Sequence[str]) -> str:
    whose = "tag that contains" if len(tags) == 1 else "tags that contain"
    return f"No query tag is exactly {code(name)}: {len(tags)} {whose} it in this window are counted together."


def _exact(reader: UsageReader, column: FilterColumn, name: str, span: AnsweredSpan) -> list[str]:
    if name.strip().casefold() in NONE_NAMES:
        return [""]
    if column == "warehouse":
        return [usage_warehouse(reader, name)]
    now = span.coverage.now
    try:
        return [find(column.replace("_", " "), name, reader.names(column, now - _NAMES_BACK, now, _MOST_NAMES))]
    except UnknownName:
        tags = _tags_with(reader, name, span) if column == "query_tag" else []
        if not tags:
            raise
        return tags


def _tags_with(reader: UsageReader, name: str, span: AnsweredSpan) -> list[str]:
    """Tags are often JSON that people know a word of: those of the window that contain the text.

    Raises:
        BadArgument: more than can be counted together.
    """
    window = span.window or span.asked.window
    start = min(window.start, span.previous.start) if span.previous else window.start
    known = reader.names("query_tag", start, window.end, _MOST_NAMES)
    tags = [tag for tag in known if name.casefold() in tag.casefold()]
    if len(tags) > _MOST_TAGS:
        raise BadArgument(
            f"More than {_MOST_TAGS} query tags contain {code(name)}.", hint="Say a longer part of it, or less time."
        )
    return tags


def _one_line(args: UsageArgs) -> str:
    by = f" by {args.by.replace('_', ' ')}" if args.by != "total" else ""
    only = "".join(f", {column} {', '.join(names)}" for column, names in args.filters.given().items())
    return f"{METRICS[args.metric].title}{by}{only}, {args.window}"


QUERY_USAGE: Tool[UsageArgs] = Tool(
    name="query_usage",
    summary=(
        "Credits (used, compute, cloud services, billed, attributed, idle), cost in USD, number of queries, failures, "
        "bytes, spilling and queueing: as a total, by warehouse, user, role, database, query tag, query type, service "
        "type, or by hour, day, week or month; any window, filters by name, top n, and against the window before."
    ),
    args=UsageArgs,
    run=query_usage,
    one_line=_one_line,
)
