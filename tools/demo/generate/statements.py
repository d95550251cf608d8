"""The statements that people and jobs run: plausible, neutral, with the mix of kinds of a real account."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from tools.demo.generate.model import Statement

__all__ = ["DBT_MODELS", "METADATA_KINDS", "WRITING_KINDS", "dbt", "statements"]

METADATA_KINDS = frozenset({"USE", "ALTER_SESSION", "SHOW", "DESCRIBE", "CREATE_VIEW"})
"""Done by cloud services alone: such rows carry a WAREHOUSE_NAME and no WAREHOUSE_SIZE."""

WRITING_KINDS = frozenset(
    {"COPY", "MERGE", "INSERT", "UPDATE", "DELETE", "CREATE_TABLE_AS_SELECT", "TRUNCATE_TABLE", "CALL"}
)

_LAYERS = {
    "stg": (
        "orders",
        "order_lines",
        "customers",
        "products",
        "payments",
        "shipments",
        "returns",
        "clicks",
        "sessions",
        "prices",
    ),
    "int": ("order_items", "customer_orders", "payments_by_day", "product_costs", "session_funnel", "returns_joined"),
    "dim": ("customer", "product", "store", "date", "campaign"),
    "fct": ("orders", "order_items", "payments", "sessions", "returns", "inventory_daily"),
    "mart": ("revenue", "retention", "margin", "marketing", "logistics"),
}
DBT_MODELS = tuple(f"{layer}_{name}" for layer, names in _LAYERS.items() for name in names)


@cache
def statements(group: str) -> tuple[Statement, ...]:
    """One group of statements.toml."""
    return tuple(Statement(**row) for row in _file()[group])


@cache
def _file() -> dict[str, list[dict[str, Any]]]:
    text = resources.files("tools.demo.generate").joinpath("statements.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def dbt(seconds: float, slots: int) -> tuple[Statement, ...]:
    """One statement for each model, in the order dbt runs them."""
    return tuple(_model(name, seconds, slots) for name in DBT_MODELS)


_STAGE = (
    "CREATE OR REPLACE TABLE ANALYTICS.STAGING.<MODEL> AS SELECT * FROM RAW.INGEST.<NAME> WHERE LOADED_AT >= '{day}'"
)
_FACT = (
    "MERGE INTO ANALYTICS.CORE.<MODEL> AS target USING ANALYTICS.CORE.<MODEL>__DBT_TMP AS source "
    "ON target.ROW_KEY = source.ROW_KEY WHEN MATCHED THEN UPDATE SET target.AMOUNT = source.AMOUNT "
    "WHEN NOT MATCHED THEN INSERT (ROW_KEY, AMOUNT) VALUES (source.ROW_KEY, source.AMOUNT)"
)
_MART = (
    "INSERT INTO ANALYTICS.MARTS.<MODEL> SELECT DAY, STORE_ID, SUM(AMOUNT) AS AMOUNT "
    "FROM ANALYTICS.CORE.FCT_ORDERS WHERE DAY >= '{day}' GROUP BY 1, 2"
)
_KINDS = {
    "stg": ("CREATE_TABLE_AS_SELECT", _STAGE, 0.5),
    "int": ("MERGE", _FACT, 1.0),
    "dim": ("INSERT", _MART, 1.1),
    "fct": ("MERGE", _FACT, 1.0),
    "mart": ("INSERT", _MART, 1.4),
}


def _model(name: str, seconds: float, slots: int) -> Statement:
    layer, _, rest = name.partition("_")
    kind, text, pace = _KINDS[layer]
    text = text.replace("<MODEL>", name.upper()).replace("<NAME>", rest.upper())
    key = f"model.analytics.{name}"
    return Statement(key, kind, text, seconds * pace, 1.15, 4 * seconds, slots, variety=1, fails=0.01)
