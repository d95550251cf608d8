"""A workspace of Slack on loopback, as strict as Slack is. See README.md."""

from __future__ import annotations

from tests.slack_server.server import SlackServer
from tests.slack_server.things import Posted, View

__all__ = ["Posted", "SlackServer", "View"]
