"""Paying, refusing, forcing, and sending a notification again."""

import re
from datetime import datetime, timedelta

import pytest
from fake_gateway import EAT, field, until

from sandbox import money


async def test_a_payment_is_notified_and_acknowledged(bench):
    number = await bench.numbered()
    result = await bench.pay(number, receipt="RCPT1")
    assert result["status"] == "paid"
    (raw,) = bench.gateway.payments
    assert bench.gateway.check(raw)
    got = {tag: field(raw, tag) for tag in re.findall(r"<(\w+)>[^<]*</", raw.decode())}
    assert got.pop("ReqId").startswith("REQ")
    paid_at = datetime.strptime(got.pop("TrxDtTm"), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=EAT)
    assert abs(datetime.now(EAT) - paid_at) < timedelta(minutes=1)
    assert re.fullmatch(rf"9{datetime.now(EAT):%y}\d{{3}}\d{{9}}", got["PayRefId"])
    got.pop("signature")
    assert got == {
        "GrpBillId": "b-1",
        "SpGrpCode": "SP19960",
        "CustCntrNum": number,
        "EntryCnt": "1",
        "SpCode": "SP19960",
        "BillId": "b-1",
        "BillCtrNum": number,
        "PspCode": "PSP047",
        "PspName": "UAT Simulator",
        "TrxId": result["trx_id"],
        "PayRefId": result["pay_ref_id"],
        "BillAmt": "30000.00",
        "PaidAmt": "30000.00",
        "BillPayOpt": "3",
        "Ccy": "TZS",
        "CollAccNum": "GEPG0123456",
        "UsdPayChnl": "MOBILE",
        "TrdPtyTrxId": "RCPT1",
        "QtRefId": "",
        "PyrCellNum": "255754000009",
        "PyrEmail": "",
        "PyrName": "ASHA &amp; JUMA",
        "Rsv1": "",
        "Rsv2": "",
        "Rsv3": "",
    }
    assert (await bench.bill())["status"] == "paid"
    (payment,) = await bench.get("/sandbox/payments")
    assert (payment["delivery"], payment["attempts"], payment["amount"]) == ("acknowledged", ["7101"], "30000.00")


async def test_gepg_refuses_at_the_counter(bench):
    number = await bench.numbered()
    for control_number, amount, code in [("199600000000", "30000.00", "7335"), (number, "29999.99", "7302")]:
        result = await bench.pay(control_number, amount)
        assert (result["status"], result["code"]) == ("refused", code)
    await bench.pay(number)
    assert (await bench.pay(number))["code"] == "7279"
    assert len(bench.gateway.payments) == 1


@pytest.mark.parametrize(
    ("option", "least", "pays"),
    [
        ("1", "30000.00", [("29999.00", "7214"), ("30000.00", None)]),
        ("2", "5000.00", [("4999.99", "7214"), ("10000.00", None), ("20000.00", None), ("10000.00", "7279")]),
        ("4", "0.01", [("1.00", None), ("30000.00", None), ("30000.00", None)]),
        ("5", "0.01", [("10000.00", None), ("20000.01", "7336"), ("20000.00", None)]),
    ],
)
async def test_payment_options(bench, option, least, pays):
    number = await bench.numbered(BillPayOpt=option, MinPayAmt=least)
    for amount, code in pays:
        assert (await bench.pay(number, amount)).get("code") == code, amount


async def test_an_expired_bill_is_refused(bench):
    soon = (datetime.now(EAT) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S")
    number = await bench.numbered(BillExprDt=soon)

    async def expired():
        return (await bench.bill())["status"] == "expired"

    await until(expired)
    assert (await bench.pay(number))["code"] == "7213"


async def test_force_notifies_what_gepg_would_refuse(bench):
    number = await bench.numbered()
    assert (await bench.pay(number, "1.00", force=True))["status"] == "paid"
    assert field(bench.gateway.payments[-1], "PaidAmt") == "1.00"
    assert (await bench.bill())["status"] == "numbered", "a forced wrong amount pays nothing"
    assert (await bench.pay("990231234567", force=True))["status"] == "paid"
    unknown = bench.gateway.payments[-1]
    assert (field(unknown, "SpCode"), field(unknown, "BillCtrNum")) == ("SP023", "990231234567")


async def test_a_payment_not_acknowledged_is_pending_and_then_given_up(start):
    bench = await start(tries=3, pay_wait_s=0.0, backoff_s=0.1, backoff_max_s=0.1)
    number = await bench.numbered()
    bench.gateway.plan.extend([503, "7201", "bad-signature"])
    assert (await bench.pay(number))["status"] == "pending"
    await until(lambda: len(bench.gateway.payments) == 3)

    async def settled():
        return [payment for payment in await bench.get("/sandbox/payments") if payment["delivery"] != "pending"]

    (payment,) = await until(settled)
    assert (payment["delivery"], payment["attempts"]) == ("given_up", ["none", "7201", "bad-signature"])


async def test_a_payment_waits_for_redelivery(bench):
    number = await bench.numbered()
    bench.gateway.plan.extend([503, 503])
    assert (await bench.pay(number))["status"] == "paid"
    assert len(set(bench.gateway.payments)) == 1
    assert len(bench.gateway.payments) == 3


async def test_redelivery_identical_fresh_and_altered(bench):
    number = await bench.numbered()
    ref = (await bench.pay(number))["pay_ref_id"]
    first = bench.gateway.payments[0]

    result = await bench.post("/sandbox/redeliver", pay_ref_id=ref, times=50, concurrency=10)
    assert result == {"acks": {"7101": 50}, "http": {"200": 50}}
    assert bench.gateway.payments == [first] * 51

    bench.gateway.plan.append(503)
    result = await bench.post("/sandbox/redeliver", pay_ref_id=ref, times=5, fresh=True)
    assert result == {"acks": {"7101": 4, "none": 1}, "http": {"200": 4, "503": 1}}
    fresh = bench.gateway.payments[51:]
    assert len({field(raw, "ReqId") for raw in fresh}) == 5
    assert {field(raw, "PayRefId") for raw in fresh} == {ref}
    assert all(map(bench.gateway.check, fresh))

    await bench.post("/sandbox/redeliver", pay_ref_id=ref, amount="29000.00")
    altered = bench.gateway.payments[-1]
    assert (field(altered, "PaidAmt"), field(altered, "ReqId")) == ("29000.00", field(first, "ReqId"))
    assert bench.gateway.check(altered)

    await bench.post("/sandbox/redeliver", status=404, pay_ref_id="9")
    await bench.post("/sandbox/redeliver", status=400, pay_ref_id=ref, times=1001)


async def test_several_gateways_take_turns(start, gateway):
    bench = await start(gateways=(gateway.url, "http://127.0.0.1:9"))
    number = await bench.numbered()  # the first
    assert (await bench.pay(number))["status"] == "paid"  # the second does not answer, so the first again
    assert (await bench.get("/sandbox/payments"))[0]["attempts"] == ["unreachable", "7101"]


@pytest.mark.parametrize(
    "body",
    [
        {"control_number": "199600000000", "amount": 30000.0, "msisdn": "+255712000001"},
        {"control_number": "199600000000", "amount": "3e4", "msisdn": "+255712000001"},
        {"control_number": "x", "amount": "1.00", "msisdn": "+255712000001"},
        {"control_number": "199600000000", "amount": "1.00", "msisdn": "asha"},
        {"control_number": "199600000000", "amount": "1.00"},
    ],
)
async def test_a_malformed_order_is_a_400(bench, body):
    assert "error" in await bench.post("/sandbox/pay", status=400, **body)


@pytest.mark.parametrize(
    ("text", "minor"),
    [("30000", 3000000), ("30000.5", 3000050), ("0.01", 1), ("1.001", None), ("-1", None), ("١", None), (1.0, None)],
)
def test_money(text, minor):
    assert money.to_minor(text) == minor
    if minor is not None:
        assert money.to_minor(money.to_text(minor)) == minor
