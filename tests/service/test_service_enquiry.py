"""Guesses of insurance numbers that run at once, in one process or in several: no more than the limit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import cycle

import pytest
from service_world import COVERED, STRANGER, World

from adapters.registry.openimis import EMBEDDED, OpenImisRegistry
from adapters.registry.openimis import tables as t
from gateway.domain.policy import Family
from gateway.domain.ussd.machine import Ask
from gateway.service.enquiry import LIMITED, UNKNOWN, Enquire, Found
from gateway.service.ussd_facts import UssdFacts
from gateway.service.ussd_officers import OfficerFacts
from gateway.store import tables as g
from gateway.store.database import Database

LIMIT = 10
WRONG = [f"0000000{n:02}" for n in range(40)]


class Watched(OpenImisRegistry):
    """Tells each number as it is looked up, and lets other guesses go on before the answer comes."""

    looked: Callable[[str], None]

    async def family_of(self, chfid: str) -> Family | None:
        self.looked(chfid)
        await asyncio.sleep(0)
        return await super().family_of(chfid)


def opened(url: str, registry: type[OpenImisRegistry]) -> Database:
    """As a process opens it: an engine and a pool of its own."""
    return Database(url, partial(registry, installation=EMBEDDED, audit_user_id=-1))


@pytest.fixture
def seen() -> list[str]:
    """Every number that was looked up, in order."""
    return []


@pytest.fixture
async def services(database_url: str, seen: list[str]) -> AsyncIterator[list[Enquire]]:
    """Those of two processes."""
    registry = type("Registry", (Watched,), {"looked": staticmethod(seen.append)})
    databases = [opened(database_url, registry) for _ in range(2)]
    yield [Enquire(each) for each in databases]
    for each in databases:
        await each.close()


async def at_once(world: World, services: list[Enquire], numbers: list[str], limit: int = LIMIT) -> list[Found | str]:
    """Guess all of these together, each service in its turn."""
    now, pairs = world.clock.now(), zip(cycle(services), numbers, strict=False)
    return list(await asyncio.gather(*(enquire(number, STRANGER, limit, now) for enquire, number in pairs)))


async def right_number(world: World) -> str:
    return str((await world.rows(t.insurees, FamilyID=COVERED))[0]["CHFID"])


async def misses(world: World) -> int:
    async with world.database.reading() as tx:
        return await tx.callers.misses(STRANGER, world.clock.now())


async def test_in_one_process_ten_of_forty_wrong_numbers_are_looked_up(
    world: World, services: list[Enquire], seen: list[str]
) -> None:
    said = await at_once(world, services[:1], WRONG)
    assert Counter(said) == {UNKNOWN: LIMIT, LIMITED: len(WRONG) - LIMIT}
    assert len(seen) == LIMIT
    assert await misses(world) == LIMIT, "what was not looked up is not counted"


async def test_in_two_processes_ten_are_told_to_be_wrong_and_one_more_is_looked_up_at_most(
    world: World, services: list[Enquire], seen: list[str]
) -> None:
    said = await at_once(world, services, WRONG)
    assert Counter(said) == {UNKNOWN: LIMIT, LIMITED: len(WRONG) - LIMIT}
    assert LIMIT <= len(seen) <= LIMIT + 1
    assert await misses(world) == LIMIT


async def test_at_once_a_right_number_passes_the_limit_no_more_than_a_wrong_one(
    world: World, services: list[Enquire], seen: list[str]
) -> None:
    """One wrong number is left of the hour's: after it nothing is told, however many asked before it was known."""
    right = await right_number(world)
    await at_once(world, services[:1], WRONG[: LIMIT - 1])
    seen.clear()
    numbers = [number for wrong in WRONG[:15] for number in (right, right, right, wrong)]
    said = await at_once(world, services, numbers)
    assert [number == right for number in seen] == [True] * (len(seen) - 1) + [False], "a wrong one was the last"
    found = [number for number, answer in zip(numbers, said, strict=True) if isinstance(answer, Found)]
    assert found == [right] * (len(seen) - 1)
    assert said.count(UNKNOWN) == 1
    assert await misses(world) == LIMIT


@pytest.mark.parametrize("wrong_before", [0, 1, LIMIT - 1])
async def test_right_numbers_are_answered_below_the_limit_and_cost_no_place(
    world: World, services: list[Enquire], wrong_before: int
) -> None:
    await at_once(world, services[:1], WRONG[:wrong_before])
    said = await at_once(world, services, [await right_number(world)] * 20)
    assert [isinstance(answer, Found) for answer in said] == [True] * 20
    assert await misses(world) == wrong_before
    assert len(await world.rows(g.miss)) == (1 if wrong_before else 0), "a right number leaves no row"


async def test_a_guess_that_is_given_up_in_the_midst_costs_no_place(world: World, database_url: str) -> None:
    """As a caller's deadline ends it; what a killed process had open, the database undoes in the same way."""
    looking, never = asyncio.Event(), asyncio.Event()

    class Hangs(OpenImisRegistry):
        async def family_of(self, chfid: str) -> Family | None:
            looking.set()
            await never.wait()
            raise AssertionError

    hanging, now = opened(database_url, Hangs), world.clock.now()
    enquire, enquire_there = Enquire(world.database), Enquire(hanging)
    assert await enquire(WRONG[0], STRANGER, 2, now) == UNKNOWN
    guess = asyncio.create_task(enquire_there(WRONG[1], STRANGER, 2, now))
    await looking.wait()
    behind = asyncio.create_task(enquire_there(WRONG[1], STRANGER, 2, now))
    await asyncio.sleep(0)  # it waits for its turn
    looking.clear()
    guess.cancel()
    with pytest.raises(asyncio.CancelledError):
        await guess
    await looking.wait()
    behind.cancel()
    with pytest.raises(asyncio.CancelledError):
        await behind
    await hanging.close()
    assert await misses(world) == 1
    assert [await enquire(WRONG[1], STRANGER, 2, now) for _ in range(2)] == [UNKNOWN, LIMITED]


async def test_a_look_up_that_fails_costs_no_place(world: World, database_url: str) -> None:
    class Fails(OpenImisRegistry):
        async def family_of(self, chfid: str) -> Family | None:
            raise TimeoutError

    failing, now = opened(database_url, Fails), world.clock.now()
    await Enquire(world.database)(WRONG[0], STRANGER, LIMIT, now)
    with pytest.raises(TimeoutError):
        await Enquire(failing)(WRONG[1], STRANGER, LIMIT, now)
    await failing.close()
    assert await misses(world) == 1


async def test_a_members_number_is_answered_as_its_family_reads_of_it(world: World) -> None:
    """One who joined late has no row of the policy, or one that counts from no day: not covered beside its family."""
    facts = UssdFacts(world.database, world.clock)
    members = [row["CHFID"] for row in await world.rows(t.insurees, FamilyID=COVERED, ValidityTo=None)]
    head, late, unpaid, *_ = await world.rows(t.insurees, FamilyID=COVERED, ValidityTo=None)
    rows = t.insuree_policies
    await world.execute(rows.delete().where(rows.c.InsureeID.in_([head["InsureeID"], late["InsureeID"]])))
    await world.execute(
        rows.update().where(rows.c.InsureeID == unpaid["InsureeID"]).values(EffectiveDate=None),
    )
    told = [(await facts.enquiry(number, STRANGER))["state"] for number in members]
    assert told == ["covered", "none", "unpaid", *["covered"] * (len(members) - 3)], "the head's is the family's"
    read = [item["state"] for item in (await facts.answer(Ask("members", (("family_id", COVERED),))))["items"]]
    assert read[1:] == told[1:]


async def test_of_a_members_number_an_officer_reads_the_familys_cover(world: World) -> None:
    _, late, *_ = await world.rows(t.insurees, FamilyID=COVERED, ValidityTo=None)
    await world.execute(t.insuree_policies.delete())
    facts = OfficerFacts(world.database, world.clock)
    found = await facts.officer_enquiry(late["CHFID"], STRANGER, "E1")
    assert (found["id"], found["state"]) == (COVERED, "covered")
