"""GePG v4's side of bills: one or many in a request, their numbers in one callback, and every refusal's code."""

import re
from datetime import datetime, timedelta

import pytest
from fake_gateway import EAT, HEADERS, field, submission, until
from fake_v4 import (
    CANCEL,
    CHANGE,
    REUSE,
    V4,
    bill,
    cancellation_v4,
    change_v4,
    days_from_now,
    submission_v4,
)


def answers(raw):
    """What a gepgBillSubResp says of each bill."""
    found = re.findall(rb"<BillTrxInf>(.*?)</BillTrxInf>", raw, re.S)
    return [tuple(field(each, tag) for tag in ("BillId", "PayCntrNum", "TrxSts", "TrxStsCode")) for each in found]


async def code_of(answer):
    return field(await answer, "TrxStsCode")


async def test_a_bill_gets_a_number_in_a_signed_callback(bench):
    ack = await bench.send_v4(V4, submission_v4(bill("b-1")))
    assert re.fullmatch(
        r"<Gepg><gepgBillSubReqAck><TrxStsCode>7101</TrxStsCode></gepgBillSubReqAck>"
        r"<gepgSignature>[\w+/=]+</gepgSignature></Gepg>",
        ack,
    )
    raw = (await until(lambda: bench.gateway.bills))[0]
    assert bench.gateway.check(raw)
    assert raw.startswith(b"<Gepg><gepgBillSubResp><BillTrxInf><BillId>")
    [(bill_id, number, status, code)] = answers(raw)
    assert (bill_id, status, code) == ("b-1", "GS", "7101")
    assert re.fullmatch(r"19960\d{7}", number)
    await bench.acknowledged()
    kept = await bench.bill()
    assert {name: kept[name] for name in ("status", "control_number", "amount", "payer", "msisdn", "version")} == {
        "status": "numbered",
        "control_number": number,
        "amount": "30000.00",
        "payer": "ASHA & JUMA",
        "msisdn": "+255712000001",
        "version": "v4",
    }


async def test_many_bills_are_answered_in_one_message(bench):
    bills = [bill("b-1"), bill("b-2", PyrCellNum="0712000002"), bill("b-3", PyrCellNum="", PyrEmail="a@b.tz")]
    assert await code_of(bench.send_v4(V4, submission_v4(*bills))) == "7101"
    [raw] = await until(lambda: bench.gateway.bills)
    said = answers(raw)
    assert [(each[0], each[2], each[3]) for each in said] == [(f"b-{n}", "GS", "7101") for n in (1, 2, 3)]
    assert len({each[1] for each in said}) == 3
    assert [kept["msisdn"] for kept in await bench.get("/sandbox/bills")] == ["+255712000001", "+255712000002", ""]


AMOUNTS = ("BillAmt", "BillItemAmt", "BillEqvAmt", "BillItemEqvAmt")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"BillItemAmt": "29999.99"}, "7258"),
        ({"BillItemEqvAmt": "29999.99"}, "7259"),
        ({"BillItemMiscAmt": "1.00"}, "7260"),
        ({"MiscAmt": "-1"}, "7222"),
        ({"BillEqvAmt": "1.00", "BillItemEqvAmt": "1.00"}, "7221"),
        (dict.fromkeys(AMOUNTS, "0.00"), "7224"),
        ({"BillAmt": "3e4"}, "7224"),
        ({"BillPayOpt": "4"}, "7234"),
        ({"PyrCellNum": "+255712000001"}, "7268"),
        ({"PyrCellNum": ""}, "7217"),
        ({"PyrEmail": "nobody"}, "7267"),
        ({"PyrName": ""}, "7276"),
        ({"PyrId": " "}, "7275"),
        ({"BillId": ""}, "7227"),
        ({"BillGenDt": "2026-01-01 00:00:00"}, "7230"),
        ({"BillExprDt": days_from_now(-1)}, "7231"),
        ({"BillGenBy": "x" * 31}, "7285"),
        ({"Ccy": "KES"}, "7219"),
        ({"SpSysId": "LONGERTHAN10"}, "7269"),
        ({"SubSpCode": ""}, "7228"),
        ({"GfsCode": "ABC"}, "7229"),
        ({"UseItemRefOnPay": "X"}, "7254"),
        ({"RemFlag": "yes"}, "7242"),
        ({"drop": ("RemFlag",)}, "7242"),
        ({"drop": ("BillItemMiscAmt",)}, "7242"),
        ({"reuse": "199600000000"}, "7333"),
        ({"Ccy": "KES", "BillPayOpt": "9"}, "7219;7234"),
    ],
)
async def test_a_wrong_field_refuses_the_whole_request(bench, changes, code):
    assert await code_of(bench.send_v4(V4, submission_v4(bill("b-1"), bill("b-2", **changes)))) == code
    assert await bench.get("/sandbox/bills") == []


@pytest.mark.parametrize("amount", ["7885", "7885.0", "7885.00"])
async def test_every_way_of_writing_an_amount_that_is_met(bench, amount):
    await bench.numbered_v4(**dict.fromkeys(AMOUNTS, amount))
    assert (await bench.bill())["amount"] == "7885.00"


SWAPPED = submission_v4(bill()).replace(
    "<BillGenBy>imis</BillGenBy><BillApprBy>imis</BillApprBy>",
    "<BillApprBy>imis</BillApprBy><BillGenBy>imis</BillGenBy>",
)


@pytest.mark.parametrize(
    ("element", "code"),
    [
        (submission_v4(bill(), SpCode="SP023"), "7323"),
        (submission_v4(bill(), RtrRespFlg="1"), "7242"),
        (submission_v4(), "7242"),
        (submission_v4(bill("b-1"), bill("b-1")), "7226"),
        (
            submission_v4(bill()).replace("<gepgBillSubReq>", '<gepgBillSubReq><!DOCTYPE a [<!ENTITY x "y">]>', 1),
            "7242",
        ),
        (SWAPPED, "7242"),
        (submission_v4(bill()).replace("<Ccy>TZS</Ccy>", "<CCy>TZS</CCy>"), "7242"),
        ("<gepgBillSubReq></gepgBillSubReq>", "7242"),
        ("<gepgBillSubReq><a></gepgBillSubReq>", "7242"),
        (submission(), "7242"),
    ],
)
async def test_a_misshapen_message_is_refused(bench, element, code):
    assert await code_of(bench.send_v4(V4, element)) == code


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Gepg-Code": None}, "7202"),
        ({"Gepg-Com": None}, "7202"),
        ({"Gepg-Com": "reusebill.sp.in"}, "7322"),
        ({"Gepg-Code": "SP19966"}, "7323"),
    ],
)
async def test_headers_are_demanded_and_v5s_is_not(bench, headers, code):
    assert await code_of(bench.send_v4(V4, submission_v4(bill()), **headers)) == code


def _swap(raw, old, new):
    assert old in raw
    return raw.replace(old, new)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda raw: _swap(raw, b"30000.00</BillAmt>", b"30001.00</BillAmt>"), "7303"),
        (lambda raw: _swap(raw, b"gepgSignature>", b"signature>"), "7303"),
        (lambda raw: _swap(raw, b"</gepgBillSubReq><gepg", b"</gepgBillSubReq>\n<gepg"), "7242"),
        (lambda raw: _swap(raw, b"<BillHdr>", b"<BillHdr> "), "7303"),
        (lambda raw: b"hello", "7303"),
    ],
)
async def test_a_spoilt_envelope_is_refused(bench, spoil, code):
    raw = spoil(bench.gateway.sign(submission_v4(bill()), "v4"))
    assert await code_of(bench.send_v4_raw(V4, raw)) == code
    assert await bench.get("/sandbox/bills") == []


async def test_each_generation_has_its_own_signature(bench):
    """SHA-256 is none of v4's, SHA-1 none of v5's, though key and bytes are right."""
    as_v5 = bench.gateway.sign(submission_v4(bill())).replace(b"signature>", b"gepgSignature>")
    assert await code_of(bench.send_v4_raw(V4, as_v5)) == "7303"
    as_v4 = bench.gateway.sign(submission(), "v4").replace(b"gepgSignature>", b"signature>")
    assert field(await bench.submit_raw(as_v4), "AckStsCode") == "7303"


async def test_a_duplicate_keeps_the_first_and_the_number_is_sent_again(bench):
    number = await bench.numbered_v4("b-1")
    again = submission_v4(bill("b-1", **dict.fromkeys(AMOUNTS, "1.00")))
    assert await code_of(bench.send_v4(V4, again)) == "7226"
    raw = (await until(lambda: bench.gateway.bills[1:]))[0]
    assert answers(raw) == [("b-1", number, "GS", "7101")]
    assert (await bench.bill())["amount"] == "30000.00"


async def test_a_duplicate_among_new_bills_is_told_of_in_the_callback(bench):
    number = await bench.numbered_v4("b-1")
    assert await code_of(bench.send_v4(V4, submission_v4(bill("b-1"), bill("b-2")))) == "7101"
    raw = (await until(lambda: bench.gateway.bills[1:]))[0]
    old, new = answers(raw)
    assert old == ("b-1", number, "GF", "7226")
    assert (new[0], new[2:]) == ("b-2", ("GS", "7101"))


@pytest.mark.parametrize("trouble", [500, "7242", "bad-signature", "as-v5"])
async def test_numbers_are_sent_again_until_well_acknowledged(bench, trouble):
    bench.gateway.plan.extend([trouble, trouble])
    await bench.numbered_v4()
    await until(lambda: len(bench.gateway.bills) == 3)
    assert len(set(bench.gateway.bills)) == 1, "redelivered byte for byte"
    await bench.acknowledged()


# ------------------------------------------------------------------------------------------------ reuse, change, cancel


async def reuse_v4(bench, bill_id, number):
    reuse = {"Gepg-Com": "reusebill.sp.in"}
    return await code_of(bench.send_v4(REUSE, submission_v4(bill(bill_id, reuse=number)), **reuse))


async def reuse_v5(bench, bill_id, number):
    return field(await bench.submit(submission(bill_id, reuse=number), **{"Gepg-Com": "reusebill.sp.in"}), "AckStsCode")


@pytest.mark.parametrize("again", [reuse_v4, reuse_v5])
async def test_a_number_is_used_again_until_it_is_paid(bench, again):
    """A bill of either generation may take over a number, whoever asked for it first."""
    number = await bench.numbered_v4("b-1")
    assert await again(bench, "b-2", number) == "7101"
    raw = (await until(lambda: bench.gateway.bills[1:]))[0]
    assert (field(raw, "PayCntrNum") or field(raw, "BillCntrNum")) == number
    assert (await bench.bill("b-2"))["control_number"] == number
    assert await again(bench, "b-3", "199600000000") == "7335"
    await bench.pay(number)
    assert field(bench.gateway.payments[0], "BillId") == "b-2", "the newest bill of the number is what is paid"
    assert await again(bench, "b-4", number) == "7279"


@pytest.mark.parametrize("again", [reuse_v4, reuse_v5])
async def test_an_expired_number_lives_again_with_its_new_bill(start, again):
    ahead = timedelta()
    bench = await start(now=lambda: datetime.now(EAT) + ahead)
    number = await bench.numbered_v4("b-1", BillExprDt=days_from_now(1))
    partly = await bench.numbered_v4("b-2", BillPayOpt="2")
    await bench.pay(partly, "100.00")
    ahead = timedelta(days=2)
    assert (await bench.pay(number))["code"] == "7213"
    assert await again(bench, "b-3", number) == "7101"
    await bench.acknowledged("b-3")
    assert (await bench.pay(number))["status"] == "paid"
    assert [(await bench.bill(bill_id))["status"] for bill_id in ("b-1", "b-3")] == ["expired", "paid"]
    assert await again(bench, "b-4", partly) == "7301"


async def test_reuse_has_a_path_of_its_own(bench):
    number = await bench.numbered_v4("b-1")
    element = submission_v4(bill("b-2", reuse=number))
    assert await code_of(bench.send_v4(REUSE, element)) == "7322"
    assert await code_of(bench.send_v4(V4, element)) == "7333"
    assert await code_of(bench.send_v4(REUSE, submission_v4(bill("b-2")), **{"Gepg-Com": "reusebill.sp.in"})) == "7333"
    both = submission_v4(bill("b-2", reuse=number), bill("b-3", reuse=number))
    assert await code_of(bench.send_v4(REUSE, both, **{"Gepg-Com": "reusebill.sp.in"})) == "7333"


async def change_in_v4(bench, bill_id, expires):
    return await code_of(bench.send_v4(CHANGE, change_v4(bill_id, expires), **{"Gepg-Com": "changebill.sp.in"}))


async def change_in_v5(bench, bill_id, expires):
    raw = bench.gateway.sign(
        f"<billSubReq><BillHdr><ReqId>R9</ReqId><SpGrpCode>SP19960</SpGrpCode><SysCode>TIMIS001</SysCode>"
        f"<BillTyp>1</BillTyp><PayTyp>2</PayTyp><GrpBillId>{bill_id}</GrpBillId></BillHdr><BillDtls><BillDtl>"
        f"<BillId>{bill_id}</BillId><SpCode>SP19960</SpCode><BillExprDt>{expires}</BillExprDt><BillGenBy>a</BillGenBy>"
        f"<BillApprBy>b</BillApprBy><UpdateReasn>c</UpdateReasn></BillDtl></BillDtls></billSubReq>"
    )
    headers = {**HEADERS, "Gepg-Com": "changebill.sp.in"}
    async with bench.http.post("/gepg/api/bill/20/change-submission", data=raw, headers=headers) as response:
        ack = await response.text()
    assert field(ack, "ReqId") == "R9"
    return field(ack, "AckStsCode")


@pytest.mark.parametrize("change", [change_in_v4, change_in_v5])
async def test_a_change_moves_the_expiry_and_revives_the_bill(start, change):
    ahead = timedelta()
    bench = await start(now=lambda: datetime.now(EAT) + ahead)
    number = await bench.numbered_v4("b-1", BillExprDt=days_from_now(1))
    ahead = timedelta(days=2)
    assert (await bench.bill())["status"] == "expired"
    later = days_from_now(60)
    assert await change(bench, "b-2", later) == "7204"
    assert await change(bench, "b-1", days_from_now(-1)) == "7231"
    assert await change(bench, "b-1", later) == "7101"
    assert (await bench.bill())["status"] == "numbered"
    assert (await bench.bill())["expires_at"].startswith(later)
    assert (await bench.pay(number))["status"] == "paid"
    assert await change(bench, "b-1", later) == "7279"
    assert len(bench.gateway.bills) == 1, "a change has no callback"


async def test_a_cancelled_bill_is_not_revived(bench):
    await bench.numbered_v4("b-1")
    await bench.send_v4(CANCEL, cancellation_v4("b-1"))
    assert await change_in_v4(bench, "b-1", days_from_now(60)) == "7283"


@pytest.mark.parametrize("protocol", ["default.sp.in", "changebill.sp.in"])
async def test_cancelling_many_at_once(bench, protocol):
    number, paid = await bench.numbered_v4("b-1"), await bench.numbered_v4("b-2")
    await bench.pay(paid)
    await bench.pay(await bench.numbered_v4("b-3", BillPayOpt="2"), "100.00")
    element = cancellation_v4("b-1", "b-2", "b-3", "b-9", reason="")
    answer = await bench.send_v4(CANCEL, element, **{"Gepg-Com": protocol})
    found = re.findall(
        r"<BillCanclTrxDt><BillId>(.*?)</BillId><TrxSts>(.*?)</TrxSts><TrxStsCode>(.*?)</TrxStsCode></BillCanclTrxDt>",
        answer,
    )
    assert found == [("b-1", "GS", "7283"), ("b-2", "GF", "7279"), ("b-3", "GF", "7301"), ("b-9", "GF", "7204")]
    assert answer.startswith("<Gepg><gepgBillCanclResp><BillCanclTrxDt>")
    assert (await bench.bill())["status"] == "cancelled"
    assert (await bench.pay(number))["code"] == "7283"


@pytest.mark.parametrize(
    ("element", "headers", "code"),
    [
        (cancellation_v4("b-1"), {"Gepg-Code": None}, "7202"),
        (cancellation_v4("b-1"), {"Gepg-Com": "other"}, "7322"),
        (cancellation_v4("b-1", sp_code="SP023"), {}, "7323"),
        (cancellation_v4("b-1", sp_code="23"), {}, "7205"),
        (cancellation_v4(""), {}, "7227"),
        (cancellation_v4(), {}, "7242"),
        (submission_v4(bill()), {}, "7242"),
    ],
)
async def test_a_wrong_cancellation_is_refused(bench, element, headers, code):
    await bench.numbered_v4("b-1")
    assert await code_of(bench.send_v4(CANCEL, element, **headers)) == code
    assert (await bench.bill())["status"] == "numbered"
