"""Engines and transactions: one unit of work for our tables and the registry's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.ports import Registry
from gateway.store.audit import SqlAudit
from gateway.store.bills import SqlBills
from gateway.store.callers import SqlCallers
from gateway.store.cases import SqlCases
from gateway.store.follow import SqlFollow
from gateway.store.inbox import SqlInbox, SqlPayments
from gateway.store.inline import InlineConnection
from gateway.store.outbox import SqlOutbox
from gateway.store.pool import SqlPool
from gateway.store.reconciliations import SqlReconciliations
from gateway.store.retention import SqlRetention
from gateway.store.screens import SqlScreens

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "mssql": "mssql+aioodbc"}
_BUSY_MS = 10_000  # how long one SQLite process waits for another's write
_INLINE_BUSY_MS = 100  # and a read, which waits for nobody's write


class UnsupportedDatabaseError(ValueError):
    """The address names a database that this build cannot speak to."""


def driver_url(url: str) -> URL:
    """The address with our choice of asynchronous driver. Raises UnsupportedDatabaseError."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend not in _DRIVERS:
        raise UnsupportedDatabaseError(f"no driver for {backend!r}: use sqlite:///, postgresql:// or mssql://")
    return parsed.set(drivername=_DRIVERS[backend])


@dataclass(slots=True)
class SqlTransaction:
    """Every repository on one connection."""

    registry: Registry
    bills: SqlBills
    inbox: SqlInbox
    payments: SqlPayments
    outbox: SqlOutbox
    cases: SqlCases
    audit: SqlAudit
    callers: SqlCallers
    follow: SqlFollow
    reconciliations: SqlReconciliations
    pool: SqlPool
    screens: SqlScreens
    retention: SqlRetention
    after_commit: list[Callable[[], object]] = field(default_factory=list)


class Database:
    """The unit of work on SQLAlchemy. ``registry`` makes the registry's repository for a connection.

    PostgreSQL and SQL Server run at READ COMMITTED. On SQL Server the database's READ_COMMITTED_SNAPSHOT should be on:
    a read then sees what was committed last, as on PostgreSQL, where it would otherwise wait for every writer. Its
    address names the ODBC driver too: ``mssql://user:password@host/database?driver=ODBC+Driver+18+for+SQL+Server``.
    """

    def __init__(self, url: str, registry: Callable[[AsyncConnection], Registry], pool_size: int = 10) -> None:
        self.url = driver_url(url)
        self._registry = registry
        self._inline: Engine | None
        if self.url.get_backend_name() == "sqlite":
            if self.url.database:
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            # one writer at a time is SQLite's rule: our own queue for it is kinder than its busy handler
            self.engine = create_async_engine(
                self.url, pool_size=1, max_overflow=0, pool_timeout=30, hide_parameters=True
            )
            _configure_sqlite(self.engine.sync_engine, "BEGIN IMMEDIATE")
            self._inline = create_engine(self.url.set(drivername="sqlite"), pool_size=8, hide_parameters=True)
            # it reads on the event loop: a file that somebody keeps to himself must not hold up every caller
            _configure_sqlite(self._inline, "BEGIN", _INLINE_BUSY_MS)
        else:
            self.engine = _server_engine(self.url, pool_size)
            # a read of ours is one statement: without BEGIN and ROLLBACK it is one round trip, not three
            self._readers = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            self._inline = None

    @property
    def embedded(self) -> bool:
        """Whether this is SQLite: one node, no roles, the worker inside the serving process."""
        return self.url.get_backend_name() == "sqlite"

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[SqlTransaction]:
        """Read and write; commits at a good end."""
        async with self.engine.begin() as connection:
            transaction = self._transaction(connection)
            yield transaction
        for follow_up in transaction.after_commit:
            follow_up()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlTransaction]:
        """Read only."""
        if self._inline is not None:
            with self._inline.connect() as inline:
                yield self._transaction(cast(AsyncConnection, InlineConnection(inline)))
            return
        async with self._readers.connect() as connection:
            yield self._transaction(connection)

    def _transaction(self, connection: AsyncConnection) -> SqlTransaction:
        return SqlTransaction(
            self._registry(connection),
            SqlBills(connection),
            SqlInbox(connection),
            SqlPayments(connection),
            SqlOutbox(connection),
            SqlCases(connection),
            SqlAudit(connection),
            SqlCallers(connection),
            SqlFollow(connection),
            SqlReconciliations(connection),
            SqlPool(connection),
            SqlScreens(connection),
            SqlRetention(connection),
        )

    async def ping(self) -> bool:
        """Whether the database answers."""
        async with self.engine.connect() as connection:
            return bool(await connection.scalar(text("SELECT 1")) == 1)

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()
        if self._inline is not None:
            self._inline.dispose()


def _server_engine(url: URL, pool_size: int) -> AsyncEngine:
    try:
        # parameters are hidden: an error of the driver must not put a phone number into a log
        return create_async_engine(url, pool_size=pool_size, max_overflow=0, pool_timeout=10, hide_parameters=True)
    except ImportError as missing:  # a package, or unixODBC's library beneath it
        if url.get_backend_name() != "mssql":
            raise
        raise UnsupportedDatabaseError(
            "MS SQL Server needs what is not installed with this build: the Python packages aioodbc and pyodbc, "
            "unixODBC, and Microsoft's ODBC Driver 18 for SQL Server"
        ) from missing


def _configure_sqlite(engine: Engine, begin: str, busy_ms: int = _BUSY_MS) -> None:
    """Durable and concurrent; ``begin`` is said by us, since a read that turns into a write fails at once under a plain
    BEGIN, however long the busy time-out."""

    @event.listens_for(engine, "connect")
    def _connected(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        for pragma in (f"busy_timeout={busy_ms}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
