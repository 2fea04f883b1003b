"""As many connections as a listener may hold, and one more: over real sockets."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
import uvloop
from aiohttp import web
from prometheus_client import REGISTRY
from web_world import World

from config.settings import DatabaseSettings, ServingSettings, Settings
from gateway import open_files
from gateway.web.connections import FULL
from gateway.web.listeners import listen, runner

HELD, PATIENCE_S = 3, 30.0
ASK = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
ASK_LAST = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Listener:
    """One that holds a few, as a process listens."""

    def __init__(self, name: str = "tested") -> None:
        self.name = name
        self.port = 0
        self._dialled: list[asyncio.StreamWriter] = []

    async def start(self, app: web.Application, most: int = HELD, idle_s: float = 600) -> Listener:
        running = runner(app, shutdown_s=0.1, idle_s=idle_s)
        await running.setup()
        server = await listen(running, self.name, most, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._refused_before = self._count("gateway_connections_refused_total")
        self._stop = (server, running)
        return self

    async def stop(self) -> None:
        for writer in self._dialled:
            writer.close()
        await self.until_open(0)
        server, running = self._stop
        server.close()
        await running.cleanup()

    def _count(self, metric: str) -> int:
        return int(REGISTRY.get_sample_value(metric, {"listener": self.name}) or 0)

    @property
    def open(self) -> int:
        return self._count("gateway_connections_open")

    @property
    def refused(self) -> int:
        return self._count("gateway_connections_refused_total") - self._refused_before

    async def dial(self, said: bytes = b"") -> Streams:
        """A connection that has said so much before the listener turns to it."""
        caller = socket.create_connection(("127.0.0.1", self.port))
        caller.sendall(said)
        reader, writer = await asyncio.open_connection(sock=caller)
        self._dialled.append(writer)
        return reader, writer

    async def dial_and_ask(self) -> Streams:
        """Served, and kept open by both sides."""
        reader, writer = await self.dial(ASK)
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        await reader.readuntil(b"ok\n")
        return reader, writer

    async def until_open(self, wanted: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while self.open != wanted:  # noqa: ASYNC110 - the metric is all that tells
                await asyncio.sleep(0.001)


def alive(handle: Callable[[web.Request], Awaitable[web.Response]] | None = None) -> web.Application:
    async def ok(_request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    app = web.Application()
    app.router.add_get("/livez", ok)
    if handle is not None:
        app.router.add_get("/long", handle)
    return app


Start = Callable[..., Awaitable[Listener]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    started: list[Listener] = []

    async def begin(app: web.Application | None = None, name: str = "tested", **bounds: float) -> Listener:
        listener = await Listener(name).start(app or alive(), **bounds)  # type: ignore[arg-type]
        started.append(listener)
        return listener

    yield begin
    for listener in started:
        await listener.stop()
        assert listener.open == 0, "every place was given back"


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What came until the other side closed."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def test_one_beyond_the_bound_is_turned_away_and_served_when_another_has_left(start: Start) -> None:
    listener = await start()
    held = [await listener.dial_and_ask() for _ in range(HELD)]
    for turned_away in (1, 2):
        reader, _ = await listener.dial()
        assert await ended(reader) == FULL
        assert (listener.open, listener.refused) == (HELD, turned_away)
    held.pop()[1].close()
    await listener.until_open(HELD - 1)
    held.append(await listener.dial_and_ask())
    assert (listener.open, listener.refused) == (HELD, 2)
    for _, writer in held:
        writer.write(ASK_LAST)
    assert [(await ended(reader)).endswith(b"ok\n") for reader, _ in held] == [True] * HELD, "who was inside is served"


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_of_twenty_at_once_so_many_are_held(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Accepted in one turn of the loop, before any of them has said a word."""

    async def play() -> None:
        listener = await Listener().start(alive())
        dialled = await asyncio.gather(*(listener.dial() for _ in range(20)))
        reading = {asyncio.create_task(ended(reader)): writer for reader, writer in dialled}
        answered: set[asyncio.Task[bytes]] = set()
        async with asyncio.timeout(PATIENCE_S):
            while len(answered) < 20 - HELD:
                done, _ = await asyncio.wait(reading.keys() - answered, return_when=asyncio.FIRST_COMPLETED)
                answered |= done
        assert {task.result() for task in answered} == {FULL}
        assert (listener.open, listener.refused) == (HELD, 20 - HELD)
        for task in reading.keys() - answered:
            reading[task].write(ASK_LAST)
            assert (await task).endswith(b"ok\n")
        await listener.stop()

    with asyncio.Runner(loop_factory=loop) as run:
        run.run(play())


@pytest.mark.parametrize("said", [b"", b"GET /livez HT", ASK, ASK + b"GET"], ids=["nothing", "half", "one", "more"])
async def test_an_idle_connection_gives_its_place_back(start: Start, said: bytes) -> None:
    listener = await start(most=1, idle_s=0.05)
    reader, _ = await listener.dial(said)
    await ended(reader)
    assert listener.open == 0


async def test_a_request_that_takes_longer_than_idleness_is_answered(start: Start) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def long(_request: web.Request) -> web.Response:
        begun.set()
        await go_on.wait()
        return web.Response(text="at last")

    listener = await start(alive(long), idle_s=0.05)
    reader, _ = await listener.dial(ASK_LAST.replace(b"livez", b"long"))
    await begun.wait()
    silent, _ = await listener.dial()
    assert await ended(silent) == b"", "so long has passed"
    go_on.set()
    assert (await ended(reader)).endswith(b"at last")


async def test_operators_look_in_when_the_public_listener_is_full(start: Start) -> None:
    world = World()
    public = await start(world.public(), "public", most=1)
    operator = await start(world.operator(), "operator")
    await public.dial_and_ask()
    reader, _ = await public.dial()
    assert await ended(reader) == FULL
    async with aiohttp.ClientSession() as client:
        for path, part in [
            ("livez", "ok"),
            ("readyz", "{"),
            ("metrics", 'gateway_connections_open{listener="public"} 1.0'),
        ]:
            async with client.get(f"http://127.0.0.1:{operator.port}/{path}") as response:
                assert (response.status, part in await response.text()) == (200, True)


async def test_a_public_listener_is_full_and_providers_are_told_to_come_again(start: Start) -> None:
    """A 503 with an empty body, as any HTTP client reads it."""
    listener = await start(most=1)
    await listener.dial_and_ask()
    async with aiohttp.ClientSession() as client:
        try:
            async with client.get(f"http://127.0.0.1:{listener.port}/livez") as response:
                assert (response.status, response.headers["Retry-After"]) == (503, "1")
        except aiohttp.ClientConnectionError:
            pass  # closed as the request was on its way: no answer, and nothing was done
    assert listener.refused == 1


# --------------------------------------------------------------------------------------------------- the system's limit

SETTINGS = Settings(
    public=ServingSettings(port=0, connections=2_000),
    operator=ServingSettings(port=0, connections=50),
    database=DatabaseSettings(pool_size=50),
)
WANTED = 2_300
UNBOUNDED = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("soft", "hard", "raised_to", "is_enough"),
    [
        (1_024, 524_288, WANTED, True),
        (1_024, WANTED, WANTED, True),
        (1_024, WANTED - 1, WANTED - 1, False),
        (1_024, 1_024, None, False),
        (4_096, 4_096, None, True),
        (1_024, UNBOUNDED, WANTED, True),
        (UNBOUNDED, UNBOUNDED, None, True),
    ],
)
def test_files_that_a_process_may_open(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised_to: int | None, is_enough: bool
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _which, limits: asked.append(limits))
    assert open_files.wanted(SETTINGS) == WANTED
    open_files.allow(WANTED)
    assert asked == ([] if raised_to is None else [(raised_to, hard)])
    said = open_files.misgivings(SETTINGS)
    assert bool(said) is not is_enough
    assert all(f"{hard} files" in sentence and f"{WANTED}" in sentence for sentence in said)
