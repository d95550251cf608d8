"""Options that several commands share, and what holds for all of them."""

from __future__ import annotations

from typing import Annotated

import typer

from bots.cli.output import Output, readable

__all__ = ["As", "Globals", "Json", "PlanId", "Reason", "Thread", "output"]


Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else there.")]
As = Annotated[
    str | None,
    typer.Option("--as", metavar="USER", help="Act as this demo person (demo profile only).", callback=readable),
]
Thread = Annotated[
    str | None, typer.Option("--thread", metavar="ID", help="Continue this conversation.", callback=readable)
]
PlanId = Annotated[str, typer.Argument(metavar="ID", help="A plan's or bundle's id.", callback=readable)]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail.", callback=readable)]


class Globals:
    """Said before the command."""

    profile: str | None = None


def output(as_json: bool) -> Output:
    return Output(as_json=as_json)
