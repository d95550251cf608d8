"""Which questions are about Frostline's own cost, and which are about the account."""

from __future__ import annotations

import pytest

from agent.offline.words import patterns

OURS = (
    "what do you cost?",
    "What does Frostline cost us?",
    "how many credits does Frostline itself use?",
    "how many credits did you use last week",
    "how much did the bot spend this month?",
    "how expensive are you",
    "show me your own credits",
    "Frostline's own usage yesterday",
    "cost of frostline this month",
    "credits used by frostline",
    "how many tokens have you used today?",
    "what are you costing us",
)
THEIRS = (
    "what did we use last week?",
    "how many credits do we use?",
    "how many credits did LOAD_WH use yesterday?",
    "what can you do?",
    "what do you recommend?",
    "how do you know the credits?",
    "do you know what our warehouses cost?",
    "what does the warehouse cost",
    "credits by user last week",
    "could you tell me how much we used?",
    "how much have the analysts used?",
    "are you sure about the cost of yesterday?",
    "how much do you think we will use?",
    "what do you see in the credits used last week?",
)


@pytest.mark.parametrize("text", OURS)
def test_about_frostline(text: str) -> None:
    assert patterns("own_cost")["asks"].search(text.casefold())


@pytest.mark.parametrize("text", THEIRS)
def test_about_the_account(text: str) -> None:
    assert not patterns("own_cost")["asks"].search(text.casefold())
