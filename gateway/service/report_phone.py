"""A phone that stands beside the wrong family: kept from it at once, and put before a person."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from gateway.domain.payments import CaseKind
from gateway.domain.phone_reports import MOST_CLAIMS, PhoneReport, Says
from gateway.domain.policy import Family
from gateway.domain.ussd.effects import ClaimFamily, DisownFamily
from gateway.ports import Case, Transaction, UnitOfWork
from gateway.service.metrics import CASES


class ReportPhone:
    """Each report once a phone and family while its case is open."""

    def __init__(self, uow: UnitOfWork, numbers_an_hour: int) -> None:
        """``numbers_an_hour``: insurance numbers that one phone may try, by whatever menu."""
        self._uow = uow
        self._numbers_an_hour = numbers_an_hour

    async def disown(self, said: DisownFamily, now: datetime) -> None:
        """From now on this phone is shown nothing of the family, until a person has closed the case."""
        async with self._uow.writing() as tx:
            family = await tx.registry.family(said.family_id)
            if family is not None:
                await _report(tx, said.msisdn, family, Says.NOT_OURS, family.head.chfid, now)

    async def claim(self, said: ClaimFamily, now: datetime) -> None:
        """A case where the number is somebody's. Every try counts, right or wrong, and the caller learns neither."""
        async with self._uow.writing() as tx:
            if await tx.callers.count_miss(said.msisdn, now) > self._numbers_an_hour:
                return
            family = await tx.registry.family_of(said.chfid)
            if family is not None and await tx.callers.claims(said.msisdn) < MOST_CLAIMS:
                await _report(tx, said.msisdn, family, Says.OURS, said.chfid, now)


async def _report(tx: Transaction, msisdn: str, family: Family, says: Says, chfid: str, now: datetime) -> None:
    report = PhoneReport(uuid4().hex, msisdn, family.id, says)
    if not await tx.callers.report(report, now):
        return
    details = {"says": says, "phone": msisdn, "insurance_number": chfid, "family_id": family.id}
    await tx.cases.open(Case(CaseKind.PHONE_REPORTED, report.subject, details=details), now)
    tx.after_commit.append(CASES.labels(CaseKind.PHONE_REPORTED).inc)
    await tx.audit.add("ussd", "case.opened", report.subject, now, kind=CaseKind.PHONE_REPORTED, says=says)
