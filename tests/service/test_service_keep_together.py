"""Group commit: one transaction for many, an answer for each, and nobody pays for a neighbour."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from service_world import World

from gateway.ports import Evidence, Notice, Verdict
from gateway.service.keep_together import KeepTogether
from gateway.store import tables as g


def evidence(name: str) -> Evidence:
    now = datetime(2026, 11, 22, 8, tzinfo=UTC)
    return Evidence(name, "fakepay", "payments", now, b"ok", 2, {}, "0" * 64, Verdict.GENUINE, "", None, 200)


@dataclass
class Book:
    """A unit of work whose commits can be held, and which refuses messages called ``bad``."""

    commits: list[list[str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Any]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            page = Page()
            yield page
            await self.go.wait()
            self.commits.append(page.names)
        finally:
            self.at_once -= 1


class Page:
    def __init__(self) -> None:
        self.inbox = self
        self.names: list[str] = []

    async def keep_all(self, messages: Sequence[tuple[Evidence, Sequence[Notice]]]) -> None:
        self.names = [kept.id for kept, _ in messages]
        if any(name.startswith("bad") for name in self.names):
            raise ValueError("no room for this one")


def keeping(book: Book, names: Sequence[str], **limits: int) -> tuple[KeepTogether, list[asyncio.Task[None]]]:
    keep = KeepTogether(book, **limits)  # type: ignore[arg-type]
    return keep, [asyncio.create_task(keep(evidence(name), ())) for name in names]


async def test_what_comes_while_a_commit_is_under_way_goes_with_the_next() -> None:
    book = Book()
    names = [str(n) for n in range(10)]
    _, tasks = keeping(book, names, most=4, writers=1)
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)  # nobody is told before the commit
    book.go.set()
    await asyncio.gather(*tasks)
    assert [name for commit in book.commits for name in commit] == names
    assert max(len(commit) for commit in book.commits) == 4
    assert book.most_at_once == 1


async def test_no_more_commits_at_once_than_writers() -> None:
    book = Book()
    _, tasks = keeping(book, [str(n) for n in range(30)], most=5, writers=2)
    for _ in range(5):
        await asyncio.sleep(0)
    book.go.set()
    await asyncio.gather(*tasks)
    assert book.most_at_once == 2
    assert sorted(int(name) for commit in book.commits for name in commit) == list(range(30))


async def test_one_that_cannot_be_kept_takes_nobody_with_it() -> None:
    book = Book()
    book.go.set()
    _, tasks = keeping(book, ["1", "bad", "2", "bad too", "3"], writers=1)
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in told] == [type(None), ValueError, type(None), ValueError, type(None)]
    assert sorted(name for commit in book.commits for name in commit) == ["1", "2", "3"]


async def test_a_peer_that_went_away_is_kept_all_the_same() -> None:
    book = Book()
    keep, tasks = keeping(book, ["1", "2"], writers=1)
    await asyncio.sleep(0)
    tasks[0].cancel()
    book.go.set()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in told] == [asyncio.CancelledError, type(None)]
    assert sorted(name for commit in book.commits for name in commit) == ["1", "2"]
    await keep(evidence("3"), ())  # and the next is served
    assert book.commits[-1] == ["3"]


async def test_a_hundred_at_once_on_a_real_store(world: World) -> None:
    keep = KeepTogether(world.database)
    names = [f"I{n:03}" for n in range(100)]
    told = await asyncio.gather(*(keep(evidence(n), ()) for n in [*names, names[7]]), return_exceptions=True)
    assert sum(isinstance(each, Exception) for each in told) == 1  # the same key twice: one of the two is not kept
    assert sorted(row["id"] for row in await world.rows(g.inbox)) == names


@pytest.mark.parametrize("writers", [1, 2])
async def test_it_goes_on_after_failures(writers: int) -> None:
    book = Book()
    book.go.set()
    keep = KeepTogether(book, writers=writers)  # type: ignore[arg-type]
    for _ in range(10):
        with pytest.raises(ValueError, match="room"):
            await keep(evidence("bad"), ())
    await keep(evidence("good"), ())
    assert book.commits == [["good"]]
