"""The CHF insurance number: eight digits and a check digit (openIMIS isValidInsuranceNumber, CHF build)."""

from __future__ import annotations

LENGTH = 9
MODULUS = 7
FUNDING = "999999999"  # openIMIS' own "funding" insuree: it is nobody


def is_valid(text: str) -> bool:
    """Nine ASCII digits of which the last is the first eight, as a number, modulo 7; all zeros are refused."""
    if len(text) != LENGTH or not (text.isascii() and text.isdigit()) or text == FUNDING:
        return False
    number = int(text[:-1])
    return number != 0 and number % MODULUS == int(text[-1])


def with_check_digit(number: int) -> str:
    """The full insurance number of an eight-digit running number."""
    assert 0 < number < 10 ** (LENGTH - 1)
    return f"{number:08}{number % MODULUS}"
