"""The circuit breaker, by a clock of the test's own."""

from __future__ import annotations

import threading

from agent.models.breaker import Breaker
from tests.unit.agent.models.asking import Ticking


def opened(clock: Ticking) -> Breaker:
    breaker = Breaker(clock, failures=3, seconds=60)
    for _ in range(3):
        assert breaker.allows("a")
        breaker.failed("a")
    return breaker


def test_it_opens_after_three_failures_in_a_row() -> None:
    breaker = opened(Ticking())
    assert not breaker.allows("a") and breaker.is_open("a")
    assert breaker.allows("b") and not breaker.is_open("b")


def test_an_answer_in_between_starts_the_count_anew() -> None:
    breaker = Breaker(Ticking(), failures=3)
    for _ in range(5):
        breaker.failed("a")
        breaker.failed("a")
        breaker.answered("a")
    assert breaker.allows("a")


def test_after_a_minute_one_may_try_and_only_one() -> None:
    clock = Ticking()
    breaker = opened(clock)
    clock.now += 59.9
    assert not breaker.allows("a")
    clock.now += 0.2
    assert breaker.allows("a")
    assert not breaker.allows("a")


def test_a_try_that_succeeds_closes_it() -> None:
    clock = Ticking()
    breaker = opened(clock)
    clock.now += 61
    assert breaker.allows("a")
    breaker.answered("a")
    assert breaker.allows("a") and breaker.allows("a")


def test_a_try_that_fails_opens_it_for_as_long_again() -> None:
    clock = Ticking()
    breaker = opened(clock)
    clock.now += 61
    assert breaker.allows("a")
    breaker.failed("a")
    clock.now += 59
    assert not breaker.allows("a")
    clock.now += 2
    assert breaker.allows("a")


def test_a_try_that_tells_nothing_gives_its_turn_back() -> None:
    clock = Ticking()
    breaker = opened(clock)
    clock.now += 61
    assert breaker.allows("a")
    breaker.untold("a")
    assert breaker.allows("a")


def test_of_many_threads_one_tries() -> None:
    clock = Ticking()
    breaker = opened(clock)
    clock.now += 61
    allowed: list[bool] = []
    threads = [threading.Thread(target=lambda: allowed.append(breaker.allows("a"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert allowed.count(True) == 1
