"""A provider's account of a day against what we hold: every line is matched, or is a difference with a name.

A line and a payment are the same where reference and control number are. A line under another reference is still the
payment that we hold where control number, amount and receipt are equal and no line of the day has that payment's own
reference: such a line is never booked. Whatever else we do not hold is settled as a callback would be, whose rules keep
a second report of one payment from becoming a second premium.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.domain.errors import CASE_CODES
from gateway.domain.money import Money
from gateway.domain.payments import CaseKind, EntryState


class Kind(StrEnum):
    """What a line, or a payment that no line tells of, is."""

    MATCHED = "matched"
    OTHER_REFERENCE = "other_reference"
    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    DIFFERENT_AMOUNT = "different_amount"
    TWICE = "twice"
    UNKNOWN_BILL = "unknown_bill"
    CANCELLED_BUT_PAID = "cancelled_but_paid"
    WAITS = "waits"
    UNREADABLE = "unreadable"


class Became(StrEnum):
    """What became of a difference."""

    NOTHING = "nothing"  # there is nothing to do
    PENDING = "pending"  # given to settlement, not yet settled
    SETTLED = "settled"
    DECIDED = "decided"  # a person held, refunded or rejected it
    PERSON = "person"  # a case waits for a person
    ASK = "ask"  # only the provider can say


SENTENCES: dict[Kind, str] = {
    Kind.MATCHED: "Both have it, and it is the same.",
    Kind.OTHER_REFERENCE: "Both have it under different references; number, amount and receipt are the same.",
    Kind.MISSING_HERE: "The provider never told us of it before this statement.",
    Kind.MISSING_THERE: "We hold it for this day, and the provider does not list it.",
    Kind.DIFFERENT_AMOUNT: "The provider lists another amount than it told us before; the first report stands.",
    Kind.TWICE: "Paid or listed twice: one of them is booked.",
    Kind.UNKNOWN_BILL: "No bill of ours has this control number.",
    Kind.CANCELLED_BUT_PAID: "The bill had been cancelled, and was paid.",
    Kind.WAITS: "Both have it, and it is booked nowhere: a person must place it, or has rejected it.",
    Kind.UNREADABLE: "A line of the statement that cannot be read.",
}
BECAME: dict[Became, str] = {
    Became.NOTHING: "nothing to do",
    Became.PENDING: "being settled",
    Became.SETTLED: "settled from the statement",
    Became.DECIDED: "decided by a person",
    Became.PERSON: "waits for a person",
    Became.ASK: "ask the provider",
}

# No difference of money: neither needs anything done.
GOOD = frozenset((Kind.MATCHED, Kind.OTHER_REFERENCE))

# A machine or a person has said where the money belongs.
DECIDED = frozenset((EntryState.SETTLED, EntryState.HELD, EntryState.REFUNDED))
# Not owed, as a person said: no money of ours. Where the provider lists it all the same, it waits for that person.
NOT_OURS = EntryState.REJECTED

_OF_CASE = {
    CaseKind.PAID_TWICE: Kind.TWICE,
    CaseKind.SAME_RECEIPT: Kind.TWICE,
    CaseKind.BILL_CANCELLED: Kind.CANCELLED_BUT_PAID,
    CaseKind.UNKNOWN_CONTROL_NUMBER: Kind.UNKNOWN_BILL,
}
# Cases about a payment that leave it where it is; its state has another reason.
BESIDE = frozenset((CaseKind.CONFLICT, CaseKind.OVERPAID))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a statement, as far as it is matched."""

    line: int
    reference: str
    control_number: str
    amount: Money
    receipt: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes a line and a payment the same."""
        return (self.reference, self.control_number)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that no amount is known of."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """A payment that we hold. ``from_statement``: the first that told us of it was a statement, not a callback.

    ``case``: why a person must place it, where one must.
    """

    id: int
    reference: str
    control_number: str
    amount: Money
    state: EntryState
    receipt: str | None = None
    from_statement: bool = False
    case: CaseKind | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes a line and a payment the same."""
        return (self.reference, self.control_number)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a line is, what became of it, and the code under which a person finds it."""

    kind: Kind
    became: Became
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not plainly the same on both sides. ``amount`` is the provider's, ``held`` ours."""

    kind: Kind
    became: Became
    reference: str = ""
    control_number: str = ""
    amount: Money | None = None
    held: Money | None = None
    code: str | None = None
    line: int | None = None
    why: str = ""


def judge(amount: Money, repeats: bool, held: Held | None, other: Held | None) -> Judgement:
    """What one line is. ``repeats``: a line before it has the same key. ``held``: the payment of this key.

    ``other``: a payment that no line names, with this line's control number, amount and receipt.
    """
    if repeats:
        return Judgement(Kind.TWICE, Became.ASK)
    if held is None:
        if other is not None:
            return Judgement(Kind.OTHER_REFERENCE, Became.NOTHING)
        return Judgement(Kind.MISSING_HERE, Became.PENDING)
    if held.amount != amount:
        return Judgement(Kind.DIFFERENT_AMOUNT, Became.PERSON, CASE_CODES[CaseKind.CONFLICT])
    if held.state not in DECIDED:
        return _undecided(held)
    if held.from_statement:
        became = Became.SETTLED if held.state == EntryState.SETTLED else Became.DECIDED
        return Judgement(Kind.MISSING_HERE, became)
    return Judgement(Kind.MATCHED, Became.NOTHING)


def _undecided(held: Held) -> Judgement:
    if held.state == NOT_OURS:
        return Judgement(Kind.WAITS, Became.DECIDED)
    case = CaseKind.UNKNOWN_CONTROL_NUMBER if held.state == EntryState.UNMATCHED else held.case
    kind = _OF_CASE.get(case) if case is not None else None
    if kind is None:
        kind = Kind.MISSING_HERE if held.from_statement else Kind.WAITS
    if case is None:
        return Judgement(kind, Became.PENDING)
    return Judgement(kind, Became.PERSON, CASE_CODES[case])


def must_be_settled(judgement: Judgement, held: Held | None) -> bool:
    """Whether the line is news: money we do not hold, or another amount, which settlement puts before a person."""
    if judgement.kind == Kind.DIFFERENT_AMOUNT:
        return True
    return judgement.kind == Kind.MISSING_HERE and held is None


@dataclass(frozen=True, slots=True)
class Tally:
    """So many lines, and so many minor units of each currency."""

    count: int = 0
    minor: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        minor = dict(self.minor)
        for currency, amount in other.minor.items():
            minor[currency] = minor.get(currency, 0) + amount
        return Tally(self.count + other.count, {c: m for c, m in minor.items() if m})

    def __sub__(self, other: Tally) -> Tally:
        return self + Tally(-other.count, {c: -m for c, m in other.minor.items()})

    @classmethod
    def of(cls, amounts: Iterable[Money | None]) -> Tally:
        """Counts them all; None has no money."""
        count, minor = 0, dict[str, int]()
        for amount in amounts:
            count += 1
            if amount is not None:
                minor[amount.currency] = minor.get(amount.currency, 0) + amount.amount_minor
        return cls(count, {c: m for c, m in minor.items() if m})


@dataclass(frozen=True, slots=True)
class Totals:
    """The day in figures. ``provider``: all lines; ``ours``: what we hold for the day; ``kinds``: by kind.

    Each line is counted in one kind, so that the provider's total is the sum of all kinds but ``missing_there``, which
    is of our own total.
    """

    provider: Tally
    ours: Tally
    kinds: Mapping[Kind, Tally]

    @property
    def balanced(self) -> bool:
        """Whether every line and every senti of the provider's is in one kind."""
        parts = sum((t for kind, t in self.kinds.items() if kind != Kind.MISSING_THERE), Tally())
        return parts == self.provider

    @property
    def good(self) -> bool:
        """Whether the day is matched to the shilling."""
        return all(tally.count == 0 or kind in GOOD for kind, tally in self.kinds.items())


@dataclass(frozen=True, slots=True)
class Account:
    """A day, reconciled."""

    totals: Totals
    differences: tuple[Difference, ...]


def reconcile(
    lines: Sequence[Line], unreadable: Sequence[Unreadable], held: Sequence[Held], ours: Callable[[Held], bool]
) -> Account:
    """A whole day at once. ``ours``: whether a payment is the provider's and of this day.

    This is what the store's set-based matching must come to as well; it brings only the lines that are not plainly
    matched to ``judge``.
    """
    by_key = {payment.key: payment for payment in held}
    listed = {line.key for line in lines}
    unlisted = [p for p in sorted(held, key=lambda h: h.id) if p.key not in listed and p.state != NOT_OURS]
    seen: set[tuple[str, str]] = set()
    taken: set[int] = set()
    differences: list[Difference] = []
    matched: list[Money | None] = []
    for line in lines:
        payment = by_key.get(line.key)
        repeats = line.key in seen
        seen.add(line.key)
        other = None if payment is not None or repeats else same_by_receipt(line, unlisted, taken)
        if other is not None:
            taken.add(other.id)
        judgement = judge(line.amount, repeats, payment, other)
        if judgement.kind == Kind.MATCHED:
            matched.append(line.amount)
        else:
            differences.append(difference(line, judgement, payment or other))
    differences += [Difference(Kind.UNREADABLE, Became.ASK, line=bad.line, why=bad.why) for bad in unreadable]
    differences += [
        missing_there(payment)
        for payment in sorted(unlisted, key=lambda h: h.key)
        if payment.id not in taken and ours(payment)
    ]
    kinds: dict[Kind, Tally] = {kind: tally_of(kind, differences) for kind in Kind}
    kinds[Kind.MATCHED] = Tally.of(matched)
    provider = Tally.of([*(line.amount for line in lines), *(None for _ in unreadable)])
    of_day = [p.amount for p in held if ours(p) and p.state != NOT_OURS]
    return Account(Totals(provider, Tally.of(of_day), kinds), tuple(differences))


def same_by_receipt(line: Line, candidates: Iterable[Held], taken: set[int]) -> Held | None:
    """The payment that this line tells of under another reference; each may be told of so once."""
    if not line.receipt:
        return None
    for payment in candidates:
        if (payment.control_number, payment.amount, payment.receipt) == (
            line.control_number,
            line.amount,
            line.receipt,
        ) and payment.id not in taken:
            return payment
    return None


def difference(line: Line, judgement: Judgement, payment: Held | None) -> Difference:
    """A line as the report names it."""
    return Difference(
        judgement.kind,
        judgement.became,
        line.reference,
        line.control_number,
        line.amount,
        payment.amount if payment else None,
        judgement.code,
        line.line,
        f"held as {payment.reference}" if payment and judgement.kind == Kind.OTHER_REFERENCE else "",
    )


def missing_there(payment: Held) -> Difference:
    """A payment that no line tells of."""
    return Difference(Kind.MISSING_THERE, Became.ASK, payment.reference, payment.control_number, None, payment.amount)


def tally_of(kind: Kind, differences: Iterable[Difference]) -> Tally:
    """Count and money of one kind: the provider's amounts, and ours where the provider has none."""
    return Tally.of(d.held if kind == Kind.MISSING_THERE else d.amount for d in differences if d.kind == kind)
