"""Results on the wire: Arrow as the connector wants it, and the bounded cache behind RESULT_SCAN.

fakesnow's own encoder is not used: it loses NULL timestamps, knows UTC only and refuses lists. Timestamps
with a zone travel as TIMESTAMP_LTZ, because every *_TIME column of ACCOUNT_USAGE is one.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import OrderedDict
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["ResultCache", "encode"]

_TEXT_BYTES = 16_777_216


class ResultCache:
    """The last results by query id, least recently used out first; bounded in number and in bytes.

    One that is larger than all together may be is not kept: RESULT_SCAN then says it is not found.
    """

    def __init__(self, entries: int = 64, total_bytes: int = 64 * 2**20) -> None:
        self._entries, self._bytes = entries, total_bytes
        self._kept: OrderedDict[tuple[str, str], pa.Table] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, user: str, query_id: str, table: pa.Table) -> None:
        if table.nbytes > self._bytes:
            return
        with self._lock:
            self._kept[user, query_id] = table
            while len(self._kept) > 1 and self._over():
                self._kept.popitem(last=False)

    def get(self, user: str, query_id: str) -> pa.Table | None:
        """A result belongs to the user who ran the statement."""
        with self._lock:
            table = self._kept.get((user, query_id))
            if table is not None:
                self._kept.move_to_end((user, query_id))
            return table

    def __len__(self) -> int:
        return len(self._kept)

    def _over(self) -> bool:
        return len(self._kept) > self._entries or sum(t.nbytes for t in self._kept.values()) > self._bytes


def encode(table: pa.Table) -> tuple[list[dict[str, Any]], bytes]:
    """`rowtype` and `rowsetBase64` (ASCII) of the response."""
    rowtype, arrays, fields = [], [], []
    for field, column in zip(table.schema, table.columns, strict=True):
        array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        kind, scale, wire = _wire(array)
        precision = wire.type.precision if pa.types.is_decimal(wire.type) else 38
        info = _info(field.name, kind, scale, precision)
        rowtype.append(info)
        arrays.append(wire)
        fields.append(pa.field(field.name, wire.type, metadata=_metadata(info)))
    if table.num_rows == 0:
        return rowtype, b""  # the connector makes an empty table of the rowtype; of an empty stream it cannot
    schema = pa.schema(fields)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return rowtype, base64.b64encode(sink.getvalue())


def _info(name: str, kind: str, scale: int | None, precision: int) -> dict[str, Any]:
    text = kind in ("text", "variant")
    return {
        "name": name,
        "database": "",
        "schema": "",
        "table": "",
        "nullable": True,
        "type": kind,
        "byteLength": _TEXT_BYTES if text else None,
        "length": _TEXT_BYTES if text else None,
        "scale": scale,
        "precision": precision if kind == "fixed" else (0 if scale is not None else None),
        "collation": None,
    }


def _metadata(info: dict[str, Any]) -> dict[str, str]:
    return {
        "logicalType": info["type"].upper(),
        "precision": str(info["precision"] or 38),
        "scale": str(info["scale"] or 0),
        "charLength": str(info["length"] or 0),
    }


def _wire(array: pa.Array) -> tuple[str, int | None, pa.Array]:
    """Snowflake's type, its scale, and the values in the physical type that the connector reads."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        return ("timestamp_ltz" if kind.tz else "timestamp_ntz"), 9, _timestamp(array)
    if pa.types.is_decimal(kind):
        return "fixed", kind.scale, _integers(array) if kind.scale == 0 else array
    if pa.types.is_integer(kind):
        return "fixed", 0, array.cast(pa.int64())
    if pa.types.is_floating(kind):
        return "real", None, array.cast(pa.float64())
    if pa.types.is_boolean(kind):
        return "boolean", None, array
    if pa.types.is_date(kind):
        return "date", None, array.cast(pa.date32())
    if pa.types.is_time(kind):
        return "time", 9, array.cast(pa.time64("ns")).cast(pa.int64())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "binary", None, array.cast(pa.binary())
    if pa.types.is_nested(kind):
        return "variant", None, _json(array)
    return "text", None, _text(array)


def _timestamp(array: pa.Array) -> pa.Array:
    """Seconds and nanoseconds since the epoch, with the NULLs kept (what fakesnow 0.12.1 loses)."""
    micros = array.cast(pa.timestamp("us", tz=array.type.tz), safe=False).cast(pa.int64())
    whole = pc.divide(micros, 1_000_000)  # towards zero: before 1970 one too many
    rest = pc.subtract(micros, pc.multiply(whole, 1_000_000))
    early = pc.less(rest, 0)
    seconds = pc.if_else(early, pc.subtract(whole, 1), whole)
    fraction = pc.multiply(pc.if_else(early, pc.add(rest, 1_000_000), rest), 1000).cast(pa.int32())
    return pa.StructArray.from_arrays(
        [pc.fill_null(seconds, 0), pc.fill_null(fraction, 0)], names=["epoch", "fraction"], mask=pc.is_null(array)
    )


def _integers(array: pa.Array) -> pa.Array:
    """NUMBER(38,0) that fits 64 bits arrives as int, as from Snowflake."""
    try:
        return array.cast(pa.int64())
    except pa.ArrowInvalid:
        return array


def _json(array: pa.Array) -> pa.Array:
    values = [None if v is None else json.dumps(v, default=str) for v in array.to_pylist()]
    return pa.array(values, pa.string())


def _text(array: pa.Array) -> pa.Array:
    try:
        return array.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.array([None if v is None else str(v) for v in array.to_pylist()], pa.string())
