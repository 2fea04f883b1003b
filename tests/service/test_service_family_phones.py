"""Whom a family's SMS reach: its own phones as the registry has them now, and none that calls it not its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from answer_world import Desk
from service_world import COVERED, EXPIRED, NO_PHONE, NUMBER, SOON, STRANGER, TWO_PHONES, Peer, Provider, Sms, World

from adapters.registry.openimis import tables as t
from gateway.domain.bill import Bill
from gateway.domain.cases import Act
from gateway.domain.effects import SubmitBill
from gateway.domain.ussd.effects import AwaitNumber, DisownFamily, TellHowToPay
from gateway.ports import BillRefused, ControlNumberGiven
from gateway.service.ask_provider import AskProvider
from gateway.service.how_to_pay import HowToPay, NotPayableError
from gateway.service.index_phones import IndexPhones
from gateway.service.report_phone import ReportPhone
from gateway.service.run_effects import ChannelLimits, RunEffects
from gateway.service.settle_case import Decision, SettleCase
from gateway.service.settle_entries import AT_ONCE
from gateway.service.sweep_bills import SilencePolicy, SweepBills
from gateway.service.ussd_facts import UssdFacts
from gateway.store import tables as g

OWN, OTHER = "+255620000041", "+255620000042"  # what the registry has of the family, the head's first
OFFICER = "+255712000901"  # of the demo's, in Dodoma


async def disown(world: World, family_id: int, *msisdns: str) -> None:
    report = ReportPhone(world.database, 10)
    for msisdn in msisdns:
        await report.disown(DisownFamily(family_id, msisdn), world.clock.now())


async def see_to_it(world: World) -> None:
    """A person closes every report."""
    settle = SettleCase(world.database, world.messages, world.clock)
    for case in await world.rows(g.case, kind="phone_reported"):
        await settle(case["id"], Decision(Act.CLOSE, "Ester"))


async def ask_as_officer(world: World, family_id: int, msisdn: str = OFFICER) -> Bill:
    bill = await world.request(replace(await world.wish(family_id, msisdn), officer="EO001"), world.clock.now())
    assert bill is not None
    return bill


async def officer_leaves(world: World) -> None:
    gone = t.officers.update().where(t.officers.c.Phone == f"0{OFFICER[4:]}")
    await world.execute(gone.values(WorksTo=world.clock.now() - timedelta(days=2)))


async def dropped(world: World, family_id: int) -> None:
    """The number is somebody else's by now, and the registry knows."""
    await world.gives(family_id, None, OTHER)


# ---- the money


@dataclass(frozen=True)
class Paid:
    """``why``: the case. ``then``: what happens between asking and paying. ``told``: the SMS of the payment."""

    why: str
    then: Callable[[World, int], Awaitable[None]]
    payer: str | None
    told: tuple[tuple[str, str], ...]
    phones: tuple[str | None, ...] = (OWN, OTHER)


async def index(world: World) -> None:
    await world.execute(g.watermark.delete())  # built anew
    await IndexPhones(world.database, world.clock)()


async def nothing(world: World, family_id: int) -> None: ...


async def first_disowns(world: World, family_id: int) -> None:
    await disown(world, family_id, OWN)


async def both_disown(world: World, family_id: int) -> None:
    await disown(world, family_id, OWN, OTHER)


async def disowned_and_seen_to(world: World, family_id: int) -> None:
    await disown(world, family_id, OWN)
    await see_to_it(world)


async def corrected(world: World, family_id: int) -> None:
    """What a report is for: the registry is put right, and only then the case is closed."""
    await disown(world, family_id, OWN)
    await dropped(world, family_id)
    await see_to_it(world)


async def another_disowns(world: World, family_id: int) -> None:
    await disown(world, family_id, STRANGER)
    await disown(world, COVERED if family_id != COVERED else SOON, OWN)


PAID = [
    Paid("nobody objects", nothing, None, (("covered", OWN),)),
    Paid("of another phone, and of another family", another_disowns, None, (("covered", OWN),)),
    Paid("the family's other phone hears", first_disowns, None, (("covered", OTHER),)),
    Paid("who paid has a receipt and no more", first_disowns, OWN, (("covered", OTHER), ("receipt", OWN))),
    Paid("the other one paid", first_disowns, OTHER, (("covered", OTHER),)),
    Paid("nobody is left", both_disown, None, ()),
    Paid("nobody is left and a stranger paid", both_disown, STRANGER, (("receipt", STRANGER),)),
    Paid("the only phone", first_disowns, None, (), (OWN, None)),
    Paid("a person has seen to it", disowned_and_seen_to, None, (("covered", OWN),)),
    Paid("the registry was corrected", corrected, None, (("covered", OTHER),)),
    Paid("a number that is another's by now", dropped, OWN, (("covered", OTHER), ("receipt", OWN))),
]


@pytest.mark.parametrize("most", [1, AT_ONCE], ids=["alone", "together"])
@pytest.mark.parametrize("case", PAID, ids=[paid.why for paid in PAID])
async def test_the_confirmation(world: World, case: Paid, most: int) -> None:
    family_id = TWO_PHONES
    await world.gives(family_id, *case.phones)
    bill, neighbour = await world.numbered(family_id, msisdn=OWN), await world.numbered(SOON, "994120000012")
    await case.then(world, family_id)
    before = len(await world.sms())
    payer = case.payer
    await world.receive(
        world.payment(bill, reference="R1", payer_msisdn=payer), world.payment(neighbour, reference="R2")
    )
    await world.settle_all(most=most)
    told = (await world.sms())[before:]
    assert sorted(told) == sorted([*case.told, ("covered", await world.phone(SOON))])
    assert [row["state"] for row in await world.rows(g.payment)] == ["settled", "settled"]
    receipts = [text for text, sms in zip((await world.texts())[before:], told, strict=True) if sms[0] == "receipt"]
    assert all(str(bill.amount) in text and "R1" in text and bill.chfid not in text for text in receipts)


async def test_together_asks_once(world: World) -> None:
    """Families of one batch, of which one phone of each has said so."""
    families = [COVERED, SOON, EXPIRED]
    bills = []
    for place, family_id in enumerate(families):
        await world.gives(family_id, OWN, f"+25562000005{place}")
        bills.append(await world.numbered(family_id, f"99412000001{place}", OWN))
        if family_id != SOON:
            await disown(world, family_id, OWN)
    before = len(await world.sms())
    await world.receive(*(world.payment(bill, reference=f"R{place}") for place, bill in enumerate(bills)))
    await world.settle_all()
    told = sorted((await world.sms())[before:])
    assert told == sorted([("covered", "+255620000050"), ("covered", OWN), ("covered", "+255620000052")])


@pytest.mark.parametrize(("works", "told"), [(True, [("covered", OFFICER)]), (False, [])])
async def test_an_officer_hears_for_a_family_without_a_phone_while_in_office(
    world: World, works: bool, told: list[tuple[str, str]]
) -> None:
    bill = await ask_as_officer(world, NO_PHONE)
    await world.told(ControlNumberGiven(bill.id, NUMBER))
    assert await world.sms() == [("control_number", OFFICER)]
    if not works:
        await officer_leaves(world)
    await world.told(world.payment(await world.bill(bill.id)))
    assert (await world.sms())[1:] == told


# ---- what becomes of a bill


async def refused(world: World, bill: Bill) -> None:
    await world.told(BillRefused(bill.id, "7204", "no"))


async def given(world: World, bill: Bill) -> None:
    await world.told(ControlNumberGiven(bill.id, NUMBER))


async def silence(world: World, bill: Bill) -> None:
    world.clock.pass_(minutes=4)
    await SweepBills(world.database, world.clock, SilencePolicy(timedelta(minutes=3), 1), world.messages)()


@pytest.mark.parametrize("comes", [refused, given, silence])
@pytest.mark.parametrize("gone", [first_disowns, dropped])
async def test_who_asked_hears_only_while_it_is_the_familys(
    world: World,
    comes: Callable[[World, Bill], Awaitable[None]],
    gone: Callable[[World, int], Awaitable[None]],
) -> None:
    await world.gives(TWO_PHONES, OWN, OTHER)
    bill = await world.ask(TWO_PHONES, OWN)
    await world.ask(TWO_PHONES, OTHER)
    await gone(world, TWO_PHONES)
    await comes(world, bill)
    assert [to for _, to in await world.sms()] == [OTHER]


async def test_an_officer_who_asked_hears_by_the_office(world: World) -> None:
    """Even of a family that the registry wrongly gives the officer's phone, and that the officer has disowned."""
    await world.gives(COVERED, OFFICER, OWN)
    await disown(world, COVERED, OFFICER)
    bill = await ask_as_officer(world, COVERED)
    await given(world, bill)
    assert await world.sms() == [("control_number", OWN), ("control_number", OFFICER)]
    await HowToPay(world.database, world.messages)(
        TellHowToPay(NUMBER, "bank", "vodacom", OFFICER, "sw"), world.clock.now()
    )
    assert (await world.sms())[-1] == ("how_bank", OFFICER)
    await world.told(world.payment(await world.bill(bill.id), payer_msisdn=OFFICER))
    assert (await world.sms())[-2:] == [("covered", OWN), ("receipt", OFFICER)]


@pytest.mark.parametrize("comes", [given, refused])
async def test_who_asks_once_more_hears_as_what_it_asked_last(
    world: World, comes: Callable[[World, Bill], Awaitable[None]]
) -> None:
    """An officer's phone stood beside the family, which it asked for as its own before it said that it is not."""
    await world.gives(COVERED, OFFICER, OWN)
    await world.ask(COVERED, OFFICER)
    await disown(world, COVERED, OFFICER)
    await comes(world, await ask_as_officer(world, COVERED))
    assert sorted(to for _, to in await world.sms()) == [OWN, OFFICER]


async def test_whose_office_ended_hears_as_the_familys_phone(world: World) -> None:
    await world.gives(COVERED, OFFICER, OWN)
    await ask_as_officer(world, COVERED)
    await officer_leaves(world)
    await given(world, await world.ask(COVERED, OFFICER))
    assert sorted(to for _, to in await world.sms()) == [OWN, OFFICER]


async def test_an_officers_asking_tells_no_phone_that_disowned_the_family(world: World) -> None:
    await world.gives(TWO_PHONES, OWN, OTHER)
    await disown(world, TWO_PHONES, OWN)
    await given(world, await ask_as_officer(world, TWO_PHONES))
    assert sorted(await world.sms()) == [("control_number", OTHER), ("control_number", OFFICER)]


# ---- what waits to be sent


async def test_what_was_written_before_is_withheld(world: World) -> None:
    """The provider of SMS was down while the phone said so. What tells of no family leaves, and so does another's."""
    await world.gives(TWO_PHONES, OWN, OTHER)
    bill = await world.numbered(TWO_PHONES, msisdn=OWN)
    await world.ask(TWO_PHONES, OTHER)
    await HowToPay(world.database, world.messages)(
        TellHowToPay(NUMBER, "mobile", "vodacom", OWN, "sw"), world.clock.now()
    )
    await world.told(world.payment(bill, payer_msisdn=OWN))
    assert await world.sms() == [
        ("control_number", OWN), ("control_number", OTHER), ("how_mobile", OWN), ("covered", OWN),
    ]  # fmt: skip
    await world.told(world.payment(bill, bill.amount, reference="R2", payer_msisdn=OWN))
    assert (await world.sms())[-1] == ("held", OWN)
    await disown(world, TWO_PHONES, OWN)
    texts, limits = Sms(), ChannelLimits(batch=2, window=1)
    run = RunEffects(world.database, Peer(), Provider(), texts, world.messages, world.clock, {"sms": limits})
    while await run.batch("sms"):
        pass
    assert [message.to for message in texts.messages] == [OTHER, OWN]
    assert "Tumepokea" in texts.messages[1].text
    assert bill.chfid not in texts.messages[1].text
    kept = [row["last_outcome"] for row in await world.rows(g.outbox, kind="send_sms")]
    assert [said.strip() for said in kept] == ["Withheld", "Accepted", "Withheld", "Withheld", "Accepted"]


@pytest.mark.parametrize("fact", ["bill", "quote", "control_number"])
async def test_a_promised_answer_tells_nothing_of_it(world: World, fact: str) -> None:
    await world.gives(COVERED, OWN)
    await index(world)
    desk, wish = Desk(world), await world.wish(COVERED, OWN)
    args = {"bill_key": wish.key, "amount_minor": wish.amount_minor} if fact == "control_number" else {}
    await desk.promise(fact, OWN, family_id=COVERED, **args)
    await disown(world, COVERED, OWN)
    assert await desk.keep() == 1
    assert await world.sms() == [("answer_late", OWN)]
    assert await world.count(g.bill) == 0


async def test_the_cover_of_a_dial_that_waits_to_be_sent_is_withheld_too(world: World) -> None:
    """It tells of the family as well, though the question named none."""
    await world.gives(COVERED, OWN)
    await index(world)
    desk = Desk(world)
    await desk.promise("caller", OWN)
    await desk.promise("caller", STRANGER)
    while await desk.keep():
        pass
    assert sorted(await world.sms()) == [("answer_cover_covered", OWN), ("answer_cover_stranger", STRANGER)]
    await disown(world, COVERED, OWN, STRANGER)
    texts = Sms()
    run = RunEffects(world.database, Peer(), Provider(), texts, world.messages, world.clock)
    while await run.batch("sms"):
        pass
    assert [message.to for message in texts.messages] == [STRANGER], "which was told of no family"


# ---- a conversation that was open beside the one in which it was said


async def test_another_conversation_of_the_phone_gets_nothing_more(world: World) -> None:
    await world.gives(TWO_PHONES, OWN, OTHER)
    wish = await world.wish(TWO_PHONES, OWN)
    bill = await world.ask(TWO_PHONES, OTHER)
    await disown(world, TWO_PHONES, OWN)
    now = world.clock.now()
    assert await world.request(wish, now) is None
    assert not await world.request.join(AwaitNumber(TWO_PHONES, OWN, "sw"), now)
    await given(world, bill)
    assert await world.request(wish, now) is None
    tell = TellHowToPay(NUMBER, "mobile", "vodacom", OWN, "sw")
    with pytest.raises(NotPayableError):
        await HowToPay(world.database, world.messages)(tell, now)
    assert await world.sms() == [("control_number", OTHER)]
    await see_to_it(world)
    assert await world.request(wish, now) is not None


async def test_the_provider_is_not_given_its_number_either(world: World) -> None:
    """Providers write to the payer of a bill."""
    await world.gives(TWO_PHONES, OWN, OTHER)
    bill = await world.ask(TWO_PHONES, OWN)
    await world.ask(TWO_PHONES, OTHER)
    await disown(world, TWO_PHONES, OWN)
    provider = Provider()
    asking = AskProvider(world.database, Peer(), provider, world.messages, world.clock)
    await asking.send(SubmitBill(bill.id), 1, 5)
    assert [order.payer_msisdn for order in provider.orders] == [OTHER]


# ---- the screen: whose family it is says the live row, not the index that lags behind it


async def moves(world: World, msisdn: str, to: int) -> None:
    """openIMIS moves the insuree; the index has not followed yet."""
    [row] = [each for each in await world.rows(t.insurees, ValidityTo=None) if each["Phone"] == msisdn]
    moved = t.insurees.update().where(t.insurees.c.InsureeID == row["InsureeID"])
    await world.execute(moved.values(FamilyID=to))


async def shown(world: World, msisdn: str) -> list[int]:
    known = await UssdFacts(world.database, world.clock).caller(msisdn)
    return [family["id"] for family in known["families"]]


async def test_a_member_who_moves_into_a_disowned_family_shows_nothing_of_it_at_once(world: World) -> None:
    [member] = await world.rows(t.insurees, Phone="+255655000009")
    phone = str(member["Phone"])
    assert await shown(world, phone) == [TWO_PHONES]
    await disown(world, EXPIRED, phone)
    await moves(world, phone, EXPIRED)
    assert await shown(world, phone) == []


async def test_a_member_who_moves_out_of_a_disowned_family_is_seen_at_once(world: World) -> None:
    phone = "+255655000009"
    await disown(world, TWO_PHONES, phone)
    assert await shown(world, phone) == []
    await moves(world, phone, EXPIRED)
    assert await shown(world, phone) == [EXPIRED]
