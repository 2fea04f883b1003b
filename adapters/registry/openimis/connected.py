"""What every part of the registry stands on: one connection, inside its caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncConnection

SYSTEM = -1  # the AuditUserID of openIMIS' own payment code


class Connected:
    """``audit_user_id`` goes into every row that we write."""

    def __init__(self, connection: AsyncConnection, audit_user_id: int = SYSTEM) -> None:
        self._connection = connection
        self._audit_user_id = audit_user_id

    async def _insert(self, table: Table, values: Mapping[str, Any]) -> int:
        """The new row's key."""
        key = (await self._connection.execute(insert(table), values)).inserted_primary_key
        assert key is not None, "one row, one key"
        return int(key[0])
