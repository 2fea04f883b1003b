"""Who may be told of a family by SMS. Whatever writes one about a family asks here, in the transaction that writes it.

A phone that the registry gives the family now and that does not call it not its own. To have asked once is not enough:
a number is corrected, or given to somebody else, while a bill lives. An enrolment officer who asked for the family
hears by the office and not as a phone of the family, so only while holding it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from gateway.domain.bill import Bill
from gateway.domain.clock import eat_day
from gateway.domain.phone_reports import may_be_told, phones_of
from gateway.domain.policy import Family
from gateway.ports import Requester, Transaction
from gateway.service.ussd_officers import officers_fact


async def family_phones(tx: Transaction, family: Family | None) -> tuple[str, ...]:
    """The family's own, the head's first; of a family that is gone, none."""
    phones = phones_of(family) if family else ()
    if family is None or not phones:
        return ()
    disowned = await tx.callers.disowned([(phone, family.id) for phone in phones])
    return may_be_told(phones, (phone for phone, _ in disowned))


async def has_disowned(tx: Transaction, msisdn: str, family_id: int) -> bool:
    """Whether this phone calls the family not its own: a look at our own tables only."""
    return bool(await tx.callers.disowned([(msisdn, family_id)]))


async def askers_of(tx: Transaction, bill: Bill, now: datetime) -> Sequence[Requester]:
    """Of those who asked for the bill, who may be told what becomes of it; the first one first."""
    asked = await tx.bills.requesters(bill.id)
    if not asked:
        return ()
    return await still_told(tx, asked, await family_phones(tx, await tx.registry.family(bill.family_id)), now)


async def still_told(
    tx: Transaction, asked: Sequence[Requester], phones: Collection[str], now: datetime
) -> Sequence[Requester]:
    """The same, with the family's ``phones`` known."""
    officers = await _working(tx, [reader.msisdn for reader in asked if reader.officer], now)
    return [reader for reader in asked if reader.msisdn in (officers if reader.officer else phones)]


async def _working(tx: Transaction, msisdns: Sequence[str], now: datetime) -> Collection[str]:
    """Of these phones, those of officers who work today."""
    if not msisdns:
        return ()
    ids = (await tx.callers.known(msisdns)).officers
    officers = await tx.registry.officers([officer_id for of in ids.values() for officer_id in of])
    return {m for m in msisdns if officers_fact(m, ids.get(m, ()), officers, eat_day(now))}
