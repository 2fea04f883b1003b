"""What the services need of the world, as Protocols, and the values that cross each boundary."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from gateway.domain.bill import Bill, BillFact
from gateway.domain.effects import Effect
from gateway.domain.money import Money
from gateway.domain.outcomes import Outcome
from gateway.domain.payments import CaseKind, EntryState, PaymentReport
from gateway.domain.periods import Period
from gateway.domain.policy import Family, NewPolicy, NewPremium, Policy, Product
from gateway.domain.settlement import Activation
from gateway.domain.upkeep import PolicyEvent, PolicyEventKind

# ---------------------------------------------------------------------------------------------------------------- HTTP


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


# ---------------------------------------------------------------------------------------------------------------- USSD


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


# ----------------------------------------------------------------------------------------------------------- providers


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


@dataclass(frozen=True, slots=True)
class BillOrder:
    """A bill as a provider is asked for its control number."""

    bill: Bill
    payer_msisdn: str | None
    request_id: str  # unique per request, stable over byte-identical resends


class Verdict(StrEnum):
    """What the gate said of a message's bytes, before its content was believed."""

    GENUINE = "genuine"
    BAD_SIGNATURE = "bad_signature"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class ControlNumberGiven:
    """The provider gave a bill its number."""

    bill_id: str
    control_number: str


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

    ``dialect``: which of the provider's languages it was in; the acknowledgement answers in the same.
    """

    route: str
    verdict: Verdict
    message_id: str | None = None
    notices: tuple[Notice, ...] = ()
    why: str = ""
    dialect: str = ""


class PaymentProvider(Protocol):
    """A payment provider, as pure translation. Keys are its own; sockets and time-outs are the shell's."""

    @property
    def name(self) -> str: ...

    @property
    def routes(self) -> Sequence[str]:
        """Callback paths below ``/payments/{name}/``."""
        ...

    def bill_request(self, order: BillOrder, now: datetime) -> HttpRequest:
        """The signed call that asks for a control number."""
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

    def read(self, route: str, body: bytes) -> Reading:
        """Verify the raw bytes, then read them."""
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


# ------------------------------------------------------------------------------------------------------------ registry


@dataclass(frozen=True, slots=True)
class InsureeCover:
    """A live insuree with its family and the family's live policies, as the first screen needs them."""

    insuree_id: int
    phone: str | None  # as spelt in the registry
    family_id: int
    head_chfid: str
    head_name: str
    policies: tuple[Policy, ...]


@dataclass(frozen=True, slots=True)
class PhoneRow:
    """One live insuree's phone, for the index of normalised numbers."""

    insuree_id: int
    family_id: int
    phone: str


@dataclass(frozen=True, slots=True)
class ChangedPhone:
    """A trace that a change of an insuree left, and the phone as it now reads. ``place`` only ever rises."""

    place: int
    row: PhoneRow


class Traced(StrEnum):
    """Where the registry's writers leave traces of what they did to policies."""

    POLICIES = "policies"
    PREMIUMS = "premiums"


@dataclass(frozen=True, slots=True)
class Trace:
    """A row that somebody wrote about a policy. ``place`` only ever rises."""

    place: int
    policy_id: int


@dataclass(frozen=True, slots=True)
class LastPremium:
    """The newest money of a policy: the day it was paid and the moment it was entered."""

    paid_on: date
    entered_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentRecord:
    """A tblPayment row with its tblPaymentDetails row, in openIMIS' legacy numbers."""

    expected: Money
    msisdn: str | None
    language: str
    product_code: str
    chfid: str
    stage: str
    requested_at: datetime


class LegacyStatus:
    """tblPayment.PaymentStatus as openIMIS' own screens read it.

    They list -3 to 5 except -2 and -1. 0 (cancelled) is written by none of openIMIS' own code: a cancelled payment
    keeps its status and gets an end. What is refused stands at -3, with the reason.
    """

    CREATED = 1
    REQUESTED = 2
    NUMBERED = 3
    RECEIVED = 4
    MATCHED = 5
    REQUEST_REFUSED = -3
    REJECTED = -3


@dataclass(frozen=True, slots=True)
class PaymentHeld:
    """Money that reached nothing yet, as openIMIS' own screens show it. Texts None where no bill of ours is known."""

    status: int  # RECEIVED: right in itself, not matched; REJECTED: not what was asked for
    reason: str
    amount: Money
    expected: Money | None
    receipt: str
    transaction: str | None
    origin: str | None
    paid_at: datetime
    payer_msisdn: str | None
    product_code: str | None
    chfid: str | None
    stage: str | None


@dataclass(frozen=True, slots=True)
class LegacyBill:
    """A bill that the payment service before us made. Its number lives up to three years."""

    payment_id: int
    control_number: str
    expected: Money
    status: int | None
    msisdn: str | None  # who asked
    language: str
    requested_at: datetime | None
    chfid: str | None  # None for a number of its pool that nobody was given
    product_code: str | None
    stage: str


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a person put money that was held: what its tblPaymentDetails row could not say before."""

    chfid: str
    product_code: str
    stage: str


@dataclass(frozen=True, slots=True)
class PaymentReceived:
    """What a payment adds to its tblPayment row. ``placed``: the row shows the money already, it was only held."""

    amount: Money
    receipt: str
    transaction: str | None
    origin: str | None
    paid_at: datetime
    payer_msisdn: str | None
    premium_id: int
    matched: bool  # False while instalments are due
    placed: Placed | None = None


class Registry(Protocol):
    """openIMIS' own database. All of it happens in the transaction that the registry was made for."""

    async def insuree_covers(self, insuree_ids: Sequence[int]) -> Sequence[InsureeCover]:
        """Live insurees with their families' policies; the missing and the dead are left out."""
        ...

    async def family(self, family_id: int) -> Family | None:
        """A live family with its live members."""
        ...

    async def family_of(self, chfid: str) -> Family | None:
        """The live family of the live insuree with this number (a head's first where there are several)."""
        ...

    async def policies(self, family_id: int) -> tuple[Policy, ...]:
        """The live policies of a family with what was paid on each."""
        ...

    async def policies_by_id(self, policy_ids: Sequence[int]) -> tuple[Policy, ...]:
        """The live policies among these, with what was paid on each."""
        ...

    async def policies_of(self, family_ids: Sequence[int]) -> tuple[Policy, ...]:
        """The live policies of these families, with what was paid on each."""
        ...

    async def products(self) -> Sequence[Product]:
        """Every live product."""
        ...

    async def officer_near(self, location_ids: Sequence[int], now: datetime) -> int | None:
        """A working enrolment officer of the most local of these places; None where there is none.

        openIMIS' nightly renewal prompts fail as a whole on a policy without an officer.
        """
        ...

    async def lock_family(self, family_id: int) -> bool:
        """Hold the family's row to the end of the transaction; False when there is no live family."""
        ...

    async def receipt_is_used(self, product_id: int, receipt: str) -> bool:
        """Whether a live premium of this product carries the receipt."""
        ...

    async def activation_option(self) -> int:
        """tblIMISDefaults.ActivationOption; 1 where the installation has no such table or row."""
        ...

    async def add_policy(self, policy: NewPolicy, now: datetime) -> int:
        """Insert an idle policy and its coverage rows; the new PolicyID."""
        ...

    async def add_premium(self, policy_id: int, premium: NewPremium, now: datetime) -> int:
        """Insert the premium and keep the policy's present state as a history row; the new PremiumId."""
        ...

    async def activate(self, policy_id: int, activation: Activation) -> None:
        """Put the policy's status and effective date, and the coverage rows' dates."""
        ...

    async def move_policy(self, policy_id: int, period: Period) -> None:
        """Put other days on a policy and its coverage rows; it becomes effective on the first."""
        ...

    async def keep_history(self, policy_id: int, now: datetime) -> None:
        """Keep the policy's present state as a history row, before it is changed otherwise than by a premium."""
        ...

    async def close_renewal_prompts(self, policy_id: int, now: datetime) -> None:
        """Retire the open renewal prompt of the policy that has just been renewed, so that officers stop asking."""
        ...

    async def open_payment(self, record: PaymentRecord, now: datetime) -> int:
        """Insert tblPayment (status 1) and tblPaymentDetails; the new PaymentID."""
        ...

    async def payment_status(
        self, payment_id: int, status: int, now: datetime, reason: str | None = None, *, decided: bool = False
    ) -> None:
        """Move a tblPayment row on, RejectedReason included where given.

        ``decided``: a person's word about held money, which moves it back from 4 too.
        """
        ...

    async def number_given(self, payment_id: int, control_number: str, now: datetime) -> None:
        """The bill of this tblPayment row has its number."""
        ...

    async def payment_matched(self, payment_id: int, now: datetime) -> None:
        """What was received on this tblPayment row has become a cover."""
        ...

    async def payment_cancelled(self, payment_id: int, now: datetime) -> None:
        """The bill of this tblPayment row will not be paid."""
        ...

    async def payment_received(self, payment_id: int, received: PaymentReceived, now: datetime) -> None:
        """Write the money into tblPayment and tblPaymentDetails: status 5 when matched, else 4."""
        ...

    async def hold_payment(self, money: PaymentHeld, now: datetime) -> int:
        """A tblPayment row of its own for money that a person must place; the new PaymentID."""
        ...

    async def legacy_bills(self, control_number: str) -> Sequence[LegacyBill]:
        """Live bills of the payment service before us that carry the number."""
        ...

    async def open_legacy_bills(self, after_payment_id: int, limit: int) -> Sequence[LegacyBill]:
        """Those that have a number and no money yet, by PaymentID, a page at a time."""
        ...

    async def phones(self, after_insuree_id: int, limit: int) -> Sequence[PhoneRow]:
        """Live insurees with a phone, by InsureeID, a page at a time."""
        ...

    async def phones_changed(self, after: int, limit: int) -> Sequence[ChangedPhone]:
        """Changes to insurees beyond a place, in their order. No or a dead phone reads ''."""
        ...

    async def newest_insuree(self) -> int:
        """The place of the newest change to an insuree; 0 where there is none."""
        ...

    async def traces(self, of: Traced, after: int, limit: int) -> Sequence[Trace]:
        """What was written about policies beyond a place, in its order."""
        ...

    async def newest(self, of: Traced) -> int:
        """The place of the newest trace; 0 where there is none."""
        ...

    async def last_premium(self, policy_id: int) -> LastPremium | None:
        """The newest money of a policy, photo fees aside; None without any."""
        ...

    async def expiring(self, first: date, last: date, after_policy_id: int, limit: int) -> Sequence[int]:
        """Live paid policies whose last day is within these, by PolicyID, a page at a time."""
        ...


# --------------------------------------------------------------------------------------------------------------- store


@dataclass(frozen=True, slots=True)
class Evidence:
    """An inbound message as it came: immutable."""

    id: str
    provider: str
    route: str
    received_at: datetime
    body: bytes  # cut at the limit that the route allows; ``size`` tells the whole
    size: int
    headers: Mapping[str, str]  # secrets redacted
    digest: str  # SHA-256 of what was read
    verdict: Verdict
    why: str
    message_id: str | None
    reply_status: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One notice of an inbox message and where it stands."""

    inbox_id: str
    line: int
    provider: str
    kind: str
    notice: Notice
    state: EntryState
    received_at: datetime
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class KnownPayment:
    """The first report of a payment."""

    id: int
    digest: str
    state: EntryState


@dataclass(frozen=True, slots=True)
class Job:
    """A leased outbox row."""

    id: int
    effect: Effect
    attempts: int  # this one included
    created_at: datetime
    lease_token: str


@dataclass(frozen=True, slots=True)
class Case:
    """Something that needs a person."""

    kind: CaseKind
    subject: str  # "payment:REF/NUMBER", "bill:ID", "outbox:ID"
    provider: str | None = None
    inbox_id: str | None = None
    bill_id: str | None = None
    amount: Money | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SettledCase:
    """What a person did with a case. ``details`` are all of them, the old ones included."""

    state: str
    act: str
    by: str
    note: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Requester:
    """A phone that asked for a bill, and the language it reads."""

    msisdn: str
    language: str


class Bills(Protocol):
    async def by_id(self, bill_id: str, lock: bool = False) -> Bill | None: ...
    async def by_control_number(self, number: str, lock: bool = False) -> Bill | None: ...
    async def latest(self, key: str, lock: bool = False) -> Bill | None:
        """The newest generation of a business key."""
        ...

    async def open_for(self, family_id: int, now: datetime) -> Bill | None:
        """The family's newest bill that can still be paid."""
        ...

    async def payable(self, family_ids: Collection[int], now: datetime) -> Sequence[Bill]:
        """Every bill of these families that can still be paid."""
        ...

    async def part_paid_records(self, family_id: int, product_id: int) -> Sequence[int]:
        """The tblPayment rows of the family's bills for this product that were paid in part."""
        ...

    async def add(self, new: Bill) -> bool:
        """Insert; False where another transaction was first with this key and generation."""
        ...

    async def record(self, known: Bill, fact: BillFact, now: datetime, **details: Any) -> Bill:
        """Append a fact and return the bill as it then stands (``control_number`` and ``paid_minor`` may be given)."""
        ...

    async def add_requester(self, bill_id: str, requester: Requester, now: datetime) -> None: ...
    async def requesters(self, bill_id: str) -> Sequence[Requester]: ...
    async def numbers(self, bill_ids: Sequence[str]) -> Mapping[str, Bill]:
        """Of these bills, those that have a number or were refused."""
        ...

    async def asked(self, bill_id: str, times: int, now: datetime) -> None:
        """Note that the provider is asked once more."""
        ...

    async def silent(
        self, asked_before: datetime, limit: int, asked_at_most: int = 1_000
    ) -> Sequence[tuple[Bill, int]]:
        """Bills asked for before then that still have no number, with how often each was; those given up aside."""
        ...


class Inbox(Protocol):
    async def keep(self, evidence: Evidence, noticed: Sequence[Notice]) -> None:
        """Insert the evidence and its entries, all new."""
        ...

    async def keep_all(self, messages: Sequence[tuple[Evidence, Sequence[Notice]]]) -> None:
        """The same for several messages at once."""
        ...

    async def due(self, now: datetime) -> bool:
        """Whether a new entry waits: a look that locks nothing, for the poll."""
        ...

    async def claim_new(self, limit: int, now: datetime) -> Sequence[Entry]:
        """Lock up to ``limit`` new entries that are due; those locked elsewhere are passed over."""
        ...

    async def postpone(self, failed: Entry, not_before: datetime, now: datetime, note: str) -> None:
        """Count a failed attempt at a new entry and let it wait."""
        ...

    async def mark(
        self, marked: Entry, state: EntryState, now: datetime, bill_id: str | None = None, note: str = ""
    ) -> None: ...
    async def entries_of(self, inbox_id: str) -> Sequence[Entry]: ...


class Payments(Protocol):
    async def first_report(
        self, provider: str, report: PaymentReport, inbox_id: str, now: datetime
    ) -> KnownPayment | None:
        """Claim the payment's key; None when this report is the first, else the payment as it is known."""
        ...

    async def mark(
        self, report: PaymentReport, state: EntryState, bill_id: str | None, premium_id: int | None, now: datetime
    ) -> None: ...


class Outbox(Protocol):
    async def put(self, effects: Sequence[Effect], now: datetime) -> int:
        """Insert; an effect whose key is known already is dropped. How many were new."""
        ...

    async def due(self, channel: str, now: datetime) -> bool:
        """Whether a job waits or a lease has run out: a look that locks nothing, for the poll."""
        ...

    async def lease(self, channel: str, limit: int, now: datetime, lease_s: float) -> Sequence[Job]:
        """Claim due jobs, urgent first, with a fresh lease token; expired leases are due again."""
        ...

    async def finish(self, job: Job, outcome: str, now: datetime) -> bool:
        """Mark done; False where the lease was lost meanwhile."""
        ...

    async def again(self, job: Job, outcome: str, not_before: datetime, now: datetime) -> bool:
        """Put back to do."""
        ...

    async def hold(self, job: Job, outcome: str, now: datetime) -> bool:
        """Keep for a person."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """How many rows stand in each state but done."""
        ...


class Cases(Protocol):
    async def open(self, new: Case, now: datetime) -> bool:
        """Insert, or open anew what was closed and can recur; False where the same case (kind, subject) is known."""
        ...

    async def listed(self, limit: int = 200, states: Collection[str] = ("open",)) -> Sequence[Mapping[str, Any]]:
        """Cases that stand so, oldest first, without what was done with them."""
        ...

    async def by_id(self, case_id: int, lock: bool = False) -> Mapping[str, Any] | None:
        """A case in any state; ``lock`` keeps other persons' hands off it to the end of the transaction."""
        ...

    async def settle(self, case_id: int, settled: SettledCase, now: datetime) -> None:
        """Write down what a person did with it."""
        ...


class Audit(Protocol):
    async def add(self, actor: str, action: str, subject: str, now: datetime, **details: Any) -> None: ...
    async def about(self, subjects: Collection[str]) -> Sequence[Mapping[str, Any]]:
        """What was done about these, oldest first. Reads the whole audit: for a person's look, not for a process."""
        ...

    async def seal(self, now: datetime, limit: int) -> int:
        """Chain up to ``limit`` unsealed rows; how many were."""
        ...

    async def verify(self) -> Sequence[str]:
        """Every break of the chain, as a sentence; empty when it holds."""
        ...


class Callers(Protocol):
    """What we keep about phones: language, the index of normalised numbers, how often a number was guessed wrong."""

    async def known(self, msisdns: Sequence[str]) -> tuple[Mapping[str, Sequence[int]], Mapping[str, str]]:
        """Insuree ids and languages of these phones, in one look."""
        ...

    async def languages(self, msisdns: Sequence[str]) -> Mapping[str, str]: ...
    async def set_language(self, msisdn: str, language: str, now: datetime) -> None: ...
    async def index_phones(self, rows: Sequence[tuple[int, int, str | None]]) -> None:
        """Replace the index rows of (insuree, family, normalised number or None)."""
        ...

    async def index_range(self, after: int, upto: int | None, rows: Sequence[tuple[int, int, str | None]]) -> None:
        """Replace all index rows of the insurees beyond ``after``, up to ``upto`` if given."""
        ...

    async def watermark(self, name: str) -> datetime | None: ...
    async def set_watermark(self, name: str, at: datetime) -> None: ...
    async def count_miss(self, msisdn: str, now: datetime) -> int:
        """Count a wrong insurance number of this phone in this hour; the count so far."""
        ...

    async def misses(self, msisdn: str, now: datetime) -> int:
        """Wrong numbers of this phone in this hour."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """How far traces were followed: for good up to ``followed``; ``seen`` was the newest at ``seen_at``."""

    followed: int
    seen: int
    seen_at: datetime


class Follow(Protocol):
    """How far the registry's traces were followed, and what was noticed on the way."""

    async def place(self, name: str) -> Place | None: ...
    async def set_place(self, name: str, at: Place) -> None: ...
    async def notice(self, events: Sequence[PolicyEvent], now: datetime) -> int:
        """Keep events; those known already are dropped. How many were new."""
        ...

    async def noticed(self, policy_ids: Collection[int]) -> Collection[tuple[int, PolicyEventKind]]:
        """What is known already of these policies."""
        ...

    async def born_here(self, policy_ids: Collection[int], since: datetime) -> Collection[int]:
        """Those of these policies that we enrolled ourselves since then."""
        ...


class Transaction(Protocol):
    """Everything that commits together, in one database."""

    @property
    def registry(self) -> Registry: ...
    @property
    def bills(self) -> Bills: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def payments(self) -> Payments: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def cases(self) -> Cases: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def callers(self) -> Callers: ...
    @property
    def follow(self) -> Follow: ...


class UnitOfWork(Protocol):
    """Where transactions come from."""

    def writing(self) -> AbstractAsyncContextManager[Transaction]:
        """Read and write; commits when the block ends well, rolls back when it raises."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """Read only."""
        ...


class HttpClient(Protocol):
    """Sends a request within a budget. Never raises for the network: what happened is in the result."""

    async def send(self, request: HttpRequest, timeout_s: float) -> HttpResponse | Outcome:
        """The response; Unreachable when the request never left, Unknown when the answer was lost."""
        ...
