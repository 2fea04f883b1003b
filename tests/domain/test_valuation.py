"""What a policy costs. The expected sums follow openIMIS be-policy's counting, worked out by hand."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.money import Money
from gateway.domain.periods import Period
from gateway.domain.policy import NEW, RENEWAL, Family, Member, Product
from gateway.domain.valuation import policy_value

TODAY = date(2026, 11, 22)
PERIOD = Period(TODAY, date(2027, 11, 21))
LUMP = Product(1, "CHFDOM", "CHF", Money.parse("30000"), 6, 12, date(2020, 1, 1), date(2040, 12, 31))
HEADS = replace(LUMP, lump_sum=Money(0), premium_adult=Money.parse("5000"), premium_child=Money.parse("2000"))
BIRTHS = {"A": date(1980, 5, 5), "C": date(2015, 5, 5), "a": date(1980, 5, 5), "c": date(2015, 5, 5)}


def family(shape: str) -> Family:
    """A adult, C child; small letters are other relations."""
    members = tuple(
        Member(i, f"{i:09}", "Mushi", "Asha", BIRTHS[kind], 7 if kind.islower() else 4, i == 0)
        for i, kind in enumerate(shape)
    )
    return Family(1, members[0], members)


def value(product: Product, shape: str, stage: str = RENEWAL, **more: Any) -> str:
    period = more.pop("period", PERIOD)
    day = more.pop("day", TODAY)
    return str(policy_value(product, family(shape), stage, day, period, **more))


@pytest.mark.parametrize(
    ("product", "shape", "amount"),
    [
        # openIMIS e17: a lump sum is for all, and more than MemberCount are only warned of
        (LUMP, "A", "30,000"),
        (LUMP, "AACCCC", "30,000"),
        (LUMP, "AACCCCCC", "30,000"),
        # by head
        (HEADS, "A", "5,000"),
        (HEADS, "AACC", "14,000"),
        (HEADS, "AACCac", "21,000"),
        (HEADS, "AACCCCCC", "18,000"),  # the seventh and eighth are left out
        (replace(HEADS, premium_child=None), "AACC", "10,000"),
        # MemberCount is filled with adults, children, other children, other adults, in whatever order they joined
        (replace(HEADS, member_count=3), "ACCCA", "12,000"),
        (replace(HEADS, member_count=3), "AaacC", "9,000"),
        (replace(HEADS, member_count=4), "AaacC", "14,000"),
        (replace(HEADS, member_count=0), "AAAAAAAA", "40,000"),
        # threshold with a lump sum: those beyond it are charged, adults keep their places first
        (replace(HEADS, lump_sum=Money.parse("20000"), threshold=2), "AA", "20,000"),
        (replace(HEADS, lump_sum=Money.parse("20000"), threshold=2), "AAAC", "27,000"),
        (replace(HEADS, lump_sum=Money.parse("20000"), threshold=2), "ACCC", "24,000"),
        (replace(HEADS, lump_sum=Money.parse("20000"), threshold=9), "AACC", "20,000"),
        (replace(HEADS, lump_sum=Money.parse("20000"), threshold=2), "AACac", "29,000"),
        (replace(HEADS, lump_sum=Money.parse("20000")), "AAac", "27,000"),
        # threshold without one: those beyond it are free, other relations never are
        (replace(HEADS, threshold=2), "AAAC", "10,000"),
        (replace(HEADS, threshold=2), "ACCC", "7,000"),
        (replace(HEADS, threshold=1), "AAa", "10,000"),
    ],
)
def test_contribution(product: Product, shape: str, amount: str) -> None:
    assert value(product, shape) == amount


@pytest.mark.parametrize(
    ("fees", "stage", "amount"),
    [
        ({"registration_lump_sum": "1000"}, NEW, "31,000"),
        ({"registration_lump_sum": "1000"}, RENEWAL, "30,000"),
        ({"registration_fee": "100"}, NEW, "30,300"),
        ({"registration_lump_sum": "1000", "registration_fee": "100"}, NEW, "31,000"),
        ({"registration_lump_sum": "0", "registration_fee": "100"}, NEW, "30,300"),
        ({"assembly_lump_sum": "500"}, RENEWAL, "30,500"),
        ({"assembly_fee": "50"}, RENEWAL, "30,150"),
        ({"assembly_fee": "50", "registration_fee": "100"}, NEW, "30,450"),
    ],
)
def test_fees(fees: dict[str, str], stage: str, amount: str) -> None:
    product = replace(LUMP, **{name: Money.parse(text) for name, text in fees.items()})
    assert value(product, "AAC", stage) == amount


def test_fees_are_for_the_counted_only() -> None:
    assert value(replace(LUMP, assembly_fee=Money.parse("50")), "AACCCCCC") == "30,300"


@pytest.mark.parametrize(
    ("enrolled", "amount"), [(date(2026, 10, 1), "27,000"), (date(2026, 10, 2), "30,000"), (TODAY, "30,000")]
)
def test_discount_for_enrolling_before_the_cycle(enrolled: date, amount: str) -> None:
    product = replace(LUMP, start_cycles=((1, 1),), enrolment_discount_percent=10, enrolment_discount_period=3)
    period = Period(date(2027, 1, 1), date(2027, 12, 31))
    assert value(product, "A", NEW, day=enrolled, period=period) == amount
    assert value(product, "A", RENEWAL, day=enrolled, period=period) == "30,000"
    assert value(replace(product, start_cycles=()), "A", NEW, day=enrolled, period=period) == "30,000"
    no_period = replace(product, enrolment_discount_period=0)
    assert value(no_period, "A", NEW, day=enrolled, period=period) == "30,000"


@pytest.mark.parametrize(
    ("day", "preceding", "amount"),
    [
        (date(2026, 10, 22), date(2026, 11, 21), "28,500"),  # a month before the day after the expiry
        (date(2026, 10, 23), date(2026, 11, 21), "30,000"),
        (TODAY, date(2026, 12, 31), "28,500"),
        (TODAY, date(2026, 11, 1), "30,000"),
        (TODAY, None, "30,000"),
    ],
)
def test_discount_for_renewing_early(day: date, preceding: date | None, amount: str) -> None:
    product = replace(LUMP, renewal_discount_percent=5, renewal_discount_period=1)
    assert value(product, "A", RENEWAL, day=day, preceding_expiry=preceding) == amount
    assert value(product, "A", NEW, day=day, preceding_expiry=preceding) == "30,000"
    assert value(replace(product, renewal_discount_period=0), "A", day=day, preceding_expiry=preceding) == "30,000"


@pytest.mark.parametrize(
    ("lump_sum", "percent", "left"), [("0.01", 50, "0.01"), ("0.03", 50, "0.02"), ("1", 33, "0.67")]
)
def test_half_a_senti_is_rounded_up(lump_sum: str, percent: int, left: str) -> None:
    product = replace(LUMP, lump_sum=Money.parse(lump_sum), renewal_discount_percent=percent, renewal_discount_period=1)
    assert value(product, "A", RENEWAL, preceding_expiry=date(2027, 3, 1)) == left


@pytest.mark.parametrize(
    ("born", "amount"),
    [
        (date(2008, 11, 21), "5,000"),
        (date(2008, 11, 22), "2,000"),  # on the eighteenth birthday openIMIS still counts a child
        (date(2008, 11, 23), "2,000"),
        (date(1900, 1, 1), "5,000"),
    ],
)
def test_majority(born: date, amount: str) -> None:
    member = Member(1, "000000011", "Mushi", "Asha", born)
    assert str(policy_value(HEADS, Family(1, member, (member,)), RENEWAL, TODAY, PERIOD)) == amount


def test_the_currency_is_the_products() -> None:
    product = replace(LUMP, lump_sum=Money.parse("10", "USD"))
    assert policy_value(product, family("A"), NEW, TODAY, PERIOD) == Money.parse("10", "USD")


shapes = st.text(alphabet="ACac", min_size=1, max_size=10)
amounts = st.integers(0, 10**9).map(Money)
priced = st.builds(
    lambda lump, adult, child, count, threshold, fee: replace(
        LUMP,
        lump_sum=lump,
        premium_adult=adult,
        premium_child=child,
        member_count=count,
        threshold=threshold,
        assembly_fee=fee,
    ),
    amounts,
    amounts,
    amounts,
    st.integers(0, 8),
    st.integers(0, 8),
    amounts,
)


@given(priced, shapes, st.randoms())
def test_the_price_does_not_depend_on_who_joined_first(product: Product, shape: str, rng: random.Random) -> None:
    shuffled = list(shape)
    rng.shuffle(shuffled)
    assert value(product, shape) == value(product, "".join(shuffled))


@given(priced, shapes, st.sampled_from([NEW, RENEWAL]))
def test_one_more_member_never_makes_it_cheaper_without_limits(product: Product, shape: str, stage: str) -> None:
    free = replace(product, member_count=0, threshold=0)
    before = policy_value(free, family(shape), stage, TODAY, PERIOD)
    assert policy_value(free, family(shape + "C"), stage, TODAY, PERIOD) >= before
    assert before >= free.lump_sum


@given(priced, shapes, st.integers(0, 100))
def test_a_discount_takes_its_share(product: Product, shape: str, percent: int) -> None:
    full = policy_value(product, family(shape), RENEWAL, TODAY, PERIOD)
    cheap = replace(product, renewal_discount_percent=percent, renewal_discount_period=1)
    left = policy_value(cheap, family(shape), RENEWAL, TODAY, PERIOD, date(2027, 6, 1))
    assert abs(left.amount_minor * 100 - full.amount_minor * (100 - percent)) <= 50
