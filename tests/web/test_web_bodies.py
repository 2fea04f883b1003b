"""A body is read up to a limit, however it comes."""

from __future__ import annotations

import asyncio
import gzip
import io
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from pytest_aiohttp import AiohttpClient

from gateway.web.bodies import SMALL, BodyRoom, NoRoomForBodyError, read_limited
from gateway.web.listeners import runner

LIMIT = 1_000
# name, bytes, sent in chunks, what is kept, whether it is seen to be too large
CASES = [
    ("nothing", b"", False, 0, False),
    ("little", b"x", False, 1, False),
    ("one less", b"x" * 999, False, 999, False),
    ("the limit", b"x" * 1_000, False, 1_000, False),
    ("one more", b"x" * 1_001, False, 1_000, True),
    ("much more", b"x" * 5_000_000, False, 1_000, True),
    ("chunks: nothing", b"", True, 0, False),
    ("chunks: the limit", b"x" * 1_000, True, 1_000, False),
    ("chunks: one more", b"x" * 1_001, True, 1_000, True),
    ("chunks: much more", b"x" * 5_000_000, True, 1_000, True),
]


def limited(app: web.Application) -> None:
    async def handle(request: web.Request) -> web.Response:
        body, size = await read_limited(request, LIMIT)
        return web.json_response([len(body), size, len(set(body))])

    app.router.add_post("/", handle)


async def opened(app: web.Application) -> tuple[web.AppRunner, str, int]:
    """As a process listens."""
    running = runner(app, shutdown_s=0.1, idle_s=75)
    await running.setup()
    site = web.TCPSite(running, "127.0.0.1", 0)
    await site.start()
    host, port = running.addresses[0][:2]
    return running, host, port


async def read(aiohttp_client: AiohttpClient, data: bytes, chunked: bool) -> tuple[int, int]:
    """(bytes kept, size as reported)."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 4_096):
            yield data[start : start + 4_096]

    app = web.Application()
    limited(app)
    client = await aiohttp_client(app)
    async with client.post("/", data=pieces() if chunked else io.BytesIO(data)) as response:
        assert response.status == 200
        kept, size, kinds = await response.json()
        assert kinds <= 1
        return kept, size


@pytest.mark.parametrize(("data", "chunked", "kept", "large"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
async def test_a_body_is_read_so_far(
    aiohttp_client: AiohttpClient, data: bytes, chunked: bool, kept: int, large: bool
) -> None:
    got, size = await read(aiohttp_client, data, chunked)
    assert got == kept
    assert (size > got) is large
    if not large or not chunked:
        assert size == len(data)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "nonsense"])
@pytest.mark.parametrize(
    "packed", [gzip.compress(b"x" * 400_000), b"no such thing", b""], ids=["bomb", "none", "empty"]
)
async def test_a_packed_body_is_taken_as_it_came(coding: str, packed: bytes) -> None:
    """Unpacking would cost a flood nothing and us a processor; what is no packing at all would be a fault of ours."""
    app = web.Application()
    limited(app)
    running, host, port = await opened(app)
    async with aiohttp.ClientSession() as client:
        headers = {"Content-Encoding": coding}
        async with client.post(f"http://{host}:{port}/", data=packed, headers=headers) as response:
            assert response.status == 200
            assert (await response.json())[:2] == [len(packed), len(packed)]
    await running.cleanup()


@pytest.mark.parametrize(
    ("begun", "then"),
    [
        (b"Content-Length: 100\r\n\r\nabc", b""),
        (b"Content-Length: 100000\r\n\r\n" + b"x" * 70_000, b""),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b""),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"+255712345678\r\nabc\r\n0\r\n\r\n"),
        (b"X: \x00+255712345678\r\n\r\n", b""),
    ],
    ids=["short", "short and large", "half a chunk", "no chunk", "no header"],
)
async def test_a_peer_that_hangs_up_is_no_fault_of_ours(begun: bytes, then: bytes, log_text: Callable[[], str]) -> None:
    """A line in the log for each would be a flood that fills the disk."""
    app = web.Application()
    arrived, ended = asyncio.Event(), asyncio.Queue[int]()

    @web.middleware
    async def noted(request: web.Request, handler: Handler) -> web.StreamResponse:
        arrived.set()
        try:
            return await handler(request)
        except web.HTTPException as refused:
            ended.put_nowait(refused.status)
            raise

    app.middlewares.append(noted)
    limited(app)
    running, host, port = await opened(app)
    _, writer = await asyncio.open_connection(host, port)
    writer.write(b"POST / HTTP/1.1\r\nHost: gateway\r\n" + begun)
    await writer.drain()
    if b"\0" not in begun:  # that one never becomes a request
        await asyncio.wait_for(arrived.wait(), 5)
        writer.write(then)
        writer.close()
        assert await asyncio.wait_for(ended.get(), 5) == 400
    writer.close()
    await running.cleanup()
    assert log_text() == ""


async def test_few_large_bodies_are_held_at_once(aiohttp_client: AiohttpClient) -> None:
    """As many wait, the others are turned away; small ones, which payments come in, are never kept waiting."""
    room, inside, turned_away, let_go = BodyRoom(2), asyncio.Semaphore(0), asyncio.Semaphore(0), asyncio.Event()
    most = now = 0

    async def handle(request: web.Request) -> web.Response:
        nonlocal most, now
        try:
            async with room.body(request, 1_000_000) as (body, size):
                if size > SMALL:
                    now += 1
                    most = max(most, now)
                    inside.release()
                    await let_go.wait()
                    now -= 1
        except NoRoomForBodyError:
            turned_away.release()
            return web.Response(status=503)
        return web.Response(text=str(len(body)))

    app = web.Application()
    app.router.add_post("/", handle)
    client = await aiohttp_client(app)
    large = [asyncio.create_task(client.post("/", data=b"x" * 70_000)) for _ in range(6)]
    async with asyncio.timeout(5):
        for happens in (inside, inside, turned_away, turned_away):
            await happens.acquire()
    for size in (0, 1, SMALL):
        async with asyncio.timeout(5), client.post("/", data=b"x" * size) as response:
            assert await response.text() == str(size)
    assert now == 2
    let_go.set()
    came = []
    for each in large:
        async with await each as response:
            came.append((response.status, await response.text()))
    assert sorted(came) == [(200, "70000")] * 4 + [(503, "")] * 2
    assert most == 2
    async with asyncio.timeout(5), client.post("/", data=b"x" * 70_000) as response:
        assert await response.text() == "70000", "a place that was waited for is free again"
