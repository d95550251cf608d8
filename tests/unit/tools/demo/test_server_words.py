"""Names, strings, wire format and result cache of the demo server, without a server."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from tools.demo.lexer import Reader, first_word
from tools.demo.privileges import check_query
from tools.demo.query import parse
from tools.demo.results import ResultCache, encode
from tools.demo.shown import like_pattern
from tools.demo.sqlerrors import SqlError

NAMES = st.text(min_size=1, max_size=255)


@given(NAMES)
def test_a_quoted_name_is_read_back_exactly(name: str) -> None:
    reader = Reader('ALTER WAREHOUSE "' + name.replace('"', '""') + '" SUSPEND')
    reader.expect("ALTER", "WAREHOUSE")
    assert reader.name() == name
    reader.expect("SUSPEND")
    reader.end()


@given(st.text(max_size=300))
def test_a_string_is_read_back_exactly(text: str) -> None:
    reader = Reader("SET COMMENT = '" + text.replace("\\", "\\\\").replace("'", "''") + "'")
    reader.expect("SET", "COMMENT")
    assert reader.mark("=")
    assert reader.next("string").value == text
    reader.end()


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    first_word(text)
    try:
        reader = Reader(text)
        while reader.peek() is not None:
            reader.next("word", "quoted", "string", "number", "mark")
    except SqlError as error:
        assert error.errno == 8


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_$]{0,20}", fullmatch=True))
def test_an_unquoted_name_folds(name: str) -> None:
    assert Reader(name).name() == name.upper()


@given(st.text(alphabet="ab_c d", max_size=8))
def test_like_without_wildcards_is_equality_but_for_case(text: str) -> None:
    literal = text.replace("_", "\\_")
    assert like_pattern(literal).fullmatch(text.upper())
    assert not like_pattern(literal).fullmatch(text + "x")


TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.lists(st.none() | TIMES, min_size=1, max_size=20), st.sampled_from(["UTC", "America/Los_Angeles"]))
def test_timestamps_travel_exactly_and_null_stays_null(times: list[datetime | None], zone: str) -> None:
    rowtype, rows = encode(pa.table({"T": pa.array(times, pa.timestamp("us", tz=zone))}))
    assert rowtype[0]["type"] == "timestamp_ltz"
    (column,) = pa.ipc.open_stream(base64.b64decode(rows)).read_all().columns
    for sent, got in zip(times, column.to_pylist(), strict=True):
        micros = None if got is None else got["epoch"] * 1_000_000 + got["fraction"] // 1000
        assert micros == (None if sent is None else round(sent.timestamp() * 1_000_000))
        assert got is None or 0 <= got["fraction"] < 1_000_000_000


def test_lists_structs_and_huge_numbers_have_a_wire_form() -> None:
    table = pa.table(
        {
            "L": pa.array([[1, 2], None]),
            "S": pa.array([{"a": datetime(2026, 1, 1, tzinfo=UTC)}, None]),
            "H": pa.array([10**30, None], pa.decimal128(38, 0)),
            "N": pa.nulls(2),
            "U": pa.array([1, None], pa.uint8()),
        }
    )
    rowtype, _ = encode(table)
    assert [c["type"] for c in rowtype] == ["variant", "variant", "fixed", "text", "fixed"]


def test_the_cache_forgets_the_least_recently_used() -> None:
    cache = ResultCache(entries=2, total_bytes=1000)
    small = pa.table({"A": [1]})
    for name in "abc":
        cache.put("u", name, small)
        cache.get("u", "a")
    assert [name for name in "abc" if cache.get("u", name) is not None] == ["a", "c"]
    assert cache.get("another user", "a") is None
    cache.put("u", "large", pa.table({"A": list(range(1000))}))
    assert cache.get("u", "large") is None


PIECES = st.sampled_from(
    ["select 1", "snowflake._raw.clock", "with a as (", ")", "from",
     "union all", "(", "a", '"_RAW".CLOCK', ",", "*",
     "snowflake.account_usage.query_history", "where exists",
     "lateral", "read_csv('/etc/passwd')", "table(", "select *"]
)  # fmt: skip


@given(st.lists(PIECES, min_size=1, max_size=12))
def test_whatever_parses_never_names_raw(pieces: list[str]) -> None:
    sql = " ".join(pieces)
    try:
        tree = parse(sql)
        check_query(tree, "COST_READER", ("SNOWFLAKE", "ACCOUNT_USAGE"), ())
    except SqlError:
        return
    for table in tree.find_all(exp.Table):
        named = (table.catalog, table.db)
        assert named in (("SNOWFLAKE", "ACCOUNT_USAGE"), ("", "")), tree
        assert not isinstance(table.this, exp.Func), tree


@pytest.mark.parametrize("role", ["COST_OPERATOR", "PUBLIC", ""])
def test_other_roles_see_no_view(role: str) -> None:
    with pytest.raises(SqlError, match="does not exist or not authorized"):
        check_query(parse("select 1 from snowflake.account_usage.query_history"), role, (None, None), ())
