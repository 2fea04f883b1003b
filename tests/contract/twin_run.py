"""One scenario, told to the gateway and to openIMIS' screens, on two copies of what they begin with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import asyncpg
from openimis_process import OpenImis, OpenImisError
from twin import Copy, Run, read
from twin_scenarios import Meanwhile, Scenario
from twin_sides import Gateway, Office, Paid, utc_now
from twin_stage import Builder, Stage

import menus
from config.settings import DatabaseSettings, Settings
from gateway.app import open_fitted_database
from gateway.domain.bill import Bill
from gateway.domain.policy import READY_FIRST
from gateway.domain.ussd.book import load_book
from gateway.service.messages import Messages


@dataclass(frozen=True)
class Outcome:
    """What both sides made of a scenario. ``refused`` is what openIMIS said when it did not take the money."""

    theirs: Run
    ours: Run
    states: list[str]
    cases: list[str]
    refused: str | None
    stage: Stage
    last_amount: Decimal
    url: str  # the gateway's copy


@dataclass
class Theatre:
    """Where runs take place. ``template`` holds openIMIS' schema, ours, and no connection."""

    postgres: Any
    openimis: OpenImis
    template: str

    def __post_init__(self) -> None:
        self._messages = Messages(load_book(*menus.read()))
        today = date.fromisoformat(self.openimis("today"))
        # openIMIS' months and ours part on a month's last days (see value_differences.py): not the subject here
        self.day = today.replace(day=min(today.day, 28))

    @asynccontextmanager
    async def played(self, scenario: Scenario) -> AsyncIterator[Outcome]:
        """Both runs; the gateway's copy stands until the end of the block, and the driver is on it."""
        theirs, ours = (f"twin_{uuid4().hex[:12]}" for _ in range(2))
        try:
            await self.postgres.execute(f"CREATE DATABASE {theirs} TEMPLATE {self.template}")
            stage = await self._set(scenario, theirs)
            await self.postgres.execute(f"CREATE DATABASE {ours} TEMPLATE {theirs}")
            self.openimis("configure", activation_option=scenario.activation_option)
            right, states, cases, payments, billed = await self._gateway(scenario, stage, ours)
            left, refused = await self._office(scenario, stage, theirs, payments, billed)
            self.openimis("use", database=ours)
            yield Outcome(
                left, right, states, cases, refused, stage, Decimal(payments[-1].amount), self.postgres.url(ours)
            )
        finally:
            self.openimis("configure", activation_option=1)
            self.openimis("use", database=None)
            for name in (theirs, ours):
                await self.postgres.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _set(self, scenario: Scenario, database: str) -> Stage:
        self.openimis("use", database=database)
        connection = await asyncpg.connect(self.postgres.url(database))
        stage = await Builder(connection, self.openimis, self.day).build(scenario.plan(self.day))
        if scenario.expired:
            self.openimis("expire_policies")
        if scenario.prompted:
            self.openimis("renewal_prompts")
        if scenario.activation_option == READY_FIRST:  # where the legacy openIMIS keeps it, and the gateway reads it
            await connection.execute(
                'CREATE TABLE "tblIMISDefaults" ("DefaultID" serial PRIMARY KEY, "ActivationOption" smallint NOT NULL)'
            )
            await connection.execute('INSERT INTO "tblIMISDefaults" ("ActivationOption") VALUES (3)')
        await connection.close()
        self.openimis("use", database=None)
        return stage

    async def _gateway(
        self, scenario: Scenario, stage: Stage, database: str
    ) -> tuple[Run, list[str], list[str], list[Paid], Bill]:
        url, started = self.postgres.url(database), utc_now()
        before = await _read(url)
        opened = await open_fitted_database(Settings(database=DatabaseSettings(url=url)))
        try:
            gateway = Gateway(opened, self._messages, self.day)
            bill = await gateway.numbered(stage.family, min([0, *(money.day for money in scenario.pays)]))
            self.openimis("use", database=database)
            await self._meanwhile(scenario, stage, url)
            self.openimis("use", database=None)
            payments = _payments(scenario, bill, self.day)
            states = [await gateway.paid(bill, paid) for paid in payments]
            cases = await gateway.cases()
        finally:
            await opened.close()
        run = Run(before, await _read(url), [(started, utc_now()), *gateway.active])
        return run, states, cases, payments, bill

    async def _office(
        self, scenario: Scenario, stage: Stage, database: str, payments: list[Paid], bill: Bill
    ) -> tuple[Run, str | None]:
        url, started = self.postgres.url(database), utc_now()
        before = await _read(url)
        self.openimis("use", database=database)
        office = Office(self.openimis, self.day)
        refused = None
        await self._meanwhile(scenario, stage, url)
        try:
            policy = self._policy_at_the_office(scenario, stage, payments[0].day)
            for paid in payments:
                office.enters_money(policy, paid, bill)
        except OpenImisError as refusal:
            refused = refusal.said
        self.openimis("use", database=None)
        return Run(before, await _read(url), [(started, utc_now())]), refused

    def _policy_at_the_office(self, scenario: Scenario, stage: Stage, enrolled: date) -> int:
        """The policy that waits for its money, else a renewal of the last one, else a new one."""
        day = enrolled.isoformat()
        if scenario.idle:
            return stage.policies[-1]
        if scenario.held:
            key: int = self.openimis("renew_policy", policy=stage.policies[-1], product=stage.sold, enroll_date=day)[
                "id"
            ]
            return key
        made: int = self.openimis(
            "create_policy", family=stage.family, product=stage.sold, officer=stage.officer, enroll_date=day
        )["id"]
        return made

    async def _meanwhile(self, scenario: Scenario, stage: Stage, url: str) -> None:
        if scenario.meanwhile is Meanwhile.NOTHING:
            return
        policy = stage.policies[-1]
        match scenario.meanwhile:
            case Meanwhile.SUSPEND:
                self.openimis("suspend_policy", policy=policy)
            case Meanwhile.CASH | Meanwhile.HALF:
                amount = "30000" if scenario.meanwhile is Meanwhile.CASH else "15000"
                day = (self.day - timedelta(days=2)).isoformat()
                self.openimis("premium", policy=policy, amount=amount, receipt="CASH-1", pay_date=day, pay_type="C")
            case Meanwhile.NIGHT:
                connection = await asyncpg.connect(url)
                for table, column in (("tblPolicy", "PolicyID"), ("tblInsureePolicy", "PolicyId")):
                    await connection.execute(
                        f'UPDATE "{table}" SET "ExpiryDate" = $2 WHERE "{column}" = $1',
                        policy,
                        self.day - timedelta(days=1),
                    )
                await connection.close()
                self.openimis("expire_policies")


def _payments(scenario: Scenario, bill: Bill, day: date) -> list[Paid]:
    made, shares = [], 0
    for number, money in enumerate(scenario.pays, 1):
        shares += money.share
        amount = (bill.amount.to_decimal() * money.share / 100).quantize(Decimal("0.01"))
        receipt = money.receipt or f"PAY-{number}"
        made.append(Paid(str(amount), receipt, day + timedelta(days=money.day), last=shares >= 100))
    return made


async def _read(url: str) -> Copy:
    connection = await asyncpg.connect(url)
    try:
        return await read(connection)
    finally:
        await connection.close()
