"""Bills, inbox, outbox, cases, audit, phones: the first tables.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mssql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# MS SQL Server: times in UTC without a zone, and any letter, compared to the letter, in what others make up.
_UTC = mssql.DATETIME2(6)  # type: ignore[no-untyped-call]  # SQLAlchemy has no annotation here
_MOMENT = sa.DateTime(timezone=True).with_variant(_UTC, "mssql")
_PROSE = sa.Text().with_variant(sa.UnicodeText(), "mssql")


def _foreign(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.Unicode(length, collation="Latin1_General_100_BIN2"), "mssql")


def upgrade() -> None:
    # SQL Server's unique constraint holds two bills without a number for twins: there it is an index of those with one.
    on_mssql = op.get_context().dialect.name == "mssql"
    one_number = sa.UniqueConstraint("control_number", name=op.f("uq_gw_bill_control_number"))

    op.create_table(
        "gw_audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("actor", _foreign(60), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", _foreign(200), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gw_audit")),
    )
    op.create_table(
        "gw_audit_seal",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("audit_id", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_gw_audit_seal")),
        sa.UniqueConstraint("audit_id", name=op.f("uq_gw_audit_seal_audit_id")),
    )
    op.create_table(
        "gw_bill",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("product_code", _foreign(8), nullable=False),
        sa.Column("preceding_policy_id", sa.Integer(), nullable=True),
        sa.Column("stage", sa.String(length=1), nullable=False),
        sa.Column("chfid", _foreign(50), nullable=False),
        sa.Column("payer_name", _foreign(210), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("policy_value_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("pay_option", sa.SmallInteger(), nullable=False),
        sa.Column("provider_code", _foreign(25), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("control_number", _foreign(50), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("asked_times", sa.Integer(), nullable=False),
        sa.Column("payment_record_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gw_bill")),
        *(() if on_mssql else (one_number,)),
        sa.UniqueConstraint("key", "generation", name=op.f("uq_gw_bill_key_generation")),
    )
    if on_mssql:
        op.create_index(
            op.f("uq_gw_bill_control_number"),
            "gw_bill",
            ["control_number"],
            unique=True,
            mssql_where=sa.text("control_number IS NOT NULL"),
        )
    with op.batch_alter_table("gw_bill", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gw_bill_family_id"), ["family_id"], unique=False)
        batch_op.create_index(
            "ix_gw_bill_silent",
            ["asked_at"],
            unique=False,
            postgresql_where=sa.text("state IN ('created', 'submitted')"),
            mssql_where=sa.text("state IN ('created', 'submitted')"),
        )

    op.create_table(
        "gw_bill_fact",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("bill_id", sa.String(length=40), nullable=False),
        sa.Column("fact", sa.String(length=12), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gw_bill_fact")),
    )
    with op.batch_alter_table("gw_bill_fact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gw_bill_fact_bill_id"), ["bill_id"], unique=False)

    op.create_table(
        "gw_bill_requester",
        sa.Column("bill_id", sa.String(length=40), nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("bill_id", "msisdn", name=op.f("pk_gw_bill_requester")),
    )
    op.create_table(
        "gw_caller",
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("msisdn", name=op.f("pk_gw_caller")),
    )
    op.create_table(
        "gw_case",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("subject", _foreign(200), nullable=False),
        sa.Column("provider", sa.String(length=30), nullable=True),
        sa.Column("inbox_id", sa.String(length=40), nullable=True),
        sa.Column("bill_id", sa.String(length=40), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("opened_at", _MOMENT, nullable=False),
        sa.Column("closed_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gw_case")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_gw_case_kind_subject")),
    )
    with op.batch_alter_table("gw_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gw_case_state"), ["state"], unique=False)

    op.create_table(
        "gw_entry",
        sa.Column("inbox_id", sa.String(length=40), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("notice", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("not_before", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("bill_id", sa.String(length=40), nullable=True),
        sa.Column("note", _PROSE, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("inbox_id", "line", name=op.f("pk_gw_entry")),
    )
    with op.batch_alter_table("gw_entry", schema=None) as batch_op:
        batch_op.create_index(
            "ix_gw_entry_new",
            ["not_before"],
            unique=False,
            postgresql_where=sa.text("state = 'new'"),
            sqlite_where=sa.text("state = 'new'"),
            mssql_where=sa.text("state = 'new'"),
        )

    op.create_table(
        "gw_inbox",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("provider", sa.String(length=30), nullable=False),
        sa.Column("route", sa.String(length=30), nullable=False),
        sa.Column("received_at", _MOMENT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("why", _PROSE, nullable=False),
        sa.Column("message_id", _foreign(100), nullable=True),
        sa.Column("reply_status", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gw_inbox")),
    )
    with op.batch_alter_table("gw_inbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gw_inbox_received_at"), ["received_at"], unique=False)

    op.create_table(
        "gw_miss",
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.Column("hour", _MOMENT, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("msisdn", "hour", name=op.f("pk_gw_miss")),
    )
    op.create_table(
        "gw_outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("dedupe_key", _foreign(200), nullable=False),
        sa.Column("aggregate", _foreign(200), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("channel", sa.String(length=30), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("not_before", _MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(length=40), nullable=True),
        sa.Column("lease_until", _MOMENT, nullable=True),
        sa.Column("last_outcome", _PROSE, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("done_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gw_outbox")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_gw_outbox_dedupe_key")),
    )
    with op.batch_alter_table("gw_outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_gw_outbox_due",
            ["channel", "priority", "id"],
            unique=False,
            postgresql_where=sa.text("state = 'todo'"),
            sqlite_where=sa.text("state = 'todo'"),
            mssql_where=sa.text("state = 'todo'"),
        )
        batch_op.create_index(
            "ix_gw_outbox_leased",
            ["lease_until"],
            unique=False,
            postgresql_where=sa.text("state = 'leased'"),
            sqlite_where=sa.text("state = 'leased'"),
            mssql_where=sa.text("state = 'leased'"),
        )
        batch_op.create_index(
            "ix_gw_outbox_open",
            ["state"],
            unique=False,
            postgresql_where=sa.text("state != 'done'"),
            sqlite_where=sa.text("state != 'done'"),
            mssql_where=sa.text("state != 'done'"),
        )

    op.create_table(
        "gw_payment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("reference", _foreign(100), nullable=False),
        sa.Column("control_number", _foreign(50), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=30), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("paid_at", _MOMENT, nullable=False),
        sa.Column("receipt", _foreign(100), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("inbox_id", sa.String(length=40), nullable=False),
        sa.Column("bill_id", sa.String(length=40), nullable=True),
        sa.Column("premium_id", sa.BigInteger(), nullable=True),
        sa.Column("first_seen_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gw_payment")),
        sa.UniqueConstraint("reference", "control_number", name=op.f("uq_gw_payment_reference_control_number")),
    )
    with op.batch_alter_table("gw_payment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gw_payment_bill_id"), ["bill_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_gw_payment_control_number"), ["control_number"], unique=False)

    op.create_table(
        "gw_phone",
        sa.Column("insuree_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("family_id", sa.Integer(), nullable=False),
        sa.Column("msisdn", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("insuree_id", name=op.f("pk_gw_phone")),
    )
    with op.batch_alter_table("gw_phone", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gw_phone_msisdn"), ["msisdn"], unique=False)

    op.create_table(
        "gw_watermark",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_gw_watermark")),
    )


def downgrade() -> None:

    op.drop_table("gw_watermark")
    with op.batch_alter_table("gw_phone", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gw_phone_msisdn"))

    op.drop_table("gw_phone")
    with op.batch_alter_table("gw_payment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gw_payment_control_number"))
        batch_op.drop_index(batch_op.f("ix_gw_payment_bill_id"))

    op.drop_table("gw_payment")
    with op.batch_alter_table("gw_outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_gw_outbox_open", postgresql_where=sa.text("state != 'done'"), sqlite_where=sa.text("state != 'done'")
        )
        batch_op.drop_index(
            "ix_gw_outbox_leased",
            postgresql_where=sa.text("state = 'leased'"),
            sqlite_where=sa.text("state = 'leased'"),
        )
        batch_op.drop_index(
            "ix_gw_outbox_due", postgresql_where=sa.text("state = 'todo'"), sqlite_where=sa.text("state = 'todo'")
        )

    op.drop_table("gw_outbox")
    op.drop_table("gw_miss")
    with op.batch_alter_table("gw_inbox", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gw_inbox_received_at"))

    op.drop_table("gw_inbox")
    with op.batch_alter_table("gw_entry", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_gw_entry_new", postgresql_where=sa.text("state = 'new'"), sqlite_where=sa.text("state = 'new'")
        )

    op.drop_table("gw_entry")
    with op.batch_alter_table("gw_case", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gw_case_state"))

    op.drop_table("gw_case")
    op.drop_table("gw_caller")
    op.drop_table("gw_bill_requester")
    with op.batch_alter_table("gw_bill_fact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gw_bill_fact_bill_id"))

    op.drop_table("gw_bill_fact")
    with op.batch_alter_table("gw_bill", schema=None) as batch_op:
        batch_op.drop_index("ix_gw_bill_silent", postgresql_where=sa.text("state IN ('created', 'submitted')"))
        batch_op.drop_index(batch_op.f("ix_gw_bill_family_id"))

    op.drop_table("gw_bill")
    op.drop_table("gw_audit_seal")
    op.drop_table("gw_audit")
