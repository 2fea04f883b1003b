"""Column types that mean the same on every database we run on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String, Text, Unicode, UnicodeText
from sqlalchemy.dialects.mssql import DATETIME2
from sqlalchemy.types import TypeDecorator, TypeEngine

# How SQL Server compares others' identifiers: to the letter. A usual default holds "ab1" and "AB1" for one payment.
TO_THE_LETTER = "Latin1_General_100_BIN2"


class UtcDateTime(TypeDecorator[datetime]):
    """A moment with its zone. SQLite and SQL Server keep it in UTC by agreement, and it comes back with its zone.

    SQL Server could keep zones (DATETIMEOFFSET), but its ODBC driver for Python sends and fetches those by detours that
    have lost offsets; a plain DATETIME2 in UTC has none to lose, and its six digits are Python's microseconds.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "mssql":
            return dialect.type_descriptor(DATETIME2(6))  # type: ignore[no-untyped-call]  # no annotation there
        return super().load_dialect_impl(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        assert value.tzinfo is not None, "times carry zones"
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def foreign(length: int) -> String:
    """A short text that others make up: a name, a number, a reference. Any letter, and compared to the letter.

    SQL Server's VARCHAR keeps one code page and turns every other letter into a question mark; what we make up
    ourselves is ASCII, and a plain String.
    """
    return String(length).with_variant(Unicode(length, collation=TO_THE_LETTER), "mssql")


# Sentences, which may quote what others said.
Prose = Text().with_variant(UnicodeText(), "mssql")

# An identity on PostgreSQL and SQL Server; SQLite makes identities of INTEGER keys only.
Identity64 = BigInteger().with_variant(Integer(), "sqlite")
