"""`frostline demo`: a tour that really does what it prints, on whatever account the demo profile holds.

Every step goes through the same doors as the other commands. What it changes it takes back at the end, by a
plan and an approval of its own, so that it can be run again.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from bots.cli.ask import show_turn
from bots.cli.chat import converse
from bots.cli.opening import opened
from bots.cli.output import Output
from bots.cli.plans import show_outcome, show_record
from tools.domain import PlanState, Warehouse
from tools.errors import BadArgument, FrostlineError

if TYPE_CHECKING:
    from agent.runtime import Runtime

__all__ = ["run_tour"]


def run_tour(out: Output, profile: str | None) -> None:
    with out.edge():
        if profile not in (None, "demo"):
            raise BadArgument("The tour runs in the demo profile only.", hint="frostline demo")
        with opened(out, "demo") as runtime:
            _Tour(out, runtime).run()
            if sys.stdin.isatty() and sys.stdout.isatty():
                out.say('Your turn: ask something, or type "help". Ctrl-D leaves.')
                converse(out, runtime)


class _Tour:
    def __init__(self, out: Output, runtime: Runtime) -> None:
        self.out = out
        self.runtime = runtime
        self.thread = f"tour:{runtime.new_id()}"
        self.audited = len(runtime.store.audit_rows())

    def run(self) -> None:
        self._opening()
        self._heading("1. Ask where the credits go")
        self._ask("How many credits did we use last week, compared with the week before?")
        self._ask("Which warehouses used most of it?")
        self._ask("And by day?")
        self._heading("2. What comes next, and does it fit the budget?")
        self._ask("What will the account cost by the end of the month?")
        self._heading("3. Look for what is odd")
        self._ask("Anything odd in the last 3 days?")
        self._ask("list warehouses")
        warehouse = self._candidate()
        if warehouse is None:
            self.out.say("No warehouse here can be changed by Frostline, so the tour ends with the questions.")
            return
        seconds = 300 if warehouse.auto_suspend == 60 else 60
        self._heading("4. Ask for a change: it is proposed, not made")
        turn = self._ask(f"Set auto-suspend of {warehouse.name} to {seconds} seconds")
        if not turn["plans"]:
            return
        plan = turn["plans"][0]["id"]
        self._heading('5. "yes" approves nothing, and neither does the wrong person')
        self._ask("yes, do it")
        self._decide(plan, "demo-viewer")
        self._heading("6. The right person approves exactly this plan, by its digest")
        show_record(self.out, self.runtime.store.get(plan))
        if not self._decide(plan, "demo-approver"):
            return
        self._decide(plan, "demo-admin")
        self._heading("7. Undo is a plan too")
        self._undo(plan)
        self._audit()

    def _opening(self) -> None:
        account = self.runtime.account
        kind = "a generated demo account" if account.origin == "demo" else "your imported account"
        now = self.runtime.reader.now()
        self.out.say(f"Frostline speaks to {account.name}, {kind}, through the real Snowflake connector.")
        self.out.say(f"Its clock stands at {now.isoformat(timespec='minutes')}; its days are {account.timezone}'s.")

    def _heading(self, text: str) -> None:
        self.out.console.print(f"\n{text}", style="bold cyan", markup=False)

    def _ask(self, text: str) -> dict[str, Any]:
        person = self.runtime.person()
        self.out.console.print(f"\n{person.name}> {text}", style="bold", markup=False)
        with self.out.working("Looking"):
            turn = self.runtime.ask(text, thread=self.thread, person=person).model_dump(mode="json")
        show_turn(self.out, turn)
        return turn

    def _candidate(self) -> Warehouse | None:
        """The warehouse that waits longest before it suspends: there a shorter wait saves most."""
        able = [
            w
            for w in self.runtime.reader.warehouses()
            if not w.is_adaptive and not w.is_interactive and not self.runtime.policy.is_protected(w.name)
        ]
        # One that never suspends cannot be put back where policy forbids "never": take it only if there is no other.
        able.sort(key=lambda w: (w.auto_suspend is None, -(w.auto_suspend or 0), w.name))
        return able[0] if able else None

    def _decide(self, plan: str, name: str) -> bool:
        record = self.runtime.store.get(plan)
        self.out.console.print(
            f"\n$ frostline plans approve {plan} --digest {record.digest[:8]} --as {name}", style="bold", markup=False
        )
        try:
            outcome = self.runtime.decide(plan, record.digest, self.runtime.person(name), "approve", "tour")
        except FrostlineError as error:
            self.out.say(f"refused: {error.message}")
            return False
        show_outcome(self.out, outcome)
        return bool(outcome.state is PlanState.APPLIED)

    def _undo(self, plan: str) -> None:
        self.out.console.print(f"\n$ frostline plans undo {plan}", style="bold", markup=False)
        undo = self.runtime.undo(plan, self.runtime.person(), "the tour takes its change back")
        self.out.say(undo.plan.statement)
        self._decide(undo.plan.id, "demo-approver")

    def _audit(self) -> None:
        self._heading("8. The trail")
        rows = self.runtime.store.audit_rows()[self.audited :]
        self.out.table(
            ("#", "actor", "event", "plan"), [(r.seq, r.actor, r.event, r.plan_id or "") for r in rows], right=("#",)
        )
        report = self.runtime.store.verify_audit()
        verdict = "whole" if report.ok else f"BROKEN: {report.problems[0]}"
        self.out.say(f"\n$ frostline audit verify\nThe audit chain is {verdict} ({report.rows} rows).\n")
