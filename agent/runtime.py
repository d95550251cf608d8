"""Composition root: Settings -> account, gateway, store, policy, graphs; the writer goes to the execute node alone.

Nothing is opened before it is needed: a command that only reads the store pays for nothing else.
"""

from __future__ import annotations

import logging
import os
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from agent.account_access import AccountAccess
from agent.locks import KeyedLocks
from agent.settings import Settings
from tools.domain import Account, Person, PlanRecord
from tools.errors import BadArgument, FrostlineError, NotAllowed
from tools.warehouse.config import ConnectionConfig

if TYPE_CHECKING:
    from contextlib import ExitStack

    from langgraph.checkpoint.base import BaseCheckpointSaver

    from agent.actions.runner import ActionRunner
    from agent.approvals import DecisionOutcome
    from agent.library import LazyLibrary
    from agent.models.chain import Models
    from agent.policy import Policy
    from agent.roster import GroupDirectory
    from agent.state import Step, Thinker, Turn
    from agent.store import Store
    from tools.context import Clock, ToolContext, UsageReader, WarehouseWriter
    from tools.preferences import Preferences

__all__ = ["Runtime", "SystemClock", "WriterFactory"]

Progress = Callable[[float, str], None]
WriterFactory = Callable[[ConnectionConfig], "WarehouseWriter"]
Decision = Literal["approve", "decline", "cancel"]


class SystemClock:
    """Wall time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Runtime:
    """One profile, opened. Close it, or use it as a context manager.

    Threads may share one, after `warm()`: nothing is opened twice then. Turns of one conversation wait for each
    other; turns of several run side by side.
    """

    settings: Settings
    clock: Clock
    new_id: Callable[[], str]
    progress: Progress | None = None
    writer_factory: WriterFactory | None = None
    """For tests that must stop the process around a write; None: the real writer."""
    groups: GroupDirectory | None = None
    """Who is in a group of policy.toml; None: nobody."""
    attended: bool = True
    """False: nobody sits in front of this process, so signing in must not need a browser."""

    @classmethod
    def open(
        cls,
        settings: Settings,
        *,
        clock: Clock | None = None,
        new_id: Callable[[], str] | None = None,
        progress: Progress | None = None,
        writer_factory: WriterFactory | None = None,
        groups: GroupDirectory | None = None,
        attended: bool = True,
    ) -> Runtime:
        """Ready to use; an embedded account is built if there is none yet (progress says how far).

        `groups` says who is in a group of policy.toml (agent.roster.GroupDirectory).

        Raises:
            FrostlineError: the account, the store or the policy cannot be used.
        """
        runtime = cls(
            settings, clock or SystemClock(), new_id or _random_id, progress, writer_factory, groups, attended
        )
        if settings.account.kind == "embedded":
            runtime._access.embedded  # noqa: B018 - builds the account now, while a progress bar is shown
        return runtime

    def __enter__(self) -> Runtime:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._stack.close()

    def warm(self) -> Runtime:
        """Open now, in this thread, all that is otherwise opened when it is first needed.

        Raises:
            FrostlineError: the account, the store or the policy cannot be used.
        """
        self.store, self.policy, self.checkpointer, self.reader, self.runner  # noqa: B018 - each is opened by asking
        self._chat_graph, self._talking, self.library, self._exporter, self.preferences  # noqa: B018
        self.reader.now()  # signs in
        return self

    @cached_property
    def _stack(self) -> ExitStack:
        from contextlib import ExitStack

        return ExitStack()

    # --- the account ---------------------------------------------------------------------------------------------

    @cached_property
    def _access(self) -> AccountAccess:
        return AccountAccess(self.settings, self._stack, progress=self.progress, attended=self.attended)

    @cached_property
    def account(self) -> Account:
        """Who we speak of, and what Snowflake itself does not tell."""
        return self._access.account

    @property
    def reader_config(self) -> ConnectionConfig:
        return self._access.reader_config

    @property
    def operator_config(self) -> ConnectionConfig:
        """Found anew each time: a change may come long after the runtime was opened."""
        return self._access.operator_config

    @cached_property
    def reader(self) -> UsageReader:
        return self._access.reader

    # --- state ---------------------------------------------------------------------------------------------------

    @cached_property
    def store(self) -> Store:
        from agent.store import Store

        url = self.settings.store.url
        place = url.get_secret_value() if url else self.settings.state_dir / "store.db"
        store = Store.open(place, account=self._access.key, clock=self.clock)
        self._stack.callback(store.close)
        return store

    @cached_property
    def policy(self) -> Policy:
        from agent.policy import Policy

        own = self.settings.state_dir / "policy.toml"
        # Whatever stands there counts, also what cannot be read: the packaged policy may be the wider one.
        file: Path | None = self.settings.policy.file or (own if os.path.lexists(own) else None)
        awaited = own if file is None else None  # put there later, it counts at once
        return Policy.load(file, demo=self.settings.is_demo, groups=self.groups, awaited=awaited)

    @cached_property
    def checkpointer(self) -> BaseCheckpointSaver[Any]:
        from agent.checkpoints import open_checkpointer

        url = self.settings.store.url
        return open_checkpointer(
            url.get_secret_value() if url else None, self.settings.state_dir / "checkpoints.db", self._stack
        )

    # --- people --------------------------------------------------------------------------------------------------

    def person(self, as_user: str | None = None, *, deciding: bool = False) -> Person:
        """Who is speaking: --as in the demo profile, else the OS user as policy knows them.

        Raises:
            NotAllowed: --as outside the demo profile (audited). A demo person that policy does not know has no role.
        """
        if not self.settings.is_demo:
            me = self.policy.person(f"os:{_os_user()}")
            if as_user is None:
                return me
            denied = NotAllowed(
                "--as works in the demo profile only; here you are the person you logged in as.", rule="identity"
            )
            detail = {"decision": "act as", "why": denied.rule, "message": denied.message, "as": as_user[:64]}
            self.store.audit("denied", me.id, None, detail)
            raise denied
        name = as_user or (self.settings.demo.approver if deciding else self.settings.demo.person)
        person_id = name if name.startswith("demo:") else f"demo:{name}"
        return self.policy.person(person_id)

    # --- asking --------------------------------------------------------------------------------------------------

    def ask(
        self,
        text: str,
        *,
        thread: str | None,
        person: Person,
        on_step: Callable[[Step], None] | None = None,
        cards: bool = False,
    ) -> Turn:
        """One turn of a conversation; plans it stored are waiting for approval afterwards.

        `on_step` is told of every call as it begins and ends, in this thread. `cards`: the channel shows stored
        plans as cards, so the reply does not spell them out.

        Raises:
            NotAllowed: somebody without any role (policy's default_role may be "none").
            Stopped: `on_step` raised it; nothing was stored by this turn.
        """
        from agent.checkpoints import reachable_checkpoints
        from agent.graph import run_turn

        self.policy.check_role(person, "viewer", "ask about this account")

        conversation = _thread_id(thread) or self.new_id()
        context = self._chat_context(person, on_step, cards)
        with self._talking.alone(conversation), reachable_checkpoints():
            turn = run_turn(self._chat_graph, context, text, conversation)
        for plan in turn.plans:
            self.runner.start(plan.id)
        return turn

    @cached_property
    def _talking(self) -> KeyedLocks:
        return KeyedLocks()

    @cached_property
    def _chat_graph(self) -> Any:
        from agent.graph import build_chat_graph

        return build_chat_graph(self.checkpointer)

    def _chat_context(self, person: Person, on_step: Callable[[Step], None] | None, cards: bool) -> Any:
        from agent.graph import chat_context

        return chat_context(
            self.tool_context,
            person,
            audit=self.store.audit,
            thinker=self._thinker(),
            on_step=on_step,
            cards=cards,
            on_trace=self._keep_trace,
        )

    def _keep_trace(self, trace: dict[str, Any]) -> None:
        """The answer stands already: what cannot be kept of its way is no reason to withhold it."""
        try:
            self.store.traces.put(trace)
            self._exporter(trace)
        except FrostlineError as error:
            logging.getLogger(__name__).warning("A trace could not be kept: %s", error.message)

    @cached_property
    def _exporter(self) -> Callable[[dict[str, Any]], None]:
        """Where traces go besides the store, by setting; nothing is imported for it otherwise."""
        if self.settings.llm.export == "none":
            return lambda trace: None
        from agent.trace_export import exporter

        send, close = exporter(self.settings.llm)
        self._stack.callback(close)
        return send

    def _thinker(self) -> Thinker | None:
        """Made anew for each turn, whose budget and mask it keeps; None: the planner thinks, no model is loaded."""
        if not self.settings.llm.models:
            return None
        from agent.models.thinker import thinker_for

        return thinker_for(self._models)

    @cached_property
    def _models(self) -> Models:
        """What all turns share: the circuit breaker and the day's budget."""
        from agent.models.chain import Models

        return Models(self.settings.llm, self.store.llm_use)

    @cached_property
    def library(self) -> LazyLibrary:
        """The knowledge base; opened at its first search."""
        from agent.account_names import names_to_mask
        from agent.library import LazyLibrary

        library = LazyLibrary(self.settings, lambda kinds: names_to_mask(self.reader, kinds))
        self._stack.callback(library.close)
        return library

    def tool_context(self, person: Person, thread: str | None, *, asked_for_change: bool) -> ToolContext:
        from tools.context import ToolContext

        return ToolContext(
            reader=self.reader,
            plans=self.store,
            policy=self.policy,
            clock=self.clock,
            person=person,
            thread=thread,
            new_id=self.new_id,
            asked_for_change=asked_for_change,
            retriever=self.library,
            model_use=self.store.llm_use.use_today if self.settings.llm.models else None,
            findings=self.store.findings,
            preferences=self.preferences,
        )

    @cached_property
    def preferences(self) -> Preferences:
        """Budgets, holidays and planned work, by the profile."""
        from agent.settings_outlook import preferences_of

        return preferences_of(self.settings.budget, self.settings.forecast, self.settings.anomalies)

    # --- deciding ------------------------------------------------------------------------------------------------

    @cached_property
    def runner(self) -> ActionRunner:
        """The action graphs; the writer is opened by their execute node, for one statement at a time."""
        import socket
        import time

        from agent.actions.runner import ActionRunner
        from agent.actions.state import ActionContext

        context = ActionContext(
            store=self.store,
            policy=self.policy,
            reader=self.reader,
            clock=self.clock,
            me=f"{socket.gethostname()}:{os.getpid()}:{self.new_id()}",
            sleep=time.sleep,
            lease=self._lease,
        )
        return ActionRunner.build(context, self.checkpointer, self._open_writer)

    @property
    def _lease(self) -> timedelta:
        """How long a claim lasts: longer than signing in, and then than sending and running a statement, may take.

        The last attempt of each may begin at its time limit and take a whole socket timeout more (tools.warehouse).
        """
        config = self.operator_config
        socket = max(config.network_timeout, config.login_timeout)
        longest = max(config.login_timeout, config.network_timeout + config.statement_timeout) + socket
        return timedelta(seconds=longest + 30)

    def _open_writer(self) -> WarehouseWriter:
        if self.writer_factory is not None:
            return self.writer_factory(self.operator_config)
        from tools.warehouse.writer import SnowflakeWriter

        return SnowflakeWriter(self.operator_config).open()

    def decide(
        self, ref: str, digest: str | None, actor: Person, decision: Decision, reason: str = ""
    ) -> DecisionOutcome:
        """agent.approvals.decide: the one door."""
        return self.runner.decide(ref, digest, actor, decision, reason)

    def undo(self, ref: str, person: Person, reason: str = "") -> PlanRecord:
        """A new plan that takes an applied one back."""
        return self.runner.undo(ref, self.tool_context(person, None, asked_for_change=True), reason)


def _os_user() -> str:
    """By the process's user id: LOGNAME, USER and their like are whatever somebody has set them to."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def _random_id() -> str:
    return uuid.uuid4().hex[:12]


def _thread_id(text: str | None) -> str | None:
    if text is None:
        return None
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,120}", text):
        raise BadArgument("That is not a thread id.", hint="Letters, digits and . _ : / -, at most 121 characters.")
    return text
