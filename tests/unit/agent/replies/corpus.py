"""Real replies of the demo account (record.py) as templates with their evidence."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agent.replies.citations import Evidence
from tools.result import Fact

__all__ = ["Reply", "replies"]

FILE = Path(__file__).parent / "replies.json.gz"


@dataclass(frozen=True)
class Reply:
    question: str
    template: str
    evidence: Evidence


@cache
def replies() -> tuple[Reply, ...]:
    return tuple(
        Reply(
            one["question"],
            one["template"],
            Evidence(
                facts={fact["id"]: Fact.model_validate(fact) for fact in one["facts"]},
                texts=one["texts"],
                names=frozenset(one["names"]),
                tz=one["tz"],
                said=frozenset(one["said"]),
                scope=one["scope"],
            ),
        )
        for one in json.loads(gzip.decompress(FILE.read_bytes()))
    )
