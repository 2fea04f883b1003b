"""A bill that could not be made in time: made once it can be, by what was agreed to, judged anew; one bill, one SMS."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from answer_world import OWN, Desk, has_phone
from service_world import COVERED, NEVER_PAID, NUMBER, STRANGER, TWO_PHONES, World

from adapters.registry.openimis import tables as t
from gateway.domain.clock import EAT
from gateway.domain.ussd.effects import RequestBill, number_by_sms
from gateway.ports import ControlNumberGiven, Requester
from gateway.service.answer_by_sms import PromiseRefusedError
from gateway.service.ussd_officers import OfficerFacts
from gateway.store import tables as g

DODOMA, CODE = "+255712000901", "EO001"  # the demo's officer for the covered family


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


async def promise(desk: Desk, wanted: RequestBill) -> None:
    await desk.effects(number_by_sms(wanted), desk.world.clock.now())


async def by_officer(world: World, family_id: int = COVERED) -> RequestBill:
    return replace(await world.wish(family_id, DODOMA), officer=CODE)


async def numbered(world: World) -> None:
    """The provider gives the number of the one bill."""
    (bill,) = await world.rows(g.bill)
    assert await world.told(ControlNumberGiven(bill["id"], NUMBER)) == ["settled"]


async def test_the_bill_is_made_and_its_number_told(world: World, desk: Desk) -> None:
    wanted = await world.wish(COVERED, language="en")
    await promise(desk, wanted)
    assert await world.count(g.bill) == 0
    assert await desk.keep() == 1
    (bill,) = await world.rows(g.bill)
    assert (bill["key"], bill["family_id"], bill["amount_minor"]) == (wanted.key, COVERED, wanted.amount_minor)
    assert await world.sms() == [], "nothing to tell before its number"
    await numbered(world)
    assert await world.sms() == [("control_number", OWN)]
    assert (await world.texts())[0].startswith("CHF: Control number"), "in his language"
    assert await desk.keep() == 0


async def test_a_first_try_that_was_committed_after_all_is_the_same_bill(world: World, desk: Desk) -> None:
    """Nobody learned that it was: the promise is kept beside it, before its number comes or after."""
    wanted = await world.wish(COVERED)
    await world.request(wanted, world.clock.now())
    await promise(desk, wanted)
    await numbered(world)
    await desk.keep()
    assert await world.count(g.bill) == await world.count(t.payments) == 1
    assert await world.sms() == [("control_number", OWN)]


async def test_yes_twice_and_yes_again_when_it_can_be_billed(world: World, desk: Desk) -> None:
    wanted = await world.wish(COVERED)
    await asyncio.gather(*(promise(desk, replace(wanted, language=code)) for code in ("sw", "en", "sw")))
    assert await world.count(g.outbox, channel="answers") == 1
    await world.request(wanted, world.clock.now())  # dialled again, before the worker
    await desk.keep()
    await promise(desk, wanted)
    await desk.keep()
    await numbered(world)
    assert await world.count(g.bill) == await world.count(t.payments) == 1
    assert await world.sms() == [("control_number", OWN)]


async def test_while_the_registry_hangs_it_is_tried_again(world: World, desk: Desk) -> None:
    await promise(desk, await world.wish(COVERED))
    desk.registry.fails = True
    for _ in range(4):
        assert await desk.keep() == 1
        assert await desk.open() == ["ConnectionResetError"]
        world.clock.pass_(seconds=40)
    desk.registry.fails = False
    assert await desk.keep() == 1
    assert await desk.open() == []
    assert await world.count(g.bill) == 1


async def test_a_worker_whose_lease_ran_out_makes_no_second_bill(world: World, desk: Desk) -> None:
    await promise(desk, await world.wish(COVERED))
    async with world.database.writing() as tx:
        (job,) = await tx.outbox.lease("answers", 1, world.clock.now(), 60)
    world.clock.pass_(seconds=61)
    await asyncio.gather(desk.keep(), desk.keep._run(job))
    await numbered(world)
    assert await world.count(g.bill) == await world.count(t.payments) == 1
    assert await world.sms() == [("control_number", OWN)]


async def test_after_an_hour_no_bill_is_made_and_the_phone_is_told_so(world: World, desk: Desk) -> None:
    await promise(desk, await world.wish(COVERED))
    world.clock.pass_(minutes=61)
    await desk.keep()
    assert await world.sms() == [("answer_late", OWN)]
    assert await world.count(g.bill) == 0


# ------------------------------------------------------------------------------------------------- what is judged anew

Change = Callable[[World], Awaitable[Any]]


async def dearer(world: World) -> None:
    await world.execute(t.products.update().values(LumpSum=Decimal(40000)))


async def paid(world: World) -> None:
    bill = await world.numbered(COVERED)
    await world.told(world.payment(bill))


async def moved(world: World) -> None:
    await world.execute(t.insurees.update().where(t.insurees.c.FamilyID == COVERED).values(Phone=STRANGER))


@pytest.mark.parametrize(
    ("change", "told", "says"),
    [
        (dearer, "answer_quote_payable", "lipa TZS 40,000"),
        (paid, "answer_quote_already_renewed", "imeshalipwa"),
        (moved, "answer_late", "Tafadhali piga tena"),
    ],
)
async def test_what_is_no_longer_so_makes_no_bill(
    world: World, desk: Desk, change: Change, told: str, says: str
) -> None:
    """Another amount is not agreed to, what was paid is not due, another phone's family is nobody's business."""
    await promise(desk, await world.wish(COVERED))
    await change(world)
    bills, before = await world.count(g.bill), len(await world.sms())
    await desk.keep()
    assert await world.count(g.bill) == bills
    assert (await world.sms())[before:] == [(told, OWN)]
    assert says in (await world.texts())[-1]


async def test_a_family_that_has_got_its_cover_is_not_told_the_price_of_the_next(world: World, desk: Desk) -> None:
    """The first try was committed after all, its number was told and paid."""
    phone = "+255712000077"
    await has_phone(world, NEVER_PAID, phone)
    await promise(desk, await world.wish(NEVER_PAID, phone))
    bill = await world.numbered(NEVER_PAID, msisdn=phone)
    await world.told(world.payment(bill))
    before = len(await world.sms())
    await desk.keep()
    assert (await world.sms())[before:] == [("answer_cover_covered", phone)]
    assert await world.count(g.bill) == 1


# -------------------------------------------------------------------------------------------------- for an officer


async def test_an_officers_bill_is_the_familys_and_both_are_told(world: World, desk: Desk) -> None:
    await promise(desk, await by_officer(world))
    await desk.keep()
    (bill,) = await world.rows(g.bill)
    async with world.database.reading() as tx:
        readers = await tx.bills.requesters(bill["id"])
    assert Requester(DODOMA, "sw", True) in readers
    assert Requester(OWN, "") in readers
    (payment,) = await world.rows(t.payments)
    assert payment["OfficerCode"] == CODE
    await numbered(world)
    assert {("control_number", DODOMA), ("control_number", OWN)} <= set(await world.sms())


async def left(world: World) -> None:
    yesterday = datetime.combine(world.today - timedelta(days=1), time(), EAT)
    await world.execute(t.officers.update().where(t.officers.c.Code == CODE).values(WorksTo=yesterday))


async def other_phone(world: World) -> None:
    await world.execute(t.officers.update().where(t.officers.c.Code == CODE).values(Phone="0712000999"))


async def family_moved(world: World) -> None:
    (there,) = await world.rows(t.families, FamilyID=TWO_PHONES)
    here = t.families.update().where(t.families.c.FamilyID == COVERED)
    await world.execute(here.values(LocationId=there["LocationId"]))


QUESTIONS: list[dict[str, Any]] = [
    {"fact": "quote", "family_id": COVERED, "officer": CODE},
    {"fact": "bill", "family_id": COVERED, "officer": CODE},
]


async def chfid(world: World) -> str:
    return str((await world.rows(t.insurees, FamilyID=COVERED))[0]["CHFID"])


LOST = [(left, "answer_late"), (other_phone, "answer_late"), (family_moved, "answer_elsewhere")]


@pytest.mark.parametrize(("change", "said"), LOST)
async def test_an_officer_without_a_mandate_any_more_is_told_nothing_of_the_family(
    world: World, desk: Desk, change: Change, said: str
) -> None:
    await promise(desk, await by_officer(world))
    for question in QUESTIONS:
        await desk.promise(msisdn=DODOMA, **question)
    await change(world)
    while await desk.keep():
        pass
    assert await world.sms() == [(said, DODOMA)] * 3
    number = await chfid(world)
    assert not any(number in text for text in await world.texts())
    assert await world.count(g.bill) == 0


async def test_an_officer_is_told_what_was_asked_of_a_family(world: World, desk: Desk) -> None:
    for question in QUESTIONS:
        await desk.promise(msisdn=DODOMA, **question)
    while await desk.keep():
        pass
    assert sorted(await world.sms()) == [("answer_bill_none", DODOMA), ("answer_quote_payable", DODOMA)]
    number = await chfid(world)
    assert all(number in text for text in await world.texts())


async def test_an_officers_families_have_a_limit_of_their_own(world: World, desk: Desk) -> None:
    """A day's round in a stall is many families; what the phone asks for its own family is counted apart."""
    chfids = [f"1000000{n:02}" for n in range(21)]
    for number in chfids[:20]:
        await desk.promise("quote", msisdn=DODOMA, chfid=number, officer=CODE)
    with pytest.raises(PromiseRefusedError):
        await desk.promise("officer_enquiry", msisdn=DODOMA, chfid=chfids[20], officer=CODE)
    for number in chfids[:3]:
        await desk.promise("enquiry", msisdn=DODOMA, chfid=number)
    with pytest.raises(PromiseRefusedError):
        await desk.promise("enquiry", msisdn=DODOMA, chfid=chfids[3])
    assert await world.count(g.outbox, channel="answers") == 23


async def test_an_officer_is_told_what_is_due_by_the_number_alone(world: World, desk: Desk) -> None:
    """The look-up itself was late on the way to a control number: nobody knew yet whose number it is."""
    for number in (await chfid(world), "100000093"):
        await desk.promise("quote", msisdn=DODOMA, chfid=number, officer=CODE)
    while await desk.keep():
        pass
    assert sorted(await world.sms()) == [("answer_cover_unknown", DODOMA), ("answer_quote_payable", DODOMA)]
    assert await world.count(g.bill) == 0, "nothing was agreed to"
    async with world.database.reading() as tx:
        assert await tx.callers.misses(DODOMA, world.clock.now()) == 1


@pytest.mark.parametrize(("change", "said"), LOST)
async def test_by_the_number_alone_the_mandate_is_judged_too(
    world: World, desk: Desk, change: Change, said: str
) -> None:
    await desk.promise("quote", msisdn=DODOMA, chfid=await chfid(world), officer=CODE)
    await desk.promise("quote", msisdn=STRANGER, chfid=await chfid(world), officer=CODE)
    await change(world)
    while await desk.keep():
        pass
    assert sorted(await world.sms()) == sorted([(said, DODOMA), ("answer_late", STRANGER)])


async def test_an_officer_is_told_a_familys_cover(world: World, desk: Desk) -> None:
    """As any phone may see it, of other areas too, with an officer's limit on wrong numbers."""
    async with world.database.writing() as tx:
        for _ in range(20):
            await tx.callers.count_miss(DODOMA, world.clock.now())
    await family_moved(world)
    await desk.promise("officer_enquiry", msisdn=DODOMA, chfid=await chfid(world), officer=CODE)
    await desk.promise("officer_enquiry", msisdn=DODOMA, chfid="100000093", officer=CODE)
    while await desk.keep():
        pass
    assert sorted(await world.sms()) == [("answer_cover_covered", DODOMA), ("answer_cover_unknown", DODOMA)]
    async with world.database.reading() as tx:
        assert await tx.callers.misses(DODOMA, world.clock.now()) == 21


async def test_an_officer_is_told_the_commission_of_both_months(world: World, desk: Desk) -> None:
    """Asked of one or of the other it is one question, and never answered to another phone."""
    (row,) = await world.rows(t.officers, Code=CODE, ValidityTo=None)
    for _ in range(2):
        await desk.promise("commission", msisdn=DODOMA, officer_id=row["OfficerID"])
    await desk.promise("commission", msisdn=STRANGER, officer_id=row["OfficerID"])
    while await desk.keep():
        pass
    told, facts = await world.sms(), await OfficerFacts(world.database, world.clock).commission(row["OfficerID"])
    assert sorted(told) == sorted(
        [*((f"answer_commission_{month['state']}", DODOMA) for month in facts.values()), ("answer_late", STRANGER)]
    )
    for month in facts.values():
        assert any(f" {month['month']}" in text for text in await world.texts())


@pytest.mark.parametrize("change", [left, other_phone])
async def test_who_is_no_officer_any_more_looks_up_nobody_as_one(world: World, desk: Desk, change: Change) -> None:
    (row,) = await world.rows(t.officers, Code=CODE, ValidityTo=None)
    await desk.promise("officer_enquiry", msisdn=DODOMA, chfid=await chfid(world), officer=CODE)
    await desk.promise("commission", msisdn=DODOMA, officer_id=row["OfficerID"])
    await change(world)
    await desk.keep()
    assert await world.sms() == [("answer_late", DODOMA)] * 2


async def test_a_family_is_not_asked_of_without_saying_as_what(world: World, desk: Desk) -> None:
    """An officer's phone that is not the family's own, on the family's way."""
    await desk.promise("quote", msisdn=DODOMA, family_id=COVERED)
    await promise(desk, await world.wish(COVERED, DODOMA))
    while await desk.keep():
        pass
    assert await world.sms() == [("answer_late", DODOMA)] * 2
    assert await world.count(g.bill) == 0
