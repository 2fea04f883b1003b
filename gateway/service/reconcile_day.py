"""A day of a provider's, reconciled: its statements staged, matched as sets, what is missing here settled, reported.

The report is a function of the statements and of what we hold, not of when it is made: run again, it is the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from gateway.domain.clock import EAT, Clock
from gateway.domain.money import Money
from gateway.domain.payments import PaymentReport
from gateway.domain.reconcile import (
    Became,
    Held,
    Judgement,
    Kind,
    Line,
    Tally,
    Totals,
    judge,
    must_be_settled,
    same_by_receipt,
)
from gateway.ports import JudgedLine, Statement, StatementLines, Suspect, UnitOfWork
from gateway.service.accept_statement import changed_if_closed
from gateway.service.metrics import DIFFERENCES, STATEMENT_LINES
from gateway.service.stage_statement import Progress, StageStatement
from gateway.service.statement_files import StatementFolder

_PAGE = 2_000  # lines that are judged at a time
_ABOUT = timedelta(days=1)  # clocks differ, and midnight is somewhere
_LOOK_S = 0.5
_REPORTS_AT_ONCE = 500


class DayRefusedError(RuntimeError):
    """Nothing was done; the message is a sentence for the person who asked."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Whose accounts make the day whole: service providers' codes. None: the provider has one account for all.

    ``default``: the code of bills that name none.
    """

    codes: Sequence[str] | None
    default: str | None = None

    def missing(self, statements: Sequence[Statement]) -> list[str]:
        """Codes whose account is not there."""
        known = {statement.provider_code for statement in statements}
        return [] if self.codes is None or None in known else [code for code in self.codes if code not in known]

    def counted(self, statements: Sequence[Statement]) -> list[str | None] | None:
        """Whose payments the statements can speak of; None: everybody's."""
        if not self.missing(statements):
            return None
        known: list[str | None] = [statement.provider_code for statement in statements]
        return [*known, None] if self.default in known else known


class ReconcileDay:
    """``settle`` settles one entry, as a worker would; None leaves it to the workers."""

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        folder: StatementFolder,
        lines_of: Callable[[Statement], StatementLines],
        stage: StageStatement,
        settle: Callable[[], Awaitable[int]] | None = None,
        progress: Progress = lambda *_: None,
    ) -> None:
        self._uow = uow
        self._clock = clock
        self._folder = folder
        self._lines_of = lines_of
        self._stage = stage
        self._settle = settle
        self._progress = progress

    async def __call__(self, provider: str, day: date, expected: Expected, wait_s: float) -> Mapping[str, Any]:
        """The report, which is kept too. ``wait_s``: for what is missing here to be settled."""
        async with self._uow.reading() as tx:
            statements = await tx.reconciliations.statements(provider, day)
        if not statements:
            raise DayRefusedError(f"there is no statement of {provider} for {day}")
        for statement in statements:
            if not statement.staged:
                await self._stage(statement)
        run = _Run(self._uow, self._clock, self._folder, self._lines_of, self._progress, provider, day, uuid4().hex)
        await run.begin()
        if await run.judge_all():
            await self._until_settled([statement.inbox_id for statement in run.statements], wait_s)
            await run.judge_all()
        return await run.report(expected)

    async def _until_settled(self, inbox_ids: Sequence[str], wait_s: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        at_first = 0
        while True:
            async with self._uow.reading() as tx:
                waiting = await tx.reconciliations.waiting(inbox_ids)
            at_first = max(at_first, waiting)
            self._progress("settling", at_first - waiting, at_first)
            if not waiting or loop.time() >= deadline:
                return
            if self._settle is None or not await self._settle():
                await asyncio.sleep(_LOOK_S)

    async def close(self, provider: str, day: date, by: str) -> Mapping[str, Any]:
        """A person takes the day as it was reported last. Raises DayRefusedError."""
        now = self._clock.now()
        async with self._uow.writing() as tx:
            known = await tx.reconciliations.day(provider, day, lock=True)
            if known is None or known.report is None:
                raise DayRefusedError(f"{day} was not reconciled yet")
            if known.closed_at is not None:
                raise DayRefusedError(f"{day} was closed already, by {known.closed_by}")
            if known.report["unanswered"]:
                raise DayRefusedError(f"accounts of {day} are missing: {', '.join(known.report['unanswered'])}")
            if known.report["pending"]:
                raise DayRefusedError("lines are still being settled: reconcile the day once more, then close it")
            await tx.reconciliations.close(known.id, by, now)
            statements = await tx.reconciliations.statements(provider, day)
            await tx.reconciliations.unstage([statement.id for statement in statements])
            differences = sum(tally["count"] for tally in known.report["kinds"].values())
            differences -= known.report["kinds"][Kind.MATCHED]["count"]
            await tx.audit.add(
                by, "day.closed", f"day:{provider}/{day}", now, good=known.report["good"], differences=differences
            )
        return known.report


class _Run:
    """One run over a day; another run that begins ends this one."""

    def __init__(
        self,
        uow: UnitOfWork,
        clock: Clock,
        folder: StatementFolder,
        lines_of: Callable[[Statement], StatementLines],
        progress: Progress,
        provider: str,
        day: date,
        runner: str,
    ) -> None:
        self._uow, self._clock, self._folder, self._lines_of = uow, clock, folder, lines_of
        self._progress, self._provider, self._day, self._runner = progress, provider, day, runner
        self.statements: Sequence[Statement] = ()
        self._id = 0

    @property
    def _ids(self) -> list[int]:
        return [statement.id for statement in self.statements]

    async def begin(self) -> None:
        """Every line that is not plainly matched stands in the day's list afterwards."""
        self._progress("matching", 0, 0)
        async with self._uow.writing() as tx:
            self._id = await tx.reconciliations.begin(self._provider, self._day, self._runner)
            self.statements = await tx.reconciliations.statements(self._provider, self._day)
            if not all(statement.staged for statement in self.statements):
                raise DayRefusedError("a new statement came meanwhile: reconcile the day once more")
            begins, ends = day_between(self._day)
            about = (begins - _ABOUT, ends + _ABOUT)
            await tx.reconciliations.find_suspects(self._id, self._provider, about, self._ids)

    async def judge_all(self) -> int:
        """Judge what is not judged for good; how many lines were given to settlement, or are there still."""
        after = pending = 0
        while True:
            async with self._uow.reading() as tx:
                page = await tx.reconciliations.suspects(self._id, after, _PAGE)
            if not page:
                return pending
            after = page[-1].id
            pending += await self._judge(page)
            self._progress("judging", page[-1].row.line, 0)

    async def _judge(self, page: Sequence[Suspect]) -> int:
        lines = {statement.id: self._lines_of(statement) for statement in self.statements}
        files = {statement.id: self._folder.path_of(statement.file) for statement in self.statements}
        by_id = {statement.id: statement for statement in self.statements}

        def in_full(suspects: Sequence[Suspect]) -> dict[int, PaymentReport]:
            return {s.id: lines[s.statement_id].report(files[s.statement_id], s.row) for s in suspects}

        news = [s for s in page if not s.booked and not s.repeats and (s.held is None or s.held.amount != _amount(s))]
        reports = await asyncio.to_thread(in_full, news)
        receipts = [s.id for s in news if s.held is None and reports[s.id].receipt]
        async with self._uow.writing() as tx:
            await tx.reconciliations.hold(self._id, self._runner)
            same = await tx.reconciliations.same_number(receipts, self._ids) if receipts else {}
            judged = _judged(page, reports, same)
            await tx.reconciliations.judged(judged)
            to_book: dict[int, list[tuple[int, PaymentReport]]] = {}
            for one in judged:
                suspect = one.suspect
                if suspect.id in reports and must_be_settled(one.judgement, suspect.held):
                    to_book.setdefault(suspect.statement_id, []).append((suspect.row.line, reports[suspect.id]))
            for statement_id, booked in to_book.items():
                for start in range(0, len(booked), _REPORTS_AT_ONCE):
                    part = booked[start : start + _REPORTS_AT_ONCE]
                    await tx.reconciliations.book(by_id[statement_id], part, self._clock.now())
        return sum(one.judgement.became == Became.PENDING for one in judged)

    async def report(self, expected: Expected) -> Mapping[str, Any]:
        """Complete the list, add up, and keep it."""
        codes, unanswered = expected.counted(self.statements), expected.missing(self.statements)
        between = day_between(self._day)
        async with self._uow.writing() as tx:
            await tx.reconciliations.hold(self._id, self._runner)
            await tx.reconciliations.find_missing_there(self._id, self._provider, between, self._ids, codes)
            await tx.reconciliations.find_faults(self._id, self._ids)
            by_kind = await tx.reconciliations.tallies(self._id)
            ours = await tx.reconciliations.ours(self._provider, between, codes)
            totals = _totals([statement.total for statement in self.statements], ours, by_kind)
            made = as_json(self._provider, self._day, self.statements, totals, codes, unanswered)
            made["pending"] = await tx.reconciliations.waiting([statement.inbox_id for statement in self.statements])
            known = await tx.reconciliations.day(self._provider, self._day)
            assert known is not None
            now = self._clock.now()
            closed = known.closed_report
            if closed is not None and money_of(closed) != money_of(made):
                await changed_if_closed(tx, self._provider, self._day, "it was reconciled again and differs", now)
            await tx.reconciliations.finish(self._id, made, None if unanswered or made["pending"] else now)
            if made["good"] or closed is not None:
                await tx.reconciliations.unstage(self._ids)  # nobody needs the lines: the files have them
        STATEMENT_LINES.labels(self._provider).inc(totals.provider.count)
        for kind, tally in totals.kinds.items():
            DIFFERENCES.labels(self._provider, kind).set(0 if kind == Kind.MATCHED else tally.count)
        return made


def day_between(day: date) -> tuple[datetime, datetime]:
    """When an East African day begins, and when the next does."""
    begins = datetime.combine(day, time(0), EAT)
    return begins, begins + timedelta(days=1)


def _amount(suspect: Suspect) -> Money:
    return _line(suspect, None).amount


def _line(suspect: Suspect, report: PaymentReport | None) -> Line:
    row = suspect.row
    money = Money(row.amount_minor, row.currency)
    return Line(row.line, row.reference, row.control_number, money, report.receipt if report else None)


def _judged(
    page: Sequence[Suspect], reports: Mapping[int, PaymentReport], same: Mapping[int, Sequence[Held]]
) -> list[JudgedLine]:
    taken: set[int] = set()
    judged = []
    for suspect in page:
        line = _line(suspect, reports.get(suspect.id))
        other = same_by_receipt(line, same.get(suspect.id, ()), taken) if suspect.held is None else None
        if other is not None:
            taken.add(other.id)
        judgement: Judgement = judge(line.amount, suspect.repeats, suspect.held, other)
        why = f"held as {other.reference}" if other is not None else ""
        judged.append(JudgedLine(suspect, judgement, suspect.held or other, why))
    return judged


def _totals(statements: Sequence[Tally], ours: Tally, by_kind: Mapping[str, Tally]) -> Totals:
    """What is no difference is matched: the identity that the day's figures must keep."""
    provider = sum(statements, Tally())
    kinds = {kind: by_kind.get(kind.value, Tally()) for kind in Kind}
    of_lines = sum((tally for kind, tally in kinds.items() if kind != Kind.MISSING_THERE), Tally())
    kinds[Kind.MATCHED] = provider - of_lines
    totals = Totals(provider, ours, kinds)
    assert totals.balanced
    return totals


def as_json(
    provider: str,
    day: date,
    statements: Sequence[Statement],
    totals: Totals,
    codes: Sequence[str | None] | None,
    unanswered: Sequence[str],
) -> dict[str, Any]:
    """The report but for its differences, as it is kept."""
    return {
        "provider": provider,
        "day": day.isoformat(),
        "statements": [
            {"code": s.provider_code, "digest": s.digest, "lines": s.total.count, "file": s.file} for s in statements
        ],
        "counted": None if codes is None else list(codes),
        "unanswered": list(unanswered),
        "good": totals.good and not unanswered,
        "totals": {"provider": tally_json(totals.provider), "ours": tally_json(totals.ours)},
        "kinds": {kind.value: tally_json(totals.kinds[kind]) for kind in Kind},
    }


def tally_json(tally: Tally) -> dict[str, Any]:
    """Minor units are integers: JSON's numbers hold them exactly in Python and in every database."""
    return {"count": tally.count, "minor": dict(sorted(tally.minor.items()))}


def money_of(report: Mapping[str, Any]) -> Any:
    """What may not change in a day that was closed: whose statements, and both totals."""
    digests = sorted(str(statement["digest"]) for statement in report["statements"])
    return digests, report["totals"]
