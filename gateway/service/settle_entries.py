"""Second step of a callback: settle the inbox's new entries at our own pace, many that have nothing to do with each
other in one transaction, and each alone where that fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from gateway.domain.clock import Clock
from gateway.domain.payments import CaseKind, EntryState, PaymentReport
from gateway.ports import BillRefused, Case, ControlNumberGiven, Entry, Transaction, UnitOfWork
from gateway.service.apart import apart
from gateway.service.gathered import together
from gateway.service.messages import Messages
from gateway.service.metrics import ENTRIES, ERRORS
from gateway.service.settle_bill import give_number, settle_refusal
from gateway.service.settle_payment import settle_payment

log = structlog.get_logger()

AT_ONCE = 64  # entries of one transaction: most of what sharing its statements saves is saved by then
_MAX_ATTEMPTS = 12  # over an hour and a half; then a person is told, and it is still tried
_LONGEST_WAIT = timedelta(minutes=15)


class SettleEntries:
    """Each call settles what one transaction takes; several may run at once, in this process and in others.

    ``codes``: the service provider codes of the settings, beside those of the products. Money for any other is not ours
    to apply.
    """

    def __init__(self, uow: UnitOfWork, messages: Messages, clock: Clock, codes: Collection[str] = ()) -> None:
        self._uow = uow
        self._messages = messages
        self._clock = clock
        self._codes = codes

    async def due(self) -> bool:
        """Whether there is anything to settle: cheap, for the poll."""
        async with self._uow.reading() as tx:
            return await tx.inbox.due(self._clock.now())

    async def one(self) -> bool:
        """Settle the oldest due entry; False when there is none."""
        return await self.batch(1) == 1

    async def batch(self, most: int = AT_ONCE) -> int:
        """Settle up to ``most`` of the oldest due entries in one transaction; how many were dealt with.

        Of entries about the same thing the first is taken, and the others are left for the next call. Where anything
        fails nothing of the batch is kept, and its entries are settled one by one: a bad one costs only itself.
        """
        assert 0 < most <= AT_ONCE, "a statement of SQL Server's takes 2,100 values"
        now = self._clock.now()

        async def oldest(tx: Transaction) -> Sequence[Entry]:
            return await tx.inbox.claim_new(most, now)

        claimed, taken, failure = await self._claimed(oldest, now)
        if failure is not None and len(claimed) > 1:
            log.warning("batch_undone", entries=len(claimed), why=type(failure).__name__)
            return await self._one_by_one(len(claimed))
        return taken

    async def this(self, inbox_id: str, line: int) -> Exception | None:
        """Settle one entry now, however long it was to wait; what failed, if anything. One that stands is left so."""

        async def it(tx: Transaction) -> Sequence[Entry]:
            entry = await tx.inbox.claim(inbox_id, line)
            return () if entry is None else (entry,)

        _, _, failure = await self._claimed(it, self._clock.now())
        return failure

    async def _claimed(
        self, claim: Callable[[Transaction], Awaitable[Sequence[Entry]]], now: datetime
    ) -> tuple[Sequence[Entry], int, Exception | None]:
        """Claim entries and settle them in one transaction: which, how many were dealt with, and what failed.

        An entry that failed alone is dealt with, by being postponed; of several that failed together none is.
        """
        claimed: Sequence[Entry] = ()
        try:
            async with self._uow.writing() as tx:
                claimed = await claim(tx)
                if not claimed:
                    return (), 0, None
                taken = await apart(tx, claimed)
                states = await self._settle(tx, taken, now)
        except Exception as failure:
            if not claimed:
                raise
            if len(claimed) > 1:
                return claimed, 0, failure
            await self._postpone(claimed[0], failure, now)
            return claimed, 1, failure
        for entry, state in zip(taken, states, strict=True):
            ENTRIES.labels(entry.kind, state).inc()
        return claimed, len(taken), None

    async def _one_by_one(self, most: int) -> int:
        for count in range(most):
            if not await self.one():  # another worker took them meanwhile
                return count
        return most

    async def _settle(self, tx: Transaction, entries: Sequence[Entry], now: datetime) -> Sequence[EntryState]:
        if len(entries) == 1:
            return [await self._settle_one(entries[0], now, tx)]
        works: list[Callable[[Transaction], Coroutine[Any, Any, EntryState]]] = [
            partial(self._settle_one, entry, now) for entry in entries
        ]
        return await together(tx, works)

    async def _settle_one(self, entry: Entry, now: datetime, tx: Transaction) -> EntryState:
        match entry.notice:
            case PaymentReport():
                return await settle_payment(tx, self._messages, entry, entry.notice, self._codes, now)
            case ControlNumberGiven():
                return await give_number(tx, self._messages, entry, entry.notice, self._codes, now)
            case BillRefused():
                return await settle_refusal(tx, self._messages, entry, entry.notice, now)

    async def _postpone(self, entry: Entry, failure: Exception, now: datetime) -> None:
        """Nothing of the failed attempt was committed: count it, wait longer each time, call a person in the end."""
        ERRORS.labels("PAY-SETTLE").inc()
        log.exception("settle_failed", inbox=entry.inbox_id, line=entry.line, attempts=entry.attempts + 1)
        wait = min(_LONGEST_WAIT, timedelta(seconds=0.5 * 2 ** min(entry.attempts, 12)))
        async with self._uow.writing() as tx:
            await tx.inbox.postpone(entry, now + wait, now, type(failure).__name__)
            if entry.attempts + 1 >= _MAX_ATTEMPTS:  # several settlers may have counted at once
                case = Case(
                    CaseKind.SETTLE_FAILED, f"entry:{entry.inbox_id}/{entry.line}", entry.provider, entry.inbox_id
                )
                await tx.cases.open(case, now)
