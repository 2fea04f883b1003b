"""What a person may do with a case, and what placing its money does: facts in, a settlement or a refusal out.

A person may place what a machine must not: another amount than billed, money for no bill of ours, a second payment.
What holds for the machine holds here all the same: nothing on a suspended policy, no active policy's days moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gateway.domain.bill import Bill, BillFact
from gateway.domain.errors import CASE_CODES
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, EntryState, PaymentReport
from gateway.domain.periods import period_from, policy_period
from gateway.domain.policy import (
    NEW,
    RENEWAL,
    Family,
    NewPolicy,
    NewPremium,
    Policy,
    PolicyStatus,
    Product,
)
from gateway.domain.quote import idle_policy
from gateway.domain.settlement import Ledger, Settlement, activation_of, latest_settled
from gateway.domain.valuation import policy_value


class Act(StrEnum):
    """What a person does with a case."""

    MATCH = "match"  # the money becomes a premium of a family or of one policy
    HOLD = "hold"  # kept for the family's next cover
    REFUND = "refund"  # given back outside, under a reference
    REJECT = "reject"  # nothing is owed: a mistake of the provider's
    CLOSE = "close"  # seen to; no money hangs on it


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    HELD = "held"  # decided, and the money waits for a cover
    CLOSED = "closed"


_PLACE = (Act.MATCH, Act.HOLD, Act.REFUND, Act.REJECT)
_RETURN = (Act.REFUND, Act.REJECT)

# What a machine put before a person, and what the person may do with it.
ACTS: dict[CaseKind, tuple[Act, ...]] = {
    # the first report of a payment stands; a second amount under its reference is never booked
    CaseKind.CONFLICT: _RETURN,
    CaseKind.UNKNOWN_CONTROL_NUMBER: _PLACE,
    CaseKind.OTHER_PAYEE: _PLACE,  # once the code is one of ours: it was a setting that was missing
    CaseKind.WRONG_AMOUNT: _PLACE,
    CaseKind.WRONG_CURRENCY: _RETURN,  # the registry knows shillings only
    CaseKind.PAID_TWICE: _PLACE,
    CaseKind.BILL_CANCELLED: _PLACE,
    CaseKind.ALREADY_COVERED: _PLACE,
    CaseKind.POLICY_SUSPENDED: _PLACE,
    CaseKind.RECEIPT_USED: _PLACE,
    CaseKind.FAMILY_GONE: _PLACE,
    CaseKind.PRODUCT_GONE: _PLACE,
    CaseKind.BILL_WITHOUT_NUMBER: (Act.CLOSE,),
    CaseKind.OVERPAID: (Act.CLOSE,),
    CaseKind.SETTLE_FAILED: (Act.CLOSE,),
    CaseKind.EFFECT_HELD: (Act.CLOSE,),
    CaseKind.SAME_RECEIPT: _PLACE,
    CaseKind.DAY_DIFFERS: (Act.CLOSE,),
    CaseKind.DAY_CHANGED: (Act.CLOSE,),
    CaseKind.NO_STATEMENT: (Act.CLOSE,),
    CaseKind.UNREADABLE: (Act.CLOSE,),
    CaseKind.PHONE_REPORTED: (Act.CLOSE,),
}
_HELD_ACTS = (Act.MATCH, Act.REFUND, Act.REJECT)

# Not of one payment: once closed, the same may happen again and is then open again.
RECURRING = (
    CaseKind.BILL_WITHOUT_NUMBER,
    CaseKind.SETTLE_FAILED,
    CaseKind.EFFECT_HELD,
    CaseKind.DAY_DIFFERS,
    CaseKind.DAY_CHANGED,
    CaseKind.NO_STATEMENT,
    CaseKind.UNREADABLE,
)

# What the payment has become.
AFTER: dict[Act, EntryState] = {
    Act.MATCH: EntryState.SETTLED,
    Act.HOLD: EntryState.HELD,
    Act.REFUND: EntryState.REFUNDED,
    Act.REJECT: EntryState.REJECTED,
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why it cannot be done, for the person who asked."""

    sentence: str


def acts_for(kind: CaseKind, state: CaseState, amount: Money | None) -> tuple[Act, ...]:
    """What may be done with a case as it stands."""
    if state == CaseState.CLOSED:
        return ()
    if state == CaseState.HELD:
        return _HELD_ACTS
    allowed = ACTS[kind]
    if Act.CLOSE in allowed:
        return allowed
    if amount is None:  # one control number for two bills: nothing was paid
        return (Act.CLOSE,)
    return allowed if amount.amount_minor > 0 else (Act.REJECT,)


def objection_to(act: Act, kind: CaseKind, state: CaseState, amount: Money | None) -> Refusal | None:
    """What the case itself has against the act."""
    allowed = acts_for(kind, state, amount)
    if act in allowed:
        return None
    if state == CaseState.CLOSED:
        return Refusal("the case is closed already")
    named = " or ".join(", ".join(allowed).rsplit(", ", 1))
    if state == CaseState.HELD:
        return Refusal(f"the money is held already; what can be done with it: {named}")
    return Refusal(f"{act} is not for {CASE_CODES[kind]}; what can be done: {named}")


def place(
    report: PaymentReport, paid_on: date, today: date, ledger: Ledger, bill: Bill | None, policy_id: int | None
) -> Settlement | Refusal:
    """What the money does where a person wants it.

    ``policy_id``: one policy of the family; None takes the idle one of the product, else a new one after the last
    cover. ``bill``: the one that was paid, if it ``is_still_to_come``: its price holds.
    The whole amount becomes one premium, since a receipt stands for itself only once within a product: what is short
    leaves the policy idle, what is over is stated as excess.
    """
    if ledger.family is None:
        return Refusal("the family is not in the registry")
    if ledger.product is None:
        return Refusal("there is no product for this family")
    if ledger.receipt_used:
        return Refusal(f"the receipt {report.reference} stands on a premium of {ledger.product.code} already")
    pay_date = min(paid_on, today)
    policy = _target(ledger, ledger.family, ledger.product, bill, policy_id, pay_date, today)
    if isinstance(policy, Refusal):
        return policy
    if policy.value.amount_minor <= 0:
        return Refusal("the policy has no value: nobody knows what it costs")
    paid_before = policy.paid if isinstance(policy, Policy) else Money(0, report.amount.currency)
    left = policy.value - paid_before - report.amount
    activation = activation_of(policy, pay_date, ledger.activation_option) if left.amount_minor <= 0 else None
    return Settlement(
        policy=policy,
        premium=NewPremium(amount=report.amount, receipt=report.reference, pay_date=pay_date),
        activation=activation,
        still_due=Money(max(left.amount_minor, 0), left.currency),
        excess=Money(max(-left.amount_minor, 0), left.currency),
        fact=BillFact.PAID if activation else BillFact.PART_PAID,
        mended=period_from(ledger.product, policy.start_date) if activation and policy.expiry_date is None else None,
    )


def _target(
    ledger: Ledger,
    family: Family,
    product: Product,
    bill: Bill | None,
    policy_id: int | None,
    pay_date: date,
    today: date,
) -> Policy | NewPolicy | Refusal:
    suspended = [p for p in ledger.policies if p.status == PolicyStatus.SUSPENDED and not p.ended_before(today)]
    if suspended:
        return Refusal(f"policy {suspended[0].id} is suspended: decide on the suspension first")
    if policy_id is not None:
        return _named(ledger, policy_id, today)
    idle = idle_policy(ledger.policies, product.id, today)
    return idle if idle is not None else _born(ledger, family, product, bill, pay_date, today)


def _named(ledger: Ledger, policy_id: int, today: date) -> Policy | Refusal:
    """The policy that the person chose: money is booked only where it is waited for."""
    policy = next((p for p in ledger.policies if p.id == policy_id), None)
    if policy is None:
        return Refusal(f"there is no live policy {policy_id}")
    if policy.ended_before(today) or policy.status == PolicyStatus.EXPIRED:
        return Refusal(f"policy {policy_id} has ended: match the money to the family, for a new one")
    if policy.status != PolicyStatus.IDLE:
        return Refusal(f"policy {policy_id} is paid for: hold the money, or match it to the family for the cover after")
    return policy


def _born(
    ledger: Ledger, family: Family, product: Product, bill: Bill | None, pay_date: date, today: date
) -> NewPolicy | Refusal:
    """A new policy after the last cover, from the day of payment as if a machine had placed the money on that day.

    Money that lay so long that this would have ended by now buys cover from today.
    """
    last = latest_settled(ledger.policies)
    if last is not None and last.expiry_date is None and last.status in (PolicyStatus.ACTIVE, PolicyStatus.READY):
        return Refusal(f"policy {last.id} has no last day, so that nothing can follow it: mend it in openIMIS first")
    stage, expiry = (RENEWAL, last.expiry_date) if last else (NEW, None)
    enrolled = pay_date
    period = policy_period(product, enrolled, stage, expiry)
    if period.expiry < today:
        enrolled = today
        period = policy_period(product, enrolled, stage, expiry)
    promised = bill.policy_value if bill and bill.product_id == product.id else None
    return NewPolicy(
        family_id=family.id,
        product_id=product.id,
        stage=stage,
        enroll_date=enrolled,
        start_date=period.start,
        expiry_date=period.expiry,
        value=promised or policy_value(product, family, stage, enrolled, period, expiry),
        officer_id=(last.officer_id if last else None) or ledger.officer_id,
        insuree_ids=tuple(m.insuree_id for m in family.members),
    )


def is_still_to_come(bill: Bill, family_id: int, policies: Sequence[Policy]) -> bool:
    """Whether a bill is this family's, and nobody has got it the cover that it asks for."""
    last = latest_settled(policies)
    return bill.family_id == family_id and bill.preceding_policy_id == (last.id if last else None)
