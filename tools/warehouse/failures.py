"""What the connector raises, in the terms of tools.errors; classified by errno and not by class (reference 3.6, 4).

Snowflake's own text may quote parts of the statement, names and literals: it is not repeated. Messages here
are our own words; of an error that is not known only the text outside of quotes is kept, shortened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tools.errors import (
    BadSettings,
    Bug,
    FrostlineError,
    NoPermission,
    StatementFailed,
    StatementTimedOut,
    Unreachable,
)
from tools.warehouse.views import VIEWS

if TYPE_CHECKING:
    from snowflake.connector.errors import Error

__all__ = [
    "Doing",
    "NoCompute",
    "RefusedKey",
    "Retry",
    "errno_of",
    "grant_for",
    "is_line_fault",
    "retry_kind",
    "scrub",
    "translate",
]

Retry = Literal["reconnect", "later", "never"]

_SESSION_GONE = frozenset({390111, 390112, 390114, 250002})
_WRONG_SIGN_IN = frozenset({251001, 251005, 251006, 251007, 251008, 251010, 390100, 390144})
_HTTP_BASE = 290_000
_NOT_YOURS = frozenset({2003, 3001, 2043})
_TRANSIENT_SERVER = frozenset({603, 625})
_NOT_UP = {
    608: "The warehouse is suspended and does not resume by itself.",
    90063: "The warehouse is not suspended, so it cannot be resumed.",
    90064: "The warehouse cannot be suspended in its present state.",
    90073: "The warehouse cannot be resumed: its resource monitor has used up its quota.",
}


_NO_PROVIDER = {
    250_006: "The identity provider gave no token: check client id, client secret and scope.",
    251_015: "The sign-in at the identity provider was not finished.",
    251_016: "Nobody signed in at the browser in time.",
}
_TOKENS = {
    390_303: "The OAuth token is not valid, or not for this user and role.",
    390_318: "The OAuth token has run out: a new one is needed.",
}


class RefusedKey(BadSettings):
    """Snowflake does not take this key pair; another key may do."""


class NoCompute(NoPermission):
    """No warehouse to run the query on: says nothing about whether the view itself is open."""


@dataclass(frozen=True)
class Doing:
    """What was being done, for the message and the GRANT that would help."""

    what: str
    """In words: "reading QUERY_HISTORY", "showing warehouses", or the identity when signing in."""
    role: str | None = None
    views: tuple[str, ...] = ()
    warehouse: str | None = None
    """Quoted."""
    privilege: str | None = None
    signing_in: bool = False


def errno_of(error: Error) -> int:
    """The error number; -1 where there is none.

    The connector may hand out login errors as text, and HTTP errors that its retries gave up on with their base
    of 290000 added twice (4.8.1: a 503 arrives as 580503).
    """
    try:
        number = int(getattr(error, "errno", -1))
    except (TypeError, ValueError):
        return -1
    return number - _HTTP_BASE if 2 * _HTTP_BASE <= number < 2 * _HTTP_BASE + 1000 else number


def retry_kind(error: Error) -> Retry:
    """May a READ be tried again? The table of reference 4; a write never is."""
    number = errno_of(error)
    if number in _SESSION_GONE:
        return "reconnect"
    if number in _TRANSIENT_SERVER or number in (250001, 250003, 251011, 251012, 252010) or number == 290429:
        return "later"
    return "later" if 290_500 <= number < 290_600 else "never"


def is_line_fault(error: BaseException | None) -> bool:
    """Whether it is about the way to Snowflake, so that trying again for a while is worth it."""
    number = errno_of(error) if error is not None else -1
    return number in (250_001, 250_003, 251_011) or 290_000 <= number < 291_000


def translate(error: Error, doing: Doing) -> FrostlineError:
    """The error to raise instead; never carries the connector's own (chained text could hold the statement)."""
    number = errno_of(error)
    if number in _WRONG_SIGN_IN or _is_about_the_key(number):
        return _wrong_sign_in(number, doing)
    if doing.signing_in and (words := _of_provider(error, number)):
        return words
    if number in _SESSION_GONE or _is_network(number):
        return Unreachable(
            f"Snowflake does not answer ({doing.what}).",
            hint="Check the network, the account's name and host, and that the service is up; then try again.",
        )
    if doing.signing_in and number < 0:  # the connector's own look at connections.toml and its arguments
        return BadSettings(f"The Snowflake connection cannot be used ({doing.what}): {scrub(error.raw_msg)}")
    if doing.signing_in or 390_000 <= number < 400_000:
        return BadSettings(
            f"Snowflake refused the sign-in of {doing.what}: {scrub(error.raw_msg)}",
            hint=f"Check that the user may use role {doing.role}." if doing.role else None,
        )
    return _of_statement(error, number, doing)


def _is_about_the_key(number: int) -> bool:
    return number in (390_144, 251_010) or 394_300 <= number <= 394_399


def _of_provider(error: Error, number: int) -> FrostlineError | None:
    """What OAuth's token endpoint is to blame for; the connector reports it under numbers of network errors."""
    if number in _NO_PROVIDER:
        return BadSettings(_NO_PROVIDER[number])
    if number in _TOKENS:
        return BadSettings(f"Snowflake refused the sign-in ({number}).", hint=_TOKENS[number])
    if number == 250_003 and "OAuth" in (error.raw_msg or ""):
        return Unreachable("The identity provider's token endpoint does not answer.", hint="Check oauth.token_url.")
    return None


def _is_network(number: int) -> bool:
    return (
        number == 290_429 or 250_000 <= number < 252_000 or number in (252_007, 252_010) or 290_000 <= number < 300_000
    )


def _wrong_sign_in(number: int, doing: Doing) -> BadSettings:
    hints = {
        390100: "The user name or the password is wrong.",
        390144: "The key does not belong to this user, or this machine's clock is off.",
        251008: "The private key cannot be used.",
    }
    kind = RefusedKey if _is_about_the_key(number) else BadSettings
    return kind(f"Snowflake refused the sign-in of {doing.what} ({number}).", hint=hints.get(number))


def _of_statement(error: Error, number: int, doing: Doing) -> FrostlineError:
    if number in _NOT_YOURS:
        return NoPermission(f"Snowflake says no, or that it does not exist ({doing.what}).", hint=grant_for(doing))
    if number == 606:
        return NoCompute(
            "There is no warehouse to run the query on, or the role may not use it.",
            hint=f"Set `warehouse` of the connection, and: GRANT USAGE ON WAREHOUSE <it> TO ROLE {_role(doing)};",
        )
    if number in (604, 630):
        words = "reached its time limit" if number == 630 else "was cancelled"
        return StatementTimedOut(
            f"The statement {words} ({doing.what}).",
            errno=number,
            sqlstate=error.sqlstate,
            query_id=error.sfqid,
            hint="Ask for a shorter window or fewer groups." if number == 630 else None,
        )
    if number in (1003, 904):
        return Bug(f"Frostline sent a statement that Snowflake cannot read ({number}, {doing.what}).")
    words = _NOT_UP.get(number) or f"Snowflake refused a statement ({doing.what}): {scrub(error.raw_msg)}"
    return StatementFailed(words, errno=number, sqlstate=error.sqlstate, query_id=error.sfqid)


def grant_for(doing: Doing) -> str | None:
    """The GRANT lines that open what was being done; None where no one line would."""
    role = _role(doing)
    roles = dict.fromkeys(VIEWS[name].database_role for name in doing.views if name in VIEWS)
    if roles:
        return " ".join(f"GRANT DATABASE ROLE SNOWFLAKE.{name} TO ROLE {role};" for name in roles)
    if doing.warehouse is not None:
        return f"GRANT {doing.privilege or 'MONITOR'} ON WAREHOUSE {doing.warehouse} TO ROLE {role};"
    return None


def _role(doing: Doing) -> str:
    return doing.role or "<role>"


_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_SECRET = re.compile(r"(?i)\b(password|token|secret|passphrase|authorization)\b\s*[:=]?\s*\S+")


def scrub(text: str | None) -> str:
    """One short line without anything that stood in quotes (names, literals) or looks like a secret."""
    first = next(iter((text or "").strip().splitlines()), "") or "no reason given"
    plain = _SECRET.sub(r"\1 ...", _QUOTED.sub("(...)", first))
    plain = re.split("['\"]", plain, maxsplit=1)[0].strip()  # an open quote: the rest is somebody's text
    return plain if len(plain) <= 160 else plain[:157] + "..."
