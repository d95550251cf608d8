"""USERS, ROLES, grants and TRUST_CENTER_FINDINGS as they are at the window's end."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tools.demo.generate.beside.chance import uniform
from tools.demo.generate.beside.people import PASSWORD_ALONE, Person, factors, people, user_id
from tools.demo.generate.beside.window import DAY_US, HOUR_US, Window, moments, rows

__all__ = ["snapshots"]

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
    """USERS, ROLES, GRANTS_TO_USERS, GRANTS_TO_ROLES and what the trust center says of them at the window's end."""
    return {
        "USERS": _users(window),
        "ROLES": _roles(window),
        "GRANTS_TO_USERS": _grants_to_users(window),
        "GRANTS_TO_ROLES": _grants_to_roles(window),
        "TRUST_CENTER_FINDINGS": _findings(window),
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
        | {"HAS_MFA": [each.type == "PERSON" and each.name not in PASSWORD_ALONE for each in known]}
        | {"LAST_SUCCESS_LOGIN": moments(last), "HAS_RSA_PUBLIC_KEY": [each.type == "SERVICE" for each in known]}
        | {"DEFAULT_SECONDARY_ROLE": ["ALL" if person else None for person in human]}
        | {"HAS_PAT": False, "HAS_WORKLOAD_IDENTITY": False, "TYPE": [each.type for each in known]},
        len(known),
    )  # fmt: skip


def _has_password(person: Person) -> bool | None:
    """NULL where it does not apply."""
    return None if person.type == "SERVICE" else factors(person)[0] == "PASSWORD"


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


_ACCOUNT = 41_207
_SCANNERS = (
    # Package, scanner, severity, the people it finds
    ("SECURITY_ESSENTIALS", "SECURITY_ESSENTIALS_MFA_REQUIRED_FOR_USERS_CHECK", "CRITICAL", PASSWORD_ALONE),
    ("THREAT_INTELLIGENCE", "THREAT_INTELLIGENCE_NON_MFA_PERSON_USERS", "HIGH", PASSWORD_ALONE),
    ("THREAT_INTELLIGENCE", "THREAT_INTELLIGENCE_LEGACY_SERVICE_USERS", "HIGH", ("BI_SVC", "SALES_BI_SVC")),
    ("CIS_BENCHMARKS", "CIS_BENCHMARKS_CIS1_8", "MEDIUM", _DORMANT),
)
"""What follows from the users: no second factor, services with a password, a user nobody has used for 90 days."""


def _findings(window: Window) -> pa.Table:
    seen = window.until_us // DAY_US * DAY_US + 3 * HOUR_US
    updated = seen if seen < window.until_us else seen - DAY_US
    scanners = [(package, scanner, severity) for package, scanner, severity, found in _SCANNERS if found]
    return rows(
        "TRUST_CENTER_FINDINGS",
        {"ID": _ACCOUNT, "PROVIDER_ID": "SNOWFLAKE", "SCANNER_PACKAGE_ID": [each[0] for each in scanners]}
        | {"SCANNER_ID": [each[1] for each in scanners], "SEVERITY": [each[2] for each in scanners], "STATE": "OPEN"}
        | {"CREATED_ON": (window.first_day - 21) * DAY_US + 3 * HOUR_US, "UPDATED_ON": updated},
        len(scanners),
    )
