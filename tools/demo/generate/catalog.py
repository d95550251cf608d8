"""The demo account as data: warehouses.toml, waste.toml, habits.toml, incidents.toml and statements.toml, read.

Only the generator and the labels read this. Nothing else in Frostline may know the names in it.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

from tools.demo.generate.model import Batch, Every, Habit, Planted, Resizing, Staged, Stream, Warehouse
from tools.demo.generate.statements import dbt, statements
from tools.domain import Size

__all__ = ["BULK", "Demo", "Migration", "Plan", "catalog"]

_GROWN = 1.14
"""What growth makes of a stream by the middle of the usual history (arrivals.py)."""

BULK = "bulk:"
"""How the keys of habits begin that only make an account large."""

_EVERY_HOUR = tuple(range(24))
_BASE_PER_DAY = 4_250
"""What the habits send on an average day: the size of an account beyond it is made of `bulk`."""


@dataclass(frozen=True, eq=False)
class Plan:
    """A kind of incident: how often, where, what it does. Ranges are (least, most)."""

    kind: str
    every_days: float
    warehouses: tuple[str, ...]
    hours: tuple[float, float]
    from_hour: tuple[float, float]
    weekdays_only: bool = False
    user: str = ""
    role: str = ""
    habits: tuple[int, ...] = ()
    """Index of the habit that sends its statements, for each warehouse; empty: it sends none."""
    size: int = 0
    gap_seconds: tuple[float, float] = (0.0, 0.0)
    count: tuple[int, int] = (1, 1)
    growth_per_day: tuple[float, float] = (0.0, 0.0)
    chance: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Migration:
    from_warehouse: str
    to_warehouse: str
    after_days: tuple[int, int]
    parallel_days: int


@dataclass(frozen=True, eq=False)
class Demo:
    name: str
    timezone: str
    edition: str
    credit_price: float
    hidden_from_reader: tuple[str, ...]
    warehouses: tuple[Warehouse, ...]
    habits: tuple[Habit, ...]
    """In an order that never changes: what is in flight between two windows refers to it by index."""
    plans: tuple[Plan, ...]
    migration: Migration


@cache
def catalog(queries: int | None = None, days: int = 90) -> Demo:
    """The account; with `queries`, one of about that many statements in `days` days."""
    about = _toml("warehouses")["account"]
    usual = (*_habits(), *_staged(), *_bulk(queries, days))
    plans, planted = _plans(len(usual))
    return Demo(
        name=about["name"],
        timezone=about["timezone"],
        edition=about["edition"],
        credit_price=about["credit_price"],
        hidden_from_reader=tuple(about["hidden_from_reader"]),
        warehouses=_warehouses(),
        habits=(*usual, *planted),
        plans=plans,
        migration=Migration(**_tuples(_toml("incidents")["migration"])),
    )


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("tools.demo.generate").joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


# --- warehouses ------------------------------------------------------------------------------------------------


def _warehouses() -> tuple[Warehouse, ...]:
    sound = [_warehouse(row) for row in _toml("warehouses")["warehouse"]]
    for row in _toml("waste")["waste"]:
        for place, item in enumerate(sound):
            if item.name == row["warehouse"] and row.get("id", item.id) == item.id:
                sound[place] = _wasteful(item, row)
    return tuple(sound)


def _warehouse(row: dict[str, Any]) -> Warehouse:
    special = row.get("type", "STANDARD") != "STANDARD"
    defaults = {"generation": None} if special else {}
    size = Size.parse(row["size"]) if "size" in row else None
    resizing = Resizing(**row["resizing"]) if "resizing" in row else None
    return Warehouse(**(defaults | row | {"size": size, "resizing": resizing}))


def _wasteful(item: Warehouse, row: dict[str, Any]) -> Warehouse:
    changes = {key: value for key, value in row.items() if key in ("auto_suspend", "min_clusters", "max_clusters")}
    if "size" in row:
        changes["size"] = Size.parse(row["size"])
    if row.get("never_suspends"):
        changes["auto_suspend"] = None
    return replace(item, **changes)


# --- habits ------------------------------------------------------------------------------------------------------


def _habits() -> list[Habit]:
    file = _toml("habits")
    return [_habit(row, file["people"]) for row in file["habit"]]


def _habit(row: dict[str, Any], people: dict[str, list[str]]) -> Habit:
    users = row.get("users") or people[row["people"]]
    if "dbt" in row:
        known = dbt(**row["dbt"])
    else:
        known = tuple(s for s in statements(row["group"]) if s.key in row.get("only", (s.key,)))
    same = {key: row[key] for key in ("tag", "tag_text", "migration") if key in row}
    return Habit(row["key"], row["warehouse"], tuple(users), row["role"], _arrivals(row), known, **same)


def _arrivals(row: dict[str, Any]) -> Stream | Batch | Every:
    if "stream" in row:
        return Stream(**row["stream"])
    if "every" in row:
        return Every(**row["every"])
    hours = _EVERY_HOUR if row["batch"]["hours"] == "every" else tuple(row["batch"]["hours"])
    return Batch(**(row["batch"] | {"hours": hours}))


def _staged() -> list[Habit]:
    return [
        Habit(
            row["key"],
            row["warehouse"],
            (row["user"],),
            row["role"],
            Staged(tuple(row["seconds_ago"]), row["runs_for"]),
            statements(row["group"]),
        )
        for row in _toml("habits")["in_flight"]
    ]


def _bulk(queries: int | None, days: int) -> list[Habit]:
    """Light statements for an account of a given size."""
    wanted = 0.0 if queries is None else max(queries / days - _BASE_PER_DAY, 0.0)
    found = []
    for row in _toml("habits")["bulk"]:
        week = _GROWN * (5 + 2 * row["stream"]["weekend"]) / 7
        stream = row["stream"] | {"per_day": wanted * row["share"] / week}
        found.append(_habit(row | {"stream": stream}, {}))
    return found


def _plans(first: int) -> tuple[tuple[Plan, ...], list[Habit]]:
    """The plans, and the habits that send their statements: one for each plan and warehouse."""
    plans: list[Plan] = []
    planted: list[Habit] = []
    for row in _toml("incidents")["incident"]:
        group, tag = row.pop("group", ""), row.pop("tag", "")
        plan = Plan(**_tuples(row))
        if group:
            places = tuple(range(first + len(planted), first + len(planted) + len(plan.warehouses)))
            plan = replace(plan, habits=places)
            for name in plan.warehouses:
                key = f"{plan.kind}@{name}"
                planted.append(Habit(key, name, (plan.user,), plan.role, Planted(), statements(group), tag))
        plans.append(plan)
    return tuple(plans), planted
