"""Take a kept message up again: verified with today's keys, its entries settled now. Nothing happens twice.

Why one would: a message was refused because our list of the provider's certificates was out of date, or could not be
read by the release of that day; or its settling failed until something was mended. The evidence itself never changes:
what a message has become since stands in its entries, and who took it up in the audit.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.cases import CaseState
from gateway.domain.clock import Clock
from gateway.domain.payments import EntryState, PaymentReport
from gateway.ports import (
    CallbackReceiver,
    ControlNumberGiven,
    Entry,
    Evidence,
    Reading,
    Transaction,
    UnitOfWork,
    Verdict,
)
from gateway.service.settle_case import KnownCase
from gateway.service.settle_entries import SettleEntries

_PAGE = 100
_AT_REST = frozenset(
    (EntryState.SETTLED, EntryState.DUPLICATE, EntryState.HELD, EntryState.REFUNDED, EntryState.REJECTED)
)


class CannotReplayError(RuntimeError):
    """The message cannot be taken up; a sentence for the person who asked."""


@dataclass(frozen=True, slots=True)
class ReplayedEntry:
    """An entry as it stands now. ``failed``: the kind of fault that kept it from being settled."""

    entry: Entry
    cases: tuple[KnownCase, ...] = ()
    failed: str = ""

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is left to do: for us, or for a person."""
        if self.entry.state in _AT_REST:
            return True
        return bool(self.cases) and all(case.state != CaseState.OPEN for case in self.cases)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of a message. ``verdict`` and ``why`` are today's, those of its coming are in the evidence."""

    evidence: Evidence
    verdict: Verdict
    why: str
    added: int  # entries that it did not have before
    entries: tuple[ReplayedEntry, ...]

    @property
    def is_at_rest(self) -> bool:
        """Whether it is believed and nothing of it is left to do."""
        return self.verdict is Verdict.GENUINE and all(each.is_at_rest for each in self.entries)


class Replay:
    """Each call takes up one message; several may run at once, beside workers. ``by``: who asked, for the audit."""

    def __init__(
        self,
        uow: UnitOfWork,
        providers: Mapping[str, CallbackReceiver],
        settle: SettleEntries,
        clock: Clock,
        by: str,
    ) -> None:
        self._uow = uow
        self._providers = providers
        self._settle = settle
        self._clock = clock
        self._by = by

    async def __call__(self, inbox_id: str) -> Replayed:
        """Verify and settle again. Raises CannotReplayError; nothing has changed then."""
        async with self._uow.reading() as tx:
            evidence = await tx.inbox.evidence(inbox_id)
        if evidence is None:
            raise CannotReplayError(f"there is no message {inbox_id}")
        return await self._replayed(evidence)

    async def refused_since(self, since: datetime, most: int) -> AsyncIterator[Replayed]:
        """Take up what was refused since then, in the order of coming; at most so many messages are looked at."""
        after: tuple[datetime, str] | None = None
        while most > 0:
            async with self._uow.reading() as tx:
                page = await tx.inbox.refused(since, after, min(_PAGE, most))
            for evidence in page:
                try:
                    yield await self._replayed(evidence)
                except CannotReplayError as cannot:
                    yield Replayed(evidence, evidence.verdict, str(cannot), 0, ())
            if len(page) < _PAGE:
                return
            after, most = (page[-1].received_at, page[-1].id), most - len(page)

    async def _replayed(self, evidence: Evidence) -> Replayed:
        reading = self._read(evidence)
        if reading.verdict is not Verdict.GENUINE:  # what was settled of it once stands all the same
            return Replayed(evidence, reading.verdict, reading.why, 0, await self._shown(evidence.id, {}))
        added, waiting = await self._take_up(evidence, reading)
        failed = {}
        for entry in waiting:
            failure = await self._settle.this(entry.inbox_id, entry.line)
            if failure is not None:
                failed[entry.line] = type(failure).__name__
        return Replayed(evidence, reading.verdict, reading.why, added, await self._shown(evidence.id, failed))

    def _read(self, evidence: Evidence) -> Reading:
        provider = self._providers.get(evidence.provider)
        if provider is None:
            raise CannotReplayError(f"messages of {evidence.provider} cannot be verified again")
        if evidence.route not in provider.routes:
            raise CannotReplayError("this is a statement, not a callback: ask for its day again")
        if evidence.size != len(evidence.body):
            kept, size = len(evidence.body), evidence.size
            raise CannotReplayError(f"only {kept} of its {size} bytes were kept: they cannot be verified")
        if hashlib.sha256(evidence.body).hexdigest() != evidence.digest:
            raise CannotReplayError("the bytes are not those that came: somebody has changed the evidence")
        return provider.read(evidence.route, evidence.body, evidence.headers)

    async def _take_up(self, evidence: Evidence, reading: Reading) -> tuple[int, list[Entry]]:
        """Give a believed message the entries that it lacks; how many those were, and all that wait to be settled.

        A message that has entries keeps them as they are: they were read by the release that took them in.
        """
        now = self._clock.now()
        async with self._uow.writing() as tx:
            entries = await tx.inbox.entries_of(evidence.id)
            added = 0
            if not entries:
                added = await tx.inbox.add_entries(evidence, reading.notices, now)
                entries = await tx.inbox.entries_of(evidence.id)
            waiting = [entry for entry in entries if entry.state == EntryState.NEW]
            if waiting:
                await tx.audit.add(
                    self._by, "message.replayed", f"inbox:{evidence.id}", now, kept_as=evidence.verdict, added=added
                )
        return added, waiting

    async def _shown(self, inbox_id: str, failed: Mapping[int, str]) -> tuple[ReplayedEntry, ...]:
        async with self._uow.reading() as tx:
            entries = await tx.inbox.entries_of(inbox_id)
            return tuple([ReplayedEntry(e, await _cases(tx, e), failed.get(e.line, "")) for e in entries])


async def _cases(tx: Transaction, entry: Entry) -> tuple[KnownCase, ...]:
    """What a person has to do, or had, with what an entry says."""
    subjects = [f"entry:{entry.inbox_id}/{entry.line}"]
    match entry.notice:
        case PaymentReport() as report:
            subjects.append(f"payment:{report.reference}/{report.control_number}")
        case ControlNumberGiven() as given:
            subjects.append(f"number:{given.control_number}/{given.bill_id}")
    return tuple(KnownCase.of(row) for row in await tx.cases.about(subjects))
