"""Counts of where conversations go on and where they end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from gateway.domain.ussd.ends import ScreenEvent


@dataclass(frozen=True, slots=True)
class ScreenCount:
    """How often an event happened at a place (``gateway.domain.ussd.ends``) on an East African day."""

    day: date
    channel: str
    menu: str
    screen: str
    missed: str
    event: ScreenEvent
    count: int


class Screens(Protocol):
    """Sums a day. Nothing personal: names of channels, of menus and of screens, and numbers."""

    async def add(self, counts: Sequence[ScreenCount]) -> None:
        """Add to what is there, whoever else adds at the same time."""
        ...

    async def between(
        self, first: date, last: date, menu: str | None = None, channel: str | None = None
    ) -> Sequence[ScreenCount]:
        """The counts of these days, both included, in the order of their names; of one menu or channel if it is given.

        ``day`` is the first one: they are summed.
        """
        ...

    async def forget(self, before: date) -> int:
        """Delete the counts of days before; how many rows."""
        ...
