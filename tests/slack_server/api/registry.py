"""Which methods there are: their wire form, arguments, scopes and rates."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tests.slack_server.errors import Refused, breach
from tests.slack_server.state import World

Args = dict[str, Any]
Handler = Callable[[World, Args], dict[str, Any]]
Form = Literal["json", "form", "query"]

_BOOLEANS = frozenset(
    {
        "reply_broadcast",
        "mrkdwn",
        "link_names",
        "unfurl_links",
        "unfurl_media",
        "include_locale",
        "include_disabled",
        "include_all_metadata",
        "inclusive",
        "return_im",
        "include_num_members",
        "include_users",
        "include_count",
    }
)
_LISTS = frozenset(["blocks", "attachments", "chunks", "prompts", "loading_messages"])
_OBJECTS = frozenset(["metadata", "view"])
_NUMBERS = frozenset(["limit", "length", "count", "page"])


@dataclass(frozen=True)
class Method:
    name: str
    form: Form
    """How the SDK sends it. `query`: GET (asynchronous client) or a form in a POST (the synchronous one, always)."""
    required: frozenset[str]
    optional: frozenset[str]
    scopes: tuple[str, ...]
    """Any one of them is enough; empty: none is needed."""
    tier: str
    handler: Handler
    token: Literal["bot", "app"] = "bot"

    def read(self, given: Args) -> Args:
        """The arguments with the types they should have."""
        for name in given:
            if name not in self.required and name not in self.optional and name != "team_id":
                raise breach("invalid_arg_name", f"{name} is no argument of {self.name}")
        for name in sorted(self.required):
            if given.get(name) in (None, ""):
                raise breach("invalid_arguments", f"[ERROR] missing required field: {name}")
        return {name: self._typed(name, value) for name, value in given.items()}

    def _typed(self, name: str, value: Any) -> Any:
        plain = self.form != "json"
        if name in _BOOLEANS:
            return self._boolean(name, value)
        if name in _NUMBERS:
            return self._number(name, value)
        if name in _LISTS or name in _OBJECTS:
            return self._structure(name, value)
        if plain or isinstance(value, str):
            return value
        raise breach("invalid_arguments", f"{name} must be a string, not {type(value).__name__}")

    def _boolean(self, name: str, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if self.form != "json" and value in ("0", "1", "true", "false"):
            return value in ("1", "true")
        raise breach("invalid_arguments", f"{name} must be a boolean")

    def _number(self, name: str, value: Any) -> int:
        try:
            return int(value)
        except (TypeError, ValueError):
            raise breach("invalid_arguments", f"{name} must be a number") from None

    def _structure(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                code = "invalid_blocks_format" if name == "blocks" else "invalid_arguments"
                raise breach(code, f"{name} is not JSON") from None
        if not isinstance(value, list if name in _LISTS else dict):
            raise breach("invalid_arguments", f"{name} has the wrong shape")
        return value


METHODS: dict[str, Method] = {}


def method(
    name: str,
    *,
    form: Form,
    required: str = "",
    optional: str = "",
    scope: str = "",
    tier: str = "T4",
    token: Literal["bot", "app"] = "bot",
) -> Callable[[Handler], Handler]:
    """Registers a handler."""

    def register(handler: Handler) -> Handler:
        METHODS[name] = Method(
            name,
            form,
            frozenset(required.split()),
            frozenset(optional.split()),
            tuple(scope.split()),
            tier,
            handler,
            token,
        )
        return handler

    return register


def check_team(world: World, given: Args) -> None:
    """`team_id`, which Bolt's client adds to every call."""
    if given.get("team_id", world.team) != world.team:
        raise Refused("team_access_not_granted", str(given["team_id"]))


def check_token(world: World, called: Method, token: str | None) -> None:
    """The right kind of token, in the Authorization header, with the scope that the method needs."""
    if not token:
        raise breach("not_authed", "no token in the Authorization header")
    wanted, other = (world.app_token, world.bot_token) if called.token == "app" else (world.bot_token, world.app_token)
    if token == other:
        raise breach("not_allowed_token_type", f"{called.name} with {token[:4]}")
    if token != wanted:
        raise Refused("invalid_auth")
    if called.scopes and not world.scopes.intersection(called.scopes):
        raise Refused("missing_scope", needed=called.scopes[0], provided=",".join(sorted(world.scopes)))
