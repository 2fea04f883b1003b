"""Numbers of the payment service before us, paid after the cut-over: settled from its rows, or put before a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from service_world import COVERED, EXPIRED, OFFICER_RENEWAL, UNENROLLED, World

from adapters.registry.openimis import tables as t
from gateway.domain.money import Money
from gateway.domain.payments import PaymentReport
from gateway.store import tables as g

NUMBER = "991234567890"


async def legacy_bill(world: World, family_id: int | None, **changes: Any) -> int:
    """As that service left it: payment, details, control number. Nothing of it is in our own tables."""
    chfid = None
    if family_id is not None:
        (head,) = [i for i in await world.rows(t.insurees, FamilyID=family_id, ValidityTo=None) if i["IsHead"]]
        chfid = head["CHFID"]
    values = {"status": 3, "expected": "30000", "product": "CHFDOM", "stage": "R", "number": NUMBER, **changes}
    payment = await world.put(
        t.payments,
        ExpectedAmount=Decimal(values["expected"]),
        PaymentStatus=values["status"],
        PhoneNumber="255712000001",
        LanguageName="sw",
        RequestDate=world.clock.now(),
    )
    await world.put(
        t.payment_details,
        PaymentID=payment,
        ProductCode=values["product"],
        InsuranceNumber=chfid,
        PolicyStage=values["stage"],
        ExpectedAmount=Decimal(values["expected"]),
    )
    await world.put(t.control_numbers, PaymentID=payment, ControlNumber=values["number"], Status=0)
    return payment


def paid(world: World, amount: str = "30000", reference: str = "R1") -> PaymentReport:
    return PaymentReport(
        reference=reference,
        control_number=NUMBER,
        amount=Money.parse(amount),
        paid_at=world.clock.now(),
        bill_id="417",  # that service's own: an identity of tblPayment
        payer_msisdn="+255712000001",
    )


async def product_of(world: World, family_id: int) -> str:
    products = {p["ProdID"]: p["ProductCode"] for p in await world.rows(t.products)}
    bill = await world.quote(family_id)
    return products[bill.product.id]


@pytest.mark.parametrize("family_id", [COVERED, EXPIRED, OFFICER_RENEWAL, UNENROLLED])
async def test_its_number_is_settled_as_ours_would_be(world: World, family_id: int) -> None:
    stage = "N" if family_id == UNENROLLED else "R"
    payment = await legacy_bill(world, family_id, product=await product_of(world, family_id), stage=stage)
    report = paid(world)
    assert await world.told(report) == ["settled"]
    (row,) = await world.rows(t.payments, PaymentID=payment)
    assert (row["PaymentStatus"], row["ReceivedAmount"], row["ReceiptNo"]) == (5, Decimal("30000.00"), "R1")
    (premium,) = await world.rows(t.premiums, Receipt="R1")
    (policy,) = await world.rows(t.policies, PolicyID=premium["PolicyID"])
    assert (policy["FamilyID"], policy["PolicyStatus"], policy["PolicyStage"]) == (family_id, 2, stage)
    (details,) = await world.rows(t.payment_details, PaymentID=payment)
    assert details["PremiumID"] == premium["PremiumId"]
    own, who_asked_there = await world.phone(family_id), "+255712000001"
    told = [("covered", own)] if own == who_asked_there else [("covered", own), ("receipt", who_asked_there)]
    assert await world.sms() == told, "that service gave numbers to any phone"
    # again, by whatever way
    assert await world.told(report) == ["duplicate"]
    assert await world.told(paid(world, reference="R2")) == ["case"]
    assert await world.cases() == ["paid_twice"]
    assert len(await world.rows(t.premiums, PolicyID=premium["PolicyID"])) == 1
    (audit,) = await world.rows(g.audit, action="bill.adopted")
    assert audit["details"] == {"payment": payment}


@pytest.mark.parametrize(
    ("family_id", "changes", "amount", "state", "kind"),
    [
        (COVERED, {}, "29000", "case", "wrong_amount"),
        (COVERED, {"status": 5}, "30000", "case", "paid_twice"),  # that service settled it
        (COVERED, {"status": 4}, "30000", "case", "paid_twice"),
        (None, {}, "30000", "unmatched", "unknown_control_number"),  # of its pool: given to nobody
        (COVERED, {"product": "GONE"}, "30000", "unmatched", "unknown_control_number"),
        (COVERED, {"number": "991234567891"}, "30000", "unmatched", "unknown_control_number"),
    ],
)
async def test_what_a_person_must_see(
    world: World, family_id: int | None, changes: dict[str, Any], amount: str, state: str, kind: str
) -> None:
    product = await product_of(world, COVERED)
    payment = await legacy_bill(world, family_id, **{"product": product, **changes})
    before = await world.rows(t.payments, PaymentID=payment)
    done = await world.changes_of(lambda: world.told(paid(world, amount)))
    assert set(done.inserted) == {"tblPayment", "tblPaymentDetails"}  # the money, shown
    assert done.updated == {}
    assert await world.rows(t.payments, PaymentID=payment) == before
    (entry,) = await world.rows(g.entry)
    assert (entry["state"], await world.cases()) == (state, [kind])


async def test_one_number_given_to_two_families_is_nobodys(world: World) -> None:
    """The service before us did that: its pool was handed out without a lock."""
    product = await product_of(world, COVERED)
    for family_id in (COVERED, EXPIRED):
        await legacy_bill(world, family_id, product=product)
    assert await world.told(paid(world)) == ["unmatched"]
    assert await world.rows(g.bill) == []


async def test_its_open_bills_are_listed_and_ours_are_not(world: World) -> None:
    await world.numbered(COVERED)
    product = await product_of(world, EXPIRED)
    first = await legacy_bill(world, EXPIRED, product=product)
    pool = await legacy_bill(world, None, product=product, number="991234567892", status=3)
    await legacy_bill(world, EXPIRED, product=product, number="991234567893", status=5)
    await legacy_bill(world, EXPIRED, product=product, number=None, status=1)
    async with world.database.reading() as tx:
        listed = await tx.registry.open_legacy_bills(0, 10)
        assert [b.payment_id for b in listed] == [first, pool]
        assert [b.payment_id for b in await tx.registry.open_legacy_bills(first, 1)] == [pool]
    assert (listed[0].msisdn, listed[1].chfid) == ("+255712000001", None)


async def test_eight_payments_of_one_number_at_once(world: World) -> None:
    await legacy_bill(world, COVERED, product=await product_of(world, COVERED))
    for n in range(8):
        await world.receive(paid(world, reference=f"R{n}"))
    await world.settle_all(settlers=4)
    states = sorted(e["state"] for e in await world.rows(g.entry))
    assert states == ["case"] * 7 + ["settled"]
    assert len(await world.rows(g.bill)) == 1
