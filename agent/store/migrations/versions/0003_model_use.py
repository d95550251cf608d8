"""What language models have used: one row a request, summed by day for the budgets.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "llm_use",
        sa.Column("account", sa.String(255), primary_key=True),
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("usd", sa.Float(53), nullable=False),
        sa.Column("settled", sa.Boolean, nullable=False),
    )
    op.create_index("llm_use_by_day", "llm_use", ["account", "day"])


def downgrade() -> None:
    raise NotImplementedError("the audit chain is never dropped")
