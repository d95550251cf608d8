"""A bot's parts around a real runtime (store, policy, approvals, graph) and a small account whose warehouses really
change. What is sent to Slack is kept on a wall of the test's own, checked by the rules of the loopback Slack.
"""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver

from agent.policy import Policy
from agent.runtime import Runtime
from agent.settings import AccountSettings, ConnectionSettings, Settings, SlackSettings
from agent.store import Store
from bots.slack.cards import CardDesk
from bots.slack.deciding import Interactions
from bots.slack.parts import Parts
from bots.slack.people import People
from bots.slack.types import (
    Action,
    Attachment,
    Author,
    Click,
    Me,
    Message,
    Outbound,
    Place,
    PlanKey,
    SlackUser,
    Submission,
)
from tests.graph.fake_account import FakeAccount, FakeReader, FakeWriter, warehouse
from tests.slack_server.blocks import check_blocks, check_view
from tests.unit.agent.plans import HandClock
from tools.changes.tools import CHANGE_TOOLS, ProposedPlans
from tools.domain import Account, PlanState
from tools.errors import ChannelRefused, FrostlineError

POLICY = """
version = 1
[[people]]
name = "ada"
ids = ["slack:T1/UADA"]
role = "proposer"
[[people]]
name = "grace"
ids = ["os:grace", "slack:T1/UGRACE"]
role = "approver"
[[people]]
name = "mary"
ids = ["slack:T1/UMARY"]
role = "approver"
[[people]]
name = "gil"
ids = ["slack:T1/UGUEST"]
role = "approver"
[[people]]
name = "olga"
ids = ["slack:T2/UOUT", "slack:T1/UOUT"]
role = "approver"
[[people]]
name = "vic"
ids = ["slack:T1/UVIC"]
role = "viewer"
[limits]
protected = ["VAULT*"]
per_hour = 5
[[rules]]
name = "shared"
effect = "allow"
warehouses = ["SHARED_*"]
two_people = true
[[rules]]
name = "ordinary"
effect = "allow"
"""
ME = Me(team="T1", team_name="Acme", user="UBOT", bot="B1", app="A1", enterprise=None, url="https://acme.slack.com/")
ROOM, ROOT, APPROVALS = "CROOM", "100.000001", "CAPPROVE"
TOOLS = {tool.name: tool for tool in CHANGE_TOOLS}


@dataclass
class Sent:
    place: Place
    message: Message
    ts: str
    key: str | None = None


class Wall:
    """Implements Outbound. `refuse` names a method and what it raises; `before` runs ahead of a method."""

    def __init__(self, me: Me = ME) -> None:
        self._me = me
        users = [SlackUser(f"U{n}", n.lower(), "T1") for n in ("ADA", "GRACE", "MARY", "VIC", "NEW")]
        users.append(SlackUser("UGUEST", "gil", "T1", is_guest=True))
        users.append(SlackUser("UOUT", "olga", "T2"))
        users.append(SlackUser("UROBOT", "robot", "T1", is_bot=True))
        self.users = {user.id: user for user in users}
        self.posts: list[Sent] = []
        self.updates: list[tuple[str, str, Message]] = []
        self.whispers: list[tuple[Place, str, Message]] = []
        self.responses: list[Message] = []
        self.views: list[tuple[str, Mapping[str, Any]]] = []
        self.homes: list[tuple[str, Mapping[str, Any]]] = []
        self.files: list[tuple[Place, Attachment]] = []
        self.refuse: dict[str, FrostlineError] = {}
        self.before: dict[str, Callable[[], None]] = {}
        self._ts = itertools.count(1)
        self._lock = threading.Lock()

    def _called(self, method: str) -> None:
        if method in self.before:
            self.before[method]()
        if method in self.refuse:
            raise self.refuse[method]

    def me(self) -> Me:
        return self._me

    def post(self, place: Place, message: Message, *, key: str | None = None) -> str:
        self._called("post")
        check_blocks([dict(b) for b in message.blocks])
        with self._lock:
            known = next((s for s in self.posts if key and s.key == key and s.place == place), None)
            if known is None:
                known = Sent(place, message, f"200.{next(self._ts):06d}", key)
                self.posts.append(known)
        return known.ts

    def update(self, channel: str, ts: str, message: Message) -> None:
        self._called("update")
        check_blocks([dict(b) for b in message.blocks])
        self.updates.append((channel, ts, message))

    def ephemeral(self, place: Place, user: str, message: Message) -> None:
        self._called("ephemeral")
        check_blocks([dict(b) for b in message.blocks])
        self.whispers.append((place, user, message))

    def respond(self, response_url: str, message: Message, *, in_channel: bool = False) -> None:
        self._called("respond")
        self.responses.append(message)

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        self._called("open_view")
        check_view(dict(view), "modal")
        self.views.append((trigger_id, view))

    def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        check_view(dict(view), "home")
        self.homes.append((user, view))

    def upload(self, place: Place, file: Attachment) -> None:
        self.files.append((place, file))

    def start_stream(self, place: Place, recipient: Author) -> str:
        raise AssertionError("not for clicks")

    def append_stream(self, channel: str, ts: str, chunks: Sequence[Mapping[str, Any]]) -> None:
        raise AssertionError("not for clicks")

    def stop_stream(
        self,
        channel: str,
        ts: str,
        *,
        chunks: Sequence[Mapping[str, Any]] = (),
        blocks: Sequence[Mapping[str, Any]] = (),
        key: str | None = None,
    ) -> None:
        raise AssertionError("not for clicks")

    def status(self, place: Place, text: str) -> None: ...

    def title(self, place: Place, text: str) -> None: ...

    def prompts(self, channel: str, prompts: Sequence[tuple[str, str]], thread_ts: str | None = None) -> None: ...

    def user(self, user: str) -> SlackUser:
        self._called("user")
        if user not in self.users:
            raise ChannelRefused("Slack refused users.info: user_not_found.", reason="user_not_found")
        return self.users[user]

    def group_members(self, group: str) -> frozenset[str]:
        return frozenset()

    def is_shared(self, channel: str) -> bool:
        return False

    def find(self, place: Place, key: str) -> str | None:
        return next((s.ts for s in self.posts if s.place == place and s.key == key), None)

    # --- what people see ---------------------------------------------------------------------------------------------

    @property
    def told(self) -> list[str]:
        """What was whispered, in order."""
        return [f"{user}: {texts(message.blocks)}" for _, user, message in self.whispers]

    def shows(self, ts: str) -> Message:
        """What a message shows now."""
        newest = [message for _, at, message in self.updates if at == ts]
        return newest[-1] if newest else next(s.message for s in self.posts if s.ts == ts)

    def buttons(self, ts: str) -> dict[str, str]:
        """action_id -> value of the buttons that stand under a message now."""
        return {
            e["action_id"]: e["value"]
            for block in self.shows(ts).blocks
            if block["type"] == "actions"
            for e in block["elements"]
        }


def texts(value: Any) -> str:
    """Every text in blocks, in order."""
    if isinstance(value, Mapping):
        own = value.get("text")
        return own if isinstance(own, str) else " ".join(filter(None, (texts(v) for v in value.values())))
    return " ".join(filter(None, map(texts, value))) if isinstance(value, (list, tuple)) else ""


@dataclass
class Office:
    """One process of the bot. `other()` makes another on the same store."""

    runtime: Runtime
    account: FakeAccount
    reader: FakeReader
    clock: HandClock
    api: Outbound
    parts: Parts
    around: list[Callable[[Callable[[], None]], None]]
    folder: Path
    ticks: list[float]
    interactions: Interactions = field(init=False)
    home_team: str = "T1"
    _stamps: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.interactions = Interactions(self.parts)

    @property
    def wall(self) -> Wall:
        assert isinstance(self.api, Wall)
        return self.api

    @property
    def store(self) -> Store:
        return self.runtime.store

    @property
    def desk(self) -> CardDesk:
        return self.parts.desk

    def propose(self, tool: str = "set_auto_suspend", by: str = "UADA", **args: Any) -> ProposedPlans:
        """As a turn of a conversation does it."""
        args = args or {"warehouse": "ETL", "seconds": 60}
        person = self.runtime.policy.person(f"slack:{self.home_team}/{by}")
        found = TOOLS[tool]
        result = found.run(self.runtime.tool_context(person, "t1", asked_for_change=True), found.args(**args))
        assert isinstance(result.data, ProposedPlans)
        for proposed in result.data.plans:
            self.runtime.runner.start(proposed.plan.id)
        return result.data

    def card(self, ref: str, place: Place | None = None) -> str:
        """Post a card as the answer's turn does; its ts."""
        self.desk.post(ref, place or Place(ROOM, ROOT), "T1")
        return self.store.cards.of(ref)[0].ts

    def click(self, action: Action, value: str, user: str = "UGRACE", ts: str = "200.000001", **changes: Any) -> Click:
        number = next(self._stamps)
        made = Click(
            team="T1",
            author=Author(user, self.team_of(user)),
            action=action.value,
            value=value,
            action_ts=f"300.{number:06d}",
            place=Place(ROOM, ROOT),
            message_ts=ts,
            trigger_id=f"trigger-{number}",
            app="A1",
        )
        return replace(made, **changes)

    def team_of(self, user: str) -> str:
        return "T2" if user == "UOUT" else "T1"

    def press(self, action: Action, value: PlanKey | str, user: str = "UGRACE", **changes: Any) -> None:
        text = value.text() if isinstance(value, PlanKey) else value
        self.interactions.on_click(self.click(action, text, user, **changes))

    def send(self, view: Mapping[str, Any], user: str, reason: str = "not today") -> None:
        """Fill the form in and send it."""
        sent = Submission(
            Author(user, self.team_of(user)), view["callback_id"], view["private_metadata"], {"reason": reason}
        )
        self.interactions.on_submission(sent)

    def denials(self) -> list[tuple[str, str | None, str]]:
        """(who, plan, why) of everything denied."""
        return [(r.actor, r.plan_id, r.detail["why"]) for r in self.store.audit_rows() if r.event == "denied"]

    def other(self) -> Office:
        return open_office(self.folder, clock=self.clock, api=self.api, fresh=False, by="p2", slack=self.parts.settings)


def open_office(
    folder: Path,
    *,
    clock: HandClock | None = None,
    api: Outbound | None = None,
    slack: SlackSettings | None = None,
    policy: str = POLICY,
    fresh: bool = True,
    by: str = "p1",
    template: Path | None = None,
) -> Office:
    clock, slack, api = clock or HandClock(), slack or SlackSettings(), api or Wall()
    login = ConnectionSettings(account="acme", user="FROSTLINE", role="R", warehouse="W", token="t")  # type: ignore[arg-type]
    settings = Settings(
        profile="test", home=folder, account=AccountSettings(name="ACME"), reader=login, operator=login, slack=slack
    )
    account = FakeAccount(folder)
    if fresh:
        account.set(warehouse("ETL"), warehouse("SHARED_BI"), warehouse("VAULT"))
    if template and fresh:
        shutil.copy(template, folder / "store.db")
    around: list[Callable[[Callable[[], None]], None]] = []
    ids = itertools.count(1)
    runtime = Runtime(
        settings,
        clock,
        lambda: f"{by}id{next(ids):06d}",
        writer_factory=lambda _: FakeWriter(account, around[-1] if around else None),
    )
    # What is opened lazily, put in: the account is the test's own, all else is real.
    runtime.reader = reader = FakeReader(account)
    runtime.account = Account(name="ACME", origin="live", timezone="UTC", edition="ENTERPRISE", credit_price=3.0)
    runtime.store = Store.open(folder / "store.db", account="ACME", clock=clock)
    runtime.policy = Policy.load(policy)
    runtime.checkpointer = InMemorySaver()
    ticks = [0.0]
    me = api.me()
    bare = Parts(runtime, slack, api, People(api, slack, lambda: runtime.policy, me), me, by)
    desk = CardDesk(bare, now=lambda: ticks[0])
    return Office(runtime, account, reader, clock, api, replace(bare, cards=desk), around, folder, ticks)


def posted(office: Office, **wanted: Any) -> PlanKey:
    plan = office.propose(**wanted)
    office.card(plan.approve_id)
    return PlanKey(plan.approve_id, plan.approve_digest)


def state(office: Office, key: PlanKey) -> PlanState:
    return office.store.get(key.ref).state
