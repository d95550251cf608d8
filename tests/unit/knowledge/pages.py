"""Pages and an embedding that is cheap, for tests of the index; the real model is tested in tests/knowledge."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

from knowledge.embedding import Vector
from knowledge.model import KnowledgeError

PAGE = """---
id: {id}
title: {title}
applies_to: [{topic}]
severity: {severity}
source: user-guide/{id}
checked: 2026-11-22
tool: list_warehouses
---
## Symptom
{symptom}
## Check
```sql
SELECT 1 AS x
```
## Action
{action}
## Effect
It gets better.
## Caveat
Look first.
"""


def practice(
    folder: Path,
    name: str,
    title: str,
    *,
    symptom: str = "It is seen.",
    action: str = "Do it.",
    topic: str = "warehouse",
    severity: str = "info",
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = PAGE.format(id=name, title=title, topic=topic, severity=severity, symptom=symptom, action=action)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")


class WordHashes:
    """Texts are near where they share words. Counts what it embeds; fails where told to."""

    name = "word-hashes"
    min_score = 0.1

    def __init__(self, digest: str = "1", *, broken: bool = False) -> None:
        self.digest = digest
        self.broken = broken
        self.seen: list[str] = []

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        if self.broken:
            raise KnowledgeError("The embeddings endpoint gives no vectors (Timeout).")
        self.seen += texts
        return [_vector(text) for text in texts]

    def close(self) -> None:
        return None


def _vector(text: str) -> Vector:
    found = [0.0] * 64
    for word in text.casefold().split():
        found[hashlib.sha256(word.strip(".,?").encode()).digest()[0] % 64] += 1.0
    length = math.sqrt(sum(value * value for value in found)) or 1.0
    return [value / length for value in found]
