"""Small checks that the block validator is made of. Each raises the refusal that Slack would answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from tests.slack_server.errors import Refused
from tests.slack_server.limits import ID, URL

Check = Callable[[Any, str], None]


def bad(where: str, why: str) -> Refused:
    """`where` is a JSON pointer into what was sent."""
    return Refused("invalid_blocks", f"{why} [json-pointer:{where}]", breach=True)


def fields(thing: Any, where: str, *, required: str = "", optional: str = "") -> dict[str, Any]:
    """An object with these keys and no others; `type` is always allowed."""
    if not isinstance(thing, dict):
        raise bad(where, "must be an object")
    needed, known = set(required.split()), {"type", *required.split(), *optional.split()}
    for key in sorted(needed - set(thing)):
        raise bad(where, f"missing required field: {key}")
    for key in sorted(set(thing) - known):
        raise bad(where, f"invalid additional property: {key}")
    return thing


def string(value: Any, where: str, limit: int, *, least: int = 1) -> str:
    if not isinstance(value, str):
        raise bad(where, "must be a string")
    if len(value) < least:
        raise bad(where, f"must be more than {least - 1} characters")
    if len(value) > limit:
        raise bad(where, f"must be less than {limit + 1} characters (it has {len(value)})")
    return value


def flag(thing: dict[str, Any], where: str, *names: str) -> None:
    for name in names:
        if name in thing and not isinstance(thing[name], bool):
            raise bad(f"{where}/{name}", "must be true or false")


def one_of(value: Any, where: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise bad(where, f"must be one of {', '.join(allowed)}")


def many(value: Any, where: str, most: int, *, least: int = 1) -> list[Any]:
    if not isinstance(value, list):
        raise bad(where, "must be a list")
    if len(value) < least:
        raise bad(where, f"no fewer than {least} items allowed")
    if len(value) > most:
        raise bad(where, f"no more than {most} items allowed (it has {len(value)})")
    return value


def url(value: Any, where: str) -> None:
    string(value, where, URL)
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise bad(where, "must be a URL")


def text(value: Any, where: str, limit: int, *, plain: bool = False) -> None:
    """A text object."""
    fields(value, where, required="type text", optional="emoji verbatim")
    one_of(value["type"], f"{where}/type", ("plain_text",) if plain else ("plain_text", "mrkdwn"))
    string(value["text"], f"{where}/text", limit)
    if "emoji" in value and value["type"] != "plain_text":
        raise bad(f"{where}/emoji", "only with plain_text")
    if "verbatim" in value and value["type"] != "mrkdwn":
        raise bad(f"{where}/verbatim", "only with mrkdwn")
    flag(value, where, "emoji", "verbatim")


def identifier(thing: dict[str, Any], where: str, name: str) -> None:
    if name in thing:
        string(thing[name], f"{where}/{name}", ID)


def styles(value: Any, where: str, *names: str) -> None:
    """A rich text style: names mapped to booleans."""
    if value is None:
        return
    fields(value, where, optional=" ".join(names))
    flag(value, where, *names)
