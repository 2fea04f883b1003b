"""What a conversation brings about, as data: carried out once committed, before the reply that speaks of it.

Keys are business keys, never made of a session: asking twice, from a repeated request or another phone, is asking once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.domain.cover import COVERS, CoverState
from gateway.domain.ussd.session import Session


@dataclass(frozen=True, slots=True)
class RequestBill:
    """Bill this family for this cover and tell this phone the number. ``key`` is the bill's business key."""

    key: str
    family_id: int
    amount_minor: int  # what the caller agreed to; another amount due makes no bill
    msisdn: str
    language: str
    officer: str = ""  # the code of the enrolment officer who asks for the family; empty: the family itself


@dataclass(frozen=True, slots=True)
class KeepLanguage:
    """This phone reads this language from now on."""

    msisdn: str
    language: str


@dataclass(frozen=True, slots=True)
class TellHowToPay:
    """Send this phone an SMS on how to pay this number. ``way``: ``mobile`` or ``bank``; ``network``: of the book's."""

    control_number: str
    way: str
    network: str
    msisdn: str
    language: str


@dataclass(frozen=True, slots=True)
class AwaitNumber:
    """Tell this phone too the control number that the family's open bill waits for, whoever asked for it."""

    family_id: int
    msisdn: str
    language: str


@dataclass(frozen=True, slots=True)
class TellCommission:
    """Tell this phone an officer's figures of a month, which began on ``first``."""

    officer: str  # the code
    first: str  # a date
    reckoned: bool  # whether there is a commission, or only what was collected
    commission_minor: int
    collected_minor: int
    msisdn: str
    language: str


@dataclass(frozen=True, slots=True)
class PromiseAnswer:
    """Tell this phone by SMS what it asked for, since the fact did not come in time.

    ``args`` are the fact's, the phone aside; with the ``officer``'s code where an officer asks of a family, whose
    mandate is judged again when the answer is written.
    """

    fact: str
    args: tuple[tuple[str, Any], ...]
    msisdn: str
    language: str


@dataclass(frozen=True, slots=True)
class DisownFamily:
    """The caller says that this family is not its own."""

    family_id: int
    msisdn: str


@dataclass(frozen=True, slots=True)
class ClaimFamily:
    """The caller says that its phone belongs to the family with this insurance number."""

    chfid: str
    msisdn: str


UssdEffect = (
    RequestBill
    | KeepLanguage
    | TellHowToPay
    | TellCommission
    | AwaitNumber
    | PromiseAnswer
    | DisownFamily
    | ClaimFamily
)

NUMBER = "control_number"  # the fact that a bill's number is
UNANSWERED = "unanswered"  # the value that holds what was asked for and did not come


def _request_bill(session: Session) -> RequestBill | None:
    quote, family = session.facts.get("quote", {}), session.values.get("family", {})
    if quote.get("state") != "payable":
        return None
    return RequestBill(
        quote["key"], family["id"], quote["amount"], session.msisdn, session.language, family.get("officer", "")
    )


def _tell_commission(session: Session) -> TellCommission | None:
    officer, month = session.values.get("officer", {}), session.values.get("month", {})
    if month.get("state") not in ("collected", "partly", "reckoned"):
        return None
    return TellCommission(
        officer["code"],
        month["first"],
        month["state"] != "collected",
        month["commission"],
        month["collected"],
        session.msisdn,
        session.language,
    )


def _tell(session: Session, way: str) -> TellHowToPay | None:
    bill = session.facts.get("bill", {})
    if bill.get("state") != "numbered":
        return None
    return TellHowToPay(bill["number"], way, session.network, session.msisdn, session.language)


def _await_number(session: Session) -> AwaitNumber | None:
    family = session.values.get("family")
    return AwaitNumber(family["id"], session.msisdn, session.language) if family else None


def _promise_answer(session: Session) -> PromiseAnswer | None:
    asked = session.values.get(UNANSWERED)
    if asked is None:
        return None
    args = {name: value for name, value in asked["args"].items() if name != "msisdn"}
    family = session.values.get("family", {})
    if "family_id" in args and "officer" in family:
        args["officer"] = family["officer"]
    return PromiseAnswer(asked["fact"], tuple(args.items()), session.msisdn, session.language)


def _promise_due(session: Session) -> PromiseAnswer | None:
    """As above, where an officer wants a family's control number and did not get as far as what it owes."""
    asked = session.values.get(UNANSWERED)
    if asked is None:
        return None
    whose = {name: asked["args"][name] for name in ("chfid", "family_id") if name in asked["args"]}
    args = {**whose, "officer": session.values.get("officer", {}).get("code", "")}
    return PromiseAnswer("quote", tuple(args.items()), session.msisdn, session.language)


def number_by_sms(wanted: RequestBill) -> PromiseAnswer:
    """To bill later what was agreed to and cannot be billed now, and to tell the number then."""
    args: dict[str, Any] = {"bill_key": wanted.key, "family_id": wanted.family_id, "amount_minor": wanted.amount_minor}
    if wanted.officer:
        args["officer"] = wanted.officer
    return PromiseAnswer(NUMBER, tuple(args.items()), wanted.msisdn, wanted.language)


def bill_promised(args: Mapping[str, Any], msisdn: str, language: str) -> RequestBill:
    """What ``number_by_sms`` promised."""
    officer = args.get("officer", "")
    return RequestBill(args["bill_key"], args["family_id"], args["amount_minor"], msisdn, language, officer)


def _disown(session: Session) -> DisownFamily | None:
    family = session.values.get("family")
    return DisownFamily(family["id"], session.msisdn) if family else None


def _claim(session: Session) -> ClaimFamily | None:
    typed = session.values.get("claimed")
    return ClaimFamily(typed, session.msisdn) if typed else None


# what a screen's ``does`` may name; None where the facts give no reason to
DOES: dict[str, Callable[[Session], UssdEffect | None]] = {
    "request_bill": _request_bill,
    "tell_mobile": partial(_tell, way="mobile"),
    "tell_bank": partial(_tell, way="bank"),
    "tell_commission": _tell_commission,
    "await_number": _await_number,
    "answer_by_sms": _promise_answer,
    "due_by_sms": _promise_due,
    "disown_family": _disown,
    "claim_family": _claim,
}
# the facts of an officer's way to a family: where one is late, what the family owes can be promised
LEADS_TO_DUE = frozenset({"officer_enquiry", "mandate"})
# what a conversation that is taken up again may come to do: to wait beside others for a number binds nobody
HARMLESS = frozenset({"await_number"})
# of a cover that nobody need be asked to pay for
BEGUN = (*COVERS, CoverState.STARTS, CoverState.READY)
_NOT_FOUND = ("sms.answer_cover_unknown", "sms.answer_cover_limited")  # of an insurance number
# the texts of the messages that they send, beyond those that every book has
SAYS: dict[str, tuple[str, ...]] = {
    "tell_mobile": ("sms.how_mobile.{network.state}",),
    "tell_bank": ("sms.how_bank",),
    "tell_commission": ("sms.commission", "sms.collected"),
    # where the bill could be made only later, and by then another amount is due, or nothing, or the cover has come
    "request_bill": (
        "sms.answer_quote_{quote.state}",
        *(f"sms.answer_cover_{state}" for state in BEGUN),
        "sms.answer_late",
    ),
    "due_by_sms": ("sms.answer_quote_{quote.state}", *_NOT_FOUND, "sms.answer_late"),
}
# what only a key on a confirmation with ``guard`` may bring about: of money, and what keeps a phone from its family
OF_MONEY = frozenset({"request_bill"})
GUARDED = OF_MONEY | {"disown_family"}
