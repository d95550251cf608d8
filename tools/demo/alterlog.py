"""alters.jsonl: one line for every executed ALTER, CREATE, DROP WAREHOUSE and cancellation, on disk before the answer.

It stands outside the database on purpose: tests count effects here, whatever ledger the product keeps.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from tools.demo.surroundings import Surroundings

__all__ = ["append"]


def append(around: Surroundings, query_id: str, statement: str, warehouse: str | None) -> None:
    """`at` is wall time: account time stands still and would not order the lines."""
    identity = around.session.identity
    line = {
        "at": datetime.now(UTC).isoformat(),
        "user": identity.user,
        "role": identity.role,
        "statement": statement,
        "query_id": query_id,
        "warehouse": warehouse,
    }
    path = around.engine.account_dir / "alters.jsonl"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(fd, (json.dumps(line) + "\n").encode())
        os.fsync(fd)
    finally:
        os.close(fd)
