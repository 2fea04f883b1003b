"""What could not be shown in time, told by SMS: promised in our own tables, kept by a worker.

The fact is read when the SMS is written, by the code that answers a caller, so that the SMS is true when it leaves. A
control number is asked for then, by what was agreed to; whose family it is, an officer's mandate and the amount are
judged anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog

from gateway.domain.clock import Clock, eat_day
from gateway.domain.cover import cover_on
from gateway.domain.effects import AnswerBySms, SendSms
from gateway.domain.officers import Mandate
from gateway.domain.ussd.by_sms import ELSEWHERE, GIVEN_UP, told, told_months
from gateway.domain.ussd.effects import BEGUN, NUMBER, PromiseAnswer, bill_promised
from gateway.domain.ussd.machine import Ask
from gateway.ports import Job, Requester, Transaction, UnitOfWork
from gateway.service.batching import Batcher
from gateway.service.bounded import Bounded
from gateway.service.enquiry import cover_fact
from gateway.service.messages import Messages
from gateway.service.metrics import EFFECTS, ERRORS, USSD_PROMISES
from gateway.service.refusals import RefusedByRuleError
from gateway.service.request_control_number import RequestControlNumber
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

    def __init__(self, uow: UnitOfWork, clock: Clock, an_hour: int, officers_an_hour: int = 20) -> None:
        """So many to a phone for its own, and so many to an officer's phone for families that it asked for."""
        self._uow = uow
        self._clock = clock
        self._own = range(1, an_hour + 1)
        self._officers = range(an_hour + 1, an_hour + officers_an_hour + 1)  # places of their own
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
        looks = max(len(self._own), len(self._officers)) + 1
        async with self._uow.writing() as tx:
            for _ in range(looks):  # whoever was first with a place is seen at the next one
                left = [each for each in wanted if each not in results]
                if not left:
                    break
                results |= await self._look_and_put(tx, left, now)
        return {each: results.get(each, REFUSED) for each in wanted}

    async def _look_and_put(
        self, tx: Transaction, wanted: Sequence[PromiseAnswer], now: datetime
    ) -> dict[PromiseAnswer, str]:
        """The results that are certain: of what is open, refused or put now."""
        places = {each: _places(each, self._officers if _by_officer(each) else self._own, now) for each in wanted}
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


def _by_officer(wanted: PromiseAnswer) -> bool:
    return any(name.startswith("officer") for name, _ in wanted.args)


def _places(wanted: PromiseAnswer, places: range, now: datetime) -> list[AnswerBySms]:
    """Where it may stand: in this hour, or still open from the last."""
    return [
        AnswerBySms(wanted.fact, dict(wanted.args), wanted.msisdn, wanted.language, hour, place)
        for hour in (_hour(now - timedelta(hours=1)), _hour(now))
        for place in places
    ]


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H}"


def _same(effect: object, wanted: PromiseAnswer) -> bool:
    return isinstance(effect, AnswerBySms) and (effect.fact, effect.args) == (wanted.fact, dict(wanted.args))


# --------------------------------------------------------------------------------------------------------- its keeping


class AnswerPromises:
    """One batch of promised answers at a time; each is tried again while its fact does not come, and then given up."""

    def __init__(
        self,
        uow: UnitOfWork,
        facts: UssdFacts,
        request_number: RequestControlNumber,
        messages: Messages,
        clock: Clock,
        limits: ChannelLimits,
    ) -> None:
        """``limits.deadline``: the age at which an answer is of no more use; the phone is told so."""
        self._uow = uow
        self._facts = facts
        self._request_number = request_number
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
        answer: list[SendSms] | None = None
        said = "nothing to tell yet"
        if self._clock.now() - job.created_at > self._limits.deadline:
            ERRORS.labels("SMS-ANSWER-LATE").inc()
            answer = self._give_up(job.effect, job.effect.language)
        else:
            try:
                async with asyncio.timeout(self._limits.timeout_s):
                    answer = await self._room.run(partial(self._read, job.effect))
            except Exception as failure:
                said = type(failure).__name__
                log.warning("answer_not_read", outbox=job.id, fact=job.effect.fact, why=said)
        EFFECTS.labels(AnswerBySms.kind, "Unknown" if answer is None else "Done").inc()
        try:
            async with self._uow.writing() as tx:
                await self._conclude(tx, job, answer, said)
        except Exception:
            log.exception("answer_not_concluded", outbox=job.id)  # its lease runs out and it is run again

    async def _conclude(self, tx: Transaction, job: Job, answer: list[SendSms] | None, said: str) -> None:
        now = self._clock.now()
        if answer is None:
            await tx.outbox.again(job, said, now + backoff(job.attempts, self._limits), now)
        elif await tx.outbox.finish(job, f"Done {answer[0].message if answer else 'billed'}", now):
            await tx.outbox.put(answer, now)

    async def _read(self, asked: AnswerBySms) -> list[SendSms] | None:
        """The SMS as things are now; none of ours where a bill's own tells it; None where there is nothing to tell yet.

        Raises what the registry raises.
        """
        language, args = asked.language, {"msisdn": asked.msisdn}
        if asked.fact == "enquiry":
            value = await self._facts.answer(_ask(asked.fact, {**asked.args, **args}))
            return self._told(asked, language, value, str(asked.args["chfid"]))
        caller = await self._facts.answer(_ask("caller", args))
        language = caller["language"] or language
        if asked.fact == "caller":
            return self._told(_of_its_one_family(asked, caller), language, caller, "")
        if asked.fact == "commission":
            return await self._commission(asked, language, caller)
        if "chfid" in asked.args:
            return await self._by_number(asked, language, caller)
        return await self._of_family(asked, language, caller)

    async def _by_number(self, asked: AnswerBySms, language: str, caller: dict[str, Any]) -> list[SendSms] | None:
        """A family's cover, or what it owes, for an officer who typed its number."""
        if _officer_id(asked, caller) is None:
            return self._give_up(asked, language)
        found = await self._facts.answer(_ask("officer_enquiry", {**asked.args, "msisdn": asked.msisdn}))
        if asked.fact == "officer_enquiry" or "id" not in found:
            cover = replace(asked, fact="officer_enquiry")
            return self._told(cover, language, found, str(asked.args["chfid"]))
        whose = {"family_id": found["id"], "officer": asked.args["officer"]}
        return await self._of_family(replace(asked, args=whose), language, caller)

    async def _of_family(self, asked: AnswerBySms, language: str, caller: dict[str, Any]) -> list[SendSms] | None:
        if "officer" in asked.args and (stands := await self._mandate(asked, caller)) != Mandate.GIVEN:
            kind = ELSEWHERE if stands == Mandate.ELSEWHERE else GIVEN_UP
            return [self._write(asked, language, kind, {})]
        chfid = await self._chfid(asked, caller)
        if chfid is None:  # no longer this phone's: nothing of it is told
            return self._give_up(asked, language)
        if asked.fact == NUMBER:
            return await self._bill(asked, language, chfid)
        value = await self._facts.answer(_ask(asked.fact, {"family_id": asked.args["family_id"]}))
        return self._told(asked, language, value, chfid)

    async def _commission(self, asked: AnswerBySms, language: str, caller: dict[str, Any]) -> list[SendSms]:
        if _first(caller.get("officers", ()), "id", id=asked.args["officer_id"]) is None:
            return self._give_up(asked, language)
        value = await self._facts.answer(_ask(asked.fact, asked.args))
        return [
            replace(self._write(asked, language, kind, scope), about=f"{asked.aggregate}/{scope['month']}")
            for kind, scope in told_months(value)
        ]

    async def _mandate(self, asked: AnswerBySms, caller: dict[str, Any]) -> str:
        """Whether the officer may still ask for the family."""
        officer_id = _officer_id(asked, caller)
        if officer_id is None:
            return Mandate.LEFT
        whose = {"officer_id": officer_id, "family_id": asked.args["family_id"], "msisdn": asked.msisdn}
        return str((await self._facts.answer(_ask("mandate", whose)))["state"])

    async def _chfid(self, asked: AnswerBySms, caller: dict[str, Any]) -> str | None:
        """The number of the family that was asked of: the phone's own, or one that an officer may ask for."""
        family_id = asked.args["family_id"]
        if "officer" not in asked.args:
            own: str | None = _first(caller["families"], "chfid", id=family_id)
            return own
        async with self._uow.reading() as tx:
            family = await tx.registry.family(family_id)
        return family.head.chfid if family else None

    async def _bill(self, asked: AnswerBySms, language: str, chfid: str) -> list[SendSms] | None:
        """Make the bill that was agreed to: whoever asked is told its number with it.

        Else what is due now; a family that has got its cover meanwhile is told that one, not the price of the next.
        """
        wanted, now = bill_promised(asked.args, asked.msisdn, language), self._clock.now()
        if await self._request_number(wanted, now) is not None:
            return []
        value = await self._facts.answer(_ask("quote", {"family_id": wanted.family_id}))
        if value["state"] == "payable" and value["key"] != wanted.key:
            async with self._uow.reading() as tx:
                cover = cover_on(await tx.registry.policies(wanted.family_id), eat_day(now))
            if cover.state in BEGUN:
                return self._told(replace(asked, fact="enquiry"), language, cover_fact(cover), chfid)
        return self._told(replace(asked, fact="quote"), language, value, chfid)

    def _told(self, asked: AnswerBySms, language: str, value: dict[str, Any], chfid: str) -> list[SendSms] | None:
        found = told(asked.fact, value, chfid)
        return [self._write(asked, language, *found)] if found else None

    def _give_up(self, asked: AnswerBySms, language: str) -> list[SendSms]:
        return [self._write(asked, language, GIVEN_UP, {})]

    def _write(self, asked: AnswerBySms, language: str, kind: str, scope: dict[str, Any]) -> SendSms:
        reader = Requester(asked.msisdn, language, "officer" in asked.args)
        family_id = asked.args.get("family_id")
        return self._messages.answer(reader, kind, asked.aggregate, self._clock.now(), family_id, **scope)


def _of_its_one_family(asked: AnswerBySms, caller: dict[str, Any]) -> AnswerBySms:
    """The question with the family that its answer will tell of, where it tells of one: a phone with one only."""
    families = caller["families"]
    return replace(asked, args={"family_id": families[0]["id"]}) if len(families) == 1 else asked


def _officer_id(asked: AnswerBySms, caller: dict[str, Any]) -> Any:
    """The officer who asked, where the phone is still that one's."""
    return _first(caller.get("officers", ()), "id", code=asked.args["officer"])


def _ask(fact: str, args: dict[str, Any]) -> Ask:
    return Ask(fact, tuple(args.items()))


def _first(known: Sequence[dict[str, Any]], wanted: str, **where: Any) -> Any:
    """A field of the first that is so; None where none is."""
    return next((each[wanted] for each in known if where.items() <= each.items()), None)
