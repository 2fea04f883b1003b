"""Enrolment officers as the registry has them: phones as they are spelt, places, and what was collected."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from registry_shapes import SHAPES

from adapters.registry.openimis import Installation, OpenImisRegistry, faults, fitted, survey
from adapters.registry.openimis import officers as part
from adapters.registry.openimis import tables as t
from gateway.domain.commission import Collected
from gateway.domain.money import Money
from gateway.domain.officers import Officer
from gateway.ports import OfficerPhone

TODAY = date(2026, 11, 22)
DEAD = datetime(2026, 1, 1, tzinfo=UTC)
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
NAMES = {"Code": "EO001", "LastName": "Mgaya", "OtherNames": "Rehema"}


async def officer(world: Any, **values: Any) -> int:
    return int(await world.put(t.officers, **{**NAMES, **values}))


async def test_phones_as_they_are_spelt_a_page_at_a_time(world: Any) -> None:
    spelt = ["0712000901", "+255 712-000-902", "call me", " "]
    ids = [await officer(world, Phone=phone) for phone in spelt]
    for gone in ({"Phone": None}, {"Phone": ""}, {"Phone": "0712000909", "ValidityTo": DEAD}):
        await officer(world, **gone)
    left = await officer(world, Phone="0712000905", WorksTo=DEAD)  # whether one still works is asked when one calls
    expected = [*map(OfficerPhone, ids, spelt), OfficerPhone(left, "0712000905")]
    assert await world.registry.officer_phones(0, 100) == expected
    assert await world.registry.officer_phones(0, 2) == expected[:2]
    assert await world.registry.officer_phones(ids[1], 2) == expected[2:4]


async def test_the_newest_change_has_the_highest_key(world: Any) -> None:
    assert await world.registry.newest_officer() == 0
    live = await officer(world)
    history = await officer(world, LegacyID=live, ValidityTo=DEAD)
    assert await world.registry.newest_officer() == history


async def test_live_officers_and_their_last_day(world: Any) -> None:
    last = datetime(2026, 12, 31, tzinfo=UTC)
    one = await officer(world, Phone="0712000901", LocationId=3, WorksTo=last)
    two = await officer(world, Code="EO002", LastName="Kileo", OtherNames="Hamisi", WorksTo=DEAD)
    dead = await officer(world, ValidityTo=DEAD)
    assert await world.registry.officers([dead, two, one, 10**6]) == {
        one: Officer(one, "EO001", "Rehema Mgaya", "0712000901", 3, date(2026, 12, 31)),
        two: Officer(two, "EO002", "Hamisi Kileo", None, None, DEAD.date()),
    }
    assert await world.registry.officers([]) == {}


async def test_villages_that_are_assigned(world: Any) -> None:
    one, other = await officer(world), await officer(world, Code="EO002")
    village, ended = 41, 42
    await world.put(t.officer_villages, OfficerId=one, LocationId=village)
    await world.put(t.officer_villages, OfficerId=one, LocationId=ended, ValidityTo=DEAD)
    assert await world.registry.has_village(one, [village, 3, 2, 1])
    assert not await world.registry.has_village(one, [ended, 3, 2, 1])
    assert not await world.registry.has_village(other, [village])
    assert not await world.registry.has_village(one, [])


async def collected(world: Any, officer_id: int) -> list[Collected]:
    return list(await world.registry.collected(officer_id, FIRST, LAST))


async def report(world: Any, **rates: Decimal) -> int:
    return int(await world.put(t.reports, **rates))


async def test_what_was_collected_and_at_which_rate(world: Any) -> None:
    mine, other = await officer(world), await officer(world, Code="EO002")
    product = await world.product()
    family, _ = await world.family()
    policy = await world.policy(family, product, OfficerID=mine)
    ten = await report(world, CommissionRate=Decimal("0.10"), CammissionRate=Decimal("0.20"))
    old = await report(world, CammissionRate=Decimal("0.05"))
    blank = await report(world)
    for amount, reported in (("30000", ten), ("20000", old), ("10000.50", blank), ("9000", None), ("8000", 10**6)):
        await world.premium(policy, amount, ReportingCommissionID=reported)
    for passed_over in (
        {"ValidityTo": DEAD},
        {"PayDate": FIRST - timedelta(days=1)},
        {"PayDate": LAST + timedelta(days=1)},
        {"PayType": "F"},
    ):
        await world.premium(policy, "1", ReportingCommissionID=ten, **passed_over)
    for not_mine in ({"OfficerID": other}, {"OfficerID": None}, {"OfficerID": mine, "ValidityTo": DEAD}):
        await world.premium(await world.policy(family, product, **not_mine), "2", ReportingCommissionID=ten)

    def paid(amount: str, rate: str | None) -> Collected:
        return Collected("CHFDOM", Money.parse(amount), TODAY, None if rate is None else Decimal(rate))

    assert await collected(world, mine) == [
        paid("30000", "0.10"),
        paid("20000", "0.05"),
        paid("10000.50", None),
        paid("9000", None),
        paid("8000", None),
    ]
    assert [c.amount for c in await collected(world, other)] == [Money.parse("2")]


async def test_the_first_and_the_last_day_count(world: Any) -> None:
    mine = await officer(world)
    family, _ = await world.family()
    policy = await world.policy(family, await world.product(), OfficerID=mine)
    for day in (FIRST, LAST):
        await world.premium(policy, "1000", PayDate=day)
    assert [c.paid_on for c in await collected(world, mine)] == [FIRST, LAST]


async def test_a_product_that_is_gone_has_no_name(world: Any) -> None:
    mine = await officer(world)
    family, _ = await world.family()
    await world.premium(await world.policy(family, 10**6, OfficerID=mine), "1000")
    assert [c.product_code for c in await collected(world, mine)] == [""]


async def test_more_than_one_officer_can_collect_is_no_sum(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "MOST_PREMIUMS", 2)
    mine = await officer(world)
    family, _ = await world.family()
    policy = await world.policy(family, await world.product(), OfficerID=mine)
    for _ in range(2):
        await world.premium(policy, "1000")
    assert len(await collected(world, mine)) == 2
    await world.premium(policy, "1000")
    with pytest.raises(part.TooManyPremiumsError):
        await collected(world, mine)


@pytest.mark.parametrize("registry_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("shape", SHAPES)
async def test_as_different_installations_have_it(world: Any, shape: str) -> None:
    """The legacy dump knows the rate by one name; a database made from the models has no reports."""
    mine = await officer(world, WorksTo=datetime(2026, 12, 31, tzinfo=UTC))
    family, _ = await world.family()
    policy = await world.policy(family, await world.product(), OfficerID=mine)
    reported = await report(world, CommissionRate=Decimal("0.10"))
    await world.premium(policy, "30000", ReportingCommissionID=reported)
    for statement in SHAPES[shape]:
        await world.sql(statement)
    found = await world.connection.run_sync(survey)
    assert faults(found) == []
    registry = OpenImisRegistry(world.connection, Installation.over(fitted(found)))
    rate = {"legacy": Decimal("0.10"), "models": None}[shape]
    assert [c.rate for c in await registry.collected(mine, FIRST, LAST)] == [rate]
    assert (await registry.officers([mine]))[mine].works_to == date(2026, 12, 31)


@pytest.mark.parametrize("registry_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "lacking",
    [
        'ALTER TABLE "tblPremium" DROP COLUMN "ReportingCommissionID"',
        'ALTER TABLE "tblReporting" DROP COLUMN "CammissionRate", DROP COLUMN "CommissionRate"',
        'DROP TABLE "tblOfficerVillages"',
        'ALTER TABLE "tblOfficer" DROP COLUMN "WorksTo"',
    ],
)
async def test_what_an_installation_may_lack(world: Any, lacking: str) -> None:
    mine = await officer(world)
    family, _ = await world.family()
    await world.premium(await world.policy(family, await world.product(), OfficerID=mine), "30000")
    await world.sql(lacking)
    registry = OpenImisRegistry(world.connection, Installation.over(fitted(await world.connection.run_sync(survey))))
    assert [(c.amount, c.rate) for c in await registry.collected(mine, FIRST, LAST)] == [(Money.parse("30000"), None)]
    assert (await registry.officers([mine]))[mine].works_on(TODAY)
    assert not await registry.has_village(mine, [1, 2])
