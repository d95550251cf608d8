"""A watch as bytes: its arrays by their place in it, and a JSON part. Nothing in it is ever executed on reading."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any
from zipfile import BadZipFile

import numpy as np

from tools.errors import BadArgument

__all__ = ["FORMAT", "opened", "restore", "saved"]

FORMAT = 1
_OURS = "tools.ml.anomaly"

Arrays = dict[str, np.ndarray[Any, Any]]


def saved(plain: dict[str, Any], parts: object) -> bytes:
    arrays: Arrays = {place: np.asarray(getter[name]) for place, getter, name in _leaves(parts, "")}
    target = io.BytesIO()
    np.savez_compressed(target, allow_pickle=False, plain=np.array(json.dumps(plain)), **arrays)
    return target.getvalue()


def opened(data: bytes) -> tuple[dict[str, Any], Arrays]:
    """
    Raises:
        BadArgument: not what `saved` of this version wrote.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = dict(file)
        plain: dict[str, Any] = json.loads(str(arrays.pop("plain")))
    except (KeyError, ValueError, OSError, EOFError, BadZipFile) as error:
        raise BadArgument(f"This is no saved watch: {error}") from error
    if plain.get("format") != FORMAT:
        raise BadArgument("This watch was saved by another version.", hint="Start a new one from the history.")
    return plain, arrays


def restore(parts: object, arrays: Arrays) -> None:
    """Write the arrays back into a freshly built watch's parts.

    Raises:
        BadArgument: an array is missing or of another shape.
    """
    for place, getter, name in list(_leaves(parts, "")):
        fresh = getter[name]
        found = arrays.get(place)
        if found is None or found.shape != np.shape(fresh):
            raise BadArgument(f"This is no saved watch: {place} does not fit.")
        if isinstance(fresh, np.ndarray):
            fresh[...] = found
        else:
            getter[name] = found.item()


def _leaves(part: object, place: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every array and counter below `part`: its place, and the mapping and name that hold it."""
    if isinstance(part, list):
        for at, one in enumerate(part):
            yield from _leaves(one, f"{place}{at}.")
        return
    mapping = part if isinstance(part, dict) else vars(part)
    for name, value in mapping.items():
        if isinstance(value, np.ndarray) or type(value) is int:
            yield f"{place}{name}", mapping, name
        elif isinstance(value, dict) or type(value).__module__.startswith(_OURS):
            yield from _leaves(value, f"{place}{name}.")
