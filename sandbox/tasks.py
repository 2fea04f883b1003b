"""Background work with a limit on its number, all of it cancelled when the sandbox stops."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
log = logging.getLogger("sandbox")


class Busy(Exception):
    """As many tasks as allowed are running already."""


class Tasks:
    """A set of running tasks; `close` cancels and awaits them."""

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._running: set[asyncio.Task[Any]] = set()

    @property
    def full(self) -> bool:
        return len(self._running) >= self._limit

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start `work`. Raises Busy (and closes the coroutine) at the limit."""
        if self.full:
            work.close()
            raise Busy
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task failed: %r", error)

    async def close(self) -> None:
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
