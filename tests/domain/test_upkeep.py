"""What is noticed of others' policies, and what is put right."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.domain.bill import Bill, BillState, PayOption
from gateway.domain.money import Money
from gateway.domain.periods import Period
from gateway.domain.policy import Policy, PolicyStatus, Product
from gateway.domain.settlement import Activation
from gateway.domain.upkeep import (
    THEIRS,
    PolicyEvent,
    PolicyEventKind,
    activated,
    events_of,
    is_overtaken,
    is_paid_but_idle,
    moved_behind,
    overlapping,
    repair_for,
)

IDLE, ACTIVE, SUSPENDED, EXPIRED, READY = PolicyStatus
TODAY = date(2026, 11, 22)
PRICE = Money.parse("30000")
NOTHING = Money(0)


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


def policy(number: int = 5, status: int = IDLE, start: int = 0, end: int | None = 364, **more: Any) -> Policy:
    values = {"product_id": 1, "stage": "N", "effective_date": None, "value": PRICE, "paid": NOTHING, **more}
    expiry = None if end is None else on(end)
    return Policy(
        id=number, family_id=7, status=status, enroll_date=on(-1), start_date=on(start), expiry_date=expiry, **values
    )


BILL = Bill(
    id="B1",
    key="family:7/product:1/after:4",
    generation=1,
    family_id=7,
    product_id=1,
    product_code="CHF",
    preceding_policy_id=4,
    stage="R",
    chfid="071000000",
    payer_name="Neema Kimaro",
    amount=PRICE,
    policy_value=PRICE,
    pay_option=PayOption.EXACT,
    provider_code=None,
    state=BillState.NUMBERED,
    control_number="994120000011",
    paid=NOTHING,
    created_at=datetime(2026, 11, 22, 9, tzinfo=UTC),
    expires_at=datetime(2026, 12, 22, 9, tzinfo=UTC),
)


ENROLLED = PolicyEvent(5, PolicyEventKind.ENROLLED, 7, on(-1), THEIRS)
STARTED = PolicyEvent(5, PolicyEventKind.ACTIVATED, 7, on(0), THEIRS)


@pytest.mark.parametrize(
    ("held", "is_new", "has_news", "events"),
    [
        (policy(), True, False, (ENROLLED,)),
        (policy(status=READY), True, True, (ENROLLED,)),
        (policy(status=SUSPENDED), True, True, (ENROLLED,)),
        (policy(status=ACTIVE, effective_date=on(0)), True, False, (ENROLLED, STARTED)),
        (policy(status=ACTIVE, effective_date=on(0)), False, True, (STARTED,)),
        (policy(status=ACTIVE), False, True, (STARTED,)),  # no effective date: from its first day
        (policy(status=ACTIVE, effective_date=on(3)), False, True, (replace(STARTED, day=on(3)),)),
        # it was there before we looked for the first time: what was written about it is neither
        (policy(), False, False, ()),
        (policy(status=ACTIVE, effective_date=on(0)), False, False, ()),
        (policy(), False, True, ()),
    ],
)
def test_what_has_happened(held: Policy, is_new: bool, has_news: bool, events: tuple[PolicyEvent, ...]) -> None:
    assert events_of(held, is_new=is_new, has_news=has_news) == events


def test_an_activation_that_nobody_has_told_the_family_of_is_others() -> None:
    assert activated(5, 7, on(0)) == STARTED


@pytest.mark.parametrize(
    ("held", "is_it"),
    [
        (policy(paid=PRICE), True),
        (policy(paid=Money.parse("30000.01")), True),
        (policy(paid=Money.parse("29999.99")), False),
        (policy(paid=NOTHING), False),
        (policy(value=NOTHING), False),
        (policy(value=NOTHING, paid=PRICE), False),  # nobody knows what it costs
        *[(policy(status=status, paid=PRICE), False) for status in (ACTIVE, SUSPENDED, EXPIRED, READY)],
    ],
)
def test_paid_and_idle(held: Policy, is_it: bool) -> None:
    assert is_paid_but_idle(held) == is_it


@pytest.mark.parametrize(
    ("held", "paid_on", "option", "activation"),
    [
        (policy(paid=PRICE), 0, 1, Activation(ACTIVE, on(0))),
        (policy(paid=PRICE, start=5), 0, 1, Activation(ACTIVE, on(5))),
        (policy(paid=PRICE, start=-5), -2, 1, Activation(ACTIVE, on(-2))),
        (policy(paid=PRICE), 0, 3, Activation(READY, on(0))),
        (policy(paid=PRICE, end=None), 0, 1, Activation(ACTIVE, on(0))),
        (policy(paid=PRICE, start=-300, end=0), 0, 1, Activation(ACTIVE, on(0))),  # its last day is covered
        (policy(paid=PRICE, start=-300, end=-1), 0, 1, None),
    ],
)
def test_the_repair(held: Policy, paid_on: int, option: int, activation: Activation | None) -> None:
    assert repair_for(held, on(paid_on), option) == activation


OLD = policy(4, EXPIRED, -400, -36)


@pytest.mark.parametrize(
    ("held", "is_it"),
    [
        ((), False),
        ((OLD,), False),
        ((replace(OLD, status=ACTIVE, expiry_date=on(30)),), False),  # renewed early: it is what the bill follows
        ((OLD, policy(5, ACTIVE)), True),
        ((OLD, policy(5, READY)), True),
        ((OLD, policy(5, ACTIVE, 20, 384)), True),
        ((OLD, policy(5, ACTIVE, end=None)), True),
        ((OLD, policy(5, ACTIVE, product_id=2)), True),
        ((OLD, policy(5, ACTIVE, -300, 0)), True),
        ((OLD, policy(5, ACTIVE, -300, -1)), False),  # has ended since
        ((OLD, policy(5, IDLE)), False),
        ((OLD, policy(5, SUSPENDED)), False),
    ],
)
def test_a_bill_overtaken(held: tuple[Policy, ...], is_it: bool) -> None:
    assert is_overtaken(BILL, held, TODAY) == is_it


OURS = policy(5, ACTIVE, 0, 364)


@pytest.mark.parametrize(
    ("ours", "others", "found"),
    [
        (OURS, [OURS], None),
        (OURS, [OURS, policy(6, ACTIVE, 0, 364)], 6),
        (OURS, [OURS, policy(6, ACTIVE, 364, 728)], 6),
        (OURS, [OURS, policy(6, ACTIVE, 365, 729)], None),
        (OURS, [OURS, policy(6, ACTIVE, -364, 0)], 6),
        (OURS, [OURS, policy(6, ACTIVE, -365, -1)], None),
        (OURS, [OURS, policy(6, ACTIVE, 10, 20), policy(7, ACTIVE, 5, 300), policy(8, ACTIVE, -9, 9)], 7),
        (OURS, [OURS, policy(6, ACTIVE, 0, None)], None),
        (OURS, [OURS, policy(6, ACTIVE, product_id=2)], None),
        *[(OURS, [OURS, policy(6, status)], None) for status in (IDLE, SUSPENDED, EXPIRED, READY)],
        (replace(OURS, status=IDLE), [policy(6, ACTIVE)], None),
        (replace(OURS, expiry_date=None), [policy(6, ACTIVE)], None),
    ],
)
def test_two_covers_for_the_same_days(ours: Policy, others: list[Policy], found: int | None) -> None:
    other = overlapping(ours, others)
    assert (other.id if other else None) == found


@pytest.mark.parametrize(
    ("end", "months", "period"),
    [
        (date(2027, 11, 21), 12, Period(date(2027, 11, 22), date(2028, 11, 21))),
        (date(2027, 8, 30), 6, Period(date(2027, 8, 31), date(2028, 2, 28))),
    ],
)
def test_ours_follows_the_other(end: date, months: int, period: Period) -> None:
    product = Product(1, "CHF", "CHF", PRICE, 6, months, on(-100), on(1000))
    assert moved_behind(replace(OURS, expiry_date=end), product) == period
