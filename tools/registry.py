"""The tools a model may see: reading ones, and proposing ones that store plans. Nothing here can change a warehouse.

Every entry is checked when it is registered: a Tool, not from `tools.apply`, and with no writer among what its
function takes or holds. The architecture tests check the imports besides.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from tools.anomalies.tool import DETECT_ANOMALIES
from tools.budget.tool import BUDGET
from tools.changes.tools import CHANGE_TOOLS
from tools.errors import Bug, UnknownName
from tools.findings.tool import LIST_FINDINGS
from tools.forecast.tool import RUN_FORECAST
from tools.inventory.tool import LIST_WAREHOUSES
from tools.names import nearest
from tools.own_cost.tool import OWN_COST
from tools.practices.tool import SEARCH_PRACTICES
from tools.tool import Tool
from tools.usage.tool import QUERY_USAGE

__all__ = ["READING_TOOLS", "TOOLS", "lookup", "register", "schemas"]

_FORBIDDEN_MODULES = ("tools.apply", "tools.warehouse.writer", "agent.nodes.execute")


def register(tools: Iterable[Tool[Any]]) -> Mapping[str, Tool[Any]]:
    """Tools by name, read-only.

    Raises:
        Bug: an entry is no Tool, has a name twice, comes from an applying module, or holds a writer.
    """
    table: dict[str, Tool[Any]] = {}
    for tool in tools:
        if not isinstance(tool, Tool):
            raise Bug(f"{tool!r} is not a Tool.")
        if tool.name in table:
            raise Bug(f"Two tools are named {tool.name}.")
        for part in (tool.run, tool.one_line):
            _refuse_writers(tool.name, part)
        table[tool.name] = tool
    return MappingProxyType(table)


def _refuse_writers(name: str, function: Any) -> None:
    for part in _reachable(function, set()):
        if str(getattr(part, "__module__", "")).startswith(_FORBIDDEN_MODULES) or _is_writer(part):
            raise Bug(f"Tool {name} reaches a function or object that applies changes.")
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise Bug(f"Tool {name} has a function that cannot be inspected.") from None
    if len(parameters) > 2 or any("Writer" in str(p.annotation) for p in parameters):
        raise Bug(f"Tool {name} asks for more than a ToolContext and its arguments.")


def _is_writer(part: Any) -> bool:
    kind = part if isinstance(part, type) else type(part)
    return "Writer" in kind.__name__ or str(kind.__module__).startswith(_FORBIDDEN_MODULES)


def _reachable(part: Any, seen: set[int]) -> Iterator[Any]:
    """The function, what it closes over, binds or has as a default; nested functions likewise."""
    if id(part) in seen:
        return
    seen.add(id(part))
    yield part
    held: list[Any] = []
    if isinstance(part, functools.partial):
        held = [part.func, *part.args, *part.keywords.values()]
    elif inspect.ismethod(part):
        held = [part.__func__, part.__self__, *vars(part.__self__).values()]
    elif inspect.isfunction(part):
        held = [cell.cell_contents for cell in part.__closure__ or ()]
        held += [*(part.__defaults__ or ()), *(part.__kwdefaults__ or {}).values()]
    elif callable(part) and not isinstance(part, type) and hasattr(part, "__dict__"):
        held = list(vars(part).values())
    elif isinstance(part, (list, tuple, set, frozenset)):
        held = list(part)
    elif isinstance(part, Mapping):
        held = list(part.values())
    for item in held:
        yield from _reachable(item, seen)


READING_TOOLS: tuple[Tool[Any], ...] = (
    QUERY_USAGE,
    LIST_WAREHOUSES,
    RUN_FORECAST,
    BUDGET,
    DETECT_ANOMALIES,
    LIST_FINDINGS,
    OWN_COST,
    SEARCH_PRACTICES,
)
TOOLS: Mapping[str, Tool[Any]] = register((*READING_TOOLS, *CHANGE_TOOLS))


def lookup(name: str) -> Tool[Any]:
    """
    Raises:
        UnknownName: no tool of that name (with the nearest).
    """
    try:
        return TOOLS[name]
    except KeyError:
        raise UnknownName("tool", name[:60], nearest(name, TOOLS)) from None


def schemas() -> list[dict[str, Any]]:
    """Name, description and JSON schema of every tool, in the shape that chat models take."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.summary,
                "parameters": tool.args.model_json_schema(),
            },
        }
        for tool in TOOLS.values()
    ]
