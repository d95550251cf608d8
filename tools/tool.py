"""What a tool is: a name, a schema, a function of (ToolContext, arguments) that answers with a ToolResult."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from tools.context import ToolContext
from tools.result import ToolResult

__all__ = ["Tool"]

ArgsT = TypeVar("ArgsT", bound=BaseModel)


@dataclass(frozen=True)
class Tool(Generic[ArgsT]):
    """One tool as a model or the planner sees it.

    `run` raises `tools.errors.FrostlineError` for what it cannot do; the caller (`call_tools`) turns that into
    a ToolResult. It never mutates the account: `proposes` tools store a plan and answer `needs_approval`.
    """

    name: str
    summary: str
    """For the model: what it answers and when to use it."""
    args: type[ArgsT]
    """extra="forbid"; every field described, with bounds."""
    run: Callable[[ToolContext, ArgsT], ToolResult[Any]]
    one_line: Callable[[ArgsT], str]
    """For people: what this very call does, e.g. 'credits by warehouse, last 7 days'."""
    proposes: bool = False
