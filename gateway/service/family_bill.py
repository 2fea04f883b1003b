"""Money that names no control number but an insurance number: the family's bill for the cover that is due.

The bill that the family asked for by phone is used where there is one. Else one is made when the money is booked, with
no number asked for: nobody needs it any more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from gateway.domain.bill import Bill
from gateway.domain.clock import eat_day
from gateway.domain.payments import CaseKind, PaymentReport
from gateway.domain.quote import NoQuoteReason, Quote
from gateway.ports import PaymentRecord, Transaction
from gateway.service.new_bill import LIFE, new_bill
from gateway.service.quotes import read_quote

# Before that a renewal must have been asked for: an insurance number that is paid twice would else buy two years.
RENEWED_AT_MOST = timedelta(days=90)

_WHY_NOT = {
    NoQuoteReason.SUSPENDED: CaseKind.POLICY_SUSPENDED,
    NoQuoteReason.ALREADY_RENEWED: CaseKind.ALREADY_COVERED,
    NoQuoteReason.NOTHING_DUE: CaseKind.ALREADY_COVERED,
    NoQuoteReason.NO_PRODUCT: CaseKind.PRODUCT_GONE,
}


@dataclass(frozen=True, slots=True)
class FamilyBill:
    """What the family owes for its next cover. ``is_new``: not stored yet."""

    bill: Bill
    is_new: bool


async def family_bill(
    tx: Transaction, chfid: str, paid_at: datetime, now: datetime, *, lock: bool
) -> FamilyBill | CaseKind:
    """The bill to pay, or why none is. ``lock``: hold family and bill.

    A new bill is of the moment of payment, which is what its cover counts from; but of none longer ago than a bill
    lives, or late news could buy days that are over.
    """
    paid_at = min(paid_at, now)
    day = eat_day(paid_at)
    family = await tx.registry.family_of(chfid)
    if family is None or (lock and not await tx.registry.lock_family(family.id)):
        return CaseKind.UNKNOWN_CONTROL_NUMBER
    quote, family = await read_quote(tx.registry, family.id, day)
    if family is None:
        return CaseKind.FAMILY_GONE
    if not isinstance(quote, Quote):
        return _WHY_NOT[quote.reason]
    known = await tx.bills.latest(quote.key, lock=lock)
    if known is not None and known.payable_at(now) and known.amount - known.paid == quote.amount:
        return FamilyBill(known, is_new=False)
    if is_early(quote, day):
        return CaseKind.ALREADY_COVERED
    made = new_bill(quote, family, known.generation + 1 if known else 1, now)
    return FamilyBill(replace(made, created_at=max(paid_at, now - LIFE)), is_new=True)


def is_early(quote: Quote, day: date) -> bool:
    """Whether the family's cover still runs so long that nobody renews it unasked."""
    if quote.idle is not None or quote.preceding is None or quote.preceding.expiry_date is None:
        return False
    return quote.preceding.expiry_date - day > RENEWED_AT_MOST


async def store_bill(tx: Transaction, bill: Bill, report: PaymentReport, provider: str, now: datetime) -> Bill:
    """Write the new bill down, with its tblPayment row, for the money that has come."""
    record = PaymentRecord(
        expected=bill.amount,
        msisdn=report.payer_msisdn,
        language="",
        product_code=bill.product_code,
        chfid=bill.chfid,
        stage=bill.stage,
        requested_at=now,
    )
    bill = replace(bill, payment_record_id=await tx.registry.open_payment(record, now))
    if not await tx.bills.add(bill):
        # only without the family's lock could a twin be first; the entry is tried again
        raise RuntimeError(f"the bill {bill.key} was made twice at once")
    await tx.audit.add(provider, "bill.created", f"bill:{bill.id}", now, key=bill.key, generation=bill.generation)
    return bill
