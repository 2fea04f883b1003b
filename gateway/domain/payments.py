"""Money that a provider reports: how one payment is told from another, and what a second report of it means."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.domain.money import Money


@dataclass(frozen=True, slots=True)
class PaymentReport:
    """One entry of a payment notification. ``reference`` is the provider's own; with the control number it is the key.

    ``receipt`` and ``transaction`` are evidence only: a reconciliation line carries no transaction id, and two bills of
    one combined notification share theirs.
    """

    reference: str
    control_number: str
    amount: Money
    paid_at: datetime
    bill_id: str | None = None
    receipt: str | None = None
    transaction: str | None = None
    payer_msisdn: str | None = None  # normalised, None where it is no Tanzanian mobile number
    payer_name: str | None = None
    channel: str | None = None
    origin: str | None = None  # the bank or wallet that took the money
    chfid: str | None = None  # paid by insurance number: it stands in ``control_number`` too, and so in the key
    provider_code: str | None = None  # the service provider whose money it is; None where the message does not tell

    @property
    def key(self) -> tuple[str, str]:
        """What makes two reports the same payment."""
        return (self.reference, self.control_number)

    @property
    def digest(self) -> str:
        """Over the business fields, never over bytes: a redelivery may carry a new envelope, time and signature."""
        fields = (self.reference, self.control_number, str(self.amount.amount_minor), self.amount.currency)
        return hashlib.sha256("\x1f".join(fields).encode()).hexdigest()


class EntryState(StrEnum):
    """Where one reported entry stands."""

    NEW = "new"  # kept and acknowledged, not yet settled
    SETTLED = "settled"
    DUPLICATE = "duplicate"  # said again; nothing to do
    CONFLICTING = "conflicting"  # the same key with other content: never applied
    UNMATCHED = "unmatched"  # no bill of ours carries this number
    CASE = "case"  # a person must decide
    HELD = "held"  # a person keeps it for the family's next cover
    REFUNDED = "refunded"  # a person says that it was given back
    REJECTED = "rejected"  # a person says that nothing is owed


class CaseKind(StrEnum):
    """Why a person must decide. Each has its sentence in the table of error codes."""

    CONFLICT = "conflict"
    UNKNOWN_CONTROL_NUMBER = "unknown_control_number"
    OTHER_PAYEE = "other_payee"  # another service provider's money, as the payment provider says
    WRONG_AMOUNT = "wrong_amount"
    WRONG_CURRENCY = "wrong_currency"
    PAID_TWICE = "paid_twice"
    BILL_CANCELLED = "bill_cancelled"
    ALREADY_COVERED = "already_covered"
    POLICY_SUSPENDED = "policy_suspended"
    RECEIPT_USED = "receipt_used"
    FAMILY_GONE = "family_gone"
    PRODUCT_GONE = "product_gone"
    BILL_WITHOUT_NUMBER = "bill_without_number"
    OVERPAID = "overpaid"
    SETTLE_FAILED = "settle_failed"
    EFFECT_HELD = "effect_held"
    SAME_RECEIPT = "same_receipt"
    DAY_DIFFERS = "day_differs"
    DAY_CHANGED = "day_changed"
    NO_STATEMENT = "no_statement"
    UNREADABLE = "unreadable"  # the provider's own words, and we do not know the language: money may hang on it
    PHONE_REPORTED = "phone_reported"


# Money that is not what was asked for; other money that waits for a person is right in itself and only not placed yet.
REJECTED_KINDS = frozenset(
    (
        CaseKind.UNKNOWN_CONTROL_NUMBER,
        CaseKind.OTHER_PAYEE,
        CaseKind.WRONG_AMOUNT,
        CaseKind.WRONG_CURRENCY,
        CaseKind.PAID_TWICE,
    )
)


def same_payment(first_digest: str, report: PaymentReport) -> EntryState:
    """What a later report with a known key is: the same again, or a contradiction."""
    return EntryState.DUPLICATE if report.digest == first_digest else EntryState.CONFLICTING


def is_for_another(told: str | None, known: str | None, ours: Collection[str]) -> bool:
    """Whether a message is about another service provider's money than it may be.

    A payment provider signs for every service provider with one key, so that a signature does not say whose money it
    is. ``told``: the code that the message names; one that names none is not compared. ``known``: the code that the
    bill was made under, which it must be where there is one; else it may be any of ``ours``. Codes are compared as
    people write them: neither case nor the white space around one tells two codes apart.
    """
    if not told:
        return False
    return _plain(told) not in {_plain(code) for code in ([known] if known else ours)}


def _plain(code: str) -> str:
    return code.strip().casefold()
