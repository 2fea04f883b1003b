"""The outbox: one row per business key, each job with one worker at a time, none forgotten."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event
from store_samples import NOW, after, only_postgresql, rows, sql

from gateway.domain.effects import Effect, SendSms, SubmitBill
from gateway.ports import Job
from gateway.store import tables as g
from gateway.store.database import Database
from gateway.store.outbox import SqlOutbox


def sms(about: str, to: str = "+255712000001", text: str = "Habari") -> SendSms:
    return SendSms(to, text, "covered", about)


async def put(database: Database, *effects: Effect, now: Any = NOW) -> int:
    async with database.writing() as tx:
        return await tx.outbox.put(effects, now)


async def lease(
    database: Database, limit: int = 10, now: Any = NOW, lease_s: float = 60, channel: str = "sms"
) -> list[Job]:
    async with database.writing() as tx:
        return list(await tx.outbox.lease(channel, limit, now, lease_s))


def abouts(jobs: list[Job]) -> list[str]:
    return [job.effect.aggregate for job in jobs]


async def test_many_keys_are_known_in_statements_that_every_server_takes(database: Database) -> None:
    """A stall promises to a hundred officers at once, each with its places of two hours."""
    await put(database, sms("a0"), sms("a1999"), sms("a2499"), sms("other"))
    await lease(database, limit=1)
    asked: list[int] = []

    def count(_connection: Any, _cursor: Any, _statement: str, parameters: Any, *_rest: Any) -> None:
        asked.append(len(parameters))

    async with database.writing() as tx:
        event.listen(database.engine.sync_engine, "before_cursor_execute", count)
        found = await tx.outbox.known([sms(f"a{n}").key for n in range(2_500)])
        event.remove(database.engine.sync_engine, "before_cursor_execute", count)
    assert sorted(known.effect.aggregate for known in found.values()) == ["a0", "a1999", "a2499"]
    assert all(known.open for known in found.values())
    assert len(asked) == 3
    assert max(asked) < 2_100


async def test_a_key_leaves_once(database: Database) -> None:
    assert await put(database, sms("a"), sms("b"), sms("a")) == 2
    assert await put(database, sms("a", text="said otherwise"), sms("c")) == 1
    assert (
        await put(database, sms("a", to="+255712000002"), SubmitBill("B1"), SubmitBill("B1", 2), SubmitBill("B1")) == 3
    )
    kept = await rows(database, g.outbox)
    assert [row["dedupe_key"] for row in kept] == [
        "sms:covered:a:+255712000001",
        "sms:covered:b:+255712000001",
        "sms:covered:c:+255712000001",
        "sms:covered:a:+255712000002",
        "bill:B1:1",
        "bill:B1:2",
    ]
    assert kept[0]["payload"] == {
        "to": "+255712000001", "text": "Habari", "message": "covered", "about": "a", "family_id": None, "anew": 0,
    }  # fmt: skip
    assert {(row["state"], row["attempts"], row["created_at"]) for row in kept} == {("todo", 0, NOW)}


async def test_the_longest_keys_fit(database: Database) -> None:
    longest = SendSms("+255712000001", "x", "number_refused", f"payment:{'r' * 100}/{'n' * 50}")
    assert await put(database, longest) == 1
    assert (await lease(database))[0].effect == longest


async def test_twins_from_two_transactions_at_once(database: Database) -> None:
    counted = await asyncio.gather(*(put(database, sms("a"), sms("b")) for _ in range(8)))
    assert sum(counted) == 2
    assert len(await rows(database, g.outbox)) == 2


@only_postgresql
async def test_a_twin_waits_for_the_first_and_takes_over_when_it_fails(database: Database) -> None:
    async with database.engine.connect() as connection:
        first = SqlOutbox(connection)
        assert await first.put([sms("a")], NOW) == 1
        twin = asyncio.create_task(put(database, sms("a")))
        await asyncio.wait([twin], timeout=0.2)
        assert not twin.done()
        await connection.rollback()
    assert await asyncio.wait_for(twin, 5) == 1


async def test_a_job_is_leased_as_it_was_put(database: Database) -> None:
    effects = [sms("a"), SubmitBill("B1", 3)]
    await put(database, *effects)
    (text,), (bill,) = await lease(database), await lease(database, channel="bills")
    assert [text.effect, bill.effect] == effects
    assert (text.attempts, text.created_at) == (1, NOW)
    assert text.lease_token != bill.lease_token
    assert await lease(database) == []


async def test_urgent_first_then_the_order_of_asking(database: Database) -> None:
    await put(database, *(sms(about) for about in "abcdef"))
    await sql(
        database,
        "UPDATE gw_outbox SET priority = 9 WHERE aggregate = 'a'",
        "UPDATE gw_outbox SET priority = 5 WHERE aggregate = 'c'",
    )
    assert [set(abouts(await lease(database, 2))) for _ in range(4)] == [{"b", "d"}, {"e", "f"}, {"c", "a"}, set()]


async def test_not_before_its_time(database: Database) -> None:
    await put(database, sms("a"), now=after(seconds=10))
    await put(database, sms("b"))
    assert abouts(await lease(database, now=after(seconds=9.999))) == ["b"]
    assert abouts(await lease(database, now=after(seconds=10))) == ["a"]


async def test_the_lease_is_never_longer_than_asked(database: Database) -> None:
    """On a table of any size: a subquery run for each row would lock more."""
    taken = []
    for size in (1, 5, 40, 300):
        await put(database, *(sms(f"{size}/{n}") for n in range(size)))
        taken.append(len(await lease(database, 3)))
    assert taken == [1, 3, 3, 3]


@pytest.mark.parametrize(
    ("close", "state"),
    [
        (lambda outbox, job, now: outbox.finish(job, "Accepted 7101", now), "done"),
        (lambda outbox, job, now: outbox.again(job, "Busy 503", after(seconds=90), now), "todo"),
        (lambda outbox, job, now: outbox.hold(job, "Unknown", now), "held"),
    ],
    ids=["finish", "again", "hold"],
)
async def test_only_who_holds_the_lease_closes_a_job(database: Database, close: Any, state: str) -> None:
    await put(database, sms("a"), sms("b"))
    lost, other = await lease(database, lease_s=60)
    taken_over = (await lease(database, 1, now=after(seconds=61)))[0]
    assert (taken_over.id, taken_over.attempts) == (lost.id, 2)
    async with database.writing() as tx:
        now = after(seconds=62)
        assert not await close(tx.outbox, lost, now)
        assert not await close(tx.outbox, replace(taken_over, lease_token=other.lease_token), now)
        assert not await close(tx.outbox, replace(taken_over, id=999), now)
        assert await close(tx.outbox, taken_over, now)
        assert not await close(tx.outbox, taken_over, now)
    row = (await rows(database, g.outbox, id=lost.id))[0]
    assert (row["state"], row["lease_token"], row["lease_until"]) == (state, None, None)
    assert row["done_at"] == (now if state == "done" else None)
    assert row["not_before"] == (after(seconds=90) if state == "todo" else NOW)
    assert row["last_outcome"] in ("Accepted 7101", "Busy 503", "Unknown")


async def test_a_lease_lasts_to_its_last_moment(database: Database) -> None:
    await put(database, sms("a"))
    (first,) = await lease(database, lease_s=60)
    assert await lease(database, now=after(seconds=60)) == []
    (second,) = await lease(database, now=after(seconds=60.001))
    assert first.id == second.id


async def test_done_and_held_jobs_are_never_due(database: Database) -> None:
    await put(database, sms("a"), sms("b"))
    a, b = await lease(database)
    async with database.writing() as tx:
        await tx.outbox.finish(a, "Done", NOW)
        await tx.outbox.hold(b, "Unknown", NOW)
    assert await lease(database, now=after(days=400)) == []
    assert await put(database, sms("a"), sms("b")) == 0


async def test_counts(database: Database) -> None:
    async with database.reading() as tx:
        assert await tx.outbox.counts() == {}
    await put(database, *(sms(about) for about in "abcdef"))
    done, held, *_ = await lease(database, 4)
    async with database.writing() as tx:
        await tx.outbox.finish(done, "Done", NOW)
        await tx.outbox.hold(held, "Unknown", NOW)
    async with database.reading() as tx:
        assert await tx.outbox.counts() == {"todo": 2, "leased": 2, "held": 1}


async def due(database: Database, now: Any = NOW, channel: str = "sms") -> bool:
    async with database.reading() as tx:
        return await tx.outbox.due(channel, now)


async def test_a_look_tells_whether_a_lease_would_give_anything(database: Database) -> None:
    assert not await due(database)
    await put(database, sms("a"), now=after(seconds=10))
    assert [await due(database, now) for now in (after(seconds=9.999), after(seconds=10))] == [False, True]
    assert not await due(database, after(seconds=10), "bills")
    (job,) = await lease(database, now=after(seconds=10), lease_s=60)
    assert [await due(database, now) for now in (after(seconds=70), after(seconds=70.001))] == [False, True]
    async with database.writing() as tx:
        await tx.outbox.finish(job, "Done", NOW)
    assert not await due(database, after(days=1))


async def test_a_kind_of_a_newer_release_stops_nothing(database: Database) -> None:
    await put(database, sms("a"), sms("b"))
    await sql(database, "UPDATE gw_outbox SET kind = 'send_telex' WHERE aggregate = 'a'")
    assert await due(database)
    assert abouts(await lease(database)) == ["b"]
    assert not await due(database)
    assert (await rows(database, g.outbox, kind="send_telex"))[0]["state"] == "todo"


async def test_many_workers_never_share_a_job(database: Database) -> None:
    await put(database, *(sms(str(n)) for n in range(120)))

    async def worker() -> list[int]:
        mine: list[int] = []
        while jobs := await lease(database, 4):
            mine += [job.id for job in jobs]
            async with database.writing() as tx:
                for job in jobs:
                    assert await tx.outbox.finish(job, "Done", NOW)
        return mine

    shares = await asyncio.wait_for(asyncio.gather(*(worker() for _ in range(8))), 30)
    assert Counter(job for share in shares for job in share) == dict.fromkeys(range(1, 121), 1)


@only_postgresql
async def test_a_worker_passes_over_what_another_is_taking(database: Database) -> None:
    await put(database, *(sms(about) for about in "abcd"))
    async with database.writing() as first:
        taken = await first.outbox.lease("sms", 2, NOW, 60)
        assert abouts(list(taken)) == ["a", "b"]
        assert abouts(await asyncio.wait_for(lease(database, 2), 5)) == ["c", "d"]
