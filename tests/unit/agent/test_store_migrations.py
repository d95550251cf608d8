"""Migrations run once, lead to the tables that the code speaks of, and old rows stay readable."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from agent.store import Store
from agent.store.migrate import HEAD
from agent.store.tables import metadata
from tests.engines import fresh_url
from tests.unit.agent.plans import BOSS, HandClock
from tools.domain import ActionPlan, PlanState, ResizeWarehouse, Size, canonical_json
from tools.errors import BadSettings, PlanConflict

CORPUS = Path(__file__).parent / "corpus"

OPEN = """
import sys, time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
import langgraph.checkpoint.sqlite
from agent.checkpoints import open_checkpointer
from agent.store import Store
class Clock:
    def now(self): return datetime.now(UTC)
time.sleep(max(0.0, float(sys.argv[2]) - time.time()))
store = Store.open(sys.argv[1], account="A", clock=Clock())
store.audit("opened", "test")
store.close()
with ExitStack() as stack:
    assert list(open_checkpointer(sys.argv[1], Path(sys.argv[3]), stack).list(None)) == []
"""


def test_head_is_the_newest_migration() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    import agent.store.migrate as migrate

    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_migrations_make_the_tables_that_the_code_speaks_of(store_file: Path) -> None:
    engine = create_engine(f"sqlite:///{store_file}")
    found = inspect(engine)
    for table in metadata.sorted_tables:
        columns = {c["name"]: c for c in found.get_columns(table.name)}
        assert set(columns) == {c.name for c in table.columns}, table.name
        assert {n for n, c in columns.items() if not c["nullable"]} == {c.name for c in table.columns if not c.nullable}
        assert {i["name"] for i in found.get_indexes(table.name)} == {i.name for i in table.indexes}
        assert found.get_pk_constraint(table.name)["constrained_columns"] == [c.name for c in table.primary_key]
    engine.dispose()


def test_processes_that_start_together_migrate_once(engine: str, tmp_path: Path) -> None:
    """Store and checkpoints: whoever comes second finds the tables there."""
    import time

    with fresh_url(engine, tmp_path) as url:
        command = [sys.executable, "-W", "error", "-c", OPEN, url, str(time.time() + 4), str(tmp_path / "points.db")]
        started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
        for process in started:
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors.decode()
        store = Store.open(url, account="A", clock=HandClock())
        assert [r.event for r in store.audit_rows()] == ["opened"] * 3
        assert store.verify_audit().ok
        store.close()


def test_a_store_of_the_first_revision_is_upgraded_in_place(engine: str, tmp_path: Path) -> None:
    """`store_0001.sql` was dumped from a store that the first revision wrote; it is never edited."""
    with fresh_url(engine, tmp_path) as url:
        _load(url, (CORPUS / "store_0001.sql").read_text(encoding="utf-8"))
        for _ in range(2):  # the second opening finds the work done
            store = Store.open(url, account="ACME", clock=HandClock())
            states = {r.plan.id: r.state.value for r in store.list()}
            assert states == {
                "waiting-1": "proposed",
                "applied-1": "applied",
                "part-1": "proposed",
                "part-2": "proposed",
                "declined-1": "declined",
            }
            assert (store.conversation("t1"), store.meta("a")) == (("os:ada", "demo"), "b")
            report = store.verify_audit()
            assert report.ok and report.rows >= 11
            store.audit("opened", "test")  # the old chain goes on
            assert store.inbox.waiting().count == 0
            store.close()
        store = Store.open(url, account="ACME", clock=HandClock())
        waiting = store.get("waiting-1")
        assert store.approve("waiting-1", waiting.digest, BOSS).state is PlanState.APPROVED
        assert store.inbox.put("m", ["k"], kind="mention", conversation="c", order="1", body={})
        assert store.verify_audit().ok
        store.close()


def _load(url: str, script: str) -> None:
    """One statement ends where a line ends in `;`; none of the values does."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for statement in script.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_store_of_a_newer_frostline_is_left_alone(store_file: Path) -> None:
    with sqlite3.connect(store_file) as raw:
        raw.execute("update alembic_version set version_num = '9999'")
    raw.close()
    with pytest.raises(BadSettings, match="9999"):
        Store.open(f"sqlite:///{store_file}", account="A", clock=HandClock())


def _insert(store_file: Path, body: str, digest: str) -> None:
    at = "2026-03-02T09:00:00.000000+00:00"
    with sqlite3.connect(store_file) as raw:
        raw.execute(
            "insert into plans (id, account, position, warehouse, digest, body, schema_version, state, reason, effect,"
            " created_at, updated_at, expires_at) values ('old', 'ACME', 0, 'ETL', ?, ?, 1,"
            " 'proposed', '', '', ?, ?, ?)",
            (digest, body, at, at, at),
        )
    raw.close()


@pytest.mark.parametrize("path", sorted(CORPUS.glob("plan_v*.json")), ids=lambda p: p.stem)
def test_plans_stored_by_earlier_versions_still_load(store: Store, store_file: Path, path: Path) -> None:
    """One file for each schema version, never edited: a plan may wait for approval across an upgrade."""
    kept = json.loads(path.read_text())
    _insert(store_file, kept["body"], kept["digest"])
    record = store.get("old")
    assert (record.state, record.plan.change) == (PlanState.PROPOSED, ResizeWarehouse(size=Size.SMALL))
    assert record.digest == kept["digest"]


def test_a_plan_of_a_later_version_is_refused_and_hides_no_other(store: Store, store_file: Path) -> None:
    import hashlib

    from tests.unit.agent.plans import plan

    store.propose([plan("p1")])
    body = json.dumps(json.loads(canonical_json(plan())) | {"schema_version": 9, "shiny": True})
    _insert(store_file, body, hashlib.sha256(body.encode()).hexdigest())
    with pytest.raises(PlanConflict, match="schema 9"):
        store.get("old")
    assert [r.plan.id for r in store.list()] == ["p1"]


def test_the_digest_survives_storing(store: Store) -> None:
    from tests.unit.agent.plans import plan

    stored = plan()
    assert ActionPlan.model_validate_json(canonical_json(stored)).digest == stored.digest
