"""Every column that may tell of a person is in the retention table; the purging role may do what that says, no more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import JSON, Column, LargeBinary, String, Table, Text, text
from sqlalchemy.exc import ProgrammingError
from store_samples import NOW, only_postgresql

from adapters.registry.openimis import OpenImisRegistry
from gateway.domain.retention import EXPIRING, RULES, Does
from gateway.store import schema
from gateway.store import tables as g
from gateway.store.database import Database
from gateway.store.retention import STEPS

COLUMNS = [(table, column) for table in g.metadata.sorted_tables for column in table.c]
OF_A_PERSON = ("msisdn", "phone", "name", "chfid", "language", "actor", "_by")


def may_tell_of_a_person(table: Table, column: Column[Any]) -> bool:
    """What others wrote (any text of theirs, any JSON, any bytes), and what is called after a person."""
    of_others = isinstance(column.type, JSON | LargeBinary | Text) or (
        isinstance(column.type, String) and "mssql" in column.type._variant_mapping
    )
    return of_others or (isinstance(column.type, String) and any(part in column.name for part in OF_A_PERSON))


def test_the_scan_sees() -> None:
    told = {f"{table.name}.{column.name}" for table, column in COLUMNS if may_tell_of_a_person(table, column)}
    assert told >= {"gw_miss.msisdn", "gw_inbox.body", "gw_entry.notice", "gw_bill.payer_name", "gw_audit.actor"}
    assert not told & {"gw_bill.state", "gw_payment.amount_minor", "gw_audit_seal.digest"}


def test_every_table_and_every_column_is_in_the_retention_table() -> None:
    assert {rule.table for rule in RULES} == set(g.metadata.tables)
    listed = {(rule.table, name) for rule in RULES for name in (*rule.personal, *rule.bare)}
    named_after_nothing = {("gw_watermark", "name"), ("gw_place", "name")}  # of ours
    found = {(table.name, column.name) for table, column in COLUMNS if may_tell_of_a_person(table, column)}
    assert found - named_after_nothing == listed


def test_each_rule_is_carried_out_as_it_says() -> None:
    assert set(STEPS) == {rule.name for rule in EXPIRING}
    for rule in EXPIRING:
        step = STEPS[rule.name]
        assert step.table.name == rule.table
        assert bool(step.blank) == (rule.does == Does.BLANKED)
        assert set(step.blank) <= set(rule.personal)
        for column in step.first:
            assert [each.does for each in RULES if each.table == column.table.name] == [Does.FOLLOWS]


# ------------------------------------------------------------------------------------------------------------- the role


@pytest.fixture
async def purging(database: Database, database_url: str, postgres: Any) -> AsyncIterator[Database]:
    """The database as the purging role: what ``db upgrade`` grants it."""
    async with postgres.role(database.engine, "gw_purge") as role:
        for _ in range(2):  # granting again changes nothing
            await schema.upgrade(database.engine, None, role)
        opened = Database(postgres.as_role(database_url, role), OpenImisRegistry)
        yield opened
        await opened.close()


async def may(purging: Database, statement: str) -> bool:
    """Whether the role may, though it changes nothing here: the rights are asked before the rows."""
    said = ""
    try:
        async with purging.engine.begin() as connection:
            await connection.execute(text(statement))
    except ProgrammingError as refused:
        said = str(refused)
    assert not said or "permission denied" in said, statement
    return not said


DELETED = {
    *("gw_outbox", "gw_bill_requester", "gw_miss", "gw_caller", "gw_case", "gw_inbox"),
    *("gw_entry", "gw_statement_fault"),  # with their message, with their statement
}
CHANGED = {
    *("gw_bill.chfid", "gw_bill.payer_name", "gw_case.details", "gw_case.note", "gw_statement.file"),
    *("gw_watermark.name", "gw_watermark.at"),  # when it was done
}


@only_postgresql
async def test_the_purging_role_may_do_what_the_table_lists_and_no_more(purging: Database) -> None:
    tables = g.metadata.sorted_tables
    assert {t.name for t in tables if await may(purging, f'DELETE FROM "{t.name}" WHERE false')} == DELETED
    changed = {
        f"{table.name}.{column.name}"
        for table, column in COLUMNS
        if await may(purging, f'UPDATE "{table.name}" SET "{column.name}" = NULL WHERE false')
    }
    assert changed == CHANGED
    added = {t.name for t in tables if await may(purging, f'INSERT INTO "{t.name}" SELECT * FROM "{t.name}" LIMIT 0')}
    assert added == {"gw_watermark"}
    for overreach in ("TRUNCATE gw_outbox", 'SELECT 1 FROM "tblInsuree"', "SELECT details FROM gw_audit"):
        assert not await may(purging, overreach)


@only_postgresql
async def test_it_may_leave_its_trace(purging: Database, database: Database) -> None:
    async with purging.writing() as tx:
        await tx.audit.add("gateway", "data.purged", "retention:texts", NOW, rows=1)
        await tx.callers.set_watermark("purged", NOW)
    async with database.writing() as tx:
        assert await tx.audit.seal(NOW, 10) == 1
        assert await tx.audit.verify() == []
