"""Reading the bills of the payment service before us: tblControlNumber, tblPayment and tblPaymentDetails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, bindparam, select

from adapters.registry.openimis.connected import Connected
from adapters.registry.openimis.mapping import Tables
from adapters.registry.openimis.payment_records import ORIGIN
from gateway.domain.money import Money
from gateway.domain.msisdn import normalise
from gateway.ports import LegacyBill, LegacyStatus

_NOTHING = Money(0)


class LegacySql:
    """The statements of this part; None where the installation has no tblControlNumber, and so had no such service."""

    def __init__(self, t: Tables) -> None:
        self.by_number: Select[Any] | None = None
        self.open: Select[Any] | None = None
        if t.control_numbers is None:
            return
        numbers, payments, details = t.control_numbers, t.payments, t.payment_details
        bills = (
            select(
                payments.c.PaymentID,
                numbers.c.ControlNumber,
                payments.c.ExpectedAmount,
                payments.c.PaymentStatus,
                payments.c.PhoneNumber,
                payments.c.LanguageName,
                payments.c.RequestDate,
                details.c.InsuranceNumber,
                details.c.ProductCode,
                details.c.PolicyStage,
            )
            .select_from(
                numbers.join(payments, payments.c.PaymentID == numbers.c.PaymentID).join(
                    details, and_(details.c.PaymentID == payments.c.PaymentID, details.c.ValidityTo.is_(None))
                )
            )
            .where(numbers.c.ValidityTo.is_(None), payments.c.ValidityTo.is_(None))
        )
        self.by_number = bills.where(numbers.c.ControlNumber == bindparam("number")).order_by(payments.c.PaymentID)
        self.open = (
            bills.where(
                payments.c.PaymentID > bindparam("after"),
                numbers.c.ControlNumber.is_not(None),
                numbers.c.ControlNumber != "",
                payments.c.PaymentStatus.between(LegacyStatus.CREATED, LegacyStatus.NUMBERED),
                numbers.c.RequestOrigin.is_distinct_from(ORIGIN),
            )
            .order_by(payments.c.PaymentID)
            .limit(bindparam("page"))
        )


class LegacyBills(Connected):
    """The part of the registry that knows what was billed before us."""

    async def legacy_bills(self, control_number: str) -> Sequence[LegacyBill]:
        """Live bills that carry the number; more than one where the old service gave one number to two callers."""
        statement = self._sql.legacy.by_number
        if statement is None:
            return ()
        return [_bill(row) for row in await self._connection.execute(statement, {"number": control_number})]

    async def open_legacy_bills(self, after_payment_id: int, limit: int) -> Sequence[LegacyBill]:
        """Bills of the service before us that have a number and no money yet, by PaymentID, a page at a time."""
        statement = self._sql.legacy.open
        if statement is None:
            return ()
        rows = await self._connection.execute(statement, {"after": after_payment_id, "page": limit})
        return [_bill(row) for row in rows]


def _bill(row: Any) -> LegacyBill:
    (payment_id, number, expected, status, phone, language, requested, chfid, product_code, stage) = row
    return LegacyBill(
        payment_id=payment_id,
        control_number=number or "",
        expected=_NOTHING if expected is None else Money.from_decimal(expected),
        status=status,
        msisdn=normalise(phone),
        language=language or "",
        requested_at=requested,
        chfid=(chfid or "").strip() or None,
        product_code=(product_code or "").strip() or None,
        stage=stage or "N",
    )
