"""Cases in their states: listed, locked by one person at a time, written down, and open anew where they recur."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from store_samples import NOW, after, only_postgresql, rows

from gateway.domain.cases import ACTS, RECURRING, CaseState
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind
from gateway.ports import Case, SettledCase
from gateway.store import tables as g
from gateway.store.database import Database

PAID = Case(CaseKind.WRONG_AMOUNT, "payment:R1/9", "gepg", "I1", "B1", Money(5_00), {"reference": "R1"})
CLOSED = SettledCase(CaseState.CLOSED, "refund", "ester", "by bank", {"reference": "R1", "why": "TT7"})


async def opened(database: Database, case: Case = PAID) -> int:
    async with database.writing() as tx:
        assert await tx.cases.open(case, NOW)
    return int((await rows(database, g.case))[-1]["id"])


async def settled(database: Database, case_id: int, settled: SettledCase) -> None:
    async with database.writing() as tx:
        await tx.cases.settle(case_id, settled, after(hours=1))


async def test_what_was_done_is_written_down(database: Database) -> None:
    case_id = await opened(database)
    await settled(database, case_id, CLOSED)
    (row,) = await rows(database, g.case)
    assert (row["state"], row["act"], row["closed_by"], row["note"]) == ("closed", "refund", "ester", "by bank")
    assert (row["opened_at"], row["closed_at"]) == (NOW, after(hours=1))
    assert row["details"] == {"reference": "R1", "why": "TT7"}
    assert (row["kind"], row["amount_minor"], row["inbox_id"]) == ("wrong_amount", 500, "I1")


async def test_held_money_is_not_closed(database: Database) -> None:
    case_id = await opened(database)
    await settled(database, case_id, replace(CLOSED, state=CaseState.HELD, act="hold"))
    (row,) = await rows(database, g.case)
    assert (row["state"], row["closed_at"]) == ("held", None)


async def test_each_state_has_its_list(database: Database) -> None:
    for state in (None, CaseState.HELD, CaseState.CLOSED):
        case_id = await opened(database, replace(PAID, subject=f"payment:{state}/9"))
        if state is not None:
            await settled(database, case_id, replace(CLOSED, state=state))
    async with database.reading() as tx:
        assert [case["subject"] for case in await tx.cases.listed()] == ["payment:None/9"]
        assert [case["state"] for case in await tx.cases.listed(9, (CaseState.HELD,))] == ["held"]
        assert [case["state"] for case in await tx.cases.listed(2, tuple(CaseState))] == ["open", "held"]
        assert await tx.cases.by_id(case_id + 1) is None


@pytest.mark.parametrize("kind", ACTS)
async def test_what_can_happen_again_is_opened_again(database: Database, kind: CaseKind) -> None:
    """A message that was held twice; but a payment that a person has decided on stays decided, told how often."""
    case = replace(PAID, kind=kind)
    case_id = await opened(database, case)
    async with database.writing() as tx:
        assert not await tx.cases.open(case, NOW), "it is open"
    await settled(database, case_id, CLOSED)
    async with database.writing() as tx:
        assert await tx.cases.open(case, after(days=1)) == (kind in RECURRING)
    (row,) = await rows(database, g.case)
    if kind in RECURRING:
        assert (row["state"], row["opened_at"], row["closed_at"]) == ("open", after(days=1), None)
        assert (row["act"], row["closed_by"], row["note"], row["details"]) == (None, None, None, PAID.details)
    else:
        assert (row["state"], row["opened_at"], row["closed_by"]) == ("closed", NOW, "ester")


@only_postgresql
async def test_one_person_at_a_time(database: Database) -> None:
    case_id = await opened(database)
    looked = asyncio.Event()
    seen: list[str] = []

    async def second() -> None:
        await looked.wait()
        async with database.writing() as tx:
            row = await tx.cases.by_id(case_id, lock=True)
            assert row is not None
            seen.append(row["state"])

    waiting = asyncio.create_task(second())
    async with database.writing() as tx:
        await tx.cases.by_id(case_id, lock=True)
        looked.set()
        await asyncio.sleep(0.2)
        assert seen == [], "it waits for the first"
        await tx.cases.settle(case_id, CLOSED, NOW)
    await asyncio.wait_for(waiting, 10)
    assert seen == ["closed"]


async def test_what_was_done_about_a_thing(database: Database) -> None:
    async with database.writing() as tx:
        for subject in ("case:1", "case:11", "case:1", "payment:R1"):
            await tx.audit.add("ester", "case.settled", subject, NOW, act="hold")
    async with database.reading() as tx:
        found = await tx.audit.about(["case:1", "payment:R1"])
    assert [(row["subject"], row["details"]) for row in found] == [
        ("case:1", {"act": "hold"}),
        ("case:1", {"act": "hold"}),
        ("payment:R1", {"act": "hold"}),
    ]
