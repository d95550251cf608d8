"""`frostline feedback`: what people thought of answers, newest first."""

from __future__ import annotations

from bots.cli.opening import opened
from bots.cli.output import Output

__all__ = ["list_feedback"]


def list_feedback(out: Output, profile: str | None, limit: int) -> None:
    from dataclasses import asdict

    with out.edge():
        with opened(out, profile) as runtime:
            ratings = runtime.store.answers.ratings(limit)
        if out.as_json:
            out.json({"ratings": [asdict(rating) for rating in ratings]})
        elif ratings:
            rows = [(f"{r.at:%Y-%m-%dT%H:%M:%S}", r.person, r.value, _short(r.question), r.trace_id) for r in ratings]
            out.table(("at", "person", "answer was", "question", "trace"), rows)
        else:
            out.say("Nobody has rated an answer yet. People do so with the buttons below an answer in Slack.")


def _short(question: str) -> str:
    """For reading; --json has it whole."""
    line = " ".join(question.split())
    return line if len(line) <= 80 else line[:79] + "…"
