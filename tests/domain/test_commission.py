"""An officer's commission of a month."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.commission import Collected, Reckoning, month, month_before, reckon
from gateway.domain.money import Money

NOVEMBER = date(2026, 11, 1)


def premium(amount: str, rate: str | None = "0.10", code: str = "CHFDOM", day: date = NOVEMBER) -> Collected:
    return Collected(code, Money.parse(amount), day, None if rate is None else Decimal(rate))


@pytest.mark.parametrize(
    ("premiums", "state", "lines", "total", "collected", "still_open"),
    [
        ([], "nothing", [], "0", "0", "0"),
        ([premium("30000")], "reckoned", ["CHFDOM 30,000 0.10 3,000"], "3,000", "30,000", "0"),
        ([premium("30000")] * 3, "reckoned", ["CHFDOM 90,000 0.10 9,000"], "9,000", "90,000", "0"),
        ([premium("30000", None)], "collected", ["CHFDOM 30,000 - 0"], "0", "30,000", "30,000"),
        (
            [premium("30000"), premium("150000", "0.05", "CHFDAR"), premium("10000", None)],
            "partly",
            ["CHFDAR 150,000 0.05 7,500", "CHFDOM 30,000 0.10 3,000", "CHFDOM 10,000 - 0"],
            "10,500",
            "190,000",
            "10,000",
        ),
        (  # two reports, two rates
            [premium("30000", "0.12"), premium("30000", "0.10")],
            "reckoned",
            ["CHFDOM 30,000 0.10 3,000", "CHFDOM 30,000 0.12 3,600"],
            "6,600",
            "60,000",
            "0",
        ),
        ([premium("5")], "reckoned", ["CHFDOM 5 0.10 1"], "1", "5", "0"),  # half a shilling is one
        ([premium("4.99")], "reckoned", ["CHFDOM 4.99 0.10 0"], "0", "4.99", "0"),
        ([premium("2.50")] * 2, "reckoned", ["CHFDOM 5 0.10 1"], "1", "5", "0"),  # the sum is rounded, not its parts
        ([premium("100", "1.00")], "reckoned", ["CHFDOM 100 1.00 100"], "100", "100", "0"),
        ([premium("30000", "0.00")], "collected", ["CHFDOM 30,000 - 0"], "0", "30,000", "30,000"),
        ([premium("30000", "10.00")], "collected", ["CHFDOM 30,000 - 0"], "0", "30,000", "30,000"),
        ([premium("30000", "-0.10")], "collected", ["CHFDOM 30,000 - 0"], "0", "30,000", "30,000"),
    ],
)
def test_a_month(
    premiums: list[Collected], state: str, lines: list[str], total: str, collected: str, still_open: str
) -> None:
    found = reckon(premiums, NOVEMBER)
    said = [f"{x.product_code} {x.collected} {'-' if x.rate is None else x.rate} {x.commission}" for x in found.lines]
    assert (found.state, said) == (Reckoning(state), lines)
    assert (str(found.total), str(found.collected), str(found.open)) == (total, collected, still_open)


@pytest.mark.parametrize(
    ("day", "counts"),
    [
        (date(2026, 10, 31), False),
        (date(2026, 11, 1), True),
        (date(2026, 11, 30), True),
        (date(2026, 12, 1), False),
        (date(2025, 11, 15), False),
    ],
)
def test_the_day_of_payment_says_which_month(day: date, counts: bool) -> None:
    assert bool(reckon([premium("30000", day=day)], NOVEMBER).lines) is counts


@pytest.mark.parametrize(
    ("day", "this", "before"),
    [
        (date(2026, 11, 22), (date(2026, 11, 1), date(2026, 11, 30)), (date(2026, 10, 1), date(2026, 10, 31))),
        (date(2026, 1, 1), (date(2026, 1, 1), date(2026, 1, 31)), (date(2025, 12, 1), date(2025, 12, 31))),
        (date(2028, 2, 29), (date(2028, 2, 1), date(2028, 2, 29)), (date(2028, 1, 1), date(2028, 1, 31))),
        (date(2026, 3, 31), (date(2026, 3, 1), date(2026, 3, 31)), (date(2026, 2, 1), date(2026, 2, 28))),
    ],
)
def test_months(day: date, this: tuple[date, date], before: tuple[date, date]) -> None:
    assert (month(day), month_before(day)) == (this, before)


@given(day=st.dates(date(2000, 1, 2), date(2100, 1, 1)))
def test_every_day_is_in_its_month_and_the_month_before_touches_it(day: date) -> None:
    (first, last), (_, end) = month(day), month_before(day)
    assert first <= day <= last
    assert end + timedelta(days=1) == first


rates = st.none() | st.integers(0, 150).map(lambda percent: Decimal(percent) / 100)


@given(
    st.lists(
        st.builds(
            Collected,
            st.sampled_from(["CHFDOM", "CHFDAR"]),
            st.integers(0, 10**9).map(Money),
            st.dates(date(2026, 10, 30), date(2026, 12, 2)),
            rates,
        ),
        max_size=30,
    )
)
def test_the_lines_add_up_and_stay_within_a_shilling_of_the_exact_sum(premiums: list[Collected]) -> None:
    found = reckon(premiums, NOVEMBER)
    assert sum(line.commission.amount_minor for line in found.lines) == found.total.amount_minor
    assert sum(line.collected.amount_minor for line in found.reckoned) == (found.collected - found.open).amount_minor
    assert found.total.amount_minor % 100 == 0
    assert 0 <= found.total.amount_minor <= found.collected.amount_minor + 50 * len(found.lines)
    exact = sum((line.rate * line.collected.to_decimal() for line in found.reckoned if line.rate), Decimal(0))
    assert abs(found.total.to_decimal() - exact) <= Decimal("0.5") * len(found.lines)
    assert reckon(premiums[::-1], NOVEMBER) == found
