"""A bank's questions and what it is told: 200 for every answer, HTTP errors only where there is none."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from bank_samples import CHFID, NUMBER, Bank, encoded

from gateway.domain.money import Money
from gateway.ports import (
    Answer,
    Asked,
    Due,
    DueOf,
    NotDue,
    Question,
    Rejected,
    Standing,
    StandingOf,
    StandingState,
    Unanswered,
    Verdict,
)

QUESTIONS: list[tuple[str, dict[str, Any], Question]] = [
    ("lookup", {"control_number": NUMBER}, DueOf(control_number=NUMBER)),
    ("lookup", {"control_number": "9941 2000 0011"}, DueOf(control_number=NUMBER)),
    ("lookup", {"chfid": CHFID}, DueOf(chfid=CHFID)),
    ("lookup", {"chfid": "000000011"}, DueOf(chfid="000000011")),
    ("status", {"reference": "FT1"}, StandingOf("CRDB-FT1")),
]


@pytest.mark.parametrize(("action", "fields", "question"), QUESTIONS)
def test_a_question_is_read(action: str, fields: dict[str, Any], question: Question) -> None:
    bank = Bank()
    body = encoded(fields)
    asked = bank.biller.parse(action, body, bank.headers(body))
    assert isinstance(asked, Asked)
    assert asked.question == question


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("lookup", {}),
        ("lookup", {"control_number": NUMBER, "chfid": CHFID}),
        ("lookup", {"control_number": 994120000011}),
        ("lookup", {"chfid": "A"}),
        ("lookup", {"reference": "FT1"}),
        ("status", {}),
        ("status", {"reference": 1}),
        ("status", {"control_number": NUMBER}),
        ("status", {"reference": "FT1'; --"}),
    ],
)
def test_what_is_no_question_is_refused(action: str, fields: dict[str, Any]) -> None:
    bank = Bank()
    body = encoded(fields)
    headers = bank.headers(body)
    rejected = bank.biller.parse(action, body, headers)
    assert isinstance(rejected, Rejected)
    assert rejected.verdict is Verdict.UNREADABLE
    reply = bank.biller.refuse(rejected)
    assert (reply.status, json.loads(reply.body)["code"]) == (400, "PAY-UNREADABLE")
    assert bank.believes(reply, headers)


DUE = Due("A*** J***", Money(3_000_050), "CHF Iliyoboreshwa", date(2026, 12, 25), False, date(2026, 11, 25), None)
PAID_AT = datetime(2026, 11, 25, 8, 58, 3, tzinfo=UTC)
CASES: list[tuple[dict[str, Any], Answer, int, dict[str, Any]]] = [
    (
        {"control_number": NUMBER},
        DUE,
        200,
        {
            "control_number": NUMBER,
            "status": "due",
            "name": "A*** J***",
            "amount": "30000.50",
            "currency": "TZS",
            "for": "CHF Iliyoboreshwa",
            "cover_from": "2026-11-25",
            "payable_until": "2026-12-25",
            "partial": False,
        },
    ),
    ({"chfid": CHFID}, NotDue("PAY-TWICE"), 200, {"chfid": CHFID, "status": "not_due", "code": "PAY-TWICE"}),
    ({"chfid": CHFID}, Unanswered("PAY-LIMIT"), 429, {"status": "refused", "code": "PAY-LIMIT"}),
    ({"chfid": CHFID}, Unanswered("PAY-NO-ANSWER"), 503, {"status": "refused", "code": "PAY-NO-ANSWER"}),
    ({"reference": "FT1"}, Standing(StandingState.UNKNOWN), 200, {"reference": "FT1", "status": "unknown"}),
    ({"reference": "FT1"}, Standing(StandingState.RECEIVED), 200, {"reference": "FT1", "status": "received"}),
    (
        {"reference": "FT1"},
        Standing(StandingState.WAITING, NUMBER, Money(2_900_000), PAID_AT, "PAY-AMOUNT"),
        200,
        {
            "reference": "FT1",
            "status": "waiting",
            "number": NUMBER,
            "amount": "29000.00",
            "currency": "TZS",
            "paid_at": "2026-11-25T11:58:03+03:00",
            "code": "PAY-AMOUNT",
        },
    ),
]


@pytest.mark.parametrize(("fields", "answer", "http", "said"), CASES)
def test_an_answer(fields: dict[str, Any], answer: Answer, http: int, said: dict[str, Any]) -> None:
    bank = Bank()
    body = encoded(fields)
    headers = bank.headers(body)
    asked = bank.biller.parse("status" if "reference" in fields else "lookup", body, headers)
    assert isinstance(asked, Asked)
    reply = bank.biller.render(asked, answer)
    told = json.loads(reply.body)
    message = told.pop("message", "")
    assert (reply.status, told) == (http, said)
    assert bool(message) is ("code" in said)
    assert bank.believes(reply, headers)
