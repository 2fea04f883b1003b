"""The fields of a notice: what is read of them, and what is refused with the field's name and never its value."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from bank_samples import CHFID, NOTICE, NUMBER, Bank, encoded, notice
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.money import Money
from gateway.domain.payments import PaymentReport
from gateway.ports import Reading, Verdict


def read(body: bytes) -> Reading:
    bank = Bank()
    return bank.provider.read("notice", body, bank.headers(body))


def test_a_notice_in_full() -> None:
    reading = read(notice(receipt="R-1"))
    assert reading.message_id == "CRDB-FT26329A7Q1"
    assert reading.notices == (
        PaymentReport(
            reference="CRDB-FT26329A7Q1",
            control_number=NUMBER,
            amount=Money(3_000_000),
            paid_at=datetime.fromisoformat("2026-11-25T11:58:03+03:00"),
            receipt="R-1",
            payer_msisdn="+255712000001",
            payer_name="ASHA JUMA",
            channel="COUNTER",
            origin="CRDB",
        ),
    )


def test_an_insurance_number_stands_in_the_key_as_a_control_number_does() -> None:
    (report,) = read(notice(control_number=None, chfid=CHFID)).notices
    assert isinstance(report, PaymentReport)
    assert report.key == ("CRDB-FT26329A7Q1", CHFID)
    assert report.chfid == CHFID


CASES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"control_number": "9941 2000 0011"}, {"control_number": NUMBER}),
    ({"control_number": None, "chfid": "123"}, {"chfid": "123"}),  # nobody's: the money has moved, a person places it
    ({"reference": "000123"}, {"reference": "CRDB-000123"}),
    ({"reference": "a/b-c_d.e"}, {"reference": "CRDB-a/b-c_d.e"}),
    ({"reference": "X" * 40}, {"reference": "CRDB-" + "X" * 40}),
    ({"currency": "USD"}, {"amount": Money(3_000_000, "USD")}),
    ({"paid_at": "2026-11-25T08:58:03Z"}, {"paid_at": datetime(2026, 11, 25, 8, 58, 3, tzinfo=UTC)}),
    ({"paid_at": "2026-11-25T11:58:03+03:00"}, {"paid_at": datetime(2026, 11, 25, 8, 58, 3, tzinfo=UTC)}),
    ({"paid_at": "2026-11-25 11:58"}, {"paid_at": datetime(2026, 11, 25, 8, 58, tzinfo=UTC)}),
    ({"paid_at": "2026-11-25T00:30:00.5"}, {"paid_at": datetime(2026, 11, 24, 21, 30, 0, 500_000, tzinfo=UTC)}),
    ({"payer_msisdn": None, "payer_name": None, "channel": None}, {"payer_msisdn": None, "payer_name": None}),
    ({"payer_msisdn": "022 211 1234"}, {"payer_msisdn": None}),  # a landline gets no SMS, and is no fault
    ({"payer_msisdn": ""}, {"payer_msisdn": None}),
    ({"payer_name": "  Zuhura Ng'ombe "}, {"payer_name": "Zuhura Ng'ombe"}),
    ({"more": {"of": ["what", "we", "do", "not", "know"]}}, {"control_number": NUMBER}),
]


@pytest.mark.parametrize(("changes", "read_as"), CASES)
def test_it_is_read(changes: dict[str, Any], read_as: dict[str, Any]) -> None:
    reading = read(notice(**changes))
    assert reading.verdict is Verdict.GENUINE, reading.why
    (report,) = reading.notices
    assert {name: getattr(report, name) for name in read_as} == read_as


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"reference": None}, "reference"),
    ({"reference": ""}, "reference"),
    ({"reference": 123}, "reference"),
    ({"reference": "X" * 41}, "reference"),
    ({"reference": "FT 1"}, "reference"),
    ({"reference": "FT\u0000"}, "reference"),
    ({"reference": "-FT"}, "reference"),
    ({"control_number": None}, "control_number or chfid"),
    ({"chfid": CHFID}, "control_number or chfid"),
    ({"control_number": 994120000011}, "control_number"),
    ({"control_number": "9941x"}, "control_number"),
    ({"control_number": "9" * 31}, "control_number"),
    ({"control_number": "９９４１２００００００１１"}, "control_number"),
    ({"amount": None}, "amount"),
    ({"amount": ["30000"]}, "amount"),
    ({"currency": None}, "currency"),
    ({"currency": "tzs"}, "currency"),
    ({"currency": 834}, "currency"),
    ({"paid_at": None}, "paid_at"),
    ({"paid_at": 1764061083}, "paid_at"),
    ({"paid_at": "2026-11-25"}, "paid_at"),
    ({"paid_at": "25/11/2026 11:58"}, "paid_at"),
    ({"paid_at": "2026-02-30T11:58:03"}, "paid_at"),
    ({"paid_at": "2026-11-25T25:58:03"}, "paid_at"),
    ({"paid_at": "1926-11-25T11:58:03"}, "paid_at"),
    ({"paid_at": "2026-11-25T11:58:03+25:00"}, "paid_at"),
    ({"payer_name": "A" * 201}, "payer_name"),
    ({"payer_name": "A\u0000B"}, "payer_name"),
    ({"payer_name": "\ud800"}, "payer_name"),
    ({"payer_name": {"first": "A"}}, "payer_name"),
    ({"payer_msisdn": 255712000001}, "payer_msisdn"),
    ({"channel": "C" * 31}, "channel"),
]


@pytest.mark.parametrize(("changes", "field"), REFUSED)
def test_it_is_refused_by_the_name_of_the_field(changes: dict[str, Any], field: str) -> None:
    bank = Bank()
    body = notice(**changes)
    headers = bank.headers(body)
    reading = bank.provider.read("notice", body, headers)
    assert (reading.verdict, reading.notices, reading.is_signed) == (Verdict.UNREADABLE, (), True)
    assert reading.why.startswith(field)
    reply = bank.provider.acknowledge(reading, "I1")
    said = json.loads(reply.body)
    assert (reply.status, said["status"], said["code"]) == (400, "refused", "PAY-UNREADABLE")
    assert said["message"] == reading.why
    assert bank.believes(reply, headers), "a bank that asked may believe that it was refused"


BODIES = [
    b"", b"null", b"[]", b'"FT"', b"30000", b"{", b"{}", b'{"reference":}', b"\xff\xfe{\x00}\x00", b"[" * 100_000,
    b'{"a":' * 100_000, notice() + b"x", notice() * 2, notice().replace(b"{", b'{"amount": "1",', 1),
    notice(payer_name="@").replace(b"@", b"\xff"), b"reference=FT&amount=30000", b"<notice/>",
    json.dumps(NOTICE).encode("utf-16"), b'{"reference": "\\ud800"}',
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_what_is_no_notice_is_refused(body: bytes) -> None:
    reading = read(body)
    assert (reading.verdict, reading.notices) == (Verdict.UNREADABLE, ())
    assert reading.why


def test_a_byte_order_mark_and_spaces_around_are_let_pass() -> None:
    assert read(b"\xef\xbb\xbf \r\n" + notice() + b"\r\n").verdict is Verdict.GENUINE


def test_what_was_never_taken_in_whole() -> None:
    provider = Bank().provider
    reply = provider.acknowledge(provider.unreadable("notice", Verdict.TOO_LARGE, "5000000 bytes"), "I1")
    assert (reply.status, json.loads(reply.body)["code"], dict(reply.headers)) == (413, "PAY-TOO-LARGE", {})
    kept = provider.not_kept("notice")
    assert (kept.status, json.loads(kept.body)["code"]) == (503, "PAY-NOT-KEPT")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*NOTICE, "chfid", "receipt"]), JSON_VALUES))
def test_no_content_makes_it_raise(changes: dict[str, Any]) -> None:
    bank = Bank()
    body = encoded({**NOTICE, **changes})
    assert bank.provider.read("notice", body, bank.headers(body)).verdict in (Verdict.GENUINE, Verdict.UNREADABLE)
    for action in bank.biller.questions:
        bank.biller.parse(action, body, bank.headers(body))


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    assert read(body).verdict in (Verdict.GENUINE, Verdict.UNREADABLE)
