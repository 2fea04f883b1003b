"""Our own tables: what is kept of peers, bills, effects, cases and deeds, and the transaction around it all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from gateway.domain.bill import Bill, BillFact
from gateway.domain.effects import Effect
from gateway.domain.family_payment import HeldMoney
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, EntryState, PaymentReport
from gateway.domain.phone_reports import PhoneReport
from gateway.domain.pool import PoolKind, PoolNumber, PoolState
from gateway.domain.upkeep import PolicyEvent, PolicyEventKind
from gateway.ports.payments import Notice, Verdict
from gateway.ports.reconciliations import Reconciliations
from gateway.ports.registry import Registry
from gateway.ports.retention import Retention
from gateway.ports.screens import Screens


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
class SentPayment:
    """A payment as its sender may know it. Without an amount: kept, and not looked at yet."""

    state: EntryState
    control_number: str | None = None
    amount: Money | None = None
    paid_at: datetime | None = None
    case: CaseKind | None = None  # why a person has, or had, to decide


@dataclass(frozen=True, slots=True)
class Job:
    """A leased outbox row."""

    id: int
    effect: Effect
    attempts: int  # this one included
    created_at: datetime
    lease_token: str


@dataclass(frozen=True, slots=True)
class KnownEffect:
    """An effect that was put. ``open``: it is still to be carried out."""

    effect: Effect
    open: bool


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
    officer: bool = False  # an enrolment officer's, who asked for a family


@dataclass(frozen=True, slots=True)
class BillChange:
    """A fact about a bill, as ``Bills.record`` takes it."""

    known: Bill
    fact: BillFact
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EntryMark:
    """Where an entry stands from now on."""

    entry: Entry
    state: EntryState
    bill_id: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class PaymentClaim:
    """A report that wants to be the first of its payment."""

    provider: str
    report: PaymentReport
    inbox_id: str


@dataclass(frozen=True, slots=True)
class PaymentMark:
    """Where a payment stands from now on, and what was made of it."""

    report: PaymentReport
    state: EntryState
    bill_id: str | None
    premium_id: int | None


@dataclass(frozen=True, slots=True)
class Deed:
    """Who did what to what, for the audit."""

    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]


class Bills(Protocol):
    async def by_id(self, bill_id: str, lock: bool = False) -> Bill | None: ...
    async def by_ids(self, bill_ids: Sequence[str], lock: bool = False) -> Mapping[str, Bill]:
        """Those that there are, by id; locked in the order of their ids."""
        ...

    async def by_control_number(self, number: str, lock: bool = False) -> Bill | None: ...
    async def by_control_numbers(self, numbers: Sequence[str], lock: bool = False) -> Mapping[str, Bill]:
        """Those that there are, by number; locked in the order of their numbers."""
        ...

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

    async def part_paid_records_of(self, covers: Sequence[tuple[int, int]]) -> Mapping[tuple[int, int], Sequence[int]]:
        """The same of many (family, product); those without any are left out."""
        ...

    async def add(self, new: Bill) -> bool:
        """Insert; False where another transaction was first with this key and generation."""
        ...

    async def record(self, known: Bill, fact: BillFact, now: datetime, **details: Any) -> Bill:
        """Append a fact and return the bill as it then stands (``control_number`` and ``paid_minor`` may be given)."""
        ...

    async def record_all(self, changes: Sequence[BillChange], now: datetime) -> Sequence[Bill]:
        """The same of many bills, each a different one; in their order."""
        ...

    async def add_requester(self, bill_id: str, requester: Requester, now: datetime) -> None: ...
    async def requesters(self, bill_id: str) -> Sequence[Requester]:
        """Who asked for it, the first one first."""
        ...

    async def requesters_of(self, bill_ids: Sequence[str]) -> Mapping[str, Sequence[Requester]]:
        """The same of many bills; those that nobody asked for are left out."""
        ...

    async def numbers(self, bill_ids: Sequence[str]) -> Mapping[str, Bill]:
        """Of these bills, those that have a number or were refused."""
        ...

    async def asked(self, bill_id: str, times: int, now: datetime) -> None:
        """Note that the provider is asked once more."""
        ...

    async def given_up(self, bill_id: str, times: int, now: datetime) -> None:
        """Note that after so many askings nobody asks any more, until a caller wants the number again."""
        ...

    async def ask_once_more(self, bill_id: str, now: datetime) -> int | None:
        """Count one more asking for a number that was given up; None where it is being asked for, or has come."""
        ...

    async def facts(self, bill_id: str) -> Sequence[tuple[BillFact, Mapping[str, Any]]]:
        """What became known of a bill, oldest first, with the details of each."""
        ...

    async def past_life(self, now: datetime, limit: int) -> Sequence[Bill]:
        """Lock up to ``limit`` bills without money whose life has ended and that do not say so yet."""
        ...

    async def silent(self, asked_before: datetime, limit: int) -> Sequence[tuple[Bill, int]]:
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
    async def mark_all(self, marks: Sequence[EntryMark], now: datetime) -> None: ...
    async def entries_of(self, inbox_id: str) -> Sequence[Entry]: ...
    async def evidence(self, inbox_id: str) -> Evidence | None:
        """A message as it was kept."""
        ...

    async def refused(self, since: datetime, after: tuple[datetime, str] | None, limit: int) -> Sequence[Evidence]:
        """What came since then, was refused and has no entries, in the order of coming; ``after`` the time and id of
        the last one seen. Those that were too large are left out: there is nothing to read."""
        ...

    async def add_entries(self, evidence: Evidence, noticed: Sequence[Notice], now: datetime) -> int:
        """Entries of a message that was refused when it came, all new; those there already stay. How many were new."""
        ...

    async def claim(self, inbox_id: str, line: int) -> Entry | None:
        """Lock one entry if it is new, due or not; one that is locked elsewhere is waited for."""
        ...


class Payments(Protocol):
    async def first_report(
        self, provider: str, report: PaymentReport, inbox_id: str, now: datetime
    ) -> KnownPayment | None:
        """Claim the payment's key; None when this report is the first, else the payment as it is known."""
        ...

    async def first_reports(self, claims: Sequence[PaymentClaim], now: datetime) -> Sequence[KnownPayment | None]:
        """The same of many, no two of one payment, claimed in the order of their keys; answers in the order given."""
        ...

    async def receipt_is_held(self, report: PaymentReport) -> bool:
        """Whether a payment under another reference has this one's receipt, number and amount."""
        ...

    async def mark(
        self, report: PaymentReport, state: EntryState, bill_id: str | None, premium_id: int | None, now: datetime
    ) -> None: ...
    async def mark_all(self, marks: Sequence[PaymentMark], now: datetime) -> None: ...
    async def came_elsewhere(self, bill_id: str, issuer: str) -> bool:
        """Whether money of this bill came through another provider than the one that issued its number."""
        ...

    async def sent_by(self, provider: str, reference: str) -> SentPayment | None:
        """What this provider first reported under its reference and where it stands; None where it never did."""
        ...

    async def held_for(self, family_id: int, limit: int) -> Sequence[HeldMoney]:
        """Money on the family's bills that a person decides on or keeps for its next cover, the newest first."""
        ...


class Outbox(Protocol):
    async def put(self, effects: Sequence[Effect], now: datetime) -> int:
        """Insert; an effect whose key is known already is dropped. How many were new."""
        ...

    async def put_each(self, groups: Sequence[Sequence[Effect]], now: datetime) -> Sequence[int]:
        """The same of many groups at once; of each, how many were new."""
        ...

    async def known(self, keys: Sequence[str]) -> Mapping[str, KnownEffect]:
        """Those of these business keys that were put, ever."""
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

    async def about(self, subjects: Collection[str]) -> Sequence[Mapping[str, Any]]:
        """Cases about these, in any state, oldest first. Reads all cases: for a person's look, not for a process."""
        ...

    async def settle(self, case_id: int, settled: SettledCase, now: datetime) -> None:
        """Write down what a person did with it."""
        ...


class Audit(Protocol):
    async def add(self, actor: str, action: str, subject: str, now: datetime, **details: Any) -> None: ...
    async def add_all(self, deeds: Sequence[Deed], now: datetime) -> None: ...
    async def about(self, subjects: Collection[str]) -> Sequence[Mapping[str, Any]]:
        """What was done about these, oldest first. Reads the whole audit: for a person's look, not for a process."""
        ...

    async def seal(self, now: datetime, limit: int) -> int:
        """Chain up to ``limit`` unsealed rows; how many were."""
        ...

    async def verify(self) -> Sequence[str]:
        """Every break of the chain, as a sentence; empty when it holds."""
        ...


class KnownPhones(NamedTuple):
    """What is kept of phones, each by its number. The index lags behind the registry: the live row is asked again.

    ``disowned``: the families that the phone calls not its own. Whose row an insuree's is, only the live one says.
    """

    insurees: Mapping[str, Sequence[int]]
    languages: Mapping[str, str]
    officers: Mapping[str, Sequence[int]]
    disowned: Mapping[str, Collection[int]]


class Callers(Protocol):
    """What we keep about phones: language, the index of normalised numbers, how often a number was guessed wrong."""

    async def known(self, msisdns: Sequence[str]) -> KnownPhones:
        """Insuree ids, languages, officer ids and disowned families of these phones, in one look."""
        ...

    async def languages(self, msisdns: Sequence[str]) -> Mapping[str, str]: ...
    async def set_language(self, msisdn: str, language: str, now: datetime) -> None: ...
    async def index_phones(self, rows: Sequence[tuple[int, int, str | None]]) -> None:
        """Replace the index rows of (insuree, family, normalised number or None)."""
        ...

    async def index_range(self, after: int, upto: int | None, rows: Sequence[tuple[int, int, str | None]]) -> None:
        """Replace all index rows of the insurees beyond ``after``, up to ``upto`` if given."""
        ...

    async def index_officers(self, after: int, upto: int | None, rows: Sequence[tuple[int, str | None]]) -> int:
        """Replace the index rows of the officers beyond ``after``, up to ``upto`` if given, by these (officer,
        normalised number or None); how many were not so already."""
        ...

    async def watermark(self, name: str) -> datetime | None: ...
    async def set_watermark(self, name: str, at: datetime) -> None: ...
    async def count_miss(self, msisdn: str, now: datetime) -> int:
        """Count a wrong insurance number of this phone in this hour; the count so far."""
        ...

    async def misses(self, msisdn: str, now: datetime) -> int:
        """Wrong numbers of this phone in this hour."""
        ...

    async def report(self, report: PhoneReport, now: datetime) -> bool:
        """Keep what a phone says; False where it has said so of this family already."""
        ...

    async def disowned(self, asked: Collection[tuple[str, int]]) -> Collection[tuple[str, int]]:
        """Those of these (phone, family) where the phone calls the family not its own."""
        ...

    async def claims(self, msisdn: str) -> int:
        """How many families this phone claims at present."""
        ...

    async def lift_report(self, report_id: str) -> None:
        """A person has seen to it: it holds no longer, and may be said again."""
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

    async def notice_each(self, groups: Sequence[Sequence[PolicyEvent]], now: datetime) -> Sequence[int]:
        """The same of many groups at once; of each, how many were new."""
        ...

    async def noticed(self, policy_ids: Collection[int]) -> Collection[tuple[int, PolicyEventKind]]:
        """What is known already of these policies."""
        ...

    async def born_here(self, policy_ids: Collection[int], since: datetime) -> Collection[int]:
        """Those of these policies that we enrolled ourselves since then."""
        ...


class Pool(Protocol):
    """Ready control numbers, bills of nobody."""

    async def add(self, numbers: Sequence[PoolNumber], now: datetime) -> None:
        """Insert numbers that the provider is about to be asked for."""
        ...

    async def by_id(self, bill_id: str, lock: bool = False) -> PoolNumber | None: ...
    async def by_control_number(self, number: str, lock: bool = False) -> PoolNumber | None: ...
    async def by_control_numbers(self, numbers: Sequence[str]) -> Mapping[str, PoolNumber]: ...
    async def several(self, bill_ids: Sequence[str]) -> Sequence[PoolNumber]: ...
    async def take(self, kind: PoolKind, usable_until: datetime, now: datetime) -> PoolNumber | None:
        """Bind a ready number of this kind that lives till then; None where there is none that nobody else is taking.

        The number as it was before.
        """
        ...

    async def change(self, bill_id: str, state: PoolState, now: datetime, control_number: str | None = None) -> None:
        """Put a number into another state, and its control number where it has just come."""
        ...

    async def supply(self, kind: PoolKind, usable_until: datetime, refused_since: datetime) -> tuple[int, int]:
        """How many of this kind can be handed out, and how many were asked for or refused since then."""
        ...

    async def silent(
        self, asked_before: datetime, limit: int, asked_less_than: int
    ) -> Sequence[tuple[PoolNumber, int]]:
        """Lock numbers that the provider has had since then and that have not come, with how often each was asked for.

        What it has never had is still being sent.
        """
        ...

    async def accepted(self, bill_ids: Sequence[str], now: datetime) -> None:
        """The provider has these now, for the first time where nothing is known of an earlier one."""
        ...

    async def asked(self, bill_ids: Sequence[str], now: datetime) -> None:
        """Note that the provider is asked for these once more."""
        ...

    async def stale(
        self, product_id: int, kind: PoolKind | None, usable_until: datetime, given_up_before: datetime, limit: int
    ) -> Sequence[PoolNumber]:
        """Lock a product's numbers that nobody can be given any more: too old, never come, or of another kind."""
        ...

    async def counts(self, waiting_only: bool = False) -> Mapping[tuple[str, str], int]:
        """How many numbers there are, by product code and state; ``waiting_only``: asked for and ready ones."""
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
    @property
    def reconciliations(self) -> Reconciliations: ...
    @property
    def pool(self) -> Pool: ...
    @property
    def screens(self) -> Screens: ...
    @property
    def retention(self) -> Retention: ...
    @property
    def after_commit(self) -> list[Callable[[], object]]:
        """What to do once it is committed, and never if it is not: counting."""
        ...


class UnitOfWork(Protocol):
    """Where transactions come from."""

    def writing(self) -> AbstractAsyncContextManager[Transaction]:
        """Read and write; commits when the block ends well, rolls back when it raises."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """Read only."""
        ...
