"""Effects waiting to leave: claimed in batches under a lease, never forgotten, never run by two at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.effects import KINDS, Effect, from_payload, payload
from gateway.ports import Job, KnownEffect
from gateway.store.statements import any_exists, insert_absent, locked, padded, passing_over, said_limit, taken
from gateway.store.tables import outbox

_KEYS_AT_ONCE = 1_000  # a statement of SQL Server's takes 2,100 parameters

# Literals: of a parameter a kept plan does not know that the partial indexes serve it, and reads the whole table.
_TODO: ColumnElement[str] = literal_column("'todo'")
_LEASED: ColumnElement[str] = literal_column("'leased'")
_DONE: ColumnElement[str] = literal_column("'done'")


def _waiting(channel: str, now: datetime) -> ColumnElement[bool]:
    """Due, and of a kind that we know: a newer release's kinds are left to its processes."""
    return and_(
        outbox.c.channel == channel, outbox.c.state == _TODO, outbox.c.not_before <= now, outbox.c.kind.in_(KINDS)
    )


class SqlOutbox:
    """See ``gateway.ports.Outbox``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def put(self, effects: Sequence[Effect], now: datetime) -> int:
        return (await self.put_each([effects], now))[0]

    async def put_each(self, groups: Sequence[Sequence[Effect]], now: datetime) -> Sequence[int]:
        rows = [
            {
                "kind": effect.kind,
                "dedupe_key": effect.key,
                "aggregate": effect.aggregate,
                "payload": payload(effect),
                "priority": effect.priority,
                "channel": effect.channel,
                "state": "todo",
                "not_before": now,
                "attempts": 0,
                "created_at": now,
            }
            for effects in groups
            for effect in effects
        ]
        new = await insert_absent(self._db, outbox, ("dedupe_key",), rows) if rows else set()
        return [taken(new, {(effect.key,) for effect in effects}) for effects in groups]

    async def known(self, keys: Sequence[str]) -> Mapping[str, KnownEffect]:
        found: dict[str, KnownEffect] = {}
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            rows = await self._db.execute(
                select(outbox.c.dedupe_key, outbox.c.kind, outbox.c.payload, outbox.c.state).where(
                    outbox.c.dedupe_key.in_(padded(keys[start : start + _KEYS_AT_ONCE])), outbox.c.kind.in_(KINDS)
                )
            )
            for row in rows:
                is_open = row.state in ("todo", "leased")
                found[row.dedupe_key] = KnownEffect(from_payload(row.kind, row.payload), is_open)
        return found

    async def due(self, channel: str, now: datetime) -> bool:
        waiting = select(outbox.c.id).where(_waiting(channel, now))
        lost = select(outbox.c.id).where(outbox.c.state == _LEASED, outbox.c.lease_until < now)
        return bool(await self._db.scalar(any_exists(waiting.exists(), lost.exists())))

    async def lease(self, channel: str, limit: int, now: datetime, lease_s: float) -> Sequence[Job]:
        await self._db.execute(
            update(outbox)
            .where(outbox.c.state == _LEASED, outbox.c.lease_until < now)
            .values(state="todo", lease_token=None)
        )
        head = (
            select(outbox.c.id)
            .where(_waiting(channel, now))
            .order_by(outbox.c.priority, outbox.c.id)
            .limit(said_limit(self._db, limit))  # said, so that few rows are expected and updated by key
        )
        # run once: a subquery may be run for each row, and then locks more than ``limit``
        due = locked(head, outbox, skip_locked=True).cte("due")
        token = str(uuid4())
        claimed = await self._db.execute(
            passing_over(update(outbox))
            .where(outbox.c.id.in_(select(due.c.id)))
            .values(
                state="leased",
                lease_token=token,
                lease_until=now + timedelta(seconds=lease_s),
                attempts=outbox.c.attempts + 1,
            )
            .returning(outbox.c.id, outbox.c.kind, outbox.c.payload, outbox.c.attempts, outbox.c.created_at)
        )
        jobs = [
            Job(row.id, from_payload(row.kind, row.payload), row.attempts, row.created_at, token) for row in claimed
        ]
        return sorted(jobs, key=lambda job: (job.effect.priority, job.id))

    async def _close(self, job: Job, **values: object) -> bool:
        result = await self._db.execute(
            update(outbox)
            .where(outbox.c.id == job.id, outbox.c.lease_token == job.lease_token, outbox.c.state == "leased")
            .values(lease_token=None, lease_until=None, **values)
        )
        return result.rowcount == 1

    async def finish(self, job: Job, outcome: str, now: datetime) -> bool:
        return await self._close(job, state="done", last_outcome=outcome, done_at=now)

    async def again(self, job: Job, outcome: str, not_before: datetime, now: datetime) -> bool:
        return await self._close(job, state="todo", last_outcome=outcome, not_before=not_before)

    async def hold(self, job: Job, outcome: str, now: datetime) -> bool:
        return await self._close(job, state="held", last_outcome=outcome)

    async def counts(self) -> Mapping[str, int]:
        open_rows = select(outbox.c.state, func.count()).where(outbox.c.state != _DONE)
        rows = await self._db.execute(open_rows.group_by(outbox.c.state))
        return {state: count for state, count in rows}
