"""Alembic's way in. Migrates our tables only: openIMIS' are never touched."""

from __future__ import annotations

from alembic import context

from gateway.store.tables import metadata


def _ours(name: str | None, type_: str, _parents: object) -> bool:
    return type_ != "table" or (name or "").startswith("gw_")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=_ours,
    version_table="gw_schema_version",
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
