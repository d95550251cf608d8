"""Questions for the knowledge base: 'how do I ...', 'why does ... spill', 'any advice on ...'. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.offline.words import patterns
from agent.state import ToolCall, ToolCalls

__all__ = ["asks_for_advice", "decide_advice", "describes"]

_THAT = re.compile(
    r"^\W*(?:and |but |so )?how (?:do|can|could|would|should) (?:i|we|one) \w+(?: out)? (?:it|that|this)\b"
)
_LONGEST = 1_000
_A_SENTENCE = 6
"""Words."""
_WAREHOUSE = "the warehouse"


def asks_for_advice(text: str, names: Sequence[str], *, windows: bool = False) -> bool:
    """Whether general advice answers this.

    Args:
        text: the person's words.
        names: the account's warehouses: 'should we resize ETL_WH' is a decision about that one, not a practice.
        windows: the words name a time; 'why was it slow last week' asks for a cause, which nobody has looked for.
    """
    bare, named = _bare(text, names)
    says = patterns("advice")
    if windows or says["not"].search(bare) or not says["asks"].search(bare):
        return False
    decides = re.match(r"\W*should\b|.*\bis it (?:worth|ok|okay|good|wise)\b|.*\bshould (?:i|we|it)\b", bare)
    return not (named and decides and not re.search(r"\bwhat should (?:i|we) do\b", bare))


def describes(text: str) -> bool:
    """Whether words that nothing else understood may be the description of a symptom: a sentence, not a remark."""
    return len(re.findall(r"[^\W\d_]{2,}", text)) >= _A_SENTENCE


def decide_advice(text: str, names: Sequence[str], last: Sequence[str] = ()) -> ToolCalls:
    """The search that answers it; `last` is what was searched for before, for 'how do I check that'."""
    bare, _ = _bare(text, names)
    check = patterns("advice")["check"].search(bare) is not None
    asked = str(last[0]) if last and _THAT.match(bare) else bare
    args: dict[str, object] = {"check": True} if check else {}
    theirs = patterns("advice")["theirs"].search(asked)
    if theirs:
        args["origin"] = "yours"
        asked = f"{asked[: theirs.start()]} {asked[theirs.end() :]}".strip(" ?.!") or asked
    return ToolCalls(calls=(ToolCall(name="search_practices", args={"text": asked[:_LONGEST], **args}),))


def _bare(text: str, names: Sequence[str]) -> tuple[str, bool]:
    """The words in lower case with 'the warehouse' for each name: what a name says is not what is asked."""
    bare, found = text.casefold(), 0
    for name in sorted(names, key=len, reverse=True):
        bare, count = re.subn(rf"(?<!\w)[\"`']?{re.escape(name.casefold())}[\"`']?(?!\w)", _WAREHOUSE, bare)
        found += count
    return bare.replace(f"the {_WAREHOUSE}", _WAREHOUSE), found > 0
