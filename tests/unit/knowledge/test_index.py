"""The index: made aside, swapped atomically, incremental, shared by processes, and mended where it is damaged."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from knowledge.embedding import MiniLm
from knowledge.model import KnowledgeError
from knowledge.practices import BadPractice
from knowledge.search import Library
from tests.unit.knowledge.pages import WordHashes, practice

ROOT = Path(__file__).parents[3]


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    practice(tmp_path / "ours", "idle", "A warehouse runs idle", topic="warehouse", severity="warning")
    practice(tmp_path / "ours", "files", "Files are small", topic="loading")
    return tmp_path / "ours"


def opened(tmp_path: Path, ours: Path, embedding: WordHashes | None = None, *folders: Path) -> Library:
    made = embedding or WordHashes()
    return Library.open(tmp_path / "index", folders, ours=ours, embedding=lambda: made)


def ids(library: Library, text: str, **more: object) -> list[str]:
    return [passage.id for passage in library.search(text, **more)]  # type: ignore[arg-type]


def test_a_practice_is_found_whole(tmp_path: Path, ours: Path) -> None:
    library = opened(tmp_path, ours)
    first = library.search("idle warehouse")[0]
    assert (first.id, first.origin, first.severity, first.tool) == ("idle", "frostline", "warning", "list_warehouses")
    assert first.parts["check"] == "SELECT 1 AS x"
    assert (first.source, first.checked) == ("user-guide/idle", "2026-11-22")
    assert 0.0 < first.score <= 1.0
    library.close()


def test_filters_hold_for_words_and_vectors_alike(tmp_path: Path, ours: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "run.md").write_text("# Idle\nA warehouse runs idle: call Ann.")
    library = opened(tmp_path, ours, None, mine)
    text = "a warehouse runs idle files are small"
    assert set(ids(library, text)) == {"idle", "files", "mine/run.md#idle"}
    assert ids(library, text, where={"origin": "yours"}) == ["mine/run.md#idle"]
    assert ids(library, text, where={"applies_to": ["loading", "none"]}) == ["files"]
    assert ids(library, text, where={"severity": "warning", "applies_to": "warehouse"}) == ["idle"]
    assert ids(library, text, where={"severity": "critical"}) == []
    library.close()


def test_scores_never_rise_and_what_is_too_far_is_left_out(tmp_path: Path, ours: Path) -> None:
    library = opened(tmp_path, ours)
    scores = [passage.score for passage in library.search("a warehouse runs idle files")]
    assert scores == sorted(scores, reverse=True)
    assert library.search("zebra") == ()
    assert library.search("") == ()
    assert library.search("\x00" * 5000) == ()
    library.close()


def test_only_what_is_new_is_embedded(tmp_path: Path, ours: Path) -> None:
    embedding = WordHashes()
    library = opened(tmp_path, ours, embedding)
    library.refresh()
    before = len(embedding.seen)
    practice(ours, "queue", "Queries queue")
    library.refresh()
    assert [text.split(".")[0] for text in embedding.seen[before:]] == ["Queries queue", "Queries queue"]
    assert ids(library, "queries queue")[0] == "queue"
    again = len(embedding.seen)
    (ours / "queue.md").touch()
    library.refresh()
    assert len(embedding.seen) == again
    library.close()


def test_another_embedding_makes_another_index(tmp_path: Path, ours: Path) -> None:
    first = opened(tmp_path, ours).refresh()
    other = WordHashes("2")
    second = opened(tmp_path, ours, other).refresh()
    assert first.generation != second.generation
    assert len(other.seen) == 4


def test_an_open_library_sees_what_another_has_indexed(tmp_path: Path, ours: Path) -> None:
    one, two = opened(tmp_path, ours), opened(tmp_path, ours)
    assert ids(one, "queries queue") == []
    practice(ours, "queue", "Queries queue")
    two.refresh()
    assert ids(one, "queries queue") == ["queue"]
    (ours / "queue.md").unlink()
    two.refresh()
    assert ids(one, "queries queue") == []
    one.close()
    two.close()


def test_old_generations_go_but_for_the_one_before(tmp_path: Path, ours: Path) -> None:
    library = opened(tmp_path, ours)
    for number in range(4):
        practice(ours, "more", f"More {number}")
        library.refresh()
    assert len([path for path in (tmp_path / "index").iterdir() if path.is_dir()]) == 2


@pytest.mark.parametrize("damage", ["entries.jsonl", "chroma/chroma.sqlite3"])
def test_a_damaged_index_is_made_anew(tmp_path: Path, ours: Path, damage: str) -> None:
    state = opened(tmp_path, ours).refresh()
    (tmp_path / "index" / state.generation / damage).write_bytes(b"not that")
    library = opened(tmp_path, ours)
    assert ids(library, "idle warehouse")[0] == "idle"
    library.close()


def test_a_lost_or_foreign_pointer_is_no_harm(tmp_path: Path, ours: Path) -> None:
    opened(tmp_path, ours).refresh()
    rest = '"seen": "x", "entries": 1, "vectors": true, "warnings": []}'
    for text in (
        "",
        "{}",
        '{"generation": "../..", "seen": 1}',
        f'{{"generation": 5, {rest}',
        f'{{"generation": "../x", {rest}',
    ):
        (tmp_path / "index" / "current").write_text(text)
        library = opened(tmp_path, ours)
        assert ids(library, "idle warehouse")[0] == "idle"
        library.close()


def test_what_a_killed_builder_left_is_swept(tmp_path: Path, ours: Path) -> None:
    (tmp_path / "index" / "building-gone").mkdir(parents=True)
    opened(tmp_path, ours).refresh()
    assert not (tmp_path / "index" / "building-gone").exists()


def test_without_vectors_words_answer_and_it_is_said_and_tried_again(tmp_path: Path, ours: Path) -> None:
    library = opened(tmp_path, ours, WordHashes(broken=True))
    assert ids(library, "idle warehouse")[0] == "idle"
    assert any("words alone" in warning for warning in library.warnings)
    library.close()
    mended = opened(tmp_path, ours)
    assert mended.refresh().vectors
    assert mended.warnings == ()


def test_vectors_that_fail_later_cost_one_search_its_meaning(tmp_path: Path, ours: Path) -> None:
    embedding = WordHashes()
    library = opened(tmp_path, ours, embedding)
    library.refresh()
    embedding.broken = True
    assert ids(library, "idle warehouse")[0] == "idle"
    assert any("words alone" in warning for warning in library.warnings)
    embedding.broken = False
    library.search("idle")
    assert library.warnings == ()
    library.close()


def test_absent_or_wrong_weights_leave_words_and_a_warning(tmp_path: Path, ours: Path) -> None:
    wrong = tmp_path / "model.onnx"
    wrong.write_bytes(b"other")
    for weights in (wrong, tmp_path / "gone.onnx"):
        library = Library.open(tmp_path / "index", ours=ours, embedding=lambda path=weights: MiniLm(path))
        assert ids(library, "idle warehouse")[0] == "idle"
        assert "words alone" in library.warnings[0]
        library.close()


def test_a_page_of_theirs_in_our_form_is_a_practice_of_theirs(tmp_path: Path, ours: Path) -> None:
    mine = tmp_path / "mine"
    practice(mine, "late", "Loads are late")
    (mine / "broken.md").write_text("---\nid: broken\napplies_to: [x]\n---\n# Nothing\nLoads broken here.")
    library = opened(tmp_path, ours, None, mine)
    found = library.search("loads are late")[0]
    assert (found.id, found.origin, found.source) == ("late", "yours", "mine/late.md (user-guide/late)")
    assert any("broken.md, line" in warning and "plain text" in warning for warning in library.warnings)
    library.close()


def test_no_page_or_name_of_theirs_takes_the_others_away(tmp_path: Path, ours: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "head.md").write_text("---\nid: head\ntitle: x\napplies_to: [x]\n---\n")
    (theirs / os.fsdecode(b"name\xff.md")).write_text("zebra without a heading")
    (theirs / "line\nbreak.md").write_text("# Night\nzebra at night")
    library = opened(tmp_path, ours, None, theirs)
    assert ids(library, "idle warehouse")[0] == "idle"
    assert {"theirs/name\ufffd.md", "theirs/line\nbreak.md#night"} <= set(ids(library, "zebra"))
    library.close()


def test_one_id_is_never_given_twice(tmp_path: Path, ours: Path) -> None:
    mine = tmp_path / "mine"
    practice(mine, "idle", "Our idle rule")
    (mine / "two.md").write_text("# Same\nOne idle.\n# Same\nTwo idle.")
    library = opened(tmp_path, ours, None, mine)
    found = [entry.id for entry in library.entries()]
    assert len(found) == len(set(found)) == 5
    assert {"idle", "idle~2", "mine/two.md#same", "mine/two.md#same~2"} <= set(found)
    library.close()


def test_a_broken_page_of_ours_is_our_fault(tmp_path: Path, ours: Path) -> None:
    (ours / "idle.md").write_text("nothing")
    with pytest.raises(BadPractice):
        opened(tmp_path, ours).refresh()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, ours: Path) -> None:
    (tmp_path / "index").write_text("a file")
    with pytest.raises(KnowledgeError, match="folder cannot be used"):
        opened(tmp_path, ours).refresh()


BUILD = """
import sys
from pathlib import Path
from knowledge.search import Library
from tests.unit.knowledge.pages import WordHashes
place, ours = Path(sys.argv[1]), Path(sys.argv[2])
library = Library.open(place, ours=ours, embedding=WordHashes)
print(library.refresh(force=len(sys.argv) > 3).generation, [p.id for p in library.search("a warehouse runs idle")][0])
library.close()
"""


def test_processes_that_index_at_once_make_one_index(tmp_path: Path, ours: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(BUILD), str(tmp_path / "index"), str(ours)]
    running = [
        subprocess.Popen([*command, *force], cwd=ROOT, stdout=subprocess.PIPE, text=True) for force in ((), ("force",))
    ]
    said = [process.communicate(timeout=90)[0].strip() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert len(set(said)) == 1
    assert said[0].endswith(" idle")
