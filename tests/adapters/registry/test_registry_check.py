"""What is said of a database that this build cannot work with, or not quickly."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from adapters.registry.openimis import advice, faults, survey
from adapters.registry.openimis import tables as t


@pytest.mark.parametrize("registry_url", ["postgresql"], indirect=True)
async def test_every_fault_is_named_in_a_sentence(world: Any) -> None:
    for statement in (
        'DROP TABLE "tblPolicyRenewals"',
        'ALTER TABLE "tblInsuree" DROP COLUMN "CHFID"',
        'ALTER TABLE "tblPremium" ALTER "Amount" TYPE double precision',
        'ALTER TABLE "tblPolicy" ADD "Subsidy" integer NOT NULL',
        'ALTER TABLE "tblPayment" ALTER "PaymentID" DROP DEFAULT',
        'ALTER TABLE "tblPolicy" ADD "Rank" integer NOT NULL DEFAULT 0',
        'ALTER TABLE "tblLocations" ADD "Mayor" integer NOT NULL',  # nothing is inserted there
        'ALTER TABLE "tblPayment" DROP COLUMN "SmsRequired"',  # not everywhere
    ):
        await world.sql(statement)
    assert faults(await world.connection.run_sync(survey)) == [
        "The column tblInsuree.CHFID is missing.",
        "The key tblPayment.PaymentID does not number itself: new rows would have none.",
        "The column tblPolicy.Subsidy must be filled and has no default; this build does not know it and could not "
        "insert a row.",
        "The table tblPolicyRenewals is missing.",
        "The column tblPremium.Amount is DOUBLE_PRECISION(precision=53); this build needs an exact number with two "
        "decimals.",
    ]


async def test_a_strange_database_lacks_everything(engine: Any, registry_url: Any) -> None:
    async with engine.connect() as connection:
        for table in t.metadata.sorted_tables:
            await connection.execute(text(f'DROP TABLE "{table.name}"'))
        said = faults(await connection.run_sync(survey))
        await connection.rollback()
    optional = {"tblControlNumber", "tblIMISDefaults", "tblOfficerVillages", "tblReporting"}
    assert said == [
        f"The table {table.name} is missing." for table in t.metadata.sorted_tables if table.name not in optional
    ]


@pytest.mark.parametrize("registry_url", ["postgresql"], indirect=True)
async def test_what_index_to_add(world: Any) -> None:
    assert advice(await world.connection.run_sync(survey)) == []
    await world.sql('DROP INDEX "ix_tblInsuree_CHFID"')
    await world.sql('CREATE INDEX half ON "tblInsuree" ("CHFID") WHERE "ValidityTo" IS NULL')  # serves ours seldom
    assert advice(await world.connection.run_sync(survey)) == [
        "No index begins with tblInsuree.CHFID, which an enquiry by insurance number looks up; add one: "
        'CREATE INDEX CONCURRENTLY "gw_tblInsuree_CHFID" ON "tblInsuree" ("CHFID");'
    ]
    await world.sql('CREATE INDEX whole ON "tblInsuree" ("CHFID", "ValidityTo")')
    assert advice(await world.connection.run_sync(survey)) == []
