"""A phone beside the wrong family: kept from it at once, and a case; a stranger's claim: a case, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from service_world import COVERED, OFFICERS_FIRST, OFFICERS_SECOND, World

from gateway.domain.cases import Act
from gateway.domain.chfid import is_valid
from gateway.domain.ussd.effects import ClaimFamily, DisownFamily
from gateway.domain.ussd.machine import Ask
from gateway.service.answer_by_sms import Promises
from gateway.service.settle_case import Decision, SettleCase
from gateway.service.ussd_effects import UssdEffects
from gateway.service.ussd_facts import UssdFacts
from gateway.store import tables as g

NEEMA, OFFICER, STRANGER = "+255712000001", "+255712000010", "+255754999999"
NOBODYS = [number for n in range(10_000_000, 10_000_400) for number in [f"{n:08}0"[:8] + str(d) for d in range(10)]]
WRONG = [number for number in NOBODYS if is_valid(number)]


async def families(world: World, msisdn: str) -> list[int]:
    known = await UssdFacts(world.database, world.clock).caller(msisdn)
    assert known["count"] == len(known["families"])
    return [family["id"] for family in known["families"]]


async def chfid_of(world: World, family_id: int) -> str:
    async with world.database.reading() as tx:
        family = await tx.registry.family(family_id)
    assert family is not None
    return family.head.chfid


async def say(world: World, *effects: DisownFamily | ClaimFamily, limit: int = 10) -> None:
    carry_out = UssdEffects(
        world.database, world.request, Promises(world.database, world.clock, 3), world.messages, limit
    )
    for effect in effects:
        await carry_out(effect, world.clock.now())


async def close(world: World, case: dict[str, Any]) -> None:
    await SettleCase(world.database, world.messages, world.clock)(case["id"], Decision(Act.CLOSE, "Ester"))


async def test_a_phone_sees_nothing_of_the_family_that_it_calls_not_its_own(world: World) -> None:
    assert await families(world, NEEMA) == [COVERED]
    await say(world, *[DisownFamily(COVERED, NEEMA)] * 3)
    assert await families(world, NEEMA) == []
    [case] = await world.rows(g.case)
    assert case["kind"] == "phone_reported"
    assert case["details"] == {
        "says": "not_ours", "phone": NEEMA, "insurance_number": await chfid_of(world, COVERED), "family_id": COVERED,
    }  # fmt: skip
    chfid = case["details"]["insurance_number"]
    told = [case["subject"], *(str(row) for row in await world.rows(g.audit))]
    assert not [text for text in told if NEEMA[4:] in text or chfid in text], "the audit is for ever"
    await close(world, case)
    assert await families(world, NEEMA) == [COVERED]
    await say(world, DisownFamily(COVERED, NEEMA))
    assert len(await world.rows(g.case)) == 2, "said once more, it is a case once more"
    assert await families(world, NEEMA) == []


async def test_only_that_family_and_only_for_that_phone(world: World) -> None:
    await say(world, DisownFamily(OFFICERS_FIRST, OFFICER))
    assert await families(world, OFFICER) == [OFFICERS_SECOND]
    assert await families(world, NEEMA) == [COVERED]
    await say(world, DisownFamily(COVERED, STRANGER))
    assert await families(world, NEEMA) == [COVERED], "of another phone"


async def test_at_the_same_moment_it_is_one_case(world: World) -> None:
    await asyncio.gather(*(say(world, DisownFamily(COVERED, NEEMA)) for _ in range(5)))
    assert len(await world.rows(g.case)) == len(await world.rows(g.phone_report)) == 1


async def test_a_claim_changes_nothing_and_tells_nothing(world: World) -> None:
    chfid = await chfid_of(world, COVERED)
    before = await world.snapshot()
    await say(world, ClaimFamily(chfid, STRANGER), ClaimFamily(chfid, STRANGER))
    assert await families(world, STRANGER) == []
    assert await families(world, NEEMA) == [COVERED]
    [case] = await world.rows(g.case)
    assert (case["details"]["says"], case["details"]["phone"]) == ("ours", STRANGER)
    assert await world.snapshot() == before
    assert await world.rows(g.outbox) == []
    await close(world, case)
    assert await world.rows(g.phone_report) == []


async def test_a_wrong_number_opens_no_case_and_both_count(world: World) -> None:
    chfid = await chfid_of(world, COVERED)
    await say(world, ClaimFamily(WRONG[0], STRANGER), ClaimFamily(chfid, STRANGER))
    assert len(await world.rows(g.case)) == 1
    async with world.database.reading() as tx:
        assert await tx.callers.misses(STRANGER, world.clock.now()) == 2


async def test_enquiries_and_claims_share_a_limit(world: World) -> None:
    chfid, facts = await chfid_of(world, COVERED), UssdFacts(world.database, world.clock, 4)
    tries = Ask("tries", (("msisdn", STRANGER),))
    for number in WRONG[:2]:
        assert (await facts.enquiry(number, STRANGER))["state"] == "unknown"
        await say(world, ClaimFamily(number, STRANGER), limit=4)
    assert (await facts.answer(tries))["state"] == "limited"
    assert (await facts.enquiry(chfid, STRANGER))["state"] == "limited"
    await say(world, ClaimFamily(chfid, STRANGER), limit=4)
    assert await world.rows(g.case) == []
    world.clock.pass_(hours=1)
    assert (await facts.answer(tries))["state"] == "free"
    await say(world, ClaimFamily(chfid, STRANGER), limit=4)
    assert len(await world.rows(g.case)) == 1


async def test_a_phone_claims_three_families_at_most(world: World) -> None:
    await say(world, *[ClaimFamily(await chfid_of(world, family), STRANGER) for family in range(1, 8)])
    assert len(await world.rows(g.case)) == 3


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_of_many_guesses_at_once_no_more_are_answered(world: World) -> None:
    facts = UssdFacts(world.database, world.clock, 10)
    told = await asyncio.gather(*(facts.enquiry(number, STRANGER) for number in WRONG[:30]))
    assert sum(answer["state"] == "unknown" for answer in told) == 10
