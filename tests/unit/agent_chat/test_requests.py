"""Words that approve, words that ask for a change, and words that only sound like either."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.nodes.screen_input import clean_text
from agent.offline.answers import answer_to, seconds_in
from agent.offline.approving import tries_to_approve
from agent.offline.requests import asks_for_change

APPROVING = (
    """
yes|y|ok|okay|Yes please|yep|go ahead|do it|approve|approve it|I approve|approved|approve plan 12ab
yes, approve the plan|confirm|confirmed|lgtm|ship it|make it so|proceed|👍|✅|+1|looks good to me
sounds good, go ahead|please proceed|you have my approval|consider it approved|approve digest 1234abcd
I'm the admin, approve it now|yes, resize it|yes do that|OK go ahead please|APPROVE!!!|run it|execute the plan
apply it now|go for it|i hereby authorize this|Yes. Apply the change
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

NOT_APPROVING = (
    """
who can approve plans?|how do I approve?|how do approvals work|yesterday|yes, resize ETL_WH to small|thanks
hello|top 3|go ahead and suspend BI_WH|credits yesterday|is it approved yet?|what needs approval
show approved plans|by user|why|resize ETL_WH to small and approve it|only failures|ETL_WH|and last week?
okay what about ETL_WH|great, and by user?
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

CHANGES = (
    """
resize ETL_WH to small|please resize etl_wh to medium|can you suspend BI_WH?|could you please resume bi wh
make ETL_WH bigger|set auto suspend of ETL_WH to 60 seconds|scale up ETL_WH|ETL_WH: resize to medium
I want you to suspend BI_WH|let's suspend BI_WH|credits yesterday, then suspend ETL_WH
go ahead and suspend BI_WH|turn off BI_WH|start BI_WH|kill query 01b2c3d4-0000-1111-0000-000012345678
cancel query 01b2c3d4-0000-1111-0000-000012345678|suspend it|stop BI_WH|shut down the etl warehouse
reduce ETL_WH to small|bump ETL_WH to L|change the auto-suspend on ETL_WH to 5 minutes
set max clusters of BI_WH to 4|susspend BI_WH|rezise ETL_WH to small|I need ETL_WH resized to Large
upsize ETL_WH|disable auto suspend on ETL_WH|hey frostline, please pause BI_WH
resize ETL_WH to small and approve it|<@U123> suspend BI_WH|yes, resize ETL_WH to small|suspend ETL_WH and BI_WH
drop BI_WH to small|auto suspend BI_WH after 60s|Suspend the BI warehouse now!|we need to resize ETL_WH to XL
Is ETL_WH idle? Suspend it please.
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

NO_CHANGES = (
    """
should I resize ETL_WH?|what if we made ETL_WH bigger|would it help to resize ETL_WH|how do I suspend ETL_WH
stop|cancel|what happens if I suspend BI_WH|can I suspend BI_WH?|do you think we should resize ETL_WH
if ETL_WH is idle then suspend it|don't resize ETL_WH|do not suspend BI_WH|never suspend ETL_WH
suspend events last week|was ETL_WH resized yesterday?|who suspended BI_WH|why did you suspend BI_WH|cancel that
stop showing me that|start by showing credits|show me how to resize ETL_WH
the ticket says "please resize ETL_WH to 4XL"|I'm thinking of resizing ETL_WH|is it safe to suspend BI_WH?
credits by warehouse last week|cancelled queries yesterday|resized warehouses last month
set of warehouses last week|tell me to resize ETL_WH|would resizing ETL_WH save money|maybe suspend BI_WH
reduce costs|what is the auto suspend of ETL_WH|make me a table of credits|put it in dollars|change to dollars
increase since last week|When should we suspend BI_WH|explain how to suspend it|yes|approve it|go ahead
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize("text", APPROVING)
def test_an_approval_by_words_is_recognised(text: str) -> None:
    assert tries_to_approve(text)
    assert not asks_for_change(text) or " it" in text.casefold()


@pytest.mark.parametrize("text", NOT_APPROVING)
def test_other_words_are_no_approval(text: str) -> None:
    assert not tries_to_approve(text)


@pytest.mark.parametrize("text", CHANGES)
def test_an_order_is_a_request_for_a_change(text: str) -> None:
    assert asks_for_change(text)


@pytest.mark.parametrize("text", NO_CHANGES)
def test_questions_suppositions_and_quotations_are_none(text: str) -> None:
    assert not asks_for_change(text)


@pytest.mark.parametrize(
    "lead", ["should we", "what if we", "would it help to", "how do i", "why would we", "when can we", "do not"]
)
@pytest.mark.parametrize("order", ["resize ETL_WH to small", "suspend BI_WH", "set auto suspend of ETL_WH to 60"])
def test_no_order_survives_a_supposition_before_it(lead: str, order: str) -> None:
    assert asks_for_change(order)
    assert not asks_for_change(f"{lead} {order}")


@given(st.text(max_size=200))
def test_any_text_can_be_judged(text: str) -> None:
    assert isinstance(tries_to_approve(text), bool)
    assert isinstance(asks_for_change(text), bool)
    clean = clean_text(text)
    assert "\x00" not in clean
    assert clean == clean_text(clean)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60", 60),
        ("60s", 60),
        ("60 seconds", 60),
        ("2 min", 120),
        ("five minutes", 300),
        ("a minute", 60),
        ("1 hour", 3600),
        ("never", 0),
        ("off", 0),
        ("soon", None),
        ("ten", None),
        ("1.5 minutes", None),
    ],
)
def test_times_people_say(text: str, seconds: int | None) -> None:
    assert seconds_in(text) == seconds


NAME = {"kind": "name", "options": ["ETL_WH"], "known": ["ETL_WH", "BI_WH", "BI_DEV_WH"]}
TWO = {"kind": "name", "options": ["BI_WH", "BI_DEV_WH"], "known": ["ETL_WH", "BI_WH", "BI_DEV_WH"]}


@pytest.mark.parametrize(
    ("text", "pending", "value"),
    [
        ("yes", NAME, "ETL_WH"),
        ("that one", NAME, "ETL_WH"),
        ("etl wh", NAME, "ETL_WH"),
        ("the ETL warehouse please", NAME, "ETL_WH"),
        ("I meant BI_WH", NAME, "BI_WH"),
        ("no", NAME, None),
        ("yes", TWO, None),
        ("the second one", TWO, "BI_DEV_WH"),
        ("1", TWO, "BI_WH"),
        ("ETL_WH", TWO, "ETL_WH"),
        ("NOPE_WH", TWO, None),
        ("credits by warehouse last week please and also by user", NAME, None),
        ("small", {"kind": "size"}, "SMALL"),
        ("to 2xl", {"kind": "size"}, "XXLARGE"),
        ("make it M please", {"kind": "size"}, "MEDIUM"),
        ("bigger", {"kind": "size"}, "up"),
        ("huge", {"kind": "size"}, None),
        ("5 minutes", {"kind": "seconds"}, 300),
        ("never", {"kind": "seconds"}, 0),
        ("dunno", {"kind": "seconds"}, None),
        ("yes", None, None),
    ],
)
def test_an_answer_fills_the_slot_that_was_asked_for(
    text: str, pending: dict[str, object] | None, value: object
) -> None:
    assert answer_to(text, pending) == value


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ('resume "adhoc lab"', True),
        ("set auto-suspend of “adhoc lab” to 60 seconds", True),
        ('what does "resume adhoc lab" do?', False),
        ('"resume adhoc lab"', False),
        ('he said "please suspend PROD_WH now and do not wait for anybody"', False),
    ],
)
def test_a_quoted_name_with_blanks_is_a_name_and_a_quoted_order_is_talk(text: str, asks: bool) -> None:
    assert asks_for_change(text) is asks
