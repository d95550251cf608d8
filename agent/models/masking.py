"""What leaves for a provider is masked, reversibly within one turn.

Always: e-mail addresses, secrets (keys, tokens, passwords, what looks random) and the literals of SQL text. By
setting: users, and names of warehouses, databases, roles and tags. Each value gets one token for the turn
(`USER_1`, `EMAIL_2`); what comes back is revealed before it is validated or checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

__all__ = ["KINDS", "Mask"]

KINDS = ("EMAIL", "SECRET", "LITERAL", "USER", "WAREHOUSE", "DATABASE", "ROLE", "TAG", "WORD")
"""WORD: a word of the person's or the account's that looks like a token of ours."""

_TOKEN = re.compile(rf"(?<!\w)(?:{'|'.join(KINDS)})_\d+(?!\w)", re.IGNORECASE)
_PEM = r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)"
_KNOWN_KEYS = (
    r"\w*eyJ[\w-]{4,}\.[\w\-.=]+"  # JWT; Snowflake's programmatic access tokens are of that form
    r"|\w*(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}\w*"  # AWS
    r"|\w*gh[pousr]_\w{16,}|\w*github_pat_\w{16,}|\w*glpat-[\w-]{16,}"
    r"|\w*xox[a-z]-[\w-]{8,}|\w*xapp-[\w-]{8,}"
    r"|\w*sk-[\w-]{16,}|\w*AIza[\w-]{24,}|\w*ya29\.[\w-]{8,}|\w*npm_\w{24,}|\w*do[pot]_v1_\w{24,}"
    r"|(?<![\w-])[0-9a-f]{32,}(?![\w-])"  # hexadecimal and unbroken: a digest or a key, no query's id
)
_NAMED = (
    r"(?P<name>[\w\-]*(?:pass(?:word|wd|phrase|code)?|pwd|pw|otp|secret|token|bearer|authori[sz]ation|credentials?|"
    r"(?:api|access|private|account|shared|signing|encryption)[ _-]?key|aws_\w+|pat|sig|signature)s?"
    r"[\"'`]?(?:\s*(?::=|=>|[:=])\s*|\s+(?:is|was|to)\s+)(?:(?:bearer|basic)\s+)?[\"'`]?|\bbearer\s+|\bbasic\s+"
    r"|\bidentified\s+by\s+[\"']?|\b(?:pass(?:word|wd|phrase|code)|pwd|otp|pin|token|secret)\s+(?=\S*\d))"
    r"(?P<value>(?<=[\"'`])[^\"'`\n]{3,}(?=[\"'`])|[^\s\"'`,;]{3,})"
)
_LOGIN = r"(?P<scheme>://)(?P<login>[^\s/@:]*:[^\s/]+)(?=@)"
_EMAIL = r"(?:[\w.+%\-]*\w'(?=\w))?[\w.+%\-]+@[\w\-]+(?:\.[\w\-]+)+"
_RANDOM = r"[\w+/=\-.~]{24,}"
_SECRETS = re.compile(
    rf"(?P<pem>{_PEM})|{_LOGIN}|(?P<key>{_KNOWN_KEYS})|(?P<word>{_TOKEN.pattern})"
    rf"|{_NAMED}|(?P<email>{_EMAIL})|(?P<random>{_RANDOM})",
    re.IGNORECASE | re.DOTALL,
)
_SQL = re.compile(
    r"\b(?:select\b.+?\bfrom\b|select\s+['(*\d]|insert\s+into|update\s+\S+\s+set|delete\s+from|merge\s+into|copy\s+into"
    r"|with\s+\S+\s+as\s*\(|call\s+[\w.\"]+\s*\(|values\s*\("
    r"|(?:create(?:\s+or\s+replace)?|alter|drop)\s+(?:\w+\s+)?(?:table|view|schema|database|warehouse|stage|user|role|task)"
    r"|where\s+\S+\s*(?:=|<|>|!=|in\b|i?like\b)|[\w.\"]+\s*(?:<>|[!<>]?=|\bi?like|\bin)\s*\(?\s*')",
    re.IGNORECASE | re.DOTALL,
)
_COMMENTS = re.compile(r"(?:(?:--[^\n]*(?:\n|\Z)|/\*.*?\*/)\s*)+\Z", re.DOTALL)
"""Before the statement: they speak of the same values."""
_LITERAL = re.compile(
    r"\$\$(?P<dollars>.*?)(?:\$\$|\Z)|(?P<name>[=<>(,]\s*|\bi?like\s+)\"(?P<quoted>[^\"\n]+)\""
    r"|'(?P<text>(?:[^'\\]|''|\\.)*)(?:'|\\?\Z)|(?<![\w.])(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?!\w)",
    re.IGNORECASE | re.DOTALL,
)


class Mask:
    """One turn's table of tokens. `users` and `objects` say which names of the account are hidden too."""

    def __init__(self, *, users: bool = True, objects: bool = False) -> None:
        self._hidden = {"USER": users, **dict.fromkeys(("WAREHOUSE", "DATABASE", "ROLE", "TAG"), objects)}
        self._tokens: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._kinds: dict[str, str] = {}
        self._names: re.Pattern[str] | None = None

    def hides(self, kind: str) -> bool:
        """Whether names of this kind are to be given to `learn`."""
        return self._hidden.get(kind, False)

    def learn(self, kind: str, names: Iterable[str]) -> None:
        """Names to hide from now on, in any case and however their parts are joined (`JANE.DOE` is Jane Doe, too); a
        single character is no name that could be told from a word.
        """
        if not self.hides(kind):
            return
        new = {_plain(name): kind for name in names if len(name) > 1 and _plain(name) not in self._kinds}
        if new:
            self._kinds |= new
            longest = sorted(self._kinds, key=len, reverse=True)
            self._names = re.compile(rf"(?<!\w)(?:{'|'.join(map(_pattern, longest))})(?!\w)", re.IGNORECASE)

    def hide(self, text: str) -> str:
        """The text as it may leave; `reveal` gives the very same text back."""
        hidden = self._hide(text)
        # Two values that touch could make a token that is not found again: such a text leaves as one token.
        return hidden if self.reveal(hidden) == text else self._token("WORD", text)

    def reveal(self, text: str) -> str:
        """Every token of this turn replaced by its value; words that only look like tokens stay."""
        return _TOKEN.sub(lambda match: self._values.get(match[0].upper(), match[0]), text)

    def hide_all(self, value: Any) -> Any:
        """The same JSON value with every string in it hidden; keys are ours and stay."""
        return _walk(value, self.hide)

    def reveal_all(self, value: Any) -> Any:
        return _walk(value, self.reveal)

    # --- one text ------------------------------------------------------------------------------------------------

    def _hide(self, text: str) -> str:
        parts: list[str] = []
        for part, ours in _split(text, _SECRETS, self._secret):
            if ours:
                parts.append(part)
                continue
            parts += [piece for piece, _ in _split(part, self._names, self._name)]
        return self._literals("".join(parts))

    def _secret(self, match: re.Match[str]) -> str | None:
        """The token, after what stands before a value; None where it is no secret after all."""
        found = match.groupdict()
        if found["login"]:
            return f"{found['scheme']}{self._token('SECRET', found['login'])}"
        if found["value"]:
            return f"{found['name']}{self._token('SECRET', found['value'])}"
        if found["random"]:
            return self._token("SECRET", match[0]) if _looks_random(match[0]) else None
        kind = "WORD" if found["word"] else "EMAIL" if found["email"] else "SECRET"
        return self._token(kind, match[0])

    def _name(self, match: re.Match[str]) -> str:
        return self._token(self._kinds[_plain(match[0])], match[0])

    def _literals(self, text: str) -> str:
        """From where SQL begins, strings and numbers are values of somebody's."""
        start = _SQL.search(text)
        if start is None:
            return text
        before = _COMMENTS.search(text, 0, start.start())
        place = before.start() if before else start.start()
        return text[:place] + _LITERAL.sub(self._literal, text[place:])

    def _literal(self, match: re.Match[str]) -> str:
        if match["number"]:
            return self._token("LITERAL", match["number"])
        kind = next(name for name in ("dollars", "quoted", "text") if match[name] is not None)
        inner = match[kind]
        if not inner or _TOKEN.fullmatch(inner):
            return match[0]
        start, end = (place - match.start() for place in match.span(kind))
        return f"{match[0][:start]}{self._token('LITERAL', self.reveal(inner))}{match[0][end:]}"

    def _token(self, kind: str, value: str) -> str:
        if value not in self._tokens:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            token = f"{kind}_{self._counts[kind]}"
            self._tokens[value], self._values[token] = token, value
        return self._tokens[value]


def _split(
    text: str, pattern: re.Pattern[str] | None, replace: Callable[[re.Match[str]], str | None]
) -> Iterable[tuple[str, bool]]:
    """The text in parts, with whether each was replaced: what stands for a value is not read again."""
    place = 0
    for match in pattern.finditer(text) if pattern else ():
        new = replace(match)
        if new is None:
            continue
        yield text[place : match.start()], False
        yield new, True
        place = match.end()
    yield text[place:], False


_JOINTS = re.compile(r"(?<=[^\W_])[\s._\-]+(?=[^\W_])")


def _plain(name: str) -> str:
    return _JOINTS.sub(" ", name.casefold())


def _pattern(plain: str) -> str:
    return r"[\s._\-]+".join(map(re.escape, _JOINTS.split(plain)))


def _looks_random(word: str) -> bool:
    """Keys mix cases and digits; names, query ids and words do not."""
    classes = (any(c.islower() for c in word), any(c.isupper() for c in word), any(c.isdigit() for c in word))
    return all(classes)


def _walk(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _walk(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_walk(item, change) for item in value]
    return value
