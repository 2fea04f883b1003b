"""The index of normalised phones: which insurees carry which number, however the registry spells it."""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.domain.clock import Clock
from gateway.domain.msisdn import normalise
from gateway.ports import PhoneRow, Place, UnitOfWork

_BUILT = "phones"  # the watermark: when the whole index was last read anew
_INSUREES = "insurees"  # the place: how far changes were followed
_PAGE = 2_000
_OVERLAP = timedelta(minutes=5)  # a transaction that took its key early may commit late
_ANEW = timedelta(hours=24)  # a writer of old that leaves no history row is caught up with once a day


class IndexPhones:
    """Builds the index, follows the registry's changes, and builds it anew once a day."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def __call__(self) -> int:
        """How many rows were looked at."""
        async with self._uow.reading() as tx:
            built = await tx.callers.watermark(_BUILT)
            place = await tx.follow.place(_INSUREES)
            newest = await tx.registry.newest_insuree()
        now = self._clock.now()
        if place is None:  # the last page again: who was writing when the first build began may commit behind it
            place = Place(max(0, newest - _PAGE), newest, now)
            built = None
        if built is None or now - built >= _ANEW:
            return await self._build(place, now)
        return await self._follow(place, newest)

    async def _build(self, place: Place, began: datetime) -> int:
        """Page by page, in its place: callers are found all the while. What is followed stays where it is."""
        last, seen = 0, 0
        while True:
            async with self._uow.writing() as tx:
                rows = await tx.registry.phones(last, _PAGE)
                is_end = len(rows) < _PAGE
                upto = None if is_end else rows[-1].insuree_id
                await tx.callers.index_range(last, upto, [_indexed(row) for row in rows])
                if is_end:
                    await tx.follow.set_place(_INSUREES, place)
                    await tx.callers.set_watermark(_BUILT, began)
                    return seen + len(rows)
            seen, last = seen + len(rows), rows[-1].insuree_id

    async def _follow(self, known: Place, newest: int) -> int:
        at, seen, now = known.followed, 0, self._clock.now()
        while True:
            async with self._uow.reading() as tx:
                changes = await tx.registry.phones_changed(at, _PAGE)
            if changes:
                rows = {change.row.insuree_id: _indexed(change.row) for change in changes}
                async with self._uow.writing() as tx:
                    await tx.callers.index_phones(list(rows.values()))
            seen += len(changes)
            if len(changes) < _PAGE:
                break
            at = changes[-1].place
        if now - known.seen_at >= _OVERLAP:
            async with self._uow.writing() as tx:
                await tx.follow.set_place(_INSUREES, Place(known.seen, max(newest, known.seen), now))
        return seen


def _indexed(row: PhoneRow) -> tuple[int, int, str | None]:
    return row.insuree_id, row.family_id, normalise(row.phone)
