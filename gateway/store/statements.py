"""Statements whose spelling differs between databases, in one place.

PostgreSQL and SQLite know ``ON CONFLICT``; MS SQL Server does not, and its MERGE is no race-safe stand-in. There a key
is looked for under a range lock (``UPDLOCK, HOLDLOCK``, or SERIALIZABLE, its other name): it holds the place of a row
that is not there yet, so a twin waits until the first has committed, as it would at a unique index on PostgreSQL.

What is said for SQL Server is generic SQL but for table hints, which other databases are never shown: the same
constructs run on SQLite in the tests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Delete,
    Insert,
    Select,
    Table,
    Update,
    and_,
    delete,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import Exists

_Changing = TypeVar("_Changing", Update, Delete)
_Value = TypeVar("_Value")

_MOST_PADDED = 256  # values of an IN; SQL Server takes 2,100 in all

# SQLAlchemy's FOR UPDATE says nothing on SQL Server: a lock there is a hint of the table.
_HELD = "WITH (UPDLOCK, ROWLOCK)"
# READCOMMITTEDLOCK: with READ_COMMITTED_SNAPSHOT on, SQL Server asks for it beside READPAST.
_PASSING = "WITH (UPDLOCK, READPAST, ROWLOCK, READCOMMITTEDLOCK)"
_RANGE = "WITH (UPDLOCK, HOLDLOCK)"
_ALONE = "WITH (TABLOCKX, HOLDLOCK)"


def _is_mssql(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "mssql"


def _insert(connection: AsyncConnection, table: Table) -> Any:
    """An INSERT that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update`` on this database."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def _same(table: Table, key: Sequence[str], row: Mapping[str, Any]) -> ColumnElement[bool]:
    return and_(*(table.c[name] == row[name] for name in key))


async def insert_if_absent(
    connection: AsyncConnection, table: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> int:
    """Insert those of these rows whose ``key`` is not known yet; how many were new. All have the same columns.

    ``key`` names the columns of the unique key that may be met again. PostgreSQL and SQLite yield to any other unique
    key of the table too; on SQL Server a clash there, say of a made-up id, is an IntegrityError.
    """
    return len(await insert_absent(connection, table, key, rows))


async def insert_absent(
    connection: AsyncConnection, table: Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> set[tuple[Any, ...]]:
    """The same, in the order of ``rows``; the keys that were new. Of twins among the rows one is inserted."""
    if _is_mssql(connection):
        new = set()
        for row in rows:
            if (await connection.execute(_absent_there(table, key, row))).rowcount:
                new.add(tuple(row[name] for name in key))
        return new
    statement = _absent(connection.dialect.name, table, tuple(key))
    return {tuple(row) for row in await connection.execute(statement, list(rows))}


def taken(new: set[tuple[Any, ...]], keys: Collection[tuple[Any, ...]]) -> int:
    """How many of these keys are among the ``new`` ones, which they then leave: a twin that comes later is not new."""
    own = new.intersection(keys)
    new -= own
    return len(own)


@cache
def _absent(dialect: str, table: Table, key: tuple[str, ...]) -> Any:
    """Made once a table: building a statement costs as much as sending it.

    SQLAlchemy sends many rows with it as one statement, and as several where they have too many values for one.
    """
    statement = (postgresql if dialect == "postgresql" else sqlite).insert(table).on_conflict_do_nothing()
    return statement.returning(*(table.c[name] for name in key))


def _absent_there(table: Table, key: Sequence[str], row: Mapping[str, Any]) -> Insert:
    known: Select[Any] = (
        select(literal_column("1")).select_from(table).where(_same(table, key, row)).with_hint(table, _RANGE, "mssql")
    )
    values = select(*(literal(value, table.c[name].type).label(name) for name, value in row.items()))
    return insert(table).from_select(list(row), values.where(~known.exists()))


async def upsert(
    connection: AsyncConnection,
    table: Table,
    key: Sequence[str],
    row: Mapping[str, Any],
    changed: Mapping[str, Any],
    returning: Column[Any] | None = None,
) -> Any:
    """Insert ``row``, or set what is ``changed`` in the row of the same ``key``; the value of ``returning`` then."""
    if not _is_mssql(connection):
        statement = _insert(connection, table).values(row)
        statement = statement.on_conflict_do_update(index_elements=list(key), set_=changed)
        if returning is None:
            await connection.execute(statement)
            return None
        return (await connection.execute(statement.returning(returning))).scalar_one()
    known = _same(table, key, row)
    # the update locks the key's place even where it finds nothing, so nobody inserts in between
    found = await connection.execute(_hinted(update(table), _RANGE).where(known).values(changed))
    if found.rowcount == 0:
        await connection.execute(insert(table).values(row))
    return None if returning is None else await connection.scalar(select(returning).where(known))


async def add_up(
    connection: AsyncConnection, table: Table, key: Sequence[str], counted: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert ``rows``, or add what they hold in the column ``counted`` to the row of the same ``key``.

    In the order of their keys, whoever adds: two that add the same rows at once wait for each other, and not both.
    """
    column, ordered = table.c[counted], sorted(rows, key=lambda row: tuple(row[name] for name in key))
    if _is_mssql(connection):
        for row in ordered:
            await upsert(connection, table, key, row, {counted: column + row[counted]})
        return
    if not ordered:
        return
    statement = _insert(connection, table)
    more = {counted: column + statement.excluded[counted]}
    await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=more), ordered)


async def replace(connection: AsyncConnection, table: Table, key: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert complete rows, in the place of those with the same ``key``; not more than 2,000, which SQL Server bears.

    There a delete and an insert: two statements for a page, where an update for each row would be thousands.
    """
    if not _is_mssql(connection):
        statement = _insert(connection, table)
        excluded = {column.name: statement.excluded[column.name] for column in table.c if column.name != key}
        await connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=excluded), rows)
        return
    known = table.c[key].in_([row[key] for row in rows])
    await connection.execute(_hinted(delete(table), _RANGE).where(known))
    await connection.execute(insert(table), rows)


def _hinted(statement: _Changing, hint: str) -> _Changing:
    return statement.with_hint(hint, dialect_name="mssql")


def locked(statement: Select[Any], table: Table, skip_locked: bool = False) -> Select[Any]:
    """The query with its rows of ``table`` locked for us, those locked by others waited for or passed over."""
    hint = _PASSING if skip_locked else _HELD
    return statement.with_for_update(skip_locked=skip_locked).with_hint(table, hint, "mssql")


def passing_over(statement: Update) -> Update:
    """An update of rows that this very statement has ``locked``: it must not wait at others', whatever its plan."""
    return _hinted(statement, _PASSING)


def alone(statement: Select[Any], table: Table) -> Select[Any]:
    """On SQL Server the query holds the whole table to the end of the transaction; on others it is a query."""
    return statement.with_hint(table, _ALONE, "mssql")


def padded(values: Sequence[_Value]) -> list[_Value]:
    """For an IN of many values: their number is filled up to a power of two with the last one said again.

    A statement has a text for each number of values; so few texts are prepared, planned and kept instead of hundreds.
    """
    size = 1 << max(len(values) - 1, 0).bit_length()
    if not values or size > _MOST_PADDED:
        return list(values)
    return [*values, *[values[-1]] * (size - len(values))]


def said_limit(connection: AsyncConnection, limit: int) -> Any:
    """A limit that is part of the text, so that a kept plan expects few rows. SQL Server's TOP always is."""
    return int(limit) if _is_mssql(connection) else literal_column(str(int(limit)))


def any_exists(*looks: Exists) -> Select[Any]:
    """One row where any of these exists, no row otherwise: SQL Server knows EXISTS in conditions only."""
    return select(literal_column("1")).where(or_(*looks))
