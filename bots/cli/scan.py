"""`frostline scan`: look once, or every so often, and say what stands out; in Slack too, where a channel is set."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta
from types import FrameType
from typing import TYPE_CHECKING

from bots.cli.opening import opened
from bots.cli.output import Output
from bots.scanning import ScanLoop
from tools.errors import BadArgument, FrostlineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.runtime import Runtime
    from agent.scan import ScanReport
    from tools.finding import FindingRecord

__all__ = ["findings_table", "run_scan"]

_SHOWN = 40


def run_scan(out: Output, profile: str | None, once: bool, every: str | None, since: str | None = None) -> None:
    from agent.durations import duration_of

    with out.edge():
        lookback = None if since is None else duration_of(since, least=timedelta(hours=1))
        if once and every is not None:
            raise BadArgument("--once and --every do not go together.")
        if every is None:
            with opened(out, profile) as runtime:
                show_report(out, runtime, _scan(out, runtime, lookback))
            return
        pause = duration_of(every, least=timedelta(seconds=1), most=timedelta(days=7))
        _loop(out, profile, pause.total_seconds(), lookback)


def _loop(out: Output, profile: str | None, every: float, lookback: timedelta | None) -> None:
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    def scan(runtime: Runtime) -> ScanReport:
        report = _scan(out, runtime, lookback)
        show_report(out, runtime, report)
        return report

    def failed(error: Exception, pause: float) -> None:
        what = error.message if isinstance(error, FrostlineError) else "an unexpected failure"
        out.note(f"This scan failed ({type(error).__name__}: {what}); the next one is in {pause:,.0f} s.")

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    # Opened anew each round: the embedded account's server may have moved meanwhile.
    ScanLoop(lambda: opened(out, profile, attended=False), scan=scan, on_failure=failed).run(stop, every)


def _scan(out: Output, runtime: Runtime, lookback: timedelta | None) -> ScanReport:
    from agent.proactive import scan

    with out.progress("Scanning") as progress:
        report = scan(runtime, progress, lookback=lookback)
    _tell_slack(out, runtime)
    return report


def _tell_slack(out: Output, runtime: Runtime) -> None:
    """The findings are kept, whatever Slack says: the next scan tells what this one could not."""
    settings = runtime.settings.slack
    if settings.findings_channel is None or settings.bot_token is None:
        return
    from bots.slack.api import SlackApi
    from bots.slack.findings import FindingDesk

    try:
        FindingDesk.of(runtime, SlackApi.of(settings), settings).publish()
    except FrostlineError as error:
        out.note(f"Slack was not told: {error.message}")


# --- shown ----------------------------------------------------------------------------------------------------------


def show_report(out: Output, runtime: Runtime, report: ScanReport) -> None:
    """What is open first; what is over and changed in this run is counted, and listed while it is little."""
    if out.as_json:
        out.json(report.as_json())
        return
    if report.skipped:
        out.note(report.skipped)
    for note in report.notes:
        out.note(note)
    going = [record for record in report.findings if not record.is_over]
    over = [record for record in report.findings if record.is_over]
    tz = runtime.account.timezone
    from agent.replies.figures import show_time

    fresh = sum(record.finding.state == "new" for record in going)
    out.say(f"As of {show_time(report.as_of, tz)}: {len(going)} open ({fresh} new), {len(over)} over since.")
    findings_table(out, going[:_SHOWN], tz)
    if len(going) > _SHOWN:
        out.say(f"and {len(going) - _SHOWN} more: frostline findings list")
    if over:
        shown = over[: max(0, _SHOWN // 4)]
        out.say()
        out.say("Over:")
        findings_table(out, shown, tz)
        if len(over) > len(shown):
            out.say(f"and {len(over) - len(shown)} more: frostline findings list --state resolved")


def findings_table(out: Output, records: Sequence[FindingRecord], tz: str) -> None:
    from agent.replies.finding_words import figures, headline, state_words, when

    if not records:
        return
    rows = [
        (
            record.id,
            record.finding.severity,
            state_words(record, tz),
            headline(record),
            figures(record),
            when(record.finding, tz),
        )
        for record in records
    ]
    out.table(("finding", "severity", "state", "what", "figures", "when"), rows)
