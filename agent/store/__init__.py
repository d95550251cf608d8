"""State: plans, ledger, audit chain, conversations, and the migrations that make their tables.

`Store` (agent.store.store) is the one way in. SQLite by default, PostgreSQL by URL. Every move of a plan is a
compare-and-set with its audit row in the same transaction; nothing here talks to Snowflake or to a model.
"""

from agent.store.audit import AuditReport, AuditRow
from agent.store.store import BundleRecord, LedgerRow, Store

__all__ = ["AuditReport", "AuditRow", "BundleRecord", "LedgerRow", "Store"]
