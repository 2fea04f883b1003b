"""HTTP as values: what comes in, what goes out, and who sends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request to send, complete: the shell adds nothing but the socket and the time-out."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A peer's answer. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """A request that came in. Header names are lower-case; ``query`` is the raw query string."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpReply:
    """Our answer to a peer, byte for byte."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpClient(Protocol):
    """Sends a request within a budget. Never raises for the network: what happened is in the result."""

    async def send(self, request: HttpRequest, timeout_s: float) -> HttpResponse | Outcome:
        """The response; Unreachable when the request never left, Unknown when the answer was lost."""
        ...
