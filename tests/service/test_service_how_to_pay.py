"""How to pay, as one SMS: once for what is due of a bill, a way and a phone; never for what is to be paid no more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from service_world import EXPIRED, INSTALMENTS, NUMBER, World

from gateway.domain.ussd.effects import TellHowToPay
from gateway.service.answer_by_sms import Promises
from gateway.service.how_to_pay import HowToPay, NotPayableError
from gateway.service.ussd_effects import UssdEffects
from gateway.store import tables as g

PHONE, OTHER = "+255712000003", "+255712000004"


def tell(way: str = "mobile", network: str = "vodacom", msisdn: str = PHONE, number: str = NUMBER) -> TellHowToPay:
    return TellHowToPay(number, way, network, msisdn, "sw")


async def test_each_way_once_a_phone_in_its_networks_words(world: World) -> None:
    bill = await world.numbered(EXPIRED, msisdn="+255712000001")
    before = len(await world.texts())
    carry_out = UssdEffects(world.database, world.request, Promises(world.database, world.clock, 3), world.messages)
    wishes = [tell(), tell(), tell(network="yas"), tell("bank"), tell("bank"), tell(msisdn=OTHER, network="ttcl")]
    for wish in wishes:
        await carry_out(wish, world.clock.now())
    assert (await world.sms())[before:] == [("how_mobile", PHONE), ("how_bank", PHONE), ("how_mobile", OTHER)]
    mobile, bank, other = (await world.texts())[before:]
    day = f"{bill.expires_at + timedelta(hours=3):%d/%m/%Y}"
    assert mobile == (
        "CHF: Lipa TZS 30,000 kwa M-Pesa. Piga *150*00#, chagua Malipo ya Serikali. "
        f"Namba 9941 2000 0011, mwisho {day}."
    )
    assert bank.startswith("CHF: Lipa TZS 30,000 benki")
    assert "T-Pesa" in other


async def test_after_a_part_was_paid_what_is_still_due_is_told(world: World) -> None:
    """The screen tells the rest and that it was sent by SMS; the SMS that the phone holds asks for the whole."""
    phone = await world.phone(INSTALMENTS)
    bill = await world.numbered(INSTALMENTS, msisdn=phone)
    how_to_pay, wish = HowToPay(world.database, world.messages), tell(msisdn=phone)
    await how_to_pay(wish, world.clock.now())
    assert await world.sms() == [("control_number", phone), ("how_mobile", phone)]
    assert await world.told(world.payment(bill, "5000")) == ["settled"]
    before = len(await world.texts())
    for _ in range(2):
        await how_to_pay(wish, world.clock.now())
        await world.ask(INSTALMENTS, phone)
    assert (await world.sms())[before:] == [("how_mobile", phone), ("control_number", phone)]
    assert all("TZS 15,000" in text for text in (await world.texts())[before:])


@pytest.mark.parametrize("why", ["unknown", "paid", "ended"])
async def test_what_is_not_to_be_paid_is_not_told(world: World, why: str) -> None:
    bill = await world.numbered(EXPIRED)
    if why == "paid":
        await world.told(world.payment(bill))
    if why == "ended":
        world.clock.pass_(days=31)
    before = await world.count(g.outbox)
    with pytest.raises(NotPayableError):
        await HowToPay(world.database, world.messages)(
            tell(number="994129999999" if why == "unknown" else NUMBER), world.clock.now()
        )
    assert await world.count(g.outbox) == before
