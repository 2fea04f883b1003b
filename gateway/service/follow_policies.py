"""Following what others write into the registry: events noticed once, paid policies put right, bills overtaken ended.

openIMIS' writers take no lock that would stop ours. So nothing here trusts the moment of writing: what they left is
read again until it can no longer change, and each repair holds the family, looks once more and is audited.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

import structlog

from gateway.domain.bill import Bill, BillFact
from gateway.domain.clock import Clock, eat_day
from gateway.domain.cover import Cover, cover_on
from gateway.domain.effects import CancelBill, SendSms
from gateway.domain.periods import Period
from gateway.domain.policy import Policy, PolicyStatus
from gateway.domain.upkeep import (
    PolicyEvent,
    PolicyEventKind,
    activated,
    events_of,
    is_overtaken,
    is_paid_but_idle,
    moved_behind,
    overlapping,
    repair_for,
)
from gateway.domain.ussd.by_sms import told
from gateway.domain.ussd.effects import BEGUN
from gateway.ports import Place, Requester, Traced, Transaction, UnitOfWork
from gateway.service.enquiry import cover_fact
from gateway.service.family_phones import askers_of, family_phones
from gateway.service.messages import Messages
from gateway.service.metrics import REPAIRS

log = structlog.get_logger()

_PAGE = 500
_LOOKED_AHEAD = "expiring"
_REMEMBERED = 50_000
_YOUNG = timedelta(hours=1)  # an overlap older than this is somebody's decision, not a race


@dataclass(frozen=True, slots=True)
class FollowPace:
    """``overlap``: how long a transaction may stay open and still be noticed. ``grace``: a writer may be half done.

    ``ahead_days``: how long before its last day a cover counts as expiring (openIMIS' renewal interval).
    """

    overlap: timedelta = timedelta(minutes=5)
    grace: timedelta = timedelta(seconds=10)
    ahead_days: int = 14


class FollowPolicies:
    """Each call looks once at everything new. Several may run at once: what they do is done once all the same."""

    def __init__(self, uow: UnitOfWork, clock: Clock, messages: Messages, pace: FollowPace | None = None) -> None:
        self._uow = uow
        self._clock = clock
        self._messages = messages
        self._pace = pace or FollowPace()

    async def __call__(self) -> int:
        """How many events, repairs and cancellations there were.

        Raises ExceptionGroup after everything was looked at: what could not be put right keeps nobody waiting, and its
        trace is read again until it is.
        """
        failed: list[Exception] = []
        done = 0
        for of in Traced:
            done += await self._follow(of, failed)
        done += await self._look_ahead()
        if failed:
            raise ExceptionGroup("some policies could not be put right", failed)
        return done

    async def _follow(self, of: Traced, failed: list[Exception]) -> int:
        async with self._uow.reading() as tx:
            known = await tx.follow.place(of)
            newest = await tx.registry.newest(of)
        now, done, failed_before = self._clock.now(), 0, len(failed)
        if known is None:  # what happened before our first day is history, not an event
            async with self._uow.writing() as tx:
                await tx.follow.set_place(of, Place(newest, newest, now))
            return 0
        at, looked_at = known.followed, set[int]()
        while True:
            async with self._uow.reading() as tx:
                traces = await tx.registry.traces(of, at, _PAGE)
            if len(looked_at) > _REMEMBERED:
                looked_at.clear()  # looking twice is only slower
            fresh = {trace.policy_id for trace in traces} - looked_at
            looked_at |= fresh
            born = {t.policy_id for t in traces if of == Traced.POLICIES and t.place == t.policy_id}
            done += await self._look_at(fresh, born, of == Traced.PREMIUMS, failed)
            if len(traces) < _PAGE:
                break
            at = traces[-1].place
        if len(failed) == failed_before:
            await self._move_on(of, known, newest, now)
        return done

    async def _move_on(self, of: Traced, known: Place, newest: int, now: datetime) -> None:
        """What was newest an overlap ago has been committed or rolled back by now: it need not be read again."""
        if now - known.seen_at < self._pace.overlap:
            return
        async with self._uow.writing() as tx:
            await tx.follow.set_place(of, Place(known.seen, max(newest, known.seen), now))

    async def _look_at(
        self, policy_ids: Collection[int], born: Collection[int], is_paid: bool, failed: list[Exception]
    ) -> int:
        """``born``: whose own row is the trace. ``is_paid``: the traces are premiums."""
        now = self._clock.now()
        async with self._uow.reading() as tx:
            changed = await tx.registry.policies_by_id(sorted(policy_ids))
            if not changed:
                return 0
            families = sorted({p.family_id for p in changed})
            held = _by_family(await tx.registry.policies_of(families))
            noticed = await tx.follow.noticed([p.id for p in changed])
            doubled = [p for family in held.values() for p in family if overlapping(p, family)]
            ours = await tx.follow.born_here([p.id for p in doubled], now - _YOUNG)
            bills = await tx.bills.payable(families, now)
        events: list[PolicyEvent] = []
        for policy in changed:
            has_news = is_paid or (policy.id, PolicyEventKind.ENROLLED) in noticed
            events += events_of(policy, is_new=policy.id in born, has_news=has_news)
        done = await self._notice([e for e in events if (e.policy_id, e.kind) not in noticed], changed, now)
        repairs = [partial(self._activate, p) for p in changed if is_paid_but_idle(p)]
        repairs += [partial(self._move_behind, p) for p in doubled if p.id in ours]
        today = eat_day(now)
        overtaken = [b for b in bills if is_overtaken(b, held.get(b.family_id, ()), today)]
        for repair in [*repairs, *(partial(self._end_bill, b) for b in overtaken)]:
            try:
                done += await repair()
            except Exception as failure:
                failed.append(failure)
        return done

    async def _notice(self, events: Sequence[PolicyEvent], policies: Sequence[Policy], now: datetime) -> int:
        if not events:
            return 0
        activated_now = {e.policy_id for e in events if e.kind == PolicyEventKind.ACTIVATED}
        async with self._uow.writing() as tx:
            for policy in policies:
                if policy.id in activated_now:
                    await self._mark_matched(tx, policy, now)
            return await tx.follow.notice(events, now)

    async def _activate(self, seen: Policy) -> int:
        now = self._clock.now()
        async with self._uow.writing() as tx:
            await tx.registry.lock_family(seen.family_id)
            policies = await tx.registry.policies_by_id([seen.id])
            last = await tx.registry.last_premium(seen.id)
            if not policies or last is None or not is_paid_but_idle(policies[0]):
                return 0
            # either way: a moment well ahead of ours is another clock's or a bare day's, and says nothing
            if abs(now - last.entered_at) < self._pace.grace:
                return 0
            policy = policies[0]
            activation = repair_for(policy, last.paid_on, await tx.registry.activation_option())
            if activation is None:
                return 0
            await tx.registry.keep_history(policy.id, now)
            await tx.registry.activate(policy.id, activation)
            await self._mark_matched(tx, policy, now)
            if activation.status == PolicyStatus.ACTIVE:
                await tx.follow.notice([activated(policy.id, policy.family_id, activation.effective_date)], now)
            await tx.audit.add(
                "gateway",
                "policy.repaired",
                f"policy:{policy.id}",
                now,
                paid_minor=policy.paid.amount_minor,
                value_minor=policy.value.amount_minor,
                status=int(activation.status),
                effective=activation.effective_date.isoformat(),
            )
        REPAIRS.labels("activated").inc()
        log.warning("policy_repaired", policy=policy.id)
        return 1

    async def _move_behind(self, seen: Policy) -> int:
        """Two covers were paid for the same days, ours and an officer's: ours follows the other."""
        now = self._clock.now()
        async with self._uow.writing() as tx:
            await tx.registry.lock_family(seen.family_id)
            policies = await tx.registry.policies(seen.family_id)
            ours = next((p for p in policies if p.id == seen.id), None)
            other = overlapping(ours, policies) if ours else None
            product = next((p for p in await tx.registry.products() if p.id == seen.product_id), None)
            if other is None or product is None:
                return 0
            period = moved_behind(other, product)
            await tx.registry.keep_history(seen.id, now)
            await tx.registry.move_policy(seen.id, period)
            await tx.audit.add(
                "gateway",
                "policy.moved",
                f"policy:{seen.id}",
                now,
                behind=other.id,
                start=period.start.isoformat(),
                expiry=period.expiry.isoformat(),
            )
            await self._tell_new_days(tx, seen, period, now)
        REPAIRS.labels("moved").inc()
        log.warning("policy_moved", policy=seen.id)
        return 1

    async def _tell_new_days(self, tx: Transaction, moved: Policy, period: Period, now: datetime) -> None:
        """The confirmation named other days."""
        family = await tx.registry.family(moved.family_id)
        if family is None:
            return
        phone = next(iter(await family_phones(tx, family)), None)
        if phone is not None:
            reader = Requester(phone, (await tx.callers.languages([phone])).get(phone, ""))
            told = self._messages.cover_moved(reader, family.id, family.head.chfid, moved.id, period)
            await tx.outbox.put([told], now)

    async def _mark_matched(self, tx: Transaction, policy: Policy, now: datetime) -> None:
        """The instalments that we recorded are matched now, whoever paid the rest."""
        for record_id in await tx.bills.part_paid_records(policy.family_id, policy.product_id):
            await tx.registry.payment_matched(record_id, now)

    async def _end_bill(self, seen: Bill) -> int:
        """An officer took cash while our bill was live: nobody should pay it as well."""
        now = self._clock.now()
        async with self._uow.writing() as tx:
            await tx.registry.lock_family(seen.family_id)
            bill = await tx.bills.by_id(seen.id, lock=True)
            policies = await tx.registry.policies(seen.family_id)
            if bill is None or bill.paid or not bill.payable_at(now):
                return 0
            if not is_overtaken(bill, policies, eat_day(now)):
                return 0
            cancelled = await tx.bills.record(bill, BillFact.CANCELLED, now, why="covered")
            if bill.payment_record_id is not None:
                await tx.registry.payment_cancelled(bill.payment_record_id, now)
            await tx.outbox.put([CancelBill(bill.id)], now)
            readers = await askers_of(tx, bill, now)
            if bill.control_number is not None:
                await tx.outbox.put(self._messages.number_cancelled(cancelled, readers), now)
            else:
                await tx.outbox.put(self._instead_of_number(bill, cover_on(policies, eat_day(now)), readers, now), now)
            await tx.audit.add("gateway", "bill.cancelled", f"bill:{bill.id}", now, why="covered")
        return 1

    def _instead_of_number(
        self, bill: Bill, cover: Cover, readers: Sequence[Requester], now: datetime
    ) -> list[SendSms]:
        """Whoever was promised the number by SMS is told the cover that has come: it does not come any more."""
        kind_and_scope = told("enquiry", cover_fact(cover), bill.chfid) if cover.state in BEGUN else None
        if kind_and_scope is None:
            return []
        kind, scope = kind_and_scope
        about = f"bill:{bill.id}"
        return [self._messages.answer(reader, kind, about, now, bill.family_id, **scope) for reader in readers]

    async def _look_ahead(self) -> int:
        """Once a day: which covers end soon."""
        now = self._clock.now()
        today = eat_day(now)
        async with self._uow.reading() as tx:
            looked = await tx.callers.watermark(_LOOKED_AHEAD)
        if looked is not None and eat_day(looked) >= today:
            return 0
        last, done = 0, 0
        until = today + timedelta(days=self._pace.ahead_days)
        while True:
            async with self._uow.reading() as tx:
                ids = await tx.registry.expiring(today, until, last, _PAGE)
                noticed = await tx.follow.noticed(ids)
                news = [policy_id for policy_id in ids if (policy_id, PolicyEventKind.EXPIRING) not in noticed]
                policies = await tx.registry.policies_by_id(news)
            done += await self._notice([_expiring(p, p.expiry_date) for p in policies if p.expiry_date], (), now)
            if len(ids) < _PAGE:
                break
            last = ids[-1]
        async with self._uow.writing() as tx:
            await tx.callers.set_watermark(_LOOKED_AHEAD, now)
        return done


def _by_family(policies: Sequence[Policy]) -> dict[int, list[Policy]]:
    families: dict[int, list[Policy]] = {}
    for policy in policies:
        families.setdefault(policy.family_id, []).append(policy)
    return families


def _expiring(policy: Policy, last_day: date) -> PolicyEvent:
    return PolicyEvent(policy.id, PolicyEventKind.EXPIRING, policy.family_id, last_day)
