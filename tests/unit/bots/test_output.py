"""What a terminal would obey is shown, not sent: an approver reads what stands there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import typer

from bots.cli.output import Output, visible

NASTY = "cheap\x1b[2A\x1b[2Krm\r\x07 \u202etxet\u2066 \x9b31m \udcff\u2028end"


@pytest.mark.parametrize("way", ["say", "table", "note", "error"])
def test_no_way_of_speaking_sends_control_characters(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = Output()
    if way == "say":
        out.say(NASTY)
    elif way == "table":
        out.table(("a", ""), [("reason", NASTY), ("line\nbreak", "x")])
    elif way == "note":
        out.note(NASTY)
    else:
        out.error({"code": "x", "message": NASTY, "hint": NASTY})
    said = "".join(capsys.readouterr())
    assert "\\x1b[2A" in said and "\\u202e" in said
    assert not any(c in said for c in "\x1b\r\x07\u202e\u2066\x9b\u2028")
    assert way != "table" or "line\\nbreak" in said


def test_ordinary_text_of_any_language_stays_as_it_is() -> None:
    assert visible("Größe 漢字 новый 😀 'q' \"w\" $x$ – a\\b") == "Größe 漢字 новый 😀 'q' \"w\" $x$ – a\\b"


def test_the_traceback_of_a_bug_is_for_its_owner_and_holds_no_value(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with pytest.raises(typer.Exit), Output(state_dir=tmp_path).edge():
            raise RuntimeError("s3cret")
    finally:
        os.umask(old)
    log = tmp_path / "errors.log"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "RuntimeError" in log.read_text() and log.read_text().count("s3cret") == log.read_text().count('"s3cret"')
