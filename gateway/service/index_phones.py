"""The index of normalised phones: which insurees carry which number, however the registry spells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.domain.clock import Clock
from gateway.domain.msisdn import normalise
from gateway.ports import PhoneRow, UnitOfWork

_WATERMARK = "phones"
_PAGE = 2_000
_OVERLAP = timedelta(minutes=2)  # writers' clocks differ, and their transactions commit later than they stamp
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class IndexPhones:
    """Builds the index once, then follows the registry's changes."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def __call__(self) -> int:
        """How many rows were looked at."""
        async with self._uow.reading() as tx:
            since = await tx.callers.watermark(_WATERMARK)
        return await self._build() if since is None else await self._follow(since)

    async def _build(self) -> int:
        started, last, seen = self._clock.now(), 0, 0
        while True:
            async with self._uow.writing() as tx:
                rows = await tx.registry.phones(last, _PAGE)
                await tx.callers.index_phones([_indexed(row) for row in rows])
                if len(rows) < _PAGE:
                    await tx.callers.set_watermark(_WATERMARK, started)
                    return seen + len(rows)
            seen, last = seen + len(rows), rows[-1].insuree_id

    async def _follow(self, since: datetime) -> int:
        started, seen = self._clock.now(), 0
        cursor, last = max(since - _OVERLAP, _EPOCH), 0
        while True:
            async with self._uow.reading() as tx:
                rows = await tx.registry.phones_changed(cursor, last, _PAGE)
            if rows:
                async with self._uow.writing() as tx:
                    await tx.callers.index_phones([_indexed(row) for row in rows])
            seen += len(rows)
            if len(rows) < _PAGE:
                async with self._uow.writing() as tx:
                    await tx.callers.set_watermark(_WATERMARK, started)
                return seen
            cursor, last = rows[-1].changed_at, rows[-1].insuree_id


def _indexed(row: PhoneRow) -> tuple[int, int, str | None]:
    return row.insuree_id, row.family_id, normalise(row.phone)
