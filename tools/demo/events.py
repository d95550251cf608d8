"""Rows of WAREHOUSE_EVENTS_HISTORY that a change leaves behind (snowflake-reference.md 1.2).

A STARTED event of the warehouse gets no COMPLETED row of its own: one WAREHOUSE_CONSISTENT follows, without
reason, user, role and query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from tools.demo.engine import DATABASE
from tools.demo.layout import RAW
from tools.demo.surroundings import Surroundings

__all__ = ["Event", "cluster_events", "write_events"]

Event = tuple[str, str | None, str, int | None]
"""Name, reason, state, cluster number."""


def cluster_events(row: Mapping[str, Any], name: str, reason: str) -> list[Event]:
    """One for each started cluster."""
    return [(name, reason, "COMPLETED", n) for n in range(1, int(row["started_clusters"] or 0) + 1)]


def write_events(
    con: duckdb.DuckDBPyConnection, row: Mapping[str, Any], events: Sequence[Event], around: Surroundings, query_id: str
) -> None:
    """All at account time; `row` is the warehouse as it is after the change."""
    identity = around.session.identity
    for name, reason, state, cluster in events:
        consistent = name == "WAREHOUSE_CONSISTENT"
        values = {
            "TIMESTAMP": around.now,
            "WAREHOUSE_ID": row["warehouse_id"],
            "WAREHOUSE_NAME": row["name"],
            "CLUSTER_NUMBER": cluster,
            "EVENT_NAME": name,
            "EVENT_REASON": reason,
            "EVENT_STATE": state,
            "USER_NAME": None if consistent else identity.user,
            "ROLE_NAME": None if consistent else identity.role,
            "QUERY_ID": None if consistent else query_id,
            "SIZE": row["size"] if consistent else None,
            "CLUSTER_COUNT": str(row["started_clusters"] or 0) if consistent else None,
            "WAREHOUSE_TYPE": row["type"] if consistent else None,
            "RESOURCE_CONSTRAINT": row["resource_constraint"] if consistent else None,
        }
        columns = ", ".join(f'"{c}"' for c in values)
        marks = ", ".join("?" for _ in values)
        con.execute(
            f"INSERT INTO {DATABASE}.{RAW}.WAREHOUSE_EVENTS_HISTORY ({columns}) VALUES ({marks})",  # noqa: S608 - columns are constants
            list(values.values()),
        )
