"""What needs a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.ports import Case
from gateway.store.statements import insert_if_absent
from gateway.store.tables import case


class SqlCases:
    """See ``gateway.ports.Cases``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def open(self, new: Case, now: datetime) -> bool:
        row = {
            "kind": new.kind,
            "subject": new.subject,
            "provider": new.provider,
            "inbox_id": new.inbox_id,
            "bill_id": new.bill_id,
            "amount_minor": new.amount.amount_minor if new.amount is not None else None,
            "currency": new.amount.currency if new.amount is not None else None,
            "details": dict(new.details),
            "state": "open",
            "opened_at": now,
        }
        statement = insert_if_absent(self._db, case, ("kind", "subject"), row)
        return (await self._db.execute(statement)).rowcount == 1

    async def listed(self, limit: int = 200) -> Sequence[Mapping[str, Any]]:
        statement = select(case).where(case.c.state == "open").order_by(case.c.opened_at).limit(limit)
        return [dict(row._mapping) for row in await self._db.execute(statement)]
