"""When a policy starts and ends. Source: openIMIS be-policy ``values.py``, and the rule that no cover is shortened."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.domain.policy import NEW, Product


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day of a policy, both inside it."""

    start: date
    expiry: date


def add_months(day: date, months: int) -> date:
    """The same day ``months`` later, clamped to the end of a shorter month (SQL DATEADD, dateutil relativedelta)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def policy_period(product: Product, enrol_day: date, stage: str, preceding_expiry: date | None = None) -> Period:
    """The period of a policy enrolled on ``enrol_day``, never overlapping the cover that precedes it.

    openIMIS would start an early renewal of a product without cycles on the enrolment day and so shorten the cover;
    the start here is the later of that day and the day after the preceding expiry.
    """
    earliest = add_months(enrol_day, product.administration_period) if stage == NEW else enrol_day
    if preceding_expiry is not None and preceding_expiry >= earliest:
        earliest = preceding_expiry + timedelta(days=1)
    start = earliest
    if product.start_cycles:
        start = _cycle_start(product, earliest, stage)
        if preceding_expiry is not None:  # a cycle within its grace may have begun while the last cover still ran
            start = max(start, preceding_expiry + timedelta(days=1))
    return period_from(product, start)


def period_from(product: Product, start: date) -> Period:
    """The product's insurance period beginning on a day."""
    return Period(start, add_months(start, product.insurance_period) - timedelta(days=1))


def _cycle_start(product: Product, day: date, stage: str) -> date:
    """The first cycle not yet out of its grace; past the last of the year, the first cycle of the next."""
    grace = product.grace_period if stage == NEW else product.grace_period_renewal
    reference = add_months(day, -grace)
    for cycle_day, cycle_month in product.start_cycles:
        start = _in_year(reference.year, cycle_month, cycle_day)
        if reference <= start:
            return start
    first_day, first_month = product.start_cycles[0]
    return _in_year(reference.year + 1, first_month, first_day)


def _in_year(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))
