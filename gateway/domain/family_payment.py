"""How a family's money stands, as it is told on the family's own phone: what is still asked for, and what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from gateway.domain.bill import Bill
from gateway.domain.clock import eat_day
from gateway.domain.money import Money
from gateway.domain.quote import Quote

_SHOWN = 3  # receipts, the newest


class PaymentState(StrEnum):
    """What a family is told of its money first."""

    CHECKED = "checked"  # money came, and a person looks at it: nothing more must be paid meanwhile
    WAITING = "waiting"  # asked for, no number yet
    NUMBERED = "numbered"  # a number, and no money for it that we know of
    PART_PAID = "part_paid"  # a number for what is still due
    PART_DUE = "part_due"  # something is still due, and there is no number for it
    PAID = "paid"  # nothing is asked for; the receipts tell what came
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that is booked for the family, whoever took it: a premium of one of its live policies."""

    amount: Money
    number: str
    day: date


@dataclass(frozen=True, slots=True)
class HeldMoney:
    """Money on a bill of the family that a person decides on, or keeps for its next cover."""

    amount: Money
    reference: str
    paid_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ShownReceipt:
    """A line of the last receipts. ``checked``: a person still looks at it."""

    receipt: Receipt
    checked: bool


@dataclass(frozen=True, slots=True)
class FamilyPayment:
    """``bill``: the one to pay, where there is one; ``due``: what is still to be paid, where anything is."""

    state: PaymentState
    bill: Bill | None
    due: Money | None
    receipts: tuple[ShownReceipt, ...]


def is_still_due(bill: Bill, quote: object) -> bool:
    """Whether the bill asks for what the family owes now: an officer may have taken money, or a price changed."""
    return isinstance(quote, Quote) and quote.key == bill.key and quote.amount == bill.amount - bill.paid


def family_payment(
    bill: Bill | None, quote: object, held: Sequence[HeldMoney], receipts: Sequence[Receipt]
) -> FamilyPayment:
    """``bill``: the family's newest that can still be paid; ``quote``: what it would pay next, or why nothing."""
    asked = bill if bill is not None and is_still_due(bill, quote) else None
    shown = _last(held, receipts)
    if held and (asked is None or asked.created_at <= max(money.seen_at for money in held)):
        return FamilyPayment(PaymentState.CHECKED, None, None, shown)
    begun = isinstance(quote, Quote) and quote.idle is not None and quote.idle.paid.amount_minor > 0
    if asked is None or asked.stays_without_number:
        due = quote.amount if isinstance(quote, Quote) and (begun or asked is not None) else None
        state = PaymentState.PART_DUE if due else PaymentState.PAID if shown else PaymentState.NONE
        return FamilyPayment(state, None, due, shown)
    due = asked.amount - asked.paid
    if asked.control_number is None:
        return FamilyPayment(PaymentState.WAITING, asked, due, shown)
    state = PaymentState.PART_PAID if begun or asked.paid else PaymentState.NUMBERED
    return FamilyPayment(state, asked, due, shown)


def _last(held: Sequence[HeldMoney], receipts: Sequence[Receipt]) -> tuple[ShownReceipt, ...]:
    """The newest first; of one day what a person looks at before what is done with."""
    looked_at = [ShownReceipt(Receipt(m.amount, m.reference, eat_day(m.paid_at)), checked=True) for m in held]
    done = [ShownReceipt(receipt, checked=False) for receipt in receipts]
    return tuple(sorted([*looked_at, *done], key=lambda shown: shown.receipt.day, reverse=True)[:_SHOWN])
