"""Our own tables. Amounts are integers of minor units; evidence and audit rows are only ever inserted."""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    event,
    text,
)

from gateway.store.types import Identity64, Prose, UtcDateTime, foreign

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _not_mssql(*_: object, dialect: Dialect, **__: object) -> bool:
    return dialect.name != "mssql"


bill = Table(
    "gw_bill",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("key", String(120), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("family_id", Integer, nullable=False, index=True),
    Column("product_id", Integer, nullable=False),
    Column("product_code", foreign(8), nullable=False),
    Column("preceding_policy_id", Integer),
    Column("stage", String(1), nullable=False),
    Column("chfid", foreign(50), nullable=False),
    Column("payer_name", foreign(210), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("policy_value_minor", BigInteger, nullable=False),
    Column("paid_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("pay_option", SmallInteger, nullable=False),
    Column("provider_code", foreign(25)),
    Column("state", String(12), nullable=False),
    Column("control_number", foreign(50)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("asked_times", Integer, nullable=False),  # below zero: given up after so many
    Column("payment_record_id", BigInteger),
    Column("reuses", foreign(50)),
    Column("issuer", String(30)),
    UniqueConstraint("key", "generation"),
    UniqueConstraint("control_number").ddl_if(callable_=_not_mssql),
)
# SQL Server's unique constraint holds two bills without a number for twins. Not an Index of the table's: where Alembic
# compares, it would be missed on the other databases.
_one_number = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy has no annotation here
    "CREATE UNIQUE INDEX uq_gw_bill_control_number ON gw_bill (control_number) WHERE control_number IS NOT NULL"
)
event.listen(bill, "after_create", _one_number.execute_if(dialect="mssql"))
Index(
    "ix_gw_bill_silent",
    bill.c.asked_at,
    postgresql_where=bill.c.state.in_(("created", "submitted")),
    mssql_where=bill.c.state.in_(("created", "submitted")),
)

# What the look for bills whose life has ended reads: those that somebody could still pay.
_unpaid = bill.c.state.in_(("created", "submitted", "numbered"))
Index("ix_gw_bill_life", bill.c.expires_at, postgresql_where=_unpaid, sqlite_where=_unpaid, mssql_where=_unpaid)

# Control numbers asked for ahead of time. A row becomes a bill when it is handed out, under the same id.
pool_number = Table(
    "gw_pool_number",
    metadata,
    Column("bill_id", String(40), primary_key=True),
    Column("product_id", Integer, nullable=False),
    Column("product_code", foreign(8), nullable=False),
    Column("provider_code", foreign(25)),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("pay_option", SmallInteger, nullable=False),
    Column("state", String(12), nullable=False),
    Column("control_number", foreign(50)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("asked_times", Integer, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("payment_record_id", BigInteger),
    UniqueConstraint("control_number").ddl_if(callable_=_not_mssql),
)
_one_pool_number = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy has no annotation here
    "CREATE UNIQUE INDEX uq_gw_pool_number_control_number ON gw_pool_number (control_number) "
    "WHERE control_number IS NOT NULL"
)
event.listen(pool_number, "after_create", _one_pool_number.execute_if(dialect="mssql"))
_in_pool = pool_number.c.state.in_(("asked", "ready"))
Index(
    "ix_gw_pool_number_open",
    pool_number.c.product_id,
    pool_number.c.state,
    pool_number.c.expires_at,
    postgresql_where=_in_pool,
    sqlite_where=_in_pool,
    mssql_where=_in_pool,
)

bill_fact = Table(
    "gw_bill_fact",
    metadata,
    Column("id", Identity64, primary_key=True, autoincrement=True),
    Column("bill_id", String(40), nullable=False, index=True),
    Column("fact", String(12), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("details", JSON, nullable=False),
)

bill_requester = Table(
    "gw_bill_requester",
    metadata,
    Column("bill_id", String(40), primary_key=True),
    Column("msisdn", String(16), primary_key=True),
    Column("language", String(5), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("officer", Boolean),  # NULL: no
)

inbox = Table(
    "gw_inbox",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("provider", String(30), nullable=False),
    Column("route", String(30), nullable=False),
    Column("received_at", UtcDateTime, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("why", Prose, nullable=False),
    Column("message_id", foreign(100)),
    Column("reply_status", SmallInteger, nullable=False),
)

# A biller asks about a payment by its own reference before it is settled. Only its notices are indexed.
Index(
    "ix_gw_inbox_notice",
    inbox.c.message_id,
    postgresql_where=inbox.c.route == text("'notice'"),
    sqlite_where=inbox.c.route == text("'notice'"),
    mssql_where=inbox.c.route == text("'notice'"),
)

entry = Table(
    "gw_entry",
    metadata,
    Column("inbox_id", String(40), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("provider", String(30), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("notice", JSON, nullable=False),
    Column("state", String(12), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("bill_id", String(40)),
    Column("note", Prose, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
Index(
    "ix_gw_entry_new",
    entry.c.not_before,
    postgresql_where=entry.c.state == text("'new'"),
    sqlite_where=entry.c.state == text("'new'"),
    mssql_where=entry.c.state == text("'new'"),
)

payment = Table(
    "gw_payment",
    metadata,
    Column("id", Identity64, primary_key=True, autoincrement=True),
    Column("reference", foreign(100), nullable=False),
    Column("control_number", foreign(50), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("provider", String(30), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("paid_at", UtcDateTime, nullable=False),
    Column("receipt", foreign(100)),
    Column("state", String(12), nullable=False),
    Column("inbox_id", String(40), nullable=False),
    Column("bill_id", String(40), index=True),
    Column("premium_id", BigInteger),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("reference", "control_number"),
)
Index("ix_gw_payment_provider_paid_at", payment.c.provider, payment.c.paid_at)

outbox = Table(
    "gw_outbox",
    metadata,
    Column("id", Identity64, primary_key=True, autoincrement=True),
    Column("kind", String(30), nullable=False),
    Column("dedupe_key", foreign(200), nullable=False, unique=True),
    Column("aggregate", foreign(200), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("channel", String(30), nullable=False),
    Column("state", String(8), nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_token", String(40)),
    Column("lease_until", UtcDateTime),
    Column("last_outcome", Prose),
    Column("created_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
)
# Partial, so that a backlog of millions of done rows costs the poll nothing.
Index(
    "ix_gw_outbox_due",
    outbox.c.channel,
    outbox.c.priority,
    outbox.c.id,
    postgresql_where=outbox.c.state == text("'todo'"),
    sqlite_where=outbox.c.state == text("'todo'"),
    mssql_where=outbox.c.state == text("'todo'"),
)
Index(
    "ix_gw_outbox_leased",
    outbox.c.lease_until,
    postgresql_where=outbox.c.state == text("'leased'"),
    sqlite_where=outbox.c.state == text("'leased'"),
    mssql_where=outbox.c.state == text("'leased'"),
)
Index(
    "ix_gw_outbox_open",
    outbox.c.state,
    postgresql_where=outbox.c.state != text("'done'"),
    sqlite_where=outbox.c.state != text("'done'"),
    mssql_where=outbox.c.state != text("'done'"),
)

case = Table(
    "gw_case",
    metadata,
    Column("id", Identity64, primary_key=True, autoincrement=True),
    Column("kind", String(30), nullable=False),
    Column("subject", foreign(200), nullable=False),
    Column("provider", String(30)),
    Column("inbox_id", String(40)),
    Column("bill_id", String(40)),
    Column("amount_minor", BigInteger),
    Column("currency", String(3)),
    Column("details", JSON, nullable=False),
    Column("state", String(8), nullable=False, index=True),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("act", String(10)),
    Column("closed_by", foreign(60)),
    Column("note", Prose),
    UniqueConstraint("kind", "subject"),
)

audit = Table(
    "gw_audit",
    metadata,
    Column("id", Identity64, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", foreign(60), nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", foreign(200), nullable=False),
    Column("details", JSON, nullable=False),
)

# The chain stands beside the rows, so that sealing in batches updates none of them.
audit_seal = Table(
    "gw_audit_seal",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("audit_id", BigInteger, nullable=False, unique=True),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("sealed_at", UtcDateTime, nullable=False),
)

caller = Table(
    "gw_caller",
    metadata,
    Column("msisdn", String(16), primary_key=True),
    Column("language", String(5), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

phone = Table(
    "gw_phone",
    metadata,
    Column("insuree_id", Integer, primary_key=True, autoincrement=False),
    Column("family_id", Integer, nullable=False),
    Column("msisdn", String(16), nullable=False, index=True),
)

officer_phone = Table(
    "gw_officer_phone",
    metadata,
    Column("officer_id", Integer, primary_key=True, autoincrement=False),
    Column("msisdn", String(16), nullable=False, index=True),
)

miss = Table(
    "gw_miss",
    metadata,
    Column("msisdn", String(16), primary_key=True),
    Column("hour", UtcDateTime, primary_key=True),
    Column("count", Integer, nullable=False),
)

# Open reports only: a row goes when its case is closed.
phone_report = Table(
    "gw_phone_report",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("msisdn", String(16), nullable=False),
    Column("family_id", Integer, nullable=False),
    Column("says", String(10), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("msisdn", "family_id", "says"),
)

watermark = Table(
    "gw_watermark",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

# How far a registry's traces were followed. What lies between the two places is read again until ``seen_at`` is old: a
# transaction that took its key early may commit late.
place = Table(
    "gw_place",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("followed", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

policy_event = Table(
    "gw_policy_event",
    metadata,
    Column("policy_id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(12), primary_key=True),
    Column("family_id", Integer, nullable=False),
    Column("origin", String(12), nullable=False),
    Column("day", Date, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
)

# A day's account as it was asked for: the answer names the request only.
statement_order = Table(
    "gw_statement_order",
    metadata,
    Column("request_id", String(40), primary_key=True),
    Column("provider", String(30), nullable=False),
    Column("day", Date, nullable=False),
    Column("provider_code", foreign(25)),
    Column("asked_at", UtcDateTime, nullable=False),
)

# A statement's file and how far its lines are staged. The file is the truth, the lines below can be staged anew.
# ``about`` is the day once more, empty where none is known: a key's part that must not be null.
statement = Table(
    "gw_statement",
    metadata,
    Column("id", Identity64, primary_key=True, autoincrement=True),
    Column("provider", String(30), nullable=False),
    Column("day", Date),
    Column("about", String(10), nullable=False),
    Column("provider_code", foreign(25)),
    Column("request_id", foreign(100)),
    Column("inbox_id", String(40), nullable=False, unique=True),
    Column("digest", String(64), nullable=False),
    Column("file", foreign(400), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("usable", SmallInteger, nullable=False),
    Column("how", JSON, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("staged", SmallInteger, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("totals", JSON, nullable=False),
    UniqueConstraint("provider", "digest", "about"),
)
Index("ix_gw_statement_day", statement.c.provider, statement.c.day)

# No key: lines and the place up to which they were staged are one commit, and on PostgreSQL a key of a million lines
# takes as long as the lines. They are loaded side by side, so that a range index finds a statement's without reading
# others', and a hash join needs no more. The other databases look lines up in an index proper.
statement_line = Table(
    "gw_statement_line",
    metadata,
    Column("statement_id", BigInteger, nullable=False),
    Column("line", Integer, nullable=False),
    Column("reference", foreign(100), nullable=False),
    Column("control_number", foreign(50), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("at_byte", BigInteger, nullable=False),
    Column("bytes", Integer, nullable=False),
)
Index(
    "ix_gw_statement_line_key",
    statement_line.c.statement_id,
    statement_line.c.reference,
    statement_line.c.control_number,
    postgresql_using="brin",
)

statement_fault = Table(
    "gw_statement_fault",
    metadata,
    Column("statement_id", BigInteger, primary_key=True, autoincrement=False),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("why", Prose, nullable=False),
)

reconciliation = Table(
    "gw_reconciliation",
    metadata,
    Column("id", Identity64, primary_key=True, autoincrement=True),
    Column("provider", String(30), nullable=False),
    Column("day", Date, nullable=False),
    Column("report", JSON),
    Column("ran_at", UtcDateTime),
    Column("runner", String(40)),
    Column("first_tried_at", UtcDateTime),
    Column("not_before", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("closed_by", foreign(60)),
    Column("closed_report", JSON),
    UniqueConstraint("provider", "day"),
)

difference = Table(
    "gw_difference",
    metadata,
    Column("id", Identity64, primary_key=True, autoincrement=True),
    Column("reconciliation_id", BigInteger, nullable=False),
    Column("statement_id", BigInteger),
    Column("line", Integer),
    Column("payment_id", BigInteger),
    Column("kind", String(20), nullable=False),
    Column("became", String(10), nullable=False),
    Column("code", String(24)),
    Column("reference", foreign(100), nullable=False),
    Column("control_number", foreign(50), nullable=False),
    Column("amount_minor", BigInteger),
    Column("currency", String(3)),
    Column("held_minor", BigInteger),
    Column("held_currency", String(3)),
    Column("repeats", SmallInteger, nullable=False),
    Column("at_byte", BigInteger),
    Column("bytes", Integer),
    Column("why", Prose, nullable=False),
)
Index("ix_gw_difference_reconciliation_id", difference.c.reconciliation_id, difference.c.id)

# Sums, added up by every serving process. The names are the book's and the settings', and hold no other letters.
screen_day = Table(
    "gw_screen_day",
    metadata,
    Column("day", Date, primary_key=True),
    Column("channel", String(31), primary_key=True),
    Column("menu", String(60), primary_key=True),
    Column("screen", String(60), primary_key=True),
    Column("missed", String(40), primary_key=True),
    Column("event", String(10), primary_key=True),
    Column("count", BigInteger, nullable=False),
)

# What each life of a serving process added last: one row each, so that a batch sent again is not added again.
screen_writer = Table(
    "gw_screen_writer",
    metadata,
    Column("writer", String(32), primary_key=True),
    Column("batch", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
)

# Rows that the application's own role may add and read, never change or remove.
APPEND_ONLY = (inbox, bill_fact, audit, audit_seal)
