"""Evidence as it came, entries that go through one pair of hands, one row for each payment."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from store_samples import NOW, after, evidence, only_postgresql, report, rows, sql

from gateway.domain.money import MAX_MINOR, Money
from gateway.domain.payments import EntryState, PaymentReport
from gateway.ports import BillRefused, ControlNumberGiven, Entry, KnownPayment, Notice, Verdict
from gateway.store import tables as g
from gateway.store.database import Database
from gateway.store.inbox import SqlPayments

EVERY_BYTE = bytes(range(256)) + "Malipo ya ₸ — 'sawa' \x00 😀".encode()
NUMBER = ControlNumberGiven("B1", "994120000011")


async def keep(database: Database, inbox_id: str, *noticed: Notice, **values: Any) -> None:
    async with database.writing() as tx:
        await tx.inbox.keep(evidence(inbox_id, **values), noticed)


async def claim(database: Database, limit: int = 10, now: datetime = NOW) -> list[Entry]:
    async with database.writing() as tx:
        return list(await tx.inbox.claim_new(limit, now))


# ----------------------------------------------------------------------------------------------------------- evidence


async def test_bytes_are_kept_as_they_came(database: Database) -> None:
    for number, body in enumerate((b"", b"\x00", EVERY_BYTE, EVERY_BYTE * 4_000)):
        digest = hashlib.sha256(body).hexdigest()
        await keep(database, f"I{number}", body=body, size=len(body) + 7, digest=digest)
        (kept,) = await rows(database, g.inbox, id=f"I{number}")
        assert (bytes(kept["body"]), kept["size"], kept["digest"]) == (body, len(body) + 7, digest)


async def test_evidence_is_kept_whole(database: Database) -> None:
    headers = {"user-agent": "Ünïcode '\"\\ \udcff", "content-type": "application/xml"}
    zoned = datetime(2026, 11, 22, 11, 15, 30, 123456, tzinfo=timezone(timedelta(hours=3)))
    await keep(
        database,
        "I1",
        headers=headers,
        received_at=zoned,
        verdict=Verdict.BAD_SIGNATURE,
        why="no key",
        message_id=None,
        reply_status=403,
    )
    (kept,) = await rows(database, g.inbox)
    assert kept["headers"] == headers
    assert (kept["received_at"], kept["received_at"].tzinfo) == (NOW, UTC)
    assert (kept["verdict"], kept["why"], kept["message_id"], kept["reply_status"]) == (
        "bad_signature",
        "no key",
        None,
        403,
    )
    assert await rows(database, g.entry) == []


async def test_an_inbox_id_is_used_once(database: Database) -> None:
    await keep(database, "I1", NUMBER)
    with pytest.raises(IntegrityError):
        await keep(database, "I1", NUMBER, body=b"another")
    assert len(await rows(database, g.inbox)) == len(await rows(database, g.entry)) == 1


# ------------------------------------------------------------------------------------------------------------ entries

ZONED = datetime(2026, 11, 22, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=3), "EAT"))


NOTICES: list[tuple[str, Notice]] = [
    ("control_number", NUMBER),
    ("bill_refused", BillRefused("B1", "7204", "Bill “does not” exist \\ '")),
    ("payment", report()),
    ("payment", report(amount=Money(MAX_MINOR), paid_at=ZONED)),
    ("payment", report(amount=Money(1, "USD"), paid_at=datetime(2026, 1, 1, tzinfo=UTC))),
    (
        "payment",
        report(
            reference="r" * 100,
            number="0" * 50,
            bill_id="B1",
            receipt="1704803236988",
            transaction="T1",
            payer_msisdn="+255712000001",
            payer_name="Asha Mushi 😀",
            channel="MOB",
            origin="CRDB",
        ),
    ),
    ("payment", report(provider_code="SP19960")),
]


async def test_a_notice_comes_back_as_it_went(database: Database) -> None:
    for number, (kind, notice) in enumerate(NOTICES):
        await keep(database, f"I{number}", notice)
        async with database.writing() as tx:
            (kept,) = await tx.inbox.entries_of(f"I{number}")
        assert kept == Entry(f"I{number}", 0, "gepg", kind, notice, EntryState.NEW, NOW)
        if isinstance(notice, PaymentReport):
            assert type(kept.notice.amount.amount_minor) is int
            assert kept.notice.paid_at.utcoffset() == notice.paid_at.utcoffset()
            assert kept.notice.digest == notice.digest
    assert {entry.notice for entry in await claim(database, 20)} == {notice for _, notice in NOTICES}


@pytest.mark.parametrize(
    ("fields", "notice"),
    [({}, report()), ({"provider_code": "SP1"}, report(provider_code="SP1")), ({"of_later": {"a": 1}}, report())],
    ids=["the release before", "this one", "a later one"],
)
async def test_a_payment_that_another_release_kept(
    database: Database, fields: dict[str, Any], notice: PaymentReport
) -> None:
    await keep(database, "I1", report())
    (row,) = await rows(database, g.entry)
    assert "provider_code" not in row["notice"], "what says nothing is left out: the release before does not know it"
    async with database.engine.begin() as connection:
        await connection.execute(g.entry.update().values(notice={**row["notice"], **fields}))
    async with database.reading() as tx:
        (kept,) = await tx.inbox.entries_of("I1")
    assert kept.notice == notice


async def test_entries_of_a_message_keep_their_order(database: Database) -> None:
    noticed = [report(f"R{n}") for n in range(12)]
    await keep(database, "I1", *noticed)
    await keep(database, "I2", NUMBER)
    async with database.reading() as tx:
        entries = await tx.inbox.entries_of("I1")
        assert await tx.inbox.entries_of("none") == []
    assert [(e.line, e.notice) for e in entries] == list(enumerate(noticed))


async def test_oldest_due_first_and_only_new_ones(database: Database) -> None:
    for inbox_id, seconds in (("late", 3), ("first", 1), ("second", 2)):
        await keep(database, inbox_id, NUMBER, received_at=after(seconds=seconds))
    assert [e.inbox_id for e in await claim(database, now=after(seconds=2))] == ["first", "second"]
    assert [e.inbox_id for e in await claim(database, 1, after(hours=1))] == ["first"]
    for state in EntryState:
        (entry,) = await claim(database, 1, after(hours=1))
        async with database.writing() as tx:
            await tx.inbox.mark(entry, state, after(hours=2), bill_id="B9", note="why")
            left = [e.inbox_id for e in await tx.inbox.claim_new(9, after(hours=1))]
        assert ("first" in left) == (state == EntryState.NEW), state
        row = (await rows(database, g.entry, inbox_id="first"))[0]
        assert (row["state"], row["bill_id"], row["note"], row["updated_at"]) == (state, "B9", "why", after(hours=2))
        await sql(database, "UPDATE gw_entry SET state = 'new' WHERE inbox_id = 'first'")


async def test_a_mark_meets_its_own_line_only(database: Database) -> None:
    await keep(database, "I1", report("R1"), report("R2"))
    await keep(database, "I2", report("R3"))
    entry = next(e for e in await claim(database) if e.notice == report("R2"))
    async with database.writing() as tx:
        await tx.inbox.mark(entry, EntryState.SETTLED, NOW)
    states = {(row["inbox_id"], row["line"]): row["state"] for row in await rows(database, g.entry)}
    assert states == {("I1", 0): "new", ("I1", 1): "settled", ("I2", 0): "new"}


async def test_a_postponed_entry_waits_and_is_counted(database: Database) -> None:
    await keep(database, "I1", report("R1"), report("R2"))
    (first, second) = await claim(database)
    for attempt in (1, 2):
        async with database.writing() as tx:
            await tx.inbox.postpone(first, after(seconds=30 * attempt), NOW, "ValueError")
        assert await claim(database, now=after(seconds=30 * attempt - 1)) == [second]
        due = await claim(database, now=after(seconds=30 * attempt))
        assert replace(first, attempts=attempt) in due
    async with database.writing() as tx:  # meanwhile another settled it: its state stands
        await tx.inbox.mark(first, EntryState.SETTLED, NOW)
        await tx.inbox.postpone(first, after(days=1), NOW, "late")
    row = (await rows(database, g.entry, line=0))[0]
    assert (row["state"], row["attempts"], row["note"]) == ("settled", 2, "")


async def test_a_kind_of_a_newer_release_stops_nothing(database: Database) -> None:
    await keep(database, "I1", NUMBER)
    await keep(database, "I2", NUMBER, received_at=after(seconds=1))
    await sql(database, "UPDATE gw_entry SET kind = 'bill_cancelled' WHERE inbox_id = 'I1'")
    (known,) = await claim(database, now=after(minutes=1))
    assert known.inbox_id == "I2"
    async with database.writing() as tx:
        assert [await tx.inbox.due(now) for now in (NOW, after(seconds=1))] == [False, True]
        await tx.inbox.mark(known, EntryState.SETTLED, NOW)
        assert not await tx.inbox.due(after(days=1))


@only_postgresql
async def test_entries_locked_elsewhere_are_passed_over(database: Database) -> None:
    await keep(database, "I1", *(report(f"R{n}") for n in range(4)))
    async with database.writing() as first, database.writing() as second:
        mine = await first.inbox.claim_new(2, NOW)
        yours = await asyncio.wait_for(second.inbox.claim_new(10, NOW), 5)
    assert len(mine) == len(yours) == 2
    assert {e.line for e in (*mine, *yours)} == {0, 1, 2, 3}


# ----------------------------------------------------------------------------------------------------------- payments


async def first_report(database: Database, paid: Any, inbox_id: str = "I1") -> KnownPayment | None:
    async with database.writing() as tx:
        return await tx.payments.first_report("gepg", paid, inbox_id, NOW)


async def test_of_twenty_twins_at_once_one_is_first(database: Database) -> None:
    twins = [report(receipt=f"envelope {n}") for n in range(20)]
    answers = await asyncio.gather(*(first_report(database, twin, f"I{n}") for n, twin in enumerate(twins)))
    assert answers.count(None) == 1
    (row,) = await rows(database, g.payment)
    assert [a for a in answers if a] == [KnownPayment(row["id"], report().digest, EntryState.NEW)] * 19
    assert row["inbox_id"] == f"I{answers.index(None)}"
    assert (row["amount_minor"], row["currency"], row["paid_at"]) == (3_000_000, "TZS", NOW)


async def test_reference_and_number_are_the_key(database: Database) -> None:
    assert await first_report(database, report()) is None
    for twin in (report(), report(amount=Money(1)), report(receipt="x")):
        known = await first_report(database, twin)
        assert known is not None
        assert known.digest == report().digest
    for other in (report(reference="other"), report(number="994120000012")):
        assert await first_report(database, other) is None
    assert len(await rows(database, g.payment)) == 3


async def test_a_payment_shows_what_became_of_it(database: Database) -> None:
    await first_report(database, report())
    await first_report(database, report("other"))
    async with database.writing() as tx:
        await tx.payments.mark(report(), EntryState.SETTLED, "B1", 77, after(seconds=1))
    known = await first_report(database, report())
    assert known is not None
    assert known.state == EntryState.SETTLED
    states = {r["reference"]: (r["state"], r["bill_id"], r["premium_id"]) for r in await rows(database, g.payment)}
    assert states == {report().reference: ("settled", "B1", 77), "other": ("new", None, None)}


@only_postgresql
async def test_a_first_report_that_fails_leaves_the_key_to_its_twin(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await SqlPayments(connection).first_report("gepg", report(), "I1", NOW) is None
        twin = asyncio.create_task(first_report(database, report(), "I2"))
        await asyncio.wait([twin], timeout=0.2)
        assert not twin.done()
        await connection.rollback()
    assert await asyncio.wait_for(twin, 5) is None
