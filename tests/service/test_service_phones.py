"""The index of phones, however the registry spells them, and the facts that a phone may see."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from service_world import (
    COVERED,
    EXPIRED,
    INSTALMENTS,
    NUMBER,
    RENEWED,
    SOON,
    SUSPENDED,
    UNENROLLED,
    World,
)

from adapters.registry.openimis import tables as t
from gateway.domain.periods import add_months
from gateway.domain.ussd.machine import Ask
from gateway.ports import BillRefused, ControlNumberGiven, Place
from gateway.service import index_phones
from gateway.service.index_phones import IndexPhones
from gateway.service.ussd_facts import UssdFacts
from gateway.store import tables as g

A = "+255712000001"
NEW = "+255620000099"


@pytest.fixture
async def index(world: World) -> IndexPhones:
    """Built at noon, as the clock of these tests tells."""
    async with world.database.writing() as tx:
        newest, now = await tx.registry.newest_insuree(), world.clock.now()
        await tx.callers.set_watermark("phones", now)
        await tx.follow.set_place("insurees", Place(newest, newest, now))
    return IndexPhones(world.database, world.clock)


@pytest.fixture
def facts(world: World) -> UssdFacts:
    return UssdFacts(world.database, world.clock)


async def who(world: World, *msisdns: str) -> list[list[int]]:
    async with world.database.reading() as tx:
        known, *_ = await tx.callers.known(msisdns)
    return [list(known.get(m, [])) for m in msisdns]


async def change(world: World, insuree_id: int, **values: Any) -> int:
    """As openIMIS writes: a history row with a key of its own first, then the live row; the history row's key."""
    (before,) = await world.rows(t.insurees, InsureeID=insuree_id)
    del before["InsureeID"]
    ended = {"InsureeUUID": str(uuid4()), "ValidityTo": world.clock.now(), "LegacyID": insuree_id}
    key = await world.put(t.insurees, **{**before, **ended})
    await change_silently(world, insuree_id, ValidityFrom=world.clock.now(), **values)
    return key


async def change_silently(world: World, insuree_id: int, **values: Any) -> None:
    """As a script of somebody's writes: no history row."""
    await world.execute(t.insurees.update().where(t.insurees.c.InsureeID == insuree_id).values(**values))


async def head(world: World, family_id: int) -> dict[str, Any]:
    return (await world.rows(t.insurees, FamilyID=family_id))[0]


# ---- the index


@pytest.mark.parametrize("page", [2_000, 3])
async def test_the_first_build_finds_every_phone(world: World, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(index_phones, "_PAGE", page)
    built = {row["insuree_id"]: row for row in await world.rows(g.phone)}
    await world.execute(g.phone.delete())
    await world.execute(g.watermark.delete())
    assert await IndexPhones(world.database, world.clock)() == len(built)
    assert {row["insuree_id"]: row for row in await world.rows(g.phone)} == built
    assert len(built) == 15
    assert all(row["msisdn"].startswith("+255") and len(row["msisdn"]) == 13 for row in built.values())
    assert await who(world, "+255712000007", "+255712000010") == [
        [(await head(world, 7))["InsureeID"]],
        [(await head(world, 10))["InsureeID"], (await head(world, 11))["InsureeID"]],
    ]


@pytest.mark.parametrize("page", [2_000, 2])
async def test_it_follows_every_change(
    world: World, index: IndexPhones, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(index_phones, "_PAGE", page)
    one, two, six, seven = [(await head(world, f))["InsureeID"] for f in (1, 2, 6, 7)]
    joined = (await world.rows(t.insurees, FamilyID=1))[1]["InsureeID"]
    await change(world, one, Phone="0620 000-099")
    await change(world, two, ValidityTo=world.clock.now())  # deleted
    await change(world, six, Phone="")
    await change(world, seven, Phone="call the neighbour")
    await change(world, joined, Phone="+255620000099")
    assert await who(world, A, NEW) == [[one], []]
    world.clock.pass_(seconds=15)
    await index()
    gone = await who(world, A, NEW, "+255712000002", "+255655000006", "+255712000007")
    assert gone == [[], [one, joined], [], [], []]
    await change(world, two, ValidityTo=None)
    await change(world, one, Phone="0712000001")
    world.clock.pass_(seconds=15)
    await index()
    assert await who(world, A, NEW, "+255712000002") == [[one], [joined], [two]]


async def test_what_can_no_longer_change_is_not_read_again(world: World, index: IndexPhones) -> None:
    for _ in range(2):
        world.clock.pass_(minutes=5)
        await index()
    one = (await head(world, COVERED))["InsureeID"]
    await change(world, one, Phone="0620000099")
    world.clock.pass_(seconds=15)
    assert [await index() for _ in range(3)] == [1, 1, 1]  # a neighbour's transaction may still be open
    world.clock.pass_(minutes=5)
    assert await index() == 1
    world.clock.pass_(minutes=5)
    assert [await index(), await index()] == [1, 0]


async def test_a_change_that_commits_late_is_not_missed(world: World, index: IndexPhones) -> None:
    """Its key was taken, others took higher ones and were followed, then it committed."""
    one, two = (await head(world, COVERED))["InsureeID"], (await head(world, SOON))["InsureeID"]
    key = await change(world, one)
    await change(world, two, Phone="0620000099")
    (late,) = await world.rows(t.insurees, InsureeID=key)
    await world.execute(t.insurees.delete().where(t.insurees.c.InsureeID == key))
    for _ in range(19):
        world.clock.pass_(seconds=15)
        await index()
    assert await who(world, A, NEW) == [[one], [two]]
    await world.execute(t.insurees.insert().values(late))
    await change_silently(world, one, Phone="0620000098")
    world.clock.pass_(seconds=14)
    await index()
    assert await who(world, A, "+255620000098") == [[], [one]]


@pytest.mark.parametrize("rebuilt", [True, False], ids=["daily", "first"])
async def test_a_change_that_commits_behind_a_build_is_not_missed(
    world: World, index: IndexPhones, rebuilt: bool
) -> None:
    one, two = (await head(world, COVERED))["InsureeID"], (await head(world, SOON))["InsureeID"]
    world.clock.pass_(hours=24, seconds=-20)
    await index()
    key = await change(world, one)
    await change(world, two, Phone="0620000099")
    (late,) = await world.rows(t.insurees, InsureeID=key)
    await world.execute(t.insurees.delete().where(t.insurees.c.InsureeID == key))
    if not rebuilt:
        await world.execute(g.watermark.delete())
        await world.execute(g.place.delete())
    world.clock.pass_(seconds=30)
    assert await index() == 15  # the build
    await world.execute(t.insurees.insert().values(late))
    await change_silently(world, one, Phone="0620000098")
    world.clock.pass_(seconds=15)
    await index()
    assert await who(world, A, NEW, "+255620000098") == [[], [two], [one]]


@pytest.mark.parametrize("spelt", ["0620000099", "255620000099", "+255 620 000 099", "0620-000-099", "620000099"])
async def test_however_it_is_spelt(world: World, index: IndexPhones, spelt: str) -> None:
    one = (await head(world, COVERED))["InsureeID"]
    await change(world, one, Phone=spelt)
    await index()
    assert await who(world, A, NEW) == [[], [one]]
    await world.execute(g.phone.delete())
    await world.execute(g.watermark.delete())
    await index()
    assert await who(world, A, NEW) == [[], [one]]


async def test_one_phone_in_several_families(world: World, index: IndexPhones, facts: UssdFacts) -> None:
    for family_id in (COVERED, EXPIRED, SUSPENDED):
        await change(world, (await head(world, family_id))["InsureeID"], Phone="0620000099")
    await index()
    assert [len(ids) for ids in await who(world, NEW)] == [3]
    assert families(await facts.caller(NEW)) == [(1, "covered"), (3, "expired"), (12, "suspended")]


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_recycled_phone_is_the_new_insurees_only(
    world: World, index: IndexPhones, facts: UssdFacts, at_once: bool
) -> None:
    """The operator gave the number to somebody else; both rows are changed by the officer who hears of it."""
    old, new = (await head(world, COVERED))["InsureeID"], (await head(world, UNENROLLED))["InsureeID"]
    await change(world, old, Phone=None)
    if not at_once:
        await index()
        assert await who(world, A) == [[]]
    await change(world, new, Phone="0712 000 001")
    await index()
    assert await who(world, A, "+255655000006") == [[new], []]
    assert families(await facts.caller(A)) == [(UNENROLLED, "none")]


async def test_an_insuree_that_moves_to_another_family(world: World, index: IndexPhones) -> None:
    one = (await head(world, COVERED))["InsureeID"]
    await change(world, one, FamilyID=EXPIRED)
    await index()
    (row,) = await world.rows(g.phone, insuree_id=one)
    assert row["family_id"] == EXPIRED
    await change(world, one, FamilyID=None)
    await index()
    assert await world.rows(g.phone, insuree_id=one) == []


@pytest.mark.parametrize(
    "gone", [{"Phone": ""}, {"Phone": None}, {"Phone": "none"}, {"ValidityTo": datetime(2026, 1, 1, tzinfo=UTC)}]
)
async def test_emptied_and_deleted(world: World, index: IndexPhones, gone: dict[str, Any]) -> None:
    await change(world, (await head(world, COVERED))["InsureeID"], **gone)
    await index()
    assert await who(world, A) == [[]]


async def test_what_leaves_no_history_is_caught_up_with_once_a_day(world: World, index: IndexPhones) -> None:
    one, two, six = [(await head(world, f))["InsureeID"] for f in (1, 2, 6)]
    await change_silently(world, one, Phone="0620000099")
    await change_silently(world, two, ValidityTo=world.clock.now())
    await change_silently(world, six, Phone=None)
    left = [[one], [], [two], [six]]
    for _ in range(23):
        world.clock.pass_(hours=1)
        await index()
        assert await who(world, A, NEW, "+255712000002", "+255655000006") == left
    places = await world.rows(g.place)
    world.clock.pass_(hours=1)
    await index()
    assert await who(world, A, NEW, "+255712000002", "+255655000006") == [[], [one], [], []]
    assert await world.rows(g.place) == places  # what is followed stays where it is
    world.clock.pass_(hours=1)
    await change_silently(world, one, Phone="0712000001")
    await index()
    assert await who(world, A, NEW) == [[], [one]]  # not before tomorrow


async def test_history_rows_are_nobody(world: World, index: IndexPhones) -> None:
    one = (await head(world, COVERED))["InsureeID"]
    key = await change(world, one)
    await change_silently(world, key, Phone="0620000099")
    await index()
    assert await who(world, A, NEW) == [[one], []]


# ---- the calling phone


def families(answer: dict[str, Any]) -> list[tuple[int, str]]:
    return [(family["id"], family["state"]) for family in answer["families"]]


async def test_every_demo_phone_sees_its_cover(world: World, facts: UssdFacts) -> None:
    day = world.today
    expected = {
        "+255712000001": (1, "covered", add_months(day, 8), None),
        "+255712000002": (2, "covered", day + timedelta(days=7), None),
        "+255712000003": (3, "expired", add_months(day, -2), None),
        "+255712000004": (4, "unpaid", add_months(day, -1), None),
        "+255712000005": (5, "unpaid", None, None),
        "+255655000006": (6, "none", None, None),
        "+255712000007": (7, "covered", add_months(day, 1), None),
        "+255712000009": (9, "covered", add_months(day, 6), None),
        "+255655000009": (9, "covered", add_months(day, 6), None),
        "+255655000012": (12, "suspended", None, None),
        "+255712000013": (13, "covered", add_months(day, 12) + timedelta(days=20), None),
        "+255655000014": (14, "unpaid", None, None),
        "+255712000015": (15, "expired", day - timedelta(days=1), None),
    }
    answers = await asyncio.gather(*(facts.caller(m) for m in expected))
    for answer, (msisdn, (family_id, state, until, start)) in zip(answers, expected.items(), strict=True):
        (family,) = answer["families"]
        assert (answer["count"], family["id"], family["state"]) == (1, family_id, state), msisdn
        assert (family["until"], family["start"]) == (until and until.isoformat(), start), msisdn
        assert family["chfid"] == (await head(world, family_id))["CHFID"]


async def test_an_officers_phone_sees_its_families(facts: UssdFacts) -> None:
    answer = await facts.caller("+255712000010")
    assert (answer["count"], families(answer)) == (2, [(10, "covered"), (11, "expired")])
    assert answer["families"][0]["label"].startswith("Leah Malecela ")


async def test_two_members_with_one_phone_are_one_family(world: World, index: IndexPhones, facts: UssdFacts) -> None:
    await change(world, (await world.rows(t.insurees, FamilyID=1))[1]["InsureeID"], Phone="0712 000 001")
    await index()
    assert families(await facts.caller(A)) == [(1, "covered")]


async def test_an_unknown_phone(world: World, facts: UssdFacts) -> None:
    assert await facts.caller(NEW) == {"language": None, "count": 0, "families": []}
    async with world.database.writing() as tx:
        await tx.callers.set_language(NEW, "en", world.clock.now())
    assert await facts.answer(Ask("caller", (("msisdn", NEW),))) == {"language": "en", "count": 0, "families": []}


async def test_while_the_index_lags_only_the_live_row_says_whose_phone_it_is(world: World, facts: UssdFacts) -> None:
    member = await head(world, COVERED)
    for now in (
        {"Phone": "0620000099"},
        {"Phone": None},
        {"Phone": "0712000001 / 0620000099"},
        {"FamilyID": None},
        {"ValidityTo": world.clock.now()},
    ):
        assert families(await facts.caller(A)) == [(1, "covered")]
        await change(world, member["InsureeID"], **now)
        assert await facts.caller(A) == {"language": None, "count": 0, "families": []}, now
        await change(world, member["InsureeID"], **{name: member[name] for name in ("Phone", "FamilyID", "ValidityTo")})


# ---- what is due, and the bill


async def test_a_quote(world: World, facts: UssdFacts) -> None:
    start = add_months(world.today, 8) + timedelta(days=1)
    assert await facts.quote(COVERED) == {
        "state": "payable",
        "key": "family:1/product:1/after:1",
        "product": "CHF iliyoboreshwa Dodoma",
        "amount": 30_000_00,
        "start": start.isoformat(),
        "until": (add_months(start, 12) - timedelta(days=1)).isoformat(),
    }
    for family_id, state in ((SUSPENDED, "suspended"), (RENEWED, "already_renewed"), (999, "no_product")):
        assert await facts.quote(family_id) == {"state": state}
    assert (await facts.quote(INSTALMENTS))["amount"] == 20_000_00


async def test_the_bill_from_asking_to_paying(world: World, facts: UssdFacts) -> None:
    assert await facts.bill(COVERED) == {"state": "none"}
    bill = await world.ask(COVERED)
    assert await facts.bill(COVERED) == {"state": "waiting"}
    assert await facts.bill(EXPIRED) == {"state": "none"}
    await world.told(ControlNumberGiven(bill.id, NUMBER))
    assert await facts.bill(COVERED) == {
        "state": "numbered",
        "number": NUMBER,
        "amount": 30_000_00,
        "expires": (world.today + timedelta(days=30)).isoformat(),
    }
    await world.told(world.payment(await world.bill(bill.id)))
    assert await facts.bill(COVERED) == {"state": "none"}


async def test_a_bill_half_paid_shows_the_rest(world: World, facts: UssdFacts) -> None:
    bill = await world.numbered(INSTALMENTS)
    await world.told(world.payment(bill, "5000"))
    answer = await facts.bill(INSTALMENTS)
    assert (answer["state"], answer["number"], answer["amount"]) == ("numbered", NUMBER, 15_000_00)


@pytest.mark.parametrize("why", ["over", "refused", "dearer"])
async def test_a_bill_that_should_not_be_paid_is_not_shown(world: World, facts: UssdFacts, why: str) -> None:
    if why == "refused":
        bill = await world.ask(COVERED)
        await world.told(BillRefused(bill.id, "7204", "no"))
    else:
        await world.numbered(COVERED)
        assert (await facts.bill(COVERED))["state"] == "numbered"
    if why == "over":
        world.clock.pass_(days=31)
    if why == "dearer":
        await world.execute(t.products.update().values(LumpSum=Decimal(40000)))
    assert await facts.bill(COVERED) == {"state": "none"}


# ---- asking by insurance number


async def test_an_enquiry_shows_cover_and_no_more(world: World, facts: UssdFacts) -> None:
    member = (await world.rows(t.insurees, FamilyID=COVERED))[-1]  # any member's number will do
    covered = {"state": "covered", "until": add_months(world.today, 8).isoformat(), "start": None}
    assert await facts.enquiry(member["CHFID"], NEW) == covered
    assert await facts.enquiry((await head(world, UNENROLLED))["CHFID"], NEW) == {
        "state": "none",
        "until": None,
        "start": None,
    }


async def test_wrong_numbers_are_limited_by_phone_and_hour(world: World, facts: UssdFacts) -> None:
    right = (await head(world, COVERED))["CHFID"]
    for guess in range(10):
        assert await facts.enquiry(right, NEW) != {"state": "limited"}  # right ones are not counted
        assert await facts.enquiry(f"00000000{guess}", NEW) == {"state": "unknown"}
    assert await facts.enquiry(right, NEW) == {"state": "limited"}
    assert await facts.enquiry("000000000", NEW) == {"state": "limited"}
    assert (await facts.enquiry(right, A))["state"] == "covered"
    world.clock.pass_(hours=1)
    assert (await facts.enquiry(right, NEW))["state"] == "covered"


async def test_a_dead_insuree_is_unknown(world: World, facts: UssdFacts) -> None:
    member = await head(world, COVERED)
    await change(world, member["InsureeID"], ValidityTo=world.clock.now())
    assert await facts.enquiry(member["CHFID"], NEW) == {"state": "unknown"}


async def test_a_fact_that_only_the_shell_can_give(facts: UssdFacts) -> None:
    with pytest.raises(KeyError):
        await facts.answer(Ask("control_number", (("bill_key", "x"),)))
