"""GePG, both generations: its doors for bills, and the counter where payers bring money that it then tells of."""

import asyncio
import logging
import random
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from sandbox import codes
from sandbox import gepg_messages as messages
from sandbox.courier import Courier
from sandbox.faults import Faults
from sandbox.gepg_bills import Bills
from sandbox.gepg_book import Bill, Book, Payment
from sandbox.gepg_day_door import DayDoor
from sandbox.gepg_days import Days
from sandbox.gepg_parcels import Parcels
from sandbox.gepg_v4 import GepgV4
from sandbox.gepg_v5 import GepgV5
from sandbox.keys import KeyRing
from sandbox.settings import Settings
from sandbox.tasks import Tasks

log = logging.getLogger("sandbox")


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
    at: datetime | None = None
    """When the money moved, if not now: so that a day that has passed can be reconciled."""
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
        self._settings, self._courier, self._tasks, self._clock = settings, courier, tasks, clock
        self._parcels = Parcels(keys)
        self.book = Book()
        bills = Bills(settings, self.book, courier, self._parcels, faults, tasks, clock)
        days = Days(settings, self.book, courier, keys, faults, tasks, clock)
        self._doors = (
            GepgV4(bills, keys, faults, clock),
            GepgV5(bills, keys, faults, clock),
            DayDoor(days, keys, faults, clock),
        )

    def routes(self) -> list[web.RouteDef]:
        return [route for door in self._doors for route in door.routes()]

    # --- payments ----------------------------------------------------------------------------------------------

    async def pay(self, order: Order) -> dict[str, object]:
        """Take the money (or refuse), notify the service provider, wait a while for the acknowledgement.

        Status: paid (acknowledged), pending (redelivering), undelivered (given up), refused (with `code`).
        """
        now = self._clock()
        bill = self.book.by_number(order.control_number)
        refusal = self._refusal(order, bill, now)
        if refusal is not None and not order.force:
            return _refused(order.control_number, refusal)
        self._check_room()
        payment = self._payment(order, bill, now)
        if bill is not None and refusal is None:
            bill.paid_minor += order.amount_minor
        return await self._tell([payment])

    async def pay_together(
        self, numbers: Sequence[str], msisdn: str, channel: str, at: datetime | None = None
    ) -> dict[str, object]:
        """Pay what is left of several bills in one transaction; one notification tells of all, or all are refused."""
        now = self._clock()
        orders: list[tuple[Order, Bill]] = []
        trx_id = _new_transaction()
        for number in numbers:
            bill = self.book.by_number(number)
            if bill is None:
                return _refused(number, "7335")
            left = max(bill.asked.amount_minor - bill.paid_minor, 0) or bill.asked.amount_minor
            order = Order(number, left, msisdn, channel, trx_id=trx_id, at=at)
            refusal = self._refusal(order, bill, now)
            if refusal is not None:
                return _refused(number, refusal)
            orders.append((order, bill))
        if len({bill.asked.version for _, bill in orders}) > 1:
            return _refused(numbers[0], "7242")  # one notification speaks one generation's language
        self._check_room()
        payments = [self._payment(order, bill, now) for order, bill in orders]
        for order, bill in orders:
            bill.paid_minor += order.amount_minor
        for payment in payments:
            payment.together = tuple(payments)
        return await self._tell(payments)

    def _check_room(self) -> None:
        """Before any money is taken. Raises HTTP 503."""
        if self._tasks.full:
            raise web.HTTPServiceUnavailable(text="the sandbox is full")

    async def _tell(self, payments: list[Payment]) -> dict[str, object]:
        """Keep the payments of one transaction and deliver the one notification of them."""
        first = payments[0]
        parcel = self._parcels.payment(first, self._clock())
        for payment in payments:
            payment.req_id, payment.raw = parcel.id_value, parcel.raw
            self.book.keep(payment)
        task = self._tasks.spawn(self._notify(payments))
        await asyncio.wait({task}, timeout=self._settings.pay_wait_s)
        status = {"acknowledged": "paid", "given_up": "undelivered"}.get(first.delivery, "pending")
        answer: dict[str, object] = {"trx_id": first.trx_id, "pay_ref_id": first.pay_ref_id, "status": status}
        if len(payments) > 1:
            answer["pay_ref_ids"] = [payment.pay_ref_id for payment in payments]
        return answer

    async def _notify(self, payments: list[Payment]) -> None:
        parcel = self._parcels.payment(payments[0], self._clock())
        done = await self._courier.deliver(parcel, payments[0].attempts)
        for payment in payments:
            payment.attempts = payments[0].attempts
            payment.delivery = "acknowledged" if done else "given_up"

    def _refusal(self, order: Order, bill: Bill | None, now: datetime) -> str | None:
        if order.pay_ref_id in self.book.payments:
            return "7207"
        if bill is None:
            return "7335"
        return "7214" if order.amount_minor == 0 else bill.refusal(order.amount_minor, now)

    def _payment(self, order: Order, bill: Bill | None, now: datetime) -> Payment:
        asked, at = bill.asked if bill is not None else None, order.at or now
        return Payment(
            trx_id=order.trx_id or _new_transaction(),
            pay_ref_id=order.pay_ref_id or self.book.new_reference(at),
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
            at=at,
            version=asked.version if asked else "v5",
        )

    async def redeliver(
        self, payment: Payment, times: int, fresh: bool, amount_minor: int | None, concurrency: int
    ) -> dict[str, dict[str, int]]:
        """Send an earlier notification again, without faults or back-off, and count what comes back.

        Byte for byte the same, or `fresh` (other bytes and signature, in v5 a new ReqId; the same facts);
        `amount_minor` changes PaidAmt (signed anew).
        """
        acks: Counter[str] = Counter()
        statuses: Counter[str] = Counter()
        turns = iter(range(times))

        async def work() -> None:
            for _ in turns:
                parcel = self._parcels.payment(payment, self._clock(), fresh, amount_minor)
                attempt = await self._courier.post(parcel, parcel.raw)
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


def _refused(control_number: str, code: str) -> dict[str, object]:
    log.info("pay %s: refused %s", control_number, code)
    return {"status": "refused", "code": code, "text": codes.meaning(code), "trx_id": None, "pay_ref_id": None}


def _new_transaction() -> str:
    return f"{random.randrange(10**12):012d}"  # noqa: S311 - unique, not secret


def _code_in(control_number: str) -> str:
    """The service provider's code inside a control number: SP023 in 99023…, SP19960 in 19960…."""
    digits = control_number[:5]
    return "SP" + (digits[2:] if digits.startswith("99") else digits)
