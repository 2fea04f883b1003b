"""What could not be shown in time, told by SMS: promised in our own tables, kept by a worker.

The fact is read when the SMS is written, by the code that answers a caller, so that the SMS is true when it leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog

from gateway.domain.clock import Clock
from gateway.domain.effects import AnswerBySms, SendSms
from gateway.domain.ussd.by_sms import GIVEN_UP, told
from gateway.domain.ussd.effects import PromiseAnswer
from gateway.domain.ussd.machine import Ask
from gateway.ports import Job, Requester, Transaction, UnitOfWork
from gateway.service.batching import Batcher
from gateway.service.bounded import Bounded
from gateway.service.messages import Messages
from gateway.service.metrics import EFFECTS, ERRORS, USSD_PROMISES
from gateway.service.refusals import RefusedByRuleError
from gateway.service.run_effects import ChannelLimits, backoff
from gateway.service.ussd_facts import UssdFacts

log = structlog.get_logger()
REFUSED = "refused"
_AT_ONCE = 100  # promises in one transaction


class PromiseRefusedError(RefusedByRuleError):
    """Nothing is promised, by a rule of ours: this phone was promised enough, or nothing is awaited any more."""


# --------------------------------------------------------------------------------------------------------- the promise


class Promises:
    """Puts promised answers; those of a moment in one transaction, since a stall makes many callers' at once.

    A question of this phone that is still open is promised already. One whose answer has left is a new question: what
    was true then may not be now.
    """

    def __init__(self, uow: UnitOfWork, clock: Clock, an_hour: int) -> None:
        self._uow = uow
        self._clock = clock
        self._an_hour = an_hour
        self._asked: Batcher[PromiseAnswer, str] = Batcher(self._put, size=_AT_ONCE)

    async def __call__(self, wanted: PromiseAnswer) -> None:
        """Promise it, committed. Raises PromiseRefusedError for a phone that was promised as many as it may get."""
        result = await self._asked.get(wanted)
        USSD_PROMISES.labels(wanted.fact, result).inc()
        if result == REFUSED:
            ERRORS.labels("USSD-ANSWERS").inc()
            raise PromiseRefusedError

    async def _put(self, wanted: Sequence[PromiseAnswer]) -> Mapping[PromiseAnswer, str]:
        now = self._clock.now()
        results: dict[PromiseAnswer, str] = {}
        async with self._uow.writing() as tx:
            for _ in range(self._an_hour + 1):  # whoever was first with a place is seen at the next look
                left = [each for each in wanted if each not in results]
                if not left:
                    break
                results |= await self._look_and_put(tx, left, now)
        return {each: results.get(each, REFUSED) for each in wanted}

    async def _look_and_put(
        self, tx: Transaction, wanted: Sequence[PromiseAnswer], now: datetime
    ) -> dict[PromiseAnswer, str]:
        """The results that are certain: of what is open, refused or put now."""
        places = {each: _places(each, self._an_hour, now) for each in wanted}
        known = await tx.outbox.known([answer.key for each in wanted for answer in places[each]])
        results: dict[PromiseAnswer, str] = {}
        new: dict[PromiseAnswer, AnswerBySms] = {}
        for each, answers in places.items():
            held = [known[answer.key] for answer in answers if answer.key in known]
            free = [answer for answer in answers if answer.hour == _hour(now) and answer.key not in known]
            if any(one.open and _same(one.effect, each) for one in held):
                results[each] = "open"
            elif free:
                new[each] = free[0]
            else:
                results[each] = REFUSED
        put = await tx.outbox.put_each([[answer] for answer in new.values()], now)
        return results | {each: "new" for each, count in zip(new, put, strict=True) if count}


def _places(wanted: PromiseAnswer, an_hour: int, now: datetime) -> list[AnswerBySms]:
    """Where it may stand: in this hour, or still open from the last."""
    return [
        AnswerBySms(wanted.fact, dict(wanted.args), wanted.msisdn, wanted.language, hour, place)
        for hour in (_hour(now - timedelta(hours=1)), _hour(now))
        for place in range(1, an_hour + 1)
    ]


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H}"


def _same(effect: object, wanted: PromiseAnswer) -> bool:
    return isinstance(effect, AnswerBySms) and (effect.fact, effect.args) == (wanted.fact, dict(wanted.args))


# --------------------------------------------------------------------------------------------------------- its keeping


class AnswerPromises:
    """One batch of promised answers at a time; each is tried again while its fact does not come, and then given up."""

    def __init__(
        self, uow: UnitOfWork, facts: UssdFacts, messages: Messages, clock: Clock, limits: ChannelLimits
    ) -> None:
        """``limits.deadline``: the age at which an answer is of no more use; the phone is told so."""
        self._uow = uow
        self._facts = facts
        self._messages = messages
        self._clock = clock
        self._limits = limits
        self._room = Bounded(limits.window)

    async def __call__(self) -> int:
        """Lease and answer; how many there were."""
        async with self._uow.reading() as tx:
            if not await tx.outbox.due(AnswerBySms.channel, self._clock.now()):
                return 0
        limits = self._limits
        async with self._uow.writing() as tx:
            jobs = await tx.outbox.lease(AnswerBySms.channel, limits.batch, self._clock.now(), limits.lease_s)
        window = asyncio.Semaphore(limits.window)

        async def run(job: Job) -> None:
            async with window:
                await self._run(job)

        await asyncio.gather(*(run(job) for job in jobs))
        return len(jobs)

    async def _run(self, job: Job) -> None:
        assert isinstance(job.effect, AnswerBySms)
        sms: SendSms | None = None
        said = "nothing to tell yet"
        if self._clock.now() - job.created_at > self._limits.deadline:
            ERRORS.labels("SMS-ANSWER-LATE").inc()
            sms = self._write(job.effect, job.effect.language, GIVEN_UP, {})
        else:
            try:
                async with asyncio.timeout(self._limits.timeout_s):
                    sms = await self._room.run(partial(self._read, job.effect))
            except Exception as failure:
                said = type(failure).__name__
                log.warning("answer_not_read", outbox=job.id, fact=job.effect.fact, why=said)
        EFFECTS.labels(AnswerBySms.kind, "Done" if sms else "Unknown").inc()
        try:
            async with self._uow.writing() as tx:
                await self._conclude(tx, job, sms, said)
        except Exception:
            log.exception("answer_not_concluded", outbox=job.id)  # its lease runs out and it is run again

    async def _conclude(self, tx: Transaction, job: Job, sms: SendSms | None, said: str) -> None:
        now = self._clock.now()
        if sms is None:
            await tx.outbox.again(job, said, now + backoff(job.attempts, self._limits), now)
        elif await tx.outbox.finish(job, f"Done {sms.message}", now):
            await tx.outbox.put([sms], now)

    async def _read(self, asked: AnswerBySms) -> SendSms | None:
        """The SMS as things are now; None where there is nothing to tell yet. Raises what the registry raises."""
        language, args = asked.language, {"msisdn": asked.msisdn}
        if asked.fact == "enquiry":
            value = await self._facts.answer(_ask(asked.fact, {**asked.args, **args}))
            return self._told(asked, language, value, str(asked.args["chfid"]))
        caller = await self._facts.answer(_ask("caller", args))
        language = caller["language"] or language
        if asked.fact == "caller":
            return self._told(asked, language, caller, "")
        family = _own(caller["families"], asked.args["family_id"])
        if family is None:  # no longer this phone's: nothing of it is told
            return self._write(asked, language, GIVEN_UP, {})
        value = await self._facts.answer(_ask(asked.fact, asked.args))
        return self._told(asked, language, value, family["chfid"])

    def _told(self, asked: AnswerBySms, language: str, value: dict[str, Any], chfid: str) -> SendSms | None:
        found = told(asked.fact, value, chfid)
        return self._write(asked, language, *found) if found else None

    def _write(self, asked: AnswerBySms, language: str, kind: str, scope: dict[str, Any]) -> SendSms:
        reader = Requester(asked.msisdn, language)
        return self._messages.answer(reader, kind, asked.aggregate, self._clock.now(), **scope)


def _ask(fact: str, args: dict[str, Any]) -> Ask:
    return Ask(fact, tuple(args.items()))


def _own(families: Sequence[dict[str, Any]], family_id: int) -> dict[str, Any] | None:
    return next((family for family in families if family["id"] == family_id), None)
