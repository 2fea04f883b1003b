"""A batch that fails is undone and settled one by one; nothing is counted twice; batches do not block each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from prometheus_client import REGISTRY
from service_world import (
    COVERED,
    EIGHT,
    EXPIRED,
    NEVER_PAID,
    NO_PHONE,
    OFFICER_RENEWAL,
    SOON,
    TWO_PHONES,
    UNENROLLED,
    World,
    eventually,
)
from sqlalchemy import text
from test_service_cases import poison
from test_service_cutover import legacy_bill

from adapters.registry.openimis import tables as t
from config.settings import DatabaseSettings, Settings
from gateway import app
from gateway.domain.bill import Bill
from gateway.domain.money import Money
from gateway.domain.payments import EntryState, PaymentReport
from gateway.ports import BillRefused, ControlNumberGiven, Entry, Notice, PaymentClaim, Transaction
from gateway.service.apart import apart
from gateway.service.settle_entries import AT_ONCE, SettleEntries
from gateway.store import tables as g

FAMILIES = (COVERED, SOON, EXPIRED, OFFICER_RENEWAL, NEVER_PAID, UNENROLLED, EIGHT, NO_PHONE, TWO_PHONES)
on_postgresql = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)


async def numbered(world: World) -> list[Bill]:
    return [await world.numbered(family_id, f"9941200001{family_id:02}") for family_id in FAMILIES]


def paid(world: World, bill: Bill, **more: Any) -> PaymentReport:
    return world.payment(bill, reference=f"R{bill.family_id}", **more)


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def refuse_premiums(world: World, receipt: str) -> None:
    """The database itself refuses this one, as a constraint or a trigger of the registry's could."""
    if world.database.embedded:
        body = f"WHEN NEW.\"Receipt\" = '{receipt}' BEGIN SELECT RAISE(ABORT, 'refused'); END"
        await world.execute(text(f'CREATE TRIGGER refuses BEFORE INSERT ON "tblPremium" {body}'))
        return
    body = f"BEGIN IF NEW.\"Receipt\" = '{receipt}' THEN RAISE 'refused'; END IF; RETURN NEW; END"
    await world.execute(text(f"CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$"))
    await world.execute(
        text('CREATE TRIGGER refuses BEFORE INSERT ON "tblPremium" FOR EACH ROW EXECUTE FUNCTION refuses()')
    )


# ------------------------------------------------------------------------------------------------ a bad one among good


@pytest.mark.parametrize("by", ["the store", "the database"])
async def test_a_bad_entry_costs_only_itself(world: World, by: str, logged: list[Any]) -> None:
    bills = await numbered(world)
    for bill in bills:
        await world.receive(paid(world, bill))
    short = paid(world, bills[0], amount="1")  # a case, opened in the batch that is undone and again after it
    await world.receive(replace(short, reference="short", control_number="nobody's", bill_id=None))
    if by == "the store":
        bad = await world.receive(poison())
    else:
        await refuse_premiums(world, f"R{EIGHT}")
        bad = (await world.rows(g.payment, reference=f"R{EIGHT}") or [{}])[0].get("inbox_id", "")
    settled, unmatched = (counted("gateway_entries_total", kind="payment", state=s) for s in ("settled", "unmatched"))
    opened = counted("gateway_cases_total", kind="unknown_control_number")
    assert await world.settle.batch(AT_ONCE) == len(bills) + 1 + (by == "the store")
    good = len(bills) - (by == "the database")
    states = sorted(e["state"] for e in await world.rows(g.entry, kind="payment"))
    assert states == sorted(["settled"] * good + ["unmatched", "new"])
    assert await world.count(g.entry, kind="payment", state="new", attempts=1) == 1
    assert not bad or (await world.rows(g.entry, inbox_id=bad))[0]["state"] == "new"
    new = [p for p in await world.rows(t.premiums) if p["Receipt"].startswith("R") and p["Receipt"][1:].isdigit()]
    assert len(new) == good
    assert await world.cases() == ["unknown_control_number"]
    assert counted("gateway_entries_total", kind="payment", state="settled") - settled == good
    assert counted("gateway_entries_total", kind="payment", state="unmatched") - unmatched == 1
    assert counted("gateway_cases_total", kind="unknown_control_number") - opened == 1
    assert [event["event"] for event in logged] == ["batch_undone", "settle_failed"]


class FailsAtCommit:
    """A unit of work whose first commit fails."""

    def __init__(self, world: World) -> None:
        self.database, self.failed = world.database, False

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        async with self.database.writing() as tx:
            yield tx
            if not self.failed:
                self.failed = True
                raise ConnectionError("the database went away")


async def test_nothing_is_counted_before_the_commit(world: World, logged: list[Any]) -> None:
    first, second, *_ = await numbered(world)
    nobodys = replace(paid(world, first), reference="N1", control_number="nobody's", bill_id=None)
    await world.receive(paid(world, first), paid(world, second), nobodys)
    settle = SettleEntries(cast(Any, FailsAtCommit(world)), world.messages, world.clock)
    names = (
        ("gateway_entries_total", {"kind": "payment", "state": "settled"}),
        ("gateway_entries_total", {"kind": "payment", "state": "unmatched"}),
        ("gateway_cases_total", {"kind": "unknown_control_number"}),
    )
    before = [counted(name, **labels) for name, labels in names]
    assert await settle.batch() == 3
    after = [counted(name, **labels) for name, labels in names]
    assert [b - a for a, b in zip(before, after, strict=True)] == [2, 1, 1]
    assert [(event["event"], event["why"]) for event in logged] == [("batch_undone", "ConnectionError")]


# ------------------------------------------------------------------------------------------------- what is about what


async def test_what_meets_is_settled_in_its_order(world: World) -> None:
    """Of entries about one thing the first goes, the others wait; nobody overtakes who waits for the same."""
    bills = await numbered(world)
    one, two, three = bills[:3]
    async with world.database.writing() as tx:
        assert await tx.bills.add(replace(one, id="second", key="another", control_number=None))

    def entry(line: int, notice: Notice) -> Entry:
        return Entry("I", line, "fakepay", "any", notice, EntryState.NEW, world.clock.now())

    table: list[tuple[list[Notice], list[int]]] = [
        ([paid(world, one), paid(world, two), paid(world, three)], [0, 1, 2]),
        ([paid(world, one), paid(world, one), paid(world, two)], [0, 2]),
        # by number alone, by bill alone, by both
        ([paid(world, one, bill_id=None), BillRefused(one.id, "7204", "no")], [0]),
        ([ControlNumberGiven(one.id, "new"), paid(world, two, control_number="new", bill_id=None)], [0]),
        # a chain: the second waits for the first, and the third, which meets only the second, for the second
        ([paid(world, one), ControlNumberGiven(two.id, one.control_number or ""), BillRefused(two.id, "1", "")], [0]),
        # one receipt, in whatever letters, however long
        ([world.payment(one, reference="AB 1"), world.payment(two, reference="ab 1 ")], [0]),
        ([world.payment(one, reference="7" * 40 + "1"), world.payment(two, reference="7" * 40 + "2")], [0]),
        # of one family, by two bills
        ([paid(world, one), BillRefused("second", "7204", "no")], [0]),
        ([paid(world, one), BillRefused("nobody's", "7204", "no")], [0, 1]),
    ]
    async with world.database.reading() as tx:
        for notices, taken in table:
            entries = [entry(line, notice) for line, notice in enumerate(notices)]
            assert [e.line for e in await apart(tx, entries)] == taken, notices


@pytest.mark.parametrize("most", [1, AT_ONCE])
async def test_one_reference_pays_one_family_of_a_product(world: World, most: int) -> None:
    """openIMIS knows a receipt once in a product: the second one is a person's, in a batch too."""
    one, two = await world.numbered(COVERED, "994120000021"), await world.numbered(EXPIRED, "994120000022")
    assert one.product_id == two.product_id
    await world.receive(world.payment(one), world.payment(two))
    await world.settle_all(most=most)
    assert [e["state"] for e in await world.rows(g.entry, kind="payment")] == ["settled", "case"]
    assert await world.cases() == ["receipt_used"]


async def test_what_could_not_be_foreseen_to_meet_is_settled_one_by_one(world: World, logged: list[Any]) -> None:
    """A number of the service before us names a family only once it is adopted."""
    bill = await world.numbered(COVERED)
    await legacy_bill(world, COVERED, number="991234500001")
    old = PaymentReport("L1", "991234500001", Money.parse("30000"), world.clock.now())
    await world.receive(world.payment(bill), old)
    await world.settle_all()
    assert [e["state"] for e in await world.rows(g.entry, kind="payment")] == ["settled", "settled"]
    premiums = [p for p in await world.rows(t.premiums) if p["Receipt"] in ("R1", "L1")]
    first, second = [(await world.rows(t.policies, PolicyID=p["PolicyID"]))[0] for p in premiums]
    assert second["StartDate"] > first["ExpiryDate"]  # it saw the first one
    assert [(event["event"], event["why"]) for event in logged] == [("batch_undone", "NotApartError")]


# -------------------------------------------------------------------------------------------------- several at once


Take = Callable[[Transaction, list[int]], Awaitable[Any]]


@on_postgresql
@pytest.mark.parametrize("what", ["payment keys", "families", "bills"])
async def test_locks_are_taken_from_the_least_on(world: World, what: str) -> None:
    """Whoever asks for several waits at the first that is held and holds none beyond it: so nobody waits in a ring."""
    bills = sorted([await world.ask(family_id) for family_id in FAMILIES[:2]], key=lambda bill: bill.id)
    now = world.clock.now()

    async def keys(tx: Transaction, which: list[int]) -> None:
        reports = [PaymentReport(f"R{n}", "1", Money(1), now) for n in which]
        await tx.payments.first_reports([PaymentClaim("fakepay", report, "I") for report in reports], now)

    async def families(tx: Transaction, which: list[int]) -> None:
        await tx.registry.lock_families([FAMILIES[n] for n in which])

    async def locked(tx: Transaction, which: list[int]) -> None:
        await tx.bills.by_ids([bills[n].id for n in which], lock=True)

    take: Take = {"payment keys": keys, "families": families, "bills": locked}[what]

    async def both() -> None:
        async with world.database.writing() as tx:
            await take(tx, [1, 0])

    async with world.database.writing() as holder:
        await take(holder, [0])
        waiting = asyncio.create_task(both())
        await eventually(lambda: somebody_waits(world))
        async with asyncio.timeout(5), world.database.writing() as other:
            await take(other, [1])
    await waiting


async def somebody_waits(world: World) -> bool:
    async with world.database.engine.connect() as connection:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(await connection.scalar(text(f"{waiting} AND datname = current_database()")))


@on_postgresql
async def test_overlapping_batches_of_two_workers_do_not_block_each_other(
    world: World, database_url: str, logged: list[Any]
) -> None:
    """The same payments in opposite orders, from two processes' stores: each once, none undone, none postponed."""
    bills = await numbered(world)
    for order in (bills, bills[::-1]) * 4:
        await world.receive(*(paid(world, bill, receipt=f"{len(order)}") for bill in order))
    other = app.open_database(Settings(database=DatabaseSettings(url=database_url)))
    try:
        workers = [SettleEntries(database, world.messages, world.clock) for database in (world.database, other)]

        async def work(settle: SettleEntries) -> None:
            while await settle.batch(len(FAMILIES)):
                pass

        await asyncio.wait_for(asyncio.gather(*(work(settle) for settle in workers * 2)), 60)
    finally:
        await other.close()
    states = [entry["state"] for entry in await world.rows(g.entry, kind="payment")]
    assert (states.count("settled"), states.count("duplicate")) == (len(bills), 7 * len(bills))
    assert [await world.count(t.premiums, Receipt=f"R{family_id}") for family_id in FAMILIES] == [1] * len(FAMILIES)
    assert logged == []
