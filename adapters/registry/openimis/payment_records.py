"""Writing tblPayment and tblPaymentDetails, so that openIMIS' own payment screens and reports stay true.

The live rows are changed in place, as the legacy payment procedures do; a history row is written by none of them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import bindparam, or_, select, update

from adapters.registry.openimis.connected import Connected
from adapters.registry.openimis.tables import fitting, payment_details, payments
from adapters.registry.openimis.types import new_uuid
from gateway.domain.money import Money
from gateway.domain.msisdn import without_plus
from gateway.ports import LegacyStatus, PaymentReceived, PaymentRecord

MOBILE_PHONE = "MobilePhone"  # tblPayment.TypeOfPayment
_PHONE_WIDTH = 12

_STATUS = (
    update(payments)
    .where(
        payments.c.PaymentID == bindparam("payment_id"),
        payments.c.ValidityTo.is_(None),
        or_(
            payments.c.PaymentStatus.is_(None),
            payments.c.PaymentStatus < LegacyStatus.NUMBERED,
            payments.c.PaymentStatus < bindparam("status"),
        ),
    )
    .values(PaymentStatus=bindparam("status"))
)
_REFUSAL = _STATUS.values(RejectedReason=bindparam("reason"))

_HELD = (
    select(payments.c.ReceivedAmount, payments.c.PaymentStatus)
    .where(payments.c.PaymentID == bindparam("payment_id"), payments.c.ValidityTo.is_(None))
    .with_for_update()
)
_RECEIVED = update(payments).where(payments.c.PaymentID == bindparam("payment_id"))

_HELD_DETAILS = (
    select(payment_details.c.PaymentDetailsID, payment_details.c.Amount)
    .where(payment_details.c.PaymentID == bindparam("payment_id"), payment_details.c.ValidityTo.is_(None))
    .order_by(payment_details.c.PaymentDetailsID)
    .limit(1)
)
_RECEIVED_DETAILS = (
    update(payment_details)
    .where(payment_details.c.PaymentDetailsID == bindparam("details_id"))
    .values(Amount=bindparam("amount"), PremiumID=bindparam("premium_id"))
)


class PaymentRecords(Connected):
    """The part of the registry that mirrors bills and payments."""

    async def open_payment(self, record: PaymentRecord, now: datetime) -> int:
        """Insert tblPayment (status 1) and tblPaymentDetails; the new PaymentID."""
        phone = without_plus(record.msisdn) if record.msisdn else None
        payment_id = await self._insert(
            payments,
            {
                "PaymentUUID": new_uuid(),
                "ExpectedAmount": record.expected.to_decimal(),
                "PhoneNumber": phone if phone and len(phone) <= _PHONE_WIDTH else None,  # half a number is nobody's
                "RequestDate": record.requested_at,
                "PaymentStatus": LegacyStatus.CREATED,
                "LanguageName": fitting(payments.c.LanguageName, record.language),
                "TypeOfPayment": MOBILE_PHONE,
                "ValidityFrom": now,
            },
        )
        await self._insert(
            payment_details,
            {
                "PaymentID": payment_id,
                "ProductCode": fitting(payment_details.c.ProductCode, record.product_code),
                "InsuranceNumber": fitting(payment_details.c.InsuranceNumber, record.chfid),
                "PolicyStage": record.stage,
                "ExpectedAmount": record.expected.to_decimal(),
                "AuditedUserId": self._audit_user_id,
                "ValidityFrom": now,
            },
        )
        return payment_id

    async def payment_status(self, payment_id: int, status: int, now: datetime, reason: str | None = None) -> None:
        """Move a tblPayment row on, never back from 3 (numbered), 4 or 5: answers overtake each other.

        A deleted row is left alone. ``now`` is not written: openIMIS keeps no column for the moment of a status.
        """
        values = {"payment_id": payment_id, "status": status}
        if reason is None:
            await self._connection.execute(_STATUS, values)
        else:
            await self._connection.execute(_REFUSAL, {**values, "reason": fitting(payments.c.RejectedReason, reason)})

    async def payment_received(self, payment_id: int, received: PaymentReceived, now: datetime) -> None:
        """Add the money to tblPayment and tblPaymentDetails: status 5 when matched, else 4; 5 stays 5.

        Instalments add up; the rest tells of the last one. A row that staff have deleted is left alone: the money is
        in the premium. The payer's phone has no column that every installation shares.
        """
        held = (await self._connection.execute(_HELD, {"payment_id": payment_id})).one_or_none()
        if held is None:
            return
        matched = received.matched or held.PaymentStatus == LegacyStatus.MATCHED
        values = {
            "ReceivedAmount": (_so_far(held.ReceivedAmount) + received.amount).to_decimal(),
            "ReceivedDate": now,
            "PaymentDate": received.paid_at,
            "ReceiptNo": fitting(payments.c.ReceiptNo, received.receipt),
            "TransactionNo": fitting(payments.c.TransactionNo, received.transaction),
            "PaymentOrigin": fitting(payments.c.PaymentOrigin, received.origin),
            "PaymentStatus": LegacyStatus.MATCHED if matched else LegacyStatus.RECEIVED,
        }
        if received.matched:
            values["MatchedDate"] = now
        await self._connection.execute(_RECEIVED.values(values), {"payment_id": payment_id})
        details = (await self._connection.execute(_HELD_DETAILS, {"payment_id": payment_id})).one_or_none()
        if details is None:
            return
        amount = _so_far(details.Amount) + received.amount
        await self._connection.execute(
            _RECEIVED_DETAILS,
            {
                "details_id": details.PaymentDetailsID,
                "amount": amount.to_decimal(),
                "premium_id": received.premium_id,
            },
        )


def _so_far(amount: Decimal | None) -> Money:
    return Money(0) if amount is None else Money.from_decimal(amount)
