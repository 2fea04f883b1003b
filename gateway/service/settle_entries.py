"""Second step of a callback: settle the inbox's new entries, one transaction each, at our own pace."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from gateway.domain.clock import Clock
from gateway.domain.payments import CaseKind, EntryState, PaymentReport
from gateway.ports import BillRefused, Case, ControlNumberGiven, Entry, Transaction, UnitOfWork
from gateway.service.messages import Messages
from gateway.service.metrics import ENTRIES, ERRORS
from gateway.service.settle_bill import give_number, settle_refusal
from gateway.service.settle_payment import settle_payment

log = structlog.get_logger()

_MAX_ATTEMPTS = 12  # over an hour and a half; then a person is told, and it is still tried
_LONGEST_WAIT = timedelta(minutes=15)


class SettleEntries:
    """Each call settles at most one entry; several may run at once, in this process and in others."""

    def __init__(self, uow: UnitOfWork, messages: Messages, clock: Clock) -> None:
        self._uow = uow
        self._messages = messages
        self._clock = clock

    async def due(self) -> bool:
        """Whether there is anything to settle: cheap, for the poll."""
        async with self._uow.reading() as tx:
            return await tx.inbox.due(self._clock.now())

    async def one(self) -> bool:
        """Settle the oldest due entry; False when there is none."""
        now = self._clock.now()

        async def oldest(tx: Transaction) -> Entry | None:
            claimed = await tx.inbox.claim_new(1, now)
            return claimed[0] if claimed else None

        entry, _ = await self._claimed(oldest, now)
        return entry is not None

    async def this(self, inbox_id: str, line: int) -> Exception | None:
        """Settle one entry now, however long it was to wait; what failed, if anything. One that stands is left so."""

        async def it(tx: Transaction) -> Entry | None:
            return await tx.inbox.claim(inbox_id, line)

        _, failure = await self._claimed(it, self._clock.now())
        return failure

    async def _claimed(
        self, claim: Callable[[Transaction], Awaitable[Entry | None]], now: datetime
    ) -> tuple[Entry | None, Exception | None]:
        """Claim an entry and settle it in one transaction: the entry, if any, and what failed with it."""
        entry: Entry | None = None
        try:
            async with self._uow.writing() as tx:
                entry = await claim(tx)
                if entry is None:
                    return None, None
                state = await self._settle(tx, entry, now)
        except Exception as failure:
            if entry is None:
                raise
            await self._postpone(entry, failure, now)
            return entry, failure
        ENTRIES.labels(entry.kind, state).inc()
        return entry, None

    async def _settle(self, tx: Transaction, entry: Entry, now: datetime) -> EntryState:
        match entry.notice:
            case PaymentReport():
                return await settle_payment(tx, self._messages, entry, entry.notice, now)
            case ControlNumberGiven():
                return await give_number(tx, self._messages, entry, entry.notice, now)
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
