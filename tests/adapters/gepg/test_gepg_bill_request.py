"""billSubReq: the exact request, and that GePG can verify it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from gepg_samples import holds, opened
from lxml import etree

from adapters.payments.gepg import GepgProvider, GepgSettings
from gateway.domain.bill import Bill, BillState, PayOption
from gateway.domain.money import Money
from gateway.ports import BillOrder

NOW = datetime(2025, 11, 10, 21, 30, 5, 987_654, tzinfo=UTC)
BILL = Bill(
    id="b7f3a0c2",
    key="family:7/product:3/after:0",
    generation=1,
    family_id=7,
    product_id=3,
    product_code="ICHF01",
    preceding_policy_id=None,
    stage="N",
    chfid="110707070",
    payer_name="Asha Juma",
    amount=Money(3_000_000),
    policy_value=Money(3_000_000),
    pay_option=PayOption.EXACT,
    provider_code=None,
    state=BillState.CREATED,
    control_number=None,
    paid=Money(0),
    created_at=NOW,
    expires_at=NOW + timedelta(days=30),
)
ORDER = BillOrder(BILL, "+255712345678", "req-0001")

GOLDEN = (
    "<billSubReq><BillHdr><ReqId>req-0001</ReqId><SpGrpCode>SP19960</SpGrpCode><SysCode>TIMIS001</SysCode>"
    "<BillTyp>1</BillTyp><PayTyp>2</PayTyp><GrpBillId>b7f3a0c2</GrpBillId></BillHdr>"
    "<BillDtls><BillDtl><BillId>b7f3a0c2</BillId><SpCode>SP19960</SpCode><CollCentCode>HQ</CollCentCode>"
    "<BillDesc>Bima ya afya ICHF01</BillDesc><CustTin></CustTin><CustId>110707070</CustId><CustIdTyp>5</CustIdTyp>"
    "<CustAccnt>110707070</CustAccnt><CustName>Asha Juma</CustName><CustCellNum>255712345678</CustCellNum>"
    "<CustEmail></CustEmail><BillGenDt>2025-11-11T00:30:05</BillGenDt><BillExprDt>2025-12-11T00:30:05</BillExprDt>"
    "<BillGenBy>imis-gateway</BillGenBy><BillApprBy>Scheme manager</BillApprBy><BillAmt>30000.00</BillAmt>"
    "<BillEqvAmt>30000.00</BillEqvAmt><MinPayAmt>30000.00</MinPayAmt><Ccy>TZS</Ccy><ExchRate>1.00</ExchRate>"
    "<BillPayOpt>3</BillPayOpt><PayPlan>1</PayPlan><PayLimTyp>1</PayLimTyp><PayLimAmt>0.00</PayLimAmt>"
    "<CollPsp></CollPsp><BillItems><BillItem><RefBillId>b7f3a0c2</RefBillId><SubSpCode>1001</SubSpCode>"
    "<GfsCode>142202380001</GfsCode><BillItemRef>110707070</BillItemRef><UseItemRefOnPay>N</UseItemRefOnPay>"
    "<BillItemAmt>30000.00</BillItemAmt><BillItemEqvAmt>30000.00</BillItemEqvAmt><CollSp>SP19960</CollSp>"
    "</BillItem></BillItems></BillDtl></BillDtls></billSubReq>"
)


def _values(body: bytes) -> dict[str, str]:
    """Leaf name to text, by a parser of the test's own; BillDtl's values win over BillHdr's."""
    return {node.tag: node.text or "" for node in etree.fromstring(opened(body)[0]).iter() if len(node) == 0}


def _asked(provider: GepgProvider, order: BillOrder = ORDER, **bill_changes: object) -> dict[str, str]:
    return _values(provider.bill_request(replace(order, bill=replace(order.bill, **bill_changes)), NOW).body)


def test_the_request_byte_for_byte(provider, keys):
    request = provider.bill_request(ORDER, NOW)
    assert (request.method, request.url) == ("POST", "http://127.0.0.1:8090/gepg/api/bill/20/submission")
    assert request.headers == {
        "Content-Type": "application/xml",
        "Gepg-Code": "SP19960",
        "Gepg-Com": "default.sp.in",
        "Gepg-Alg": "00S2",
    }
    element, signed = opened(request.body)
    assert element.decode() == GOLDEN
    assert holds(element, signed, keys.ours.public_key())


def test_our_verifier_can_say_no(provider, keys):
    element, signed = opened(provider.bill_request(ORDER, NOW).body)
    assert not holds(element.replace(b"30000.00", b"30000.01"), signed, keys.ours.public_key())
    assert not holds(element, signed, keys.gepg.public_key())


def test_a_resend_is_a_true_twin(provider):
    """GePG sees the same bytes however late: even the time of sending is not in them."""
    first = provider.bill_request(ORDER, NOW)
    assert provider.bill_request(ORDER, NOW) == first
    assert provider.bill_request(ORDER, NOW + timedelta(hours=5)) == first
    assert provider.bill_request(replace(ORDER, request_id="req-0002"), NOW).body != first.body


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"amount": Money(1)}, {"BillAmt": "0.01", "BillEqvAmt": "0.01", "MinPayAmt": "0.01", "BillItemAmt": "0.01"}),
        ({"amount": Money(10**17)}, {"BillAmt": "1000000000000000.00", "BillItemEqvAmt": "1000000000000000.00"}),
        ({"amount": Money(788_550)}, {"BillAmt": "7885.50"}),
        ({"pay_option": PayOption.PARTIAL}, {"BillPayOpt": "2", "MinPayAmt": "0.01", "BillAmt": "30000.00"}),
        ({"provider_code": "SP777"}, {"SpGrpCode": "SP777", "SpCode": "SP777", "CollSp": "SP777"}),
        ({"provider_code": ""}, {"SpCode": "SP19960"}),
        ({"payer_name": "Ng'wana <Maua> & Wanawe"}, {"CustName": "Ng'wana <Maua> & Wanawe"}),
        ({"payer_name": "Mwanaïsha Ng’ombe"}, {"CustName": "Mwanaïsha Ng’ombe"}),
        ({"payer_name": "</CustName><BillAmt>1</BillAmt><CustName>"}, {"BillAmt": "30000.00"}),
        ({"payer_name": "]]>&amp;"}, {"CustName": "]]>&amp;"}),
        ({"payer_name": " Asha\x00\r\n\tJuma\x85\x1b[1m\ud800\ufffe "}, {"CustName": "Asha Juma [1m"}),
        ({"payer_name": "&" * 300}, {"CustName": "&" * 200}),
        ({"payer_name": "é" * 201}, {"CustName": "é" * 200}),
        ({"payer_name": " \x00 "}, {"CustName": "110707070"}),
    ],
)
def test_what_a_bill_changes_in_the_request(provider, changes, expected):
    asked = _asked(provider, **changes)
    assert {name: asked[name] for name in expected} == expected


def test_the_code_in_the_header_is_the_bills(provider):
    order = replace(ORDER, bill=replace(BILL, provider_code="SP777"))
    assert provider.bill_request(order, NOW).headers["Gepg-Code"] == "SP777"


@pytest.mark.parametrize(
    ("msisdn", "phone", "email"),
    [
        ("+255712345678", "255712345678", ""),
        ("0712 345 678", "255712345678", ""),
        (None, "", "bills@scheme.example"),
        ("", "", "bills@scheme.example"),
        ("+254712345678", "", "bills@scheme.example"),
    ],
)
def test_a_payer_has_a_phone_or_an_email(provider, msisdn, phone, email):
    asked = _asked(provider, replace(ORDER, payer_msisdn=msisdn))
    assert (asked["CustCellNum"], asked["CustEmail"]) == (phone, email)


def test_a_slash_after_the_base_changes_nothing(settings):
    provider = GepgProvider(replace(settings, url=settings.url + "/"))
    assert provider.bill_request(ORDER, NOW).url == "http://127.0.0.1:8090/gepg/api/bill/20/submission"


def test_bills_in_another_currency_are_not_sent(provider):
    with pytest.raises(ValueError, match="TZS"):
        provider.bill_request(replace(ORDER, bill=replace(BILL, amount=Money(100, "USD"))), NOW)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sp_code": "", "payer_email": ""}, ["sp_code", "payer_email"]),
        ({"peer_certificates": ()}, ["peer_certificates"]),
        ({"system_code": "x" * 11, "generated_by": "x" * 31}, ["system_code", "generated_by"]),
    ],
)
def test_wrong_settings_are_all_named(settings: GepgSettings, changes, named):
    with pytest.raises(ValueError, match="GePG settings") as caught:
        replace(settings, **changes)
    assert all(name in str(caught.value) for name in named)


def test_settings_do_not_print_the_key(settings):
    assert "key" not in repr(settings)
