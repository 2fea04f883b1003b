"""Waiting for a control number, and look-ups made together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from service_world import COVERED, EXPIRED, NUMBER, World, eventually

from gateway.ports import BillRefused, ControlNumberGiven
from gateway.service.batching import Batcher
from gateway.service.number_watch import NumberWatch


class Reads:
    """The unit of work, with its reads counted and, when told so, failing."""

    def __init__(self, world: World) -> None:
        self.world, self.count, self.fails, self.hangs = world, 0, False, False

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        self.count += 1
        if self.fails:
            raise ConnectionResetError
        if self.hangs:
            self.hangs = False  # the next connection is a sound one
            await asyncio.Event().wait()
        async with self.world.database.reading() as tx:
            yield tx

    writing = reading


@pytest.fixture
def reads(world: World) -> Reads:
    return Reads(world)


@pytest.fixture
async def watch(reads: Reads) -> AsyncIterator[NumberWatch]:
    watching = NumberWatch(reads, every_s=0.02)
    yield watching
    await watching.close()
    assert watching._waiting == {}  # whoever gave up is forgotten


async def waiting(watch: NumberWatch, count: int) -> None:
    async def all_there() -> bool:
        return sum(len(w) for w in watch._waiting.values()) == count

    await eventually(all_there)


async def test_the_number_wakes_all_who_wait_for_it(world: World, watch: NumberWatch, reads: Reads) -> None:
    bill, other = await world.ask(COVERED), await world.ask(EXPIRED)
    callers = [asyncio.create_task(watch.wait(bill.id, 10)) for _ in range(50)]
    elsewhere = asyncio.create_task(watch.wait(other.id, 10))
    await waiting(watch, 51)
    await world.told(ControlNumberGiven(bill.id, NUMBER))
    found = await asyncio.wait_for(asyncio.gather(*callers), 5)
    assert {b.control_number for b in found if b} == {NUMBER}
    assert None not in found
    assert not elsewhere.done()
    before = reads.count
    await world.told(BillRefused(other.id, "7204", "no"))
    refused = await asyncio.wait_for(elsewhere, 5)
    assert refused is not None
    assert refused.state == "refused"
    assert reads.count - before < 50


async def test_a_thousand_who_wait_are_one_query_at_a_time(world: World, reads: Reads) -> None:
    watch = NumberWatch(reads, every_s=0.1)
    answers = await asyncio.gather(*(watch.wait(f"B{n}", 0.25) for n in range(1_000)))
    await watch.close()
    assert set(answers) == {None}
    assert 1 <= reads.count <= 4


@pytest.mark.parametrize("budget_s", [0.0, -1.0])
async def test_no_budget_no_query(watch: NumberWatch, reads: Reads, budget_s: float) -> None:
    assert await watch.wait("B1", budget_s) is None
    assert reads.count == 0


async def test_the_budget_ends_the_wait(world: World, watch: NumberWatch) -> None:
    bill = await world.ask(COVERED)
    assert await asyncio.wait_for(watch.wait(bill.id, 0.1), 5) is None


async def test_a_failing_database_ends_in_the_budget_and_is_asked_again(
    world: World, watch: NumberWatch, reads: Reads
) -> None:
    bill = await world.numbered(COVERED)
    reads.fails = True
    assert await asyncio.wait_for(watch.wait(bill.id, 0.1), 5) is None
    assert reads.count >= 1
    patient = asyncio.create_task(watch.wait(bill.id, 10))
    await waiting(watch, 1)
    reads.fails = False
    found = await asyncio.wait_for(patient, 5)
    assert found is not None
    assert found.control_number == NUMBER


async def test_a_read_that_never_comes_back_keeps_no_later_caller_from_his_number(world: World, reads: Reads) -> None:
    """As on a connection whose other end is gone without a word: the system notices after many minutes."""
    watch = NumberWatch(reads, every_s=0.02, patience_s=0.2)
    bill = await world.ask(COVERED)
    reads.hangs = True
    assert await watch.wait(bill.id, 0.1) is None
    await world.told(ControlNumberGiven(bill.id, NUMBER))
    found = await watch.wait(bill.id, 10)
    assert found is not None
    assert found.control_number == NUMBER
    await watch.close()


async def test_a_caller_who_hangs_up_harms_no_other(world: World, watch: NumberWatch) -> None:
    bill = await world.ask(COVERED)
    gone, stays = (asyncio.create_task(watch.wait(bill.id, 10)) for _ in range(2))
    await waiting(watch, 2)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await world.told(ControlNumberGiven(bill.id, NUMBER))
    assert await asyncio.wait_for(stays, 5) is not None


async def test_nobody_waits_nobody_asks(world: World, watch: NumberWatch, reads: Reads) -> None:
    bill = await world.numbered(COVERED)
    assert await watch.wait(bill.id, 5) is not None
    task = watch._task
    assert task is not None
    await asyncio.wait_for(task, 5)  # the watching ends by itself
    assert await watch.wait(bill.id, 5) is not None  # and begins again


# ---- batching: no database is concerned


class Lookups:
    """What was fetched together, and an answer for each key."""

    def __init__(self, fails: BaseException | None = None) -> None:
        self.batches: list[list[str]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.fails = fails

    async def __call__(self, keys: Sequence[str]) -> dict[str, str]:
        self.batches.append(list(keys))
        await self.go.wait()
        if self.fails:
            raise self.fails
        return {key: key.upper() for key in keys if not key.startswith("un")}


async def test_look_ups_made_together() -> None:
    lookups = Lookups()
    batcher = Batcher(lookups)
    answers = await asyncio.gather(*(batcher.get(key) for key in ("a", "b", "a", "unknown", "c", "a")))
    assert answers == ["A", "B", "A", None, "C", "A"]
    assert lookups.batches == [["a", "b", "unknown", "c"]]
    assert await batcher.get("a") == "A"  # and nothing is remembered
    assert len(lookups.batches) == 2


async def test_batches_have_a_size_and_few_run_at_once() -> None:
    lookups = Lookups()
    lookups.go.clear()
    batcher = Batcher(lookups, size=3, in_flight=2)
    asking = [asyncio.create_task(batcher.get(f"k{n}")) for n in range(10)]
    await eventually(lambda: _is(len(lookups.batches) == 2))
    await asyncio.sleep(0.05)
    assert [len(batch) for batch in lookups.batches] == [3, 3]
    lookups.go.set()
    assert await asyncio.gather(*asking) == [f"K{n}" for n in range(10)]
    assert [len(batch) for batch in lookups.batches] == [3, 3, 3, 1]


async def _is(value: bool) -> bool:
    return value


async def test_each_who_asked_gets_the_error_for_himself() -> None:
    lookups = Lookups(ValueError("no", 7))
    batcher = Batcher(lookups)
    failures = await asyncio.gather(*(batcher.get(key) for key in "aab"), return_exceptions=True)
    assert [(type(f), f.args) for f in failures] == [(ValueError, ("no", 7))] * 3
    assert len({id(f) for f in failures}) == 3
    assert all(f.__cause__ is lookups.fails for f in failures)
    lookups.fails = None
    assert await batcher.get("a") == "A"


async def test_an_error_that_cannot_be_copied_arrives_all_the_same() -> None:
    class PickyError(Exception):
        def __init__(self, *, code: int) -> None:
            super().__init__("said", code)

    failures = await asyncio.gather(
        *(Batcher(Lookups(PickyError(code=1))).get(k) for k in "ab"), return_exceptions=True
    )
    assert [type(f) for f in failures] == [PickyError] * 2


async def test_a_cancelled_caller_harms_no_other() -> None:
    lookups = Lookups()
    lookups.go.clear()
    batcher = Batcher(lookups, in_flight=1)
    gone, stays = asyncio.create_task(batcher.get("a")), asyncio.create_task(batcher.get("a"))
    await eventually(lambda: _is(len(lookups.batches) == 1))
    gone.cancel()
    later = asyncio.create_task(batcher.get("b"))
    lookups.go.set()
    assert await asyncio.gather(stays, later) == ["A", "B"]
    assert gone.cancelled()


async def test_whoever_has_left_is_not_looked_up() -> None:
    """Behind a stuck look-up the callers of minutes would gather, and be looked up when it ends."""
    asked: list[list[str]] = []
    stuck = asyncio.Event()

    async def fetch(keys: Sequence[str]) -> dict[str, str]:
        asked.append(list(keys))
        await stuck.wait()
        return dict.fromkeys(keys, "found")

    batcher = Batcher(fetch, in_flight=1, gather_s=0)
    first = asyncio.create_task(batcher.get("first"))
    await eventually_asked(asked)
    gone = [asyncio.create_task(batcher.get(f"gone{n}")) for n in range(50)]
    stays = [asyncio.create_task(batcher.get(key)) for key in ("stays", "gone7")]
    await asyncio.sleep(0)
    for each in gone:
        each.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    stuck.set()
    assert await asyncio.gather(first, *stays) == ["found"] * 3
    assert asked[0] == ["first"]
    assert sorted(asked[1]) == ["gone7", "stays"]


async def test_a_batch_that_all_have_left_is_stopped() -> None:
    """And one that somebody still waits for is not."""
    asked: list[list[str]] = []
    stopped: list[list[str]] = []
    go = asyncio.Event()

    async def fetch(keys: Sequence[str]) -> dict[str, str]:
        asked.append(list(keys))
        try:
            await go.wait()
        except asyncio.CancelledError:
            stopped.append(list(keys))
            raise
        return dict.fromkeys(keys, "found")

    batcher = Batcher(fetch, size=2, in_flight=2, gather_s=0)
    asking = [asyncio.create_task(batcher.get(key)) for key in "aabcd"]
    await eventually(lambda: _is(len(asked) == 2))
    for place in (0, 1, 2, 3):
        asking[place].cancel()
    await eventually(lambda: _is(stopped == [["a", "b"]]))
    go.set()
    assert await asking[4] == "found"
    assert await batcher.get("e") == "found", "its place is free again"
    assert stopped == [["a", "b"]]


async def eventually_asked(asked: list[list[str]]) -> None:
    async def some() -> bool:
        return bool(asked)

    await eventually(some)
