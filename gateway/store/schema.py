"""Bringing our tables to this build's schema, and telling whether they are there. openIMIS' tables are not ours."""

from __future__ import annotations

import re
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.store.tables import APPEND_ONLY, metadata

_VERSION_TABLE = "gw_schema_version"
_ROLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


async def upgrade(engine: AsyncEngine, app_role: str | None = None) -> None:
    """Migrate to the newest schema; ``serve`` never does. ``app_role`` gets what the application needs and no more."""
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(_config(sync), "head"))
        if app_role is not None:
            await connection.run_sync(_grant, app_role)


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the database is at this build's schema, or beyond it: an older process keeps working on a newer one."""
    async with engine.connect() as connection:
        return await connection.run_sync(_is_current)


def _is_current(connection: Connection) -> bool:
    script = ScriptDirectory.from_config(_config(connection))
    found = MigrationContext.configure(connection, opts={"version_table": _VERSION_TABLE}).get_current_revision()
    if found is None:
        return False
    known = {revision.revision for revision in script.walk_revisions()}
    return found == script.get_current_head() or found not in known


def _grant(connection: Connection, role: str) -> None:
    """The application may add evidence and audit rows, never change or remove one."""
    if not _ROLE.fullmatch(role):
        raise ValueError(f"not a role's name: {role!r}")
    for table in metadata.sorted_tables:
        rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        connection.execute(text(f'REVOKE ALL ON "{table.name}" FROM "{role}"'))
        connection.execute(text(f'GRANT {rights} ON "{table.name}" TO "{role}"'))
    connection.execute(text(f'GRANT SELECT ON "{_VERSION_TABLE}" TO "{role}"'))
    connection.execute(text(f'GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO "{role}"'))
