"""tblPayment and tblPaymentDetails through a bill's life, in openIMIS' legacy numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from adapters.registry.openimis import tables as t
from gateway.domain.money import Money
from gateway.ports import LegacyStatus, PaymentReceived, PaymentRecord

NOW = datetime(2026, 11, 22, 8, 15, 30, 123456, tzinfo=UTC)
ASKED = NOW - timedelta(minutes=1)
PAID_AT = NOW + timedelta(hours=2)
LATER = NOW + timedelta(hours=3)

RECORD = PaymentRecord(
    expected=Money.parse("30000"),
    msisdn="+255712000001",
    language="sw",
    product_code="CHFDOM",
    chfid="071000015",
    stage="R",
    requested_at=ASKED,
)
RECEIVED = PaymentReceived(
    amount=Money.parse("30000"),
    receipt="RCP-1",
    transaction="TRX-1",
    origin="CRDB",
    paid_at=PAID_AT,
    payer_msisdn="+255655000001",
    premium_id=77,
    matched=True,
)


async def the_rows(world: Any, payment_id: int) -> tuple[dict[str, Any], dict[str, Any]]:
    details = [d for d in (await world.rows(t.payment_details)).values() if d["PaymentID"] == payment_id]
    assert len(details) == 1
    return (await world.rows(t.payments))[payment_id], details[0]


async def test_open_payment(world: Any) -> None:
    payment_id = await world.registry.open_payment(RECORD, NOW)
    payment, details = await the_rows(world, payment_id)
    assert UUID(payment.pop("PaymentUUID")).version == 4
    assert payment == {
        "PaymentID": payment_id,
        "ExpectedAmount": Decimal("30000.00"),
        "ReceivedAmount": None,
        "OfficerCode": None,
        "PhoneNumber": "255712000001",
        "RequestDate": ASKED,
        "ReceivedDate": None,
        "PaymentStatus": 1,
        "TransactionNo": None,
        "PaymentOrigin": None,
        "MatchedDate": None,
        "ReceiptNo": None,
        "PaymentDate": None,
        "RejectedReason": None,
        "LanguageName": "sw",
        "TypeOfPayment": "MobilePhone",
        "PayerPhoneNumber": None,
        "SmsRequired": True,
        "AuditedUSerID": -1,
        "ValidityFrom": NOW,
        "ValidityTo": None,
        "LegacyID": None,
    }
    del details["PaymentDetailsID"]
    assert details == {
        "PaymentID": payment_id,
        "ProductCode": "CHFDOM",
        "InsuranceNumber": "071000015",
        "PolicyStage": "R",
        "Amount": None,
        "ExpectedAmount": Decimal("30000.00"),
        "PremiumID": None,
        "enrollmentDate": None,
        "AuditedUserId": -1,
        "ValidityFrom": NOW,
        "ValidityTo": None,
        "LegacyID": None,
    }


@pytest.mark.parametrize("msisdn", [None, "+2557120000012"])
async def test_a_phone_that_does_not_fit_is_not_cut_to_another(world: Any, msisdn: str | None) -> None:
    payment_id = await world.registry.open_payment(replace(RECORD, msisdn=msisdn), NOW)
    assert (await the_rows(world, payment_id))[0]["PhoneNumber"] is None


async def test_evidence_is_cut_to_its_column(world: Any) -> None:
    record = replace(RECORD, language="x" * 20, product_code="y" * 20, chfid="z" * 60)
    payment_id = await world.registry.open_payment(record, NOW)
    received = replace(RECEIVED, receipt="r" * 200, transaction="t" * 200, origin="o" * 200)
    await world.registry.payment_status(payment_id, LegacyStatus.REQUEST_REFUSED, NOW, "w" * 300)
    await world.registry.payment_received(payment_id, received, LATER)
    payment, details = await the_rows(world, payment_id)
    assert payment["LanguageName"] == "x" * 10
    assert (details["ProductCode"], details["InsuranceNumber"]) == ("y" * 8, "z" * 50)
    assert (payment["ReceiptNo"], payment["TransactionNo"]) == ("r" * 100, "t" * 50)
    assert (payment["PaymentOrigin"], payment["RejectedReason"]) == ("o" * 50, "w" * 255)


@pytest.mark.parametrize(
    ("held", "told", "stands"),
    [
        (None, 2, 2),
        (1, 2, 2),
        (2, 3, 3),
        (1, -3, -3),
        (-3, 2, 2),
        (-3, 3, 3),
        (3, 2, 3),  # the answer to our request came after the number
        (3, -3, 3),
        (3, 4, 4),
        (4, 3, 4),
        (4, -3, 4),
        (4, 5, 5),
        (5, 4, 5),
        (5, 3, 5),
        (5, -3, 5),
    ],
)
async def test_a_status_moves_on_and_never_back_from_a_number_or_money(
    world: Any, held: int | None, told: int, stands: int
) -> None:
    payment_id = await world.registry.open_payment(RECORD, NOW)
    other_id = await world.registry.open_payment(RECORD, NOW)
    await world.connection.execute(
        t.payments.update().where(t.payments.c.PaymentID == payment_id).values(PaymentStatus=held)
    )
    before = await world.rows(t.payments)
    await world.registry.payment_status(payment_id, told, LATER)
    after = await world.rows(t.payments)
    assert after == {payment_id: {**before[payment_id], "PaymentStatus": stands}, other_id: before[other_id]}


async def test_a_refusal_says_why(world: Any) -> None:
    payment_id = await world.registry.open_payment(RECORD, NOW)
    await world.registry.payment_status(payment_id, LegacyStatus.REQUEST_REFUSED, NOW, "7204: no such provider")
    payment, _ = await the_rows(world, payment_id)
    assert (payment["PaymentStatus"], payment["RejectedReason"]) == (-3, "7204: no such provider")


async def test_a_matched_payment(world: Any) -> None:
    payment_id = await world.registry.open_payment(RECORD, NOW)
    other_id = await world.registry.open_payment(RECORD, NOW)
    before = await the_rows(world, payment_id), await the_rows(world, other_id)
    await world.registry.payment_received(payment_id, RECEIVED, LATER)
    payment, details = await the_rows(world, payment_id)
    assert payment == {
        **before[0][0],
        "ReceivedAmount": Decimal("30000.00"),
        "ReceivedDate": LATER,
        "PaymentDate": PAID_AT,
        "ReceiptNo": "RCP-1",
        "TransactionNo": "TRX-1",
        "PaymentOrigin": "CRDB",
        "PaymentStatus": 5,
        "MatchedDate": LATER,
        "PayerPhoneNumber": "255655000001",
    }
    assert details == {**before[0][1], "Amount": Decimal("30000.00"), "PremiumID": 77}
    assert await the_rows(world, other_id) == before[1]


async def test_instalments_add_up(world: Any) -> None:
    payment_id = await world.registry.open_payment(RECORD, NOW)
    first = replace(RECEIVED, amount=Money.parse("10000.10"), matched=False, premium_id=1, receipt="A")
    await world.registry.payment_received(payment_id, first, NOW)
    payment, details = await the_rows(world, payment_id)
    assert (payment["PaymentStatus"], payment["MatchedDate"]) == (4, None)
    assert (payment["ReceivedAmount"], details["Amount"], details["PremiumID"]) == (
        Decimal("10000.10"),
        Decimal("10000.10"),
        1,
    )
    second = replace(RECEIVED, amount=Money.parse("19999.90"), premium_id=2, receipt="B", transaction=None)
    await world.registry.payment_received(payment_id, second, LATER)
    payment, details = await the_rows(world, payment_id)
    assert (payment["PaymentStatus"], payment["MatchedDate"]) == (5, LATER)
    assert (payment["ReceivedAmount"], details["Amount"], details["PremiumID"]) == (
        Decimal("30000.00"),
        Decimal("30000.00"),
        2,
    )
    assert (payment["ReceiptNo"], payment["TransactionNo"]) == ("B", None)
    third = replace(first, amount=Money.parse("1"))
    await world.registry.payment_received(payment_id, third, LATER + timedelta(days=1))
    payment, _ = await the_rows(world, payment_id)
    assert (payment["PaymentStatus"], payment["MatchedDate"]) == (5, LATER)
    assert payment["ReceivedAmount"] == Decimal("30001.00")


async def test_a_row_that_staff_deleted_is_left_alone(world: Any) -> None:
    payment_id = await world.registry.open_payment(RECORD, NOW)
    await world.connection.execute(t.payments.update().values(ValidityTo=NOW))
    before = await world.snapshot()
    await world.registry.payment_status(payment_id, 3, LATER)
    await world.registry.payment_received(payment_id, RECEIVED, LATER)
    assert await world.snapshot() == before


async def test_money_is_written_where_the_details_are_gone(world: Any) -> None:
    payment_id = await world.registry.open_payment(RECORD, NOW)
    await world.connection.execute(t.payment_details.update().values(ValidityTo=NOW))
    await world.registry.payment_received(payment_id, RECEIVED, LATER)
    payment, details = await the_rows(world, payment_id)
    assert (payment["ReceivedAmount"], details["Amount"]) == (Decimal("30000.00"), None)
