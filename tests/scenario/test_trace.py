"""`frostline trace` as people use it: the id of an answer leads to its path."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.scenario.commands import answer, cli


def test_the_id_of_an_answer_leads_to_its_path(make_home: Callable[..., Path]) -> None:
    home = make_home()
    turn = answer(home, "ask", "credits by warehouse last week")  # a process; what it left is read in this one
    _, shown, _ = cli(home, "trace", turn["trace_id"])
    assert "query_usage(" in shown
    assert "check_answer: refused 0" in shown
    trace = json.loads(cli(home, "trace", turn["trace_id"], "--json")[1])["trace"]
    assert trace["evidence"] == [fact["id"] for fact in turn["facts"]]
    stats = json.loads(cli(home, "trace", "--stats", "--json")[1])
    assert stats["replies"] == 1
    code, unknown, _ = cli(home, "trace", "nothing", "--json")
    assert code == 2
    assert "no trace" in json.loads(unknown)["error"]["message"]
