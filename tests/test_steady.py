"""A machine that stands still is not what a test's time-outs measure; what really waits, they end."""

from __future__ import annotations

import asyncio
import selectors
import threading
import time
from typing import Any

import pytest
from steady import MOST_S, SteadyLoop

STANDSTILL_S = 10 * MOST_S


async def test_every_test_runs_on_it() -> None:
    assert isinstance(asyncio.get_running_loop(), SteadyLoop)


async def test_a_standstill_in_a_turn_ends_no_time_out() -> None:
    async with asyncio.timeout(STANDSTILL_S / 2):
        time.sleep(STANDSTILL_S)  # noqa: ASYNC251 - the machine stands still
        await asyncio.sleep(0)
        await asyncio.sleep(MOST_S)


async def test_a_standstill_in_a_wait_ends_no_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    real, stands = time.monotonic, [0.0]
    monkeypatch.setattr("steady.time.monotonic", lambda: real() + stands[0])
    stood = threading.Timer(MOST_S / 2, lambda: stands.__setitem__(0, 3600.0))  # while the loop does nothing but wait
    stood.start()
    async with asyncio.timeout(STANDSTILL_S):
        await asyncio.sleep(4 * MOST_S)
    stood.join()
    assert stands == [3600.0]


async def test_a_long_wait_is_counted_by_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else all of it would count for one, and a time-out of seconds end after minutes."""
    real, waits = selectors.DefaultSelector.select, list[float]()

    def select(self: Any, timeout: float) -> Any:
        waits.append(timeout)
        return real(self, timeout)

    monkeypatch.setattr(selectors.DefaultSelector, "select", select)
    await asyncio.sleep(4 * MOST_S)
    assert 0 < max(waits) < MOST_S


async def test_what_waits_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3 * MOST_S):
            await asyncio.Event().wait()
    assert time.monotonic() - began >= 3 * MOST_S
