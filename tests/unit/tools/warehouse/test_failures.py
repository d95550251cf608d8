"""Every error number that is known means one thing, and no message repeats what Snowflake quoted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snowflake.connector.errors import DatabaseError, OperationalError, ProgrammingError

from tools.errors import (
    BadSettings,
    Bug,
    FrostlineError,
    NoPermission,
    StatementFailed,
    StatementTimedOut,
    Unreachable,
)
from tools.warehouse.failures import Doing, NoCompute, RefusedKey, retry_kind, scrub, translate

READING = Doing("reading QUERY_HISTORY", role="COST_READER", views=("QUERY_HISTORY",))
SECRET = "s3cr3t-literal"


def error(number: int, text: str = f"something about '{SECRET}'") -> ProgrammingError:
    return ProgrammingError(msg=text, errno=number, sqlstate="42000", sfqid="01-a")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (2003, NoPermission),
        (2043, NoPermission),
        (3001, NoPermission),
        (606, NoCompute),
        (604, StatementTimedOut),
        (630, StatementTimedOut),
        (603, StatementFailed),
        (608, StatementFailed),
        (90063, StatementFailed),
        (90064, StatementFailed),
        (90073, StatementFailed),
        (2002, StatementFailed),
        (1003, Bug),
        (904, Bug),
        (250001, Unreachable),
        (250003, Unreachable),
        (251011, Unreachable),
        (290503, Unreachable),
        (290429, Unreachable),
        (580503, Unreachable),
        (390114, Unreachable),
        (390100, BadSettings),
        (390144, RefusedKey),
        (394300, RefusedKey),
        (251006, BadSettings),
        (390201, BadSettings),
        (-1, StatementFailed),
    ],
)
def test_each_number_has_one_meaning(number: int, kind: type[FrostlineError]) -> None:
    found = translate(error(number), READING)
    assert type(found) is kind
    assert SECRET not in f"{found.message} {found.hint}"


def test_the_hint_is_the_grant_that_would_help() -> None:
    assert translate(error(2003), READING).hint == (
        "GRANT DATABASE ROLE SNOWFLAKE.GOVERNANCE_VIEWER TO ROLE COST_READER;"
    )
    altering = Doing("resize warehouse", role="COST_OPERATOR", warehouse='"ETL"', privilege="MODIFY")
    assert translate(error(3001), altering).hint == 'GRANT MODIFY ON WAREHOUSE "ETL" TO ROLE COST_OPERATOR;'


def test_the_number_and_the_query_stay_with_a_failed_statement() -> None:
    found = translate(error(90073), READING)
    assert isinstance(found, StatementFailed)
    assert (found.errno, found.query_id) == (90073, "01-a")


def test_a_login_error_number_may_come_as_text() -> None:
    refused = DatabaseError(msg="Incorrect username or password was specified.", errno=1, sqlstate="08004")
    refused.errno = "390100"  # type: ignore[assignment]  # what some versions of the connector do
    assert type(translate(refused, Doing("user U", signing_in=True))) is BadSettings


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (390112, "reconnect"),
        (390114, "reconnect"),
        (250002, "reconnect"),
        (250001, "later"),
        (251011, "later"),
        (252010, "later"),
        (290503, "later"),
        (290429, "later"),
        (580503, "later"),
        (603, "later"),
        (2003, "never"),
        (3001, "never"),
        (1003, "never"),
        (604, "never"),
        (630, "never"),
        (608, "never"),
        (390100, "never"),
        (251008, "never"),
        (90073, "never"),
    ],
)
def test_what_a_read_may_try_again(number: int, kind: str) -> None:
    assert retry_kind(OperationalError(msg="x", errno=number)) == kind


@given(st.text(max_size=400))
def test_scrubbing_gives_one_short_line_without_what_was_quoted(text: str) -> None:
    found = scrub(text)
    assert "\n" not in found
    assert len(found) <= 160


@pytest.mark.parametrize(
    "text",
    [
        f"Numeric value '{SECRET}' is not recognized",
        f'invalid identifier "{SECRET}"',
        f"unexpected '{SECRET}",
        f"password: {SECRET}",
        f"first line\nSELECT {SECRET}",
    ],
)
def test_quoted_text_and_secrets_do_not_pass(text: str) -> None:
    assert SECRET not in scrub(text)
