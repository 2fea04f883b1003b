"""Group commit: callbacks that arrive side by side are kept in one transaction, and each is answered after it.

A commit costs the same for one row as for a hundred. Nothing waits on purpose: what comes while a commit is under way
goes with the next. A message that cannot be kept does not take its neighbours with it: they are then kept one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.ports import Evidence, Notice, UnitOfWork

Kept = tuple[Evidence, Sequence[Notice]]


class KeepTogether:
    """``most``: messages of one commit. ``writers``: commits under way at once."""

    def __init__(self, uow: UnitOfWork, most: int = 64, writers: int = 2) -> None:
        self._uow = uow
        self._most = most
        self._room = writers
        self._waiting: list[tuple[Kept, asyncio.Future[None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, evidence: Evidence, notices: Sequence[Notice]) -> None:
        """Returns once it is committed; raises what kept it from being."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append(((evidence, notices), future))
        if self._room > 0:
            self._room -= 1
            task = loop.create_task(self._write())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await future

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._commit(batch)
        finally:
            self._room += 1

    async def _commit(self, batch: Sequence[tuple[Kept, asyncio.Future[None]]]) -> None:
        try:
            async with self._uow.writing() as tx:
                await tx.inbox.keep_all([kept for kept, _ in batch])
        except Exception as failure:
            if len(batch) == 1:
                _tell(batch[0][1], failure)
                return
            for one in batch:
                await self._commit([one])
        except BaseException:
            for _, future in batch:
                future.cancel()
            raise
        else:
            for _, future in batch:
                _tell(future, None)


def _tell(future: asyncio.Future[None], failure: Exception | None) -> None:
    if future.done():  # the peer has gone; its message is kept all the same
        return
    if failure is None:
        future.set_result(None)
    else:
        future.set_exception(failure)
