"""Counts of where conversations go on and where they end.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gw_screen_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("channel", sa.String(length=31), nullable=False),
        sa.Column("menu", sa.String(length=60), nullable=False),
        sa.Column("screen", sa.String(length=60), nullable=False),
        sa.Column("missed", sa.String(length=40), nullable=False),
        sa.Column("event", sa.String(length=10), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "channel", "menu", "screen", "missed", "event", name=op.f("pk_gw_screen_day")),
    )


def downgrade() -> None:
    op.drop_table("gw_screen_day")
