"""The time of the machine we run on."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """See ``gateway.domain.clock.Clock``."""

    def now(self) -> datetime:
        return datetime.now(UTC)
