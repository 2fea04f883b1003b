"""Two gateways on one database, one family: whoever is first, there is one bill, one policy, and all the money."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from processes_harness import Family, Phone, World, new_reference, notification, until
from sqlalchemy import select

from adapters.registry.openimis.tables import payments, policies, premiums, products
from config.settings import DatabaseSettings
from gateway.domain.policy import PolicyStatus
from gateway.store.tables import bill, bill_fact, case, payment, policy_event
from sandbox.keys import load_keys

# SQLite has one serving process
pytestmark = pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")


async def ready_to_ask(world: World, family: Family) -> list[Phone]:
    """Each phone of the family in a session with one serving process, one key before the bill."""
    phones = [
        Phone(world.client, [base], msisdn) for msisdn, base in zip(family.phones, world.stack.bases, strict=True)
    ]
    for phone in phones:
        await phone.dial()
        assert "30,000" in (await phone.press("1")).text
    return phones


async def instalments(world: World) -> Family:
    """A family whose last cover was of the product that is paid in parts."""
    family = await world.family(phones=2)
    in_parts = select(products.c.ProdID).where(products.c.ProductCode == "CHFKON").scalar_subquery()
    async with world.sql.writing() as db:
        await db.execute(policies.update().where(policies.c.PolicyID == family.policy_id).values(ProdID=in_parts))
    return family


async def new_policy(world: World, family: Family) -> tuple[int, int, Decimal]:
    """The one live policy beside the old one: its id, status and value."""
    (row,) = await world.sql.rows(
        select(policies.c.PolicyID, policies.c.PolicyStatus, policies.c.PolicyValue).where(
            policies.c.FamilyID == family.id, policies.c.ValidityTo.is_(None), policies.c.PolicyID != family.policy_id
        )
    )
    return row.PolicyID, row.PolicyStatus, row.PolicyValue


def test_each_process_has_connections_enough(world: World) -> None:
    """Eight at least: what is shown here is shown of transactions that do run side by side."""
    assert len(world.stack.serving) == len(world.stack.workers) == 2
    assert "GATEWAY_DATABASE__POOL_SIZE" not in world.stack.environment
    assert DatabaseSettings(url=world.stack.url).pool_size >= 8


async def test_asked_at_once_of_both_it_is_one_bill(world: World) -> None:
    for _ in range(5):
        family = await world.family(phones=2)
        first, second = await ready_to_ask(world, family)
        screens = await asyncio.gather(first.press("1"), second.press("1"))
        (number,) = {screen.control_number for screen in screens}
        assert number
        await world.quiet()
        (ours,) = await world.sql.rows(select(bill).where(bill.c.family_id == family.id))
        assert (ours.control_number, ours.state, ours.generation) == (number, "numbered", 1)
        assert len(await world.bills_at_provider(family)) == 1
        records = select(payments.c.PaymentID).where(payments.c.PaymentID >= ours.payment_record_id)
        assert [row.PaymentID for row in await world.sql.rows(records)] == [ours.payment_record_id]

        # each of both is told of the payment once more by the other's door: one policy
        paid = await world.pay(number, family.phones[0])
        again = {"pay_ref_id": paid["pay_ref_id"], "times": 10, "concurrency": 10}
        await asyncio.gather(
            *(world.sandbox("POST", "/sandbox/redeliver", again | {"fresh": f}) for f in (True, False))
        )
        await world.quiet()
        policy_id, status, _ = await new_policy(world, family)
        assert status == PolicyStatus.ACTIVE
        assert await world.sql.count(premiums, premiums.c.PolicyID == policy_id) == 1
        assert len(await world.sms_like(family.phones[0], paid["pay_ref_id"])) == 1


async def test_two_instalments_at_once_add_up(world: World) -> None:
    for amounts in (("15000.00", "15000.00"), ("10000.00", "20000.00"), ("29000.00", "1000.00")):
        family = await instalments(world)
        number = await world.number_for(family)
        paid = await asyncio.gather(
            *(world.pay(number, msisdn, amount) for msisdn, amount in zip(family.phones, amounts, strict=True))
        )
        references = {p["pay_ref_id"] for p in paid}

        async def settled(references: set[str] = references) -> bool:
            return (
                await world.sql.count(payment, payment.c.reference.in_(references), payment.c.state == "settled") == 2
            )

        await until(settled, "both payments settled")
        await world.quiet()
        policy_id, status, value = await new_policy(world, family)
        assert (status, value) == (PolicyStatus.ACTIVE, Decimal("30000.00"))
        money = await world.sql.rows(select(premiums).where(premiums.c.PolicyID == policy_id))
        assert sorted(row.Amount for row in money) == sorted(Decimal(amount) for amount in amounts)
        assert {row.Receipt for row in money} == references
        (ours,) = await world.sql.rows(select(bill).where(bill.c.family_id == family.id))
        assert (ours.state, ours.paid_minor) == ("paid", 30_000_00)
        (shown,) = await world.sql.rows(select(payments).where(payments.c.PaymentID == ours.payment_record_id))
        assert (shown.PaymentStatus, shown.ReceivedAmount) == (5, Decimal("30000.00"))
        facts = await world.sql.rows(select(bill_fact.c.fact).where(bill_fact.c.bill_id == ours.id))
        assert [row.fact for row in facts].count("part_paid") == [row.fact for row in facts].count("paid") == 1
        assert await world.sql.count(case, case.c.bill_id == ours.id) == 0
        told = await world.sql.rows(select(policy_event).where(policy_event.c.policy_id == policy_id))
        assert sorted((row.kind, row.origin) for row in told) == [("activated", "gateway"), ("enrolled", "gateway")]


async def test_paid_twice_in_full_at_once_is_one_policy_and_a_case(world: World) -> None:
    """Where parts may be paid, two who pay all of it, each told at another door: the second's money is kept."""
    family = await instalments(world)
    number = await world.number_for(family)
    (ours,) = await world.sql.rows(select(bill).where(bill.c.family_id == family.id))
    keys = load_keys(world.stack.keys)
    told = [
        notification(
            keys, reference=new_reference(), number=number, bill_id=ours.id, msisdn=msisdn, paid_minor=30_000_00
        )
        for msisdn in family.phones
    ]
    answers = await asyncio.gather(
        *(world.post(raw, base=base) for raw, base in zip(told, world.stack.bases, strict=True))
    )
    assert answers == [(200, "7101")] * 2
    await world.quiet()
    policy_id, status, _ = await new_policy(world, family)
    assert status == PolicyStatus.ACTIVE
    assert await world.sql.count(premiums, premiums.c.PolicyID == policy_id) == 1
    (ours,) = await world.sql.rows(select(bill).where(bill.c.family_id == family.id))
    assert (ours.state, ours.paid_minor) == ("paid", 30_000_00)
    cases = await world.sql.rows(select(case.c.kind, case.c.amount_minor).where(case.c.bill_id == ours.id))
    assert [tuple(row) for row in cases] == [("paid_twice", 30_000_00)]
