"""Counts of screens a day, added up by however many processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.ussd.ends import ScreenEvent
from gateway.ports import CountBatch, ScreenCount
from gateway.store.statements import add_up, insert_if_absent
from gateway.store.tables import screen_day, screen_writer

_KEY = ("day", "channel", "menu", "screen", "missed", "event")
_NAMES = [screen_day.c[name] for name in _KEY if name != "day"]


class SqlScreens:
    """See ``gateway.ports.Screens``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def add(self, batch: CountBatch, counts: Sequence[ScreenCount]) -> bool:
        """The writer's row says what it added last, in the transaction that adds it: the counts are in if it is."""
        first = {"writer": batch.writer, "batch": 0, "day": batch.day}
        await insert_if_absent(self._db, screen_writer, ("writer",), [first])
        # where the batch is on its way in still, its answer lost, this waits for it and then finds it in
        behind = (screen_writer.c.writer == batch.writer) & (screen_writer.c.batch < batch.number)
        moved = update(screen_writer).where(behind).values(batch=batch.number, day=batch.day)
        if (await self._db.execute(moved)).rowcount == 0:
            return False
        await add_up(self._db, screen_day, _KEY, "count", [asdict(count) for count in counts])
        return True

    async def between(
        self, first: date, last: date, menu: str | None = None, channel: str | None = None
    ) -> Sequence[ScreenCount]:
        statement = select(*_NAMES, func.sum(screen_day.c.count)).where(screen_day.c.day.between(first, last))
        if menu is not None:
            statement = statement.where(screen_day.c.menu == menu)
        if channel is not None:
            statement = statement.where(screen_day.c.channel == channel)
        found = await self._db.execute(statement.group_by(*_NAMES).order_by(*_NAMES))
        return [
            ScreenCount(first, row.channel, row.menu, row.screen, row.missed, ScreenEvent(row.event), int(row[-1]))
            for row in found
        ]

    async def forget(self, before: date) -> int:
        await self._db.execute(delete(screen_writer).where(screen_writer.c.day < before))
        return (await self._db.execute(delete(screen_day).where(screen_day.c.day < before))).rowcount
