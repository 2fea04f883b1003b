"""Who issued a control number, and a biller's notices by its own reference.

Numbers that are known already are ascribed to whoever told us of them.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_NOTICE = sa.text("route = 'notice'")
_TOLD = """
UPDATE gw_bill SET issuer = (
    SELECT MIN(gw_entry.provider) FROM gw_entry
    WHERE gw_entry.bill_id = gw_bill.id AND gw_entry.kind = 'control_number' AND gw_entry.state = 'settled'
)
WHERE control_number IS NOT NULL
"""


def upgrade() -> None:
    op.add_column("gw_bill", sa.Column("issuer", sa.String(length=30), nullable=True))
    op.execute(_TOLD)
    op.create_index(
        "ix_gw_inbox_notice",
        "gw_inbox",
        ["message_id"],
        unique=False,
        postgresql_where=_NOTICE,
        sqlite_where=_NOTICE,
        mssql_where=_NOTICE,
    )


def downgrade() -> None:
    op.drop_index("ix_gw_inbox_notice", table_name="gw_inbox")
    with op.batch_alter_table("gw_bill", schema=None) as batch_op:
        batch_op.drop_column("issuer")
