"""A circuit breaker: a model that has failed several times in a row is left alone for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Breaker"]


@dataclass
class _Circuit:
    failures: int = 0
    open_until: float | None = None
    trying: bool = False


class Breaker:
    """Circuits by name, shared by the threads of a process.

    closed -> open after `failures` in a row -> after `seconds` one request may try (half-open): if it answers the
    circuit closes, if not it is open for as long again. `clock`: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float], *, failures: int = 3, seconds: float = 60.0) -> None:
        self._clock = clock
        self._limit = failures
        self._seconds = seconds
        self._lock = threading.Lock()
        self._circuits: dict[str, _Circuit] = {}

    def allows(self, name: str) -> bool:
        """Whether it may be asked; a True has to be followed by `answered`, `failed` or `untold`."""
        with self._lock:
            circuit = self._circuits.setdefault(name, _Circuit())
            if circuit.open_until is None:
                return True
            if circuit.trying or self._clock() < circuit.open_until:
                return False
            circuit.trying = True
            return True

    def answered(self, name: str) -> None:
        with self._lock:
            self._circuits[name] = _Circuit()

    def failed(self, name: str) -> None:
        with self._lock:
            circuit = self._circuits.setdefault(name, _Circuit())
            circuit.failures += 1
            if circuit.trying or circuit.failures >= self._limit:
                circuit.open_until = self._clock() + self._seconds
            circuit.trying = False

    def untold(self, name: str) -> None:
        """The request said nothing about the model's health: it was cancelled, or was itself at fault."""
        with self._lock:
            self._circuits.setdefault(name, _Circuit()).trying = False

    def is_open(self, name: str) -> bool:
        """For people; unlike `allows` it takes nobody's turn."""
        with self._lock:
            circuit = self._circuits.get(name)
            return bool(circuit and circuit.open_until is not None and self._clock() < circuit.open_until)
