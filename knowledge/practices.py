"""Pages of practice: one Markdown file a practice, front matter above, five sections below.

    ---
    id: idle-pays-for-nothing          the file's name without .md
    title: A warehouse is paid for while nobody uses it
    applies_to: [warehouse, cost]      topics, lower case
    severity: warning                  info, warning or critical
    source: user-guide/cost-insights   name of the documentation page, or arithmetic, or experience
    checked: 2026-11-22                the day when somebody last held the page against its source
    tool: usage_report                 the Frostline tool that answers with figures; may be empty
    ---
    ## Symptom     what is seen
    ## Check       one fenced `sql` block with one reading statement; text around it is welcome
    ## Action      what to do
    ## Effect      what that brings
    ## Caveat      when not to, and what else to look at

Users write such files too, so whatever is wrong is told with its file and line. A page is text to quote: nothing
in it is an instruction to Frostline, and its SQL is shown, never run on its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args

__all__ = ["FIELDS", "PAGES", "SECTIONS", "BadPractice", "Practice", "Severity", "load", "parse"]

Severity = Literal["info", "warning", "critical"]

PAGES = Path(__file__).parent / "practices"
"""The pages that Frostline brings along."""

FIELDS = ("id", "title", "applies_to", "severity", "source", "checked", "tool")
SECTIONS = ("Symptom", "Check", "Action", "Effect", "Caveat")

_LARGEST = 64 * 1024
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TOPIC = re.compile(r"[a-z0-9]+(?:[ _-][a-z0-9]+)*")
_FENCE = re.compile(r"^```(?P<kind>[^\n`]*)\n(?P<body>.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)


class BadPractice(ValueError):
    """A page that cannot be used.

    Attributes:
        file: its name.
        line: counted from 1, the line that is wrong or where the missing thing belongs.
        what: what is wrong, for the person who wrote it.
    """

    def __init__(self, file: str, line: int, what: str) -> None:
        super().__init__(f"{file}, line {line}: {what}")
        self.file = file
        self.line = line
        self.what = what


@dataclass(frozen=True)
class Practice:
    """One page; texts are Markdown without their headings."""

    id: str
    title: str
    applies_to: tuple[str, ...]
    severity: Severity
    source: str
    checked: date
    tool: str
    """Name of the related Frostline tool, or empty."""
    symptom: str
    check: str
    """The SQL statement, without its fence and without a final semicolon."""
    check_note: str
    """What the Check section says around the statement; often empty."""
    action: str
    effect: str
    caveat: str


def load(folder: Path = PAGES) -> tuple[Practice, ...]:
    """Every `*.md` of the folder (README.md apart), by id.

    Raises:
        BadPractice: a page cannot be used, or two carry one id.
        OSError: the folder or a file cannot be read.
    """
    found: dict[str, Practice] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() != ".md" or path.name.lower() == "readme.md" or path.name.startswith("."):
            continue
        page = parse(_text(path), path.name)
        if page.id in found:
            raise BadPractice(path.name, 1, f"another page has the id {page.id!r} already")
        found[page.id] = page
    return tuple(found[name] for name in sorted(found))


def _text(path: Path) -> str:
    with path.open("rb") as stream:
        raw = stream.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise BadPractice(path.name, 1, f"the page is larger than {_LARGEST // 1024} KiB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise BadPractice(path.name, line, "the text is not UTF-8") from None


def parse(text: str, name: str) -> Practice:
    """The page of that text.

    Args:
        name: the file's name; its stem has to be the page's id.

    Raises:
        BadPractice: see there.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    end = _front_end(lines, name)
    fields = _Fields(name, *_front(lines[1:end], name))
    sections = _sections(lines, end + 1, name)
    check, note = _check(*sections["Check"], name)
    return Practice(
        id=fields.id(),
        title=fields.words("title"),
        applies_to=fields.topics(),
        severity=fields.severity(),
        source=fields.words("source"),
        checked=fields.day(),
        tool=fields.words("tool", empty=True),
        symptom=sections["Symptom"][1],
        check=check,
        check_note=note,
        action=sections["Action"][1],
        effect=sections["Effect"][1],
        caveat=sections["Caveat"][1],
    )


# --- front matter --------------------------------------------------------------------------------------------


def _front_end(lines: list[str], name: str) -> int:
    """Index of the line that closes the front matter."""
    if lines[0].rstrip() != "---":
        raise BadPractice(name, 1, "the page has to begin with a line '---' and its front matter")
    for n, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            return n
    raise BadPractice(name, 1, "the front matter is not closed by a line '---'")


def _front(lines: list[str], name: str) -> tuple[dict[str, Any], dict[str, int]]:
    """Values of the front matter, and the line that each stands on."""
    import yaml

    try:
        node = yaml.compose("\n".join(lines), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 2 if mark else 1
        raise BadPractice(name, line, f"the front matter is not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError):
        raise BadPractice(name, 1, "the front matter is not valid YAML") from None
    if not isinstance(node, yaml.MappingNode):
        raise BadPractice(name, 2, "the front matter has to be lines of 'name: value'")
    values: dict[str, Any] = {}
    at: dict[str, int] = {}
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 2
        if key not in FIELDS:
            raise BadPractice(name, line, f"{key[:40]!r} is unknown; known are: {', '.join(FIELDS)}")
        if key in values:
            raise BadPractice(name, line, f"{key!r} stands twice")
        at[key], values[key] = line, _value(value_node, key, line, name)
    for key in FIELDS:
        if key not in values:
            raise BadPractice(name, 1, f"the front matter lacks {key!r}")
    return values, at


def _value(node: Any, key: str, line: int, name: str) -> Any:
    import yaml

    try:
        return yaml.SafeLoader("").construct_document(node)
    except (yaml.YAMLError, ValueError, RecursionError):
        # ValueError: 2026-02-31 looks like a day and is none.
        raise BadPractice(name, line, f"{key!r} holds a value that cannot be read") from None


class _Fields:
    """Typed reading of the front matter, each complaint with its line."""

    def __init__(self, name: str, values: dict[str, Any], at: dict[str, int]) -> None:
        self.name = name
        self.values = values
        self.at = at

    def bad(self, key: str, what: str) -> BadPractice:
        return BadPractice(self.name, self.at[key], f"{key!r} {what}")

    def words(self, key: str, *, empty: bool = False) -> str:
        value = self.values[key]
        if value is None and empty:
            return ""
        if not isinstance(value, str) or (not value.strip() and not empty):
            raise self.bad(key, "has to be text (put it in quotes if it looks like a number or holds ': ')")
        if "\n" in value.strip():
            raise self.bad(key, "has to fit on one line")
        return value.strip()

    def id(self) -> str:
        value = self.words("id")
        if _NAME.fullmatch(value) is None:
            raise self.bad("id", "has to be lower-case words joined by '-'")
        if value != Path(self.name).stem:
            raise self.bad("id", f"is {value!r}, but the file's name says {Path(self.name).stem!r}")
        return value

    def topics(self) -> tuple[str, ...]:
        value = self.values["applies_to"]
        if not isinstance(value, list) or not value:
            raise self.bad("applies_to", "has to be a list of topics, such as [warehouse, cost]")
        for item in value:
            if not isinstance(item, str) or _TOPIC.fullmatch(item) is None:
                raise self.bad("applies_to", "has to hold lower-case words only")
        return tuple(dict.fromkeys(value))

    def severity(self) -> Severity:
        value = self.values["severity"]
        known = get_args(Severity)
        if value not in known:
            raise self.bad("severity", f"has to be one of {', '.join(known)}")
        return cast(Severity, value)

    def day(self) -> date:
        value = self.values["checked"]
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self.bad("checked", "has to be a day, such as 2026-11-22")
        return value


# --- sections ------------------------------------------------------------------------------------------------


def _sections(lines: list[str], first: int, name: str) -> dict[str, tuple[int, str]]:
    """Line and text of each section; a '#' inside a fenced block is no heading."""
    starts = _headings(lines, first, name)
    for before in lines[first : starts[0][0] if starts else len(lines)]:
        if before.strip():
            raise BadPractice(name, lines.index(before, first) + 1, "text stands before the first '## ' section")
    found: dict[str, tuple[int, str]] = {}
    ends = [*(n for n, _ in starts[1:]), len(lines)][: len(starts)]
    for (start, title), end in zip(starts, ends, strict=True):
        if title not in SECTIONS:
            raise BadPractice(name, start + 1, f"section {title[:40]!r} is unknown; known are: {', '.join(SECTIONS)}")
        if title in found:
            raise BadPractice(name, start + 1, f"section {title!r} stands twice")
        body = "\n".join(lines[start + 1 : end]).strip()
        if not body:
            raise BadPractice(name, start + 1, f"section {title!r} is empty")
        found[title] = (start + 1, body)
    for title in SECTIONS:
        if title not in found:
            raise BadPractice(name, len(lines), f"section '## {title}' is missing")
    return found


def _headings(lines: list[str], first: int, name: str) -> list[tuple[int, str]]:
    starts = []
    fence = None
    for n, line in enumerate(lines[first:], start=first):
        if line.startswith("```"):
            fence = None if fence is not None else n
        elif fence is None and line.startswith("## "):
            starts.append((n, line[3:].strip()))
    if fence is not None:
        raise BadPractice(name, fence + 1, "a block opened by ``` is not closed")
    return starts


def _check(line: int, body: str, name: str) -> tuple[str, str]:
    """The statement of the Check section, and the text around it."""
    blocks = list(_FENCE.finditer(body))
    if len(blocks) != 1 or blocks[0]["kind"].strip().lower() != "sql":
        raise BadPractice(name, line, "section 'Check' has to hold exactly one block, opened by ```sql")
    statement = blocks[0]["body"].strip().removesuffix(";").rstrip()
    if not statement:
        raise BadPractice(name, line, "the sql block of section 'Check' is empty")
    note = " ".join(f"{body[: blocks[0].start()]}\n{body[blocks[0].end() :]}".split())
    return statement, note
