"""What is told by SMS when a fact did not come in time: for every state of every fact, and nothing more than asked."""

from __future__ import annotations

from typing import Any

import pytest
from played.talk import BOOK

import menus
from gateway.domain.ussd.book import BookError, load_book
from gateway.domain.ussd.by_sms import ELSEWHERE, GIVEN_UP, messages_of, told, told_months
from gateway.domain.ussd.facts import FACTS
from gateway.domain.ussd.samples import ANSWERS, CALLERS, CHFID, OWED, month, receipt

TOLD = ("caller", "enquiry", "officer_enquiry", "bill", "quote", "members", "payment")
COMMISSION = "commission"
CASES: list[tuple[str, dict[str, Any], str | None, set[str]]] = [
    ("caller", CALLERS["stranger"], "answer_cover_stranger", set()),
    ("caller", CALLERS["several"], "answer_cover_several", set()),
    ("caller", CALLERS["covered"], "answer_cover_covered", {"chfid", "until"}),
    ("caller", CALLERS["none"], "answer_cover_none", {"chfid"}),
    ("enquiry", {"state": "covered", "until": "2026-12-30", "start": None}, "answer_cover_covered", {"chfid", "until"}),
    ("enquiry", {"state": "unknown"}, "answer_cover_unknown", {"chfid"}),
    ("enquiry", {"state": "limited"}, "answer_cover_limited", {"chfid"}),
    ("bill", ANSWERS["bill"][0], "answer_bill_numbered", {"chfid", "number", "amount", "expires"}),
    ("bill", {"state": "none"}, "answer_bill_none", {"chfid"}),
    ("bill", {"state": "waiting"}, None, set()),
    ("quote", ANSWERS["quote"][0], "answer_quote_payable", {"chfid", "amount", "start", "until"}),
    ("quote", {"state": "already_renewed"}, "answer_quote_already_renewed", {"chfid"}),
    ("members", ANSWERS["members"][0], "answer_members_some", {"chfid", "count", "covered"}),
    ("members", {"state": "none", "count": 0, "items": []}, "answer_members_none", {"chfid", "covered"}),
    ("payment", {**OWED, "state": "part_due", "receipts": []}, "answer_payment_part_due", {"chfid", *OWED}),
    (
        "payment",
        {"state": "paid", "due": None, "number": None, "expires": None, "receipts": [receipt("paid")]},
        "answer_payment_paid",
        {"chfid", "receipt", "paid", "day"},
    ),
]


@pytest.mark.parametrize(("fact", "value", "kind", "fields"), CASES)
def test_what_is_told_of_a_fact(fact: str, value: dict[str, Any], kind: str | None, fields: set[str]) -> None:
    found = told(fact, value, CHFID)
    assert (found[0] if found else None) == kind
    assert (set(found[1]) if found else set()) == fields


@pytest.mark.parametrize("fact", TOLD)
def test_every_state_has_its_message(fact: str) -> None:
    values = list(CALLERS.values()) if fact == "caller" else ANSWERS[fact]
    kinds = {found[0] for value in values if (found := told(fact, value, CHFID))} | {GIVEN_UP}
    assert kinds == set(messages_of(fact))


def test_a_phone_of_several_families_is_told_of_none() -> None:
    found = told("caller", CALLERS["several"], CHFID)
    assert found is not None
    assert found[1] == {}


def test_no_other_fact_is_told() -> None:
    assert {fact for fact in FACTS if messages_of(fact)} == {*TOLD, COMMISSION}


def test_a_commission_is_told_by_month() -> None:
    nothing, reckoned = month("nothing"), month("reckoned")
    figures = {"month": "12/2026", "amount": 999_999_900, "collected": 9_999_999_900}
    assert told_months({"this": nothing, "last": reckoned}) == [
        ("answer_commission_nothing", {**figures, "amount": nothing["commission"], "collected": nothing["collected"]}),
        ("answer_commission_reckoned", figures),
    ]
    kinds = {kind for value in ANSWERS[COMMISSION] for kind, _ in told_months(value)}
    assert kinds | {GIVEN_UP} == set(messages_of(COMMISSION))


def test_a_book_promises_only_what_can_be_told() -> None:
    data, languages = menus.read()
    screens = {**data["screens"], "ask_number": {**data["screens"]["ask_number"], "failed": "answer_by_sms"}}
    with pytest.raises(BookError) as wrong:
        load_book({**data, "screens": screens}, languages)
    assert wrong.value.faults == [
        "screen ask_number: 'control_number' is promised by SMS, and there is no text to tell it"
    ]


def test_how_many_of_a_family_are_covered_now() -> None:
    found = told("members", ANSWERS["members"][0], CHFID)
    assert found is not None
    assert (found[1]["count"], found[1]["covered"]) == (9, 2), "cover that starts later is none today"


def test_a_book_promises_what_is_due_only_on_an_officers_way_to_it() -> None:
    data, languages = menus.read()
    screens = {**data["screens"], "pay": {**data["screens"]["pay"], "failed": "due_by_sms"}}
    with pytest.raises(BookError) as wrong:
        load_book({**data, "screens": screens}, languages)
    assert wrong.value.faults == ["screen pay: 'quote' is not on an officer's way to what a family owes"]


def test_a_book_has_the_texts_of_what_it_promises() -> None:
    data, languages = menus.read()
    short = {code: {**raw, "sms": dict(raw["sms"])} for code, raw in languages.items()}
    del short["sw"]["sms"]["answer_cover_expired"], short["en"]["sms"]["answer_late"]
    with pytest.raises(BookError) as wrong:
        load_book(data, short)
    assert wrong.value.faults == ["sw: no text for 'sms.answer_cover_expired'", "en: no text for 'sms.answer_late'"]


def test_a_book_in_which_officers_ask_for_families_can_say_that_one_is_elsewhere() -> None:
    data, languages = menus.read()
    short = {code: {**raw, "sms": dict(raw["sms"])} for code, raw in languages.items()}
    for raw in short.values():
        del raw["sms"][ELSEWHERE]
    with pytest.raises(BookError) as wrong:
        load_book(data, short)
    assert wrong.value.faults == [f"sw: no text for 'sms.{ELSEWHERE}'", f"en: no text for 'sms.{ELSEWHERE}'"]


@pytest.mark.parametrize("language", BOOK.languages)
def test_a_text_mentions_only_what_its_state_has(language: str) -> None:
    for fact in TOLD:
        for value in CALLERS.values() if fact == "caller" else ANSWERS[fact]:
            if found := told(fact, value, CHFID):
                text = BOOK.language(language).say(f"sms.{found[0]}", {"at": "26/11 12:05", **found[1]})
                assert " -" not in text, f"{found[0]}: a dash for something that is missing"
    for value in ANSWERS[COMMISSION]:
        for kind, scope in told_months(value):
            assert " -" not in BOOK.language(language).say(f"sms.{kind}", {"at": "26/11 12:05", **scope})
