"""Demo families: one for each thing that a caller can be told. All names are invented.

Everything is relative to the day of loading, so a family that "expires in a week" does so a week after that day.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.registry.openimis.connected import Connected
from adapters.registry.openimis.demo_families import (
    FAMILIES,
    OFFICERS,
    PLACES,
    PRODUCTS,
    DemoFamily,
    DemoOfficer,
    DemoPolicy,
)
from adapters.registry.openimis.installation import EMBEDDED, Installation
from adapters.registry.openimis.survey import survey
from adapters.registry.openimis.types import new_uuid
from gateway.domain.chfid import with_check_digit
from gateway.domain.money import Money
from gateway.domain.msisdn import normalise
from gateway.domain.periods import add_months
from gateway.domain.policy import PolicyStatus

_FIRST_NUMBER = 7_100_001  # running part of the first demo insurance number
_CLERK = 1  # AuditUserID of the office that entered it all
_SPOUSE, _CHILD = 8, 4  # tblRelations


@dataclass(frozen=True, slots=True)
class DemoPhone:
    """A phone worth dialling as; ``who`` says what to expect, in English and Swahili."""

    msisdn: str
    who: str


def demo_phones() -> list[DemoPhone]:
    """Every phone of the demo, once, the first family that has it first."""
    said: dict[str, list[str]] = {}
    for family in FAMILIES:
        for person in family.people:
            msisdn = normalise(person.phone)
            if msisdn is not None:
                said.setdefault(msisdn, []).append(f"{family.english} / {family.swahili} — {person.name}")
    for officer in OFFICERS:
        where = f"{officer.code}, {officer.district} — {officer.other_names} {officer.last_name}"
        said.setdefault(normalise(officer.phone) or "", []).append(f"enrolment officer / afisa wa CHF {where}")
    return [DemoPhone(msisdn, "; ".join(who)) for msisdn, who in said.items()]


async def load_demo(connection: AsyncConnection, today: date, installation: Installation = EMBEDDED) -> list[DemoPhone]:
    """Fill an empty registry, and say whom to dial as.

    A registry that holds insurees already is not touched; if they are the demo's the same phones are returned, if they
    are anyone else's none are.
    """
    insurees = installation.tables.insurees
    found = (await connection.execute(select(insurees.c.CHFID).order_by(insurees.c.InsureeID).limit(1))).first()
    if found is None:
        await _Loader(connection, today, installation).load()
    elif found[0] != with_check_digit(_FIRST_NUMBER):
        return []
    return demo_phones()


def write_phones_json(path: Path, phones: Sequence[DemoPhone]) -> None:
    """Keep the list for the demo's own pages: a JSON array of ``{"msisdn", "who"}``."""
    text = json.dumps([asdict(phone) for phone in phones], ensure_ascii=False, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


class _Loader(Connected):
    def __init__(self, connection: AsyncConnection, today: date, installation: Installation) -> None:
        super().__init__(connection, installation, _CLERK)
        self._t = installation.tables
        self._today = today
        self._places: dict[str, int] = {}
        self._products: dict[str, int] = {}
        self._officers: dict[str, int] = {}
        self._next_number = _FIRST_NUMBER
        self._receipts = 0

    async def load(self) -> None:
        for name, kind, parent in PLACES:
            self._places[name] = await self._add(
                self._t.locations,
                LocationUUID=new_uuid(),
                LocationCode=f"{kind}{len(self._places) + 1:03}",
                LocationName=name,
                LocationType=kind,
                ParentLocationId=self._places.get(parent),
                AuditUserId=_CLERK,
                ValidityFrom=self._moment(-1500),
            )
        for officer in OFFICERS:
            self._officers[officer.district] = await self._officer(officer)
        for product in PRODUCTS:
            self._products[product.code] = await self._add(
                self._t.products,
                ProdUUID=new_uuid(),
                ProductCode=product.code,
                ProductName=product.name,
                LocationId=self._places[product.place],
                InsurancePeriod=12,
                DateFrom=self._moment(-1500, time(0)),
                DateTo=self._moment(1500, time(0)),
                LumpSum=Money.parse(product.price).to_decimal(),
                MemberCount=6,
                AccCodePremiums=product.provider_code,
                GracePeriod=0,
                MaxInstallments=product.installments,
                **self._row(-1500),
            )
        for family in FAMILIES:
            await self._family(family)
        await self._commissions()

    async def _officer(self, officer: DemoOfficer) -> int:
        return await self._add(
            self._t.officers,
            OfficerUUID=new_uuid(),
            Code=officer.code,
            LastName=officer.last_name,
            OtherNames=officer.other_names,
            Phone=officer.phone,
            LocationId=self._places[officer.district],
            **self._row(-1500),
        )

    async def _family(self, family: DemoFamily) -> None:
        since = min((p.start_days(self._today) for p in family.policies), default=-30) - 3
        family_id = await self._add(
            self._t.families,
            FamilyUUID=new_uuid(),
            InsureeID=0,
            LocationId=self._places[family.village],
            isOffline=False,
            **self._row(since),
        )
        members = []
        for place, person in enumerate(family.people):
            other_names, last_name = person.name.rsplit(" ", 1)
            members.append(
                await self._add(
                    self._t.insurees,
                    InsureeUUID=new_uuid(),
                    FamilyID=family_id,
                    CHFID=with_check_digit(self._next_number),
                    LastName=last_name,
                    OtherNames=other_names,
                    DOB=add_months(self._today, -12 * person.age) - timedelta(days=40 + 17 * place),
                    Gender=person.gender,
                    IsHead=place == 0,
                    Phone=person.phone,
                    Relationship=None if place == 0 else _CHILD if person.age < 18 else _SPOUSE,
                    isOffline=False,
                    **self._row(since),
                )
            )
            self._next_number += 1
        await self._connection.execute(
            self._t.families.update().where(self._t.families.c.FamilyID == family_id).values(InsureeID=members[0])
        )
        for policy in family.policies:
            await self._policy(family, family_id, members, policy)

    async def _policy(self, family: DemoFamily, family_id: int, members: Sequence[int], policy: DemoPolicy) -> None:
        product = next(p for p in PRODUCTS if p.code == family.product)
        expiry = policy.expiry(self._today)
        start = add_months(expiry + timedelta(days=1), -12)
        entered = min(start, self._today - timedelta(days=2))  # an early renewal was entered before it starts
        paid = policy.status != PolicyStatus.IDLE
        dates = {"StartDate": start, "EffectiveDate": start if paid else None, "ExpiryDate": expiry}
        row = self._row((entered - self._today).days)
        policy_id = await self._add(
            self._t.policies,
            PolicyUUID=new_uuid(),
            FamilyID=family_id,
            ProdID=self._products[product.code],
            OfficerID=self._officers[family.district],
            PolicyStage=policy.stage,
            PolicyStatus=int(policy.status),
            PolicyValue=Money.parse(product.price).to_decimal(),
            EnrollDate=entered,
            isOffline=False,
            **dates,
            **row,
        )
        await self._connection.execute(
            insert(self._t.insuree_policies),
            [
                {
                    "InsureeID": insuree_id,
                    "PolicyId": policy_id,
                    "EnrollmentDate": entered,
                    "isOffline": False,
                    **dates,
                    **row,
                }
                for insuree_id in members
            ],
        )
        amount = policy.paid or (product.price if paid else None)
        if amount is not None:
            await self._premium(policy_id, amount, entered)
        if policy.prompted:
            await self._prompt(family, members[0], policy_id, expiry)

    async def _premium(self, policy_id: int, amount: str, day: date) -> None:
        self._receipts += 1
        await self._add(
            self._t.premiums,
            PremiumUUID=new_uuid(),
            PolicyID=policy_id,
            Amount=Money.parse(amount).to_decimal(),
            Receipt=f"DEMO-{self._receipts:05}",
            PayDate=day,
            PayType="C",
            isPhotoFee=False,
            isOffline=False,
            CreatedDate=self._moment((day - self._today).days),
            **self._row((day - self._today).days),
        )

    async def _commissions(self) -> None:
        """A report at ten per cent on what was paid of late, the last days aside; in a table of reports that is ours.

        openIMIS' own demands more of a report than is known here.
        """
        reports, premiums = self._t.reports, self._t.premiums
        there = (await self._connection.run_sync(survey)).tables
        if reports is None or reports.name not in there:
            return
        foreign = there[reports.name].columns.keys() - {column.name for column in reports.columns}
        if foreign or "ReportingCommissionID" not in there[premiums.name].columns:
            return
        first, last = self._today - timedelta(days=40), self._today - timedelta(days=5)
        report = await self._add(reports, CommissionRate=Decimal("0.10"))
        counted = premiums.update().where(premiums.c.PayDate.between(first, last))
        await self._connection.execute(counted.values(ReportingCommissionID=report))

    async def _prompt(self, family: DemoFamily, head_id: int, policy_id: int, expiry: date) -> None:
        await self._add(
            self._t.renewals,
            RenewalUUID=new_uuid(),
            RenewalPromptDate=expiry - timedelta(days=14),
            RenewalDate=expiry + timedelta(days=1),
            NewOfficerID=self._officers[family.district],
            PhoneNumber=OFFICERS[0].phone,
            SMSStatus=0,
            InsureeID=head_id,
            PolicyID=policy_id,
            NewProdID=self._products[family.product],
            RenewalWarnings=0,
            ResponseStatus=0,
            AuditCreateUser=0,
            ValidityFrom=self._moment(-1),
        )

    def _moment(self, days: int, at: time = time(9, 30)) -> datetime:
        return datetime.combine(self._today + timedelta(days=days), at, UTC)

    def _row(self, days: int) -> dict[str, Any]:
        return {"ValidityFrom": self._moment(days), "AuditUserID": self._audit_user_id}

    async def _add(self, table: Table, **values: Any) -> int:
        return await self._insert(table, values)
