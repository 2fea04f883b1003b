"""Counts of screens a day: added up by whoever counts, in whatever order, and forgotten in time."""

from __future__ import annotations

import asyncio
import random
from datetime import date, timedelta

from store_samples import rows

from gateway.domain.ussd.ends import ScreenEvent
from gateway.ports import ScreenCount
from gateway.store import tables as g
from gateway.store.database import Database

DAY = date(2026, 11, 22)


def counted(screen: str = "home", count: int = 1, **more: object) -> ScreenCount:
    whole = {"day": DAY, "channel": "a", "menu": "family", "missed": "", "event": ScreenEvent.SHOWN, **more}
    return ScreenCount(screen=screen, count=count, **whole)  # type: ignore[arg-type]


async def add(database: Database, *counts: ScreenCount) -> None:
    async with database.writing() as tx:
        await tx.screens.add(counts)


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
    await add(database)
    assert await rows(database, g.screen_day) == []


async def test_many_that_add_at_once_lose_nothing_and_wait_for_each_other_only(database: Database) -> None:
    """Each with the same rows in another order: the order of keys keeps two from waiting for one another."""
    names = [f"screen_{number}" for number in range(25)]

    async def one(seed: int) -> None:
        mixed = random.Random(seed).sample(names, len(names))
        for _ in range(5):
            await add(database, *(counted(name) for name in mixed))

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
    await add(database, *(counted(day=DAY - timedelta(days=age)) for age in range(4)))
    async with database.writing() as tx:
        assert await tx.screens.forget(DAY - timedelta(days=1)) == 2
    assert sorted(row["day"] for row in await rows(database, g.screen_day)) == [DAY - timedelta(days=1), DAY]
