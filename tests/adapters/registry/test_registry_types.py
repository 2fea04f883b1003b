"""Money and moments come back from both databases as they went in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.registry.openimis import OpenImisRegistry, create_registry
from adapters.registry.openimis import tables as t
from gateway.domain.money import Money

NOW = datetime(2026, 11, 22, 8, 15, 30, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "amount", ["0", "0.01", "0.10", "30000.00", "-5.05", "123456789012345.67", "999999999999999.99"]
)
async def test_amounts_are_exact(world: Any, amount: str) -> None:
    product = await world.product(LumpSum=Decimal(amount))
    family, _ = await world.family()
    await world.policy(family, product, PolicyValue=Decimal(amount))
    [held] = await world.registry.policies(family)
    assert held.value == Money.parse(amount)
    assert (await world.registry.products())[0].lump_sum == Money.parse(amount)
    [row] = (await world.rows(t.policies)).values()
    assert str(row["PolicyValue"]) == str(Money.parse(amount).to_decimal())


async def test_ten_senti_and_twenty_are_thirty(world: Any) -> None:
    product = await world.product()
    family, _ = await world.family()
    policy = await world.policy(family, product)
    for amount in ("0.10", "0.20", "70368744177664.01", "70368744177664.02"):
        await world.premium(policy, amount)
    [held] = await world.registry.policies(family)
    assert held.paid == Money.parse("140737488355328.33")


async def test_sqlite_keeps_text_not_real(world: Any) -> None:
    await world.product(LumpSum=Decimal("123456789012345.67"))
    stored = (await world.connection.exec_driver_sql('SELECT "LumpSum", "PremiumAdult" FROM "tblProduct"')).one()
    expected = "123456789012345.67" if world.connection.dialect.name == "sqlite" else Decimal("123456789012345.67")
    assert tuple(stored) == (expected, None)


@pytest.mark.parametrize("registry_url", ["sqlite"], indirect=True)  # the one that takes any type in any column
async def test_a_real_in_sqlite_is_refused(world: Any) -> None:
    await world.product()
    await world.sql('ALTER TABLE "tblProduct" ADD COLUMN "r" REAL')
    await world.sql('UPDATE "tblProduct" SET "r" = 0.1')
    await world.sql('ALTER TABLE "tblProduct" DROP COLUMN "LumpSum"')
    await world.sql('ALTER TABLE "tblProduct" RENAME COLUMN "r" TO "LumpSum"')
    with pytest.raises(TypeError, match="REAL"):
        await world.registry.products()


@pytest.mark.parametrize("amount", [Decimal("0.001"), Decimal("1E-10")])
async def test_a_third_decimal_is_refused_on_the_way_in(world: Any, amount: Decimal) -> None:
    with pytest.raises(StatementError, match="more than two decimals"):
        await world.product(LumpSum=amount)


async def test_moments_keep_microseconds_and_become_utc(world: Any) -> None:
    eat = timezone(timedelta(hours=3))
    row = await world.put(t.locations, LocationType="V", ValidityFrom=NOW.astimezone(eat))
    read = (await world.rows(t.locations))[row]["ValidityFrom"]
    assert read == NOW
    assert read.utcoffset() == timedelta(0)


async def test_a_moment_without_zone_is_refused(world: Any) -> None:
    with pytest.raises(StatementError, match="zones"):
        await world.put(t.locations, LocationType="V", ValidityFrom=datetime(2026, 1, 1))  # noqa: DTZ001


async def test_stored_moments_sort_as_time(world: Any) -> None:
    eat = timezone(timedelta(hours=3))
    moments = [
        datetime(2026, 11, 22, 1, 0, tzinfo=eat),  # the day before, in UTC
        datetime(2026, 11, 21, 23, 0, 0, tzinfo=UTC),
        datetime(2026, 11, 21, 23, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 11, 22, 2, 30, tzinfo=eat),
    ]
    for moment in reversed(moments):
        await world.put(t.locations, LocationType="V", ValidityFrom=moment)
    column = t.locations.c.ValidityFrom
    read = (await world.connection.execute(select(column).order_by(column))).scalars().all()
    assert list(read) == moments
    late = (await world.connection.execute(select(column).where(column > moments[2]))).scalars().all()
    assert list(late) == moments[3:]


async def test_creating_the_tables_twice_keeps_what_is_there(world: Any) -> None:
    await world.product()
    before = await world.snapshot()
    await create_registry(world.connection)
    assert await world.snapshot() == before


@pytest.mark.parametrize("registry_url", ["postgresql"], indirect=True)
async def test_two_payments_for_a_family_wait_for_each_other(engine: AsyncEngine) -> None:
    """On PostgreSQL the family's row is held to the end of the transaction; on SQLite the store's engine locks all."""
    async with engine.begin() as setup:
        values = {"FamilyUUID": "lock-test", "InsureeID": 0, "ValidityFrom": NOW, "AuditUserID": 1}
        key = (await setup.execute(insert(t.families), values)).inserted_primary_key
        assert key is not None
    try:
        async with engine.connect() as one, engine.connect() as two:
            assert await OpenImisRegistry(one).lock_family(key[0]) is True
            await two.exec_driver_sql("SET lock_timeout = '50ms'")
            with pytest.raises(Exception, match="lock timeout"):
                await OpenImisRegistry(two).lock_family(key[0])
            await two.rollback()
            # what openIMIS' foreign-key checks take when an officer enters a policy: it need not wait for us
            await two.exec_driver_sql("SET lock_timeout = '50ms'")
            checked = f'SELECT 1 FROM "tblFamilies" WHERE "FamilyID" = {key[0]} FOR KEY SHARE'
            assert (await two.exec_driver_sql(checked)).one() == (1,)
            await one.rollback()
            await two.rollback()
            assert await OpenImisRegistry(two).lock_family(key[0]) is True
    finally:
        async with engine.begin() as clean:
            await clean.execute(t.families.delete())
