"""The SQL for an administrator: complete, quoted, and no more than is needed."""

from __future__ import annotations

import pytest
import sqlglot

from tools.errors import BadArgument
from tools.warehouse.grants import operator_grants, reader_grants

NAMES = ["ETL", "Ana's wh", 'x"; DROP ROLE "SYSADMIN']


def statements(text: str) -> list[str]:
    code = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [piece.strip() for piece in code.split(";\n") if piece.strip()]


def test_the_reader_may_see_and_never_change() -> None:
    text = reader_grants(NAMES, role="cost_reader", user="bot@example.com")
    assert text.count("GRANT MONITOR ON WAREHOUSE") == len(NAMES)
    assert text.count('GRANT MONITOR EXECUTION ON ACCOUNT TO ROLE "COST_READER";') == 1
    assert 'TO USER "bot@example.com"' in text
    assert 'CREATE ROLE IF NOT EXISTS "COST_READER"' in text
    for word in ("MODIFY", "OPERATE", "MANAGE", "OWNERSHIP", "IMPORTED"):
        assert word not in text
    for role in ("USAGE_VIEWER", "GOVERNANCE_VIEWER"):
        assert f"SNOWFLAKE.{role} " in text
    assert "DEFAULT_SECONDARY_ROLES = ()" in text


def test_the_operator_changes_what_is_listed_and_reads_nothing() -> None:
    text = operator_grants(NAMES, resizable=["ETL"])
    assert text.count("MONITOR, OPERATE ON WAREHOUSE") == len(NAMES)
    assert text.count("GRANT MODIFY ON WAREHOUSE") == 1
    assert "DATABASE ROLE" not in text
    assert operator_grants(NAMES).count("GRANT MODIFY ON WAREHOUSE") == len(NAMES)


@pytest.mark.parametrize("text", [reader_grants(NAMES), operator_grants(NAMES)])
def test_a_hostile_name_adds_no_statement(text: str) -> None:
    for statement in statements(text):
        assert len(sqlglot.parse(statement.removesuffix(";"), dialect="snowflake")) == 1
        kinds = sqlglot.tokenize(statement, dialect="snowflake")
        assert kinds[0].text in ("CREATE", "GRANT", "ALTER")
    assert '"x""; DROP ROLE ""SYSADMIN"' in text


def test_a_name_that_cannot_be_quoted_is_refused() -> None:
    with pytest.raises(BadArgument):
        reader_grants(["a\nb"])
