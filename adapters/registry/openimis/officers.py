"""Reading enrolment officers: their phones, where they work, and what was collected on their policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, null, select

from adapters.registry.openimis.connected import Connected, padded
from adapters.registry.openimis.mapping import Tables
from gateway.domain.commission import Collected
from gateway.domain.money import Money
from gateway.domain.officers import Officer
from gateway.ports import OfficerPhone

MOST_PREMIUMS = 10_000  # of one officer in two months: ten times what one can collect
_FUNDING = "F"  # tblPremium.PayType of money that no officer collected; openIMIS' report leaves it out too


class TooManyPremiumsError(Exception):
    """An officer's premiums are more than can be: no sum is told rather than a part of it."""


class OfficerSql:
    """The statements of this part, over one installation's tables."""

    def __init__(self, t: Tables) -> None:
        officers = t.officers
        works_to: ColumnElement[Any] = officers.c.WorksTo if "WorksTo" in officers.c else null()
        self.phones = (
            select(officers.c.OfficerID, officers.c.Phone)
            .where(
                officers.c.OfficerID > bindparam("after"),
                officers.c.ValidityTo.is_(None),
                officers.c.Phone.is_not(None),
                officers.c.Phone != "",
            )
            .order_by(officers.c.OfficerID)
            .limit(bindparam("page"))
        )
        self.newest = select(func.max(officers.c.OfficerID))
        self.officers = select(
            officers.c.OfficerID,
            officers.c.Code,
            officers.c.OtherNames,
            officers.c.LastName,
            officers.c.Phone,
            officers.c.LocationId,
            works_to.label("LastDay"),
        ).where(officers.c.OfficerID.in_(bindparam("ids", expanding=True)), officers.c.ValidityTo.is_(None))
        self.village = None
        if t.officer_villages is not None:
            villages = t.officer_villages
            self.village = (
                select(villages.c.OfficerVillageId)
                .where(
                    villages.c.OfficerId == bindparam("officer"),
                    villages.c.LocationId.in_(bindparam("places", expanding=True)),
                    villages.c.ValidityTo.is_(None),
                )
                .limit(1)
            )
        self.collected = _collected(t)


def _collected(t: Tables) -> Select[Any]:
    """Each premium with the rate of its report, where this installation has reports and their rates.

    openIMIS' procedure writes CommissionRate; CammissionRate is an older column, which its own service reads.
    """
    policies, premiums, products, reports = t.policies, t.premiums, t.products, t.reports
    of_officer = policies.join(premiums, premiums.c.PolicyID == policies.c.PolicyID).outerjoin(
        products, products.c.ProdID == policies.c.ProdID
    )
    rate: ColumnElement[Any] = null()
    if reports is not None and "ReportingCommissionID" in premiums.c:
        rates = [reports.c[name] for name in ("CommissionRate", "CammissionRate") if name in reports.c]
        of_officer = of_officer.outerjoin(reports, reports.c.ReportingId == premiums.c.ReportingCommissionID)
        if rates:
            rate = func.coalesce(*rates) if len(rates) > 1 else rates[0]
    return (
        select(
            products.c.ProductCode,
            premiums.c.Amount,
            premiums.c.PayDate,
            rate.label("Rate"),
        )
        .select_from(of_officer)
        .where(
            policies.c.OfficerID == bindparam("officer"),
            policies.c.ValidityTo.is_(None),
            premiums.c.ValidityTo.is_(None),
            premiums.c.PayDate.between(bindparam("first"), bindparam("last")),
            premiums.c.PayType != _FUNDING,
        )
        .order_by(premiums.c.PremiumId)
        .limit(bindparam("page"))
    )


class Officers(Connected):
    """The part of the registry that knows enrolment officers."""

    async def officer_phones(self, after_officer_id: int, limit: int) -> Sequence[OfficerPhone]:
        """Live officers with a phone, by OfficerID, a page at a time; those who have left too."""
        rows = await self._connection.execute(self._sql.officers.phones, {"after": after_officer_id, "page": limit})
        return [OfficerPhone(*row) for row in rows]

    async def newest_officer(self) -> int:
        """The highest OfficerID there is, history rows included; 0 where there is none."""
        return int((await self._connection.execute(self._sql.officers.newest)).scalar_one() or 0)

    async def officers(self, officer_ids: Sequence[int]) -> Mapping[int, Officer]:
        """The live officers among these."""
        if not officer_ids:
            return {}
        rows = await self._connection.execute(self._sql.officers.officers, {"ids": padded(officer_ids)})
        return {row[0]: _officer(row) for row in rows}

    async def has_village(self, officer_id: int, location_ids: Sequence[int]) -> bool:
        """Whether one of these places is among the villages that are assigned to the officer."""
        if self._sql.officers.village is None or not location_ids:
            return False
        values = {"officer": officer_id, "places": padded(location_ids)}
        return (await self._connection.execute(self._sql.officers.village, values)).first() is not None

    async def collected(self, officer_id: int, first: date, last: date) -> Sequence[Collected]:
        """The live premiums of the officer's live policies that were paid on these days, funding aside.

        Raises TooManyPremiumsError beyond what an officer can collect.
        """
        values = {"officer": officer_id, "first": first, "last": last, "page": MOST_PREMIUMS + 1}
        rows = (await self._connection.execute(self._sql.officers.collected, values)).all()
        if len(rows) > MOST_PREMIUMS:
            raise TooManyPremiumsError(f"more than {MOST_PREMIUMS} premiums of one officer")
        return [
            Collected(code or "", Money.from_decimal(amount), paid_on, _rate(rate))
            for code, amount, paid_on, rate in rows
        ]


def _rate(value: Decimal | str | None) -> Decimal | None:
    return value if value is None or isinstance(value, Decimal) else Decimal(value)


def _officer(row: Any) -> Officer:
    officer_id, code, other_names, last_name, phone, location_id, works_to = row
    return Officer(
        id=officer_id,
        code=code or "",
        name=f"{other_names} {last_name}".strip(),
        phone=phone,
        location_id=location_id,
        works_to=works_to.date() if works_to is not None else None,  # written as midnight UTC, and read so
    )
