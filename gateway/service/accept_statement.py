"""A provider's statement, come whole into a file: verified, its evidence committed, and only then acknowledged.

Nothing is matched here. The same statement again, by its bytes or as another answer to an order that is answered, is
acknowledged and adds nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import structlog

from gateway.domain.clock import Clock, eat_day
from gateway.domain.outcomes import Busy, Done
from gateway.domain.payments import CaseKind
from gateway.ports import (
    Case,
    DayOrder,
    Evidence,
    HttpReply,
    Statement,
    StatementReading,
    StatementReceiver,
    Transaction,
    UnitOfWork,
    Verdict,
)
from gateway.service.accept_callback import KEPT_HEADERS, VERDICT_CODES, ForgeryQuota, header_text
from gateway.service.keep_unreadable import is_for_a_person, keep_unreadable, unreadable_id
from gateway.service.metrics import CALLBACKS, CASES, ERRORS
from gateway.service.statement_files import Incoming, StatementFolder

log = structlog.get_logger()
PROVIDERS_OWN = "provider"  # how a file is read: by the adapter of its provider


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: the statement it is now, or why it is none."""

    reading: StatementReading
    statement: Statement | None
    new: bool = False


class AcceptStatement:
    """``quota``: of evidence about messages that are not the provider's.

    The file of what cannot be read is never kept: its beginning is, and the provider gives the account once more.
    """

    def __init__(self, uow: UnitOfWork, clock: Clock, folder: StatementFolder, quota: ForgeryQuota) -> None:
        self._uow = uow
        self._clock = clock
        self._folder = folder
        self._quota = quota

    async def __call__(
        self, provider: StatementReceiver, route: str, incoming: Incoming, headers: Mapping[str, str]
    ) -> HttpReply:
        """``incoming`` has ended, and is no more afterwards."""
        try:
            reading = await read_file(provider, route, incoming, headers)
            for_a_person = is_for_a_person(reading)
            inbox_id = unreadable_id(incoming.digest) if for_a_person else uuid4().hex
            reply = provider.acknowledge_statement(reading, inbox_id)
            CALLBACKS.labels(provider.name, route, reading.verdict).inc()
            evidence = self._evidence(provider.name, inbox_id, incoming, headers, reading, reply.status)
            if reading.verdict == Verdict.GENUINE:
                await self._keep(provider.name, reading, incoming, evidence)
                return reply
            ERRORS.labels(VERDICT_CODES[reading.verdict]).inc()
            room = None if for_a_person else self._quota.room(evidence.received_at, len(evidence.body))
            if for_a_person or room is not None:
                log.warning("statement_refused", provider=provider.name, verdict=reading.verdict, inbox=inbox_id)
            if for_a_person:
                await keep_unreadable(self._uow, evidence, _day_of_coming, evidence.received_at)
            elif room is not None:
                evidence = replace(evidence, body=evidence.body[:room])
                async with self._uow.writing() as tx:
                    await tx.inbox.keep(evidence, ())
            return reply
        except Exception:
            ERRORS.labels("PAY-NOT-KEPT").inc()
            log.exception("statement_not_kept", provider=provider.name, route=route)
            return provider.statement_not_kept(route)
        finally:
            await asyncio.to_thread(incoming.discard)

    async def _keep(self, provider: str, reading: StatementReading, incoming: Incoming, evidence: Evidence) -> None:
        async with self._uow.writing() as tx:
            order = await tx.reconciliations.order(provider, reading.request_id or "", lock=True)
            day = order.day if order else reading.day
            if await self._is_known(tx, provider, day, order, incoming.digest):
                return
            file = await asyncio.to_thread(self._folder.keep, incoming, provider)
            new = statement_of(provider, reading, day, incoming, file, evidence.id)
            if not await tx.reconciliations.add_statement(new, evidence.received_at):
                return  # its twin was first
            await tx.inbox.keep(evidence, ())
            await tx.audit.add(
                "provider", "statement.taken", f"statement:{new.digest}", evidence.received_at, **facts_of(new)
            )
            if new.day is not None and new.usable:
                await changed_if_closed(tx, provider, new.day, "a new statement came", evidence.received_at)

    async def _is_known(
        self, tx: Transaction, provider: str, day: date | None, order: DayOrder | None, digest: str
    ) -> bool:
        if await tx.reconciliations.statement_of(provider, digest, day) is not None:
            return True
        if order is None:
            return False
        earlier = await tx.reconciliations.answers_to(provider, order.request_id)
        return any(statement.usable for statement in earlier)

    def _evidence(
        self,
        provider: str,
        inbox_id: str,
        incoming: Incoming,
        headers: Mapping[str, str],
        reading: StatementReading,
        status: int,
    ) -> Evidence:
        return Evidence(
            id=inbox_id,
            provider=provider,
            route=reading.route,
            received_at=self._clock.now(),
            body=incoming.head,
            size=incoming.size,
            headers={name: header_text(headers[name]) for name in KEPT_HEADERS if name in headers},
            digest=incoming.digest,
            verdict=reading.verdict,
            why=reading.why[:500],
            message_id=reading.message_id[:100] if reading.message_id else None,
            reply_status=status,
        )


def _day_of_coming(first: Evidence) -> str:
    """Asked for again, an account has the same fault in other bytes each time: one case of a day is enough."""
    return f"statement:{first.provider}/{eat_day(first.received_at)}"


async def read_file(
    provider: StatementReceiver, route: str, incoming: Incoming, headers: Mapping[str, str]
) -> StatementReading:
    """What the file says of itself. A gigabyte is hashed in a thread."""
    if incoming.too_large:
        return StatementReading(route, Verdict.TOO_LARGE, why=f"more than {incoming.size} bytes")
    return await asyncio.to_thread(provider.open_statement, route, incoming.path, headers)


def statement_of(
    provider: str,
    reading: StatementReading,
    day: date | None,
    incoming: Incoming,
    file: str,
    inbox_id: str,
    how: Mapping[str, Any] | None = None,
) -> Statement:
    """A genuine file as it is kept. ``how``: the way in which it is read, where not by its provider's adapter."""
    outcome = reading.outcome
    return Statement(
        id=0,
        provider=provider,
        day=day,
        provider_code=reading.provider_code,
        request_id=reading.request_id[:100] if reading.request_id else None,
        inbox_id=inbox_id,
        digest=incoming.digest,
        file=file,
        size=incoming.size,
        usable=isinstance(outcome, Done),
        how=how
        or {
            "by": PROVIDERS_OWN,
            "route": reading.route,
            "provider_code": reading.provider_code,
            "start": reading.start,
            "end": reading.end,
            "dialect": reading.dialect,
            "said": type(outcome).__name__,
            "again_s": str(outcome.retry_after_s) if isinstance(outcome, Busy) else None,
        },
    )


def reading_of(known: Statement) -> StatementReading:
    """What the adapter needs to read a kept statement once more."""
    how = known.how
    return StatementReading(
        route=how["route"],
        verdict=Verdict.GENUINE,
        outcome=Done(),
        request_id=known.request_id,
        provider_code=how["provider_code"],
        start=how["start"],
        end=how["end"],
        dialect=how["dialect"],
    )


def facts_of(known: Statement) -> dict[str, object]:
    """For the audit."""
    return {"provider": known.provider, "day": str(known.day or ""), "code": known.provider_code, "size": known.size}


async def changed_if_closed(tx: Transaction, provider: str, day: date, why: str, now: datetime) -> bool:
    """A case where a person has closed the day; whether one was opened."""
    known = await tx.reconciliations.day(provider, day)
    if known is None or known.closed_at is None:
        return False

    details = {"why": why, "closed_by": known.closed_by, "closed_at": known.closed_at.isoformat()}
    opened = await tx.cases.open(Case(CaseKind.DAY_CHANGED, f"day:{provider}/{day}", provider, details=details), now)
    if opened:
        tx.after_commit.append(CASES.labels(CaseKind.DAY_CHANGED).inc)
        await tx.audit.add("gateway", "case.opened", f"day:{provider}/{day}", now, kind=CaseKind.DAY_CHANGED, why=why)
    return opened
