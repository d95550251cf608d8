"""`frostline audit ...`: what happened, and whether anybody changed the record of it."""

from __future__ import annotations

from typing import Any

import typer

from bots.cli.opening import opened
from bots.cli.output import Output

__all__ = ["list_audit", "verify_audit"]


def list_audit(out: Output, profile: str | None, limit: int) -> None:
    from dataclasses import asdict

    with out.edge():
        with opened(out, profile) as runtime:
            rows = runtime.store.audit_rows()[-limit:]
        if out.as_json:
            out.json({"rows": [asdict(row) for row in rows]})
            return
        shown = [(r.seq, r.at[:19], r.actor, r.event, r.plan_id or "", _short(r.detail)) for r in rows]
        out.table(("#", "at", "actor", "event", "plan", "detail"), shown, right=("#",))


def _short(detail: dict[str, Any]) -> str:
    """For reading; --json has it whole."""
    parts = (f"{k}={v}" for k, v in detail.items() if k not in ("digest", "trace_id"))
    text = ", ".join(parts)
    return text if len(text) <= 120 else text[:119] + "…"


def verify_audit(out: Output, profile: str | None) -> None:
    with out.edge():
        with opened(out, profile) as runtime:
            report = runtime.store.verify_audit()
        if out.as_json:
            out.json({"ok": report.ok, "rows": report.rows, "head": report.head, "problems": list(report.problems)})
        elif report.ok:
            out.say(f"The audit chain is whole: {report.rows} rows, each holds the hash of the one before.")
        else:
            out.say(f"The audit chain is BROKEN ({len(report.problems)} problems in {report.rows} rows):")
            for problem in report.problems:
                out.say(f"  {problem}")
        if not report.ok:
            raise typer.Exit(1)
