"""Money that a machine must not place: kept, shown, never applied, never lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from service_world import (
    COVERED,
    EXPIRED,
    INSTALMENTS,
    NEVER_PAID,
    NUMBER,
    STRANGER,
    UNENROLLED,
    World,
)

from adapters.registry.openimis import tables as t
from gateway.domain.bill import Bill, BillFact
from gateway.domain.errors import CASE_CODES
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, PaymentReport
from gateway.domain.policy import PolicyStatus
from gateway.store import tables as g

A = "+255712000001"


async def nothing(world: World, bill: Bill) -> None:
    """As the bill stands."""


async def cancelled(world: World, bill: Bill) -> None:
    async with world.database.writing() as tx:
        await tx.bills.record(bill, BillFact.CANCELLED, world.clock.now())


async def suspended(world: World, bill: Bill) -> None:
    await world.execute(
        t.policies.update().where(t.policies.c.FamilyID == bill.family_id).values(PolicyStatus=PolicyStatus.SUSPENDED)
    )


async def receipt_used(world: World, bill: Bill) -> None:
    """By another family's premium of the same product."""
    await world.put(
        t.premiums,
        PolicyID=next(p["PolicyID"] for p in await world.rows(t.policies, ProdID=bill.product_id, FamilyID=2)),
        Amount=Decimal(1),
        Receipt="R1",
        PayDate=world.today,
        PayType="C",
        isPhotoFee=False,
        CreatedDate=world.clock.now(),
    )


async def family_gone(world: World, bill: Bill) -> None:
    ended = t.families.update().where(t.families.c.FamilyID == bill.family_id)
    await world.execute(ended.values(ValidityTo=world.clock.now()))


async def product_gone(world: World, bill: Bill) -> None:
    ended = t.products.update().where(t.products.c.ProdID == bill.product_id)
    await world.execute(ended.values(ValidityTo=world.clock.now()))


async def paid_in_cash(world: World, bill: Bill) -> None:
    """An officer sold the family the next cover while our bill was open."""
    await world.put(
        t.policies,
        FamilyID=bill.family_id,
        ProdID=bill.product_id,
        PolicyStage="R",
        PolicyStatus=PolicyStatus.ACTIVE,
        PolicyValue=Decimal(30000),
        EnrollDate=world.today,
        StartDate=world.today,
        EffectiveDate=world.today,
        ExpiryDate=world.today + timedelta(days=364),
    )


async def paid_before(world: World, bill: Bill) -> None:
    assert await world.told(world.payment(bill, reference="earlier")) == ["settled"]


Before = Callable[[World, Bill], Awaitable[None]]
CASES: dict[str, tuple[int, Before, dict[str, Any], str, str]] = {
    "a cent short": (COVERED, nothing, {"amount": "29999.99"}, "case", "wrong_amount"),
    "a cent over": (COVERED, nothing, {"amount": "30000.01"}, "case", "wrong_amount"),
    "nothing": (COVERED, nothing, {"amount": Money(0)}, "case", "wrong_amount"),
    "negative": (INSTALMENTS, nothing, {"amount": "-5000"}, "case", "wrong_amount"),
    "an instalment over": (INSTALMENTS, nothing, {"amount": "20000.01"}, "case", "wrong_amount"),
    "half, for an officer's policy": (NEVER_PAID, nothing, {"amount": "15000"}, "case", "wrong_amount"),
    "dollars": (COVERED, nothing, {"amount": Money(30_000_00, "USD")}, "case", "wrong_currency"),
    "unknown number": (
        COVERED,
        nothing,
        {"control_number": "999", "bill_id": None},
        "unmatched",
        "unknown_control_number",
    ),
    "another number than the bill's": (
        COVERED,
        nothing,
        {"control_number": "999"},
        "unmatched",
        "unknown_control_number",
    ),
    "cancelled": (COVERED, cancelled, {}, "case", "bill_cancelled"),
    "suspended": (COVERED, suspended, {}, "case", "policy_suspended"),
    "receipt used": (COVERED, receipt_used, {}, "case", "receipt_used"),
    "family gone": (COVERED, family_gone, {}, "case", "family_gone"),
    "product gone": (COVERED, product_gone, {}, "case", "product_gone"),
    "covered by cash meanwhile": (EXPIRED, paid_in_cash, {}, "case", "already_covered"),
    "first cover by cash meanwhile": (UNENROLLED, paid_in_cash, {}, "case", "already_covered"),
    "paid twice": (COVERED, paid_before, {"amount": "30000"}, "case", "paid_twice"),
    "paid twice, and another amount": (COVERED, paid_before, {"amount": "15000"}, "case", "paid_twice"),
}


@pytest.mark.parametrize(("family_id", "before", "told", "state", "kind"), CASES.values(), ids=CASES)
async def test_it_is_kept_and_shown_and_not_applied(
    world: World, family_id: int, before: Before, told: dict[str, Any], state: str, kind: str
) -> None:
    bill = await world.numbered(family_id)
    await before(world, bill)
    bill = await world.bill(bill.id)
    report = world.payment(bill, **{"reference": "R1", "payer_msisdn": STRANGER, "receipt": "rcp", **told})
    earlier = await world.sms()
    states: list[str] = []

    async def pay() -> None:
        states.extend(await world.told(report))

    done = await world.changes_of(pay)
    assert states == [state]
    assert done.updated == {}  # openIMIS: not one column
    if kind == "wrong_currency":
        assert done.inserted == {}
    else:  # and a payment row of its own, so that its screens show the money
        (shown,), (details,) = done.inserted.pop("tblPayment"), done.inserted.pop("tblPaymentDetails")
        assert done.inserted == {}
        rejected = kind in ("unknown_control_number", "wrong_amount", "paid_twice")
        assert (shown["PaymentStatus"], shown["ReceivedAmount"]) == (-3 if rejected else 4, report.amount.to_decimal())
        assert (shown["ReceiptNo"], shown["RejectedReason"].split(":")[0]) == ("R1", CASE_CODES[CaseKind(kind)])
        known = (bill.chfid, bill.product_code, bill.stage) if kind != "unknown_control_number" else (None, None, None)
        assert (details["InsuranceNumber"], details["ProductCode"], details["PolicyStage"]) == known
        assert (details["PaymentID"], details["PremiumID"]) == (shown["PaymentID"], None)
    (payment,) = await world.rows(g.payment, reference="R1")
    assert (payment["state"], payment["amount_minor"]) == (state, report.amount.amount_minor)
    assert payment["premium_id"] is None
    assert await world.bill(bill.id) == bill
    (case,) = await world.rows(g.case)
    assert (case["kind"], case["state"], case["provider"]) == (kind, "open", "fakepay")
    assert (case["amount_minor"], case["currency"]) == (report.amount.amount_minor, report.amount.currency)
    assert case["subject"] == f"payment:R1/{report.control_number}"
    assert case["details"]["receipt"] == "rcp"
    assert (await world.sms())[len(earlier) :] == [("held", STRANGER)]
    assert (await world.rows(g.audit))[-1]["action"] == "case.opened"
    # said again it stays what it is
    assert await world.told(replace(report, receipt="another envelope")) == ["duplicate"]
    assert await world.cases() == [kind]
    assert len(await world.sms()) == len(earlier) + 1


async def test_the_same_reference_with_another_amount(world: World) -> None:
    bill = await world.numbered(COVERED)
    report = world.payment(bill, payer_msisdn=STRANGER)
    assert await world.told(report) == ["settled"]
    before = await world.sms()
    lie = replace(report, amount=Money.parse("1"))
    done = await world.changes_of(lambda: world.told(lie, lie))
    assert (done.inserted, done.updated) == ({}, {})
    assert [e["state"] for e in await world.rows(g.entry, kind="payment")].count("conflicting") == 2
    (case,) = await world.rows(g.case)
    assert (case["kind"], case["amount_minor"]) == ("conflict", 100)
    (payment,) = await world.rows(g.payment)
    assert (payment["state"], payment["amount_minor"]) == ("settled", 30_000_00)
    assert await world.sms() == before
    assert await world.told(report) == ["duplicate"]


async def test_the_true_amount_after_a_wrong_one_is_for_a_person(world: World) -> None:
    bill = await world.numbered(COVERED)
    assert await world.told(world.payment(bill, "1")) == ["case"]
    assert await world.told(world.payment(bill)) == ["conflicting"]
    assert sorted(await world.cases()) == ["conflict", "wrong_amount"]
    assert await world.told(world.payment(bill, reference="R2")) == ["settled"]


async def test_two_generations_of_one_bill_both_paid(world: World) -> None:
    first = await world.numbered(COVERED)
    world.clock.pass_(days=31)
    second = await world.numbered(COVERED, "994120000012")
    assert second.generation == 2
    assert await world.told(world.payment(second, reference="R2")) == ["settled"]
    assert await world.told(world.payment(first, reference="R1")) == ["case"]
    assert await world.cases() == ["already_covered"]


async def test_a_suspension_is_not_lifted_and_an_expiry_not_undone(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    before = await world.rows(t.policies, FamilyID=EXPIRED, ValidityTo=None)
    assert await world.told(world.payment(bill)) == ["settled"]
    after = await world.rows(t.policies, FamilyID=EXPIRED, ValidityTo=None)
    assert after[0] == before[0]
    assert len(after) == 2


# ---- what cannot be settled at all


def poison() -> PaymentReport:
    """A time without a zone: nothing that can be stored."""
    return PaymentReport("POISON", NUMBER, Money(1), datetime(2026, 11, 22))  # noqa: DTZ001


async def test_poison_waits_longer_each_time_and_others_go_on(world: World) -> None:
    bill = await world.numbered(COVERED)
    inbox_id = await world.receive(poison())
    await world.receive(world.payment(bill))
    await world.settle_all()
    assert await world.count(t.premiums, Receipt="R1") == 1
    waits = []
    for attempt in range(1, 15):
        (row,) = await world.rows(g.entry, inbox_id=inbox_id)
        assert (row["state"], row["attempts"]) == ("new", attempt)
        assert row["note"] != ""
        waits.append((row["not_before"] - world.clock.now()).total_seconds())
        assert await world.cases() == ([] if attempt < 12 else ["settle_failed"])
        world.clock.pass_(seconds=waits[-1] - 0.001)
        assert not await world.settle.one()
        world.clock.pass_(seconds=0.001)
        assert await world.settle.one()
    assert waits == [0.5 * 2**n for n in range(11)] + [900] * 3
    (case,) = await world.rows(g.case)
    assert (case["inbox_id"], case["subject"]) == (inbox_id, f"entry:{inbox_id}/0")


async def test_poison_that_many_settlers_meet_at_once_becomes_a_case(world: World) -> None:
    """Two may count the same failure, so that no one of them sees the very limit."""
    inbox_id = await world.receive(poison())
    await world.execute(g.entry.update().values(attempts=12))
    await world.settle_all(settlers=4)
    assert await world.cases() == ["settle_failed"]
    assert (await world.rows(g.entry, inbox_id=inbox_id))[0]["state"] == "new"


async def test_poison_leaves_its_message_whole(world: World) -> None:
    """Each entry is settled alone: one bad line of a message holds up no other."""
    bill = await world.numbered(COVERED)
    assert await world.told(poison(), world.payment(bill)) == ["new", "settled"]


async def test_nothing_due_is_nothing_done(world: World) -> None:
    assert not await world.settle.one()
