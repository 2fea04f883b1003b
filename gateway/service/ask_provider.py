"""What is asked of the payment provider: numbers, earlier numbers, several numbers at once, and the end of bills."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.domain.bill import BillFact, BillState
from gateway.domain.clock import Clock
from gateway.domain.effects import AskForNumbers, BillEffect, CancelBill, CancelNumber, ReuseNumber, SubmitBill
from gateway.domain.outcomes import Done, Outcome
from gateway.domain.pool import PoolState
from gateway.ports import BillIssuer, BillOrder, HttpClient, LegacyStatus, Transaction, UnitOfWork
from gateway.service.messages import Messages
from gateway.service.pool_results import refuse_pool_number
from gateway.service.settle_bill import refuse

_AWAITED = (BillState.CREATED, BillState.SUBMITTED)


class AskProvider:
    """Sends one effect, and writes down what its answer means for the bill."""

    def __init__(
        self, uow: UnitOfWork, client: HttpClient, payments: BillIssuer, messages: Messages, clock: Clock
    ) -> None:
        self._uow = uow
        self._client = client
        self._payments = payments
        self._messages = messages
        self._clock = clock

    async def send(self, effect: BillEffect, attempts: int, timeout_s: float) -> Outcome:
        """``attempts`` of this effect, this one included: each request has an id of its own."""
        match effect:
            case SubmitBill() | ReuseNumber():
                return await self._ask(effect, attempts, timeout_s)
            case AskForNumbers():
                return await self._ask_for_many(effect, attempts, timeout_s)
            case CancelBill(bill_id) | CancelNumber(bill_id):
                return await self._cancel(effect, f"{bill_id}-C-{attempts}", timeout_s)

    async def _ask(self, effect: SubmitBill | ReuseNumber, attempts: int, timeout_s: float) -> Outcome:
        async with self._uow.reading() as tx:
            bill = await tx.bills.by_id(effect.bill_id)
            requesters = await tx.bills.requesters(effect.bill_id)
            # the provider may write to the payer's phone itself
            told = [(asked.msisdn, bill.family_id) for asked in requesters] if bill is not None else []
            disowned = {msisdn for msisdn, _ in await tx.callers.disowned(told)}
            holder = None
            if bill is not None and isinstance(effect, ReuseNumber) and bill.reuses is not None:
                holder = await tx.bills.by_control_number(bill.reuses)
        if bill is None or bill.state not in _AWAITED:
            return Done("nothing to ask any more")
        if isinstance(effect, ReuseNumber) and (bill.reuses is None or (holder is not None and holder.paid)):
            return Done("the number is not to be had any more")
        payer = next((asked.msisdn for asked in requesters if asked.officer or asked.msisdn not in disowned), None)
        if isinstance(effect, ReuseNumber):
            order = BillOrder(bill, payer, f"{bill.id}-R-{effect.attempt}-{attempts}", reuse=bill.reuses)
        else:
            order = BillOrder(bill, payer, f"{bill.id}-{effect.attempt}-{attempts}")
        answer = await self._client.send(self._payments.bill_request(order, self._clock.now()), timeout_s)
        return answer if isinstance(answer, Outcome) else self._payments.bill_outcome(order, answer)

    async def _ask_for_many(self, effect: AskForNumbers, attempts: int, timeout_s: float) -> Outcome:
        async with self._uow.reading() as tx:
            numbers = [n for n in await tx.pool.several(effect.bill_ids) if n.state == PoolState.ASKED]
        if not numbers:
            return Done("nothing to ask any more")
        request_id = f"{numbers[0].bill_id}-P-{effect.attempt}-{attempts}"
        orders = [BillOrder(number.as_bill(), None, request_id) for number in numbers]
        answer = await self._client.send(self._payments.bills_request(orders, self._clock.now()), timeout_s)
        return answer if isinstance(answer, Outcome) else self._payments.bills_outcome(orders, answer)

    async def _cancel(self, effect: CancelBill | CancelNumber, request_id: str, timeout_s: float) -> Outcome:
        async with self._uow.reading() as tx:
            if isinstance(effect, CancelBill):
                bill = await tx.bills.by_id(effect.bill_id)
                # a paid bill's number is withdrawn where the money did not come through
                is_ended = bill is not None and bill.state in (BillState.CANCELLED, BillState.PAID)
            else:
                number = await tx.pool.by_id(effect.bill_id)
                is_ended = number is not None and number.state == PoolState.RETIRED
                bill = number.as_bill() if number is not None else None
        if bill is None or not is_ended:
            return Done("nothing to cancel any more")
        order = BillOrder(bill, None, request_id)
        answer = await self._client.send(self._payments.cancel_request(order, self._clock.now()), timeout_s)
        return answer if isinstance(answer, Outcome) else self._payments.cancel_outcome(order, answer)

    async def accepted(self, tx: Transaction, effect: BillEffect, now: datetime) -> None:
        """The provider has what it was asked."""
        if isinstance(effect, AskForNumbers):
            await tx.pool.accepted(effect.bill_ids, now)
        if not isinstance(effect, SubmitBill | ReuseNumber):
            return
        bill = await tx.bills.by_id(effect.bill_id, lock=True)
        if bill is None or bill.state != BillState.CREATED:
            return  # the number or the refusal overtook this answer
        await tx.bills.record(bill, BillFact.SUBMITTED, now)
        if bill.payment_record_id is not None:
            await tx.registry.payment_status(bill.payment_record_id, LegacyStatus.REQUESTED, now)

    async def refused(self, tx: Transaction, effect: BillEffect, code: str, text: str, now: datetime) -> None:
        """The provider will not. Of one request for several it takes all or none."""
        match effect:
            case SubmitBill(bill_id) | ReuseNumber(bill_id):
                bill = await tx.bills.by_id(bill_id, lock=True)
                if bill is None or (isinstance(effect, ReuseNumber) and bill.reuses is None):
                    return  # another asking for the same old number was refused before
                await refuse(tx, self._messages, bill, code, text, now)
            case AskForNumbers(bill_ids):
                await _refuse_all(tx, bill_ids, code, text, now)
            case CancelBill() | CancelNumber():
                return


async def _refuse_all(tx: Transaction, bill_ids: Sequence[str], code: str, text: str, now: datetime) -> None:
    for bill_id in bill_ids:
        number = await tx.pool.by_id(bill_id, lock=True)
        if number is not None and number.state == PoolState.ASKED:
            await refuse_pool_number(tx, number, code, text, now)
