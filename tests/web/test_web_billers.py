"""The billers' address: a secret each, notices kept before they are acknowledged, questions bounded and in time."""

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
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pytest_aiohttp import AiohttpClient
from web_world import CHFID, NAME, PHONE, StandingClock, until

from adapters.payments.bank import BankBiller, BankProvider, BankSettings
from gateway.domain.money import Money
from gateway.ports import Answer, Due, Evidence, Notice, Question, Standing, StandingState
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

    @property
    def inbox(self) -> Ledger:
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
    ) -> Opened:
        ledger, registry, woken = ledger or Ledger(), registry or Registry(), []
        clock, mounts = StandingClock(), []
        for name, key in KEYS.items():
            settings = BankSettings(name, {"k1": key})
            allowed = [ipaddress.ip_network(network) for network in networks]
            provider, biller = BankProvider(settings, clock), BankBiller(settings, clock)
            mounts.append(BillerMount(provider, biller, SECRETS[name].encode(), allowed))
        accept: Any = AcceptCallback(ledger, clock, ForgeryQuota())  # type: ignore[arg-type]
        answer: Any = registry
        app = web.Application()
        BillerRoutes("bank", mounts, accept, answer, LIMIT, lambda: woken.append(True), in_flight).add_to(app)
        server = TestServer(app)
        await server.start_server(access_log=None)
        return Opened(await aiohttp_client(server), ledger, registry, woken)

    return open_


async def test_a_notice_is_acknowledged_after_the_commit(opened: Open) -> None:
    bank = await opened(Ledger(held=asyncio.Event()))
    waiting = asyncio.create_task(bank.post("notice", NOTICE))
    await until(lambda: bank.ledger.kept != [])
    answered, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert not answered, "answered before the commit"
    bank.ledger.held.set()
    assert await waiting == (200, {"status": "received", "reference": "FT1"}, True)
    ((evidence, (report,)),) = bank.ledger.kept
    assert (evidence.provider, evidence.route, evidence.message_id) == ("bank-crdb", "notice", "CRDB-FT1")
    assert (report.key, report.chfid) == (("CRDB-FT1", CHFID), CHFID)
    assert bank.woken == [True]


async def test_the_secret_is_in_nothing_that_is_kept(opened: Open) -> None:
    bank = await opened()
    await bank.post("notice", NOTICE, **{"X-Forwarded-For": "10.0.0.1"})
    ((evidence, _),) = bank.ledger.kept
    assert set(evidence.headers) <= {"content-type", "content-length", "user-agent", "x-forwarded-for", "date"}
    assert SECRETS["crdb"] not in repr(bank.ledger.kept)
    assert "x-bank-signature" not in evidence.headers


async def test_what_was_not_kept_must_come_again(opened: Open) -> None:
    bank = await opened(Ledger(broken=ConnectionError("no database")))
    status, said, believed = await bank.post("notice", NOTICE)
    assert (status, said["code"], believed) == (503, "PAY-NOT-KEPT", False)


async def test_each_other_verdict_has_its_status_and_is_kept(opened: Open) -> None:
    bank = await opened()
    status, said, believed = await bank.post("notice", NOTICE, **{"x-bank-signature": "0" * 64})
    assert (status, said["code"], believed) == (401, "PAY-SIGNATURE", False)
    status, said, believed = await bank.post("notice", {**NOTICE, "amount": "30,00"})
    assert (status, said["code"], believed) == (400, "PAY-UNREADABLE", True)
    status, said, believed = await bank.post("notice", json.dumps(NOTICE).encode().ljust(LIMIT + 1))
    assert (status, said["code"], believed) == (413, "PAY-TOO-LARGE", False)
    assert [e.verdict for e, _ in bank.ledger.kept] == ["bad_signature", "unreadable", "too_large"]
    assert [n for _, n in bank.ledger.kept] == [(), (), ()]


async def test_questions_are_answered_and_leave_nothing(opened: Open) -> None:
    bank = await opened()
    status, said, believed = await bank.post("lookup", {"chfid": CHFID})
    assert (status, said["status"], said["name"], said["amount"], believed) == (
        200,
        "due",
        "Z*** K***",
        "30000.00",
        True,
    )
    bank.registry.answers = lambda _question: Standing(StandingState.RECEIVED)
    assert await bank.post("status", {"reference": "FT1"}, bank="nmb") == (
        200,
        {"reference": "FT1", "status": "received"},
        True,
    )
    assert [biller for biller, _ in bank.registry.asked] == ["bank-crdb", "bank-nmb"]
    assert (bank.ledger.kept, bank.woken) == ([], [])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"{", 400, "PAY-UNREADABLE"), (b" " * 20_000, 413, "PAY-TOO-LARGE")],
)
async def test_what_is_no_question_is_refused(opened: Open, body: bytes, status: int, code: str) -> None:
    bank = await opened()
    answered, said, believed = await bank.post("lookup", body)
    assert (answered, said["code"], believed) == (status, code, status == 400)
    assert bank.registry.asked == []


async def test_one_banks_key_does_not_open_anothers_address(opened: Open) -> None:
    bank = await opened()
    for action, body in (("notice", NOTICE), ("lookup", {"chfid": CHFID})):
        assert (await bank.post(action, body, secret=SECRETS["nmb"]))[0] == 401
    assert bank.registry.asked == []
    assert [e.provider for e, _ in bank.ledger.kept] == ["bank-nmb"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/payments/bank/wrong/notice", 404),
        ("POST", "/payments/bank//notice", 404),
        ("POST", "/payments/bank/{secret}x/notice", 404),
        ("POST", "/payments/bank/{secret}", 404),
        ("POST", "/payments/bank/{secret}/other", 404),
        ("POST", "/payments/bank/{secret}/notice/", 404),
        ("POST", "/payments/bank/%C3%A9/notice", 404),
        ("GET", "/payments/bank/{secret}/notice", 405),
    ],
)
async def test_another_address_takes_nothing(opened: Open, method: str, path: str, status: int) -> None:
    bank = await opened()
    async with bank.client.request(method, path.format(secret=SECRETS["crdb"]), data=b"{}") as response:
        assert response.status == status
    assert (bank.ledger.kept, bank.registry.asked) == ([], [])


@pytest.mark.parametrize(("networks", "status"), [(["10.0.0.0/8"], 404), (["10.0.0.0/8", "127.0.0.0/8"], 200)])
async def test_only_the_banks_networks_may_call(opened: Open, networks: list[str], status: int) -> None:
    bank = await opened(networks=networks)
    assert (await bank.post("notice", NOTICE))[0] == status
    assert (await bank.post("lookup", {"chfid": CHFID}))[0] == status
    assert len(bank.ledger.kept) == (1 if status == 200 else 0)


async def test_questions_beyond_the_bound_are_told_not_now_and_notices_are_taken(opened: Open) -> None:
    bank = await opened(registry=Registry(held=asyncio.Event()), in_flight=2)
    asking = [asyncio.create_task(bank.post("lookup", {"chfid": CHFID})) for _ in range(2)]
    await until(lambda: len(bank.registry.asked) == 2)
    status, said, believed = await bank.post("lookup", {"chfid": CHFID})
    assert (status, said["code"], believed) == (503, "PAY-NO-ANSWER", True)
    assert (await bank.post("notice", NOTICE))[0] == 200
    bank.registry.held.set()
    assert [(await one)[0] for one in asking] == [200, 200]
    assert (await bank.post("lookup", {"chfid": CHFID}))[0] == 200, "the places are free again"


async def test_notices_beyond_the_bound_wait_and_are_answered(opened: Open) -> None:
    bank = await opened(Ledger(held=asyncio.Event()), in_flight=2)
    calls = [asyncio.create_task(bank.post("notice", {**NOTICE, "reference": f"FT{n}"})) for n in range(6)]
    await until(lambda: len(bank.ledger.kept) == 2)
    await asyncio.wait(calls, timeout=0.05)
    assert len(bank.ledger.kept) == 2, "two at once, no more"
    bank.ledger.held.set()
    assert {(await call)[0] for call in calls} == {200}
    assert len(bank.ledger.kept) == 6


async def test_logs_hold_neither_people_nor_secrets(opened: Open, log_text: Callable[[], str]) -> None:
    bank = await opened(networks=["127.0.0.0/8"])
    await bank.post("notice", NOTICE)
    await bank.post("notice", {**NOTICE, "amount": "30,00"})
    await bank.post("notice", {**NOTICE, "payer_name": 1, "payer_msisdn": PHONE})
    await bank.post("lookup", {"chfid": CHFID, "control_number": PHONE})
    await bank.post("lookup", {"chfid": CHFID}, **{"x-bank-key-id": NAME})
    bank.ledger.broken = ValueError(f"row of {PHONE} {NAME}")
    await bank.post("notice", NOTICE)
    far = await opened(networks=["10.0.0.0/8"])
    await far.post("notice", NOTICE)
    text = log_text()
    for event in ("callback_refused", "callback_not_kept", "question_refused", "biller_network_refused"):
        assert event in text
    canaries = [PHONE, PHONE[1:], NAME, NAME.split()[0], CHFID, *SECRETS.values(), *(k.decode() for k in KEYS.values())]
    assert [canary for canary in canaries if canary in text] == []
