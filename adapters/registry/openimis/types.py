"""Column types that keep openIMIS' values exact on every database: money, moments, row ids, UUIDs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, Numeric, String, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

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
    """timestamptz, aware and in UTC on both sides. openIMIS writes UTC (``USE_TZ=False``, ``TIME_ZONE="UTC"``).

    Where the database has no zones the UTC wall clock is stored, always with microseconds, so that text sorts as time.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("times carry zones")
        in_utc = value.astimezone(UTC)
        return in_utc if dialect.name == "postgresql" else in_utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


SerialId = Integer
BigSerialId = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER PRIMARY KEY numbers itself on SQLite
RowUuid = String(36)  # the one place that decides the shape of UUID columns


def new_uuid() -> str:
    """A row's UUID in the shape of ``RowUuid``; no database of openIMIS' makes one by itself everywhere."""
    return str(uuid4())
