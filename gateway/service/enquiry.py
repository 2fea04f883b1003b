"""Cover by insurance number: for whoever asks, covered or not and until when, and no more. Guesses are limited."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

from gateway.domain.clock import eat_day
from gateway.domain.cover import Cover, cover_on
from gateway.domain.members import member_covers
from gateway.ports import Transaction, UnitOfWork

UNKNOWN, LIMITED = "unknown", "limited"


@dataclass(frozen=True, slots=True)
class Found:
    """The family of a correct number, its cover, and the ``own`` one of whoever the number is.

    The head's is the family's, as on its first screen.
    """

    family_id: int
    cover: Cover
    own: Cover


class _UncountError(Exception):
    """Undoes the count of what was no wrong number. No fault: it never leaves this module."""

    def __init__(self, answer: Found | str) -> None:
        self.answer = answer


class Enquire:
    """Looks numbers up, and no more wrong ones for a phone and hour than it may try, however many are tried at once.

    In one process a phone's guesses wait for each other. Between processes they wait at the phone's count, which is
    taken before the number is looked up and undone with its transaction where the number is right, or where the
    process dies. A phone without a wrong number in this hour is looked up without it, so that a family that types its
    own number costs no write: of several processes each may look up one number beyond the limit so, none of which is
    told to be wrong.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # of phones that ask just now

    async def __call__(self, chfid: str, msisdn: str, wrong_an_hour: int, now: datetime) -> Found | str:
        """The family's cover; ``unknown``, which counts, or ``limited`` after so many wrong numbers in this hour."""
        turn = self._turns.setdefault(msisdn, asyncio.Lock())
        async with turn:
            async with self._uow.reading() as tx:
                tried = await tx.callers.misses(msisdn, now)
                found = None if tried else await _look_up(tx, chfid, now)
            if tried >= wrong_an_hour:
                return LIMITED
            return found or await self._counted(chfid, msisdn, wrong_an_hour, now, is_wrong=not tried)

    async def _counted(self, chfid: str, msisdn: str, wrong_an_hour: int, now: datetime, is_wrong: bool) -> Found | str:
        """Count the number, then look it up unless it is known to be wrong: nobody passes our count meanwhile."""
        try:
            async with self._uow.writing() as tx:
                if await tx.callers.count_miss(msisdn, now) > wrong_an_hour:
                    raise _UncountError(LIMITED)
                if not is_wrong and (found := await _look_up(tx, chfid, now)) is not None:
                    raise _UncountError(found)
        except _UncountError as undone:
            return undone.answer
        return UNKNOWN


async def _look_up(tx: Transaction, chfid: str, now: datetime) -> Found | None:
    family = await tx.registry.family_of(chfid)
    if family is None:
        return None
    today, policies = eat_day(now), await tx.registry.policies(family.id)
    cover = cover_on(policies, today)
    if chfid == family.head.chfid:
        return Found(family.id, cover, cover)
    covers = member_covers(family, policies, await tx.registry.coverages(family.id), today)
    return Found(family.id, cover, next((each.cover for each in covers if each.member.chfid == chfid), cover))


def cover_fact(cover: Cover) -> dict[str, Any]:
    """As the menus have it."""
    return {
        "state": str(cover.state),
        "until": cover.until.isoformat() if cover.until else None,
        "start": cover.start.isoformat() if cover.start else None,
    }
