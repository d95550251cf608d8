"""A provider on loopback for the tests of models, and a ledger without a store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.llm_server import LlmServer


@pytest.fixture(scope="session")
def provider_process() -> Iterator[LlmServer]:
    with LlmServer() as server:
        yield server


@pytest.fixture
def provider(provider_process: LlmServer) -> Iterator[LlmServer]:
    """As new for each test, and each request had the right shape unless the test says otherwise."""
    provider_process.reset()
    yield provider_process
    assert provider_process.problems == []
