"""One turn of a conversation: load, step, fetch, commit, save, reply; always in time, never with an exception."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import structlog

from gateway.domain.bill import Bill
from gateway.domain.breaker import BreakerRule
from gateway.domain.clock import Clock
from gateway.domain.ussd.book import Book
from gateway.domain.ussd.effects import NUMBER, RequestBill, UssdEffect, number_by_sms
from gateway.domain.ussd.ends import gone_on_with
from gateway.domain.ussd.machine import (
    Answered,
    Ask,
    AskFailed,
    Event,
    Key,
    Started,
    Step,
    step,
)
from gateway.domain.ussd.render import paginate
from gateway.domain.ussd.session import OTHER_NETWORK, Left, Session
from gateway.domain.ussd.told_alone import told_alone
from gateway.domain.ussd.turns import Fresh, KeyTurn, Lost, Next, Same, mark, may_dial, read_key, read_transcript
from gateway.ports import ChannelProfile, Ended, Screen, SessionRow, SessionStore, Turn
from gateway.service.breakers import Breakers
from gateway.service.metrics import ERRORS
from gateway.service.number_watch import NumberWatch
from gateway.service.refusals import RefusedByRuleError
from gateway.service.screen_counts import ScreenTally
from gateway.service.session_codec import dump, dump_left, load, load_left
from gateway.service.told_ends import ToldEnds, told_key
from gateway.service.ussd_effects import UssdEffects
from gateway.service.ussd_facts import UssdFacts, number_fact
from gateway.service.within import within

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds. ``total`` bounds a whole reply; ``fact`` one look-up; ``number`` the wait for a control number.

    Of a reply's time a share is kept back from facts and bills, in which the answer by SMS can still be committed, and
    a smaller one from what is committed, in which the session can still be saved.
    """

    total_s: float = 6.0
    fact_s: float = 2.5
    number_s: float = 3.5


_CHANNEL_SHARE = 0.8  # of the channel's deadline; the rest is the way of the reply
_KEPT_FROM_FACTS, _KEPT_FROM_EFFECTS = 0.3, 0.05  # shares of a reply's time
_PROMISED = "promised"  # instead of a bill: it will be made, and its number told by SMS
_Asked = Bill | str | None


class Deadline(NamedTuple):
    """When a reply is due, in seconds of the event loop's clock, and how many there were when the turn came."""

    at: float
    budget_s: float

    def left(self, kept: float = 0.0) -> float:
        """Seconds until then, less the share that is kept back; never below 0."""
        return max(0.0, self.at - self.budget_s * kept - _now_s())


class EffectNotCommittedError(Exception):
    """What the caller asked for was not committed, so nothing may be promised."""


class AnswerUssd:
    """The shell around ``step``. Order of a turn: commit effects, save the session, reply."""

    def __init__(
        self,
        book: Book,
        sessions: SessionStore,
        facts: UssdFacts,
        effects: UssdEffects,
        watch: NumberWatch,
        clock: Clock,
        budget: Budget,
        committed: Callable[[], None] = lambda: None,
        tally: ScreenTally | None = None,
        breakers: Breakers | None = None,
    ) -> None:
        """``committed`` is called once effects are committed, so that a worker of this process need not poll for it.

        ``tally`` counts where conversations go on and end; ``breakers``: of what is asked and committed, so that what
        hangs is left alone.
        """
        self._book = book
        self._sessions = sessions
        self._facts = facts
        self._effects = effects
        self._watch = watch
        self._clock = clock
        self._budget = budget
        self._committed = committed
        self._tally = tally or ScreenTally(book)
        self._told_ends = ToldEnds(sessions, self._tally)
        self._breakers = breakers or Breakers(BreakerRule())
        self._busy: dict[str, asyncio.Event | None] = {}  # sessions in work, with the bell of those who wait

    async def __call__(self, profile: ChannelProfile, turn: Turn) -> Screen:
        """The screen for this turn. A turn for a session in work waits for it, so that a twin gets its reply."""
        key = _key(profile, turn.msisdn, turn.session_id)
        deadline = self._deadline(profile)
        try:
            early = key in self._busy
            while key in self._busy:
                await self._turn_of(key, deadline)
            self._busy[key] = None
            try:
                return await self._turn(key, profile, turn, early, deadline)
            finally:
                bell = self._busy.pop(key)
                if bell is not None:
                    bell.set()
        except EffectNotCommittedError:
            return self.polite_end(profile, "end.try_later", "USSD-EFFECT")
        except (TimeoutError, ConnectionError):
            log.warning("ussd_store_or_budget", exc_info=True)
            return self.polite_end(profile, "end.try_later", "USSD-STORE")
        except Exception:
            log.exception("ussd_internal")
            return self.polite_end(profile, "end.error", "USSD-INTERNAL")

    def _deadline(self, profile: ChannelProfile) -> Deadline:
        budget_s = min(self._budget.total_s, profile.reply_deadline_s * _CHANNEL_SHARE)
        return Deadline(_now_s() + budget_s, budget_s)

    async def ended(self, profile: ChannelProfile, ended: Ended) -> None:
        """Count where a conversation ended as the peer tells it, once a turn of it that is in work is done."""
        known = ended.msisdn is not None or not profile.phone_every_turn
        key = _key(profile, ended.msisdn, ended.session_id) if known else None
        budget_s = profile.reply_deadline_s * 0.25
        deadline = Deadline(_now_s() + budget_s, budget_s)
        with suppress(TimeoutError):
            while key is not None and key in self._busy:
                await self._turn_of(key, deadline)
        await self._told_ends(profile, key, ended)

    async def _turn_of(self, key: str, deadline: Deadline) -> None:
        """Wait until the session's turn in work is done. Raises TimeoutError at the deadline."""
        bell = self._busy[key] = self._busy[key] or asyncio.Event()
        async with asyncio.timeout(deadline.left()):
            await bell.wait()

    def polite_end(self, profile: ChannelProfile, text: str, code: str) -> Screen:
        """A last screen outside any conversation, in the first language."""
        ERRORS.labels(code).inc()
        said = self._book.language("").say(text, {}).split("\n")
        return Screen(paginate(said, "", "", profile.frame)[0], final=True, name=text)

    async def _turn(self, key: str, profile: ChannelProfile, turn: Turn, early: bool, deadline: Deadline) -> Screen:
        heard = _heard(profile, turn, early)
        try:
            session, left = await within(self._load(key, profile, turn, heard), deadline.left)
        except (TimeoutError, ConnectionError):
            told = await self._first_screen(profile, turn, heard, deadline)
            if told is None:
                raise
            return told
        held = session is not None
        if session is not None and turn.msisdn not in (None, session.msisdn):
            if not turn.first:  # its id is another phone's: shown nothing of it, and it is left as it is
                return self.polite_end(profile, "end.try_later", "USSD-SESSION")
            session = None
        seen = read_transcript(session, turn.transcript or "") if heard is None else read_key(session, heard)
        if isinstance(seen, Same):
            assert session is not None
            return Screen(session.reply, session.final, session.screen)
        stood = session if isinstance(seen, Next) else None
        msisdn = turn.msisdn or (session.msisdn if session else None)
        if msisdn is None:  # the phone came with the turn that we no longer hold
            return self.polite_end(profile, "end.try_later", "USSD-SESSION")
        try:
            if isinstance(seen, Next):
                assert stood is not None
                left = stood.left
                taken = await self._play(stood, Key(seen.text), deadline)
            else:
                taken = await self._begin(profile, turn, msisdn, seen, left, deadline)
            if heard is None:
                after = taken.session._replace(transcript=turn.transcript)
            else:
                after = taken.session._replace(turns=mark(session, heard, seen))
            said = await self._save(key, profile, after, left, deadline, held and isinstance(seen, Fresh))
        except Exception:
            self._tally.cut(profile.name, stood)
            raise
        dropped = gone_on_with(left, after) if stood is None and left is not None else None
        self._tally.turn(profile.name, dropped or stood, after, dropped is not None)
        return said

    async def _first_screen(
        self, profile: ChannelProfile, turn: Turn, heard: KeyTurn | None, deadline: Deadline
    ) -> Screen | None:
        """What can be told to a dial while no conversation can be kept; None where that is nothing.

        On a wire that does not say what a dial is, a key of a conversation may get it too: it is this phone's.
        """
        dials = may_dial(heard if heard is not None else turn.transcript or "")
        if turn.msisdn is None or not dials or not deadline.left(_KEPT_FROM_FACTS):
            return None
        taken = await self._begin(profile, turn, turn.msisdn, Fresh(()), None, deadline)
        return self._unkept(taken.session)

    def _unkept(self, session: Session) -> Screen | None:
        """The last screen of a conversation that cannot be kept; None where it would have to go on.

        One that has ended is told its end all the same: what it speaks of is committed.
        """
        told = session.reply if session.final else told_alone(self._book, session)
        if told is None:
            return None
        ERRORS.labels("USSD-STORE").inc()
        log.warning("ussd_not_kept", screen=session.screen, exc_info=True)
        return Screen(told, True, session.screen)

    async def _load(
        self, key: str, profile: ChannelProfile, turn: Turn, heard: KeyTurn | None
    ) -> tuple[Session | None, Left | None]:
        """The session and, where the turn may be a dial, what this phone's last one left; in one round trip."""
        dials = may_dial(heard if heard is not None else turn.transcript or "")
        if turn.msisdn is None or not dials or not self._book.limits.resume_minutes:
            stored, kept = await self._sessions.load(key), None
        else:
            stored, kept = await self._sessions.load_all((key, _left_key(profile, turn.msisdn)))
        return load(stored) if stored else None, load_left(kept, profile.frame) if kept else None

    async def _save(
        self,
        key: str,
        profile: ChannelProfile,
        session: Session,
        before: Left | None,
        deadline: Deadline,
        used_again: bool,
    ) -> Screen:
        """Keep the conversation, and what it leaves in place of what was left ``before``; in one round trip.

        The screen to show: its own, or what can be told of it where it is not kept. ``used_again``: it begins under the
        id of one that is held still, whose end may have been told.
        """
        value, life_s = dump(session), self._book.limits.resume_minutes * 60
        left = dump_left(session.left, profile.frame) if session.left else None
        rows = [SessionRow(key, value, profile.session_ttl_s)]
        if life_s and (left is not None or before is not None or session.final):
            rows.append(SessionRow(_left_key(profile, session.msisdn), left, life_s))
        if used_again:
            rows.append(SessionRow(told_key(key), None, profile.session_ttl_s))
        one = len(rows) == 1
        saved = self._sessions.save(key, value, profile.session_ttl_s) if one else self._sessions.save_all(rows)
        try:
            await within(saved, deadline.left)
        except (TimeoutError, ConnectionError):
            told = self._unkept(session)
            if told is None:
                raise
            return told
        return Screen(session.reply or "", session.final, session.screen)

    async def _begin(
        self,
        profile: ChannelProfile,
        turn: Turn,
        msisdn: str,
        seen: Fresh | Lost,
        left: Left | None,
        deadline: Deadline,
    ) -> Step:
        """A conversation from its first screen, with the answers that came along, up to a confirmation of money.

        ``left`` comes with a dial without answers only (``may_dial``), which takes it up.
        """
        network = turn.network if turn.network in self._book.networks else OTHER_NETWORK
        session = Session(
            turn.session_id, profile.name, msisdn, self._book.default_language, profile.frame, network=network
        )
        inputs = seen.inputs[: self._book.limits.keys] if isinstance(seen, Fresh) else ()
        taken = await self._play(session, Started(anew=isinstance(seen, Lost), left=left), deadline)
        for text in inputs:
            if taken.final:
                break
            taken = await self._play(taken.session, Key(text, dialled=True), deadline)
        return taken

    async def _play(self, session: Session, event: Event, deadline: Deadline) -> Step:
        """Step until there is a reply; each ask is fetched inside the budget or becomes ``AskFailed``."""
        bills: dict[str, _Asked] = {}
        taken = step(self._book, session, event)
        for _ in range(self._book.limits.asks):
            if taken.effects:
                bills.update(await self._commit(taken, deadline))
            if not taken.asks:
                return taken
            answer = await self._fetch(taken.asks[0], bills, deadline)
            taken = step(self._book, taken.session, answer)
        raise RuntimeError(f"more than {self._book.limits.asks} facts for one reply of {session.screen!r}")

    async def _commit(self, taken: Step, deadline: Deadline) -> dict[str, _Asked]:
        now = self._clock.now()
        bills: dict[str, _Asked] = {}
        for effect in taken.effects:
            if isinstance(effect, RequestBill):
                bills[effect.key] = await self._bill(effect, now, deadline)
            else:
                await self._commit_one(effect, now, deadline, _KEPT_FROM_EFFECTS)
        self._committed()
        return bills

    async def _bill(self, wanted: RequestBill, now: datetime, deadline: Deadline) -> _Asked:
        """The bill, or the promise of one: that needs our own tables only, while the bill waits for the registry's.

        It may yet turn out that the bill was committed: it is the same one by its key.
        """
        try:
            return await self._commit_one(wanted, now, deadline, _KEPT_FROM_FACTS)
        except EffectNotCommittedError:
            await self._commit_one(number_by_sms(wanted), now, deadline, _KEPT_FROM_EFFECTS)
            return _PROMISED

    async def _commit_one(self, effect: UssdEffect, now: datetime, deadline: Deadline, kept: float) -> Bill | None:
        what = type(effect).__name__
        if not self._breakers.allow(what):
            raise EffectNotCommittedError
        try:
            async with asyncio.timeout(deadline.left(kept)):
                bill = await self._effects(effect, now)
        except Exception as failure:
            if not isinstance(failure, RefusedByRuleError):
                self._breakers.failed(what)
            log.warning("ussd_effect_failed", exc_info=True)
            raise EffectNotCommittedError from failure
        self._breakers.succeeded(what)
        return bill

    async def _fetch(self, ask: Ask, bills: Mapping[str, _Asked], deadline: Deadline) -> Event:
        left_s = deadline.left(_KEPT_FROM_FACTS)
        if ask.fact == NUMBER:
            return await self._number(ask, bills, min(self._budget.number_s, left_s))
        if not self._breakers.allow(ask.fact):
            ERRORS.labels("USSD-REST").inc()
            return AskFailed(ask.fact, "resting")
        try:
            async with asyncio.timeout(min(self._budget.fact_s, left_s)):
                value = await self._facts.answer(ask)
        except Exception as failure:
            self._breakers.failed(ask.fact)
            ERRORS.labels("USSD-FACT").inc()
            log.warning("ussd_fact_failed", fact=ask.fact, why=type(failure).__name__)
            return AskFailed(ask.fact, type(failure).__name__)
        self._breakers.succeeded(ask.fact)
        return Answered(ask.fact, value)

    async def _number(self, ask: Ask, bills: Mapping[str, _Asked], budget_s: float) -> Event:
        bill = bills.get(str(dict(ask.args).get("bill_key")))
        if bill is None:
            return Answered(ask.fact, {"state": "changed"})
        if isinstance(bill, str):
            return AskFailed(ask.fact, bill)
        if not bill.control_number:
            bill = await self._watch.wait(bill.id, budget_s)
        if bill is None:
            return AskFailed(ask.fact, "late")
        return Answered(ask.fact, number_fact(bill))


def _now_s() -> float:
    """The clock that the time-outs of a reply run by."""
    return asyncio.get_running_loop().time()


def _key(profile: ChannelProfile, msisdn: str | None, session_id: str) -> str:
    """The phone is part of it: a forged session id reaches no conversation of another phone."""
    return f"{profile.name}:{msisdn if profile.phone_every_turn else ''}:{session_id}"


def _left_key(profile: ChannelProfile, msisdn: str) -> str:
    """No session's key: those hold the session's id too."""
    return f"{profile.name}:{msisdn}"


def _heard(profile: ChannelProfile, turn: Turn, early: bool) -> KeyTurn | None:
    """The turn of a wire that sends the last key only; None for a transcript."""
    if turn.transcript is not None:
        return None
    text = turn.service_code if turn.key is None else turn.key
    return KeyTurn(text, turn.first, turn.turn_id, profile.codes, early)
