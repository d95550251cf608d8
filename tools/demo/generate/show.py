"""SHOW WAREHOUSES at the account's now, spelled as an Enterprise account spells it (reference 1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.demo.generate.beside import accelerated
from tools.demo.generate.catalog import Demo
from tools.demo.generate.days import moment
from tools.demo.generate.live import Live
from tools.demo.generate.model import Warehouse
from tools.demo.generate.runs import SIZES, Ran

__all__ = ["dynamic_columns", "show_warehouses"]


def dynamic_columns(live: Live, ran: Ran) -> dict[str, Any]:
    """What time alone changes in a warehouse's row: its state, clusters and statements, and planned resizes."""
    running, queued = _statements(live, ran)
    counts = {"running": running, "queued": queued}
    if live.adaptive:
        return counts
    clusters = len(live.state.clusters)
    state = "STARTED" if clusters else "SUSPENDED"
    row: dict[str, Any] = counts | {
        "state": "RESUMING" if live.state.resuming else state,
        "size": SIZES[live.state.rank].shown,
        "started_clusters": clusters,
        "actives": clusters,
        "available": "100" if clusters else "",
    }
    resized = [each.at for each, _ in ran.moments.get(live.id, []) if each.change is not None]
    if live.state.resumed_at:
        row["resumed_on"] = moment(live.state.resumed_at)
    if resized:
        row["updated_on"] = moment(resized[-1])
    return row


def _statements(live: Live, ran: Ran) -> tuple[int, int]:
    rows = ran.in_flight
    mine = rows[ran.started["warehouse"][rows] == live.id]
    mine = mine[ran.work.executes[mine] & (ran.work.reaches[mine] < ran.until)]
    running = int((ran.started["begin"][mine] >= 0).sum())
    return running, len(mine) - running


def show_warehouses(demo: Demo, lives: Mapping[int, Live], ran: Ran) -> dict[str, list[Any]]:
    """All columns, in documented order of the rows: by name."""
    alive = [each for each in demo.warehouses if lives[each.id].dropped is None or _later(lives[each.id], ran.until)]
    rows = [_show(each, lives[each.id], ran) for each in sorted(alive, key=lambda each: each.name)]
    return {name: [row.get(name) for row in rows] for name in rows[0]}


def _later(live: Live, now: int) -> bool:
    return live.dropped is not None and live.dropped > now


def _show(warehouse: Warehouse, live: Live, ran: Ran) -> dict[str, Any]:
    told = live.settings
    created = moment(live.created)
    row: dict[str, Any] = {
        "name": live.name,
        "state": "ENABLED",
        "type": told.type,
        "size": None,
        "min_cluster_count": None if live.adaptive else told.min_clusters,
        "max_cluster_count": None if live.adaptive else told.max_clusters,
        "started_clusters": None,
        "is_default": "N",
        "is_current": "N",
        "is_interactive": "N",
        "auto_suspend": told.auto_suspend,
        "auto_resume": "true",
        "available": "",
        "provisioning": "",
        "quiescing": "",
        "other": "",
        "created_on": created,
        "resumed_on": None if live.adaptive else created,
        "updated_on": created,
        "owner": warehouse.owner,
        "comment": warehouse.comment,
        "enable_query_acceleration": "true" if accelerated(warehouse) else "false",
        "query_acceleration_max_scale_factor": 2 if accelerated(warehouse) else 8,
        "resource_monitor": "null",
        "actives": 0,
        "pendings": 0,
        "failed": 0,
        "suspended": 0,
        "uuid": str(live.id * 104_729),
        "scaling_policy": None if live.adaptive else told.scaling_policy,
        "owner_role_type": "ROLE" if warehouse.owner else "",
        "resource_constraint": told.resource_constraint,
        "generation": told.generation,
        "warehouse_id": live.id,
    }
    return row | dynamic_columns(live, ran)
