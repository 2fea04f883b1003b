"""Effects as data: decided inside a transaction, carried out after it, at least once, each under a business key.

A key is never made of a session or a message id, which operators recycle: asking twice, from a repeated callback, a
restarted session or another phone, gives the same key, and the outbox drops the twin.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

RECEIPTS_FIRST, NORMAL, BULK = 0, 5, 9  # outbox priorities


@dataclass(frozen=True, slots=True)
class SubmitBill:
    """Ask the payment provider for a control number. A resend carries the same bill id, so it is safe."""

    bill_id: str
    attempt: int = 1  # rises when a silent bill is asked again

    kind: ClassVar[str] = "submit_bill"
    channel: ClassVar[str] = "bills"
    priority: ClassVar[int] = RECEIPTS_FIRST

    @property
    def key(self) -> str:
        """Business key."""
        return f"bill:{self.bill_id}:{self.attempt}"

    @property
    def aggregate(self) -> str:
        """What it is about."""
        return f"bill:{self.bill_id}"


@dataclass(frozen=True, slots=True)
class CancelBill:
    """Ask the payment provider to take no more money for a bill: it was cancelled, or paid elsewhere."""

    bill_id: str

    kind: ClassVar[str] = "cancel_bill"
    channel: ClassVar[str] = "bills"
    priority: ClassVar[int] = RECEIPTS_FIRST

    @property
    def key(self) -> str:
        """Business key."""
        return f"cancel:{self.bill_id}"

    @property
    def aggregate(self) -> str:
        """What it is about."""
        return f"bill:{self.bill_id}"


@dataclass(frozen=True, slots=True)
class SendSms:
    """One text to one phone. ``about`` names what it is about; one SMS of a kind about a thing to a phone, ever."""

    to: str
    text: str
    message: str  # the kind of message: "covered", "control_number", …
    about: str

    kind: ClassVar[str] = "send_sms"
    channel: ClassVar[str] = "sms"
    priority: ClassVar[int] = RECEIPTS_FIRST

    @property
    def key(self) -> str:
        """Business key."""
        return f"sms:{self.message}:{self.about}:{self.to}"

    @property
    def aggregate(self) -> str:
        """What it is about."""
        return self.about


Effect = SubmitBill | CancelBill | SendSms
KINDS: dict[str, type[SubmitBill] | type[CancelBill] | type[SendSms]] = {
    each.kind: each for each in (SubmitBill, CancelBill, SendSms)
}


def payload(effect: Effect) -> dict[str, Any]:
    """The effect as JSON values."""
    return asdict(effect)


def from_payload(kind: str, data: dict[str, Any]) -> Effect:
    """The effect that ``payload`` wrote; KeyError for a kind that nobody knows."""
    return KINDS[kind](**data)
