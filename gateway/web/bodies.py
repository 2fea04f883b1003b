"""Reading a request's body within a limit."""

from __future__ import annotations

import asyncio

from aiohttp import web

_DRAIN = 16_000_000  # bytes that are read and thrown away, so that a peer gets our answer and not a reset
READ_S = 10.0  # a body that does not come must not hold its place among the requests in flight


async def read_limited(request: web.Request, limit: int) -> tuple[bytes, int]:
    """The first ``limit`` bytes and how many there were (at least): more than were kept means "too large".

    Raises HTTPRequestTimeout when the body is not there within ``READ_S`` seconds.
    """
    if request.content.is_eof():  # the usual case: it came with the headers
        return await _read(request, limit)
    try:
        async with asyncio.timeout(READ_S):
            return await _read(request, limit)
    except TimeoutError:
        raise web.HTTPRequestTimeout from None


async def _read(request: web.Request, limit: int) -> tuple[bytes, int]:
    announced = request.content_length
    # a packed body announces its packed length, and unpacks to any
    if announced is not None and announced <= limit and "Content-Encoding" not in request.headers:
        body = await request.content.read(-1)
        return body, len(body)
    kept, size = bytearray(), 0
    async for chunk in request.content.iter_chunked(65_536):
        size += len(chunk)
        if len(kept) < limit:
            kept += chunk[: limit - len(kept)]
        if size > limit + _DRAIN:
            break
    return bytes(kept), max(size, announced or 0) if size > limit else size
