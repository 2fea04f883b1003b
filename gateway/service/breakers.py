"""Circuit breakers by name: a registry that hangs must not cost each caller the whole budget, and the others room."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from gateway.domain.breaker import CLOSED, Breaker, BreakerRule, after_failure, is_open, try_now
from gateway.service.metrics import BREAKER_OPEN, BREAKER_SPARED

log = structlog.get_logger()


class Breakers:
    """One breaker a name; names are few and ours."""

    def __init__(self, rule: BreakerRule, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rule = rule
        self._monotonic = monotonic
        self._known: dict[str, Breaker] = {}

    def allow(self, name: str) -> bool:
        """Whether to try; a try while it is open counts as the one of its while."""
        known = self._known.get(name)
        if known is None:
            return True
        after = try_now(self._rule, known, self._monotonic())
        if after is None:
            BREAKER_SPARED.labels(name).inc()
            return False
        self._known[name] = after
        return True

    def succeeded(self, name: str) -> None:
        """It works."""
        known = self._known.pop(name, None)
        if known is not None and known.failures >= self._rule.failures:
            BREAKER_OPEN.labels(name).set(0)
            log.info("breaker_closed", what=name)

    def failed(self, name: str) -> None:
        """It did not work, or not in time."""
        now, known = self._monotonic(), self._known.get(name, CLOSED)
        after = self._known[name] = after_failure(self._rule, known, now)
        if is_open(self._rule, after, now) and not is_open(self._rule, known, now):
            BREAKER_OPEN.labels(name).set(1)
            log.warning("breaker_opened", what=name, failures=after.failures)
