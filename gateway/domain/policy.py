"""The registry's things as values: product, family, member, policy, premium. Names and numbers are openIMIS'."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum

from gateway.domain.money import Money


class PolicyStatus(IntEnum):
    """tblPolicy.PolicyStatus. It says little alone: expired policies keep 2 until a nightly job; ask the dates."""

    IDLE = 1
    ACTIVE = 2
    SUSPENDED = 4
    EXPIRED = 8
    READY = 16


NEW, RENEWAL = "N", "R"  # tblPolicy.PolicyStage
OTHER_RELATION = 7  # tblRelations 7 "Others": outside the normal family count
READY_FIRST = 3  # tblIMISDefaults.ActivationOption: a paid policy becomes READY instead of ACTIVE


@dataclass(frozen=True, slots=True)
class Product:
    """tblProduct as far as prices and periods need it. Periods in months, percentages as whole numbers."""

    id: int
    code: str
    name: str
    lump_sum: Money
    member_count: int
    insurance_period: int
    date_from: date
    date_to: date
    location_id: int | None = None  # None: sold everywhere; else a region or a district
    provider_code: str | None = None  # AccCodePremiums: the service provider's code at the payment gateway
    conversion_product_id: int | None = None
    premium_adult: Money | None = None
    premium_child: Money | None = None
    threshold: int = 0
    registration_lump_sum: Money | None = None
    registration_fee: Money | None = None
    assembly_lump_sum: Money | None = None
    assembly_fee: Money | None = None
    administration_period: int = 0
    grace_period: int = 0
    grace_period_renewal: int = 0
    max_installments: int = 0
    start_cycles: tuple[tuple[int, int], ...] = ()  # (day, month), in the registry's order
    enrolment_discount_percent: int = 0
    enrolment_discount_period: int = 0
    renewal_discount_percent: int = 0
    renewal_discount_period: int = 0

    def sold_on(self, day: date) -> bool:
        """Whether the product may be enrolled in on this day."""
        return self.date_from <= day <= self.date_to


@dataclass(frozen=True, slots=True)
class Member:
    """A live tblInsuree row."""

    insuree_id: int
    chfid: str
    last_name: str
    other_names: str
    date_of_birth: date
    relationship: int | None = None
    is_head: bool = False
    phone: str | None = None  # as spelt in the registry


@dataclass(frozen=True, slots=True)
class Family:
    """A live tblFamilies row with its live members, in the order in which they joined."""

    id: int
    head: Member
    members: tuple[Member, ...]
    location_ids: tuple[int, ...] = ()  # village, ward, district, region


@dataclass(frozen=True, slots=True)
class Policy:
    """A live tblPolicy row and the sum of its live premiums (photo fees aside)."""

    id: int
    family_id: int
    product_id: int
    status: int
    stage: str
    enroll_date: date
    start_date: date
    effective_date: date | None
    expiry_date: date | None  # production data holds NULLs (openIMIS uspMatchPayment writes them)
    value: Money
    paid: Money
    officer_id: int | None = None

    @property
    def reach(self) -> date:
        """How far its cover reaches, to tell the last of several. What has expired on an unknown day reaches nowhere:
        it must not hide a cover that still runs."""
        if self.expiry_date is not None:
            return self.expiry_date
        return date.min if self.status == PolicyStatus.EXPIRED else self.start_date

    def ended_before(self, day: date) -> bool:
        """Whether the cover ended before this day; the expiry day itself is still covered."""
        return self.expiry_date is not None and self.expiry_date < day


@dataclass(frozen=True, slots=True)
class NewPolicy:
    """A policy to be born idle, with one coverage row per insuree."""

    family_id: int
    product_id: int
    stage: str
    enroll_date: date
    start_date: date
    expiry_date: date
    value: Money
    officer_id: int | None
    insuree_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NewPremium:
    """A tblPremium row to be. ``receipt`` is unique per product."""

    amount: Money
    receipt: str
    pay_date: date
    pay_type: str = "M"  # mobile phone; B bank transfer
