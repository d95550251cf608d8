"""The pages that Frostline brings along: complete, in range, linked, and reading only."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from knowledge.practices import PAGES, Practice, load
from tools.registry import TOOLS
from tools.warehouse.views import ALL_VIEWS, FURTHER_VIEWS

ROOT = Path(__file__).parents[3]
PRACTICES = load()
TOPICS = {
    "cloud services",
    "concurrency",
    "cost",
    "governance",
    "idle",
    "loading",
    "query",
    "serverless",
    "sizing",
    "storage",
    "task",
    "warehouse",
}
SHOWS = {"SHOW WAREHOUSES LIMIT 200"}

each = pytest.mark.parametrize("page", PRACTICES, ids=lambda page: page.id)


def test_there_are_sixty_and_more() -> None:
    assert len(PRACTICES) >= 60
    assert len({page.title.casefold() for page in PRACTICES}) == len(PRACTICES)


def test_topics_are_few_and_each_is_used() -> None:
    assert {topic for page in PRACTICES for topic in page.applies_to} == TOPICS


@each
def test_a_page_is_short_and_dated(page: Practice) -> None:
    prose = " ".join((page.symptom, page.check_note, page.action, page.effect, page.caveat))
    assert 120 <= len(prose.split()) <= 250
    assert len(page.title) <= 90
    assert page.checked >= date(2026, 11, 22)
    assert re.fullmatch(r"experience|arithmetic|(user-guide|sql-reference)(/[a-z0-9_-]+)+", page.source)


@each
def test_a_related_tool_exists(page: Practice) -> None:
    assert page.tool == "" or page.tool in TOOLS


@each
def test_a_check_is_one_reading_statement_with_a_limit(page: Practice) -> None:
    assert "%(" not in page.check and ";" not in page.check
    if page.check in SHOWS:
        return
    (tree,) = sqlglot.parse(page.check, dialect="snowflake")
    assert isinstance(tree, exp.Select)
    assert not list(tree.find_all(exp.DML, exp.DDL, exp.Command))
    assert tree.args.get("limit") is not None
    assert not list(tree.find_all(exp.Star)) or "COUNT(*)" in page.check
    assert not [s for s in tree.find_all(exp.Select) if any(isinstance(e, exp.Star) for e in s.expressions)]
    for column in tree.expressions:
        assert column.output_name, f"{page.id}: a column without a name"


@each
def test_a_check_reads_views_that_are_known_by_their_columns(page: Practice) -> None:
    if page.check in SHOWS:
        return
    tree = sqlglot.parse_one(page.check, dialect="snowflake")
    read = [t for t in tree.find_all(exp.Table) if t.db.upper() == "ACCOUNT_USAGE"]
    assert read or "INFORMATION_SCHEMA.QUERY_HISTORY(" in page.check
    for table in read:
        assert table.catalog == "SNOWFLAKE"
        view = ALL_VIEWS[table.name]
        scope = table.find_ancestor(exp.Select)
        assert scope is not None
        # A history is always bounded in time; what shows the present has no time.
        assert not view.start or view.start.lower() in scope.args["where"].sql().lower(), f"{page.id}: {view.name}"


def test_every_further_view_is_there_for_a_page() -> None:
    text = "\n".join(page.check for page in PRACTICES)
    unread = {name for name in FURTHER_VIEWS if f"ACCOUNT_USAGE.{name}" not in text}
    # Read by pages in their prose, needed to check storage as a whole, or what the scan and people ask about.
    assert unread <= {
        "ANOMALIES_DAILY",
        "CORTEX_ANALYST_USAGE_HISTORY",
        "CORTEX_SEARCH_DAILY_USAGE_HISTORY",
        "DATABASE_REPLICATION_USAGE_HISTORY",
        "DATABASE_STORAGE_USAGE_HISTORY",
        "GRANTS_TO_ROLES",
        "GRANTS_TO_USERS",
        "LOAD_HISTORY",
        "LOCK_WAIT_HISTORY",
        "LOGIN_HISTORY",
        "QUERY_METERING_HISTORY",
        "RESOURCE_MONITORS",
        "ROLES",
        "SERVERLESS_TASK_HISTORY",
        "SESSIONS",
        "STORAGE_USAGE",
        "TABLE_PRUNING_HISTORY",
        "TAG_REFERENCES",
        "TRUST_CENTER_FINDINGS",
        "USERS",
    }


def test_pages_lie_in_a_package_that_the_wheel_carries() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert PAGES.parent.name in wheel["packages"]
    assert "exclude" not in wheel and "only-include" not in wheel
