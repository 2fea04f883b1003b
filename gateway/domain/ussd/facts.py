"""The facts that menus may need. A new menu needs no Python unless it needs a new row here.

Every answer is a JSON object; where it has a ``state``, ``states`` lists all that it can be, so that a book can be
checked for a text for each.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.domain.commission import Reckoning
from gateway.domain.cover import CoverState
from gateway.domain.family_payment import PaymentState
from gateway.domain.officers import Mandate


@dataclass(frozen=True, slots=True)
class FactSpec:
    """``args``: where in the session's values and facts each argument is found."""

    args: tuple[tuple[str, str], ...]
    states: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()  # what its texts may mention
    lists: tuple[tuple[str, FactSpec], ...] = ()  # lists in it that a screen may show, with what an item holds


FACTS: dict[str, FactSpec] = {
    # the families of the calling phone: count, families[{id, chfid, label, state, until, start}]; where it is a working
    # enrolment officer's: officer (true), officer_count, officers[{id, code, label}]
    "caller": FactSpec((("msisdn", "msisdn"),), variables=("count",)),
    # what is due next: key, product, amount, start, until
    "quote": FactSpec(
        (("family_id", "family.id"),),
        ("payable", "suspended", "already_renewed", "no_product", "nothing_due"),
        ("product", "amount", "start", "until"),
    ),
    # the family's open bill: number, amount, expires
    "bill": FactSpec((("family_id", "family.id"),), ("numbered", "waiting", "none"), ("number", "amount", "expires")),
    # the number of the bill just asked for
    "control_number": FactSpec(
        (("bill_key", "quote.key"),), ("numbered", "refused", "changed"), ("number", "amount", "expires")
    ),
    # cover by insurance number: until, start; the name only on the family's own phone
    "enquiry": FactSpec(
        (("chfid", "chfid"), ("msisdn", "msisdn")),
        (*CoverState, "unknown", "limited"),
        ("until", "start"),
    ),
    # the family's members, the head first: count, items[{name, state, until, start}]; none: it is gone meanwhile
    "members": FactSpec(
        (("family_id", "family.id"),),
        ("some", "none"),
        ("count",),
        (("items", FactSpec((), tuple(CoverState), ("name", "until", "start"))),),
    ),
    # whether this phone may try one more insurance number
    "tries": FactSpec((("msisdn", "msisdn"),), ("free", "limited")),
    # the family's money: due, number, expires, receipts[{state, amount, receipt, day}], the newest first
    "payment": FactSpec(
        (("family_id", "family.id"),),
        tuple(PaymentState),
        ("due", "number", "expires"),
        (("receipts", FactSpec((), ("paid", "checked"), ("amount", "receipt", "day"))),),
    ),
    # a family by its number, for an officer: id, chfid, until, start, and the officer's code
    "officer_enquiry": FactSpec(
        (("chfid", "chfid"), ("msisdn", "msisdn"), ("officer", "officer.code")),
        (*CoverState, "unknown", "limited"),
    ),
    # whether the officer may ask for the family's control number
    "mandate": FactSpec(
        (("officer_id", "officer.id"), ("family_id", "family.id"), ("msisdn", "msisdn")), tuple(Mandate)
    ),
    # the officer's commission: this{…} and last{…}, months as the value has them
    "commission": FactSpec((("officer_id", "officer.id"),), tuple(Reckoning)),
}

# what is chosen or typed in a conversation
VALUES: dict[str, FactSpec] = {
    "family": FactSpec((), tuple(CoverState), ("chfid", "label", "until", "start")),
    "chfid": FactSpec((), variables=("",)),
    "claimed": FactSpec((), variables=("",)),  # the insurance number of the family that the phone is said to be of
    "officer": FactSpec((), variables=("label",)),
    "month": FactSpec((), tuple(Reckoning), ("month", "commission", "collected", "open", "lines")),
    "network": FactSpec(()),  # the caller's; its states are the book's networks
    "left": FactSpec(()),  # where a dropped conversation stood; its states are menus
}
# what the texts of messages may mention
SMS_FIELDS = frozenset(
    (
        *("number", "amount", "expires", "chfid", "receipt", "due", "start", "until", "month", "collected", "at"),
        *("count", "covered", "paid", "day"),
    )
)
_OF_BILL = ("number", "amount", "expires")
_OF_MONTH = ("month", "amount", "collected")
# of these, what each kind of message knows; an answer by SMS knows what the fact says (``by_sms.told``)
MESSAGE_FIELDS: dict[str, tuple[str, ...]] = {
    "control_number": (*_OF_BILL, "chfid"),
    "how_mobile": _OF_BILL,
    "how_bank": _OF_BILL,
    "number_refused": ("chfid",),
    "number_cancelled": ("number", "chfid"),
    "covered": ("amount", "receipt", "chfid", "start", "until"),
    "paid_ready": ("amount", "receipt", "chfid"),
    "cover_moved": ("chfid", "start", "until"),
    "part_paid": ("amount", "receipt", "chfid", "due", "number"),
    "receipt": ("amount", "receipt"),
    "held": ("amount", "receipt"),
    "commission": _OF_MONTH,
    "collected": _OF_MONTH,
}
# how a text tells a field, by its last name: money is in hundredths, and would read a hundred times itself without
STYLED = {
    **dict.fromkeys(("amount", "due", "collected", "commission", "open", "paid"), "money"),
    **dict.fromkeys(("start", "until", "expires", "day"), "date"),
}


def lookup(scope: dict[str, object], path: str) -> object:
    """The value at a dotted path, list indexes included; None where there is none."""
    value: object = scope
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, (list, tuple)) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def items_spec(source: str) -> FactSpec | None:
    """What an item of a fact's list holds; None where the path names no such list."""
    name, _, inner = source.partition(".")
    return dict(FACTS[name].lists).get(inner) if name in FACTS else None
