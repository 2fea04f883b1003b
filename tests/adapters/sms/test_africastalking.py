"""Africa's Talking SMS: our request is the official client's; its replies to outcomes."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from africastalking.SMS import SMSService
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_aiohttp.plugin import AiohttpServer

from adapters.sms.africastalking import STATUSES, AfricasTalkingSms
from gateway.domain.outcomes import Accepted, Busy, Outcome, Refused, Unknown
from gateway.ports import HttpResponse, SmsMessage, SmsProvider

KEY = "atsk_0123456789"
TO = "+255712345678"
MESSAGE = SmsMessage("sms-1", TO, "Malipo yamepokelewa.")
PROVIDER: SmsProvider = AfricasTalkingSms("chf", KEY, "CHF", "https://api.africastalking.com/version1/messaging")
NEIGHBOUR = {"statusCode": 403, "number": "+255712345679", "status": "InvalidPhoneNumber", "messageId": "None"}


def recipient(code: object, message_id: object = "ATXid_1", number: object = TO) -> dict[str, object]:
    return {"statusCode": code, "number": number, "status": "?", "cost": "TZS 22.0000", "messageId": message_id}


def reply(*recipients: object, message: str = "Sent to 1/1 Total Cost: TZS 22.0000") -> bytes:
    return json.dumps({"SMSMessageData": {"Message": message, "Recipients": recipients}}).encode()


def no_list(recipients: object) -> bytes:
    return json.dumps({"SMSMessageData": {"Message": "?", "Recipients": recipients}}).encode()


CASES: list[tuple[str, int, dict[str, str], bytes, Outcome]] = [
    ("100 Processed", 201, {}, reply(recipient(100)), Accepted("ATXid_1")),
    ("101 Sent", 201, {}, reply(recipient(101)), Accepted("ATXid_1")),
    ("102 Queued", 200, {}, reply(recipient(102)), Accepted("ATXid_1")),
    ("a code in quotes", 201, {}, reply(recipient("101")), Accepted("ATXid_1")),
    ("accepted with the word None", 201, {}, reply(recipient(101, "None")), Accepted()),
    ("accepted with null", 201, {}, reply(recipient(101, None)), Accepted()),
    ("accepted with an empty id", 201, {}, reply(recipient(101, "")), Accepted()),
    ("accepted with an endless id", 201, {}, reply(recipient(101, "x" * 101)), Accepted()),
    ("401 RiskHold", 201, {}, reply(recipient(401, "None")), Refused("401", "RiskHold")),
    ("402 InvalidSenderId", 201, {}, reply(recipient(402, "None")), Refused("402", "InvalidSenderId")),
    ("403 InvalidPhoneNumber", 201, {}, reply(recipient(403, "None")), Refused("403", "InvalidPhoneNumber")),
    ("404 UnsupportedNumberType", 201, {}, reply(recipient(404, "None")), Refused("404", "UnsupportedNumberType")),
    ("405 InsufficientBalance", 201, {}, reply(recipient(405, "None")), Busy(300, "405")),
    ("406 UserInBlacklist", 201, {}, reply(recipient(406, "None")), Refused("406", "UserInBlacklist")),
    ("407 CouldNotRoute", 201, {}, reply(recipient(407)), Refused("407", "CouldNotRoute: try another provider")),
    ("409 DoNotDisturb", 201, {}, reply(recipient(409)), Refused("409", "DoNotDisturbRejection")),
    ("500 InternalServerError", 201, {}, reply(recipient(500)), Busy(30, "500")),
    ("501 GatewayError", 201, {}, reply(recipient(501)), Busy(30, "501")),
    ("502 Rejected", 201, {}, reply(recipient(502)), Refused("502", "RejectedByGateway: try another provider")),
    ("a code nobody has told us of", 201, {}, reply(recipient(999)), Unknown("statusCode 999")),
    ("true is not 1", 201, {}, reply(recipient(True)), Unknown("statusCode True")),
    ("no code", 201, {}, reply({"number": TO}), Unknown("statusCode None")),
    ("ours is the second", 201, {}, reply(NEIGHBOUR, recipient(101)), Accepted("ATXid_1")),
    ("a number without plus", 201, {}, reply(recipient(101, number=TO[1:])), Accepted("ATXid_1")),
    ("somebody else's number", 201, {}, reply(NEIGHBOUR), Unknown("our recipient is not in the reply")),
    ("a number that is none", 201, {}, reply(recipient(101, number=7)), Unknown("our recipient is not in the reply")),
    ("a recipient that is none", 201, {}, reply("x", None, []), Unknown("our recipient is not in the reply")),
    ("no recipient", 201, {}, reply(), Unknown("no recipient in the reply")),
    ("bad sender for all", 201, {}, reply(message="InvalidSenderId"), Refused("402", "InvalidSenderId")),
    ("no credit for all", 201, {}, reply(message="InsufficientBalance"), Busy(300, "405")),
    ("Sent to nobody is not sent", 201, {}, reply(message="Sent"), Unknown("no recipient in the reply")),
    ("recipients null", 201, {}, no_list(None), Unknown("no list of recipients in the reply")),
    ("recipients an object", 201, {}, no_list({"0": {}}), Unknown("no list of recipients in the reply")),
    ("no data", 201, {}, b"{}", Unknown("unreadable reply")),
    ("a list", 201, {}, b"[]", Unknown("unreadable reply")),
    ("an HTML page", 200, {}, b"<html>", Unknown("unreadable reply")),
    ("cut off", 201, {}, reply(recipient(101))[:-4], Unknown("unreadable reply")),
    ("not UTF-8", 201, {}, b'{"SMSMessageData": "\xff"}', Unknown("unreadable reply")),
    ("nested without end", 201, {}, b"[" * 100_000, Unknown("unreadable reply")),
    ("nothing", 201, {}, b"", Unknown("unreadable reply")),
    ("a bad key", 401, {}, b"The supplied authentication is invalid", Busy(300, "auth")),
    ("forbidden", 403, {}, b"", Busy(300, "auth")),
    ("too many", 429, {"retry-after": "7"}, b"", Busy(7, "http 429")),
    ("away", 503, {}, b"", Busy(30, "http 503")),
    ("away till a date", 503, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, b"", Busy(30, "http 503")),
    ("away for ever", 503, {"retry-after": "9" * 400}, b"", Busy(3600, "http 503")),
    ("away for no time", 503, {"retry-after": "0"}, b"", Busy(1, "http 503")),
    ("away for nonsense", 503, {"retry-after": "٣"}, b"", Busy(30, "http 503")),
    ("a fault of theirs", 500, {}, reply(recipient(101)), Unknown("http 500")),
    ("a gateway between", 502, {}, b"", Unknown("http 502")),
    ("a redirect", 302, {}, b"", Unknown("http 302")),
    ("a bad request", 400, {}, b"", Unknown("http 400")),
]

TEXTS = [
    "Malipo yamepokelewa.",
    "TSh 30,000 & 50% + kodi = jumla; #1 ~ (a) *",
    "mstari\nwa pili",
    "ng'ombe ñ € 😀",
]


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_reply_means(status: int, headers: dict[str, str], body: bytes, expected: Outcome) -> None:
    assert PROVIDER.outcome(MESSAGE, HttpResponse(status, headers, body)) == expected


def test_every_status_has_a_case() -> None:
    bodies = [body for _, _, _, body, _ in CASES]
    assert [code for code in STATUSES if not any(b'"statusCode": %s,' % code.encode() in body for body in bodies)] == []


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("sender", ["CHF", "15200", None])
async def test_our_request_is_the_official_clients(
    aiohttp_server: AiohttpServer, text: str, sender: str | None
) -> None:
    seen: list[tuple[str, str, bytes, dict[str, str]]] = []

    async def messaging(request: web.Request) -> web.Response:
        seen.append((request.method, request.path_qs, await request.read(), dict(request.headers)))
        # without a charset: the official client reads JSON under this very Content-Type only
        return web.Response(status=201, body=reply(recipient(101)), content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", messaging)
    server = await aiohttp_server(app)
    official = SMSService("chf", KEY)
    official._baseUrl = str(server.make_url("/version1"))
    answered = await asyncio.to_thread(official.send, text, [TO], sender, True)

    ours = AfricasTalkingSms("chf", KEY, sender, str(server.make_url("/version1/messaging")))
    request = ours.request_for(SmsMessage("sms-1", TO, text))
    ((method, path, body, headers),) = seen
    assert (request.method, urlsplit(request.url).path) == (method, path)
    assert parse_qsl(request.body.decode(), strict_parsing=True) == parse_qsl(body.decode(), strict_parsing=True)
    assert request.body == body
    for name in ("apiKey", "Accept", "Content-Type"):
        assert request.headers[name] == headers[name]
    assert request.headers["User-Agent"] == "imis-gateway"
    told = HttpResponse(201, {}, json.dumps(answered).encode())
    assert ours.outcome(MESSAGE, told) == Accepted("ATXid_1")


def test_the_form_says_it_all() -> None:
    request = PROVIDER.request_for(MESSAGE)
    assert dict(parse_qsl(request.body.decode(), strict_parsing=True)) == {
        "username": "chf",
        "to": TO,
        "message": MESSAGE.text,
        "bulkSMSMode": "1",
        "from": "CHF",
        "enqueue": "1",
    }


def test_the_key_does_not_print() -> None:
    assert KEY not in f"{PROVIDER!r} {PROVIDER}"
    assert PROVIDER.name == "africastalking"


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from([TO, "101"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["number", "statusCode", "messageId", "Recipients", "Message"]), inner)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(
    status=st.sampled_from([200, 201, 401, 503]), body=st.binary(max_size=100), after=st.text(max_size=8) | st.just("9")
)
def test_no_bytes_make_it_raise(status: int, body: bytes, after: str) -> None:
    outcome = PROVIDER.outcome(MESSAGE, HttpResponse(status, {"retry-after": after}, body))
    assert isinstance(outcome, Busy | Unknown)


@settings(deadline=None)
@given(data=JSON)
def test_no_json_makes_it_raise(data: object) -> None:
    body = json.dumps({"SMSMessageData": data}).encode()
    assert isinstance(PROVIDER.outcome(MESSAGE, HttpResponse(201, {}, body)), Accepted | Refused | Busy | Unknown)
