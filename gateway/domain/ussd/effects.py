"""What a conversation brings about, as data: carried out once committed, before the reply that speaks of it.

Keys are business keys, never made of a session: asking twice, from a repeated request or another phone, is asking once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


UssdEffect = RequestBill | KeepLanguage


def _request_bill(session: Session) -> RequestBill | None:
    quote, family = session.facts.get("quote", {}), session.values.get("family", {})
    if quote.get("state") != "payable":
        return None
    return RequestBill(quote["key"], family["id"], quote["amount"], session.msisdn, session.language)


# what a screen's ``does`` may name; None where the facts give no reason to
DOES: dict[str, Callable[[Session], UssdEffect | None]] = {"request_bill": _request_bill}
# of these, what only a key on a confirmation with ``guard`` may bring about
OF_MONEY = frozenset({"request_bill"})
