"""A bill that was paid elsewhere: its control number is withdrawn where it was issued, so that nobody pays it again."""

from __future__ import annotations

from datetime import datetime

from gateway.domain.bill import Bill, BillState
from gateway.domain.effects import CancelBill
from gateway.domain.money import Money
from gateway.ports import Transaction


async def withdraw_number(tx: Transaction, bill: Bill, amount: Money, paid_through: str, now: datetime) -> None:
    """Once the bill is paid; ``amount`` came now. Its issuer knows of the money that came through itself, of no other.

    A number of the payment service before us has no issuer that would know the bill by our id.
    """
    if bill.state != BillState.PAID or bill.control_number is None or bill.issuer is None:
        return
    if bill.issuer == paid_through:
        in_one = bill.paid == amount
        if in_one or not await tx.payments.came_elsewhere(bill.id, bill.issuer):
            return
    await tx.outbox.put([CancelBill(bill.id)], now)
    await tx.audit.add("gateway", "number.withdrawn", f"bill:{bill.id}", now, paid_through=paid_through)
