"""What a model is sent, and what is read from what it says; turns as a whole stand in tests/graph/test_model_*.py."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from agent.models import prompting
from agent.models.masking import Mask
from agent.models.reply import ToolRequest
from agent.models.requests import read_requests
from agent.nodes.call_tools import effective
from agent.state import CallResult, TurnView
from tests.doubles.account import NOW, person
from tests.doubles.chain import Chain, Talk, call
from tests.doubles.chat import Chat
from tools.registry import TOOLS


class SomeNames:
    def warehouses(self) -> tuple[str, ...]:
        return ("ETL_WH", "BI_WH")

    def column(self, column: str) -> tuple[str, ...]:
        return {"user": ("ALICE", "BOB")}.get(column, ())


def view(text: str = "credits last week", *, changes: bool = False, **more: Any) -> TurnView:
    values: dict[str, Any] = {"memory": {}, "results": ()} | more
    return TurnView(
        text=text, names=SomeNames(), now=NOW, timezone="UTC", asked_for_change=changes, **values  # type: ignore[arg-type]
    )  # fmt: skip


# --- requests ---------------------------------------------------------------------------------------------------------


def test_a_call_with_its_defaults_written_out_is_the_same_call() -> None:
    ran = CallResult(name="query_usage", args=effective({"metric": "credits", "by": "total", "window": "last 7 days"}),
                     status="ok")  # fmt: skip
    again = call("query_usage", metric="credits", compare=False)
    read = read_requests(again, view(results=(ran,)), Mask())
    assert read.repeated
    assert read.calls == ()
    assert read.problems == ()


def test_the_same_call_twice_in_one_breath_is_one() -> None:
    read = read_requests((*call("query_usage"), *call("query_usage")), view(), Mask())
    assert len(read.calls) == 1


def test_arguments_are_revealed_before_they_are_validated() -> None:
    mask = Mask(users=True)
    mask.learn("USER", ["ALICE"])
    assert mask.hide("ALICE") == "USER_1"
    read = read_requests(call("query_usage", filters={"user": ["USER_1"]}), view(), mask)
    assert read.calls[0].args == {"filters": {"user": ["ALICE"]}}


def test_the_account_does_not_choose_which_statement_is_cancelled() -> None:
    meant, other = "01b2c3d4-0000-1111-0000-000012345678", "01b2c3d4-0000-1111-0000-00009999aaaa"
    asked = view(f"please cancel query {meant.upper()}", changes=True)
    read = read_requests((*call("cancel_query", query_id=other), *call("cancel_query", query_id=meant)), asked, Mask())
    assert [c.args["query_id"] for c in read.calls] == [meant]
    assert "another statement" in read.problems[0]
    both = call("propose_changes", changes=[{"action": "cancel_query", "query_id": other}])
    assert read_requests(both, asked, Mask()).calls == ()
    longest = view("cancel the query that has run for longest", changes=True)
    assert len(read_requests(call("cancel_query", query_id=other), longest, Mask()).calls) == 1


def test_a_models_words_do_not_stand_in_a_plan() -> None:
    wanted = call(
        "propose_changes",
        title="URGENT: approve now",
        reason="the boss said so",
        changes=[{"action": "suspend_idle", "warehouse": "BI_WH"}, {"action": "suspend_idle", "warehouse": "ETL_WH"}],
    )
    read = read_requests(wanted, view("suspend BI_WH and ETL_WH", changes=True), Mask())
    assert read.problems == ()
    assert set(read.calls[0].args) == {"changes"}


@pytest.mark.parametrize(
    ("text", "warehouse", "allowed"),
    [
        ("suspend BI_WH", "BI_WH", True),
        ("suspend bi_wh", "BI_WH", True),
        ("suspend BI_WH", "ETL_WH", False),
        ("suspend the idle one", "ETL_WH", True),
        ("suspend it", "ETL_WH", True),
    ],
)
def test_changes_are_for_warehouses_that_the_person_names(text: str, warehouse: str, allowed: bool) -> None:
    read = read_requests(call("suspend_idle", warehouse=warehouse), view(text, changes=True), Mask())
    assert bool(read.calls) is allowed


@pytest.mark.parametrize(
    ("text", "tool", "args", "allowed"),
    [
        ("suspend BI_WH", "suspend_idle", {}, True),
        ("suspend BI_WH", "resize_warehouse", {"size": "4X-Large"}, False),
        ("resize BI_WH to small", "resize_warehouse", {"size": "Small"}, True),
        ("make BI_WH smaller", "suspend_idle", {}, False),
        ("please make BI_WH cheaper", "suspend_idle", {}, True),
        ("set auto suspend of BI_WH to 60s", "set_auto_suspend", {"seconds": 60}, True),
        ("set auto suspend of BI_WH to 60s", "suspend_idle", {}, False),
        ("turn BI_WH off", "suspend_idle", {}, True),
        ("start BI_WH again", "suspend_idle", {}, False),
    ],
)
def test_a_change_is_of_the_kind_that_the_person_names(
    text: str, tool: str, args: dict[str, Any], allowed: bool
) -> None:
    read = read_requests(call(tool, warehouse="BI_WH", **args), view(text, changes=True), Mask())
    assert bool(read.calls) is allowed, read.problems


def test_every_kind_of_a_bundle_has_to_be_asked_for() -> None:
    changes = [{"action": "suspend_idle", "warehouse": "BI_WH"}, {"action": "resume_warehouse", "warehouse": "ETL_WH"}]
    both = call("propose_changes", changes=changes)
    assert not read_requests(both, view("suspend BI_WH and ETL_WH", changes=True), Mask()).calls
    assert read_requests(both, view("suspend BI_WH and resume ETL_WH", changes=True), Mask()).calls


def test_what_is_wrong_is_said_without_the_value() -> None:
    read = read_requests(
        (
            *call("query_usage", metric="secret-token-123"),
            ToolRequest("c", "query_usage", None, "{", "Expecting value at character 1"),
            *call("x" * 500),
        ),
        view(),
        Mask(),
    )
    assert len(read.problems) == 3
    assert not any("secret-token-123" in problem for problem in read.problems)
    assert "no JSON object" in read.problems[1]
    assert all(len(problem) < 600 for problem in read.problems)


# --- messages ---------------------------------------------------------------------------------------------------------


def test_the_same_turn_gives_the_same_messages() -> None:
    one, two = (prompting.conversation(view(), Mask()) for _ in range(2))
    assert prompting.digest(one) == prompting.digest(two)
    assert prompting.digest(one) != prompting.digest(prompting.conversation(view("something else"), Mask()))


def test_results_stand_as_calls_with_their_answers() -> None:
    ran = CallResult(name="query_usage", args={"by": "user"}, status="no_data", message="Nothing.")
    messages = prompting.conversation(view(results=(ran, ran)), Mask())
    assert [m.type for m in messages] == ["system", "human", "ai", "tool", "ai", "tool"]
    assert json.loads(str(messages[3].content)) == {"result": "r1", "status": "no_data", "message": "Nothing."}


def test_a_field_called_title_stays_in_the_schemas() -> None:
    schemas = {s["function"]["name"]: s["function"]["parameters"] for s in prompting.offered(changes=True)}
    assert set(schemas) == set(TOOLS)
    assert "title" in schemas["propose_changes"]["properties"]
    assert "title" not in schemas["query_usage"]
    reading = {s["function"]["name"] for s in prompting.offered(changes=False)}
    assert reading == {name for name, tool in TOOLS.items() if not tool.proposes}


def test_one_person_is_not_told_what_another_has_asked() -> None:
    """A viewer in the thread of an analyst: the model hears of neither question nor answer."""
    talk = Talk(Chain(["Which days?"]), chat=Chat(role="analyst"))
    talk.chat.say("credits by user last week", who=person("analyst", name="ann"))
    talk.chat.thinker = talk.make()
    talk.chat.say("and what else", who=person("viewer", name="vic"))
    sent = talk.chain.everything()
    assert "credits by user last week" not in sent
    assert "100.80" not in sent


# --- without a model --------------------------------------------------------------------------------------------------


def test_the_planner_loads_nothing_of_models() -> None:
    """A turn of the planner, in a process of its own."""
    code = (
        "import sys; import agent.runtime; from tests.doubles.chat import Chat; "
        "assert Chat().say('credits yesterday').status == 'ok'; "
        "print([m for m in sys.modules if m.startswith(('langchain_openai', 'openai', 'agent.models.thinker', "
        "'agent.models.chain'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"
