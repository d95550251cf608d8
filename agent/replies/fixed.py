"""Sentences that the composers write, which are not read for their meaning; some only where the facts bear them out."""

from __future__ import annotations

import re

from agent.offline.compose_warehouses import LIKE
from agent.replies.citations import Evidence

__all__ = ["without_fixed"]

_ALWAYS = (
    "Shown are the highest; all rows stand in the facts.",
    "Shown are the first; all rows stand in the facts.",
    "Low and high are the ends of the",
    "Not forecast:",
    "The last hours of the week are not loaded yet.",
    "The newest hours are not loaded yet.",
    "Smaller findings are not listed; name a warehouse, a figure or fewer days to see them.",
)
_WITHOUT = {
    "No statement runs or waits there now.": "statement",
    "No warehouse is up without work now.": "warehouse",
    "No warehouse has a resource monitor.": "resource monitor",
    "The amount lasts to the end of the term as expected.": "budget used up",
}
"""Sentence -> the label of which there may be no fact."""
_WITH_OPTIONS = "Which of these? They are up and nothing runs on them now:"
_LIKE = re.compile(rf"\bwarehouses (?:{'|'.join(map(re.escape, LIKE))})(?=[:.* ]|\Z)", re.IGNORECASE)


def without_fixed(template: str, evidence: Evidence) -> str:
    """The template without them."""
    labels = {fact.label for fact in evidence.facts.values()}
    known = (*_ALWAYS, *(text for text, label in _WITHOUT.items() if label not in labels))
    known = (*known, _WITH_OPTIONS) if "o1" in evidence.texts else known
    for sentence in known:
        template = template.replace(sentence, " ")
    return _LIKE.sub("warehouses", template) if "warehouses with something odd" in labels else template
