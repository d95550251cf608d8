"""`frostline eval`: the suite on a demo account of its own, apart from anybody's state."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer

from bots.cli.opening import settings_for
from bots.cli.output import Output

if TYPE_CHECKING:
    from agent.runtime import Runtime
    from evals.model import Drawn
    from evals.runner import EvalResult, Harness

__all__ = ["run_evals"]


def run_evals(out: Output, tag: str | None) -> None:
    with out.edge():
        settings = settings_for(out, "demo")
        # A home of its own: an imported account or somebody's plans must not decide whether the suite passes.
        apart = settings.model_copy(update={"home": settings.home / "evals", "now": None})
        for name in ("store.db", "checkpoints.db"):
            for file in apart.state_dir.glob(f"{name}*"):
                file.unlink()
        apart.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        from agent.runtime import Runtime
        from evals.runner import run

        with out.progress("Preparing the eval account") as progress:
            runtime = Runtime.open(apart, progress=progress)
        try:
            from agent.proactive import scan

            with out.progress("Scanning the eval account") as progress:
                scan(runtime, progress)  # what is asked about findings has some to speak of
            with out.progress("Evals") as progress:
                result = run(_harness(runtime), tag, progress)
        finally:
            runtime.close()
        _show(out, result)
        if not result.ok:
            raise typer.Exit(1)


def _harness(runtime: Runtime) -> Harness:
    from bots.cli.evals_slack import heard_in_slack, slack_view
    from evals.keys import Keys
    from evals.runner import Harness

    keys = Keys(runtime.reader_config)
    log = runtime.settings.account_dir / "alters.jsonl"

    def ask(text: str, thread: str, person: str | None) -> dict[str, Any]:
        turn = runtime.ask(text, thread=thread, person=runtime.person(person))
        return turn.model_dump(mode="json")

    def changes() -> int:
        return len([json.loads(line) for line in log.read_text().splitlines()]) if log.is_file() else 0

    def drawn(turn: dict[str, Any]) -> Drawn:
        return slack_view(runtime, turn)

    return Harness(ask, keys.rows, changes, runtime.reader.now(), runtime.account.timezone, drawn, heard_in_slack)


def _show(out: Output, result: EvalResult) -> None:
    summary = result.as_json()
    if out.as_json:
        out.json(summary)
        return
    for case in result.failed:
        out.say(f"FAILED {case.name}")
        for reason in case.reasons:
            out.say(f"   {reason}")
    slowest = max(result.results, key=lambda r: r.seconds)
    out.say(f"slowest: {slowest.name} {slowest.seconds:.1f} s")
    out.say(
        f"evals: {summary['passed']} passed, {summary['failed']} failed, {summary['skipped']} missing "
        f"of {summary['expected']} expected"
    )
