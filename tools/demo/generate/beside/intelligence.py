"""AI spend: functions in SQL, Analyst and Search; together METERING's AI_SERVICES.

The statements that call AI functions have ids of their own and are not in QUERY_HISTORY.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from tools.demo.generate.beside.chance import Floats, Ints, lognormal, poisson, uniform, whole
from tools.demo.generate.beside.people import user_id
from tools.demo.generate.beside.window import HOUR_US, Window, rows

__all__ = ["credits", "histories", "made_ids"]


@dataclass(frozen=True)
class _Use:
    """One person's or job's use of one function with one model."""

    function: str
    model: str
    user: str
    role: str
    warehouse: int
    tag: str
    hourly: float
    """Rows in a busy hour; a job's in its hour of the night."""
    credits: float
    """Median of a row."""
    tokens_per_credit: float
    nightly: bool = False


_SCORES, _CLOSE = '{"job": "nightly-scores"}', '{"job": "daily-close"}'
_USES = (
    _Use("AI_COMPLETE", "claude-4-sonnet", "A_MORGAN", "ANALYST", 1204, "", 0.7, 0.045, 390_000),
    _Use("AI_COMPLETE", "claude-4-sonnet", "G_ALVES", "ANALYST", 1204, "", 0.4, 0.08, 390_000),
    _Use("AI_CLASSIFY", "llama3.1-8b", "S_LINDEN", "MARKETING", 1216, "", 0.6, 0.02, 720_000),
    _Use("AI_SENTIMENT", "", "R_OKONJO", "MARKETING", 1216, "", 0.5, 0.03, 625_000),
    _Use("AI_EMBED", "voyage-multilingual-2", "SCORER_SVC", "SCIENTIST", 1206, _SCORES, 3, 0.16, 20_000_000, True),
    _Use("AI_EXTRACT", "arctic-extract", "CLOSE_SVC", "FINANCE", 1212, _CLOSE, 1, 0.11, 200_000, True),
)  # fmt: skip
_NIGHTLY_HOUR = 6
_ANALYSTS = ("B_SINGH", "U_FERRARI", "V_KAUR", "K_MARTIN")
_CREDITS_PER_REQUEST = 0.067
_SEARCH = ("APP", "PUBLIC", "PORTAL_SEARCH", 80311)
_SERVING, _EMBEDDING = 0.016, 0.005
"""Search, credits an hour."""
_TOKENS_PER_CREDIT = 20_000_000


def credits(window: Window) -> pd.DataFrame:
    """Rows for `service_credits`: AI_SERVICES by hour."""
    functions, analyst = _functions(window), _analyst(window)
    hour, spent = np.concatenate([functions.hour, analyst[0]]), np.concatenate([functions.credits, analyst[2]])
    serving, embedding = _search(window, window.hours)
    hour = np.concatenate([hour, window.hours])
    spent = np.concatenate([spent, serving + embedding])
    by_hour = pd.Series(spent).groupby(hour).sum()
    frame = pd.DataFrame({"credits_compute": by_hour.to_numpy().round(9), "credits_cloud_services": 0.0})
    frame["hour"] = pd.to_datetime(by_hour.index.to_numpy() * 3600, unit="s", utc=True).as_unit("us")
    frame["service_type"], frame["name"] = "AI_SERVICES", "AI_SERVICES"
    return frame


def histories(window: Window) -> dict[str, pa.Table]:
    return {
        "CORTEX_AI_FUNCTIONS_USAGE_HISTORY": _functions_view(window),
        "CORTEX_ANALYST_USAGE_HISTORY": _analyst_view(window),
        "CORTEX_SEARCH_DAILY_USAGE_HISTORY": _search_view(window),
    }


def made_ids(seed: int, stream: str, index: Ints, at_us: Ints) -> list[str]:
    """Query ids in Snowflake's shape for statements that run on no warehouse of the account."""
    minutes, noise = at_us // 60_000_000, whole(seed, f"{stream}/id", index, 1 << 16)
    tail = whole(seed, f"{stream}/tail", index, 1 << 32)
    return [
        f"01be{minute // 1440 % 65536:04x}-{minute % 1440 // 60:02d}{minute % 60:02d}-{n:04x}-0047-8384{t:08x}"
        for minute, n, t in zip(minutes.tolist(), noise.tolist(), tail.tolist(), strict=True)
    ]


@dataclass(frozen=True)
class _Functions:
    hour: Ints
    use: Ints
    credits: Floats
    key: Ints


def _functions(window: Window) -> _Functions:
    hours = window.hours
    local, _ = window.local(hours)
    busy = window.office(hours)
    found = []
    for n, use in enumerate(_USES):
        mean = use.hourly * ((local == _NIGHTLY_HOUR).astype(float) if use.nightly else busy)
        count = poisson(window.seed, f"ai/{n}/count", hours, mean)
        hour = np.repeat(hours, count)
        place = np.arange(len(hour)) - np.repeat(np.cumsum(count) - count, count)
        key = hour * 1000 + place
        spent = use.credits * lognormal(window.seed, f"ai/{n}/credits", key, 0.8)
        found.append((hour, np.full(len(hour), n), spent.round(9), key * 10 + n))
    return _Functions(*(np.concatenate([part[column] for part in found]) for column in range(4)))


def _functions_view(window: Window) -> pa.Table:
    made = _functions(window)
    uses = [_USES[n] for n in made.use.tolist()]
    tokens = [int(use.tokens_per_credit * spent) for use, spent in zip(uses, made.credits.tolist(), strict=True)]
    metrics = [json.dumps([{"key": {"metric": "total", "unit": "tokens"}, "value": count}]) for count in tokens]
    return rows(
        "CORTEX_AI_FUNCTIONS_USAGE_HISTORY",
        {"START_TIME": made.hour * HOUR_US, "END_TIME": (made.hour + 1) * HOUR_US}
        | {"FUNCTION_NAME": [use.function for use in uses], "MODEL_NAME": [use.model or None for use in uses]}
        | {"QUERY_ID": made_ids(window.seed, "ai", made.key, made.hour * HOUR_US)}
        | {"WAREHOUSE_ID": np.array([use.warehouse for use in uses], dtype=np.int64)}
        | {"ROLE_NAMES": [json.dumps([use.role]) for use in uses], "QUERY_TAG": [use.tag for use in uses]}
        | {"USER_ID": np.array([user_id(use.user) for use in uses], dtype=np.int64), "METRICS": metrics}
        | {"CREDITS": made.credits, "IS_COMPLETED": True},
        len(uses),
    )


def _analyst(window: Window) -> tuple[Ints, Ints, Floats]:
    """Hour, number of requests and their credits; users come one after the other, in equal parts."""
    hours, busy = window.hours, window.office(window.hours)
    counts = [poisson(window.seed, f"analyst/{user}", hours, 0.8 * busy) for user in _ANALYSTS]
    count = np.concatenate(counts)
    spent = (count * _CREDITS_PER_REQUEST).round(9).astype(np.float64)
    return np.tile(hours, len(_ANALYSTS)), count, spent


def _analyst_view(window: Window) -> pa.Table:
    hour, count, spent = _analyst(window)
    used = count > 0
    users = np.repeat(np.arange(len(_ANALYSTS)), len(window.hours))[used]
    return rows(
        "CORTEX_ANALYST_USAGE_HISTORY",
        {"START_TIME": hour[used] * HOUR_US, "END_TIME": (hour[used] + 1) * HOUR_US, "REQUEST_COUNT": count[used]}
        | {"CREDITS": spent[used], "USERNAME": [_ANALYSTS[n] for n in users.tolist()]},
    )


def _search(window: Window, hours: Ints) -> tuple[Floats, Floats]:
    """Credits of serving and of embedding new documents, by hour."""
    grown = 1 + 0.001 * (hours // 24 - window.first_day)
    embedding = _EMBEDDING * lognormal(window.seed, "search/embed", hours, 0.6)
    embedding = np.where(uniform(window.seed, "search/works", hours) < 0.5, embedding, 0.0)
    serving = (_SERVING * grown).round(9).astype(np.float64)
    return serving, embedding.round(9)


def _search_view(window: Window) -> pa.Table:
    days = window.days
    serving, embedding = _search(window, (days[:, None] * 24 + np.arange(24)).ravel())
    spent = np.column_stack([serving.reshape(-1, 24).sum(1), embedding.reshape(-1, 24).sum(1)]).ravel()
    both = len(days) * 2
    kinds, models = ["SERVING", "EMBED_TEXT_TOKENS"], [None, "snowflake-arctic-embed-m-v1.5"]
    database, schema, name, identifier = _SEARCH
    tokens = [None if n % 2 == 0 else str(int(spent[n] * _TOKENS_PER_CREDIT)) for n in range(both)]
    return rows(
        "CORTEX_SEARCH_DAILY_USAGE_HISTORY",
        {"USAGE_DATE": np.repeat(days, 2), "DATABASE_NAME": database, "SCHEMA_NAME": schema, "SERVICE_NAME": name}
        | {"SERVICE_ID": identifier, "CONSUMPTION_TYPE": kinds * len(days), "CREDITS": spent}
        | {"MODEL_NAME": models * len(days), "TOKENS": tokens},
        both,
    )
