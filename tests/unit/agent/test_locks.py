"""A lock for each key: who has the same key waits, who has another does not, and nothing is left behind."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.locks import KeyedLocks


def test_one_at_a_time_for_each_key() -> None:
    locks = KeyedLocks()
    inside = {"a": 0, "b": 0}
    most = {"a": 0, "b": 0}
    done: list[str] = []

    def work(number: int) -> None:
        key = "ab"[number % 2]
        with locks.alone(key):
            inside[key] += 1
            most[key] = max(most[key], inside[key])
            threading.Event().wait(0.002)
            inside[key] -= 1
            done.append(key)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert most == {"a": 1, "b": 1} and len(done) == 40 and len(locks) == 0


def test_other_keys_do_not_wait() -> None:
    locks = KeyedLocks()
    with locks.alone("a"):
        entered = threading.Event()

        def other() -> None:
            with locks.alone("b"):
                entered.set()

        thread = threading.Thread(target=other)
        thread.start()
        assert entered.wait(5)
        thread.join(5)


def test_an_error_gives_the_key_back() -> None:
    locks = KeyedLocks()
    with pytest.raises(ValueError, match="no"), locks.alone("a"):
        raise ValueError("no")
    with locks.alone("a"):
        assert len(locks) == 1
    assert len(locks) == 0
