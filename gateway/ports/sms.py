"""Providers of SMS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.domain.outcomes import Outcome
from gateway.ports.http import HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True)
class SmsMessage:
    """One text to one phone. ``id`` is stable over retries, for providers that can tell a twin by it."""

    id: str
    to: str
    text: str


class SmsProvider(Protocol):
    """An SMS provider, as pure translation."""

    @property
    def name(self) -> str: ...

    def request_for(self, message: SmsMessage) -> HttpRequest:
        """The call that sends it."""
        ...

    def outcome(self, message: SmsMessage, response: HttpResponse) -> Outcome:
        """What the provider's answer means for this message."""
        ...
