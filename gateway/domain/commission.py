"""An officer's commission of a month, to the shilling.

openIMIS keeps no rate beside an officer or a product: whoever makes a commission report types one, and the report
(tblReporting) is then linked to the premiums that it counted. What openIMIS' Get_Commissions computes is, over the live
premiums of the officer's live policies that were paid in the month and are in a report, the sum of rate times premium;
a report's mode (prescribed or paid) decided which premiums it took and changes nothing here. The figure that it told
officers by SMS was another one: what they had collected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from gateway.domain.money import MINOR_PER_UNIT, Money

_NOTHING = Money(0)


class Reckoning(StrEnum):
    """How far a month's commission has been worked out."""

    NOTHING = "nothing"  # nothing was collected
    COLLECTED = "collected"  # no report counts any of it: there is no rate
    PARTLY = "partly"
    RECKONED = "reckoned"


@dataclass(frozen=True, slots=True)
class Collected:
    """A premium of an officer's policy. ``rate``: of the report that counted it, 0.10 for ten per cent."""

    product_code: str
    amount: Money
    paid_on: date
    rate: Decimal | None


@dataclass(frozen=True, slots=True)
class CommissionLine:
    """What was collected for one product at one rate; without a rate no commission is known."""

    product_code: str
    rate: Decimal | None
    collected: Money

    @property
    def commission(self) -> Money:
        """Whole shillings, a half rounded up: the lines add up to the total that is shown."""
        if self.rate is None:
            return _NOTHING
        numerator, denominator = self.rate.as_integer_ratio()
        whole = MINOR_PER_UNIT * denominator
        shillings = (2 * self.collected.amount_minor * numerator + whole) // (2 * whole)
        return Money(shillings * MINOR_PER_UNIT)


@dataclass(frozen=True, slots=True)
class Commission:
    """A month, by its first day, and its lines: by product and rate, the lowest rate first, without a rate last."""

    first: date
    lines: tuple[CommissionLine, ...]

    @property
    def reckoned(self) -> tuple[CommissionLine, ...]:
        """The lines that have a rate."""
        return tuple(line for line in self.lines if line.rate is not None)

    @property
    def total(self) -> Money:
        """The commission."""
        return sum((line.commission for line in self.lines), _NOTHING)

    @property
    def collected(self) -> Money:
        """All that was collected."""
        return sum((line.collected for line in self.lines), _NOTHING)

    @property
    def open(self) -> Money:
        """What was collected and no report counts."""
        return sum((line.collected for line in self.lines if line.rate is None), _NOTHING)

    @property
    def state(self) -> Reckoning:
        """How far it has been worked out."""
        if not self.lines:
            return Reckoning.NOTHING
        if not self.reckoned:
            return Reckoning.COLLECTED
        return Reckoning.PARTLY if len(self.reckoned) < len(self.lines) else Reckoning.RECKONED


def month(day: date) -> tuple[date, date]:
    """The first and the last day of the day's month."""
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def month_before(day: date) -> tuple[date, date]:
    """The first and the last day of the month before the day's."""
    return month(day.replace(day=1) - timedelta(days=1))


def reckon(premiums: Sequence[Collected], first: date) -> Commission:
    """The commission of the month that begins on ``first``; premiums of other months are passed over.

    A rate that is no share of the money (none, below, or above the whole) is no rate: nobody is promised such a sum.
    """
    _, last = month(first)
    sums: dict[tuple[str, Decimal | None], Money] = {}
    for premium in premiums:
        if first <= premium.paid_on <= last:
            rate = premium.rate if premium.rate is not None and 0 < premium.rate <= 1 else None
            kind = (premium.product_code, rate)
            sums[kind] = sums.get(kind, _NOTHING) + premium.amount
    lines = [CommissionLine(code, rate, collected) for (code, rate), collected in sums.items()]
    return Commission(first, tuple(sorted(lines, key=_place)))


def _place(line: CommissionLine) -> tuple[str, bool, Decimal]:
    return line.product_code, line.rate is None, line.rate or Decimal(0)
