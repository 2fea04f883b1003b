"""What cannot be shown in time is told by SMS, once: the quick one of the stalls, on both kinds of store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from processes_harness import Stack, World, until
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gateway.store.database import driver_url
from gateway.store.tables import bill

DEADLINE_S = 10.0  # Africa's Talking's
HELD = {
    "postgresql": 'LOCK TABLE "tblPolicy" IN ACCESS EXCLUSIVE MODE',
    "sqlite": "BEGIN IMMEDIATE",  # nobody else writes; readers of SQLite wait for nobody
}
OURS_TOO = {**HELD, "postgresql": 'LOCK TABLE "tblPolicy", gw_outbox IN ACCESS EXCLUSIVE MODE'}


@asynccontextmanager
async def held(stack: Stack, by: dict[str, str] = HELD) -> AsyncIterator[None]:
    engine = create_async_engine(driver_url(stack.url), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.execute(text(by[stack.backend]))
        yield
        await connection.rollback()
    await engine.dispose()


async def test_the_answer_comes_by_sms_once_the_registry_answers(world: World) -> None:
    if world.stack.backend == "sqlite":
        pytest.skip("nothing keeps a reader of SQLite waiting")
    family = await world.family()
    phone = world.phone(family.phones[0])
    async with held(world.stack):
        for _ in range(2):
            screen = await phone.dial()
            assert (screen.status, screen.kind) == (200, "END")
            assert screen.text == "Samahani, jibu linachelewa. Tutakutumia kwa SMS. Usipige tena sasa."
            assert screen.seconds < DEADLINE_S
            phone = world.phone(family.phones[0])
        assert await world.sms(family.phones[0]) == []

    async def told() -> list[str]:
        return await world.sms_like(family.phones[0], family.chfid, "IMEISHA tangu")

    await until(told, "the promised answer")
    await world.quiet()
    assert len(await world.sms(family.phones[0])) == 1
    assert "IMEISHA" in (await world.phone(family.phones[0]).dial()).text


async def test_the_number_comes_by_sms_once_the_registry_lets_it_be_billed(world: World) -> None:
    if world.stack.backend == "sqlite":
        pytest.skip("its one lock is on our own tables too")
    family = await world.family()
    phone = world.phone(family.phones[0])
    await phone.dial()
    assert "30,000" in (await phone.press("1")).text
    async with held(world.stack):
        screen = await phone.press("1")
        assert (screen.status, screen.kind) == (200, "END")
        assert screen.text == "Ombi limepokelewa. Namba ya malipo itakuja kwa SMS. Usiombe tena."
        assert screen.seconds < DEADLINE_S
        assert await world.sql.count(bill, bill.c.family_id == family.id) == 0

    async def told() -> list[str]:
        return await world.sms_like(family.phones[0], "Namba ya malipo", family.chfid)

    await until(told, "the promised number")
    await world.quiet()
    assert len(await world.sms(family.phones[0])) == 1
    assert await world.sql.count(bill, bill.c.family_id == family.id) == 1


async def test_what_cannot_be_committed_is_not_promised(world: World) -> None:
    """A control number is asked for while nobody can write, neither a bill nor the promise of one."""
    family = await world.family()
    phone = world.phone(family.phones[0])
    await phone.dial()
    assert "30,000" in (await phone.press("1")).text
    async with held(world.stack, OURS_TOO):
        screen = await phone.press("1")
        assert screen.kind == "END"
        assert "hatuwezi kujibu sasa" in screen.text
        assert screen.seconds < DEADLINE_S
    assert await world.sql.count(bill, bill.c.family_id == family.id) == 0
    assert (await phone.send(phone.text)).control_number, "said again it is taken up where it was"
