"""Payment providers: bills asked for, callbacks read and acknowledged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.domain.bill import Bill
from gateway.domain.money import Money
from gateway.domain.outcomes import Outcome
from gateway.domain.payments import PaymentReport
from gateway.ports.http import HttpReply, HttpRequest, HttpResponse


@dataclass(frozen=True, slots=True)
class BillOrder:
    """A bill as a provider is asked for its control number."""

    bill: Bill
    payer_msisdn: str | None
    request_id: str  # unique per request, stable over byte-identical resends
    reuse: str | None = None  # the control number, given before, that the bill is to be bound to


class Verdict(StrEnum):
    """What the gate said of a message's bytes, before its content was believed."""

    GENUINE = "genuine"
    BAD_SIGNATURE = "bad_signature"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class ControlNumberGiven:
    """The provider gave a bill its number.

    ``repeated``: it came with the word that the bill had arrived before, so it is believed only where a number is
    awaited. ``amount`` and ``provider_code``: where the message tells them.
    """

    bill_id: str
    control_number: str
    repeated: bool = False
    amount: Money | None = None
    provider_code: str | None = None


@dataclass(frozen=True, slots=True)
class BillRefused:
    """The provider will not give a number. ``code`` and ``text`` are the provider's."""

    bill_id: str
    code: str
    text: str


Notice = ControlNumberGiven | BillRefused | PaymentReport


@dataclass(frozen=True, slots=True)
class Reading:
    """A callback, verified and read. Notices are empty unless the verdict is GENUINE.

    ``dialect``: which of the provider's languages it was in; the acknowledgement answers in the same. ``is_signed``:
    whether the provider's signature holds, which it may on a message that is unreadable. ``answer_to``: what of the
    message the acknowledgement must name, where the protocol binds one to the other.
    """

    route: str
    verdict: Verdict
    message_id: str | None = None
    notices: tuple[Notice, ...] = ()
    why: str = ""
    dialect: str = ""
    is_signed: bool = False
    answer_to: str = ""


class CallbackReceiver(Protocol):
    """A payment provider that calls us, as pure translation. Keys are its own; sockets are the shell's."""

    @property
    def name(self) -> str: ...

    @property
    def routes(self) -> Sequence[str]:
        """Callback paths below the address at which the provider is mounted."""
        ...

    def read(self, route: str, body: bytes, headers: Mapping[str, str], /) -> Reading:
        """Verify the raw bytes, then read them. Header names are lower-case."""
        ...

    def unreadable(self, route: str, verdict: Verdict, why: str) -> Reading:
        """The reading of a body that was never taken in whole."""
        ...

    def acknowledge(self, reading: Reading, reply_id: str) -> HttpReply:
        """The provider's protocol for "received", "bad signature" and "unreadable"."""
        ...

    def not_kept(self, route: str) -> HttpReply:
        """The answer when nothing could be committed: the peer must deliver again."""
        ...


class BillIssuer(Protocol):
    """A payment provider that gives bills their control numbers, and takes them back."""

    @property
    def name(self) -> str: ...

    def bill_request(self, order: BillOrder, now: datetime) -> HttpRequest:
        """The signed call that asks for a control number."""
        ...

    def bills_at_once(self, provider_code: str | None) -> int:
        """How many bills one request for this provider code may carry."""
        ...

    def bills_request(self, orders: Sequence[BillOrder], now: datetime) -> HttpRequest:
        """The signed call that asks for the control numbers of several bills, not more than ``bills_at_once``."""
        ...

    def bills_outcome(self, orders: Sequence[BillOrder], response: HttpResponse) -> Outcome:
        """What the immediate answer to it means for all of them."""
        ...

    def bill_outcome(self, order: BillOrder, response: HttpResponse) -> Outcome:
        """What the provider's immediate answer to it means; an answer to another request means nothing."""
        ...

    def cancel_request(self, order: BillOrder, now: datetime) -> HttpRequest:
        """The signed call that ends a bill, so that nobody pays it any more."""
        ...

    def cancel_outcome(self, order: BillOrder, response: HttpResponse) -> Outcome:
        """What the answer means: Done when it can no longer be paid, Refused when it still can."""
        ...


class PaymentProvider(CallbackReceiver, BillIssuer, Protocol):
    """One that does both."""
