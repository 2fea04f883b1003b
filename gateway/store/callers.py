"""What we keep about phones: language, the index of normalised numbers, wrong guesses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import bindparam, delete, exists, func, literal_column, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.phone_reports import PhoneReport, Says
from gateway.store.statements import insert_if_absent, padded, replace, upsert
from gateway.store.tables import caller, miss, phone, phone_report, watermark

_AT_ONCE = 2_000  # rows; a statement of SQL Server's takes 2,100 parameters
_MAX_FAMILIES = 20  # of one phone: an officer's; more would not fit a menu anyway

_LANGUAGES = select(caller.c.msisdn, caller.c.language).where(caller.c.msisdn.in_(bindparam("msisdns", expanding=True)))


_DISOWNED = exists().where(
    phone_report.c.msisdn == phone.c.msisdn,
    phone_report.c.family_id == phone.c.family_id,
    phone_report.c.says == literal_column(f"'{Says.NOT_OURS}'"),
)
# All in one look: this is every first screen's query.
_CALLERS = union_all(
    select(phone.c.msisdn, phone.c.insuree_id, null().label("language")).where(
        phone.c.msisdn.in_(bindparam("msisdns", expanding=True)), ~_DISOWNED
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
        return {m: language for m, language in await self._db.execute(_LANGUAGES, {"msisdns": padded(msisdns)})}

    async def set_language(self, msisdn: str, language: str, now: datetime) -> None:
        row = {"msisdn": msisdn, "language": language, "updated_at": now}
        await upsert(self._db, caller, ("msisdn",), row, {"language": language, "updated_at": now})

    async def index_phones(self, rows: Sequence[tuple[int, int, str | None]]) -> None:
        gone = [insuree_id for insuree_id, _, msisdn in rows if msisdn is None]
        for start in range(0, len(gone), _AT_ONCE):
            await self._db.execute(delete(phone).where(phone.c.insuree_id.in_(gone[start : start + _AT_ONCE])))
        kept = [{"insuree_id": i, "family_id": f, "msisdn": m} for i, f, m in rows if m is not None]
        for start in range(0, len(kept), _AT_ONCE):
            await replace(self._db, phone, "insuree_id", kept[start : start + _AT_ONCE])

    async def index_range(self, after: int, upto: int | None, rows: Sequence[tuple[int, int, str | None]]) -> None:
        known = select(phone.c.insuree_id).where(phone.c.insuree_id > after)
        if upto is not None:
            known = known.where(phone.c.insuree_id <= upto)
        carried = {insuree_id for insuree_id, _, msisdn in rows if msisdn is not None}
        gone = {insuree_id for (insuree_id,) in await self._db.execute(known)} - carried
        await self.index_phones([*rows, *((insuree_id, 0, None) for insuree_id in sorted(gone))])

    async def watermark(self, name: str) -> datetime | None:
        at: datetime | None = await self._db.scalar(select(watermark.c.at).where(watermark.c.name == name))
        return at

    async def set_watermark(self, name: str, at: datetime) -> None:
        await upsert(self._db, watermark, ("name",), {"name": name, "at": at}, {"at": at})

    async def count_miss(self, msisdn: str, now: datetime) -> int:
        row = {"msisdn": msisdn, "hour": _hour(now), "count": 1}
        more = {"count": miss.c.count + 1}
        return int(await upsert(self._db, miss, ("msisdn", "hour"), row, more, returning=miss.c.count))

    async def misses(self, msisdn: str, now: datetime) -> int:
        statement = select(miss.c.count).where(miss.c.msisdn == msisdn, miss.c.hour == _hour(now))
        return int(await self._db.scalar(statement) or 0)

    async def report(self, report: PhoneReport, now: datetime) -> bool:
        row = {"id": report.id, "msisdn": report.msisdn, "family_id": report.family_id, "says": report.says, "at": now}
        return await insert_if_absent(self._db, phone_report, ("msisdn", "family_id", "says"), [row]) == 1

    async def claims(self, msisdn: str) -> int:
        own = (phone_report.c.msisdn == msisdn, phone_report.c.says == Says.OURS)
        return int(await self._db.scalar(select(func.count()).select_from(phone_report).where(*own)) or 0)

    async def lift_report(self, report_id: str) -> None:
        await self._db.execute(delete(phone_report).where(phone_report.c.id == report_id))
