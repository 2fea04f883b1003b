"""The callback addresses over real HTTP: the reply is the provider's, and comes only once the bytes are kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pytest_aiohttp import AiohttpClient
from web_world import CHFID, NAME, PHONE, StandingClock, until

from gateway.ports import Evidence, HttpReply, Notice, Reading, Verdict
from gateway.service.accept_callback import AcceptCallback, ForgeryQuota
from gateway.web import bodies
from gateway.web.networks import Network
from gateway.web.payments import PaymentRoutes

LIMIT = 1_000


class Bank:
    """A provider whose messages are good when they begin so."""

    name = "bank"
    routes: Sequence[str] = ("payments", "bills")

    def read(self, route: str, body: bytes, headers: Mapping[str, str]) -> Reading:
        good = body.startswith(b"good")
        return Reading(route, Verdict.GENUINE if good else Verdict.BAD_SIGNATURE, why="" if good else "not ours")

    def unreadable(self, route: str, verdict: Verdict, why: str) -> Reading:
        return Reading(route, verdict, why=why)

    def acknowledge(self, reading: Reading, reply_id: str) -> HttpReply:
        return HttpReply(200, "application/x-bank", b"\x00" + str(reading.verdict).encode())

    def not_kept(self, route: str) -> HttpReply:
        return HttpReply(503, "text/plain", b"again, please")


@dataclass
class Ledger:
    """A database that keeps what it is given, unless it is broken; ``held`` delays the commit."""

    kept: list[Evidence] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # in which order things happened
    broken: Exception | None = None
    held: asyncio.Event | None = None

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Page]:
        page = Page(self)
        yield page
        if self.held:
            await self.held.wait()
        if self.broken:
            raise self.broken
        self.kept += page.written
        self.said.append("committed")


@dataclass
class Page:
    """One transaction."""

    ledger: Ledger
    written: list[Evidence] = field(default_factory=list)

    @property
    def inbox(self) -> Page:
        return self

    async def keep_all(self, messages: Sequence[tuple[Evidence, Sequence[Notice]]]) -> None:
        self.ledger.said += ["written"] * len(messages)
        self.written += [evidence for evidence, _ in messages]


Opened = Callable[..., Any]


@pytest.fixture
def opened(aiohttp_client: AiohttpClient) -> Opened:
    """The callback routes over a ledger."""

    async def open_(ledger: Ledger, in_flight: int = 10, networks: Sequence[Network] = ()) -> TestClient[Any, Any]:
        accept = AcceptCallback(ledger, StandingClock(), ForgeryQuota())  # type: ignore[arg-type]
        app = web.Application()
        bank: Any = Bank()
        routes = PaymentRoutes(accept, [bank], LIMIT, lambda: ledger.said.append("woken"), in_flight, networks)
        routes.add_to(app)
        server = TestServer(app)
        await server.start_server(access_log=None)
        return await aiohttp_client(server)

    return open_


async def test_the_reply_is_the_providers_and_comes_after_the_commit(opened: Opened) -> None:
    ledger = Ledger(held=asyncio.Event())
    client = await opened(ledger)
    body = b"good \x00\xff\r\n" + bytes(range(256))
    waiting = asyncio.create_task(client.post("/payments/bank/payments", data=body))
    await until(lambda: ledger.said == ["written"])
    answered, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert not answered, "answered before the commit"
    assert ledger.held
    ledger.held.set()
    async with await waiting as response:
        assert (response.status, response.headers["Content-Type"]) == (200, "application/x-bank")
        assert await response.read() == b"\x00genuine"
    assert ledger.said == ["written", "committed", "woken"]
    assert [(e.body, e.size, e.route, e.verdict) for e in ledger.kept] == [(body, len(body), "payments", "genuine")]


async def test_what_was_not_kept_is_not_acknowledged(opened: Opened) -> None:
    client = await opened(Ledger(broken=ConnectionError("no database")))
    async with client.post("/payments/bank/bills", data=b"good") as response:
        assert (response.status, await response.read()) == (503, b"again, please")


async def test_a_forgery_is_kept_and_answered_as_the_provider_wants(opened: Opened) -> None:
    ledger = Ledger()
    client = await opened(ledger)
    async with client.post("/payments/bank/payments", data=b"forged") as response:
        assert (response.status, await response.read()) == (200, b"\x00bad_signature")
    assert [(e.body, e.verdict) for e in ledger.kept] == [(b"forged", Verdict.BAD_SIGNATURE)]


@pytest.mark.parametrize(
    ("size", "verdict"), [(1_000, Verdict.GENUINE), (1_001, Verdict.TOO_LARGE), (100_000, Verdict.TOO_LARGE)]
)
async def test_a_body_over_the_limit_is_refused_and_its_beginning_kept(
    opened: Opened, size: int, verdict: Verdict
) -> None:
    ledger = Ledger()
    client = await opened(ledger)
    body = b"good".ljust(size, b"x")
    async with client.post("/payments/bank/payments", data=body) as response:
        assert await response.read() == b"\x00" + verdict.encode()
    assert [(e.body, e.size, e.verdict) for e in ledger.kept] == [(body[:LIMIT], size, verdict)]


async def test_secret_headers_are_not_kept(opened: Opened) -> None:
    ledger = Ledger()
    client = await opened(ledger)
    secret = {"Authorization": "Basic c2VjcmV0", "Cookie": "session=1", "X-Api-Key": "key", "User-Agent": "bank/1"}
    async with client.post("/payments/bank/payments", data=b"good", headers=secret) as response:
        assert response.status == 200
    assert ledger.kept[0].headers["user-agent"] == "bank/1"
    assert not {"authorization", "cookie", "x-api-key"} & set(ledger.kept[0].headers)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/payments/bank/other", 404),
        ("POST", "/payments/other/payments", 404),
        ("POST", "/payments/bank", 404),
        ("POST", "/payments/bank/payments/", 404),
        ("GET", "/payments/bank/payments", 405),
        ("PUT", "/payments/bank/payments", 405),
    ],
)
async def test_another_address_takes_nothing(opened: Opened, method: str, path: str, status: int) -> None:
    ledger = Ledger()
    client = await opened(ledger)
    async with client.request(method, path, data=b"good") as response:
        assert response.status == status
    assert ledger.said == []


async def test_callbacks_beyond_the_bound_wait_and_are_answered(opened: Opened) -> None:
    """Money is never turned away: a provider that is told 'busy' might not come again."""
    ledger = Ledger(held=asyncio.Event())
    client = await opened(ledger, in_flight=2)
    calls = [asyncio.create_task(client.post("/payments/bank/payments", data=f"good {n}".encode())) for n in range(6)]
    await until(lambda: len(ledger.said) == 2)
    await asyncio.wait(calls, timeout=0.05)
    assert ledger.said == ["written", "written"], "two at once, no more"
    assert ledger.held
    ledger.held.set()
    for call in calls:
        async with await call as response:
            assert response.status == 200
    assert sorted(e.body for e in ledger.kept) == [f"good {n}".encode() for n in range(6)]


async def test_bodies_that_never_come_do_not_keep_payments_out(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anyone may open this address: half a message on every place must not hold them for ever."""
    monkeypatch.setattr(bodies, "READ_S", 0.2)
    client = await opened(Ledger(), in_flight=1)
    server: Any = client.server
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"POST /payments/bank/payments HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100\r\n\r\ngood")
    await writer.drain()
    async with asyncio.timeout(5), client.post("/payments/bank/payments", data=b"good") as response:
        assert response.status == 200
    assert b" 408 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_a_refused_callback_is_logged_without_its_content(opened: Opened, log_text: Callable[[], str]) -> None:
    client = await opened(Ledger(broken=ValueError(f"row of {PHONE}")))
    for path in ("payments", "bills"):
        async with client.post(f"/payments/bank/{path}", data=f"{PHONE} {NAME} {CHFID}".encode()) as response:
            assert response.status == 503
    assert "callback_refused" in log_text()
    assert "callback_not_kept" in log_text()
    assert not [canary for canary in (PHONE, PHONE[1:], NAME, CHFID) if canary in log_text()]


@pytest.mark.parametrize(("networks", "status"), [("10.0.0.0/8", 404), ("10.0.0.0/8 127.0.0.0/8", 200), ("", 200)])
async def test_only_the_providers_networks_may_call(opened: Opened, networks: str, status: int) -> None:
    ledger = Ledger()
    client = await opened(ledger, networks=[ip_network(each) for each in networks.split()])
    answer = await client.post("/payments/bank/payments", data=b"good")
    assert answer.status == status
    assert bool(ledger.kept) == (status == 200)
