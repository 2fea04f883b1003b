"""A gateway without sockets: real stores and services, a clock that is told the time, and peers that are values."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.registry.openimis import tables as t
from gateway.domain.bill import Bill
from gateway.domain.clock import EAT, eat_day
from gateway.domain.money import Money
from gateway.domain.msisdn import normalise
from gateway.domain.outcomes import Accepted, Done, Outcome
from gateway.domain.payments import PaymentReport
from gateway.domain.quote import Quote
from gateway.domain.ussd.effects import RequestBill
from gateway.ports import (
    BillOrder,
    ControlNumberGiven,
    Evidence,
    HttpReply,
    HttpRequest,
    HttpResponse,
    Notice,
    Reading,
    SmsMessage,
    Verdict,
)
from gateway.service.messages import Messages
from gateway.service.quotes import read_quote
from gateway.service.request_control_number import BillPolicy, RequestControlNumber
from gateway.service.settle_entries import AT_ONCE, SettleEntries
from gateway.store import tables as g
from gateway.store.database import Database

# FamilyIDs of the demo families, in the order in which the demo lists them.
COVERED, SOON, EXPIRED, OFFICER_RENEWAL, NEVER_PAID, UNENROLLED, EIGHT, NO_PHONE = range(1, 9)
TWO_PHONES, OFFICERS_FIRST, OFFICERS_SECOND, SUSPENDED, RENEWED, INSTALMENTS, EXPIRED_YESTERDAY = range(9, 16)

STRANGER = "+255754999999"
PRICE = Money.parse("30000")
NUMBER = "994120000011"


@dataclass
class Clock:
    """The time it was told."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def pass_(self, **span: float) -> datetime:
        self.time += timedelta(**span)
        return self.time


@dataclass
class Peer:
    """An HTTP client whose peer answers from a script, then as always; remembers what it was asked."""

    script: list[HttpResponse | Outcome | Exception] = field(default_factory=list)
    always: HttpResponse | Outcome | Exception = field(default_factory=lambda: HttpResponse(200, {}, b"yes"))
    sent: list[HttpRequest] = field(default_factory=list)
    hold: asyncio.Event | None = None
    in_flight: int = 0
    most_in_flight: int = 0

    async def send(self, request: HttpRequest, timeout_s: float) -> HttpResponse | Outcome:
        self.sent.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        answer = self.script.pop(0) if self.script else self.always
        try:
            await (self.hold.wait() if self.hold else asyncio.sleep(0))
        finally:
            self.in_flight -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Provider:
    """A payment provider with a wire of its own: ``ok``, ``forged``, ``junk`` or ``signed junk`` bytes."""

    notices: tuple[Notice, ...] = ()
    outcome: Outcome = field(default_factory=Accepted)
    orders: list[BillOrder] = field(default_factory=list)
    cancelled: Outcome = field(default_factory=Done)
    cancels: list[BillOrder] = field(default_factory=list)
    at_once: int = 3
    bulk: list[list[BillOrder]] = field(default_factory=list)
    name: str = "fakepay"
    routes: Sequence[str] = ("payments",)

    def bill_request(self, order: BillOrder, now: datetime) -> HttpRequest:
        self.orders.append(order)
        return HttpRequest("POST", "http://pay", {}, order.bill.id.encode())

    def bill_outcome(self, order: BillOrder, response: HttpResponse) -> Outcome:
        return self.outcome

    def bills_at_once(self, provider_code: str | None) -> int:
        return self.at_once

    def bills_request(self, orders: Sequence[BillOrder], now: datetime) -> HttpRequest:
        self.bulk.append(list(orders))
        return HttpRequest("POST", "http://pay/many", {}, b"many")

    def bills_outcome(self, orders: Sequence[BillOrder], response: HttpResponse) -> Outcome:
        return self.outcome

    def cancel_request(self, order: BillOrder, now: datetime) -> HttpRequest:
        self.cancels.append(order)
        return HttpRequest("POST", "http://pay/cancel", {}, order.bill.id.encode())

    def cancel_outcome(self, order: BillOrder, response: HttpResponse) -> Outcome:
        return self.cancelled

    def read(self, route: str, body: bytes, headers: Mapping[str, str]) -> Reading:
        if body.startswith(b"ok"):
            return Reading(route, Verdict.GENUINE, "M1", self.notices)
        verdict = Verdict.BAD_SIGNATURE if body.startswith(b"forged") else Verdict.UNREADABLE
        return Reading(route, verdict, why="because " * 200, is_signed=body.startswith(b"signed"))

    def unreadable(self, route: str, verdict: Verdict, why: str) -> Reading:
        return Reading(route, verdict, why=why)

    def acknowledge(self, reading: Reading, reply_id: str) -> HttpReply:
        return HttpReply(200, "text/plain", f"{reading.verdict} {reply_id}".encode())

    def not_kept(self, route: str) -> HttpReply:
        return HttpReply(503, "text/plain", b"again")


@dataclass
class Sms:
    """An SMS provider that says of every answer what it was told to."""

    result: Outcome = field(default_factory=Accepted)
    messages: list[SmsMessage] = field(default_factory=list)
    name: str = "fakesms"

    def request_for(self, message: SmsMessage) -> HttpRequest:
        self.messages.append(message)
        return HttpRequest("POST", "http://sms", {}, message.text.encode())

    def outcome(self, message: SmsMessage, response: HttpResponse) -> Outcome:
        return self.result


Snapshot = dict[str, dict[int, dict[str, Any]]]


@dataclass
class World:
    """Short ways to do what callers and providers do, and to see what became of it."""

    database: Database
    clock: Clock
    messages: Messages
    codes: Collection[str] = ("SP19960",)  # of the settings

    def __post_init__(self) -> None:
        self.settle = SettleEntries(self.database, self.messages, self.clock, self.codes)
        self.request = RequestControlNumber(self.database, self.messages, BillPolicy())

    @property
    def today(self) -> date:
        return eat_day(self.clock.now())

    # ---- what happens

    async def quote(self, family_id: int) -> Quote:
        async with self.database.reading() as tx:
            quote, _ = await read_quote(tx.registry, family_id, self.today)
        assert isinstance(quote, Quote), quote
        return quote

    async def wish(self, family_id: int, msisdn: str = "+255712000001", language: str = "sw") -> RequestBill:
        """What a caller agrees to on the screen."""
        quote = await self.quote(family_id)
        return RequestBill(quote.key, family_id, quote.amount.amount_minor, msisdn, language)

    async def ask(self, family_id: int, msisdn: str = "+255712000001", language: str = "sw") -> Bill:
        """Callers ask one after the other."""
        bill = await self.request(await self.wish(family_id, msisdn, language), self.clock.pass_(seconds=1))
        assert bill is not None
        return bill

    async def gives(self, family_id: int, *phones: str | None) -> None:
        """What the registry has as the phones of a family's members, from the head on."""
        members = await self.rows(t.insurees, FamilyID=family_id, ValidityTo=None)
        for member, phone in zip(members, phones, strict=False):
            row = t.insurees.update().where(t.insurees.c.InsureeID == member["InsureeID"])
            await self.execute(row.values(Phone=phone))

    async def phone(self, family_id: int) -> str:
        """The first phone that the registry has of the family."""
        members = await self.rows(t.insurees, FamilyID=family_id, ValidityTo=None)
        return next(phone for member in members if (phone := normalise(member["Phone"])) is not None)

    async def receive(self, *notices: Notice) -> str:
        """One message of the provider, accepted."""
        inbox_id, now = uuid4().hex, self.clock.now()
        kept = Evidence(inbox_id, "fakepay", "payments", now, b"ok", 2, {}, "0" * 64, Verdict.GENUINE, "", None, 200)
        async with self.database.writing() as tx:
            await tx.inbox.keep(kept, notices)
        return inbox_id

    async def settle_all(self, settlers: int = 1, most: int = AT_ONCE) -> None:
        """``most``: entries of one transaction; 1 settles each alone."""
        together = asyncio.Barrier(settlers)

        async def settler() -> None:
            if settlers > 1 and not self.database.embedded:  # or the first is done before the others are connected
                async with self.database.reading():
                    await together.wait()
            while await self.settle.batch(most):
                pass

        await asyncio.wait_for(asyncio.gather(*(settler() for _ in range(settlers))), 60)

    async def told(self, *notices: Notice) -> list[str]:
        """One message received and settled; the entries' states."""
        inbox_id = await self.receive(*notices)
        await self.settle_all()
        return [row["state"] for row in await self.rows(g.entry, inbox_id=inbox_id)]

    async def numbered(self, family_id: int, number: str = NUMBER, msisdn: str = "+255712000001") -> Bill:
        """A bill with its number."""
        bill = await self.ask(family_id, msisdn)
        assert await self.told(ControlNumberGiven(bill.id, number)) == ["settled"]
        return await self.bill(bill.id)

    def payment(
        self, bill: Bill, amount: str | Money | None = None, reference: str = "R1", **more: Any
    ) -> PaymentReport:
        due = bill.amount - bill.paid
        paid = due if amount is None else Money.parse(amount) if isinstance(amount, str) else amount
        fields = {"paid_at": self.clock.now() - timedelta(minutes=1), "bill_id": bill.id, "transaction": "T1", **more}
        return PaymentReport(reference, fields.pop("control_number", bill.control_number), paid, **fields)

    # ---- what became of it

    async def bill(self, bill_id: str) -> Bill:
        async with self.database.reading() as tx:
            bill = await tx.bills.by_id(bill_id)
        assert bill is not None
        return bill

    async def rows(self, table: Table, **where: Any) -> list[dict[str, Any]]:
        """Every row that has these values, by primary key."""
        statement = select(table).filter_by(**where).order_by(*table.primary_key.columns)
        async with self.database.engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(statement)).mappings()]

    async def count(self, table: Table, **where: Any) -> int:
        return len(await self.rows(table, **where))

    async def sms(self) -> list[tuple[str, str]]:
        """(message, to) of every SMS that will leave, in the order of deciding."""
        jobs = await self.rows(g.outbox, kind="send_sms")
        return [(job["payload"]["message"], job["payload"]["to"]) for job in jobs]

    async def texts(self) -> list[str]:
        return [job["payload"]["text"] for job in await self.rows(g.outbox, kind="send_sms")]

    async def cases(self) -> list[str]:
        async with self.database.reading() as tx:
            return [str(case["kind"]) for case in await tx.cases.listed()]

    async def snapshot(self) -> Snapshot:
        """Every row of openIMIS' tables."""
        found: Snapshot = {}
        async with self.database.engine.connect() as connection:
            for table in t.metadata.sorted_tables:
                (key,) = table.primary_key.columns
                rows = (await connection.execute(select(table))).mappings()
                found[table.name] = {row[key.name]: dict(row) for row in rows}
        return found

    async def changes_of(self, work: Callable[[], Awaitable[Any]]) -> Changes:
        """What some work inserts into openIMIS' tables, and which columns it changes."""
        before = await self.snapshot()
        await work()
        return changes(before, await self.snapshot())

    # ---- what others do

    async def execute(self, statement: Any) -> None:
        async with self.database.engine.begin() as connection:
            await connection.execute(statement)

    async def put(self, table: Table, **values: Any) -> int:
        """Insert a row of openIMIS' own making; its key."""
        row: dict[str, Any] = {c.name: str(uuid4()) for c in table.columns if c.name.endswith("UUID")}
        for name, value in (("ValidityFrom", self.clock.now()), ("AuditUserID", 7)):
            if name in table.c:
                row[name] = value
        async with self.database.engine.begin() as connection:
            return await _key_of(connection, table, {**row, **values})


async def _key_of(connection: AsyncConnection, table: Table, values: dict[str, Any]) -> int:
    key = (await connection.execute(insert(table), values)).inserted_primary_key
    assert key is not None
    return int(key[0])


@dataclass(frozen=True)
class Changes:
    """``inserted`` rows by table; ``updated`` columns by table and key."""

    inserted: dict[str, list[dict[str, Any]]]
    updated: dict[str, dict[int, dict[str, Any]]]


def changes(before: Snapshot, after: Snapshot) -> Changes:
    """Nothing may vanish."""
    inserted: dict[str, list[dict[str, Any]]] = {}
    updated: dict[str, dict[int, dict[str, Any]]] = {}
    for table, rows in after.items():
        assert before[table].keys() <= rows.keys()
        for key, row in rows.items():
            old = before[table].get(key)
            if old is None:
                inserted.setdefault(table, []).append(row)
            elif old != row:
                updated.setdefault(table, {})[key] = {name: row[name] for name in row if row[name] != old[name]}
    return Changes(inserted, updated)


async def opened(database: Database, messages: Messages) -> World:
    """At noon of the day on which the demo families were loaded."""
    async with database.reading() as tx:
        loaded = await tx.callers.watermark("phones")
    assert loaded is not None
    return World(database, Clock(datetime.combine(eat_day(loaded), time(12), EAT)), messages)


async def eventually(holds: Callable[[], Awaitable[bool]], within_s: float = 5.0) -> None:
    """Poll until something holds; AssertionError when it does not in time."""
    deadline = asyncio.get_running_loop().time() + within_s
    while not await holds():
        assert asyncio.get_running_loop().time() < deadline, "it did not come to hold in time"
        await asyncio.sleep(0.01)
