"""Counts of screens a day: added up by whoever counts, in whatever order, and forgotten in time."""

from __future__ import annotations

import asyncio
import itertools
import random
from contextlib import suppress
from datetime import date, timedelta

from store_samples import rows

from gateway.domain.ussd.ends import ScreenEvent
from gateway.ports import CountBatch, ScreenCount
from gateway.store import tables as g
from gateway.store.database import Database

DAY = date(2026, 11, 22)


def counted(screen: str = "home", count: int = 1, **more: object) -> ScreenCount:
    whole = {"day": DAY, "channel": "a", "menu": "family", "missed": "", "event": ScreenEvent.SHOWN, **more}
    return ScreenCount(screen=screen, count=count, **whole)  # type: ignore[arg-type]


numbers = itertools.count(1)


def batch(writer: str = "one", number: int | None = None, day: date = DAY) -> CountBatch:
    return CountBatch(writer, next(numbers) if number is None else number, day)


async def add(database: Database, *counts: ScreenCount, which: CountBatch | None = None) -> bool:
    async with database.writing() as tx:
        return await tx.screens.add(which or batch(), counts)


async def test_a_batch_is_added_once_and_each_writers_by_itself(database: Database) -> None:
    once = [
        await add(database, counted(), which=batch(writer, number))
        for writer, number in [("a", 1), ("a", 1), ("b", 1), ("a", 2), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    ]
    assert once == [True, False, True, True, False, False, False, True]
    async with database.reading() as tx:
        assert await tx.screens.between(DAY, DAY) == [counted(count=4)]
    assert [(row["writer"], row["batch"]) for row in await rows(database, g.screen_writer)] == [("a", 2), ("b", 2)]


async def test_a_batch_that_is_sent_again_while_it_is_on_its_way_in_waits_for_it(database: Database) -> None:
    """The connection broke before the answer; the database still had the first in work."""
    async with asyncio.timeout(60):
        for number in range(1, 6):
            added = await asyncio.gather(*(add(database, counted(), which=batch("a", number)) for _ in range(4)))
            assert sorted(added) == [False, False, False, True]
    async with database.reading() as tx:
        assert await tx.screens.between(DAY, DAY) == [counted(count=5)]


async def test_what_is_taken_back_was_not_added(database: Database) -> None:
    with suppress(ZeroDivisionError):
        async with database.writing() as tx:
            assert await tx.screens.add(batch("a", 1), [counted()])
            raise ZeroDivisionError
    assert await add(database, counted(), which=batch("a", 1))


async def test_what_is_added_is_added_up(database: Database) -> None:
    await add(database, counted(count=2), counted("confirm", 5))
    await add(database, counted(count=3), counted(event=ScreenEvent.LEFT), counted(missed="bill"))
    async with database.reading() as tx:
        found = await tx.screens.between(DAY, DAY)
    assert found == [
        counted("confirm", 5),
        counted(event=ScreenEvent.LEFT),
        counted(count=5),
        counted(missed="bill"),
    ]


async def test_nothing_is_added_by_nothing(database: Database) -> None:
    assert await add(database)
    assert await rows(database, g.screen_day) == []


async def test_many_that_add_at_once_lose_nothing_and_wait_for_each_other_only(database: Database) -> None:
    """Each with the same rows in another order: the order of keys keeps two from waiting for one another."""
    names = [f"screen_{number}" for number in range(25)]

    async def one(seed: int) -> None:
        mixed = random.Random(seed).sample(names, len(names))
        for _ in range(5):
            await add(database, *(counted(name) for name in mixed), which=batch(f"{seed}"))

    await asyncio.gather(*(one(seed) for seed in range(8)))
    async with database.reading() as tx:
        assert [(c.screen, c.count) for c in await tx.screens.between(DAY, DAY)] == [
            (name, 40) for name in sorted(names)
        ]


async def test_days_a_menu_or_a_channel(database: Database) -> None:
    next_day = DAY + timedelta(days=1)
    await add(
        database,
        counted(count=1),
        counted(count=10, day=next_day),
        counted(count=100, channel="b"),
        counted(count=1_000, menu="renewal"),
    )

    async def seen(first: date, last: date, **which: str) -> int:
        async with database.reading() as tx:
            return sum(c.count for c in await tx.screens.between(first, last, **which))

    assert await seen(DAY, next_day) == 1_111
    assert await seen(next_day, next_day) == 10
    assert await seen(DAY, DAY, channel="b") == 100
    assert await seen(DAY, DAY, menu="renewal") == 1_000
    assert await seen(DAY, DAY, menu="renewal", channel="b") == 0
    assert await seen(DAY - timedelta(days=9), DAY - timedelta(days=1)) == 0


async def test_old_days_are_forgotten(database: Database) -> None:
    days = [DAY - timedelta(days=age) for age in range(4)]
    for day in days:
        await add(database, counted(day=day), which=batch(f"{day}", day=day))
    async with database.writing() as tx:
        assert await tx.screens.forget(DAY - timedelta(days=1)) == 2
    assert sorted(row["day"] for row in await rows(database, g.screen_day)) == [DAY - timedelta(days=1), DAY]
    assert sorted(row["day"] for row in await rows(database, g.screen_writer)) == [DAY - timedelta(days=1), DAY]
