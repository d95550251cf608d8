"""Who is asked when somebody does not answer, over real HTTP: order, retries, deadlines, the breaker, cancelling."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from agent.models.breaker import Breaker
from agent.models.chain import ModelCall, Models
from agent.models.errors import Cancelled, ModelsUnavailable
from agent.models.meter import Spent
from agent.settings_llm import LlmSettings
from tests.llm_server import Answer, Body, Call, Fail, LlmServer, Say
from tests.unit.agent.models.asking import QUESTION, TOOLS, Ledger, Ticking, chain, failures, model

LONG = Say("word " * 40)
TRANSIENT = {
    "rate_limit": Fail(429, "rate_limit_exceeded"),
    "timeout": Fail(408),
    "server": Fail(500, "server_error"),
    "overloaded": Fail(503),
    "in the stream": Fail(200, "server_error", in_stream=True),
    "cut off": Say("word " * 40, cut_after=3),
    "ends early": Say("word", end_early=True),
    "stalls": Say("word " * 40, stall_after=3),
    "stalls, alive": Say("word " * 40, stall_after=3, keep_alive=0.05),
    "no first token": Say("word", first=30),
    "no first token, alive": Say("word", first=30, keep_alive=0.05),
    "no headers": Say("word", before=30),
    "no JSON": Body(b'data: {"a"\n\n'),
    "a page": Body(b"<html>Sign in</html>", "text/html"),
    "no stream": Body(b'{"id": "x", "choices": []}', "application/json"),
    "another shape": Body(b"data: [1, 2]\n\n"),
}
LASTING = {
    "key": Fail(401, "invalid_api_key"),
    "forbidden": Fail(403),
    "not_found": Fail(404, "model_not_found"),
    "request": Fail(400, "context_length_exceeded"),
    "large": Fail(413),
    "conflict": Fail(409),
    "shape": Fail(422),
}


def quick(provider: LlmServer, **given: Any) -> Any:
    return model(provider, **{"first_token_s": 0.8, "between_tokens_s": 0.5} | given)


@pytest.fixture(scope="module", autouse=True)
def imported(provider_process: LlmServer) -> None:
    """What is loaded at the first request must not count as a model's slowness."""
    for api in ("chat", "responses"):
        provider_process.script(Say("ok"))
        chain(model(provider_process, api=api)).ask(QUESTION, TOOLS)


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("fault", TRANSIENT)
def test_the_second_answers_after_whatever_passes(provider: LlmServer, fault: str, api: str) -> None:
    provider.script(TRANSIENT[fault], TRANSIENT[fault], model="small")
    provider.script(Say("from the second"), model="big")
    clock = Ticking()
    asking = chain(quick(provider, retries=1, api=api), model(provider, model="big", api=api), clock=clock)
    reply = asking.ask(QUESTION, TOOLS)
    assert (reply.text, reply.model, reply.fallback) == ("from the second", "compatible/big", True)
    assert [seen.model for seen in provider.seen] == ["small", "small", "big"]
    assert clock.slept == pytest.approx(0.5)


@pytest.mark.parametrize("fault", LASTING)
def test_what_a_person_has_to_mend_is_not_repeated_nor_hidden_by_the_second(provider: LlmServer, fault: str) -> None:
    provider.script(LASTING[fault], model="small")
    provider.script(Say("from the second"), model="big")
    told = failures(chain(model(provider, retries=3), model(provider, model="big")))
    assert [(f.model, f.lasting) for f in told] == [("compatible/small", True)]
    assert [seen.model for seen in provider.seen] == ["small"]


def test_no_money_left_is_not_repeated(provider: LlmServer) -> None:
    provider.script(Fail(429, "insufficient_quota"), model="small")
    provider.script(Say("from the second"), model="big")
    assert chain(model(provider, retries=3), model(provider, model="big")).ask(QUESTION).text == "from the second"
    assert [seen.model for seen in provider.seen] == ["small", "big"]


def test_where_nobody_answers_each_says_why(provider: LlmServer) -> None:
    provider.script(Fail(500), model="small")
    provider.script(Fail(404, "model_not_found"), model="big")
    told = failures(chain(model(provider), model(provider, model="big")))
    assert [(f.model, f.cause, f.detail, f.lasting) for f in told] == [
        ("compatible/small", "server", "500", False),
        ("compatible/big", "not_found", "404 model_not_found", True),
    ]


def test_nobody_to_ask() -> None:
    assert failures(chain()) == ()


def test_a_server_that_is_not_there() -> None:
    gone = LlmServer()
    one = model(gone)
    gone._socket.close()
    ledger = Ledger()
    assert failures(chain(one, ledger=ledger))[0].cause == "connection"
    assert ledger.today() == Spent()


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "0"}, 0),
        ({"date": "Mon, 23 Nov 2026 10:00:00 GMT", "retry-after": "Mon, 23 Nov 2026 10:00:03 GMT"}, 3),
        ({"retry-after": "soon"}, 0.5),
        ({"retry-after": "-5"}, 0.5),
        ({"retry-after": "nan"}, 0.5),
    ],
)
def test_retry_after_is_waited_out(provider: LlmServer, headers: dict[str, str], slept: float) -> None:
    provider.script(Fail(429, headers=headers), Say("after that"))
    clock = Ticking()
    assert chain(model(provider, retries=1), clock=clock).ask(QUESTION).text == "after that"
    assert clock.slept == pytest.approx(slept)


@pytest.mark.parametrize("wait", ["21", "3600", "999999"])
def test_a_long_retry_after_means_the_next_model(provider: LlmServer, wait: str) -> None:
    provider.script(Fail(429, headers={"retry-after": wait}), model="small")
    provider.script(Say("second"), model="big")
    clock = Ticking()
    assert chain(model(provider, retries=5), model(provider, model="big"), clock=clock).ask(QUESTION).text == "second"
    assert clock.slept == 0


def test_all_that_is_repeated_ends_with_the_whole_time(provider: LlmServer) -> None:
    provider.brain = lambda seen: Fail(429, headers={"retry-after": "4"})
    clock = Ticking()
    failures(chain(model(provider, retries=5, timeout_s=10), clock=clock))
    assert len(provider.seen) == 3 and clock.slept == pytest.approx(8)


def test_a_slow_answer_ends_with_the_whole_time(provider: LlmServer) -> None:
    provider.script(Say("word " * 100, between=0.1))
    started = time.monotonic()
    assert failures(chain(model(provider, timeout_s=0.5)))[0].cause == "timeout"
    assert 0.4 < time.monotonic() - started < 8  # the whole of it would take 10


def test_a_slow_answer_that_moves_is_waited_for(provider: LlmServer) -> None:
    provider.script(Say("word " * 20, between=0.1, first=0.2))
    assert chain(quick(provider)).ask(QUESTION).text == "word " * 20


# --- the breaker -----------------------------------------------------------------------------------------------------


def test_a_model_that_keeps_failing_is_left_out_for_a_minute(provider: LlmServer) -> None:
    answers: dict[str, Answer] = {"small": Fail(500), "big": Say("big")}
    provider.brain = lambda seen: answers[seen.model]
    clock = Ticking()
    breaker = Breaker(clock)
    models = [model(provider), model(provider, model="big")]
    for _ in range(5):
        assert chain(*models, breaker=breaker, clock=clock).ask(QUESTION).text == "big"
    assert [seen.model for seen in provider.seen] == ["small", "big"] * 3 + ["big"] * 2
    answers["small"] = Say("small")
    clock.now += 61
    assert chain(*models, breaker=breaker, clock=clock).ask(QUESTION).text == "small"


def test_left_out_is_said(provider: LlmServer) -> None:
    provider.brain = lambda seen: Fail(500)
    clock = Ticking()
    breaker = Breaker(clock)
    for _ in range(3):
        assert failures(chain(model(provider), breaker=breaker))[0].cause == "server"
    assert failures(chain(model(provider), breaker=breaker))[0].cause == "open"


@pytest.mark.parametrize(
    ("fault", "cause"),
    [(Fail(400, "context_length_exceeded"), "request"), (Fail(401), "key"), (Fail(404), "not_found")],
)
def test_what_a_person_has_to_mend_does_not_open_it(provider: LlmServer, fault: Fail, cause: str) -> None:
    """Else the second model would answer from the fourth question on."""
    provider.brain = lambda seen: fault
    breaker = Breaker(Ticking())
    for _ in range(5):
        assert failures(chain(model(provider), breaker=breaker))[0].cause == cause


# --- cancelling, threads, loops --------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [Say("x", first=30), Say("x", before=30), Say("word " * 50, stall_after=2)])
def test_cancelling_ends_it_at_once_and_the_server_sees_it(provider: LlmServer, answer: Say) -> None:
    provider.script(answer)
    gone = threading.Event()
    ledger = Ledger()
    asking = chain(model(provider), cancelled=gone.is_set, ledger=ledger)
    threading.Timer(0.3, gone.set).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        asking.ask(QUESTION)
    assert time.monotonic() - started < 15
    assert ledger.today().tokens > 0  # what was sent may well have been read


def test_an_interrupt_ends_it_at_once(provider: LlmServer) -> None:
    """Ctrl-C on a terminal."""
    provider.script(Say("x", first=30))
    ledger = Ledger()
    here = threading.get_ident()  # a signal to the timer's own thread would not wake this one
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell runs us in the background
    threading.Timer(0.5, signal.pthread_kill, (here, signal.SIGINT)).start()
    started = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            chain(model(provider), ledger=ledger).ask(QUESTION)
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.monotonic() - started < 15
    assert ledger.today().tokens > 0


def test_nothing_heavy_is_loaded_before_the_first_question() -> None:
    code = "import agent.models.chain, agent.settings, sys; print([m for m in HEAVY if m in sys.modules])"
    heavy = ["openai", "langchain_openai", "langchain_core", "langsmith", "httpx2", "sqlalchemy"]
    done = subprocess.run(
        [sys.executable, "-c", code.replace("HEAVY", repr(heavy))], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_client_that_leaves_is_seen(provider: LlmServer) -> None:
    provider.script(Say("word " * 50, stall_after=2, keep_alive=0.05))
    failures(chain(quick(provider)))
    until = time.monotonic() + 20
    while provider.seen[0].ended == "open" and time.monotonic() < until:
        time.sleep(0.02)
    assert provider.seen[0].ended == "left"


def test_cancelling_does_not_sit_out_a_wait(provider: LlmServer) -> None:
    provider.script(Fail(429, headers={"retry-after": "15"}))
    clock = Ticking()
    asking = chain(model(provider, retries=1), clock=clock, cancelled=lambda: clock.slept > 1)
    with pytest.raises(Cancelled):
        asking.ask(QUESTION)
    assert clock.slept < 2


def test_eight_threads_at_once(provider: LlmServer) -> None:
    provider.brain = lambda seen: Say(f"to {seen.body['messages'][-1]['content']}", first=0.2)
    ledger, found = Ledger(), {}
    models = Models(LlmSettings.model_validate(model(provider).model_dump()), ledger)

    def ask(number: int) -> None:
        from langchain_core.messages import HumanMessage

        found[number] = models.chain().ask([HumanMessage(str(number))]).text

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: f"to {n}" for n in range(8)}
    assert ledger.today() == Spent(8 * 120, 8 * 30)


def test_within_somebody_elses_event_loop(provider: LlmServer) -> None:
    provider.script(Say("ok"), Fail(401))

    async def main() -> str:
        first = chain(model(provider)).ask(QUESTION).text
        with pytest.raises(ModelsUnavailable):
            chain(model(provider)).ask(QUESTION)
        return first

    assert asyncio.run(main()) == "ok"


def test_each_model_that_was_asked_is_told_of(provider: LlmServer) -> None:
    provider.script(Fail(500), Fail(500), model="small")
    provider.script(Say("x", calls=[Call("query_usage", {})]), model="big")
    calls: list[ModelCall] = []
    chain(model(provider, retries=1), model(provider, model="big"), on_call=calls.append).ask(QUESTION, TOOLS)
    assert [(c.model, c.attempts, c.reply is not None) for c in calls] == [
        ("compatible/small", 2, False),
        ("compatible/big", 1, True),
    ]
    assert calls[0].failure is not None and calls[0].failure.cause == "server"
