"""What is sent: values bound, columns from closed tables, time always bounded."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st

from tools.context import UsageQuery
from tools.errors import BadArgument, Bug
from tools.warehouse.queries import Visibility, bind, coverage_query, names_query, usage_query
from tools.warehouse.views import VIEWS

START = datetime(2026, 10, 1, tzinfo=UTC)
END = datetime(2026, 11, 1, tzinfo=UTC)
ALWAYS = Visibility()
SOURCES = ("metering", "services", "billed", "queries", "attribution")
GROUPS = {
    "metering": ("total", "warehouse"),
    "services": ("total", "service_type", "database"),
    "billed": ("total", "service_type"),
    "queries": ("total", "warehouse", "user", "role", "database", "query_tag", "query_type"),
    "attribution": ("total", "warehouse", "user", "role", "database", "query_tag", "query_type"),
}
ALLOWED = [(source, by) for source in SOURCES for by in GROUPS[source]]


def ask(source: Any, **values: Any) -> UsageQuery:
    return UsageQuery(source, START, END, **values)


@pytest.mark.parametrize(("source", "by"), ALLOWED)
@pytest.mark.parametrize("slot", [None, 1440])
def test_every_question_is_one_bounded_select(source: str, by: Any, slot: int | None) -> None:
    bound = usage_query(ask(source, by=by, slot_minutes=slot), ALWAYS)
    (tree,) = sqlglot.parse(bound.text, dialect="snowflake")
    assert isinstance(tree, sqlglot.exp.Select)
    assert not list(tree.find_all(sqlglot.exp.Star)) or "COUNT(*)" in bound.text
    assert len(list(tree.find_all(sqlglot.exp.Placeholder))) == len(bound.params)
    assert {("TIMESTAMP_LTZ", START), ("DATE", START.date())} & set(bound.params)
    assert {("TIMESTAMP_LTZ", END), ("DATE", END.date())} & set(bound.params)
    assert all(e.alias for e in tree.expressions)
    assert bound.views


@given(st.lists(st.text(max_size=80), min_size=1, max_size=5))
def test_filter_values_are_bound_and_never_text(values: list[str]) -> None:
    bound = usage_query(ask("queries", by="user", filters={"query_tag": tuple(values)}), ALWAYS)
    plain = usage_query(ask("queries", by="user", filters={"query_tag": ("",) * ("" in values) + ("x",)}), ALWAYS)
    kept = [v for v in values if v]
    assert [p for p in bound.params if isinstance(p, str)] == kept
    places = ", ".join("?" * len(kept)) or "NULL"
    assert bound.text == plain.text.replace("IN (?)", f"IN ({places})")


def test_the_empty_string_stands_for_null() -> None:
    both = usage_query(ask("queries", filters={"role": ("", "R")}), ALWAYS)
    assert "(ROLE_NAME IN (?) OR ROLE_NAME IS NULL)" in both.text
    alone = usage_query(ask("queries", filters={"role": ("",)}), ALWAYS)
    assert "(ROLE_NAME IN (NULL) OR ROLE_NAME IS NULL)" in alone.text


def test_cloud_services_only_is_in_totals_and_in_nothing_else() -> None:
    assert "CLOUD_SERVICES_ONLY" not in usage_query(ask("metering"), ALWAYS).text
    assert "CLOUD_SERVICES_ONLY" in usage_query(ask("metering", by="warehouse"), ALWAYS).text
    assert "CLOUD_SERVICES_ONLY" in usage_query(ask("metering", filters={"warehouse": ("A",)}), ALWAYS).text


def test_query_history_is_joined_only_when_it_is_needed() -> None:
    assert usage_query(ask("attribution", by="user"), ALWAYS).views == ("QUERY_ATTRIBUTION_HISTORY",)
    for values in ({"by": "role"}, {"filters": {"database": ("D",)}}):
        assert set(usage_query(ask("attribution", **values), ALWAYS).views) == {
            "QUERY_ATTRIBUTION_HISTORY",
            "QUERY_HISTORY",
        }


@pytest.mark.parametrize(
    "query",
    [
        ask("metering", by="user"),
        ask("billed", by="warehouse"),
        ask("services", filters={"user": ("U",)}),
        ask("billed", slot_minutes=60),
        ask("metering", slot_minutes=7),
        ask("metering", slot_minutes=0),
        ask("metering", slot_minutes=2880),
        ask("metering", order_by="queries"),
        ask("queries", order_by="1; DROP TABLE x"),
        ask("queries", limit=0),
        ask("queries", limit=10**9),
        UsageQuery("queries", END, START),
        UsageQuery("queries", END, END),
    ],
)
def test_what_does_not_fit_is_said(query: UsageQuery) -> None:
    with pytest.raises(BadArgument):
        usage_query(query, ALWAYS)


def test_billed_days_are_those_that_start_in_the_window() -> None:
    hour = timedelta(hours=1)
    bound = usage_query(UsageQuery("billed", START + hour, END - hour), ALWAYS)
    days = [p[1] for p in bound.params if p[0] == "DATE"]
    assert days[:2] == [date(2026, 10, 2), date(2026, 11, 1)]


def test_an_override_hides_what_was_not_visible_at_it() -> None:
    seen = Visibility(END)
    for view in VIEWS.values():
        assert seen.bindings()[f"visible_until_{view.name}"] == END - view.latency
    assert seen.bindings()["visible_day_METERING_DAILY_HISTORY"] == date(2026, 10, 31)
    for source, by in ALLOWED:
        bound = usage_query(ask(source, by=by), seen)
        limits = [p for p in bound.params if p[1] in {END - VIEWS[v].latency for v in bound.views}]
        assert len(limits) == len(bound.views) or source == "billed"


def test_coverage_never_looks_past_now_nor_the_override() -> None:
    view = VIEWS["QUERY_HISTORY"]
    open_end = coverage_query(view, END, START, ALWAYS)
    assert ("TIMESTAMP_LTZ", END) in open_end.params
    hidden = coverage_query(view, END, START, Visibility(END))
    assert ("TIMESTAMP_LTZ", END - view.latency) in hidden.params


def test_every_file_says_what_it_is_for_and_names_no_star() -> None:
    for path in files("tools.warehouse").joinpath("sql").iterdir():
        text = path.read_text(encoding="utf-8")
        assert text.startswith("-- "), path.name
        assert "SELECT *" not in text.upper(), path.name
        if "ACCOUNT_USAGE" in text:
            assert ">= :" in text, f"{path.name} reads a history without a time bound"


def test_values_that_cannot_be_bound_are_our_own_fault() -> None:
    for value in (START.replace(tzinfo=None), object(), {"a": 1}):
        with pytest.raises(Bug):
            bind("live_query", {"query_id": value})
    with pytest.raises(Bug):
        bind("live_query", {})
    for name in ("nope", "../now", "now.sql", ""):
        with pytest.raises(Bug):
            bind(name, {})


def test_names_come_from_closed_tables() -> None:
    for column in ("user", "role", "database", "query_tag", "query_type", "service_type"):
        assert "LIMIT 5" in names_query(column, START, END, 5, ALWAYS).text  # type: ignore[arg-type]
