"""What we keep about phones: language, the index of normalised numbers, wrong guesses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import bindparam, delete, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.statements import insert_for
from gateway.store.tables import caller, miss, phone, watermark

_MAX_FAMILIES = 20  # of one phone: an officer's; more would not fit a menu anyway

_LANGUAGES = select(caller.c.msisdn, caller.c.language).where(caller.c.msisdn.in_(bindparam("msisdns", expanding=True)))


# Both in one look: this is every first screen's query.
_CALLERS = union_all(
    select(phone.c.msisdn, phone.c.insuree_id, null().label("language")).where(
        phone.c.msisdn.in_(bindparam("msisdns", expanding=True))
    ),
    select(caller.c.msisdn, null().label("insuree_id"), caller.c.language).where(
        caller.c.msisdn.in_(bindparam("msisdns", expanding=True))
    ),
)


def _hour(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


class SqlCallers:
    """See ``gateway.ports.Callers``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def known(self, msisdns: Sequence[str]) -> tuple[Mapping[str, Sequence[int]], Mapping[str, str]]:
        phones: dict[str, list[int]] = defaultdict(list)
        spoken: dict[str, str] = {}
        for msisdn, insuree_id, language in await self._db.execute(_CALLERS, {"msisdns": list(msisdns)}):
            if insuree_id is None:
                spoken[msisdn] = language
            else:
                phones[msisdn].append(insuree_id)
        return {msisdn: sorted(ids)[:_MAX_FAMILIES] for msisdn, ids in phones.items()}, spoken

    async def languages(self, msisdns: Sequence[str]) -> Mapping[str, str]:
        return {m: language for m, language in await self._db.execute(_LANGUAGES, {"msisdns": list(msisdns)})}

    async def set_language(self, msisdn: str, language: str, now: datetime) -> None:
        row = {"msisdn": msisdn, "language": language, "updated_at": now}
        statement = insert_for(self._db, caller).values(row)
        await self._db.execute(
            statement.on_conflict_do_update(index_elements=["msisdn"], set_={"language": language, "updated_at": now})
        )

    async def index_phones(self, rows: Sequence[tuple[int, int, str | None]]) -> None:
        gone = [insuree_id for insuree_id, _, msisdn in rows if msisdn is None]
        if gone:
            await self._db.execute(delete(phone).where(phone.c.insuree_id.in_(gone)))
        kept = [{"insuree_id": i, "family_id": f, "msisdn": m} for i, f, m in rows if m is not None]
        if kept:
            statement = insert_for(self._db, phone)
            excluded = {"family_id": statement.excluded.family_id, "msisdn": statement.excluded.msisdn}
            await self._db.execute(statement.on_conflict_do_update(index_elements=["insuree_id"], set_=excluded), kept)

    async def watermark(self, name: str) -> datetime | None:
        at: datetime | None = await self._db.scalar(select(watermark.c.at).where(watermark.c.name == name))
        return at

    async def set_watermark(self, name: str, at: datetime) -> None:
        statement = insert_for(self._db, watermark).values(name=name, at=at)
        await self._db.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": at}))

    async def count_miss(self, msisdn: str, now: datetime) -> int:
        statement = insert_for(self._db, miss).values(msisdn=msisdn, hour=_hour(now), count=1)
        counted = statement.on_conflict_do_update(
            index_elements=["msisdn", "hour"], set_={"count": miss.c.count + 1}
        ).returning(miss.c.count)
        return int((await self._db.execute(counted)).scalar_one())

    async def misses(self, msisdn: str, now: datetime) -> int:
        statement = select(miss.c.count).where(miss.c.msisdn == msisdn, miss.c.hour == _hour(now))
        return int(await self._db.scalar(statement) or 0)
