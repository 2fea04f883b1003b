"""The public listener around a registry, a session store and a database that are told what to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import TestClient
from played.talk import BOOK

from adapters.sessions.memory import MemorySessions
from adapters.ussd.africastalking import AfricasTalkingUssd
from gateway.domain.bill import Bill, BillState, PayOption
from gateway.domain.effects import AnswerBySms, Effect
from gateway.domain.money import Money
from gateway.domain.ussd.effects import AwaitNumber, RequestBill
from gateway.domain.ussd.machine import Ask
from gateway.ports import KnownEffect, SessionRow, SessionStore
from gateway.service.answer_by_sms import Promises
from gateway.service.answer_ussd import AnswerUssd, Budget
from gateway.service.messages import Messages
from gateway.service.ussd_effects import UssdEffects
from gateway.web.health import Health
from gateway.web.listeners import operator_app
from gateway.web.ussd import Mount, Network, UssdRoutes

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SECRET = "hushhush-3f9a"
PHONE, OTHER_PHONE = "+255754987654", "+255754111222"
NAME, CHFID = "Zuhura Kipepeo", "100000014"
NUMBER = "994180000017"
ADDRESS = f"/ussd/africastalking/{SECRET}"

FAMILY = {"id": 7, "chfid": CHFID, "label": f"{NAME} {CHFID}", "state": "expired", "until": "2026-05-31", "start": ""}
KNOWN = {"language": None, "count": 1, "families": [FAMILY]}
STRANGER: dict[str, Any] = {"language": None, "count": 0, "families": []}
PAYABLE = {
    "state": "payable",
    "key": "family:7/product:3/after:12",
    "product": "CHF Iliyoboreshwa",
    "amount": 3_000_000,
    "start": "2026-11-22",
    "until": "2027-11-21",
}
BILL = Bill(
    id="B1", key="family:7/product:3/after:12", generation=1, family_id=7, product_id=3, product_code="CHF1",
    preceding_policy_id=12, stage="R", chfid=CHFID, payer_name=NAME, amount=Money(3_000_000),
    policy_value=Money(3_000_000), pay_option=PayOption.EXACT, provider_code=None, state=BillState.NUMBERED,
    control_number=NUMBER, paid=Money(0), created_at=NOW, expires_at=NOW + timedelta(days=30),
)  # fmt: skip
UNNUMBERED = replace(BILL, state=BillState.CREATED, control_number=None)

Answer = dict[str, Any] | Exception


@dataclass
class Registry:
    """Answers facts from a table, and remembers what it was asked. While ``held``, it answers nobody."""

    table: dict[str, Answer | Callable[[Ask], Answer]]
    asked: list[Ask] = field(default_factory=list)
    held: asyncio.Event | None = None

    async def answer(self, ask: Ask) -> dict[str, Any]:
        self.asked.append(ask)
        if self.held:
            await self.held.wait()
        found = self.table[ask.fact]
        found = found(ask) if callable(found) else found
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Numbers:
    """Makes bills. ``late``: what the wait for a number ends with."""

    answers: list[Bill | Exception | None] = field(default_factory=lambda: [BILL])
    late: Bill | None = None
    wanted: list[RequestBill] = field(default_factory=list)

    async def __call__(self, wanted: RequestBill, now: datetime) -> Bill | None:
        self.wanted.append(wanted)
        found = self.answers[min(len(self.wanted), len(self.answers)) - 1]
        if isinstance(found, Exception):
            raise found
        return found

    async def wait(self, bill_id: str, budget_s: float) -> Bill | None:
        return self.late

    async def join(self, wanted: AwaitNumber, now: datetime) -> bool:
        return True


@dataclass
class Languages:
    """A database that keeps languages, effects and promised answers. Raises ``broken`` instead of committing."""

    kept: dict[str, str] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    broken: Exception | None = None
    promised: dict[str, KnownEffect] = field(default_factory=dict)

    async def known(self, keys: Sequence[str]) -> dict[str, KnownEffect]:
        return {key: self.promised[key] for key in keys if key in self.promised}

    async def put_each(self, groups: Sequence[Sequence[AnswerBySms]], now: datetime) -> list[int]:
        self.promised |= {effect.key: KnownEffect(effect, open=True) for effects in groups for effect in effects}
        return [len(effects) for effects in groups]

    @property
    def callers(self) -> Languages:
        return self

    @property
    def bills(self) -> Languages:
        return self

    @property
    def outbox(self) -> Languages:
        return self

    @property
    def registry(self) -> Languages:
        return self

    async def family(self, family_id: int) -> None: ...
    async def family_of(self, chfid: str) -> None: ...
    async def count_miss(self, msisdn: str, now: datetime) -> int:
        return 1

    async def disowned(self, asked: Collection[tuple[str, int]]) -> Collection[tuple[str, int]]:
        return set()

    async def by_control_number(self, number: str) -> Bill:
        return replace(BILL, control_number=number)

    async def set_language(self, msisdn: str, language: str, now: datetime) -> None:
        self.kept[msisdn] = language

    async def put(self, effects: Sequence[Effect], now: datetime) -> int:
        self.effects += effects
        return len(effects)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Languages]:
        before = dict(self.kept), dict(self.promised)
        yield self
        if self.broken:
            self.kept, self.promised = before
            raise self.broken


@dataclass
class Broken:
    """A session store that fails, on reading or on writing."""

    failure: Exception
    on_load: bool = True

    async def load(self, key: str) -> bytes | None:
        if self.on_load:
            raise self.failure
        return None

    async def save(self, key: str, value: bytes, ttl_s: int) -> None:
        raise self.failure

    async def load_all(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        return [await self.load(key) for key in keys]

    async def save_all(self, rows: Sequence[SessionRow]) -> None:
        raise self.failure

    async def ping(self) -> bool:
        raise self.failure

    async def close(self) -> None: ...


class StandingClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class World:
    """All that stands behind the USSD address."""

    registry: Registry = field(default_factory=lambda: Registry({"caller": KNOWN, "quote": PAYABLE}))
    numbers: Numbers = field(default_factory=Numbers)
    languages: Languages = field(default_factory=Languages)
    sessions: SessionStore = field(default_factory=MemorySessions)
    budget: Budget = field(default_factory=Budget)
    in_flight: int = 100
    networks: Sequence[Network] = ()
    checks: dict[str, Any] = field(default_factory=dict)

    def public(self) -> web.Application:
        answer = AnswerUssd(
            BOOK,
            self.sessions,
            self.registry,  # type: ignore[arg-type]
            UssdEffects(self.languages, self.numbers, Promises(self.languages, StandingClock(), 3), Messages(BOOK)),  # type: ignore[arg-type]
            self.numbers,  # type: ignore[arg-type]
            StandingClock(),
            self.budget,
        )
        app = web.Application()
        UssdRoutes(answer, [Mount(AfricasTalkingUssd(), SECRET.encode(), self.networks)], self.in_flight).add_to(app)
        health = Health(self.checks)
        app.router.add_get("/livez", health.livez)
        app.router.add_get("/readyz", health.readyz)
        return app

    def operator(self) -> web.Application:
        return operator_app(Health(self.checks))


def form(text: str = "", session: str = "ATUid_1", phone: str = PHONE, **more: str) -> dict[str, str]:
    return {
        "sessionId": session,
        "phoneNumber": phone,
        "networkCode": "64004",
        "serviceCode": "*152#",
        "text": text,
        **more,
    }


@dataclass
class Phone:
    """A phone behind the aggregator: every key sends the whole transcript."""

    client: TestClient[Any, Any]
    session: str = "ATUid_1"
    number: str = PHONE

    async def send(self, text: str = "") -> str:
        """The reply to a transcript: always 200, always plain text, always CON or END."""
        body = urlencode(form(text, self.session, self.number)).encode()
        return await self.post(body)

    async def post(self, body: bytes, **headers: str) -> str:
        sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        async with self.client.post(ADDRESS, data=body, headers=sent) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
            text = (await response.read()).decode()
        assert text.startswith(("CON ", "END "))
        assert len(text) > 4
        return text


Dial = Callable[[World], Awaitable[Phone]]


async def until(true: Callable[[], bool]) -> None:
    """Wait for it; ten seconds mean that it never comes."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for rings no bell
            await asyncio.sleep(0.002)
