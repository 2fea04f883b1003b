"""Where openIMIS' period and value rules and ours part, one by one, with the reason.

Each difference is a way to put our rules where openIMIS' are: a case is explained when our rules, changed in the named
ways and in no other, give exactly openIMIS' answer. The names are kept few, and whatever they do not explain fails.
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations

import pytest
from value_cases import Case

from gateway.domain import periods, valuation
from gateway.domain.money import Money
from gateway.domain.periods import Period, policy_period
from gateway.domain.policy import NEW, OTHER_RELATION, RENEWAL, Member
from gateway.domain.valuation import AGE_OF_MAJORITY, policy_value

COVER_KEPT = "cover kept"
MONTH_ENDS = "month ends"
OTHERS = "other relations"
AGES = "ages"
WHY: Mapping[str, str] = {
    COVER_KEPT: "openIMIS starts a policy on the enrolment day (or in a cycle already begun) though the preceding cover"
    " still runs, so that days already paid for are paid for twice; we start no earlier than the day after it ends",
    MONTH_ENDS: "openIMIS adds a month as the number of days of the month it stands in (31 January + 1 month is"
    " 3 March, 31 March - 1 month is 3 March); we keep the day and clamp it to the month's end, as the legacy openIMIS"
    " does and as a family reads its card. From days 1 to 28, and for whole years, both agree",
    OTHERS: "openIMIS means to charge relation 7 apart from the family, but compares the relation's row with the number"
    " 7, which never match, and counts everybody as family; we charge as it means to, and as the legacy openIMIS does",
    AGES: "openIMIS counts who is eighteen on the day of asking, we on the enrolment day; the gateway enrols on the day"
    " of asking, where the two are one",
}
NO_FEBRUARY_29 = "cycle on 29 February"
NO_PRECEDING = "renewal discount without a preceding policy"
# openIMIS raises and so has no answer to compare with.
FAILURES: Mapping[tuple[str, str], str] = {
    # strptime refuses the day in a common year; we start on the 28th
    ("ValueError", "day is out of range for month"): NO_FEBRUARY_29,
    # it reads the expiry of no policy; we take the new policy's start, as the legacy openIMIS does
    ("AttributeError", "'NoneType' object has no attribute 'expiry_date'"): NO_PRECEDING,
}
_CHILD = 4


@dataclass(frozen=True)
class Answer:
    """A period and a value, of either side."""

    period: Period
    value: Money


def ours(case: Case, theirs: Period, changed: frozenset[str] = frozenset()) -> Answer:
    """Our rules, with openIMIS' in the places named in ``changed``.

    The value is ours for *their* period, so that a period that differs by name does not hide the value.
    """

    def as_openimis(member: Member) -> Member:
        if OTHERS in changed and member.relationship == OTHER_RELATION:
            member = replace(member, relationship=_CHILD)
        if AGES in changed:
            member = replace(member, date_of_birth=_as_old(case, member.date_of_birth))
        return member

    family = replace(case.family, members=tuple(as_openimis(member) for member in case.family.members))
    with _months(MONTH_ENDS in changed):
        preceding = None if COVER_KEPT in changed else case.preceding_expiry
        period = policy_period(case.product, case.enrol_day, case.stage, preceding)
        value = policy_value(case.product, family, case.stage, case.enrol_day, theirs, case.preceding_expiry)
    return Answer(period, value)


def explain(case: Case, theirs: Answer, among: Collection[str] = tuple(WHY)) -> frozenset[str] | None:
    """The fewest named differences with which our rules give their answer: an empty set where the rules agree.

    None where no number of them does.
    """
    for count in range(len(among) + 1):
        for names in combinations(among, count):
            if ours(case, theirs.period, frozenset(names)) == theirs:
                return frozenset(names)
    return None


def must_fail(case: Case) -> str | None:
    """Which failure of openIMIS this case runs into, if any."""
    if case.product.start_cycles and _meets_february_29(case):
        return NO_FEBRUARY_29
    discount = case.product.renewal_discount_percent and case.product.renewal_discount_period
    if case.stage == RENEWAL and discount and case.preceding_expiry is None:
        return NO_PRECEDING
    return None


def _meets_february_29(case: Case) -> bool:
    """Whether openIMIS, trying cycle after cycle, comes to 29 February in a year that has none."""
    product, day = case.product, case.enrol_day
    if case.stage == NEW:
        day = _step_months(day, product.administration_period)
    reference = _step_months(day, -(product.grace_period if case.stage == NEW else product.grace_period_renewal))
    candidates = [(reference.year, *cycle) for cycle in product.start_cycles]
    for year, cycle_day, month in [*candidates, (reference.year + 1, *product.start_cycles[0])]:
        if cycle_day > calendar.monthrange(year, month)[1]:
            return True
        if reference <= date(year, month, cycle_day):
            return False
    return False


def _as_old(case: Case, born: date) -> date:
    """A birth date that is on the enrolment day on the side of eighteen on which ``born`` is today."""
    adult = born < periods.add_months(case.today, -12 * AGE_OF_MAJORITY)
    return case.enrol_day - timedelta(days=366 * 30 if adult else 1)


@contextmanager
def _months(stepping: bool) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if stepping:
            for module in (periods, valuation):
                patch.setattr(module, "add_months", _step_months)
        yield


_clamp_months = periods.add_months


def _step_months(day: date, months: int) -> date:
    """openIMIS' ``datetimedelta``: whole years keep the day, months are steps of as many days as a month has."""
    if months % 12 == 0:
        return _clamp_months(day, months)
    for _ in range(abs(months)):
        if months > 0:
            day += timedelta(days=calendar.monthrange(day.year, day.month)[1])
        else:
            before = day.replace(day=1) - timedelta(days=1)
            day -= timedelta(days=before.day)
    return day
