"""A limit on what waits: nothing is timed that answers at once, and what waits is like any awaited work."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.service.within import within

PATIENT = 30.0


def never() -> float:
    raise AssertionError("nothing is waited for: no time is asked")


async def test_what_answers_at_once_is_not_timed() -> None:
    async def at_once() -> int:
        return 7

    assert await within(at_once(), never) == 7


async def test_what_fails_at_once_fails() -> None:
    async def broken() -> None:
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await within(broken(), never)


async def test_what_waits_goes_on_as_often_as_it_waits() -> None:
    async def waiting(future: asyncio.Future[int]) -> int:
        await asyncio.sleep(0)
        got = await future
        try:
            async with asyncio.timeout(0.0):
                await asyncio.Event().wait()
        except TimeoutError:
            got += 1
        await asyncio.sleep(0)
        return got

    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, 7)
    assert await within(waiting(future), lambda: PATIENT) == 8


async def test_what_fails_while_it_waits_fails() -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def waiting() -> int:
        return await future

    asyncio.get_running_loop().call_soon(future.set_exception, ConnectionError("gone"))
    with pytest.raises(ConnectionError):
        await within(waiting(), lambda: PATIENT)


@pytest.mark.parametrize("how", ["late", "cancelled"])
async def test_what_takes_too_long_or_is_cancelled_is_told_so(how: str) -> None:
    told: list[str] = []
    begun = asyncio.Event()

    async def stuck() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.append("cancelled")
            raise
        finally:
            told.append("ended")

    left_s = 0.0 if how == "late" else PATIENT
    work: asyncio.Task[Any] = asyncio.create_task(within(stuck(), lambda: left_s))
    await begun.wait()
    if how == "cancelled":
        work.cancel()
    with pytest.raises(TimeoutError if how == "late" else asyncio.CancelledError):
        await work
    assert told == ["cancelled", "ended"]
