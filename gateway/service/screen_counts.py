"""Counts of where conversations go on and where they end: in memory, then as sums into the database.

Nothing is written inside a turn. A process that dies takes the counts of the last seconds with it, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Final, NamedTuple
from uuid import uuid4

import structlog

from gateway.domain.clock import Clock, eat_day
from gateway.domain.ussd.book import Book
from gateway.domain.ussd.ends import Place, ScreenEvent, Stand, moves, place_of
from gateway.domain.ussd.session import Session
from gateway.ports import CountBatch, Ended, EndStatus, ScreenCount, UnitOfWork
from gateway.service.metrics import USSD_SCREENS

log = structlog.get_logger()
FLUSH_S: Final = 5.0
LAST_FLUSH_S: Final = 3.0  # at the end of the process
MOST_OWED: Final = 50_000  # sums that wait behind a batch that the database has not taken; a day has some thousands

_TOLD: Final = {EndStatus.INCOMPLETE: ScreenEvent.HUNG_UP, EndStatus.FAILED: ScreenEvent.FAILED}

Counted = tuple[str, Place, ScreenEvent]  # channel, place, event


_Turn = tuple[str, tuple[str, str, int, bool, str] | None, tuple[str, str, int, bool], bool]


class ScreenTally:
    """The counts of this process since they were last taken: as many as the book has ways, times the channels."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._turns: dict[_Turn, int] = {}  # what a turn adds is looked up when the counts are taken, not in the turn
        self._events: Counter[Counted] = Counter()

    def turn(self, channel: str, before: Session | None, after: Session, resumed: bool = False) -> None:
        """A turn that was answered; see ``moves``."""
        turn = (
            channel,
            (before.screen, before.missed, before.page, before.final, before.back_to) if before is not None else None,
            (after.screen, after.missed, after.page, after.final),
            resumed,
        )
        self._turns[turn] = self._turns.get(turn, 0) + 1

    def cut(self, channel: str, stood: Session | None) -> None:
        """The conversation got a last word of ours because its turn could not be answered."""
        if stood is not None and not stood.final:
            self._add(channel, place_of(self._book, stood), ScreenEvent.CUT)

    def told(self, channel: str, stood: Session | None, ended: Ended) -> None:
        """The peer's word of an end. Where we no longer hold the conversation, the label of its last screen serves."""
        event = _TOLD.get(ended.status)
        if event is None or (stood is not None and stood.final):
            return
        screen = self._book.screens.get(ended.hop)
        by_label = Place(screen.menu, screen.name) if screen is not None else None
        self._add(channel, place_of(self._book, stood) if stood is not None else by_label, event)

    def _add(self, channel: str, place: Place | None, event: ScreenEvent) -> None:
        if place is not None:
            self._events[channel, place, event] += 1

    def take(self) -> Counter[Counted]:
        """What was counted, once."""
        taken, turns = self._events, self._turns
        self._events, self._turns = Counter(), {}
        for (channel, before, after, resumed), count in turns.items():
            old = Stand._make(before) if before is not None else None
            for place, event in moves(self._book, old, Stand(*after), resumed):
                taken[channel, place, event] += count
        return taken


class _Batch(NamedTuple):
    """What is sent together, under one number, until the database says that it has it."""

    which: CountBatch
    counts: Sequence[ScreenCount]


class KeepScreenCounts:
    """Adds the tally to the database every ``every_s`` seconds, and when the process ends. One per process.

    What was sent is sent again, unchanged and under its number, until the database has it: a commit whose answer was
    lost adds nothing twice. What is counted meanwhile waits for the next batch.
    """

    def __init__(self, uow: UnitOfWork, clock: Clock, tally: ScreenTally, every_s: float = FLUSH_S) -> None:
        self._uow = uow
        self._clock = clock
        self._tally = tally
        self._every_s = every_s
        self._writer = uuid4().hex  # of this life of the process: another one owes nothing of what this one sent
        self._number = 0
        self._sent: _Batch | None = None
        self._owed: Counter[tuple[date, Counted]] = Counter()
        self._stop = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Keep on, until ``close``."""
        self._loop = asyncio.create_task(self._run(), name="screen-counts")

    async def close(self) -> None:
        """Write what is left, if the database takes it in time. Call it once nothing is counted any more."""
        self._stop.set()  # never in the middle of a write, which nobody would send again
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_FLUSH_S):
                await (self._loop or self._flush_or_owe())
        if self._waiting:
            log.warning("screen_counts_lost", sums=self._waiting)

    async def _run(self) -> None:
        while not self._stop.is_set():
            try:
                async with asyncio.timeout(self._every_s):
                    await self._stop.wait()
            except TimeoutError:
                await self._flush_or_owe()
        await self._flush_or_owe()

    async def _flush_or_owe(self) -> None:
        try:
            await self.flush()
        except Exception:
            log.warning("screen_counts_wait", sums=self._waiting, exc_info=True)

    @property
    def _waiting(self) -> int:
        return len(self._owed) + (len(self._sent.counts) if self._sent is not None else 0)

    async def flush(self) -> int:
        """Write what an earlier try could not, then what was counted since; how many sums."""
        self._take()
        return await self._send() + (await self._send() if self._owed else 0)

    async def _send(self) -> int:
        """The batch that is on its way, else the next one; how many sums."""
        if self._sent is None:
            self._sent = self._next()
        if self._sent is None:
            return 0
        which, counts = self._sent
        async with self._uow.writing() as tx:
            await tx.screens.add(which, counts)
        self._sent = None
        return len(counts)

    def _next(self) -> _Batch | None:
        if not self._owed:
            return None
        self._number += 1
        counts = [
            ScreenCount(day, channel, place.menu, place.screen, place.missed, event, count)
            for (day, (channel, place, event)), count in self._owed.items()
        ]
        self._owed.clear()
        return _Batch(CountBatch(self._writer, self._number, eat_day(self._clock.now())), counts)

    def _take(self) -> None:
        day = eat_day(self._clock.now())
        for counted, count in self._tally.take().items():
            channel, place, event = counted
            USSD_SCREENS.labels(channel, place.menu, place.screen, event).inc(count)
            if (day, counted) in self._owed or len(self._owed) < MOST_OWED:
                self._owed[day, counted] += count


class ForgetScreenCounts:
    """Takes away the counts of days that are older than ``keep_days``."""

    def __init__(self, uow: UnitOfWork, clock: Clock, keep_days: int) -> None:
        self._uow = uow
        self._clock = clock
        self._keep = timedelta(days=keep_days)

    async def __call__(self) -> int:
        """How many rows went."""
        async with self._uow.writing() as tx:
            return await tx.screens.forget(eat_day(self._clock.now()) - self._keep)
