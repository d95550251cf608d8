"""The tables, as SQLAlchemy Core sees them; `migrations/versions` makes them.

Times are ISO-8601 text in UTC with microseconds, of one width, so that text order is time order on every
engine and the audit hash covers exactly what is stored. JSON is canonical text: the digest is over its bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text, TypeDecorator

__all__ = ["audit", "bundles", "conversations", "ledger", "meta", "metadata", "plans", "stamp"]


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
