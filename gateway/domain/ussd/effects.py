"""What a conversation brings about, as data: carried out once committed, before the reply that speaks of it.

Keys are business keys, never made of a session: asking twice, from a repeated request or another phone, is asking once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.domain.ussd.session import Session


@dataclass(frozen=True, slots=True)
class RequestBill:
    """Bill this family for this cover and tell this phone the number. ``key`` is the bill's business key."""

    key: str
    family_id: int
    amount_minor: int  # what the caller agreed to; another amount due makes no bill
    msisdn: str
    language: str


@dataclass(frozen=True, slots=True)
class KeepLanguage:
    """This phone reads this language from now on."""

    msisdn: str
    language: str


@dataclass(frozen=True, slots=True)
class AwaitNumber:
    """Tell this phone too the control number that the family's open bill waits for, whoever asked for it."""

    family_id: int
    msisdn: str
    language: str


@dataclass(frozen=True, slots=True)
class PromiseAnswer:
    """Tell this phone by SMS what it asked for, since the fact did not come in time.

    ``args`` are the fact's; the phone aside.
    """

    fact: str
    args: tuple[tuple[str, Any], ...]
    msisdn: str
    language: str


UssdEffect = RequestBill | KeepLanguage | AwaitNumber | PromiseAnswer

UNANSWERED = "unanswered"  # the value that holds what was asked for and did not come


def _request_bill(session: Session) -> RequestBill | None:
    quote, family = session.facts.get("quote", {}), session.values.get("family", {})
    if quote.get("state") != "payable":
        return None
    return RequestBill(quote["key"], family["id"], quote["amount"], session.msisdn, session.language)


def _await_number(session: Session) -> AwaitNumber | None:
    family = session.values.get("family")
    return AwaitNumber(family["id"], session.msisdn, session.language) if family else None


def _promise_answer(session: Session) -> PromiseAnswer | None:
    asked = session.values.get(UNANSWERED)
    if asked is None:
        return None
    args = tuple((name, value) for name, value in asked["args"].items() if name != "msisdn")
    return PromiseAnswer(asked["fact"], args, session.msisdn, session.language)


# what a screen's ``does`` may name; None where the facts give no reason to
DOES: dict[str, Callable[[Session], UssdEffect | None]] = {
    "request_bill": _request_bill,
    "await_number": _await_number,
    "answer_by_sms": _promise_answer,
}
