"""Whose money it is, when a number is given between our two looks at the bills: told by the second look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.domain.bill import Bill, BillState, PayOption
from gateway.domain.money import Money
from gateway.domain.payments import PaymentReport
from gateway.service import settle_payment

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
BILL = Bill(
    id="B1", key="family:1/product:1/after:0", generation=1, family_id=1, product_id=1, product_code="CHF1",
    preceding_policy_id=None, stage="N", chfid="100000014", payer_name="Asha Juma", amount=Money(3_000_000),
    policy_value=Money(3_000_000), pay_option=PayOption.EXACT, provider_code=None, state=BillState.SUBMITTED,
    control_number=None, paid=Money(0), created_at=NOW, expires_at=NOW + timedelta(days=30),
)  # fmt: skip
NUMBER, OTHER = "994180000017", "994180000025"


def told(by_number: Bill | None, by_id: Bill | None) -> Any:
    """A transaction whose first look finds by the number, and whose second, by the id."""

    async def by_control_number(number: str, lock: bool = False) -> Bill | None:
        return by_number

    async def by_id_(bill_id: str, lock: bool = False) -> Bill | None:
        return by_id

    return SimpleNamespace(bills=SimpleNamespace(by_control_number=by_control_number, by_id=by_id_))


def numbered(number: str | None) -> Bill:
    return replace(BILL, control_number=number, state=BillState.NUMBERED if number else BillState.SUBMITTED)


@pytest.mark.parametrize(
    ("by_number", "by_id", "found"),
    [
        (numbered(NUMBER), numbered(NUMBER), "B1"),
        (None, numbered(None), "B1"),  # the payment overtook its number
        (None, numbered(NUMBER), "B1"),  # the number was given after the first look
        (None, numbered(OTHER), None),  # it has another number: not this money
    ],
    ids=["known", "not given yet", "given between", "given another"],
)
async def test_a_number_given_between_two_looks_is_not_unknown(
    by_number: Bill | None, by_id: Bill | None, found: str | None
) -> None:
    report = PaymentReport("R1", NUMBER, BILL.amount, NOW, bill_id="B1")
    bill = await settle_payment._bill_of(told(by_number, by_id), report, NOW)
    assert (bill.id if bill else None) == found
