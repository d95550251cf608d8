"""The registry: what a model may see, and that nothing which applies a change can get into it."""

from __future__ import annotations

import functools
import inspect
import json
from typing import Any

import pytest
from pydantic import BaseModel

from tools.errors import Bug, UnknownName
from tools.registry import READING_TOOLS, TOOLS, lookup, register, schemas
from tools.result import ToolResult
from tools.tool import Tool


class Nothing(BaseModel):
    pass


class FakeWriter:
    def execute(self, statement: str) -> None: ...


def harmless(context: Any, args: Nothing) -> ToolResult[Any]:
    return ToolResult(status="ok")


def tool(run: Any, name: str = "t") -> Tool[Nothing]:
    return Tool(name=name, summary="s", args=Nothing, run=run, one_line=lambda args: "s")


def closing_over(value: Any) -> Any:
    def run(context: Any, args: Nothing) -> Any:
        return value

    return run


def from_apply() -> Any:
    def run(context: Any, args: Nothing) -> Any:
        return None

    run.__module__ = "tools.apply"
    return run


def with_default(context: Any, args: Nothing = FakeWriter()) -> Any:  # type: ignore[assignment]
    return args


def wants_a_writer(context: Any, writer: WarehouseWriter) -> Any:  # type: ignore[name-defined]  # noqa: F821
    return writer


def of_three(context: Any, args: Nothing, more: Any) -> Any:
    return more


class Holder:
    def __init__(self) -> None:
        self.writer = FakeWriter()

    def execute(self, context: Any, args: Nothing) -> Any:
        return None


class CallableHolder(Holder):
    def __call__(self, context: Any, args: Nothing) -> Any:
        return None


@pytest.mark.parametrize(
    "run",
    [
        from_apply(),
        closing_over(FakeWriter()),
        closing_over(closing_over(FakeWriter())),
        closing_over([FakeWriter()]),
        closing_over({"w": FakeWriter()}),
        closing_over(FakeWriter),
        functools.partial(of_three, more=FakeWriter()),
        functools.partial(closing_over(FakeWriter())),
        with_default,
        wants_a_writer,
        of_three,
        FakeWriter().execute,
        Holder().execute,
        CallableHolder(),
    ],
)
def test_what_applies_or_holds_a_writer_is_refused(run: Any) -> None:
    with pytest.raises(Bug):
        register([tool(run)])


@pytest.mark.parametrize("entry", [harmless, "query_usage", None, object()])
def test_only_tools_are_tools(entry: Any) -> None:
    with pytest.raises(Bug):
        register([entry])


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(Bug):
        register([tool(harmless), tool(harmless)])


def test_a_harmless_tool_is_registered_and_the_table_cannot_be_changed() -> None:
    table = register([tool(harmless)])
    assert list(table) == ["t"]
    with pytest.raises(TypeError):
        table["other"] = tool(harmless)  # type: ignore[index]


def test_the_tools_of_this_version() -> None:
    assert set(TOOLS) == {
        "query_usage",
        "list_warehouses",
        "own_cost",
        "search_practices",
        "list_findings",
        "run_forecast",
        "budget",
        "detect_anomalies",
        "resize_warehouse",
        "suspend_idle",
        "resume_warehouse",
        "set_auto_suspend",
        "set_clusters",
        "cancel_query",
        "propose_changes",
    }
    assert not any(tool.proposes for tool in READING_TOOLS)


def test_every_schema_is_closed_and_has_no_way_to_say_yes() -> None:
    for schema in schemas():
        text = json.dumps(schema).lower()
        assert schema["function"]["parameters"]["additionalProperties"] is False
        assert not any(
            f'"{word}"' in text for word in ("approved", "approve", "confirm", "confirmed", "force", "execute")
        )


def test_no_function_of_a_tool_names_the_writer_in_its_code() -> None:
    for entry in TOOLS.values():
        assert "Writer" not in inspect.getsource(entry.run)


def test_an_unknown_tool_has_a_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        lookup("query_usages")
    assert "query_usage" in caught.value.nearest
