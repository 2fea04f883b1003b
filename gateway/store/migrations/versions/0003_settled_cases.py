"""What a person did with a case: the act, who, and a note.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_PERSON = sa.String(60).with_variant(sa.Unicode(60, collation="Latin1_General_100_BIN2"), "mssql")
_PROSE = sa.Text().with_variant(sa.UnicodeText(), "mssql")


def upgrade() -> None:
    op.add_column("gw_case", sa.Column("act", sa.String(length=10), nullable=True))
    op.add_column("gw_case", sa.Column("closed_by", _PERSON, nullable=True))
    op.add_column("gw_case", sa.Column("note", _PROSE, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("gw_case", schema=None) as batch_op:
        batch_op.drop_column("note")
        batch_op.drop_column("closed_by")
        batch_op.drop_column("act")
