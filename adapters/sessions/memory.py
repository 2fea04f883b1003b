"""Sessions in this process's memory: for the demo, a single node and tests. They are gone when it stops."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from gateway.ports import SessionRow

MAX_SESSIONS = 100_000
_SWEPT_PER_SAVE = 2  # more than a save adds, so that dead sessions do not pile up


class MemorySessions:
    """A SessionStore of at most ``max_sessions``; beyond that the least recently used goes.

    ``monotonic`` gives seconds that never run back.
    """

    def __init__(self, max_sessions: int = MAX_SESSIONS, monotonic: Callable[[], float] = time.monotonic) -> None:
        assert max_sessions > 0
        self._max_sessions = max_sessions
        self._monotonic = monotonic
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()  # least recently used first

    def __len__(self) -> int:
        return len(self._kept)

    async def load(self, key: str) -> bytes | None:
        """The stored session, None when unknown or past its life."""
        found = self._kept.get(key)
        if found is None:
            return None
        dies_at, value = found
        if dies_at <= self._monotonic():
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return value

    async def save(self, key: str, value: bytes, ttl_s: int) -> None:
        """Store or replace, for ``ttl_s`` seconds from now."""
        assert ttl_s > 0
        now = self._monotonic()
        self._kept[key] = (now + ttl_s, value)
        self._kept.move_to_end(key)
        self._sweep(now)

    async def load_all(self, keys: Sequence[str]) -> list[bytes | None]:
        """As ``load`` for each."""
        return [await self.load(key) for key in keys]

    async def save_all(self, rows: Sequence[SessionRow]) -> None:
        """As ``save`` for each."""
        for key, value, ttl_s in rows:
            if value is None:
                self._kept.pop(key, None)
            else:
                await self.save(key, value, ttl_s)

    async def ping(self) -> bool:
        """Always: there is nothing that could be away."""
        return True

    async def close(self) -> None:
        """Forget all."""
        self._kept.clear()

    def _sweep(self, now: float) -> None:
        while len(self._kept) > self._max_sessions:
            self._kept.popitem(last=False)
        for _ in range(_SWEPT_PER_SAVE):
            oldest = next(iter(self._kept))
            if self._kept[oldest][0] > now:
                return
            del self._kept[oldest]
