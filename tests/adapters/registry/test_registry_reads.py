"""What the registry reads, production's gaps included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event

from adapters.registry.openimis import Installation, OpenImisRegistry, fitted, survey
from adapters.registry.openimis import tables as t
from gateway.domain.chfid import FUNDING
from gateway.domain.money import Money
from gateway.domain.policy import PolicyStatus

TODAY = date(2026, 11, 22)
DEAD = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)


async def test_a_batch_of_covers_is_one_statement(world: Any) -> None:
    product = await world.product()
    wanted = []
    for number in range(20):
        family, members = await world.family("0712000001", None, "0712000002")
        wanted += members
        for _ in range(number % 3):
            policy = await world.policy(family, product, PolicyStatus=2)
            await world.premium(policy, "10000")
            await world.premium(policy, "20000")
    statements: list[str] = []
    engine = world.connection.sync_connection
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    covers = await world.registry.insuree_covers(wanted)
    assert len(statements) == 1
    assert [c.insuree_id for c in covers] == sorted(wanted)
    assert [len(c.policies) for c in covers[::3]] == [n % 3 for n in range(20)]
    assert {p.paid for c in covers for p in c.policies} == {Money.parse("30000")}
    assert covers[0].phone == "0712000001"
    assert covers[1].phone is None
    assert covers[1].head_chfid == "000000001"
    assert covers[1].head_name == "Asha 1 Mushi"
    assert covers[3].head_name == "Asha 4 Mushi"


async def test_a_cover_carries_the_policy_as_it_is(world: Any) -> None:
    product = await world.product()
    family, [head] = await world.family("0712000001")
    policy = await world.policy(
        family,
        product,
        PolicyStatus=4,
        PolicyStage="R",
        PolicyValue=Decimal("30000.50"),
        EffectiveDate=date(2026, 12, 1),
        OfficerID=3,
    )
    await world.premium(policy, "0.10")
    await world.premium(policy, "0.20")
    [cover] = await world.registry.insuree_covers([head])
    [held] = cover.policies
    assert (held.id, held.family_id, held.product_id) == (policy, family, product)
    assert (held.status, held.stage, held.officer_id) == (PolicyStatus.SUSPENDED, "R", 3)
    assert (held.enroll_date, held.start_date) == (TODAY, TODAY)
    assert (held.effective_date, held.expiry_date) == (date(2026, 12, 1), TODAY + timedelta(days=364))
    assert (held.value, held.paid) == (Money.parse("30000.50"), Money.parse("0.30"))
    assert await world.registry.policies(family) == cover.policies


async def test_no_ids_no_covers(world: Any) -> None:
    assert list(await world.registry.insuree_covers([])) == []
    assert list(await world.registry.insuree_covers([4711])) == []


@pytest.mark.parametrize("which", ["insuree", "family", "policy", "premium", "photo", "unsaid"])
async def test_the_dead_and_the_uncounted_are_left_out(world: Any, which: str) -> None:
    product = await world.product()
    family, [head] = await world.family("0712000001")
    policy = await world.policy(family, product)
    await world.premium(policy, "10000")
    await world.premium(
        policy,
        "20000",
        ValidityTo=DEAD if which == "premium" else None,
        isPhotoFee={"photo": True, "unsaid": None}.get(which, False),
    )
    dead = {"insuree": t.insurees, "family": t.families, "policy": t.policies}.get(which)
    if dead is not None:
        await world.connection.execute(dead.update().values(ValidityTo=DEAD))
    covers = await world.registry.insuree_covers([head])
    if which in ("insuree", "family"):
        assert list(covers) == []
        assert await world.registry.family(family) is None
        assert await world.registry.family_of("000000001") is None
    else:
        assert [p.paid for p in covers[0].policies] == ([] if which == "policy" else [Money.parse("10000")])


async def test_history_rows_of_a_policy_are_not_policies(world: Any) -> None:
    product = await world.product()
    family, _ = await world.family()
    live = await world.policy(family, product)
    await world.policy(family, product, ValidityTo=DEAD, LegacyID=live)
    assert [p.id for p in await world.registry.policies(family)] == [live]


async def test_gaps_in_a_policy_read_as_openimis_defaults(world: Any) -> None:
    product = await world.product()
    family, _ = await world.family()
    await world.policy(family, product, PolicyStatus=None, PolicyStage=None, PolicyValue=None, ExpiryDate=None)
    [held] = await world.registry.policies(family)
    assert (held.status, held.stage, held.value, held.expiry_date) == (PolicyStatus.IDLE, "N", Money(0), None)


async def test_a_family_with_its_places(world: Any) -> None:
    region = await world.put(t.locations, LocationType="R")
    district = await world.put(t.locations, LocationType="D", ParentLocationId=region)
    ward = await world.put(t.locations, LocationType="W", ParentLocationId=district)
    village = await world.put(t.locations, LocationType="V", ParentLocationId=ward)
    family_id, members = await world.family("0712000001", None, village=village)
    family = await world.registry.family(family_id)
    assert family is not None
    assert family.location_ids == (village, ward, district, region)
    assert [m.insuree_id for m in family.members] == members
    assert family.head == family.members[0]
    assert (family.head.chfid, family.head.phone, family.head.is_head) == ("000000001", "0712000001", True)
    assert (family.head.last_name, family.head.other_names) == ("Mushi", "Asha 1")
    assert family.head.date_of_birth == date(1990, 1, 1)


async def test_a_family_without_a_place(world: Any) -> None:
    family_id, _ = await world.family()
    family = await world.registry.family(family_id)
    assert family is not None
    assert family.location_ids == ()


@pytest.mark.parametrize(
    ("head", "spoken_by"),
    [("dead", 1), ("nowhere", 1), ("elsewhere", 1), ("dead, the last is marked", 2), ("dead, nobody is marked", 1)],
)
async def test_a_family_whose_head_is_gone_is_spoken_for(world: Any, head: str, spoken_by: int) -> None:
    family_id, members = await world.family(None, "0712000002", None)
    _, [stranger] = await world.family()
    if head.startswith("dead"):
        await world.connection.execute(
            t.insurees.update().where(t.insurees.c.InsureeID == members[0]).values(ValidityTo=DEAD)
        )
    else:
        new_head = 0 if head == "nowhere" else stranger
        await world.connection.execute(
            t.families.update().where(t.families.c.FamilyID == family_id).values(InsureeID=new_head)
        )
        await world.connection.execute(t.insurees.update().values(IsHead=t.insurees.c.InsureeID == members[1]))
    if head.endswith("last is marked"):
        await world.connection.execute(t.insurees.update().values(IsHead=t.insurees.c.InsureeID == members[2]))
    family = await world.registry.family(family_id)
    assert family is not None
    assert family.head.insuree_id == members[spoken_by]
    [cover] = await world.registry.insuree_covers([members[1]])
    assert cover.head_chfid == family.head.chfid
    assert cover.head_name == f"Asha {1 + spoken_by} Mushi"


async def test_nobody_is_left(world: Any) -> None:
    family_id, _ = await world.family()
    await world.connection.execute(t.insurees.update().values(ValidityTo=DEAD))
    assert await world.registry.family(family_id) is None


async def test_a_member_without_number_or_birth_date_still_counts(world: Any) -> None:
    family_id, members = await world.family(None, None)
    await world.connection.execute(
        t.insurees.update().where(t.insurees.c.InsureeID == members[1]).values(CHFID=None, DOB=None)
    )
    family = await world.registry.family(family_id)
    assert family is not None
    assert (family.members[1].chfid, family.members[1].date_of_birth) == ("", date(1900, 1, 1))
    assert len(await world.registry.insuree_covers(members)) == 2


async def test_the_funding_insuree_is_nobody(world: Any) -> None:
    family_id, [funding] = await world.family("0712000001")
    await world.connection.execute(t.insurees.update().values(CHFID=FUNDING))
    assert list(await world.registry.insuree_covers([funding])) == []
    assert await world.registry.family(family_id) is None
    assert await world.registry.family_of(FUNDING) is None
    assert list(await world.registry.phones(0, 10)) == []
    assert [change.row.phone for change in await world.registry.phones_changed(0, 10)] == [""]


async def test_a_number_held_twice_means_the_head(world: Any) -> None:
    first, members = await world.family(None, None)
    second, [head] = await world.family()
    for insuree in (members[1], head):
        await world.connection.execute(
            t.insurees.update().where(t.insurees.c.InsureeID == insuree).values(CHFID="010000005")
        )
    found = await world.registry.family_of("010000005")
    assert found is not None
    assert found.id == second
    of_member = await world.registry.family_of("000000001")
    assert of_member is not None
    assert of_member.id == first
    assert await world.registry.family_of("4711") is None


async def test_lock_family(world: Any) -> None:
    family_id, _ = await world.family()
    assert await world.registry.lock_family(family_id) is True
    assert await world.registry.lock_family(family_id + 1) is False
    await world.connection.execute(t.families.update().values(ValidityTo=DEAD))
    assert await world.registry.lock_family(family_id) is False


async def test_products_with_every_column(world: Any) -> None:
    await world.product("OLD", ValidityTo=DEAD)
    plain = await world.product("PLAIN", AccCodePremiums="")
    full = await world.product(
        "FULL",
        LocationId=5,
        DateFrom=datetime(2026, 1, 1, tzinfo=UTC),
        DateTo=datetime(2026, 12, 31, tzinfo=UTC),
        LumpSum=Decimal("0.00"),
        ConversionProdID=plain,
        PremiumAdult=Decimal("5000.50"),
        PremiumChild=Decimal(2000),
        Threshold=3,
        RegistrationLumpSum=Decimal(1),
        RegistrationFee=Decimal(2),
        GeneralAssemblyLumpSum=Decimal(3),
        GeneralAssemblyFee=Decimal(4),
        AccCodePremiums="SP19960",
        AdministrationPeriod=1,
        GracePeriod=2,
        GracePeriodRenewal=3,
        MaxInstallments=4,
        StartCycle1="01-01",
        StartCycle2="",
        StartCycle3="31-02",
        StartCycle4="1-7",
        EnrolmentDiscountPerc=5,
        EnrolmentDiscountPeriod=6,
        RenewalDiscountPerc=7,
        RenewalDiscountPeriod=8,
    )
    first, second = await world.registry.products()
    assert (first.id, first.code, first.lump_sum, first.member_count) == (plain, "PLAIN", Money.parse("30000"), 6)
    assert (first.insurance_period, first.provider_code, first.location_id, first.start_cycles) == (12, None, None, ())
    assert (first.threshold, first.max_installments, first.premium_adult, first.grace_period_renewal) == (0, 0, None, 0)
    assert (second.id, second.location_id, second.conversion_product_id) == (full, 5, plain)
    assert (second.date_from, second.date_to) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (second.premium_adult, second.premium_child) == (Money.parse("5000.50"), Money.parse("2000"))
    assert (second.registration_lump_sum, second.registration_fee) == (Money.parse("1"), Money.parse("2"))
    assert (second.assembly_lump_sum, second.assembly_fee) == (Money.parse("3"), Money.parse("4"))
    assert (second.provider_code, second.threshold) == ("SP19960", 3)
    assert (second.administration_period, second.grace_period, second.grace_period_renewal) == (1, 2, 3)
    assert (second.max_installments, second.start_cycles) == (4, ((1, 1), (1, 7)))
    assert (second.enrolment_discount_percent, second.enrolment_discount_period) == (5, 6)
    assert (second.renewal_discount_percent, second.renewal_discount_period) == (7, 8)


async def test_activation_option(world: Any) -> None:
    assert await world.registry.activation_option() == 1
    await world.put(t.defaults, ActivationOption=3)
    assert await world.registry.activation_option() == 3


async def test_activation_option_without_its_table(world: Any) -> None:
    await world.sql('DROP TABLE "tblIMISDefaults"')
    found = await world.connection.run_sync(survey)
    registry = OpenImisRegistry(world.connection, Installation.over(fitted(found)))
    assert await registry.activation_option() == 1
    assert await registry.products() == []  # the transaction lives


async def test_phones_by_pages(world: Any) -> None:
    spelt = ["0712000001", "255712000002", "+255 712 000 003", "712000004", "0712-000-005"]
    family, members = await world.family(*spelt, None, "")
    first = await world.registry.phones(0, 3)
    rest = await world.registry.phones(first[-1].insuree_id, 3)
    assert [r.phone for r in (*first, *rest)] == spelt
    assert [r.insuree_id for r in (*first, *rest)] == members[:5]
    assert {r.family_id for r in first} == {family}


async def test_phones_of_the_dead_and_the_familyless_are_not_listed(world: Any) -> None:
    _, members = await world.family("0712000001", "0712000002", "0712000003")
    update = t.insurees.update()
    await world.connection.execute(update.where(t.insurees.c.InsureeID == members[0]).values(ValidityTo=DEAD))
    await world.connection.execute(update.where(t.insurees.c.InsureeID == members[1]).values(FamilyID=None))
    assert [r.phone for r in await world.registry.phones(0, 10)] == ["0712000003"]


async def test_changed_phones_are_found_by_the_traces_that_changes_leave(world: Any) -> None:
    family, members = await world.family("0712000001", "0712000002", "0712000003", "0712000004", "0712000005")
    update = t.insurees.update()
    newest = await world.registry.newest_insuree()
    assert newest == members[-1]

    async def change(member: int, **values: Any) -> int:
        """As openIMIS does: the old state as a history row, the new one in the live row."""
        old = (await world.rows(t.insurees))[members[member]]
        del old["InsureeID"]
        history = {"InsureeUUID": str(uuid4()), "ValidityTo": DEAD, "LegacyID": members[member]}
        trace = await world.put(t.insurees, **{**old, **history})
        await world.connection.execute(update.where(t.insurees.c.InsureeID == members[member]).values(**values))
        return int(trace)

    traces = [
        await change(0, ValidityFrom=DEAD, ValidityTo=DEAD),  # deleted, as openIMIS delete_history does
        await change(1, Phone=None),
        await change(2, Phone="255655000003"),
        await change(3, FamilyID=None),
        await change(2, Phone="255655000004"),
    ]
    changed = await world.registry.phones_changed(newest, 10)
    assert [(c.place, c.row.insuree_id, c.row.phone, c.row.family_id) for c in changed] == [
        (traces[0], members[0], "", family),
        (traces[1], members[1], "", family),
        (traces[2], members[2], "255655000004", family),  # as it reads now
        (traces[3], members[3], "", 0),
        (traces[4], members[2], "255655000004", family),
    ]
    assert [c.place for c in await world.registry.phones_changed(newest, 2)] == traces[:2]
    assert [c.place for c in await world.registry.phones_changed(traces[2], 10)] == traces[3:]
    assert list(await world.registry.phones_changed(traces[-1], 10)) == []
    assert await world.registry.newest_insuree() == traces[-1]


async def test_the_officer_of_a_place(world: Any) -> None:
    """The village's own officer, else the longest-known one of the most local place, working and live."""

    async def officer(place: int | None, **values: Any) -> int:
        names = {"Code": f"E{place}", "LastName": "Mgaya", "OtherNames": "Rehema"}
        return int(await world.put(t.officers, LocationId=place, **names, **values))

    village, ward, district = 11, 12, 13
    assert await world.registry.officer_near((village, ward, district), NOW) is None
    await officer(district, ValidityTo=DEAD)
    await officer(district, WorksTo=NOW - timedelta(days=1))
    first = await officer(district, WorksTo=NOW + timedelta(days=1))
    await officer(district)
    near = (village, ward, district)
    assert await world.registry.officer_near(near, NOW) == first
    own = await officer(district)
    await world.put(t.officer_villages, OfficerId=own, LocationId=village)
    assert await world.registry.officer_near(near, NOW) == own
    assert await world.registry.officer_near((), NOW) is None
