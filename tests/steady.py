"""An event loop whose clock counts only what the loop itself lived through.

A shared machine stands still now and then, for seconds. To a test with a real clock that is a caller, a registry or a
server that took seconds to answer, and what it then sees is rightly another screen. Here a turn of the loop counts for
at most ``MOST_S``: a time-out of asyncio ends what really waits, and nothing else.
"""

from __future__ import annotations

import asyncio
import selectors
import time

MOST_S = 0.05  # that a turn of the loop, or a portion of its waiting, can count for
_PORTION_S = 0.02


class SteadyClock:
    """Monotonic seconds, less those in which nobody looked at the clock."""

    def __init__(self) -> None:
        self._counted_s = self._looked = time.monotonic()

    def __call__(self) -> float:
        return self._counted_s + min(time.monotonic() - self._looked, MOST_S)

    def look(self) -> None:
        """Count what went by since the last look."""
        self._counted_s, self._looked = self(), time.monotonic()


class PatientSelector(selectors.DefaultSelector):
    """Waits in portions, so that a standstill in the midst of a long wait costs one of them."""

    def __init__(self, clock: SteadyClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._clock.look()
        end = None if timeout is None else self._clock() + timeout
        while True:
            left_s = _PORTION_S if end is None else min(_PORTION_S, end - self._clock())
            ready = super().select(max(0.0, left_s))
            self._clock.look()
            if ready or (end is not None and self._clock() >= end):
                return ready


def now_s() -> float:
    """Seconds by the running loop's clock, for what a test measures."""
    return asyncio.get_running_loop().time()


class SteadyLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop with such a clock."""

    def __init__(self) -> None:
        self._steady = SteadyClock()
        super().__init__(PatientSelector(self._steady))

    def time(self) -> float:
        return self._steady()
