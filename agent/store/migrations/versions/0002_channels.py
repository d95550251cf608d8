"""What channels need: the inbox, cards, answers and their ratings.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.String(32)
_ACCOUNT = sa.String(255)
# Slack's time stamps are compared as text: byte by byte, in whatever language the database sorts.
_PLACE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _inbox()
    _cards()
    _answers()


def _inbox() -> None:
    op.create_table(
        "inbox_items",
        sa.Column("account", _ACCOUNT, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("place", _PLACE, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("claimed_by", sa.Text),
        sa.Column("claimed_until", _TIME),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("progress", sa.Text, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
    )
    queued, claimed = sa.text("state = 'queued'"), sa.text("state = 'claimed'")
    op.create_index(
        "inbox_queued", "inbox_items", ["account", "place", "id"], sqlite_where=queued, postgresql_where=queued
    )
    op.create_index(
        "inbox_claimed",
        "inbox_items",
        ["account", "conversation"],
        unique=True,
        sqlite_where=claimed,
        postgresql_where=claimed,
    )
    op.create_index("inbox_by_age", "inbox_items", ["account", "state", "updated_at"])
    op.create_index("inbox_by_conversation", "inbox_items", ["account", "conversation", "place"])
    op.create_table(
        "inbox_keys",
        sa.Column("account", _ACCOUNT, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("item_id", sa.Text, nullable=False),
    )
    op.create_index("inbox_keys_by_item", "inbox_keys", ["account", "item_id"])


def _cards() -> None:
    op.create_table(
        "cards",
        sa.Column("account", _ACCOUNT, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("ts", sa.Text, primary_key=True),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("thread_ts", sa.Text),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.Column("claimed_by", sa.Text),
        sa.Column("claimed_until", _TIME),
        sa.Column("created_at", _TIME, nullable=False),
    )
    op.create_index("cards_by_ref", "cards", ["account", "ref"])
    op.create_index("cards_by_age", "cards", ["account", "closed", "created_at"])


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("account", _ACCOUNT, primary_key=True),
        sa.Column("trace_id", sa.Text, primary_key=True),
        sa.Column("thread", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("turn", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_index("answers_by_age", "answers", ["account", "at"])
    op.create_table(
        "ratings",
        sa.Column("account", _ACCOUNT, primary_key=True),
        sa.Column("trace_id", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, primary_key=True),
        sa.Column("value", sa.String(8), nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )
    op.create_index("ratings_by_age", "ratings", ["account", "at"])


def downgrade() -> None:
    raise NotImplementedError("the audit chain is never dropped")
