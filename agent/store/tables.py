"""The tables, as SQLAlchemy Core sees them; `migrations/versions` makes them.

plans, bundles, ledger, audit, meta, conversations: changes and their approvals. inbox_items, inbox_keys, cards,
answers, ratings: what channels that people write in need. llm_use: what language models have used.
traces: how answers came about. findings, finding_events, finding_posts: what scans have found, what became of it,
where it was posted. leases: who does what only one may do at a time. Rows of several accounts may lie side by side.

Times are ISO-8601 text in UTC with microseconds, of one width, so that text order is time order on every
engine and the audit hash covers exactly what is stored. JSON is canonical text: the digest is over its bytes.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text, TypeDecorator, text

from agent.store.rows import storable

__all__ = [
    "answers",
    "audit",
    "bundles",
    "cards",
    "conversations",
    "finding_events",
    "finding_posts",
    "findings",
    "inbox_items",
    "inbox_keys",
    "leases",
    "ledger",
    "llm_use",
    "meta",
    "metadata",
    "plans",
    "ratings",
    "stamp",
    "traces",
]


def stamp(at: datetime) -> str:
    """The stored form of an aware time."""
    if at.tzinfo is None:
        raise ValueError("a naive time cannot be stored")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


class UtcText(TypeDecorator[datetime]):
    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        return None if value is None else stamp(value)

    def process_result_value(self, value: str | None, dialect: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class CleanText(TypeDecorator[str]):
    """Text from outside, made storable on the way in, in comparisons too."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else str(storable(value))


class JsonText(TypeDecorator[dict[str, Any]]):
    """A dict of plain JSON values."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, Any] | None, dialect: Any) -> str | None:
        return None if value is None else json.dumps(storable(value), ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Any) -> dict[str, Any] | None:
        return None if value is None else json.loads(value)


metadata = MetaData()

plans = Table(
    "plans",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("account", String(255), nullable=False),
    Column("bundle", String(64)),
    Column("position", Integer, nullable=False),
    Column("warehouse", String(255), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("schema_version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("decided_by", Text),
    Column("decided_at", UtcText),
    Column("reason", Text, nullable=False),
    Column("claimed_by", String(255)),
    Column("claimed_until", UtcText),
    Column("query_id", String(64)),
    Column("effect", Text, nullable=False),
    Column("created_at", UtcText, nullable=False),
    Column("updated_at", UtcText, nullable=False),
    Column("expires_at", UtcText, nullable=False),
    Index("plans_by_state", "account", "state"),
    Index("plans_by_digest", "digest"),
    Index("plans_by_bundle", "bundle", "position"),
)

bundles = Table(
    "bundles",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("account", String(255), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", UtcText, nullable=False),
    Column("expires_at", UtcText, nullable=False),
    Index("bundles_by_digest", "digest"),
)

# The primary key is the rule: at most one executed change for a plan, whatever the graph or a process does.
ledger = Table(
    "ledger",
    metadata,
    Column("plan_id", String(64), primary_key=True),
    Column("account", String(255), nullable=False),
    Column("statement", Text, nullable=False),
    Column("claimed_by", String(255), nullable=False),
    Column("started_at", UtcText, nullable=False),
    Column("finished_at", UtcText),
    Column("outcome", String(16), nullable=False),
    Column("query_id", String(64)),
    Index("ledger_by_time", "account", "started_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("actor", String(255), nullable=False),
    Column("event", String(32), nullable=False),
    Column("plan_id", String(64)),
    Column("detail", Text, nullable=False),
    Column("prev_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("audit_by_plan", "plan_id", "event"),
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

conversations = Table(
    "conversations",
    metadata,
    Column("thread", String(255), primary_key=True),
    Column("person", String(255), nullable=False),
    Column("profile", String(64), nullable=False),
    Column("updated_at", UtcText, nullable=False),
)

_QUEUED = text("state = 'queued'")
_CLAIMED = text("state = 'claimed'")

# Finished items outnumber the others by far: partial indexes keep claiming as fast as on the first day, and the unique
# one is the rule: at most one claimed item a conversation, whatever a process does.
inbox_items = Table(
    "inbox_items",
    metadata,
    Column("account", String(255), primary_key=True),
    Column("id", CleanText, primary_key=True),
    Column("kind", CleanText, nullable=False),
    Column("conversation", CleanText, nullable=False),
    Column("place", CleanText, nullable=False),
    Column("body", JsonText, nullable=False),
    Column("state", String(16), nullable=False),
    Column("claimed_by", CleanText),
    Column("claimed_until", UtcText),
    Column("attempts", Integer, nullable=False),
    Column("progress", JsonText, nullable=False),
    Column("created_at", UtcText, nullable=False),
    Column("updated_at", UtcText, nullable=False),
    Index("inbox_queued", "account", "place", "id", sqlite_where=_QUEUED, postgresql_where=_QUEUED),
    Index("inbox_claimed", "account", "conversation", unique=True, sqlite_where=_CLAIMED, postgresql_where=_CLAIMED),
    Index("inbox_by_age", "account", "state", "updated_at"),
    Index("inbox_by_conversation", "account", "conversation", "place"),
)

inbox_keys = Table(
    "inbox_keys",
    metadata,
    Column("account", String(255), primary_key=True),
    Column("key", CleanText, primary_key=True),
    Column("item_id", CleanText, nullable=False),
    Index("inbox_keys_by_item", "account", "item_id"),
)

cards = Table(
    "cards",
    metadata,
    Column("account", String(255), primary_key=True),
    Column("channel", CleanText, primary_key=True),
    Column("ts", CleanText, primary_key=True),
    Column("ref", CleanText, nullable=False),
    Column("team", CleanText, nullable=False),
    Column("thread_ts", CleanText),
    Column("shown", CleanText, nullable=False),
    Column("told", CleanText, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("claimed_by", CleanText),
    Column("claimed_until", UtcText),
    Column("created_at", UtcText, nullable=False),
    Index("cards_by_ref", "account", "ref"),
    Index("cards_by_age", "account", "closed", "created_at"),
)

answers = Table(
    "answers",
    metadata,
    Column("account", String(255), primary_key=True),
    Column("trace_id", CleanText, primary_key=True),
    Column("thread", CleanText, nullable=False),
    Column("person", CleanText, nullable=False),
    Column("question", CleanText, nullable=False),
    Column("turn", JsonText, nullable=False),
    Column("at", UtcText, nullable=False),
    Index("answers_by_age", "account", "at"),
)

ratings = Table(
    "ratings",
    metadata,
    Column("account", String(255), primary_key=True),
    Column("trace_id", CleanText, primary_key=True),
    Column("person", CleanText, primary_key=True),
    Column("value", String(8), nullable=False),
    Column("at", UtcText, nullable=False),
    Index("ratings_by_age", "account", "at"),
)

# A row a request; the tokens of one that has not ended are the most it may come to.
llm_use = Table(
    "llm_use",
    metadata,
    Column("account", String(255), primary_key=True),
    Column("id", String(32), primary_key=True),
    Column("day", String(10), nullable=False),
    Column("at", UtcText, nullable=False),
    Column("model", CleanText, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("usd", Float(53), nullable=False),
    Column("settled", Boolean, nullable=False),
    Index("llm_use_by_day", "account", "day"),
)

traces = Table(
    "traces",
    metadata,
    Column("account", String(255), primary_key=True),
    Column("id", CleanText, primary_key=True),
    Column("at", UtcText, nullable=False),
    Column("ms", Integer, nullable=False),
    Column("body", JsonText, nullable=False),
    Index("traces_by_age", "account", "at"),
)

leases = Table(
    "leases",
    metadata,
    Column("account", String(255), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("holder", CleanText, nullable=False),
    Column("until", UtcText, nullable=False),
)

# `body` is the FindingRecord as JSON; the other columns are what is looked for. One occurrence is one row.
findings = Table(
    "findings",
    metadata,
    Column("account", String(255), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("cause", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("warehouse", CleanText),
    Column("state", String(16), nullable=False),
    Column("started_at", UtcText, nullable=False),
    Column("ended_at", UtcText),
    Column("seen_at", UtcText, nullable=False),
    Column("snoozed_until", UtcText),
    Column("body", JsonText, nullable=False),
    Column("created_at", UtcText, nullable=False),
    Column("updated_at", UtcText, nullable=False),
    Index("findings_by_fingerprint", "account", "fingerprint", unique=True),
    Index("findings_by_state", "account", "state", "started_at"),
    Index("findings_by_end", "account", "ended_at"),
)

finding_events = Table(
    "finding_events",
    metadata,
    Column("account", String(255), primary_key=True),
    Column("finding_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcText, nullable=False),
    Column("as_of", UtcText, nullable=False),
    Column("event", String(16), nullable=False),
    Column("actor", CleanText, nullable=False),
    Column("detail", CleanText, nullable=False),
)

# A row is claimed before its message is posted, and `ts` is written down after it: none is posted twice.
finding_posts = Table(
    "finding_posts",
    metadata,
    Column("account", String(255), primary_key=True),
    Column("finding_id", String(64), primary_key=True),
    Column("channel", CleanText, primary_key=True),
    Column("ts", CleanText),
    Column("shown", CleanText, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("claimed_by", CleanText),
    Column("claimed_until", UtcText),
    Column("created_at", UtcText, nullable=False),
    Index("finding_posts_by_age", "account", "closed", "created_at"),
)
