"""Bring the tables to the newest revision, once, however many processes start together."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from agent.store.engine import reading, writing
from tools.errors import BadSettings

__all__ = ["HEAD", "upgrade"]

HEAD = "0005"
"""The newest revision; a test holds it equal to Alembic's."""

_FOLDER = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """All under the writers' lock: the second process finds the work done.

    Raises:
        BadSettings: the store was made by a newer Frostline.
        Unreachable: the database does not answer.
    """
    with reading(engine) as connection:
        if _revision(connection) == HEAD:  # the common case does not pay for importing Alembic
            return
    with writing(engine) as connection:
        revision = _revision(connection)
        if revision is not None and revision > HEAD:
            raise BadSettings(
                f"The store is at revision {revision}, this Frostline knows {HEAD}.", hint="Use the newer Frostline."
            )
        _run(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
