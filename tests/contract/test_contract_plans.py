"""Every statement of the registry on a schema of openIMIS' own making, filled as a country would: how it finds rows.

A generic plan is asked for, since a driver's prepared statements come to use one. What is not found by an index is
named here, with the reason, and the list must be what is seen: neither more nor less.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Select, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.dml import UpdateBase

from adapters.registry.openimis import Installation, advice, faults, fitted, survey
from adapters.registry.openimis import tables as declared
from bench.registry_data import load

MANY = 10_000  # rows; a smaller table may be read whole


class Read(NamedTuple):
    """A statement and a table of many rows that it reads otherwise than by the value of an index's first column."""

    statement: str
    table: str
    how: str


WHOLE, PAGE, END = "the whole table", "a page from a key on", "the end of an index"

LACKS_AN_INDEX = {
    Read("people.family_of", "tblInsuree", WHOLE): "CHFID: openIMIS searches names and numbers by LIKE and has no "
    "index for it; an enquiry by number reads every insuree until the advised index is there",
    Read("enrolment.receipts_used", "tblPremium", WHOLE): "Receipt: openIMIS looks for a twin without an index too; a "
    "payment is settled once, in the background",
}
NEEDS_NONE = {
    Read("phones.phones", "tblInsuree", PAGE): "the phones' index is built once a day, a page at a time",
    Read("phones.changed", "tblInsuree", PAGE): "what is new has the highest keys",
    Read("phones.newest", "tblInsuree", END): "the highest key",
    Read("changes.traces.policies", "tblPolicy", PAGE): "what is new has the highest keys",
    Read("changes.traces.premiums", "tblPremium", PAGE): "what is new has the highest keys",
    Read("changes.newest.policies", "tblPolicy", END): "the highest key",
    Read("changes.newest.premiums", "tblPremium", END): "the highest key",
    Read("changes.expiring", "tblPolicy", PAGE): "ExpiryDate: all policies are walked by key, once a day",
}
# Where the service before us has left its table, its open bills can be listed, by hand and seldom.
NEEDS_NONE_AFTER_A_CUT_OVER = {Read("legacy.open", "tblPayment", PAGE): "listed by a person, a page at a time"}
SMALL_NEEDS_NONE = {
    Read("catalogue.products", "tblProduct", WHOLE): "some dozens of rows, all of them wanted",
    Read("officers.phones", "tblOfficer", PAGE): "the officers' phones' index is built once a day, a page at a time",
    Read("officers.newest", "tblOfficer", END): "the highest key",
}

_FUNCTION = """
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF json LANGUAGE plpgsql AS
$$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (GENERIC_PLAN, FORMAT JSON) ' || query; END $$
"""


def _aside(work: Any) -> Any:
    with ThreadPoolExecutor(1) as thread:  # the tests' own loops are left alone
        return thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def crowded_url(postgres: Any, openimis_template: str) -> Iterator[str]:
    """A million insurees in openIMIS' own tables."""
    _aside(postgres.execute(f"CREATE DATABASE crowded TEMPLATE {openimis_template}"))
    _aside(load(postgres.url("crowded"), date(2026, 11, 22)))
    yield postgres.url("crowded")
    _aside(postgres.execute("DROP DATABASE crowded WITH (FORCE)"))


@pytest.fixture
async def crowded(crowded_url: str) -> AsyncIterator[AsyncConnection]:
    """Inside a transaction that is undone: indexes come and go in it."""
    engine = create_async_engine(make_url(crowded_url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(_FUNCTION))
        yield connection
        await connection.rollback()
    await engine.dispose()


def _statements(installation: Installation) -> Iterator[tuple[str, Any]]:
    """Every statement of every part: found by looking, so that a new one cannot be forgotten."""

    def found(name: str, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from found(f"{name}.{key}", inner)
        elif isinstance(value, (Select, UpdateBase)):
            yield name, value

    for part in dataclasses.fields(installation):
        if part.name != "tables":
            for name, value in vars(getattr(installation, part.name)).items():
                yield from found(f"{part.name}.{name}", value)


def _spoken(statement: Any, dialect: Any) -> str:
    """The text as the driver prepares it; a list of values has twenty."""
    values = {
        bind.key: list(range(20)) if bind.expanding else None
        for bind in statement.compile(dialect=dialect).binds.values()
        if bind.required
    }
    if isinstance(statement, Select):
        statement = statement.params(values)
    return str(statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True}))


class Scan(NamedTuple):
    """One look at one table."""

    statement: str
    table: str
    how: str
    index: str


def _scans(statement: str, node: dict[str, Any], above: str = "") -> Iterator[Scan]:
    kind, table = node["Node Type"], node.get("Relation Name", "")
    found_by = node.get("Index Cond", "")
    if kind == "Seq Scan":
        yield Scan(statement, table, WHOLE, "")
    elif kind == "Bitmap Heap Scan":
        yield Scan(statement, table, _how(node["Recheck Cond"], above), node["Plans"][0].get("Index Name", ""))
    elif kind in ("Index Scan", "Index Only Scan"):
        yield Scan(statement, table, _how(found_by, above), node["Index Name"])
    else:
        assert not table or kind == "ModifyTable", f"{statement}: {kind} is not known here"
    for inner in node.get("Plans", ()):
        if inner["Node Type"] != "Bitmap Index Scan":
            yield from _scans(statement, inner, kind)


def _how(condition: str, above: str) -> str:
    if re.search(r" = ", condition):
        return "by value"
    return PAGE if condition else END if above == "Limit" else WHOLE


async def _all_scans(connection: AsyncConnection) -> list[Scan]:
    found = await connection.run_sync(survey)
    assert faults(found) == []
    scans = []
    for name, statement in _statements(Installation.over(fitted(found))):
        said = _spoken(statement, connection.dialect)
        [plan] = (await connection.exec_driver_sql("SELECT * FROM pg_temp.plan($1)", (said,))).scalar_one()
        scans += _scans(name, plan["Plan"])
    return scans


async def _large(connection: AsyncConnection) -> set[str]:
    rows = await connection.execute(
        text("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > :many AND relname LIKE 'tbl%'"),
        {"many": MANY},
    )
    return set(rows.scalars())


async def _not_by_value(connection: AsyncConnection) -> set[Read]:
    large = await _large(connection)
    return {
        Read(scan.statement, scan.table, scan.how)
        for scan in await _all_scans(connection)
        if scan.table in large and scan.how != "by value"
    }


async def _advised(connection: AsyncConnection) -> list[str]:
    """The CREATE INDEX of every piece of advice; in a transaction it cannot be made beside running work."""
    said = advice(await connection.run_sync(survey))
    return [sentence.split("add one: ")[1].replace("CONCURRENTLY ", "") for sentence in said]


async def test_the_tables_are_as_large_as_they_should_be(crowded: AsyncConnection) -> None:
    count = (await crowded.execute(text('SELECT count(*) FROM "tblInsuree" WHERE "ValidityTo" IS NULL'))).scalar_one()
    assert count > 1_000_000
    assert await _large(crowded) == {
        "tblFamilies",
        "tblInsuree",
        "tblPolicy",
        "tblInsureePolicy",
        "tblPremium",
        "tblPayment",
        "tblPaymentDetails",
        "tblPolicyRenewals",
    }


async def test_every_statement_finds_by_an_index_or_is_named(crowded: AsyncConnection) -> None:
    assert await _not_by_value(crowded) == {*LACKS_AN_INDEX, *NEEDS_NONE}


async def test_what_is_small_could_be_found_by_an_index_too_or_is_named(crowded: AsyncConnection) -> None:
    """Joined row by row, whole reads discouraged: how a small table is read else hangs on the sample of the day."""
    large = await _large(crowded)
    for way in ("seqscan", "hashjoin", "mergejoin"):
        await crowded.execute(text(f"SET LOCAL enable_{way} = off"))
    assert {
        Read(scan.statement, scan.table, scan.how)
        for scan in await _all_scans(crowded)
        if scan.table not in large and scan.how != "by value"
    } == set(SMALL_NEEDS_NONE)


async def test_what_lacks_an_index_is_what_is_advised_and_then_found_by_it(crowded: AsyncConnection) -> None:
    indexes = await _advised(crowded)
    assert [re.findall(r'"(\w+)"', index)[1:] for index in indexes] == [
        [read.table, why.split(":")[0]] for read, why in LACKS_AN_INDEX.items()
    ]
    for index in indexes:
        await crowded.execute(text(index))
    assert await _not_by_value(crowded) == set(NEEDS_NONE)
    used = {(scan.statement, scan.table, scan.index) for scan in await _all_scans(crowded)}
    for read, why in LACKS_AN_INDEX.items():
        assert (read.statement, read.table, f"gw_{read.table}_{why.split(':')[0]}") in used
    assert await _advised(crowded) == []


async def test_advice_is_enough_and_not_too_much_where_only_keys_have_indexes(crowded: AsyncConnection) -> None:
    """As an installation whose indexes were never made: with what is advised every statement finds its rows again.

    The legacy's table of control numbers is there too; openIMIS' own code no longer makes it.
    """
    await crowded.run_sync(declared.control_numbers.create)
    await crowded.execute(
        text(
            """INSERT INTO "tblControlNumber" ("ControlNumberID", "PaymentID", "ControlNumber", "ValidityFrom")
               SELECT "PaymentID", "PaymentID", "ReceiptNo", now() FROM "tblPayment" """
        )
    )
    await crowded.execute(text('ANALYZE "tblControlNumber"'))
    await crowded.execute(
        text(
            """DO $$ DECLARE name text; BEGIN
               FOR name IN SELECT indexrelid::regclass FROM pg_index
                           JOIN pg_class ON pg_class.oid = indrelid AND relname LIKE 'tbl%'
                           WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
               LOOP EXECUTE 'DROP INDEX ' || name; END LOOP; END $$"""
        )
    )
    indexes = await _advised(crowded)
    assert any("tblControlNumber" in index for index in indexes)
    assert len(await _not_by_value(crowded)) > len({*LACKS_AN_INDEX, *NEEDS_NONE})
    for index in indexes:
        await crowded.execute(text(index))
    assert await _not_by_value(crowded) == {*NEEDS_NONE, *NEEDS_NONE_AFTER_A_CUT_OVER}
    used = {scan.index for scan in await _all_scans(crowded)}
    assert {re.findall(r'"(\w+)"', index)[0] for index in indexes} <= used
