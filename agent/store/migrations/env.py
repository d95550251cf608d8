"""Alembic's entry: runs inside the connection and the transaction that agent.store.migrate holds."""

from __future__ import annotations

from alembic import context

from agent.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
