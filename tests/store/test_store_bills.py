"""Bills: one per key and generation, a row that follows its facts, found by whatever is known of it."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from store_samples import NOW, after, bill, only_postgresql, rows

from gateway.domain.bill import BILL_TRANSITIONS, Bill, BillFact, BillState, PayOption
from gateway.domain.money import MAX_MINOR, Money
from gateway.ports import Requester
from gateway.store import tables as g
from gateway.store.database import Database


async def add(database: Database, *bills: Bill) -> list[bool]:
    async with database.writing() as tx:
        return [await tx.bills.add(new) for new in bills]


async def by_id(database: Database, bill_id: str = "B1") -> Bill | None:
    async with database.reading() as tx:
        return await tx.bills.by_id(bill_id)


@pytest.mark.parametrize(
    "kept",
    [
        bill(),
        bill(
            preceding_policy_id=5,
            stage="R",
            amount=Money(MAX_MINOR),
            policy_value=Money(MAX_MINOR),
            paid=Money(1),
            pay_option=PayOption.PARTIAL,
            provider_code=None,
            state=BillState.NUMBERED,
            control_number="994120000011",
            payment_record_id=2**40,
            payer_name="x" * 210,
        ),
        bill(amount=Money(1, "USD"), policy_value=Money(1, "USD"), paid=Money(0, "USD")),
    ],
    ids=["new", "full", "dollars"],
)
async def test_a_bill_comes_back_as_it_went(database: Database, kept: Bill) -> None:
    assert await add(database, kept) == [True]
    assert await by_id(database) == kept
    assert type((await by_id(database)).amount.amount_minor) is int


async def test_one_bill_for_a_key_and_generation(database: Database) -> None:
    first = bill("B1", key="k")
    second = bill("B2", key="k", generation=2)
    assert await add(database, first, replace(first, id="B3"), first, second) == [True, False, False, True]
    async with database.writing() as tx:
        assert await tx.bills.latest("k") == second
        assert await tx.bills.latest("k", lock=True) == second
        assert await tx.bills.latest("none") is None


async def test_of_two_transactions_at_once_one_is_first(database: Database) -> None:
    twins = [bill(f"B{n}", key="k") for n in range(8)]
    added = await asyncio.gather(*(add(database, twin) for twin in twins))
    assert sorted(added) == [[False]] * 7 + [[True]]
    assert len(await rows(database, g.bill)) == 1


async def test_facts_move_a_bill_by_the_table(database: Database) -> None:
    await add(database, bill("untouched"))
    for state, fact in itertools.product(BillState, BillFact):
        name = f"{state}/{fact}"
        number = None if state in ("created", "submitted", "refused") else name
        known = bill(name, state=state, control_number=number)
        await add(database, known)
        details: dict[str, Any] = {"control_number": name} if fact == "numbered" else {"reference": "R1"}
        if fact in ("part_paid", "paid"):
            details["amount_minor"] = 7
        async with database.writing() as tx:
            changed = await tx.bills.record(known, fact, after(hours=1), **details)
        sources, target = BILL_TRANSITIONS[fact]
        expected = replace(
            known,
            state=target if state in sources else state,
            paid=Money(7) if fact in ("part_paid", "paid") else Money(0),
            control_number=name if fact == "numbered" else None if fact == "released" else number,
        )
        assert changed == expected == await by_id(database, name)
        (kept,) = await rows(database, g.bill_fact, bill_id=name)
        assert (kept["fact"], kept["at"], kept["details"]) == (fact, after(hours=1), details)
    assert await by_id(database, "untouched") == bill("untouched")


async def test_money_adds_up_and_a_number_stays(database: Database) -> None:
    await add(database, bill())
    async with database.writing() as tx:
        now = await tx.bills.record(bill(), BillFact.NUMBERED, NOW, control_number="99")
        now = await tx.bills.record(now, BillFact.NUMBERED, NOW, control_number="100")
        now = await tx.bills.record(now, BillFact.PART_PAID, NOW, amount_minor=10)
        now = await tx.bills.record(now, BillFact.PAID, NOW, amount_minor=20)
    assert (now.control_number, now.paid, now.state) == ("99", Money(30), "paid")
    assert [f["fact"] for f in await rows(database, g.bill_fact)] == ["numbered", "numbered", "part_paid", "paid"]


async def test_a_control_number_has_one_bill(database: Database) -> None:
    await add(database, bill("B1"), bill("B2"))
    async with database.writing() as tx:
        await tx.bills.record(bill("B1"), BillFact.NUMBERED, NOW, control_number="99")
        assert (await tx.bills.by_control_number("99")).id == "B1"
        assert await tx.bills.by_control_number("98") is None

    async def take() -> None:
        async with database.writing() as tx:
            await tx.bills.record(bill("B2"), BillFact.NUMBERED, NOW, control_number="99")

    with pytest.raises(IntegrityError):
        await take()
    assert (await by_id(database, "B2")).control_number is None
    assert [f["bill_id"] for f in await rows(database, g.bill_fact)] == ["B1"]


async def test_who_asked_first_stays_first(database: Database) -> None:
    asked = [("+3", "sw", 1), ("+1", "sw", 2), ("+2", "en", 3), ("+3", "en", 4), ("+1", "sw", 5)]
    async with database.writing() as tx:
        for msisdn, language, seconds in asked:
            await tx.bills.add_requester("B1", Requester(msisdn, language), after(seconds=seconds))
        await tx.bills.add_requester("B2", Requester("+9", "sw"), NOW)
        await tx.bills.add_requester("B2", Requester("+8", "sw", officer=True), after(seconds=1))
        assert await tx.bills.requesters("B2") == [Requester("+9", "sw"), Requester("+8", "sw", officer=True)]
        assert await tx.bills.requesters("B1") == [Requester("+3", "en"), Requester("+1", "sw"), Requester("+2", "en")]
        assert await tx.bills.requesters("B0") == []


async def test_numbers_are_those_that_wait_no_more(database: Database) -> None:
    bills = {state: bill(f"B-{state}", state=state) for state in BillState}
    await add(database, *bills.values(), bill("unasked", state=BillState.NUMBERED))
    async with database.reading() as tx:
        found = await tx.bills.numbers([*(b.id for b in bills.values()), "unknown"])
        assert await tx.bills.numbers([]) == {}
    assert found == {b.id: b for state, b in bills.items() if state not in ("created", "submitted")}


async def test_the_open_bill_is_the_newest_that_can_be_paid(database: Database) -> None:
    await add(
        database,
        *(bill(f"B-{state}", state=state, created_at=after(hours=-1)) for state in BillState),
        bill("old", state=BillState.NUMBERED, created_at=after(hours=-2)),
        bill("over", state=BillState.NUMBERED, expires_at=NOW),
        bill("theirs", family_id=8),
    )
    seen = []
    async with database.writing() as tx:
        while (found := await tx.bills.open_for(7, NOW)) is not None:
            seen.append(found.id)
            await tx.bills.record(found, BillFact.PAID, NOW, amount_minor=0)
    assert set(seen[:4]) == {"B-created", "B-submitted", "B-numbered", "B-part_paid"}
    assert seen[4:] == ["old"]


async def test_silent_bills_longest_first(database: Database) -> None:
    await add(
        database,
        bill("young", created_at=after(seconds=-10)),
        bill("older", created_at=after(minutes=-4), state=BillState.SUBMITTED),
        bill("oldest", created_at=after(minutes=-5)),
        *(
            bill(f"B-{state}", state=state, created_at=after(hours=-1))
            for state in BillState
            if state not in ("created", "submitted")
        ),
    )
    async with database.writing() as tx:
        before = after(minutes=-3)
        assert [(b.id, n) for b, n in await tx.bills.silent(before, 10)] == [("oldest", 1), ("older", 1)]
        assert [b.id for b, _ in await tx.bills.silent(before, 1)] == ["oldest"]
        await tx.bills.asked("oldest", 2, NOW)
        assert [(b.id, n) for b, n in await tx.bills.silent(before, 10)] == [("older", 1)]
        assert [(b.id, n) for b, n in await tx.bills.silent(after(hours=1), 10)] == [
            ("older", 1),
            ("young", 1),
            ("oldest", 2),
        ]


@only_postgresql
async def test_a_silent_bill_in_other_hands_is_passed_over(database: Database) -> None:
    await add(database, bill("B1"), bill("B2"))
    async with database.writing() as first, database.writing() as second:
        assert await first.bills.by_id("B1", lock=True) is not None
        silent = await asyncio.wait_for(second.bills.silent(after(hours=1), 10), 5)
        assert [b.id for b, _ in silent] == ["B2"]


@only_postgresql
@pytest.mark.parametrize("by", ["by_id", "by_control_number", "latest"])
async def test_a_locked_bill_is_waited_for(database: Database, by: str) -> None:
    await add(database, bill("B1", key="B1", control_number="B1"))

    async def other() -> Bill | None:
        async with database.writing() as tx:
            found: Bill | None = await getattr(tx.bills, by)("B1", lock=True)
            return found

    async with database.writing() as tx:
        known = await getattr(tx.bills, by)("B1", lock=True)
        waiting = asyncio.create_task(other())
        await asyncio.wait([waiting], timeout=0.2)
        assert not waiting.done()
        await tx.bills.record(known, BillFact.PAID, NOW, amount_minor=1)
    found = await asyncio.wait_for(waiting, 5)
    assert found is not None
    assert found.state == BillState.PAID
