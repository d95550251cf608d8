"""Query texts, their hashes and tags: built column by column, each distinct one the same everywhere."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tools.demo.generate.chance import mixed
from tools.demo.generate.frames import coded, hexadecimal
from tools.demo.generate.model import Habit, Statement
from tools.demo.generate.workload import Table, Workload

__all__ = ["hashes_of", "tags_of", "texts_of"]

Ints = npt.NDArray[np.int64]

_PARTS = re.compile(r"(\{n\}|\{day\})")


def _shown(literal: Ints, day: Ints) -> Ints:
    """The date that stands in a text, as an ordinal: yesterday, or some weeks before."""
    return day - 1 - 7 * (literal % 4)


def _number(literal: Ints) -> Ints:
    return 1000 + 7 * literal


def texts_of(known: Table, work: Workload) -> Any:
    """QUERY_TEXT of each row."""
    if not len(work):
        return pa.array([], type=pa.string())
    which, literal, day = work.ints("statement"), work.ints("literal"), work.ints("day")
    order = np.argsort(which, kind="stable")
    borders = np.flatnonzero(np.diff(which[order], prepend=-1))
    parts = []
    for begin, end in zip(borders, [*borders[1:], len(order)], strict=True):
        rows = order[begin:end]
        parts.append(_texts(known.statements[int(which[rows[0]])].text, literal[rows], day[rows]))
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    return pa.chunked_array(parts).combine_chunks().take(pa.array(back))


def _texts(template: str, literal: Ints, day: Ints) -> Any:
    pieces: list[Any] = []
    for piece in _PARTS.split(template):
        if piece == "{n}":
            pieces.append(pa.array(_number(literal)).cast(pa.string()))
        elif piece == "{day}":
            distinct, codes = np.unique(_shown(literal, day), return_inverse=True)
            dates = pa.array([date.fromordinal(int(each)).isoformat() for each in distinct])
            pieces.append(dates.take(pa.array(codes)))
        elif piece:
            pieces.append(pa.scalar(piece))
    if all(isinstance(piece, pa.Scalar) for piece in pieces):
        return pa.array([template] * len(literal))
    return pc.binary_join_element_wise(*pieces, "")


def hashes_of(known: Table, work: Workload) -> tuple[Any, Any]:
    """QUERY_HASH and QUERY_PARAMETERIZED_HASH: equal for equal texts and for equal shapes."""
    which = work.ints("statement")
    shapes = [_md5(statement.text) for statement in known.statements]
    seeds = np.array([int(shape[:15], 16) for shape in shapes])
    numbered = np.array(["{n}" in statement.text for statement in known.statements])[which]
    dated = np.array(["{day}" in statement.text for statement in known.statements])[which]
    literal = work.ints("literal")
    key = (
        seeds[which],
        np.where(numbered, literal, -1),
        np.where(dated, _shown(literal, work.ints("day")), -1),
    )
    halves = mixed(*key), mixed(*key, 1)
    return hexadecimal(halves, (16, 16)), coded(which, shapes)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def tags_of(known: Table, work: Workload) -> Any:
    """QUERY_TAG of each row: a tag is one of few for a habit's statement, or one for each run of a dbt job."""
    habit, statement = work.ints("habit"), work.ints("statement")
    dbt = np.array([each.tag == "dbt" for each in known.demo.habits])[habit]
    key = (habit * 10_000 + statement) * 100_000_000 + np.where(dbt, work.ints("run"), 0)
    _, firsts, codes = np.unique(key, return_index=True, return_inverse=True)
    rows = zip(habit[firsts].tolist(), statement[firsts].tolist(), work.ints("run")[firsts].tolist(), strict=True)
    tags = [_tag(known.demo.habits[h], known.statements[s], h, run) for h, s, run in rows]
    return coded(codes.astype(np.int64), tags)


def _tag(habit: Habit, statement: Statement, number: int, run: int) -> str:
    if habit.tag == "dbt":
        what = {"app": "dbt", "dbt_version": "1.10.4", "project_name": "analytics", "target_name": "prod"}
        return json.dumps(what | {"node_id": statement.key, "invocation_id": _md5(f"{number}/{run}")[:16]})
    if habit.tag == "bi":
        return json.dumps({"app": "dashboards", "tile": statement.key})
    if habit.tag == "task":
        return json.dumps({"task": statement.key.removeprefix("task.").upper()})
    return json.dumps({"job": habit.tag_text}) if habit.tag else ""
