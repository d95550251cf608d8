"""An office whose bot has a demo account of its own and a clock that tests move: for cards and who decides.

One serves all tests of a module. Each test has a channel of its own and asks for a setting that no other asks for.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from agent.runtime import Runtime, WriterFactory
from bots.slack.people import GroupDirectory, group_directory
from bots.slack.service import SlackBot
from bots.slack.types import Action, PlanKey
from tests import account
from tests.scenario.slack.office import PATIENCE_S, Office, key_of
from tests.slack_server import SlackServer
from tests.slack_server.delivery import Delivery
from tests.slack_server.things import Posted, View
from tools.domain import PlanRecord, PlanState

T = TypeVar("T")


class ShiftedClock:
    """Wall time, moved on by hand: what expires does so without anybody waiting for it."""

    def __init__(self) -> None:
        self.shift = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift


def alters(home: Path, warehouse: str) -> list[str]:
    """The demo server's own log: the statements that it really ran."""
    log = home / "demo" / "account" / "alters.jsonl"
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.is_file() else []
    return [row["statement"] for row in rows if row["warehouse"] == warehouse]


@dataclass(frozen=True)
class Card:
    """Where a card stands and what its buttons carry."""

    channel: str
    thread: str
    ts: str
    key: PlanKey

    @property
    def ref(self) -> str:
        return self.key.ref


@dataclass(frozen=True)
class Change:
    """A card, and what it would change."""

    card: Card
    warehouse: str
    seconds: int

    @property
    def statement(self) -> str:
        return f'ALTER WAREHOUSE "{self.warehouse}" SET AUTO_SUSPEND = {self.seconds}'


class Desk(Office):
    """The office, where people decide."""

    def __init__(self, home: Path, slack: SlackServer, *, extra_policy: str = "") -> None:
        super().__init__(home, slack, extra_policy=extra_policy)
        policy = home / "demo" / "policy.toml"
        policy.write_text(policy.read_text(encoding="utf-8").replace("per_hour = 20", "per_hour = 1000"), "utf-8")
        self.clock = ShiftedClock()
        self._numbers = itertools.count(1)
        self._warehouses: list[str] = []
        self.approvals = ""
        """A channel for approvals, where the module has one."""

    def open(self, *, writer: WriterFactory | None = None, **slack: Any) -> SlackBot:
        """As an office's, by this clock."""
        settings = self.settings(**({"refresh_s": 0.3} | slack))
        groups: GroupDirectory = group_directory(settings.slack)
        runtime = Runtime.open(settings, clock=self.clock, groups=groups, writer_factory=writer)
        self._runtime = runtime.warm()
        self._bot = SlackBot(self._runtime, settings.slack, groups=groups)
        return self._bot

    # --- the workspace -------------------------------------------------------------------------------------------

    def channel(self, *others: str, bot: bool = True, shared: bool = False) -> str:
        """A new one with everybody in it."""
        members = [*self.people.values(), *others]
        return self.slack.add_channel(f"room-{next(self._numbers)}", members, bot=bot, shared=shared)

    def warehouse(self) -> str:
        """Another one at each call, while there are some; all can be written without quotes."""
        if not self._warehouses:
            found = [w.name for w in self.runtime.reader.warehouses() if not w.is_adaptive]
            self._warehouses = [name for name in found if name.isidentifier() and name == name.upper()]
        return self._warehouses[next(self._numbers) % len(self._warehouses)]

    # --- asking --------------------------------------------------------------------------------------------------

    def request(self, user: str, channel: str, text: str, thread: str | None = None) -> Card:
        """Somebody asks for a change; its card."""
        ts = self.slack.say(user, channel, text, thread)
        self.finished(channel, ts)
        cards = [card for card in self.cards_in(channel, thread or ts) if card.ts > ts]
        assert cards, [each.all_text for each in self.slack.posted(channel, thread or ts)]
        return cards[-1]

    def propose(self, by: str | None = None, channel: str | None = None, *, warehouse: str | None = None) -> Change:
        """A change of auto-suspend that nobody asked for before."""
        name, seconds = warehouse or self.warehouse(), 1000 + 10 * next(self._numbers)
        text = f"set auto-suspend of {name} to {seconds} seconds"
        return Change(self.request(by or self.pete, channel or self.channel(), text), name, seconds)

    # --- looking -------------------------------------------------------------------------------------------------

    def cards_in(self, channel: str, thread: str | None = None) -> list[Card]:
        """Cards of plans or bundles, oldest first."""
        found = []
        for message in self.slack.posted(channel, thread):
            key = PlanKey.parse(button(message, Action.DETAILS) or "")
            if key is not None:
                found.append(Card(channel, message.thread_ts or message.ts, message.ts, key))
        return found

    def text(self, card: Card) -> str:
        return self.slack.message(card.channel, card.ts).all_text

    def notes(self, card: Card) -> list[str]:
        """What the thread was told of what became of a plan or bundle."""
        found = self.slack.posted(card.channel, card.thread)
        return [each.all_text for each in found if key_of(each).startswith(f"told:{card.ref}:")]

    def whispers(self, user: str) -> list[str]:
        """Everything that this person alone was shown."""
        return [each.all_text for each in self.slack.ephemerals if each.ephemeral_to == user]

    def record(self, card: Card) -> PlanRecord:
        return self.runtime.store.get(card.ref)

    def alters(self, warehouse: str) -> list[str]:
        return alters(self.home, warehouse)

    def audit(self, card: Card, event: str) -> list[tuple[str, str]]:
        """(person, why) of the plan's rows."""
        rows = self.runtime.store.audit_rows(card.ref)
        return [(row.actor, str(row.detail.get("why"))) for row in rows if row.event == event]

    def live(self, warehouse: str) -> int | None:
        return next(w.auto_suspend for w in self.runtime.reader.warehouses() if w.name == warehouse)

    def eventually(self, look: Callable[[], T]) -> T:
        """`wait`, typed."""
        found: T = self.wait(look)
        return found

    # --- acting --------------------------------------------------------------------------------------------------

    def press(self, user: str, card: Card, action: Action = Action.APPROVE, **how: Any) -> Delivery:
        return self.slack.click(user, card.channel, card.ts, action.value, **how).wait(PATIENCE_S)

    def becomes(self, card: Card, *words: str) -> str:
        """Until the card says all of this; its text."""

        def look() -> str:
            text = self.text(card)
            return text if all(word in text for word in words) else ""

        try:
            return self.eventually(look)
        except AssertionError as late:
            raise AssertionError(f"the card does not say {words}:\n{self.text(card)}") from late

    def approve(self, card: Card, by: str | None = None) -> str:
        """By somebody who may; the card's text once it is applied."""
        self.press(by or self.alice, card)
        return self.becomes(card, "Applied")

    def whispered(self, user: str, act: Callable[[], object]) -> str:
        """What this person alone is shown after doing something."""
        before = len(self.whispers(user))
        act()
        return self.eventually(lambda: self.whispers(user)[before:])[-1]

    def refused(self, user: str, card: Card, action: Action = Action.APPROVE, **how: Any) -> str:
        """Press; what the person alone is told about it."""
        return self.whispered(user, lambda: self.press(user, card, action, **how))

    def window(self, user: str, card: Card, action: Action, **how: Any) -> View:
        """Press; the modal that opens for it."""
        known = {view.id for view in self.slack.views}
        self.press(user, card, action, **how)
        return self.eventually(lambda: [v for v in self.slack.views if v.user == user and v.id not in known])[-1]

    def is_untouched(self, change: Change) -> bool:
        """Waiting as before, and nothing of it has run."""
        is_open = self.record(change.card).state is PlanState.PROPOSED
        return is_open and change.statement not in self.alters(change.warehouse)


def button(message: Posted, action: Action) -> str | None:
    """The value of a message's first button of this kind."""
    for block in message.blocks:
        for element in block.get("elements", []):
            if isinstance(element, dict) and element.get("action_id") == action.value:
                return str(element.get("value"))
    return None


@contextmanager
def deciding(
    template_home: Path, folder: Path, *, slack: SlackServer | None = None, extra_policy: str = ""
) -> Iterator[Desk]:
    """A desk, not yet started, with a copy of the account."""
    home = account.new_home(template_home, folder / "home")
    desk = Desk(home, (slack or SlackServer()).start(), extra_policy=extra_policy)
    try:
        yield desk
    finally:
        desk.close()
        account.stop_server(home)
