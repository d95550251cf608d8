"""The small account with a rhythm to forecast and an incident to find, and a ToolContext on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from tests.doubles.account import NOW, FrameReader, Roles, WallClock, account, person
from tests.doubles.chat import Plans
from tools.context import ToolContext
from tools.preferences import Preferences

INCIDENT = NOW.replace(hour=3, minute=0) - timedelta(days=2)
"""Saturday 2026-11-21 03:00 UTC."""
INCIDENT_HOURS = 6
EXTRA = 12.0
"""Credits an hour on top."""


def rhythmic(*, incident: bool = False, days: int = 60, timezone: str = "UTC", now: datetime = NOW) -> FrameReader:
    """ETL_WH works by day and rests at weekends; the others are as constant as in `account`. With an incident it uses
    EXTRA credits an hour for INCIDENT_HOURS, with fifty times its queries.
    """
    reader = account(timezone, days, now)
    frames = dict(reader.frames)
    frames["metering"] = _busy(frames["metering"], incident)
    frames["services"] = _services_of(frames["metering"], frames["services"])
    frames["queries"] = _asked(frames["queries"], incident)
    reader.frames = frames
    return reader


def _busy(metering: pd.DataFrame, incident: bool) -> pd.DataFrame:
    etl = metering["warehouse"] == "ETL_WH"
    start = metering["start"]
    by_day = np.where(start.dt.hour.between(6, 18), 4.0, 0.5) * np.where(start.dt.day_of_week >= 5, 0.25, 1.0)
    rate = np.where(etl, by_day, metering["credits_compute"])
    if incident:
        rate = rate + np.where(etl & _inside(start), EXTRA, 0.0)
    attributed = metering["credits_attributed"].where(metering["credits_attributed"].isna(), rate * 0.4)
    return metering.assign(
        credits_compute=rate, credits_used=rate + metering["credits_cloud_services"], credits_attributed=attributed
    )


def _services_of(metering: pd.DataFrame, services: pd.DataFrame) -> pd.DataFrame:
    columns = ["credits_used", "credits_compute", "credits_cloud_services"]
    of_warehouses = metering.groupby(["start", "end"], as_index=False)[columns].sum()
    return pd.concat(
        [
            of_warehouses.assign(service_type="WAREHOUSE_METERING"),
            services[services["service_type"] != "WAREHOUSE_METERING"],
        ]
    )


def _asked(queries: pd.DataFrame, incident: bool) -> pd.DataFrame:
    if not incident:
        return queries
    more = _inside(queries["start"]) & (queries["user"] == "ALICE")
    factor = np.where(more, 50, 1)
    return queries.assign(queries=queries["queries"] * factor, execution_s=queries["execution_s"] * factor * 4)


def _inside(start: pd.Series) -> pd.Series:
    return (start >= INCIDENT) & (start < INCIDENT + timedelta(hours=INCIDENT_HOURS))


def context(reader: FrameReader, role: str = "analyst", **preferences: Any) -> ToolContext:
    return ToolContext(
        reader=reader,
        plans=Plans(),
        policy=Roles(),
        clock=WallClock(),
        person=person(role),
        thread="t1",
        new_id=lambda: "id",
        preferences=Preferences(**preferences),
    )
