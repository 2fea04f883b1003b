"""Airtel's GET: three fields to a turn, screens to text."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ussd.airtel import AirtelUssd
from gateway.ports import InboundRequest, Malformed, Noted, Screen, Turn, UssdChannel

CHANNEL: UssdChannel = AirtelUssd()
FIELDS = {"input": "1", "sessionid": "A-17", "msisdn": "255684987654"}


def get(without: str = "", **changed: str) -> InboundRequest:
    whole = {name: text for name, text in (FIELDS | changed).items() if name != without}
    return InboundRequest("GET", urlencode(whole), {}, b"")


def turn(key: str) -> Turn:
    return Turn("A-17", "+255684987654", "", key=key, network="airtel")


CASES: list[tuple[str, InboundRequest, Turn | Malformed]] = [
    ("an answer; nothing says whether it is the first", get(), turn("1")),
    ("the dialled code looks like an answer", get(input="147*03"), turn("147*03")),
    ("the dialled code whose # is escaped once too often", get(input="147*03%23"), turn("147*03#")),
    ("the dialled code, all of it escaped once too often", get(input="%2A147%2a03%23"), turn("*147*03#")),
    ("the key that turns pages", get(input="#"), turn("#")),
    ("the key that turns pages, escaped once too often", get(input="%23"), turn("#")),
    ("a * that is escaped", InboundRequest("GET", "input=147%2A03&sessionid=A-17&msisdn=%2B255684987654", {}, b""),
     turn("147*03")),
    ("a bare plus before the phone", InboundRequest("GET", "input=1&sessionid=A-17&msisdn=+255684987654", {}, b""),
     turn("1")),
    ("a plus for an answer is a space", InboundRequest("GET", "input=+&sessionid=A-17&msisdn=255684987654", {}, b""),
     turn(" ")),
    ("a question mark in the query", get(input="1?2&3=4"), turn("1?2&3=4")),
    ("an empty answer", get(input=""), turn("")),
    ("fields that we do not know", get(more="1"), turn("1")),
    ("letters of any script", get(input="Ng'ombe 你 😀"), turn("Ng'ombe 你 😀")),
    ("control characters", get(input="\0\x1b\n"), turn("\0\x1b\n")),
    ("an answer of 10 kB", get(input="#" * 10_000), turn("#" * 10_000)),
    ("names are as they are", get(without="input", INPUT="1"), Malformed("input is missing")),
    ("no session", get(without="sessionid"), Malformed("sessionid is missing")),
    ("an endless session", get(sessionid="s" * 101), Malformed("sessionid is too long or not printable")),
    ("no phone", get(without="msisdn"), Malformed("msisdn is missing")),
    ("a Kenyan phone", get(msisdn="254712345678"), Malformed("msisdn is no Tanzanian mobile number")),
    ("a field twice", InboundRequest("GET", "input=1&input=2", {}, b""), Malformed("a field occurs twice")),
    ("escapes that are not UTF-8", InboundRequest("GET", "input=%FF", {}, b""), Malformed("not UTF-8")),
    ("a POST", InboundRequest("POST", "", {}, urlencode(FIELDS).encode()), Malformed("not a GET")),
    ("nothing", InboundRequest("GET", "", {}, b""), Malformed("sessionid is missing")),
    ("50 kB", get(input="9" * 50_000), Malformed("more than 49152 bytes")),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_request_is_this_turn(request_: InboundRequest, expected: Turn | Malformed) -> None:
    assert CHANNEL.parse(request_) == expected


@pytest.mark.parametrize(
    ("screen", "body"),
    [(Screen("Bima\n1 Lipa", False), b"CON Bima\n1 Lipa"), (Screen("ñ €", True), "END ñ €".encode())],
)
def test_a_screen_is_these_bytes(screen: Screen, body: bytes) -> None:
    reply = CHANNEL.render(screen, turn("1"))
    assert (reply.status, reply.content_type, reply.body) == (200, "text/plain; charset=utf-8", body)
    assert CHANNEL.render(screen).body == body
    assert CHANNEL.acknowledge(Noted("s")).body == b""


@settings(deadline=None)
@given(query=st.text(max_size=200), method=st.sampled_from(["GET", "POST"]))
def test_nothing_makes_it_raise(query: str, method: str) -> None:
    assert isinstance(CHANNEL.parse(InboundRequest(method, query, {}, b"")), Turn | Malformed)
