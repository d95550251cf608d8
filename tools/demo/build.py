"""Build the demo account's folder: rows into its database, simulation.json, the summary of its views, account.toml."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from tools.demo import layout
from tools.demo.account_file import AccountSettings, write_settings
from tools.demo.anomalies import refresh_anomalies
from tools.demo.load import Progress, quiet
from tools.warehouse.views import ALL_VIEWS, FURTHER_VIEWS, View

if TYPE_CHECKING:
    import pyarrow as pa

    from tools.demo.generate.history import History

__all__ = ["DAYS", "NOW", "SIMULATION", "append", "build_demo", "finish", "go_on", "open_database"]

NOW = datetime(2026, 11, 18, 17, 20, tzinfo=UTC)
"""A Wednesday, 09:20 in the account's zone."""
DAYS = 90
SIMULATION = "simulation.json"
"""What going on needs (tools.demo.generate.history.History); an imported account has none."""

_ROWS_A_TRANSACTION = 400_000
"""Of all tables together."""
_GENERATED = 0.93
"""Share of a build's time in which windows are simulated and written; the rest is compressing them on disk."""


def build_demo(
    folder: Path,
    *,
    seed: int,
    now: datetime = NOW,
    days: int = DAYS,
    queries: int | None = None,
    precursors: bool | None = None,
    stage: bool = True,
    progress: Progress | None = None,
) -> None:
    """Generate the demo account into `folder` (empty): data, simulation.json, views.json, account.toml.

    Args:
        seed: equal seeds make equal accounts.
        now: the account's now, on five minutes; nothing later is written.
        days: how far back the history goes; it starts at a UTC midnight.
        queries: about how many statements the history shall hold, for benchmarks; None is as many as the habits
            of the account send (about 370,000 in 90 days).
        precursors: whether failures announce themselves; drawn from the seed unless given.
        stage: have statements in flight at `now` that the tour speaks of.
    """
    from tools.demo.generate.days import DAY_MS, milliseconds
    from tools.demo.generate.history import History

    tell = progress or quiet
    tell(0.0, "beginning")
    first = milliseconds(now - timedelta(days=days)) // DAY_MS * DAY_MS
    history = History.begin(seed, first, queries=queries, days=days, precursors=precursors)
    (folder / "data").mkdir(parents=True)
    with open_database(folder) as con:
        layout.create_schema(con)
        con.execute(f"INSERT INTO {layout.RAW}.CLOCK VALUES (?, true)", [now])  # noqa: S608
        go_on(con, history, now, lambda done, text: tell(_GENERATED * done, text), stage=stage)
        tell(_GENERATED, "writing to disk")
        con.execute("CHECKPOINT")
    history.save(folder / SIMULATION)
    demo = history.demo
    finish(
        folder,
        AccountSettings(
            name=demo.name,
            origin="demo",
            now=now,
            timezone=demo.timezone,
            edition=demo.edition,
            credit_price=demo.credit_price,
            hidden_from_reader=demo.hidden_from_reader,
        ),
    )
    tell(1.0, "ready")


def open_database(folder: Path) -> duckdb.DuckDBPyConnection:
    """The account's database, for a writer that is alone with it."""
    con = duckdb.connect(str(layout.database_file(folder)))
    con.execute("SET TimeZone='UTC'")
    con.execute("SET memory_limit='300MB'")
    con.execute("SET preserve_insertion_order=true")
    con.execute("SET threads=2")
    con.execute("SET autoinstall_known_extensions=false")
    return con


def go_on(
    con: duckdb.DuckDBPyConnection, history: History, until: datetime, progress: Progress, *, stage: bool = True
) -> None:
    """Simulate to `until`, append the rows, and show what is in flight then."""
    from tools.demo.generate.days import milliseconds

    fresh = history.now == history.first
    waiting = 0

    def sink(name: str, rows: pa.Table) -> None:
        nonlocal waiting
        append(con, name, rows)
        waiting += rows.num_rows
        if waiting > _ROWS_A_TRANSACTION:
            con.execute("COMMIT")
            con.execute("BEGIN")
            waiting = 0

    # In one transaction DuckDB writes whole row groups at once, past its log.
    con.execute("BEGIN")
    ran = history.advance(milliseconds(until), sink, progress, stage=stage)
    put_live(con, history, ran, fresh=fresh)
    refresh_anomalies(con)
    con.execute("COMMIT")


def append(con: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """Add rows to a view's table; a view that shows the present is replaced."""
    from tools.demo.generate.beside import SNAPSHOTS

    if name in SNAPSHOTS:
        con.execute(f"DELETE FROM {layout.RAW}.{name}")  # noqa: S608 - names are constants
    if not rows.num_rows:
        return
    con.register("incoming", rows)
    columns = ", ".join(f'"{column}"' for column in rows.column_names)
    con.execute(f"INSERT INTO {layout.RAW}.{name} ({columns}) SELECT {columns} FROM incoming")  # noqa: S608
    con.unregister("incoming")


def put_live(con: duckdb.DuckDBPyConnection, history: History, ran: Any, *, fresh: bool) -> None:
    """LIVE_QUERIES as of now; WAREHOUSES and TASKS whole for a new account, else what time alone has changed."""
    from tools.demo.generate.days import moment
    from tools.demo.generate.frames import as_table
    from tools.demo.generate.queries import live_queries
    from tools.demo.generate.show import dynamic_columns, show_warehouses
    from tools.demo.generate.show_tasks import show_tasks
    from tools.demo.generate.workload import table

    con.execute(f"DELETE FROM {layout.RAW}.LIVE_QUERIES")  # noqa: S608
    append(con, "LIVE_QUERIES", as_table(live_queries(table(history.demo), history.lives, ran)))
    if fresh:
        shown = show_warehouses(history.demo, history.lives, ran)
        _insert(con, "WAREHOUSES", [dict(zip(shown, row, strict=True)) for row in zip(*shown.values(), strict=True)])
        _insert(con, "TASKS", show_tasks(history.demo, moment(history.first)))
        # The last window alone is in `ran`; who was resized earlier stands in the events.
        con.execute(
            f"UPDATE {layout.RAW}.WAREHOUSES SET updated_on = resized.at FROM (SELECT WAREHOUSE_ID AS id, "  # noqa: S608
            f"max(TIMESTAMP) AS at FROM {layout.RAW}.WAREHOUSE_EVENTS_HISTORY WHERE EVENT_NAME = 'RESIZE_WAREHOUSE' "
            "GROUP BY 1) resized WHERE resized.id = warehouse_id"
        )
        return
    for live in history.lives.values():
        row = dynamic_columns(live, ran)
        changes = ", ".join(f'"{name}" = ?' for name in row)
        con.execute(
            f"UPDATE {layout.RAW}.WAREHOUSES SET {changes} WHERE warehouse_id = ?",  # noqa: S608
            [*row.values(), live.id],
        )


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows may leave out columns."""
    for row in rows:
        columns, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
        con.execute(f"INSERT INTO {layout.RAW}.{table} ({columns}) VALUES ({marks})", list(row.values()))  # noqa: S608


def finish(folder: Path, about: AccountSettings) -> None:
    """Write views.json and, as the last step, account.toml."""
    views = []
    with duckdb.connect(str(layout.database_file(folder)), read_only=True) as con:
        con.execute("SET TimeZone='UTC'")
        views = [_summary(con, item) for item in ALL_VIEWS.values()]
    views = [item for item in views if item["rows"] or item["name"] not in FURTHER_VIEWS]
    (folder / "views.json").write_text(json.dumps({"views": views}, indent=1) + "\n", encoding="utf-8")
    write_settings(folder, about)


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
