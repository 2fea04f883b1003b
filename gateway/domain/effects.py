"""Effects as data: decided inside a transaction, carried out after it, at least once, each under a business key.

A key is never made of a session or a message id, which operators recycle: asking twice, from a repeated callback, a
restarted session or another phone, gives the same key, and the outbox drops the twin.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

RECEIPTS_FIRST, NORMAL, BULK = 0, 5, 9  # outbox priorities


@dataclass(frozen=True, slots=True)
class _OfBill:
    """Asked of the payment provider about one bill. ``word`` begins the key; a resend carries the same bill id."""

    bill_id: str

    kind: ClassVar[str]
    word: ClassVar[str]
    channel: ClassVar[str] = "bills"
    priority: ClassVar[int] = RECEIPTS_FIRST

    @property
    def key(self) -> str:
        """Business key."""
        return f"{self.word}:{self.bill_id}"

    @property
    def aggregate(self) -> str:
        """What it is about."""
        return f"bill:{self.bill_id}"


@dataclass(frozen=True, slots=True)
class _Attempt(_OfBill):
    """``attempt`` rises when a silent bill is asked again."""

    attempt: int = 1

    @property
    def key(self) -> str:
        """Business key."""
        return f"{self.word}:{self.bill_id}:{self.attempt}"


@dataclass(frozen=True, slots=True)
class SubmitBill(_Attempt):
    """Ask for a control number."""

    kind: ClassVar[str] = "submit_bill"
    word: ClassVar[str] = "bill"


@dataclass(frozen=True, slots=True)
class ReuseNumber(_Attempt):
    """Ask to bind a bill to the family's earlier number."""

    kind: ClassVar[str] = "reuse_number"
    word: ClassVar[str] = "reuse"


@dataclass(frozen=True, slots=True)
class CancelBill(_OfBill):
    """Ask to take no more money for a bill: it was cancelled, or paid elsewhere."""

    kind: ClassVar[str] = "cancel_bill"
    word: ClassVar[str] = "cancel"


@dataclass(frozen=True, slots=True)
class CancelNumber(_OfBill):
    """Ask to take no money for a number of the pool that was not handed out."""

    kind: ClassVar[str] = "cancel_number"
    word: ClassVar[str] = "retire"
    priority: ClassVar[int] = BULK

    @property
    def aggregate(self) -> str:
        """What it is about."""
        return f"pool:{self.bill_id}"


@dataclass(frozen=True, slots=True)
class AskForNumbers:
    """Ask the payment provider for numbers of the pool, in one request; after every bill that a caller waits for."""

    bill_ids: tuple[str, ...]
    attempt: int = 1

    kind: ClassVar[str] = "ask_for_numbers"
    channel: ClassVar[str] = "bills"
    priority: ClassVar[int] = BULK

    def __post_init__(self) -> None:
        assert self.bill_ids, "a request is for one bill at least"
        object.__setattr__(self, "bill_ids", tuple(self.bill_ids))  # JSON knows lists only

    @property
    def key(self) -> str:
        """Business key: no bill is in two first requests."""
        return f"pool:{self.bill_ids[0]}:{self.attempt}"

    @property
    def aggregate(self) -> str:
        """What it is about."""
        return f"pool:{self.bill_ids[0]}"


@dataclass(frozen=True, slots=True)
class SendSms:
    """One text to one phone. ``about`` names what it is about; one SMS of a kind about a thing to a phone, ever.

    ``family_id``: the family that it tells of, to a phone of that family: one that has come to call it not its own is
    not sent it any more. None where it tells of no family, or its reader asked by an office.
    ``anew`` tells one apart that is to be sent once more, since it has happened again or another sum is told; else 0.
    """

    to: str
    text: str
    message: str  # the kind of message: "covered", "control_number", …
    about: str
    family_id: int | None = None
    anew: int = 0

    kind: ClassVar[str] = "send_sms"
    channel: ClassVar[str] = "sms"

    @property
    def priority(self) -> int:
        """Receipts before answers to questions."""
        return NORMAL if self.message.startswith("answer_") else RECEIPTS_FIRST

    @property
    def key(self) -> str:
        """Business key."""
        again = f":{self.anew}" if self.anew else ""
        return f"sms:{self.message}:{self.about}:{self.to}{again}"

    @property
    def aggregate(self) -> str:
        """What it is about."""
        return self.about


@dataclass(frozen=True, slots=True)
class AnswerBySms:
    """Tell a phone by SMS what it asked for and could not be shown in time. The fact is read when the SMS is written.

    ``hour`` is that of asking, in UTC (``2026-11-26T09``), ``place`` which of the phone's answers of that hour it is:
    the key bounds how many there are, and two questions are one where fact and arguments are the same.
    """

    fact: str
    args: dict[str, Any]
    msisdn: str
    language: str
    hour: str
    place: int

    kind: ClassVar[str] = "answer_by_sms"
    channel: ClassVar[str] = "answers"  # its own: a registry that hangs delays no receipt
    priority: ClassVar[int] = NORMAL

    @property
    def key(self) -> str:
        """Business key."""
        return f"answer:{self.msisdn}:{self.hour}:{self.place}"

    @property
    def aggregate(self) -> str:
        """What it is about."""
        return f"answer:{self.hour}/{self.place}"


BillEffect = SubmitBill | ReuseNumber | CancelBill | AskForNumbers | CancelNumber
Effect = BillEffect | SendSms | AnswerBySms
KINDS: dict[str, type[Effect]] = {
    each.kind: each for each in (SubmitBill, ReuseNumber, CancelBill, AskForNumbers, CancelNumber, SendSms, AnswerBySms)
}


def payload(effect: Effect) -> dict[str, Any]:
    """The effect as JSON values."""
    return asdict(effect)


def from_payload(kind: str, data: dict[str, Any]) -> Effect:
    """The effect that ``payload`` wrote; KeyError for a kind that nobody knows.

    A field that a later release has added is passed over: during an upgrade, and after one that was taken back, a
    worker of this release finds such effects, and must not stand still before them.
    """
    known = KINDS[kind]
    names = {field.name for field in fields(known)}
    return known(**{name: value for name, value in data.items() if name in names})
