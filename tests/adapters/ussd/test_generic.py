"""A channel by settings alone: the wires of several gateways as settings, each with its cases."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ussd.generic import GenericUssd
from gateway.domain.ussd.frame import Frame
from gateway.ports import ChannelProfile, Ended, EndStatus, InboundRequest, Malformed, Screen, Turn

PROFILE = ChannelProfile("other")
PHONE = "+255714987654"
CUMULATIVE = GenericUssd(PROFILE, code_field="serviceCode", network_field="networkCode")
# a query with the last input and nothing that says which turn is the first
LAST = GenericUssd(
    PROFILE, request="query", inputs="last", session_field="session_id", phone_field="msisdn", input_field="ussd_string"
)
# an object that says of every turn what it is, and takes an object back
OBJECT = GenericUssd(
    replace(PROFILE, frame=Frame(prefix=0)),
    request="json",
    inputs="last",
    session_field="SessionId",
    phone_field="Mobile",
    input_field="Message",
    code_field="ServiceCode",
    network_field="Operator",
    turn_field="Sequence",
    event_field="Type",
    first_events=("Initiation",),
    end_events=("Release", "Timeout"),
    continue_word="Response",
    end_word="Release",
    reply={"Message": "$text", "Type": "$state", "Ids": {"Session": "$in.SessionId", "Was": ["kept"]}},
)
# a value inside another, true and false for words
NESTED = GenericUssd(
    PROFILE,
    request="json",
    inputs="last",
    session_field="ids.session",
    phone_field="ids.msisdn",
    input_field="payload.text",
    event_field="new",
    first_events=("1",),
    continue_word=True,
    end_word=False,
    reply={"message": "$text", "more": "$state", "session": "$in.ids.session"},
)


def form(**fields: str) -> InboundRequest:
    return InboundRequest("POST", "", {}, urlencode(fields).encode())


def query(**fields: str) -> InboundRequest:
    return InboundRequest("GET", urlencode(fields), {}, b"")


def post(found: Any) -> InboundRequest:
    return InboundRequest("POST", "", {}, json.dumps(found).encode())


SAID = {
    "SessionId": "s7", "Mobile": "255714987654", "Message": "1", "ServiceCode": "*152*00#", "Operator": "tigo",
    "Sequence": 2, "Type": "Response",
}  # fmt: skip
INNER = {"ids": {"session": 17, "msisdn": "0714987654"}, "payload": {"text": "1"}, "new": False}
WHOLE = {"sessionId": "s7", "phoneNumber": "0714987654", "text": "1*2", "serviceCode": "*152#", "networkCode": "t"}

CASES: list[tuple[str, GenericUssd, InboundRequest, Turn | Ended | Malformed]] = [
    ("all inputs in a form", CUMULATIVE, form(**WHOLE),
     Turn("s7", PHONE, "*152#", "1*2", network="t", echo=WHOLE)),
    ("all inputs in a form's GET", CUMULATIVE, query(**WHOLE),
     Turn("s7", PHONE, "*152#", "1*2", network="t", echo=WHOLE)),
    ("all inputs, the first", CUMULATIVE, form(sessionId="s7", phoneNumber="0714987654", text=""),
     Turn("s7", PHONE, "", "", echo={"sessionId": "s7", "phoneNumber": "0714987654", "text": ""})),
    ("all inputs, without a text", CUMULATIVE, form(sessionId="s7", phoneNumber="0714987654"),
     Malformed("text is missing")),
    ("all inputs, without a phone", CUMULATIVE, form(sessionId="s7", text=""), Malformed("phoneNumber is missing")),
    ("a network by another name", replace(CUMULATIVE, networks={"t": "ttcl"}), form(**WHOLE),
     Turn("s7", PHONE, "*152#", "1*2", network="ttcl", echo=WHOLE)),
    ("a network by a name that the settings write small", replace(CUMULATIVE, networks={"tigo": "yas"}),
     form(**WHOLE | {"networkCode": "TIGO"}),
     Turn("s7", PHONE, "*152#", "1*2", network="yas", echo=WHOLE | {"networkCode": "TIGO"})),
    ("a network that nobody named", replace(CUMULATIVE, networks={"x": "ttcl"}, network="yas"), form(**WHOLE),
     Turn("s7", PHONE, "*152#", "1*2", network="t", echo=WHOLE)),
    ("no word of the network", replace(CUMULATIVE, network_field="", network="ttcl"), form(**WHOLE),
     Turn("s7", PHONE, "*152#", "1*2", network="ttcl", echo=WHOLE)),
    ("all inputs, an endless network", CUMULATIVE, form(**WHOLE | {"networkCode": "t" * 101}),
     Malformed("networkCode is too long or not printable")),
    ("the last input, no word of the first", LAST, query(session_id="s7", msisdn="255714987654", ussd_string="147*03"),
     Turn("s7", PHONE, "", key="147*03",
          echo={"session_id": "s7", "msisdn": "255714987654", "ussd_string": "147*03"})),
    ("the last input, its # escaped once too often", LAST,
     query(session_id="s7", msisdn="255714987654", ussd_string="147*03%23"),
     Turn("s7", PHONE, "", key="147*03#",
          echo={"session_id": "s7", "msisdn": "255714987654", "ussd_string": "147*03%23"})),
    ("all inputs are unescaped once", CUMULATIVE, form(**WHOLE | {"text": "1*%23"}),
     Turn("s7", PHONE, "*152#", "1*%23", network="t", echo=WHOLE | {"text": "1*%23"})),
    ("all inputs, a field twice", CUMULATIVE, InboundRequest("POST", "", {}, b"text=1&text=2"),
     Malformed("a field occurs twice")),
    ("the last input, by POST", LAST, form(session_id="s7"), Malformed("not a GET")),
    ("the last input, no session", LAST, query(msisdn="255714987654", ussd_string="1"),
     Malformed("session_id is missing")),
    ("an object, the first", OBJECT, post(SAID | {"Type": "Initiation", "Message": "*152*00*1#", "Sequence": 1}),
     Turn("s7", PHONE, "*152*00*1#", network="tigo", first=True, turn_id="Initiation:1:*152*00*1#",
          echo=SAID | {"Type": "Initiation", "Message": "*152*00*1#", "Sequence": 1})),
    ("an object, the first with an empty text", OBJECT, post(SAID | {"Type": "Initiation", "Message": ""}),
     Turn("s7", PHONE, "*152*00#", network="tigo", first=True, turn_id="Initiation:2:",
          echo=SAID | {"Type": "Initiation", "Message": ""})),
    ("an object, an answer", OBJECT, post(SAID),
     Turn("s7", PHONE, "*152*00#", key="1", network="tigo", first=False, turn_id="Response:2:1", echo=SAID)),
    ("an object, an answer without a number", OBJECT, post({k: v for k, v in SAID.items() if k != "Sequence"}),
     Turn("s7", PHONE, "*152*00#", key="1", network="tigo", first=False,
          echo={k: v for k, v in SAID.items() if k != "Sequence"})),
    ("an object, released", OBJECT, post(SAID | {"Type": "Release"}),
     Ended("s7", PHONE, EndStatus.INCOMPLETE, echo=SAID | {"Type": "Release"})),
    ("an object, timed out, without a text", OBJECT,
     post({"SessionId": "s7", "Mobile": "255714987654", "Type": "Timeout"}),
     Ended("s7", PHONE, EndStatus.INCOMPLETE, echo={"SessionId": "s7", "Mobile": "255714987654", "Type": "Timeout"})),
    ("an object, a list for a text", OBJECT, post(SAID | {"Message": ["1"]}),
     Turn("s7", PHONE, "*152*00#", key="", network="tigo", first=False, turn_id="Response:2:",
          echo=SAID | {"Message": ["1"]})),
    ("an object, null for a text", OBJECT, post(SAID | {"Message": None}), Malformed("Message is missing")),
    ("no object", OBJECT, post([SAID]), Malformed("no JSON object")),
    ("a form for an object", OBJECT, form(SessionId="s7"), Malformed("not JSON")),
    ("values inside others", NESTED, post(INNER), Turn("17", PHONE, "", key="1", first=False, echo=INNER)),
    ("values inside others, the first", NESTED, post(INNER | {"new": True, "payload": {"text": "*152#"}}),
     Turn("17", PHONE, "*152#", first=True, echo=INNER | {"new": True, "payload": {"text": "*152#"}})),
    ("a text where an object belongs", NESTED, post(INNER | {"payload": "1"}), Malformed("payload.text is missing")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("channel", "request_", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_request_is_this(channel: GenericUssd, request_: InboundRequest, expected: Turn | Ended | Malformed) -> None:
    assert channel.parse(request_) == expected


REPLIES: list[tuple[str, GenericUssd, Screen, Any]] = [
    ("text", CUMULATIVE, Screen("Bima\n1 Lipa", False), b"CON Bima\n1 Lipa"),
    ("last text", LAST, Screen("Asante", True), b"END Asante"),
    ("an object", OBJECT, Screen("Bima\n1 Lipa", False),
     {"Message": "Bima\n1 Lipa", "Type": "Response", "Ids": {"Session": "s7", "Was": ["kept"]}}),
    ("a last object", OBJECT, Screen("$state", True),
     {"Message": "$state", "Type": "Release", "Ids": {"Session": "s7", "Was": ["kept"]}}),
    ("true", NESTED, Screen("a", False), {"message": "a", "more": True, "session": 17}),
    ("false", NESTED, Screen("a", True), {"message": "a", "more": False, "session": 17}),
]  # fmt: skip
REQUESTS = {id(OBJECT): post(SAID), id(NESTED): post(INNER)}


@pytest.mark.parametrize(("channel", "screen", "expected"), [r[1:] for r in REPLIES], ids=[r[0] for r in REPLIES])
def test_a_screen_is_this(channel: GenericUssd, screen: Screen, expected: Any) -> None:
    heard = channel.parse(REQUESTS.get(id(channel), form(**WHOLE)))
    reply = channel.render(screen, heard if isinstance(heard, Turn) else None)
    assert reply.status == 200
    assert (reply.body if isinstance(expected, bytes) else json.loads(reply.body)) == expected
    assert reply.content_type.startswith("text/plain" if isinstance(expected, bytes) else "application/json")


def test_an_end_is_answered_without_a_text() -> None:
    ended = OBJECT.parse(post(SAID | {"Type": "Release"}))
    assert isinstance(ended, Ended)
    assert json.loads(OBJECT.acknowledge(ended).body) == {
        "Message": "", "Type": "Release", "Ids": {"Session": "s7", "Was": ["kept"]},
    }  # fmt: skip


def test_what_cannot_be_read_gets_a_last_screen() -> None:
    assert json.loads(OBJECT.render(Screen("Samahani", True), Malformed("x")).body)["Message"] == "Samahani"
    assert LAST.render(Screen("Samahani", True)).body == b"END Samahani"


def test_a_last_screen_for_what_is_no_turn_says_again_what_could_be_read() -> None:
    heard = OBJECT.parse(post(SAID | {"Mobile": "254712345678"}))
    assert isinstance(heard, Malformed)
    assert json.loads(OBJECT.render(Screen("Samahani", True), heard).body)["Ids"]["Session"] == "s7"


def test_a_reply_is_filled_inside_lists_too() -> None:
    channel = replace(NESTED, reply={"data": [{"menu": "$text"}, "$state", ["$in.ids.session"]]})
    reply = channel.render(Screen("Bima", False), channel.parse(post(INNER)))  # type: ignore[arg-type]
    assert json.loads(reply.body) == {"data": [{"menu": "Bima"}, True, [17]]}


def test_the_channels_line_break_is_sent() -> None:
    channel = replace(CUMULATIVE, profile=replace(PROFILE, frame=Frame(newline="<br>")))
    assert channel.render(Screen("a\nb", True)).body == b"END a<br>b"


@settings(deadline=None)
@given(
    body=st.binary(max_size=300),
    text=st.text(max_size=100),
    method=st.sampled_from(["GET", "POST"]),
    channel=st.sampled_from([CUMULATIVE, LAST, OBJECT, NESTED]),
)
def test_nothing_makes_it_raise(body: bytes, text: str, method: str, channel: GenericUssd) -> None:
    assert isinstance(channel.parse(InboundRequest(method, text, {}, body)), Turn | Ended | Malformed)
