"""A circuit breaker: what has failed in a row is left alone, and tried once in a while.

Pure: the caller says what time it is, in seconds that never run back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """Open after ``failures`` in a row, none later than ``within_s`` after the one before; one try each ``retry_s``."""

    failures: int = 5
    within_s: float = 10.0
    retry_s: float = 2.0


class Breaker(NamedTuple):
    """What is known of one thing that may fail. Closed when new."""

    failures: int = 0  # in a row
    failed_at: float = 0.0
    tried_at: float = 0.0  # the last try that was let through while open


CLOSED = Breaker()


def is_open(rule: BreakerRule, known: Breaker, now: float) -> bool:
    """Whether it fails. Failures of long ago say nothing of now."""
    return known.failures >= rule.failures and now - known.failed_at <= rule.within_s


def try_now(rule: BreakerRule, known: Breaker, now: float) -> Breaker | None:
    """What is known once it is tried now; None when it is to be left alone."""
    if not is_open(rule, known, now):
        return known
    if now - max(known.tried_at, known.failed_at) < rule.retry_s:
        return None
    return known._replace(tried_at=now)


def after_failure(rule: BreakerRule, known: Breaker, now: float) -> Breaker:
    """One more in the row, or the first of a new one. A try in between is not forgotten."""
    in_a_row = known.failures > 0 and now - known.failed_at <= rule.within_s
    return Breaker(known.failures + 1 if in_a_row else 1, now, known.tried_at)
