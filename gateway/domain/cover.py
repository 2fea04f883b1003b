"""Whether a family is covered on a day, from its policies' dates as much as from their status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from gateway.domain.policy import Policy, PolicyStatus

_PAID = (PolicyStatus.ACTIVE, PolicyStatus.READY)


class CoverState(StrEnum):
    """What a family is told first."""

    COVERED = "covered"  # until a day
    UNDATED = "undated"  # covered, until a day that the registry does not hold (openIMIS uspMatchPayment loses it)
    STARTS = "starts"  # paid, cover begins later
    READY = "ready"  # paid, and no cover until an officer makes it active (openIMIS ActivationOption 3)
    UNPAID = "unpaid"  # enrolled or renewed by an officer, not paid
    SUSPENDED = "suspended"
    EXPIRED = "expired"  # since a day
    ENDED = "ended"  # on a day that the registry does not hold
    NONE = "none"  # never had a policy


COVERS = (CoverState.COVERED, CoverState.UNDATED)  # that hold on the day


@dataclass(frozen=True, slots=True)
class Cover:
    """``until``: last covered day, or the day the last cover ended; ``start``: first day of a cover to come.

    Each is there where the state's text tells it: ``until`` with COVERED and EXPIRED, ``start`` with STARTS.
    """

    state: CoverState
    until: date | None = None
    start: date | None = None


def cover_on(policies: Sequence[Policy], day: date) -> Cover:
    """The best that any policy of the family gives on this day; paid covers that follow each other count as one."""
    active = [p for p in policies if p.status == PolicyStatus.ACTIVE and not p.ended_before(day)]
    now = [p for p in active if _first_day(p) <= day]
    if now:
        until = _last_day(now, active)
        return Cover(CoverState.UNDATED if until is None else CoverState.COVERED, until=until)
    coming = [p for p in policies if p.status in _PAID and not p.ended_before(day)]
    if any(_first_day(p) <= day for p in coming):
        return Cover(CoverState.READY)
    if coming:
        start = min(_first_day(p) for p in coming)
        ends = [p.expiry_date for p in coming if _first_day(p) == start]
        known = [end for end in ends if end is not None]
        return Cover(CoverState.STARTS, until=max(known) if len(known) == len(ends) else None, start=start)
    standing = [p for p in policies if not p.ended_before(day)]
    if any(p.status == PolicyStatus.SUSPENDED for p in standing):
        return Cover(CoverState.SUSPENDED)
    over = [p for p in policies if p.status != PolicyStatus.IDLE and _is_over(p, day)]
    ended = max((p.expiry_date for p in over if p.ended_before(day) and p.expiry_date), default=None)
    if any(p.status == PolicyStatus.IDLE for p in standing):
        return Cover(CoverState.UNPAID, until=ended)
    if over:
        return Cover(CoverState.ENDED if ended is None else CoverState.EXPIRED, until=ended)
    return Cover(CoverState.NONE)


def _first_day(policy: Policy) -> date:
    """First covered day: money that came after the start shortens the cover."""
    return policy.effective_date or policy.start_date


def _is_over(policy: Policy, day: date) -> bool:
    """By its dates or, where the registry holds no expiry date, by its status."""
    return policy.ended_before(day) or policy.status == PolicyStatus.EXPIRED


def _last_day(covering: Sequence[Policy], active: Sequence[Policy]) -> date | None:
    """The end of the unbroken run of covers. One without an expiry date tells nothing beside one that has it, since it
    stays active for ever; None where there are only such."""
    last = max((p.expiry_date for p in covering if p.expiry_date), default=None)
    if last is None:
        return None
    for following in sorted(active, key=_first_day):
        if following.expiry_date and _first_day(following) <= last + timedelta(days=1):
            last = max(last, following.expiry_date)
    return last
