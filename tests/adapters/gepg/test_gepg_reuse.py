"""Asking for an earlier number (reuse) in both generations, many bills at once, and a number that comes with 7226."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gepg_samples import detail, detail_v4, holds, opened, result, result_v4, wrap
from lxml import etree
from test_gepg_bill_request import GOLDEN, NOW, ORDER

from adapters.payments.gepg import GepgProvider
from gateway.domain.money import Money
from gateway.domain.outcomes import Accepted, Busy, Refused, Unknown
from gateway.ports import BillRefused, ControlNumberGiven, HttpResponse, Verdict

OLD = "199600000148"
REUSE = replace(ORDER, reuse=OLD)


def test_reuse_in_v5_byte_for_byte(provider, keys):
    request = provider.bill_request(REUSE, NOW)
    element, signed = opened(request.body)
    assert holds(element, signed, keys.ours.public_key())
    assert request.url == "http://127.0.0.1:8090/gepg/api/bill/20/submission"
    assert request.headers == {
        "Content-Type": "application/xml",
        "Gepg-Code": "SP19960",
        "Gepg-Com": "reusebill.sp.in",
        "Gepg-Alg": "00S2",
    }
    assert element.decode() == GOLDEN.replace(
        "</GrpBillId></BillHdr>", f"</GrpBillId><CustCntrNum>{OLD}</CustCntrNum></BillHdr>"
    ).replace(
        "<CollPsp></CollPsp>",
        f"<CollPsp></CollPsp><BillCntrNum>{OLD}</BillCntrNum><ReuseReasn>The bill has expired</ReuseReasn>",
    )
    assert provider.bill_request(REUSE, NOW.replace(year=2030)) == request  # a resend is a twin


def test_reuse_in_v4(settings, keys):
    v4 = GepgProvider(replace(settings, version="v4"))
    request = v4.bill_request(REUSE, NOW)
    element, signed = opened(request.body)
    assert holds(element, signed, keys.ours.public_key())
    assert request.url.endswith("/api/bill/sigqrequest_reuse")
    assert dict(request.headers) == {
        "Content-Type": "application/xml",
        "Gepg-Code": "SP19960",
        "Gepg-Com": "reusebill.sp.in",
    }
    plain = opened(v4.bill_request(ORDER, NOW).body)[0].decode()
    assert element.decode() == plain.replace("<BillItems>", f"<PayCntrNum>{OLD}</PayCntrNum><BillItems>")


ANSWERS = [
    # code, of a reuse, of an ordinary bill
    ("7101", Accepted, Accepted),
    ("7226", Accepted, Accepted),
    ("7333", Refused, Refused),
    ("7335", Refused, Refused),
    ("7376", Refused, Refused),
    ("7280", Refused, Unknown),
    ("7279", Refused, Unknown),
    ("7301", Refused, Unknown),
    ("7283", Refused, Unknown),
    ("7204", Refused, Unknown),
    ("7317", Busy, Busy),
    ("9999", Unknown, Unknown),
]


@pytest.mark.parametrize("version", ["v4", "v5"])
@pytest.mark.parametrize(("code", "reused", "ordinary"), ANSWERS)
def test_what_refuses_a_reuse(settings, keys, version, code, reused, ordinary):
    asks = GepgProvider(replace(settings, version=version))
    if version == "v4":
        element = f"<gepgBillSubReqAck><TrxStsCode>{code}</TrxStsCode></gepgBillSubReqAck>"
        body = wrap(element, keys.gepg)
    else:
        body = wrap(
            f"<billSubReqAck><AckId>A</AckId><ReqId>req-0001</ReqId><AckStsCode>{code}</AckStsCode>"
            "<AckStsDesc>x</AckStsDesc></billSubReqAck>",
            keys.gepg,
        )
    response = HttpResponse(200, {}, body)
    assert isinstance(asks.bill_outcome(REUSE, response), reused)
    assert isinstance(asks.bill_outcome(ORDER, response), ordinary)


def test_how_many_at_once(settings, keys):
    asks = GepgProvider(replace(settings, version="v5", versions={"SP777": "v4"}))
    assert (asks.bills_at_once("SP777"), asks.bills_at_once("SP888"), asks.bills_at_once(None)) == (500, 1, 1)
    many = [replace(ORDER, bill=replace(ORDER.bill, id=f"P{n}", provider_code="SP777")) for n in range(3)]
    request = asks.bills_request(many, NOW)
    said = etree.fromstring(opened(request.body)[0])
    assert [e.text for e in said.iter("BillId")] == ["P0", "P1", "P2"]
    ack = wrap("<gepgBillSubReqAck><TrxStsCode>7101</TrxStsCode></gepgBillSubReqAck>", keys.gepg)
    assert asks.bills_outcome(many, HttpResponse(200, {}, ack)) == Accepted(None)
    assert asks.bills_request([ORDER], NOW) == asks.bill_request(ORDER, NOW)
    with pytest.raises(ValueError, match="too many values"):
        asks.bills_request([ORDER, ORDER], NOW)


@pytest.mark.parametrize(("phone", "said"), [(None, ""), ("255222000000", "255222000000")])
def test_a_bill_of_nobody_in_v5(settings, phone, said):
    asks = GepgProvider(replace(settings, version="v5", payer_phone=phone))
    message = etree.fromstring(opened(asks.bill_request(replace(ORDER, payer_msisdn=None), NOW).body)[0])
    found = message.find("BillDtls/BillDtl")
    assert (found.findtext("CustCellNum"), found.findtext("CustEmail")) == (said, settings.payer_email)


MORE = [
    ("", {}),
    ("<BillAmt>30000.00</BillAmt>", {"amount": Money(3_000_000)}),
    ("<SpCode>SP1</SpCode>", {"provider_code": "SP1"}),
]


@pytest.mark.parametrize(("more", "told"), MORE)
@pytest.mark.parametrize("code", ["7101", "7226"])
def test_a_number_says_whether_it_is_repeated_and_what_else_is_told(provider, keys, code, more, told):
    sts, repeated = ("GS", False) if code == "7101" else ("GF", True)
    v5 = result(detail(number=OLD, code=code).replace("</BillDtl>", more + "</BillDtl>"), sts=sts, code=code)
    v4 = result_v4(detail_v4(number=OLD, sts=sts, code=code).replace("</BillTrxInf>", more + "</BillTrxInf>"))
    for body in (wrap(v5, keys.gepg), wrap(v4, keys.gepg)):
        reading = provider.read("bills", body)
        assert reading.verdict is Verdict.GENUINE, reading.why
        (notice,) = reading.notices
        assert notice == ControlNumberGiven(notice.bill_id, notice.control_number, repeated, **told)


def test_a_refusal_of_reuse_carries_no_number(provider, keys):
    body = wrap(result(detail(number=OLD, code="7376"), sts="GF", code="7376", customer=OLD), keys.gepg)
    (notice,) = provider.read("bills", body).notices
    assert isinstance(notice, BillRefused)
    assert notice.code == "7376"


def test_that_a_bill_had_arrived_refuses_nothing(provider, keys):
    """7226 without a number: the number comes with the answer to the first arrival, or by asking again."""
    v5 = result(detail(number="0", code="7226"), sts="GF", code="7226", customer="0")
    v4 = result_v4(detail_v4(sts="GF", code="7226", number="0"), detail_v4("B-2", sts="GF", code="7242", number="0"))
    reading = provider.read("bills", wrap(v5, keys.gepg))
    assert (reading.verdict, reading.notices) == (Verdict.GENUINE, ())
    (other,) = provider.read("bills", wrap(v4, keys.gepg)).notices
    assert (other.bill_id, other.code) == ("B-2", "7242")
