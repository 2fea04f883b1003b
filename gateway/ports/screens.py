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


@dataclass(frozen=True, slots=True)
class CountBatch:
    """Which counts a process adds, so that they are added once however often they are sent.

    ``writer`` is one life of a process, made up when it starts; ``number`` rises with each of its batches, from 1;
    ``day`` is the East African day on which the batch was made.
    """

    writer: str
    number: int
    day: date


class Screens(Protocol):
    """Sums a day. Nothing personal: names of channels, of menus and of screens, and numbers."""

    async def add(self, batch: CountBatch, counts: Sequence[ScreenCount]) -> bool:
        """Add to what is there, whoever else adds at the same time; False where this batch had been added before."""
        ...

    async def between(
        self, first: date, last: date, menu: str | None = None, channel: str | None = None
    ) -> Sequence[ScreenCount]:
        """The counts of these days, both included, in the order of their names; of one menu or channel if it is given.

        ``day`` is the first one: they are summed.
        """
        ...

    async def forget(self, before: date) -> int:
        """Delete the counts of days before, and what is known of the batches of those days; how many counts."""
        ...
