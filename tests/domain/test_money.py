"""Money is exact, or it is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.money import MAX_MINOR, InexactAmountError, Money

minors = st.integers(min_value=-MAX_MINOR, max_value=MAX_MINOR)


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("0", 0),
        ("30000", 3_000_000),
        ("30000.0", 3_000_000),
        ("30000.00", 3_000_000),
        ("30000.5", 3_000_050),
        ("30000.05", 3_000_005),
        ("30000.050000", 3_000_005),
        (" 150000 ", 15_000_000),
        ("-1.25", -125),
        ("0.10", 10),
        ("007", 700),
        ("999999999999999.99", 99_999_999_999_999_999),
    ],
)
def test_plain_decimals_are_read(text: str, minor: int) -> None:
    assert Money.parse(text) == Money(minor, "TZS")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".5",
        "5.",
        "1,000",
        "1 000",
        "1e3",
        "+1",
        "--1",
        "0x10",
        "NaN",
        "Infinity",
        "TZS 5",
        "٣٠",
        "1.2.3",
        "0.001",
        "30000.009",
        "12345678901234567",
        "99999999999999999.99",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InexactAmountError):
        Money.parse(text)


@pytest.mark.parametrize("value", [1.0, True, "1", Decimal(1), None])
def test_minor_units_are_an_int(value: object) -> None:
    with pytest.raises(TypeError):
        Money(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("minor", "read"),
    [
        (0, "0"),
        (5, "0.05"),
        (3_000_000, "30,000"),
        (3_000_050, "30,000.50"),
        (123_456_789_00, "123,456,789"),
        (-125, "-1.25"),
        (-3_000_000, "-30,000"),
    ],
)
def test_what_a_person_reads(minor: int, read: str) -> None:
    assert str(Money(minor)) == read


@pytest.mark.parametrize("text", ["0.001", "1E-3", "29999.999", "NaN"])
def test_a_decimal_with_a_third_digit_is_refused(text: str) -> None:
    with pytest.raises(InexactAmountError):
        Money.from_decimal(Decimal(text))


def test_a_decimal_is_written_with_two_digits() -> None:
    assert str(Money(3_000_000).to_decimal()) == "30000.00"
    assert str(Money(5).to_decimal()) == "0.05"


def test_currencies_do_not_mix() -> None:
    with pytest.raises(ValueError, match="USD"):
        Money(1, "TZS") + Money(1, "USD")
    with pytest.raises(ValueError, match="USD"):
        Money(1, "TZS") - Money(1, "USD")
    assert Money.parse("1", "USD") == Money(100, "USD") != Money(100)
    assert Money.from_decimal(Decimal(1), "USD").currency == "USD"


@pytest.mark.parametrize("minor", [MAX_MINOR + 1, -MAX_MINOR - 1])
def test_beyond_the_widest_column_there_is_no_money(minor: int) -> None:
    with pytest.raises(InexactAmountError):
        Money(minor)
    with pytest.raises(InexactAmountError):
        Money(MAX_MINOR) + Money(1)


def test_nothing_is_false() -> None:
    assert not Money(0)
    assert Money(-1)


@given(minors)
def test_decimal_round_trip(minor: int) -> None:
    money = Money(minor)
    assert Money.from_decimal(money.to_decimal()) == money
    assert money.to_decimal().as_tuple().exponent == -2


@given(minors)
def test_text_round_trip(minor: int) -> None:
    money = Money(minor)
    assert Money.parse(str(money.to_decimal())) == money
    assert Money.parse(str(money).replace(",", "")) == money


@given(st.lists(st.integers(min_value=-(10**14), max_value=10**14), max_size=20))
def test_sums_are_integers(parts: list[int]) -> None:
    total = Money(0)
    for part in parts:
        total += Money(part)
    assert total == Money(sum(parts))
    for part in parts:
        total -= Money(part)
    assert total == Money(0)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**14), max_value=10**14, places=3))
def test_a_decimal_is_taken_whole_or_not_at_all(value: Decimal) -> None:
    try:
        money = Money.from_decimal(value)
    except InexactAmountError:
        assert value != round(value, 2)
    else:
        assert money.to_decimal() == value
