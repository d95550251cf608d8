"""What a role has been granted, by SHOW GRANTS: its own privileges and those of the roles it inherits."""

from __future__ import annotations

from collections.abc import Iterator

from tools.warehouse.failures import Doing
from tools.warehouse.session import ReadSession
from tools.warehouse.statements import quote

__all__ = ["granted"]

_MOST_ROLES = 50


def granted(session: ReadSession, role: str) -> Iterator[tuple[str, str, str]]:
    """(privilege, kind, name), as in (MONITOR, WAREHOUSE, ETL); at most 50 roles are looked through.

    Raises:
        FrostlineError: SHOW GRANTS failed.
    """
    todo, seen = [role], set[str]()
    while todo and len(seen) < _MOST_ROLES:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for row in session.records(f"SHOW GRANTS TO ROLE {quote(name)}", Doing("listing privileges", role=name)):
            kind, privilege = str(row.get("granted_on")).upper(), str(row.get("privilege")).upper()
            yield privilege, kind, str(row.get("name"))
            if kind == "ROLE" and privilege == "USAGE":
                todo.append(str(row.get("name")))
