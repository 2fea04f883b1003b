"""Billers: who takes money for us over a counter asks first what is due, and later what became of a payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from gateway.domain.money import Money
from gateway.ports.http import HttpReply
from gateway.ports.payments import Verdict


@dataclass(frozen=True, slots=True)
class DueOf:
    """What is to be paid on a number? Of the two exactly one is given."""

    control_number: str | None = None
    chfid: str | None = None


@dataclass(frozen=True, slots=True)
class StandingOf:
    """What became of the payment that this biller notified under its reference?"""

    reference: str


Question = DueOf | StandingOf


@dataclass(frozen=True, slots=True)
class Asked:
    """A genuine question. ``answer_to`` as in ``Reading``: what of it the answer must name."""

    question: Question
    answer_to: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """What is no question of this biller's. ``why`` names fields, never their values."""

    verdict: Verdict
    why: str
    answer_to: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """An amount that would be booked if it were paid now.

    ``payable_until``: the last East African day on which this answer holds. ``start`` and ``until``: the cover that it
    buys; ``until`` is None where the registry holds no last day. ``partial``: a part of it may be paid.
    """

    masked_name: str
    amount: Money
    product: str
    payable_until: date
    partial: bool
    start: date
    until: date | None


@dataclass(frozen=True, slots=True)
class NotDue:
    """Nothing is to be paid on this number. ``code``: of the table of errors."""

    code: str


class StandingState(StrEnum):
    """Where a notified payment stands, as its biller is told."""

    RECEIVED = "received"  # kept, not settled yet
    SETTLED = "settled"
    WAITING = "waiting"  # for a person
    REFUSED = "refused"  # a person refunded or rejected it
    UNKNOWN = "unknown"  # this biller never notified it


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a payment. ``code``: why it waits or was refused; ``amount`` and ``number`` as first notified."""

    state: StandingState
    number: str | None = None
    amount: Money | None = None
    paid_at: datetime | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No answer now: ``code`` says whether to ask again."""

    code: str


Answer = Due | NotDue | Standing | Unanswered


class Biller(Protocol):
    """How one biller asks and is answered, in one exchange, as pure translation."""

    @property
    def name(self) -> str: ...

    @property
    def questions(self) -> Sequence[str]:
        """Paths below the biller's address on which questions come."""
        ...

    def parse(self, action: str, body: bytes, headers: Mapping[str, str]) -> Asked | Rejected:
        """Verify the raw bytes, then read the question. Header names are lower-case. Never raises."""
        ...

    def render(self, asked: Asked, answer: Answer) -> HttpReply:
        """The answer in the biller's protocol."""
        ...

    def refuse(self, rejected: Rejected) -> HttpReply:
        """The protocol's "bad signature", "unreadable" and "too large"."""
        ...
