"""GePG v5: takes bills, gives control numbers, tells of payments."""

import asyncio
import logging
import random
import string
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from sandbox import codes
from sandbox import gepg_messages as messages
from sandbox.courier import Courier, Parcel
from sandbox.envelope import BadSignature, Node, Unreadable, seal, text_of, unseal
from sandbox.faults import Faults, alter_xml
from sandbox.gepg_book import Bill, Book, Payment
from sandbox.gepg_fields import Submission, Verdict, read_submission
from sandbox.keys import KeyRing
from sandbox.settings import Settings
from sandbox.tasks import Tasks

log = logging.getLogger("sandbox")

_HEADERS = ("Gepg-Code", "Gepg-Com", "Gepg-Alg")
_ALGORITHM = "00S2"


@dataclass(frozen=True, slots=True)
class Order:
    """What a payer asks of a bank or wallet. Empty texts mean: make one up."""

    control_number: str
    amount_minor: int
    msisdn: str
    channel: str = ""
    receipt: str = ""
    pay_ref_id: str = ""
    trx_id: str = ""
    bill_id: str = ""
    force: bool = False
    """Notify even what GePG would refuse (wrong amount, unknown number): for tests of the gateway."""


class Gepg:
    """One GePG with its book. `clock` gives the time in East Africa Time."""

    def __init__(
        self,
        settings: Settings,
        keys: KeyRing,
        courier: Courier,
        faults: Faults,
        tasks: Tasks,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings, self._keys, self._courier, self._faults = settings, keys, courier, faults
        self._tasks, self._clock = tasks, clock
        self.book = Book()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/gepg/api/bill/20/submission", self._submission),
            web.post("/gepg/api/bill/20/cancellation", self._cancellation),
        ]

    # --- bills -------------------------------------------------------------------------------------------------

    async def _submission(self, request: web.Request) -> web.StreamResponse:
        async def handle(raw: bytes) -> web.StreamResponse:
            return self._signed(self._take_bill(request, raw))

        raw = await request.read()
        response = await self._faults.inbound("bill_submission", request, raw, handle, alter_xml)
        if response.status != 200:
            return response
        return await self._faults.answer("bill_ack", request, response)

    def _take_bill(self, request: web.Request, raw: bytes) -> Node:
        """Judge a submission, remember the bill, and see to it that its number follows. Returns the acknowledgement."""
        now = self._clock()
        req_id, verdict = self._read(request, raw, now)
        if isinstance(verdict, Submission):
            verdict = self._accept(verdict, now)
        log.info("bill %s: %s %s", req_id, verdict.codes, verdict.detail)
        return messages.submission_ack(messages.new_id("ACK", now), req_id, verdict.codes, verdict.detail)

    def _read(self, request: web.Request, raw: bytes, now: datetime) -> tuple[str, Submission | Verdict]:
        missing = [name for name in _HEADERS if not request.headers.get(name)]
        if missing:
            return "", Verdict("7202", ", ".join(missing))
        try:
            message = unseal(raw, self._keys, "billSubReq")
        except BadSignature as error:
            return "", Verdict("7303", str(error))
        except Unreadable as error:
            return "", Verdict("7242", str(error))
        req_id = message.findtext("BillHdr/ReqId") or ""
        if request.headers["Gepg-Alg"] != _ALGORITHM:
            return req_id, Verdict("7322", f"Gepg-Alg is not {_ALGORITHM}")
        verdict = read_submission(message, request.headers["Gepg-Code"], now)
        if isinstance(verdict, Submission):
            protocol = "reusebill.sp.in" if verdict.reuse else "default.sp.in"
            if request.headers["Gepg-Com"] != protocol:
                return req_id, Verdict("7322", f"Gepg-Com is not {protocol}")
        return req_id, verdict

    def _accept(self, asked: Submission, now: datetime) -> Verdict:
        """Store a new bill, or recognise one. The outcome's codes may be 7101."""
        known = self.book.bills.get(asked.bill_id)
        if known is not None:
            if known.control_number and self._settings.resend_on_duplicate and not self._tasks.full:
                self._tasks.spawn(self._answer_bill(known, asked.req_id))
            return Verdict("7226", "the first stays")
        if asked.reuse and self.book.by_number(asked.reuse) is None:
            return Verdict("7335", asked.reuse)
        if self.book.full or self._tasks.full:
            return Verdict("7321", "the sandbox is full")
        bill = self.book.bills[asked.bill_id] = Bill(asked, now)
        self._tasks.spawn(self._answer_bill(bill, asked.req_id))
        return Verdict(codes.OK, "")

    async def _answer_bill(self, bill: Bill, req_id: str) -> None:
        """After the usual delay, tell the service provider the bill's control number."""
        await asyncio.sleep(self._settings.gepg_delay_s)
        self.book.number(bill)
        res_id = messages.new_id("RES", self._clock())
        raw = seal(messages.bill_response(res_id, req_id, bill), self._keys)
        parcel = Parcel("bill_response", "/payments/gepg/bills", raw, "billSubResAck", "ResId", res_id)
        if await self._courier.deliver(parcel, []):
            bill.acknowledged = True

    async def _cancellation(self, request: web.Request) -> web.StreamResponse:
        """Answered in the same HTTP exchange; success is 7283, also when the bill was cancelled before."""
        raw, now = await request.read(), self._clock()
        req_id = bill_id = ""
        try:
            message = unseal(raw, self._keys, "billCanclReq")
            req_id, bill_id = text_of(message, "ReqId"), text_of(message, "GrpBillId")
            code = self._cancel(bill_id, text_of(message, "SpGrpCode"), request.headers.get("Gepg-Code"), now)
        except BadSignature:
            code = "7303"
        except Unreadable:
            code = "7242"
        log.info("cancel %s: %s", bill_id, code)
        return self._signed(messages.cancellation_answer(messages.new_id("RES", now), req_id, bill_id, code))

    def _cancel(self, bill_id: str, sp_code: str, header_code: str | None, now: datetime) -> str:
        if header_code is None:
            return "7202"
        if header_code != sp_code:
            return "7323"
        bill = self.book.bills.get(bill_id)
        if bill is None or bill.asked.sp_code != sp_code:
            return "7204"
        if bill.status(now) == "paid":
            return "7279"
        bill.cancelled = True
        return "7283"

    def _signed(self, node: Node) -> web.Response:
        return web.Response(body=seal(node, self._keys), content_type="application/xml")

    # --- payments ----------------------------------------------------------------------------------------------

    async def pay(self, order: Order) -> dict[str, object]:
        """Take the money (or refuse), notify the service provider, wait a while for the acknowledgement.

        Status: paid (acknowledged), pending (redelivering), undelivered (given up), refused (with `code`).
        """
        now = self._clock()
        bill = self.book.by_number(order.control_number)
        refusal = self._refusal(order, bill, now)
        if refusal is not None and not order.force:
            log.info("pay %s: refused %s", order.control_number, refusal)
            text = codes.meaning(refusal)
            return {"status": "refused", "code": refusal, "text": text, "trx_id": None, "pay_ref_id": None}
        if self._tasks.full:
            raise web.HTTPServiceUnavailable(text="the sandbox is full")
        payment = self._payment(order, bill, now)
        if bill is not None and refusal is None:
            bill.paid_minor += order.amount_minor
        payment.req_id, payment.raw = self._notification(payment, payment.paid_minor)
        self.book.keep(payment)
        task = self._tasks.spawn(self._notify(payment))
        await asyncio.wait({task}, timeout=self._settings.pay_wait_s)
        status = {"acknowledged": "paid", "given_up": "undelivered"}.get(payment.delivery, "pending")
        return {"trx_id": payment.trx_id, "pay_ref_id": payment.pay_ref_id, "status": status}

    def _refusal(self, order: Order, bill: Bill | None, now: datetime) -> str | None:
        if order.pay_ref_id in self.book.payments:
            return "7207"
        if bill is None:
            return "7335"
        return "7214" if order.amount_minor == 0 else bill.refusal(order.amount_minor, now)

    def _payment(self, order: Order, bill: Bill | None, now: datetime) -> Payment:
        asked = bill.asked if bill is not None else None
        return Payment(
            trx_id=order.trx_id or f"{random.randrange(10**12):012d}",  # noqa: S311 - unique, not secret
            pay_ref_id=order.pay_ref_id or self.book.new_reference(now),
            receipt=order.receipt or "".join(random.choices(string.ascii_uppercase + string.digits, k=10)),  # noqa: S311
            channel=order.channel or "MOBILE",
            msisdn=order.msisdn,
            payer=asked.payer if asked else "MLIPAJI ASIYEJULIKANA",
            sp_code=asked.sp_code if asked else _code_in(order.control_number),
            bill_id=order.bill_id or (asked.bill_id if asked else messages.new_id("NONE", now)),
            control_number=order.control_number,
            bill_minor=asked.amount_minor if asked else order.amount_minor,
            paid_minor=order.amount_minor,
            pay_opt=asked.pay_opt if asked else 3,
            currency=asked.currency if asked else "TZS",
            at=now,
        )

    def _notification(self, payment: Payment, paid_minor: int, req_id: str = "") -> tuple[str, bytes]:
        req_id = req_id or messages.new_id("REQ", self._clock())
        return req_id, seal(messages.payment_notification(req_id, payment, paid_minor), self._keys)

    def _parcel(self, req_id: str, raw: bytes) -> Parcel:
        path = "/payments/gepg/payments"
        return Parcel("payment_notification", path, raw, "pmtSpNtfReqAck", "ReqId", req_id)

    async def _notify(self, payment: Payment) -> None:
        done = await self._courier.deliver(self._parcel(payment.req_id, payment.raw), payment.attempts)
        payment.delivery = "acknowledged" if done else "given_up"

    async def redeliver(
        self, payment: Payment, times: int, fresh: bool, amount_minor: int | None, concurrency: int
    ) -> dict[str, dict[str, int]]:
        """Send an earlier notification again, without faults or back-off, and count what comes back.

        Byte for byte the same, or `fresh` (new ReqId and signature); `amount_minor` changes PaidAmt (signed anew).
        """
        acks: Counter[str] = Counter()
        statuses: Counter[str] = Counter()
        turns = iter(range(times))

        async def work() -> None:
            for _ in turns:
                req_id, raw = payment.req_id, payment.raw
                if fresh or amount_minor is not None:
                    paid_minor = payment.paid_minor if amount_minor is None else amount_minor
                    req_id, raw = self._notification(payment, paid_minor, "" if fresh else req_id)
                attempt = await self._courier.post(self._parcel(req_id, raw), raw)
                acks[attempt.ack] += 1
                statuses[str(attempt.http)] += 1

        await asyncio.gather(*(work() for _ in range(min(concurrency, times))))
        log.info("redelivered %s: acks %s", payment.pay_ref_id, dict(acks))
        return {"acks": dict(acks), "http": dict(statuses)}

    def bills_json(self, msisdn: str, control_number: str) -> list[dict[str, object]]:
        now = self._clock()
        return [
            bill.to_json(now)
            for bill in self.book.bills.values()
            if (not msisdn or bill.asked.msisdn == msisdn)
            and (not control_number or bill.control_number == control_number)
        ]


def _code_in(control_number: str) -> str:
    """The service provider's code inside a control number: SP023 in 99023…, SP19960 in 19960…."""
    digits = control_number[:5]
    return "SP" + (digits[2:] if digits.startswith("99") else digits)
