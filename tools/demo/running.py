"""A statement from its request to its answer: timer, worker thread, chain of `->>`, errors, and its row of history."""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tools.demo.cancel import cancel_query, cancelled_id
from tools.demo.commands import is_query, run_command
from tools.demo.engine import Engine
from tools.demo.journal import Journal, reads_history
from tools.demo.pipes import refer, stages
from tools.demo.query import Translator, parse, run_query
from tools.demo.results import ResultCache
from tools.demo.session import CANCELED, Session, Sessions, Statement
from tools.demo.sqlerrors import SqlError, syntax
from tools.demo.surroundings import Surroundings
from tools.demo.warehouse_rows import warehouse_parameters
from tools.demo.wire import bindings, dump, error_body, incident, result_body

__all__ = ["Runner"]

_WORKERS = 8
_LARGEST_TEXT = 1_000_000


class Runner:
    """Runs the statements of all sessions on one engine."""

    def __init__(self, engine: Engine, sessions: Sessions, results: ResultCache) -> None:
        self._engine, self._sessions, self._results = engine, sessions, results
        self.journal = Journal(engine)
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="statement")

    def cancel_everything(self) -> None:
        for session in self._sessions.all():
            for statement in session.running():
                statement.stop(CANCELED)

    def close(self) -> None:
        self.cancel_everything()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.journal.flush()

    async def run(self, session: Session, statement: Statement, body: dict[str, Any]) -> bytes:
        """The answer's body, an error's included."""
        loop = asyncio.get_running_loop()
        timer = None
        try:
            timer = self._arm(loop, session, statement)
            return await loop.run_in_executor(self._pool, self._answer, session, statement, body)
        finally:
            statement.done.set()
            if timer:
                timer.cancel()

    def _arm(
        self, loop: asyncio.AbstractEventLoop, session: Session, statement: Statement
    ) -> asyncio.TimerHandle | None:
        """The statement timeout: the lowest of session and warehouse that is not 0 (reference 3.1)."""
        limits = [session.timeout] if session.timeout else []
        if session.warehouse:
            own = float(warehouse_parameters(self._engine, session.warehouse)["STATEMENT_TIMEOUT_IN_SECONDS"])
            limits += [own] if own else []
        if not limits:
            return None
        seconds = min(limits)
        reason = SqlError(
            630,
            "57014",
            f"Statement reached its statement or warehouse timeout of {seconds:.0f} second(s) and was canceled.",
        )
        return loop.call_later(seconds, statement.stop, reason)

    def _answer(self, session: Session, statement: Statement, body: dict[str, Any]) -> bytes:
        """Runs in a worker thread: the whole statement, its error body and its row of history included."""
        sql = str(body.get("sqlText") or "")
        statement.text, statement.internal = sql, bool(body.get("isInternal"))
        statement.warehouse = session.warehouse
        table, error, answer = None, None, b""
        try:
            table, last = self._execute(session, statement, sql, body)
            answer = result_body(session, statement.query_id, last, table)
        except SqlError as e:
            error = e
        except RecursionError:
            error = syntax("the statement is nested too deeply.")
        except Exception as e:  # noqa: BLE001 - an edge: an unexpected failure answers at once, with a number to look for
            error = incident(e)
        finally:
            session.query_ids = [*session.query_ids[-999:], statement.query_id]
        statement.done.set()  # whoever looks into the history from here on finds it ended, not running
        self.journal.add(session, statement, table, error)
        return answer if error is None else dump(error_body(error, statement.query_id))

    def _execute(self, session: Session, statement: Statement, sql: str, body: dict[str, Any]) -> tuple[Any, str]:
        """The result, and the statement it is of: the last one of a chain."""
        statement.check()
        if len(sql) > _LARGEST_TEXT:
            raise syntax(f"the statement has {len(sql)} characters; the limit is {_LARGEST_TEXT}.")
        parts = stages(sql)
        earlier: list[str] = []
        table = None
        for number, part in enumerate(parts, start=1):
            text = part if len(parts) == 1 else refer(part, earlier)
            query_id = statement.query_id if number == len(parts) else str(uuid.uuid4())
            table = self._one(session, statement, text, query_id, body if number == len(parts) else {})
            self._results.put(session.identity.user, query_id, table)
            earlier.append(query_id)
        return table, parts[-1]

    def _one(self, session: Session, statement: Statement, sql: str, query_id: str, body: dict[str, Any]) -> Any:
        statement.check()
        if reads_history(sql):
            self.journal.flush()
        around = Surroundings(self._engine, session, self._results, self._engine.now(), self._sessions, statement)
        if not is_query(sql):
            return run_command(sql, around, query_id)
        params = bindings(body.get("bindings"))
        tree = parse(sql)
        if (target := cancelled_id(tree, params)) is not None:
            return cancel_query(target, tree, around, query_id, sql)
        with self._engine.fake_connection() as fake:
            return run_query(tree, params, around, Translator(fake, fake._duck_conn), statement)
