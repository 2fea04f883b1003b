"""Two banks at the billers' address, over a ledger and a registry that are told what to say."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pytest_aiohttp import AiohttpClient
from web_world import CHFID, NAME, PHONE, StandingClock

from adapters.payments.bank import BankBiller, BankProvider, BankSettings, BankStatements
from gateway.domain.money import Money
from gateway.ports import Answer, Case, Due, Evidence, Notice, Question
from gateway.service.accept_callback import AcceptCallback, ForgeryQuota
from gateway.web.billers import BillerMount, BillerRoutes

LIMIT = 2_000
NOW = StandingClock().now()
KEYS = {name: secrets.token_hex(32).encode() for name in ("crdb", "nmb")}
SECRETS = {name: secrets.token_urlsafe(18) for name in KEYS}
DUE = Due("Z*** K***", Money(3_000_000), "CHF", NOW.date(), False, NOW.date(), NOW.date())
NOTICE = {
    "reference": "FT1",
    "chfid": CHFID,
    "amount": "30000",
    "currency": "TZS",
    "paid_at": "2026-11-22T11:58:03",
    "payer_msisdn": PHONE,
    "payer_name": NAME,
}


def mac(key: bytes, signed: bytes) -> str:
    return hmac.new(key, signed, hashlib.sha256).hexdigest()


@dataclass
class Ledger:
    """A database that keeps what it is given, unless it is broken; ``held`` delays the commit."""

    kept: list[tuple[Evidence, Sequence[Notice]]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    broken: Exception | None = None
    held: asyncio.Event | None = None

    after_commit: list[Callable[[], None]] = field(default_factory=list)

    @property
    def inbox(self) -> Ledger:
        return self

    @property
    def cases(self) -> Ledger:
        return self

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Ledger]:
        yield self
        if self.held:
            await self.held.wait()
        if self.broken:
            raise self.broken

    async def keep_all(self, messages: Sequence[tuple[Evidence, Sequence[Notice]]]) -> None:
        if not self.broken:
            self.kept += messages

    async def keep(self, evidence: Evidence, notices: Sequence[Notice]) -> None:
        await self.keep_all([(evidence, notices)])

    async def evidence(self, _inbox_id: str) -> None:
        return None

    async def open(self, _case: Case, _now: datetime) -> bool:
        return True


@dataclass
class Registry:
    """Answers every question so."""

    answers: Callable[[Question], Answer] = lambda _question: DUE
    asked: list[tuple[str, Question]] = field(default_factory=list)
    held: asyncio.Event | None = None

    async def __call__(self, biller: str, question: Question) -> Answer:
        self.asked.append((biller, question))
        if self.held:
            await self.held.wait()
        return self.answers(question)


@dataclass
class Opened:
    client: TestClient[Any, Any]
    ledger: Ledger
    registry: Registry
    woken: list[bool]

    async def post(
        self, action: str, fields: Mapping[str, Any] | bytes, bank: str = "crdb", secret: str = "", **headers: str
    ) -> tuple[int, dict[str, Any], bool]:
        """Status, fields, and whether the bank believes the answer."""
        body = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        stamp = str(int(NOW.timestamp()))
        signature = mac(KEYS[bank], f"{stamp}.".encode() + body)
        sent = {"x-bank-key-id": "k1", "x-bank-timestamp": stamp, "x-bank-signature": signature, **headers}
        async with self.client.post(f"/payments/bank/{secret or SECRETS[bank]}/{action}", data=body, headers=sent) as r:
            said = await r.read()
            prefix = f"{r.headers.get('X-Bank-Timestamp', '')}.{sent['x-bank-signature']}.".encode()
            believed = r.headers.get("X-Bank-Signature") == mac(KEYS[bank], prefix + said)
            try:
                return r.status, json.loads(said), believed
            except ValueError:
                return r.status, {}, believed


Open = Callable[..., Any]


@pytest.fixture
def opened(aiohttp_client: AiohttpClient) -> Open:
    async def open_(
        ledger: Ledger | None = None,
        registry: Registry | None = None,
        networks: Sequence[str] = (),
        in_flight: int = 10,
        take_statement: Any = None,
    ) -> Opened:
        ledger, registry, woken = ledger or Ledger(), registry or Registry(), []
        clock, mounts = StandingClock(), []
        for name, key in KEYS.items():
            settings = BankSettings(name, {"k1": key})
            allowed = [ipaddress.ip_network(network) for network in networks]
            provider, biller = BankProvider(settings, clock), BankBiller(settings, clock)
            statements = BankStatements(settings, clock)
            mounts.append(BillerMount(provider, biller, SECRETS[name].encode(), allowed, statements))
        accept: Any = AcceptCallback(ledger, clock, ForgeryQuota())  # type: ignore[arg-type]
        answer: Any = registry
        app = web.Application()
        routes = BillerRoutes(
            "bank", mounts, accept, answer, LIMIT, lambda: woken.append(True), take_statement, in_flight
        )
        routes.add_to(app)
        server = TestServer(app)
        await server.start_server(access_log=None)
        return Opened(await aiohttp_client(server), ledger, registry, woken)

    return open_
