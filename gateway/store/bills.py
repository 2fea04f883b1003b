"""Bills: a row that is a projection, and beside it every fact that made it so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.bill import Bill, BillFact, BillState, PayOption, after
from gateway.domain.money import Money
from gateway.ports import BillChange, Requester
from gateway.store.statements import insert_if_absent, locked, padded, upsert
from gateway.store.tables import bill, bill_fact, bill_requester

_AWAITED = (BillState.CREATED, BillState.SUBMITTED)
_PAYABLE = (*_AWAITED, BillState.NUMBERED, BillState.PART_PAID)
# Literals: of parameters a kept plan does not know that the partial index serves them.
_IS_AWAITED = bill.c.state.in_([literal_column(f"'{state}'") for state in _AWAITED])
_IS_UNPAID = bill.c.state.in_([literal_column(f"'{state}'") for state in (*_AWAITED, BillState.NUMBERED)])


def _bill(row: Row[Any]) -> Bill:
    return Bill(
        id=row.id,
        key=row.key,
        generation=row.generation,
        family_id=row.family_id,
        product_id=row.product_id,
        product_code=row.product_code,
        preceding_policy_id=row.preceding_policy_id,
        stage=row.stage,
        chfid=row.chfid,
        payer_name=row.payer_name,
        amount=Money(row.amount_minor, row.currency),
        policy_value=Money(row.policy_value_minor, row.currency),
        pay_option=PayOption(row.pay_option),
        provider_code=row.provider_code,
        state=BillState(row.state),
        control_number=row.control_number,
        paid=Money(row.paid_minor, row.currency),
        created_at=row.created_at,
        expires_at=row.expires_at,
        payment_record_id=row.payment_record_id,
        reuses=row.reuses,
        issuer=row.issuer,
    )


# Made once: a payment asks for its bill by each of these. In order, so that two who lock several meet at the first.
_BY_ID = select(bill).where(bill.c.id.in_(bindparam("ids", expanding=True))).order_by(bill.c.id)
_BY_NUMBER = (
    select(bill).where(bill.c.control_number.in_(bindparam("numbers", expanding=True))).order_by(bill.c.control_number)
)
_REQUESTERS = (
    select(bill_requester.c.bill_id, bill_requester.c.msisdn, bill_requester.c.language, bill_requester.c.officer)
    .where(bill_requester.c.bill_id.in_(bindparam("ids", expanding=True)))
    .order_by(bill_requester.c.at)
)
_PART_PAID = select(bill.c.family_id, bill.c.product_id, bill.c.payment_record_id).where(
    bill.c.family_id.in_(bindparam("families", expanding=True)),
    bill.c.payment_record_id.is_not(None),
    bill.c.paid_minor > 0,
    bill.c.paid_minor < bill.c.amount_minor,
)
_ADD_FACT = bill_fact.insert()
_CHANGE = (
    update(bill)
    .where(bill.c.id == bindparam("known_id"))
    .values(
        state=bindparam("state"),
        control_number=bindparam("control_number"),
        paid_minor=bindparam("paid_minor"),
        payment_record_id=bindparam("payment_record_id"),
        reuses=bindparam("reuses"),
        issuer=bindparam("issuer"),
    )
)
_BY_ID_LOCKED, _BY_NUMBER_LOCKED = locked(_BY_ID, bill), locked(_BY_NUMBER, bill)


def _changed(change: BillChange) -> Bill:
    """The bill once the fact is known."""
    known, fact, details = change.known, change.fact, change.details
    changed = replace(known, state=after(known.state, fact))
    if fact == BillFact.NUMBERED and known.control_number is None:
        changed = replace(changed, control_number=details["control_number"], issuer=details.get("issuer"))
    if fact == BillFact.RELEASED:
        changed = replace(changed, control_number=None)
    if fact == BillFact.NOT_REUSED:
        changed = replace(changed, reuses=None)
    if fact in (BillFact.PART_PAID, BillFact.PAID):
        changed = replace(changed, paid=known.paid + Money(int(details["amount_minor"]), known.paid.currency))
    if "payment_record_id" in details:
        changed = replace(changed, payment_record_id=details["payment_record_id"])
    return changed


class SqlBills:
    """See ``gateway.ports.Bills``."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def _one(self, statement: Any) -> Bill | None:
        row = (await self._db.execute(statement)).first()
        return _bill(row) if row else None

    async def by_id(self, bill_id: str, lock: bool = False) -> Bill | None:
        return (await self.by_ids([bill_id], lock)).get(bill_id)

    async def by_ids(self, bill_ids: Sequence[str], lock: bool = False) -> Mapping[str, Bill]:
        if not bill_ids:
            return {}
        rows = await self._db.execute(_BY_ID_LOCKED if lock else _BY_ID, {"ids": padded(bill_ids)})
        return {row.id: _bill(row) for row in rows}

    async def by_control_number(self, number: str, lock: bool = False) -> Bill | None:
        return (await self.by_control_numbers([number], lock)).get(number)

    async def by_control_numbers(self, numbers: Sequence[str], lock: bool = False) -> Mapping[str, Bill]:
        if not numbers:
            return {}
        rows = await self._db.execute(_BY_NUMBER_LOCKED if lock else _BY_NUMBER, {"numbers": padded(numbers)})
        return {row.control_number: _bill(row) for row in rows}

    async def latest(self, key: str, lock: bool = False) -> Bill | None:
        statement = select(bill).where(bill.c.key == key).order_by(bill.c.generation.desc()).limit(1)
        return await self._one(locked(statement, bill) if lock else statement)

    async def open_for(self, family_id: int, now: datetime) -> Bill | None:
        statement = (
            select(bill)
            .where(bill.c.family_id == family_id, bill.c.state.in_(_PAYABLE), bill.c.expires_at > now)
            .order_by(bill.c.created_at.desc())
            .limit(1)
        )
        return await self._one(statement)

    async def payable(self, family_ids: Collection[int], now: datetime) -> Sequence[Bill]:
        statement = select(bill).where(
            bill.c.family_id.in_(family_ids), bill.c.state.in_(_PAYABLE), bill.c.expires_at > now
        )
        return [_bill(row) for row in await self._db.execute(statement)]

    async def part_paid_records(self, family_id: int, product_id: int) -> Sequence[int]:
        cover = (family_id, product_id)
        return (await self.part_paid_records_of([cover])).get(cover, [])

    async def part_paid_records_of(self, covers: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], Sequence[int]]:
        found: dict[tuple[int, int], list[int]] = {}
        families = padded([family_id for family_id, _ in covers])
        for family_id, product_id, record_id in await self._db.execute(_PART_PAID, {"families": families}):
            found.setdefault((family_id, product_id), []).append(record_id)
        return found

    async def add(self, new: Bill) -> bool:
        row = {
            "id": new.id,
            "key": new.key,
            "generation": new.generation,
            "family_id": new.family_id,
            "product_id": new.product_id,
            "product_code": new.product_code,
            "preceding_policy_id": new.preceding_policy_id,
            "stage": new.stage,
            "chfid": new.chfid,
            "payer_name": new.payer_name,
            "amount_minor": new.amount.amount_minor,
            "policy_value_minor": new.policy_value.amount_minor,
            "paid_minor": new.paid.amount_minor,
            "currency": new.amount.currency,
            "pay_option": int(new.pay_option),
            "provider_code": new.provider_code,
            "state": new.state,
            "control_number": new.control_number,
            "created_at": new.created_at,
            "expires_at": new.expires_at,
            "asked_at": new.created_at,
            "asked_times": 1,
            "payment_record_id": new.payment_record_id,
            "reuses": new.reuses,
            "issuer": new.issuer,
        }
        return await insert_if_absent(self._db, bill, ("key", "generation"), [row]) == 1

    async def record(self, known: Bill, fact: BillFact, now: datetime, **details: Any) -> Bill:
        return (await self.record_all([BillChange(known, fact, details)], now))[0]

    async def record_all(self, changes: Sequence[BillChange], now: datetime) -> Sequence[Bill]:
        facts = [{"bill_id": c.known.id, "fact": c.fact, "at": now, "details": dict(c.details)} for c in changes]
        await self._db.execute(_ADD_FACT, facts)
        changed = [_changed(change) for change in changes]
        rows = [
            {
                "known_id": bill.id,
                "state": bill.state,
                "control_number": bill.control_number,
                "paid_minor": bill.paid.amount_minor,
                "payment_record_id": bill.payment_record_id,
                "issuer": bill.issuer,
                "reuses": bill.reuses,
            }
            for bill in changed
        ]
        await self._db.execute(_CHANGE, rows)
        return changed

    async def asked(self, bill_id: str, times: int, now: datetime) -> None:
        await self._db.execute(update(bill).where(bill.c.id == bill_id).values(asked_at=now, asked_times=times))

    async def given_up(self, bill_id: str, times: int, now: datetime) -> None:
        await self.asked(bill_id, -times, now)

    async def ask_once_more(self, bill_id: str, now: datetime) -> int | None:
        statement = (
            update(bill)
            .where(bill.c.id == bill_id, _IS_AWAITED, bill.c.asked_times < 0)
            .values(asked_at=now, asked_times=1 - bill.c.asked_times)
            .returning(bill.c.asked_times)
        )
        times: int | None = (await self._db.execute(statement)).scalar_one_or_none()
        return times

    async def facts(self, bill_id: str) -> Sequence[tuple[BillFact, Mapping[str, Any]]]:
        statement = select(bill_fact.c.fact, bill_fact.c.details).where(bill_fact.c.bill_id == bill_id)
        return [(BillFact(row.fact), row.details) for row in await self._db.execute(statement.order_by(bill_fact.c.id))]

    async def past_life(self, now: datetime, limit: int) -> Sequence[Bill]:
        statement = select(bill).where(_IS_UNPAID, bill.c.expires_at <= now).order_by(bill.c.expires_at).limit(limit)
        return [_bill(row) for row in await self._db.execute(locked(statement, bill, skip_locked=True))]

    async def add_requester(self, bill_id: str, requester: Requester, now: datetime) -> None:
        row = {
            "bill_id": bill_id,
            "msisdn": requester.msisdn,
            "language": requester.language,
            "at": now,
            "officer": requester.officer or None,
        }
        # who asked first stays first, and hears as what it asked last
        asks = {name: row[name] for name in ("language", "officer")}
        await upsert(self._db, bill_requester, ("bill_id", "msisdn"), row, asks)

    async def requesters(self, bill_id: str) -> Sequence[Requester]:
        return (await self.requesters_of([bill_id])).get(bill_id, [])

    async def requesters_of(self, bill_ids: Sequence[str]) -> Mapping[str, Sequence[Requester]]:
        found: dict[str, list[Requester]] = {}
        for bill_id, msisdn, language, officer in await self._db.execute(_REQUESTERS, {"ids": padded(bill_ids)}):
            found.setdefault(bill_id, []).append(Requester(msisdn, language, bool(officer)))
        return found

    async def numbers(self, bill_ids: Sequence[str]) -> Mapping[str, Bill]:
        statement = select(bill).where(bill.c.id.in_(bill_ids), bill.c.state.not_in(_AWAITED))
        return {row.id: _bill(row) for row in await self._db.execute(statement)}

    async def silent(self, asked_before: datetime, limit: int) -> Sequence[tuple[Bill, int]]:
        statement = (
            select(bill)
            .where(_IS_AWAITED, bill.c.asked_at < asked_before, bill.c.asked_times > 0)
            .order_by(bill.c.asked_at)
            .limit(limit)
        )
        rows = await self._db.execute(locked(statement, bill, skip_locked=True))
        return [(_bill(row), row.asked_times) for row in rows]
