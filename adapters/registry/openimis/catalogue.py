"""Reading what is sold, and how the scheme activates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from adapters.registry.openimis.connected import Connected
from adapters.registry.openimis.mapping import Tables
from gateway.domain.money import Money
from gateway.domain.policy import Product

CONTRIBUTION = 1  # the modular openIMIS' default: a policy becomes active by its contributions
_CYCLE = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class CatalogueSql:
    """The statements of this part, over one installation's tables."""

    def __init__(self, t: Tables) -> None:
        self.products = select(t.products).where(t.products.c.ValidityTo.is_(None)).order_by(t.products.c.ProdID)
        self.activation = None if t.defaults is None else select(t.defaults.c.ActivationOption).limit(1)


class Catalogue(Connected):
    """The part of the registry that knows products and settings."""

    async def products(self) -> Sequence[Product]:
        """Every live product, by ProdID, on sale or not."""
        return [_product(row) for row in (await self._connection.execute(self._sql.catalogue.products)).mappings()]

    async def activation_option(self) -> int:
        """tblIMISDefaults.ActivationOption; 1 where the installation has no such table or row."""
        activation = self._sql.catalogue.activation
        if activation is None:
            return CONTRIBUTION
        found = (await self._connection.execute(activation)).scalar_one_or_none()
        return CONTRIBUTION if found is None else int(found)


def _product(row: Any) -> Product:
    return Product(
        id=row["ProdID"],
        code=row["ProductCode"],
        name=row["ProductName"],
        lump_sum=Money.from_decimal(row["LumpSum"]),
        member_count=row["MemberCount"],
        insurance_period=row["InsurancePeriod"],
        date_from=row["DateFrom"].date(),  # written as midnight UTC, and read so
        date_to=row["DateTo"].date(),
        location_id=row["LocationId"],
        provider_code=row["AccCodePremiums"] or None,
        conversion_product_id=row["ConversionProdID"],
        premium_adult=_money(row["PremiumAdult"]),
        premium_child=_money(row["PremiumChild"]),
        threshold=row["Threshold"] or 0,
        registration_lump_sum=_money(row["RegistrationLumpSum"]),
        registration_fee=_money(row["RegistrationFee"]),
        assembly_lump_sum=_money(row["GeneralAssemblyLumpSum"]),
        assembly_fee=_money(row["GeneralAssemblyFee"]),
        administration_period=row["AdministrationPeriod"] or 0,
        grace_period=row["GracePeriod"],
        grace_period_renewal=row["GracePeriodRenewal"] or 0,
        max_installments=row["MaxInstallments"] or 0,
        start_cycles=_cycles(row["StartCycle1"], row["StartCycle2"], row["StartCycle3"], row["StartCycle4"]),
        enrolment_discount_percent=row["EnrolmentDiscountPerc"] or 0,
        enrolment_discount_period=row["EnrolmentDiscountPeriod"] or 0,
        renewal_discount_percent=row["RenewalDiscountPerc"] or 0,
        renewal_discount_period=row["RenewalDiscountPeriod"] or 0,
    )


def _money(value: Decimal | None) -> Money | None:
    return None if value is None else Money.from_decimal(value)


def _cycles(*texts: str | None) -> tuple[tuple[int, int], ...]:
    """The ``dd-MM`` cycles that name a day; empty and unreadable ones are passed over."""
    found = []
    for text in texts:
        match = _CYCLE.fullmatch((text or "").strip())
        if match is None:
            continue
        day, month = int(match.group(1)), int(match.group(2))
        if 1 <= month <= len(_DAYS_IN_MONTH) and 1 <= day <= _DAYS_IN_MONTH[month - 1]:
            found.append((day, month))
    return tuple(found)
