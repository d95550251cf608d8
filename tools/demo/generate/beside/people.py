"""Users and roles as they are, and who signed in: sessions follow the statements, failures have a life of their own."""

from __future__ import annotations

import csv
import json
import zlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import pyarrow as pa

from tools.demo.generate.beside import statements
from tools.demo.generate.beside.chance import Ints, pick, poisson, uniform, whole
from tools.demo.generate.beside.incidents import incidents
from tools.demo.generate.beside.window import DAY_US, HOUR_US, Window, moments, rows, words

__all__ = ["Person", "histories", "people", "snapshots", "user_id"]

_TASKS = "SYSTEM"
"""Who runs tasks: nobody signs in for that."""
_AUTHN, _SESSION = 9_100_000_000, 7_700_000_000
_FAILED = 9_600_000_000
_SECOND = 1_000_000


@dataclass(frozen=True)
class Person:
    name: str
    type: str
    """PERSON, SERVICE or LEGACY_SERVICE."""
    roles: tuple[str, ...]
    warehouse: str
    client: str
    created_days_ago: int


@dataclass(frozen=True)
class _Client:
    type: str
    version: str
    application: str


_CLIENTS = {
    "web": _Client("SNOWFLAKE_UI", "1.11.2", "Snowflake Web App (Snowsight)"),
    "odbc": _Client("ODBC_DRIVER", "3.5.0", "ODBC 3.5.0"),
    "jdbc": _Client("JDBC_DRIVER", "3.23.1", "JDBC 3.23.1"),
    "python": _Client("PYTHON_DRIVER", "3.15.0", "PythonConnector 3.15.0"),
    "go": _Client("GO_DRIVER", "1.13.3", "Go 1.13.3"),
    "vscode": _Client("JAVASCRIPT_DRIVER", "2.0.4", "JavaScript 2.0.4"),
}
_OLD_DRIVER = {"CLOSE_SVC": "2.7.12"}
"""Out of support, as in most accounts."""
_PASSWORD_ALONE = ("X_LOPEZ",)
"""People without a second factor."""
_UNKNOWN_NAMES = ("ADMIN", "ROOT", "SNOWFLAKE", "TABLEAU", "ETL")
_REASONS = (("390100", "INCORRECT_USERNAME_PASSWORD"), ("390144", "JWT_TOKEN_INVALID"), ("390422", "IP_NOT_ALLOWED"))


@cache
def people() -> tuple[Person, ...]:
    text = resources.files("tools.demo.generate.beside").joinpath("people.csv").read_text(encoding="utf-8")
    return tuple(
        Person(
            row["name"],
            row["type"],
            tuple(row["roles"].split()),
            row["warehouse"],
            row["client"],
            int(row["created_days_ago"]),
        )
        for row in csv.DictReader(text.splitlines())
    )


@cache
def _known() -> dict[str, Person]:
    return {each.name: each for each in people()}


def _person(name: str) -> Person:
    kind = "SERVICE" if name.endswith("_SVC") else "PERSON"
    return _known().get(name, Person(name, kind, (), "", "python" if kind == "SERVICE" else "web", 90))


def user_id(name: str) -> int:
    return 300 + zlib.crc32(name.encode()) % 100_000


def _factors(person: Person) -> tuple[str, str | None]:
    if person.type == "SERVICE":
        return "RSA_KEYPAIR", None
    if person.type == "LEGACY_SERVICE" or person.name in _PASSWORD_ALONE:
        return "PASSWORD", None
    return ("SAML2_ASSERTION", None) if person.client == "web" else ("PASSWORD", "DUO_PASSCODE")


# --- sessions and logins --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Signed:
    """Sessions in order of their time."""

    session: Ints
    event: Ints
    at: Ints
    """Microseconds since 1970."""
    user: Ints
    users: list[str]


def histories(window: Window) -> dict[str, pa.Table]:
    signed = _signed(window)
    good, bad = _good(window, signed), _failures(window)
    events = pa.concat_tables([good, bad])
    return {
        "LOGIN_HISTORY": events.sort_by([("EVENT_TIMESTAMP", "ascending"), ("EVENT_ID", "ascending")]),
        "SESSIONS": _sessions(window, signed),
    }


def _signed(window: Window) -> _Signed:
    """A session is written in the window in which its first statement ended."""
    queries = window.all_queries
    ids, ended = statements.numbers(queries, "SESSION_ID"), statements.moments_of(queries, "END_TIME")
    order = np.lexsort((ended, ids))
    first = order[np.flatnonzero(np.diff(ids[order], prepend=-1))] if len(order) else order
    first = first[window.ends_inside(ended[first])]
    user, names = statements.codes(queries, "USER_NAME")
    started = statements.moments_of(queries, "START_TIME")
    human = np.array([*(name != _TASKS for name in names), False])[user[first]]
    first = first[human]
    lag = 700_000 + whole(window.seed, "session/lag", ids[first], 2_500_000)
    at = started[first] - lag
    by_time = np.lexsort((ids[first], at))
    first, at = first[by_time], at[by_time]
    return _Signed(ids[first], ids[first] - _SESSION + _AUTHN, at, user[first], names)


def _sessions(window: Window, signed: _Signed) -> pa.Table:
    known = [_person(name) for name in signed.users]
    clients = [_CLIENTS[each.client] for each in known]
    user = signed.user
    # The view is 3 h late: no row that it shows may tell of later than now.
    open_for = 60 * _SECOND * (1 + whole(window.seed, "session/length", signed.session, 170))
    service = np.array([each.type != "PERSON" for each in known], dtype=bool)[user]
    environment = [
        json.dumps(
            {"APPLICATION": client.application.split(" ")[0], "OS": "Linux" if each.type != "PERSON" else "Darwin"}
        )
        for each, client in zip(known, clients, strict=True)
    ]
    return rows(
        "SESSIONS",
        {"SESSION_ID": signed.session, "CREATED_ON": signed.at, "USER_NAME": words(user, signed.users)}
        | {"AUTHENTICATION_METHOD": words(user, [_factors(each)[0] for each in known])}
        | {"LOGIN_EVENT_ID": signed.event}
        | {"CLIENT_APPLICATION_VERSION": words(user, [_version(each) for each in known])}
        | {"CLIENT_APPLICATION_ID": words(user, [client.application for client in clients])}
        | {"CLIENT_ENVIRONMENT": words(user, environment)}
        | {"CLIENT_VERSION": words(user, [_version(each) for each in known])}
        | {"ACCESS_TIME": signed.at + np.where(service, open_for // 20, open_for), "IS_OPEN": False}
        | {"CLOSED_REASON": words(service.astype(np.int64), ["SESSION_IDLE_TIMEOUT", "CLIENT_LOGOUT"])},
        len(user),
    )


def _version(person: Person) -> str:
    return _OLD_DRIVER.get(person.name, _CLIENTS[person.client].version)


def _good(window: Window, signed: _Signed) -> pa.Table:
    known = [_person(name) for name in signed.users]
    user = signed.user
    return rows(
        "LOGIN_HISTORY",
        {"EVENT_ID": signed.event, "EVENT_TIMESTAMP": signed.at - 250_000, "EVENT_TYPE": "LOGIN"}
        | {"USER_NAME": words(user, signed.users), "CLIENT_IP": words(user, [_address(each.name) for each in known])}
        | {"REPORTED_CLIENT_TYPE": words(user, [_CLIENTS[each.client].type for each in known])}
        | {"REPORTED_CLIENT_VERSION": words(user, [_version(each) for each in known])}
        | {"FIRST_AUTHENTICATION_FACTOR": words(user, [_factors(each)[0] for each in known])}
        | {"SECOND_AUTHENTICATION_FACTOR": words(user, [_factors(each)[1] for each in known])}
        | {"IS_SUCCESS": "YES", "RELATED_EVENT_ID": 0},
        len(user),
    )


def _address(user: str) -> str:
    number = zlib.crc32(user.encode())
    return f"10.{20 + number % 4}.{number // 4 % 250}.{number // 1000 % 250 + 2}"


def _failures(window: Window) -> pa.Table:
    """People mistype now and then, a service's key expires; in an incident one address tries many names."""
    hours = window.touched_hours
    busy = window.office(hours)
    known = people()
    humans = [n for n, each in enumerate(known) if each.type == "PERSON"]
    services = [n for n, each in enumerate(known) if each.type != "PERSON"]
    rate = {"people": (humans, 1.1 * busy, 0), "services": (services, np.full(len(hours), 0.02), 1)}
    parts = []
    for number, (stream, (who, mean, reason)) in enumerate(rate.items()):
        count = poisson(window.seed, f"failed/{stream}", hours, mean)
        hour, place = _each(hours, count)
        key = hour * 10_000 + place * 3 + number
        user = np.array(who)[whole(window.seed, f"failed/{stream}/who", key, len(who))]
        parts.append((key, hour, user, np.full(len(key), reason), np.full(len(key), -1)))
    attack = incidents(window.seed, window.first_day, window.until_us // DAY_US + 1)
    attack = [each for each in attack if each.kind == "login_failures"]
    for n, each in enumerate(attack):
        mean = np.where((hours >= each.start) & (hours < each.end), each.size, 0.0)
        hour, place = _each(hours, poisson(window.seed, f"failed/attack/{n}", hours, mean))
        key = hour * 10_000 + place * 3 + 2
        user = whole(window.seed, "failed/attack/who", key, len(known) + len(_UNKNOWN_NAMES))
        parts.append((key, hour, user, np.zeros(len(key), dtype=np.int64), np.full(len(key), n)))
    columns = [np.concatenate([part[column] for part in parts]) for column in range(5)]
    return _failed_rows(window, *columns, addresses=[each.object for each in attack])


def _each(hours: Ints, count: Ints) -> tuple[Ints, Ints]:
    """The hour of every event, and its number within the hour."""
    return np.repeat(hours, count), np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)


def _failed_rows(
    window: Window, key: Ints, hour: Ints, user: Ints, reason: Ints, source: Ints, *, addresses: list[str]
) -> pa.Table:
    at = hour * HOUR_US + (uniform(window.seed, "failed/at", key) * HOUR_US).astype(np.int64)
    inside = np.flatnonzero(window.ends_inside(at))
    key, at, user, reason, source = (column[inside] for column in (key, at, user, reason, source))
    known = people()
    names = [*(each.name for each in known), *_UNKNOWN_NAMES]
    own = [*(_address(each.name) for each in known), *("" for _ in _UNKNOWN_NAMES)]
    foreign = source >= 0
    usual = [*(_CLIENTS[each.client] for each in known), *(_CLIENTS["web"] for _ in _UNKNOWN_NAMES)]
    attacker = _CLIENTS["odbc"]
    factor = [*(_factors(each)[0] for each in known), *("PASSWORD" for _ in _UNKNOWN_NAMES)]
    # Some failures of people come from an address that the network policy does not know.
    elsewhere = ~foreign & (reason == 0) & (pick(window.seed, "failed/elsewhere", key, (0.9, 0.1)) == 1)
    reason = np.where(elsewhere, 2, reason)
    return rows(
        "LOGIN_HISTORY",
        {"EVENT_ID": key + _FAILED, "EVENT_TIMESTAMP": at, "EVENT_TYPE": "LOGIN"}
        | {"USER_NAME": words(user, names)}
        | {"CLIENT_IP": words(np.where(foreign, len(own) + source, user), own + addresses)}
        | {"REPORTED_CLIENT_TYPE": _either(foreign, user, [each.type for each in usual], attacker.type)}
        | {"REPORTED_CLIENT_VERSION": _either(foreign, user, [each.version for each in usual], "3.0.1")}
        | {"FIRST_AUTHENTICATION_FACTOR": _either(foreign, user, factor, "PASSWORD")}
        | {"IS_SUCCESS": "NO", "RELATED_EVENT_ID": 0}
        | {"ERROR_CODE": np.array([int(code) for code, _ in _REASONS])[reason]}
        | {"ERROR_MESSAGE": words(reason, [message for _, message in _REASONS])},
        len(at),
    )


def _either(foreign: statements.Bools, user: Ints, usual: list[str], other: str) -> pa.Array:
    return words(np.where(foreign, len(usual), user), [*usual, other])


# --- users, roles, grants -----------------------------------------------------------------------------------------


_SYSTEM_ROLES = ("ACCOUNTADMIN", "SECURITYADMIN", "SYSADMIN", "USERADMIN", "PUBLIC")
_DORMANT = ("Z_FORMER",)
"""Has left the company, still has a user and a role."""
_OPENS = {
    "ANALYST": ("ANALYTICS", "RAW"),
    "REPORTER": ("ANALYTICS",),
    "TRANSFORMER": ("RAW", "ANALYTICS"),
    "LOADER": ("RAW",),
    "EVENTS": ("EVENTS",),
    "SCIENTIST": ("SCIENCE", "ANALYTICS"),
    "FINANCE": ("FINANCE",),
    "APP": ("APP", "ANALYTICS"),
    "HR": ("HR",),
    "DEVELOPER": ("DEV", "RAW"),
    "MARKETING": ("ANALYTICS", "EVENTS"),
    "SALES": ("ANALYTICS",),
}


def snapshots(window: Window) -> dict[str, pa.Table]:
    """USERS, ROLES, GRANTS_TO_USERS and GRANTS_TO_ROLES as they are at the window's end."""
    return {
        "USERS": _users(window),
        "ROLES": _roles(window),
        "GRANTS_TO_USERS": _grants_to_users(window),
        "GRANTS_TO_ROLES": _grants_to_roles(window),
    }


def _born(window: Window, days_ago: int) -> int:
    return (window.first_day - days_ago) * DAY_US + 16 * HOUR_US


def _users(window: Window) -> pa.Table:
    known = people()
    place = np.arange(len(known))
    back = uniform(window.seed, "last login", place * 100_000 + window.until_us // DAY_US)
    human = [each.type == "PERSON" for each in known]
    last: list[int | None] = [
        _last_login(window, each, float(share)) for each, share in zip(known, back.tolist(), strict=True)
    ]
    return rows(
        "USERS",
        {"USER_ID": np.array([user_id(each.name) for each in known]), "NAME": [each.name for each in known]}
        | {"CREATED_ON": np.array([_born(window, each.created_days_ago) for each in known])}
        | {"LOGIN_NAME": [each.name for each in known], "DISPLAY_NAME": [each.name.title() for each in known]}
        | {"EMAIL": [f"{each.name.lower()}@northpeak.example" if each.type == "PERSON" else None for each in known]}
        | {"HAS_PASSWORD": [_has_password(each) for each in known]}
        | {"MUST_CHANGE_PASSWORD": False, "DISABLED": "false", "SNOWFLAKE_LOCK": "false"}
        | {"DEFAULT_WAREHOUSE": [each.warehouse or None for each in known]}
        | {"DEFAULT_ROLE": [each.roles[0] for each in known], "OWNER": "USERADMIN"}
        | {"HAS_MFA": [each.type == "PERSON" and each.name not in _PASSWORD_ALONE for each in known]}
        | {"LAST_SUCCESS_LOGIN": moments(last), "HAS_RSA_PUBLIC_KEY": [each.type == "SERVICE" for each in known]}
        | {"DEFAULT_SECONDARY_ROLE": ["ALL" if person else None for person in human]}
        | {"HAS_PAT": False, "HAS_WORKLOAD_IDENTITY": False, "TYPE": [each.type for each in known]},
        len(known),
    )  # fmt: skip


def _has_password(person: Person) -> bool | None:
    """NULL where it does not apply."""
    return None if person.type == "SERVICE" else _factors(person)[0] == "PASSWORD"


def _last_login(window: Window, person: Person, share: float) -> int | None:
    if person.name in _DORMANT:
        return (window.first_day - 96) * DAY_US
    if person.name == "ACCOUNT_OWNER":
        return None
    reach = DAY_US if person.type == "PERSON" else HOUR_US
    return window.until_us - int(share * reach)


def _roles(window: Window) -> pa.Table:
    names = [*_SYSTEM_ROLES, *sorted(_custom_roles())]
    custom = [name not in _SYSTEM_ROLES for name in names]
    return rows(
        "ROLES",
        {"ROLE_ID": np.arange(len(names)) + 7, "NAME": names, "ROLE_TYPE": "ROLE"}
        | {"CREATED_ON": np.full(len(names), _born(window, 660))}
        | {"OWNER": ["USERADMIN" if own else None for own in custom], "COMMENT": ""}
        | {"OWNER_ROLE_TYPE": ["ROLE" if own else None for own in custom]}
        | {"IS_FROM_ORGANIZATION_USER_GROUP": False},
        len(names),
    )


def _custom_roles() -> set[str]:
    roles = {role for each in people() for role in each.roles} | {"TASKS"}
    return roles - set(_SYSTEM_ROLES)


def _grants_to_users(window: Window) -> pa.Table:
    pairs = [(role, each) for each in people() for role in each.roles]
    return rows(
        "GRANTS_TO_USERS",
        {"CREATED_ON": np.array([_born(window, each.created_days_ago) for _, each in pairs])}
        | {"ROLE": [role for role, _ in pairs], "GRANTED_TO": "USER"}
        | {"GRANTEE_NAME": [each.name for _, each in pairs], "GRANTED_BY": "USERADMIN"},
        len(pairs),
    )


def _grants_to_roles(window: Window) -> pa.Table:
    """Privilege, kind of object, object, receiving role: warehouses, databases, and each role to SYSADMIN."""
    alive = {each.name: each for each in window.beside.warehouses}
    grants = {
        ("USAGE", "WAREHOUSE", each.warehouse, role)
        for each in people()
        for role in each.roles
        if each.warehouse in alive and role not in _SYSTEM_ROLES
    }
    grants |= {("OWNERSHIP", "WAREHOUSE", name, each.owner) for name, each in alive.items() if each.owner}
    grants |= {("USAGE", "DATABASE", name, role) for role, names in _OPENS.items() for name in names}
    grants |= {("USAGE", "ROLE", role, "SYSADMIN") for role in _custom_roles()}
    listed = sorted(grants)
    born = _born(window, 600)
    return rows(
        "GRANTS_TO_ROLES",
        {"CREATED_ON": np.full(len(listed), born), "MODIFIED_ON": np.full(len(listed), born)}
        | {"PRIVILEGE": [each[0] for each in listed], "GRANTED_ON": [each[1] for each in listed]}
        | {"NAME": [each[2] for each in listed], "GRANTED_TO": "ACCOUNT ROLE", "GRANTEE_NAME": [g[3] for g in listed]}
        | {"GRANT_OPTION": False, "GRANTED_BY": "SYSADMIN", "GRANTED_BY_ROLE_TYPE": "ROLE"},
        len(listed),
    )
