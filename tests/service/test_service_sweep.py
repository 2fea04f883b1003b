"""Bills whose number does not come: asked again under the same id, in the end put before a person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from service_world import COVERED, EXPIRED, NUMBER, World

from gateway.domain.bill import Bill
from gateway.domain.ussd.effects import AwaitNumber
from gateway.ports import BillRefused, ControlNumberGiven
from gateway.service.sweep_bills import SilencePolicy, SweepBills
from gateway.store import tables as g

PATIENCE = timedelta(minutes=3)
PHONE = "+255712000001"


def sweeper(world: World, asks: int = 3) -> SweepBills:
    return SweepBills(world.database, world.clock, SilencePolicy(PATIENCE, asks), world.messages)


async def asked(world: World) -> list[tuple[str, int]]:
    jobs = await world.rows(g.outbox, kind="submit_bill")
    return [(job["payload"]["bill_id"], job["payload"]["attempt"]) for job in jobs]


async def test_a_silent_bill_is_asked_again_and_then_a_case_once(world: World) -> None:
    bill, sweep = await world.ask(COVERED), sweeper(world)
    world.clock.pass_(minutes=3)
    assert await sweep() == 0  # patience is not over yet
    for attempt in (2, 3):
        world.clock.pass_(seconds=1)
        assert await sweep() == 1
        assert await sweep() == 0
        assert await asked(world) == [(bill.id, n) for n in range(1, attempt + 1)]
        assert await world.cases() == []
        world.clock.pass_(minutes=3)
    for _ in range(4):
        world.clock.pass_(minutes=4)
        await sweep()
        assert len(await asked(world)) == 3
        (case,) = await world.rows(g.case)
        assert (case["kind"], case["subject"], case["bill_id"]) == ("bill_without_number", f"bill:{bill.id}", bill.id)
    assert case["amount_minor"] == bill.amount.amount_minor
    assert [kind for kind, _ in await world.sms()] == ["number_refused"]  # who waited is told, once
    assert await sweep() == 0  # and the bill is in a person's hands


async def test_who_has_an_answer_is_left_alone(world: World) -> None:
    await world.numbered(COVERED)
    refused = await world.ask(EXPIRED)
    await world.told(BillRefused(refused.id, "7204", "no"))
    world.clock.pass_(days=1)
    assert await sweeper(world)() == 0
    assert len(await asked(world)) == 2


async def test_the_number_after_a_case_is_taken_all_the_same(world: World) -> None:
    bill, sweep = await world.ask(COVERED), sweeper(world, asks=1)
    world.clock.pass_(minutes=4)
    await sweep()
    assert await world.cases() == ["bill_without_number"]
    assert await world.told(ControlNumberGiven(bill.id, NUMBER)) == ["settled"]
    world.clock.pass_(days=1)
    assert await sweep() == 0


async def test_sweepers_at_once_ask_once(world: World) -> None:
    bills = [await world.ask(COVERED), await world.ask(EXPIRED)]
    world.clock.pass_(minutes=4)
    await asyncio.gather(*(sweeper(world)() for _ in range(6)))
    assert sorted(await asked(world)) == sorted((b.id, n) for b in bills for n in (1, 2))


async def test_so_many_at_a_time(world: World) -> None:
    first, _second = await world.ask(COVERED), await world.ask(EXPIRED)
    world.clock.pass_(minutes=4)
    assert await sweeper(world)(limit=1) == 1
    assert (await asked(world))[-1] == (first.id, 2)
    assert [await sweeper(world)(limit=1) for _ in range(2)] == [1, 0]


async def given_up(world: World) -> Bill:
    bill = await world.ask(COVERED)
    world.clock.pass_(minutes=4)
    await sweeper(world, asks=1)()
    assert await world.sms() == [("number_refused", PHONE)]
    world.clock.pass_(days=1)
    return bill


async def by_asking(world: World) -> None:
    await world.ask(COVERED, PHONE)


async def by_waiting(world: World) -> None:
    """As who looks for a number or a payment does: a screen of both says that the number comes by SMS."""
    assert await world.request.join(AwaitNumber(COVERED, PHONE, "sw"), world.clock.now())


@pytest.mark.parametrize("wants", [by_asking, by_waiting])
async def test_a_number_promised_after_it_was_given_up_is_asked_for_and_told_of_again(
    world: World, wants: Callable[[World], Awaitable[None]]
) -> None:
    bill, sweep = await given_up(world), sweeper(world, asks=1)
    for _ in range(2):
        await wants(world)
        assert await asked(world) == [(bill.id, 1), (bill.id, 2)], "once, however often it is wanted meanwhile"
    for _ in range(3):
        world.clock.pass_(minutes=4)
        await sweep()
    assert await world.sms() == [("number_refused", PHONE)] * 2
    about = {job["aggregate"] for job in await world.rows(g.outbox)}
    assert about == {f"bill:{bill.id}"}, "the text is kept as long as its bill lives"
    await wants(world)
    assert (await asked(world))[2:] == [(bill.id, 3)], "at once: nobody else asks any more"
    await world.told(ControlNumberGiven(bill.id, NUMBER))
    assert (await world.sms())[2:] == [("control_number", PHONE)]


async def test_a_refusal_of_what_was_asked_for_again_is_told(world: World) -> None:
    bill = await given_up(world)
    await by_asking(world)
    await world.told(BillRefused(bill.id, "7204", "no"))
    assert await world.sms() == [("number_refused", PHONE)] * 2


async def test_what_a_person_has_closed_and_is_silent_again_is_open_again(world: World) -> None:
    await given_up(world)
    await world.execute(g.case.update().values(state="closed"))
    await by_asking(world)
    world.clock.pass_(minutes=4)
    await sweeper(world, asks=1)()
    assert await world.cases() == ["bill_without_number"]
