"""An enrolment officer's phone, with real processes over real HTTP: a number for a family, and a month's figures."""

from __future__ import annotations

from processes_harness import World, new_phone, until
from sqlalchemy import select

from adapters.registry.openimis.tables import payments
from gateway.store.tables import bill

DODOMA, KONDOA, UBUNGO = "+255712000901", "+255712000902", "+255712000903"  # the demo's officers


async def test_an_officer_gets_a_number_for_a_family_and_the_family_pays_it(world: World) -> None:
    family = await world.family(ended_days=40)
    own = family.phones[0]
    officer = world.phone(DODOMA)
    assert (await officer.dial()).text.startswith("Afisa: Rehema Mgaya EO001")
    await officer.press("1")
    seen = await officer.press(family.chfid)
    assert f"Familia {family.chfid}\nBima IMEISHA" in seen.text
    assert "Majaribio" not in seen.text, "no name of a family on another's phone"
    assert "30,000" in (await officer.press("1")).text
    number = (await officer.press("1")).control_number
    assert len(number) == 12
    pretty = f"{number[:4]} {number[4:8]} {number[8:]}"
    assert (await world.phone(own).ask_for_number()).control_number == number, (
        "the family's own asking is the same bill"
    )

    async def told() -> bool:
        return all([await world.sms_like(phone, pretty) for phone in (own, DODOMA)])

    await until(told, "the number on the officer's phone and on the family's")
    (ours,) = await world.sql.rows(select(bill).where(bill.c.family_id == family.id))
    (shown,) = await world.sql.rows(select(payments).where(payments.c.PaymentID == ours.payment_record_id))
    assert (shown.OfficerCode, shown.PhoneNumber) == ("EO001", DODOMA[1:])

    stranger = new_phone()
    paid = await world.pay(number, stranger)

    async def covered() -> list[str]:
        return await world.sms_like(own, paid["pay_ref_id"])

    await until(covered, "the SMS that says covered, on the family's phone")
    await world.quiet()
    assert await world.sms_like(DODOMA, paid["pay_ref_id"]) == []


async def test_an_officer_of_another_district_is_refused_with_a_sentence(world: World) -> None:
    family = await world.family(ended_days=40)
    officer = world.phone(UBUNGO)
    await officer.dial()
    await officer.press("2")
    refused = await officer.press(family.chfid)
    assert (refused.kind, refused.text.startswith("Familia hii si ya eneo lako.")) == ("END", True)
    assert await world.sql.count(bill, bill.c.family_id == family.id) == 0


async def test_a_months_figures_on_the_screen_and_by_sms(world: World) -> None:
    officer = world.phone(KONDOA)
    for key in ("1", "2"):  # ten days ago was this month or the last
        await officer.dial()
        await officer.press("3")
        seen = await officer.press(key)
        if "CHFKON" in seen.text:
            break
    assert "CHFKON 10,000 x 10% = 1,000" in seen.text
    assert (await officer.press("1")).kind == "END"

    async def sent() -> list[str]:
        return await world.sms_like(KONDOA, "TZS 1,000.", "TZS 10,000.")

    await until(sent, "the figures by SMS")
