"""Asking for a control number: one bill per family, cover and amount, and the effect that asks the provider.

No policy is written here: an unpaid request must neither end openIMIS' renewal prompts nor shorten a cover.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.domain.bill import Bill
from gateway.domain.clock import eat_day
from gateway.domain.effects import SubmitBill
from gateway.domain.policy import Family
from gateway.domain.quote import Quote
from gateway.domain.ussd.machine import RequestBill
from gateway.ports import PaymentRecord, Requester, Transaction, UnitOfWork
from gateway.service.messages import Messages
from gateway.service.new_bill import LIFE, new_bill
from gateway.service.quotes import read_quote


@dataclass(frozen=True, slots=True)
class BillPolicy:
    """``life``: how long a control number can be paid."""

    life: timedelta = LIFE


class RequestControlNumber:
    """Carries out ``RequestBill``: the same bill for whoever asks, from whatever session."""

    def __init__(self, uow: UnitOfWork, messages: Messages, policy: BillPolicy) -> None:
        self._uow = uow
        self._messages = messages
        self._policy = policy

    async def __call__(self, wanted: RequestBill, now: datetime) -> Bill | None:
        """The bill; None when what is due is no longer what the caller agreed to."""
        async with self._uow.writing() as tx:
            if not await tx.registry.lock_family(wanted.family_id):
                return None
            quote, family = await read_quote(tx.registry, wanted.family_id, eat_day(now))
            if not isinstance(quote, Quote) or family is None:
                return None
            if quote.key != wanted.key or quote.amount.amount_minor != wanted.amount_minor:
                return None
            requester = Requester(wanted.msisdn, wanted.language)
            bill = await self._bill(tx, quote, family, requester, now)
            await tx.bills.add_requester(bill.id, requester, now)
            if bill.control_number:
                await tx.outbox.put(self._messages.control_number(bill, [requester]), now)
            return bill

    async def _bill(self, tx: Transaction, quote: Quote, family: Family, requester: Requester, now: datetime) -> Bill:
        known = await tx.bills.latest(quote.key, lock=True)
        is_open = known is not None and known.payable_at(now) and not known.stays_without_number
        if known is not None and is_open and known.amount - known.paid == quote.amount:
            return known
        record = PaymentRecord(
            expected=quote.amount,
            msisdn=requester.msisdn,
            language=requester.language,
            product_code=quote.product.code,
            chfid=family.head.chfid,
            stage=quote.stage,
            requested_at=now,
        )
        bill = replace(
            new_bill(quote, family, known.generation + 1 if known else 1, now, self._policy.life),
            payment_record_id=await tx.registry.open_payment(record, now),
        )
        if not await tx.bills.add(bill):
            # only without the family's lock could a twin be first; the caller may simply ask again
            raise RuntimeError(f"the bill {bill.key} was made twice at once")
        await tx.outbox.put([SubmitBill(bill.id)], now)
        await tx.audit.add("ussd", "bill.created", f"bill:{bill.id}", now, key=bill.key, generation=bill.generation)
        return bill
