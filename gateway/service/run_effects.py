"""Carries out what the outbox holds: leased in batches, sent within a window, finished each on its own.

At least once: a process that dies between a peer's answer and our commit leaves a job that is sent again under the
same id. A bill can be resent safely; a provider of SMS that knows no such id may deliver that one text twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from aiolimiter import AsyncLimiter

from gateway.domain.clock import Clock
from gateway.domain.effects import AnswerBySms, AskForNumbers, BillEffect, CancelBill, CancelNumber, SendSms
from gateway.domain.outcomes import Accepted, Busy, Done, Outcome, Refused, Unknown, Unreachable
from gateway.domain.payments import CaseKind
from gateway.ports import (
    BillIssuer,
    Case,
    HttpClient,
    Job,
    SmsMessage,
    SmsProvider,
    Transaction,
    UnitOfWork,
)
from gateway.service.ask_provider import AskProvider
from gateway.service.messages import Messages
from gateway.service.metrics import EFFECTS, ERRORS

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ChannelLimits:
    """Of one outbox channel. ``window``: calls in flight; ``deadline``: age at which a person takes over.

    ``per_s``: calls begun in a second, by this process.
    """

    batch: int = 32
    window: int = 8
    per_s: float = 50.0
    timeout_s: float = 10.0
    lease_s: float = 60.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 300.0
    deadline: timedelta = timedelta(hours=24)

    def __post_init__(self) -> None:
        # a lease must outlive its whole batch, or two workers send the same job
        longest_s = self.timeout_s * (self.batch / self.window + 1) + self.batch / self.per_s
        assert self.lease_s > longest_s, "the lease is shorter than a batch"


Sender = Callable[[Job, datetime], Awaitable[Outcome]]
OnOutcome = Callable[[Transaction, Job, Outcome, datetime], Awaitable[None]]


class RunEffects:
    """One batch of one channel at a time."""

    def __init__(
        self,
        uow: UnitOfWork,
        client: HttpClient,
        payments: BillIssuer,
        sms: SmsProvider,
        messages: Messages,
        clock: Clock,
        limits: Mapping[str, ChannelLimits] | None = None,
    ) -> None:
        self._uow = uow
        self._client = client
        self._ask = AskProvider(uow, client, payments, messages, clock)
        self._sms = sms
        self._clock = clock
        self._limits = limits or {}
        self._rates: dict[str, AsyncLimiter] = {}

    def limits(self, channel: str) -> ChannelLimits:
        """The limits of a channel, the defaults where none were given."""
        return self._limits.get(channel, ChannelLimits())

    async def batch(self, channel: str) -> int:
        """Lease and run one batch; how many jobs it had."""
        limits = self.limits(channel)
        async with self._uow.reading() as tx:
            if not await tx.outbox.due(channel, self._clock.now()):
                return 0
        async with self._uow.writing() as tx:
            leased = await tx.outbox.lease(channel, limits.batch, self._clock.now(), limits.lease_s)
            jobs = await self._still_told(tx, leased)
        window = asyncio.Semaphore(limits.window)
        rate = self._rates.setdefault(channel, AsyncLimiter(limits.per_s, 1.0))

        async def run(job: Job) -> None:
            async with window, rate:
                await self._run(job, limits)

        await asyncio.gather(*(run(job) for job in jobs))
        return len(leased)

    async def _still_told(self, tx: Transaction, jobs: Sequence[Job]) -> Sequence[Job]:
        """All but the SMS of a family that their phone calls not its own by now: they waited while it said so."""
        of_families = {job.id: pair for job in jobs if (pair := _told_of(job)) is not None}
        disowned = await tx.callers.disowned(of_families.values())
        withheld = [job for job in jobs if of_families.get(job.id) in disowned]
        for job in withheld:
            await tx.outbox.finish(job, "Withheld", self._clock.now())
            tx.after_commit.append(EFFECTS.labels(job.effect.kind, "Withheld").inc)
        return [job for job in jobs if job not in withheld]

    async def _run(self, job: Job, limits: ChannelLimits) -> None:
        try:
            outcome = await self._send(job, limits.timeout_s)
        except Exception:
            log.exception("effect_failed", outbox=job.id, kind=job.effect.kind)
            outcome = Unknown("a fault of ours")
        EFFECTS.labels(job.effect.kind, type(outcome).__name__).inc()
        try:
            async with self._uow.writing() as tx:
                await self._conclude(tx, job, outcome, limits)
        except Exception:
            log.exception("effect_not_concluded", outbox=job.id)  # its lease runs out and it is run again

    async def _send(self, job: Job, timeout_s: float) -> Outcome:
        match job.effect:
            case SendSms() as sms:
                message = SmsMessage(_sms_id(sms), sms.to, sms.text)
                response = await self._client.send(self._sms.request_for(message), timeout_s)
                return response if isinstance(response, Outcome) else self._sms.outcome(message, response)
            case AnswerBySms():
                raise AssertionError("answers are carried out on a channel of their own")
            case effect:
                return await self._ask.send(effect, job.attempts, timeout_s)

    async def _conclude(self, tx: Transaction, job: Job, outcome: Outcome, limits: ChannelLimits) -> None:
        now = self._clock.now()
        said = _said(outcome)
        match outcome:
            case Accepted() | Done():
                if await tx.outbox.finish(job, said, now) and isinstance(job.effect, BillEffect):
                    await self._ask.accepted(tx, job.effect, now)
            case Refused() if isinstance(job.effect, CancelBill):
                await self._hold(tx, job, said, now)  # its number can still be paid: a person must know
            case Refused(code, text):
                if await tx.outbox.finish(job, said, now) and isinstance(job.effect, BillEffect):
                    await self._ask.refused(tx, job.effect, code, text, now)
            case Busy() | Unreachable() | Unknown():
                if now - job.created_at <= limits.deadline:
                    await tx.outbox.again(job, said, now + _wait(job, outcome, limits), now)
                elif isinstance(job.effect, AskForNumbers | CancelNumber):
                    await tx.outbox.finish(job, said, now)  # nobody waits for it, and the pool goes on by itself
                else:
                    await self._hold(tx, job, said, now)

    async def _hold(self, tx: Transaction, job: Job, said: str, now: datetime) -> None:
        ERRORS.labels("SMS-HELD").inc()
        if await tx.outbox.hold(job, said, now):
            details = {"kind": job.effect.kind, "outcome": said, "attempts": job.attempts}
            await tx.cases.open(Case(CaseKind.EFFECT_HELD, f"outbox:{job.id}", details=details), now)


def _told_of(job: Job) -> tuple[str, int] | None:
    """The phone and the family that it is told of; None where it is told of none as a family's phone."""
    sms = job.effect
    return (sms.to, sms.family_id) if isinstance(sms, SendSms) and sms.family_id is not None else None


def _sms_id(sms: SendSms) -> str:
    """Of the business key, so that neither a retry nor a restored backup gives one id to two messages."""
    return hashlib.sha256(sms.key.encode()).hexdigest()[:32]


def _said(outcome: Outcome) -> str:
    """The outcome for the row: its name and the peer's code, no personal data."""
    match outcome:
        case Refused(code, text):
            return f"Refused {code} {text}"[:300]
        case Busy(_, code):
            return f"Busy {code}"[:300]
        case Accepted(reference) | Done(reference):
            return f"{type(outcome).__name__} {reference or ''}".strip()[:300]
        case Unreachable(why) | Unknown(why):
            return f"{type(outcome).__name__} {why}".strip()[:300]


def _wait(job: Job, outcome: Outcome, limits: ChannelLimits) -> timedelta:
    at_least_s = min(outcome.retry_after_s, limits.longest_wait_s) if isinstance(outcome, Busy) else 0.0
    return backoff(job.attempts, limits, at_least_s)


def backoff(attempts: int, limits: ChannelLimits, at_least_s: float = 0.0) -> timedelta:
    """Doubling from the first wait, jittered so that a recovered peer is not hit by all at once."""
    wait_s = min(limits.longest_wait_s, limits.first_wait_s * 2 ** min(attempts - 1, 16))
    return timedelta(seconds=max(wait_s, at_least_s) * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, no secret
