"""QUERY_METERING_HISTORY: what statements on adaptive warehouses cost, by query and hour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tools.demo.generate.beside.people import user_id
from tools.demo.generate.days import HOUR_MS
from tools.demo.generate.frames import Columns, moments
from tools.demo.generate.intervals import cut
from tools.demo.generate.runs import Ran

__all__ = ["query_metering"]

_SAME = ("QUERY_ID", "WAREHOUSE_ID", "WAREHOUSE_NAME", "USER_NAME", "ROLE_NAME", "QUERY_HASH", "QUERY_TAG")


def query_metering(ran: Ran, history: Columns, cloud: npt.NDArray[np.float64], kept: npt.NDArray[np.int64]) -> Columns:
    """Statements that ended in this window; their cloud services belong to the first of their hours.

    Args:
        history: QUERY_HISTORY's columns, whose rows are `kept` of `ran`.
        cloud: cloud services credits of every statement of `ran`.
    """
    place = np.flatnonzero(ran.adaptive[kept] & (ran.started["begin"][kept] >= 0))
    rows = kept[place]
    begin, end = ran.started["begin"][rows], ran.started["end"][rows]
    row, hour, part = cut(begin, np.maximum(end, begin + 1), HOUR_MS)
    compute = (ran.adaptive_credits[rows][row] * part / np.maximum(end - begin, 1)[row]).round(9)
    first = np.diff(row, prepend=-1) > 0
    services = np.where(first, cloud[rows][row], 0.0)
    taken = pa.array(place[row])
    # Plain text: a few rows are not to carry the words of the whole window.
    columns: Columns = {name: _plain(history[name].take(taken)) for name in (*_SAME, "QUERY_PARAMETERIZED_HASH")}
    users = columns["USER_NAME"].dictionary_encode()
    numbers = np.array([user_id(name) for name in users.dictionary.to_pylist()], dtype=np.int64)
    return columns | {
        "QUERY_METERING_HOUR": moments(hour * HOUR_MS),
        "QUERY_START_TIME": history["START_TIME"].take(taken),
        "QUERY_END_TIME": history["END_TIME"].take(taken),
        "USER_ID": numbers[users.indices.to_numpy()] if len(row) else numbers,
        "CREDITS_USED_COMPUTE": compute,
        "CREDITS_USED_CLOUD_SERVICES": services,
        "CREDITS_USED": compute + services,
    }


def _plain(column: pa.Array) -> pa.Array:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
