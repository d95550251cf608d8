"""`frostline`: the commands and their options. Each body imports what it needs when it runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bots.cli.output import Output, readable

app = typer.Typer(
    name="frostline",
    help="Ask where Snowflake credits go, and change a warehouse only after the right person approved that exact "
    "change. Start with: frostline demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich's help costs 0.35 s of CPU at every --help
)
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
app.add_typer(plans_app, name="plans")
app.add_typer(findings_app, name="findings")
app.add_typer(account_app, name="account")
app.add_typer(audit_app, name="audit")
app.add_typer(knowledge_app, name="knowledge")


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


class _Globals:
    profile: str | None = None


def _output(as_json: bool) -> Output:
    return Output(as_json=as_json)


def _version(show: bool) -> None:
    if show:
        from importlib.metadata import version

        typer.echo(f"frostline {version('frostline')}")
        raise typer.Exit


@app.callback()
def _root(
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Settings to use (default: demo).")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    _Globals.profile = profile


@app.command()
def demo(
    slack: Annotated[bool, typer.Option("--slack", help="As Slack messages, drawn here; no Slack is needed.")] = False,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", metavar="DIR", help="With --slack: an SVG of each message.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --slack: each message's Block Kit, one JSON object a line.")
    ] = False,
) -> None:
    """The tour: asks, proposes, approves, reads back and audits on the demo account."""
    if slack:
        from bots.cli.slack_tour import run_slack_tour

        run_slack_tour(_output(as_json), _Globals.profile, pictures)
        return
    if pictures is not None or as_json:
        raise typer.BadParameter("--pictures and --json go with --slack.")
    from bots.cli.tour import run_tour

    run_tour(_output(False), _Globals.profile)


@app.command()
def ask(
    text: Annotated[
        str,
        typer.Argument(metavar="TEXT", help='A question, e.g. "credits by warehouse last week".', callback=readable),
    ],
    as_json: Json = False,
    thread: Thread = None,
    person: As = None,
    chart: Annotated[
        Path | None, typer.Option("--chart", metavar="FILE", help="Draw the answer's figures as .png or .svg.")
    ] = None,
) -> None:
    """Ask one question, or for one change."""
    from bots.cli.ask import run_ask

    run_ask(_output(as_json), _Globals.profile, text, thread, person, chart)


@app.command()
def budget(
    amount: Annotated[float | None, typer.Argument(min=0.01, help="Default: the budget in the settings.")] = None,
    credits_: Annotated[bool, typer.Option("--credits", help="AMOUNT is credits, not USD.")] = False,
    period: Annotated[str, typer.Option("--period", help="month, quarter, year or contract.")] = "month",
    warehouse: Annotated[list[str] | None, typer.Option("--warehouse", metavar="W", help="Only this one.")] = None,
    as_json: Json = False,
) -> None:
    """Where the month or the contract will end, and how likely it runs over."""
    from bots.cli.budget import run_budget

    run_budget(_output(as_json), _Globals.profile, amount, credits_, period, warehouse or [])


@app.command()
def chat(thread: Thread = None, person: As = None) -> None:
    """Talk; approve a plan by the first 8 characters of its digest."""
    from bots.cli.chat import run_chat

    run_chat(_output(False), _Globals.profile, thread, person)


@plans_app.command("list")
def plans_list(
    as_json: Json = False,
    state: Annotated[str | None, typer.Option("--state", help="Only this state, e.g. proposed.")] = None,
) -> None:
    """Plans, newest first."""
    from bots.cli.plans import list_plans

    list_plans(_output(as_json), _Globals.profile, state)


@plans_app.command("show")
def plans_show(plan: PlanId, as_json: Json = False) -> None:
    """One plan: statement, undo, blast radius, expected effect, digest."""
    from bots.cli.plans import show_plan

    show_plan(_output(as_json), _Globals.profile, plan)


def _decide(decision: str, plan: str, digest: str | None, reason: str, person: str | None, as_json: bool) -> None:
    from bots.cli.plans import decide_plan

    decide_plan(_output(as_json), _Globals.profile, plan, decision, digest, reason, person)


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

    undo_plan(_output(as_json), _Globals.profile, plan, reason, person)


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

    settle_plan(_output(as_json), _Globals.profile, plan, outcome, reason, person)


@app.command()
def scan(
    once: Annotated[bool, typer.Option("--once", help="One scan, then stop (so without --every, too).")] = False,
    every: Annotated[
        str | None, typer.Option("--every", metavar="2m", help="Scan again and again, so far apart.", callback=readable)
    ] = None,
    as_json: Json = False,
) -> None:
    """Look for what stands out: spending, queues, failures, long statements, warehouses left running."""
    from bots.cli.scan import run_scan

    run_scan(_output(as_json), _Globals.profile, once, every)


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

    list_findings(_output(as_json), _Globals.profile, state, warehouse, limit)


@findings_app.command("show")
def findings_show(finding: FindingId, as_json: Json = False) -> None:
    """One finding: figures with their sources, and what became of it."""
    from bots.cli.findings import show_finding

    show_finding(_output(as_json), _Globals.profile, finding)


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

    snooze_finding(_output(as_json), _Globals.profile, finding, until, length, reason, person)


@findings_app.command("dismiss")
def findings_dismiss(finding: FindingId, reason: Reason = "", person: As = None, as_json: Json = False) -> None:
    """Say that a finding is none; a reason is needed."""
    from bots.cli.findings import dismiss_finding

    dismiss_finding(_output(as_json), _Globals.profile, finding, reason, person)


@account_app.command("info")
def account_info(as_json: Json = False) -> None:
    """Name, origin, clock, warehouses, views."""
    from bots.cli.account import show_info

    show_info(_output(as_json), _Globals.profile)


@account_app.command("import")
def account_import(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with one Parquet or CSV file per view.")],
    as_json: Json = False,
) -> None:
    """Replace the embedded account by an exported one."""
    from bots.cli.account import import_folder

    import_folder(_output(as_json), _Globals.profile, source)


@account_app.command("export")
def account_export(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet, or an empty one.")],
    as_json: Json = False,
) -> None:
    """Write the embedded account to a folder that `account import` takes."""
    from bots.cli.account import export_folder

    export_folder(_output(as_json), _Globals.profile, target)


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

    reset_account(_output(as_json), _Globals.profile, queries)


@account_app.command("advance")
def account_advance(
    span: Annotated[str, typer.Argument(metavar="SPAN", help="How far: 6h, 7d, 2w.")],
    as_json: Json = False,
) -> None:
    """Let the demo account live on under its present settings."""
    from bots.cli.account import advance_account

    advance_account(_output(as_json), _Globals.profile, span)


@audit_app.command("list")
def audit_list(
    as_json: Json = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Newest rows to show.")] = 50,
) -> None:
    """The newest audit rows."""
    from bots.cli.audit import list_audit

    list_audit(_output(as_json), _Globals.profile, limit)


@audit_app.command("verify")
def audit_verify(as_json: Json = False) -> None:
    """Check that no audit row was changed, removed or inserted."""
    from bots.cli.audit import verify_audit

    verify_audit(_output(as_json), _Globals.profile)


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

    search_knowledge(_output(as_json), _Globals.profile, text, top, origin)


@knowledge_app.command("list")
def knowledge_list(as_json: Json = False) -> None:
    """Everything that can be found, and what was left out."""
    from bots.cli.knowledge import list_entries

    list_entries(_output(as_json), _Globals.profile)


@knowledge_app.command("index")
def knowledge_index(
    as_json: Json = False,
    force: Annotated[bool, typer.Option("--force", help="Make it anew, also what has not changed.")] = False,
) -> None:
    """Bring the index up to the pages; a search does that by itself too."""
    from bots.cli.knowledge import build_index

    build_index(_output(as_json), _Globals.profile, force)


@app.command()
def feedback(
    as_json: Json = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Newest ratings to show.")] = 50,
) -> None:
    """What people thought of the answers they got in Slack."""
    from bots.cli.feedback import list_feedback

    list_feedback(_output(as_json), _Globals.profile, limit)


@app.command()
def trace(
    trace_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="`trace_id` of `ask --json`.", callback=readable)
    ] = None,
    stats: Annotated[bool, typer.Option("--stats", help="What all replies of 30 days come to.")] = False,
    as_json: Json = False,
) -> None:
    """How a reply came about: steps, calls, refusals, tokens, cost."""
    from bots.cli.trace import show_stats, show_trace

    if stats == (trace_id is not None):
        raise typer.BadParameter("Give a trace's id, or --stats.")
    if trace_id is None:
        show_stats(_output(as_json), _Globals.profile)
    else:
        show_trace(_output(as_json), _Globals.profile, trace_id)


@app.command("eval")
def run_eval(
    as_json: Json = False,
    tag: Annotated[str | None, typer.Option("--tag", metavar="T", help="Only cases with this tag.")] = None,
) -> None:
    """Run the eval suite on a demo account of its own."""
    from bots.cli.evals import run_evals

    run_evals(_output(as_json), tag)


@app.command()
def setup(
    print_grants: Annotated[
        bool, typer.Option("--print-grants", help="Print the SQL of the two roles and stop.")
    ] = False,
    warehouse: Annotated[
        list[str] | None, typer.Option("--warehouse", metavar="W", help="A warehouse to grant on; repeatable.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Account identifier (org-account).")] = None,
    reader_user: Annotated[str | None, typer.Option(help="User that reads.")] = None,
    reader_key: Annotated[str | None, typer.Option(help="Its private key file, or token file.")] = None,
    reader_warehouse: Annotated[str | None, typer.Option(help="Warehouse it may use for its queries.")] = None,
    operator_user: Annotated[str | None, typer.Option(help="User that applies approved changes.")] = None,
    operator_key: Annotated[str | None, typer.Option(help="Its private key file, or token file.")] = None,
    credit_price: Annotated[float | None, typer.Option(help="USD a credit, by your contract.")] = None,
    sign_in: Annotated[str, typer.Option(help="key, token, oauth or browser (docs/live-account.md).")] = "key",
    token_url: Annotated[str | None, typer.Option(help="OAuth: the provider's token endpoint.")] = None,
    reader_client: Annotated[str | None, typer.Option(help="OAuth: the reader's client id.")] = None,
    operator_client: Annotated[str | None, typer.Option(help="OAuth: the operator's client id.")] = None,
    proxy: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="The proxy on the way to Snowflake.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing profile.")] = False,
    as_json: Json = False,
) -> None:
    """Write a profile for a Snowflake account, or print the grants it needs."""
    from bots.cli.setup import Answers, run_setup, way_of

    answers = Answers(account, reader_user, reader_key, reader_warehouse, operator_user, operator_key, credit_price)
    answers = replace(answers, token_url=token_url, reader_client=reader_client, operator_client=operator_client)
    answers = replace(answers, sign_in=way_of(sign_in), proxy=proxy)
    run_setup(_output(as_json), _Globals.profile, print_grants, warehouse or [], answers, force)


@app.command()
def doctor(
    models: Annotated[bool, typer.Option("--models", help="Ask the language models, too: a few tokens each.")] = False,
    as_json: Json = False,
) -> None:
    """Check every connection, grant and setting, and say what to do."""
    from bots.cli.doctor import run_doctor

    run_doctor(_output(as_json), _Globals.profile, ask_models=models)


@app.command()
def worker(
    once: Annotated[bool, typer.Option("--once", help="One round, then stop.")] = False,
    every: Annotated[int, typer.Option("--every", min=1, max=3600, help="Seconds between rounds.")] = 60,
    as_json: Json = False,
) -> None:
    """Settle what a crash left behind and expire old plans, every minute."""
    from bots.cli.worker import run_worker

    run_worker(_output(as_json), _Globals.profile, once, every)


@app.command()
def slack(
    url: Annotated[
        str | None, typer.Argument(metavar="[URL]", help="With --manifest --http: where Slack finds the bot.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Look whether tokens, channels and people fit; stop.")] = False,
    manifest: Annotated[bool, typer.Option("--manifest", help="Print the app's manifest and stop.")] = False,
    http: Annotated[bool, typer.Option("--http", help="By HTTP instead of Socket Mode.")] = False,
    as_json: Json = False,
) -> None:
    """Run the bot in Slack until it is stopped."""
    from bots.cli.slack import SlackOptions, run_slack

    run_slack(_output(as_json), _Globals.profile, SlackOptions(check, manifest, http, url))


def main() -> None:
    """Console script."""
    app()


if __name__ == "__main__":
    main()
