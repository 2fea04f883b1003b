"""What a person may do with each case, and what placing its money does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.bill import Bill, BillFact, BillState, PayOption
from gateway.domain.cases import (
    ACTS,
    AFTER,
    Act,
    CaseState,
    Refusal,
    acts_for,
    is_still_to_come,
    objection_to,
    place,
)
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, EntryState, PaymentReport
from gateway.domain.policy import READY_FIRST, Family, Member, NewPolicy, Policy, PolicyStatus, Product
from gateway.domain.settlement import Activation, Ledger, Settlement

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 9, tzinfo=UTC)
PRICE, CHEAPER = Money.parse("30000"), Money.parse("25000")
CHF = Product(1, "CHFDOM", "CHF", PRICE, 6, 12, date(2020, 1, 1), date(2040, 12, 31))
MEMBERS = tuple(Member(i, f"{i:09}", "Mushi", "Asha", date(1980, 1, 1), is_head=i == 1) for i in range(1, 4))
FAMILY = Family(7, MEMBERS[0], MEMBERS)
IDLE, ACTIVE, SUSPENDED, EXPIRED, READY = PolicyStatus
BILL = Bill(
    id="b1", key="k", generation=1, family_id=7, product_id=1, product_code="CHFDOM", preceding_policy_id=None,
    stage="N", chfid="000000011", payer_name="Asha Mushi", amount=CHEAPER, policy_value=CHEAPER,
    pay_option=PayOption.EXACT, provider_code=None, state=BillState.NUMBERED, control_number="9", paid=Money(0),
    created_at=NOON, expires_at=NOON,
)  # fmt: skip
_PLACE = {Act.MATCH, Act.HOLD, Act.REFUND, Act.REJECT}
_MONEY = Money(5_00)


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


def report(amount: str = "30000") -> PaymentReport:
    return PaymentReport("R1", "9", Money.parse(amount), NOON)


def policy(number: int, status: int, start: int, end: int | None, **more: Any) -> Policy:
    values = {"product_id": 1, "stage": "N", "value": PRICE, "paid": Money(0), "effective_date": None, "officer_id": 3}
    expiry = None if end is None else on(end)
    dates = {"enroll_date": on(start), "start_date": on(start), "expiry_date": expiry}
    return Policy(id=number, family_id=7, status=status, **{**values, **dates, **more})


def placed(
    told: PaymentReport,
    *held: Policy,
    paid_on: date = TODAY,
    bill: Bill | None = None,
    policy_id: int | None = None,
    **more: Any,
) -> Settlement | Refusal:
    values = {"family": FAMILY, "product": CHF, "receipt_used": False, "activation_option": 1, "officer_id": 4, **more}
    return place(told, paid_on, TODAY, Ledger(policies=held, **values), bill, policy_id)


def done(*args: Any, **more: Any) -> Settlement:
    decision = placed(*args, **more)
    assert isinstance(decision, Settlement), decision
    return decision


# ---- the table


@pytest.mark.parametrize(
    ("kind", "acts"),
    [
        (CaseKind.CONFLICT, {Act.REFUND, Act.REJECT}),
        (CaseKind.UNKNOWN_CONTROL_NUMBER, _PLACE),
        (CaseKind.OTHER_PAYEE, _PLACE),
        (CaseKind.WRONG_AMOUNT, _PLACE),
        (CaseKind.WRONG_CURRENCY, {Act.REFUND, Act.REJECT}),
        (CaseKind.PAID_TWICE, _PLACE),
        (CaseKind.BILL_CANCELLED, _PLACE),
        (CaseKind.ALREADY_COVERED, _PLACE),
        (CaseKind.POLICY_SUSPENDED, _PLACE),
        (CaseKind.RECEIPT_USED, _PLACE),
        (CaseKind.FAMILY_GONE, _PLACE),
        (CaseKind.PRODUCT_GONE, _PLACE),
        (CaseKind.BILL_WITHOUT_NUMBER, {Act.CLOSE}),
        (CaseKind.OVERPAID, {Act.CLOSE}),
        (CaseKind.SETTLE_FAILED, {Act.CLOSE}),
        (CaseKind.EFFECT_HELD, {Act.CLOSE}),
        (CaseKind.SAME_RECEIPT, _PLACE),
        (CaseKind.DAY_DIFFERS, {Act.CLOSE}),
        (CaseKind.DAY_CHANGED, {Act.CLOSE}),
        (CaseKind.NO_STATEMENT, {Act.CLOSE}),
        (CaseKind.UNREADABLE, {Act.CLOSE}),
    ],
)
def test_what_may_be_done(kind: CaseKind, acts: set[Act]) -> None:
    assert set(acts_for(kind, CaseState.OPEN, _MONEY)) == acts
    assert acts_for(kind, CaseState.CLOSED, _MONEY) == ()
    for act in Act:
        against = objection_to(act, kind, CaseState.OPEN, _MONEY)
        assert (against is None) == (act in acts)
        if against is not None:
            assert all(allowed in against.sentence for allowed in acts)
        assert objection_to(act, kind, CaseState.CLOSED, _MONEY) == Refusal("the case is closed already")


def test_no_kind_is_forgotten() -> None:
    assert set(ACTS) == set(CaseKind)
    assert all(ACTS.values())
    assert set(AFTER) == set(Act) - {Act.CLOSE}
    assert set(AFTER.values()) == {EntryState.SETTLED, EntryState.HELD, EntryState.REFUNDED, EntryState.REJECTED}


def test_held_money_is_not_held_again() -> None:
    assert acts_for(CaseKind.PAID_TWICE, CaseState.HELD, _MONEY) == (Act.MATCH, Act.REFUND, Act.REJECT)
    against = objection_to(Act.HOLD, CaseKind.PAID_TWICE, CaseState.HELD, _MONEY)
    assert against == Refusal("the money is held already; what can be done with it: match, refund or reject")


@pytest.mark.parametrize("amount", [Money(0), Money(-1)])
def test_of_nothing_nothing_can_be_placed(amount: Money) -> None:
    assert acts_for(CaseKind.WRONG_AMOUNT, CaseState.OPEN, amount) == (Act.REJECT,)


def test_one_number_for_two_bills_holds_no_money() -> None:
    assert acts_for(CaseKind.CONFLICT, CaseState.OPEN, None) == (Act.CLOSE,)
    assert acts_for(CaseKind.BILL_WITHOUT_NUMBER, CaseState.OPEN, PRICE) == (Act.CLOSE,)


# ---- where the money goes


def test_the_idle_policy_of_the_product_first() -> None:
    idle, other = policy(6, IDLE, -5, 359), policy(9, IDLE, -1, 363, product_id=2)
    decision = done(report(), idle, other, policy(5, EXPIRED, -400, -36))
    assert decision.policy == idle
    assert decision.activation == Activation(PolicyStatus.ACTIVE, TODAY)
    assert (decision.premium.receipt, decision.premium.pay_date) == ("R1", TODAY)
    assert (decision.still_due, decision.excess, decision.fact) == (Money(0), Money(0), BillFact.PAID)


def test_else_a_new_one_after_the_last_cover() -> None:
    decision = done(report(), policy(5, ACTIVE, -300, 64))
    born = decision.policy
    assert isinstance(born, NewPolicy)
    assert (born.stage, born.enroll_date, born.start_date) == ("R", TODAY, on(65))
    assert (born.value, born.officer_id, born.insuree_ids) == (PRICE, 3, (1, 2, 3))
    assert decision.activation == Activation(PolicyStatus.ACTIVE, on(65))


def test_a_first_cover_gets_the_officer_of_the_place() -> None:
    born = done(report()).policy
    assert isinstance(born, NewPolicy)
    assert (born.stage, born.start_date, born.officer_id) == ("N", TODAY, 4)


def test_a_second_renewal_follows_the_first() -> None:
    """Two of a family paid, and it is covered for two years: a person wanted it so."""
    decision = done(report(), policy(5, ACTIVE, -300, 64), policy(6, ACTIVE, 65, 429))
    assert decision.start_date == on(430)


def test_the_day_of_payment_counts_not_the_day_of_deciding() -> None:
    decision = done(report(), paid_on=on(-40))
    assert (decision.start_date, decision.premium.pay_date) == (on(-40), on(-40))
    assert decision.activation == Activation(PolicyStatus.ACTIVE, on(-40))


def test_a_payment_from_the_future_is_of_today() -> None:
    assert done(report(), paid_on=on(3)).premium.pay_date == TODAY


def test_money_that_lay_for_long_buys_cover_from_today() -> None:
    decision = done(report(), policy(5, EXPIRED, -1200, -900), paid_on=on(-500))
    assert (decision.start_date, decision.premium.pay_date) == (TODAY, on(-500))
    assert decision.activation == Activation(PolicyStatus.ACTIVE, TODAY)


def test_the_bills_price_holds() -> None:
    assert done(report(), bill=BILL).policy.value == CHEAPER
    assert done(report(), bill=replace(BILL, product_id=2)).policy.value == PRICE


@pytest.mark.parametrize(
    ("bill", "held", "is_it"),
    [
        (BILL, (), True),
        (BILL, (policy(6, IDLE, -5, 359),), True),
        (BILL, (policy(5, ACTIVE, -5, 359),), False),
        (replace(BILL, preceding_policy_id=5), (policy(5, ACTIVE, -5, 359),), True),
        (replace(BILL, family_id=8), (), False),
    ],
)
def test_a_bill_whose_cover_is_still_to_come(bill: Bill, held: tuple[Policy, ...], is_it: bool) -> None:
    assert is_still_to_come(bill, 7, held) is is_it


def test_one_policy_by_its_number() -> None:
    first, second = policy(6, IDLE, -5, 359), policy(7, IDLE, -4, 360)
    assert done(report(), first, second, policy_id=6).policy == first
    assert done(report(), first, second).policy == second


def test_short_leaves_it_idle() -> None:
    decision = done(report("29999.99"), policy(6, IDLE, -5, 359))
    assert (decision.activation, decision.still_due, decision.excess) == (None, Money(1), Money(0))
    assert decision.fact == BillFact.PART_PAID
    assert done(report("0.01"), policy(6, IDLE, -5, 359, paid=Money.parse("29999.99"))).activation is not None


def test_over_is_booked_and_stated() -> None:
    decision = done(report("40000"), policy(6, IDLE, -5, 359, paid=Money.parse("1000")))
    assert (decision.premium.amount, decision.excess) == (Money.parse("40000"), Money.parse("11000"))


def test_a_scheme_of_two_steps() -> None:
    assert done(report(), activation_option=READY_FIRST).activation == Activation(PolicyStatus.READY, TODAY)


def test_a_policy_without_an_end_gets_one() -> None:
    mended = done(report(), policy(6, IDLE, -5, None)).mended
    assert mended is not None
    assert (mended.start, mended.expiry) == (on(-5), date(2027, 11, 16))
    assert done(report("1"), policy(6, IDLE, -5, None)).mended is None


REFUSED: dict[str, tuple[tuple[Policy, ...], dict[str, Any], str]] = {
    "no family": ((), {"family": None}, "the family is not in the registry"),
    "no product": ((), {"product": None}, "there is no product for this family"),
    "receipt": ((), {"receipt_used": True}, "the receipt R1 stands on a premium of CHFDOM already"),
    "suspended": ((policy(5, SUSPENDED, -9, 9),), {}, "policy 5 is suspended"),
    "suspended, no end": ((policy(5, SUSPENDED, -9, None),), {}, "policy 5 is suspended"),
    "suspended itself": ((policy(5, SUSPENDED, -9, 9),), {"policy_id": 5}, "policy 5 is suspended"),
    "suspended beside": ((policy(5, SUSPENDED, -9, 9), policy(6, IDLE, 0, 9)), {"policy_id": 6}, "is suspended"),
    "nobody's policy": ((), {"policy_id": 6}, "there is no live policy 6"),
    "active": ((policy(5, ACTIVE, -9, 9),), {"policy_id": 5}, "policy 5 is paid for"),
    "ready": ((policy(5, READY, 9, 99),), {"policy_id": 5}, "policy 5 is paid for"),
    "expired": ((policy(5, EXPIRED, -9, 9),), {"policy_id": 5}, "policy 5 has ended"),
    "run out while idle": ((policy(5, IDLE, -9, -1),), {"policy_id": 5}, "policy 5 has ended"),
    "active, run out": ((policy(5, ACTIVE, -9, -1),), {"policy_id": 5}, "policy 5 has ended"),
    "no last day": ((policy(5, ACTIVE, -9, None),), {}, "policy 5 has no last day"),
    "no value": ((policy(5, IDLE, -9, 9, value=Money(0)),), {}, "the policy has no value"),
    "costs nothing": ((), {"product": replace(CHF, lump_sum=Money(0))}, "the policy has no value"),
}


@pytest.mark.parametrize(("held", "more", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refused(held: tuple[Policy, ...], more: dict[str, Any], sentence: str) -> None:
    decision = placed(report(), *held, **more)
    assert isinstance(decision, Refusal)
    assert sentence in decision.sentence


policies_ = st.lists(
    st.tuples(st.sampled_from(list(PolicyStatus)), st.integers(-800, 400), st.integers(1, 400), st.booleans()),
    max_size=4,
)


def test_an_expired_policy_without_an_end_hides_no_running_cover() -> None:
    running, ended = policy(1, ACTIVE, 0, 30), policy(2, EXPIRED, 40, None)
    decision = done(report(), running, ended)
    assert isinstance(decision.policy, NewPolicy)
    assert decision.start_date == on(31)


@given(policies_, st.integers(1, 90_000_00), st.integers(-900, 3), st.none() | st.integers(1, 5))
def test_whatever_the_family_has(held: Any, minor: int, paid: int, policy_id: int | None) -> None:
    """No suspended, active or ended policy is ever touched, no cover overlaps another, and no cent is lost."""
    own = [
        policy(number, status, start, None if endless else start + days)
        for number, (status, start, days, endless) in enumerate(held, 1)
    ]
    told = replace(report(), amount=Money(minor))
    decision = placed(told, *own, paid_on=on(paid), policy_id=policy_id)
    if isinstance(decision, Refusal):
        return
    assert not any(p.status == PolicyStatus.SUSPENDED and not p.ended_before(TODAY) for p in own)
    assert decision.premium.amount == told.amount
    paid_before = decision.policy.paid if isinstance(decision.policy, Policy) else Money(0)
    assert paid_before + told.amount == decision.policy.value - decision.still_due + decision.excess
    assert (decision.activation is None) == bool(decision.still_due)
    assert not decision.excess or not decision.still_due
    if isinstance(decision.policy, Policy):
        assert decision.policy.status == PolicyStatus.IDLE
        assert not decision.policy.ended_before(TODAY)
    else:
        assert policy_id is None
        assert decision.policy.expiry_date >= TODAY
        paid_for = [p for p in own if p.status in (PolicyStatus.ACTIVE, PolicyStatus.READY) and p.expiry_date]
        assert all(p.expiry_date < decision.start_date for p in paid_for if p.expiry_date)
