"""Money for another service provider's code, signed by the key that signs for ours: kept, shown, given to no family."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from service_world import COVERED, EXPIRED, NUMBER, STRANGER, World
from test_service_cutover import NUMBER as LEGACY
from test_service_cutover import legacy_bill, paid, product_of

from adapters.registry.openimis import tables as t
from gateway.domain.cases import Act
from gateway.domain.money import Money
from gateway.domain.payments import EntryState, PaymentReport
from gateway.ports import ControlNumberGiven
from gateway.service.settle_case import CaseRefusedError, Decision, SettleCase
from gateway.service.settle_entries import SettleEntries
from gateway.store import tables as g

OTHER_NUMBER = "199600000155"
SETTING, PRODUCT = "SP19960", "SP108"  # ours: one of the settings, and one that a product has in the registry


async def code_of_products(world: World, code: str | None) -> None:
    """What the registry says of all products."""
    await world.execute(t.products.update().values(AccCodePremiums=code))


async def applied(world: World, reference: str) -> bool:
    return await world.count(t.premiums, Receipt=reference) == 1


@pytest.mark.parametrize(
    ("of_bill", "of_products", "told", "ours"),
    [
        (SETTING, SETTING, SETTING, True),
        (SETTING, SETTING, " sp19960 ", True),
        (SETTING, SETTING, None, True),
        (SETTING, PRODUCT, PRODUCT, False),  # ours as well, and not the bill's
        (SETTING, SETTING, "SP777", False),
        (PRODUCT, SETTING, PRODUCT, True),  # it was the product's when the bill was made
        (None, None, SETTING, True),
        (None, PRODUCT, PRODUCT, True),
        (None, PRODUCT, "SP777", False),
        (None, None, None, True),
    ],
)
async def test_only_money_for_the_bills_code_is_applied(
    world: World, of_bill: str | None, of_products: str | None, told: str | None, ours: bool
) -> None:
    await code_of_products(world, of_bill)
    bill = await world.numbered(COVERED)
    assert bill.provider_code == of_bill
    await code_of_products(world, of_products)
    assert await world.told(world.payment(bill, provider_code=told)) == ["settled" if ours else "case"]
    assert await applied(world, "R1") is ours
    assert await world.cases() == ([] if ours else ["other_payee"])


async def test_it_is_kept_and_shown_and_not_applied(world: World) -> None:
    bill = await world.numbered(COVERED)
    earlier = await world.sms()
    report = world.payment(bill, payer_msisdn=STRANGER, provider_code="SP777")
    states: list[str] = []

    async def pay() -> None:
        states.extend(await world.told(report))

    done = await world.changes_of(pay)
    assert states == ["case"]
    (shown,) = done.inserted.pop("tblPayment")
    (details,) = done.inserted.pop("tblPaymentDetails")
    assert (done.inserted, done.updated) == ({}, {}), "openIMIS: not one column"
    assert (shown["PaymentStatus"], shown["RejectedReason"].split(":")[0]) == (-3, "PAY-PAYEE")
    assert details["InsuranceNumber"] is None, "it is no family's"
    (payment,) = await world.rows(g.payment)
    assert (payment["state"], payment["bill_id"], payment["premium_id"]) == ("case", None, None)
    assert await world.bill(bill.id) == bill
    (case,) = await world.rows(g.case)
    assert (case["kind"], case["state"], case["subject"]) == ("other_payee", "open", f"payment:R1/{NUMBER}")
    assert (case["amount_minor"], case["details"]["provider_code"]) == (report.amount.amount_minor, "SP777")
    assert await world.sms() == earlier, "the text for money that waits says that we have it"
    assert (await world.rows(g.audit))[-1]["action"] == "case.opened"
    # said again, with or without the code or under another, it stays what it is
    for code in ("SP777", None, SETTING):
        assert await world.told(replace(report, provider_code=code)) == ["duplicate"]
    assert await world.cases() == ["other_payee"]
    # and the family pays its own bill
    assert await world.told(world.payment(bill, reference="R2", provider_code=SETTING)) == ["settled"]


@pytest.mark.parametrize(("told", "state", "kind"), [
    ("SP777", "case", "other_payee"),
    (SETTING, "unmatched", "unknown_control_number"),
    (None, "unmatched", "unknown_control_number"),
])  # fmt: skip
async def test_a_number_that_nobody_of_ours_has(world: World, told: str | None, state: str, kind: str) -> None:
    report = PaymentReport("R1", "990000000000", Money(100), world.clock.now(), provider_code=told)
    assert await world.told(report) == [state]
    assert await world.cases() == [kind]


async def test_it_gives_a_bill_that_waits_no_number(world: World) -> None:
    """A payment that overtakes its control number binds it; another service provider's does not."""
    bill = await world.ask(COVERED)
    assert await world.told(world.payment(bill, control_number=NUMBER, provider_code="SP777")) == ["case"]
    assert (await world.bill(bill.id)).control_number is None
    await world.told(world.payment(bill, reference="R2", control_number=NUMBER, provider_code=SETTING))
    assert (await world.bill(bill.id)).state == "paid"


async def test_beside_others_in_one_transaction(world: World) -> None:
    """A combined bill's other part comes in one message with ours."""
    bill, second = await world.numbered(COVERED), await world.numbered(EXPIRED, OTHER_NUMBER)
    states = await world.told(
        world.payment(bill, provider_code=SETTING),
        world.payment(second, reference="R2", provider_code="SP777"),
        PaymentReport("R1", "990000000000", Money(450_000), world.clock.now(), provider_code="SP19966"),
    )
    assert states == ["settled", "case", "case"]
    assert [await applied(world, reference) for reference in ("R1", "R2")] == [True, False]
    assert await world.cases() == ["other_payee"] * 2


@pytest.mark.parametrize(("told", "state"), [(SETTING, "settled"), (PRODUCT, "settled"), ("SP777", "case")])
async def test_a_number_of_the_service_before_us(world: World, told: str, state: str) -> None:
    """Under which code it gave the number is not known: any of ours is right."""
    await legacy_bill(world, COVERED, product=await product_of(world, COVERED))
    await code_of_products(world, PRODUCT)
    report = replace(paid(world), provider_code=told)
    assert report.control_number == LEGACY
    assert await world.told(report) == [state]


@pytest.mark.parametrize(("of_bill", "told", "state"), [
    (None, SETTING, "settled"),
    (None, None, "settled"),
    (None, "SP777", "conflicting"),
    (SETTING, "SP777", "conflicting"),
    (SETTING, "sp19960", "settled"),
])  # fmt: skip
async def test_a_number_that_is_given_under_a_code(
    world: World, of_bill: str | None, told: str | None, state: str
) -> None:
    await code_of_products(world, of_bill)
    bill = await world.ask(COVERED)
    assert await world.told(ControlNumberGiven(bill.id, NUMBER, provider_code=told)) == [state]
    assert (await world.bill(bill.id)).control_number == (NUMBER if state == "settled" else None)


# ---------------------------------------------------------------------------------------------- what a person may do


async def decided(world: World, act: Act, codes: tuple[str, ...] = (SETTING,), **more: Any) -> str:
    (case,) = await world.rows(g.case)
    settle = SettleCase(world.database, world.messages, world.clock, codes)
    return await settle(case["id"], Decision(act, "Asha", **more))


@pytest.mark.parametrize("act", [Act.MATCH, Act.HOLD])
async def test_a_person_gives_it_to_a_family_once_its_code_is_one_of_ours(world: World, act: Act) -> None:
    """The code may have been missing in the settings. Until it stands there, the money has not come to us."""
    bill = await world.numbered(COVERED)
    await world.told(world.payment(bill, provider_code="SP777"))
    with pytest.raises(CaseRefusedError, match="'SP777', which is no code of ours"):
        await decided(world, act, chfid=bill.chfid)
    assert await world.cases() == ["other_payee"]
    await decided(world, act, (SETTING, "SP777"), chfid=bill.chfid)
    assert await applied(world, "R1") is (act == Act.MATCH)
    (payment,) = await world.rows(g.payment)
    assert payment["state"] == (EntryState.SETTLED if act == Act.MATCH else EntryState.HELD)


@pytest.mark.parametrize(("act", "state"), [(Act.REFUND, "refunded"), (Act.REJECT, "rejected")])
async def test_a_person_gives_it_back(world: World, act: Act, state: str) -> None:
    bill = await world.numbered(COVERED)
    await world.told(world.payment(bill, provider_code="SP777"))
    await decided(world, act, why="to SP777")
    (payment,) = await world.rows(g.payment)
    assert (payment["state"], await world.cases()) == (state, [])


async def test_a_setting_that_was_mended_counts_for_what_comes_after(world: World) -> None:
    await code_of_products(world, None)
    bill = await world.numbered(COVERED)
    world.settle = SettleEntries(world.database, world.messages, world.clock, (SETTING, "SP777"))
    assert await world.told(world.payment(bill, provider_code="SP777")) == ["settled"]
