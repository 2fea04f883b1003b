"""How my payment stands, over real databases: from the asking to the receipt, and money that nobody could place."""

from __future__ import annotations

from typing import Any

import pytest
from service_world import COVERED, EXPIRED, INSTALMENTS, NEVER_PAID, NUMBER, SUSPENDED, UNENROLLED, World

from adapters.registry.openimis import tables as t
from gateway.domain.cases import Act
from gateway.domain.clock import eat_day
from gateway.domain.ussd.machine import Ask
from gateway.ports import ControlNumberGiven
from gateway.service.settle_case import Decision, SettleCase
from gateway.service.ussd_facts import UssdFacts


async def told(world: World, family: int) -> dict[str, Any]:
    return await UssdFacts(world.database, world.clock).answer(Ask("payment", (("family_id", family),)))


def lines(fact: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(line["state"], line["receipt"], line["amount"]) for line in fact["receipts"]]


async def test_from_the_asking_to_the_receipt(world: World) -> None:
    assert ((await told(world, UNENROLLED))["state"], lines(await told(world, UNENROLLED))) == ("none", [])
    bill = await world.ask(UNENROLLED)
    assert (await told(world, UNENROLLED))["state"] == "waiting"
    await world.told(ControlNumberGiven(bill.id, NUMBER))
    numbered = await told(world, UNENROLLED)
    assert (numbered["state"], numbered["number"], numbered["due"]) == ("numbered", NUMBER, 3_000_000)
    assert numbered["expires"] == eat_day(bill.expires_at).isoformat()
    await world.told(world.payment(await world.bill(bill.id)))
    paid = await told(world, UNENROLLED)
    assert (paid["state"], paid["number"], lines(paid)) == ("paid", None, [("paid", "R1", 3_000_000)])
    assert paid["receipts"][0]["day"] == world.today.isoformat()


async def test_instalments_an_officers_and_our_own(world: World) -> None:
    before = await told(world, INSTALMENTS)
    assert (before["state"], before["due"], len(before["receipts"])) == ("part_due", 2_000_000, 1)
    bill = await world.numbered(INSTALMENTS)
    assert ((await told(world, INSTALMENTS))["state"], (await told(world, INSTALMENTS))["number"]) == (
        "part_paid",
        NUMBER,
    )
    await world.told(world.payment(bill, "5000"))
    after = await told(world, INSTALMENTS)
    assert (after["state"], after["due"], after["number"]) == ("part_paid", 1_500_000, NUMBER)
    assert lines(after)[0] == ("paid", "R1", 500_000)


async def test_money_that_a_person_looks_at_is_never_called_unpaid(world: World) -> None:
    bill = await world.numbered(EXPIRED)
    assert await world.told(world.payment(bill, "29000")) == ["case"]
    held = await told(world, EXPIRED)
    assert (held["state"], held["number"], lines(held)[0]) == ("checked", None, ("checked", "R1", 2_900_000))
    async with world.database.reading() as tx:
        [case] = await tx.cases.listed()
    decide = SettleCase(world.database, world.messages, world.clock)
    await decide(case["id"], Decision(Act.HOLD, "Ester"))
    assert (await told(world, EXPIRED))["state"] == "checked"


@pytest.mark.parametrize("act", [Act.REFUND, Act.REJECT])
async def test_money_that_went_back_is_no_receipt(world: World, act: Act) -> None:
    bill = await world.numbered(NEVER_PAID)
    await world.told(world.payment(bill, "29000"))
    async with world.database.reading() as tx:
        [case] = await tx.cases.listed()
    await SettleCase(world.database, world.messages, world.clock)(case["id"], Decision(act, "Ester", why="SLIP-1"))
    assert ((await told(world, NEVER_PAID))["state"], lines(await told(world, NEVER_PAID))) == ("numbered", [])


async def test_other_families_money_and_dead_and_photo_premiums_are_left_out(world: World) -> None:
    whole = lines(await told(world, COVERED))
    assert len(whole) == 1
    mine = t.premiums.c.Receipt == whole[0][1]
    await world.execute(t.premiums.update().where(mine).values(isPhotoFee=True))
    assert lines(await told(world, COVERED)) == []
    await world.execute(t.premiums.update().where(mine).values(isPhotoFee=False, ValidityTo=world.clock.now()))
    assert lines(await told(world, COVERED)) == []
    assert (await told(world, SUSPENDED))["state"] == "paid"
