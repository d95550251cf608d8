"""Buttons and modals: from an acknowledged click to what it does. Runs in the pool, never before the ack.

The ids of a click are believed and nothing else: plan, digest, state and roles are read again from our own store.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.policy_model import ROLES
from bots.slack.answer_buttons import AnswerButtons
from bots.slack.finding_buttons import FindingButtons, is_about_a_finding
from bots.slack.plan_buttons import PlanButtons
from bots.slack.pool import failed
from bots.slack.render.home import home_view
from bots.slack.render.notes import said
from bots.slack.telling import Teller, as_click
from bots.slack.types import Action, Author, Click, Ignored, Submission
from tools.domain import PlanState
from tools.errors import FrostlineError

if TYPE_CHECKING:
    from bots.slack.parts import Parts

__all__ = ["Interactions"]

_log = logging.getLogger("frostline.slack.deciding")


class Interactions:
    """What people press, send and open. No method raises FrostlineError: it is told to the person, or logged."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._teller = Teller(parts)
        self._plans = PlanButtons(parts, self._teller)
        self._answers = answers = AnswerButtons(parts, self._teller)
        self._findings = FindingButtons(parts, self._teller)
        self._routes: dict[str, Callable[[Click], None]] = {
            Action.APPROVE: self._plans.approve,
            Action.DECLINE: self._plans.decline,
            Action.DETAILS: self._plans.details,
            Action.UNDO: self._plans.undo,
            Action.EVIDENCE: self._evidence,
            Action.CHART: answers.chart,
            Action.FEEDBACK: answers.feedback,
            Action.AGAIN: answers.again,
            Action.FINDING_SNOOZE: self._findings.snooze,
            Action.FINDING_DISMISS: self._findings.dismiss,
        }

    def _evidence(self, click: Click) -> None:
        (self._findings if is_about_a_finding(click) else self._answers).evidence(click)

    def on_click(self, click: Click) -> None:
        """A button of a message, a modal or the Home tab."""
        route = self._routes.get(click.action)
        if route is None or not self._is_ours(click):
            _log.info("a click on %r is not for us", click.action[:60])
            return
        try:
            route(click)
        except FrostlineError as error:
            _log.warning("%s by %s: %s", click.action, click.author.user, error.message)
            self._teller.tell_error(click, error)
        except Exception:  # noqa: BLE001 - an edge: who pressed must hear of it, whatever it was
            self._tell_fault(click)

    def _tell_fault(self, click: Click) -> None:
        name = failed(click.action)
        message = said(
            f"Something went wrong on our side (reference {name}).",
            small="What became of a plan stands on its card; whoever runs Frostline finds the rest in the log.",
        )
        self._teller.tell(click, message)

    def _is_ours(self, click: Click) -> bool:
        """Of our app. (A team that is not ours decides nothing: `Teller.decider`.)"""
        mine = self._parts.me.app
        return not (click.app and mine) or click.app == mine

    def on_submission(self, sent: Submission) -> None:
        forms = {
            Action.DECLINE_FORM: (self._plans.place_of, self._plans.on_decline_form),
            Action.FINDING_FORM: (self._findings.place_of, self._findings.on_form),
        }
        if sent.callback not in forms:
            _log.info("a form %r is not for us", sent.callback[:60])
            return
        place_of, take = forms[Action(sent.callback)]
        place, ts = place_of(sent)
        click = as_click(sent.author, place, ts)
        try:
            take(sent)
        except FrostlineError as error:
            _log.warning("%s by %s: %s", sent.callback, sent.author.user, error.message)
            self._teller.tell_error(click, error)
        except Exception:  # noqa: BLE001 - as in on_click
            self._tell_fault(click)

    def on_home(self, user: str, channel: str, tab: str) -> None:
        """The Home tab was opened: who one is here, and what waits for a decision."""
        if tab != "home":
            return
        found = self._parts.people.person(Author(user, None))
        if isinstance(found, Ignored):
            _log.info("home of %s: %s", user, found.reason)
            return
        runtime = self._parts.runtime
        try:
            role = max(found.roles, key=ROLES.index, default="none")
            # Plans name warehouses and people: whoever may not ask about the account is not shown them either.
            may_see = runtime.policy.has_role(found, "viewer")
            plans = runtime.store.open_plans() if may_see else ()
            waiting = [r for r in reversed(plans) if r.state is PlanState.PROPOSED] if may_see else None
            self._parts.api.publish_home(user, home_view(found, role, waiting, runtime.account.timezone))
        except FrostlineError as error:
            _log.warning("home of %s: %s", user, error.message)
