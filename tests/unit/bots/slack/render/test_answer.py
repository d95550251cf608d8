from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import given
from hypothesis import strategies as st

from agent.state import ErrorBody
from bots.slack.render.answer import answer_messages, step_chunk, stream_chunks
from bots.slack.render.check import chunk_problems
from bots.slack.render.markdown import Table
from bots.slack.render.tables import csv_of, draw, folded
from bots.slack.types import Message
from tests.unit.bots.slack.render.hostile import markdown_like, words
from tests.unit.bots.slack.render.makers import refused, texts, turn

TABLE = """**2 credits** — last week.

| Warehouse | Credits |
|---|---:|
| `A` | 1 |
| `B` | 1 |

- Source: V, covered until 2026-11-18 06:20.
"""
LIVE = re.compile(r"<[@!#]|<\w+:|<[^>]*\|")


def kinds(message: Message) -> list[str]:
    return [block["type"] for block in message.blocks]


def mrkdwn_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") == "mrkdwn" else []
        return own + [text for inner in value.values() for text in mrkdwn_of(inner)]
    return [text for inner in value for text in mrkdwn_of(inner)] if isinstance(value, list | tuple) else []


def test_headline_table_small_print_buttons() -> None:
    (message,) = answer_messages(turn(TABLE))
    assert kinds(message) == ["rich_text", "table", "context", "actions", "context_actions"]
    assert message.text == "2 credits — last week."
    assert "covered until 2026-11-18 06:20" in message.blocks[2]["elements"][0]["text"]
    assert [b["text"]["text"] for b in message.blocks[3]["elements"]] == ["Show the evidence", "Chart"]
    assert refused(message) == []


def test_below_a_stream_stands_what_was_not_streamed() -> None:
    asked = turn(TABLE)
    (message,) = answer_messages(asked, streamed=True)
    assert kinds(message) == ["table", "context", "actions", "context_actions"]
    assert "".join(chunk["text"] for chunk in stream_chunks(asked)) == "**2 credits** — last week."


def test_nothing_that_stands_after_a_table_is_streamed_before_it() -> None:
    asked = turn("**2 warehouses**\n\n| Warehouse | Credits |\n|---|---:|\n| `A_WH` | 2 |\n\n**Odd:**\n- `A_WH`: idle.")
    assert "".join(chunk["text"] for chunk in stream_chunks(asked)) == "**2 warehouses**"
    (message,) = answer_messages(asked, streamed=True)
    assert kinds(message)[:2] == ["table", "rich_text"]
    assert "Odd:" in texts(message) and "A_WH" in texts(message)


def test_freshness_is_added_where_the_answer_does_not_tell_it() -> None:
    (message,) = answer_messages(turn("**2 credits**"))
    assert "V covered until 2026-11-18 14:20 UTC" in texts(message)


def test_no_chart_without_something_to_draw_and_no_evidence_without_facts() -> None:
    (message,) = answer_messages(turn("Which one?", status="clarify", facts=[], sources=[]))
    assert kinds(message) == ["rich_text"]
    (message,) = answer_messages(turn("**2**", facts=[]))
    assert [b["text"]["text"] for b in message.blocks[2]["elements"]] == ["Show the evidence"]


def test_an_error_says_what_happened_and_what_to_do() -> None:
    failed = turn("", status="error", error=ErrorBody(code="x", message="No answer.", hint="Try later."), facts=[])
    (message,) = answer_messages(failed)
    assert "No answer. Try later." in texts(message)


def test_warnings_of_a_change_are_not_small_print() -> None:
    (message,) = answer_messages(turn("**Waiting.**\n\n- A warning.", status="needs_approval", sources=[]))
    assert "context" not in kinds(message)


def test_a_wide_table_is_folded_and_nothing_is_dropped() -> None:
    table = Table(("W", "State", "Size", "Credits"), (("A", "ON", "L", "3.5"),), (False, False, False, True))
    assert folded(table) == Table(
        ("W", "Details", "Credits"), (("A", "State ON · Size L", "3.5"),), (False, False, True)
    )
    assert draw(table).block["column_settings"][2] == {"align": "right"}


def test_a_long_table_shows_its_beginning_and_is_attached_whole() -> None:
    rows = "\n".join(f"| `W{n}` | {n}.5 |" for n in range(250))
    (message,) = answer_messages(turn(f"**250**\n\n| W | C |\n|---|---:|\n{rows}"))
    assert "The first 40 of 250 rows" in texts(message) and refused(message) == []
    read = list(csv.reader(io.StringIO(message.files[0].content.decode("utf-8-sig"))))
    assert read[0] == ["W", "C"] and len(read) == 251 and read[250] == ["W249", "249.5"]


def test_a_spreadsheet_computes_nothing_of_a_name() -> None:
    table = Table(("=A", "N"), (("=HYPERLINK(1)", "-1.5 %"), ("@x", "+3")), (False, True))
    assert csv_of(table, "t").content.decode("utf-8-sig").split("\r\n")[:3] == [
        "'=A,N",
        "'=HYPERLINK(1),-1.5 %",
        "'@x,+3",
    ]


def test_an_answer_of_several_pages_is_split_in_order() -> None:
    answer = "\n\n".join(f"Paragraph {n} " + "x" * 1_000 for n in range(20))
    messages = answer_messages(turn(answer))
    assert 2 <= len(messages) <= 4 and not any(refused(m) for m in messages)
    found = re.findall(r"Paragraph (\d+)", "\n".join(texts(m) for m in messages))
    assert [int(n) for n in found] == list(range(20))
    assert [("context_actions" in kinds(m)) for m in messages] == [False] * (len(messages) - 1) + [True]


def test_an_answer_of_very_many_pages_is_attached_and_says_so() -> None:
    answer = "\n\n".join(f"Paragraph {n} " + "x" * 1_000 for n in range(200))
    (message,) = answer_messages(turn(answer))
    assert message.files[0].content.decode() == answer and "is in the file" in texts(message)
    assert refused(message) == []


def test_two_tables_are_two_messages() -> None:
    table = "| A | B |\n|---|---|\n| x | 1 |"
    messages = answer_messages(turn(f"**1**\n\n{table}\n\nAnd:\n\n{table}"))
    assert [k for m in messages for k in kinds(m) if k == "table"] == ["table", "table"] and len(messages) == 2


@dataclass(frozen=True)
class Step:
    number: int
    title: str
    state: Literal["started", "done", "failed"]


@given(words())
def test_a_step_is_a_line(title: str) -> None:
    chunk = step_chunk(Step(1, title, "started"))
    assert chunk_problems([chunk]) == [] and "<" not in chunk["title"]


@given(markdown_like(), st.booleans())
def test_whatever_an_answer_holds_slack_takes_it_and_no_figure_is_lost(answer: str, streamed: bool) -> None:
    asked = turn(answer)
    messages = answer_messages(asked, streamed=streamed)
    chunks = stream_chunks(asked)
    assert messages and chunk_problems(chunks) == []
    shown = "\n".join(chunk["text"] for chunk in chunks) if streamed else ""
    for message in messages:
        assert refused(message) == []
        assert not LIVE.search(message.text) and not any(LIVE.search(text) for text in mrkdwn_of(message.blocks))
        shown += texts(message) + "\n".join(file.content.decode("utf-8", "replace") for file in message.files)
    for figure in set(re.findall(r"\d+(?:\.\d+)?", answer)):
        assert figure in shown
    assert answer_messages(asked, streamed=streamed) == messages


def test_the_main_figure_is_the_one_the_rows_are_sorted_by() -> None:
    head, right = ("W", "Credits", "Share", "Change"), (False, True, True, True)
    assert (
        folded(Table(head, (("A", "3.5", "70.0 %", "-1.0 %"), ("B", "1.5", "30.0 %", "+2.0 %")), right)).head[2]
        == "Credits"
    )
    head, right = ("W", "Size", "Running", "Credits, week"), (False, False, True, True)
    assert folded(Table(head, (("A", "L", "0", "1,003.5"), ("B", "L", "3", "1.5")), right)).head[2] == "Credits, week"
