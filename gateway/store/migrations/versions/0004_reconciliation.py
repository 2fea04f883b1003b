"""Reconciliation: statements as they were asked for and taken, their lines, and what differs on a day.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mssql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_UTC = mssql.DATETIME2(6)  # type: ignore[no-untyped-call]  # SQLAlchemy has no annotation here
_MOMENT = sa.DateTime(timezone=True).with_variant(_UTC, "mssql")
_IDENTITY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PROSE = sa.Text().with_variant(sa.UnicodeText(), "mssql")


def _foreign(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.Unicode(length, collation="Latin1_General_100_BIN2"), "mssql")


def upgrade() -> None:
    op.create_table(
        "gw_statement_order",
        sa.Column("request_id", sa.String(length=40), nullable=False),
        sa.Column("provider", sa.String(length=30), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("provider_code", _foreign(25), nullable=True),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_gw_statement_order")),
    )
    op.create_table(
        "gw_statement",
        sa.Column("id", _IDENTITY, autoincrement=True, nullable=False),
        sa.Column("provider", sa.String(length=30), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("about", sa.String(length=10), nullable=False),
        sa.Column("provider_code", _foreign(25), nullable=True),
        sa.Column("request_id", _foreign(100), nullable=True),
        sa.Column("inbox_id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("file", _foreign(400), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("usable", sa.SmallInteger(), nullable=False),
        sa.Column("how", sa.JSON(), nullable=False),
        sa.Column("taken_at", _MOMENT, nullable=False),
        sa.Column("staged", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gw_statement")),
        sa.UniqueConstraint("inbox_id", name=op.f("uq_gw_statement_inbox_id")),
        sa.UniqueConstraint("provider", "digest", "about", name=op.f("uq_gw_statement_provider_digest_about")),
    )
    op.create_index("ix_gw_statement_day", "gw_statement", ["provider", "day"], unique=False)
    op.create_table(
        "gw_statement_line",
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reference", _foreign(100), nullable=False),
        sa.Column("control_number", _foreign(50), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("at_byte", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
    )
    op.create_index(
        "ix_gw_statement_line_key",
        "gw_statement_line",
        ["statement_id", "reference", "control_number"],
        unique=False,
        postgresql_using="brin",
    )
    op.create_table(
        "gw_statement_fault",
        sa.Column("statement_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("why", _PROSE, nullable=False),
        sa.PrimaryKeyConstraint("statement_id", "line", name=op.f("pk_gw_statement_fault")),
    )
    op.create_table(
        "gw_reconciliation",
        sa.Column("id", _IDENTITY, autoincrement=True, nullable=False),
        sa.Column("provider", sa.String(length=30), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("ran_at", _MOMENT, nullable=True),
        sa.Column("runner", sa.String(length=40), nullable=True),
        sa.Column("first_tried_at", _MOMENT, nullable=True),
        sa.Column("not_before", _MOMENT, nullable=True),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.Column("closed_by", _foreign(60), nullable=True),
        sa.Column("closed_report", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gw_reconciliation")),
        sa.UniqueConstraint("provider", "day", name=op.f("uq_gw_reconciliation_provider_day")),
    )
    op.create_table(
        "gw_difference",
        sa.Column("id", _IDENTITY, autoincrement=True, nullable=False),
        sa.Column("reconciliation_id", sa.BigInteger(), nullable=False),
        sa.Column("statement_id", sa.BigInteger(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("payment_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("became", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=True),
        sa.Column("reference", _foreign(100), nullable=False),
        sa.Column("control_number", _foreign(50), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("held_minor", sa.BigInteger(), nullable=True),
        sa.Column("held_currency", sa.String(length=3), nullable=True),
        sa.Column("repeats", sa.SmallInteger(), nullable=False),
        sa.Column("at_byte", sa.BigInteger(), nullable=True),
        sa.Column("bytes", sa.Integer(), nullable=True),
        sa.Column("why", _PROSE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gw_difference")),
    )
    op.create_index("ix_gw_difference_reconciliation_id", "gw_difference", ["reconciliation_id", "id"], unique=False)
    op.create_index("ix_gw_payment_provider_paid_at", "gw_payment", ["provider", "paid_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_gw_payment_provider_paid_at", table_name="gw_payment")
    for table in (
        "gw_difference",
        "gw_reconciliation",
        "gw_statement_fault",
        "gw_statement_line",
        "gw_statement",
        "gw_statement_order",
    ):
        op.drop_table(table)
