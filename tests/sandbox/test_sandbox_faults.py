"""Every fault does what it says, the ordered number of times, and no more."""

import asyncio
import time

import aiohttp
import pytest
from fake_gateway import HEADERS, field, submission, until


async def _post(bench, bill_id):
    raw = bench.gateway.sign(submission(bill_id))
    async with bench.http.post("/gepg/api/bill/20/submission", data=raw, headers=HEADERS) as response:
        return response.status, await response.read()


async def _bill_ids(bench):
    return [bill["bill_id"] for bill in await bench.get("/sandbox/bills")]


@pytest.mark.parametrize(("message", "kept"), [("bill_submission", []), ("bill_ack", ["b-1"])])
async def test_drop_inbound_closes_without_an_answer(bench, message, kept):
    await bench.fault(message, "drop")
    with pytest.raises(aiohttp.ClientConnectionError):
        await _post(bench, "b-1")
    assert await _bill_ids(bench) == kept
    assert (await _post(bench, "b-2"))[0] == 200, "once only"


@pytest.mark.parametrize("message", ["bill_submission", "bill_ack"])
async def test_error_after_does_the_work(bench, message):
    await bench.fault(message, "error_after")
    assert (await _post(bench, "b-1"))[0] == 500
    assert await _bill_ids(bench) == ["b-1"]
    await until(lambda: bench.gateway.bills)


async def test_delay_and_alter_inbound(bench):
    await bench.fault("bill_submission", "delay", seconds=0.2)
    begun = time.monotonic()
    assert field((await _post(bench, "b-1"))[1], "AckStsCode") == "7101"
    assert time.monotonic() - begun >= 0.2
    await bench.fault("bill_submission", "alter")
    assert field((await _post(bench, "b-2"))[1], "AckStsCode") == "7303"
    await bench.fault("bill_ack", "alter")
    assert not bench.gateway.check((await _post(bench, "b-3"))[1])
    assert await _bill_ids(bench) == ["b-1", "b-3"]


async def test_double_inbound_is_taken_twice(bench):
    await bench.fault("bill_submission", "double")
    assert field((await _post(bench, "b-1"))[1], "AckStsCode") == "7226"
    assert await _bill_ids(bench) == ["b-1"]


async def test_reorder_inbound(bench):
    await bench.fault("bill_submission", "reorder")
    first = asyncio.create_task(_post(bench, "b-1"))
    await bench.fault_taken()
    assert not first.done()
    await _post(bench, "b-2")
    await asyncio.wait_for(first, 5)
    assert await _bill_ids(bench) == ["b-2", "b-1"]


async def test_reorder_lets_go_after_its_seconds_or_on_clear(bench):
    await bench.fault("bill_submission", "reorder", seconds=0.05)
    assert (await _post(bench, "b-1"))[0] == 200
    await bench.fault("bill_submission", "reorder")
    held = asyncio.create_task(_post(bench, "b-2"))
    await bench.fault_taken()
    async with bench.http.delete("/sandbox/faults") as response:
        assert await response.json() == []
    assert (await asyncio.wait_for(held, 5))[0] == 200


async def test_drop_outbound_is_redelivered_unless_forever(bench):
    await bench.fault("bill_response", "drop", times=2)
    await bench.numbered("b-1")
    assert len(bench.gateway.bills) == 1
    await bench.fault("payment_notification", "drop")
    assert (await bench.pay((await bench.bill())["control_number"]))["status"] == "paid"
    assert (await bench.get("/sandbox/payments"))[0]["attempts"] == ["dropped", "7101"]

    number = await bench.numbered("b-2")
    await bench.fault("payment_notification", "drop", forever=True)
    assert (await bench.pay(number))["status"] == "undelivered"
    assert len(bench.gateway.payments) == 1


async def test_double_alter_and_lost_acknowledgement_outbound(bench):
    number = await bench.numbered("b-1")
    await bench.fault("payment_notification", "double")
    assert (await bench.pay(number))["status"] == "paid"
    assert len(bench.gateway.payments) == 2
    assert len(set(bench.gateway.payments)) == 1

    number = await bench.numbered("b-2")
    await bench.fault("payment_notification", "alter")
    assert (await bench.pay(number))["status"] == "paid"
    spoilt, good = bench.gateway.payments[2:]
    assert (bench.gateway.check(spoilt), bench.gateway.check(good)) == (False, True)
    assert sum(a != b for a, b in zip(spoilt, good, strict=True)) == 1

    number = await bench.numbered("b-3")
    await bench.fault("payment_notification", "error_after")
    assert (await bench.pay(number))["status"] == "paid"
    assert (await bench.get("/sandbox/payments"))[-1]["attempts"] == ["lost", "7101"]
    assert len(bench.gateway.payments) == 6


async def test_reorder_outbound(bench):
    one, two = await bench.numbered("b-1"), await bench.numbered("b-2")
    await bench.fault("payment_notification", "reorder")
    first = asyncio.create_task(bench.pay(one))
    await bench.fault_taken()
    await bench.pay(two)
    assert (await asyncio.wait_for(first, 5))["status"] == "paid"
    assert [field(raw, "BillId") for raw in bench.gateway.payments] == ["b-2", "b-1"]


async def test_listing_and_clearing(bench):
    await bench.fault("sms", "delay", times=3, seconds=1)
    assert await bench.get("/sandbox/faults") == [
        {"message": "sms", "fault": "delay", "times": 3, "seconds": 1.0, "forever": False}
    ]
    async with bench.http.delete("/sandbox/faults") as response:
        assert response.status == 200
    assert await bench.get("/sandbox/faults") == []


@pytest.mark.parametrize(
    "order",
    [
        {"message": "nothing", "fault": "drop"},
        {"message": "sms", "fault": "explode"},
        {"message": "sms", "fault": "drop", "times": 10_001},
        {"message": "sms", "fault": "drop", "times": 0},
        {"message": "sms", "fault": "delay", "seconds": 601},
        {"message": "bill_ack", "fault": "double"},
        {"message": ["sms"], "fault": "drop"},
    ],
)
async def test_a_wrong_order_is_refused(bench, order):
    assert "error" in await bench.post("/sandbox/faults", status=400, **order)
