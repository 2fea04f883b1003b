"""What GePG remembers: bills, the control numbers it gave, and payments. In memory, bounded."""

import random
from dataclasses import dataclass, field
from datetime import datetime

from sandbox import money
from sandbox.fields import Submission

MAX_BILLS = 200_000
MAX_PAYMENTS = 50_000


@dataclass(slots=True)
class Bill:
    """One bill; `control_number` is '' until GePG has given one."""

    asked: Submission
    created_at: datetime
    control_number: str = ""
    paid_minor: int = 0
    cancelled: bool = False
    acknowledged: bool = False
    """Whether the service provider has acknowledged the control number."""

    def status(self, now: datetime) -> str:
        """submitted | numbered | paid | expired | cancelled."""
        if self.paid_minor >= self.asked.amount_minor:
            return "paid"
        if self.cancelled:
            return "cancelled"
        if now >= self.asked.expires_at:
            return "expired"
        return "numbered" if self.control_number else "submitted"

    def refusal(self, amount_minor: int, now: datetime) -> str | None:
        """The code with which GePG refuses this payment at the counter, or None. BillPayOpt: GePG v5 billSubReq."""
        status, left = self.status(now), self.asked.amount_minor - self.paid_minor
        option = self.asked.pay_opt
        if status == "cancelled":
            return "7283"
        if status == "paid" and option != 4:
            return "7279"
        if status == "expired":
            return "7213"
        if option == 3 and amount_minor != self.asked.amount_minor:
            return "7302"
        if option == 1 and amount_minor < left:
            return "7214"
        if option in (2, 5) and amount_minor < min(self.asked.least_minor, left):
            return "7214"
        if option == 5 and amount_minor > left:
            return "7336"
        return None

    def to_json(self, now: datetime) -> dict[str, object]:
        return {
            "bill_id": self.asked.bill_id,
            "control_number": self.control_number or None,
            "amount": money.to_text(self.asked.amount_minor),
            "paid": money.to_text(self.paid_minor),
            "currency": self.asked.currency,
            "status": self.status(now),
            "pay_opt": self.asked.pay_opt,
            "sp_code": self.asked.sp_code,
            "msisdn": self.asked.msisdn,
            "payer": self.asked.payer,
            "description": self.asked.description,
            "version": self.asked.version,
            "acknowledged": self.acknowledged,
            "created_at": self.created_at.isoformat(),
            "expires_at": self.asked.expires_at.isoformat(),
        }


@dataclass(slots=True)
class Payment:
    """One payment that moved money, and how its notification fares."""

    trx_id: str
    pay_ref_id: str
    receipt: str
    channel: str
    msisdn: str
    payer: str
    sp_code: str
    bill_id: str
    control_number: str
    bill_minor: int
    paid_minor: int
    pay_opt: int
    currency: str
    at: datetime
    req_id: str = ""
    raw: bytes = b""
    delivery: str = "pending"
    """pending | acknowledged | given_up."""
    attempts: list[str] = field(default_factory=list)
    """What came back each time: an acknowledgement code or a word (see courier)."""
    version: str = "v5"
    """The generation of the bill, in which its payments are told of."""
    together: "tuple[Payment, ...]" = field(default=(), repr=False, compare=False)
    """All payments of the one notification that told of this one too; empty where it was alone."""

    def to_json(self) -> dict[str, object]:
        return {
            "trx_id": self.trx_id,
            "pay_ref_id": self.pay_ref_id,
            "receipt": self.receipt,
            "channel": self.channel,
            "msisdn": self.msisdn,
            "bill_id": self.bill_id,
            "control_number": self.control_number,
            "amount": money.to_text(self.paid_minor),
            "at": self.at.isoformat(),
            "version": self.version,
            "delivery": self.delivery,
            "attempts": list(self.attempts),
        }


class Book:
    """Bills by id and by number, payments by reference. Sequences start at random, so no test learns a number."""

    def __init__(self) -> None:
        self.bills: dict[str, Bill] = {}
        self.payments: dict[str, Payment] = {}
        self._by_number: dict[str, Bill] = {}
        self._next: dict[str, int] = {}
        self._last: dict[str, str] = {}
        self._reference = random.randrange(10**9)  # noqa: S311 - a starting point, not a secret

    @property
    def full(self) -> bool:
        return len(self.bills) >= MAX_BILLS

    def by_number(self, control_number: str) -> Bill | None:
        """The newest bill bound to a control number."""
        return self._by_number.get(control_number)

    def last_number(self, sp_code: str) -> str:
        """The number that was given out last for a service provider, '' before the first."""
        return self._last.get(sp_code, "")

    def number(self, bill: Bill, wrongly: str = "") -> str:
        """Give the bill its control number: the one to be reused, or a new one. The same when asked again.

        `wrongly`: another bill's number, which stays bound to the other bill too: whoever pays it pays the other.
        """
        if not bill.control_number:
            bill.control_number = bill.asked.reuse or wrongly or self._new_number(bill.asked.sp_code)
            if not wrongly or bill.asked.reuse:
                self._by_number[bill.control_number] = bill
            self._last[bill.asked.sp_code] = bill.control_number
        return bill.control_number

    def _new_number(self, sp_code: str) -> str:
        """12 digits: a five-digit code, or 99 and a three-digit one, then 7 digits."""
        digits = sp_code.removeprefix("SP")
        prefix = digits if len(digits) == 5 else "99" + digits
        while True:
            sequence = self._next.get(prefix, random.randrange(10**7))  # noqa: S311
            self._next[prefix] = (sequence + 1) % 10**7
            if (number := f"{prefix}{sequence:07d}") not in self._by_number:
                return number

    def unused_number(self, sp_code: str) -> str:
        """A number like a service provider's that no bill has."""
        return self._new_number(sp_code)

    def new_reference(self, now: datetime) -> str:
        """PayRefId: 9, two digits of the year, day of the year, 9 digits (inferred from two UAT samples)."""
        while True:
            self._reference = (self._reference + 1) % 10**9
            if (reference := f"9{now:%y%j}{self._reference:09d}") not in self.payments:
                return reference

    def keep(self, payment: Payment) -> None:
        """Remember a payment; the first under a reference stays. The oldest is forgotten at the limit."""
        while len(self.payments) >= MAX_PAYMENTS:
            del self.payments[next(iter(self.payments))]
        self.payments.setdefault(payment.pay_ref_id, payment)
