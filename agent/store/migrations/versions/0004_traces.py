"""How answers came about, one row a reply.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "traces",
        sa.Column("account", sa.String(255), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("ms", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("traces_by_age", "traces", ["account", "at"])


def downgrade() -> None:
    raise NotImplementedError("the audit chain is never dropped")
