"""`make bench`: how long the main paths take, as ratios against a peer in the same run. Never a gate.

| row        | ours                                        | peer                                              |
|------------|---------------------------------------------|---------------------------------------------------|
| answer     | a whole question through the chat graph     | the bare connector running the one SQL behind it   |
| push-down  | QUERY_HISTORY aggregated by the account     | the same rows fetched and grouped in pandas        |
| billing    | `tools.ml.billing.meter`                    | a second-by-second loop over the same runs         |
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from agent.runtime import Runtime
from agent.settings import load_settings
from tools.context import UsageQuery
from tools.warehouse.failures import Doing
from tools.warehouse.session import ReadSession

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["main"]

_RUNS = 7
_SECONDS_AN_HOUR = 3600


def _median_ms(work: Callable[[], Any]) -> float:
    work()
    taken = []
    for _ in range(_RUNS):
        began = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def _row(name: str, ours: float, peer: float) -> str:
    return f"{name:<10} {ours:>10.1f} ms {peer:>10.1f} ms   ours/peer {ours / peer:>7.2f}"


def _answer(runtime: Runtime, session: ReadSession) -> str:
    person = runtime.person()
    text = (
        "SELECT WAREHOUSE_NAME, SUM(CREDITS_USED) AS v FROM SNOWFLAKE.ACCOUNT_USAGE.WAREHOUSE_METERING_HISTORY "
        "WHERE START_TIME >= ? GROUP BY 1"
    )
    since = runtime.reader.now() - timedelta(days=14)
    ours = _median_ms(
        lambda: runtime.ask("credits by warehouse last week", thread=f"bench-{runtime.new_id()}", person=person)
    )
    return _row("answer", ours, _median_ms(lambda: session.table(text, [since], Doing("benchmarking"))))


def _push_down(runtime: Runtime, session: ReadSession) -> str:
    end = runtime.reader.now()
    start = end - timedelta(days=30)
    query = UsageQuery("queries", start, end, by="warehouse", slot_minutes=60)
    text = (
        "SELECT WAREHOUSE_NAME, START_TIME, EXECUTION_TIME, BYTES_SCANNED FROM SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY "
        "WHERE START_TIME >= ? AND START_TIME < ?"
    )

    def fetched() -> pd.DataFrame:
        table, _ = session.table(text, [start, end], Doing("benchmarking"))
        frame = table.to_pandas()
        frame["slot"] = frame["START_TIME"].dt.floor("h")
        grouped: pd.DataFrame = frame.groupby(["WAREHOUSE_NAME", "slot"])[["EXECUTION_TIME", "BYTES_SCANNED"]].sum()
        return grouped

    return _row("push-down", _median_ms(lambda: runtime.reader.usage(query)), _median_ms(fetched))


def _runs() -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(7)
    gaps = random.exponential(1200, 400).round() + 120
    lengths = random.exponential(400, 400).round() + 1
    ends = np.cumsum(gaps + lengths)
    starts = pd.Timestamp("2026-10-01") + pd.to_timedelta(ends - lengths, unit="s")
    frame = pd.DataFrame({"warehouse": "W", "cluster": 1, "start": starts, "size": "MEDIUM"})
    frame["end"] = frame["start"] + pd.to_timedelta(lengths, unit="s")
    return frame


def _by_the_second(runs: pd.DataFrame) -> dict[Any, float]:
    """The plain reading of the rule: every second of a run costs, and each start costs 60 at least."""
    hours: dict[Any, float] = {}
    run: Any
    for run in runs.to_dict("records"):
        seconds = max(60, int((run["end"] - run["start"]).total_seconds()))
        for second in range(seconds):
            hour = (run["start"] + timedelta(seconds=second)).floor("h")
            hours[hour] = hours.get(hour, 0.0) + 4 / _SECONDS_AN_HOUR
    return hours


def _billing() -> str:
    from tools.ml.billing import meter

    runs = _runs()
    ours, peer = meter(runs)["credits"].sum(), sum(_by_the_second(runs.head(40)).values())
    if abs(meter(runs.head(40))["credits"].sum() - peer) > 1e-6 or not ours:
        return "billing    the two disagree: no figure"
    few = runs.head(40)
    return _row("billing", _median_ms(lambda: meter(few)), _median_ms(lambda: _by_the_second(few)))


def main() -> list[str]:
    """Run everything on a demo account of its own; returns the lines that were printed."""
    settings = load_settings("demo")
    apart = settings.model_copy(update={"home": settings.home / "bench", "now": None})
    apart.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    began = time.perf_counter()
    with Runtime.open(apart) as runtime:
        opened = time.perf_counter() - began
        session = ReadSession(runtime.reader_config, query_tag={"component": "bench"})
        connected = time.perf_counter() - began - opened
        lines = [
            f"median of {_RUNS} runs after one warm-up; account opened in {opened:.1f} s, server in {connected:.1f} s",
            _answer(runtime, session),
            _push_down(runtime, session),
            _billing(),
        ]
        session.close()
    return lines


if __name__ == "__main__":
    import sys

    sys.stdout.write("\n".join(main()) + "\n")
