"""Every state of every fact, each with the longest data that the registry may answer: what screens are checked with.

A new fact has its samples here, or ``menus check`` cannot tell whether its screens fit.
"""

from __future__ import annotations

from typing import Any

from gateway.domain.cover import CoverState
from gateway.domain.family_payment import PaymentState
from gateway.domain.ussd.facts import FACTS

Fact = dict[str, Any]

CHFID, BAD_CHFID = "100000014", "100000017"  # the second has a wrong check digit
NAME = "Mwanamkasi Rajabuw"  # as long as a label lets a name be
GIVEN_NAMES = "Mwanamkasi Raj"  # as long as a member's line lets them be
RECEIPT = "BANK-1234567890123456"
OFFICER_CODE = "EO0000000123"  # as long as a label lets a code be
PRODUCT = "Mfuko wa Afya ya Jamii Iliyoboreshwa Mor"  # as long as a quote lets it be


def cover(state: str) -> Fact:
    """A cover with the days that come with its state, and no other."""
    until = "2026-12-30" if state in (CoverState.COVERED, CoverState.EXPIRED) else None
    return {"state": str(state), "until": until, "start": "2026-12-31" if state == CoverState.STARTS else None}


def family(number: int, state: str) -> Fact:
    return {"id": number, "chfid": CHFID, "label": f"{NAME} {CHFID}", **cover(state)}


def caller(*states: str, officers: int = 0) -> Fact:
    """A phone of families in these states; ``officers``: how many officers share it besides."""
    families = [family(number, state) for number, state in enumerate(states, 1)]
    told: Fact = {"language": None, "count": len(families), "families": families}
    if officers:
        label = f"{NAME} {OFFICER_CODE}"
        several = [{"id": number, "code": OFFICER_CODE, "label": label} for number in range(1, officers + 1)]
        told |= {"officer": True, "officer_count": officers, "officers": several}
    return told


def month(state: str) -> Fact:
    """A month of an officer's: six lines, the longest that a district's prices can give."""
    line = "CHFDAR12 9,999,999 x 12.5% = 1,250,000" if state in ("partly", "reckoned") else "CHFDAR12 9,999,999"
    return {
        "state": state,
        "first": "2026-12-01",
        "month": "12/2026",
        "commission": 999_999_900,
        "collected": 9_999_999_900,
        "open": 999_999_900,
        "lines": "\n".join([line] * 6) if state != "nothing" else "",
    }


def member(state: str) -> Fact:
    return {"name": GIVEN_NAMES, **cover(state)}


def receipt(state: str) -> Fact:
    return {"state": state, "amount": 999_999_900, "receipt": RECEIPT, "day": "2026-12-30"}


OWED: Fact = {"due": 999_999_900, "number": "994180000017", "expires": "2026-12-30"}
NUMBERED: Fact = {"state": "numbered", "number": "994180000017", "amount": 999_999_900, "expires": "2026-12-30"}
QUOTE: Fact = {
    "state": "payable",
    "key": "family:1/product:1/after:0",
    "product": PRODUCT,
    "start": "2026-12-30",
    "until": "2027-12-29",
}
# every state of every fact, each with the longest data; what may also happen is that none comes in time
ANSWERS: dict[str, list[Fact]] = {
    "quote": [
        {**QUOTE, "amount": 999_999_900},
        {**QUOTE, "amount": 15_000_000},
        *({"state": state} for state in FACTS["quote"].states if state != "payable"),
    ],
    "bill": [NUMBERED, *({"state": state} for state in FACTS["bill"].states if state != "numbered")],
    "control_number": [
        NUMBERED,
        *({"state": state} for state in FACTS["control_number"].states if state != "numbered"),
    ],
    "members": [
        {"state": "some", "count": len(CoverState), "items": [member(state) for state in CoverState]},
        {"state": "none", "count": 0, "items": []},
    ],
    "payment": [
        {**OWED, "state": str(state), "receipts": [receipt("checked"), receipt("paid"), receipt("paid")][: 3 - i // 2]}
        for i, state in enumerate(PaymentState)
    ],
    "tries": [{"state": state} for state in FACTS["tries"].states],
    "enquiry": [cover(s) for s in FACTS["enquiry"].states],
    "officer_enquiry": [
        {"id": 1, "chfid": CHFID, "officer": OFFICER_CODE, **cover(s)} for s in FACTS["officer_enquiry"].states
    ],
    "mandate": [{"state": str(state)} for state in FACTS["mandate"].states],
    "commission": [{"this": month(str(s)), "last": month(str(s))} for s in FACTS["commission"].states],
}
CALLERS = {
    "stranger": caller(),
    **{str(state): caller(str(state)) for state in CoverState},
    "several": caller("covered", "none", "expired"),
    "officer": caller(officers=1),
    "officer_insured": caller("covered", officers=1),
    "officers": caller("covered", "expired", officers=2),
}
# what is typed where a screen accepts an answer: good ones and nearly good ones
TYPED: dict[str, list[str]] = {"chfid": [CHFID, BAD_CHFID]}
# the longest that each field of a message can be
SMS: Fact = {
    "number": "994180000017",
    "amount": 999_999_999,
    "due": 999_999_999,
    "receipt": "123456789012345",
    "chfid": CHFID,
    "expires": "2026-12-30",
    "start": "2026-12-31",
    "until": "2027-12-29",
    "month": "12/2026",
    "collected": 999_999_999,
    "at": "31/12 23:59",
    "count": 40,
    "covered": 40,
    "paid": 999_999_900,
    "day": "2026-12-30",
}
