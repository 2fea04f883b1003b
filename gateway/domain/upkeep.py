"""What is noticed of policies that others write, and what is put right: facts in, decisions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from gateway.domain.periods import Period, add_months
from gateway.domain.policy import READY_FIRST, Policy, PolicyStatus, Product
from gateway.domain.settlement import Activation

OURS, THEIRS = "gateway", "openimis"  # where an event comes from


class PolicyEventKind(StrEnum):
    """What happened to a policy. Past tense, and once each."""

    ENROLLED = "enrolled"
    ACTIVATED = "activated"
    EXPIRING = "expiring"  # its last day is near


@dataclass(frozen=True, slots=True)
class PolicyEvent:
    """``day``: the enrolment's, the first covered or the last covered day. ``origin``: who caused it."""

    policy_id: int
    kind: PolicyEventKind
    family_id: int
    day: date
    origin: str = THEIRS


def events_of(policy: Policy) -> tuple[PolicyEvent, ...]:
    """What a live policy's present state says has happened to it. Activation leaves no other trace (openIMIS)."""
    enrolled = PolicyEvent(policy.id, PolicyEventKind.ENROLLED, policy.family_id, policy.enroll_date)
    if policy.status != PolicyStatus.ACTIVE:
        return (enrolled,)
    first_day = policy.effective_date or policy.start_date
    return (enrolled, PolicyEvent(policy.id, PolicyEventKind.ACTIVATED, policy.family_id, first_day))


def is_paid_but_idle(policy: Policy) -> bool:
    """Two halves of a premium committed side by side leave a paid policy idle: neither writer saw the other's half."""
    return policy.status == PolicyStatus.IDLE and bool(policy.paid) and policy.paid >= policy.value


def repair_for(policy: Policy, last_paid_on: date, activation_option: int) -> Activation:
    """The activation that the writer of the last premium would have made, had it seen the others."""
    assert is_paid_but_idle(policy)
    status = PolicyStatus.READY if activation_option == READY_FIRST else PolicyStatus.ACTIVE
    return Activation(status, max(last_paid_on, policy.start_date))


def overlapping(ours: Policy, policies: Sequence[Policy]) -> Policy | None:
    """The active policy of the same product, entered by somebody else, whose days ours shares; None where none does."""
    if ours.status != PolicyStatus.ACTIVE or ours.expiry_date is None:
        return None
    for other in policies:
        if other.id == ours.id or other.product_id != ours.product_id or other.status != PolicyStatus.ACTIVE:
            continue
        if other.expiry_date and other.start_date <= ours.expiry_date and ours.start_date <= other.expiry_date:
            return other
    return None


def moved_behind(other: Policy, product: Product) -> Period:
    """The days that follow the other's cover: the family paid twice and is covered twice as long, not twice at once."""
    assert other.expiry_date is not None
    start = other.expiry_date + timedelta(days=1)
    return Period(start, add_months(start, product.insurance_period) - timedelta(days=1))
