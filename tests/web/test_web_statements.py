"""Statements over real HTTP: streamed to a file, bounded in every way, acknowledged only once they are kept."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from web_world import until

from gateway.ports import HttpReply, StatementProvider
from gateway.service.statement_files import Incoming, StatementFolder
from gateway.web import statements
from gateway.web.statements import StatementRoutes

ROUTE = "/payments/bank/reconciliations"
MAX = 3_000_000


class Bank:
    name = "bank"
    statement_routes = ("reconciliations",)

    def statement_not_kept(self, route: str) -> HttpReply:
        return HttpReply(503, "text/plain", b"again")


class Accept:
    """Says how much came and its digest. While ``held``, it does not say it."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, str, bytes]] = []
        self.held: asyncio.Event | None = None

    async def __call__(
        self, provider: StatementProvider, route: str, incoming: Incoming, headers: Mapping[str, str]
    ) -> HttpReply:
        content = incoming.path.read_bytes()
        self.taken.append((incoming.size, incoming.digest, content))
        if self.held:
            await self.held.wait()
        incoming.discard()
        return HttpReply(200, "application/x-bank", b"too large" if incoming.too_large else b"received")


@pytest.fixture
def accept() -> Accept:
    return Accept()


@pytest.fixture
def folder(tmp_path: Path) -> StatementFolder:
    return StatementFolder(tmp_path, MAX)


@pytest.fixture
async def url(accept: Accept, folder: StatementFolder) -> AsyncIterator[str]:
    app = web.Application()
    StatementRoutes(accept, [Bank()], folder, at_once=2).add_to(app)  # type: ignore[arg-type, list-item]
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url(ROUTE))
    await server.close()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def parts_of(folder: StatementFolder) -> list[Path]:
    return list(folder.folder.rglob("*.part"))


async def trickle(*pieces: bytes, then: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    if then is not None:
        await then.wait()


async def test_a_body_of_any_pieces(url: str, client: aiohttp.ClientSession, accept: Accept) -> None:
    content = bytes(range(256)) * 10_000
    for sent in (io.BytesIO(content), trickle(content[:1], content[1:70_000], content[70_000:])):
        async with client.post(url, data=sent) as answer:
            assert (answer.status, await answer.read()) == (200, b"received")
            assert answer.content_type == "application/x-bank"
    assert accept.taken == [(len(content), hashlib.sha256(content).hexdigest(), content)] * 2


async def test_nothing_at_all(url: str, client: aiohttp.ClientSession, accept: Accept) -> None:
    async with client.post(url, data=b"") as answer:
        assert answer.status == 200
    assert accept.taken[0][0] == 0


async def test_too_large_is_cut_off_and_told(
    url: str, client: aiohttp.ClientSession, accept: Accept, folder: StatementFolder
) -> None:
    pieces = [b"x" * 500_000] * 8
    async with client.post(url, data=trickle(*pieces)) as answer:
        assert (answer.status, await answer.read()) == (200, b"too large")
    size, _, kept = accept.taken[0]
    assert size > MAX
    assert len(kept) <= MAX
    assert parts_of(folder) == []


async def test_a_body_that_is_cut_off_leaves_nothing(
    url: str, accept: Accept, folder: StatementFolder, client: aiohttp.ClientSession
) -> None:
    host, port = url.split("/")[2].split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST {ROUTE} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n".encode() + b"x" * 1000)
    await until(lambda: bool(parts_of(folder)))
    writer.close()
    await until(lambda: not parts_of(folder))
    assert accept.taken == []
    async with client.post(url, data=b"next") as answer:
        assert answer.status == 200, "its place is free again"


async def test_a_body_that_does_not_come(
    url: str, client: aiohttp.ClientSession, folder: StatementFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "SILENCE_S", 0.05)
    never = asyncio.Event()
    async with client.post(url, data=trickle(b"x", then=never)) as answer:
        assert answer.status == 408
    never.set()
    assert parts_of(folder) == []


async def test_a_trickle_holds_no_place_for_hours(
    url: str, client: aiohttp.ClientSession, folder: StatementFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "GRACE_S", 0.0)
    monkeypatch.setattr(statements, "SLOWEST", 10**12)
    never = asyncio.Event()
    async with client.post(url, data=trickle(b"x", b"y", then=never)) as answer:
        assert answer.status == 408
    never.set()
    assert parts_of(folder) == []


async def test_no_more_than_so_many_side_by_side(
    url: str, client: aiohttp.ClientSession, accept: Accept, folder: StatementFolder
) -> None:
    accept.held = asyncio.Event()

    async def post() -> tuple[int, bytes]:
        async with client.post(url, data=b"x") as answer:
            return answer.status, await answer.read()

    first = [asyncio.create_task(post()) for _ in range(2)]
    await until(lambda: len(accept.taken) == 2)
    assert await post() == (503, b"again")
    accept.held.set()
    assert await asyncio.gather(*first) == [(200, b"received")] * 2
    assert await post() == (200, b"received")
    assert parts_of(folder) == []


@pytest.mark.parametrize("free", [0, 512_000_000])
async def test_a_full_disk(
    url: str, client: aiohttp.ClientSession, accept: Accept, monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    usage: Callable[[Any], Any] = lambda _: type("Usage", (), {"free": free})  # noqa: E731
    monkeypatch.setattr("gateway.service.statement_files.shutil.disk_usage", usage)
    async with client.post(url, data=b"x" * 10) as answer:
        assert (answer.status, await answer.read()) == (503, b"again")
    assert accept.taken == []


async def test_a_disk_that_fails_meanwhile(
    url: str, client: aiohttp.ClientSession, folder: StatementFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: object, __: bytes) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Incoming, "write", fails)
    async with client.post(url, data=b"x" * 10) as answer:
        assert (answer.status, await answer.read()) == (503, b"again")
    assert parts_of(folder) == []


def test_what_a_dead_process_left_is_removed(folder: StatementFolder) -> None:
    incoming = folder.take_in()
    incoming.write(b"x")
    incoming.end()
    modified = incoming.path.stat().st_mtime
    assert folder.sweep(modified + 3_600) == 0
    assert folder.sweep(modified + 90_000) == 1
    assert parts_of(folder) == []


async def test_only_the_providers_networks_may_send_a_statement(
    accept: Accept, folder: StatementFolder, client: aiohttp.ClientSession
) -> None:
    app = web.Application()
    elsewhere = [ip_network("10.0.0.0/8")]
    StatementRoutes(accept, [Bank()], folder, 2, elsewhere).add_to(app)  # type: ignore[arg-type, list-item]
    async with TestServer(app) as server, client.post(server.make_url(ROUTE), data=b"a day") as answer:
        assert answer.status == 404
