"""LOGIN_HISTORY and SESSIONS: sessions follow the statements, failures have a life of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tools.demo.generate.beside import statements
from tools.demo.generate.beside.chance import Ints, pick, poisson, uniform, whole
from tools.demo.generate.beside.incidents import incidents
from tools.demo.generate.beside.people import CLIENTS, address, factors, people, person, version
from tools.demo.generate.beside.window import DAY_US, HOUR_US, Window, rows, words

__all__ = ["histories"]

_TASKS = "SYSTEM"
"""Who runs tasks: nobody signs in for that."""
_AUTHN, _SESSION = 9_100_000_000, 7_700_000_000
_FAILED = 9_600_000_000
_SECOND = 1_000_000
_UNKNOWN_NAMES = ("ADMIN", "ROOT", "SNOWFLAKE", "TABLEAU", "ETL")
_REASONS = (("390100", "INCORRECT_USERNAME_PASSWORD"), ("390144", "JWT_TOKEN_INVALID"), ("390422", "IP_NOT_ALLOWED"))


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
    known = [person(name) for name in signed.users]
    clients = [CLIENTS[each.client] for each in known]
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
        | {"AUTHENTICATION_METHOD": words(user, [factors(each)[0] for each in known])}
        | {"LOGIN_EVENT_ID": signed.event}
        | {"CLIENT_APPLICATION_VERSION": words(user, [version(each) for each in known])}
        | {"CLIENT_APPLICATION_ID": words(user, [client.application for client in clients])}
        | {"CLIENT_ENVIRONMENT": words(user, environment)}
        | {"CLIENT_VERSION": words(user, [version(each) for each in known])}
        | {"ACCESS_TIME": signed.at + np.where(service, open_for // 20, open_for), "IS_OPEN": False}
        | {"CLOSED_REASON": words(service.astype(np.int64), ["SESSION_IDLE_TIMEOUT", "CLIENT_LOGOUT"])},
        len(user),
    )


def _good(window: Window, signed: _Signed) -> pa.Table:
    known = [person(name) for name in signed.users]
    user = signed.user
    return rows(
        "LOGIN_HISTORY",
        {"EVENT_ID": signed.event, "EVENT_TIMESTAMP": signed.at - 250_000, "EVENT_TYPE": "LOGIN"}
        | {"USER_NAME": words(user, signed.users), "CLIENT_IP": words(user, [address(each.name) for each in known])}
        | {"REPORTED_CLIENT_TYPE": words(user, [CLIENTS[each.client].type for each in known])}
        | {"REPORTED_CLIENT_VERSION": words(user, [version(each) for each in known])}
        | {"FIRST_AUTHENTICATION_FACTOR": words(user, [factors(each)[0] for each in known])}
        | {"SECOND_AUTHENTICATION_FACTOR": words(user, [factors(each)[1] for each in known])}
        | {"IS_SUCCESS": "YES", "RELATED_EVENT_ID": 0},
        len(user),
    )


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
    own = [*(address(each.name) for each in known), *("" for _ in _UNKNOWN_NAMES)]
    foreign = source >= 0
    usual = [*(CLIENTS[each.client] for each in known), *(CLIENTS["web"] for _ in _UNKNOWN_NAMES)]
    attacker = CLIENTS["odbc"]
    factor = [*(factors(each)[0] for each in known), *("PASSWORD" for _ in _UNKNOWN_NAMES)]
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
