"""GePG's status codes that concern billing, and what each means in the answer to a bill.

The numbers are GePG's, the English is ours. The rule for an answer that carries several codes is ``answer``.
"""

from __future__ import annotations

import re
from enum import Enum

from gateway.domain.outcomes import Accepted, Busy, Outcome, Refused, Unknown

from .limits import UnreadableError

SUCCESS = "7101"
DUPLICATE_BILL = "7226"
INVALID_REQUEST = "7242"
INVALID_SIGNATURE = "7303"
BUSY_RETRY_S = 60.0  # GePG says no time of its own
MAX_TEXT = 200
MAX_CODES = 10  # in one list; two is the most ever seen


class Meaning(Enum):
    """What a code says of the bill that we asked for."""

    ACCEPTED = "accepted"  # GePG has the bill
    REFUSED = "refused"  # GePG has not taken it, and the same request will not be taken later
    BUSY = "busy"  # not now
    UNKNOWN = "unknown"  # says nothing certain about the bill: ask again, then a person


_A, _R, _B, _U = Meaning.ACCEPTED, Meaning.REFUSED, Meaning.BUSY, Meaning.UNKNOWN

# A code that is not in this table is UNKNOWN. So are those that speak of a payment, of another bill operation, or of
# GePG's own troubles: none of them proves that the bill was not taken.
CODES: dict[str, tuple[Meaning, str]] = {
    SUCCESS: (_A, "successful"),
    "7201": (_R, "failure"),
    "7202": (_R, "a header is missing"),
    "7203": (_R, "not authorised"),
    "7204": (_U, "no such bill"),
    "7205": (_R, "no such service provider"),
    "7206": (_R, "the service provider is not active"),
    "7207": (_U, "the payment is a duplicate"),
    "7208": (_R, "no such business account"),
    "7209": (_R, "the business account is not active"),
    "7210": (_U, "the collection account has reached its limit"),
    "7211": (_R, "the provider's code is not the bill's"),
    "7212": (_U, "the payment is not in the bill's currency"),
    "7213": (_R, "the bill has expired"),
    "7214": (_U, "too little was paid"),
    "7217": (_R, "the payer has neither phone nor e-mail"),
    "7218": (_R, "the payer's identity is wrong"),
    "7219": (_R, "the currency is wrong"),
    "7220": (_R, "the sub service provider is not active"),
    "7221": (_R, "the bill's equivalent amount is wrong"),
    "7222": (_R, "the bill's miscellaneous amount is wrong"),
    "7223": (_R, "the GFS code or service type is not valid"),
    "7224": (_R, "the bill's amount is wrong"),
    "7225": (_R, "the bill's reference is not valid"),
    DUPLICATE_BILL: (_A, "the bill had already arrived"),
    "7227": (_R, "the bill has no identification"),
    "7228": (_R, "no such sub service provider"),
    "7229": (_R, "an item's GFS code or payment type is wrong"),
    "7230": (_R, "the bill's generation date is wrong"),
    "7231": (_R, "the bill's expiry date is wrong"),
    "7234": (_R, "the payment option is wrong"),
    "7236": (_U, "the bill was made with errors"),
    "7238": (_U, "the bill's details were made with errors"),
    "7239": (_U, "no settings for the billing system were found"),
    "7240": (_U, "the transaction could not be saved"),
    "7241": (_U, "the session is not valid"),
    INVALID_REQUEST: (_R, "the request's data are not valid"),
    "7254": (_R, "the use of the item's reference must be Y or N"),
    "7255": (_R, "an item's amount is not valid"),
    "7256": (_R, "an item's equivalent amount is not valid"),
    "7257": (_R, "an item's miscellaneous amount is not valid"),
    "7258": (_R, "the items' amounts do not add up to the bill's"),
    "7259": (_R, "the items' equivalent amounts do not add up to the bill's"),
    "7260": (_R, "the items' miscellaneous amounts do not add up to the bill's"),
    "7264": (_U, "faulty bill items were saved with errors"),
    "7266": (_U, "the bill's items were saved with errors"),
    "7267": (_R, "the e-mail address is not valid"),
    "7268": (_R, "the phone number is not valid"),
    "7269": (_R, "the provider's system is unknown or not active"),
    "7275": (_R, "the payer's identification is not valid"),
    "7276": (_R, "the payer's name is not valid"),
    "7277": (_R, "the bill's description is not valid"),
    "7278": (_R, "the approving user is not valid"),
    "7279": (_U, "the bill is already settled"),
    "7280": (_U, "the expired bill could not be moved"),
    "7282": (_R, "the payer's e-mail or phone is not valid"),
    "7283": (_U, "the bill has been cancelled"),
    "7284": (_R, "the currency is not the collection account's"),
    "7285": (_R, "the generating user is not valid"),
    "7286": (_U, "the bill could not be cancelled"),
    "7287": (_R, "the reference does not fit a control number"),
    "7297": (_R, "the currency is not active"),
    "7301": (_U, "the bill is partly paid"),
    "7302": (_U, "the payment is not the exact amount"),
    INVALID_SIGNATURE: (_R, "the signature is not valid"),
    "7304": (_U, "the signature's configuration is incomplete"),
    "7311": (_U, "GePG's configuration is incomplete"),
    "7317": (_B, "the request could not be processed"),
    "7321": (_B, "not possible now, try later"),
    "7322": (_R, "the communication protocol is not active"),
    "7323": (_R, "the provider's code differs between header and message"),
    "7332": (_B, "too many requests of the same content"),
    "7333": (_R, "the control number is not valid"),
    "7334": (_U, "the bill has been updated"),
    "7335": (_R, "the control number does not exist"),
    "7336": (_U, "the bill's payable limit is reached"),
    "7376": (_R, "the reason for reuse is not valid"),
}

# What says of a bill that is to get an earlier number that it was not taken: the number's own bill is paid, partly
# paid, cancelled, gone, or could not be moved. None of them would refuse an ordinary bill.
NOT_REUSABLE = frozenset(("7204", "7213", "7279", "7280", "7283", "7301", "7336"))

_CODE = re.compile(r"[0-9]{4}")


def split_codes(text: str, name: str) -> tuple[str, ...]:
    """The codes of a list such as ``7242;7627``. Raises UnreadableError when it is none."""
    codes = tuple(part for part in (piece.strip() for piece in text.split(";")) if part)
    if not 0 < len(codes) <= MAX_CODES or any(_CODE.fullmatch(code) is None for code in codes):
        raise UnreadableError(f"{name} is not a status code")
    return codes


def meaning(code: str) -> Meaning:
    """What one code says of a bill; UNKNOWN for a code that nobody told us of."""
    return CODES.get(code, (Meaning.UNKNOWN, ""))[0]


def describe(codes: tuple[str, ...], own_words: str | None = None) -> str:
    """GePG's own words when it sent any, else ours for each code."""
    return (own_words or "; ".join(CODES.get(code, (None, "not in our table"))[1] for code in codes))[:MAX_TEXT]


def answer(codes: tuple[str, ...], own_words: str | None, reference: str | None, *, reuse: bool = False) -> Outcome:
    """What the codes of one acknowledgement mean together.

    One definite refusal refuses the bill, whatever stands beside it; else one code of no certain meaning leaves it
    unknown; else one "try later" makes it busy; only nothing but acceptance is acceptance. ``reuse``: the bill was to
    get an earlier number, see ``NOT_REUSABLE``.
    """
    meanings = {Meaning.REFUSED if reuse and code in NOT_REUSABLE else meaning(code) for code in codes}
    joined = ";".join(codes)
    if Meaning.REFUSED in meanings:
        return Refused(joined, describe(codes, own_words))
    if not meanings or Meaning.UNKNOWN in meanings:
        return Unknown(f"GePG answered {joined}: {describe(codes)}")  # for our logs, so in our words only
    if Meaning.BUSY in meanings:
        return Busy(BUSY_RETRY_S, joined)
    return Accepted(reference)
