"""GePG's side of a bill: what is taken, what is refused and with which code, and how the number comes."""

import os
import stat
from datetime import datetime, timedelta

import pytest
from fake_gateway import EAT, field, submission, until

from sandbox.keys import ensure_keys


async def test_a_bill_gets_a_number_in_a_signed_callback(bench):
    ack = await bench.submit(submission("b-1"))
    assert (field(ack, "AckStsCode"), field(ack, "ReqId")) == ("7101", "REQb-1")
    raw = (await until(lambda: bench.gateway.bills))[0]
    assert bench.gateway.check(raw)
    number = field(raw, "BillCntrNum")
    assert len(number) == 12
    assert number.startswith("19960")
    assert field(raw, "CustCntrNum") == number
    assert [field(raw, tag) for tag in ("BillId", "GrpBillId", "ResSts", "ResStsCode", "BillStsCode", "ReqId")] == [
        "b-1",
        "b-1",
        "GS",
        "7101",
        "7101",
        "REQb-1",
    ]
    bill = await bench.bill()
    assert bill["status"] == "numbered"
    assert bill["control_number"] == number
    assert bill["amount"] == "30000.00"
    assert bill["payer"] == "ASHA & JUMA"
    assert bill["msisdn"] == "+255712000001"


async def test_numbers_are_unique_and_a_three_digit_code_gets_99(bench):
    first, second = await bench.numbered("b-1"), await bench.numbered("b-2")
    assert first != second
    changes = {"SpGrpCode": "SP023", "SpCode": "SP023", "CollSp": "SP023"}
    await bench.submit(submission("b-3", **changes), **{"Gepg-Code": "SP023"})
    raw = (await until(lambda: bench.gateway.bills[2:]))[0]
    assert field(raw, "BillCntrNum").startswith("99023")


PAST = (datetime.now(EAT) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"BillItemAmt": "29999.99"}, "7258"),
        ({"BillItemEqvAmt": "29999.99"}, "7259"),
        ({"BillEqvAmt": "1.00", "BillItemEqvAmt": "1.00"}, "7221"),
        ({"BillAmt": "0.00", "BillItemAmt": "0.00", "BillEqvAmt": "0.00", "BillItemEqvAmt": "0.00"}, "7224"),
        ({"BillAmt": "3e4"}, "7224"),
        ({"BillAmt": "30000.001"}, "7224"),
        ({"BillAmt": "-30000.00"}, "7224"),
        ({"MinPayAmt": "30000.01"}, "7224"),
        ({"BillPayOpt": "6"}, "7234"),
        ({"CustCellNum": "0712000001"}, "7268"),
        ({"CustCellNum": "+255712000001"}, "7268"),
        ({"CustEmail": "nobody"}, "7267"),
        ({"CustName": ""}, "7276"),
        ({"CustName": "x" * 201}, "7276"),
        ({"CustId": " "}, "7275"),
        ({"BillGenDt": "2026-01-01 00:00:00"}, "7230"),
        ({"BillExprDt": "2036-01-01T00:00:00+03:00"}, "7231"),
        ({"BillExprDt": PAST}, "7231"),
        ({"BillGenBy": "x" * 31}, "7285"),
        ({"Ccy": "KES"}, "7219"),
        ({"SysCode": "LONGERTHAN10"}, "7269"),
        ({"BillTyp": "2"}, "7242"),
        ({"GrpBillId": "another"}, "7225"),
        ({"RefBillId": "another"}, "7225"),
        ({"GfsCode": "ABC"}, "7229"),
        ({"UseItemRefOnPay": "X"}, "7254"),
        ({"CollSp": ""}, "7205"),
        ({"drop": ("CollPsp",)}, "7242"),
        ({"drop": ("PayPlan",)}, "7242"),
        ({"SpGrpCode": "SP023"}, "7323"),
        ({"Ccy": "KES", "BillPayOpt": "9"}, "7219;7234"),
    ],
)
async def test_a_wrong_field_is_refused_with_its_code(bench, changes, code):
    ack = await bench.submit(submission("b-1", **changes))
    assert field(ack, "AckStsCode") == code, ack
    assert await bench.get("/sandbox/bills") == []


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Gepg-Code": None}, "7202"),
        ({"Gepg-Com": None}, "7202"),
        ({"Gepg-Alg": None}, "7202"),
        ({"Gepg-Alg": "00S1"}, "7322"),
        ({"Gepg-Com": "other"}, "7322"),
        ({"Gepg-Code": "SP19966"}, "7323"),
    ],
)
async def test_headers_are_demanded(bench, headers, code):
    assert field(await bench.submit(submission(), **headers), "AckStsCode") == code


async def test_order_and_unknown_elements_are_noticed(bench):
    swapped = submission().replace(
        "<PayPlan>1</PayPlan><PayLimTyp>1</PayLimTyp>", "<PayLimTyp>1</PayLimTyp><PayPlan>1</PayPlan>"
    )
    ack = await bench.submit(swapped)
    assert (field(ack, "AckStsCode"), "order" in ack) == ("7242", True)
    ack = await bench.submit(submission().replace("<CollPsp>", "<RemFlag>true</RemFlag><CollPsp>"))
    assert (field(ack, "AckStsCode"), "RemFlag" in ack) == ("7242", True)


def _swap(raw, old, new):
    assert old in raw
    return raw.replace(old, new)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda raw: _swap(raw, b"30000.00</BillAmt>", b"30001.00</BillAmt>"), "7303"),
        (lambda raw: _swap(raw, b"</billSubReq><sig", b"</billSubReq> <sig"), "7242"),
        (lambda raw: _swap(raw, b"<signature>", b"<signature>AAAA"), "7303"),
        (lambda raw: raw[: raw.index(b"<signature>")] + b"</Gepg>", "7303"),
        (lambda raw: _swap(raw, b"<billSubReq>", b"<billSubReq><a/></billSubReq><billSubReq>"), "7303"),
        (lambda raw: b"hello", "7303"),
    ],
)
async def test_a_spoilt_envelope_is_refused(bench, spoil, code):
    ack = await bench.submit_raw(spoil(bench.gateway.sign(submission())))
    assert field(ack, "AckStsCode") == code
    assert await bench.get("/sandbox/bills") == []


@pytest.mark.parametrize("element", ["<billSubReq><a></billSubReq>", "<other></other>", "<billSubReq></billSubReq>"])
async def test_a_signed_but_unreadable_message_is_7242(bench, element):
    assert field(await bench.submit(element), "AckStsCode") == "7242"


async def test_a_document_type_is_refused_even_when_signed(bench):
    element = submission().replace("<billSubReq>", '<billSubReq><!DOCTYPE a [<!ENTITY x "y">]>', 1)
    ack = await bench.submit(element)
    assert (field(ack, "AckStsCode"), "document type" in ack) == ("7242", True)


async def test_a_duplicate_keeps_the_first_and_the_number_is_sent_again(bench):
    number = await bench.numbered("b-1")
    again = submission(
        "b-1",
        ReqId="REQ-2",
        BillAmt="1.00",
        BillEqvAmt="1.00",
        MinPayAmt="1.00",
        BillItemAmt="1.00",
        BillItemEqvAmt="1.00",
    )
    assert field(await bench.submit(again), "AckStsCode") == "7226"
    raw = (await until(lambda: bench.gateway.bills[1:]))[0]
    assert [field(raw, tag) for tag in ("BillCntrNum", "ResStsCode", "ReqId")] == [number, "7101", "REQ-2"]
    assert field(raw, "ResId") != field(bench.gateway.bills[0], "ResId")
    assert (await bench.bill())["amount"] == "30000.00"


async def test_the_number_of_a_duplicate_need_not_be_sent_again(start):
    bench = await start(resend_on_duplicate=False)
    await bench.numbered("b-1")
    assert field(await bench.submit(submission("b-1")), "AckStsCode") == "7226"
    await bench.numbered("b-2")
    assert [field(raw, "BillId") for raw in bench.gateway.bills] == ["b-1", "b-2"]


@pytest.mark.parametrize("trouble", [500, "7242", "bad-signature", "wrong-id", "hang"])
async def test_a_number_is_sent_again_until_well_acknowledged(start, trouble):
    bench = await start(callback_timeout_s=0.2)
    bench.gateway.plan.extend([trouble, trouble])
    number = await bench.numbered()
    await until(lambda: len(bench.gateway.bills) == 3)
    assert len(set(bench.gateway.bills)) == 1, "redelivered byte for byte"
    await bench.acknowledged()
    assert (await bench.bill())["control_number"] == number


async def test_redelivery_is_bounded(start):
    bench = await start(tries=3)
    bench.gateway.plan.extend([500] * 3)
    await bench.numbered("b-1")
    await until(lambda: len(bench.gateway.bills) == 3)
    await bench.numbered("b-2")
    await until(lambda: len(bench.gateway.bills) == 4)
    assert (await bench.bill("b-1"))["acknowledged"] is False
    assert [field(raw, "BillId") for raw in bench.gateway.bills] == ["b-1"] * 3 + ["b-2"]


async def test_a_number_can_be_used_again_for_a_new_bill(bench):
    number = await bench.numbered("b-1")
    ack = await bench.submit(submission("b-2", reuse=number), **{"Gepg-Com": "reusebill.sp.in"})
    assert field(ack, "AckStsCode") == "7101"
    raw = (await until(lambda: bench.gateway.bills[1:]))[0]
    assert (field(raw, "BillId"), field(raw, "BillCntrNum")) == ("b-2", number)
    ack = await bench.submit(submission("b-3", reuse="199600000000"), **{"Gepg-Com": "reusebill.sp.in"})
    assert field(ack, "AckStsCode") == "7335"


async def test_cancelling(bench):
    number = await bench.numbered("b-1")

    async def cancel(bill_id):
        raw = bench.gateway.sign(
            f"<billCanclReq><ReqId>C1</ReqId><SpGrpCode>SP19960</SpGrpCode><SysCode>TIMIS001</SysCode>"
            f"<BillTyp>1</BillTyp><GrpBillId>{bill_id}</GrpBillId><CanclGenBy>a</CanclGenBy>"
            f"<CanclApprBy>b</CanclApprBy><CanclReasn>c</CanclReasn></billCanclReq>"
        )
        headers = {"Gepg-Code": "SP19960", "Gepg-Com": "default.sp.in", "Gepg-Alg": "00S2"}
        async with bench.http.post("/gepg/api/bill/20/cancellation", data=raw, headers=headers) as response:
            return field(await response.text(), "CanclStsCode")

    assert await cancel("unknown") == "7204"
    assert await cancel("b-1") == "7283"
    assert (await bench.bill())["status"] == "cancelled"
    assert (await bench.pay(number))["code"] == "7283"
    assert bench.gateway.payments == []


def test_keys_are_made_once_and_kept_private(tmp_path):
    ensure_keys(tmp_path / "k")
    names = ["gepg.crt.pem", "gepg.key.pem", "sp.crt.pem", "sp.key.pem"]
    before = {name: (tmp_path / "k" / name).read_bytes() for name in names}
    ensure_keys(tmp_path / "k")
    assert {name: (tmp_path / "k" / name).read_bytes() for name in names} == before
    assert {stat.S_IMODE(os.stat(tmp_path / "k" / name).st_mode) for name in names if "key" in name} == {0o600}
    (tmp_path / "k" / "sp.crt.pem").unlink()
    ensure_keys(tmp_path / "k")
    after = {name: (tmp_path / "k" / name).read_bytes() for name in names}
    assert after["gepg.key.pem"] == before["gepg.key.pem"]
    assert after["sp.key.pem"] != before["sp.key.pem"], "half a pair is replaced whole"
