"""What openIMIS' own code does to policies and phones is noticed: once each, however it was written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import structlog

import menus
from config.settings import DatabaseSettings, Settings
from gateway import app
from gateway.domain.ussd.book import load_book
from gateway.service.follow_policies import FollowPolicies
from gateway.service.index_phones import IndexPhones
from gateway.service.messages import Messages
from gateway.store.database import Database

IDLE, ACTIVE, SUSPENDED, EXPIRED = 1, 2, 4, 8
NEW, NEWER = "+255620000099", "+255620000098"


@dataclass
class Clock:
    """The real time, put forward: openIMIS stamps with the real one."""

    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Office:
    """openIMIS' screens, and a gateway that looks on."""

    openimis: Any
    database: Database
    beside: Any
    clock: Clock
    today: date

    def __post_init__(self) -> None:
        self.follow = FollowPolicies(self.database, self.clock, Messages(load_book(*menus.read())))
        self.index = IndexPhones(self.database, self.clock)

    async def look(self) -> int:
        """A quarter of a minute later."""
        self.clock.ahead += timedelta(seconds=15)
        await self.index()
        return await self.follow()

    async def one(self, sql: str, *values: Any) -> Any:
        return await self.beside.fetchval(sql, *values)

    async def events(self, policy: int) -> list[tuple[str, date, str]]:
        rows = await self.beside.fetch(
            "SELECT kind, day, origin FROM gw_policy_event WHERE policy_id = $1 ORDER BY kind", policy
        )
        return [tuple(row) for row in rows]

    async def new_policy(self, days: int = 0) -> int:
        """An idle policy of a family that has none, starting in so many days."""
        family = await self.one(
            'SELECT max("FamilyID") FROM "tblFamilies" f WHERE "ValidityTo" IS NULL'
            ' AND NOT EXISTS (SELECT 1 FROM "tblPolicy" p WHERE p."FamilyID" = f."FamilyID")'
        )
        made = self.openimis(
            "create_policy",
            family=family,
            product=await self.one('SELECT min("ProdID") FROM "tblProduct" WHERE "LumpSum" = 30000'),
            officer=await self.one('SELECT min("OfficerID") FROM "tblOfficer"'),
            enroll_date=self.today.isoformat(),
            start_date=(self.today + timedelta(days)).isoformat(),
        )
        return int(made["id"])

    def pay(self, policy: int, amount: str, receipt: str, **more: Any) -> Any:
        values = {"policy": policy, "amount": amount, "receipt": receipt, "pay_date": self.today.isoformat(), **more}
        return self.openimis("premium", **values)

    async def status(self, policy: int) -> int:
        return int(await self.one('SELECT "PolicyStatus" FROM "tblPolicy" WHERE "PolicyID" = $1', policy))

    async def who(self, msisdn: str) -> list[int]:
        async with self.database.reading() as tx:
            known, *_ = await tx.callers.known([msisdn])
        return list(known.get(msisdn, []))


@pytest.fixture(autouse=True)
def quietly() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
async def office(installation: Any) -> AsyncIterator[Office]:
    """It has looked once."""
    database = await app.open_fitted_database(Settings(database=DatabaseSettings(url=installation.url)))
    beside = await asyncpg.connect(installation.url)
    today = date.fromisoformat(installation.openimis("today"))
    made = Office(installation.openimis, database, beside, Clock(), today)
    await made.look()
    assert await made.look() == 0
    yield made
    await beside.close()
    await database.close()


async def test_created_paid_expiring(office: Office) -> None:
    policy, today = await office.new_policy(-352), office.today
    assert await office.look() == 1
    assert await office.events(policy) == [("enrolled", today, "openimis")]
    office.pay(policy, "10000", "LAB-1")
    assert await office.look() == 0
    office.pay(policy, "20000", "LAB-2")
    assert await office.look() == 1
    last = await office.one('SELECT "ExpiryDate" FROM "tblPolicy" WHERE "PolicyID" = $1', policy)
    assert await office.status(policy) == ACTIVE
    expected = [("activated", today, "openimis"), ("enrolled", today, "openimis")]
    assert await office.events(policy) == expected
    for _ in range(3):
        assert await office.look() == 0
    office.clock.ahead += timedelta(days=1)
    assert await office.look() == 1
    assert await office.events(policy) == [*expected, ("expiring", last, "openimis")]
    office.clock.ahead += timedelta(days=1)
    assert await office.look() == 0


async def test_paid_at_once_is_two_events(office: Office) -> None:
    policy = await office.new_policy()
    office.pay(policy, "30000", "LAB-1")
    assert await office.look() == 2
    assert [kind for kind, _, _ in await office.events(policy)] == ["activated", "enrolled"]


async def test_renewed_is_another_policys_event(office: Office) -> None:
    policy = await office.new_policy()
    office.pay(policy, "30000", "LAB-1")
    await office.look()
    start = (office.today + timedelta(days=366)).isoformat()
    renewed = office.openimis("renew_policy", policy=policy, enroll_date=office.today.isoformat(), start_date=start)
    assert await office.look() == 1
    assert await office.events(renewed["id"]) == [("enrolled", office.today, "openimis")]


@pytest.mark.parametrize("paid", [True, False])
async def test_suspended_and_expired_are_none(office: Office, paid: bool) -> None:
    suspended, ended = await office.new_policy(), None
    if paid:
        office.pay(suspended, "30000", "LAB-1")
    before = await office.look()
    office.openimis("suspend_policy", policy=suspended)
    assert await office.look() == 0
    assert await office.status(suspended) == SUSPENDED
    assert len(await office.events(suspended)) == before
    ended = await office.one(
        'UPDATE "tblPolicy" SET "ExpiryDate" = $1, "PolicyStatus" = $3 WHERE "PolicyID" = $2 RETURNING "PolicyID"',
        office.today - timedelta(days=1),
        suspended,
        ACTIVE if paid else IDLE,
    )
    office.openimis("expire_policies")
    assert await office.status(ended) == EXPIRED
    assert await office.look() == 0
    assert await office.one("SELECT count(*) FROM gw_audit WHERE action LIKE 'policy.%'") == 0


async def test_a_premium_changed_until_it_suffices(office: Office) -> None:
    """The same premium with another amount: a history row of it, and the policy is active."""
    policy = await office.new_policy()
    premium = office.pay(policy, "10000", "LAB-1")
    assert await office.look() == 1
    office.pay(policy, "30000", "LAB-1", uuid=premium["uuid"])
    assert await office.look() == 1
    assert await office.status(policy) == ACTIVE


async def test_an_activation_that_openimis_computes_and_does_not_save_is_made_up_for(office: Office) -> None:
    """With two-step activation, openIMIS leaves a paid policy idle; the installation's own option says READY."""
    policy = await office.new_policy()
    office.openimis("configure", activation_option=3)
    try:
        office.pay(policy, "30000", "LAB-1")
    finally:
        office.openimis("configure", activation_option=1)
    assert await office.status(policy) == IDLE
    assert await office.look() == 2
    assert await office.status(policy) in (ACTIVE, 16)
    assert await office.one("SELECT count(*) FROM gw_audit WHERE action = 'policy.repaired'") == 1


async def test_a_photo_fee_buys_no_cover(office: Office) -> None:
    policy = await office.new_policy()
    office.pay(policy, "30000", "LAB-1", is_photo_fee=True)
    before = await office.status(policy)
    await office.look()
    assert await office.look() == 0
    assert await office.status(policy) == before
    assert await office.one("SELECT count(*) FROM gw_audit WHERE action = 'policy.repaired'") == 0


# ---- phones


async def test_a_phone_changed(office: Office) -> None:
    insuree = await office.one('SELECT min("InsureeID") FROM "tblInsuree" WHERE "Phone" = \'0712000001\'')
    assert await office.who("+255712000001") == [insuree]
    office.openimis("change_phone", insuree=insuree, phone="0620 000 099")
    await office.look()
    assert (await office.who("+255712000001"), await office.who(NEW)) == ([], [insuree])
    office.openimis("change_phone", insuree=insuree, phone=None)
    await office.look()
    assert await office.who(NEW) == []


async def test_a_phone_that_another_has_now(office: Office) -> None:
    old, new = await office.one(
        'SELECT array_agg("InsureeID" ORDER BY "InsureeID") FROM (SELECT "InsureeID" FROM "tblInsuree"'
        ' WHERE "IsHead" AND "ValidityTo" IS NULL ORDER BY 1 LIMIT 2) heads'
    )
    office.openimis("change_phone", insuree=old, phone="0620000099")
    await office.look()
    office.openimis("change_phone", insuree=old, phone="0620000098")
    office.openimis("change_phone", insuree=new, phone="+255620000099")
    await office.look()
    assert (await office.who(NEW), await office.who(NEWER)) == ([new], [old])


async def test_a_deleted_insuree_has_no_phone(office: Office) -> None:
    insuree = await office.one(
        'SELECT max("InsureeID") FROM "tblInsuree" WHERE NOT "IsHead" AND "ValidityTo" IS NULL AND "Phone" IS NULL'
    )
    office.openimis("change_phone", insuree=insuree, phone="0620000099")
    await office.look()
    assert await office.who(NEW) == [insuree]
    office.openimis("delete_insuree", insuree=insuree)
    await office.look()
    assert await office.who(NEW) == []


async def test_the_daily_build_says_the_same(office: Office) -> None:
    insuree = await office.one('SELECT min("InsureeID") FROM "tblInsuree"')
    office.openimis("change_phone", insuree=insuree, phone="0620000099")
    await office.look()
    rows = await office.beside.fetch("SELECT * FROM gw_phone ORDER BY insuree_id")
    office.clock.ahead += timedelta(days=2)
    await office.look()
    assert await office.beside.fetch("SELECT * FROM gw_phone ORDER BY insuree_id") == rows
