"""Real openIMIS on a real PostgreSQL: its schema is made by its own code, ours on top of it, copied for each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from openimis_process import OpenImis, interpreter
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from adapters.registry.openimis.demo import load_demo
from gateway.store.schema import upgrade

TEMPLATE = "openimis_template"


@dataclass(frozen=True)
class Installation:
    """A database that openIMIS and the gateway share."""

    url: str
    openimis: OpenImis


def aside(work: Coroutine[Any, Any, None]) -> None:
    """Run on an event loop of its own: a fixture of the session outlives the tests' loops."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def engine_for(url: str) -> AsyncEngine:
    return create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool)


@pytest.fixture(scope="session")
def openimis(postgres: Any) -> Iterator[OpenImis]:
    """openIMIS' own code, started once, with no database until one is chosen."""
    if not interpreter().exists():
        pytest.exit(f"openIMIS' packages are not at {interpreter()}: run `make contract`, which installs them", 2)
    process = OpenImis(postgres.owner_url)
    yield process
    process.close()


@pytest.fixture(scope="session")
def openimis_template(postgres: Any, openimis: OpenImis) -> str:
    """openIMIS' schema as openIMIS makes it, our tables, and the demo families. Nobody is connected to it."""
    aside(postgres.execute(f"CREATE DATABASE {TEMPLATE}"))
    openimis("use", database=TEMPLATE)
    openimis("create_schema")
    day = date.fromisoformat(openimis("today"))
    openimis("use", database=None)
    aside(_add_ours(postgres.url(TEMPLATE), day))
    return TEMPLATE


async def _add_ours(url: str, day: date) -> None:
    engine = engine_for(url)
    await upgrade(engine)
    await _add_demo(engine, day)
    await engine.dispose()


async def _add_demo(engine: AsyncEngine, day: date) -> None:
    """The demo's products and families, written by our adapter into openIMIS' own tables."""
    async with engine.begin() as connection:
        await load_demo(connection, day)


@pytest.fixture
async def installation(postgres: Any, openimis: OpenImis, openimis_template: str) -> AsyncIterator[Installation]:
    """A fresh copy, chosen in the driver, dropped afterwards."""
    name = f"openimis_{uuid4().hex[:12]}"
    await postgres.execute(f"CREATE DATABASE {name} TEMPLATE {openimis_template}")
    openimis("use", database=name)
    yield Installation(postgres.url(name), openimis)
    openimis("use", database=None)
    await postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")
