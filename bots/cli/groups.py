"""The commands that belong together: `frostline plans ...`, `findings`, `account`, `audit`, `knowledge`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bots.cli.options import As, Globals, Json, PlanId, Reason, output
from bots.cli.output import readable

__all__ = ["account_app", "audit_app", "findings_app", "knowledge_app", "plans_app"]

plans_app = typer.Typer(
    help="Proposed changes: list, show, approve, decline, cancel, undo.", no_args_is_help=True, rich_markup_mode=None
)
account_app = typer.Typer(help="The embedded account: demo or imported.", no_args_is_help=True, rich_markup_mode=None)
audit_app = typer.Typer(help="The append-only audit chain.", no_args_is_help=True, rich_markup_mode=None)
knowledge_app = typer.Typer(
    help="Best practices and your own pages: search, list, index.", no_args_is_help=True, rich_markup_mode=None
)
findings_app = typer.Typer(
    help="What scans have found: list, show, snooze, dismiss.", no_args_is_help=True, rich_markup_mode=None
)


@plans_app.command("list")
def plans_list(
    as_json: Json = False,
    state: Annotated[str | None, typer.Option("--state", help="Only this state, e.g. proposed.")] = None,
) -> None:
    """Plans, newest first."""
    from bots.cli.plans import list_plans

    list_plans(output(as_json), Globals.profile, state)


@plans_app.command("show")
def plans_show(plan: PlanId, as_json: Json = False) -> None:
    """One plan: statement, undo, blast radius, expected effect, digest."""
    from bots.cli.plans import show_plan

    show_plan(output(as_json), Globals.profile, plan)


def _decide(decision: str, plan: str, digest: str | None, reason: str, person: str | None, as_json: bool) -> None:
    from bots.cli.plans import decide_plan

    decide_plan(output(as_json), Globals.profile, plan, decision, digest, reason, person)


Digest = Annotated[
    str | None,
    typer.Option("--digest", metavar="D", help="The digest you read (at least 8 characters of it).", callback=readable),
]


@plans_app.command("approve")
def plans_approve(
    plan: PlanId, digest: Digest = None, reason: Reason = "", person: As = None, as_json: Json = False
) -> None:
    """Approve exactly the plan with this digest; it is applied at once."""
    _decide("approve", plan, digest, reason, person, as_json)


@plans_app.command("decline")
def plans_decline(
    plan: PlanId, digest: Digest = None, reason: Reason = "", person: As = None, as_json: Json = False
) -> None:
    """Decline a plan."""
    _decide("decline", plan, digest, reason, person, as_json)


@plans_app.command("cancel")
def plans_cancel(
    plan: PlanId, digest: Digest = None, reason: Reason = "", person: As = None, as_json: Json = False
) -> None:
    """Take back a plan you proposed."""
    _decide("cancel", plan, digest, reason, person, as_json)


@plans_app.command("undo")
def plans_undo(plan: PlanId, reason: Reason = "", person: As = None, as_json: Json = False) -> None:
    """Propose the change that takes an applied plan back; it needs its own approval."""
    from bots.cli.plans import undo_plan

    undo_plan(output(as_json), Globals.profile, plan, reason, person)


@plans_app.command("settle")
def plans_settle(
    plan: PlanId,
    outcome: Annotated[str, typer.Argument(metavar="applied|failed", help="What you found to be true.")],
    reason: Reason = "",
    person: As = None,
    as_json: Json = False,
) -> None:
    """Say what became of a plan whose outcome is unknown."""
    from bots.cli.plans import settle_plan

    settle_plan(output(as_json), Globals.profile, plan, outcome, reason, person)


FindingId = Annotated[str, typer.Argument(metavar="ID", help="A finding's id.", callback=readable)]


@findings_app.command("list")
def findings_list(
    as_json: Json = False,
    state: Annotated[
        str, typer.Option("--state", metavar="open|snoozed|resolved|all", help="Only these.", callback=readable)
    ] = "open",
    warehouse: Annotated[
        str | None, typer.Option("--warehouse", metavar="W", help="Only of this warehouse.", callback=readable)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many.")] = 100,
) -> None:
    """Findings, the weightiest first."""
    from bots.cli.findings import list_findings

    list_findings(output(as_json), Globals.profile, state, warehouse, limit)


@findings_app.command("show")
def findings_show(finding: FindingId, as_json: Json = False) -> None:
    """One finding: figures with their sources, and what became of it."""
    from bots.cli.findings import show_finding

    show_finding(output(as_json), Globals.profile, finding)


@findings_app.command("snooze")
def findings_snooze(
    finding: FindingId,
    length: Annotated[str | None, typer.Option("--for", metavar="2d", help="How long.", callback=readable)] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Until then (account time).", callback=readable)
    ] = None,
    reason: Reason = "",
    person: As = None,
    as_json: Json = False,
) -> None:
    """Be quiet about a finding for a while; a reason is needed."""
    from bots.cli.findings import snooze_finding

    snooze_finding(output(as_json), Globals.profile, finding, until, length, reason, person)


@findings_app.command("dismiss")
def findings_dismiss(finding: FindingId, reason: Reason = "", person: As = None, as_json: Json = False) -> None:
    """Say that a finding is none; a reason is needed."""
    from bots.cli.findings import dismiss_finding

    dismiss_finding(output(as_json), Globals.profile, finding, reason, person)


@account_app.command("info")
def account_info(as_json: Json = False) -> None:
    """Name, origin, clock, warehouses, views."""
    from bots.cli.account import show_info

    show_info(output(as_json), Globals.profile)


@account_app.command("import")
def account_import(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with one Parquet or CSV file per view.")],
    as_json: Json = False,
) -> None:
    """Replace the embedded account by an exported one."""
    from bots.cli.account import import_folder

    import_folder(output(as_json), Globals.profile, source)


@account_app.command("export")
def account_export(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet, or an empty one.")],
    as_json: Json = False,
) -> None:
    """Write the embedded account to a folder that `account import` takes."""
    from bots.cli.account import export_folder

    export_folder(output(as_json), Globals.profile, target)


@account_app.command("reset")
def account_reset(
    queries: Annotated[
        int | None,
        typer.Option("--queries", min=1, max=20_000_000, help="About how many statements, for benchmarks."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Rebuild the demo account from its seed."""
    from bots.cli.account import reset_account

    reset_account(output(as_json), Globals.profile, queries)


@account_app.command("advance")
def account_advance(
    span: Annotated[str, typer.Argument(metavar="SPAN", help="How far: 6h, 7d, 2w.")],
    as_json: Json = False,
) -> None:
    """Let the demo account live on under its present settings."""
    from bots.cli.account import advance_account

    advance_account(output(as_json), Globals.profile, span)


@audit_app.command("list")
def audit_list(
    as_json: Json = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Newest rows to show.")] = 50,
) -> None:
    """The newest audit rows."""
    from bots.cli.audit import list_audit

    list_audit(output(as_json), Globals.profile, limit)


@audit_app.command("verify")
def audit_verify(as_json: Json = False) -> None:
    """Check that no audit row was changed, removed or inserted."""
    from bots.cli.audit import verify_audit

    verify_audit(output(as_json), Globals.profile)


@knowledge_app.command("search")
def knowledge_search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is seen, or to be known.", callback=readable)],
    as_json: Json = False,
    top: Annotated[int, typer.Option("--top", min=1, max=50, help="At most so many passages.")] = 5,
    origin: Annotated[
        str | None, typer.Option("--origin", metavar="frostline|yours", help="Only Frostline's, or only yours.")
    ] = None,
) -> None:
    """The practices and pages that speak to a question."""
    if origin not in (None, "frostline", "yours"):
        raise typer.BadParameter("--origin takes frostline or yours.")
    from bots.cli.knowledge import search_knowledge

    search_knowledge(output(as_json), Globals.profile, text, top, origin)


@knowledge_app.command("list")
def knowledge_list(as_json: Json = False) -> None:
    """Everything that can be found, and what was left out."""
    from bots.cli.knowledge import list_entries

    list_entries(output(as_json), Globals.profile)


@knowledge_app.command("index")
def knowledge_index(
    as_json: Json = False,
    force: Annotated[bool, typer.Option("--force", help="Make it anew, also what has not changed.")] = False,
) -> None:
    """Bring the index up to the pages; a search does that by itself too."""
    from bots.cli.knowledge import build_index

    build_index(output(as_json), Globals.profile, force)
