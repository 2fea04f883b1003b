"""Cover by insurance number: for whoever asks, covered or not and until when, and no more. Guesses are limited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.domain.clock import eat_day
from gateway.domain.cover import Cover, cover_on
from gateway.ports import UnitOfWork

UNKNOWN, LIMITED = "unknown", "limited"


@dataclass(frozen=True, slots=True)
class Found:
    """The family of a correct number."""

    family_id: int
    cover: Cover


async def enquire(uow: UnitOfWork, chfid: str, msisdn: str, wrong_an_hour: int, now: datetime) -> Found | str:
    """The family's cover; ``unknown``, which is counted, or ``limited`` after so many wrong numbers in this hour."""
    async with uow.reading() as tx:
        if await tx.callers.misses(msisdn, now) >= wrong_an_hour:
            return LIMITED
        family = await tx.registry.family_of(chfid)
        policies = await tx.registry.policies(family.id) if family else ()
    if family is None:
        async with uow.writing() as tx:  # counted by the database: of many at once no more are answered
            late = await tx.callers.count_miss(msisdn, now) > wrong_an_hour
        return LIMITED if late else UNKNOWN
    return Found(family.id, cover_on(policies, eat_day(now)))


def cover_fact(cover: Cover) -> dict[str, Any]:
    """As the menus have it."""
    return {
        "state": str(cover.state),
        "until": cover.until.isoformat() if cover.until else None,
        "start": cover.start.isoformat() if cover.start else None,
    }
