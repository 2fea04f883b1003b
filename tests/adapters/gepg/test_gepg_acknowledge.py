"""Our answers to GePG: byte for byte, signed, and fitting the message's root."""

from __future__ import annotations

import pytest
from gepg_samples import VALID, entry, holds, opened, payment, payment_v4, result_v4, route_of, wrap
from lxml import etree

from gateway.ports import PaymentProvider, Reading, Verdict


def test_it_is_a_payment_provider(provider):
    checked: PaymentProvider = provider
    assert (checked.name, tuple(checked.routes)) == ("gepg", ("bills", "payments"))


@pytest.mark.parametrize(
    ("verdict", "status", "code"),
    [
        (Verdict.GENUINE, 200, "7101"),
        (Verdict.BAD_SIGNATURE, 200, "7303"),
        (Verdict.UNREADABLE, 400, "7242"),
        (Verdict.TOO_LARGE, 413, "7242"),
    ],
)
@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ("bills", "<billSubResAck><AckId>A</AckId><ResId>M-1</ResId><AckStsCode>{}</AckStsCode></billSubResAck>"),
        ("payments", "<pmtSpNtfReqAck><AckId>A</AckId><ReqId>M-1</ReqId><AckStsCode>{}</AckStsCode></pmtSpNtfReqAck>"),
    ],
)  # fmt: skip
def test_acknowledgements(provider, keys, route, expected, verdict, status, code):
    reply = provider.acknowledge(Reading(route, verdict, "M-1"), "A")
    element, signed = opened(reply.body)
    assert (reply.status, reply.content_type, element.decode()) == (status, "application/xml", expected.format(code))
    assert holds(element, signed, keys.ours.public_key())


def test_an_unknown_id_is_an_empty_element(provider):
    element, _ = opened(provider.acknowledge(Reading("payments", Verdict.UNREADABLE), "A-1").body)
    assert b"<ReqId></ReqId>" in element


@pytest.mark.parametrize(("sent", "kept"), [("", None), ("x" * 150, "x" * 100), ("a&amp;b", "a&b")])
def test_the_id_of_a_genuine_message_fits_its_column(provider, keys, sent, kept):
    reading = provider.read("payments", wrap(payment(req_id=sent), keys.gepg))
    assert (reading.verdict, reading.message_id) == (Verdict.GENUINE, kept)


def test_an_id_is_escaped_and_cut(provider):
    body = provider.acknowledge(Reading("payments", Verdict.GENUINE, "<b>&" + "x" * 200), "A-1").body
    assert etree.fromstring(body).findtext(".//ReqId") == "<b>&" + "x" * 96


def test_the_answer_fits_the_root_not_the_route(provider, keys):
    element, _ = opened(provider.acknowledge(provider.read("bills", wrap(payment(), keys.gepg)), "A-1").body)
    assert element.startswith(b"<pmtSpNtfReqAck><AckId>A-1</AckId><ReqId>PN-1</ReqId><AckStsCode>7101<")


def _code(body: bytes) -> str | None:
    tree = etree.fromstring(body)
    return tree.findtext(".//AckStsCode") or tree.findtext(".//TrxStsCode")


@pytest.mark.parametrize("case", sorted(VALID))
def test_from_bytes_to_answer(provider, keys, case):
    """Good, bad signer, unreadable, too large: the four answers in one row."""
    element, route = VALID[case][0], route_of(case)
    bodies = [wrap(element, keys.gepg), wrap(element, keys.stranger), b"nonsense", b" " * 2_000_000]
    replies = [provider.acknowledge(provider.read(route, body), "A-1") for body in bodies]
    codes = [_code(reply.body) for reply in replies]
    assert list(zip([reply.status for reply in replies], codes, strict=True)) == [
        (200, "7101"), (200, "7303"), (400, "7242"), (413, "7242"),
    ]  # fmt: skip


def test_a_signed_but_unreadable_message_is_answered_with_its_id(provider, keys):
    reading = provider.read("payments", wrap(payment(entry(PaidAmt="x")), keys.gepg))
    assert (reading.verdict, reading.message_id) == (Verdict.UNREADABLE, "PN-1")


@pytest.mark.parametrize("route", ["bills", "payments"])
def test_not_kept(provider, route):
    reply = provider.not_kept(route)
    assert reply.status == 503
    assert b"7101" not in reply.body


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (result_v4(), "<gepgBillSubRespAck><TrxStsCode>{}</TrxStsCode></gepgBillSubRespAck>"),
        (payment_v4(), "<gepgPmtSpInfoAck><TrxStsCode>{}</TrxStsCode></gepgPmtSpInfoAck>"),
    ],
)
def test_a_v4_message_is_answered_in_v4(provider, keys, sent, answered):
    """Signed as v4 is, wherever it was posted and whatever generation bills are asked for in."""
    for key, code in ((keys.gepg, "7101"), (keys.stranger, "7303")):
        reply = provider.acknowledge(provider.read("bills", wrap(sent, key)), "A-1")
        element, signed = opened(reply.body)
        assert (reply.status, element.decode()) == (200, answered.format(code))
        assert holds(element, signed, keys.ours.public_key())
