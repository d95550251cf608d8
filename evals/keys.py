"""Keys: SQL on the account itself, through the reader's identity, apart from the code under test."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tools.warehouse.config import ConnectionConfig
from tools.warehouse.failures import Doing
from tools.warehouse.session import ReadSession

__all__ = ["Keys"]

_PARAM = re.compile(r"%\((\w+)\)s")


class Keys:
    """Runs one SELECT with named parameters bound (`%(today)s`)."""

    def __init__(self, config: ConnectionConfig) -> None:
        self._session = ReadSession(config, query_tag={"component": "evals"})

    def rows(self, text: str, params: Mapping[str, Any]) -> list[list[Any]]:
        bound = [params[name] for name in _PARAM.findall(text)]
        table, _ = self._session.table(_PARAM.sub("?", text), bound, Doing("running the key of a case"))
        return [[_plain(v) for v in row.values()] for row in table.to_pylist()]

    def close(self) -> None:
        self._session.close()


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else float(value)
