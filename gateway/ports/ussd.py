"""An aggregator's wire and the conversations on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.ports.http import HttpReply, InboundRequest


@dataclass(frozen=True, slots=True)
class ChannelProfile:
    """What one aggregator's wire allows."""

    name: str
    max_units: int = 160  # septets of one screen, prefix included where the aggregator does not say
    newline: str = "\n"
    reply_deadline_s: float = 10.0
    session_ttl_s: int = 180


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation as the aggregator tells it: the whole transcript, or only the last key."""

    session_id: str
    msisdn: str  # normalised
    service_code: str
    transcript: str | None = None  # every input so far, joined with '*'; None where the wire carries the last key only
    key: str | None = None  # the last input; None on the first turn and on cumulative wires
    network: str | None = None


@dataclass(frozen=True, slots=True)
class Malformed:
    """A request that is no turn. ``why`` is for our logs; the peer gets the channel's polite end."""

    why: str


@dataclass(frozen=True, slots=True)
class Screen:
    """What the caller sees. ``final`` ends the session."""

    text: str
    final: bool


class UssdChannel(Protocol):
    """One aggregator's wire, as pure translation."""

    @property
    def profile(self) -> ChannelProfile: ...

    def parse(self, request: InboundRequest) -> Turn | Malformed:
        """The turn in the request."""
        ...

    def render(self, screen: Screen, turn: Turn | None = None) -> HttpReply:
        """The reply for a screen; ``turn`` is None where the request could not be read."""
        ...


class SessionStore(Protocol):
    """Conversations, kept for minutes. Losing it loses conversations, never money or messages."""

    async def load(self, key: str) -> bytes | None:
        """The stored session, None when unknown or past its life."""
        ...

    async def save(self, key: str, value: bytes, ttl_s: int) -> None:
        """Store or replace."""
        ...

    async def ping(self) -> bool:
        """Whether the store answers."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
