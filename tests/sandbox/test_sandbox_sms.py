"""Africa's Talking's SMS interface, with a raw form and with the official SDK."""

import asyncio

import aiohttp
import pytest
from africastalking.Service import AfricasTalkingException
from africastalking.SMS import SMSService

from sandbox.septets import fits_ussd, measure, segments

PATH = "/africastalking/version1/messaging"
FORM = {"username": "imis", "to": "+255712000001", "message": "Habari", "bulkSMSMode": "1"}
KEY = {"apiKey": "k", "Accept": "application/json"}


async def _send(bench, headers=KEY, **changes):
    form = {name: value for name, value in {**FORM, **changes}.items() if value is not None}
    async with bench.http.post(PATH, data=form, headers=headers) as response:
        if response.content_type == "application/json":
            assert response.headers["Content-Type"] == "application/json"
            return response.status, (await response.json())["SMSMessageData"]
        return response.status, await response.text()


async def test_a_message_is_accepted_and_kept(bench):
    status, data = await _send(bench, **{"from": "NHIF"})
    assert status == 201
    (recipient,) = data["Recipients"]
    assert data["Message"] == "Sent to 1/1 Total Cost: TZS 22.0000"
    assert (recipient["statusCode"], recipient["status"], recipient["number"]) == (101, "Success", "+255712000001")
    (kept,) = await bench.get("/sandbox/sms?to=+255712000001")
    assert kept.pop("at").endswith("+00:00")
    assert kept == {
        "to": "+255712000001",
        "text": "Habari",
        "id": recipient["messageId"],
        "from": "NHIF",
        "alphabet": "GSM-7",
        "septets": 6,
        "segments": 1,
    }
    assert await bench.get("/sandbox/sms?to=%2B255712000001") != []
    assert await bench.get("/sandbox/sms?to=%2B255712000002") == []


async def test_duplicates_stay_visible(bench):
    await _send(bench)
    await _send(bench)
    kept = await bench.get("/sandbox/sms")
    assert [message["text"] for message in kept] == ["Habari", "Habari"]
    assert len({message["id"] for message in kept}) == 2


async def test_a_bad_number_is_refused_alone(bench):
    status, data = await _send(bench, to="+255712000001,0712000002")
    assert (status, data["Message"][:11]) == (201, "Sent to 1/2")
    assert [(r["statusCode"], r["messageId"] == "None") for r in data["Recipients"]] == [(101, False), (403, True)]


@pytest.mark.parametrize(
    ("headers", "changes", "expected"),
    [({}, {}, 401), (KEY, {"username": None}, 401), (KEY, {"to": None}, 400), (KEY, {"message": None}, 400)],
)
async def test_a_request_without_its_parts(bench, headers, changes, expected):
    status, text = await _send(bench, headers, **changes)
    assert status == expected
    assert isinstance(text, str)
    assert await bench.get("/sandbox/sms") == []


async def test_the_balance(bench):
    async with bench.http.get("/africastalking/version1/user?username=imis", headers=KEY) as response:
        assert (await response.json())["UserData"]["balance"].startswith("TZS ")
    async with bench.http.get("/africastalking/version1/user?username=imis") as response:
        assert response.status == 401


async def test_the_official_sdk(bench):
    service = SMSService("imis", "key")
    service._baseUrl = bench.url + "/africastalking/version1"
    text = "Umelipa: risiti 926_1 & asante"
    reply = await asyncio.to_thread(service.send, text, ["+255712000001", "+255712000002"], "NHIF")
    assert [r["statusCode"] for r in reply["SMSMessageData"]["Recipients"]] == [101, 101]
    assert [m["text"] for m in await bench.get("/sandbox/sms")] == [text, text]
    service._headers.pop("apiKey")
    with pytest.raises(AfricasTalkingException, match="authentication"):
        await asyncio.to_thread(service.send, text, ["+255712000001"])


async def test_faults(bench):
    await bench.fault("sms", "drop")
    with pytest.raises(aiohttp.ClientConnectionError):
        await _send(bench)
    assert await bench.get("/sandbox/sms") == []
    await bench.fault("sms", "error_after")
    assert (await _send(bench, message="moja"))[0] == 500
    await bench.fault("sms", "double")
    assert (await _send(bench, message="mbili"))[0] == 201
    await bench.fault("sms", "alter")
    assert (await _send(bench, message="& tatu"))[0] == 201
    await bench.fault("sms", "reorder")
    held = asyncio.create_task(_send(bench, message="tano"))
    await bench.fault_taken()
    await _send(bench, message="nne")
    assert (await asyncio.wait_for(held, 5))[0] == 201
    texts = [message["text"] for message in await bench.get("/sandbox/sms")]
    assert texts == ["moja", "mbili", "mbili", "& xatu", "nne", "tano"]


@pytest.mark.parametrize(
    ("text", "length", "parts"),
    [
        ("a" * 160, ("GSM-7", 160), 1),
        ("a" * 161, ("GSM-7", 161), 2),
        ("€" * 80, ("GSM-7", 160), 1),
        ("ng’ombe", ("UCS-2", 7), 1),
        ("😀" * 36, ("UCS-2", 72), 2),
        ("[a]\n", ("GSM-7", 6), 1),
    ],
)
def test_lengths(text, length, parts):
    assert (measure(text), segments(text)) == (length, parts)


def test_ussd_lengths():
    assert [fits_ussd("a" * 182), fits_ussd("a" * 183), fits_ussd("…" * 80), fits_ussd("…" * 81)] == [1, 0, 1, 0]
