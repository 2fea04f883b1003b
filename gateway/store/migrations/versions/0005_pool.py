"""The pool of control numbers, bills that ask for an earlier number, and the look for bills whose life has ended.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mssql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_UTC = mssql.DATETIME2(6)  # type: ignore[no-untyped-call]  # SQLAlchemy has no annotation here
_MOMENT = sa.DateTime(timezone=True).with_variant(_UTC, "mssql")


def _foreign(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.Unicode(length, collation="Latin1_General_100_BIN2"), "mssql")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        op.f(name), table, columns, postgresql_where=condition, sqlite_where=condition, mssql_where=condition
    )


def upgrade() -> None:
    # SQL Server's unique constraint holds two rows without a number for twins: there it is an index of those with one.
    on_mssql = op.get_context().dialect.name == "mssql"
    one_number = sa.UniqueConstraint("control_number", name=op.f("uq_gw_pool_number_control_number"))

    op.add_column("gw_bill", sa.Column("reuses", _foreign(50), nullable=True))
    _partial("ix_gw_bill_life", "gw_bill", ["expires_at"], "state IN ('created', 'submitted', 'numbered')")
    op.create_table(
        "gw_pool_number",
        sa.Column("bill_id", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("product_code", _foreign(8), nullable=False),
        sa.Column("provider_code", _foreign(25), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("pay_option", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("control_number", _foreign(50), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("asked_times", sa.Integer(), nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("payment_record_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("bill_id", name=op.f("pk_gw_pool_number")),
        *(() if on_mssql else (one_number,)),
    )
    if on_mssql:
        op.create_index(
            op.f("uq_gw_pool_number_control_number"),
            "gw_pool_number",
            ["control_number"],
            unique=True,
            mssql_where=sa.text("control_number IS NOT NULL"),
        )
    _partial(
        "ix_gw_pool_number_open", "gw_pool_number", ["product_id", "state", "expires_at"], "state IN ('asked', 'ready')"
    )


def downgrade() -> None:
    op.drop_table("gw_pool_number")
    op.drop_index("ix_gw_bill_life", table_name="gw_bill")
    with op.batch_alter_table("gw_bill", schema=None) as batch_op:
        batch_op.drop_column("reuses")
