"""Callers who wait for a control number: one query for all of them, a few times a second, while any waits."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from gateway.domain.bill import Bill
from gateway.ports import UnitOfWork

log = structlog.get_logger()
_MAX_WAITING = 5_000


class NumberWatch:
    """The callback may arrive at another process, so the database is asked, not a queue of this one."""

    def __init__(self, uow: UnitOfWork, every_s: float = 0.1, patience_s: float = 5.0) -> None:
        """``patience_s``: with one query; a hung one must not keep all later callers from their numbers."""
        self._uow = uow
        self._every_s = every_s
        self._patience_s = patience_s
        self._waiting: dict[str, list[asyncio.Future[Bill]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def wait(self, bill_id: str, budget_s: float) -> Bill | None:
        """The bill once it has its number or was refused; None when the budget is spent first."""
        if budget_s <= 0 or len(self._waiting) >= _MAX_WAITING:
            return None
        future: asyncio.Future[Bill] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(bill_id, []).append(future)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        try:
            async with asyncio.timeout(budget_s):
                return await future
        except TimeoutError:
            return None
        finally:
            waiting = self._waiting.get(bill_id, [])
            if future in waiting:
                waiting.remove(future)
            if not waiting:
                self._waiting.pop(bill_id, None)

    async def _watch(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._every_s)
            try:
                async with asyncio.timeout(self._patience_s), self._uow.reading() as tx:
                    found = await tx.bills.numbers(list(self._waiting))
            except Exception:
                log.warning("number_watch_failed", exc_info=True)  # the waiters' own budgets end the wait
                continue
            for bill_id, bill in found.items():
                for future in self._waiting.pop(bill_id, []):
                    if not future.done():
                        future.set_result(bill)

    async def close(self) -> None:
        """Stop watching."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
