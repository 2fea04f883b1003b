"""What every part that a bank plays has: its settings, the clock, and signed replies."""

from __future__ import annotations

from gateway.domain.clock import Clock

from .replies import Replies
from .settings import BankSettings


class BankRole:
    """One bank in one of its parts."""

    def __init__(self, settings: BankSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._replies = Replies(settings, clock)

    @property
    def name(self) -> str:
        """The provider's name in the inbox and in metrics."""
        return self._settings.provider
