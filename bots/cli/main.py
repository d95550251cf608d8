"""`frostline`: the commands and their options. Each body imports what it needs when it runs."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated

import typer

from bots.cli.groups import account_app, audit_app, findings_app, knowledge_app, plans_app
from bots.cli.options import As, Globals, Json, Thread, output
from bots.cli.output import readable

app = typer.Typer(
    name="frostline",
    help="Ask where Snowflake credits go, and change a warehouse only after the right person approved that exact "
    "change. Start with: frostline demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich's help costs 0.35 s of CPU at every --help
)
app.add_typer(plans_app, name="plans")
app.add_typer(findings_app, name="findings")
app.add_typer(account_app, name="account")
app.add_typer(audit_app, name="audit")
app.add_typer(knowledge_app, name="knowledge")


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
    Globals.profile = profile


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
    """The tour: asks, forecasts, finds oddities, proposes, approves, reads back, audits."""
    if slack:
        from bots.cli.slack_tour import run_slack_tour

        run_slack_tour(output(as_json), Globals.profile, pictures)
        return
    if pictures is not None or as_json:
        raise typer.BadParameter("--pictures and --json go with --slack.")
    from bots.cli.tour import run_tour

    run_tour(output(False), Globals.profile)


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

    run_ask(output(as_json), Globals.profile, text, thread, person, chart)


def _amount(text: str | float) -> float:
    from bots.cli.budget import read_amount

    return read_amount(str(text))


@app.command()
def budget(
    amount: Annotated[
        float | None,
        typer.Argument(metavar="AMOUNT", parser=_amount, help="30000 or 12k. Default: the budget in the settings."),
    ] = None,
    credits_: Annotated[bool, typer.Option("--credits", help="AMOUNT is credits, not USD.")] = False,
    period: Annotated[str, typer.Option("--period", help="month, quarter, year or contract.")] = "month",
    warehouse: Annotated[list[str] | None, typer.Option("--warehouse", metavar="W", help="Only this one.")] = None,
    as_json: Json = False,
) -> None:
    """Where the month or the contract will end, and how likely it runs over."""
    from bots.cli.budget import run_budget

    run_budget(output(as_json), Globals.profile, amount, credits_, period, warehouse or [])


@app.command()
def chat(thread: Thread = None, person: As = None) -> None:
    """Talk; approve a plan by the first 8 characters of its digest."""
    from bots.cli.chat import run_chat

    run_chat(output(False), Globals.profile, thread, person)


@app.command()
def scan(
    once: Annotated[bool, typer.Option("--once", help="One scan, then stop (so without --every, too).")] = False,
    every: Annotated[
        str | None, typer.Option("--every", metavar="2m", help="Scan again and again, so far apart.", callback=readable)
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="30d", help="Find what was over for so long, too.", callback=readable),
    ] = None,
    as_json: Json = False,
) -> None:
    """Look for what stands out: spending, queues, failures, long statements, warehouses left running."""
    from bots.cli.scan import run_scan

    run_scan(output(as_json), Globals.profile, once, every, since)


@app.command()
def feedback(
    as_json: Json = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Newest ratings to show.")] = 50,
) -> None:
    """What people thought of the answers they got in Slack."""
    from bots.cli.feedback import list_feedback

    list_feedback(output(as_json), Globals.profile, limit)


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
        show_stats(output(as_json), Globals.profile)
    else:
        show_trace(output(as_json), Globals.profile, trace_id)


@app.command("eval")
def run_eval(
    as_json: Json = False,
    tag: Annotated[str | None, typer.Option("--tag", metavar="T", help="Only cases with this tag.")] = None,
) -> None:
    """Run the eval suite on a demo account of its own."""
    from bots.cli.evals import run_evals

    run_evals(output(as_json), tag)


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

    people = (account, reader_user, reader_key, reader_warehouse, operator_user, operator_key, credit_price)
    answers = Answers(*people, way_of(sign_in), token_url, reader_client, operator_client, proxy)
    run_setup(output(as_json), Globals.profile, print_grants, warehouse or [], answers, force)


@app.command()
def doctor(
    models: Annotated[bool, typer.Option("--models", help="Ask the language models, too: a few tokens each.")] = False,
    as_json: Json = False,
) -> None:
    """Check every connection, grant and setting, and say what to do."""
    from bots.cli.doctor import run_doctor

    run_doctor(output(as_json), Globals.profile, ask_models=models)


@app.command()
def worker(
    once: Annotated[bool, typer.Option("--once", help="One round, then stop.")] = False,
    every: Annotated[int, typer.Option("--every", min=1, max=3600, help="Seconds between rounds.")] = 60,
    as_json: Json = False,
) -> None:
    """Settle what a crash left behind and expire old plans, every minute."""
    from bots.cli.worker import run_worker

    run_worker(output(as_json), Globals.profile, once, every)


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

    run_slack(output(as_json), Globals.profile, SlackOptions(check, manifest, http, url))


_BETWEEN_COLLECTIONS = 10_000
"""New objects. What importing makes lives on, and Python's own 700 walk over it again and again: a tenth of the CPU of
a question.
"""


def main() -> None:
    """Console script."""
    gc.set_threshold(_BETWEEN_COLLECTIONS, 10, 10)
    app()


if __name__ == "__main__":
    main()
