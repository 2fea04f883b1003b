"""When a policy starts and ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.money import Money
from gateway.domain.periods import Period, add_months, policy_period
from gateway.domain.policy import NEW, RENEWAL, Product

D = date
FREE = Product(1, "CHFDOM", "CHF", Money.parse("30000"), 6, 12, D(2020, 1, 1), D(2040, 12, 31))
CYCLES = replace(FREE, start_cycles=((1, 1), (1, 7)))


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        (D(2026, 1, 31), 1, D(2026, 2, 28)),
        (D(2028, 1, 31), 1, D(2028, 2, 29)),
        (D(2028, 2, 29), 12, D(2029, 2, 28)),
        (D(2028, 2, 29), -12, D(2027, 2, 28)),
        (D(2028, 2, 29), 48, D(2032, 2, 29)),
        (D(2026, 3, 31), -1, D(2026, 2, 28)),
        (D(2026, 12, 15), 1, D(2027, 1, 15)),
        (D(2026, 1, 15), -1, D(2025, 12, 15)),
        (D(2026, 12, 1), 0, D(2026, 12, 1)),
        (D(2026, 12, 31), -12, D(2025, 12, 31)),
    ],
)
def test_months_are_added_as_sql_does(day: date, months: int, then: date) -> None:
    assert add_months(day, months) == then


@pytest.mark.parametrize(
    ("product", "day", "stage", "preceding", "start", "expiry"),
    [
        # openIMIS e17: the year from the enrolment day
        (FREE, D(2026, 11, 22), NEW, None, D(2026, 11, 22), D(2027, 11, 21)),
        (FREE, D(2028, 2, 29), NEW, None, D(2028, 2, 29), D(2029, 2, 27)),
        (replace(FREE, insurance_period=6), D(2026, 8, 31), NEW, None, D(2026, 8, 31), D(2027, 2, 27)),
        # renewal: never over what runs, at once after what has ended
        (FREE, D(2026, 11, 22), RENEWAL, D(2026, 11, 29), D(2026, 11, 30), D(2027, 11, 29)),
        (FREE, D(2026, 11, 22), RENEWAL, D(2026, 11, 22), D(2026, 11, 23), D(2027, 11, 22)),
        (FREE, D(2026, 11, 22), RENEWAL, D(2026, 11, 21), D(2026, 11, 22), D(2027, 11, 21)),
        (FREE, D(2026, 11, 22), RENEWAL, D(2024, 1, 1), D(2026, 11, 22), D(2027, 11, 21)),
        (FREE, D(2026, 11, 22), RENEWAL, None, D(2026, 11, 22), D(2027, 11, 21)),
        # the administration period delays new policies only
        (replace(FREE, administration_period=1), D(2026, 1, 31), NEW, None, D(2026, 2, 28), D(2027, 2, 27)),
        (replace(FREE, administration_period=1), D(2026, 1, 31), RENEWAL, None, D(2026, 1, 31), D(2027, 1, 30)),
        # cycles: the first that has not begun, its first day included; past the last, next year's first
        (CYCLES, D(2026, 3, 1), NEW, None, D(2026, 7, 1), D(2027, 6, 30)),
        (CYCLES, D(2026, 7, 1), NEW, None, D(2026, 7, 1), D(2027, 6, 30)),
        (CYCLES, D(2026, 7, 2), NEW, None, D(2027, 1, 1), D(2027, 12, 31)),
        (CYCLES, D(2026, 1, 1), RENEWAL, None, D(2026, 1, 1), D(2026, 12, 31)),
        (CYCLES, D(2026, 11, 22), RENEWAL, D(2026, 12, 31), D(2027, 1, 1), D(2027, 12, 31)),
        # each stage has a grace of its own
        (replace(CYCLES, grace_period=1), D(2026, 8, 1), NEW, None, D(2026, 7, 1), D(2027, 6, 30)),
        (replace(CYCLES, grace_period=1), D(2026, 8, 2), NEW, None, D(2027, 1, 1), D(2027, 12, 31)),
        (replace(CYCLES, grace_period=1), D(2026, 8, 1), RENEWAL, None, D(2027, 1, 1), D(2027, 12, 31)),
        (replace(CYCLES, grace_period_renewal=2), D(2026, 9, 1), RENEWAL, None, D(2026, 7, 1), D(2027, 6, 30)),
        (replace(CYCLES, grace_period=1), D(2027, 1, 15), NEW, None, D(2027, 1, 1), D(2027, 12, 31)),
        # a cycle in its grace that began while the last cover still ran
        (
            replace(CYCLES, grace_period_renewal=2),
            D(2026, 8, 10),
            RENEWAL,
            D(2026, 7, 31),
            D(2026, 8, 1),
            D(2027, 7, 31),
        ),
        # a cycle day that a year lacks
        (replace(FREE, start_cycles=((29, 2),)), D(2026, 2, 1), NEW, None, D(2026, 2, 28), D(2027, 2, 27)),
        (replace(FREE, start_cycles=((29, 2),)), D(2028, 2, 29), NEW, None, D(2028, 2, 29), D(2029, 2, 27)),
    ],
)
def test_period(product: Product, day: date, stage: str, preceding: date | None, start: date, expiry: date) -> None:
    assert policy_period(product, day, stage, preceding) == Period(start, expiry)


days = st.dates(D(2020, 1, 1), D(2035, 12, 31))
cycles = st.lists(st.tuples(st.integers(1, 28), st.integers(1, 12)), max_size=4, unique=True).map(tuple)
products = st.builds(
    lambda period, administration, grace, renewal_grace, starts: replace(
        FREE,
        insurance_period=period,
        administration_period=administration,
        grace_period=grace,
        grace_period_renewal=renewal_grace,
        start_cycles=tuple(sorted(starts, key=lambda c: (c[1], c[0]))),
    ),
    st.integers(1, 36),
    st.integers(0, 6),
    st.integers(0, 12),
    st.integers(0, 12),
    cycles,
)


@given(products, days, st.sampled_from([NEW, RENEWAL]), st.none() | days)
def test_covers_never_overlap(product: Product, day: date, stage: str, preceding: date | None) -> None:
    period = policy_period(product, day, stage, preceding)
    assert preceding is None or period.start > preceding
    assert period.expiry == add_months(period.start, product.insurance_period) - timedelta(days=1)
    assert period.start <= period.expiry


@given(products, days, st.sampled_from([NEW, RENEWAL]))
def test_without_grace_no_cover_starts_before_it_was_asked_for(product: Product, day: date, stage: str) -> None:
    strict = replace(product, grace_period=0, grace_period_renewal=0)
    assert policy_period(strict, day, stage).start >= day
    if product.start_cycles:
        start = policy_period(strict, day, stage).start
        assert (start.day, start.month) in product.start_cycles


@given(products, days, days, st.sampled_from([NEW, RENEWAL]))
def test_who_asks_later_does_not_start_earlier(product: Product, one: date, other: date, stage: str) -> None:
    first, second = sorted((one, other))
    assert policy_period(product, first, stage).start <= policy_period(product, second, stage).start


@given(days, days)
def test_renewing_early_loses_no_day(day: date, preceding: date) -> None:
    period = policy_period(FREE, day, RENEWAL, preceding)
    assert period.start == max(day, preceding + timedelta(days=1))


@given(st.dates(D(1950, 1, 1), D(2090, 1, 1)), st.integers(-300, 300))
def test_adding_months_moves_the_month(day: date, months: int) -> None:
    then = add_months(day, months)
    assert (then.year * 12 + then.month) - (day.year * 12 + day.month) == months
    assert then.day == day.day or (then.day < day.day and (then + timedelta(days=1)).day == 1)
