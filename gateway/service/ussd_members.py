"""The fact ``members``: who in the caller's family is covered, and until when."""

from __future__ import annotations

from typing import Any

from gateway.domain.clock import Clock, eat_day
from gateway.domain.members import member_covers
from gateway.domain.policy import Member
from gateway.ports import UnitOfWork
from gateway.service.enquiry import cover_fact

_MOST_MEMBERS = 40  # more would be pages that nobody turns
_LONGEST_NAME = 14  # characters on a line with a day

JsonObject = dict[str, Any]


class MembersFact:
    """Asked for by the family's own phone only: the conversation has its family from the phone's index."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def __call__(self, family_id: int) -> JsonObject:
        """Every live member, the head first."""
        today = eat_day(self._clock.now())
        async with self._uow.reading() as tx:
            family = await tx.registry.family(family_id)
            if family is None:
                return {"state": "none", "count": 0, "items": []}
            policies, coverages = await tx.registry.policies(family_id), await tx.registry.coverages(family_id)
        covers = member_covers(family, policies, coverages, today)
        items = [{"name": short_name(each.member), **cover_fact(each.cover)} for each in covers[:_MOST_MEMBERS]]
        return {"state": "some", "count": len(covers), "items": items}


def short_name(member: Member) -> str:
    """The given names as far as a line holds them, else the family name, else the insurance number."""
    given, family_name = (" ".join((name or "").split()) for name in (member.other_names, member.last_name))
    names = given or family_name or member.chfid
    if len(names) <= _LONGEST_NAME:
        return names
    whole, _, cut = names[: _LONGEST_NAME + 1].rpartition(" ")  # at the end of a word where there is one
    return whole or cut[:_LONGEST_NAME]
