"""A bill: what a family owes for one cover, from the asking to the money. States as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from gateway.domain.money import Money


class PayOption(IntEnum):
    """How the payment gateway lets a bill be paid."""

    PARTIAL = 2
    EXACT = 3


class BillState(StrEnum):
    """Where a bill stands; derived from its facts by ``BILL_TRANSITIONS``."""

    CREATED = "created"
    SUBMITTED = "submitted"
    NUMBERED = "numbered"
    REFUSED = "refused"
    PART_PAID = "part_paid"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class BillFact(StrEnum):
    """What can become known about a bill. Past tense: it has happened and is only ever appended."""

    SUBMITTED = "submitted"  # the provider said "received"
    NUMBERED = "numbered"  # the provider gave a control number
    REFUSED = "refused"  # the provider will not give one
    PART_PAID = "part_paid"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    NOT_REUSED = "not_reused"  # the provider will not give an old number again: an ordinary one is asked for
    RELEASED = "released"  # its number is a later bill's now; the fact tells which


_OPEN = (BillState.CREATED, BillState.SUBMITTED)
_UNPAID = (*_OPEN, BillState.NUMBERED, BillState.REFUSED, BillState.EXPIRED, BillState.CANCELLED)

# (fact) -> states in which it moves the bill, and where to. Anything else leaves the state as it is: late truth wins
# over time-outs (expired -> paid), and what contradicts money already received (paid -> refused) changes nothing.
BILL_TRANSITIONS: dict[BillFact, tuple[tuple[BillState, ...], BillState]] = {
    BillFact.SUBMITTED: ((BillState.CREATED, BillState.REFUSED), BillState.SUBMITTED),
    BillFact.NUMBERED: ((*_OPEN, BillState.REFUSED), BillState.NUMBERED),
    BillFact.REFUSED: (_OPEN, BillState.REFUSED),
    BillFact.PART_PAID: ((*_UNPAID, BillState.PART_PAID), BillState.PART_PAID),
    BillFact.PAID: ((*_UNPAID, BillState.PART_PAID), BillState.PAID),
    BillFact.EXPIRED: ((*_OPEN, BillState.NUMBERED, BillState.REFUSED), BillState.EXPIRED),
    BillFact.CANCELLED: ((*_OPEN, BillState.NUMBERED, BillState.REFUSED, BillState.EXPIRED), BillState.CANCELLED),
    BillFact.NOT_REUSED: ((), BillState.SUBMITTED),  # moves nothing
    BillFact.RELEASED: ((BillState.NUMBERED,), BillState.EXPIRED),
}

# What the state is called outside, and a sentence each for the people who look at it.
BILL_SENTENCES: dict[BillState, tuple[str, str]] = {
    BillState.CREATED: ("Ombi limepokelewa.", "The request was taken; the provider has not been asked yet."),
    BillState.SUBMITTED: ("Tunasubiri namba ya malipo.", "The provider has the bill; its control number is awaited."),
    BillState.NUMBERED: ("Namba ya malipo iko tayari.", "The control number is ready to be paid."),
    BillState.REFUSED: ("Namba ya malipo haijapatikana.", "The provider refused the bill."),
    BillState.PART_PAID: ("Malipo ya sehemu yamepokelewa.", "Part of the amount has been paid."),
    BillState.PAID: ("Imelipwa.", "The bill has been paid."),
    BillState.EXPIRED: ("Muda wa kulipa umepita.", "The control number's life has ended unpaid."),
    BillState.CANCELLED: ("Imefutwa.", "The bill was cancelled."),
}


def after(state: BillState, fact: BillFact) -> BillState:
    """The state once ``fact`` is known."""
    sources, target = BILL_TRANSITIONS[fact]
    return target if state in sources else state


def bill_key(family_id: int, product_id: int, preceding_policy_id: int | None) -> str:
    """The business key of a bill: whoever asks, from whatever session, for this cover, gets the same bill."""
    return f"family:{family_id}/product:{product_id}/after:{preceding_policy_id or 0}"


@dataclass(frozen=True, slots=True)
class Bill:
    """One amount asked of one family for one cover. ``id`` is random: a restored backup must never reuse one."""

    id: str
    key: str
    generation: int  # rises when the same cover has to be billed anew (expired, or another amount due)
    family_id: int
    product_id: int
    product_code: str
    preceding_policy_id: int | None
    stage: str
    chfid: str  # the head's insurance number
    payer_name: str
    amount: Money
    policy_value: Money
    pay_option: PayOption
    provider_code: str | None
    state: BillState
    control_number: str | None
    paid: Money
    created_at: datetime
    expires_at: datetime
    payment_record_id: int | None = None  # tblPayment.PaymentID, so that the ministry's own screens show the bill
    issuer: str | None = None  # the provider that gave the control number; None for one of the service before us
    reuses: str | None = None  # the family's earlier number, asked for again; None once the provider would not

    @property
    def stays_without_number(self) -> bool:
        """Paid in part by insurance number before it had a control number: none is asked for any more."""
        return self.state == BillState.PART_PAID and self.control_number is None

    def payable_at(self, moment: datetime) -> bool:
        """Whether this bill can still be asked to be paid, with or without its number yet."""
        return self.state in (*_OPEN, BillState.NUMBERED, BillState.PART_PAID) and moment < self.expires_at

    @property
    def awaits_number(self) -> bool:
        """Whether the provider still owes it a number."""
        return self.state in _OPEN and self.control_number is None

    def number_to_revive(self, moment: datetime) -> str | None:
        """The number that a later bill for the same cover should get again: this one's life ended without money.

        A number whose asking again was never answered is asked for once more.
        """
        expired = self.state == BillState.EXPIRED or (
            self.state in (*_OPEN, BillState.NUMBERED) and moment >= self.expires_at
        )
        return (self.control_number or self.reuses) if expired and not self.paid else None
