"""What every part of the registry stands on: one connection, inside its caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Select, Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

if TYPE_CHECKING:
    from adapters.registry.openimis.installation import Installation

SYSTEM = -1  # the AuditUserID of openIMIS' own payment code
_Selected = TypeVar("_Selected", bound=Select[Any])
_Value = TypeVar("_Value")
_MOST_PADDED = 256  # values; SQL Server takes 2,100 in all


@cache
def _keys_of_new(table: Table) -> ReturningInsert[Any]:
    """Made once a table. SQLAlchemy sees to it that the keys come back in the order of the rows."""
    (key,) = table.primary_key.columns
    return insert(table).returning(key, sort_by_parameter_order=True)


class Connected:
    """``audit_user_id`` goes into every row that we write."""

    def __init__(self, connection: AsyncConnection, installation: Installation, audit_user_id: int = SYSTEM) -> None:
        self._connection = connection
        self._sql = installation
        self._audit_user_id = audit_user_id

    async def _insert(self, table: Table, values: Mapping[str, Any]) -> int:
        """The new row's key. Values for columns that this installation lacks are left out."""
        there = {name: value for name, value in values.items() if name in table.c}
        key = (await self._connection.execute(insert(table), there)).inserted_primary_key
        assert key is not None, "one row, one key"
        return int(key[0])

    async def _insert_all(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """The new rows' keys, in the order of ``rows``, which have the same columns.

        On SQL Server one statement each, as everywhere for a single row: which key is whose is then out of question.
        """
        if len(rows) == 1 or self._connection.dialect.name == "mssql":
            return [await self._insert(table, row) for row in rows]
        there = [{name: value for name, value in row.items() if name in table.c} for row in rows]
        keys = (await self._connection.execute(_keys_of_new(table), there)).scalars().all()
        assert len(keys) == len(rows), "one row, one key"
        return [int(key) for key in keys]


def padded(values: Sequence[_Value]) -> list[_Value]:
    """For an IN of many values: their number is filled up to a power of two with the last one said again, so that few
    texts are prepared and kept instead of one for each number."""
    size = 1 << max(len(values) - 1, 0).bit_length()
    if not values or size > _MOST_PADDED:
        return list(values)
    return [*values, *[values[-1]] * (size - len(values))]


def held(statement: _Selected, table: Table) -> _Selected:
    """The select, holding its rows to the end of the transaction.

    On SQLite nothing is said: the writing transaction has locked the whole file already. On PostgreSQL it is FOR NO KEY
    UPDATE, which holds other processes of ours and lets openIMIS' foreign-key checks pass: FOR UPDATE would make every
    policy that an officer enters for the family wait, and deadlocks of which the officer is the victim.
    """
    return statement.with_for_update(key_share=True).with_hint(table, "WITH (UPDLOCK, ROWLOCK)", "mssql")
