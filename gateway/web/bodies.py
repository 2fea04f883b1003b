"""Reading a request's body within a limit."""

from __future__ import annotations

from aiohttp import web

_DRAIN = 16_000_000  # bytes that are read and thrown away, so that a peer gets our answer and not a reset


async def read_limited(request: web.Request, limit: int) -> tuple[bytes, int]:
    """The first ``limit`` bytes and how many there were (at least): more than were kept means "too large"."""
    announced = request.content_length
    if announced is not None and announced <= limit:
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
