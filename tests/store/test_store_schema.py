"""Our schema: what migrations make is what the code means, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Float, Numeric, inspect, text
from store_samples import NOW, only_sqlite, rows

from adapters.registry.openimis import OpenImisRegistry
from gateway.store import schema
from gateway.store.database import Database, UnsupportedDatabaseError, driver_url
from gateway.store.tables import caller, metadata


@pytest.fixture
async def empty(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with nothing in it."""
    if backend == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/empty.db", OpenImisRegistry)
        yield database
        await database.close()
        return
    server, name = request.getfixturevalue("postgres"), f"gw_empty_{uuid4().hex[:8]}"
    await server.execute(f"CREATE DATABASE {name}")
    database = Database(server.url(name), OpenImisRegistry)
    yield database
    await database.close()
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _differences(connection: Any) -> list[Any]:
    options = {
        "compare_type": True,
        "version_table": "gw_schema_version",
        "include_name": lambda name, kind, _: kind != "table" or name.startswith("gw_"),
    }
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def _shape(connection: Any) -> dict[str, Any]:
    """Columns and, word for word, indexes: Alembic compares no conditions of partial ones."""
    said = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name LIKE 'gw@_%' ESCAPE '@'",
        "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'gw@_%' ESCAPE '@'",
    }[connection.dialect.name]
    indexes = {name: " ".join(sql.split()) for name, sql in connection.execute(text(said)) if sql}
    indexes.pop("gw_schema_version_pkc", None)
    inspector = inspect(connection)
    tables = [name for name in inspector.get_table_names() if name.startswith("gw_") and name != "gw_schema_version"]
    columns = {
        table: sorted((c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table))
        for table in tables
    }
    return {"indexes": indexes, "columns": columns}


async def test_migrations_make_what_the_code_means(database: Database, empty: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(_differences) == []
        migrated = await connection.run_sync(_shape)
    async with empty.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        meant = await connection.run_sync(_shape)
    assert len(meant["columns"]) == len(metadata.tables)
    assert migrated == meant


async def test_the_comparison_sees_a_difference(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE gw_case ADD COLUMN extra VARCHAR(3)"))
        assert [change[0] for change in await connection.run_sync(_differences)] == ["remove_column"]


async def test_upgrade_is_idempotent_and_touches_nothing_of_openimis(empty: Database) -> None:
    assert not await schema.is_current(empty.engine)
    async with empty.engine.begin() as connection:
        await connection.execute(text('CREATE TABLE "tblPolicy" (mine INTEGER)'))
    for _ in range(2):
        await schema.upgrade(empty.engine)
        assert await schema.is_current(empty.engine)
    async with empty.engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        columns = await connection.run_sync(lambda sync: inspect(sync).get_columns("tblPolicy"))
    assert set(tables) == {*metadata.tables, "tblPolicy", "gw_schema_version"}
    assert [column["name"] for column in columns] == ["mine"]


async def test_an_older_process_works_on_a_newer_schema(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("UPDATE gw_schema_version SET version_num = 'from the future'"))
    assert await schema.is_current(database.engine)


async def test_a_role_is_a_name(empty: Database) -> None:
    await schema.upgrade(empty.engine)
    for name in ("x; DROP TABLE gw_bill", 'a"b', "", "x" * 64, "1st"):
        with pytest.raises(ValueError, match="role"):
            await schema.upgrade(empty.engine, name)


def test_no_table_of_ours_holds_a_float() -> None:
    inexact = [column for table in metadata.tables.values() for column in table.columns]
    assert [c for c in inexact if isinstance(c.type, Numeric | Float)] == []


@pytest.mark.parametrize("url", ["mysql://host/db", "oracle://host/db"])
def test_only_databases_that_we_speak_to(url: str) -> None:
    with pytest.raises(UnsupportedDatabaseError, match=url.split(":")[0]):
        driver_url(url)


@only_sqlite
@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000)]
)
async def test_sqlite_is_durable_and_shared(database: Database, pragma: str, value: object) -> None:
    async with database.engine.connect() as connection:
        assert await connection.scalar(text(f"PRAGMA {pragma}")) == value


@only_sqlite
async def test_two_writers_at_once_both_succeed(database: Database, database_url: str) -> None:
    """Each reads before it writes: under a plain BEGIN the second would fail at once with "database is locked"."""
    other = Database(database_url, OpenImisRegistry)  # as another process would
    both_ready = asyncio.Barrier(2)

    async def write(unit: Database, msisdn: str) -> None:
        await both_ready.wait()
        for language in ("sw", "en") * 20:
            async with unit.writing() as tx:
                assert await tx.callers.languages([msisdn]) in ({}, {msisdn: "sw"}, {msisdn: "en"})
                await asyncio.sleep(0)
                await tx.callers.set_language(msisdn, language, NOW)

    await asyncio.gather(write(database, "+255712000001"), write(other, "+255712000002"))
    await other.close()
    assert [row["language"] for row in await rows(database, caller)] == ["en", "en"]


async def test_a_failed_block_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.writing() as tx:
            await tx.callers.set_language("+255712000001", "en", NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await rows(database, caller) == []


async def test_a_reader_sees_what_is_committed(database: Database) -> None:
    async with database.writing() as tx:
        await tx.callers.set_language("+255712000001", "en", NOW)
        async with database.reading() as other:
            assert await other.callers.languages(["+255712000001"]) == {}
    async with database.reading() as other:
        assert await other.callers.languages(["+255712000001"]) == {"+255712000001": "en"}
    assert await database.ping()
