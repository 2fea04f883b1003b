"""openIMIS behaves as the gateway was built to expect: a changed package shows itself here first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest
from openimis_process import OpenImisError

IDLE, ACTIVE, SUSPENDED, EXPIRED = 1, 2, 4, 8


@dataclass(frozen=True)
class Office:
    """openIMIS' screens on one side, its tables on the other."""

    openimis: Any
    database: Any
    today: date

    def day(self, days: int = 0) -> str:
        return (self.today + timedelta(days=days)).isoformat()

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        return [tuple(row) for row in await self.database.fetch(sql, *values)]

    async def one(self, sql: str, *values: Any) -> Any:
        (row,) = await self.rows(sql, *values)
        return row if len(row) > 1 else row[0]

    async def new_policy(self, start: int = 0, officer: bool = True) -> int:
        """An idle policy of 30,000 that starts in so many days."""
        family, product, seller = await self.one(
            'SELECT max("FamilyID"), (SELECT min("ProdID") FROM "tblProduct" WHERE "LumpSum" = 30000),'
            ' (SELECT min("OfficerID") FROM "tblOfficer") FROM "tblFamilies"'
        )
        made = self.openimis(
            "create_policy",
            family=family,
            product=product,
            officer=seller if officer else None,
            enroll_date=self.day(),
            start_date=self.day(start),
        )
        number: int = made["id"]
        return number

    def pay(self, policy: int, amount: str, receipt: str, day: int = 0, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.openimis(
            "premium", policy=policy, amount=amount, receipt=receipt, pay_date=self.day(day), **more
        )
        return made

    async def ends(self, policy: int, days: int) -> None:
        await self.rows(
            'UPDATE "tblPolicy" SET "ExpiryDate" = $2 WHERE "PolicyID" = $1', policy, self.today + timedelta(days)
        )

    async def state(self, policy: int) -> tuple[int, date | None]:
        """Status and effective day."""
        status, effective = await self.one(
            'SELECT "PolicyStatus", "EffectiveDate" FROM "tblPolicy" WHERE "PolicyID" = $1', policy
        )
        return status, effective


@pytest.fixture
async def office(installation: Any) -> AsyncIterator[Office]:
    connection = await asyncpg.connect(installation.url)
    yield Office(installation.openimis, connection, date.fromisoformat(installation.openimis("today")))
    await connection.close()


async def test_an_operation_that_openimis_refuses_is_an_error_with_its_words(office: Office) -> None:
    with pytest.raises(OpenImisError, match="Policy matching query does not exist"):
        office.openimis("suspend_policy", policy=10**6)
    assert office.openimis("today") == office.day()


async def test_a_new_policy_is_idle_with_a_row_for_each_member(office: Office) -> None:
    policy = await office.new_policy()
    assert await office.state(policy) == (IDLE, None)
    stage, value, start, expiry, family = await office.one(
        'SELECT "PolicyStage", "PolicyValue", "StartDate", "ExpiryDate", "FamilyID" FROM "tblPolicy"'
        ' WHERE "PolicyID" = $1',
        policy,
    )
    assert (stage, value, start) == ("N", 30000, office.today)
    assert expiry > start + timedelta(days=363)
    covered = await office.one(
        'SELECT count(*), count("EffectiveDate") FROM "tblInsureePolicy" WHERE "PolicyId" = $1', policy
    )
    members = await office.one(
        'SELECT count(*) FROM "tblInsuree" WHERE "FamilyID" = $1 AND "ValidityTo" IS NULL', family
    )
    assert covered == (members, 0)


async def test_those_beyond_the_member_count_are_covered_all_the_same(office: Office) -> None:
    """openIMIS only warns, and the price leaves them out."""
    family, members = await office.one(
        'SELECT "FamilyID", count(*) FROM "tblInsuree" WHERE "ValidityTo" IS NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 1'
    )
    product = await office.one('SELECT min("ProdID") FROM "tblProduct"')
    await office.rows('UPDATE "tblProduct" SET "MemberCount" = 1 WHERE "ProdID" = $1', product)
    made = office.openimis("create_policy", family=family, product=product, enroll_date=office.day())
    assert len(made["quote"]["warnings"]) == 1
    covered = await office.one('SELECT count(*) FROM "tblInsureePolicy" WHERE "PolicyId" = $1', made["id"])
    assert covered == members > 1


async def test_the_exact_amount_activates_and_leaves_the_old_state_as_history(office: Office) -> None:
    policy = await office.new_policy()
    before = await office.one('SELECT "ValidityFrom", "PolicyUUID" FROM "tblPolicy" WHERE "PolicyID" = $1', policy)
    premium = office.pay(policy, "30000.00", "LAB-1")
    assert await office.state(policy) == (ACTIVE, office.today)
    assert before == await office.one(
        'SELECT "ValidityFrom", "PolicyUUID" FROM "tblPolicy" WHERE "PolicyID" = $1', policy
    )
    old = await office.one(
        'SELECT "PolicyStatus", "ValidityTo" IS NOT NULL FROM "tblPolicy" WHERE "LegacyID" = $1', policy
    )
    assert old == (IDLE, True)
    photo, audit = await office.one(
        'SELECT "isPhotoFee", "AuditUserID" FROM "tblPremium" WHERE "PremiumId" = $1', premium["id"]
    )
    assert photo is False
    assert audit == 1  # the clerk
    effective = await office.rows(
        'SELECT DISTINCT "EffectiveDate", "LegacyID" FROM "tblInsureePolicy" WHERE "PolicyId" = $1', policy
    )
    assert effective == [(office.today, None)]


@pytest.mark.parametrize(
    ("start", "paid", "effective"), [(10, 0, 10), (-10, 0, 0)], ids=["paid before the start", "paid after the start"]
)
async def test_effective_is_the_later_of_start_and_payment(
    office: Office, start: int, paid: int, effective: int
) -> None:
    policy = await office.new_policy(start)
    office.pay(policy, "30000", "LAB-1", paid)
    assert await office.state(policy) == (ACTIVE, office.today + timedelta(days=effective))


async def test_a_part_leaves_it_idle_and_the_rest_activates(office: Office) -> None:
    policy = await office.new_policy()
    office.pay(policy, "10000", "LAB-1")
    office.pay(policy, "5000", "LAB-2")
    assert await office.state(policy) == (IDLE, None)
    assert await office.one('SELECT count(*) FROM "tblPolicy" WHERE "LegacyID" = $1', policy) == 2
    office.pay(policy, "15000", "LAB-3")
    assert await office.state(policy) == (ACTIVE, office.today)


async def test_a_premium_that_does_not_say_whether_it_is_a_photo_fee_is_not_counted(office: Office) -> None:
    policy = await office.new_policy()
    premium = office.pay(policy, "10000", "LAB-1")
    await office.rows('UPDATE "tblPremium" SET "isPhotoFee" = NULL WHERE "PremiumId" = $1', premium["id"])
    office.pay(policy, "20000", "LAB-2")
    assert await office.state(policy) == (IDLE, None)


async def test_more_than_the_value_activates_and_the_excess_stays_in_the_premium(office: Office) -> None:
    policy = await office.new_policy()
    office.pay(policy, "35000", "LAB-1")
    assert await office.state(policy) == (ACTIVE, office.today)


async def test_a_second_full_premium_moves_the_effective_day(office: Office) -> None:
    policy = await office.new_policy(-20)
    office.pay(policy, "30000", "LAB-1", -10)
    office.pay(policy, "30000", "LAB-2", -3)
    assert await office.state(policy) == (ACTIVE, office.today - timedelta(days=3))


async def test_a_receipt_is_used_once_within_a_product(office: Office) -> None:
    policy = await office.new_policy()
    office.pay(policy, "10000", "LAB-1")
    with pytest.raises(OpenImisError, match=r"ValidationError: .*code_already_taken"):
        office.pay(policy, "10000", "LAB-1")
    assert await office.one('SELECT count(*) FROM "tblPremium" WHERE "PolicyID" = $1', policy) == 1


@pytest.mark.parametrize(
    ("action", "status", "effective"), [("ENFORCE", ACTIVE, True), ("SUSPEND", SUSPENDED, False), ("WAIT", IDLE, False)]
)
async def test_a_clerk_decides_what_a_part_does(office: Office, action: str, status: int, effective: bool) -> None:
    policy = await office.new_policy()
    office.pay(policy, "1000", "LAB-1", action=action)
    assert await office.state(policy) == (status, office.today if effective else None)


async def test_a_premium_is_changed_in_place_with_a_copy_of_what_it_was(office: Office) -> None:
    policy = await office.new_policy()
    premium = office.pay(policy, "10000", "LAB-1")
    office.pay(policy, "30000", "LAB-1", uuid=premium["uuid"])
    assert await office.state(policy) == (ACTIVE, office.today)
    amounts = await office.rows(
        'SELECT "Amount", "LegacyID" FROM "tblPremium" WHERE "PolicyID" = $1 ORDER BY "PremiumId"', policy
    )
    assert amounts == [(30000, None), (10000, premium["id"])]


async def test_money_brings_suspended_and_expired_policies_back(office: Office) -> None:
    """The last one has cover that ended: the gateway must not do as openIMIS does."""
    policy = await office.new_policy()
    office.openimis("suspend_policy", policy=policy)
    assert (await office.state(policy))[0] == SUSPENDED
    office.pay(policy, "30000", "LAB-1")
    assert (await office.state(policy))[0] == ACTIVE
    ended = await office.new_policy(-500)
    office.openimis("expire_policies")
    assert (await office.state(ended))[0] == EXPIRED
    office.pay(ended, "30000", "LAB-2")
    assert (await office.state(ended))[0] == ACTIVE


async def test_the_nightly_job_expires_whatever_ended_yesterday_or_before(office: Office) -> None:
    (last_day, ended) = (await office.new_policy(), await office.new_policy())
    await office.ends(last_day, 0)
    await office.ends(ended, -1)
    office.openimis("expire_policies")
    assert [(await office.state(policy))[0] for policy in (last_day, ended)] == [IDLE, EXPIRED]


async def test_a_prompt_is_made_once_and_retired_by_the_renewal(office: Office) -> None:
    policy = await office.new_policy()
    office.pay(policy, "30000", "LAB-1")
    await office.ends(policy, 5)
    assert office.openimis("renewal_prompts") == office.openimis("renewal_prompts")
    prompt = 'SELECT count(*) FROM "tblPolicyRenewals" WHERE "PolicyID" = $1 AND "ValidityTo" IS NULL'
    assert await office.one(prompt, policy) == 1
    renewed = office.openimis("renew_policy", policy=policy, enroll_date=office.day())
    assert await office.one(prompt, policy) == 0
    stage, start = await office.one(
        'SELECT "PolicyStage", "StartDate" FROM "tblPolicy" WHERE "PolicyID" = $1', renewed["id"]
    )
    assert (stage, start) == ("R", office.today)  # which shortens the cover: the gateway starts after the old one


async def test_a_payment_and_its_detail_touch_no_policy(office: Office) -> None:
    policy = await office.new_policy()
    premium = office.pay(policy, "10000", "LAB-1")
    made = office.openimis(
        "payment", received_amount="10000.00", phone_number="255712000001", received_date=office.day()
    )
    detail = office.openimis("payment_detail", payment=made["id"], premium=premium["id"])
    tied, code, stage = await office.one(
        'SELECT "PremiumID", "ProductCode", "PolicyStage" FROM "tblPaymentDetails" WHERE "PaymentDetailsID" = $1',
        detail,
    )
    assert (tied, stage) == (premium["id"], "N")
    assert code
    office.openimis("payment", uuid=made["uuid"], received_amount="10000.00")
    assert await office.one('SELECT "PhoneNumber" FROM "tblPayment" WHERE "PaymentID" = $1', made["id"]) is None
    assert await office.state(policy) == (IDLE, None)


async def test_an_insurees_form_keeps_the_row_and_copies_what_it_was(office: Office) -> None:
    insuree, number = (await office.rows('SELECT "InsureeID", "CHFID" FROM "tblInsuree" ORDER BY 1 LIMIT 1'))[0]
    office.openimis("change_phone", insuree=insuree, phone="0712999888")
    found = await office.rows(
        'SELECT "InsureeID" = $2, "Phone" = $3, "ValidityTo" IS NULL FROM "tblInsuree" WHERE "CHFID" = $1 ORDER BY 1',
        number,
        insuree,
        "0712999888",
    )
    assert found == [(False, False, False)] * 2 + [(True, True, True)]  # it copies twice


async def test_a_deleted_insuree_is_out_of_the_policies_too(office: Office) -> None:
    insuree = await office.one('SELECT max("InsureeID") FROM "tblInsuree" WHERE NOT "IsHead"')
    office.openimis("delete_insuree", insuree=insuree)
    live = 'SELECT (SELECT count(*) FROM "tblInsuree" WHERE "InsureeID" = $1 AND "ValidityTo" IS NULL)'
    live += ' + (SELECT count(*) FROM "tblInsureePolicy" WHERE "InsureeID" = $1 AND "ValidityTo" IS NULL)'
    assert await office.one(live, insuree) == 0


async def test_a_head_is_not_deleted(office: Office) -> None:
    head = await office.one('SELECT min("InsureeID") FROM "tblInsuree" WHERE "IsHead"')
    with pytest.raises(OpenImisError, match="delete_head_insuree"):
        office.openimis("delete_insuree", insuree=head)


async def test_one_paid_policy_without_an_officer_stops_the_nightly_prompts(office: Office) -> None:
    """So a policy that the gateway makes takes over the officer of the one that it renews."""
    policy = await office.new_policy(officer=False)
    office.pay(policy, "30000", "LAB-1")
    await office.ends(policy, 5)
    with pytest.raises(OpenImisError, match="'NoneType' object has no attribute 'phone'"):
        office.openimis("renewal_prompts")


@pytest.mark.parametrize("option", [2, 3])
async def test_with_another_activation_option_money_changes_nothing(office: Office, option: int) -> None:
    """The code means to make it READY (16), and does not save it."""
    policy = await office.new_policy()
    office.openimis("configure", activation_option=option)
    try:
        office.pay(policy, "30000", "LAB-1")
    finally:
        office.openimis("configure", activation_option=1)
    assert await office.state(policy) == (IDLE, None)
