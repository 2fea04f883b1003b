"""What we keep about phones: language, the index of normalised numbers, wrong guesses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    Integer,
    Select,
    Table,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.phone_reports import PhoneReport, Says
from gateway.ports import KnownPhones
from gateway.store.statements import insert_if_absent, padded, replace, upsert
from gateway.store.tables import caller, miss, officer_phone, phone, phone_report, watermark

_AT_ONCE = 2_000  # rows; a statement of SQL Server's takes 2,100 parameters
_MAX_FAMILIES = 20  # of one phone: an officer's; more would not fit a menu anyway
_MAX_OFFICERS = 5  # of one phone

_LANGUAGES = select(caller.c.msisdn, caller.c.language).where(caller.c.msisdn.in_(bindparam("msisdns", expanding=True)))


_IS_DISOWNED = phone_report.c.says == literal_column(f"'{Says.NOT_OURS}'")
_DISOWNED = select(phone_report.c.msisdn, phone_report.c.family_id).where(
    phone_report.c.msisdn.in_(bindparam("msisdns", expanding=True)),
    phone_report.c.family_id.in_(bindparam("families", expanding=True)),
    _IS_DISOWNED,
)


def _of(table: Table, **told: Column[Any]) -> Select[Any]:
    """What one table tells of phones. Where another table tells, a NULL that says its type: of several in a UNION the
    first two would have none to agree on."""
    columns = (
        told["insuree_id"] if "insuree_id" in told else cast(null(), Integer).label("insuree_id"),
        told["language"] if "language" in told else cast(null(), caller.c.language.type).label("language"),
        told["officer_id"] if "officer_id" in told else cast(null(), Integer).label("officer_id"),
        told["family_id"] if "family_id" in told else cast(null(), Integer).label("family_id"),
    )
    return select(table.c.msisdn, *columns).where(table.c.msisdn.in_(bindparam("msisdns", expanding=True)))


# All in one look: this is every first screen's query.
_CALLERS = union_all(
    _of(phone, insuree_id=phone.c.insuree_id),
    _of(caller, language=caller.c.language),
    _of(officer_phone, officer_id=officer_phone.c.officer_id),
    _of(phone_report, family_id=phone_report.c.family_id).where(_IS_DISOWNED),
)


def _first(found: Mapping[str, list[int]], most: int) -> dict[str, list[int]]:
    return {msisdn: sorted(ids)[:most] for msisdn, ids in found.items()}


def _hour(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


class SqlCallers:
    """See ``gateway.ports.Callers``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def known(self, msisdns: Sequence[str]) -> KnownPhones:
        phones: dict[str, list[int]] = defaultdict(list)
        spoken: dict[str, str] = {}
        officers: dict[str, list[int]] = defaultdict(list)
        disowned: dict[str, set[int]] = defaultdict(set)
        rows = await self._db.execute(_CALLERS, {"msisdns": list(msisdns)})
        for msisdn, insuree_id, language, officer_id, family_id in rows:
            if insuree_id is not None:
                phones[msisdn].append(insuree_id)
            elif officer_id is not None:
                officers[msisdn].append(officer_id)
            elif family_id is not None:
                disowned[msisdn].add(family_id)
            else:
                spoken[msisdn] = language
        return KnownPhones(_first(phones, _MAX_FAMILIES), spoken, _first(officers, _MAX_OFFICERS), dict(disowned))

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

    async def index_officers(self, after: int, upto: int | None, rows: Sequence[tuple[int, str | None]]) -> int:
        stands = select(officer_phone.c.officer_id, officer_phone.c.msisdn).where(officer_phone.c.officer_id > after)
        if upto is not None:
            stands = stands.where(officer_phone.c.officer_id <= upto)
        known = {officer_id: msisdn for officer_id, msisdn in await self._db.execute(stands)}
        carried = {officer_id: msisdn for officer_id, msisdn in rows if msisdn is not None}
        gone = sorted(known.keys() - carried.keys())
        for start in range(0, len(gone), _AT_ONCE):
            few = gone[start : start + _AT_ONCE]
            await self._db.execute(delete(officer_phone).where(officer_phone.c.officer_id.in_(few)))
        other = [{"officer_id": i, "msisdn": m} for i, m in sorted(carried.items()) if known.get(i) != m]
        for start in range(0, len(other), _AT_ONCE):
            await replace(self._db, officer_phone, "officer_id", other[start : start + _AT_ONCE])
        return len(gone) + len(other)

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

    async def disowned(self, asked: Collection[tuple[str, int]]) -> Collection[tuple[str, int]]:
        wanted = set(asked)
        if not wanted:
            return set()
        msisdns, families = sorted({msisdn for msisdn, _ in wanted}), sorted({family_id for _, family_id in wanted})
        values = {"msisdns": padded(msisdns), "families": padded(families)}
        return wanted & {(msisdn, family_id) for msisdn, family_id in await self._db.execute(_DISOWNED, values)}

    async def lift_report(self, report_id: str) -> None:
        await self._db.execute(delete(phone_report).where(phone_report.c.id == report_id))
