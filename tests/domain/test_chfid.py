"""The insurance number's check digit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.chfid import FUNDING, is_valid, with_check_digit

running = st.integers(min_value=1, max_value=99_999_999)


@pytest.mark.parametrize("text", ["070707070", "000000011", "000000070", "123456782"])
def test_valid(text: str) -> None:
    assert is_valid(text) is True
    assert int(text[:8]) % 7 == int(text[8])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "070707071",
        "000000000",  # all zeros are nobody
        "000000010",
        "00000001",
        "0000000110",
        "07070707x",
        " 70707070",
        "+70707070",
        "07070707٠",
        "٠٧٠٧٠٧٠٧٠",
        "123456787",
        "123456789",
        FUNDING,
    ],
)
def test_invalid(text: str) -> None:
    assert is_valid(text) is False


@given(running)
def test_what_we_make_is_valid(number: int) -> None:
    text = with_check_digit(number)
    assert is_valid(text)
    assert int(text[:8]) == number


@given(running, st.integers(min_value=0, max_value=9))
def test_one_check_digit_fits(number: int, digit: int) -> None:
    assert is_valid(f"{number:08}{digit}") is (digit == number % 7)


@given(running, st.integers(min_value=0, max_value=7), st.integers(min_value=1, max_value=9))
def test_one_wrong_key_is_noticed_unless_it_is_off_by_seven(number: int, place: int, shift: int) -> None:
    good = with_check_digit(number)
    wrong = good[:place] + str((int(good[place]) + shift) % 10) + good[place + 1 :]
    off_by_seven = abs(int(wrong[place]) - int(good[place])) == 7
    assert is_valid(wrong) is (off_by_seven and int(wrong[:8]) != 0)


@pytest.mark.parametrize("number", [0, -1, 100_000_000])
def test_only_eight_digits_have_a_number(number: int) -> None:
    with pytest.raises(AssertionError):
        with_check_digit(number)
