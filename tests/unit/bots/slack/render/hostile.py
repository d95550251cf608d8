"""Texts as somebody would write them who wants to be taken for Frostline, or to wake everybody."""

from __future__ import annotations

from hypothesis import strategies as st

PIECES = (
    "<!channel>", "<!here>", "<@U1>", "<#C1>", "<!subteam^S1>", "<https://evil.example|click>", "&lt;!channel&gt;",
    "@channel", "@here", "</code>", "`", "```", "~~~", "*bold*", "**", "_", "~", "[a](http://evil.example)", "![](x)",
    "|", "| a | b |\n|---|---|\n| 1 | 2 | 3 |\n", "\n", "\n\n", "- ", "1. ", "7) ", "# ", "> ", "    ", "\t", "---\n",
    ":tada:", "\u202e", "\u200f", "\u200b", "\x1b[31m", "\x00", "\r", "\ud800", "é", "漢", "😀", "&", "<", ">", "\\",
    "[x]: http://evil.example\n", "<!date^1^{date}|x>", "a", "WH_1", "12.5", "634.02", "%", "$", "https://evil.example",
)  # fmt: skip


def words(most: int = 40) -> st.SearchStrategy[str]:
    """Pieces in any order; now and then very long."""
    short = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=most).map("".join)
    return short | st.sampled_from(PIECES).map(lambda piece: piece * (10_000 // len(piece)))


def markdown_like() -> st.SearchStrategy[str]:
    """Answers: paragraphs, lists and tables made of such words."""
    line = words(8).map(lambda text: text[:400])
    bullets = st.lists(line, min_size=1, max_size=5).map(lambda items: "\n".join(f"- {item}" for item in items))
    cell = line.map(lambda text: text.replace("\n", " ").replace("\r", " ").replace("|", "¦")[:60])
    table = st.integers(1, 9).flatmap(
        lambda width: st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=6).map(
            lambda rows: "\n".join(
                ["| " + " | ".join(f"H{n}" for n in range(width)) + " |", "|" + "---:|" * width]
                + ["| " + " | ".join(row) + " |" for row in rows]
            )
        )
    )
    return st.lists(line | bullets | table, max_size=6).map("\n\n".join) | words()
