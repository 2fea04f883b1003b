"""The day before, reconciled every morning by one of the workers; and an eye on days that a person has closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import structlog

from gateway.domain.clock import Clock, eat, eat_day
from gateway.domain.payments import CaseKind
from gateway.domain.reconcile import Tally
from gateway.ports import Case, Day, OtherRunError, Place, UnitOfWork
from gateway.service.accept_statement import changed_if_closed
from gateway.service.ask_statements import AskStatements
from gateway.service.metrics import CASES, ERRORS, LAST_GOOD_DAY
from gateway.service.reconcile_day import DayRefusedError, Expected, ReconcileDay, day_between, tally_json

log = structlog.get_logger()
_RUN = timedelta(hours=1)  # longer than a run takes; a worker that died leaves the day to the others then
_CLOSED_DAYS = 400
_PAGE = 5_000
_PLACE = "late_payments"
_SETTLED_FOR_GOOD = timedelta(minutes=15)  # a transaction that took its key early may commit late


@dataclass(frozen=True, slots=True)
class DailyPlan:
    """``at``: East African time of day. ``wait_s``: for the accounts, in one try. ``again_s``: between tries.

    ``patience_s``: without an account for so long, a person is told.
    """

    at: time = time(4)
    wait_s: float = 600.0
    again_s: float = 900.0
    patience_s: float = 6 * 3_600.0


class DailyReconciliation:
    """Called every minute; does its work once a day, whichever worker it is."""

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        provider: str,
        ask: AskStatements,
        reconcile: ReconcileDay,
        expected: Callable[[], Awaitable[Expected]],
        plan: DailyPlan,
    ) -> None:
        self._uow = uow
        self._clock = clock
        self._provider = provider
        self._ask = ask
        self._reconcile = reconcile
        self._expected = expected
        self._plan = plan

    async def __call__(self) -> int:
        """1 where a day was reconciled."""
        now = self._clock.now()
        day = eat_day(now) - timedelta(days=1)
        await self._tell_age(now)
        if eat(now).time() < self._plan.at:
            return 0
        async with self._uow.writing() as tx:
            if not await tx.reconciliations.claim(self._provider, day, now, now + _RUN):
                return 0
        report = await self._try(day)
        if report is None:
            return 0
        if not report["good"]:
            await self._tell(CaseKind.DAY_DIFFERS, day, kinds=_counts(report))
        return 1

    async def _try(self, day: date) -> Mapping[str, Any] | None:
        """The day's report where every account is here."""
        expected = await self._expected()
        missing = await self._ask(day, expected.codes or (), self._plan.wait_s)
        try:
            if not missing:
                report = await self._reconcile(self._provider, day, expected, self._plan.wait_s)
                if not report["pending"]:
                    return report
        except (DayRefusedError, OtherRunError) as refused:
            log.warning("day_not_reconciled", day=str(day), why=str(refused))
        now = self._clock.now()
        async with self._uow.writing() as tx:
            await tx.reconciliations.release(self._provider, day, now + timedelta(seconds=self._plan.again_s))
            known = await tx.reconciliations.day(self._provider, day)
        began = known.first_tried_at if known is not None else None
        if missing and began is not None and now - began >= timedelta(seconds=self._plan.patience_s):
            await self._tell(CaseKind.NO_STATEMENT, day, missing=missing)
        return None

    async def _tell(self, kind: CaseKind, day: date, **details: Any) -> None:
        subject, now = f"day:{self._provider}/{day}", self._clock.now()
        async with self._uow.writing() as tx:
            if await tx.cases.open(Case(kind, subject, self._provider, details=details), now):
                tx.after_commit.append(CASES.labels(kind).inc)
                tx.after_commit.append(ERRORS.labels(_CODES[kind]).inc)
                await tx.audit.add("gateway", "case.opened", subject, now, kind=kind)

    async def _tell_age(self, now: datetime) -> None:
        async with self._uow.reading() as tx:
            good = await tx.reconciliations.last_good_day(self._provider)
        if good is not None:
            LAST_GOOD_DAY.labels(self._provider).set((eat_day(now) - good).days)


_CODES = {CaseKind.DAY_DIFFERS: "REC-DIFFERENCES", CaseKind.NO_STATEMENT: "REC-NO-STATEMENT"}


def _counts(report: Mapping[str, Any]) -> dict[str, int]:
    return {kind: tally["count"] for kind, tally in report["kinds"].items() if tally["count"]}


class WatchClosedDays:
    """Money that is first heard of after a person closed its day is a case, whatever told us of it."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    async def __call__(self) -> int:
        """How many cases were opened. Reads new payments only, and none while no day is closed."""
        now = self._clock.now()
        async with self._uow.reading() as tx:
            days = await tx.reconciliations.closed_days(_CLOSED_DAYS)
            place = await tx.follow.place(_PLACE)
        if not days:
            return 0
        place = place or Place(0, 0, now)
        changed, seen = await self._look(days, place.followed)
        opened = 0
        for day in changed:
            opened += await self._judge(day, now)
        if now - place.seen_at >= _SETTLED_FOR_GOOD:
            place = Place(place.seen, max(seen, place.seen), now)
        async with self._uow.writing() as tx:
            await tx.follow.set_place(_PLACE, place)
        return opened

    async def _look(self, days: Sequence[Day], after: int) -> tuple[list[Day], int]:
        """Closed days that newer payments belong to, and the newest payment."""
        by_key = {(day.provider, day.day): day for day in days}
        _, ends = day_between(max(day.day for day in days))
        found: dict[int, Day] = {}
        while True:
            async with self._uow.reading() as tx:
                page = await tx.reconciliations.late_payments(after, ends, _PAGE)
            for payment_id, provider, paid_at, seen_at in page:
                after = payment_id
                day = by_key.get((provider, eat_day(paid_at)))
                if day is not None and day.closed_at is not None and seen_at >= day.closed_at - _SETTLED_FOR_GOOD:
                    found[day.id] = day
            if len(page) < _PAGE:
                return list(found.values()), after

    async def _judge(self, day: Day, now: datetime) -> bool:
        """Whether what we hold is not what it was: told by the sums, since a payment may have been counted already."""
        closed = day.closed_report
        assert closed is not None
        async with self._uow.writing() as tx:
            ours: Tally = await tx.reconciliations.ours(day.provider, day_between(day.day), closed["counted"])
            if tally_json(ours) == closed["totals"]["ours"]:
                return False
            return await changed_if_closed(tx, day.provider, day.day, "a payment of this day came later", now)
