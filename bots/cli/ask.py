"""`frostline ask`: one question, or one request for a change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bots.cli.output import Output
from tools.errors import BadArgument

if TYPE_CHECKING:
    from agent.state import Turn

__all__ = ["exit_code", "failed_turn", "run_ask", "show_charts", "show_turn"]

_EXIT = {"refused": 3, "no_permission": 3, "error": 1}


def run_ask(
    out: Output, profile: str | None, text: str, thread: str | None, person: str | None, chart: Path | None = None
) -> None:
    from bots.charts import check_file
    from bots.cli.opening import opened

    out.failed = lambda error: failed_turn(error, thread)
    with out.edge():
        if not text.strip():
            raise BadArgument("There is nothing to answer.", hint='Try: frostline ask "credits by warehouse last week"')
        if chart is not None:
            check_file(chart)
        with opened(out, profile) as runtime:
            answered = runtime.ask(text, thread=thread, person=runtime.person(person))
        turn = answered.model_dump(mode="json")
        if chart is not None:
            turn["chart"] = str(chart) if _draw(answered, chart) else None
            out.note(f"Chart: {chart}" if turn["chart"] else "The answer holds no figures to draw.")
        if out.as_json:
            out.json(turn)
        else:
            show_turn(out, turn)
            show_charts(out, answered)
            if thread is None:
                out.note(f"Ask on with: frostline ask --thread {turn['thread']} ...")
        raise typer.Exit(exit_code(turn))


def _draw(turn: Turn, file: Path) -> bool:
    """The answer's own chart where it brings one, else its figures as bars."""
    from bots.charts import draw, draw_facts

    if turn.charts:
        return draw(turn.charts[0], file)
    return draw_facts([fact.model_dump(mode="json") for fact in turn.facts], file)


def show_charts(out: Output, turn: Turn) -> None:
    """Each chart as a line of text under the answer."""
    from bots.charts import sparkline

    for chart in turn.charts:
        lines = sparkline(chart)
        if lines:
            out.say("\n".join((f"{chart.title}:", *lines)))


def exit_code(turn: dict[str, Any]) -> int:
    """By the turn's status; an error that says it cannot reach something is 4."""
    error = turn.get("error") or {}
    if turn["status"] == "error" and error.get("code") == "unreachable":
        return 4
    return _EXIT.get(turn["status"], 0)


def failed_turn(error: dict[str, str | None], thread: str | None) -> dict[str, Any]:
    """The JSON of a question that never got as far as an answer."""
    return {
        "status": "error",
        "answer": "",
        "facts": [],
        "tool_calls": [],
        "plans": [],
        "sources": [],
        "window": None,
        "thread": thread,
        "model": None,
        "trace_id": None,
        "chart": None,
        "error": error,
    }


def show_turn(out: Output, turn: dict[str, Any]) -> None:
    """The answer as it is: plans, and how to approve them, stand in it."""
    out.markdown(turn["answer"])
