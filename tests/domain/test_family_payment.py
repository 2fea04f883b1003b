"""What a family is told of its money: never "not paid" where money lies with us, never a number that is stale."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.domain.bill import Bill, BillState, PayOption
from gateway.domain.family_payment import HeldMoney, PaymentState, Receipt, family_payment
from gateway.domain.money import Money
from gateway.domain.periods import Period
from gateway.domain.policy import Policy, PolicyStatus, Product
from gateway.domain.quote import NoQuote, NoQuoteReason, Quote

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TODAY = date(2026, 11, 22)
PRICE, PART = Money.parse("30000"), Money.parse("10000")
PRODUCT = Product(3, "CHF", "CHF", PRICE, 6, 12, TODAY, TODAY)
QUOTE = Quote(7, PRODUCT, "R", None, None, PRICE, PRICE, Period(TODAY, TODAY))
IDLE = Policy(12, 7, 3, PolicyStatus.IDLE, "N", TODAY, TODAY, None, TODAY, PRICE, PART)
REST = replace(QUOTE, amount=PRICE - PART, idle=IDLE)
BILL = Bill(
    "B1", QUOTE.key, 1, 7, 3, "CHF", None, "R", "100000014", "Asha", PRICE, PRICE, PayOption.EXACT, None,
    BillState.NUMBERED, "994120000011", Money(0), NOW, NOW + timedelta(days=30),
)  # fmt: skip
ASKED = replace(BILL, state=BillState.SUBMITTED, control_number=None)
PARTLY = replace(BILL, state=BillState.PART_PAID, paid=PART)
SUSPENDED = NoQuote(NoQuoteReason.SUSPENDED)


def held(minutes: float, day: int = 22) -> HeldMoney:
    return HeldMoney(PRICE, "R9", NOW.replace(day=day), NOW + timedelta(minutes=minutes))


PAID = [Receipt(PART, "R1", TODAY)]
S = PaymentState


@pytest.mark.parametrize(
    ("bill", "quote", "held_money", "receipts", "state", "number", "due"),
    [
        (None, QUOTE, [], [], S.NONE, None, None),
        (None, SUSPENDED, [], [], S.NONE, None, None),
        (None, QUOTE, [], PAID, S.PAID, None, None),
        (None, SUSPENDED, [], PAID, S.PAID, None, None),
        (ASKED, QUOTE, [], [], S.WAITING, None, PRICE),
        (BILL, QUOTE, [], PAID, S.NUMBERED, BILL.control_number, PRICE),
        # the price changed, an officer took money, another cover is due: the number is not told any more
        (BILL, replace(QUOTE, amount=PART), [], [], S.NONE, None, None),
        (BILL, replace(QUOTE, preceding=IDLE), [], PAID, S.PAID, None, None),
        (BILL, SUSPENDED, [], [], S.NONE, None, None),
        # instalments: on the bill, or taken by an officer before it; with no number for the rest
        (PARTLY, REST, [], PAID, S.PART_PAID, BILL.control_number, PRICE - PART),
        (replace(BILL, amount=PRICE - PART), REST, [], PAID, S.PART_PAID, BILL.control_number, PRICE - PART),
        (None, REST, [], PAID, S.PART_DUE, None, PRICE - PART),
        (replace(PARTLY, control_number=None), REST, [], PAID, S.PART_DUE, None, PRICE - PART),
        # money that a person looks at comes before everything but a bill asked for since
        (BILL, QUOTE, [held(1)], [], S.CHECKED, None, None),
        (BILL, QUOTE, [held(-9), held(1)], [], S.CHECKED, None, None),
        (BILL, QUOTE, [held(-9)], [], S.NUMBERED, BILL.control_number, PRICE),
        (None, QUOTE, [held(-9)], PAID, S.CHECKED, None, None),
        (None, SUSPENDED, [held(-9)], [], S.CHECKED, None, None),
    ],
)
def test_how_the_money_stands(
    bill: Bill | None, quote: object, held_money: Any, receipts: Any, state: S, number: str | None, due: Money | None
) -> None:
    told = family_payment(bill, quote, held_money, receipts)
    assert (told.state, told.bill.control_number if told.bill else None, told.due) == (state, number, due)


def test_the_last_three_receipts_are_told_and_money_that_is_looked_at_among_them() -> None:
    receipts = [Receipt(PART, f"R{day}", date(2026, 11, day)) for day in (22, 21, 20)]
    shown = family_payment(None, QUOTE, [held(0, 21), held(0, 1)], receipts).receipts
    assert [(line.receipt.number, line.checked) for line in shown] == [("R22", False), ("R9", True), ("R21", False)]


def test_the_day_of_held_money_is_east_africas() -> None:
    money = HeldMoney(PRICE, "R9", datetime(2026, 11, 22, 22, tzinfo=UTC), NOW)
    assert family_payment(None, QUOTE, [money], []).receipts[0].receipt.day == date(2026, 11, 23)
