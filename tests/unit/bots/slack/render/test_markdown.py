from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.slack.render.markdown import Bullets, Code, Paragraph, Table, parse, plain_of, text_of
from bots.slack.render.neutral import inert, neutral_markdown
from bots.slack.render.text import bare, chunks_of, escape, mention_token, readable, shortened, slack_id, top_text
from tests.unit.bots.slack.render.hostile import markdown_like, words

ANSWER = """**`LOAD_WH`: 634.02 credits**, last week.

| Warehouse | Credits |
|---|---:|
| `LOAD_WH` | 634.02 |

**Odd:**
- `APP_WH`: idle
  - deeper
- `DEV_WH`: never

- Source: X, covered until 2026-11-18.
"""


def test_an_answer_comes_apart_as_it_is_read() -> None:
    headline, table, odd, list_, notes = parse(ANSWER)
    assert isinstance(headline, Paragraph) and headline.spans[0].code and headline.spans[0].bold
    assert table == Table(("Warehouse", "Credits"), (("LOAD_WH", "634.02"),), (False, True))
    assert isinstance(odd, Paragraph) and text_of(odd.spans) == "Odd:"
    assert isinstance(list_, Bullets) and not list_.apart and [i.indent for i in list_.items] == [0, 1, 0]
    assert isinstance(notes, Bullets) and notes.apart and len(notes.items) == 1


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[here](http://evil.example/1)", "here (http://evil.example/1)"),
        ("![pic](http://evil.example/1)", "pic (http://evil.example/1 )"),
        ("<b>1</b> &amp; <!channel>", "<b>1</b> &amp; <!channel>"),
        ("7. seven\n9. nine", "7. seven\n9. nine"),
        ("[a]: http://x.example '12'", "[a]: http://x.example '12'"),
        ("```7\n8\n```", "7\n8"),
    ],
)
def test_nothing_is_swallowed(written: str, shown: str) -> None:
    assert plain_of(parse(written)) == shown


def test_a_table_with_more_cells_than_heads_is_shown_as_it_was_written() -> None:
    answer = "| A |\n|---|\n| 1 | 2 |"
    assert plain_of(parse(answer)) == answer


@given(markdown_like())
def test_every_letter_and_digit_of_an_answer_stands_in_its_parts(answer: str) -> None:
    signs = [c for c in bare(answer) if c.isalnum()]
    assert [c for c in plain_of(parse(answer)) if c.isalnum()] == signs


@given(markdown_like())
def test_nothing_acts_in_a_stream(answer: str) -> None:
    text = neutral_markdown([p for p in parse(answer) if not isinstance(p, Table)])
    assert "<" not in text and ">" not in text.replace("\\>", "")
    assert "@channel" not in text and "@here" not in text


@given(words())
def test_what_is_streamed_reads_as_it_was(text: str) -> None:
    parts = parse(text)
    if all(not isinstance(part, Table | Code) for part in parts):
        streamed = [c for c in neutral_markdown(parts) if c.isalnum()]
        assert streamed == [c for c in inert(plain_of(parts)) if c.isalnum()]


@given(words())
def test_escaped_text_holds_no_token_and_comes_back(text: str) -> None:
    assert "<" not in escape(text) and ">" not in escape(text)
    assert readable(escape(text)) == text


@given(words(), st.integers(20, 200))
def test_top_text_is_short_escaped_and_never_empty(text: str, limit: int) -> None:
    shown = top_text(text, limit)
    assert 1 <= len(shown) <= limit and "<" not in shown and "\n" not in shown


@given(words(), st.integers(2, 500))
def test_pieces_are_the_text(text: str, size: int) -> None:
    pieces = chunks_of(text, size)
    assert "".join(pieces) == text and all(0 < len(piece) <= size for piece in pieces)


@given(words(), st.integers(5, 500))
def test_shortened_text_fits(text: str, limit: int) -> None:
    assert len(shortened(text, limit)) <= limit


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("<@U1|ann> look at <#C1|ops>", "@ann look at #ops"),
        ("<@U1> <!here> <!subteam^S1|@ops> <!subteam^S1>", "@U1 @here @ops @subteam"),
        (
            "<https://a.example/x|docs> <https://a.example> <mailto:a@b.c|a@b.c>",
            "docs (https://a.example/x) https://a.example a@b.c",
        ),
        ("a &lt;b&gt; &amp;lt; c", "a <b> &lt; c"),
    ],
)
def test_what_comes_in_is_made_readable_once(sent: str, read: str) -> None:
    assert readable(sent) == read


def test_only_ids_of_our_own_teams_are_mentioned() -> None:
    assert slack_id("slack:T1/U1", ("T1", "E1")) == "U1"
    assert slack_id("slack:T2/U1", ("T1",)) is None
    assert slack_id("os:T1/U1", ("T1",)) is None
    assert slack_id("slack:T1/U1><!channel", ("T1",)) is None
    assert mention_token("U1") == "<@U1>" and mention_token("S1") == "<!subteam^S1>"
    assert mention_token("<!channel>") == "&lt;!channel&gt;"


def test_a_stream_keeps_the_styles_and_lines_of_an_answer() -> None:
    written = "**`LOAD_WH`: 634.02 credits**, in _America/Los_Angeles_.\nNext line"
    assert neutral_markdown(parse(written)) == written.replace("\n", "  \n")
    assert parse(neutral_markdown(parse(written))) == parse(written)


def test_what_could_act_in_a_stream_is_written_with_look_alikes() -> None:
    shown = neutral_markdown(parse("2 * 3 [a] https://evil.example @channel `<!here>`"))
    assert shown == "2 \\* 3 \\[a\\] https:∕∕evil.example ＠channel `‹!here›`"
