"""Payments of bills that were asked for in v4: told in v4, once or often, alone or several in one message."""

import re

import pytest
from fake_gateway import field
from fake_v4 import days_from_now


async def test_a_payment_is_notified_and_acknowledged(bench):
    number = await bench.numbered_v4()
    result = await bench.pay(number, receipt="RCPT1", channel="M")
    assert result["status"] == "paid"
    (raw,) = bench.gateway.payments
    assert bench.gateway.check(raw)
    element = re.fullmatch(
        rb"<Gepg><gepgPmtSpInfo><PymtTrxInf>(.*)</PymtTrxInf></gepgPmtSpInfo><gepgSig.*", raw, re.S
    ).group(1)
    got = re.findall(r"<(\w+)>([^<]*)</", element.decode())
    told = dict(got)
    assert days_from_now(-0.001) < told["TrxDtTm"] < days_from_now(0.001)
    assert list(told) == list(
        expected := {
            "TrxId": result["trx_id"],
            "SpCode": "SP19960",
            "PayRefId": result["pay_ref_id"],
            "BillId": "b-1",
            "PayCtrNum": number,
            "BillAmt": "30000.00",
            "PaidAmt": "30000.00",
            "BillPayOpt": "3",
            "CCy": "TZS",
            "TrxDtTm": told["TrxDtTm"],
            "UsdPayChnl": "M",
            "PyrCellNum": "255754000009",
            "PyrName": "ASHA &amp; JUMA",
            "PyrEmail": "",
            "PspReceiptNumber": "RCPT1",
            "PspName": "UAT Simulator",
            "CtrAccNum": "GEPG0123456",
        }
    ), "in this order"
    assert told == expected
    assert (await bench.bill())["status"] == "paid"
    (payment,) = await bench.get("/sandbox/payments")
    assert (payment["delivery"], payment["attempts"], payment["version"]) == ("acknowledged", ["7101"], "v4")


@pytest.mark.parametrize(
    ("option", "pays"),
    [
        ("1", [("29999.00", "7214"), ("30000.00", None)]),
        ("2", [("0.01", None), ("20000.00", None), ("9999.99", None), ("1.00", "7279")]),
        ("3", [("29999.99", "7302"), ("30000.00", None)]),
    ],
)
async def test_payment_options(bench, option, pays):
    number = await bench.numbered_v4(BillPayOpt=option)
    for amount, code in pays:
        assert (await bench.pay(number, amount)).get("code") == code, amount


@pytest.mark.parametrize(
    ("trouble", "word"),
    [(503, "none"), ("7201", "7201"), ("bad-signature", "bad-signature"), ("as-v5", "bad-signature")],
)
async def test_a_payment_is_told_of_again_until_well_acknowledged(bench, trouble, word):
    number = await bench.numbered_v4()
    bench.gateway.plan.append(trouble)
    assert (await bench.pay(number))["status"] == "paid"
    assert (await bench.get("/sandbox/payments"))[0]["attempts"] == [word, "7101"]
    assert len(set(bench.gateway.payments)) == 1


def plain(raw):
    """The message without its line breaks and without its signature."""
    return re.sub(rb"\n|<gepgSignature>.*", b"", raw)


async def test_redelivery_identical_fresh_and_altered(bench):
    number = await bench.numbered_v4()
    ref = (await bench.pay(number))["pay_ref_id"]
    first = bench.gateway.payments[0]
    result = await bench.post("/sandbox/redeliver", pay_ref_id=ref, times=20, concurrency=10)
    assert result == {"acks": {"7101": 20}, "http": {"200": 20}}
    assert bench.gateway.payments == [first] * 21

    await bench.post("/sandbox/redeliver", pay_ref_id=ref, times=20, concurrency=10, fresh=True)
    fresh = bench.gateway.payments[21:]
    assert len({first, *fresh}) == 21, "v4 has no identifier: the white space and with it the signature differ"
    assert {plain(raw) for raw in fresh} == {plain(first)}
    assert all(map(bench.gateway.check, fresh))

    await bench.post("/sandbox/redeliver", pay_ref_id=ref, amount="29000.00")
    altered = bench.gateway.payments[-1]
    assert (field(altered, "PaidAmt"), field(altered, "PayRefId")) == ("29000.00", ref)
    assert bench.gateway.check(altered)


@pytest.mark.parametrize(("version", "entry"), [("v4", "PymtTrxInf"), ("v5", "PmtTrxDtl")])
async def test_several_bills_paid_in_one_transaction(bench, version, entry):
    numbered = bench.numbered_v4 if version == "v4" else bench.numbered
    numbers = [await numbered(f"b-{place}") for place in (1, 2)]
    payer = "+255754000009"
    result = await bench.post("/sandbox/pay", control_numbers=numbers, msisdn=payer)
    assert result["status"] == "paid"
    (raw,) = bench.gateway.payments
    entries = re.findall(f"<{entry}>(.*?)</{entry}>", raw.decode())
    assert [(field(e, "BillId"), field(e, "PaidAmt")) for e in entries] == [("b-1", "30000.00"), ("b-2", "30000.00")]
    assert {field(e, "TrxId") for e in entries} == {result["trx_id"]}
    assert [field(e, "PayRefId") for e in entries] == result["pay_ref_ids"]
    if version == "v5":
        assert field(raw, "EntryCnt") == "2"
    payments = await bench.get("/sandbox/payments")
    assert [(p["delivery"], p["attempts"]) for p in payments] == [("acknowledged", ["7101"])] * 2
    await bench.post("/sandbox/redeliver", pay_ref_id=result["pay_ref_ids"][1], fresh=True)
    again = re.findall(f"<{entry}>(.*?)</{entry}>", bench.gateway.payments[1].decode(), re.S)
    assert [field(e, "BillId") for e in again] == ["b-1", "b-2"]

    third = await numbered("b-3")
    refused = await bench.post("/sandbox/pay", control_numbers=[third, numbers[0]], msisdn=payer)
    assert (refused["status"], refused["code"]) == ("refused", "7279")
    assert (await bench.bill("b-3"))["status"] == "numbered", "all or none"


async def test_one_transaction_speaks_one_generation(bench):
    numbers = [await bench.numbered_v4("b-1"), await bench.numbered("b-2")]
    refused = await bench.post("/sandbox/pay", control_numbers=numbers, msisdn="+255754000009")
    assert (refused["status"], refused["code"]) == ("refused", "7242")


@pytest.mark.parametrize("numbers", [[], ["199600000000"], ["199600000000"] * 2, "199600000000", [1, 2], ["x", "y"]])
async def test_a_wrong_list_of_numbers_is_a_400(bench, numbers):
    await bench.post("/sandbox/pay", status=400, control_numbers=numbers, msisdn="+255754000009")
