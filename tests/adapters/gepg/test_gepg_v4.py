"""GePG v4: what we send, what its answers mean, and every spelling of what it posts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from gepg_samples import (
    EAT,
    GIVEN,
    REPORT,
    detail_v4,
    entry_v4,
    enveloped,
    holds,
    opened,
    payment_v4,
    result_v4,
    wrap,
    wrongly_hashed,
)
from lxml import etree
from test_gepg_bill_request import NOW, ORDER

from adapters.payments.gepg import GepgProvider, bills_v4
from gateway.domain.bill import PayOption
from gateway.domain.money import Money
from gateway.domain.outcomes import Accepted, Busy, Done, Refused, Unknown
from gateway.ports import BillRefused, ControlNumberGiven, HttpResponse, Verdict


@pytest.fixture
def v4(settings) -> GepgProvider:
    """The service provider's bills are asked for in v4."""
    return GepgProvider(replace(settings, version="v4"))


def _said(body: bytes) -> etree._Element:
    return etree.fromstring(opened(body)[0])


# ------------------------------------------------------------------------------------------------------- what we send


def test_the_submission(v4, keys):
    request = v4.bill_request(ORDER, NOW)
    element, signed = opened(request.body)
    assert holds(element, signed, keys.ours.public_key())
    assert request.url.endswith("/api/bill/sigqrequest")
    assert dict(request.headers) == {
        "Content-Type": "application/xml",
        "Gepg-Code": "SP19960",
        "Gepg-Com": "default.sp.in",
    }
    said = _said(request.body)
    assert [child.tag for child in said] == ["BillHdr", "BillTrxInf"]
    assert [(e.tag, e.text) for e in said[0]] == [("SpCode", "SP19960"), ("RtrRespFlg", "true")]
    bill = said.find("BillTrxInf")
    # the order is that of every public sender
    assert " ".join(e.tag for e in bill) == (
        "BillId SubSpCode SpSysId BillAmt MiscAmt BillExprDt PyrId PyrName BillDesc BillGenDt BillGenBy BillApprBy "
        "PyrCellNum PyrEmail Ccy BillEqvAmt RemFlag BillPayOpt BillItems"
    )
    values = {e.tag: e.text for e in bill}
    amount = f"{ORDER.bill.amount.to_decimal():f}"
    assert (values["BillId"], values["BillAmt"], values["BillEqvAmt"]) == (ORDER.bill.id, amount, amount)
    assert (values["MiscAmt"], values["RemFlag"], values["BillPayOpt"]) == ("0.00", "true", "3")
    item = {e.tag: e.text for e in bill.find("BillItems/BillItem")}
    assert (item["BillItemAmt"], item["BillItemEqvAmt"], item["BillItemMiscAmt"]) == (amount, amount, "0.00")
    assert item["UseItemRefOnPay"] == "N"
    assert v4.bill_request(ORDER, NOW.replace(year=2030)) == request  # a resend is a twin


def test_many_bills_in_one_submission(settings):
    orders = [replace(ORDER, bill=replace(ORDER.bill, id=f"B-{n}")) for n in range(50)]
    said = _said(bills_v4.submission(settings, orders).body)
    assert [e.findtext("BillId") for e in said.findall("BillTrxInf")] == [o.bill.id for o in orders]
    other = replace(ORDER, bill=replace(ORDER.bill, provider_code="SP777"))
    with pytest.raises(ValueError, match="one service provider"):
        bills_v4.submission(settings, [ORDER, other])
    with pytest.raises(ValueError, match="TZS"):
        bills_v4.submission(settings, [replace(ORDER, bill=replace(ORDER.bill, amount=Money(1, "USD")))])


def test_reuse_and_change_of_expiry(settings):
    request = bills_v4.reuse(settings, ORDER, "199600000148")
    said = _said(request.body)
    assert (request.headers["Gepg-Com"], request.url.rsplit("/", 1)[1]) == ("reusebill.sp.in", "sigqrequest_reuse")
    tags = [e.tag for e in said.find("BillTrxInf")]
    assert tags[-3:] == ["BillPayOpt", "PayCntrNum", "BillItems"]
    assert said.findtext("BillTrxInf/PayCntrNum") == "199600000148"
    request = bills_v4.change_of_expiry(settings, ORDER)
    said = _said(request.body)
    assert (request.headers["Gepg-Com"], request.url.rsplit("/", 1)[1]) == ("changebill.sp.in", "sigqrequest_change")
    assert [e.tag for e in said.find("BillTrxInf")] == ["BillId", "SpSysId", "BillExprDt"]


def test_a_bill_by_instalments_and_a_payer_without_a_phone(v4, settings):
    bill = replace(ORDER.bill, pay_option=PayOption.PARTIAL, payer_name="A & <B>")
    said = _said(v4.bill_request(replace(ORDER, bill=bill, payer_msisdn=None), NOW).body).find("BillTrxInf")
    assert (said.findtext("BillPayOpt"), said.findtext("PyrName")) == ("2", "A & <B>")
    assert (said.findtext("PyrCellNum"), said.findtext("PyrEmail")) == ("", settings.payer_email)


def test_the_generation_is_the_service_providers(settings):
    mixed = GepgProvider(replace(settings, version="v5", versions={"SP777": "v4"}))
    of = {code: replace(ORDER, bill=replace(ORDER.bill, provider_code=code)) for code in ("SP777", "SP888")}
    assert _said(mixed.bill_request(of["SP777"], NOW).body).tag == "gepgBillSubReq"
    assert _said(mixed.bill_request(of["SP888"], NOW).body).tag == "billSubReq"
    assert _said(mixed.cancel_request(of["SP777"], NOW).body).tag == "gepgBillCanclReq"
    with pytest.raises(ValueError, match="no generation v6"):
        replace(settings, versions={"SP1": "v6"})


# ------------------------------------------------------------------------------------------------ its immediate answers


def _ack(code: str) -> str:
    return f"<gepgBillSubReqAck><TrxStsCode>{code}</TrxStsCode></gepgBillSubReqAck>"


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("7101", Accepted(None)),
        ("7226", Accepted(None)),  # it had arrived
        ("7242", Refused("7242", "the request is not valid")),
        ("7242;7627", Refused("7242;7627", "the request is not valid; not in our table")),
        ("7321", Busy(60.0, "7321")),
    ],
)
def test_the_answer_to_a_submission(v4, keys, code, outcome):
    found = v4.bill_outcome(ORDER, HttpResponse(200, {}, wrap(_ack(code), keys.gepg)))
    assert (type(found), getattr(found, "code", None)) == (type(outcome), getattr(outcome, "code", None))


def test_an_answer_may_have_white_space_inside(v4, keys):
    ack = _ack("7101").replace("</gepg", " </gepg").replace("7101", "\r\n7101")
    assert v4.bill_outcome(ORDER, HttpResponse(200, {}, wrap(ack, keys.gepg))) == Accepted(None)


def test_answers_that_prove_nothing(v4, keys):
    good = _ack("7101").encode()
    for body in (
        b"",
        good,
        wrap(good, keys.stranger),
        enveloped(good, wrongly_hashed(good, keys.gepg)),
        wrap(_ack("9999"), keys.gepg),
        wrap("<billSubReqAck><AckStsCode>7101</AckStsCode></billSubReqAck>", keys.gepg),  # v5's
        wrap(result_v4(), keys.gepg),
    ):
        assert isinstance(v4.bill_outcome(ORDER, HttpResponse(200, {}, body)), Unknown), body
    assert isinstance(v4.bill_outcome(ORDER, HttpResponse(502, {}, wrap(good, keys.gepg))), Unknown)
    assert v4.bill_outcome(ORDER, HttpResponse(429, {"retry-after": "3"}, b"")) == Busy(3.0, "HTTP 429")


@pytest.mark.parametrize(
    ("bill_id", "code", "means"),
    [
        (ORDER.bill.id, "7283", Done("7283")),
        (ORDER.bill.id, "7279", Done("7279")),
        (ORDER.bill.id, "7301", Refused("7301", "the bill is partly paid")),
        (ORDER.bill.id, "7286", Unknown("7286")),
        ("another", "7283", Unknown("the answer is about other bills")),
    ],
)
def test_the_answer_to_a_cancellation(v4, keys, bill_id, code, means):
    body = (
        f"<gepgBillCanclResp><BillCanclTrxDt><BillId>{bill_id}</BillId><TrxSts>GS</TrxSts>"
        f"<TrxStsCode>{code}</TrxStsCode></BillCanclTrxDt></gepgBillCanclResp>"
    )
    assert v4.cancel_outcome(ORDER, HttpResponse(200, {}, wrap(body, keys.gepg))) == means


# ----------------------------------------------------------------------------------------------------- what it posts


@pytest.mark.parametrize(
    ("detail", "notice"),
    [
        (detail_v4(), GIVEN),
        (detail_v4(swapped=True), GIVEN),
        (detail_v4(code="7101;7226"), replace(GIVEN, repeated=True)),
        (detail_v4(code="7226"), replace(GIVEN, repeated=True)),
        (detail_v4(sts="GF", code="7226"), replace(GIVEN, repeated=True)),  # a duplicate that repeats its number
        (detail_v4(sts="GF", code="7301;7201"), "7301;7201"),  # whatever number it carries
        (detail_v4(sts="GF", code="7242;7627", number="0"), "7242;7627"),
        (detail_v4(sts="GF", code="7101"), "GF"),
        (detail_v4().replace("><", ">\r\n  <"), GIVEN),
        (detail_v4().replace("199600000148", "\n 199600000148 "), GIVEN),
        (detail_v4(code="7101; 7226"), replace(GIVEN, repeated=True)),
        (detail_v4(sts="gf", code="7226", number=""), None),  # it had arrived: no word about its number
        (detail_v4().replace("<TrxSts>GS</TrxSts>", ""), GIVEN),
        (detail_v4().replace("<TrxSts>GS</TrxSts>", "<TrxSts/>"), GIVEN),
    ],
)
def test_results(provider, keys, detail, notice):
    reading = provider.read("bills", wrap(result_v4(detail), keys.gepg))
    assert reading.verdict is Verdict.GENUINE
    if notice is None:
        assert reading.notices == ()
        return
    [found] = reading.notices
    if isinstance(notice, ControlNumberGiven):
        assert found == notice
    else:
        assert isinstance(found, BillRefused)
        assert (found.bill_id, found.code) == ("B-7f3a", notice)


def test_many_results_in_one_message(provider, keys):
    details = [detail_v4(f"B-{n}", f"1996000{n:05}") for n in range(1, 200)]
    notices = provider.read("bills", wrap(result_v4(*details), keys.gepg)).notices
    assert [(n.bill_id, n.control_number) for n in notices] == [(f"B-{n}", f"1996000{n:05}") for n in range(1, 200)]


@pytest.mark.parametrize(
    "detail",
    [
        detail_v4(number="0"),
        detail_v4(number=""),
        detail_v4(number="19960000014"),
        detail_v4(code=""),
        detail_v4(bill_id=""),
        detail_v4(bill_id="x" * 101),
        detail_v4() + "text",
    ],
)
def test_results_that_cannot_be_read(provider, keys, detail):
    assert provider.read("bills", wrap(result_v4(detail), keys.gepg)).verdict is Verdict.UNREADABLE


@pytest.mark.parametrize(
    ("entry", "changes"),
    [
        (entry_v4(), {}),
        (entry_v4(CCy=None, Ccy="TZS"), {}),
        (entry_v4(CCy="", Ccy="TZS"), {}),
        (entry_v4(CCy="USD"), {"amount": Money(3_000_000, "USD")}),
        (entry_v4(PayCtrNum="", PayCntrNum="199600000148"), {}),
        (entry_v4(PyrName=None, PyrEmail=None, PspName=None).replace(
            "<PspRec", "<PyrEmail>a@b.tz</PyrEmail><PyrName>Asha Juma</PyrName><PspRec"), {"origin": None}),
        (entry_v4(TrxDtTm="2025-11-10 12:00:26"), {}),
        (entry_v4(TrxDtTm="2025-11-10T12:00:26.920"),
         {"paid_at": datetime(2025, 11, 10, 12, 0, 26, 920_000, tzinfo=EAT)}),
        (entry_v4(TrxDtTm="2025-11-10T12:00:26:920"),
         {"paid_at": datetime(2025, 11, 10, 12, 0, 26, 920_000, tzinfo=EAT)}),
        (entry_v4(PyrCellNum="0712345678"), {}),
        (entry_v4(PyrCellNum=""), {"payer_msisdn": None}),
        (entry_v4(PspReceiptNumber=""), {"receipt": None}),
        (entry_v4(PyrName="Ng&apos;wana &amp; &lt;K&gt; &#8211;"), {"payer_name": "Ng'wana & <K> –"}),
        (entry_v4(PyrName="<![CDATA[A & </gepgPmtSpInfo> B]]>"), {"payer_name": "A & </gepgPmtSpInfo> B"}),
        (entry_v4(PayCtrNum=None, PayCntrNum="199600000148"), {}),
        (entry_v4(PyrName=None, PyrEmail=None), {"payer_name": None}),
        (entry_v4(PaidAmt="30000"), {}),
        (entry_v4(PaidAmt="30000.0"), {}),
        (entry_v4(TrxDtTm="2023-01-03 14:47:14.0"), {"paid_at": datetime(2023, 1, 3, 14, 47, 14, tzinfo=EAT)}),
        (entry_v4(UsdPayChnl="FAHARI HUDUMA"), {"channel": "FAHARI HUDUMA"}),
        (entry_v4(UsdPayChnl=""), {"channel": None}),
        (entry_v4(PyrName="the gepgSignature of signature"), {"payer_name": "the gepgSignature of signature"}),
        (entry_v4(Reserved1="x"), {}),
        (entry_v4().replace("<PyrEmail></PyrEmail>", "<PyrEmail />"), {}),
        (entry_v4().replace("<PyrEmail></PyrEmail>", "<PyrEmail/>"), {}),
        (entry_v4().replace("><", ">\n   <"), {}),
        (entry_v4().replace("><", ">\r\n\t<"), {}),
    ],
)  # fmt: skip
def test_payments(provider, keys, entry, changes):
    reading = provider.read("payments", wrap(payment_v4(entry), keys.gepg))
    assert reading.notices == (replace(REPORT, **changes),)


def test_two_bills_of_one_transaction(provider, keys):
    body = payment_v4(entry_v4(), entry_v4(BillId="B-2", PayCtrNum="199600000155", PaidAmt="4500"))
    first, second = provider.read("payments", wrap(body, keys.gepg)).notices
    assert first.transaction == second.transaction
    assert (first.key, second.key) == (REPORT.key, (REPORT.reference, "199600000155"))


@pytest.mark.parametrize(
    "change",
    [{"PaidAmt": "3e4"}, {"PaidAmt": "30,000"}, {"PaidAmt": "0"}, {"PaidAmt": "30000.001"}, {"PayRefId": ""},
     {"PayCtrNum": ""}, {"CCy": "shillings"}, {"TrxDtTm": "yesterday"}, {"PayRefId": "x" * 101}],
)  # fmt: skip
def test_payments_that_cannot_be_read(provider, keys, change):
    body = payment_v4(entry_v4(), entry_v4(**change))
    reading = provider.read("payments", wrap(body, keys.gepg))
    assert (reading.verdict, reading.notices) == (Verdict.UNREADABLE, ())  # all or none


def test_a_declaration_a_mark_and_line_ends_around(provider, keys):
    body = wrap(payment_v4(), keys.gepg)
    inner = body.removeprefix(b"<Gepg>").removesuffix(b"</Gepg>")
    for prologue in (b"", b"\xef\xbb\xbf", b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\r\n",
                     b'<?xml version="1.0" encoding="utf-16"?>'):  # fmt: skip
        spaced = inner.replace(b"<gepgSignature>", b" \r\n<gepgSignature>")
        for body in (prologue + b"<Gepg>" + inner + b"</Gepg>\r\n", prologue + b"<Gepg>\n" + spaced + b" </Gepg>"):
            assert provider.read("payments", body).notices == (REPORT,)


@pytest.mark.parametrize(
    "element",
    [
        payment_v4(entry_v4(PayRefId="925 314")),
        payment_v4(entry_v4(PayRefId="925\u200b314")),
        payment_v4(entry_v4(PayCtrNum="1996 0000 0148")),
        payment_v4(entry_v4(PaidAmt="+30000")),
        payment_v4(entry_v4(PaidAmt="３００００")),
        payment_v4(entry_v4(TrxDtTm="0001-01-01T00:00:00")),
        payment_v4(entry_v4(CCy="TZS", Ccy="<x/>").replace("<CCy>TZS</CCy>", "")),
    ],
)
def test_v4_is_as_strict_with_what_tells_payments_apart(v4, keys, element):
    reading = v4.read("payments", wrap(element, keys.gepg))
    assert (reading.verdict, reading.notices, reading.is_signed) == (Verdict.UNREADABLE, (), True)
