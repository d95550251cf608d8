"""People's folders: what is read, what is left out and said, and how pages are cut."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from knowledge.files import LARGEST, Found, look, read_page, sections


def _one(folder: Path, name: str) -> Found:
    found, _ = look(folder)
    return next(page for page in found if page.path.name == name)


def test_markdown_and_text_are_read_by_name_and_hidden_files_are_not(tmp_path: Path) -> None:
    for name in ("b.md", "a.txt", "c.markdown", ".hidden.md", "d.pdf"):
        (tmp_path / name).write_text("x")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "e.md").write_text("x")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "f.md").write_text("x")
    found, warnings = look(tmp_path)
    names = [page.path.relative_to(tmp_path).as_posix() for page in found]
    assert names == ["a.txt", "b.md", "c.markdown", "deep/e.md"]
    assert warnings == []


def test_links_are_not_followed_and_that_is_said(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret.md").write_text("secret")
    (inside / "link.md").symlink_to(outside / "secret.md")
    (inside / "folder").symlink_to(outside)
    found, warnings = look(inside)
    assert found == []
    assert sorted(warnings) == ["inside/folder is a link and is left out.", "inside/link.md is a link and is left out."]


def test_a_file_that_becomes_a_link_after_the_look_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("fine")
    page = _one(tmp_path, "a.md")
    (tmp_path / "a.md").unlink()
    (tmp_path / "a.md").symlink_to("/etc/hostname")
    text, why = read_page(page)
    assert text is None
    assert "cannot be read" in why


def test_huge_binary_foreign_and_strange_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "huge.md").write_text("x" * (LARGEST + 1))
    (tmp_path / "binary.txt").write_bytes(b"a\0b")
    (tmp_path / "latin.md").write_bytes("Größe".encode("latin-1"))
    os.mkfifo(tmp_path / "pipe.md")
    found, warnings = look(tmp_path)
    assert [page.path.name for page in found] == ["binary.txt", "latin.md"]
    assert any("huge.md has 1.0 MB, more than 1 MB" in warning for warning in warnings)
    assert any("pipe.md is no ordinary file" in warning for warning in warnings)
    assert [read_page(page) for page in found] == [(None, "is binary"), (None, "is not UTF-8 text")]


def test_a_folder_that_is_not_there_is_a_warning(tmp_path: Path) -> None:
    found, warnings = look(tmp_path / "gone")
    assert found == []
    assert "is not there" in warnings[0]


def test_pages_are_cut_at_headings_but_not_inside_fences() -> None:
    text = "Before.\n\n# Top\nOne.\n\n## Night\n```sh\n# no heading\n```\n\n# Other\nTwo.\n"
    assert [(s.heading, s.text) for s in sections(text)] == [
        ("", "Before."),
        ("Top", "One."),
        ("Top > Night", "```sh\n# no heading\n```"),
        ("Other", "Two."),
    ]


def test_front_matter_of_other_tools_is_left_out() -> None:
    assert [s.text for s in sections("---\nlayout: page\n---\nText.")] == ["Text."]


@given(st.text(alphabet=st.sampled_from("ab #\n`~."), max_size=6000))
def test_nothing_of_a_page_is_lost_but_headings_and_space(text: str) -> None:
    kept = "".join(section.text for section in sections(f"x\n{text}"))
    lines = [line for line in f"x\n{text}".split("\n") if not line.startswith("#")]
    assert [c for c in kept if c.isalpha()] == [c for line in lines for c in line if c.isalpha()] or "#" in text


@given(st.integers(1, 9000), st.sampled_from(["a", "ab ", "a\n", "a\n\n"]))
def test_no_section_is_longer_than_the_model_reads(length: int, piece: str) -> None:
    assert all(0 < len(section.text) <= 1400 for section in sections((piece * length)[:9000]))
