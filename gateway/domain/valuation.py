"""What a policy costs. Source: openIMIS be-policy ``policy_values``; where it and the old
stored procedure differ, the Python one, which was executed, wins ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.domain.money import Money
from gateway.domain.periods import Period, add_months
from gateway.domain.policy import NEW, OTHER_RELATION, RENEWAL, Family, Member, Product

AGE_OF_MAJORITY = 18


@dataclass(frozen=True, slots=True)
class _Heads:
    """Who is counted: ordinary members inside the household's threshold, those beyond it, and other relations."""

    adults: int
    children: int
    extra_adults: int
    extra_children: int
    other_adults: int
    other_children: int

    @property
    def total(self) -> int:
        return (
            self.adults
            + self.children
            + self.extra_adults
            + self.extra_children
            + self.other_adults
            + self.other_children
        )


def policy_value(
    product: Product, family: Family, stage: str, enrol_day: date, period: Period, preceding_expiry: date | None = None
) -> Money:
    """The amount due for one policy: contribution, general assembly, registration (new only), less discounts."""
    heads = _count(product, family.members, enrol_day)
    total = _contribution(product, heads)
    total += _lump_or_per_head(product.assembly_lump_sum, product.assembly_fee, heads.total)
    if stage == NEW:
        total += _lump_or_per_head(product.registration_lump_sum, product.registration_fee, heads.total)
    percent = _discount_percent(product, stage, enrol_day, period, preceding_expiry)
    value = (total * (100 - percent) + 50) // 100  # half up, as numeric(18,2) stores it
    return Money(value, product.lump_sum.currency)


def _minor(money: Money | None) -> int:
    return money.amount_minor if money else 0


def _count(product: Product, members: Sequence[Member], day: date) -> _Heads:
    """MemberCount is filled with adults first, then children, then other relations' children and adults.

    The order of joining decides nothing here (openIMIS ``family_counts``). Members beyond it are not charged for,
    and are covered all the same: openIMIS writes a coverage row for each.
    """
    born_before = add_months(day, -AGE_OF_MAJORITY * 12)  # on the eighteenth birthday still a child, as in openIMIS
    groups = Counter((m.relationship == OTHER_RELATION, m.date_of_birth < born_before) for m in members)
    room = product.member_count if product.member_count > 0 else len(members)
    taken: dict[tuple[bool, bool], int] = {}
    for group in ((False, True), (False, False), (True, False), (True, True)):
        taken[group] = min(groups[group], room)
        room -= taken[group]
    adults, children = taken[False, True], taken[False, False]
    threshold = product.threshold if product.threshold > 0 else adults + children
    inside_adults = min(adults, threshold)
    inside_children = min(children, threshold - inside_adults)
    return _Heads(
        adults=inside_adults,
        children=inside_children,
        extra_adults=adults - inside_adults,
        extra_children=children - inside_children,
        other_adults=taken[True, True],
        other_children=taken[True, False],
    )


def _contribution(product: Product, heads: _Heads) -> int:
    """With a lump sum, members beyond the threshold are charged; without one they are free. Others always pay."""
    adult_price, child_price = _minor(product.premium_adult), _minor(product.premium_child)
    others = heads.other_adults * adult_price + heads.other_children * child_price
    if product.lump_sum:
        extras = heads.extra_adults * adult_price + heads.extra_children * child_price
        return product.lump_sum.amount_minor + extras + others
    return heads.adults * adult_price + heads.children * child_price + others


def _lump_or_per_head(lump_sum: Money | None, fee: Money | None, heads: int) -> int:
    return _minor(lump_sum) or heads * _minor(fee)


def _discount_percent(
    product: Product, stage: str, enrol_day: date, period: Period, preceding_expiry: date | None
) -> int:
    """A percentage without a period of months gives no discount (openIMIS ``has_renewal_discount``)."""
    if stage == NEW and product.start_cycles and product.enrolment_discount_period:
        deadline = add_months(period.start, -product.enrolment_discount_period)
        return product.enrolment_discount_percent if enrol_day <= deadline else 0
    if stage == RENEWAL and product.renewal_discount_period:
        renewal_day = preceding_expiry + timedelta(days=1) if preceding_expiry else period.start
        deadline = add_months(renewal_day, -product.renewal_discount_period)
        return product.renewal_discount_percent if enrol_day <= deadline else 0
    return 0
