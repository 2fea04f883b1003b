"""Exact money: an integer of minor units and a currency. Decimal and text only at the edges, floats nowhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

MINOR_PER_UNIT = 100
MAX_MINOR = 10**18 - 1  # decimal(18,2), the widest column that the registry stores money in
_TEXT = re.compile(r"(-?)([0-9]{1,16})(?:\.([0-9]{1,12}))?")


class InexactAmountError(ValueError):
    """The text is not an amount, or would have to be rounded to become one."""


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """``amount_minor`` hundredths of one unit of ``currency`` (ISO 4217); TZS has 100 senti to the shilling."""

    amount_minor: int
    currency: str = "TZS"

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise TypeError(f"minor units are an int, not {type(self.amount_minor).__name__}")
        if abs(self.amount_minor) > MAX_MINOR:
            raise InexactAmountError("the amount is beyond what the registry can hold")

    @classmethod
    def parse(cls, text: str, currency: str = "TZS") -> Money:
        """Read ``30000``, ``30000.0`` or ``30000.00`` exactly; refuse exponents, separators and third decimals.

        Raises InexactAmountError; never rounds.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise InexactAmountError(f"not a plain decimal amount: {text[:40]!r}")
        sign, units, fraction = match.group(1), match.group(2), match.group(3) or ""
        if fraction[2:].strip("0"):
            raise InexactAmountError(f"more than two decimals: {text[:40]!r}")
        minor = int(units) * MINOR_PER_UNIT + int(fraction[:2].ljust(2, "0"))
        return cls(-minor if sign else minor, currency)

    @classmethod
    def from_decimal(cls, value: Decimal, currency: str = "TZS") -> Money:
        """Read a Decimal of units exactly; raises InexactAmountError where a third decimal would be lost."""
        if not value.is_finite() or value.adjusted() > 17:
            raise InexactAmountError("not an amount that the registry can hold")
        numerator, denominator = value.as_integer_ratio()  # exact, whatever the decimal context
        if numerator * MINOR_PER_UNIT % denominator:
            raise InexactAmountError(f"more than two decimals: {value}")
        return cls(numerator * MINOR_PER_UNIT // denominator, currency)

    def to_decimal(self) -> Decimal:
        """Units with exactly two decimals, as the registry and the payment messages write them."""
        return Decimal(self.amount_minor).scaleb(-2)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def __bool__(self) -> bool:
        return self.amount_minor != 0

    def __str__(self) -> str:
        """``30,000`` or ``30,000.50``: what a person reads. The currency is said by the sentence around it."""
        units, minor = divmod(abs(self.amount_minor), MINOR_PER_UNIT)
        sign = "-" if self.amount_minor < 0 else ""
        return f"{sign}{units:,}" + (f".{minor:02}" if minor else "")
