"""Who did what, hash-chained. Rows are sealed in batches, beside the payment's transaction and not inside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.ports import Deed
from gateway.store.statements import alone
from gateway.store.tables import audit, audit_seal

_ADD = audit.insert()
GENESIS = "0" * 64
_SEAL_LOCK = 0x6777_5EA1  # one sealer at a time, over all processes
_PAGE = 1000
_LATE = 10_000  # ids; far more than transactions that can be open at once


def _digest(previous: str, row: Row[Any]) -> str:
    said = [row.id, row.at.isoformat(), row.actor, row.action, row.subject, row.details]
    return hashlib.sha256(f"{previous}{json.dumps(said, sort_keys=True)}".encode()).hexdigest()


class SqlAudit:
    """See ``gateway.ports.Audit``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def add(self, actor: str, action: str, subject: str, now: datetime, **details: Any) -> None:
        await self.add_all([Deed(actor, action, subject, details)], now)

    async def add_all(self, deeds: Sequence[Deed], now: datetime) -> None:
        rows = [
            {"at": now, "actor": d.actor, "action": d.action, "subject": d.subject, "details": dict(d.details)}
            for d in deeds
        ]
        await self._db.execute(_ADD, rows)

    async def about(self, subjects: Collection[str]) -> Sequence[Mapping[str, Any]]:
        statement = select(audit).where(audit.c.subject.in_(subjects)).order_by(audit.c.id)
        return [dict(row._mapping) for row in await self._db.execute(statement)]

    async def seal(self, now: datetime, limit: int = _PAGE) -> int:
        if self._db.dialect.name == "postgresql":  # on SQL Server the table is held below; SQLite has one writer anyway
            mine = await self._db.scalar(select(func.pg_try_advisory_xact_lock(_SEAL_LOCK)))
            if not mine:
                return 0
        newest_seal = select(audit_seal).order_by(audit_seal.c.seq.desc()).limit(1)
        last = (await self._db.execute(alone(newest_seal, audit_seal))).first()
        sequence, previous = (last.seq, last.digest) if last else (0, GENESIS)
        sealed = select(audit_seal.c.audit_id).where(audit_seal.c.audit_id == audit.c.id).exists()
        # ids are handed out before their transactions commit: look back a little for late ones, never over all history
        newest = await self._db.scalar(select(func.max(audit_seal.c.audit_id))) or 0
        late = audit.c.id > newest - _LATE
        rows = (await self._db.execute(select(audit).where(late, ~sealed).order_by(audit.c.id).limit(limit))).all()
        seals = []
        for row in rows:
            sequence += 1
            digest = _digest(previous, row)
            seals.append(
                {"seq": sequence, "audit_id": row.id, "previous": previous, "digest": digest, "sealed_at": now}
            )
            previous = digest
        if seals:
            await self._db.execute(audit_seal.insert(), seals)
        return len(seals)

    async def verify(self) -> Sequence[str]:
        breaks: list[str] = []
        previous, sequence = GENESIS, 0
        while True:
            statement = (
                select(audit_seal.c.seq, audit_seal.c.previous, audit_seal.c.digest, audit_seal.c.audit_id, audit)
                .select_from(audit_seal.outerjoin(audit, audit.c.id == audit_seal.c.audit_id))
                .where(audit_seal.c.seq > sequence)
                .order_by(audit_seal.c.seq)
                .limit(_PAGE)
            )
            rows = (await self._db.execute(statement)).all()
            for row in rows:
                if row.seq != sequence + 1:
                    breaks.append(f"seals {sequence + 1} to {row.seq - 1} are missing")
                if row.previous != previous:
                    breaks.append(f"seal {row.seq} does not continue the one before it")
                if row.id is None:
                    breaks.append(f"audit row {row.audit_id} was removed")
                elif _digest(row.previous, row) != row.digest:
                    breaks.append(f"audit row {row.audit_id} was changed")
                previous, sequence = row.digest, row.seq
            if len(rows) < _PAGE:
                return breaks
