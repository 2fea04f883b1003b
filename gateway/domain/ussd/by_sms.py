"""Which facts can be told by SMS when they did not come in time, and in which words.

A fact that is not here ends in "dial again": a promise is made only where its text is written.
"""

from __future__ import annotations

from typing import Any

from gateway.domain.cover import COVERS, CoverState
from gateway.domain.ussd.facts import FACTS

GIVEN_UP = "answer_late"  # it could not be answered while the answer was of use
ELSEWHERE = "answer_elsewhere"  # the family that an officer asked for is of another officer's area
# by fact: what the names of its messages begin with
_SUBJECTS = {
    "caller": "cover",
    "enquiry": "cover",
    "officer_enquiry": "cover",
    "bill": "bill",
    "quote": "quote",
    "members": "members",
    "payment": "payment",
    "commission": "commission",
}
# states of which there is nothing to tell yet
_NOT_YET = {("bill", "waiting")}
# what a text may mention of a fact, the insurance number and what its list holds aside
_OF_FAMILY = ("until", "start", "number", "amount", "expires", "due", "count")


def messages_of(fact: str) -> tuple[str, ...]:
    """Every kind of message that the fact may end in; none where it is not told by SMS."""
    if fact not in _SUBJECTS:
        return ()
    states = ("stranger", "several", *CoverState) if fact == "caller" else FACTS[fact].states
    return (*(f"answer_{_SUBJECTS[fact]}_{s}" for s in states if (fact, s) not in _NOT_YET), GIVEN_UP)


def told(fact: str, value: dict[str, Any], chfid: str) -> tuple[str, dict[str, Any]] | None:
    """The kind of message for a fact's value, and what its text mentions; None where it must be asked again.

    ``chfid``: the insurance number that it is about. A phone of several families sees no cover unasked, here neither.
    """
    if fact == "caller":
        families = value["families"]
        if value.get("officer"):  # no cover was asked for: an officer's first screen is a menu
            return GIVEN_UP, {}
        if len(families) != 1:
            return ("answer_cover_several" if families else "answer_cover_stranger"), {}
        value, chfid = families[0], families[0]["chfid"]
    state = value["state"]
    if (fact, state) in _NOT_YET:
        return None
    scope = {"chfid": chfid, **{name: value[name] for name in _OF_FAMILY if value.get(name)}, **_of_list(fact, value)}
    return f"answer_{_SUBJECTS[fact]}_{state}", scope


def _of_list(fact: str, value: dict[str, Any]) -> dict[str, Any]:
    """What one segment holds of a fact's list: how many are covered, and the newest receipt."""
    if fact == "members":
        return {"covered": sum(item["state"] in COVERS for item in value["items"])}
    if fact == "payment" and value["receipts"]:
        newest = value["receipts"][0]
        return {"receipt": newest["receipt"], "paid": newest["amount"], "day": newest["day"]}
    return {}


def told_months(value: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """As ``told``, of an officer's commission: a message for each month, since the fact does not say which one."""
    return [
        (
            f"answer_commission_{month['state']}",
            {"month": month["month"], "amount": month["commission"], "collected": month["collected"]},
        )
        for month in (value["this"], value["last"])
    ]
