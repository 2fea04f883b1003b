"""What the application's own role may do on PostgreSQL: everything a payment needs, and no forging of evidence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from store_samples import evidence, only_postgresql, report, rows

import menus
from adapters.registry.openimis import OpenImisRegistry
from gateway.domain.clock import eat_day
from gateway.domain.ussd.book import load_book
from gateway.domain.ussd.effects import RequestBill
from gateway.ports import ControlNumberGiven, Verdict
from gateway.service.clocks import SystemClock
from gateway.service.messages import Messages
from gateway.service.quotes import read_quote
from gateway.service.request_control_number import BillPolicy, RequestControlNumber
from gateway.service.settle_entries import SettleEntries
from gateway.store import schema
from gateway.store import tables as g
from gateway.store.database import Database

pytestmark = only_postgresql
FAMILY = 1  # covered for eight more months


@pytest.fixture
async def limited(database: Database, database_url: str, postgres: Any) -> AsyncIterator[Database]:
    """The unit of work as the application's role: what ``db upgrade`` grants, and openIMIS' tables by its own owner."""
    async with postgres.role(database.engine, "gw_app") as role:
        await schema.upgrade(database.engine, role)
        await schema.upgrade(database.engine, role)  # granting again changes nothing
        async with database.engine.begin() as connection:
            tables = await connection.execute(text("SELECT tablename FROM pg_tables WHERE tablename LIKE 'tbl%'"))
            for (table,) in tables.all():
                await connection.execute(text(f'GRANT SELECT, INSERT, UPDATE ON "{table}" TO {role}'))
        opened = Database(postgres.as_role(database_url, role), OpenImisRegistry)
        yield opened
        await opened.close()


async def _a_whole_payment(unit: Database) -> None:
    clock, messages = SystemClock(), Messages(load_book(*menus.read()))
    settle = SettleEntries(unit, messages, clock)
    async with unit.reading() as tx:
        quote, _ = await read_quote(tx.registry, FAMILY, eat_day(clock.now()))
    wanted = RequestBill(quote.key, FAMILY, quote.amount.amount_minor, "+255712000001", "sw")
    bill = await RequestControlNumber(unit, messages, BillPolicy())(wanted, clock.now())
    assert bill is not None
    paid = report(amount=bill.amount, paid_at=clock.now() - timedelta(minutes=1))
    async with unit.writing() as tx:
        now = clock.now()
        await tx.inbox.keep(evidence("I1", received_at=now), [ControlNumberGiven(bill.id, paid.control_number)])
        await tx.inbox.keep(evidence("I2", received_at=now), [paid])
        await tx.inbox.keep(evidence("I3", received_at=now, verdict=Verdict.BAD_SIGNATURE), [])
    while await settle.one():
        pass
    async with unit.writing() as tx:
        await tx.audit.seal(clock.now(), 100)
        assert await tx.audit.verify() == []


async def test_a_whole_payment_works_as_that_role_and_its_evidence_stands(
    database: Database, limited: Database
) -> None:
    assert await schema.is_current(limited.engine)
    await _a_whole_payment(limited)
    assert [row["state"] for row in await rows(database, g.payment)] == ["settled"]
    evidence_of = {t: await rows(database, t) for t in g.APPEND_ONLY}
    assert all(evidence_of.values())
    for table in g.APPEND_ONLY:
        column = next(c.name for c in table.columns if not c.primary_key)
        for forgery in (
            f'UPDATE {table.name} SET "{column}" = "{column}"',
            f"DELETE FROM {table.name}",
            f"TRUNCATE {table.name}",
            f"DROP TABLE {table.name}",
        ):
            with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
                async with limited.engine.begin() as connection:
                    await connection.execute(text(forgery))
    assert {t: await rows(database, t) for t in g.APPEND_ONLY} == evidence_of


async def test_the_role_gives_itself_nothing_and_working_rows_may_change(limited: Database) -> None:
    for overreach in (
        "ALTER TABLE gw_inbox DISABLE TRIGGER ALL",
        "DO $$ BEGIN GRANT UPDATE ON gw_audit TO CURRENT_USER; UPDATE gw_audit SET actor = 'x'; END $$",
        "UPDATE gw_schema_version SET version_num = 'x'",
    ):
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            async with limited.engine.begin() as connection:
                await connection.execute(text(overreach))
    async with limited.engine.begin() as connection:
        for table in g.metadata.sorted_tables:
            if table not in g.APPEND_ONLY:
                await connection.execute(table.delete())
