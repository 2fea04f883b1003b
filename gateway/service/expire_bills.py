"""A bill whose life has ended unpaid says so. Its number stays with it: a late payment is settled all the same.

openIMIS knows no expired payment: its row keeps the status reached, and ends when a later bill takes the number.
"""

from __future__ import annotations

from gateway.domain.bill import BillFact
from gateway.domain.clock import Clock
from gateway.ports import UnitOfWork


class ExpireBills:
    """Run every minute; several may run at once."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def __call__(self, limit: int = 500) -> int:
        """How many bills expired; ``limit`` at a time, each time in a transaction of its own."""
        done = 0
        while True:
            now = self._clock.now()
            async with self._uow.writing() as tx:
                expired = await tx.bills.past_life(now, limit)
                for bill in expired:
                    await tx.bills.record(bill, BillFact.EXPIRED, now)
            done += len(expired)
            if len(expired) < limit:
                return done
