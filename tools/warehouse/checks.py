"""What `frostline doctor` asks of the two identities. Looks only: no probe changes anything, nor tries to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tools.errors import FrostlineError, NoPermission
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.connect import connect
from tools.warehouse.failures import Doing, NoCompute
from tools.warehouse.privileges import granted
from tools.warehouse.queries import bind
from tools.warehouse.rows import frame_of
from tools.warehouse.session import ReadSession
from tools.warehouse.views import VIEWS, View

__all__ = ["Check", "probe_keys", "probe_reader", "probe_same_account", "probe_writer"]

_CHANGES = frozenset({"MODIFY", "OPERATE", "OWNERSHIP", "MANAGE WAREHOUSES"})


@dataclass(frozen=True)
class Check:
    """One thing looked at. `ok` is None where the account does not let it be told; `fix` says what to do."""

    name: str
    ok: bool | None
    detail: str
    fix: str | None = None


def probe_reader(config: ConnectionConfig) -> list[Check]:
    """Sign-in, role, secondary roles, time zone, each usage view, SHOW, and that it can change nothing."""
    with _Probe(config, "reader") as probe:
        checks = [probe.sign_in()]
        if checks[0].ok:
            checks += [probe.secondary_roles(), probe.time_zone()]
            checks += [probe.readable(view) for view in VIEWS.values()]
            checks += [probe.shown(), probe.cannot_change()]
        return checks


def probe_writer(config: ConnectionConfig) -> list[Check]:
    """Sign-in, role, secondary roles, SHOW, and that it cannot read what people ran."""
    with _Probe(config, "writer") as probe:
        checks = [probe.sign_in()]
        if checks[0].ok:
            checks += [probe.secondary_roles(), probe.shown(), probe.cannot_read()]
        return checks


def probe_keys(config: ConnectionConfig, name: str) -> list[Check]:
    """Each key alone, while keys change: the next one, and whether the first can go; nothing where there is one key."""
    if config.next_private_key_file is None or config.private_key_file is None:
        return []
    first = {"next_private_key_file": None, "next_private_key_passphrase": None}
    second = {
        "private_key_file": config.next_private_key_file,
        "private_key_passphrase": config.next_private_key_passphrase or config.private_key_passphrase,
    }
    return [_key_works(config.model_copy(update=key), name) for key in (first, first | second)]


def _key_works(config: ConnectionConfig, name: str) -> Check:
    assert config.private_key_file is not None
    what = f"{name}: key {config.private_key_file.name}"
    try:
        connect(config, query_tag={"component": "doctor"}).close()
    except FrostlineError as error:
        return Check(what, None, f"does not sign in: {error.message}", error.hint)
    return Check(what, True, "signs in")


def probe_same_account(reader: ConnectionConfig, writer: ConnectionConfig) -> list[Check]:
    """Whether both identities are signed in to one account, as Snowflake itself names it."""
    what = "account of both"
    try:
        with _Probe(reader, "reader") as one, _Probe(writer, "writer") as two:
            names = [one.account_name(), two.account_name()]
    except FrostlineError as error:
        return [Check(what, None, error.message, error.hint)]
    if names[0] == names[1]:
        return [Check(what, True, f"{names[0]}, for reader and writer")]
    fix = "A plan is made from what the reader sees: give both identities the same account."
    return [Check(what, False, f"the reader is in {names[0]}, the writer in {names[1]}", fix)]


class _Probe:
    def __init__(self, config: ConnectionConfig, name: str) -> None:
        self._config = config
        self._name = name
        self._role = config.role
        self._session = ReadSession(config, query_tag={"component": "doctor"}, attempts=1)

    def __enter__(self) -> _Probe:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def _check(self, what: str, look: Callable[[], Check]) -> Check:
        try:
            return look()
        except FrostlineError as error:
            return Check(f"{self._name}: {what}", None, error.message, error.hint)

    def _made(self, what: str, ok: bool, detail: str, fix: str | None = None) -> Check:
        return Check(f"{self._name}: {what}", ok, detail, None if ok else fix)

    def _cell(self, name: str, column: str) -> str:
        bound = bind(name, {})
        table, _ = self._session.table(bound.text, bound.params, Doing(f"checking {name}", role=self._role))
        return str(frame_of(table)[column].iloc[0])

    def account_name(self) -> str:
        """
        Raises:
            FrostlineError: the sign-in or the question failed.
        """
        return f"{self._cell('which_account', 'organization_name')}.{self._cell('which_account', 'account_name')}"

    def sign_in(self) -> Check:
        try:
            role = self._cell("who", "role_name")
        except FrostlineError as error:
            return Check(f"{self._name}: sign-in", False, error.message, error.hint)
        wanted = self._config.role
        self._role = role
        ok = wanted is None or wanted.strip('"').upper() == role.upper()
        found = f"{self._config.shown}: role {role}, by {self._config.way}"
        return self._made("sign-in", ok, found, f"GRANT ROLE {wanted} to the user.")

    def secondary_roles(self) -> Check:
        def look() -> Check:
            text = self._cell("secondary_roles", "roles")
            off = '"roles":""' in text.replace(" ", "") or text in ("", "None")
            return self._made(
                "secondary roles",
                off,
                "off" if off else "on: they widen what this identity may do",
                "ALTER USER <user> SET DEFAULT_SECONDARY_ROLES = ();",
            )

        return self._check("secondary roles", look)

    def time_zone(self) -> Check:
        def look() -> Check:
            rows = self._session.records("SHOW PARAMETERS LIKE 'TIMEZONE' IN SESSION", Doing("checking the time zone"))
            zone = str(rows[0]["value"]) if rows else "not set"
            return self._made("time zone", zone.upper() in ("UTC", "ETC/UTC"), f"the session is in {zone}")

        return self._check("time zone", look)

    def readable(self, view: View) -> Check:
        what = f"view {view.name}"
        since = datetime.now(UTC) - timedelta(days=1)
        by_day = view.columns[view.start] == "D"
        parts = {"view": view.name, "start": view.start}
        bound = bind("readable", {"since": since.date() if by_day else since}, parts)
        try:
            self._session.table(
                bound.text, bound.params, Doing(f"reading {view.name}", role=self._role, views=bound.views)
            )
        except FrostlineError as error:
            return Check(f"{self._name}: {what}", False, error.message, error.hint)
        return self._made(what, True, "readable")

    def shown(self) -> Check:
        def look() -> Check:
            rows = self._session.records("SHOW WAREHOUSES", Doing("showing warehouses", role=self._role))
            fix = f"GRANT MONITOR ON WAREHOUSE <each> TO ROLE {self._role};"
            return self._made("warehouses", bool(rows), f"SHOW sees {len(rows)}", fix)

        return self._check("warehouses", look)

    def cannot_change(self) -> Check:
        def look() -> Check:
            found = list(self._changing_grants())
            detail = "no privilege that changes a warehouse" if not found else "may change: " + ", ".join(found[:5])
            fix = f"REVOKE MODIFY, OPERATE ON WAREHOUSE <each> FROM ROLE {self._role};"
            return self._made("cannot change", not found, detail, fix)

        return self._check("cannot change", look)

    def _changing_grants(self) -> Iterator[str]:
        """Privileges that would let this role change a warehouse, its own and inherited ones."""
        for privilege, kind, name in granted(self._session, str(self._role)):
            if kind in ("WAREHOUSE", "ACCOUNT") and privilege in _CHANGES:
                yield f"{privilege} on {name}"

    def cannot_read(self) -> Check:
        view = VIEWS["QUERY_HISTORY"]
        bound = bind("readable", {"since": datetime.now(UTC)}, {"view": view.name, "start": view.start})
        try:
            self._session.table(bound.text, bound.params, Doing("checking what the writer may read", role=self._role))
        except NoCompute as error:
            return Check(f"{self._name}: reads no usage", None, error.message)
        except NoPermission:
            return self._made("reads no usage", True, "QUERY_HISTORY is closed to it")
        except FrostlineError as error:
            return Check(f"{self._name}: reads no usage", None, error.message, error.hint)
        fix = f"REVOKE DATABASE ROLE SNOWFLAKE.{view.database_role} FROM ROLE {self._role};"
        return self._made("reads no usage", False, "it can read QUERY_HISTORY: more than it needs", fix)
