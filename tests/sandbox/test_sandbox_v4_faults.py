"""Troubles of both generations: what overtakes, what gets lost, what comes twice, and a number given to two bills."""

import asyncio

import aiohttp
import pytest
from fake_gateway import HEADERS, field, submission, until
from fake_v4 import CANCEL, HEADERS_V4, V4, bill, cancellation_v4, submission_v4


class Peer:
    """One generation's way of asking for a bill."""

    def __init__(self, bench, version):
        self.bench, self.version = bench, version
        self.number_tag = "PayCntrNum" if version == "v4" else "BillCntrNum"
        self.code_tag = "TrxStsCode" if version == "v4" else "AckStsCode"

    async def submit(self, bill_id):
        """HTTP status and body, with no word on what they should be."""
        v4 = self.version == "v4"
        raw = self.bench.gateway.sign(submission_v4(bill(bill_id)) if v4 else submission(bill_id), self.version)
        path = V4 if v4 else "/gepg/api/bill/20/submission"
        async with self.bench.http.post(path, data=raw, headers=HEADERS_V4 if v4 else HEADERS) as response:
            return response.status, await response.read()

    async def numbered(self, bill_id):
        seen = len(self.bench.gateway.bills)
        assert field((await self.submit(bill_id))[1], self.code_tag) == "7101"
        await until(lambda: len(self.bench.gateway.bills) > seen)
        return field(self.bench.gateway.bills[-1], self.number_tag)


@pytest.fixture(params=["v4", "v5"])
def peer(request, bench):
    return Peer(bench, request.param)


async def test_the_callback_overtakes_the_acknowledgement(bench, peer):
    await bench.fault("bill_ack", "callback_before_ack")
    status, ack = await peer.submit("b-1")
    assert len(bench.gateway.bills) == 1, "told before our own request was answered"
    assert (await bench.bill())["acknowledged"]
    assert (status, field(ack, peer.code_tag)) == (200, "7101")
    bench.gateway.plan.extend([503] * 6)
    await bench.fault("bill_ack", "callback_before_ack", seconds=0.01)
    assert (await peer.submit("b-2"))[0] == 200, "at most so many seconds"


async def test_nothing_overtakes_a_refusal(bench, peer):
    await bench.fault("bill_ack", "callback_before_ack")
    await bench.fault("bill_submission", "alter")
    status, ack = await peer.submit("b-1")
    assert (status, field(ack, peer.code_tag)) == (200, "7303")


async def test_a_number_given_twice(bench, peer):
    await bench.fault("bill_response", "same_number")
    first = await peer.numbered("b-1")
    assert await bench.get("/sandbox/faults") != [], "there was no number to give again"
    assert await peer.numbered("b-2") == first
    assert await bench.get("/sandbox/faults") == []
    assert await peer.numbered("b-3") != first
    assert (await bench.pay(first))["status"] == "paid"
    assert field(bench.gateway.payments[0], "BillId") == "b-1", "whoever pays it pays the first bill"
    assert [(await bench.bill(bill_id))["status"] for bill_id in ("b-1", "b-2")] == ["paid", "numbered"]


async def test_one_request_of_v4_may_carry_the_same_number_twice(bench):
    await bench.fault("bill_response", "same_number")
    await bench.send_v4(V4, submission_v4(bill("b-1"), bill("b-2")))
    raw = (await until(lambda: bench.gateway.bills))[0].decode()
    first, second = raw.split("</BillTrxInf>")[:2]
    assert field(first, "PayCntrNum") == field(second, "PayCntrNum")


@pytest.mark.parametrize(
    ("message", "fault", "kept"),
    [("bill_submission", "drop", []), ("bill_ack", "drop", ["b-1"])],
)
async def test_lost(bench, peer, message, fault, kept):
    await bench.fault(message, fault)
    with pytest.raises(aiohttp.ClientConnectionError):
        await peer.submit("b-1")
    assert [each["bill_id"] for each in await bench.get("/sandbox/bills")] == kept


@pytest.mark.parametrize("message", ["bill_submission", "bill_ack"])
async def test_an_error_after_the_work(bench, peer, message):
    await bench.fault(message, "error_after")
    assert (await peer.submit("b-1"))[0] == 500
    await until(lambda: bench.gateway.bills)
    assert field((await peer.submit("b-1"))[1], peer.code_tag) == "7226"


async def test_altered_answer_and_callbacks_are_noticed_and_sent_again(bench, peer):
    await bench.fault("bill_ack", "alter")
    assert not bench.gateway.check((await peer.submit("b-1"))[1])
    await until(lambda: bench.gateway.bills)
    await bench.acknowledged("b-1")
    await bench.fault("bill_response", "alter")
    await peer.numbered("b-2")
    await bench.acknowledged("b-2")
    spoilt, good = bench.gateway.bills[1:]
    assert (bench.gateway.check(spoilt), bench.gateway.check(good)) == (False, True)
    assert field(spoilt, peer.number_tag) != field(good, peer.number_tag)
    await bench.fault("payment_notification", "alter")
    assert (await bench.pay(field(good, peer.number_tag)))["status"] == "paid"
    assert [bench.gateway.check(raw) for raw in bench.gateway.payments] == [False, True]


async def test_doubled_lost_and_reordered_callbacks(bench, peer):
    await bench.fault("bill_response", "double")
    await peer.numbered("b-1")
    await bench.acknowledged("b-1")
    first, second = bench.gateway.bills
    assert first == second
    await bench.fault("bill_response", "reorder")
    await peer.submit("b-2")
    await bench.fault_taken()
    await peer.submit("b-3")
    await until(lambda: len(bench.gateway.bills) == 4)
    assert [field(raw, "BillId") for raw in bench.gateway.bills[2:]] == ["b-3", "b-2"]
    await bench.fault("payment_notification", "error_after")
    number = (await bench.bill("b-2"))["control_number"]
    assert (await bench.pay(number))["status"] == "paid"
    assert (await bench.get("/sandbox/payments"))[0]["attempts"] == ["lost", "7101"]


async def cancel(bench, version):
    if version == "v4":
        raw, path, headers = bench.gateway.sign(cancellation_v4("b-1"), "v4"), CANCEL, HEADERS_V4
    else:
        path, headers = "/gepg/api/bill/20/cancellation", HEADERS
        raw = bench.gateway.sign(
            "<billCanclReq><ReqId>C1</ReqId><SpGrpCode>SP19960</SpGrpCode><GrpBillId>b-1</GrpBillId></billCanclReq>"
        )
    async with bench.http.post(path, data=raw, headers=headers) as response:
        body = await response.text()
    return response.status, field(body, "TrxStsCode") or field(body, "CanclStsCode")


@pytest.mark.parametrize(
    ("fault", "answer", "status"),
    [
        ("error_after", (500, None), "cancelled"),
        ("double", (200, "7283"), "cancelled"),
        ("alter", (200, "7303"), "numbered"),
        ("drop", None, "numbered"),
    ],
)
async def test_troubles_of_a_cancellation(bench, peer, fault, answer, status):
    await peer.numbered("b-1")
    await bench.fault("bill_cancellation", fault)
    if answer is None:
        with pytest.raises(aiohttp.ClientConnectionError):
            await cancel(bench, peer.version)
    else:
        assert await cancel(bench, peer.version) == answer
    assert (await bench.bill())["status"] == status
    assert await cancel(bench, peer.version) == (200, "7283"), "once only"


@pytest.mark.parametrize(
    ("message", "fault", "listed"),
    [
        ("nothing", "drop", "bill_submission, bill_ack, bill_cancellation, bill_response, payment_notification"),
        ("bill_ack", "double", "callback_before_ack"),
        ("bill_response", "callback_before_ack", "same_number"),
        ("payment_notification", "same_number", "drop, delay, double, reorder, alter, error_after"),
        ("bill_submission", "explode", "drop, delay, double, reorder, alter, error_after"),
    ],
)
async def test_a_wrong_order_is_answered_with_what_there_is(bench, message, fault, listed):
    reply = await bench.post("/sandbox/faults", status=400, message=message, fault=fault)
    assert listed in reply["error"]


async def test_a_late_callback_does_not_hold_the_acknowledgement(bench, peer):
    await bench.fault("bill_response", "delay", seconds=30)
    assert field((await asyncio.wait_for(peer.submit("b-1"), 5))[1], peer.code_tag) == "7101"
    await bench.fault_taken()
    assert bench.gateway.bills == []
