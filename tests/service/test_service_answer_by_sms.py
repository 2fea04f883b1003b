"""An answer promised by SMS: once for a question, true when it leaves, in his language, and given up in time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from answer_world import OFFICER, OWN, Desk, has_phone
from service_world import COVERED, EXPIRED, NUMBER, STRANGER, World
from sqlalchemy import update

from adapters.registry.openimis import tables as t
from gateway.domain.ussd.effects import AwaitNumber
from gateway.ports import ControlNumberGiven
from gateway.service.answer_by_sms import PromiseRefusedError
from gateway.store import tables as g


@pytest.fixture
async def desk(world: World) -> Desk:
    await world.execute(g.phone.delete())
    for family_id, msisdn in ((COVERED, OWN), (COVERED, OFFICER), (EXPIRED, OFFICER)):
        await has_phone(world, family_id, msisdn)
    return Desk(world)


async def chfid_of(world: World, family_id: int) -> str:
    async with world.database.reading() as tx:
        family = await tx.registry.family(family_id)
    assert family is not None
    return str(family.head.chfid)


async def test_what_is_told_of_each_fact(world: World, desk: Desk) -> None:
    own = await chfid_of(world, COVERED)
    await desk.promise("caller")
    await desk.promise("caller", msisdn=OFFICER)
    await desk.promise("caller", msisdn=STRANGER)
    await desk.promise("enquiry", msisdn=STRANGER, chfid=await chfid_of(world, EXPIRED))
    await desk.promise("enquiry", msisdn=STRANGER, chfid="999999994", language="en")
    await desk.promise("bill", family_id=COVERED)
    await desk.promise("quote", family_id=COVERED)
    while await desk.keep():
        pass
    told = dict(zip([kind for kind, _ in await world.sms()], await desk.told(), strict=True))
    assert set(told) == {
        "answer_cover_covered", "answer_cover_several", "answer_cover_stranger", "answer_cover_expired",
        "answer_cover_unknown", "answer_bill_none", "answer_quote_payable",
    }  # fmt: skip
    assert told["answer_cover_covered"].startswith(f"CHF TIME: Bima ya {own} ni HAI hadi ")
    assert told["answer_cover_several"] == "CHF TIME: Simu hii ina familia zaidi ya moja. Piga tena uchague familia."
    assert "999999994. Dial again" in told["answer_cover_unknown"]
    assert f"Bima ya {own}: lipa TZS 30,000. " in told["answer_quote_payable"]
    assert await desk.open() == []


async def test_what_is_told_of_the_members_and_the_money(world: World, desk: Desk) -> None:
    own = await chfid_of(world, COVERED)
    await world.told(world.payment(await world.numbered(COVERED)))
    before = len(await world.texts())
    await desk.promise("members", family_id=COVERED)
    await desk.promise("payment", family_id=COVERED)
    while await desk.keep():
        pass
    members, payment = sorted((await desk.told())[before:])
    assert members.startswith(f"CHF TIME: Familia {own}: watu ")
    assert payment.startswith(f"CHF TIME: Malipo ya mwisho ya bima {own}: TZS 30,000, ")
    (premium, *_) = sorted(await world.rows(t.premiums), key=lambda row: -int(row["PremiumId"]))
    assert payment.endswith(f" Risiti {premium['Receipt']}.")


@pytest.mark.parametrize("fact", ["members", "payment"])
async def test_another_familys_members_and_money_are_told_nobody(world: World, desk: Desk, fact: str) -> None:
    await desk.promise(fact, msisdn=STRANGER, family_id=COVERED)
    await desk.keep()
    assert await world.sms() == [("answer_late", STRANGER)]


async def test_asked_three_times_it_is_told_once(world: World, desk: Desk) -> None:
    world.clock.pass_(minutes=30)
    for _ in range(3):
        await desk.promise("caller")
    world.clock.pass_(minutes=59)  # in the next hour, and open still
    await desk.promise("caller")
    await desk.promise("caller", language="en")
    await asyncio.gather(*(desk.promise("caller") for _ in range(8)))
    await desk.keep()
    assert len(await world.texts()) == 1


async def test_questions_at_once_are_one(world: World) -> None:
    """As from several processes."""
    desks = [Desk(world) for _ in range(8)]
    await asyncio.gather(*(desk.promise("quote", family_id=COVERED) for desk in desks))
    assert await world.count(g.outbox, channel="answers") == 1


async def test_two_questions_of_one_phone_at_once_are_two(world: World, desk: Desk) -> None:
    await asyncio.gather(*(desk.promise(fact, family_id=COVERED) for fact in ("quote", "bill")))
    assert await world.count(g.outbox, channel="answers") == 2
    more = (Desk(world).promise("enquiry", chfid=chfid) for chfid in ("100000014", "100000025"))
    refused = [why for why in await asyncio.gather(*more, return_exceptions=True) if why is not None]
    assert [type(why) for why in refused] == [PromiseRefusedError]
    assert await world.count(g.outbox, channel="answers") == 3, "three an hour, however they come"


async def test_many_promises_are_few_transactions(world: World) -> None:
    desk, opened = Desk(world), 0
    writing = world.database.writing

    def counted() -> Any:
        nonlocal opened
        opened += 1
        return writing()

    world.database.writing = counted  # type: ignore[method-assign]
    await asyncio.gather(*(desk.promise("caller", msisdn=f"+2557540000{n:02}") for n in range(100)))
    assert opened <= 2
    assert await world.count(g.outbox, channel="answers") == 100


async def test_asked_again_after_the_answer_it_is_a_new_question(world: World, desk: Desk) -> None:
    for _ in range(3):
        await desk.promise("caller")
        await desk.keep()
    assert len(await world.texts()) == 3
    with pytest.raises(PromiseRefusedError):
        await desk.promise("caller")
    with pytest.raises(PromiseRefusedError):
        await desk.promise("quote", family_id=COVERED)
    await desk.promise("caller", msisdn=OFFICER)
    world.clock.pass_(hours=1)
    await desk.promise("caller")
    await desk.keep()
    assert len(await world.texts()) == 5


async def test_the_fact_is_read_when_the_sms_is_written(world: World, desk: Desk) -> None:
    """Asked while the cover had ended; paid before the answer leaves."""
    await has_phone(world, EXPIRED, "+255712000077")
    await desk.promise("caller", msisdn="+255712000077")
    bill = await world.numbered(EXPIRED)
    await world.told(world.payment(bill))
    before = len(await world.texts())
    await desk.keep()
    assert " ni HAI hadi " in (await world.texts())[before:][0]


async def test_a_caller_is_told_in_the_language_that_he_reads(world: World, desk: Desk) -> None:
    async with world.database.writing() as tx:
        await tx.callers.set_language(OWN, "en", world.clock.now())
    await desk.promise("caller")  # what he reads was a part of what did not come
    await desk.keep()
    assert " is COVERED until " in (await world.texts())[0]


async def test_a_family_that_is_no_longer_the_phones_is_not_told_of(world: World, desk: Desk) -> None:
    await desk.promise("quote", family_id=COVERED)
    await world.execute(update(t.insurees).where(t.insurees.c.Phone == OWN).values(Phone=STRANGER))
    await desk.keep()
    assert await world.sms() == [("answer_late", OWN)]


async def test_while_the_registry_fails_it_is_tried_again_and_then_told(world: World, desk: Desk) -> None:
    await desk.promise("caller")
    desk.registry.fails = True
    for wait_s in (2, 4, 8, 16, 40, 40):
        assert await desk.keep() == 1
        assert await desk.open() == ["ConnectionResetError"]
        assert await desk.keep() == 0, "not before its time"
        world.clock.pass_(seconds=wait_s)
    desk.registry.fails = False
    await desk.keep()
    assert await world.sms() == [("answer_cover_covered", OWN)]
    assert await desk.keep() == 0


async def test_an_answer_that_would_be_old_is_given_up_and_the_phone_is_told_so(world: World, desk: Desk) -> None:
    await desk.promise("caller", language="en")
    desk.registry.fails = True
    world.clock.pass_(minutes=59)
    await desk.keep()
    assert await world.sms() == []
    world.clock.pass_(minutes=2)
    await desk.keep()
    assert await world.texts() == ["CHF: Sorry, we could not answer your question. Please dial again."]
    assert await desk.open() == []


async def test_a_number_that_has_not_come_is_waited_for(world: World, desk: Desk) -> None:
    bill = await world.ask(COVERED)
    await desk.promise("bill", family_id=COVERED)
    await desk.keep()
    assert await desk.open() == ["nothing to tell yet"]
    await world.told(ControlNumberGiven(bill.id, NUMBER))
    world.clock.pass_(seconds=5)
    await desk.keep()
    assert ("answer_bill_numbered", OWN) in await world.sms()


async def test_guesses_are_counted_and_limited_here_too(world: World, desk: Desk) -> None:
    async with world.database.writing() as tx:
        for _ in range(9):
            await tx.callers.count_miss(STRANGER, world.clock.now())
    for chfid in ("100000093", await chfid_of(world, COVERED)):
        await desk.promise("enquiry", msisdn=STRANGER, chfid=chfid)
        await desk.keep()
    assert await world.sms() == [("answer_cover_unknown", STRANGER), ("answer_cover_limited", STRANGER)]


async def test_an_answer_whose_lease_was_lost_is_not_sent_twice(world: World, desk: Desk) -> None:
    """Two workers read the same answer, one after its lease ran out, when things have changed: one SMS leaves."""
    await desk.promise("caller")
    async with world.database.writing() as tx:
        (job,) = await tx.outbox.lease("answers", 1, world.clock.now(), 60)
    world.clock.pass_(seconds=61)
    await desk.keep()
    await world.execute(update(t.insurees).where(t.insurees.c.Phone == OWN).values(Phone=STRANGER))
    await desk.keep._run(job)
    assert len(await world.texts()) == 1


async def test_a_receipt_leaves_before_an_answer(world: World, desk: Desk) -> None:
    await desk.promise("caller")
    await desk.keep()
    bill = await world.numbered(EXPIRED)
    await world.told(world.payment(bill))
    async with world.database.writing() as tx:
        jobs = await tx.outbox.lease("sms", 10, world.clock.now(), 60)
    assert [job.effect.message.startswith("answer_") for job in jobs] == [False] * (len(jobs) - 1) + [True]


# ------------------------------------------------------------------------------------- a number that another asked for


async def test_whoever_is_told_that_the_number_comes_by_sms_gets_it(world: World, desk: Desk) -> None:
    bill = await world.ask(COVERED, msisdn=OFFICER)
    wanted = AwaitNumber(COVERED, OWN, "en")
    await desk.effects(wanted, world.clock.now())
    await desk.effects(wanted, world.clock.now())
    await world.told(ControlNumberGiven(bill.id, NUMBER))
    assert sorted(await world.sms()) == [("control_number", OWN), ("control_number", OFFICER)]
    assert [text for text in await world.texts() if text.startswith("CHF: Control number")], "in his own language"


async def test_a_number_that_came_meanwhile_is_told_at_once(world: World, desk: Desk) -> None:
    await world.numbered(COVERED, msisdn=OFFICER)
    await desk.effects(AwaitNumber(COVERED, OWN, "sw"), world.clock.now())
    assert ("control_number", OWN) in await world.sms()


async def test_no_number_is_promised_where_none_is_awaited(world: World, desk: Desk) -> None:
    with pytest.raises(PromiseRefusedError):
        await desk.effects(AwaitNumber(COVERED, OWN, "sw"), world.clock.now())
    assert await world.sms() == []
