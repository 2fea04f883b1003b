"""Every state of every fact, each with the longest data that the registry may answer: what screens are checked with.

A new fact has its samples here, or ``menus check`` cannot tell whether its screens fit.
"""

from __future__ import annotations

from typing import Any

from gateway.domain.cover import CoverState
from gateway.domain.ussd.facts import FACTS

Fact = dict[str, Any]

CHFID, BAD_CHFID = "100000014", "100000017"  # the second has a wrong check digit
NAME = "Mwanamkasi Rajabuw"  # as long as a label lets a name be
PRODUCT = "Mfuko wa Afya ya Jamii Iliyoboreshwa Mor"  # as long as a quote lets it be


def family(number: int, state: str) -> Fact:
    return {
        "id": number,
        "chfid": CHFID,
        "label": f"{NAME} {CHFID}",
        "state": state,
        "until": "2026-12-30",
        "start": "2026-12-31",
    }


def caller(*states: str) -> Fact:
    families = [family(number, state) for number, state in enumerate(states, 1)]
    return {"language": None, "count": len(families), "families": families}


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
    "enquiry": [{"state": str(s), "until": "2026-12-30", "start": "2026-12-31"} for s in FACTS["enquiry"].states],
}
CALLERS = {
    "stranger": caller(),
    **{str(state): caller(str(state)) for state in CoverState},
    "several": caller("covered", "none", "expired"),
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
}
