"""Writing tblPayment and tblPaymentDetails, so that openIMIS' own payment screens and reports stay true.

The live rows are changed in place, as the legacy payment procedures do; a history row is written by none of them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update

from adapters.registry.openimis.connected import Connected, held, padded
from adapters.registry.openimis.mapping import Tables
from adapters.registry.openimis.tables import fitting
from adapters.registry.openimis.types import new_uuid
from gateway.domain.money import Money
from gateway.domain.msisdn import without_plus
from gateway.ports import LegacyStatus, PaymentHeld, PaymentReceived, PaymentRecord, Placed

MOBILE_PHONE = "MobilePhone"  # tblPayment.TypeOfPayment
ORIGIN = "imis-gateway"  # tblControlNumber.RequestOrigin and ResponseOrigin
_PHONE_WIDTH = 12
_ABOVE_LEGACY_KEYS = 10**15  # and below what a spreadsheet or a browser still counts exactly


class PaymentSql:
    """The statements of this part, over one installation's tables."""

    def __init__(self, t: Tables) -> None:
        payments, details = t.payments, t.payment_details
        self.payments, self.details, self.control_numbers = payments, details, t.control_numbers
        this_payment = payments.c.PaymentID == bindparam("payment_id")
        live_payment = and_(this_payment, payments.c.ValidityTo.is_(None))
        not_overtaken = or_(
            payments.c.PaymentStatus.is_(None),
            payments.c.PaymentStatus < LegacyStatus.NUMBERED,
            payments.c.PaymentStatus < bindparam("status"),
        )
        self.status = update(payments).where(live_payment, not_overtaken).values(PaymentStatus=bindparam("status"))
        self.refusal = self.status.values(RejectedReason=bindparam("reason"))
        not_matched = or_(payments.c.PaymentStatus.is_(None), payments.c.PaymentStatus != LegacyStatus.MATCHED)
        self.decision = (
            update(payments)
            .where(live_payment, not_matched)
            .values(PaymentStatus=bindparam("status"), RejectedReason=bindparam("reason"))
        )
        self.match = (
            update(payments)
            .where(live_payment, payments.c.PaymentStatus == LegacyStatus.RECEIVED)
            .values(PaymentStatus=LegacyStatus.MATCHED, MatchedDate=bindparam("at"))
        )
        self.cancel = update(payments).where(live_payment).values(ValidityTo=bindparam("ended"))
        self.cancel_details = (
            update(details)
            .where(details.c.PaymentID == bindparam("payment_id"), details.c.ValidityTo.is_(None))
            .values(ValidityTo=bindparam("ended"))
        )
        self.held = held(
            select(payments.c.PaymentID, payments.c.ReceivedAmount, payments.c.PaymentStatus)
            .where(payments.c.PaymentID.in_(bindparam("payment_ids", expanding=True)), payments.c.ValidityTo.is_(None))
            .order_by(payments.c.PaymentID),
            payments,
        )
        self.received = update(payments).where(this_payment)
        self.held_details = (
            select(details.c.PaymentID, details.c.PaymentDetailsID, details.c.Amount)
            .where(details.c.PaymentID.in_(bindparam("payment_ids", expanding=True)), details.c.ValidityTo.is_(None))
            .order_by(details.c.PaymentDetailsID)
        )
        self.handed_out = (
            update(details)
            .where(details.c.PaymentID == bindparam("payment_id"), details.c.ValidityTo.is_(None))
            .values(InsuranceNumber=bindparam("chfid"), PolicyStage=bindparam("stage"))
        )
        enrolled = (
            select(t.policies.c.EnrollDate)
            .join(t.premiums, t.premiums.c.PolicyID == t.policies.c.PolicyID)
            .where(t.premiums.c.PremiumId == bindparam("premium_id"))
            .scalar_subquery()
        )
        self.received_details = (
            update(details)
            .where(details.c.PaymentDetailsID == bindparam("details_id"))
            .values(Amount=bindparam("amount"), PremiumID=bindparam("premium_id"), enrollmentDate=enrolled)
        )
        numbers = t.control_numbers
        if numbers is not None:
            self.give_number = (
                update(numbers)
                .where(numbers.c.PaymentID == bindparam("payment_id"), numbers.c.ValidityTo.is_(None))
                .values(  # a number that stands there is not replaced
                    ControlNumber=_kept(numbers.c.ControlNumber, "number"),
                    ReceivedDate=_kept(numbers.c.ReceivedDate, "at"),
                    ResponseOrigin=ORIGIN,
                )
            )


def _kept(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    return func.coalesce(column, bindparam(name, type_=column.type))


class PaymentRecords(Connected):
    """The part of the registry that mirrors bills and payments."""

    async def open_payment(self, record: PaymentRecord, now: datetime) -> int:
        """Insert tblPayment (status 1) and tblPaymentDetails; the new PaymentID."""
        payments, payment_details = self._sql.payments.payments, self._sql.payments.details
        phone = without_plus(record.msisdn) if record.msisdn else None
        payment_id = await self._insert(
            payments,
            {
                "PaymentUUID": new_uuid(),
                "ExpectedAmount": record.expected.to_decimal(),
                "PhoneNumber": phone if phone and len(phone) <= _PHONE_WIDTH else None,  # half a number is nobody's
                "RequestDate": record.requested_at,
                "PaymentStatus": LegacyStatus.CREATED,
                "LanguageName": fitting(payments.c.LanguageName, record.language or None),
                "OfficerCode": fitting(payments.c.OfficerCode, record.officer_code),
                # openIMIS' pool entries have no type: it reckons no transfer fee for them
                "TypeOfPayment": MOBILE_PHONE if record.chfid else None,
                "SmsRequired": bool(record.chfid),
                "AuditedUSerID": self._audit_user_id,
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
        await self._ask_for_number(payment_id, record, now)
        return payment_id

    async def _ask_for_number(self, payment_id: int, record: PaymentRecord, now: datetime) -> None:
        """tblControlNumber, where this installation has it, as openIMIS uspRequestGetControlNumber writes it."""
        numbers = self._sql.payments.control_numbers
        if numbers is None:
            return
        (key,) = numbers.primary_key.columns
        row: dict[str, object] = {
            "PaymentID": payment_id,
            "RequestedDate": record.requested_at,
            "RequestOrigin": ORIGIN,
            "Status": 0,
            "AuditedUserID": self._audit_user_id,
            "ValidityFrom": now,
        }
        if not key.autoincrement:  # the legacy PostgreSQL dump has neither a sequence nor a default for it
            row[key.name] = _ABOVE_LEGACY_KEYS + payment_id
        await self._insert(numbers, row)

    async def hand_out_payment(self, payment_id: int, record: PaymentRecord) -> None:
        """Put the family on the rows of a number of the pool, as openIMIS' SingleControlNumberHandler does."""
        payments, details = self._sql.payments.payments, self._sql.payments.details
        phone = without_plus(record.msisdn) if record.msisdn else None
        values: dict[str, object] = {
            "PhoneNumber": phone if phone and len(phone) <= _PHONE_WIDTH else None,
            "LanguageName": fitting(payments.c.LanguageName, record.language),
            "OfficerCode": fitting(payments.c.OfficerCode, record.officer_code),
            "RequestDate": record.requested_at,
            "SmsRequired": True,
        }
        await self._connection.execute(
            self._sql.payments.received.values({name: value for name, value in values.items() if name in payments.c}),
            {"payment_id": payment_id},
        )
        await self._connection.execute(
            self._sql.payments.handed_out,
            {
                "payment_id": payment_id,
                "chfid": fitting(details.c.InsuranceNumber, record.chfid),
                "stage": record.stage,
            },
        )

    async def number_given(self, payment_id: int, control_number: str, now: datetime) -> None:
        """Status 3, and the number into tblControlNumber where this installation has it."""
        await self.numbers_given([(payment_id, control_number)], now)

    async def numbers_given(self, numbers: Sequence[tuple[int, str]], now: datetime) -> None:
        """The same of many (tblPayment row, control number)."""
        statuses = [{"payment_id": payment_id, "status": LegacyStatus.NUMBERED} for payment_id, _ in numbers]
        await self._connection.execute(self._sql.payments.status, statuses)
        table = self._sql.payments.control_numbers
        if table is not None:
            rows = [
                {"payment_id": payment_id, "number": fitting(table.c.ControlNumber, number), "at": now}
                for payment_id, number in numbers
            ]
            await self._connection.execute(self._sql.payments.give_number, rows)

    async def payment_matched(self, payment_id: int, now: datetime) -> None:
        """Status 5 for money that stood at 4."""
        await self._connection.execute(self._sql.payments.match, {"payment_id": payment_id, "at": now})

    async def payment_cancelled(self, payment_id: int, now: datetime) -> None:
        """End tblPayment and its details as a cancelled bill's; the status keeps what had been reached (openIMIS)."""
        values = {"payment_id": payment_id, "ended": now}
        await self._connection.execute(self._sql.payments.cancel, values)
        await self._connection.execute(self._sql.payments.cancel_details, values)

    async def payment_status(
        self, payment_id: int, status: int, now: datetime, reason: str | None = None, *, decided: bool = False
    ) -> None:
        """Move a tblPayment row on, never back from 3 (numbered), 4 or 5: answers overtake each other.

        ``decided``: a person's word about held money is no answer that could be late; it moves back all but a 5. A
        deleted row is left alone. ``now`` is not written: openIMIS keeps no column for the moment of a status.
        """
        values = {"payment_id": payment_id, "status": status}
        if reason is None:
            await self._connection.execute(self._sql.payments.status, values)
        else:
            await self._connection.execute(
                self._sql.payments.decision if decided else self._sql.payments.refusal,
                {**values, "reason": fitting(self._sql.payments.payments.c.RejectedReason, reason)},
            )

    async def payment_received(self, payment_id: int, received: PaymentReceived, now: datetime) -> None:
        """Add the money to tblPayment and tblPaymentDetails: status 5 when matched, else 4; 5 stays 5.

        Instalments add up; the rest tells of the last one. A row that staff have deleted is left alone: the money is
        in the premium. The payer's phone has a column in some installations only. What was held keeps what its row says
        of the money, and loses the reason why it waited.
        """
        await self.payments_received([(payment_id, received)], now)

    async def payments_received(self, received: Sequence[tuple[int, PaymentReceived]], now: datetime) -> None:
        """The same of many tblPayment rows, each a different one."""
        ids = {"payment_ids": padded([payment_id for payment_id, _ in received])}
        held = {row.PaymentID: row for row in await self._connection.execute(self._sql.payments.held, ids)}
        live = [(payment_id, money) for payment_id, money in received if payment_id in held]
        if not live:
            return
        rows = [{"payment_id": pid, **self._received(held[pid], money, now)} for pid, money in live]
        for alike in _of_the_same_columns(rows):
            await self._connection.execute(self._sql.payments.received, alike)
        await self._detail(live)

    async def _detail(self, received: Sequence[tuple[int, PaymentReceived]]) -> None:
        """The first live tblPaymentDetails row of each payment says what was paid, for which premium and for whom."""
        ids = {"payment_ids": padded([payment_id for payment_id, _ in received])}
        first: dict[int, Any] = {}
        for found in await self._connection.execute(self._sql.payments.held_details, ids):
            first.setdefault(found.PaymentID, found)
        rows: list[dict[str, object]] = []
        for payment_id, money in received:
            if (details := first.get(payment_id)) is None:
                continue
            row: dict[str, object] = {
                "details_id": details.PaymentDetailsID,
                "amount": (_so_far(details.Amount) + money.amount).to_decimal(),
                "premium_id": money.premium_id,
            }
            if money.placed is None:
                rows.append(row)
            else:
                statement = self._sql.payments.received_details.values(self._cover(money.placed))
                await self._connection.execute(statement, row)
        if rows:
            await self._connection.execute(self._sql.payments.received_details, rows)

    def _received(self, held: Any, received: PaymentReceived, now: datetime) -> dict[str, object]:
        """What becomes of a tblPayment row that was ``held``."""
        matched = received.matched or held.PaymentStatus == LegacyStatus.MATCHED
        values: dict[str, object] = {"PaymentStatus": LegacyStatus.MATCHED if matched else LegacyStatus.RECEIVED}
        if received.placed is None:
            values |= self._money(_so_far(held.ReceivedAmount), received, now)
        else:
            values["RejectedReason"] = None
        if received.matched:
            values["MatchedDate"] = now
        return values

    def _money(self, so_far: Money, received: PaymentReceived, now: datetime) -> dict[str, object]:
        """What a tblPayment row says of money."""
        payments = self._sql.payments.payments
        values: dict[str, object] = {
            "ReceivedAmount": (so_far + received.amount).to_decimal(),
            "ReceivedDate": now,
            "PaymentDate": received.paid_at,
            "ReceiptNo": fitting(payments.c.ReceiptNo, received.receipt),
            "TransactionNo": fitting(payments.c.TransactionNo, received.transaction),
            "PaymentOrigin": fitting(payments.c.PaymentOrigin, received.origin),
        }
        if received.payer_msisdn is not None and "PayerPhoneNumber" in payments.c:
            values["PayerPhoneNumber"] = without_plus(received.payer_msisdn)
        return values

    def _cover(self, placed: Placed) -> dict[str, object]:
        """What a tblPaymentDetails row says of whom and what was paid for."""
        details = self._sql.payments.details
        return {
            "InsuranceNumber": fitting(details.c.InsuranceNumber, placed.chfid),
            "ProductCode": fitting(details.c.ProductCode, placed.product_code),
            "PolicyStage": placed.stage,
        }

    async def hold_payment(self, money: PaymentHeld, now: datetime) -> int:
        """A tblPayment row with details for money that a person must place, as uspReceivePayment leaves one.

        The bill's own row is not touched: it can still be paid rightly.
        """
        payments, payment_details = self._sql.payments.payments, self._sql.payments.details
        phone = without_plus(money.payer_msisdn) if money.payer_msisdn else None
        amounts = {"ExpectedAmount": money.expected.to_decimal() if money.expected else None}
        payment_id = await self._insert(
            payments,
            {
                **amounts,
                "PaymentUUID": new_uuid(),
                "ReceivedAmount": money.amount.to_decimal(),
                "ReceivedDate": now,
                "PaymentDate": money.paid_at,
                "ReceiptNo": fitting(payments.c.ReceiptNo, money.receipt),
                "TransactionNo": fitting(payments.c.TransactionNo, money.transaction),
                "PaymentOrigin": fitting(payments.c.PaymentOrigin, money.origin),
                "PaymentStatus": money.status,
                "RejectedReason": fitting(payments.c.RejectedReason, money.reason),
                "TypeOfPayment": MOBILE_PHONE,
                "PhoneNumber": phone,
                "PayerPhoneNumber": phone,
                "SmsRequired": True,
                "AuditedUSerID": self._audit_user_id,
                "ValidityFrom": now,
            },
        )
        await self._insert(
            payment_details,
            {
                **amounts,
                "PaymentID": payment_id,
                "ProductCode": fitting(payment_details.c.ProductCode, money.product_code),
                "InsuranceNumber": fitting(payment_details.c.InsuranceNumber, money.chfid),
                "PolicyStage": money.stage,
                "AuditedUserId": self._audit_user_id,
                "ValidityFrom": now,
            },
        )
        return payment_id


def _of_the_same_columns(rows: Sequence[dict[str, object]]) -> Collection[list[dict[str, object]]]:
    """The rows in groups: one statement writes one set of columns."""
    groups: dict[tuple[str, ...], list[dict[str, object]]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    return groups.values()


def _so_far(amount: Decimal | None) -> Money:
    return Money(0) if amount is None else Money.from_decimal(amount)
