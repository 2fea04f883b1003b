"""How far the registry's traces were followed, and what was noticed on the way: each event of a policy once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.upkeep import OURS, PolicyEvent, PolicyEventKind
from gateway.ports import Place
from gateway.store.statements import insert_absent, taken, upsert
from gateway.store.tables import place, policy_event


class SqlFollow:
    """See ``gateway.ports.Follow``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def place(self, name: str) -> Place | None:
        row = (await self._db.execute(select(place).where(place.c.name == name))).first()
        return Place(row.followed, row.seen, row.seen_at) if row else None

    async def set_place(self, name: str, at: Place) -> None:
        values = {"followed": at.followed, "seen": at.seen, "seen_at": at.seen_at}
        await upsert(self._db, place, ("name",), {"name": name, **values}, values)

    async def notice(self, events: Sequence[PolicyEvent], now: datetime) -> int:
        return (await self.notice_each([events], now))[0]

    async def notice_each(self, groups: Sequence[Sequence[PolicyEvent]], now: datetime) -> Sequence[int]:
        rows = [
            {
                "policy_id": event.policy_id,
                "kind": event.kind,
                "family_id": event.family_id,
                "origin": event.origin,
                "day": event.day,
                "at": now,
            }
            for events in groups
            for event in events
        ]
        new = await insert_absent(self._db, policy_event, ("policy_id", "kind"), rows) if rows else set()
        return [taken(new, {(event.policy_id, event.kind) for event in events}) for events in groups]

    async def noticed(self, policy_ids: Collection[int]) -> Collection[tuple[int, PolicyEventKind]]:
        statement = select(policy_event.c.policy_id, policy_event.c.kind).where(
            policy_event.c.policy_id.in_(policy_ids)
        )
        return {(policy_id, PolicyEventKind(kind)) for policy_id, kind in await self._db.execute(statement)}

    async def born_here(self, policy_ids: Collection[int], since: datetime) -> Collection[int]:
        statement = select(policy_event.c.policy_id).where(
            policy_event.c.policy_id.in_(policy_ids),
            policy_event.c.kind == PolicyEventKind.ENROLLED,
            policy_event.c.origin == OURS,
            policy_event.c.at >= since,
        )
        return {policy_id for (policy_id,) in await self._db.execute(statement)}
