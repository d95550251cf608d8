"""From the name a person typed to the exact name in the account, or the nearest ones.

Case, spaces, hyphens and underscores are forgiven where that leaves one candidate; a typo never is: it
becomes UnknownName with the nearest names, for the person to choose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tools.context import UsageReader
from tools.domain import Warehouse
from tools.errors import NoPermission, UnknownName

__all__ = ["find", "live_warehouse", "nearest", "usage_warehouse"]


def _key(name: str) -> str:
    return re.sub(r"[\s_\-]+", "_", name.strip().strip("`'\"“”‘’")).casefold()


def find(kind: str, name: str, known: Sequence[str]) -> str:
    """The one known name meant by `name`: exact first, then without case, spaces, hyphens, underscores.

    Raises:
        UnknownName: none, or more than one (then `nearest` lists them).
    """
    if name in known:
        return name
    same = [k for k in known if _key(k) == _key(name)]
    if len(same) == 1:
        return same[0]
    shown = name if len(name) <= 80 else name[:77] + "..."
    raise UnknownName(kind, shown, same or nearest(name, known), hint="Say which one you mean.")


def nearest(name: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Up to `limit` known names that look like `name`, best first; empty when nothing is close."""
    from rapidfuzz import fuzz, process

    table = {k: _key(k) for k in known}
    hits = process.extract(_key(name)[:255], table, scorer=fuzz.WRatio, limit=limit, score_cutoff=60)
    return tuple(key for _, _, key in hits)


def live_warehouse(reader: UsageReader, name: str) -> Warehouse:
    """The warehouse as SHOW WAREHOUSES has it now.

    Raises:
        NoPermission: it is in ACCOUNT_USAGE but this identity may not see it (the hint is the GRANT).
        UnknownName: it is in neither.
    """
    shown = {w.name: w for w in reader.warehouses()}
    try:
        return shown[find("warehouse", name, tuple(shown))]
    except UnknownName as unknown:
        used = reader.known_warehouses()
        try:
            hidden = find("warehouse", name, used)
        except UnknownName:
            raise UnknownName("warehouse", unknown.name, nearest(name, {*shown, *used}), hint=unknown.hint) from None
        quoted = '"' + hidden.replace('"', '""') + '"'
        raise NoPermission(
            f"Warehouse {hidden} has usage, but its live state is not visible to Frostline's role.",
            hint=f"GRANT MONITOR ON WAREHOUSE {quoted} TO ROLE <reader role>;",
        ) from None


def usage_warehouse(reader: UsageReader, name: str) -> str:
    """The exact name of a warehouse that has usage or exists: enough for questions about the past."""
    known = tuple(dict.fromkeys([*(w.name for w in reader.warehouses()), *reader.known_warehouses()]))
    return find("warehouse", name, known)
