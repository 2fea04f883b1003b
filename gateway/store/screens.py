"""Counts of screens a day, added up by however many processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.ussd.ends import ScreenEvent
from gateway.ports import ScreenCount
from gateway.store.statements import add_up
from gateway.store.tables import screen_day

_KEY = ("day", "channel", "menu", "screen", "missed", "event")
_NAMES = [screen_day.c[name] for name in _KEY if name != "day"]


class SqlScreens:
    """See ``gateway.ports.Screens``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def add(self, counts: Sequence[ScreenCount]) -> None:
        await add_up(self._db, screen_day, _KEY, "count", [asdict(count) for count in counts])

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
        return (await self._db.execute(delete(screen_day).where(screen_day.c.day < before))).rowcount
