"""Keeps the pool of ready control numbers between its marks, asks again for what does not come, retires what is old."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.domain.clock import Clock, eat_day
from gateway.domain.effects import AskForNumbers, CancelNumber
from gateway.domain.policy import NEW, Product
from gateway.domain.pool import PoolKind, PoolMarks, PoolNumber, PoolState, ordinary_kind, wanted
from gateway.ports import BillIssuer, PaymentRecord, Transaction, UnitOfWork
from gateway.service.metrics import ERRORS, POOL
from gateway.service.new_bill import end_of_life, new_bill_id

_TURN = "pool"  # the watermark whose row one worker holds while it fills
_AT_ONCE = 500  # rows that one round asks for again or retires, of a product
_REFUSED_FOR = timedelta(hours=1)  # a refused number counts as coming so long: the next would be refused as well
_GIVEN_UP_AFTER = timedelta(days=1)
_MARKS = PoolMarks(50, 200)
_LOW_FOR = timedelta(minutes=10)  # before it is an error: filling takes a moment


@dataclass(frozen=True, slots=True)
class PoolPolicy:
    """``life``: what the provider is told of a number. ``usable``: what must be left of it to be handed out.

    ``batch``: numbers asked for in one round of a product. ``patience`` and ``asks`` as for bills.
    """

    enabled: bool = False
    marks: PoolMarks = _MARKS
    by_product: Mapping[str, PoolMarks] = field(default_factory=dict)
    life: timedelta = timedelta(days=365)
    usable: timedelta = timedelta(days=30)
    batch: int = 100
    every: timedelta = timedelta(seconds=10)
    patience: timedelta = timedelta(minutes=3)
    asks: int = 5

    def marks_of(self, product: Product, now: datetime) -> PoolMarks:
        """Nothing is asked for while the pool is off or the product is not sold."""
        if not self.enabled or not product.sold_on(eat_day(now)):
            return PoolMarks(0, 0)
        return self.by_product.get(product.code, self.marks)


class FillPool:
    """Run every few seconds, in every worker: one of them at a time has its turn, the others find it taken."""

    def __init__(self, uow: UnitOfWork, payments: BillIssuer, clock: Clock, policy: PoolPolicy) -> None:
        self._uow = uow
        self._payments = payments
        self._clock = clock
        self._policy = policy
        self._low_since: dict[str, datetime] = {}
        self._shown: set[tuple[str, str]] = set()

    async def __call__(self) -> int:
        """How many numbers were asked for, first or again, or retired."""
        now = self._clock.now()
        async with self._uow.reading() as tx:
            counts = await tx.pool.counts(waiting_only=True)
            last = await tx.callers.watermark(_TURN)
        self._show(counts)
        is_idle = not self._policy.enabled and not counts
        if is_idle or (last is not None and now - last < self._policy.every / 2):
            return 0
        async with self._uow.writing() as tx:
            await tx.callers.set_watermark(_TURN, now)  # its row is locked: others wait, and then count what we added
            done = await self._ask_again(tx, now)
            for product in await tx.registry.products():
                done += await self._retire(tx, product, now)
                done += await self._fill(tx, product, now)
        return done

    def _show(self, counts: Mapping[tuple[str, str], int]) -> None:
        for gone in self._shown - set(counts):
            POOL.labels(*gone).set(0)
        for key, count in counts.items():
            POOL.labels(*key).set(count)
        self._shown |= set(counts)

    async def _fill(self, tx: Transaction, product: Product, now: datetime) -> int:
        marks, kind = self._policy.marks_of(product, now), ordinary_kind(product)
        if kind is None or marks.high == 0:
            return 0
        ready, coming = await tx.pool.supply(kind, end_of_life(now, self._policy.usable), now - _REFUSED_FOR)
        self._watch(product, ready < marks.low, now)
        count = min(wanted(marks, ready, coming), self._policy.batch)
        if count == 0:
            return 0
        numbers = [await self._new(tx, product, kind, now) for _ in range(count)]
        await tx.pool.add(numbers, now)
        at_once = self._payments.bills_at_once(kind.provider_code)
        await tx.outbox.put([AskForNumbers(ids) for ids in _parts(numbers, at_once)], now)
        await tx.audit.add("gateway", "pool.asked", f"product:{product.code}", now, count=count)
        return count

    async def _new(self, tx: Transaction, product: Product, kind: PoolKind, now: datetime) -> PoolNumber:
        record = PaymentRecord(
            expected=kind.amount,
            msisdn=None,
            language="",
            product_code=product.code,
            chfid=None,
            stage=NEW,
            requested_at=now,
        )
        return PoolNumber(
            bill_id=new_bill_id(),
            product_id=product.id,
            product_code=product.code,
            provider_code=kind.provider_code,
            amount=kind.amount,
            pay_option=kind.pay_option,
            state=PoolState.ASKED,
            control_number=None,
            created_at=now,
            expires_at=now + self._policy.life,
            payment_record_id=await tx.registry.open_payment(record, now),
        )

    def _watch(self, product: Product, is_low: bool, now: datetime) -> None:
        if not is_low:
            self._low_since.pop(product.code, None)
        elif now - self._low_since.setdefault(product.code, now) >= _LOW_FOR:
            ERRORS.labels("PAY-POOL-LOW").inc()

    async def _ask_again(self, tx: Transaction, now: datetime) -> int:
        silent = await tx.pool.silent(now - self._policy.patience, _AT_ONCE, self._policy.asks)
        alike: dict[tuple[str | None, int], list[PoolNumber]] = {}
        for number, times in silent:
            alike.setdefault((number.provider_code, times), []).append(number)
        for (code, times), numbers in alike.items():
            at_once = self._payments.bills_at_once(code)
            await tx.outbox.put([AskForNumbers(ids, times + 1) for ids in _parts(numbers, at_once)], now)
        if silent:
            await tx.pool.asked([number.bill_id for number, _ in silent], now)
        return len(silent)

    async def _retire(self, tx: Transaction, product: Product, now: datetime) -> int:
        """What nobody can be given any more, be it of an old price, is ended here and at the provider."""
        usable_until, given_up = end_of_life(now, self._policy.usable), now - _GIVEN_UP_AFTER
        stale = await tx.pool.stale(product.id, ordinary_kind(product), usable_until, given_up, _AT_ONCE)
        for number in stale:
            await tx.pool.change(number.bill_id, PoolState.RETIRED, now)
            if number.payment_record_id is not None:
                await tx.registry.payment_cancelled(number.payment_record_id, now)
        await tx.outbox.put([CancelNumber(number.bill_id) for number in stale], now)
        if stale:
            await tx.audit.add("gateway", "pool.retired", f"product:{product.code}", now, count=len(stale))
        return len(stale)


def _parts(numbers: Sequence[PoolNumber], at_once: int) -> Iterator[tuple[str, ...]]:
    """The ids, as many in a request as the provider takes."""
    for start in range(0, len(numbers), at_once):
        yield tuple(number.bill_id for number in numbers[start : start + at_once])
