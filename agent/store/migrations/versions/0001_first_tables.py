"""The first tables: plans, bundles, ledger, audit, meta, conversations.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.String(32)


def upgrade() -> None:
    _plans()
    _bundles()
    _ledger()
    _audit()
    _meta()
    _conversations()


def _plans() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(255), nullable=False),
        sa.Column("bundle", sa.String(64)),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("warehouse", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("schema_version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", _TIME),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("claimed_by", sa.String(255)),
        sa.Column("claimed_until", _TIME),
        sa.Column("query_id", sa.String(64)),
        sa.Column("effect", sa.Text, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
    )
    op.create_index("plans_by_state", "plans", ["account", "state"])
    op.create_index("plans_by_digest", "plans", ["digest"])
    op.create_index("plans_by_bundle", "plans", ["bundle", "position"])


def _bundles() -> None:
    op.create_table(
        "bundles",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
    )
    op.create_index("bundles_by_digest", "bundles", ["digest"])


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("plan_id", sa.String(64), primary_key=True),
        sa.Column("account", sa.String(255), nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("claimed_by", sa.String(255), nullable=False),
        sa.Column("started_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("query_id", sa.String(64)),
    )
    op.create_index("ledger_by_time", "ledger", ["account", "started_at"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("plan_id", sa.String(64)),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_index("audit_by_plan", "audit", ["plan_id", "event"])


def _meta() -> None:
    op.create_table(
        "meta", sa.Column("key", sa.String(64), primary_key=True), sa.Column("value", sa.Text, nullable=False)
    )


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("thread", sa.String(255), primary_key=True),
        sa.Column("person", sa.String(255), nullable=False),
        sa.Column("profile", sa.String(64), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
    )


def downgrade() -> None:
    raise NotImplementedError("the audit chain is never dropped")
