"""Others write policies and premiums while we look: what is noticed, what is put right, what is left alone."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from service_world import (
    COVERED,
    EIGHT,
    EXPIRED,
    INSTALMENTS,
    NEVER_PAID,
    NUMBER,
    SOON,
    STRANGER,
    UNENROLLED,
    World,
)
from sqlalchemy import Table

from adapters.registry.openimis import tables as t
from gateway.domain.money import Money
from gateway.domain.periods import add_months
from gateway.domain.policy import Policy
from gateway.ports import ControlNumberGiven, Traced
from gateway.service.follow_policies import FollowPace, FollowPolicies
from gateway.store import tables as g

IDLE, ACTIVE, SUSPENDED = 1, 2, 4
A, B = "+255712000001", "+255712000002"
DAY = timedelta(days=1)


class Officer:
    """Writes as openIMIS' services do, row for row, and asks for no lock of ours."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def enrols(self, family_id: int, start: int = 0, stage: str = "R", **more: Any) -> int:
        """A policy without money."""
        first = self.world.today + timedelta(days=start)
        last = add_months(first, 12) - DAY
        values = {"ProdID": 1, "PolicyValue": Money.parse("30000").to_decimal(), "OfficerID": 1, **more}
        policy_id = await self.world.put(
            t.policies,
            FamilyID=family_id,
            PolicyStage=stage,
            PolicyStatus=IDLE,
            EnrollDate=self.world.today,
            StartDate=first,
            ExpiryDate=last,
            isOffline=False,
            **values,
        )
        for member in await self.world.rows(t.insurees, FamilyID=family_id, ValidityTo=None):
            await self.world.put(
                t.insuree_policies,
                InsureeID=member["InsureeID"],
                PolicyId=policy_id,
                EnrollmentDate=self.world.today,
                StartDate=first,
                ExpiryDate=last,
                isOffline=False,
            )
        return policy_id

    async def takes(self, policy_id: int, amount: str = "30000", **more: Any) -> int:
        """A premium, and the history row that each leaves; whether it activates is another's to say."""
        values = {"isPhotoFee": False, "PayDate": self.world.today, "PayType": "C", **more}
        premium_id = await self.world.put(
            t.premiums,
            PolicyID=policy_id,
            Amount=Money.parse(amount).to_decimal(),
            Receipt=uuid4().hex[:12],
            isOffline=False,
            CreatedDate=self.world.clock.now(),
            **values,
        )
        await self.keeps_history(t.policies, "PolicyUUID", policy_id)
        return premium_id

    async def activates(self, policy_id: int) -> None:
        """The live row changes; its ValidityFrom does not, and the history row is the one that the premium left."""
        effective = self.world.today
        await self.changes(policy_id, PolicyStatus=ACTIVE, EffectiveDate=effective)
        covers = t.insuree_policies.update().where(t.insuree_policies.c.PolicyId == policy_id)
        await self.world.execute(covers.values(EffectiveDate=effective))

    async def sells(self, family_id: int, start: int = 0, **more: Any) -> int:
        """Enrols and takes all the money."""
        policy_id = await self.enrols(family_id, start, **more)
        await self.takes(policy_id)
        await self.activates(policy_id)
        return policy_id

    async def changes(self, policy_id: int, **values: Any) -> None:
        await self.world.execute(t.policies.update().where(t.policies.c.PolicyID == policy_id).values(**values))

    async def keeps_history(self, table: Table, uuid: str, row_id: int) -> None:
        (key,) = table.primary_key.columns
        (row,) = await self.world.rows(table, **{key.name: row_id})
        del row[key.name]
        await self.world.put(
            table, **{**row, uuid: str(uuid4()), "ValidityTo": self.world.clock.now(), "LegacyID": row_id}
        )


@pytest.fixture
def officer(world: World) -> Officer:
    return Officer(world)


@pytest.fixture
async def follow(world: World) -> FollowPolicies:
    """It has looked once: what stood there then is history."""
    follower = FollowPolicies(world.database, world.clock, world.messages)
    await follower()
    world.clock.pass_(seconds=15)
    return follower


async def again(world: World, follow: FollowPolicies, **span: float) -> int:
    """The next look, a quarter of a minute later if nothing else is said."""
    world.clock.pass_(**(span or {"seconds": 15}))
    return await follow()


async def events(world: World, *, of: int | None = None) -> list[tuple[int, str, date, str]]:
    where = {} if of is None else {"policy_id": of}
    return [(e["policy_id"], e["kind"], e["day"], e["origin"]) for e in await world.rows(g.policy_event, **where)]


async def kinds(world: World, policy_id: int) -> list[str]:
    return [kind for _, kind, _, _ in await events(world, of=policy_id)]


async def policy(world: World, policy_id: int) -> Policy:
    async with world.database.reading() as tx:
        (found,) = await tx.registry.policies_by_id([policy_id])
    return found


async def old_policy(world: World, family_id: int) -> dict[str, Any]:
    return (await world.rows(t.policies, FamilyID=family_id, ValidityTo=None))[-1]


# ---- events


async def test_what_stood_there_at_the_first_look_is_no_event_but_an_end_that_is_near_is(
    world: World, follow: FollowPolicies
) -> None:
    soon = await old_policy(world, SOON)
    assert await events(world) == [(soon["PolicyID"], "expiring", soon["ExpiryDate"], "openimis")]
    assert await follow() == 0
    places = await world.rows(g.place)
    assert [p["name"] for p in places if p["name"] in tuple(Traced)] == ["policies", "premiums"]


async def test_enrolled_activated_expiring_one_event_each(
    world: World, follow: FollowPolicies, officer: Officer
) -> None:
    today = world.today
    sold = await officer.enrols(EXPIRED, start=0)
    assert await again(world, follow) == 1
    assert await events(world, of=sold) == [(sold, "enrolled", today, "openimis")]
    stamped = (await world.rows(t.policies, PolicyID=sold))[0]["ValidityFrom"]
    await officer.takes(sold)
    await officer.activates(sold)
    assert (await world.rows(t.policies, PolicyID=sold))[0]["ValidityFrom"] == stamped  # no word of the activation
    assert await again(world, follow) == 1
    assert await again(world, follow) == 0
    last = add_months(today, 12) - DAY
    world.clock.pass_(days=(last - today).days - 15)
    await follow()
    assert await kinds(world, sold) == ["activated", "enrolled"]
    await again(world, follow, days=1)
    assert await events(world, of=sold) == [
        (sold, "activated", today, "openimis"),
        (sold, "enrolled", today, "openimis"),
        (sold, "expiring", last, "openimis"),
    ]
    for _ in range(3):
        assert await again(world, follow, days=1) == 0


async def test_what_was_there_before_us_is_activated_once_and_never_enrolled(
    world: World, follow: FollowPolicies, officer: Officer
) -> None:
    idle = await old_policy(world, NEVER_PAID)
    await officer.takes(idle["PolicyID"])
    await officer.activates(idle["PolicyID"])
    assert await again(world, follow) == 1
    assert await kinds(world, idle["PolicyID"]) == ["activated"]
    assert await again(world, follow) == 0


async def test_an_old_policy_that_is_edited_is_no_event(world: World, follow: FollowPolicies, officer: Officer) -> None:
    for family_id in (COVERED, EXPIRED, NEVER_PAID):
        old = (await old_policy(world, family_id))["PolicyID"]
        await officer.keeps_history(t.policies, "PolicyUUID", old)
        await officer.changes(old, OfficerID=2)
    suspended = (await old_policy(world, EIGHT))["PolicyID"]
    await officer.keeps_history(t.policies, "PolicyUUID", suspended)
    await officer.changes(suspended, PolicyStatus=SUSPENDED)
    assert await again(world, follow) == 0


async def test_our_own_settlement_is_no_news(world: World, follow: FollowPolicies) -> None:
    await world.told(world.payment(await world.numbered(EXPIRED)))
    ours = (await old_policy(world, EXPIRED))["PolicyID"]
    expected = [(ours, "activated", world.today, "gateway"), (ours, "enrolled", world.today, "gateway")]
    assert await events(world, of=ours) == expected
    assert await again(world, follow) == 0
    assert await again(world, follow, minutes=6) == 0
    assert await events(world, of=ours) == expected


async def test_our_instalments_on_an_officers_policy_are_ours_too(
    world: World, follow: FollowPolicies, officer: Officer
) -> None:
    bill = await world.numbered(INSTALMENTS)
    await world.told(world.payment(bill, "5000", "R1"))
    assert await again(world, follow) == 0
    await world.told(world.payment(await world.bill(bill.id), None, "R2"))
    assert await again(world, follow) == 0
    idle = (await old_policy(world, INSTALMENTS))["PolicyID"]
    assert await events(world, of=idle) == [(idle, "activated", world.today, "gateway")]


async def test_a_transaction_that_commits_late_is_noticed(
    world: World, follow: FollowPolicies, officer: Officer
) -> None:
    """It took its key, others took higher ones and were noticed, then it committed."""
    late = await officer.enrols(EXPIRED)
    await officer.sells(UNENROLLED)
    (row,) = await world.rows(t.policies, PolicyID=late)
    await world.execute(t.insuree_policies.delete().where(t.insuree_policies.c.PolicyId == late))
    await world.execute(t.policies.delete().where(t.policies.c.PolicyID == late))
    assert await again(world, follow) == 2
    for _ in range(19):
        assert await again(world, follow) == 0
    await world.execute(t.policies.insert().values(row))  # a bit less than five minutes later
    assert await again(world, follow) == 1
    assert await kinds(world, late) == ["enrolled"]


async def test_what_can_no_longer_change_is_not_read_again(
    world: World, follow: FollowPolicies, officer: Officer
) -> None:
    sold = await officer.sells(EXPIRED)
    await again(world, follow)
    for _ in range(2):
        await again(world, follow, minutes=5)
    for name, table in (("policies", t.policies), ("premiums", t.premiums)):
        (place,) = await world.rows(g.place, name=name)
        newest = max(next(iter(row.values())) for row in await world.rows(table))
        assert place["followed"] == place["seen"] == newest
    await world.execute(g.policy_event.delete())
    assert await again(world, follow) == 0
    assert await kinds(world, sold) == []


@pytest.mark.parametrize("page", [500, 3])
async def test_many_at_once(
    world: World, follow: FollowPolicies, officer: Officer, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr("gateway.service.follow_policies._PAGE", page)
    sold = [await officer.sells(family_id, start=400 * n) for n in range(4) for family_id in (EXPIRED, UNENROLLED)]
    assert await again(world, follow) == 2 * len(sold)
    assert {e[0] for e in await events(world) if e[1] != "expiring"} == set(sold)
    assert await again(world, follow) == 0


async def test_two_followers_at_once_notice_and_repair_once(
    world: World, follow: FollowPolicies, officer: Officer
) -> None:
    await officer.sells(EXPIRED)
    idle = await officer.enrols(UNENROLLED)
    await officer.takes(idle)
    other = FollowPolicies(world.database, world.clock, world.messages)
    world.clock.pass_(seconds=15)
    counted = await asyncio.gather(*(f() for f in (follow, other, follow, other)))
    assert sum(counted) == 4  # enrolled twice, activated once, repaired once
    assert await again(world, follow) == 0
    assert await world.count(g.audit, action="policy.repaired") == 1
    assert await kinds(world, idle) == ["activated", "enrolled"]
    history = [p for p in await world.rows(t.policies, LegacyID=idle)]
    assert len(history) == 2  # the premium's and the repair's


# ---- a paid policy that nobody activated


async def test_a_paid_policy_is_activated_once_and_not_before_the_grace(
    world: World, follow: FollowPolicies, officer: Officer
) -> None:
    idle = await officer.enrols(EXPIRED, start=-3)
    await officer.takes(idle, "10000")
    await officer.takes(idle, "20000")
    assert await again(world, follow, seconds=9) == 1  # enrolled; its second writer may be half done
    assert (await policy(world, idle)).status == IDLE
    repaired = await world.changes_of(lambda: again(world, follow, seconds=1))
    assert repaired.updated["tblPolicy"] == {idle: {"PolicyStatus": ACTIVE, "EffectiveDate": world.today}}
    (history,) = repaired.inserted["tblPolicy"]
    assert (history["LegacyID"], history["PolicyStatus"], history["EffectiveDate"]) == (idle, IDLE, None)
    assert history["ValidityTo"] == world.clock.now()
    covers = await world.rows(t.insuree_policies, PolicyId=idle)
    assert repaired.updated["tblInsureePolicy"] == {
        c["InsureePolicyID"]: {"EffectiveDate": world.today} for c in covers
    }
    assert {(c["StartDate"], c["EffectiveDate"]) for c in covers} == {(world.today - 3 * DAY, world.today)}
    assert set(repaired.inserted) | set(repaired.updated) == {"tblPolicy", "tblInsureePolicy"}
    (audit,) = await world.rows(g.audit, action="policy.repaired")
    assert (audit["actor"], audit["subject"]) == ("gateway", f"policy:{idle}")
    assert audit["details"] == {
        "paid_minor": 30_000_00,
        "value_minor": 30_000_00,
        "status": ACTIVE,
        "effective": world.today.isoformat(),
    }
    assert await kinds(world, idle) == ["activated", "enrolled"]
    for _ in range(3):
        assert await again(world, follow) == 0
    assert await again(world, follow, minutes=10) == 0
    assert await world.count(g.audit, action="policy.repaired") == 1


@pytest.mark.parametrize("ahead", [True, False])
async def test_another_clock_does_not_hold_the_repair(
    world: World, follow: FollowPolicies, officer: Officer, ahead: bool
) -> None:
    """Three hours apart, as zones are; or a moment kept in a column of days."""
    idle = await officer.enrols(EXPIRED)
    stamped = world.clock.now() + timedelta(hours=3 if ahead else -3)
    await officer.takes(idle, ValidityFrom=stamped)
    assert await again(world, follow) == 2
    assert (await policy(world, idle)).status == ACTIVE


async def test_a_scheme_that_activates_in_two_steps(world: World, follow: FollowPolicies, officer: Officer) -> None:
    await world.put(t.defaults, ActivationOption=3)
    idle = await officer.enrols(EXPIRED)
    await officer.takes(idle)
    assert await again(world, follow) == 2
    assert (await policy(world, idle)).status == 16
    assert await kinds(world, idle) == ["enrolled"]
    await officer.keeps_history(t.policies, "PolicyUUID", idle)
    await officer.activates(idle)
    assert await again(world, follow, minutes=20) == 1
    assert await kinds(world, idle) == ["activated", "enrolled"]


@pytest.mark.parametrize(
    "why",
    ["photo fee", "photo fee unknown", "deleted premium", "free", "no price", "suspended", "short", "ended", "deleted"],
)
async def test_what_is_not_repaired(world: World, follow: FollowPolicies, officer: Officer, why: str) -> None:
    free = {"PolicyValue": Money.parse("0").to_decimal()}
    idle = await officer.enrols(EXPIRED, **(free if why in ("free", "no price") else {}))
    if why == "photo fee":
        await officer.takes(idle, isPhotoFee=True)
    elif why == "photo fee unknown":
        await officer.takes(idle, isPhotoFee=None)
    elif why == "short":
        await officer.takes(idle, "29999.99")
    elif why != "free":
        await officer.takes(idle, ValidityTo=world.clock.now() if why == "deleted premium" else None)
    if why == "suspended":
        await officer.changes(idle, PolicyStatus=SUSPENDED)
    if why == "ended":
        await officer.changes(idle, ExpiryDate=world.today - DAY)
    if why == "deleted":
        await officer.changes(idle, ValidityTo=world.clock.now())
    before = await world.snapshot()
    for _ in range(3):
        await again(world, follow)
    assert await world.snapshot() == before
    assert await world.rows(g.audit, action="policy.repaired") == []


async def test_one_that_cannot_be_put_right_keeps_nobody_waiting(
    world: World, follow: FollowPolicies, officer: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await officer.enrols(EXPIRED), await officer.enrols(UNENROLLED)
    for idle in (first, second):
        await officer.takes(idle)
    activate = FollowPolicies._activate

    async def stubborn(self: FollowPolicies, seen: Policy) -> int:
        if seen.id == first:
            raise RuntimeError("it will not")
        return await activate(self, seen)

    with monkeypatch.context() as broken:
        broken.setattr(FollowPolicies, "_activate", stubborn)
        for _ in range(3):
            with pytest.raises(ExceptionGroup, match="could not be put right"):
                await again(world, follow, minutes=30)
    assert [(await policy(world, p)).status for p in (first, second)] == [IDLE, ACTIVE]
    assert await again(world, follow, minutes=30) == 1  # however long it took
    assert (await policy(world, first)).status == ACTIVE


# ---- instalments of both


@pytest.mark.parametrize("raced", [True, False], ids=["nobody activated it", "openIMIS activated it"])
async def test_our_instalment_is_matched_when_cash_completed_the_policy(
    world: World, follow: FollowPolicies, officer: Officer, raced: bool
) -> None:
    bill = await world.numbered(INSTALMENTS)
    await world.told(world.payment(bill, "5000"))
    (record,) = await world.rows(t.payments)
    assert (record["PaymentStatus"], record["MatchedDate"]) == (4, None)
    idle = (await old_policy(world, INSTALMENTS))["PolicyID"]
    await officer.takes(idle, "15000")
    if not raced:
        await officer.activates(idle)
    assert await again(world, follow) == 1
    assert (await policy(world, idle)).status == ACTIVE
    (record,) = await world.rows(t.payments)
    assert (record["PaymentStatus"], record["MatchedDate"], record["ValidityTo"]) == (5, world.clock.now(), None)
    assert await kinds(world, idle) == ["activated"]
    assert await again(world, follow) == 0
    # the money that we have keeps the bill alive; its rest would be kept for the next cover
    assert (await world.bill(bill.id)).state == "part_paid"
    assert await world.told(world.payment(await world.bill(bill.id), None, "R2")) == ["case"]
    assert await world.cases() == ["already_covered"]


# ---- a bill that was overtaken


async def test_a_bill_is_ended_when_an_officers_cash_covered_the_family(
    world: World, follow: FollowPolicies, officer: Officer
) -> None:
    await world.gives(EXPIRED, A, B)
    bill = await world.numbered(EXPIRED, msisdn=A)
    await world.ask(EXPIRED, A)
    await world.ask(EXPIRED, B, "en")
    await officer.sells(EXPIRED)
    assert await again(world, follow) == 3  # enrolled, activated, ended
    ended = await world.bill(bill.id)
    assert (ended.state, ended.control_number) == ("cancelled", bill.control_number)
    (record,) = await world.rows(t.payments)
    assert (record["ValidityTo"], record["PaymentStatus"]) == (world.clock.now(), 3)
    (details,) = await world.rows(t.payment_details)
    assert details["ValidityTo"] == world.clock.now()
    told = [to for message, to in await world.sms() if message == "number_cancelled"]
    assert sorted(told) == [A, B]
    assert all(bill.control_number in text.replace(" ", "") for text in (await world.texts())[-2:])
    (audit,) = await world.rows(g.audit, action="bill.cancelled")
    assert (audit["actor"], audit["subject"], audit["details"]) == ("gateway", f"bill:{bill.id}", {"why": "covered"})
    assert await world.count(g.outbox, kind="cancel_bill") == 1
    for _ in range(3):
        assert await again(world, follow) == 0
    assert await world.count(g.bill_fact, bill_id=bill.id, fact="cancelled") == 1
    assert len([m for m, _ in await world.sms() if m == "number_cancelled"]) == 2


async def test_paid_all_the_same_the_money_is_kept_for_the_next_cover(
    world: World, follow: FollowPolicies, officer: Officer
) -> None:
    bill = await world.numbered(EXPIRED)
    await officer.sells(EXPIRED)
    await again(world, follow)
    report = world.payment(await world.bill(bill.id), payer_msisdn=A)
    done = await world.changes_of(lambda: world.told(report))
    assert done.updated == {}
    assert set(done.inserted) <= {"tblPayment", "tblPaymentDetails"}  # for the ministry's own payment screens
    async with world.database.reading() as tx:
        (case,) = await tx.cases.listed()
    assert (case["kind"], case["bill_id"], case["amount_minor"]) == ("already_covered", bill.id, 30_000_00)
    assert case["subject"] == f"payment:{report.reference}/{bill.control_number}"
    assert (await world.sms())[-1] == ("held", A)
    assert (await world.bill(bill.id)).state == "cancelled"
    assert await again(world, follow) == 0


async def test_who_was_promised_a_number_that_does_not_come_any_more_is_told_the_cover(
    world: World, follow: FollowPolicies, officer: Officer
) -> None:
    await world.gives(EXPIRED, A, B)
    bill = await world.ask(EXPIRED, A)
    await world.ask(EXPIRED, B, "en")
    await world.ask(EXPIRED, STRANGER)  # no phone of the family any more
    await officer.sells(EXPIRED)
    assert await again(world, follow) == 3
    assert (await world.bill(bill.id)).state == "cancelled"
    assert await world.sms() == [("answer_cover_covered", A), ("answer_cover_covered", B)]
    swahili, english = await world.texts()
    assert f"Bima ya {bill.chfid} ni HAI hadi" in swahili
    assert f"Insurance {bill.chfid} is COVERED until" in english
    await world.told(ControlNumberGiven(bill.id, NUMBER))
    assert await again(world, follow) == 0
    assert await world.count(g.outbox, kind="send_sms") == 2


async def test_cash_for_the_very_policy_that_the_bill_was_for(
    world: World, follow: FollowPolicies, officer: Officer
) -> None:
    bill = await world.numbered(NEVER_PAID)
    idle = (await old_policy(world, NEVER_PAID))["PolicyID"]
    await officer.takes(idle)
    await officer.activates(idle)
    assert await again(world, follow) == 2
    assert (await world.bill(bill.id)).state == "cancelled"


@pytest.mark.parametrize("why", ["the preceding cover", "a cover that ended", "an idle policy", "a suspended policy"])
async def test_a_bill_that_is_not_overtaken(world: World, follow: FollowPolicies, officer: Officer, why: str) -> None:
    bill = await world.numbered(COVERED)
    old = (await old_policy(world, COVERED))["PolicyID"]
    if why == "the preceding cover":
        await officer.takes(old, "1000")
        await officer.activates(old)
    elif why == "an idle policy":
        await officer.enrols(COVERED, start=300)
    else:
        new = await officer.enrols(COVERED, start=300)
        values = {"PolicyStatus": SUSPENDED} if why == "a suspended policy" else {"PolicyStatus": ACTIVE}
        if why == "a cover that ended":
            await officer.changes(old, ExpiryDate=world.today - 9 * DAY)
            values |= {"StartDate": world.today - 8 * DAY, "ExpiryDate": world.today - DAY}
        await officer.changes(new, **values)
    for _ in range(3):
        await again(world, follow)
    assert (await world.bill(bill.id)).state == "numbered"
    assert await world.rows(g.audit, action="bill.cancelled") == []


# ---- the same days twice


async def doubled(world: World, officer: Officer, family_id: int) -> tuple[int, int]:
    """Ours and an officer's for the same days: neither writer saw the other's policy."""
    await world.told(world.payment(await world.numbered(family_id)))
    ours = (await old_policy(world, family_id))["PolicyID"]
    return ours, await officer.sells(family_id)


async def test_ours_is_moved_behind_the_officers(world: World, follow: FollowPolicies, officer: Officer) -> None:
    ours, theirs = await doubled(world, officer, EXPIRED)
    untouched = await policy(world, theirs)
    moved = await world.changes_of(lambda: again(world, follow))
    assert untouched.expiry_date is not None
    start = untouched.expiry_date + DAY
    days = {"StartDate": start, "EffectiveDate": start, "ExpiryDate": add_months(start, 12) - DAY}
    assert moved.updated["tblPolicy"] == {ours: days}
    (history,) = moved.inserted["tblPolicy"]
    assert (history["LegacyID"], history["StartDate"], history["ValidityTo"]) == (ours, world.today, world.clock.now())
    covers = await world.rows(t.insuree_policies, PolicyId=ours)
    assert moved.updated["tblInsureePolicy"] == {c["InsureePolicyID"]: days for c in covers}
    (audit,) = await world.rows(g.audit, action="policy.moved")
    assert (audit["subject"], audit["details"]) == (
        f"policy:{ours}",
        {"behind": theirs, "start": start.isoformat(), "expiry": days["ExpiryDate"].isoformat()},
    )
    assert [kind for kind, _ in await world.sms()].count("cover_moved") == 1
    assert await policy(world, theirs) == untouched
    for _ in range(3):
        assert await again(world, follow) == 0


async def test_a_form_that_was_open_for_half_an_hour(world: World, follow: FollowPolicies, officer: Officer) -> None:
    """Ours has not been read again for long when the officer's comes."""
    await world.told(world.payment(await world.numbered(EXPIRED)))
    ours = (await old_policy(world, EXPIRED))["PolicyID"]
    for _ in range(5):
        assert await again(world, follow, minutes=6) == 0
    theirs = await officer.sells(EXPIRED)
    assert await again(world, follow) == 3
    assert [r["details"]["behind"] for r in await world.rows(g.audit, action="policy.moved")] == [theirs]
    assert (await policy(world, ours)).start_date == (await policy(world, theirs)).expiry_date + DAY  # type: ignore[operator]


async def test_behind_two_of_them(world: World, follow: FollowPolicies, officer: Officer) -> None:
    ours, _ = await doubled(world, officer, EXPIRED)
    last = await officer.sells(EXPIRED, start=200)
    await again(world, follow)
    await again(world, follow)
    assert (await policy(world, ours)).start_date == (await policy(world, last)).expiry_date + DAY  # type: ignore[operator]
    assert await again(world, follow) == 0
    assert await world.count(g.audit, action="policy.moved") == 1


async def test_an_old_overlap_is_somebodys_decision(world: World, follow: FollowPolicies, officer: Officer) -> None:
    await world.told(world.payment(await world.numbered(EXPIRED)))
    for _ in range(11):
        await again(world, follow, minutes=6)
    await officer.sells(EXPIRED)
    for _ in range(3):
        await again(world, follow)
    assert await world.rows(g.audit, action="policy.moved") == []


async def test_officers_own_overlap_is_theirs(world: World, follow: FollowPolicies, officer: Officer) -> None:
    await officer.sells(EXPIRED)
    await officer.sells(EXPIRED, start=10)
    assert await again(world, follow) == 4
    assert await world.rows(g.audit, action="policy.moved") == []


async def test_a_pace_of_ones_own(world: World, officer: Officer) -> None:
    follow = FollowPolicies(world.database, world.clock, world.messages, FollowPace(grace=timedelta(0), ahead_days=40))
    assert await follow() == 3  # SOON, EIGHT and RENEWED's first cover end within forty days
    idle = await officer.enrols(EXPIRED)
    await officer.takes(idle)
    assert await follow() == 2
