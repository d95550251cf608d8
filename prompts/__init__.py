"""The words: one Markdown file per text, one YAML file per part of the planner's lexicon, loaded here and nowhere else.

Texts are templates of `agent.replies.citations`: they hold no figure and no name, only citations of facts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

__all__ = ["digest", "lexicon", "text"]


def _file(folder: str, name: str, ending: str) -> Traversable:
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise KeyError(name)
    root = files("prompts")
    path = (root / folder if folder else root) / f"{name}.{ending}"
    if not path.is_file():
        raise KeyError(name)
    return path


@cache
def text(name: str) -> str:
    """The text in `prompts/<name>.md`, without the newline at its end.

    Raises:
        KeyError: there is none of that name (names are constants in our own code).
    """
    return _file("", name, "md").read_text(encoding="utf-8").rstrip("\n")


@cache
def lexicon(name: str) -> Mapping[str, Any]:
    """The words in `prompts/intents/<name>.yaml`. Raises KeyError as `text` does."""
    import yaml

    loaded = yaml.safe_load(_file("intents", name, "yaml").read_text(encoding="utf-8"))
    if not isinstance(loaded, dict):
        raise KeyError(name)
    return loaded


@cache
def digest() -> str:
    """First 12 hex digits of a SHA-256 over every text and lexicon: it stands in traces."""
    total = hashlib.sha256()
    root = files("prompts")
    for folder in (root, root / "intents"):
        for path in sorted(folder.iterdir(), key=lambda p: p.name):
            if path.name.endswith((".md", ".yaml")):
                total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:12]
