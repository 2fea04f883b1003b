"""What every part of the registry stands on: one connection, inside its caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Select, Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from adapters.registry.openimis.installation import Installation

SYSTEM = -1  # the AuditUserID of openIMIS' own payment code
_Selected = TypeVar("_Selected", bound=Select[Any])


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


def held(statement: _Selected, table: Table) -> _Selected:
    """The select, holding its rows to the end of the transaction.

    On SQLite nothing is said: the writing transaction has locked the whole file already. On PostgreSQL it is FOR NO KEY
    UPDATE, which holds other processes of ours and lets openIMIS' foreign-key checks pass: FOR UPDATE would make every
    policy that an officer enters for the family wait, and deadlocks of which the officer is the victim.
    """
    return statement.with_for_update(key_share=True).with_hint(table, "WITH (UPDLOCK, ROWLOCK)", "mssql")
