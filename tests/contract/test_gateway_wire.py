"""What goes over the wire, and what happens when it breaks: the real connector against a server that misbehaves.

tests/snowflake_server.py signs everybody in and then does to each statement what the test's script says.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.snowflake_server import DONE, Scripted, refusal, scripted_server
from tools.domain import ResizeWarehouse, Size
from tools.errors import BadSettings, NoPermission, OutcomeUnknown, StatementTimedOut, Unreachable
from tools.warehouse.config import ConnectionConfig
from tools.warehouse.failures import Doing
from tools.warehouse.session import ReadSession
from tools.warehouse.statements import render
from tools.warehouse.writer import SnowflakeWriter

STATEMENT = render(ResizeWarehouse(size=Size.SMALL), "ETL")
TAG = {"component": "test", "thread": "T1"}


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted_server() as made:
        yield made


def config(server: Scripted, **values: Any) -> ConnectionConfig:
    return ConnectionConfig.of(
        account="a",
        user="U",
        password="s3cr3t",
        role="COST_OPERATOR",
        warehouse="WH",
        host="127.0.0.1",
        port=server.server_address[1],
        protocol="http",
        **{"login_timeout": 2, "network_timeout": 2} | values,
    )


def read(server: Scripted, **values: Any) -> list[dict[str, Any]]:
    session = ReadSession(config(server, **values), query_tag={}, sleep=lambda _: None)
    try:
        return session.records("SHOW WAREHOUSES", Doing("showing warehouses", role="COST_READER"))
    finally:
        session.close()


# --- signing in -----------------------------------------------------------------------------------------------


def test_a_session_is_narrow_tagged_and_limited(server: Scripted) -> None:
    SnowflakeWriter(config(server, statement_timeout=77), query_tag=TAG).execute(STATEMENT)
    (login,) = server.logins
    assert login["SECONDARY_ROLES"] == "NONE"
    parameters = login["SESSION_PARAMETERS"]
    assert parameters["TIMEZONE"] == "UTC"
    assert parameters["STATEMENT_TIMEOUT_IN_SECONDS"] == 77
    assert parameters["CLIENT_TELEMETRY_ENABLED"] is False
    assert json.loads(parameters["QUERY_TAG"]) == {"app": "frostline"} | TAG
    assert login["CLIENT_ENVIRONMENT"]["APPLICATION"] == "Frostline"
    (sent,) = server.statements
    assert sent["sqlText"] == STATEMENT
    assert sent["parameters"]["MULTI_STATEMENT_COUNT"] == 1
    assert server.paths == {"/session/v1/login-request", "/queries/v1/query-request", "/session"}


def test_a_long_tag_stays_json(server: Scripted) -> None:
    SnowflakeWriter(config(server), query_tag={"thread": "x" * 5000}).execute(STATEMENT)
    tag = server.logins[0]["SESSION_PARAMETERS"]["QUERY_TAG"]
    assert len(tag) <= 2000
    assert json.loads(tag)["app"] == "frostline"


@pytest.mark.parametrize("code", ["390100", "390144", "390201", "394304"])
def test_a_refused_sign_in_is_bad_settings_and_sends_nothing(server: Scripted, code: str) -> None:
    server.login = {"success": False, "code": code, "message": "wrong: 's3cr3t'", "data": {}}
    with pytest.raises(BadSettings) as refused:
        SnowflakeWriter(config(server)).execute(STATEMENT)
    assert "s3cr3t" not in f"{refused.value.message} {refused.value.hint}"
    assert server.statements == []


def test_the_writer_signs_in_anew_for_each_statement(server: Scripted) -> None:
    writer = SnowflakeWriter(config(server))
    assert writer.execute(STATEMENT).query_id == "01-done"
    assert writer.execute(STATEMENT).message == "Statement executed successfully."
    assert len(server.logins) == 2


# --- writes: sent once, and honest about what came of it --------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    ["hang up", "rubbish", "half", "silence", 500, 502, 503, 504, 429, 403, refusal("000603"), refusal("000604")],
    ids=str,
)
def test_a_lost_answer_is_unknown_and_the_statement_is_sent_once(server: Scripted, fault: Any) -> None:
    server.script = [fault, DONE]
    with pytest.raises(OutcomeUnknown):
        SnowflakeWriter(config(server)).execute(STATEMENT)
    assert len(server.statements) == 1


@pytest.mark.parametrize("code", ["003001", "002003", "002043"])
def test_a_refused_write_did_not_run(server: Scripted, code: str) -> None:
    server.script = [refusal(code, "Insufficient privileges to operate on warehouse 'ETL'"), DONE]
    with pytest.raises(NoPermission) as refused:
        SnowflakeWriter(config(server)).execute(STATEMENT)
    assert refused.value.hint == 'GRANT MODIFY ON WAREHOUSE "ETL" TO ROLE COST_OPERATOR;'
    assert len(server.statements) == 1


def test_nobody_there_means_it_was_not_sent(server: Scripted) -> None:
    gone = config(server, login_timeout=1)
    server.shutdown()
    server.server_close()
    with pytest.raises(Unreachable):
        SnowflakeWriter(gone).execute(STATEMENT)
    assert server.statements == []


# --- reads: tried again where that is safe ------------------------------------------------------------------------


def test_an_expired_session_is_opened_again(server: Scripted) -> None:
    server.script = [refusal("390114", "expired"), DONE]
    assert read(server) == [{"status": "Statement executed successfully."}]
    assert len(server.logins) == 2


def test_a_fault_on_snowflakes_side_is_tried_again_a_few_times(server: Scripted) -> None:
    server.script = [refusal("000603"), DONE]
    assert read(server)
    server.statements.clear()
    server.script = [refusal("000603")]
    with pytest.raises(Exception, match="refused a statement"):
        read(server)
    assert len(server.statements) == 3


@pytest.mark.parametrize("fault", ["hang up", 503], ids=str)
def test_a_broken_line_is_tried_again(server: Scripted, fault: Any) -> None:
    server.script = [fault, DONE]
    assert read(server, network_timeout=5)


def test_a_read_may_take_longer_than_a_line_may_be_broken(server: Scripted) -> None:
    server.script = ["slow"]
    assert read(server, network_timeout=1, login_timeout=5, statement_timeout=20)
    assert len(server.statements) == 1
    assert "/queries/v1/abort-request" not in server.paths


@pytest.mark.parametrize("fault", [404, "rubbish", "half"], ids=str)
def test_what_is_not_snowflakes_answer_is_unreachable(server: Scripted, fault: Any) -> None:
    server.script = [fault]
    with pytest.raises(Unreachable):
        read(server, network_timeout=1)


def test_a_line_that_stays_broken_ends_in_time(server: Scripted) -> None:
    server.script = [503]
    began = time.monotonic()
    with pytest.raises(Unreachable):
        read(server, network_timeout=1)
    assert time.monotonic() - began < 30  # a statement may take 120


def test_a_service_that_goes_away_in_a_statement_is_one_clear_error_and_no_traceback(
    server: Scripted, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The connector asks for a cancellation, from a thread of its own, and that finds nobody either."""
    seen: list[object] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)
    server.script = ["gone"]
    with pytest.raises(Unreachable):
        read(server, network_timeout=1)
    for thread in threading.enumerate():
        if type(thread).__name__ == "_TrackedQueryCancellationTimer":
            thread.join(10)
    assert seen == [] and "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("code", "kind"), [("003001", NoPermission), ("000630", StatementTimedOut), ("000604", StatementTimedOut)]
)
def test_what_would_not_help_is_not_tried_again(server: Scripted, code: str, kind: type[Exception]) -> None:
    server.script = [refusal(code), DONE]
    with pytest.raises(kind):
        read(server)
    assert len(server.statements) == 1
