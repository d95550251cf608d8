"""The databases, schemas and tables of the demo account, and which tables a statement reads and writes."""

from __future__ import annotations

import csv
import re
import zlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["DATABASES", "GIB", "SCHEMAS", "Access", "Table", "accessed", "schema_id", "table", "tables"]

GIB = 1 << 30

_DATABASES = ("ANALYTICS", "APP", "DEV", "EVENTS", "FINANCE", "HR", "RAW", "SCIENCE", "ARCHIVE")
DATABASES: dict[str, int] = {name: 11 + n for n, name in enumerate(_DATABASES)}
"""Name to id."""

_SCHEMAS = (
    ("ANALYTICS", ("CORE", "MARTS", "SCRATCH", "STAGING", "QUALITY", "REPORTS")),
    ("APP", ("PUBLIC",)),
    ("DEV", ("PUBLIC",)),
    ("EVENTS", ("STREAM",)),
    ("FINANCE", ("LEDGER",)),
    ("HR", ("PEOPLE",)),
    ("RAW", ("INGEST", "FEED", "BACKUP")),
    ("SCIENCE", ("FEATURES", "MODELS")),
    ("ARCHIVE", ("YEARS",)),
)
SCHEMAS: dict[tuple[str, str], int] = {
    (database, name): 41 + 10 * n + place
    for n, (database, names) in enumerate(_SCHEMAS)
    for place, name in enumerate(names)
}
"""Database and schema to the schema's id."""

_FIRST_LITERAL, _STEP = 1000, 7
"""How statements number the tables that they make."""
_UNLISTED = 95_000_000


@dataclass(frozen=True)
class Table:
    database: str
    schema: str
    name: str
    id: int
    gib: float
    """Active data on the account's first day."""
    growth: float
    """Share of `gib` that a day adds."""
    churn: float
    """Share of the active data that a day rewrites: it goes into Time Travel, then into fail-safe."""
    retention: int
    """Days of Time Travel."""
    transient: bool
    replaced: float
    """How often a day CREATE OR REPLACE leaves a version behind."""
    clustering: str
    owner: str

    @property
    def full_name(self) -> str:
        return f"{self.database}.{self.schema}.{self.name}"


@dataclass(frozen=True)
class Access:
    """What one statement touches, by full name."""

    reads: tuple[str, ...]
    writes: tuple[str, ...]


@cache
def tables() -> tuple[Table, ...]:
    """Every table that lives on through the account's history."""
    text = resources.files("tools.demo.generate.beside").joinpath("tables.csv").read_text(encoding="utf-8")
    return tuple(one for row in csv.DictReader(text.splitlines()) for one in _copies(row))


def _copies(row: dict[str, str]) -> list[Table]:
    return [
        Table(
            row["database"],
            row["schema"],
            row["name"].replace("{n}", str(_FIRST_LITERAL + _STEP * n)),
            int(row["id"]) + n,
            float(row["gib"]),
            float(row["growth"]),
            float(row["churn"]),
            int(row["retention"]),
            row["transient"] == "YES",
            float(row["replaced"]),
            row["clustering"],
            row["owner"],
        )
        for n in range(int(row["copies"]))
    ]


@cache
def _by_name() -> dict[str, Table]:
    return {each.full_name: each for each in tables()}


def table(full_name: str) -> Table:
    """The table of that name; one that is not listed is small and has an id of its own."""
    known = _by_name().get(full_name)
    if known is not None:
        return known
    database, schema, name = full_name.split(".")
    number = _UNLISTED + zlib.crc32(full_name.encode()) % 1_000_000
    return Table(database, schema, name, number, 2.0, 0, 0, 1, False, 0, "", "SYSADMIN")


def schema_id(database: str, schema: str) -> int:
    return SCHEMAS.get((database, schema), 200 + zlib.crc32(f"{database}.{schema}".encode()) % 1000)


_NAME = r"([A-Z][A-Z0-9_]*\.[A-Z][A-Z0-9_]*\.[A-Z][A-Z0-9_]*)"
_READS = re.compile(rf"\b(?:FROM|JOIN|USING)\s+(?:TABLE\s+)?{_NAME}(?!\s*\()")
_COMMA = re.compile(rf"\bFROM\s+{_NAME}\s+\w+\s*,\s*{_NAME}")
_DELETES = re.compile(rf"DELETE\s+FROM\s+{_NAME}")
_WRITES = re.compile(rf"\b(?:INTO|OVERWRITE|UPDATE|DELETE FROM|TRUNCATE TABLE|REPLACE TABLE|CREATE TABLE)\s+{_NAME}")


@cache
def accessed(text: str) -> Access:
    """The tables that the statement's text names: neither stages nor functions."""
    writes = tuple(dict.fromkeys(_WRITES.findall(text)))
    found = [*_READS.findall(text), *(name for pair in _COMMA.findall(text) for name in pair)]
    only_deleted = _DELETES.findall(text)
    reads = [name for name in dict.fromkeys(found) if name not in only_deleted]
    if text.startswith(("MERGE", "UPDATE", "DELETE")):
        reads += [name for name in writes if name not in reads]
    return Access(tuple(reads), writes)
