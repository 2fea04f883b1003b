"""Entries settled many in a transaction leave what settling them one by one leaves, and a bad one costs only itself."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from service_world import (
    COVERED,
    EIGHT,
    EXPIRED,
    EXPIRED_YESTERDAY,
    INSTALMENTS,
    NEVER_PAID,
    NO_PHONE,
    OFFICER_RENEWAL,
    SOON,
    STRANGER,
    TWO_PHONES,
    UNENROLLED,
    World,
    opened,
)
from sqlalchemy import Table, select
from test_service_cases import cancelled, paid_in_cash, suspended
from test_service_cutover import legacy_bill

from adapters.registry.openimis import tables as t
from config.settings import DatabaseSettings, Settings
from gateway import app
from gateway.domain.bill import Bill
from gateway.domain.money import Money
from gateway.domain.payments import PaymentReport
from gateway.ports import BillRefused, ControlNumberGiven, Notice
from gateway.service.messages import Messages
from gateway.store import tables as g

FAMILIES = (
    COVERED,
    SOON,
    EXPIRED,
    OFFICER_RENEWAL,
    NEVER_PAID,
    UNENROLLED,
    EIGHT,
    NO_PHONE,
    TWO_PHONES,
    INSTALMENTS,
    EXPIRED_YESTERDAY,
)

# ------------------------------------------------------------------------------------------------ copies of a database


@asynccontextmanager
async def world_at(url: str, messages: Messages) -> AsyncIterator[World]:
    database = app.open_database(Settings(database=DatabaseSettings(url=url)))
    try:
        yield await opened(database, messages)
    finally:
        await database.close()


@asynccontextmanager
async def copies(backend: str, request: pytest.FixtureRequest) -> AsyncIterator[Callable[[str | None], Any]]:
    """A maker of databases: a copy of the one that is named, or of the template; nobody may be connected to it."""
    if backend == "sqlite":
        with TemporaryDirectory(prefix="gw-copies-") as folder:

            async def copied(url: str | None) -> str:
                source = url.removeprefix("sqlite:///") if url else request.getfixturevalue("sqlite_template")
                path = Path(folder) / f"{uuid4().hex}.db"
                shutil.copy(source, path)
                return f"sqlite:///{path}"

            yield copied
        return
    server, made = request.getfixturevalue("postgres"), []

    async def cloned(url: str | None) -> str:
        source = url.rsplit("/", 1)[1].split("?")[0] if url else request.getfixturevalue("postgres_template")
        made.append(f"gw_copy_{uuid4().hex[:12]}")
        await server.execute(f"CREATE DATABASE {made[-1]} TEMPLATE {source}")
        return str(server.url(made[-1]))

    yield cloned
    for name in made:
        await server.execute(f"DROP DATABASE {name} WITH (FORCE)")


# -------------------------------------------------------------------------------------------------- what may be said


async def _prepare(world: World, luck: random.Random) -> list[Bill]:
    """A bill for each family; most have their number; some were cancelled or their families changed meanwhile."""
    bills = []
    for place, family_id in enumerate(FAMILIES):
        bill = await world.ask(family_id, f"+25571200010{place % 10}", luck.choice(["sw", "en"]))
        if luck.random() < 0.8:
            assert await world.told(ControlNumberGiven(bill.id, f"9941200001{place:02}")) == ["settled"]
            bill = await world.bill(bill.id)
        change = luck.choice([None] * 6 + [cancelled, suspended, paid_in_cash])
        if change is not None:
            await change(world, bill)
        if luck.random() < 0.5 and bill.preceding_policy_id is not None:
            await _prompted(world, bill)
        bills.append(bill)
    await legacy_bill(world, SOON, number="991234500001")
    await legacy_bill(world, NO_PHONE, number="991234500002")
    await legacy_bill(world, None, number="991234500003")
    return bills


async def _prompted(world: World, bill: Bill) -> None:
    (head, *_) = await world.rows(t.insurees, FamilyID=bill.family_id, ValidityTo=None)
    await world.put(
        t.renewals,
        RenewalPromptDate=world.today,
        RenewalDate=world.today,
        SMSStatus=0,
        InsureeID=head["InsureeID"],
        PolicyID=bill.preceding_policy_id,
        NewProdID=bill.product_id,
    )


def _said_of(world: World, bill: Bill, luck: random.Random) -> list[Notice]:
    """What a provider, well or not, says of a bill: in this order, unless it is shuffled."""
    number = bill.control_number or f"99412000{bill.family_id:04}"
    payer = luck.choice([None, "+255712000001", STRANGER])
    whole = world.payment(
        bill,
        reference=f"R{bill.family_id}",
        control_number=number,
        payer_msisdn=payer,
        transaction=f"T{bill.family_id}",
    )
    part = replace(whole, amount=Money.parse("5000"))
    can_be_said: list[Notice] = [
        ControlNumberGiven(bill.id, number),
        ControlNumberGiven(bill.id, f"9941299{bill.family_id:05}"),
        BillRefused(bill.id, "7204", "no"),
        whole,
        whole,
        replace(whole, receipt="in another envelope"),
        replace(whole, bill_id=None),
        replace(whole, amount=Money.parse("29999.99")),  # the same key, another content
        replace(whole, reference=f"R{bill.family_id}b"),
        part,
        replace(part, reference=f"P{bill.family_id}a"),
        replace(part, reference=f"P{bill.family_id}b"),
        replace(whole, reference=f"X{bill.family_id}", amount=Money(30_000_00, "USD")),
        replace(whole, reference="R-combined", transaction="T-combined"),  # one for several bills
    ]
    return luck.sample(can_be_said, k=luck.randint(1, 6))


def _said(world: World, bills: list[Bill], luck: random.Random) -> list[list[Notice]]:
    """Messages of some entries each."""
    notices = [notice for bill in bills for notice in _said_of(world, bill, luck)]
    for number in ("991234500001", "991234500002", "991234500003", "990000000001"):  # the service's before us; nobody's
        for reference in luck.sample(["L1", "L2", "L1"], k=2):
            notices.append(
                PaymentReport(
                    f"{reference}-{number[-1]}",
                    number,
                    Money.parse("30000"),
                    world.clock.now(),
                    payer_msisdn="+255712000009",
                )
            )
    luck.shuffle(notices)
    messages = []
    while notices:
        size = luck.choice([1, 1, 1, 2, 3])
        messages.append([notices.pop() for _ in range(min(size, len(notices)))])
    return messages


# ------------------------------------------------------------------------------ rows without what chance or order makes


class Names:
    """Names for the keys that the database makes: by what they belong to and their place there, never by number."""

    def __init__(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        self._names: dict[tuple[str, int], Any] = {}
        self._name(rows["tblPolicy"], "policy", "PolicyID", lambda row: (row["FamilyID"], row["ValidityTo"] is None))
        self._name(rows["tblPremium"], "premium", "PremiumId", lambda row: self.of("policy", row["PolicyID"]))
        self._name(rows["tblPayment"], "payment", "PaymentID", lambda row: (row["ReceiptNo"], row["TransactionNo"]))

    def _name(self, rows: list[dict[str, Any]], kind: str, key: str, owner: Callable[[dict[str, Any]], Any]) -> None:
        places: Counter[Any] = Counter()
        for row in sorted(rows, key=lambda row: row[key]):
            places[owner(row)] += 1
            self._names[kind, row[key]] = (owner(row), places[owner(row)])

    def of(self, kind: str, key: int | None) -> Any:
        return None if key is None else f"{kind} {self._names[kind, key]}"


_MADE_KEYS = {
    "PolicyID": "policy",
    "PolicyId": "policy",
    "PremiumID": "premium",
    "PaymentID": "payment",
    "policy_id": "policy",
    "policy": "policy",
    "preceding_policy_id": "policy",
    "premium_id": "premium",
    "premium": "premium",
    "payment_record_id": "payment",
    "payment": "payment",
}
_LEGACY = {"tblPolicy": "policy", "tblPremium": "premium", "tblPayment": "payment"}


def _nameless(value: Any, names: Names) -> Any:
    if isinstance(value, dict):
        return {
            name: names.of(_MADE_KEYS[name], inner) if name in _MADE_KEYS else _nameless(inner, names)
            for name, inner in value.items()
        }
    return value


async def left(world: World) -> dict[str, list[str]]:
    """Every row of every table, without keys and UUIDs that were made, in no order."""
    rows: dict[str, list[dict[str, Any]]] = {}
    tables: list[Table] = [*t.metadata.sorted_tables, *g.metadata.sorted_tables]
    async with world.database.engine.connect() as connection:
        for table in tables:
            found = (await connection.execute(select(table))).mappings()
            rows[table.name] = [dict(row) for row in found]
    names = Names(rows)
    told: dict[str, list[str]] = {}
    for table in tables:
        own = {c.name for c in table.primary_key.columns if c.autoincrement is True or table.name.startswith("tbl")}
        kept = []
        for row in rows[table.name]:
            seen = {name: value for name, value in row.items() if name not in own and not name.endswith("UUID")}
            if "LegacyID" in seen:
                kind = _LEGACY.get(table.name)
                seen["LegacyID"] = names.of(kind, seen["LegacyID"]) if kind else seen["LegacyID"] is None
            kept.append(repr(sorted(_nameless(seen, names).items(), key=lambda item: item[0])))
        told[table.name] = sorted(kept)
    return told


# ---------------------------------------------------------------------------------------------------------- the tests


@pytest.mark.parametrize("seed", range(4))
async def test_batches_leave_what_one_by_one_leaves(
    backend: str, request: pytest.FixtureRequest, messages: Messages, seed: int, logged: Any
) -> None:
    luck = random.Random(seed)
    async with copies(backend, request) as copy:
        start = await copy(None)
        async with world_at(start, messages) as world:
            for message in _said(world, await _prepare(world, luck), luck):
                world.clock.pass_(seconds=1)
                await world.receive(*message)
            now = world.clock.pass_(minutes=1)
        results = {}
        for most in (1, 2, 7, 64):
            async with world_at(await copy(start), messages) as world:
                world.clock.time = now
                await world.settle_all(most=most)
                results[most] = await left(world)
    entries = "".join(results[1]["gw_entry"])
    for state in ("settled", "duplicate", "conflicting", "unmatched", "case"):
        assert f"'{state}'" in entries, f"seed {seed} shows no entry that is {state}"
    for most in (2, 7, 64):
        for table, rows in results[1].items():
            assert results[most][table] == rows, f"{table}, {most} at once"
    assert [event["event"] for event in logged if event["event"] != "batch_undone"] == []
