"""The two sides of a twin run: the gateway in this process, and a clerk at openIMIS' screens."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

from openimis_process import OpenImis

from gateway.domain.bill import Bill
from gateway.domain.clock import EAT, eat_day
from gateway.domain.money import Money
from gateway.domain.payments import PaymentReport
from gateway.domain.quote import Quote
from gateway.domain.ussd.effects import RequestBill
from gateway.ports import ControlNumberGiven, Evidence, Notice, Verdict
from gateway.service.messages import Messages
from gateway.service.quotes import read_quote
from gateway.service.request_control_number import BillPolicy, RequestControlNumber
from gateway.service.settle_entries import SettleEntries
from gateway.store.database import Database

PHONE = "+255712000001"
NUMBER = "994120000011"
LANGUAGE, ORIGIN = "sw", "CRDB"


@dataclass(frozen=True)
class Paid:
    """Money as both sides are told of it."""

    amount: str
    receipt: str
    day: date
    last: bool = True  # nothing is due afterwards

    @property
    def transaction(self) -> str:
        return f"T{self.receipt}"


@dataclass
class Clock:
    """The gateway's: noon of the day of the run, a second later each time."""

    day: date
    started: datetime = field(init=False)
    time: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.started = self.time = datetime.combine(self.day, time(12), EAT)

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


class Gateway:
    """A request for a number, the number, and the money, as callers and the provider bring them."""

    def __init__(self, database: Database, messages: Messages, day: date) -> None:
        self._database = database
        self.clock = Clock(day)
        self.spans: list[tuple[datetime, datetime]] = []
        self._request = RequestControlNumber(database, messages, BillPolicy())
        self._settle = SettleEntries(database, messages, self.clock)

    @property
    def active(self) -> list[tuple[datetime, datetime]]:
        """When it wrote, by its own clock."""
        return [*self.spans, (self.clock.started, self.clock.time)]

    async def quote(self, family: int) -> Quote:
        async with self._database.reading() as tx:
            quote, _ = await read_quote(tx.registry, family, eat_day(self.clock.now()))
        assert isinstance(quote, Quote), quote
        return quote

    async def numbered(self, family: int, days: int = 0) -> Bill:
        """A bill for what the family is told to pay, with its control number; ``days`` before the day of the run where
        negative, since nobody pays a number before it was asked for."""
        self.clock.time += timedelta(days=days)
        asked_at = self.clock.time
        quote = await self.quote(family)
        wish = RequestBill(quote.key, family, quote.amount.amount_minor, PHONE, LANGUAGE)
        bill = await self._request(wish, self.clock.now())
        assert bill is not None
        assert await self._told(ControlNumberGiven(bill.id, NUMBER)) == "settled"
        self.spans.append((asked_at, self.clock.time))
        self.clock.time -= timedelta(days=days)
        return bill

    async def paid(self, bill: Bill, paid: Paid) -> str:
        """One report of the provider; what became of its entry."""
        noon = datetime.combine(paid.day, time(11), EAT)
        report = PaymentReport(
            paid.receipt,
            NUMBER,
            Money.parse(paid.amount),
            noon,
            bill_id=bill.id,
            transaction=paid.transaction,
            payer_msisdn=PHONE,
            origin=ORIGIN,
        )
        return await self._told(report)

    async def _told(self, notice: Notice) -> str:
        inbox_id, now = uuid4().hex, self.clock.now()
        kept = Evidence(inbox_id, "fakepay", "payments", now, b"ok", 2, {}, "0" * 64, Verdict.GENUINE, "", None, 200)
        async with self._database.writing() as tx:
            await tx.inbox.keep(kept, [notice])
        while await self._settle.one():
            pass
        async with self._database.engine.connect() as connection:
            found = await connection.exec_driver_sql("SELECT state FROM gw_entry WHERE inbox_id = $1", (inbox_id,))
            return str(found.scalar_one())

    async def cases(self) -> list[str]:
        async with self._database.reading() as tx:
            return [str(case["kind"]) for case in await tx.cases.listed()]


@dataclass(frozen=True)
class Office:
    """A clerk at openIMIS' screens: policy, premium, payment and its detail, each through openIMIS' own services."""

    openimis: OpenImis
    day: date

    def on(self, days: int = 0) -> str:
        return (self.day + timedelta(days=days)).isoformat()

    def enters_money(self, policy: int, paid: Paid, bill: Bill) -> None:
        """What the screens have a field for is typed as the gateway knows it."""
        premium = self.openimis(
            "premium", policy=policy, amount=paid.amount, receipt=paid.receipt, pay_date=paid.day.isoformat()
        )
        payment = self.openimis(
            "payment",
            expected_amount=str(bill.amount.to_decimal()),
            received_amount=paid.amount,
            phone_number=PHONE.lstrip("+"),
            request_date=eat_day(bill.created_at).isoformat(),
            received_date=self.on(),
            payment_date=paid.day.isoformat(),
            matched_date=self.on() if paid.last else None,
            status=5 if paid.last else 4,
            transaction_no=paid.transaction,
            receipt_no=paid.receipt,
            origin=ORIGIN,
            language_name=LANGUAGE,
            type_of_payment="MobilePhone",
        )
        self.openimis("payment_detail", payment=payment["id"], premium=premium["id"])


def utc_now() -> datetime:
    return datetime.now(UTC)
