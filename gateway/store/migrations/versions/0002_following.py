"""How far the registry's traces were followed, and the events noticed on the way.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mssql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_UTC = mssql.DATETIME2(6)  # type: ignore[no-untyped-call]  # SQLAlchemy has no annotation here
_MOMENT = sa.DateTime(timezone=True).with_variant(_UTC, "mssql")


def upgrade() -> None:
    op.create_table(
        "gw_place",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("followed", sa.BigInteger(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_gw_place")),
    )
    op.create_table(
        "gw_policy_event",
        sa.Column("policy_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=12), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("policy_id", "kind", name=op.f("pk_gw_policy_event")),
    )
    op.create_index(op.f("ix_gw_policy_event_at"), "gw_policy_event", ["at"], unique=False)


def downgrade() -> None:
    op.drop_table("gw_policy_event")
    op.drop_table("gw_place")
