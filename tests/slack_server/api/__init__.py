"""The Web API, by family of methods; importing this registers all of them."""

from __future__ import annotations

from tests.slack_server.api import agents, chat, conversations, files, people, streams, views
from tests.slack_server.api.registry import METHODS, Method

__all__ = ["METHODS", "Method", "agents", "chat", "conversations", "files", "people", "streams", "views"]
