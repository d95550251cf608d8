"""Whatever a warehouse is called, one statement comes out and it names exactly that warehouse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import tokenize
from sqlglot.tokens import TokenType

from tools.domain import (
    CancelQuery,
    Change,
    ResizeWarehouse,
    ResumeWarehouse,
    SetAutoSuspend,
    SetClusters,
    Size,
    SuspendWarehouse,
    Warehouse,
)
from tools.errors import BadArgument
from tools.warehouse.statements import parse, quote, render, undo_of, unquote

HOSTILE = [
    'X"; DROP WAREHOUSE "Y',
    "X'; SELECT 1 --",
    "a/*b*/c",
    "--",
    '"',
    '""',
    'x" SUSPEND; ALTER WAREHOUSE "y',
    "naïve wh 数据 🧊",
    "\\",
    "\\'",
    "$$",
    " ",
    "SELECT",
    "a.b",
    "{{x}}",
    "?",
    ":1",
    "x" * 255,
]
names = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=60),
    st.text(alphabet="\"';-/* ()\\a", min_size=1, max_size=40),
)
clusters = st.tuples(st.integers(1, 300), st.integers(1, 300)).map(sorted)
altering = st.one_of(
    st.sampled_from(list(Size)).map(lambda size: ResizeWarehouse(size=size)),
    st.just(SuspendWarehouse()),
    st.just(ResumeWarehouse()),
    st.integers(0, 604_800).map(lambda n: SetAutoSuspend(seconds=n)),
    st.builds(
        lambda pair, policy: SetClusters(min_clusters=pair[0], max_clusters=pair[1], scaling_policy=policy),
        clusters,
        st.sampled_from([None, "STANDARD", "ECONOMY"]),
    ),
)


@given(altering, names)
def test_a_hostile_name_stays_one_identifier_of_one_statement(change: Change, name: str) -> None:
    tokens = tokenize(render(change, name), dialect="snowflake")
    assert [t.text for t in tokens[:2]] == ["ALTER", "WAREHOUSE"]
    assert tokens[2].token_type == TokenType.IDENTIFIER
    assert tokens[2].text == name
    rest = [t for t in tokens if t.token_type in (TokenType.IDENTIFIER, TokenType.SEMICOLON)]
    assert len(rest) == 1
    assert not any(t.comments for t in tokens)


@given(altering, names)
def test_what_is_written_is_read_back(change: Change, name: str) -> None:
    assert parse(render(change, name)) == (change, name)


@given(names)
def test_quoting_is_reversible(name: str) -> None:
    assert unquote(quote(name)) == name


def test_a_cancellation_is_read_back() -> None:
    change = CancelQuery(query_id="01bcb05d-0415-b618-0047-1234567890ab")
    assert parse(render(change, "ETL")) == (change, None)


@pytest.mark.parametrize("name", ["", "x" * 256, "a\nb", "a\x00b", "a\x7fb", "a\u2028b", "a\rb", "a\ud800b"])
def test_names_that_cannot_be_quoted_are_refused(name: str) -> None:
    with pytest.raises(BadArgument):
        render(SuspendWarehouse(), name)


def test_fewer_most_than_least_clusters_are_refused() -> None:
    with pytest.raises(BadArgument):
        render(SetClusters(min_clusters=3, max_clusters=2), "ETL")


@pytest.mark.parametrize(
    "text",
    [
        'DROP WAREHOUSE "X"',
        'ALTER WAREHOUSE "X" SUSPEND; DROP WAREHOUSE "X"',
        'ALTER WAREHOUSE "X" SUSPEND ',
        'ALTER WAREHOUSE "X" SUSPEND\n',
        "ALTER WAREHOUSE X SUSPEND",
        "ALTER WAREHOUSE \"X\" SET WAREHOUSE_SIZE = 'HUGE'",
        'ALTER WAREHOUSE "X" SET AUTO_SUSPEND = 999999999',
        "SELECT SYSTEM$CANCEL_QUERY('x')",
        "SELECT SYSTEM$CANCEL_QUERY('01bcb05d-0415-b618-0047-1234567890ab')--",
        "",
    ],
)
def test_nothing_else_is_read(text: str) -> None:
    with pytest.raises(BadArgument):
        parse(text)


SHOWN = Warehouse(
    name="ETL",
    state="STARTED",
    type="STANDARD",
    size=Size.LARGE,
    min_clusters=1,
    max_clusters=2,
    auto_suspend=None,
    scaling_policy="ECONOMY",
)


@pytest.mark.parametrize(
    ("change", "undo"),
    [
        (ResizeWarehouse(size=Size.MEDIUM), ResizeWarehouse(size=Size.LARGE)),
        (SuspendWarehouse(), ResumeWarehouse()),
        (ResumeWarehouse(), SuspendWarehouse()),
        (SetAutoSuspend(seconds=60), SetAutoSuspend(seconds=None)),
        (SetClusters(min_clusters=1, max_clusters=9), SetClusters(min_clusters=1, max_clusters=2)),
        (
            SetClusters(min_clusters=1, max_clusters=9, scaling_policy="STANDARD"),
            SetClusters(min_clusters=1, max_clusters=2, scaling_policy="ECONOMY"),
        ),
        (CancelQuery(query_id="01bcb05d-0415-b618-0047-1234567890ab"), None),
    ],
)
def test_undo_puts_back_what_was_there(change: Change, undo: Change | None) -> None:
    assert undo_of(change, SHOWN) == undo


def test_no_undo_where_the_old_value_is_not_known() -> None:
    blind = SHOWN.model_copy(update={"size": None, "min_clusters": None})
    assert undo_of(ResizeWarehouse(size=Size.MEDIUM), blind) is None
    assert undo_of(SetClusters(min_clusters=1, max_clusters=9), blind) is None


def test_never_is_zero_and_is_set_not_unset() -> None:
    undo = undo_of(SetAutoSuspend(seconds=60), SHOWN)
    assert undo is not None
    assert render(undo, "ETL") == 'ALTER WAREHOUSE "ETL" SET AUTO_SUSPEND = 0'
