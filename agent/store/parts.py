"""What else the store keeps beside plans and their audit: each of it behind a class and tables of its own."""

from __future__ import annotations

from functools import cached_property

from agent.store.answers import Answers
from agent.store.cards import Cards
from agent.store.finding_posts import FindingPosts
from agent.store.findings import Findings
from agent.store.inbox import Inbox
from agent.store.leases import Leases
from agent.store.reads import StoreReads
from agent.store.traces import Traces
from agent.store.usage import LlmUse

__all__ = ["StoreParts"]


class StoreParts(StoreReads):
    """They share the store's engine, account and clock, and are made when they are first asked for."""

    @cached_property
    def inbox(self) -> Inbox:
        return Inbox(self._engine, account=self.account, clock=self._clock)

    @cached_property
    def cards(self) -> Cards:
        return Cards(self._engine, account=self.account, clock=self._clock)

    @cached_property
    def answers(self) -> Answers:
        return Answers(self._engine, account=self.account, clock=self._clock)

    @cached_property
    def llm_use(self) -> LlmUse:
        return LlmUse(self._engine, account=self.account, clock=self._clock)

    @cached_property
    def traces(self) -> Traces:
        return Traces(self._engine, account=self.account, clock=self._clock)

    @cached_property
    def findings(self) -> Findings:
        return Findings(self._engine, account=self.account, clock=self._clock)

    @cached_property
    def finding_posts(self) -> FindingPosts:
        return FindingPosts(self._engine, account=self.account, clock=self._clock)

    @cached_property
    def leases(self) -> Leases:
        return Leases(self._engine, account=self.account, clock=self._clock)
