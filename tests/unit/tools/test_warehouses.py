"""list_warehouses: live rows, the last week, and every rule of what is odd."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from tests.doubles.account import NOW, FrameReader, Roles, WallClock, account, person
from tools.context import ToolContext
from tools.domain import LiveQuery, Size, Warehouse
from tools.errors import NoPermission, UnknownName
from tools.inventory.oddities import odd_about
from tools.inventory.tool import LIST_WAREHOUSES, WarehouseRow, WarehousesArgs, WarehousesData, list_warehouses
from tools.result import ToolResult


def ask(reader: FrameReader, **args: Any) -> ToolResult[WarehousesData]:
    context = ToolContext(
        reader=reader,
        plans=None,  # type: ignore[arg-type]
        policy=Roles(),
        clock=WallClock(),
        person=person("viewer"),
        thread=None,
        new_id=lambda: "id",
    )
    return list_warehouses(context, WarehousesArgs(**args))


def rows(result: ToolResult[WarehousesData]) -> dict[str, WarehouseRow]:
    assert result.data is not None
    return {row.name: row for row in result.data.rows}


@pytest.fixture(scope="module")
def reader() -> FrameReader:
    return account()


def test_every_warehouse_stands_with_its_week_most_credits_first(reader: FrameReader) -> None:
    found = rows(ask(reader))
    assert list(found) == ["ETL_WH", "BI_WH", "FINANCE_WH", "FLEX_WH", "BI_DEV_WH", "data science"]
    assert found["ETL_WH"].credits_7d == pytest.approx(168 * 2.05)
    assert found["BI_DEV_WH"].credits_7d == 0.0
    assert found["ETL_WH"].idle_share_7d == pytest.approx(60.0)
    assert found["FLEX_WH"].idle_share_7d is None


def test_a_used_warehouse_that_is_not_shown_is_listed_with_the_grant(reader: FrameReader) -> None:
    hidden = rows(ask(reader))["FINANCE_WH"]
    assert not hidden.visible
    assert hidden.state is None
    assert hidden.credits_7d == pytest.approx(168 * 0.55)
    assert [odd.kind for odd in hidden.odd] == ["not_visible"]
    assert 'GRANT MONITOR ON WAREHOUSE "FINANCE_WH"' in hidden.odd[0].text


def test_asking_for_the_hidden_one_alone_is_no_permission(reader: FrameReader) -> None:
    with pytest.raises(NoPermission) as caught:
        ask(reader, names=["finance_wh"])
    assert "GRANT MONITOR" in (caught.value.hint or "")


def test_names_states_and_oddness_narrow_the_list(reader: FrameReader) -> None:
    assert list(rows(ask(reader, names=["etl wh"]))) == ["ETL_WH"]
    assert set(rows(ask(reader, state="running"))) == {"ETL_WH", "BI_WH", "FLEX_WH"}
    assert set(rows(ask(reader, state="suspended"))) == {"BI_DEV_WH", "data science"}
    assert "BI_WH" in rows(ask(reader, odd_only=True))
    with pytest.raises(UnknownName):
        ask(reader, names=["nonsense"])


def test_without_the_metering_view_the_live_state_still_answers() -> None:
    result = ask(account(forbidden=frozenset({"metering"})), names=["ETL_WH"])
    assert result.status == "ok"
    assert rows(result)["ETL_WH"].credits_7d is None
    assert result.data is not None
    assert any("not shown" in note for note in result.data.notes)


def test_a_week_that_is_not_wholly_loaded_is_said() -> None:
    result = ask(account(now=datetime(2026, 11, 23, 1, 30, tzinfo=UTC)))
    assert not result.complete


def test_every_figure_of_a_row_is_a_fact(reader: FrameReader) -> None:
    result = ask(reader)
    facts = {fact.id: fact for fact in result.facts}
    for row in rows(result).values():
        for role, fact_id in row.figures.items():
            value = row.size.shown if role == "size" and row.size else getattr(row, role)
            assert facts[fact_id].value == value
            assert facts[fact_id].entity == row.name


BASE: dict[str, Any] = {
    "name": "W",
    "state": "SUSPENDED",
    "type": "STANDARD",
    "size": Size.SMALL,
    "min_clusters": 1,
    "max_clusters": 1,
    "auto_suspend": 60,
    "resource_monitor": "M",
}


@pytest.mark.parametrize(
    ("changes", "credits", "idle", "kinds"),
    [
        ({}, 10.0, 10.0, []),
        ({"auto_suspend": None}, 10.0, None, ["never_suspends"]),
        ({"auto_suspend": 0}, 10.0, None, ["never_suspends"]),
        ({"auto_suspend": 600}, 10.0, None, ["suspends_late"]),
        ({"auto_suspend": 570}, 10.0, None, []),
        ({"auto_suspend": 3610}, 10.0, None, ["suspends_late", "suspend_imprecise"]),
        ({"auto_suspend": 45}, 10.0, None, ["suspend_imprecise"]),
        ({"auto_suspend": 10}, 10.0, None, ["suspend_imprecise"]),
        ({"state": "STARTED"}, 10.0, None, ["running_idle"]),
        ({"state": "STARTED", "running": 1}, 10.0, None, []),
        ({"state": "STARTED", "running": 1, "queued": 3}, 10.0, None, ["queued_now"]),
        ({"min_clusters": 2, "max_clusters": 3}, 10.0, None, ["several_clusters_always"]),
        ({}, 10.0, 50.0, []),
        ({}, 10.0, 50.1, ["mostly_idle"]),
        ({"size": Size.X4LARGE}, 127.9, None, ["large_little_used"]),
        ({"size": Size.X4LARGE}, 128.0, None, []),
        ({"size": Size.XLARGE}, 0.0, None, []),
        ({"resource_monitor": None}, 10.0, None, ["no_monitor"]),
        ({"resource_monitor": "null"}, 10.0, None, ["no_monitor"]),
        ({"type": "ADAPTIVE", "auto_suspend": None, "size": None}, 10.0, None, ["adaptive"]),
    ],
)
def test_what_is_odd(changes: dict[str, Any], credits: float, idle: float | None, kinds: list[str]) -> None:
    assert [odd.kind for odd in odd_about(Warehouse(**(BASE | changes)), credits, idle)] == kinds


@pytest.mark.parametrize("args", [{"sql": "x"}, {"state": "dropped"}, {"names": ["x"] * 21}, {"names": ["x" * 257]}])
def test_arguments_beyond_the_schema_are_refused(args: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WarehousesArgs(**args)


def test_a_call_says_in_words_what_it_asks() -> None:
    assert LIST_WAREHOUSES.one_line(WarehousesArgs(names=["A"], odd_only=True)) == "warehouse A, only what is odd"


def test_one_kind_of_oddness_is_shown_alone(reader: FrameReader) -> None:
    found = rows(ask(reader, odd=["never_suspends"]))
    assert list(found) == ["BI_WH"]
    assert [odd.kind for odd in found["BI_WH"].odd] == ["never_suspends"]


def test_no_monitor_at_all_is_said_once() -> None:
    bare = account()
    bare.shown = tuple(w.model_copy(update={"resource_monitor": None}) for w in bare.shown)
    result = ask(bare)
    assert result.data is not None
    assert "No warehouse has a resource monitor." in result.data.notes
    assert not any(odd.kind == "no_monitor" for row in rows(result).values() for odd in row.odd)


def test_so_is_no_monitor_on_most() -> None:
    some = account()
    monitors = ["LIMIT", *[None] * (len(some.shown) - 1)]
    some.shown = tuple(
        w.model_copy(update={"resource_monitor": monitor}) for w, monitor in zip(some.shown, monitors, strict=True)
    )
    result = ask(some)
    assert result.data is not None
    assert "Most warehouses have no resource monitor." in result.data.notes
    assert not any(odd.kind == "no_monitor" for row in rows(result).values() for odd in row.odd)
    listed = rows(ask(some, odd=["no_monitor"]))
    assert len(listed) == len(some.shown) - 1


class Busy(FrameReader):
    """Two statements run on ETL_WH."""

    def live_queries(self, warehouse: str | None = None) -> tuple[LiveQuery, ...]:
        times = {"b": 2, "a": 9}
        return tuple(
            LiveQuery(
                query_id=q, warehouse="ETL_WH", user="ALICE", status="RUNNING", started=NOW - timedelta(minutes=m)
            )
            for q, m in times.items()
        )


def test_running_statements_stand_longest_first_and_name_people_by_role() -> None:
    plain = account()
    busy = Busy(plain.frames, plain.now_at, shown=plain.shown)
    result = ask(busy, statements=True)
    assert result.data is not None
    assert result.data.statements is not None
    assert [s.query_id for s in result.data.statements] == ["a", "b"]
    assert all("user" not in s.figures for s in result.data.statements)  # a viewer asks
    seconds = next(f for f in result.facts if f.id == result.data.statements[0].figures["seconds"])
    assert seconds.value == 540.0
    assert not any(fact.value == "ALICE" for fact in result.facts)
