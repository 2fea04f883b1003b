"""What a payment does to a policy: each case by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.bill import Bill, BillFact, BillState, PayOption, bill_key
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, PaymentReport
from gateway.domain.policy import READY_FIRST, Family, Member, NewPolicy, Policy, PolicyStatus, Product
from gateway.domain.settlement import Activation, Ledger, NeedsPerson, Settlement, objection, settle

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
PRICE = Money.parse("30000")
CHF = Product(1, "CHFDOM", "CHF", PRICE, 6, 12, date(2020, 1, 1), date(2040, 12, 31))
MEMBERS = tuple(Member(i, f"{i:09}", "Mushi", "Asha", date(1980, 1, 1), is_head=i == 1) for i in range(1, 9))
FAMILY = Family(7, MEMBERS[0], MEMBERS)
IDLE, ACTIVE, SUSPENDED, EXPIRED, READY = (
    PolicyStatus.IDLE,
    PolicyStatus.ACTIVE,
    PolicyStatus.SUSPENDED,
    PolicyStatus.EXPIRED,
    PolicyStatus.READY,
)
BILL = Bill(
    id="b1",
    key=bill_key(7, 1, None),
    generation=1,
    family_id=7,
    product_id=1,
    product_code="CHFDOM",
    preceding_policy_id=None,
    stage="N",
    chfid="000000011",
    payer_name="Asha Mushi",
    amount=PRICE,
    policy_value=PRICE,
    pay_option=PayOption.EXACT,
    provider_code="SP19960",
    state=BillState.NUMBERED,
    control_number="994120000011",
    paid=Money(0),
    created_at=NOON,
    expires_at=NOON + timedelta(days=30),
)
RENEWAL_BILL = replace(BILL, stage="R", preceding_policy_id=5, key=bill_key(7, 1, 5))
PARTIAL = replace(BILL, pay_option=PayOption.PARTIAL)


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


def report(amount: str = "30000", currency: str = "TZS") -> PaymentReport:
    return PaymentReport("PSP-1", "994120000011", Money.parse(amount, currency), NOON)


def policy(number: int, status: int, start: int, end: int | None, **more: Any) -> Policy:
    values = {
        "product_id": 1,
        "stage": "N",
        "value": PRICE,
        "paid": Money(0),
        "effective_date": None,
        "officer_id": 3,
        **more,
    }
    expiry = None if end is None else on(end)
    return Policy(
        id=number, family_id=7, status=status, enroll_date=on(start), start_date=on(start), expiry_date=expiry, **values
    )


def ledger(*held: Policy, **more: Any) -> Ledger:
    values = {"family": FAMILY, "product": CHF, "receipt_used": False, "activation_option": 1, **more}
    return Ledger(policies=held, **values)


def settled(bill: Bill, told: PaymentReport, *held: Policy, paid_on: date = TODAY, **more: Any) -> Settlement:
    decision = settle(bill, told, paid_on, TODAY, ledger(*held, **more))
    assert isinstance(decision, Settlement), decision
    return decision


@pytest.mark.parametrize(
    ("bill", "told", "kind"),
    [
        (BILL, report(), None),
        (replace(BILL, state=BillState.EXPIRED), report(), None),  # late truth wins over time-outs
        (replace(BILL, state=BillState.REFUSED), report(), None),
        (replace(BILL, state=BillState.SUBMITTED), report(), None),
        (replace(BILL, state=BillState.PAID), report(), CaseKind.PAID_TWICE),
        (replace(BILL, state=BillState.CANCELLED), report(), CaseKind.BILL_CANCELLED),
        (BILL, report(currency="USD"), CaseKind.WRONG_CURRENCY),
        (replace(BILL, state=BillState.PAID), report(currency="USD"), CaseKind.WRONG_CURRENCY),
        (BILL, report("29999.99"), CaseKind.WRONG_AMOUNT),
        (BILL, report("30000.01"), CaseKind.WRONG_AMOUNT),
        (BILL, report("0"), CaseKind.WRONG_AMOUNT),
        (BILL, report("-30000"), CaseKind.WRONG_AMOUNT),
        (PARTIAL, report("0.01"), None),
        (PARTIAL, report("30000"), None),
        (PARTIAL, report("30000.01"), CaseKind.WRONG_AMOUNT),
        (PARTIAL, report("0"), CaseKind.WRONG_AMOUNT),
        (replace(PARTIAL, paid=Money.parse("20000")), report("10000"), None),
        (replace(PARTIAL, paid=Money.parse("20000")), report("10001"), CaseKind.WRONG_AMOUNT),
    ],
)
def test_what_the_bill_has_against_it(bill: Bill, told: PaymentReport, kind: CaseKind | None) -> None:
    assert objection(bill, told) == kind
    if kind is not None:
        assert settle(bill, told, TODAY, TODAY, ledger()) == NeedsPerson(kind)


@pytest.mark.parametrize(
    ("bill", "held", "more", "kind"),
    [
        (BILL, [], {"family": None}, CaseKind.FAMILY_GONE),
        (BILL, [], {"product": None}, CaseKind.PRODUCT_GONE),
        (BILL, [], {"receipt_used": True}, CaseKind.RECEIPT_USED),
        (RENEWAL_BILL, [policy(5, SUSPENDED, -10, 10)], {}, CaseKind.POLICY_SUSPENDED),
        (RENEWAL_BILL, [policy(5, SUSPENDED, -10, None)], {}, CaseKind.POLICY_SUSPENDED),
        (BILL, [policy(6, IDLE, -1, 363), policy(5, SUSPENDED, -10, 10)], {}, CaseKind.POLICY_SUSPENDED),
        # an officer took cash while our bill was open
        (RENEWAL_BILL, [policy(5, EXPIRED, -400, -36), policy(6, ACTIVE, -1, 363)], {}, CaseKind.ALREADY_COVERED),
        (BILL, [policy(6, ACTIVE, 0, 364)], {}, CaseKind.ALREADY_COVERED),
        (BILL, [policy(6, ACTIVE, -10, None)], {}, CaseKind.ALREADY_COVERED),
        (BILL, [policy(6, READY, 1, 365)], {}, CaseKind.ALREADY_COVERED),
    ],
)
def test_money_that_a_machine_must_not_place(
    bill: Bill, held: list[Policy], more: dict[str, Any], kind: CaseKind
) -> None:
    assert settle(bill, report(), TODAY, TODAY, ledger(*held, **more)) == NeedsPerson(kind)


def test_the_first_policy_is_born_with_its_money() -> None:
    decision = settled(BILL, report())
    assert decision.policy == NewPolicy(7, 1, "N", TODAY, TODAY, on(364), PRICE, None, tuple(range(1, 9)))
    assert decision.activation == Activation(ACTIVE, TODAY)
    assert decision.premium.amount == PRICE
    assert (decision.premium.receipt, decision.premium.pay_date, decision.premium.pay_type) == ("PSP-1", TODAY, "M")
    assert (decision.still_due, decision.fact) == (Money(0), BillFact.PAID)
    assert (decision.start_date, decision.expiry_date) == (TODAY, on(364))


@pytest.mark.parametrize(
    ("end", "start"), [(7, 8), (0, 1), (-1, 0), (-36, 0)], ids=["early", "last day", "day after", "late"]
)
def test_a_renewal_starts_after_what_runs_and_keeps_the_officer(end: int, start: int) -> None:
    decision = settled(RENEWAL_BILL, report(), policy(5, ACTIVE, -300, end))
    assert isinstance(decision.policy, NewPolicy)
    assert (decision.policy.stage, decision.policy.enroll_date, decision.policy.officer_id) == ("R", TODAY, 3)
    assert decision.start_date == on(start)
    assert decision.activation == Activation(ACTIVE, on(start))


def test_another_cover_that_ended_meanwhile_does_not_hinder() -> None:
    decision = settled(RENEWAL_BILL, report(), policy(5, EXPIRED, -800, -436), policy(6, EXPIRED, -400, -36))
    assert isinstance(decision.policy, NewPolicy)


def test_the_policy_lasts_from_the_day_of_payment_not_of_asking() -> None:
    bill = replace(BILL, created_at=NOON - timedelta(days=5))
    decision = settled(bill, report(), paid_on=on(-3))
    assert (decision.start_date, decision.premium.pay_date) == (on(-3), on(-3))


@pytest.mark.parametrize("paid_on", [date(2000, 1, 1), on(-6)])
def test_a_payment_from_before_its_bill_counts_as_the_bills_day(paid_on: date) -> None:
    """A clock that is wrong by years would else buy a cover that has ended."""
    bill = replace(BILL, created_at=NOON - timedelta(days=5))
    decision = settled(bill, report(), paid_on=paid_on)
    assert (decision.start_date, decision.premium.pay_date) == (on(-5), on(-5))


def test_a_payment_from_the_future_counts_as_todays() -> None:
    decision = settled(BILL, report(), paid_on=on(2))
    assert (decision.start_date, decision.premium.pay_date) == (TODAY, TODAY)
    assert decision.activation == Activation(ACTIVE, TODAY)


def test_an_officers_idle_policy_is_used() -> None:
    idle = policy(6, IDLE, -3, 361)
    decision = settled(BILL, report(), idle)
    assert decision.policy is idle
    assert decision.activation == Activation(ACTIVE, TODAY)  # openIMIS e03: dates stay, cover begins with the money
    assert (decision.start_date, decision.expiry_date) == (on(-3), on(361))


def test_an_idle_policy_that_starts_later_is_effective_then() -> None:
    decision = settled(BILL, report(), policy(6, IDLE, 9, 373))  # openIMIS e02
    assert decision.activation == Activation(ACTIVE, on(9))


@pytest.mark.parametrize("idle", [policy(6, IDLE, -3, 361, product_id=2), policy(6, IDLE, -400, -36)])
def test_an_idle_policy_of_another_product_or_run_out_is_not(idle: Policy) -> None:
    assert isinstance(settled(BILL, report(), idle).policy, NewPolicy)


def test_what_an_officer_took_before_counts() -> None:
    bill = replace(BILL, amount=Money.parse("20000"))
    decision = settled(bill, report("20000"), policy(6, IDLE, -3, 361, paid=Money.parse("10000")))
    assert decision.activation == Activation(ACTIVE, TODAY)
    assert (decision.still_due, decision.fact) == (Money(0), BillFact.PAID)


def test_instalments() -> None:
    first = settled(PARTIAL, report("10000"))
    assert isinstance(first.policy, NewPolicy)
    assert (first.activation, str(first.still_due), first.fact) == (None, "20,000", BillFact.PART_PAID)
    after_one = replace(PARTIAL, paid=Money.parse("10000"), state=BillState.PART_PAID)
    second = settled(after_one, report("19999.99"), policy(6, IDLE, 0, 364, paid=Money.parse("10000")))
    assert (second.activation, str(second.still_due), second.fact) == (None, "0.01", BillFact.PART_PAID)
    after_two = replace(after_one, paid=Money.parse("29999.99"))
    third = settled(after_two, report("0.01"), policy(6, IDLE, 0, 364, paid=Money.parse("29999.99")))
    assert (third.activation, third.still_due, third.fact) == (Activation(ACTIVE, TODAY), Money(0), BillFact.PAID)


def test_a_paid_bill_may_leave_the_policy_short() -> None:
    """A premium was taken back meanwhile: the bill is paid, the policy waits."""
    bill = replace(BILL, amount=Money.parse("20000"))
    decision = settled(bill, report("20000"), policy(6, IDLE, -3, 361))
    assert (decision.activation, str(decision.still_due), decision.fact) == (None, "10,000", BillFact.PAID)


@pytest.mark.parametrize(("option", "status"), [(1, ACTIVE), (2, ACTIVE), (READY_FIRST, READY)])
def test_a_scheme_that_activates_in_two_steps(option: int, status: PolicyStatus) -> None:
    assert settled(BILL, report(), activation_option=option).activation == Activation(status, TODAY)


policies = st.lists(
    st.builds(
        lambda number, status, start, length, paid: policy(
            number, status, start, start + length, paid=Money(paid), value=PRICE
        ),
        st.integers(1, 99),
        st.sampled_from([IDLE, ACTIVE, SUSPENDED, EXPIRED, READY]),
        st.integers(-900, 300),
        st.integers(0, 400),
        st.integers(0, PRICE.amount_minor),
    ),
    max_size=4,
    unique_by=lambda p: p.id,
)


@given(policies, st.integers(1, PRICE.amount_minor), st.integers(-60, 5), st.none() | st.integers(1, 99))
def test_no_money_is_lost_and_no_cover_overlaps(
    held: list[Policy], minor: int, paid_days: int, preceding: int | None
) -> None:
    bill = replace(PARTIAL, preceding_policy_id=preceding, stage="R" if preceding else "N")
    told = replace(report(), amount=Money(minor))
    decision = settle(bill, told, on(paid_days), TODAY, ledger(*held))
    if isinstance(decision, NeedsPerson):
        return
    assert decision.premium.amount == told.amount
    assert decision.premium.pay_date <= TODAY
    assert (decision.activation is None) is (decision.still_due.amount_minor > 0)
    if decision.activation:
        assert decision.activation.effective_date >= max(decision.premium.pay_date, decision.start_date)
    if isinstance(decision.policy, Policy):
        assert decision.policy.status == IDLE  # never one that is active, expired or suspended
        assert decision.policy in held
    else:
        for p in held:
            if p.status != IDLE:
                assert p.expiry_date is not None
                assert decision.start_date > p.expiry_date


@given(policies)
def test_a_standing_suspension_is_never_lifted(held: list[Policy]) -> None:
    decision = settle(BILL, report(), TODAY, TODAY, ledger(*held, policy(100, SUSPENDED, -1, 1)))
    assert decision == NeedsPerson(CaseKind.POLICY_SUSPENDED)
