"""Daily credits of the demo account of a seed, past its usual now: what a forecast made that day would be held against.

The account is simulated without a database; the same rows would be in its views after `account reset` and
`account advance 14d`. A simulated account is kept in the folder for temporary files, by seed and code version.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa

from tools.demo.build import DAYS, NOW
from tools.history.fetch import laid

__all__ = ["AHEAD_DAYS", "TIMEZONE", "DemoCredits", "demo_credits"]

AHEAD_DAYS = 14
TIMEZONE = "America/Los_Angeles"
_WANTED = ("WAREHOUSE_METERING_HISTORY", "METERING_HISTORY")
_CODE = Path(__file__).parent.parent / "tools" / "demo"


@dataclass(frozen=True)
class DemoCredits:
    """unique_id, ds (days of the account's zone), y (credits): as `tools.history` lays them for run_forecast."""

    warehouses: pd.DataFrame
    account: pd.DataFrame
    """One series with everything that is metered, services too."""


def demo_credits(seed: int) -> DemoCredits:
    """From the first whole day of the account to `AHEAD_DAYS` days past its now."""
    kept = Path(tempfile.gettempdir()) / f"frostline-bench-{_version()}-{seed}.parquet"
    if not kept.exists():
        rows = _simulated(seed)
        part = kept.with_suffix(".part")
        rows.to_parquet(part)
        part.replace(kept)
    rows = pd.read_parquet(kept)
    by_warehouse, whole = rows[rows["view"] == _WANTED[0]], rows[rows["view"] == _WANTED[1]]
    return DemoCredits(_days(by_warehouse), _days(whole))


def _version() -> str:
    """Of the generator: any change of it makes other accounts."""
    digest = hashlib.sha256()
    for file in sorted([*_CODE.rglob("*.py"), *_CODE.rglob("*.toml")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _simulated(seed: int) -> pd.DataFrame:
    from tools.demo.generate.days import DAY_MS, milliseconds
    from tools.demo.generate.history import History

    found: list[pd.DataFrame] = []

    def sink(name: str, rows: pa.Table) -> None:
        if name in _WANTED:
            found.append(_hours(name, rows))

    history = History.begin(seed, milliseconds(NOW - timedelta(days=DAYS)) // DAY_MS * DAY_MS, days=DAYS)
    for until in (NOW, NOW + timedelta(days=AHEAD_DAYS, hours=12)):
        history.advance(milliseconds(until), sink, lambda done, text: None)
    return pd.concat(found, ignore_index=True).groupby(["view", "key", "slot"])["credits"].sum().reset_index()


def _hours(name: str, rows: pa.Table) -> pd.DataFrame:
    warehouse = name == _WANTED[0]
    columns = ["START_TIME", "CREDITS_USED", *(["WAREHOUSE_NAME", "WAREHOUSE_ID"] if warehouse else [])]
    frame = rows.select(columns).to_pandas()
    if warehouse:
        frame = frame[frame["WAREHOUSE_ID"] > 0]
    key = frame["WAREHOUSE_NAME"].astype(str) if warehouse else "account"
    return pd.DataFrame({"view": name, "key": key, "slot": frame["START_TIME"], "credits": frame["CREDITS_USED"]})


def _days(rows: pd.DataFrame) -> pd.DataFrame:
    zone = ZoneInfo(TIMEZONE)
    first = (NOW - timedelta(days=DAYS - 1)).astimezone(zone).replace(hour=0, minute=0)
    end = (NOW + timedelta(days=AHEAD_DAYS)).astimezone(zone).replace(hour=0, minute=0)
    inside = rows[rows["slot"] >= first]
    values = [
        (key, slot.to_pydatetime(), float(credits))
        for key, slot, credits in inside[["key", "slot", "credits"]].itertuples(index=False)
    ]
    return laid(values, "day", TIMEZONE, first, end, None)[0]
