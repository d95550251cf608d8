"""A bot process for tests: `frostline slack`, which kills itself around an approved statement (`--die POINT`)."""

from __future__ import annotations

import sys

from agent.runtime import Runtime
from agent.settings import load_settings
from bots.slack import serve
from bots.slack.service import SlackBot
from tests.scenario.decider import DyingWriter, arm
from tools.context import WarehouseWriter
from tools.warehouse.config import ConnectionConfig


def main() -> None:
    point = sys.argv[sys.argv.index("--die") + 1]

    def writer(config: ConnectionConfig) -> WarehouseWriter:
        return DyingWriter(config, point)

    settings = load_settings("demo")
    runtime = Runtime.open(settings, writer_factory=writer).warm()
    bot = SlackBot(runtime, settings.slack)
    arm(point)
    serve.run(bot)


if __name__ == "__main__":
    main()
