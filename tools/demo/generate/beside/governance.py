"""TAG_REFERENCES, RESOURCE_MONITORS and DATA_TRANSFER_HISTORY."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tools.demo.generate.beside.chance import lognormal, uniform
from tools.demo.generate.beside.people import people, user_id
from tools.demo.generate.beside.window import DAY_US, HOUR_US, Window, rows

__all__ = ["histories", "snapshots"]

_COST_CENTERS = {
    "LOAD_WH": "DATA_PLATFORM",
    "TRANSFORM_WH": "DATA_PLATFORM",
    "INGEST_WH": "DATA_PLATFORM",
    "EVENTS_WH": "DATA_PLATFORM",
    "BI_WH": "REPORTING",
    "REPORT_WH": "REPORTING",
    "LEGACY_WH": "REPORTING",
    "SALES_BI_WH": "SALES",
    "adhoc lab": "ANALYTICS",
    "EXPLORE_WH": "ANALYTICS",
    "SCIENCE_WH": "SCIENCE",
    "FINANCE_WH": "FINANCE",
    "APP_WH": "PORTAL",
    "HR_WH": "PEOPLE",
    "MARKETING_WH": "MARKETING",
}
"""The others have no tag: nobody owns what they cost."""
_TEAMS = {
    "ANALYST": "ANALYTICS",
    "FINANCE": "FINANCE",
    "SCIENTIST": "SCIENCE",
    "MARKETING": "MARKETING",
    "SALES": "SALES",
}


def histories(window: Window) -> dict[str, pa.Table]:
    return {"DATA_TRANSFER_HISTORY": _transfers(window)}


def snapshots(window: Window) -> dict[str, pa.Table]:
    """The monitors come with a new account alone: from then on the server keeps them (tools.demo.monitors)."""
    found = {"TAG_REFERENCES": _tags(window)}
    if window.beside.since == window.beside.first:
        found["RESOURCE_MONITORS"] = _monitors(window)
    return found


def _tags(window: Window) -> pa.Table:
    alive = [each for each in window.beside.warehouses if each.dropped is None and each.name in _COST_CENTERS]
    found = [("WAREHOUSE", each.id, each.name, _COST_CENTERS[each.name]) for each in alive]
    found += [
        ("USER", user_id(each.name), each.name, _TEAMS[each.roles[0]]) for each in people() if each.roles[0] in _TEAMS
    ]
    return rows(
        "TAG_REFERENCES",
        {"TAG_DATABASE": "ANALYTICS", "TAG_SCHEMA": "CORE", "TAG_ID": 5101, "TAG_NAME": "COST_CENTER"}
        | {"TAG_VALUE": [each[3] for each in found], "OBJECT_ID": [each[1] for each in found]}
        | {"OBJECT_NAME": [each[2] for each in found], "DOMAIN": [each[0] for each in found]}
        | {"APPLY_METHOD": "MANUAL"},
        len(found),
    )


_MONITORS: tuple[tuple[str, float, str | None, int, int | None, int | None], ...] = (
    # Name, credits a month, warehouses, shares in % at which it notifies, suspends and suspends at once
    ("ACCOUNT_MONITOR", 18_000, None, 80, None, None),
    ("SCIENCE_MONITOR", 2_500, "SCIENCE_WH", 75, 100, 110),
    ("LEGACY_MONITOR", 0, "LEGACY_WH", 50, 90, 100),
)
"""The last keeps people from the warehouse that was moved away from: without a quota nothing resumes it."""


def _monitors(window: Window) -> pa.Table:
    """What they have counted is not said: that follows from the metering."""
    names, quotas, watched, notify, suspend, at_once = zip(*_MONITORS, strict=True)
    return rows(
        "RESOURCE_MONITORS",
        {
            "NAME": list(names),
            "CREATED": (window.first_day - 40) * DAY_US,
            "CREDIT_QUOTA": np.array(quotas, dtype=float),
        }
        | {"OWNER": "ACCOUNTADMIN", "WAREHOUSES": list(watched), "NOTIFY": list(notify), "SUSPEND": list(suspend)}
        | {"SUSPEND_IMMEDIATE": list(at_once), "LEVEL": ["WAREHOUSE" if each else "ACCOUNT" for each in watched]},
        len(names),
    )


_ROUTES = (
    # Source and target region, kind, GiB of a working hour, share of hours
    ("us-west-2", "eu-west-1", "COPY", 7.5, 0.55),
    ("us-west-2", "us-east-1", "DATA_SHARING", 2.2, 0.9),
    ("us-west-2", "us-west-2", "COPY", 24.0, 0.8),
)


def _transfers(window: Window) -> pa.Table:
    """By hour and route; the one to Europe is an unload that somebody set up across regions."""
    hours, parts = window.hours, []
    for n, (_source, _target, _kind, gib, share) in enumerate(_ROUTES):
        moved = gib * 2**30 * lognormal(window.seed, f"transfer/{n}", hours, 0.7)
        there = uniform(window.seed, f"transfer/{n}/there", hours) < share
        parts.append((hours[there], moved[there].round(), np.full(int(there.sum()), n)))
    hour, moved, route = (np.concatenate([part[column] for part in parts]) for column in range(3))
    order = np.lexsort((route, hour))
    hour, moved, routes = hour[order], moved[order], [_ROUTES[n] for n in route[order].tolist()]
    return rows(
        "DATA_TRANSFER_HISTORY",
        {"START_TIME": hour * HOUR_US, "END_TIME": (hour + 1) * HOUR_US, "SOURCE_CLOUD": "AWS", "TARGET_CLOUD": "AWS"}
        | {"SOURCE_REGION": [each[0] for each in routes], "TARGET_REGION": [each[1] for each in routes]}
        | {"BYTES_TRANSFERRED": moved, "TRANSFER_TYPE": [each[2] for each in routes]},
        len(routes),
    )
