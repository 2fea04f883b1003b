"""The index of enrolment officers' phones, and which of those who asked for a bill are officers.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gw_officer_phone",
        sa.Column("officer_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("officer_id", name=op.f("pk_gw_officer_phone")),
    )
    op.create_index(op.f("ix_gw_officer_phone_msisdn"), "gw_officer_phone", ["msisdn"], unique=False)
    op.add_column("gw_bill_requester", sa.Column("officer", sa.Boolean(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("gw_bill_requester", schema=None) as batch_op:
        batch_op.drop_column("officer")
    op.drop_index(op.f("ix_gw_officer_phone_msisdn"), table_name="gw_officer_phone")
    op.drop_table("gw_officer_phone")
