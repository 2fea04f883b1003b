"""The fact ``payment``: how the family's money stands, and its last receipts."""

from __future__ import annotations

from typing import Any

from gateway.domain.clock import Clock, eat_day
from gateway.domain.family_payment import ShownReceipt, family_payment
from gateway.ports import UnitOfWork
from gateway.service.quotes import read_quote

_MOST = 3  # rows of each kind: no more lines are shown

JsonObject = dict[str, Any]


class PaymentFact:
    """Asked for by the family's own phone only, as the members are."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def __call__(self, family_id: int) -> JsonObject:
        """From the bill, from money that waits for a person, and from the registry's own premiums."""
        now = self._clock.now()
        async with self._uow.reading() as tx:
            bill = await tx.bills.open_for(family_id, now)
            quote, _ = await read_quote(tx.registry, family_id, eat_day(now))
            held = await tx.payments.held_for(family_id, _MOST)
            receipts = await tx.registry.receipts(family_id, _MOST)
        stands = family_payment(bill, quote, held, receipts)
        return {
            "state": str(stands.state),
            "due": stands.due.amount_minor if stands.due else None,
            "number": stands.bill.control_number if stands.bill else None,
            "expires": eat_day(stands.bill.expires_at).isoformat() if stands.bill else None,
            "receipts": [_line(shown) for shown in stands.receipts],
        }


def _line(shown: ShownReceipt) -> JsonObject:
    return {
        "state": "checked" if shown.checked else "paid",
        "amount": shown.receipt.amount.amount_minor,
        "receipt": shown.receipt.number,
        "day": shown.receipt.day.isoformat(),
    }
