"""Build an account's folder: rows into its database, the summary of its views, account.toml last."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from tools.demo import account, layout
from tools.demo.load import Progress, load, quiet
from tools.warehouse.views import ALL_VIEWS, FURTHER_VIEWS, View

__all__ = ["build_demo", "finish"]

_GENERATED = 0.6
"""Share of a demo build's time that the generator takes; the rest is loading."""


def build_demo(folder: Path, *, seed: int, progress: Progress | None = None) -> None:
    """Generate the demo account into `folder` (empty): data, views.json, account.toml."""
    import numpy as np

    from tools.demo.generate import generate

    tell = progress or quiet
    files = folder / "export"
    files.mkdir()
    about = generate(files, np.random.default_rng(seed), progress=lambda done, text: tell(_GENERATED * done, text))
    load(
        files,
        folder / "data",
        now=about.now,
        enforce_latency=True,
        progress=lambda done, text: tell(_GENERATED + (1 - _GENERATED) * done, text),
    )
    shutil.rmtree(files)
    finish(folder, about)


def finish(folder: Path, about: account.AccountSettings) -> None:
    """Write views.json and, as the last step, account.toml."""
    views = []
    with duckdb.connect(str(layout.database_file(folder)), read_only=True) as con:
        con.execute("SET TimeZone='UTC'")
        views = [_summary(con, item) for item in ALL_VIEWS.values()]
    views = [item for item in views if item["rows"] or item["name"] not in FURTHER_VIEWS]
    (folder / "views.json").write_text(json.dumps({"views": views}, indent=1) + "\n", encoding="utf-8")
    account.write_settings(folder, about)


def _summary(con: duckdb.DuckDBPyConnection, item: View) -> dict[str, Any]:
    """Visible rows, the first start and the last end, as ISO-8601 (a day stays a day)."""
    first_last = f'min("{item.start}")::VARCHAR, max("{item.end}")::VARCHAR' if item.end else "NULL, NULL"
    sql = f"SELECT count(*), {first_last} FROM {layout.USAGE}.{item.name}"  # noqa: S608
    rows, first, last = con.execute(sql).fetchone() or (0, None, None)
    return {"name": item.name, "rows": rows, "first": _iso(first), "last": _iso(last)}


def _iso(text: str | None) -> str | None:
    if text is None or len(text) == 10:
        return text
    return datetime.fromisoformat(text).astimezone(UTC).isoformat().replace("+00:00", "Z")
