"""The databases that tests of the store run on: SQLite always, PostgreSQL where TEST_POSTGRES_URL names one.

On PostgreSQL each test gets a schema of its own, so that nothing has to be cleaned up between two tests.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "")
ENGINES = ("sqlite", "postgresql") if POSTGRES else ("sqlite",)


@contextmanager
def fresh_url(engine: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'store.db'}"
        return
    server = make_url(POSTGRES).set(drivername="postgresql+psycopg")
    schema = f"frostline_test_{uuid.uuid4().hex[:12]}"
    _run(server, f"CREATE SCHEMA {schema}")
    own = server.update_query_dict({"options": f"-csearch_path={schema}"})
    try:
        yield own.render_as_string(hide_password=False)
    finally:
        _run(server, f"DROP SCHEMA {schema} CASCADE")


def _run(server: URL, statement: str) -> None:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
