"""Every error Frostline raises on purpose, in one tree.

FrostlineError
|-- CallerError             whoever called can mend it: other arguments, another name, another file
|   |-- BadArgument         a value that cannot be used; the message says which and what would do
|   |-- UnknownName         a warehouse, user, ... that does not exist; carries the nearest names
|   |-- BadImport           an exported account that cannot be read; carries file, column and row
|   `-- BadSettings         a profile, policy or connection setting that cannot be used
|-- Refused                 final: policy, role or state says no; other arguments will not help
|   |-- NoPermission        Snowflake says no; the hint holds the GRANT that would help
|   |-- NotAllowed          policy says no (role, protected warehouse, change window, limit, two people)
|   |-- PlanConflict        the plan is not in the state this needs (expired, stale, decided, digest differs)
|   `-- ChannelRefused      the channel we speak through (Slack) says no to a call
|-- StatementFailed         Snowflake refused or aborted one statement (errno, sqlstate, query id)
|   `-- StatementTimedOut   ... because it ran longer than its time limit
|-- Unreachable             what is needed does not answer: network, login, demo server, store
|-- OutcomeUnknown          a write ended in a network error: it may or may not have happened
`-- Bug                     our own fault; never shown as the caller's mistake

Three questions decide the branch: can the caller mend it (CallerError), is it final (Refused), or is it
ours (Bug)? `code` is stable and machine-readable, `message` is for people and free of secrets and query
text, `hint` says what to do next. `exit_code` is the command line's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

__all__ = [
    "AlreadySo",
    "BadArgument",
    "BadImport",
    "BadSettings",
    "Bug",
    "CallerError",
    "ChannelRefused",
    "FrostlineError",
    "NoPermission",
    "NotAllowed",
    "OutcomeUnknown",
    "PlanConflict",
    "Refused",
    "StatementFailed",
    "StatementTimedOut",
    "UnknownName",
    "Unreachable",
]


class FrostlineError(Exception):
    """Root of the tree; never raised itself."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_json(self) -> dict[str, str | None]:
        """The `error` object of the command line's JSON."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class CallerError(FrostlineError):
    code = "bad_request"
    exit_code = 2


class BadArgument(CallerError):
    code = "bad_argument"


class UnknownName(CallerError):
    """A name that nothing in the account carries; `nearest` is best first and may be empty."""

    code = "unknown_name"

    def __init__(self, kind: str, name: str, nearest: Sequence[str] = (), *, hint: str | None = None) -> None:
        self.kind = kind
        self.name = name
        self.nearest = tuple(nearest)
        close = f" Close to it: {', '.join(self.nearest)}." if self.nearest else ""
        super().__init__(f"There is no {kind} named {name!r}.{close}", hint=hint)


class BadImport(CallerError):
    code = "bad_import"

    def __init__(
        self, message: str, *, file: str, column: str | None = None, row: int | None = None, hint: str | None = None
    ) -> None:
        self.file, self.column, self.row = file, column, row
        where = file + (f", column {column}" if column else "") + (f", row {row}" if row is not None else "")
        super().__init__(f"{where}: {message}", hint=hint)


class BadSettings(CallerError):
    code = "bad_settings"


class Refused(FrostlineError):
    code = "refused"
    exit_code = 3


class AlreadySo(Refused):
    """A change that would change nothing."""


class NoPermission(Refused):
    code = "no_permission"


class NotAllowed(Refused):
    """`rule` names the policy rule that decided."""

    code = "not_allowed"

    def __init__(self, message: str, *, rule: str, hint: str | None = None) -> None:
        self.rule = rule
        super().__init__(message, hint=hint)


class PlanConflict(Refused):
    """`reason` is one of: not_found, digest, expired, stale, state, ambiguous."""

    code = "plan_conflict"

    def __init__(self, message: str, *, reason: str, hint: str | None = None) -> None:
        self.reason = reason
        super().__init__(message, hint=hint)


class ChannelRefused(Refused):
    """`reason` is the channel's own code, e.g. Slack's `not_in_channel`, `missing_scope`, `ratelimited`."""

    code = "channel_refused"

    def __init__(self, message: str, *, reason: str, hint: str | None = None) -> None:
        self.reason = reason
        super().__init__(message, hint=hint)


class StatementFailed(FrostlineError):
    code = "statement_failed"

    def __init__(
        self,
        message: str,
        *,
        errno: int | None = None,
        sqlstate: str | None = None,
        query_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.errno, self.sqlstate, self.query_id = errno, sqlstate, query_id
        super().__init__(message, hint=hint)


class StatementTimedOut(StatementFailed):
    code = "statement_timed_out"


class Unreachable(FrostlineError):
    code = "unreachable"
    exit_code = 4


class OutcomeUnknown(FrostlineError):
    code = "outcome_unknown"


class Bug(FrostlineError):
    code = "bug"
