"""The users of the demo account and how they sign in."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = [
    "CLIENTS",
    "PASSWORD_ALONE",
    "Client",
    "Person",
    "address",
    "factors",
    "people",
    "person",
    "user_id",
    "version",
]


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
class Client:
    type: str
    version: str
    application: str


CLIENTS = {
    "web": Client("SNOWFLAKE_UI", "1.11.2", "Snowflake Web App (Snowsight)"),
    "odbc": Client("ODBC_DRIVER", "3.5.0", "ODBC 3.5.0"),
    "jdbc": Client("JDBC_DRIVER", "3.23.1", "JDBC 3.23.1"),
    "python": Client("PYTHON_DRIVER", "3.15.0", "PythonConnector 3.15.0"),
    "go": Client("GO_DRIVER", "1.13.3", "Go 1.13.3"),
    "vscode": Client("JAVASCRIPT_DRIVER", "2.0.4", "JavaScript 2.0.4"),
}
_OLD_DRIVER = {"CLOSE_SVC": "2.7.12"}
"""Out of support, as in most accounts."""
PASSWORD_ALONE = ("X_LOPEZ",)
"""People without a second factor."""


@cache
def people() -> tuple[Person, ...]:
    """Everybody who has a user, as people.csv lists them."""
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


def person(name: str) -> Person:
    """That user; one who is not listed is taken for what the name says."""
    kind = "SERVICE" if name.endswith("_SVC") else "PERSON"
    return _known().get(name, Person(name, kind, (), "", "python" if kind == "SERVICE" else "web", 90))


def user_id(name: str) -> int:
    """USER_ID: the same wherever a view names the user by number."""
    return 300 + zlib.crc32(name.encode()) % 100_000


def factors(person: Person) -> tuple[str, str | None]:
    """First and second authentication factor, as LOGIN_HISTORY names them."""
    if person.type == "SERVICE":
        return "RSA_KEYPAIR", None
    if person.type == "LEGACY_SERVICE" or person.name in PASSWORD_ALONE:
        return "PASSWORD", None
    return ("SAML2_ASSERTION", None) if person.client == "web" else ("PASSWORD", "DUO_PASSCODE")


def version(person: Person) -> str:
    """Of the driver that the person signs in with."""
    return _OLD_DRIVER.get(person.name, CLIENTS[person.client].version)


def address(user: str) -> str:
    """The user's own, inside the company's network."""
    number = zlib.crc32(user.encode())
    return f"10.{20 + number % 4}.{number // 4 % 250}.{number // 1000 % 250 + 2}"
