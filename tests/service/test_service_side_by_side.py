"""Lanes over one transaction: what is asked in step is asked once, in one order, and what meets is told apart."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine, Sequence
from typing import Any, cast

import pytest

from gateway import ports
from gateway.ports import Transaction
from gateway.service import gathered
from gateway.service.side_by_side import Asked, NotApartError, SideBySide, Step

said: list[tuple[str, list[Any]]] = []


def step(name: str, **kind: bool) -> Step:
    async def ask(_: Transaction, asked: Sequence[Any]) -> Sequence[Any]:
        await asyncio.sleep(0)  # a store is waited for
        said.append((name, list(asked)))
        return [f"{name} of {what}" for what in asked]

    return Step(name, ask, **kind)


FIRST, LOCK, LAST = step("first"), step("lock", alone=True), step("last")
KNOWN, RARE = step("known", alike=True), step("rare")


async def run(*works: Coroutine[Any, Any, Any]) -> list[Any]:
    said.clear()
    return await SideBySide[Any](cast(Transaction, None), (FIRST, KNOWN, LOCK, LAST)).run(works)


async def straight(who: str) -> list[str]:
    return [await Asked(FIRST, who), await Asked(LOCK, who, who), await Asked(LAST, who)]


async def test_lanes_in_step_ask_together_and_each_gets_its_own_answer() -> None:
    assert await run(straight("a"), straight("b")) == [
        [f"{name} of {who}" for name in ("first", "lock", "last")] for who in "ab"
    ]
    assert said == [("first", ["a", "b"]), ("lock", ["a", "b"]), ("last", ["a", "b"])]


async def test_who_is_behind_catches_up_before_who_is_ahead_goes_on() -> None:
    async def detour(who: str) -> None:
        for _ in range(3):
            await Asked(RARE, who)  # not in the order: goes first
        await straight(who)

    async def short(who: str) -> None:
        await Asked(LAST, who)

    await run(short("a"), detour("b"), straight("c"))
    assert said == [
        *[("rare", ["b"])] * 3,
        ("first", ["b", "c"]),
        ("lock", ["b", "c"]),
        ("last", ["a", "b", "c"]),
    ]


async def test_questions_stand_in_the_order_of_the_lanes() -> None:
    async def late(who: str) -> None:
        await Asked(FIRST, who)
        await Asked(LAST, who)

    async def early(who: str) -> None:
        await Asked(LAST, who)

    await run(late("a"), early("b"), late("c"))
    assert said[-1] == ("last", ["a", "b", "c"])


async def test_what_is_the_same_for_all_is_asked_once() -> None:
    async def twice() -> list[str]:
        return [await Asked(KNOWN, "x", 1), await Asked(KNOWN, "x", 1), await Asked(KNOWN, "y", 2)]

    assert await run(twice(), twice()) == [["known of x", "known of x", "known of y"]] * 2
    assert said == [("known", ["x"]), ("known", ["y"])]


async def test_two_at_the_same_thing_are_not_apart() -> None:
    async def later(who: str) -> None:
        await Asked(LAST, who)
        await Asked(LOCK, who, "a")

    async def again(who: str) -> str:
        await Asked(LOCK, who, who)
        return str(await Asked(LOCK, who, who))  # its own it may ask for again

    assert await run(again("a"), again("b")) == ["lock of a", "lock of b"]
    for works in ((straight("a"), straight("a")), (straight("a"), later("b")), (later("b"), straight("a"))):
        with pytest.raises(NotApartError, match="lock"):
            await run(*works)


async def test_a_failure_of_one_ends_all_and_leaves_none_running() -> None:
    ended: list[str] = []

    async def careful(who: str) -> None:
        try:
            await straight(who)
        finally:
            ended.append(who)

    async def breaks() -> None:
        await Asked(FIRST, "b")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await run(careful("a"), breaks(), careful("c"))
    assert ended == ["a", "c"]
    assert said == [("first", ["a", "b", "c"])]


async def test_nothing_but_the_store_is_waited_for() -> None:
    with pytest.raises(RuntimeError, match="only the store"):
        await run(straight("a"), asyncio.sleep(0))


GATHERED = {
    (cls, port): [name for name in vars(cls) if not name.startswith("_")]
    for name, cls in vars(gathered).items()
    if inspect.isclass(cls) and issubclass(cls, gathered._Repository) and cls is not gathered._Repository
    for port in [getattr(ports, name.removeprefix("_"))]
}


def test_a_lane_may_say_what_its_port_says() -> None:
    """The same names and parameters as the ports, so that a service written for one reads the same for the other."""
    assert sum(map(len, GATHERED.values())) == len(gathered._ORDER) - 1  # by_id is two steps
    for (cls, port), methods in GATHERED.items():
        for method in methods:
            own, meant = (inspect.signature(getattr(which, method)) for which in (cls, port))
            assert list(own.parameters.values()) == list(meant.parameters.values()), f"{cls.__name__}.{method}"
    lanes = {cls._name for cls, _ in GATHERED}
    properties = {name for name, member in vars(Transaction).items() if isinstance(member, property)}
    assert lanes == properties - {"after_commit"}
