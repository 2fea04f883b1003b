"""Phones that say that they stand beside the wrong family.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mssql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_UTC = mssql.DATETIME2(6)  # type: ignore[no-untyped-call]  # SQLAlchemy has no annotation here
_MOMENT = sa.DateTime(timezone=True).with_variant(_UTC, "mssql")


def upgrade() -> None:
    op.create_table(
        "gw_phone_report",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("says", sa.String(length=10), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gw_phone_report")),
        sa.UniqueConstraint("msisdn", "family_id", "says", name=op.f("uq_gw_phone_report_msisdn_family_id_says")),
    )


def downgrade() -> None:
    op.drop_table("gw_phone_report")
