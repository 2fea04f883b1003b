"""The index of enrolment officers' phones, normalised. The live row is asked again before anything is shown."""

from __future__ import annotations

from datetime import timedelta

from gateway.domain.clock import Clock
from gateway.domain.msisdn import normalise
from gateway.ports import Place, UnitOfWork

_OFFICERS = "officers"  # the place: the newest change, and when all were read
_PAGE = 2_000
_ANEW = timedelta(hours=1)  # for what leaves no history row, and for who took a key early and committed late


class IndexOfficers:
    """Reads all officers anew when one has changed, and once an hour. A country has some sixteen thousand.

    A look at the highest key is all that a quiet quarter of a minute costs: every change leaves a history row with a
    new one. Only what is different is written.
    """

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def __call__(self) -> int:
        """How many officers were looked at."""
        now = self._clock.now()
        async with self._uow.reading() as tx:
            known = await tx.follow.place(_OFFICERS)
            newest = await tx.registry.newest_officer()
        if known is not None and known.seen == newest and now - known.seen_at < _ANEW:
            return 0
        last, seen = 0, 0
        while True:
            async with self._uow.writing() as tx:
                rows = await tx.registry.officer_phones(last, _PAGE)
                is_end = len(rows) < _PAGE
                upto = None if is_end else rows[-1].officer_id
                await tx.callers.index_officers(last, upto, [(row.officer_id, normalise(row.phone)) for row in rows])
                if is_end:
                    await tx.follow.set_place(_OFFICERS, Place(newest, newest, now))
                    return seen + len(rows)
            seen, last = seen + len(rows), rows[-1].officer_id
