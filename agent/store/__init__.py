"""State: plans, ledger, audit chain, conversations, the inbox, cards, answers, findings, and the migrations for them.

`Store` (agent.store.store) is the one way in. SQLite by default, PostgreSQL by URL. Every move of a plan is a
compare-and-set with its audit row in the same transaction; nothing here talks to Snowflake or to a model.
"""

from agent.store.answers import AnswerRow, Answers, Rating
from agent.store.audit import AuditReport, AuditRow
from agent.store.cards import Card, Cards
from agent.store.finding_posts import FindingPost, FindingPosts
from agent.store.findings import FindingEvent, Findings
from agent.store.inbox import Inbox, Item, ItemState, Waiting
from agent.store.leases import Leases
from agent.store.store import BundleRecord, LedgerRow, Store

__all__ = [
    "AnswerRow",
    "Answers",
    "AuditReport",
    "AuditRow",
    "BundleRecord",
    "Card",
    "Cards",
    "FindingEvent",
    "FindingPost",
    "FindingPosts",
    "Findings",
    "Inbox",
    "Item",
    "ItemState",
    "Leases",
    "LedgerRow",
    "Rating",
    "Store",
    "Waiting",
]
