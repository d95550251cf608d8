"""Approvals by words: recognised so that they can be refused aloud and audited. Text never approves a plan. Pure."""

from __future__ import annotations

import re

from agent.offline.requests import asks_for_change

__all__ = ["tries_to_approve"]

_AFFIRM = (
    r"yes(?: please)?|yep|yeah|yup|ya|aye|y|ok(?:ay)?|okey|k|sure(?: thing)?|fine|great|perfect|alright|"
    r"all right|right|correct|"
    r"absolutely|definitely|of course|agreed|affirmative|looks? (?:good|fine|great|ok|okay)(?: to me)?|"
    r"sounds good|lgtm|"
    r"good to go|all good|go ahead(?: (?:with|and) (?:it|that|this|do (?:it|that)|the plans?))?|go for it|"
    r"(?:do|ship|run|send|make|apply|execute|confirm|accept|approve|commit|merge|launch) (?:it|that|this|"
    r"them|all|both|so|it so|"
    r"all of (?:it|them)|(?:the |this |that |my )?(?:plans?|changes?|bundle|proposal)(?: [\w\-]+)?)|"
    r"make it so|go on|"
    r"proceed|continue|carry on|confirm(?:ed)?|accept(?:ed)?|approved?|approving|apply|execute|sign(?:ed)? off|"
    r"(?:you have |with )?my (?:approval|permission|blessing|ok|okay)|granted|permission granted|"
    r"green light|\+1|👍\W*|✅|🚀|👌|💯"
)
_FILLER = (
    r"please|pls|now|then|just|and|i|we|it|thanks|thank you|thx|with it|with that|the plan|"
    r"immediately|asap|hereby|also|so|well"
)
_ALL_AFFIRM = re.compile(rf"(?:(?:{_AFFIRM}|{_FILLER})[\s,.!;:\-]*)+", re.IGNORECASE)
_ONE_AFFIRM = re.compile(rf"(?<!\w)(?:{_AFFIRM})(?!\w)", re.IGNORECASE)
_APPROVE = re.compile(
    r"\bapprov(?:e|ed|al|ing)\b|\bi (?:hereby )?(?:confirm|authori[sz]e|accept|sign off)\b", re.IGNORECASE
)
_ASKING = re.compile(
    r"^(?:(?:hi|hey|hello|ok|okay|so|and|but|please)[,\s]+)*(?:who|what|when|where|which|why|how|is|are|"
    r"was|were|does|do|did|"
    r"can i|may i|could i|must|has|have|show|list|tell|explain|describe|need|needs|should)\b",
    re.IGNORECASE,
)
_YES_DO = re.compile(rf"^(?:(?:{_AFFIRM})[\s,.!]+)+(?:\w+ )?\w+ (?:it|that|this|them)\b[^_]*$", re.IGNORECASE)


def tries_to_approve(text: str) -> bool:
    """Whether the words are an approval: 'yes', 'go ahead', 'I approve plan 12'; with an open plan or without."""
    low = text.casefold().strip().strip("\"'`.!,;: ")
    if not low:
        return False
    if _ALL_AFFIRM.fullmatch(low) and _ONE_AFFIRM.search(low):
        return True
    if _APPROVE.search(low) and not _ASKING.search(low) and not asks_for_change(text):
        return True
    return bool(_YES_DO.match(low)) and len(low.split()) <= 8
