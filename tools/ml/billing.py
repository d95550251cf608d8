"""What Snowflake bills for compute: warehouse runs to credits by hour, and the daily 10 % adjustment.

Source of the rules: snowflake-reference.md 2.1 to 2.5 (Snowflake's documentation, in own words). Rates are data
(`warehouse_rates.csv` beside this file): check them against the account's contract.

How a run is laid out. Compute is a stack of layers. A start lays one layer of the whole rate; a resize up lays a
layer of the added rate on top; a resize down takes from the top. Every layer is billed for at least the minimum
(60 s; an hour for interactive warehouses) from the moment it was laid, so the minimum of a start covers the size
it started with, the minimum of a resize up covers the added compute only, and a resize down brings none.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tools.domain import Size
from tools.errors import BadArgument

__all__ = ["ADJUSTMENT_SHARE", "billed_days", "credits_per_hour", "meter"]

ADJUSTMENT_SHARE = 0.10
"""Cloud services are billed only beyond this share of the UTC day's warehouse compute."""

_NS = 1_000_000_000
_HOUR = 3600 * _NS
_OPTIONAL = ("generation", "type", "cloud", "resource_constraint")

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


# --- rates ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rate:
    credits_per_hour: float
    minimum_seconds: int


@cache
def _table() -> dict[tuple[str, str, str, str, Size], _Rate]:
    """(type, generation, constraint, cloud, size) -> rate; cloud '*' stands for every cloud."""
    text = resources.files("tools.ml").joinpath("warehouse_rates.csv").read_text(encoding="utf-8")
    return {
        (row["type"], row["generation"], row["resource_constraint"], row["cloud"], size): _Rate(
            float(row[size.value]), int(row["minimum_seconds"])
        )
        for row in csv.DictReader(text.splitlines())
        for size in Size
        if row[size.value]
    }


def credits_per_hour(
    size: str,
    *,
    type: str = "STANDARD",
    generation: str | int | None = None,
    cloud: str = "aws",
    resource_constraint: str | None = None,
) -> float:
    """Credits one running cluster costs in an hour.

    Args:
        size: any spelling that Snowflake prints or takes.
        type: STANDARD, SNOWPARK-OPTIMIZED or INTERACTIVE, as SHOW WAREHOUSES prints it.
        generation: '1' or '2' of a standard warehouse; None reads as '1' unless the constraint says otherwise.
        cloud: aws, azure or gcp; it matters for generation 2 only.
        resource_constraint: STANDARD_GEN_1/2, or MEMORY_* of a Snowpark-optimized one (default MEMORY_16X).

    Raises:
        BadArgument: no such size, type or combination (an adaptive warehouse is billed by query).
    """
    return _rate(size, type, generation, cloud, resource_constraint).credits_per_hour


def _rate(size: Any, type_: Any, generation: Any, cloud: Any, constraint: Any) -> _Rate:
    if not isinstance(size, str):
        raise BadArgument(f"{size!r} is not a warehouse size.")
    kind = _kind(type_)
    clouds = _word(cloud, "aws").lower()
    if clouds not in ("aws", "azure", "gcp"):
        raise BadArgument(f"{clouds!r} is not a cloud.", hint="Clouds: aws, azure, gcp.")
    gen, memory = _resources(kind, generation, _word(constraint, "").upper())
    parsed = Size.parse(size)
    for place in (clouds, "*"):
        found = _table().get((kind, gen, memory, place, parsed))
        if found is not None:
            return found
    detail = " ".join(word for word in (kind, f"generation {gen}" if gen else "", memory) if word)
    raise BadArgument(f"Snowflake offers no {parsed.shown} warehouse of {detail} on {clouds}.")


def _kind(type_: Any) -> str:
    kind = _word(type_, "STANDARD").upper().replace("_", "-")
    if kind == "ADAPTIVE":
        raise BadArgument("An adaptive warehouse is billed by query: it has no rate by the hour.")
    if kind not in {key[0] for key in _table()}:
        raise BadArgument(
            f"{kind[:40]!r} is not a warehouse type.", hint="Types: STANDARD, SNOWPARK-OPTIMIZED, INTERACTIVE."
        )
    return kind


def _resources(kind: str, generation: Any, constraint: str) -> tuple[str, str]:
    """(generation, memory constraint) as the table spells them."""
    gen = _generation(generation)
    if kind == "STANDARD":
        if constraint not in ("", "STANDARD_GEN_1", "STANDARD_GEN_2"):
            raise BadArgument(f"{constraint[:40]!r} is no resource constraint of a standard warehouse.")
        named = constraint[-1:]
        if gen and named and gen != named:
            raise BadArgument(f"Generation {gen} contradicts the resource constraint {constraint}.")
        return gen or named or "1", ""
    if kind == "SNOWPARK-OPTIMIZED":
        return "", constraint or "MEMORY_16X"
    return "", ""


def _generation(value: Any) -> str:
    if _absent(value):
        return ""
    word = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    if word not in ("1", "2"):
        raise BadArgument(f"{word[:40]!r} is not a warehouse generation.", hint="Generations: '1' and '2'.")
    return word


def _word(value: Any, default: str) -> str:
    return default if _absent(value) else str(value).strip()


def _absent(value: Any) -> bool:
    return value is None or value == "" or value is pd.NA or value is pd.NaT or value != value


# --- runs to hours ---------------------------------------------------------------------------------------------


def meter(runs: pd.DataFrame) -> pd.DataFrame:
    """Credits by warehouse and UTC hour, as WAREHOUSE_METERING_HISTORY would show them (compute only).

    Args:
        runs: one row per stretch of one cluster at one size: warehouse, cluster, start, end, size, and where it
            matters generation, type, cloud, resource_constraint. Naive times are UTC. Rows of one warehouse and
            cluster where end equals the next start are one run. Compute that drains beside its replacement
            (reference 2.2) is a cluster of its own. Order of rows is irrelevant.

    Returns:
        warehouse, hour (start of the UTC hour; naive where the input is naive), credits > 0; sorted. Credits of a
        minimum fall where they lie in time, so a start at 10:59:50 also has its share in hour 11.

    Raises:
        BadArgument: names the column and the row (its index label) that cannot be used.
    """
    _require(runs, ("warehouse", "cluster", "start", "end", "size"))
    start, aware = _times(runs, "start")
    end, end_aware = _times(runs, "end")
    if len(runs) and aware != end_aware:
        raise BadArgument("Column end: one of start and end has a time zone and the other has none.")
    _refuse(runs, end < start, "end", "lies before its start")
    rate, minimum = _rates(runs)
    order, new_run = _runs(runs, start, end)
    layers = _lay(start[order], end[order], rate[order], minimum[order], new_run)
    owner = runs["warehouse"].to_numpy()[order][layers.row]
    return _by_hour(owner, layers, aware)


def _require(frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise BadArgument(f"Column {column} is missing.")
        if isinstance(frame[column], pd.DataFrame):
            raise BadArgument(f"Column {column} stands twice.")
        _refuse(frame, frame[column].isna().to_numpy(), column, "is empty")


def _refuse(frame: pd.DataFrame, bad: npt.NDArray[np.bool_], column: str, why: str) -> None:
    if bad.any():
        label = frame.index[int(np.argmax(bad))]
        raise BadArgument(f"Column {column}, row {label}: {why}.")


def _times(frame: pd.DataFrame, column: str) -> tuple[Ints, bool]:
    """Nanoseconds since the epoch, and whether the column has a time zone."""
    values = frame[column]
    if len(values) and values.dtype.kind in "iufbc":
        raise BadArgument(f"Column {column}: numbers are not times.")
    aware = isinstance(values.dtype, pd.DatetimeTZDtype)
    if values.dtype.kind != "M":
        aware = any(getattr(value, "tzinfo", None) is not None for value in values)
    parsed = pd.to_datetime(values, utc=True, errors="coerce", format=None if values.dtype.kind == "M" else "ISO8601")
    _refuse(frame, parsed.isna().to_numpy(), column, "is not a time")
    try:
        return parsed.dt.as_unit("ns").to_numpy(dtype="datetime64[ns]").astype(np.int64), aware
    except (pd.errors.OutOfBoundsDatetime, OverflowError):
        raise BadArgument(f"Column {column}: a time lies outside the years 1678 to 2262.") from None


def _rates(runs: pd.DataFrame) -> tuple[Floats, Ints]:
    """Rate and minimum (ns) of each row; each distinct kind of compute is looked up once."""
    columns = ["size", *(c for c in _OPTIONAL if c in runs.columns)]
    rate, minimum = np.zeros(len(runs)), np.zeros(len(runs), dtype=np.int64)
    codes = runs.groupby(columns, dropna=False, sort=False, observed=True).ngroup().to_numpy()
    _, firsts = np.unique(codes, return_index=True)
    for code, first in enumerate(firsts):
        row = {column: runs[column].iloc[int(first)] for column in columns}
        try:
            found = _rate(row["size"], *(row.get(c) for c in ("type", "generation", "cloud", "resource_constraint")))
        except BadArgument as error:
            raise BadArgument(f"Row {runs.index[int(first)]}: {error.message}", hint=error.hint) from None
        rate[codes == code], minimum[codes == code] = found.credits_per_hour, found.minimum_seconds * _NS
    return rate, minimum


def _runs(runs: pd.DataFrame, start: Ints, end: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Rows in order of cluster and time, and which of them start a run."""
    cluster = runs.groupby(["warehouse", "cluster"], sort=False, observed=True).ngroup().to_numpy()
    order = np.lexsort((end, start, cluster))
    same = np.zeros(len(runs), dtype=bool)
    same[1:] = cluster[order][1:] == cluster[order][:-1]
    gap = np.zeros(len(runs), dtype=np.int64)
    gap[1:] = start[order][1:] - end[order][:-1]
    overlaps = np.zeros(len(runs), dtype=bool)
    overlaps[order] = same & (gap < 0)
    _refuse(runs, overlaps, "start", "the same cluster is already running then")
    return order.astype(np.int64), ~(same & (gap == 0))


@dataclass(frozen=True)
class _Layers:
    row: Ints
    """Position of a row of the layer's run: who pays."""
    start: Ints
    end: Ints
    rate: Floats


def _lay(start: Ints, end: Ints, rate: Floats, minimum: Ints, new_run: npt.NDArray[np.bool_]) -> _Layers:
    """Layers of all runs; rows arrive in order of cluster and time."""
    if not len(start):
        return _Layers(start, start, end, rate)
    heads = np.flatnonzero(new_run)
    tails = np.append(heads[1:], len(start)) - 1
    changes = np.zeros(len(start), dtype=bool)
    changes[1:] = ~new_run[1:] & (rate[1:] != rate[:-1])
    changed = np.add.reduceat(changes, heads) > 0
    plain_head, plain_tail = heads[~changed], tails[~changed]
    rows = [plain_head]
    starts = [start[plain_head]]
    ends = [np.maximum(end[plain_tail], start[plain_head] + minimum[plain_head])]
    rates = [rate[plain_head]]
    for head, tail in zip(heads[changed], tails[changed], strict=True):
        run = slice(head, tail + 1)
        layers = _stack(start[run], rate[run], minimum[run], int(end[tail]))
        rows.append(np.full(len(layers), head))
        starts.append(np.array([layer[0] for layer in layers], dtype=np.int64))
        ends.append(np.array([layer[1] for layer in layers], dtype=np.int64))
        rates.append(np.array([layer[2] for layer in layers]))
    return _Layers(np.concatenate(rows), np.concatenate(starts), np.concatenate(ends), np.concatenate(rates))


def _stack(starts: Ints, rates: Floats, minimums: Ints, end: int) -> list[tuple[int, int, float]]:
    """(start, end, rate) of the layers of one run that changed its rate."""
    done: list[tuple[int, int, float]] = []
    stack: list[tuple[int, float, int]] = []
    current = 0.0
    for at, rate, minimum in zip(starts.tolist(), rates.tolist(), minimums.tolist(), strict=True):
        if rate > current:
            stack.append((at, rate - current, minimum))
        drop = current - rate
        while drop > 1e-12:
            laid, height, least = stack.pop()
            taken = min(height, drop)
            done.append((laid, max(at, laid + least), taken))
            if height - taken > 1e-12:
                stack.append((laid, height - taken, least))
            drop -= taken
        current = rate
    return done + [(laid, max(end, laid + least), height) for laid, height, least in stack]


def _by_hour(owner: npt.NDArray[Any], layers: _Layers, aware: bool) -> pd.DataFrame:
    first = layers.start // _HOUR
    count = np.maximum((layers.end - 1) // _HOUR - first + 1, 0)
    index = np.repeat(np.arange(len(count)), count)
    hour = first[index] + np.arange(len(index)) - np.repeat(np.cumsum(count) - count, count)
    span = np.minimum(layers.end[index], (hour + 1) * _HOUR) - np.maximum(layers.start[index], hour * _HOUR)
    piece = pd.DataFrame({"warehouse": owner[index], "hour": hour, "credits": layers.rate[index] * span / _HOUR})
    out = piece.groupby(["warehouse", "hour"], sort=True, observed=True)["credits"].sum().reset_index()
    stamps = pd.to_datetime(out["hour"].to_numpy() * _HOUR, unit="ns", utc=True).as_unit("us")
    out["hour"] = stamps if aware else stamps.tz_localize(None)
    return out


# --- the daily adjustment ----------------------------------------------------------------------------------------


def billed_days(days: pd.DataFrame) -> pd.DataFrame:
    """The 10 % adjustment of each UTC day, and what is billed after it.

    Args:
        days: warehouse (compute credits of all warehouses, never serverless) and cloud_services, one row a UTC day.

    Returns:
        adjustment (<= 0) and billed = warehouse + cloud_services + adjustment, with the index of `days`.

    Raises:
        BadArgument: names the column and the row that cannot be used.
    """
    _require(days, ("warehouse", "cloud_services"))
    columns: dict[str, Floats] = {}
    for column in ("warehouse", "cloud_services"):
        try:
            columns[column] = days[column].to_numpy(dtype=np.float64)
        except (TypeError, ValueError):
            raise BadArgument(f"Column {column} does not hold numbers.") from None
        _refuse(days, ~np.isfinite(columns[column]), column, "is not a finite number")
        _refuse(days, columns[column] < 0, column, "is negative")
    warehouse, cloud = columns["warehouse"], columns["cloud_services"]
    adjustment = 0.0 - np.minimum(cloud, ADJUSTMENT_SHARE * warehouse)
    return pd.DataFrame({"adjustment": adjustment, "billed": warehouse + cloud + adjustment}, index=days.index)
