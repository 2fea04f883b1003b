"""Bringing our tables to this build's schema, and telling whether they are there. openIMIS' tables are not ours."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.store.retention import purge_rights
from gateway.store.tables import APPEND_ONLY, metadata

_VERSION_TABLE = "gw_schema_version"
_ROLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_MIGRATIONS = Path(__file__).parent / "migrations"


async def upgrade(engine: AsyncEngine, app_role: str | None = None, purge_role: str | None = None) -> None:
    """Migrate to the newest schema; ``serve`` never does. ``app_role`` gets what the application needs and no more,
    ``purge_role`` what taking away needs that is past its time."""
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade)
        if app_role is not None:
            await connection.run_sync(_grant, app_role)
        if purge_role is not None:
            await connection.run_sync(_grant_purge, purge_role)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # half a second that serve and work need not spend
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the database is at this build's schema, or beyond it: an older process keeps working on a newer one."""
    async with engine.connect() as connection:
        return await connection.run_sync(_is_current)


def _is_current(connection: Connection) -> bool:
    if not inspect(connection).has_table(_VERSION_TABLE):
        return False
    found = connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}"))  # noqa: S608 - a constant
    known = revisions()
    return found is not None and (found == known[-1] or found not in known)


async def missing_tables(engine: AsyncEngine) -> list[str]:
    """Our own tables that are not there though the schema's version says they are: a half-restored backup."""
    async with engine.connect() as connection:
        there = set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))
    return [table.name for table in metadata.sorted_tables if table.name not in there]


def revisions() -> list[str]:
    """Every revision of this build, oldest first: a migration's file name begins with its number."""
    return sorted(path.name.split("_", 1)[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def _grant(connection: Connection, role: str) -> None:
    """The application may add evidence and audit rows, never change or remove one."""
    every = _every_right(connection, role)
    for table in metadata.sorted_tables:
        rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        connection.execute(text(f'REVOKE {every} ON "{table.name}" FROM "{role}"'))
        connection.execute(text(f'GRANT {rights} ON "{table.name}" TO "{role}"'))
    connection.execute(text(f'GRANT SELECT ON "{_VERSION_TABLE}" TO "{role}"'))
    if connection.dialect.name == "postgresql":
        connection.execute(text(f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "{role}"'))


def _grant_purge(connection: Connection, role: str) -> None:
    """What the retention table says is taken away may be, by this role; it reads nothing that it need not."""
    every, granted = _every_right(connection, role), purge_rights()
    for table in metadata.sorted_tables:
        connection.execute(text(f'REVOKE {every} ON "{table.name}" FROM "{role}"'))
        for right in sorted(granted.get(table, ())):
            connection.execute(text(f'GRANT {right} ON "{table.name}" TO "{role}"'))
    connection.execute(text(f'GRANT SELECT ON "{_VERSION_TABLE}" TO "{role}"'))
    if connection.dialect.name == "postgresql":
        sequence = connection.scalar(text("SELECT pg_get_serial_sequence('gw_audit', 'id')"))
        connection.execute(text(f'GRANT USAGE ON SEQUENCE {sequence} TO "{role}"'))


def _every_right(connection: Connection, role: str) -> str:
    """What is taken from a role before it is granted what it needs. Raises ValueError for what is no role's name."""
    if not _ROLE.fullmatch(role):
        raise ValueError(f"not a role's name: {role!r}")
    # SQL Server has no ALL of a table's rights any more; its identities are not objects to grant
    return "ALL" if connection.dialect.name == "postgresql" else "SELECT, INSERT, UPDATE, DELETE, REFERENCES"
