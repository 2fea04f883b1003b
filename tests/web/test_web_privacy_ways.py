"""No personal data in logs and metrics, whatever way through the menus and on whatever channel: a real database's
families and officers are the canaries, and every way is walked while all is well and while everything fails."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from channel_lines import Line, each
from channel_world import PATIENT, House, house
from played.talk import BOOK
from prometheus_client import generate_latest
from sqlalchemy import select

from adapters.registry.openimis import tables as openimis
from gateway.domain.bill import Bill, BillFact
from gateway.domain.clock import eat_day
from gateway.domain.outcomes import Accepted, Outcome
from gateway.domain.ussd.effects import UssdEffect
from gateway.domain.ussd.machine import Ask
from gateway.ports import HttpRequest, HttpResponse, SessionStore, SmsMessage
from gateway.service.answer_by_sms import AnswerPromises, Promises
from gateway.service.answer_ussd import AnswerUssd
from gateway.service.messages import Messages
from gateway.service.number_watch import NumberWatch
from gateway.service.request_control_number import BillPolicy, RequestControlNumber
from gateway.service.run_effects import ChannelLimits, RunEffects
from gateway.service.ussd_effects import UssdEffects
from gateway.service.ussd_facts import UssdFacts
from gateway.store import tables as g
from gateway.store.database import Database

OWN, OFFICER, STRANGER = "255712000001", "255712000901", "255754999999"
SEVERAL, TO_PAY = "255712000010", "255712000003"  # of two families; of one whose cover has ended
NUMBER, WRONG = "994180000017", "900000001"

pytestmark = pytest.mark.parametrize("backend", ["sqlite"])


class Driver(Exception):
    """As database drivers raise: the row is in the text."""


@dataclass
class Broken:
    """What stands before the facts and the effects, and may fail with the row in its text."""

    row: str = ""
    facts: UssdFacts | None = None
    effects: UssdEffects | None = None
    spared: tuple[str, ...] = ()
    asked: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)

    async def answer(self, ask: Ask) -> dict[str, Any]:
        assert self.facts is not None
        self.asked.add(ask.fact)
        if self.row and ask.fact not in self.spared:
            self.failed.add(ask.fact)
            raise Driver(f"DETAIL:  Key ({ask})=({self.row}) already exists.")
        return await self.facts.answer(ask)

    async def __call__(self, effect: UssdEffect, now: datetime) -> Bill | None:
        assert self.effects is not None
        self.asked.add(type(effect).__name__)
        if self.row and type(effect).__name__ not in self.spared:
            self.failed.add(type(effect).__name__)
            raise Driver(f"INSERT … {effect} {self.row}")
        return await self.effects(effect, now)


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class At:
    """The house over a database, its people, and what the walk has left."""

    house: House
    database: Database
    broken: Broken
    canaries: list[str]
    chfids: dict[str, str]  # by phone, of the first member that carries it

    def seen_in(self, text: str) -> list[str]:
        return [word for word in self.canaries if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)]


async def people(database: Database) -> tuple[list[str], dict[str, str]]:
    """Every name, number and phone of the registry, as it spells them and as wires do."""
    i, o = openimis.insurees.c, openimis.officers.c
    async with database.engine.connect() as connection:
        insurees = list(await connection.execute(select(i.OtherNames, i.LastName, i.CHFID, i.Phone)))
        officers = list(await connection.execute(select(o.OtherNames, o.LastName, o.Code, o.Phone)))
    words = {str(word) for row in (*insurees, *officers) for word in row if word}
    digits = {re.sub(r"\D", "", phone)[-9:] for *_, phone in (*insurees, *officers) if phone}
    wires = [f"{prefix}{number}" for number in digits for prefix in ("", "0", "255", "+255")]
    chfids = {"255" + re.sub(r"\D", "", phone)[-9:]: chfid for *_, chfid, phone in reversed(insurees) if phone}
    return [*words, *wires, STRANGER, STRANGER[3:], f"+{STRANGER}", NUMBER, WRONG], chfids


@pytest.fixture
def as_the_product(log_text: Callable[[], str], caplog: pytest.LogCaptureFixture) -> None:
    """What libraries may say: a database's driver says every row below that."""
    caplog.set_level("WARNING")


@pytest.fixture
async def at(as_the_product: None, database: Database) -> AsyncIterator[At]:
    watch, broken, clock = NumberWatch(database), Broken(), Clock()

    def answer(sessions: SessionStore) -> AnswerUssd:
        request = RequestControlNumber(database, Messages(BOOK), BillPolicy())
        broken.facts = UssdFacts(database, clock)
        broken.effects = UssdEffects(database, request, Promises(database, clock, 50), Messages(BOOK))
        return AnswerUssd(BOOK, sessions, broken, broken, watch, clock, replace(PATIENT, number_s=0.05))  # type: ignore[arg-type]

    async with database.engine.begin() as connection:  # some commission to tell of
        await connection.execute(openimis.premiums.update().values(PayDate=eat_day(clock.now())))
    canaries, chfids = await people(database)
    async with house(answer=answer) as opened:
        yield At(opened, database, broken, canaries, chfids)
    await watch.close()


# ---- the ways


async def walk(at: At, kind: type[Line], round_: str) -> str:
    """Every menu with what it asks for and brings about; all that was shown."""
    chfid, shown = at.chfids, []
    ways = [
        (OWN, "3"),  # members
        (OWN, "4"),  # receipts
        (OWN, "5", "1", chfid[TO_PAY]),
        (OWN, "5", "2", "1"),
        (OWN, "5", "4"),
        (TO_PAY, "1", "1"),  # the number comes by SMS
        (TO_PAY, "2"),
        (SEVERAL, "1", "3"),
        (STRANGER, "1", WRONG, chfid[OWN]),
        (STRANGER, "4", chfid[OWN]),
        (OFFICER, "1", chfid[OWN], "1", "1"),
        (OFFICER, "2", WRONG, chfid[OWN]),
        (OFFICER, "3", "1", "1"),
        (OFFICER, "4"),
    ]
    for place, (phone, *keys) in enumerate(ways):
        shown += await call(at, kind, f"{round_}{place}", phone, keys)
    await number_comes(at)
    for place, keys in enumerate((["2", "1"], ["2", "2"])):
        shown += await call(at, kind, f"{round_}how{place}", TO_PAY, keys)
    shown += await call(at, kind, f"{round_}disowns", SEVERAL, ["1", "5", "3", "1"])
    return "\n".join(shown)


async def call(at: At, kind: type[Line], session: str, phone: str, keys: list[str]) -> list[str]:
    line = at.house.line(kind, session, phone)
    shown = [await line.dial()]
    for key in ("00", *keys):  # home: the dial may have taken up where the phone's last call was left
        if shown[-1].final:
            break
        shown.append(await line.press(key))
    return [screen.text for screen in shown]


async def number_comes(at: At) -> None:
    async with at.database.writing() as tx:
        for bill, _ in await tx.bills.silent(datetime.now(UTC) + timedelta(hours=1), 9):
            if bill.chfid == at.chfids[TO_PAY]:
                await tx.bills.record(bill, BillFact.NUMBERED, datetime.now(UTC), control_number=NUMBER)


# ---- the workers behind it


class Quoting:
    """A network and a provider of SMS that quote whom and what they could not send."""

    name = "quoting"

    def __init__(self) -> None:
        self.sent: list[SmsMessage] = []

    def request_for(self, message: SmsMessage) -> HttpRequest:
        self.sent.append(message)
        return HttpRequest("POST", "http://sms", {}, message.text.encode())

    async def send(self, request: HttpRequest, timeout_s: float) -> HttpResponse:
        if len(self.sent) % 2:
            raise Driver(f"{request} {self.sent[-1]}")
        return HttpResponse(200, {}, b"")

    def outcome(self, message: SmsMessage, response: HttpResponse) -> Outcome:
        return Accepted()


async def work(at: At) -> list[str]:
    """Write the promised answers and send every SMS; the kinds of what would have left."""
    database, clock, texts, pace = at.database, Clock(), Quoting(), ChannelLimits()
    request = RequestControlNumber(database, Messages(BOOK), BillPolicy())
    keep = AnswerPromises(database, at.broken, request, Messages(BOOK), clock, pace)  # type: ignore[arg-type]
    await keep()
    run = RunEffects(database, texts, None, texts, Messages(BOOK), clock, {"sms": pace})  # type: ignore[arg-type]
    while await run.batch("sms"):
        pass
    async with database.engine.connect() as connection:
        kinds = await connection.execute(select(g.outbox.c.kind, g.outbox.c.payload))
        return sorted({payload["message"] for kind, payload in kinds if kind == "send_sms"})


FACTS = {
    "caller",
    "quote",
    "bill",
    "enquiry",
    "members",
    "payment",
    "tries",
    "officer_enquiry",
    "mandate",
    "commission",
}
EFFECTS = {
    "RequestBill", "AwaitNumber", "KeepLanguage", "TellHowToPay", "TellCommission", "DisownFamily", "ClaimFamily",
}  # fmt: skip


def said_of(at: At, log: str) -> list[str]:
    """What of the people stands in the logs or in the metrics."""
    return at.seen_in(log) + at.seen_in(generate_latest().decode())


@each
async def test_all_is_well(at: At, kind: type[Line], log_text: Callable[[], str]) -> None:
    shown = await walk(at, kind, "well")
    assert at.broken.asked >= FACTS | EFFECTS
    assert {"Neema", at.chfids[OWN]} <= set(at.seen_in(shown)), "the walk shows what the logs must not"
    assert {"collected", "how_bank", "how_mobile"} <= set(await work(at))
    assert "effect_failed" in log_text()
    assert said_of(at, log_text()) == []


@each
async def test_every_fact_fails_with_the_row_in_its_text(at: At, kind: type[Line], log_text: Callable[[], str]) -> None:
    at.broken.row = " ".join(at.canaries)
    at.broken.spared = ("caller", "officer_enquiry", "PromiseAnswer", *EFFECTS)
    await walk(at, kind, "facts")
    assert at.broken.failed == FACTS - set(at.broken.spared)
    await work(at)
    for event in ("ussd_fact_failed", "answer_not_read"):
        assert event in log_text()
    assert said_of(at, log_text()) == []
    at.broken.row = ""
    async with at.database.engine.begin() as connection:
        await connection.execute(g.outbox.update().values(not_before=datetime.now(UTC)))
    assert [kind for kind in await work(at) if kind.startswith("answer_")], "told by SMS after all"
    assert said_of(at, log_text()) == []


@each
async def test_nothing_can_be_committed(at: At, kind: type[Line], log_text: Callable[[], str]) -> None:
    at.broken.row, at.broken.spared = " ".join(at.canaries), tuple(FACTS)
    await walk(at, kind, "effects")
    assert at.broken.failed >= EFFECTS - {"AwaitNumber", "TellHowToPay"}
    assert "ussd_effect_failed" in log_text()
    assert said_of(at, log_text()) == []


async def test_the_search_would_find_them(at: At) -> None:
    for text in ("by +255712000001.", '"0712000001"', "Neema Kimaro", f"({at.chfids[OWN]})", f"n={NUMBER}"):
        assert at.seen_in(text), text
