"""The public listener with every channel on, and a Halotel that takes the screens that are pushed to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from channel_lines import CODE, SECRET, Line, Shown
from played.talk import BOOK, LATE, Answerer, Fact, from_table
from web_world import BILL, UNNUMBERED, Languages, StandingClock

from adapters.sessions.memory import MemorySessions
from config.settings import Settings
from gateway.app import ussd_mounts
from gateway.domain.bill import Bill, BillState
from gateway.domain.money import Money
from gateway.domain.ussd.effects import AwaitNumber, RequestBill
from gateway.domain.ussd.machine import Ask
from gateway.http_client import AiohttpClient
from gateway.ports import SessionStore
from gateway.service.answer_by_sms import Promises
from gateway.service.answer_ussd import AnswerUssd, Budget
from gateway.service.messages import Messages
from gateway.service.metrics import USSD_IN_FLIGHT
from gateway.service.ussd_effects import UssdEffects
from gateway.web.listeners import LONGEST_LINE
from gateway.web.ussd import UssdRoutes

CODES = f"{CODE}#"
NAME, CHFID = "Zuhura Kipepeo", "100000014"
FAMILY = {"id": 7, "chfid": CHFID, "label": f"{NAME} {CHFID}", "state": "expired", "until": "2026-05-31", "start": ""}
TABLE: dict[str, list[Fact | str]] = {  # of a family whose cover has expired and can be paid for
    "caller": [{"language": None, "count": 1, "families": [FAMILY]}],
    "quote": [{"state": "payable", "key": "family:7/product:3/after:12", "product": "CHF", "amount": 3_000_000,
               "start": "2026-11-22", "until": "2027-11-21"}],
    "bill": [{"state": "none"}],
    "control_number": [{"state": "numbered", "number": "994180000017", "amount": 3_000_000, "expires": "2026-12-22"}],
    "enquiry": [{"state": "covered", "until": "2026-12-31"}],
}  # fmt: skip
# how screens begin that this family meets
HOME, CONFIRM, GIVEN, ENQUIRY = "Bima IMEISHA", "CHF\nLipa TZS 30,000", "Namba ya malipo:", "Andika namba"
ASKED, WRONG, UNREADABLE = "Ulikuwa unalipia bima.", "Si sahihi. Jaribu tena.", "Samahani, ombi halikueleweka."
PATIENT = Budget(total_s=60, fact_s=30, number_s=30)  # the machine may be slow; nothing here waits for nothing


def all_channels(push_url: str, **more: dict[str, Any]) -> Settings:
    """Every channel on, each with limits of its own."""
    on: dict[str, Any] = {"secret": SECRET, "codes": CODES, "reply_s": 60}
    generic = {
        "ttcl": on
        | {
            "request": "query", "session_field": "SESSION", "phone_field": "MSISDN", "input_field": "INPUT",
            "network": "ttcl",
        },
        "lastkey": on | {"inputs": "last", "max_units": 140, "counted": "characters"},
        "hub": on
        | {
            "request": "json", "inputs": "last", "session_field": "Id", "phone_field": "Mobile",
            "input_field": "Message", "event_field": "Type", "first_events": "Initiation", "end_events": "Release",
            "turn_field": "Sequence", "continue_word": "Response", "end_word": "Release",
            "reply": {"Message": "$text", "Type": "$state"}, "max_units": 100, "counted": "ucs2", "prefix_units": 0,
        },
    }  # fmt: skip
    blocks: dict[str, Any] = {
        "africastalking": on,
        "beem": on,
        "vodacom": on | {"max_units": 182},
        "tigo": on,
        "airtel": on,
        "halotel": on
        | {"url": push_url, "user": "us", "password": "own-77", "peer_user": "halo", "peer_password": "tel-5f"},
        "generic": generic,
    }
    return Settings(**{name: block | more.get(name, {}) for name, block in blocks.items()})


@dataclass
class Told:
    """The registry and the bills, as a played conversation tells them."""

    answerer: Answerer
    wanted: list[RequestBill] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    held: asyncio.Event | None = None

    async def answer(self, ask: Ask) -> dict[str, Any]:
        self.asked.append(ask.fact)
        if self.held:
            await self.held.wait()
        found = self.answerer(ask)
        if isinstance(found, str):
            raise TimeoutError(found)
        return found

    async def __call__(self, wanted: RequestBill, now: datetime) -> Bill | None:
        self.wanted.append(wanted)
        found = self.answerer(Ask("control_number", ()))
        if found == LATE:
            return UNNUMBERED
        assert isinstance(found, dict)
        if found["state"] != "numbered":
            return replace(BILL, state=BillState.REFUSED) if found["state"] == "refused" else None
        expires = datetime.fromisoformat(found["expires"]).replace(hour=9, tzinfo=UTC)
        return replace(BILL, control_number=found["number"], amount=Money(found["amount"]), expires_at=expires)

    async def wait(self, bill_id: str, budget_s: float) -> Bill | None:
        return None

    async def join(self, wanted: AwaitNumber, now: datetime) -> bool:
        return True


def told(**facts: list[Fact | str]) -> Told:
    """The family of ``TABLE``; ``facts``: what is answered otherwise."""
    return Told(from_table(TABLE | facts))


def counted(metric: Any, *labels: str) -> float:
    """What a metric says now."""
    return float(metric.labels(*labels)._value.get())


def in_flight() -> float:
    """Turns in work."""
    return float(next(iter(USSD_IN_FLIGHT.collect())).samples[0].value)


@dataclass
class Operator:
    """Takes pushed screens and keeps them by transaction. ``script``: status and error codes, then all is well.

    ``held``: it answers once that is set.
    """

    url: str = ""
    taken: list[tuple[str, str, bytes]] = field(default_factory=list)  # transaction, requestType, body
    script: list[tuple[int, str]] = field(default_factory=list)
    waiting: dict[str, asyncio.Queue[Shown]] = field(default_factory=dict)
    held: asyncio.Event | None = None

    async def push(self, request: web.Request) -> web.Response:
        body = await request.read()
        # it shows the four bytes as a line break, and the text between the tags is no XML of its own
        root = ElementTree.fromstring(body.replace(b"<br>", b"\n"))
        space = "{http://tempuri.org/}"
        found = {
            child.tag.removeprefix(space): child.text or "" for child in root.iter() if child.tag.startswith(space)
        }
        assert (found["user"], found["pass"]) == ("us", "own-77")
        status, code = self.script.pop(0) if self.script else (200, "0")
        kind = found["requestType"]
        self.taken.append((found["transactionid"], kind, body))
        if self.held:
            await self.held.wait()
        if code == "0":
            shown = Shown(found["msg"], kind in ("201", "203"))
            self.waiting.setdefault(found["transactionid"], asyncio.Queue()).put_nowait(shown)
        answer = f"<E><Body><ussdresponse><errorCode>{code}</errorCode></ussdresponse></Body></E>"
        answer = answer.replace("E>", "Envelope>")
        return web.Response(status=status, text=answer, content_type="text/xml")

    async def shown(self, transaction: str) -> Shown:
        async with asyncio.timeout(10):
            return await self.waiting.setdefault(transaction, asyncio.Queue()).get()


@dataclass
class House:
    """Every channel on one listener."""

    client: TestClient[Any, Any]
    operator: Operator
    told: Told
    sessions: SessionStore

    def line(self, kind: type[Line], session: str, number: str = "255754987654") -> Line:
        return kind(self.client, number, session, self.operator.shown)


Answer = Callable[[SessionStore], AnswerUssd]


@asynccontextmanager
async def house(
    told: Told | None = None,
    sessions: SessionStore | None = None,
    answer: Answer | None = None,
    budget: Budget | None = None,
    in_flight: int = 100,
    **settings: dict[str, Any],
) -> AsyncIterator[House]:
    """``answer``: instead of the registry that is told what to say."""
    told = told or Told(lambda ask: LATE)
    sessions = MemorySessions() if sessions is None else sessions  # an empty one is false
    operator, taking = Operator(), web.Application()
    taking.router.add_post("/push", operator.push)
    async with TestServer(taking) as peer:
        operator.url = str(peer.make_url("/push"))
        client = AiohttpClient()
        served = answer(sessions) if answer else _answer(told, sessions, budget or PATIENT)
        mounts = ussd_mounts(all_channels(**{"push_url": operator.url, **settings}))  # type: ignore[arg-type]
        app = web.Application()
        UssdRoutes(served, mounts, in_flight, client).add_to(app)
        server = TestServer(app)
        await server.start_server(access_log=None, max_line_size=LONGEST_LINE)
        try:
            async with TestClient(server) as phone:
                yield House(phone, operator, told, sessions)
        finally:
            await client.close()


def _answer(told: Told, sessions: SessionStore, budget: Budget) -> AnswerUssd:
    languages = Languages()
    return AnswerUssd(
        BOOK,
        sessions,
        told,  # type: ignore[arg-type]
        UssdEffects(languages, told, Promises(languages, StandingClock(), 50), Messages(BOOK)),  # type: ignore[arg-type]
        told,  # type: ignore[arg-type]
        StandingClock(),
        budget,
    )
