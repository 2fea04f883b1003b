"""openIMIS' own database, as a repository."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from gateway.domain.commission import Collected
from gateway.domain.family_payment import Receipt
from gateway.domain.members import Coverage
from gateway.domain.money import Money
from gateway.domain.officers import Officer
from gateway.domain.periods import Period
from gateway.domain.policy import Family, NewPolicy, NewPremium, Policy, Product
from gateway.domain.settlement import Activation


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


@dataclass(frozen=True, slots=True)
class OfficerPhone:
    """One live officer's phone, as spelt in the registry."""

    officer_id: int
    phone: str


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
    chfid: str | None  # None for a number of the pool that nobody was given yet
    stage: str
    requested_at: datetime
    officer_code: str | None = None  # of the enrolment officer who asked for it


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

    async def families(self, family_ids: Sequence[int]) -> Mapping[int, Family]:
        """The same of many; the missing and the dead are left out."""
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

    async def lock_families(self, family_ids: Sequence[int]) -> Collection[int]:
        """Hold many, in the order of their ids; those that live."""
        ...

    async def receipt_is_used(self, product_id: int, receipt: str) -> bool:
        """Whether a live premium of this product carries the receipt."""
        ...

    async def receipts_used(self, receipts: Sequence[tuple[int, str]]) -> Collection[tuple[int, str]]:
        """Which of these (product, receipt) are used."""
        ...

    async def activation_option(self) -> int:
        """tblIMISDefaults.ActivationOption; 1 where the installation has no such table or row."""
        ...

    async def add_policy(self, policy: NewPolicy, now: datetime) -> int:
        """Insert an idle policy and its coverage rows; the new PolicyID."""
        ...

    async def add_policies(self, policies: Sequence[NewPolicy], now: datetime) -> Sequence[int]:
        """The same of many; the PolicyIDs in their order."""
        ...

    async def add_premium(self, policy_id: int, premium: NewPremium, now: datetime) -> int:
        """Insert the premium and keep the policy's present state as a history row; the new PremiumId."""
        ...

    async def add_premiums(self, premiums: Sequence[tuple[int, NewPremium]], now: datetime) -> Sequence[int]:
        """The same of many (policy, premium), each of a different policy; the PremiumIds in their order."""
        ...

    async def activate(self, policy_id: int, activation: Activation) -> None:
        """Put the policy's status and effective date, and the coverage rows' dates."""
        ...

    async def activate_all(self, activations: Sequence[tuple[int, Activation]]) -> None:
        """The same of many policies."""
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

    async def close_prompts_of(self, policy_ids: Sequence[int], now: datetime) -> None:
        """The same of many policies."""
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

    async def numbers_given(self, numbers: Sequence[tuple[int, str]], now: datetime) -> None:
        """The same of many (tblPayment row, control number)."""
        ...

    async def hand_out_payment(self, payment_id: int, record: PaymentRecord) -> None:
        """A number of the pool is a family's now: who asked, in which language, for whom."""
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

    async def payments_received(self, received: Sequence[tuple[int, PaymentReceived]], now: datetime) -> None:
        """The same of many tblPayment rows, each a different one."""
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

    async def coverages(self, family_id: int) -> Sequence[Coverage]:
        """Who is under which of the family's live policies, from when to when, by policy and member."""
        ...

    async def receipts(self, family_id: int, limit: int) -> Sequence[Receipt]:
        """The newest money of the family's live policies, whoever took it, photo fees aside; the newest first."""
        ...

    async def officer_phones(self, after_officer_id: int, limit: int) -> Sequence[OfficerPhone]:
        """Live officers with a phone, by OfficerID, a page at a time."""
        ...

    async def newest_officer(self) -> int:
        """The place of the newest change to an officer; 0 where there is none."""
        ...

    async def officers(self, officer_ids: Sequence[int]) -> Mapping[int, Officer]:
        """The live officers among these, those who have left included."""
        ...

    async def has_village(self, officer_id: int, location_ids: Sequence[int]) -> bool:
        """Whether one of these places is a village that is assigned to the officer."""
        ...

    async def collected(self, officer_id: int, first: date, last: date) -> Sequence[Collected]:
        """What was paid on the officer's policies on these days, funding aside, with the rate of the commission."""
        ...
