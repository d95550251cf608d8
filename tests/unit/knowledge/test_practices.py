"""The parser: every complaint names file and line; whatever is well formed comes back as it was written."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.practices import FIELDS, SECTIONS, BadPractice, Practice, load, parse

PAGE = """---
id: a-page
title: "A title: with a colon"
applies_to: [warehouse, cloud services]
severity: warning
source: experience
checked: 2026-11-22
tool:
---

## Symptom

Something is slow.

## Check

Look at this.

```sql
SELECT 1 AS one -- ## no heading
LIMIT 1;
```

and at that.

## Action

Do this.

## Effect

It helps.

## Caveat

Not always.
"""


def changed(old: str, new: str) -> str:
    assert PAGE.count(old) == 1
    return PAGE.replace(old, new)


def test_a_page_is_read_whole() -> None:
    assert parse(PAGE, "a-page.md") == Practice(
        id="a-page",
        title="A title: with a colon",
        applies_to=("warehouse", "cloud services"),
        severity="warning",
        source="experience",
        checked=date(2026, 11, 22),
        tool="",
        symptom="Something is slow.",
        check="SELECT 1 AS one -- ## no heading\nLIMIT 1",
        check_note="Look at this. and at that.",
        action="Do this.",
        effect="It helps.",
        caveat="Not always.",
    )


def test_front_matter_alone_is_a_complaint() -> None:
    head = PAGE.split("## Symptom")[0]
    with pytest.raises(BadPractice, match="'## Symptom' is missing"):
        parse(head, "a-page.md")


def test_windows_line_ends_change_nothing() -> None:
    assert parse(PAGE.replace("\n", "\r\n"), "a-page.md") == parse(PAGE, "a-page.md")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "begin with a line '---'"),
        (PAGE[4:], 1, "begin with a line '---'"),
        (PAGE.replace("---\n\n", "\n"), 1, "not closed"),
        (changed("severity: warning", "severity: [warning"), 6, "not valid YAML"),
        (changed("severity: warning", "severity: high"), 5, "one of info, warning, critical"),
        (changed("severity: warning", "severity: [warning]"), 5, "one of info, warning, critical"),
        (changed("severity: warning\n", ""), 1, "lacks 'severity'"),
        (changed("severity: warning", "severity: info\nseverity: warning"), 6, "stands twice"),
        (changed("severity: warning", "urgency: warning"), 5, "'urgency' is unknown"),
        (changed("id: a-page", "id: A Page"), 2, "lower-case words"),
        (changed("id: a-page", "id: b-page"), 2, "the file's name says 'a-page'"),
        (changed('title: "A title: with a colon"', "title: A title: with a colon"), 3, "not valid YAML"),
        (changed('title: "A title: with a colon"', "title: 12"), 3, "has to be text"),
        (changed('title: "A title: with a colon"', "title: ' '"), 3, "has to be text"),
        (changed("[warehouse, cloud services]", "warehouse"), 4, "list of topics"),
        (changed("[warehouse, cloud services]", "[]"), 4, "list of topics"),
        (changed("[warehouse, cloud services]", "[Warehouse]"), 4, "lower-case"),
        (changed("[warehouse, cloud services]", "[1]"), 4, "lower-case"),
        (changed("2026-11-22", "yesterday"), 7, "has to be a day"),
        (changed("2026-11-22", "2026-11-22 10:00:00"), 7, "has to be a day"),
        (changed("2026-11-22", "2026-02-31"), 7, "cannot be read"),
        (changed("## Effect", "## Benefit"), 30, "'Benefit' is unknown"),
        (changed("## Effect", "## Action"), 30, "stands twice"),
        (changed("## Effect\n\nIt helps.\n", ""), 34, "'## Effect' is missing"),
        (changed("It helps.\n", ""), 30, "'Effect' is empty"),
        (changed("## Symptom", "Hello\n\n## Symptom"), 11, "before the first"),
        (changed("```sql", "```"), 15, "exactly one block"),
        (changed("```sql", "text"), 22, "not closed"),
        (changed("and at that.", "```sql\nSELECT 2\n```"), 15, "exactly one block"),
        (changed("SELECT 1 AS one -- ## no heading\nLIMIT 1;\n", ""), 15, "empty"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(BadPractice) as raised:
        parse(text, "a-page.md")
    assert words in raised.value.what
    assert (raised.value.file, raised.value.line) == ("a-page.md", line)
    assert str(raised.value).startswith(f"a-page.md, line {line}: ")


@given(st.text(max_size=300))
def test_any_text_is_a_page_or_a_complaint(text: str) -> None:
    with pytest.raises(BadPractice):
        parse(text, "a-page.md")


@given(st.data())
def test_any_damage_is_a_page_or_a_complaint(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(PAGE)))
    end = data.draw(st.integers(start, min(len(PAGE), start + 40)))
    text = PAGE[:start] + data.draw(st.text(max_size=20)) + PAGE[end:]
    try:
        page = parse(text, "a-page.md")
    except BadPractice as complaint:
        assert 1 <= complaint.line <= text.count("\n") + text.count("\r") + 2
    else:
        assert page.id == "a-page"
        assert all(getattr(page, name.lower()) for name in SECTIONS)


words = st.text(st.characters(categories=("L", "N", "P", "Zs"), exclude_characters="`#\\"), min_size=1).map(
    lambda t: " ".join(t.split())
)
lines = words.filter(bool)


@given(title=lines, source=lines, bodies=st.tuples(lines, lines, lines, lines))
def test_what_was_written_comes_back(title: str, source: str, bodies: tuple[str, str, str, str]) -> None:
    quoted = {name: '"' + text.replace('"', "'") + '"' for name, text in (("title", title), ("source", source))}
    symptom, action, effect, caveat = bodies
    text = (
        f"---\nid: x\ntitle: {quoted['title']}\napplies_to: [query]\nseverity: info\nsource: {quoted['source']}\n"
        f"checked: 2026-01-01\ntool: ''\n---\n## Symptom\n{symptom}\n## Check\n```sql\nSELECT 1\n```\n"
        f"## Action\n{action}\n## Effect\n{effect}\n## Caveat\n{caveat}\n"
    )
    page = parse(text, "x.md")
    assert (page.title, page.source) == (title.replace('"', "'"), source.replace('"', "'"))
    assert (page.symptom, page.action, page.effect, page.caveat) == bodies


def test_a_folder_is_read_in_the_order_of_ids(tmp_path: Path) -> None:
    for name in ("zebra", "ape"):
        (tmp_path / f"{name}.md").write_text(PAGE.replace("a-page", name), encoding="utf-8")
    (tmp_path / "README.md").write_text("about this folder")
    (tmp_path / ".draft.md").write_text("not yet")
    (tmp_path / "notes.txt").write_text("no page")
    assert [page.id for page in load(tmp_path)] == ["ape", "zebra"]


def test_one_id_stands_once(tmp_path: Path) -> None:
    (tmp_path / "a-page.md").write_text(PAGE)
    (tmp_path / "a-page.MD").write_text(PAGE)
    with pytest.raises(BadPractice, match="another page has the id"):
        load(tmp_path)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a-page.md").write_bytes(PAGE.encode().replace(b"It helps.", b"It \xff helps."))
    with pytest.raises(BadPractice) as raised:
        load(tmp_path)
    assert (raised.value.line, raised.value.what) == (32, "the text is not UTF-8")


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a-page.md").write_text(PAGE + "x" * 100_000)
    with pytest.raises(BadPractice, match="larger than 64 KiB"):
        load(tmp_path)


def test_fields_are_those_of_the_page() -> None:
    assert set(FIELDS) <= {field.name for field in dataclasses.fields(Practice)}
