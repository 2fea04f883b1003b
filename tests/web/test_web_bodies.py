"""A body is read up to a limit, however it comes."""

from __future__ import annotations

import gzip
import io
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpClient

from gateway.web.bodies import read_limited

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


async def read(aiohttp_client: AiohttpClient, data: bytes, chunked: bool, **headers: str) -> tuple[int, int]:
    """(bytes kept, size as reported)."""

    async def handle(request: web.Request) -> web.Response:
        body, size = await read_limited(request, LIMIT)
        assert set(body) <= {ord("x")}
        return web.json_response([len(body), size])

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 4_096):
            yield data[start : start + 4_096]

    app = web.Application()
    app.router.add_post("/", handle)
    client = await aiohttp_client(app)
    async with client.post("/", data=pieces() if chunked else io.BytesIO(data), headers=headers) as response:
        assert response.status == 200
        kept, size = await response.json()
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


async def test_a_packed_body_does_not_unpack_beyond_the_limit(aiohttp_client: AiohttpClient) -> None:
    packed = gzip.compress(b"x" * 400_000)
    assert len(packed) < LIMIT
    kept, size = await read(aiohttp_client, packed, False, **{"Content-Encoding": "gzip"})
    assert kept == LIMIT
    assert size > LIMIT
