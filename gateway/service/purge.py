"""Takes away personal data that is past its time, a small batch in a transaction, each in the audit with its count.

It may be stopped anywhere: what is gone is in the audit, the rest is found by the next run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gateway.domain.clock import Clock
from gateway.domain.retention import EXPIRING, Rule, cutoff
from gateway.ports import UnitOfWork
from gateway.service.metrics import PURGE_AGE
from gateway.service.statement_files import StatementFolder

ALL_GONE = "purged"  # when a run last left nothing that was due
_STATEMENTS = "statements"

Progress = Callable[[str, int], object]


class NoFolderError(RuntimeError):
    """The statements' files cannot be reached from here, so that they cannot be taken away."""


@dataclass(frozen=True, slots=True)
class Purged:
    """Rows by rule; ``complete``: nothing that was due is left."""

    rows: Mapping[str, int]
    complete: bool


class Purge:
    """Runs as a role that may take away what the retention table lists, and nothing else."""

    def __init__(
        self, uow: UnitOfWork, clock: Clock, days: Mapping[str, int], folder: StatementFolder, batch: int = 500
    ) -> None:
        self._uow = uow
        self._clock = clock
        self._days = days
        self._folder = folder
        self._batch = batch

    async def due(self) -> Mapping[str, int]:
        """How many rows are past their time, by rule. Changes nothing."""
        now, found = self._clock.now(), {}
        for rule in EXPIRING:
            async with self._uow.reading() as tx:
                found[rule.name] = await tx.retention.due(rule.name, cutoff(rule, self._days, now))
        return found

    async def __call__(self, most: int, progress: Progress = lambda *_: None) -> Purged:
        """Take away at most so many keys' rows. Raises NoFolderError where there are files that cannot be reached."""
        now, rows, left = self._clock.now(), {}, most
        for rule in EXPIRING:
            gone, looked_at = await self._carry_out(rule, now, left, progress)
            rows[rule.name] = gone
            left -= looked_at
        if left <= 0:
            return Purged(rows, complete=False)
        async with self._uow.writing() as tx:
            await tx.callers.set_watermark(ALL_GONE, now)
        return Purged(rows, complete=True)

    async def _carry_out(self, rule: Rule, now: datetime, most: int, progress: Progress) -> tuple[int, int]:
        """How many rows went, of how many keys."""
        before, gone, looked_at, after = cutoff(rule, self._days, now), 0, 0, None
        while looked_at < most:
            limit = min(self._batch, most - looked_at)
            async with self._uow.reading() as tx:
                keys = await tx.retention.keys(rule.name, before, after, limit)
            if not keys:
                break
            if rule.name == _STATEMENTS:
                await self._remove_files(keys, before)
            async with self._uow.writing() as tx:
                taken = await tx.retention.take(rule.name, before, keys)
                if taken:
                    await tx.audit.add("gateway", "data.purged", f"retention:{rule.name}", now, rows=taken)
            gone, looked_at, after = gone + taken, looked_at + len(keys), keys[-1]
            progress(rule.name, gone)
            if len(keys) < limit:
                break
        return gone, looked_at

    async def _remove_files(self, statement_ids: Any, before: datetime) -> None:
        """The files first: a row whose file is gone is found again, a file that no row names never."""
        async with self._uow.reading() as tx:
            names = await tx.retention.files(statement_ids, before)
        if not self._folder.folder.is_dir():
            raise NoFolderError(f"the statements' folder is not here: {self._folder.folder}")
        for name in names:
            await asyncio.to_thread(self._folder.path_of(name).unlink, missing_ok=True)


class WatchPurge:
    """Tells how long it is since nothing was past its time, so that a purge that never runs is noticed."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def __call__(self) -> int:
        """Days; an installation that has never purged counts from the first look."""
        now = self._clock.now()
        async with self._uow.reading() as tx:
            at = await tx.callers.watermark(ALL_GONE)
        if at is None:
            async with self._uow.writing() as tx:
                await tx.callers.set_watermark(ALL_GONE, now)
        PURGE_AGE.set((now - (at or now)).total_seconds() / 86_400)
        return 0
