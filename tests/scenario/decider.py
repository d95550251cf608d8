"""A long-lived worker process for tests: opens the product once, then decides what stdin tells it to.

Each line of stdin: {"plan", "digest", "as", "at"}; waits for the wall time `at`, then approves. Answers one JSON
line each. `--die POINT` wraps the store or the writer so that the process kills itself around the statement.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

from agent.runtime import Runtime
from agent.settings import load_settings
from agent.store import Store
from tools.context import WarehouseWriter, WriteReceipt
from tools.errors import FrostlineError
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.writer import SnowflakeWriter


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingWriter:
    """The real writer, in a process that ends before or after its statement."""

    def __init__(self, config: ConnectionConfig, point: str) -> None:
        self._inner = SnowflakeWriter(config)
        self._point = point

    def execute(self, statement: str) -> WriteReceipt:
        if self._point == "before_statement":
            die()
        receipt = self._inner.execute(statement)
        if self._point == "after_statement":
            die()
        return receipt

    def close(self) -> None:
        self._inner.close()


def around(name: str, *, before: bool) -> None:
    """Let the store's method of that name end the process before or after it has done its work."""
    inner = getattr(Store, name)

    def wrapped(self: Store, *args: Any, **kwargs: Any) -> Any:
        if before:
            die()
        result = inner(self, *args, **kwargs)
        die()
        return result

    setattr(Store, name, wrapped)


def arm(point: str) -> None:
    if point == "before_claim":
        around("claim", before=True)
    elif point == "after_claim":
        around("claim", before=False)
    elif point == "after_ledger":
        around("note_statement", before=False)
    elif point == "after_finish":
        around("finish", before=False)


def main() -> None:
    point = sys.argv[sys.argv.index("--die") + 1] if "--die" in sys.argv else ""

    def writer(config: ConnectionConfig) -> WarehouseWriter:
        return DyingWriter(config, point)

    runtime = Runtime.open(load_settings("demo"), writer_factory=writer)
    runtime.runner.recover()  # everything heavy is imported and connected before the first decision
    arm(point)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        while time.time() < job["at"]:
            time.sleep(0.0005)
        try:
            outcome = runtime.decide(job["plan"], job["digest"], runtime.person(job["as"]), "approve", "")
            answer = {"state": outcome.state.value, "said": outcome.effect}
        except FrostlineError as error:
            answer = {"state": "refused", "said": error.message}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
