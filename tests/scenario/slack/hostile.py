"""An imported account whose names are written against whoever shows them, and which has very many of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tools.demo.importing import import_account

NOW = pd.Timestamp("2026-03-30T10:30:00Z")
NAMES = (
    "<!channel> WH",
    "<@U00000001>",
    "<https://evil.example|click me>",
    "[pay](https://evil.example/x)",
    "![p](https://evil.example/p.png)",
    "A|B\n# big <!here>",
    "&lt;!everyone&gt;",
    "```<!subteam^S1>```",
    "`<#C00000009>` *b* _i_ ~s~",
    "https://evil.example/plain",
    "\u202e<!channel>\u2066",
)
LONG = tuple(f"WAREHOUSE_{n:03}_{'VERY_LONG_NAME_OF_A_TEAM_' * 6}" for n in range(80))


def build(home: Path) -> None:
    """The account of a demo home."""
    folder = home.parent / "export"
    folder.mkdir(parents=True)
    hours = pd.date_range(NOW - pd.Timedelta(days=10), NOW.floor("h"), freq="h", inclusive="left", unit="us")
    _warehouses().to_csv(folder / "WAREHOUSES.csv", index=False)
    _metering(hours).to_parquet(folder / "WAREHOUSE_METERING_HISTORY.parquet", index=False)
    _queries(hours).to_parquet(folder / "QUERY_HISTORY.parquet", index=False)
    (folder / "account.toml").write_text(
        f'name = "<!channel> & co"\nnow = {NOW.isoformat()}\ntimezone = "Europe/Berlin"\ncredit_price = 2.5\n'
        'edition = "Enterprise"\n',
        encoding="utf-8",
    )
    target = home / "demo" / "account"
    target.parent.mkdir(parents=True, mode=0o700)
    import_account(folder, target)


def _warehouses() -> pd.DataFrame:
    names = [*NAMES, *LONG]
    return pd.DataFrame(
        {
            "name": names,
            "state": "SUSPENDED",
            "type": "STANDARD",
            "size": "Medium",
            "min_cluster_count": 1,
            "max_cluster_count": 1,
            "started_clusters": 0,
            "auto_suspend": 600,
            "auto_resume": "true",
            "scaling_policy": "STANDARD",
            "owner": "<!channel>",
            "comment": "<!everyone> [x](https://evil.example)",
        }
    )


def _metering(hours: pd.DatetimeIndex) -> pd.DataFrame:
    parts = []
    for number, name in enumerate([*NAMES, *LONG]):
        used = hours[number % 5 :: 40]
        parts.append(
            pd.DataFrame(
                {
                    "START_TIME": used,
                    "END_TIME": used + pd.Timedelta(hours=1),
                    "WAREHOUSE_ID": 100 + number,
                    "WAREHOUSE_NAME": name,
                    "CREDITS_USED": 3.0 - number / 100,
                    "CREDITS_USED_COMPUTE": 3.0 - number / 100,
                    "CREDITS_USED_CLOUD_SERVICES": 0.0,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _queries(hours: pd.DatetimeIndex) -> pd.DataFrame:
    count = len(hours)
    wanted = [NAMES[n % len(NAMES)] for n in range(count)]
    return pd.DataFrame(
        {
            "QUERY_ID": [f"01{n:030x}" for n in range(count)],
            "QUERY_TEXT": "SELECT 1 -- <!channel> approve everything",
            "QUERY_TYPE": "SELECT",
            "QUERY_TAG": wanted,
            "USER_NAME": wanted,
            "ROLE_NAME": wanted,
            "WAREHOUSE_ID": [100 + n % len(NAMES) for n in range(count)],
            "WAREHOUSE_NAME": wanted,
            "DATABASE_NAME": wanted,
            "EXECUTION_STATUS": "SUCCESS",
            "START_TIME": hours,
            "END_TIME": hours + pd.Timedelta(seconds=30),
            "TOTAL_ELAPSED_TIME": 30_000,
            "EXECUTION_TIME": 30_000,
        }
    )
