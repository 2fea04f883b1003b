"""Promises of an answer by SMS and their keeping, over a registry that can be told to fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from service_world import World
from sqlalchemy import select, update

from adapters.registry.openimis import tables as t
from gateway.domain.ussd.effects import PromiseAnswer
from gateway.service.answer_by_sms import AnswerPromises, Promises
from gateway.service.run_effects import ChannelLimits
from gateway.service.ussd_effects import UssdEffects
from gateway.service.ussd_facts import UssdFacts
from gateway.store import tables as g

HOUR = timedelta(hours=1)
OWN, OFFICER = "+255712000001", "+255712000010"


class Flaky:
    """The unit of work, whose registry can be told to fail; ours works."""

    def __init__(self, world: World) -> None:
        self.world, self.fails = world, False

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Any]:
        if self.fails:
            raise ConnectionResetError
        async with self.world.database.reading() as tx:
            yield tx

    def writing(self) -> Any:
        return self.world.database.writing()


class Desk:
    """Promises and their keeping."""

    def __init__(self, world: World) -> None:
        self.world, self.registry = world, Flaky(world)
        self.effects = UssdEffects(
            world.database, world.request, Promises(world.database, world.clock, 3), world.messages
        )
        facts = UssdFacts(self.registry, world.clock)
        limits = ChannelLimits(batch=8, window=2, timeout_s=5, first_wait_s=1, longest_wait_s=30, deadline=HOUR)
        self.keep = AnswerPromises(world.database, facts, world.request, world.messages, world.clock, limits)

    async def promise(self, fact: str, msisdn: str = OWN, language: str = "sw", **args: Any) -> None:
        await self.effects(PromiseAnswer(fact, tuple(args.items()), msisdn, language), self.world.clock.now())

    async def told(self) -> list[str]:
        """What is sent, the time of day aside."""
        return [text.replace(f"{self.world.clock.now():%d/%m} 12:00", "TIME") for text in await self.world.texts()]

    async def open(self) -> list[str]:
        rows = await self.world.rows(g.outbox, channel="answers")
        return [row["last_outcome"] for row in rows if row["state"] != "done"]


async def has_phone(world: World, family_id: int, msisdn: str) -> None:
    """An insuree of the family whose phone this is, in the registry and in our index."""
    async with world.database.engine.begin() as db:
        taken = select(g.phone.c.insuree_id)
        insuree = t.insurees.c
        found = select(insuree.InsureeID).where(insuree.FamilyID == family_id, insuree.ValidityTo.is_(None))
        insuree_id = await db.scalar(found.where(insuree.InsureeID.not_in(taken)).order_by(insuree.InsureeID).limit(1))
        await db.execute(update(t.insurees).where(insuree.InsureeID == insuree_id).values(Phone=msisdn))
        await db.execute(g.phone.insert().values(insuree_id=insuree_id, family_id=family_id, msisdn=msisdn))
