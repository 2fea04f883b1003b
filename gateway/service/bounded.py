"""Work whose caller may leave at any time, and of which only so much goes on at once.

A query that is cancelled is not over: its connection is being given back, and a database that hangs takes seconds for
it. Whoever has a deadline must not wait for that; the next one's place is free only when it has happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Bounded:
    """At most ``at_once`` pieces of work. Waiting for a place is the caller's time, and ends with it."""

    def __init__(self, at_once: int) -> None:
        assert at_once > 0
        self._places = asyncio.Semaphore(at_once)
        self._going_on: set[asyncio.Task[Any]] = set()

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of ``work()``. Cancelled, it tells the work to stop and returns at once."""
        await self._places.acquire()
        task = asyncio.get_running_loop().create_task(work())
        self._going_on.add(task)
        task.add_done_callback(self._ended)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            raise

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._going_on.discard(task)
        self._places.release()
