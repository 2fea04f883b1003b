"""Enrolment officers: whose phone is one's, what is seen from it, and what is asked for with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from service_world import (
    COVERED,
    NO_PHONE,
    NUMBER,
    STRANGER,
    TWO_PHONES,
    World,
)

from adapters.registry.openimis import tables as t
from gateway.domain.bill import Bill
from gateway.domain.commission import month, month_before
from gateway.domain.ussd.effects import TellCommission
from gateway.domain.ussd.machine import Ask
from gateway.ports import ControlNumberGiven, Requester
from gateway.service import index_officers
from gateway.service.answer_by_sms import Promises
from gateway.service.index_officers import IndexOfficers
from gateway.service.ussd_effects import UssdEffects
from gateway.service.ussd_facts import UssdFacts
from gateway.service.ussd_officers import OfficerFacts
from gateway.store import tables as g
from gateway.store.callers import SqlCallers

DODOMA, KONDOA, UBUNGO = "+255712000901", "+255712000902", "+255712000903"  # the demo's officers
NEW = "+255620000099"
FAMILY = "+255712000001"  # of the covered family, in Dodoma


@pytest.fixture
def index(world: World) -> IndexOfficers:
    return IndexOfficers(world.database, world.clock)


@pytest.fixture
def facts(world: World) -> UssdFacts:
    return UssdFacts(world.database, world.clock)


@pytest.fixture
def officer_facts(world: World) -> OfficerFacts:
    return OfficerFacts(world.database, world.clock)


async def officer(world: World, msisdn: str) -> int:
    (row,) = await world.rows(t.officers, Phone=f"0{msisdn[4:]}", ValidityTo=None)
    return int(row["OfficerID"])


async def change(world: World, officer_id: int, **values: Any) -> None:
    """As openIMIS writes: a history row with a key of its own first, then the live row."""
    (before,) = await world.rows(t.officers, OfficerID=officer_id)
    del before["OfficerID"]
    ended = {"OfficerUUID": str(uuid4()), "ValidityTo": world.clock.now(), "LegacyID": officer_id}
    await world.put(t.officers, **{**before, **ended})
    await change_silently(world, officer_id, ValidityFrom=world.clock.now(), **values)


async def change_silently(world: World, officer_id: int, **values: Any) -> None:
    await world.execute(t.officers.update().where(t.officers.c.OfficerID == officer_id).values(**values))


async def another(world: World, **values: Any) -> int:
    return await world.put(t.officers, **{"Code": "EO009", "LastName": "Mrema", "OtherNames": "Eliza", **values})


async def chfid(world: World, family_id: int) -> str:
    return str((await world.rows(t.insurees, FamilyID=family_id))[0]["CHFID"])


async def indexed(world: World) -> dict[int, str]:
    return {row["officer_id"]: row["msisdn"] for row in await world.rows(g.officer_phone)}


async def codes(facts: UssdFacts, msisdn: str) -> list[str]:
    told = await facts.caller(msisdn)
    assert told.get("officer", False) == bool(told.get("officers"))
    assert told.get("officer_count", 0) == len(told.get("officers", ()))
    return [known["code"] for known in told.get("officers", ())]


# ---- the index


@pytest.mark.parametrize("page", [2_000, 2])
async def test_the_index_is_built_and_follows_every_change(
    world: World, index: IndexOfficers, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(index_officers, "_PAGE", page)
    built = await indexed(world)  # as the demo was prepared
    assert sorted(built.values()) == [DODOMA, KONDOA, UBUNGO]
    await world.execute(g.officer_phone.delete())
    await world.execute(g.place.delete().where(g.place.c.name == "officers"))
    assert await index() == 3
    assert await indexed(world) == built
    one, two, three = built
    await change(world, one, Phone="+255 620 000-099")
    await change(world, two, Phone="ask the ward")
    await change(world, three, ValidityTo=world.clock.now())
    added = await another(world, Phone="0712000904")
    await index()
    assert await indexed(world) == {one: NEW, added: "+255712000904"}


async def test_reading_anew_writes_only_what_is_different(
    world: World, index: IndexOfficers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many pages it takes: none touches what stands on another, so that callers are found all the while."""
    monkeypatch.setattr(index_officers, "_PAGE", 1)
    written: list[int] = []
    write = SqlCallers.index_officers

    async def watched(self: SqlCallers, *page: Any) -> int:
        written.append(await write(self, *page))
        return written[-1]

    monkeypatch.setattr(SqlCallers, "index_officers", watched)
    await change(world, await officer(world, KONDOA), Phone="0620000099")
    await index()
    assert written == [0, 1, 0, 0]


async def test_a_quiet_registry_is_not_read_again_within_the_hour(world: World, index: IndexOfficers) -> None:
    await world.execute(g.place.delete().where(g.place.c.name == "officers"))
    assert [await index(), await index()] == [3, 0]
    one = await officer(world, DODOMA)
    await change_silently(world, one, Phone="0620000099")  # a script of somebody's: no history row
    world.clock.pass_(minutes=59)
    assert await index() == 0
    world.clock.pass_(minutes=2)
    assert await index() == 3
    assert (await indexed(world))[one] == NEW


# ---- whose phone it is


async def test_an_officers_phone_says_who(world: World, facts: UssdFacts) -> None:
    told = await facts.caller(DODOMA)
    assert told == {
        "language": None,
        "count": 0,
        "families": [],
        "officer": True,
        "officer_count": 1,
        "officers": [{"id": await officer(world, DODOMA), "code": "EO001", "label": "Rehema Mgaya EO001"}],
    }
    assert "officer" not in await facts.caller(FAMILY)


@pytest.mark.parametrize("spelt", ["+255712000901", "255 712 000 901", "712000901", "0712-000-901"])
async def test_however_it_is_spelt(world: World, index: IndexOfficers, facts: UssdFacts, spelt: str) -> None:
    await change(world, await officer(world, DODOMA), Phone=spelt)
    await index()
    assert await codes(facts, DODOMA) == ["EO001"]


def _moment(day: date) -> datetime:
    return datetime.fromisoformat(f"{day.isoformat()}T00:00+00:00")


@pytest.mark.parametrize(("days", "works"), [(1, True), (0, True), (-1, False)])
async def test_who_has_left_is_a_caller_like_any_other(world: World, facts: UssdFacts, days: int, works: bool) -> None:
    last = _moment(world.today + timedelta(days=days))
    await change_silently(world, await officer(world, DODOMA), WorksTo=last)
    assert await codes(facts, DODOMA) == (["EO001"] if works else [])


async def test_while_the_index_lags_only_the_live_row_says_whose_phone_it_is(world: World, facts: UssdFacts) -> None:
    one = await officer(world, DODOMA)
    for now in ({"Phone": "0620000099"}, {"Phone": None}, {"ValidityTo": world.clock.now()}):
        assert await codes(facts, DODOMA) == ["EO001"]
        (before,) = await world.rows(t.officers, OfficerID=one)
        await change_silently(world, one, **now)
        assert await codes(facts, DODOMA) == [], now
        await change_silently(world, one, Phone=before["Phone"], ValidityTo=None)


async def test_a_phone_that_officers_share_names_each_and_one_entered_twice_once(
    world: World, index: IndexOfficers, facts: UssdFacts
) -> None:
    await another(world, Phone="255712000901")
    await another(world, Code="EO001", Phone="0712000901")
    await index()
    assert await codes(facts, DODOMA) == ["EO001", "EO009"]


async def test_a_phone_may_be_an_officers_and_a_familys(world: World, index: IndexOfficers, facts: UssdFacts) -> None:
    await change(world, await officer(world, DODOMA), Phone="0712000001")
    await index()
    told = await facts.caller(FAMILY)
    assert (told["officer"], told["count"], told["families"][0]["id"]) == (True, 1, COVERED)


async def test_the_first_screen_of_others_asks_the_registry_nothing_more(
    world: World, facts: UssdFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    from adapters.registry.openimis import OpenImisRegistry

    asked: list[Sequence[int]] = []
    read = OpenImisRegistry.officers

    async def watched(self: OpenImisRegistry, ids: Sequence[int]) -> Any:
        asked.append(list(ids))
        return await read(self, ids)

    monkeypatch.setattr(OpenImisRegistry, "officers", watched)
    await asyncio.gather(facts.caller(FAMILY), facts.caller(NEW))
    assert asked == []
    await asyncio.gather(facts.caller(FAMILY), facts.caller(DODOMA))
    assert asked == [[await officer(world, DODOMA)]]


# ---- a family by its number


async def test_an_officer_sees_what_any_phone_sees(world: World, facts: UssdFacts) -> None:
    number = await chfid(world, COVERED)
    args = (("chfid", number), ("msisdn", DODOMA), ("officer", "EO001"))
    seen = await facts.answer(Ask("officer_enquiry", args))
    assert seen == {"id": COVERED, "chfid": number, "officer": "EO001", **await facts.enquiry(number, STRANGER)}


async def test_officers_have_a_limit_of_their_own(world: World) -> None:
    facts = UssdFacts(world.database, world.clock, 2, 4)
    officers = OfficerFacts(world.database, world.clock, 4)
    right = await chfid(world, COVERED)
    for guess in range(4):
        assert await officers.officer_enquiry(f"00000000{guess}", DODOMA, "EO001") == {"state": "unknown"}
        assert (await facts.enquiry(right, DODOMA) == {"state": "limited"}) == (guess >= 1)
    assert await officers.officer_enquiry(right, DODOMA, "EO001") == {"state": "limited"}
    assert (await officers.officer_enquiry(right, KONDOA, "EO002"))["state"] == "covered"
    world.clock.pass_(hours=1)
    assert (await officers.officer_enquiry(right, DODOMA, "EO001"))["state"] == "covered"


# ---- for whom an officer may act


async def may(facts: OfficerFacts, world: World, family_id: int, msisdn: str = DODOMA) -> str:
    return str((await facts.mandate(await officer(world, DODOMA), family_id, msisdn))["state"])


async def test_an_officer_acts_for_families_of_the_district(world: World, officer_facts: OfficerFacts) -> None:
    assert await may(officer_facts, world, COVERED) == "given"
    assert await may(officer_facts, world, TWO_PHONES) == "elsewhere"
    assert await may(officer_facts, world, 10**6) == "elsewhere"
    assert await may(officer_facts, world, COVERED, NEW) == "left"
    assert await officer_facts.mandate(10**6, COVERED, DODOMA) == {"state": "left"}


async def test_an_officer_acts_for_families_of_assigned_villages(world: World, officer_facts: OfficerFacts) -> None:
    one = await officer(world, DODOMA)
    (family,) = await world.rows(t.families, FamilyID=TWO_PHONES)
    assigned = await world.put(t.officer_villages, OfficerId=one, LocationId=family["LocationId"])
    assert await may(officer_facts, world, TWO_PHONES) == "given"
    ended = t.officer_villages.update().where(t.officer_villages.c.OfficerVillageId == assigned)
    await world.execute(ended.values(ValidityTo=world.clock.now()))
    assert await may(officer_facts, world, TWO_PHONES) == "elsewhere"


async def test_who_has_left_since_the_first_screen_acts_for_nobody(world: World, officer_facts: OfficerFacts) -> None:
    one = await officer(world, DODOMA)
    await change_silently(world, one, WorksTo=_moment(world.today - timedelta(days=1)))
    assert await officer_facts.mandate(one, COVERED, DODOMA) == {"state": "left"}


# ---- the control number


async def ask(world: World, family_id: int, msisdn: str = DODOMA, code: str = "EO001") -> Bill:
    """As an officer agrees to it on the screen; an empty code: the family itself."""
    wish = replace(await world.wish(family_id, msisdn), officer=code)
    bill = await world.request(wish, world.clock.pass_(seconds=1))
    assert bill is not None
    return bill


async def readers(world: World, bill: Bill) -> list[Requester]:
    async with world.database.reading() as tx:
        return list(await tx.bills.requesters(bill.id))


async def test_an_officer_and_the_family_get_one_bill(world: World) -> None:
    by_officer = await ask(world, COVERED)
    by_family = await ask(world, COVERED, FAMILY, "")
    assert by_family.id == by_officer.id
    assert await world.count(g.bill) == await world.count(t.payments) == 1
    (payment,) = await world.rows(t.payments)
    assert (payment["OfficerCode"], payment["PhoneNumber"]) == ("EO001", "255712000901")


async def test_the_family_that_asked_first_stays_the_one_that_asked(world: World) -> None:
    """An officer cannot take a family's own payment over by asking after it."""
    await ask(world, COVERED, FAMILY, "")
    await ask(world, COVERED)
    (payment,) = await world.rows(t.payments)
    assert (payment["OfficerCode"], payment["PhoneNumber"]) == (None, "255712000001")


async def test_the_number_goes_to_the_familys_phones_and_to_the_officers(world: World) -> None:
    async with world.database.writing() as tx:
        await tx.callers.set_language("+255655000009", "en", world.clock.now())
    bill = await ask(world, TWO_PHONES, UBUNGO, "EO003")
    assert await readers(world, bill) == [
        Requester("+255712000009", ""),
        Requester("+255655000009", "en"),
        Requester(UBUNGO, "sw", officer=True),
    ]
    assert await world.told(ControlNumberGiven(bill.id, NUMBER)) == ["settled"]
    assert sorted(await world.sms()) == sorted(
        ("control_number", msisdn) for msisdn in ("+255712000009", "+255655000009", UBUNGO)
    )
    assert sorted(text[:12] for text in await world.texts()) == ["CHF: Control", "CHF: Namba y", "CHF: Namba y"]
    again = await ask(world, TWO_PHONES, UBUNGO, "EO003")
    assert again.id == bill.id
    assert len(await world.sms()) == 3, "asking again sends nothing twice"


async def test_a_number_that_is_there_already_goes_to_the_family_too(world: World) -> None:
    """Asked for by another of its phones before; the head's has not seen it."""
    await world.gives(COVERED, FAMILY, None, NEW)
    await world.numbered(COVERED, msisdn=NEW)
    await world.gives(COVERED, FAMILY, None, None)
    await ask(world, COVERED)
    assert await world.sms() == [("control_number", to) for to in (NEW, FAMILY, DODOMA)]


@pytest.mark.parametrize(
    ("phones", "expected"),
    [
        ([None, None, None], [DODOMA]),
        (["0712000901", None, "0620000099"], [NEW, DODOMA]),  # the officer's own was entered for the family
        (["0620000091", "0620000092", "0620000093"], ["+255620000091", "+255620000092", DODOMA]),
        (["0620000091", "+255620000091", "x"], ["+255620000091", DODOMA]),
    ],
)
async def test_whose_phones_are_the_familys(world: World, phones: list[str | None], expected: list[str]) -> None:
    await world.gives(COVERED, *phones)
    assert [reader.msisdn for reader in await readers(world, await ask(world, COVERED))] == expected


async def test_the_head_is_told_first_wherever_it_stands_among_the_members(world: World) -> None:
    _, _, youngest = await world.rows(t.insurees, FamilyID=COVERED)
    await world.execute(
        t.insurees.update().where(t.insurees.c.InsureeID == youngest["InsureeID"]).values(Phone="0620000099")
    )
    families = t.families.update().where(t.families.c.FamilyID == COVERED)
    await world.execute(families.values(InsureeID=youngest["InsureeID"]))
    assert [reader.msisdn for reader in await readers(world, await ask(world, COVERED))] == [NEW, FAMILY, DODOMA]


@pytest.mark.parametrize(
    ("family_id", "payer", "expected"),
    [
        (COVERED, STRANGER, [("covered", FAMILY), ("receipt", STRANGER)]),
        (COVERED, DODOMA, [("covered", FAMILY), ("receipt", DODOMA)]),  # cash, and the officer's own wallet
        (COVERED, FAMILY, [("covered", FAMILY)]),
        (COVERED, None, [("covered", FAMILY)]),
        (NO_PHONE, STRANGER, [("covered", DODOMA), ("receipt", STRANGER)]),
        (NO_PHONE, DODOMA, [("covered", DODOMA)]),
    ],
)
async def test_the_family_hears_of_the_payment_not_the_officer(
    world: World, family_id: int, payer: str | None, expected: list[tuple[str, str]]
) -> None:
    bill = await ask(world, family_id)
    assert await world.told(ControlNumberGiven(bill.id, NUMBER)) == ["settled"]
    before = len(await world.sms())
    report = world.payment(await world.bill(bill.id), payer_msisdn=payer)
    assert await world.told(report) == ["settled"]
    assert (await world.sms())[before:] == expected
    (payment,) = await world.rows(t.payments)
    assert (payment["PaymentStatus"], payment["OfficerCode"]) == (5, "EO001")


# ---- commission


async def collect(world: World, msisdn: str, amount: str, day: date, rate: str | None = None) -> None:
    policy = (await world.rows(t.policies, OfficerID=await officer(world, msisdn)))[0]["PolicyID"]
    report = None
    if rate is not None:
        report = await world.put(t.reports, CommissionRate=Decimal(rate))
    await world.put(
        t.premiums,
        PolicyID=policy,
        Amount=Decimal(amount),
        Receipt=uuid4().hex,
        PayDate=day,
        PayType="M",
        isPhotoFee=False,
        CreatedDate=world.clock.now(),
        ReportingCommissionID=report,
    )


async def test_a_commission_of_two_months(world: World, officer_facts: OfficerFacts) -> None:
    await world.execute(t.premiums.delete())  # what the demo brings falls into one month or the other
    (this, _), (_, last) = month(world.today), month_before(world.today)
    one = await officer(world, DODOMA)
    nothing = {"state": "nothing", "commission": 0, "collected": 0, "open": 0, "lines": ""}

    def shown(day: date, **told: Any) -> dict[str, Any]:
        return {"first": day.replace(day=1).isoformat(), "month": f"{day:%m/%Y}", **nothing, **told}

    assert await officer_facts.commission(one) == {"this": shown(this), "last": shown(last)}
    await collect(world, DODOMA, "30000", last, "0.10")
    await collect(world, DODOMA, "30000", last, "0.12")
    await collect(world, DODOMA, "10000", last)
    await collect(world, DODOMA, "5000", last.replace(day=1) - timedelta(days=1), "0.10")  # the month before that
    await collect(world, DODOMA, "30000", this)
    await collect(world, KONDOA, "99000", last, "0.10")
    assert await officer_facts.commission(one) == {
        "this": shown(this, state="collected", collected=3_000_000, open=3_000_000, lines="CHFDOM 30,000"),
        "last": shown(
            last,
            state="partly",
            commission=660_000,
            collected=7_000_000,
            open=1_000_000,
            lines="CHFDOM 30,000 x 10% = 3,000\nCHFDOM 30,000 x 12% = 3,600",
        ),
    }


async def test_a_month_of_many_rates_shows_few_lines_and_all_of_the_sum(
    world: World, officer_facts: OfficerFacts
) -> None:
    await world.execute(t.premiums.delete())
    _, last = month_before(world.today)
    for percent in range(1, 9):
        await collect(world, DODOMA, "10000", last, f"0.0{percent}")
    told = (await officer_facts.commission(await officer(world, DODOMA)))["last"]
    assert told["commission"] == 360_000
    assert told["lines"].split("\n")[0] == "CHFDOM 10,000 x 1% = 100"
    assert told["lines"].split("\n")[5:] == ["CHFDOM 10,000 x 6% = 600", "..."]


async def test_the_demo_shows_a_commission(world: World, officer_facts: OfficerFacts) -> None:
    """Ten days ago the family that pays in instalments paid 10,000; two days ago another renewed."""
    kondoa = await officer_facts.commission(await officer(world, KONDOA))
    assert "CHFKON 10,000 x 10% = 1,000" in [told["lines"] for told in kondoa.values()]
    ubungo = await officer_facts.commission(await officer(world, UBUNGO))
    assert [told["lines"] for told in ubungo.values() if told["state"] == "collected"] == ["CHFDAR 150,000"]


async def test_the_figures_by_sms(world: World) -> None:
    effects = UssdEffects(world.database, world.request, Promises(world.database, world.clock, 3), world.messages)
    told = TellCommission("EO001", "2026-10-01", True, 900_000, 9_000_000, DODOMA, "en")
    for _ in range(2):
        assert await effects(told, world.clock.now()) is None
    assert await world.texts() == ["CHF: Commission 10/2026: TZS 9,000. Collected in all: TZS 90,000."]
    assert await world.sms() == [("commission", DODOMA)]
