"""What the gateway wrote is good enough for openIMIS' own code to go on with: its nightly jobs and its officers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from openimis_process import OpenImis, OpenImisError
from twin_run import Outcome, Theatre
from twin_scenarios import SCENARIOS

IDLE, ACTIVE, EXPIRED = 1, 2, 8


@dataclass(frozen=True)
class After:
    """The gateway's copy after a scenario, with openIMIS on it; ``policy`` is the one that its money went to."""

    theatre: Theatre
    outcome: Outcome
    database: Any
    policy: int

    def do(self, operation: str, **arguments: Any) -> Any:
        return self.theatre.openimis(operation, **arguments)

    def pay(self, amount: str, receipt: str) -> None:
        day = self.theatre.day.isoformat()
        self.do("premium", policy=self.policy, amount=amount, receipt=receipt, pay_date=day, pay_type="C")

    async def one(self, column: str, table: str = "tblPolicy", key: str = "PolicyID") -> Any:
        sql = f'SELECT "{column}" FROM "{table}" WHERE "{key}" = $1 AND "ValidityTo" IS NULL'
        return await self.database.fetchval(sql, self.policy)

    async def count(self, table: str, key: str) -> int:
        live = f'SELECT count(*) FROM "{table}" WHERE "{key}" = $1 AND "ValidityTo" IS NULL'
        found: int = await self.database.fetchval(live, self.policy)
        return found

    async def ends(self, days: int) -> None:
        last = self.theatre.day + timedelta(days=days)
        await self.database.execute('UPDATE "tblPolicy" SET "ExpiryDate" = $2 WHERE "PolicyID" = $1', self.policy, last)


@asynccontextmanager
async def after(theatre: Theatre, name: str) -> AsyncIterator[After]:
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == name)
    async with theatre.played(scenario) as outcome:
        database = await asyncpg.connect(outcome.url)
        policy = await database.fetchval('SELECT "PolicyID" FROM "tblPremium" ORDER BY "PremiumId" DESC LIMIT 1')
        yield After(theatre, outcome, database, policy)
        await database.close()


@pytest.fixture(scope="module")
def theatre(postgres: Any, openimis: OpenImis, openimis_template: str) -> Theatre:
    return Theatre(postgres, openimis, openimis_template)


@pytest.mark.parametrize(
    "name", ["first", "officer's policy", "renewed on the next day", "eight members", "conversion"]
)
async def test_the_nightly_job_prompts_for_it_and_lets_it_expire(theatre: Theatre, name: str) -> None:
    async with after(theatre, name) as then:
        await then.ends(5)
        assert then.do("renewal_prompts") == then.do("renewal_prompts")
        assert await then.count("tblPolicyRenewals", "PolicyID") == 1
        officer, phone = await then.database.fetchrow(
            'SELECT "NewOfficerID", "PhoneNumber" FROM "tblPolicyRenewals" WHERE "PolicyID" = $1', then.policy
        )
        assert officer == then.outcome.stage.officer
        assert phone
        await then.ends(-1)
        then.do("expire_policies")
        assert await then.one("PolicyStatus") == EXPIRED


async def test_an_officer_adds_money_to_a_policy_that_the_gateway_made(theatre: Theatre) -> None:
    async with after(theatre, "first") as then:
        then.pay("5000", "CASH-2")
        assert await then.one("PolicyStatus") == ACTIVE
        assert await then.count("tblPremium", "PolicyID") == 2
        history = 'SELECT array_agg("PolicyStatus" ORDER BY "PolicyID") FROM "tblPolicy" WHERE "LegacyID" = $1'
        assert await then.database.fetchval(history, then.policy) == [IDLE, ACTIVE]


async def test_an_officer_cannot_use_the_receipt_again(theatre: Theatre) -> None:
    async with after(theatre, "first") as then:
        with pytest.raises(OpenImisError, match="code_already_taken"):
            then.pay("5000", "PAY-1")
        assert await then.count("tblPremium", "PolicyID") == 1


async def test_an_officer_takes_the_second_instalment(theatre: Theatre) -> None:
    async with after(theatre, "one of two") as then:
        assert await then.one("PolicyStatus") == IDLE
        then.pay("15000", "CASH-2")
        assert await then.one("PolicyStatus") == ACTIVE
        assert await then.one("EffectiveDate") == theatre.day
        assert await then.one("EffectiveDate", "tblInsureePolicy", "PolicyId") == theatre.day


async def test_an_officer_renews_it(theatre: Theatre) -> None:
    async with after(theatre, "first") as then:
        await then.ends(5)
        then.do("renewal_prompts")
        renewed = then.do("renew_policy", policy=then.policy, enroll_date=theatre.day.isoformat())["id"]
        assert await then.count("tblPolicyRenewals", "PolicyID") == 0
        officers = 'SELECT array_agg(DISTINCT "OfficerID") FROM "tblPolicy" WHERE "PolicyID" = ANY($1)'
        assert await then.database.fetchval(officers, [then.policy, renewed]) == [then.outcome.stage.officer]


async def test_it_can_be_suspended(theatre: Theatre) -> None:
    async with after(theatre, "first") as then:
        then.do("suspend_policy", policy=then.policy)
        assert await then.one("PolicyStatus") == 4


async def test_the_payment_can_be_changed_and_tied_to_another_premium(theatre: Theatre) -> None:
    """The clerk's screens for payments find what the gateway wrote."""
    async with after(theatre, "first") as then:
        payment, uuid = await then.database.fetchrow(
            'SELECT "PaymentID", "PaymentUUID" FROM "tblPayment" ORDER BY 1 DESC LIMIT 1'
        )
        premium = await then.database.fetchval('SELECT max("PremiumId") FROM "tblPremium"')
        details = 'SELECT "PaymentDetailsID" FROM "tblPaymentDetails" WHERE "PaymentID" = $1'
        (detail,) = [key for (key,) in await then.database.fetch(details, payment)]
        assert then.do("payment_detail", payment=payment, premium=premium) == detail
        assert then.do("payment", uuid=uuid, received_amount="30000.00", status=5)["id"] == payment
