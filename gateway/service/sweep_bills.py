"""No bill stays in doubt: one whose number does not come is asked again, then told and put before a person.

Asking again carries the same bill id, so a provider that has the bill makes no second one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.bill import Bill
from gateway.domain.clock import Clock
from gateway.domain.payments import CaseKind
from gateway.ports import Case, Transaction, UnitOfWork
from gateway.service.family_phones import askers_of
from gateway.service.messages import Messages
from gateway.service.metrics import CASES, ERRORS
from gateway.service.request_control_number import ask_for


@dataclass(frozen=True, slots=True)
class SilencePolicy:
    """Ask again after ``patience``, up to ``asks`` times in all; then it is a case."""

    patience: timedelta = timedelta(minutes=3)
    asks: int = 5


class SweepBills:
    """Run every few seconds."""

    def __init__(self, uow: UnitOfWork, clock: Clock, policy: SilencePolicy, messages: Messages) -> None:
        self._uow = uow
        self._clock = clock
        self._policy = policy
        self._messages = messages

    async def __call__(self, limit: int = 100) -> int:
        """How many bills were asked again or put before a person."""
        now = self._clock.now()
        async with self._uow.writing() as tx:
            silent = await tx.bills.silent(now - self._policy.patience, limit)
            for bill, times in silent:
                if times < self._policy.asks:
                    await tx.bills.asked(bill.id, times + 1, now)
                    await tx.outbox.put([ask_for(bill, times + 1)], now)
                else:
                    await tx.bills.given_up(bill.id, times, now)
                    await self._give_up(tx, bill, times, now)
        return len(silent)

    async def _give_up(self, tx: Transaction, bill: Bill, times: int, now: datetime) -> None:
        """A person takes over, and who waits for the number is told not to. A number that comes late still counts.

        Whoever has it asked for once more was promised it anew, and is told anew.
        """
        tx.after_commit.append(ERRORS.labels("PAY-SILENT").inc)
        case = Case(CaseKind.BILL_WITHOUT_NUMBER, f"bill:{bill.id}", bill_id=bill.id, amount=bill.amount)
        if await tx.cases.open(case, now):
            tx.after_commit.append(CASES.labels(CaseKind.BILL_WITHOUT_NUMBER).inc)
        await tx.outbox.put(self._messages.number_refused(bill, await askers_of(tx, bill, now), times), now)
