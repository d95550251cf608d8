"""What people call a serverless service, as the name under which the account meters it. Pure, but for the names."""

from __future__ import annotations

import re

from agent.offline.words import patterns
from agent.state import Names

__all__ = ["with_services"]

_FIGURE = re.compile(
    r"\b(?:credits?|costs?|costing|spen[dt]|spending|pay|paid|usage|uses?|used|bill\w*|dollars?|money|burn\w*|"
    r"spik\w+|anomal\w+|forecast\w*)\b",
    re.IGNORECASE,
)
_NO_FIGURE = re.compile(
    r"\b(?:how (?:do|does|can|could|should|to)|why|should|reduc\w+|sav(?:e|es|ing)|optimi[sz]\w*|avoid|best|set|"
    r"create|enable|disable|turn|stop|suspend|resume)\b",
    re.IGNORECASE,
)


def with_services(text: str, names: Names) -> str:
    """'what did snowpipe cost' -> 'what did service PIPE cost', where the account meters such a service.

    Only questions for figures: advice about clustering is looked for in the words in which it was asked.
    """
    if not _FIGURE.search(text) or _NO_FIGURE.search(text):
        return text
    for service, pattern in patterns("services").items():
        if pattern.search(text) and service in names.column("service_type"):
            text = pattern.sub(f"service {service}", text)
    return text
