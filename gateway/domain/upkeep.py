"""What is noticed of policies that others write, and what is put right: facts in, decisions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from gateway.domain.bill import Bill
from gateway.domain.periods import Period, period_from
from gateway.domain.policy import Policy, PolicyStatus, Product
from gateway.domain.settlement import Activation, activation_of, covered_otherwise, latest_settled

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


def events_of(policy: Policy, *, is_new: bool, has_news: bool) -> tuple[PolicyEvent, ...]:
    """What a live policy's present state says has happened to it. Activation leaves no other trace (openIMIS).

    ``is_new``: its row appeared while we looked. ``has_news``: it is new, or money has come since. What neither is was
    there before our first day: enrolled and perhaps active for years.
    """
    events = []
    if is_new:
        events.append(PolicyEvent(policy.id, PolicyEventKind.ENROLLED, policy.family_id, policy.enroll_date))
    if (is_new or has_news) and policy.status == PolicyStatus.ACTIVE:
        events.append(activated(policy.id, policy.family_id, policy.effective_date or policy.start_date))
    return tuple(events)


def activated(policy_id: int, family_id: int, first_day: date) -> PolicyEvent:
    """By others, or by our repair: nobody has told the family yet, as our own settlements do."""
    return PolicyEvent(policy_id, PolicyEventKind.ACTIVATED, family_id, first_day)


def is_paid_but_idle(policy: Policy) -> bool:
    """Two halves of a premium committed side by side leave a paid policy idle: neither writer saw the other's half.

    A policy without a value is never paid for: nobody knows what it costs.
    """
    return policy.status == PolicyStatus.IDLE and bool(policy.value) and policy.paid >= policy.value


def repair_for(policy: Policy, last_paid_on: date, activation_option: int) -> Activation | None:
    """The activation that the writer of the last premium would have made, had it seen the others.

    None where the policy had ended by then: an end in the past is no cover to give.
    """
    assert is_paid_but_idle(policy)
    activation = activation_of(policy, last_paid_on, activation_option)
    return None if policy.ended_before(activation.effective_date) else activation


def is_overtaken(bill: Bill, policies: Sequence[Policy], day: date) -> bool:
    """Whether a live bill asks for a cover that the family got by other means. A suspended policy is no cover."""
    last = latest_settled(policies)
    covers = last is not None and last.status in (PolicyStatus.ACTIVE, PolicyStatus.READY)
    return covers and covered_otherwise(bill, policies, day)


def overlapping(ours: Policy, policies: Sequence[Policy]) -> Policy | None:
    """Of the family's other active policies of the product that share days with ours, the one that ends last."""
    if ours.status != PolicyStatus.ACTIVE or ours.expiry_date is None:
        return None
    sharing = [
        other
        for other in policies
        if other.id != ours.id
        and other.product_id == ours.product_id
        and other.status == PolicyStatus.ACTIVE
        and other.expiry_date is not None
        and other.start_date <= ours.expiry_date
        and ours.start_date <= other.expiry_date
    ]
    return max(sharing, key=lambda p: (p.reach, p.id), default=None)


def moved_behind(other: Policy, product: Product) -> Period:
    """The days that follow the other's cover: the family paid twice and is covered twice as long, not twice at once."""
    assert other.expiry_date is not None
    return period_from(product, other.expiry_date + timedelta(days=1))
