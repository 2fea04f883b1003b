"""Reading a request's body within limits: of its size, of its time, and of how much all bodies together may hold.

Bodies are taken as they came. The listeners unpack nothing (``listeners.runner``): no counterparty packs its messages,
and ten megabytes of gzip are ten seconds of a processor.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

_DRAIN = 16_000_000  # bytes that are read and thrown away, so that a peer gets our answer and not a reset
READ_S = 10.0  # a body that does not come must not hold its place among the requests in flight
CHUNK = 16_384  # bytes that are read at once
SMALL = 65_536  # bytes; a notification of one payment has about 1,500


class NoRoomForBodyError(Exception):
    """As many large bodies are held, and as many wait, as may: this one is turned away before it is read."""


class BodyRoom:
    """At most ``large`` bodies beyond ``SMALL`` are held at once, so that a flood of them costs no memory.

    As many again wait for a place; one that waits holds what its connection was sent at once, which is why those
    beyond them are turned away. Whoever fills these places keeps other large bodies out for a while, never the small
    ones that payments come in.
    """

    def __init__(self, large: int) -> None:
        self._large = asyncio.Semaphore(large)
        self._may_wait = large

    @asynccontextmanager
    async def body(self, request: web.Request, limit: int) -> AsyncIterator[tuple[bytes, int]]:
        """What ``read_limited`` reads, with its place among the large ones as long as the block runs.

        Raises NoRoomForBodyError when it is large and neither a place nor a place to wait is free.
        """
        async with AsyncExitStack() as held:

            async def grows() -> None:
                if self._may_wait <= 0:
                    raise NoRoomForBodyError
                self._may_wait -= 1
                try:
                    await held.enter_async_context(self._large)
                finally:
                    self._may_wait += 1

            yield await read_limited(request, limit, grows)


async def _unbounded() -> None:
    """No matter how many are large: the limit itself is small."""


async def read_limited(
    request: web.Request, limit: int, grows: Callable[[], Awaitable[None]] = _unbounded
) -> tuple[bytes, int]:
    """The first ``limit`` bytes and how many there were (at least): more than were kept means "too large".

    ``grows`` is awaited once, when the body turns out to be larger than ``SMALL``. Raises HTTPRequestTimeout when the
    body is not there within ``READ_S`` seconds, HTTPBadRequest when it ends before its end.
    """
    try:
        if request.content.is_eof():  # the usual case: it came with the headers
            return await _read(request, limit, grows)
        async with asyncio.timeout(READ_S):
            return await _read(request, limit, grows)
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except (web.RequestPayloadError, ConnectionError):  # hung up, or chunks that are none
        raise web.HTTPBadRequest from None


async def _read(request: web.Request, limit: int, grows: Callable[[], Awaitable[None]]) -> tuple[bytes, int]:
    content, announced = request.content, request.content_length
    if announced is not None and announced <= min(limit, SMALL):
        # where all of it came already, ``read`` would look twice whether there is more
        body = content.read_nowait() if content.is_eof() else await content.read()
        return body, len(body)
    kept, size, is_large = bytearray(), 0, False
    try:
        async for chunk in content.iter_chunked(CHUNK):
            size += len(chunk)
            if size > SMALL and not is_large:
                is_large = True
                await grows()
            if len(kept) < limit:
                kept += chunk[: limit - len(kept)]
            if size > limit + _DRAIN:
                break
        return bytes(kept), max(size, announced or 0) if size > limit else size
    finally:
        kept.clear()  # a failure's traceback holds this frame until the collector comes
