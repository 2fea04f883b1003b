"""The pool of ready control numbers: handed out to one caller each, whoever asks at the same moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, literal_column, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.bill import PayOption
from gateway.domain.money import Money
from gateway.domain.pool import PoolKind, PoolNumber, PoolState
from gateway.store.statements import locked, padded
from gateway.store.tables import pool_number as pool

# Literals: of parameters a kept plan does not know that the partial index serves them.
_ASKED: ColumnElement[str] = literal_column("'asked'")
_READY: ColumnElement[str] = literal_column("'ready'")
_OPEN = pool.c.state.in_([_ASKED, _READY])
# Made once: each number that is given to a bill is looked for.
_BY_NUMBER = select(pool).where(pool.c.control_number.in_(bindparam("numbers", expanding=True)))


def _number(row: Row[Any]) -> PoolNumber:
    return PoolNumber(
        bill_id=row.bill_id,
        product_id=row.product_id,
        product_code=row.product_code,
        provider_code=row.provider_code,
        amount=Money(row.amount_minor, row.currency),
        pay_option=PayOption(row.pay_option),
        state=PoolState(row.state),
        control_number=row.control_number,
        created_at=row.created_at,
        expires_at=row.expires_at,
        payment_record_id=row.payment_record_id,
    )


def _alike(kind: PoolKind) -> ColumnElement[bool]:
    """What may be handed out for this kind. The product is named beside it, where the index wants it."""
    return and_(
        pool.c.amount_minor == kind.amount.amount_minor,
        pool.c.currency == kind.amount.currency,
        pool.c.pay_option == int(kind.pay_option),
        pool.c.provider_code.is_not_distinct_from(kind.provider_code),
    )


class SqlPool:
    """See ``gateway.ports.Pool``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def add(self, numbers: Sequence[PoolNumber], now: datetime) -> None:
        rows = [
            {
                "bill_id": new.bill_id,
                "product_id": new.product_id,
                "product_code": new.product_code,
                "provider_code": new.provider_code,
                "amount_minor": new.amount.amount_minor,
                "currency": new.amount.currency,
                "pay_option": int(new.pay_option),
                "state": new.state,
                "control_number": new.control_number,
                "created_at": new.created_at,
                "expires_at": new.expires_at,
                "asked_at": now,
                "asked_times": 0,
                "changed_at": now,
                "payment_record_id": new.payment_record_id,
            }
            for new in numbers
        ]
        await self._db.execute(pool.insert(), rows)

    async def by_id(self, bill_id: str, lock: bool = False) -> PoolNumber | None:
        return await self._one(pool.c.bill_id == bill_id, lock)

    async def by_control_number(self, number: str, lock: bool = False) -> PoolNumber | None:
        if lock:
            return await self._one(pool.c.control_number == number, lock)
        return (await self.by_control_numbers([number])).get(number)

    async def by_control_numbers(self, numbers: Sequence[str]) -> Mapping[str, PoolNumber]:
        found = await self._db.execute(_BY_NUMBER, {"numbers": padded(numbers)})
        return {row.control_number: _number(row) for row in found}

    async def _one(self, which: ColumnElement[bool], lock: bool) -> PoolNumber | None:
        statement = select(pool).where(which)
        row = (await self._db.execute(locked(statement, pool) if lock else statement)).first()
        return _number(row) if row else None

    async def several(self, bill_ids: Sequence[str]) -> Sequence[PoolNumber]:
        statement = select(pool).where(pool.c.bill_id.in_(bill_ids)).order_by(pool.c.bill_id)
        return [_number(row) for row in await self._db.execute(statement)]

    async def take(self, kind: PoolKind, usable_until: datetime, now: datetime) -> PoolNumber | None:
        statement = (
            select(pool)
            .where(
                pool.c.product_id == kind.product_id,
                pool.c.state == _READY,
                pool.c.expires_at >= usable_until,
                _alike(kind),
            )
            .order_by(pool.c.expires_at)
            .limit(1)
        )
        row = (await self._db.execute(locked(statement, pool, skip_locked=True))).first()
        if row is None:
            return None
        await self.change(row.bill_id, PoolState.BOUND, now)
        return _number(row)

    async def change(self, bill_id: str, state: PoolState, now: datetime, control_number: str | None = None) -> None:
        values: dict[str, object] = {"state": state, "changed_at": now}
        if control_number is not None:
            values["control_number"] = control_number
        await self._db.execute(update(pool).where(pool.c.bill_id == bill_id).values(values))

    async def supply(self, kind: PoolKind, usable_until: datetime, refused_since: datetime) -> tuple[int, int]:
        counted = (
            select(pool.c.state, func.count())
            .where(
                pool.c.product_id == kind.product_id,
                _alike(kind),
                or_(
                    and_(pool.c.state == _READY, pool.c.expires_at >= usable_until),
                    pool.c.state == _ASKED,
                    and_(pool.c.state == PoolState.REFUSED, pool.c.changed_at >= refused_since),
                ),
            )
            .group_by(pool.c.state)
        )
        counts = {str(state): int(count) for state, count in await self._db.execute(counted)}
        ready = counts.pop(PoolState.READY, 0)
        return ready, sum(counts.values())

    async def silent(
        self, asked_before: datetime, limit: int, asked_less_than: int
    ) -> Sequence[tuple[PoolNumber, int]]:
        statement = (
            select(pool)
            .where(
                pool.c.state == _ASKED,
                pool.c.asked_at < asked_before,
                pool.c.asked_times.between(1, asked_less_than - 1),
            )
            .order_by(pool.c.asked_at)
            .limit(limit)
        )
        rows = await self._db.execute(locked(statement, pool, skip_locked=True))
        return [(_number(row), row.asked_times) for row in rows]

    async def asked(self, bill_ids: Sequence[str], now: datetime) -> None:
        await self._db.execute(
            update(pool).where(pool.c.bill_id.in_(bill_ids)).values(asked_at=now, asked_times=pool.c.asked_times + 1)
        )

    async def accepted(self, bill_ids: Sequence[str], now: datetime) -> None:
        await self._db.execute(
            update(pool)
            .where(pool.c.bill_id.in_(bill_ids), pool.c.asked_times == 0)
            .values(asked_at=now, asked_times=1)
        )

    async def stale(
        self,
        product_id: int,
        kind: PoolKind | None,
        usable_until: datetime,
        given_up_before: datetime,
        limit: int,
    ) -> Sequence[PoolNumber]:
        useless = [
            pool.c.expires_at < usable_until,
            and_(pool.c.state == _ASKED, pool.c.created_at < given_up_before),
        ]
        if kind is not None:
            useless.append(not_(_alike(kind)))
        statement = (
            select(pool)
            .where(pool.c.product_id == product_id, _OPEN, or_(*useless))
            .order_by(pool.c.expires_at)
            .limit(limit)
        )
        return [_number(row) for row in await self._db.execute(locked(statement, pool, skip_locked=True))]

    async def counts(self, waiting_only: bool = False) -> Mapping[tuple[str, str], int]:
        statement = select(pool.c.product_code, pool.c.state, func.count())
        if waiting_only:
            statement = statement.where(_OPEN)
        rows = await self._db.execute(statement.group_by(pool.c.product_code, pool.c.state))
        return {(code, state): count for code, state, count in rows}
