"""MemorySessions: its bounds, with a clock turned by hand."""

from __future__ import annotations

from adapters.sessions.memory import MemorySessions

from .conftest import HandClock


async def test_a_life_ends_on_its_second(hand_clock: HandClock) -> None:
    store = MemorySessions(monotonic=hand_clock)
    await store.save("a", b"state", 180)
    hand_clock.now += 179.9
    assert await store.load("a") == b"state"
    hand_clock.now += 0.1
    assert await store.load("a") is None
    assert len(store) == 0


async def test_a_load_does_not_lengthen_a_life(hand_clock: HandClock) -> None:
    store = MemorySessions(monotonic=hand_clock)
    await store.save("a", b"state", 10)
    hand_clock.now += 9
    await store.load("a")
    hand_clock.now += 1
    assert await store.load("a") is None


async def test_beyond_its_size_the_least_recently_used_goes(hand_clock: HandClock) -> None:
    store = MemorySessions(max_sessions=3, monotonic=hand_clock)
    for key in "abc":
        await store.save(key, key.encode(), 60)
    await store.load("a")
    await store.save("b", b"b again", 60)
    await store.save("d", b"d", 60)
    assert [await store.load(key) for key in "abcd"] == [b"a", b"b again", None, b"d"]
    assert len(store) == 3


async def test_dead_sessions_do_not_pile_up(hand_clock: HandClock) -> None:
    store = MemorySessions(monotonic=hand_clock)
    for number in range(1_000):
        await store.save(f"a{number}", b"state", 60)
    hand_clock.now += 60
    for number in range(1_000):
        await store.save(f"b{number}", b"state", 60)
    assert len(store) == 1_000


async def test_a_store_of_one_keeps_the_last(hand_clock: HandClock) -> None:
    store = MemorySessions(max_sessions=1, monotonic=hand_clock)
    await store.save("a", b"1", 1)
    await store.save("b", b"2", 1)
    assert (await store.load("a"), await store.load("b"), len(store)) == (None, b"2", 1)
