"""Draw, run, bill, write: the steps of a generated account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from tools.demo.account import AccountSettings
from tools.demo.generate import activity, beside, frames, metering, queries
from tools.demo.generate.arrivals import Calendar
from tools.demo.generate.habits import demo
from tools.demo.generate.intervals import share
from tools.demo.generate.model import Beside
from tools.demo.generate.runs import run_all
from tools.demo.generate.workload import draw
from tools.demo.load import Progress, quiet

__all__ = ["DAYS", "NOW", "generate"]

NOW = datetime(2026, 11, 18, 17, 20, tzinfo=UTC)
"""A Wednesday, 09:20 in the account's zone."""
DAYS = 60


def generate(
    folder: Path,
    rng: np.random.Generator,
    *,
    now: datetime = NOW,
    days: int = DAYS,
    progress: Progress = quiet,
) -> AccountSettings:
    """Write the account's views, WAREHOUSES and LIVE_QUERIES as Parquet into `folder` (an exported account).

    Args:
        rng: the only source of chance: equal states write equal bytes.
        now: the account's now; nothing later is written.
        days: how far back the history goes; it starts on a whole hour.
        progress: told the share done and what is being done.

    Returns:
        The settings that belong into account.toml.
    """
    about = demo()
    start = (now - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    epoch_ms = int(start.timestamp() * 1000)
    epoch = pd.Timestamp(start).tz_localize(None)
    progress(0.0, "drawing the workload")
    calendar = Calendar.of(start, now, about.timezone)
    work = draw(about, calendar, rng)
    ran = run_all(about, work, calendar, rng, lambda done, text: progress(0.05 + 0.45 * done, text))
    progress(0.5, "writing queries")
    ids = queries.query_ids(ran, rng)
    cloud = queries.cloud_services_credits(ran)
    history = queries.query_history(about, ran, ids, cloud, rng, epoch_ms)
    frames.write(folder, "QUERY_HISTORY", history)
    frames.write(folder, "LIVE_QUERIES", queries.live_queries(about, ran, ids, epoch_ms))
    progress(0.75, "metering")
    shared = share(ran)
    hours = metering.warehouse_hours(ran, cloud, shared, epoch, rng)
    kept = np.flatnonzero(ran.finished)
    around = Beside(
        seed=int(rng.integers(1 << 31)),
        first=start.replace(hour=0),
        since=start,
        until=now,
        timezone=about.timezone,
        queries=frames.table(history),
        warehouses=about.warehouses,
    )
    credits = beside.service_credits(around)
    tables = {
        "WAREHOUSE_METERING_HISTORY": metering.warehouse_metering(about, hours, epoch_ms),
        "METERING_HISTORY": metering.hourly_services(about, hours, credits, epoch_ms),
        "METERING_DAILY_HISTORY": metering.daily(hours, credits, epoch),
        "QUERY_ATTRIBUTION_HISTORY": metering.attribution(ran, shared, history, kept),
        "WAREHOUSE_LOAD_HISTORY": activity.load_history(about, ran, epoch_ms),
        "WAREHOUSE_EVENTS_HISTORY": activity.warehouse_events(about, ran, ids, epoch_ms),
        "WAREHOUSES": activity.show_warehouses(about, ran, epoch_ms),
    }
    for name, columns in tables.items():
        frames.write(folder, name, columns)
    progress(0.9, "writing what lies beside the queries")
    for name, rows in beside.frames(around).items():
        pq.write_table(rows, folder / f"{name}.parquet", compression="snappy")
    progress(1.0, "generated")
    return AccountSettings(
        name=about.name,
        origin="demo",
        now=now,
        timezone=about.timezone,
        edition=about.edition,
        credit_price=about.credit_price,
        hidden_from_reader=about.hidden_from_reader,
    )
