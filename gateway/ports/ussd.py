"""An aggregator's wire and the conversations on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, runtime_checkable

from gateway.domain.outcomes import Outcome
from gateway.domain.ussd.frame import Frame
from gateway.ports.http import HttpReply, HttpRequest, HttpResponse, InboundRequest


@dataclass(frozen=True, slots=True)
class ChannelProfile:
    """What one aggregator's wire allows. ``codes``: the dialled codes that lead to us, where answers may follow."""

    name: str
    frame: Frame = field(default_factory=Frame)
    reply_deadline_s: float = 10.0
    session_ttl_s: int = 180
    phone_every_turn: bool = True  # False: the phone comes with the first turn only, so sessions are known by their id
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a conversation as the aggregator tells it: the whole transcript, or only the last key."""

    session_id: str
    msisdn: str | None  # normalised; None where this wire does not repeat it
    service_code: str
    transcript: str | None = None  # every input so far, joined with '*'; None where the wire carries the last key only
    key: str | None = None  # the last input; None on cumulative wires, and where ``first`` says that there is none
    network: str | None = None
    first: bool | None = None  # whether it opens the session; None where the wire does not say
    turn_id: str = ""  # tells a repeated turn from a new one, where the wire has such an id
    echo: Mapping[str, Any] | None = None  # what the reply has to repeat, as it came


class EndStatus(StrEnum):
    """How a session ended, in the peer's eyes."""

    SUCCESS = "success"  # with a last screen of ours
    INCOMPLETE = "incomplete"  # while an answer was awaited: hung up, timed out
    FAILED = "failed"  # our reply, the network or a charge failed


@dataclass(frozen=True, slots=True)
class Ended:
    """The peer's word that a session is over. What was typed and shown is masked before it gets here."""

    session_id: str
    msisdn: str | None
    status: EndStatus
    duration_ms: int | None = None
    hops: int | None = None
    answers: str = ""  # ``masked_answers``
    last_screen: str = ""  # ``masked_screen``
    error: str = ""
    echo: Mapping[str, Any] | None = None
    hop: str = ""  # the name of our last screen, where the peer keeps those that we gave it


@dataclass(frozen=True, slots=True)
class Noted:
    """The peer's word of something that changes nothing: "the screen was displayed"."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A request that is no turn. ``why`` is for our logs; the peer gets the channel's polite end.

    ``code`` is the wire's own word for it, where there is one; ``echo`` what the reply has to repeat, where so much
    could be read.
    """

    why: str
    code: str = ""
    echo: Mapping[str, Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Screen:
    """What the caller sees. ``final`` ends the session. ``name``: the book's for it, for the peer's own statistics."""

    text: str
    final: bool
    name: str = ""


class UssdChannel(Protocol):
    """One aggregator's wire, as pure translation."""

    @property
    def profile(self) -> ChannelProfile: ...

    def parse(self, request: InboundRequest) -> Turn | Ended | Noted | Malformed:
        """What the request says."""
        ...

    def render(self, screen: Screen, heard: Turn | Malformed | None = None) -> HttpReply:
        """The reply with a screen; ``heard`` is what it answers, read or not."""
        ...

    def acknowledge(self, event: Ended | Noted) -> HttpReply:
        """The reply to a request that is no turn."""
        ...


@runtime_checkable
class TellsEnds(Protocol):
    """A channel that tells the end of sessions at an address of its own (``…/end``)."""

    def parse_end(self, request: InboundRequest) -> Ended | Malformed:
        """How a session ended."""
        ...


@runtime_checkable
class PushedChannel(Protocol):
    """A channel that takes the screen by a request of ours: its own request is only acknowledged, at once."""

    def accept(self, turn: Turn) -> HttpReply:
        """The acknowledgement."""
        ...

    def push(self, screen: Screen, turn: Turn) -> HttpRequest:
        """The request that carries the screen."""
        ...

    def pushed(self, response: HttpResponse) -> Outcome:
        """What the peer's answer to ``push`` means."""
        ...


class SessionRow(NamedTuple):
    """One row of the session store. ``value`` None: it is forgotten."""

    key: str
    value: bytes | None
    ttl_s: int


class SessionStore(Protocol):
    """Conversations, kept for minutes. Losing it loses conversations, never money or messages."""

    async def load(self, key: str) -> bytes | None:
        """The stored session, None when unknown or past its life."""
        ...

    async def save(self, key: str, value: bytes, ttl_s: int) -> None:
        """Store or replace."""
        ...

    async def load_all(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """As ``load`` for each, in one round trip."""
        ...

    async def save_all(self, rows: Sequence[SessionRow]) -> None:
        """As ``save`` for each, in one round trip; when it fails, any of them may have been stored."""
        ...

    async def ping(self) -> bool:
        """Whether the store answers."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...
