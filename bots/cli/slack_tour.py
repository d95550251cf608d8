"""`frostline demo --slack`: the tour as Slack shows it, without Slack.

Questions, plans and decisions go through the same doors as everywhere, and what is shown are the very messages
that the bot would send, checked against Slack's limits. What it changes it takes back.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from bots.cli.opening import opened
from bots.cli.output import Output
from bots.slack.render.answer import answer_messages
from bots.slack.render.card import CardView, card_message, told_message
from bots.slack.render.check import problems
from bots.slack.render.home import home_view
from bots.slack.render.modals import decline_view, details_view, evidence_view
from bots.slack.render.notes import error_message
from bots.slack.render.terminal import picture, show
from bots.slack.types import Message
from tools.domain import PlanRecord, PlanState, Role
from tools.errors import BadArgument, Bug, FrostlineError

if TYPE_CHECKING:
    from agent.runtime import Runtime
    from agent.state import Turn

__all__ = ["run_slack_tour"]


def run_slack_tour(out: Output, profile: str | None, pictures: Path | None) -> None:
    """`pictures`: a folder for one SVG a step; None draws in the terminal only. With --json: one payload a line."""
    with out.edge():
        if profile not in (None, "demo"):
            raise BadArgument("The tour runs in the demo profile only.", hint="frostline demo --slack")
        if pictures is not None:
            _make(pictures)
        with opened(out, "demo") as runtime:
            _SlackTour(out, runtime, pictures).run()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadArgument(f"The folder cannot be made ({error.strerror}).", hint=str(folder)) from None


class _SlackTour:
    def __init__(self, out: Output, runtime: Runtime, pictures: Path | None) -> None:
        self.out = out
        self.runtime = runtime
        self.pictures = pictures
        self.thread = f"tour:{runtime.new_id()}"

    def run(self) -> None:
        self._ask("answer", "How many credits did we use last week, compared with the week before?")
        question = "Which warehouses used most of it?"
        top = self._ask("table", question)
        self._show("evidence", "Show the evidence", evidence_view(top.model_dump(mode="json"), question))
        self._ask("warehouses", "list warehouses")
        names = self._candidates()
        if not names:
            self._say("No warehouse here can be changed by Frostline, so the tour ends with the questions.")
            return
        self._change(*names[0])
        if len(names) > 1:
            self._bundle(names[0], names[1])

    # --- steps -------------------------------------------------------------------------------------------------------

    def _change(self, name: str, seconds: int) -> None:
        turn = self._ask("change", f"Set auto-suspend of {name} to {seconds} seconds")
        if not turn.plans:
            return
        ref = turn.plans[0].id
        record = self.runtime.store.get(ref)
        self._card("card", "The card in the thread", ref)
        self._show("details", "Details", details_view(self._view(ref)))
        self._home()
        self._decide("wrong-person", ref, "demo-viewer")
        if self._decide("applied", ref, "demo-approver") is not PlanState.APPLIED:
            return
        told = told_message(self._view(ref))
        if told is not None:
            self._show("told", "In the thread, to whoever asked", told)
        undo = self.runtime.undo(record.plan.id, self.runtime.person(), "the tour takes its change back")
        self._card("undo", "Undo is a plan too", undo.plan.id)
        self._decide("undone", undo.plan.id, "demo-approver")

    def _bundle(self, first: tuple[str, int], second: tuple[str, int]) -> None:
        """Two changes on one card; it is declined, so nothing is left behind."""
        turn = self._ask(
            "two-changes",
            f"Set auto-suspend of {first[0]} to {first[1]} seconds and set auto-suspend of {second[0]} to "
            f"{second[1]} seconds",
        )
        if not turn.plans or turn.plans[0].bundle is None:
            self._withdraw([plan.id for plan in turn.plans])
            return
        ref = turn.plans[0].bundle
        self._card("bundle", "One card for both", ref)
        self._show("decline", "Decline asks why", decline_view(self._view(ref), "C1", "1.1"))
        approver = self.runtime.person("demo-approver")
        self.runtime.decide(ref, self._view(ref).digest, approver, "decline", "not this week")
        self._card("declined", "Declined", ref)

    def _withdraw(self, plans: list[str]) -> None:
        for plan in plans:
            self.runtime.decide(plan, None, self.runtime.person(), "cancel", "the tour is over")

    def _ask(self, name: str, text: str) -> Turn:
        person = self.runtime.person()
        self._say(f"\n{person.name}: {text}")
        with self.out.working("Looking"):
            turn = self.runtime.ask(text, thread=self.thread, person=person, cards=True)
        for number, message in enumerate(answer_messages(turn), start=1):
            self._show(name if number == 1 else f"{name}-{number}", "Frostline", message)
        return turn

    def _decide(self, name: str, ref: str, who: str) -> PlanState | None:
        """Press Approve; the card afterwards, or what only the person who pressed it sees."""
        person = self.runtime.person(who)
        self._say(f"\n{person.name} presses Approve")
        try:
            outcome = self.runtime.decide(ref, self._view(ref).digest, person, "approve", "tour")
        except FrostlineError as error:
            self._show(name, f"Only {person.name} sees this", error_message(error))
            return None
        self._card(name, "The same card", ref)
        return outcome.state

    # --- what is shown -----------------------------------------------------------------------------------------------

    def _view(self, ref: str) -> CardView:
        found = self.runtime.store.resolve(ref)
        records = (found,) if isinstance(found, PlanRecord) else found.plans
        title = "" if isinstance(found, PlanRecord) else found.bundle.title
        two = any(record.plan.verdict.two_people for record in records)
        return CardView(ref, found.digest, title, records, self.runtime.account.timezone, two_people=two)

    def _home(self) -> None:
        me = self.runtime.person()
        role = max(me.roles, key=get_args(Role).index, default="none")
        waiting = self.runtime.store.list([PlanState.PROPOSED])
        self._show("home", "The Home tab", home_view(me, role, waiting, self.runtime.account.timezone))

    def _card(self, name: str, title: str, ref: str) -> None:
        self._show(name, title, card_message(self._view(ref)))

    def _show(self, name: str, title: str, shown: Message | dict[str, Any]) -> None:
        """
        Raises:
            Bug: Slack would refuse it.
        """
        if wrong := problems(shown):
            raise Bug(f"Slack would not take the step {name!r}: {wrong[0]}")
        if self.out.as_json:
            self.out.json({"text": shown.text, "blocks": shown.blocks} if isinstance(shown, Message) else shown)
        else:
            self.out.console.print(show(shown, title=title))
        if self.pictures is not None:
            self._draw(self.pictures / f"{name}.svg", picture(shown, title=title))

    def _draw(self, file: Path, svg: str) -> None:
        try:
            file.write_text(svg, encoding="utf-8")
        except OSError as error:
            raise BadArgument(f"The picture cannot be written ({error.strerror}).", hint=str(file)) from None

    def _say(self, text: str) -> None:
        if not self.out.as_json:
            self.out.console.print(text, style="bold", markup=False)

    def _candidates(self) -> list[tuple[str, int]]:
        """Warehouses whose wait before they suspend can be changed, with the new wait in seconds: longest first."""
        able = [
            w
            for w in self.runtime.reader.warehouses()
            if not w.is_adaptive and not w.is_interactive and not self.runtime.policy.is_protected(w.name)
        ]
        # One that never suspends cannot be put back where policy forbids "never".
        able.sort(key=lambda w: (w.auto_suspend is None, -(w.auto_suspend or 0), w.name))
        return [(w.name, 300 if w.auto_suspend == 60 else 60) for w in able]
