"""Who in a family is covered: by the member's own coverage rows as much as by the family's policies.

A policy covers nobody by itself: who joined late, or beyond the number that the product takes, has no row of it or one
without a day from which it counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from gateway.domain.cover import Cover, cover_on
from gateway.domain.policy import Family, Member, Policy, PolicyStatus

_PAID = (PolicyStatus.ACTIVE, PolicyStatus.READY)


@dataclass(frozen=True, slots=True)
class Coverage:
    """A live tblInsureePolicy row: one member under one policy. Old data holds rows without one day or another."""

    insuree_id: int
    policy_id: int
    start_date: date | None
    effective_date: date | None
    expiry_date: date | None


@dataclass(frozen=True, slots=True)
class MemberCover:
    """A member, and the best that any policy gives it."""

    member: Member
    cover: Cover


def member_covers(
    family: Family, policies: Sequence[Policy], coverages: Sequence[Coverage], day: date
) -> tuple[MemberCover, ...]:
    """Every live member with its cover on this day: the head first, then in the order in which they joined."""
    held = {policy.id: policy for policy in policies}
    members = sorted(family.members, key=lambda member: member.insuree_id != family.head.insuree_id)
    return tuple(MemberCover(m, cover_on(_own(m.insuree_id, held, coverages), day)) for m in members)


def _own(insuree_id: int, held: Mapping[int, Policy], coverages: Sequence[Coverage]) -> list[Policy]:
    """The policies as they count for one member."""
    rows = (row for row in coverages if row.insuree_id == insuree_id)
    return [_as_it_counts(held[row.policy_id], row) for row in rows if row.policy_id in held]


def _as_it_counts(policy: Policy, row: Coverage) -> Policy:
    """The policy on those days only that the row gives as well.

    A row without a first day of cover, of a paid policy that has one, counts as not paid for this member, as openIMIS'
    own enquiry reads it (uspPolicyInquiry: 'I'). Where the row does not know its other days, those of the policy hold.
    """
    status = policy.status
    if status in _PAID and row.effective_date is None and policy.effective_date is not None:
        status = PolicyStatus.IDLE
    effective = policy.effective_date
    if row.effective_date is not None:
        effective = max(policy.effective_date or policy.start_date, row.effective_date)
    ends = [day for day in (policy.expiry_date, row.expiry_date) if day]
    return replace(
        policy,
        status=status,
        start_date=max(policy.start_date, row.start_date or policy.start_date),
        effective_date=effective,
        expiry_date=min(ends, default=None),
    )
