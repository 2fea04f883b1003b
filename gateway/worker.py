"""The effect loop: settle entries, run effects, ask silent bills again, seal the audit, follow the registry."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from gateway.domain.clock import Clock
from gateway.ports import UnitOfWork
from gateway.service.follow_policies import FollowPolicies
from gateway.service.index_phones import IndexPhones
from gateway.service.metrics import OUTBOX
from gateway.service.run_effects import RunEffects
from gateway.service.settle_entries import SettleEntries
from gateway.service.sweep_bills import SweepBills

log = structlog.get_logger()
_DRAIN = 1_000  # entries, or a few more, that one settler takes before the loop looks around
_SEAL_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between looks when there is nothing to do, and how many batches of entries settle at once."""

    poll_s: float = 0.1
    settlers: int = 2
    sweep_s: float = 5.0
    seal_s: float = 1.0
    index_s: float = 15.0
    follow_s: float = 15.0
    gauge_s: float = 5.0


class Worker:
    """Polls; work of the same process is announced by ``wake`` and starts at once."""

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        settle: SettleEntries,
        effects: RunEffects,
        sweep: SweepBills,
        index: IndexPhones,
        follow: FollowPolicies,
        channels: tuple[str, ...],
        pace: Pace,
        housekeeping: Sequence[tuple[str, Callable[[], Awaitable[int]], float]] = (),
    ) -> None:
        """``housekeeping``: further loops, each with its name, its work and the seconds between two looks."""
        self._uow = uow
        self._clock = clock
        self._settle = settle
        self._effects = effects
        self._sweep = sweep
        self._index = index
        self._follow = follow
        self._channels = channels
        self._pace = pace
        self._housekeeping = housekeeping
        self._wakers: list[asyncio.Event] = []

    def wake(self) -> None:
        """There is work: look now."""
        for waker in self._wakers:
            waker.set()

    async def run(self) -> None:
        """Until cancelled. A fault in one loop is logged and the loop goes on; it never ends the others."""
        pace = self._pace
        loops = [
            self._polled("settle", self._settle_all, pace.poll_s),
            *(self._polled(f"effects:{c}", self._effects_of(c), pace.poll_s) for c in self._channels),
            self._polled("sweep", self._sweep, pace.sweep_s),
            self._polled("seal", self._seal, pace.seal_s),
            self._polled("index", self._index_quietly, pace.index_s),
            self._polled("follow", self._follow, pace.follow_s),
            self._polled("gauge", self._gauge, pace.gauge_s),
            *(self._polled(name, work, every_s) for name, work, every_s in self._housekeeping),
        ]
        async with asyncio.TaskGroup() as group:
            for loop in loops:
                group.create_task(loop)

    async def _polled(self, name: str, work: Callable[[], Awaitable[int]], every_s: float) -> None:
        """Run while there is work, then wait for a wake or for the poll; after a fault, longer each time."""
        waker, faults = asyncio.Event(), 0
        if every_s <= self._pace.poll_s:
            self._wakers.append(waker)
        while True:
            waker.clear()
            try:
                did = await work()
                faults = 0
            except Exception:
                faults += 1
                did = 0
                log.exception("worker_loop_failed", loop=name, faults=faults)
            if did and every_s <= self._pace.poll_s:
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(max(every_s, min(10.0, 0.5 * 2**faults) if faults else 0.0)):
                    await waker.wait()

    async def _settle_all(self) -> int:
        """A look while idle; when there is work, several settlers until there is none."""
        if not await self._settle.due():
            return 0
        done = sum(await asyncio.gather(*(self._drain() for _ in range(self._pace.settlers))))
        self.wake()  # settling makes effects
        return done

    async def _drain(self) -> int:
        done = 0
        while done < _DRAIN and (settled := await self._settle.batch()):
            done += settled
        return done

    def _effects_of(self, channel: str) -> Callable[[], Awaitable[int]]:
        async def run() -> int:
            return await self._effects.batch(channel)

        return run

    async def _seal(self) -> int:
        async with self._uow.writing() as tx:
            return await tx.audit.seal(self._clock.now(), _SEAL_ROWS)

    async def _index_quietly(self) -> int:
        await self._index()
        return 0

    async def _gauge(self) -> int:
        async with self._uow.reading() as tx:
            counts = await tx.outbox.counts()
        for state in ("todo", "leased", "held"):
            OUTBOX.labels(state).set(counts.get(state, 0))
        return 0
