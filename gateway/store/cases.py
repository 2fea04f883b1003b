"""What needs a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.cases import RECURRING, CaseState
from gateway.ports import Case, SettledCase
from gateway.store.statements import insert_if_absent, locked
from gateway.store.tables import case

_LISTED = [column for column in case.c if column.name not in ("act", "closed_by", "note")]


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
            "state": CaseState.OPEN,
            "opened_at": now,
        }
        if await insert_if_absent(self._db, case, ("kind", "subject"), [row]) == 1:
            return True
        return new.kind in RECURRING and await self._open_anew(new, row)

    async def _open_anew(self, again: Case, row: Mapping[str, Any]) -> bool:
        """What was closed has happened once more. Who closed it when, and why, stays in the audit."""
        was_closed = (case.c.kind == again.kind, case.c.subject == again.subject, case.c.state == CaseState.CLOSED)
        forgotten = {"closed_at": None, "act": None, "closed_by": None, "note": None}
        return (await self._db.execute(update(case).where(*was_closed).values({**row, **forgotten}))).rowcount == 1

    async def listed(
        self, limit: int = 200, states: Collection[str] = (CaseState.OPEN,)
    ) -> Sequence[Mapping[str, Any]]:
        statement = select(*_LISTED).where(case.c.state.in_(states)).order_by(case.c.opened_at, case.c.id).limit(limit)
        return [dict(row._mapping) for row in await self._db.execute(statement)]

    async def by_id(self, case_id: int, lock: bool = False) -> Mapping[str, Any] | None:
        statement = select(case).where(case.c.id == case_id)
        row = (await self._db.execute(locked(statement, case) if lock else statement)).first()
        return dict(row._mapping) if row else None

    async def about(self, subjects: Collection[str]) -> Sequence[Mapping[str, Any]]:
        statement = select(*_LISTED).where(case.c.subject.in_(subjects)).order_by(case.c.opened_at, case.c.id)
        return [dict(row._mapping) for row in await self._db.execute(statement)]

    async def settle(self, case_id: int, settled: SettledCase, now: datetime) -> None:
        await self._db.execute(
            update(case)
            .where(case.c.id == case_id)
            .values(
                state=settled.state,
                act=settled.act,
                closed_by=settled.by,
                note=settled.note,
                details=dict(settled.details),
                closed_at=now if settled.state == CaseState.CLOSED else None,
            )
        )
