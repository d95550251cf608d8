"""The words of a statement that sqlglot has no tree for (ALTER WAREHOUSE, SHOW, USE, ALTER SESSION).

A small reader over Snowflake's lexical rules (snowflake-reference.md 3.4): unquoted names fold to upper case,
quoted ones keep theirs with "" for a quote. Whatever is not consumed is a syntax error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tools.demo.sqlerrors import SqlError, syntax

__all__ = ["Reader", "Token", "first_word", "pieces"]

Kind = Literal["word", "quoted", "string", "number", "mark"]

_TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|//[^\n]*|/\*.*?\*/)
    |(?P<string>'(?:[^'\\]|''|\\.)*')
    |(?P<quoted>"(?:[^"]|"")*")
    |(?P<number>-?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_$]*)
    |(?P<mark>=>|.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_MAX_NAME = 255


@dataclass(frozen=True)
class Token:
    kind: Kind
    text: str
    """As written."""
    value: str
    """Names folded or unquoted, strings unescaped, words in upper case."""
    position: int


def _value(kind: str, text: str) -> str:
    if kind == "string":
        return re.sub(r"''|\\(.)", lambda m: _ESCAPES.get(m[1], m[1]) if m[1] else "'", text[1:-1], flags=re.DOTALL)
    if kind == "quoted":
        return text[1:-1].replace('""', '"')
    return text.upper() if kind == "word" else text


def pieces(sql: str) -> Iterator[tuple[str, str]]:
    """All of the text in order as (kind, text), blanks and comments ("skip") too."""
    for found in _TOKEN.finditer(sql):
        yield found.lastgroup or "mark", found.group()


def first_word(sql: str) -> str:
    """The leading keyword in upper case; '(' for a parenthesised query; '' for nothing."""
    for found in _TOKEN.finditer(sql):
        if found.lastgroup != "skip":
            return found.group().upper()
    return ""


class Reader:
    """Reads tokens in order; every method that fails raises 001003 with the offending text."""

    def __init__(self, sql: str) -> None:
        self._tokens = [
            Token(m.lastgroup, m.group(), _value(m.lastgroup, m.group()), m.start())  # type: ignore[arg-type]  # the group names are the kinds
            for m in _TOKEN.finditer(sql)
            if m.lastgroup != "skip" and m.lastgroup is not None
        ]
        while self._tokens and self._tokens[-1].text == ";":
            self._tokens.pop()
        statements = 1 + sum(t.text == ";" for t in self._tokens)
        if statements > 1:
            raise SqlError(
                8, "0A000", f"Actual statement count {statements} did not match the desired statement count 1."
            )
        self._at = 0

    def peek(self, ahead: int = 0) -> Token | None:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else None

    def take(self, *words: str) -> bool:
        """Consume exactly these keywords, if they stand next; all or nothing."""
        ahead = self._tokens[self._at : self._at + len(words)]
        if len(ahead) < len(words) or any(t.kind != "word" or t.value != w for t, w in zip(ahead, words, strict=True)):
            return False
        self._at += len(words)
        return True

    def expect(self, *words: str) -> None:
        if not self.take(*words):
            raise self.unexpected()

    def mark(self, text: str) -> bool:
        token = self.peek()
        if token is None or token.kind != "mark" or token.text != text:
            return False
        self._at += 1
        return True

    def next(self, *kinds: Kind) -> Token:
        token = self.peek()
        if token is None or token.kind not in kinds:
            raise self.unexpected()
        self._at += 1
        return token

    def name(self) -> str:
        """One object name without a qualifier."""
        token = self.next("word", "quoted")
        if not 0 < len(token.value) <= _MAX_NAME:
            raise syntax(f"object name of {len(token.value)} characters: 1 to {_MAX_NAME} are allowed.")
        return token.value

    def end(self) -> None:
        if self.peek() is not None:
            raise self.unexpected()

    def unexpected(self) -> SqlError:
        token = self.peek()
        if token is None:
            return syntax("syntax error line 1 at position 0 unexpected '<EOF>'.")
        return self.at(token)

    @staticmethod
    def at(token: Token) -> SqlError:
        return syntax(f"syntax error line 1 at position {token.position} unexpected '{token.text[:100]}'.")
