"""`frostline trace` as people use it: the id of an answer leads to its path."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.account import frostline


def test_the_id_of_an_answer_leads_to_its_path(make_home: Callable[..., Path]) -> None:
    home = make_home()
    turn = json.loads(frostline(home, "ask", "credits by warehouse last week", "--json").stdout)
    shown = frostline(home, "trace", turn["trace_id"]).stdout
    assert "query_usage(" in shown
    assert "check_answer: refused 0" in shown
    trace = json.loads(frostline(home, "trace", turn["trace_id"], "--json").stdout)["trace"]
    assert trace["evidence"] == [fact["id"] for fact in turn["facts"]]
    stats = json.loads(frostline(home, "trace", "--stats", "--json").stdout)
    assert stats["replies"] == 1
    unknown = frostline(home, "trace", "nothing", "--json", check=False)
    assert unknown.returncode == 2
    assert "no trace" in json.loads(unknown.stdout)["error"]["message"]
