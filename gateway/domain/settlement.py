"""What a payment does to a policy: one decision from facts, applied elsewhere in one transaction.

The effect on the registry is what openIMIS' own services would have written, except
where they are wrong: an active policy's dates are not moved by a second payment, an expired or suspended policy is not
put to active. Such money is kept and shown to a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from gateway.domain.bill import Bill, BillFact, BillState, PayOption
from gateway.domain.clock import eat_day
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, PaymentReport
from gateway.domain.periods import Period, period_from, policy_period
from gateway.domain.policy import (
    READY_FIRST,
    Family,
    NewPolicy,
    NewPremium,
    Policy,
    PolicyStatus,
    Product,
)
from gateway.domain.quote import idle_policy


@dataclass(frozen=True, slots=True)
class NeedsPerson:
    """The money is kept; a machine must not place it."""

    kind: CaseKind


@dataclass(frozen=True, slots=True)
class Activation:
    """The policy's money is complete. ``status`` is READY where the scheme activates in two steps."""

    status: PolicyStatus
    effective_date: date


@dataclass(frozen=True, slots=True)
class Settlement:
    """``policy`` is the idle policy to use, or one to be born. ``still_due`` is zero when ``activation`` is given.

    ``excess``: what the policy did not need, because an officer took part of the money while the bill was open.
    """

    policy: Policy | NewPolicy
    premium: NewPremium
    activation: Activation | None
    still_due: Money
    excess: Money
    fact: BillFact
    mended: Period | None = None  # the days of an officer's policy that was entered without an end

    @property
    def start_date(self) -> date:
        """First day of the policy."""
        return self.policy.start_date

    @property
    def expiry_date(self) -> date | None:
        """Last day of the policy."""
        return self.mended.expiry if self.mended else self.policy.expiry_date


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the registry holds at the moment of settling, read under the family's lock."""

    family: Family | None
    product: Product | None
    policies: tuple[Policy, ...]
    receipt_used: bool
    activation_option: int
    officer_id: int | None = None  # an officer of the family's place, for a policy that no earlier one gives an officer


def objection(bill: Bill, report: PaymentReport) -> CaseKind | None:
    """What the bill alone has against the payment."""
    if report.amount.currency != bill.amount.currency:
        return CaseKind.WRONG_CURRENCY
    if bill.state == BillState.CANCELLED:
        return CaseKind.BILL_CANCELLED
    if bill.state == BillState.PAID:
        return CaseKind.PAID_TWICE
    due = bill.amount - bill.paid
    short = report.amount.amount_minor < due.amount_minor
    over = report.amount.amount_minor > due.amount_minor
    if report.amount.amount_minor <= 0 or over or (short and bill.pay_option != PayOption.PARTIAL):
        return CaseKind.WRONG_AMOUNT
    return None


def latest_settled(policies: Sequence[Policy]) -> Policy | None:
    """Of the policies that are not idle, the one whose cover reaches furthest."""
    settled = [p for p in policies if p.status != PolicyStatus.IDLE]
    return max(settled, key=lambda p: (p.reach, p.id), default=None)


def covered_otherwise(bill: Bill, policies: Sequence[Policy], day: date) -> bool:
    """Whether the family got the cover that this bill asks for by other means: an officer took cash meanwhile."""
    last = latest_settled(policies)
    return last is not None and last.id != bill.preceding_policy_id and not last.ended_before(day)


def settle(bill: Bill, report: PaymentReport, paid_on: date, today: date, ledger: Ledger) -> Settlement | NeedsPerson:
    """Decide what becomes of a payment for a bill of ours. ``paid_on`` and ``today`` are East African days."""
    against = objection(bill, report)
    if against == CaseKind.BILL_CANCELLED and covered_otherwise(bill, ledger.policies, min(paid_on, today)):
        against = CaseKind.ALREADY_COVERED  # cancelled because of it: the money is kept for the next cover
    if against is not None:
        return NeedsPerson(against)
    if ledger.family is None:
        return NeedsPerson(CaseKind.FAMILY_GONE)
    if ledger.product is None:
        return NeedsPerson(CaseKind.PRODUCT_GONE)
    if ledger.receipt_used:
        return NeedsPerson(CaseKind.RECEIPT_USED)
    # clocks differ: openIMIS refuses a payment from the future, and nobody pays a bill before there is one
    pay_date = min(max(paid_on, eat_day(bill.created_at)), today)
    policy = _policy_for(bill, pay_date, ledger.family, ledger.product, ledger)
    if isinstance(policy, NeedsPerson):
        return policy
    paid_before = policy.paid if isinstance(policy, Policy) else Money(0, bill.amount.currency)
    left = policy.value - paid_before - report.amount
    activation = activation_of(policy, pay_date, ledger.activation_option) if left.amount_minor <= 0 else None
    bill_left = bill.amount - bill.paid - report.amount
    return Settlement(
        policy=policy,
        premium=NewPremium(amount=report.amount, receipt=report.reference, pay_date=pay_date),
        activation=activation,
        still_due=Money(max(left.amount_minor, 0), left.currency),
        excess=Money(max(-left.amount_minor, 0), left.currency),
        fact=BillFact.PART_PAID if bill_left.amount_minor > 0 else BillFact.PAID,
        mended=period_from(ledger.product, policy.start_date) if activation and policy.expiry_date is None else None,
    )


def _policy_for(
    bill: Bill, pay_date: date, family: Family, product: Product, ledger: Ledger
) -> Policy | NewPolicy | NeedsPerson:
    """The officer's idle policy, or a new one; never a policy that stands in the way of either."""
    own = [p for p in ledger.policies if p.product_id == product.id or p.status != PolicyStatus.IDLE]
    if any(p.status == PolicyStatus.SUSPENDED and not p.ended_before(pay_date) for p in own):
        return NeedsPerson(CaseKind.POLICY_SUSPENDED)
    idle = idle_policy(own, product.id, pay_date)
    if idle is not None:
        return idle
    if covered_otherwise(bill, own, pay_date):
        return NeedsPerson(CaseKind.ALREADY_COVERED)  # an officer took cash while our bill was open
    last = latest_settled(own)
    period = policy_period(product, pay_date, bill.stage, last.expiry_date if last else None)
    return NewPolicy(
        family_id=family.id,
        product_id=product.id,
        stage=bill.stage,
        enroll_date=pay_date,
        start_date=period.start,
        expiry_date=period.expiry,
        value=bill.policy_value,
        officer_id=(last.officer_id if last else None) or ledger.officer_id,
        insuree_ids=tuple(m.insuree_id for m in family.members),
    )


def activation_of(policy: Policy | NewPolicy, pay_date: date, activation_option: int) -> Activation:
    """What complete money makes of a policy: effective on the later of payment and start."""
    status = PolicyStatus.READY if activation_option == READY_FIRST else PolicyStatus.ACTIVE
    return Activation(status, max(pay_date, policy.start_date))
