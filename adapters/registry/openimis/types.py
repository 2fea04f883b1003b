"""Column types that keep openIMIS' values exact on every database: money, moments, days, flags, row ids, UUIDs.

Each names what a value means. How one installation stores it is decided from what its database reports (mapping.py):
there a ``UtcMoment`` may stand in a column of days, and a flag in ``bit(1)``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlalchemy import BigInteger, Date, DateTime, Dialect, Integer, Numeric, String, Text, TypeDecorator, Uuid
from sqlalchemy.dialects.postgresql import BIT
from sqlalchemy.types import TypeEngine

from gateway.domain.clock import eat_day
from gateway.domain.money import Money


class ExactNumeric(TypeDecorator[Decimal]):
    """numeric(18,2). SQLite would keep it as REAL, so there it is text with two decimals: sums are made in Python.

    Raises ValueError for a value with a third decimal, on every database: money is never rounded on its way in.
    """

    impl = Numeric(18, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Decimal] | TypeEngine[str]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(Numeric(18, 2))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | str | None:
        if value is None:
            return None
        exact = Money.from_decimal(value).to_decimal()
        return str(exact) if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Decimal | str | None, dialect: Dialect) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        if isinstance(value, float):
            raise TypeError("an amount was stored as REAL; it is no longer exact")
        return Decimal(value)


class UtcMoment(TypeDecorator[datetime]):
    """A moment, aware and in UTC on both sides. openIMIS writes UTC (``USE_TZ=False``, ``TIME_ZONE="UTC"``).

    Where the column has no zone the UTC wall clock is stored, always with microseconds, so that text sorts as time.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def __init__(self, zoned: bool = True) -> None:
        super().__init__()
        self.zoned = zoned

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        return dialect.type_descriptor(DateTime(timezone=self.zoned and dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times carry zones")
        in_utc = value.astimezone(UTC)
        return in_utc if self.zoned and dialect.name == "postgresql" else in_utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class DayOfMoment(TypeDecorator[datetime]):
    """A moment in a column of days, as the models-only database has some: its East African day, read as midnight."""

    impl = Date
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> date | None:
        return None if value is None else eat_day(value)

    def process_result_value(self, value: date | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.combine(value, time(), UTC)


class BitFlag(TypeDecorator[bool]):
    """A flag in a PostgreSQL ``bit(1)`` column: the driver takes its own bit string there and no boolean."""

    impl = BIT(1)
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        from asyncpg import BitString

        return BitString("1" if value else "0")

    def process_result_value(self, value: Any, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value.to_int())


SerialId = Integer
BigSerialId = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER PRIMARY KEY numbers itself on SQLite


class RowUuid(TypeDecorator[str]):
    """A row's UUID as text; ``native`` where the column is of the database's own UUID type."""

    impl = String(36)
    cache_ok = True

    def __init__(self, native: bool = False) -> None:
        super().__init__()
        self.native = native

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Uuid(as_uuid=False) if self.native else String(36))


def new_uuid() -> str:
    """A row's UUID; no database of openIMIS' makes one by itself everywhere."""
    return str(uuid4())
