"""Products, families and dates to price: generated from a seed, and told to openIMIS and to us."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from gateway.domain.money import Money
from gateway.domain.periods import add_months
from gateway.domain.policy import NEW, RENEWAL, Family, Member, Product

PLAIN = Product(1, "CHFDOM", "CHF", Money.parse("30000"), 6, 12, date(2020, 1, 1), date(2040, 12, 31))
_CYCLE_DAYS = ((1, 1), (15, 1), (31, 1), (28, 2), (29, 2), (1, 4), (30, 6), (1, 7), (31, 8), (1, 10), (31, 12))
_AWKWARD_DAYS = ((1, 1), (31, 1), (28, 2), (29, 2), (1, 3), (31, 3), (30, 4), (31, 5), (31, 8), (30, 11), (31, 12))
_AMOUNTS = ("0", "0.05", "333.33", "1000", "2000", "5000", "12345.67")


@dataclass(frozen=True)
class Case:
    """One question. ``today`` is the day of asking: the screens let a clerk enter an enrolment of an earlier day."""

    product: Product
    family: Family
    stage: str
    enrol_day: date
    today: date
    preceding_expiry: date | None
    spelling: int = 0  # which of NULL and nought (or nothing) stands where the product has no value

    def has(self, relationship: int) -> bool:
        """Whether anybody in the family is of this relation."""
        return any(member.relationship == relationship for member in self.family.members)

    def for_openimis(self) -> dict[str, Any]:
        """As openimis/values.py takes it."""
        return {
            "today": self.today.isoformat(),
            "enroll_date": self.enrol_day.isoformat(),
            "stage": self.stage,
            "product": dict(self._fields()),
            "members": [[m.date_of_birth.isoformat(), m.relationship] for m in self.family.members],
            "previous_expiry": self.preceding_expiry.isoformat() if self.preceding_expiry else None,
        }

    def _fields(self) -> Iterator[tuple[str, Any]]:
        product, spelling = self.product, Random(self.spelling)
        yield "lump_sum", str(product.lump_sum.to_decimal())
        yield "max_members", product.member_count
        yield "insurance_period", product.insurance_period
        yield "grace_period_enrolment", product.grace_period
        for field, money in (
            ("premium_adult", product.premium_adult),
            ("premium_child", product.premium_child),
            ("general_assembly_lump_sum", product.assembly_lump_sum),
            ("general_assembly_fee", product.assembly_fee),
            ("registration_lump_sum", product.registration_lump_sum),
            ("registration_fee", product.registration_fee),
        ):
            yield field, str(money.to_decimal()) if money else spelling.choice((None, "0.00"))
        for field, number in (
            ("threshold", product.threshold),
            ("administration_period", product.administration_period),
            ("grace_period_renewal", product.grace_period_renewal),
            ("enrolment_discount_perc", product.enrolment_discount_percent),
            ("enrolment_discount_period", product.enrolment_discount_period),
            ("renewal_discount_perc", product.renewal_discount_percent),
            ("renewal_discount_period", product.renewal_discount_period),
        ):
            yield field, number or spelling.choice((None, 0))
        missing = [spelling.choice((None, "")) for _ in range(4)]
        cycles = [f"{day:02}-{month:02}" for day, month in product.start_cycles]
        for number, cycle in enumerate((cycles + missing)[:4], 1):
            yield f"start_cycle_{number}", cycle


def family_of(*members: tuple[date, int | None]) -> Family:
    """The first is the head."""
    people = tuple(
        Member(number, f"{number:09}", "Mushi", "Asha", born, relationship, number == 0)
        for number, (born, relationship) in enumerate(members)
    )
    return Family(1, people[0], people)


def _product(chance: Random) -> Product:
    cycles = sorted(chance.sample(_CYCLE_DAYS, chance.choice((0, 0, 0, 1, 2, 3, 4))), key=lambda c: (c[1], c[0]))
    if chance.random() < 0.1:
        chance.shuffle(cycles)

    def money() -> Money | None:
        return Money.parse(chance.choice(_AMOUNTS)) if chance.random() < 0.6 else None

    return replace(
        PLAIN,
        lump_sum=Money.parse(chance.choice(("0", "0", "30000", "20000.50", "0.45"))),
        member_count=chance.choice((0, 1, 2, 4, 6, 6, 10)),
        insurance_period=chance.choice((12, 12, 12, 1, 3, 6, 9, 18, 24)),
        premium_adult=money(),
        premium_child=money(),
        threshold=chance.choice((0, 0, 1, 2, 4, 8)),
        registration_lump_sum=money(),
        registration_fee=money(),
        assembly_lump_sum=money(),
        assembly_fee=money(),
        administration_period=chance.choice((0, 0, 1, 2, 6)),
        grace_period=chance.choice((0, 0, 1, 2, 3)),
        grace_period_renewal=chance.choice((0, 0, 1, 2, 3)),
        start_cycles=tuple(cycles),
        enrolment_discount_percent=chance.choice((0, 10, 33, 100)),
        enrolment_discount_period=chance.choice((0, 1, 2, 3)),
        renewal_discount_percent=chance.choice((0, 10, 33, 100)),
        renewal_discount_period=chance.choice((0, 1, 2, 3)),
    )


def _day(chance: Random) -> date:
    year = chance.randint(2023, 2029)
    if chance.random() < 0.35:
        day, month = chance.choice(_AWKWARD_DAYS)
        return date(year, month, day) if (day, month) != (29, 2) else date(2024 if year < 2027 else 2028, 2, 29)
    return date(year, 1, 1) + timedelta(days=chance.randrange(365))


def _born(chance: Random, enrol_day: date) -> date:
    if chance.random() < 0.25:  # about the eighteenth birthday
        return add_months(enrol_day, -18 * 12) + timedelta(days=chance.choice((-1, 0, 1)))
    return enrol_day - timedelta(days=chance.randrange(1, 80 * 365))


def _case(chance: Random) -> Case:
    enrol_day = _day(chance)
    today = enrol_day if chance.random() < 0.85 else enrol_day + timedelta(days=chance.randrange(1, 400))
    stage = chance.choice((NEW, RENEWAL, RENEWAL))
    preceding: date | None = None
    if chance.random() < (0.9 if stage == RENEWAL else 0.1):
        preceding = enrol_day + timedelta(days=chance.choice((-400, -60, -30, -1, -1, 0, 1, 14, 31, 62, 100, 300)))
    # relation 7 is in few families, as each such family is a difference
    relations = (1, 2, 3, 4, 4, 4, 5, 6, 8, 8) if chance.random() < 0.8 else (4, 7, 7, 8)
    members = [(_born(chance, enrol_day), None)]
    others = [(_born(chance, enrol_day), chance.choice(relations)) for _ in range(chance.randrange(9))]
    return Case(
        _product(chance), family_of(*members, *others), stage, enrol_day, today, preceding, chance.randrange(99)
    )


def generated(seed: int, count: int) -> Sequence[Case]:
    """The same cases every time."""
    chance = Random(seed)
    return [_case(chance) for _ in range(count)]
