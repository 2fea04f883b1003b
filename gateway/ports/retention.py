"""Taking away what is past its time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Protocol


class Retention(Protocol):
    """What is past its time, by the name of its rule (``gateway.domain.retention``)."""

    async def due(self, rule: str, before: datetime) -> int:
        """How many rows were over before then."""
        ...

    async def keys(self, rule: str, before: datetime, after: Any, limit: int) -> Sequence[Any]:
        """Keys of such rows in their order, those behind ``after``."""
        ...

    async def take(self, rule: str, before: datetime, keys: Collection[Any]) -> int:
        """Delete or blank the rows of these keys that are due still; how many."""
        ...

    async def files(self, statement_ids: Collection[int], before: datetime) -> Sequence[str]:
        """The files of these statements that are due."""
        ...
