"""A bank, by the gateway's own contract: it looks up, takes the money, and notifies until it is acknowledged.

A second witness of docs/bank.md: it signs and judges with code of its own.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
from aiohttp import web

from sandbox import clock, money
from sandbox.bodies import bad_request, moment_in, object_from, text_in, with_plus
from sandbox.faults import Fault, Faults
from sandbox.settings import Settings
from sandbox.tasks import Tasks

log = logging.getLogger("sandbox")

NOTICE = "bank_notice"
KEY_ID = "demo"
_PREFIX = "FT"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway said. ``http`` 0: nothing; ``believed``: its signature held for our request."""

    http: int
    fields: dict[str, Any]
    believed: bool = False


@dataclass(slots=True)
class Payment:
    """Money that the bank has taken."""

    reference: str
    fields: dict[str, str]
    at: datetime
    status: str = "undelivered"
    attempts: list[str] = field(default_factory=list)


class Bank:
    """One bank with one key. ``payments`` by its own reference."""

    def __init__(self, settings: Settings, faults: Faults, tasks: Tasks, now: Callable[[], datetime]) -> None:
        self._settings, self._faults, self._tasks, self.now = settings, faults, tasks, now
        self._gateways = itertools.cycle([gateway.rstrip("/") for gateway in settings.gateways])
        self._session: aiohttp.ClientSession | None = None
        # a sandbox that starts again must not repeat references: the gateway remembers them
        self._numbers = itertools.count(int(now().timestamp()) * 1000)
        self.payments: dict[str, Payment] = {}

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, action: str, body: bytes, content_type: str = "application/json") -> Answer:
        """Send a signed request once, and judge the answer's signature."""
        assert self._session is not None, "start() comes first"
        url = f"{next(self._gateways)}/payments/bank/{self._settings.bank_secret}/{action}"
        key = self._settings.bank_key.encode()
        stamp = str(int(self.now().timestamp()))
        signature = _mac(key, f"{stamp}.".encode() + body)
        headers = {
            "Content-Type": content_type,
            "X-Bank-Key-Id": KEY_ID,
            "X-Bank-Timestamp": stamp,
            "X-Bank-Signature": signature,
        }
        timeout = aiohttp.ClientTimeout(total=self._settings.callback_timeout_s)
        try:
            async with self._session.post(url, data=body, headers=headers, timeout=timeout) as response:
                said = await response.read()
                their_stamp = response.headers.get("X-Bank-Timestamp", "")
                theirs = response.headers.get("X-Bank-Signature", "")
        except (aiohttp.ClientError, TimeoutError):
            return Answer(0, {})
        due = _mac(key, f"{their_stamp}.{signature}.".encode() + said)
        try:
            fields = json.loads(said)
        except ValueError:
            fields = {}
        return Answer(response.status, fields if isinstance(fields, dict) else {}, hmac.compare_digest(due, theirs))

    async def pay(
        self, number: dict[str, str], amount: str, msisdn: str, force: bool, at: datetime | None = None
    ) -> dict[str, object]:
        """Look up, take the money, notify. What is not due is refused at the counter, unless ``force``."""
        found = await self.ask("lookup", json.dumps(number).encode())
        if not force and not (found.believed and found.fields.get("status") == "due"):
            return {"status": "refused", "lookup": found.fields, "http": found.http}
        payment = self._take(number, amount or str(found.fields.get("amount", "")), msisdn, at or self.now())
        delivery = self._tasks.spawn(self.notify(payment))
        await asyncio.wait([delivery], timeout=self._settings.pay_wait_s)
        return {**_shown(payment), "lookup": found.fields}

    def _take(self, number: dict[str, str], amount: str, msisdn: str, at: datetime) -> Payment:
        reference = f"{_PREFIX}{next(self._numbers)}"
        fields = {
            "reference": reference,
            **number,
            "amount": amount,
            "currency": "TZS",
            "paid_at": clock.to_wire(at),
            "payer_msisdn": msisdn,
            "payer_name": "MLIPAJI BENKI",
            "channel": "COUNTER",
        }
        payment = self.payments[reference] = Payment(reference, fields, at)
        return payment

    async def notify(self, payment: Payment) -> bool:
        """Send the same body until its acknowledgement is believed, at most `tries` times."""
        body = json.dumps(payment.fields).encode()
        for turn in range(self._settings.tries):
            if turn:
                wait_s = self._settings.backoff_s * 2.0 ** (turn - 1)
                await asyncio.sleep(min(wait_s, self._settings.backoff_max_s))
            fault = self._faults.take(NOTICE)
            said = await self._send(body, fault)
            payment.attempts.append(said)
            log.info("%s %s try %d: %s", NOTICE, payment.reference, turn + 1, said)
            if said == "received":
                payment.status = "paid"
                return True
            if fault is not None and fault.kind == "drop" and fault.forever:
                return False
        return False

    async def _send(self, body: bytes, fault: Fault | None) -> str:
        kind = fault.kind if fault else ""
        if kind == "drop":
            return "dropped"
        await self._faults.pause(fault)
        if kind == "alter":  # on the way, after signing: the tampered body goes with the signature of the true one
            answer = await self._altered(body)
        elif kind == "double":
            answers = await asyncio.gather(self.ask("notice", body), self.ask("notice", body))
            answer = next((a for a in answers if a.http == 200), answers[0])
        else:
            answer = await self.ask("notice", body)
        self._faults.passed(NOTICE)
        if kind == "error_after":
            return "lost"
        if answer.http == 200 and answer.believed and answer.fields.get("status") == "received":
            return "received"
        return f"http {answer.http}"

    async def _altered(self, body: bytes) -> Answer:
        assert self._session is not None
        stamp = str(int(self.now().timestamp()))
        headers = {
            "X-Bank-Key-Id": KEY_ID,
            "X-Bank-Timestamp": stamp,
            "X-Bank-Signature": _mac(self._settings.bank_key.encode(), f"{stamp}.".encode() + body),
        }
        url = f"{next(self._gateways)}/payments/bank/{self._settings.bank_secret}/notice"
        altered = re.sub(rb'("amount": ")(\d)', lambda m: m[1] + str((int(m[2]) + 1) % 10).encode(), body, count=1)
        async with self._session.post(url, data=altered, headers=headers) as response:
            return Answer(response.status, {})

    async def redeliver(self, payment: Payment, times: int, concurrency: int) -> dict[str, int]:
        """The same notice so many times, freshly signed: how often each answer came."""
        body, room = json.dumps(payment.fields).encode(), asyncio.Semaphore(concurrency)
        counts: dict[str, int] = {}

        async def one() -> None:
            async with room:
                said = await self._send(body, None)
            counts[said] = counts.get(said, 0) + 1

        await asyncio.gather(*(one() for _ in range(times)))
        return counts

    def statement(self, day: str, form: str) -> tuple[bytes, str]:
        """The day's payments, as JSON or CSV; East African days."""
        lines = [p.fields for p in self.payments.values() if p.fields["paid_at"].startswith(day)]
        if form == "json":
            return json.dumps({"day": day, "lines": lines}).encode(), "application/json"
        columns = ("reference", "control_number", "chfid", "amount", "currency", "paid_at", "payer_msisdn", "channel")
        rows = [",".join(line.get(name, "") for name in columns) for line in lines]
        return ("\n".join([f"#statement,{day}", ",".join(columns), *rows]) + "\n").encode(), "text/csv"


def _mac(key: bytes, signed: bytes) -> str:
    return hmac.new(key, signed, hashlib.sha256).hexdigest()


def _shown(payment: Payment) -> dict[str, object]:
    return {"reference": payment.reference, "status": payment.status, "attempts": payment.attempts}


def _number_in(body: dict[str, object]) -> dict[str, str]:
    named = [name for name in ("control_number", "chfid") if name in body]
    if len(named) != 1:
        raise bad_request("control_number or chfid: one of them is expected")
    number = text_in(body, named[0]).replace(" ", "")
    if not re.fullmatch(r"\d{1,20}", number, re.ASCII):
        raise bad_request(f"{named[0]}: digits are expected")
    return {named[0]: number}


def routes(bank: Bank) -> list[web.RouteDef]:
    async def pay(request: web.Request) -> web.Response:
        body = await object_from(request)
        amount = text_in(body, "amount", "")
        if amount and money.to_minor(amount) is None:
            raise bad_request('amount: a decimal text in shillings is expected, like "30000.00"')
        msisdn = with_plus(text_in(body, "msisdn"))
        at = moment_in(body, bank.now())
        return web.json_response(await bank.pay(_number_in(body), amount, msisdn, body.get("force") is True, at))

    async def redeliver(request: web.Request) -> web.Response:
        body = await object_from(request)
        payment = bank.payments.get(text_in(body, "reference"))
        if payment is None:
            return web.json_response({"error": "reference: no such payment"}, status=404)
        times = body.get("times", 1)
        if not isinstance(times, int) or not 1 <= times <= 1000:
            raise bad_request("times: 1 to 1000")
        return web.json_response({"answers": await bank.redeliver(payment, times, 50)})

    async def statement(request: web.Request) -> web.Response:
        body = await object_from(request)
        day, form = text_in(body, "day"), text_in(body, "form", "csv")
        if not re.fullmatch(r"20\d\d-\d\d-\d\d", day, re.ASCII) or form not in ("csv", "json"):
            raise bad_request('day: like "2026-11-25"; form: csv or json')
        answer = await bank.ask("statement", *bank.statement(day, form))
        return web.json_response({"http": answer.http, "believed": answer.believed, **answer.fields})

    async def status(request: web.Request) -> web.Response:
        reference = text_in(await object_from(request), "reference")
        answer = await bank.ask("status", json.dumps({"reference": reference}).encode())
        return web.json_response({"http": answer.http, "believed": answer.believed, **answer.fields})

    async def payments(request: web.Request) -> web.Response:
        return web.json_response([{**_shown(p), **p.fields} for p in bank.payments.values()])

    return [
        web.post("/sandbox/bank/pay", pay),
        web.post("/sandbox/bank/redeliver", redeliver),
        web.post("/sandbox/bank/status", status),
        web.post("/sandbox/bank/statement", statement),
        web.get("/sandbox/bank/payments", payments),
    ]
