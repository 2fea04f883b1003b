"""Many callers, one query: look-ups asked for within a moment are made together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from copy import copy
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Batcher(Generic[K, V]):
    """Coalesces look-ups by key. ``fetch`` gets distinct keys and answers those it knows.

    Keys gather for ``gather_s`` seconds, which no caller feels and which makes one query of many. At most ``in_flight``
    batches run at once; while they do, further keys gather for the next, up to ``size`` each.
    """

    def __init__(
        self,
        fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
        size: int = 200,
        in_flight: int = 2,
        gather_s: float = 0.01,
        timeout_s: float = 5.0,
    ) -> None:
        self._fetch = fetch
        self._size = size
        self._gather_s = gather_s
        self._timeout_s = timeout_s
        self._room = in_flight
        self._waiting: dict[K, list[asyncio.Future[V | None]]] = {}
        self._running: dict[asyncio.Task[None], list[asyncio.Future[V | None]]] = {}
        self._scheduled = False

    async def get(self, key: K) -> V | None:
        """The value, None where ``fetch`` knows none; raises what ``fetch`` raised."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V | None] = loop.create_future()
        self._waiting.setdefault(key, []).append(future)
        if not self._scheduled and self._room > 0:
            self._scheduled = True
            loop.call_later(self._gather_s, self._start)
        try:
            return await future
        except asyncio.CancelledError:
            self._leave(key, future)
            raise

    def _leave(self, key: K, future: asyncio.Future[V | None]) -> None:
        """Whoever has hung up or is out of time is not looked up: behind a stuck batch they would be thousands.

        A batch that all have left is stopped: what it writes would come after they were told that it was not.
        """
        waiting = self._waiting.get(key, [])
        if future in waiting:
            waiting.remove(future)
            if not waiting:
                del self._waiting[key]
            return
        for task, futures in self._running.items():
            if futures and all(each.done() for each in futures):
                futures.clear()  # once: what it does to end must not be cut short
                task.cancel()

    def _start(self) -> None:
        self._scheduled = False
        while self._waiting and self._room > 0:
            keys = list(self._waiting)[: self._size]
            batch = {key: self._waiting.pop(key) for key in keys}
            self._room -= 1
            task = asyncio.get_running_loop().create_task(self._run(batch))
            self._running[task] = [future for futures in batch.values() for future in futures]
            task.add_done_callback(self._running.pop)

    async def _run(self, batch: dict[K, list[asyncio.Future[V | None]]]) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):  # a hung query must not hold the others' place for ever
                found = await self._fetch(list(batch))
        except BaseException as failure:
            for futures in batch.values():
                for future in futures:
                    if not future.done():
                        future.set_exception(_copy(failure))
            if not isinstance(failure, Exception):
                raise
        else:
            for key, futures in batch.items():
                for future in futures:
                    if not future.done():
                        future.set_result(found.get(key))
        finally:
            self._room += 1
            self._start()


def _copy(failure: BaseException) -> BaseException:
    """One exception per waiter: a shared one would grow the traceback of each."""
    if not isinstance(failure, Exception):
        return asyncio.CancelledError()
    try:
        own = copy(failure)
    except Exception:  # an exception that cannot be made from its own arguments
        return failure
    own.__cause__ = failure
    return own
