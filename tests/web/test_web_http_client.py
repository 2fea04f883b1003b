"""Our calls to counterparties over real sockets: a whole answer, or an outcome that says what may have happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from gateway.domain.outcomes import Outcome, Unknown, Unreachable
from gateway.http_client import AiohttpClient
from gateway.ports import HttpRequest, HttpResponse

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LIMIT = 1_000_000  # bytes of an answer that are read


@asynccontextmanager
async def client() -> AsyncIterator[AiohttpClient]:
    opened = AiohttpClient()
    try:
        yield opened
    finally:
        await opened.close()


async def answered(handler: Handler, timeout_s: float = 30.0) -> HttpResponse | Outcome:
    app = web.Application()
    app.router.add_post("/", handler)
    async with TestServer(app) as peer, client() as calls:
        return await calls.send(HttpRequest("POST", str(peer.make_url("/")), {}, b"x"), timeout_s)


async def _turns() -> None:
    """Both ends live in one event loop: after these turns of it the other one has read what was written."""
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.mark.parametrize("sized", [True, False], ids=["of a told length", "chunked"])
async def test_an_answer_in_pieces_is_read_whole(sized: bool) -> None:
    async def in_pieces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        if sized:
            response.content_length = 10
        await response.prepare(request)
        for piece in (b"123", b"4567", b"890"):
            await response.write(piece)
            await _turns()
        return response

    response = await answered(in_pieces)
    assert isinstance(response, HttpResponse)
    assert response.body == b"1234567890"


async def test_an_answer_without_an_end_is_read_up_to_a_bound() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b"x" * 100_000)
        return response

    response = await answered(endless)
    assert isinstance(response, HttpResponse)
    assert response.body == b"x" * LIMIT


async def test_an_answer_that_stops_in_the_middle_may_have_been_an_answer() -> None:
    async def torn(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 10
        await response.prepare(request)
        await response.write(b"12345")
        assert request.transport is not None
        request.transport.close()
        return response

    assert await answered(torn) == Unknown("ClientPayloadError")


async def test_an_answer_that_does_not_come_in_time_may_have_been_one() -> None:
    never = asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    assert isinstance(await answered(silent, 0.05), Unknown)


async def test_what_never_left_is_told_from_what_may_have_arrived() -> None:
    async with client() as calls:
        address = f"http://127.0.0.1:{unused_port()}/"
        assert isinstance(await calls.send(HttpRequest("POST", address, {}, b""), 30.0), Unreachable)
