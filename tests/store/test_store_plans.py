"""The query plans that keep a backlog of millions cheap, as PostgreSQL would keep them for any parameters.

A kept (generic) plan is asked for, since a driver's prepared statements come to use one; of a custom plan the first
five executions would look good and the sixth read the whole table.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text
from store_samples import NOW, only_postgresql, spoken, sql

from gateway.domain.effects import SendSms
from gateway.store.database import Database

pytestmark = only_postgresql
DONE = 200_000
_FUNCTION = """
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS
$$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (GENERIC_PLAN) ' || query; END $$
"""


@pytest.fixture
async def crowded(database: Database) -> Database:
    """200,000 of everything that is over, and a little to do."""
    await sql(
        database,
        f"""INSERT INTO gw_outbox (kind, dedupe_key, aggregate, payload, priority, channel, state, not_before, attempts,
                                   created_at, done_at)
            SELECT 'send_sms', 'k' || n, 'a' || n,
                   json_build_object('to', '+1', 'text', 'x', 'message', 'm', 'about', 'a'),
                   0, 'sms', 'done', now(), 1, now(), now()
            FROM generate_series(1, {DONE}) n""",
        f"""INSERT INTO gw_entry (inbox_id, line, provider, kind, notice, state, received_at, not_before, attempts,
                                  note, updated_at)
            SELECT 'i' || n, 0, 'gepg', 'payment', '{{}}', 'settled', now(), now(), 0, '', now()
            FROM generate_series(1, {DONE}) n""",
        f"""INSERT INTO gw_phone (insuree_id, family_id, msisdn)
            SELECT 1000 + n, n / 5, '+25562' || lpad(n::text, 7, '0') FROM generate_series(1, {DONE}) n""",
        f"""INSERT INTO gw_officer_phone (officer_id, msisdn)
            SELECT 1000 + n, '+25562' || lpad(n::text, 7, '0') FROM generate_series(1, {DONE}) n""",
        f"""INSERT INTO gw_bill (id, key, generation, family_id, product_id, product_code, stage, chfid, payer_name,
                                 amount_minor, policy_value_minor, paid_minor, currency, pay_option, state,
                                 control_number, created_at, expires_at, asked_at, asked_times)
            SELECT 'B' || n, 'k' || n, 1, n / 5, 1, 'C', 'N', n::text, 'A', 1, 1, 1, 'TZS', 3, 'paid', n::text, now(),
                   now(), now(), 1
            FROM generate_series(1, {DONE}) n""",
        f"""INSERT INTO gw_payment (reference, control_number, digest, provider, amount_minor, currency, paid_at, state,
                                    inbox_id, bill_id, first_seen_at, updated_at)
            SELECT 'R' || n, 'N' || n, 'd', 'gepg', 1, 'TZS', now(), 'settled', 'i' || n, 'B' || n, now(), now()
            FROM generate_series(1, {DONE}) n""",
        f"""INSERT INTO gw_case (kind, subject, details, state, opened_at)
            SELECT 'wrong_amount', 'payment:R' || n || '/N' || n, '{{}}', 'closed', now()
            FROM generate_series(1, {DONE}) n""",
        f"""INSERT INTO gw_inbox (id, provider, route, received_at, body, size, headers, digest, verdict, why,
                                  message_id, reply_status)
            SELECT 'i' || n, 'bank-a', CASE WHEN n % 2 = 0 THEN 'notice' ELSE 'payments' END, now(), '', 0, '{{}}', 'd',
                   'genuine', '', 'R' || n, 200
            FROM generate_series(1, {DONE}) n""",
        "ANALYZE gw_outbox, gw_entry, gw_phone, gw_officer_phone, gw_bill, gw_payment, gw_case, gw_inbox",
    )
    async with database.writing() as tx:
        await tx.outbox.put([SendSms("+255712000001", "x", "covered", str(n)) for n in range(5)], NOW)
    return database


async def _plans(database: Database, said: list[tuple[str, object]]) -> list[str]:
    plans = []
    async with database.engine.connect() as connection:
        await connection.execute(text(_FUNCTION))
        for statement, _ in said:
            if statement.startswith(("SELECT", "UPDATE", "WITH")):
                lines = await connection.exec_driver_sql("SELECT * FROM pg_temp.plan($1)", (statement,))
                plans.append("\n".join(line for (line,) in lines))
    return plans


HOT: dict[str, tuple[Callable[[Any], Awaitable[Any]], list[str]]] = {
    "lease": (lambda tx: tx.outbox.lease("sms", 3, NOW, 60), ["ix_gw_outbox_(leased|open)", "ix_gw_outbox_(due|open)"]),
    "due jobs": (lambda tx: tx.outbox.due("sms", NOW), ["ix_gw_outbox_(due|open)"]),
    "due entries": (lambda tx: tx.inbox.due(NOW), ["ix_gw_entry_new"]),
    "counts": (lambda tx: tx.outbox.counts(), ["ix_gw_outbox_open"]),
    "claim": (lambda tx: tx.inbox.claim_new(1, NOW), ["ix_gw_entry_new"]),
    "caller": (lambda tx: tx.callers.known(["+255620000007"]), ["(?s)ix_gw_phone_msisdn.*ix_gw_officer_phone_msisdn"]),
    "number": (lambda tx: tx.bills.by_control_number("77"), ["uq_gw_bill_control_number"]),
    "open bill": (lambda tx: tx.bills.open_for(7, NOW), ["ix_gw_bill_family_id"]),
    "came elsewhere": (lambda tx: tx.payments.came_elsewhere("B7", "gepg"), ["ix_gw_payment_bill_id"]),
    "a settled notice": (lambda tx: tx.payments.sent_by("gepg", "R7"), ["uq_gw_case_kind_subject"]),
    "a new notice": (
        lambda tx: tx.payments.sent_by("bank-a", "R8"),
        ["uq_gw_payment_reference_control_number", "ix_gw_inbox_notice"],
    ),
    "silent": (lambda tx: tx.bills.silent(NOW, 10), ["ix_gw_bill_silent"]),
}


async def _plans_of(database: Database, name: str) -> list[str]:
    with spoken(database) as said:
        async with database.writing() as tx:
            await HOT[name][0](tx)
    return await _plans(database, said)


async def test_hot_queries_read_by_index(crowded: Database) -> None:
    for name, (_, indexes) in HOT.items():
        plans = await _plans_of(crowded, name)
        assert len(plans) == len(indexes), name
        for plan, index in zip(plans, indexes, strict=True):
            assert re.search(index, plan), f"{name}:\n{plan}"
            assert "Seq Scan" not in plan, f"{name}:\n{plan}"
    # and a lease from a long queue reads its head in order, not all of it
    await sql(
        crowded,
        "UPDATE gw_outbox SET state = 'todo' WHERE id % 5 = 0",
        "ANALYZE gw_outbox",
    )
    due = (await _plans_of(crowded, "lease"))[1]
    assert "ix_gw_outbox_due" in due
    assert "Seq Scan on" not in due
    assert "Sort" not in due
    # without its indexes the same test sees a table read whole
    await sql(crowded, "DROP INDEX ix_gw_outbox_due, ix_gw_outbox_open, ix_gw_phone_msisdn, ix_gw_entry_new")
    for name, table in {"lease": "gw_outbox", "caller": "gw_phone", "claim": "gw_entry"}.items():
        assert f"Seq Scan on {table}" in (await _plans_of(crowded, name))[-1]
