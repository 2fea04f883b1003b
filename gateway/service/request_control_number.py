"""Asking for a control number: one bill per family, cover and amount, and the effect that asks the provider.

No policy is written here: an unpaid request must neither end openIMIS' renewal prompts nor shorten a cover.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.domain.bill import Bill, BillFact, BillState
from gateway.domain.clock import eat_day
from gateway.domain.effects import ReuseNumber, SubmitBill
from gateway.domain.policy import Family
from gateway.domain.pool import PoolKind, PoolNumber
from gateway.domain.quote import Quote
from gateway.domain.ussd.effects import AwaitNumber, RequestBill
from gateway.ports import PaymentRecord, Requester, Transaction, UnitOfWork
from gateway.service.family_phones import family_phones, has_disowned
from gateway.service.messages import Messages
from gateway.service.new_bill import LIFE, end_of_life, new_bill
from gateway.service.quotes import read_quote

_TRIES = 3  # at pool numbers that turn out to be somebody's
_MOST_PHONES = 2  # of a family that an officer asks for


@dataclass(frozen=True, slots=True)
class BillPolicy:
    """``life``: how long a control number can be paid.

    ``pool_of``: the provider whose ready numbers are handed out, None where none are.
    """

    life: timedelta = LIFE
    pool_of: str | None = None


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
            if not wanted.officer and await has_disowned(tx, wanted.msisdn, wanted.family_id):
                return None  # said meanwhile, in another conversation
            quote, family = await read_quote(tx.registry, wanted.family_id, eat_day(now))
            if not isinstance(quote, Quote) or family is None:
                return None
            if quote.key != wanted.key or quote.amount.amount_minor != wanted.amount_minor:
                return None
            requester = Requester(wanted.msisdn, wanted.language, bool(wanted.officer))
            bill = await self._bill(tx, quote, family, wanted, now)
            readers = [*(await _family_readers(tx, family, requester) if wanted.officer else []), requester]
            for place, reader in enumerate(readers):  # no two at one moment: what is first is told of the payment
                await tx.bills.add_requester(bill.id, reader, now + timedelta(microseconds=place))
            if bill.control_number:
                await tx.outbox.put(self._messages.control_number(bill, readers), now)
            return bill

    async def join(self, wanted: AwaitNumber, now: datetime) -> bool:
        """Let this phone know the number that the family's open bill waits for; False where none waits any more."""
        async with self._uow.writing() as tx:
            if await has_disowned(tx, wanted.msisdn, wanted.family_id):
                return False
            waiting = await tx.bills.open_for(wanted.family_id, now)
            # locked: whoever brings the number reads after us who wants it, or has brought it
            bill = await tx.bills.by_id(waiting.id, lock=True) if waiting else None
            if bill is None or bill.stays_without_number:
                return False
            await self._ask_again(tx, bill, now)
            requester = Requester(wanted.msisdn, wanted.language)
            await tx.bills.add_requester(bill.id, requester, now)
            if bill.control_number:
                await tx.outbox.put(self._messages.control_number(bill, [requester]), now)
            return True

    async def _bill(self, tx: Transaction, quote: Quote, family: Family, wanted: RequestBill, now: datetime) -> Bill:
        known = await tx.bills.latest(quote.key, lock=True)
        is_open = known is not None and known.payable_at(now) and not known.stays_without_number
        if known is not None and is_open and known.amount - known.paid == quote.amount:
            await self._ask_again(tx, known, now)
            return known
        code = quote.product.provider_code
        revived = known.number_to_revive(now) if known and known.provider_code == code else None
        ready = await self._take(tx, quote, now) if revived is None else None
        record = PaymentRecord(
            expected=quote.amount,
            msisdn=wanted.msisdn,
            language=wanted.language,
            product_code=quote.product.code,
            chfid=family.head.chfid,
            stage=quote.stage,
            requested_at=now,
            officer_code=wanted.officer or None,
        )
        bill = new_bill(quote, family, known.generation + 1 if known else 1, now, self._policy.life)
        if ready is not None:  # the provider knows it under the pool number's id
            bill = replace(bill, id=ready.bill_id, state=BillState.SUBMITTED)
        bill = replace(
            bill,
            payment_record_id=await _payment_row(tx, record, ready, now),
            reuses=revived,
        )
        if not await tx.bills.add(bill):
            # only without the family's lock could a twin be first; the caller may simply ask again
            raise RuntimeError(f"the bill {bill.key} was made twice at once")
        origin = {"pool": True} if ready else {"reuses": known.id} if known and revived else {}
        await tx.audit.add(
            "ussd", "bill.created", f"bill:{bill.id}", now, key=bill.key, generation=bill.generation, **origin
        )
        if ready is not None:
            number = {"control_number": ready.control_number, "issuer": self._policy.pool_of, "pool": True}
            return await tx.bills.record(bill, BillFact.NUMBERED, now, **number)
        await tx.outbox.put([ReuseNumber(bill.id) if revived else SubmitBill(bill.id)], now)
        return bill

    async def _ask_again(self, tx: Transaction, known: Bill, now: datetime) -> None:
        """A bill whose asking was given up gets another with each caller who still wants it."""
        if not known.awaits_number:
            return
        times = await tx.bills.ask_once_more(known.id, now)
        if times is not None:
            await tx.outbox.put([ask_for(known, times)], now)

    async def _take(self, tx: Transaction, quote: Quote, now: datetime) -> PoolNumber | None:
        """A ready number for exactly this amount that lives as long as a bill; None where there is none."""
        if self._policy.pool_of is None:
            return None
        kind = PoolKind(quote.product.id, quote.product.provider_code, quote.amount, quote.pay_option)
        for _ in range(_TRIES):
            ready = await tx.pool.take(kind, end_of_life(now, self._policy.life), now)
            if ready is None or await tx.bills.by_control_number(ready.control_number or "") is None:
                return ready
            # the provider gave it to a bill too: whoever has it keeps it, and it leaves the pool
            await tx.audit.add("gateway", "pool.given_twice", f"pool:{ready.bill_id}", now)
        return None


async def _family_readers(tx: Transaction, family: Family, officer: Requester) -> list[Requester]:
    """The family's own phones, the head's first: they get the number too. A phone of the officer's that somebody
    entered for the family is not the family's."""
    phones = [phone for phone in await family_phones(tx, family) if phone != officer.msisdn]
    languages = await tx.callers.languages(phones[:_MOST_PHONES])
    return [Requester(phone, languages.get(phone, "")) for phone in phones[:_MOST_PHONES]]


def ask_for(bill: Bill, attempt: int) -> SubmitBill | ReuseNumber:
    """The effect that asks the provider for the bill's number once more."""
    return ReuseNumber(bill.id, attempt) if bill.reuses else SubmitBill(bill.id, attempt)


async def _payment_row(tx: Transaction, record: PaymentRecord, ready: PoolNumber | None, now: datetime) -> int:
    """The tblPayment row: the pool number's own, which is the family's now, or a new one."""
    if ready is None or ready.payment_record_id is None:
        return await tx.registry.open_payment(record, now)
    await tx.registry.hand_out_payment(ready.payment_record_id, record)
    return ready.payment_record_id
