"""Tigo's GET: both schemes to turns, screens to text."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.ussd.tigo import TigoUssd
from gateway.ports import InboundRequest, Malformed, Noted, Screen, Turn, UssdChannel

CHANNEL: UssdChannel = TigoUssd()
PHONE = "+255714987654"
A = {"MSISDN": "255714987654", "Session_id": "40396", "NEW_REQUEST": "0", "Ussd_string": "1", "Service_cod": "191"}
B = {
    "input": "1",
    "sessionid": "40396",
    "msisdn": "255714987654",
    "IMSI": "640021174819835",
    "newrequest": "0",
    "SHORT_CODE": "*148*33",
}


def get(query: str) -> InboundRequest:
    return InboundRequest("GET", query, {}, b"")


def a(without: str = "", **changed: str) -> InboundRequest:
    return get(urlencode({name: text for name, text in (A | changed).items() if name != without}))


def b(without: str = "", **changed: str) -> InboundRequest:
    return get(urlencode({name: text for name, text in (B | changed).items() if name != without}))


def key(text: str, code: str = "") -> Turn:
    return Turn("40396", PHONE, code, key=text, network="yas", first=False)


def first(code: str) -> Turn:
    return Turn("40396", PHONE, code, network="yas", first=True)


CASES: list[tuple[str, InboundRequest, Turn | Malformed]] = [
    ("A: an answer", a(), key("1")),
    ("A: the first, with the dialled code", a(without="Service_cod", NEW_REQUEST="1", Ussd_string="*148*43"),
     first("*148*43")),
    ("A: names in any case", get(urlencode({k.swapcase(): v for k, v in A.items()})), key("1")),
    ("A: an answer with a star", a(Ussd_string="1*2"), key("1*2")),
    ("A: an empty answer", a(Ussd_string=""), key("")),
    ("A: an answer of 10 kB", a(Ussd_string="*" * 10_000), key("*" * 10_000)),
    ("A: the key that turns pages", a(Ussd_string="#"), key("#")),
    ("A: the key that turns pages, escaped once too often", a(Ussd_string="%23"), key("#")),
    ("A: the first, its # escaped once too often", a(NEW_REQUEST="1", Ussd_string="*148*43%23"), first("*148*43#")),
    ("A: the first, all of it escaped once too often", a(NEW_REQUEST="1", Ussd_string="%2A148%2A43%23"),
     first("*148*43#")),
    ("A: a field twice", get(urlencode(A) + "&Ussd_string=2"), Malformed("a field occurs twice")),
    ("A: a field twice, in another case", get(urlencode(A) + "&ussd_string=2"), Malformed("a field occurs twice")),
    ("A: a bare plus before the phone", get(urlencode(A).replace("MSISDN=", "MSISDN=+")), key("1")),
    ("A: no input", a(without="Ussd_string"), Malformed("ussd_string is missing")),
    ("A: no flag", a(without="NEW_REQUEST"), Malformed("new_request is neither 1 nor 0")),
    ("A: another flag", a(NEW_REQUEST="2"), Malformed("new_request is neither 1 nor 0")),
    ("A: no phone", a(without="MSISDN"), Malformed("msisdn is missing")),
    ("A: a code of 101", a(NEW_REQUEST="1", Ussd_string="1" * 101),
     Malformed("ussd_string is too long or not printable")),
    ("B: an answer", b(), key("1", "*148*33")),
    ("B: the first", b(newrequest="1", input="148*33"), first("*148*33")),
    ("B: the first, answers dialled along", b(newrequest="1", input="148*33*1*2"), first("148*33*1*2")),
    ("B: the first, with the end of the code only", b(newrequest="1", input="33"), first("*148*33")),
    ("B: the first without any input", b(newrequest="1", input=""), first("*148*33")),
    ("B: no short code", b(without="SHORT_CODE"), key("1")),
    ("B: the subscriber's IMSI may be missing", b(without="IMSI"), key("1", "*148*33")),
    ("B: a code whose # is escaped once too often", b(SHORT_CODE="*148*33%23"), key("1", "*148*33#")),
    ("B: the first, its # escaped once too often", b(newrequest="1", input="148*33*1%23"), first("148*33*1#")),
    ("B: the key that turns pages, escaped once too often", b(input="%23"), key("#", "*148*33")),
    ("B: an answer like the code", b(input="*148*33#"), key("*148*33#", "*148*33")),
    ("B: no input", b(without="input"), Malformed("input is missing")),
    ("B: no flag", b(without="newrequest"), Malformed("newrequest is neither 1 nor 0")),
    ("B: an endless short code", b(SHORT_CODE="1" * 101), Malformed("short_code is too long or not printable")),
    ("both schemes", get(urlencode(A | B)), Malformed("a field occurs twice")),
    ("two sessions", get(urlencode({k: v for k, v in A.items() if k != "MSISDN"} | {"msisdn": "1", "sessionid": "2"})),
     Malformed("neither scheme, or both")),
    ("neither scheme", get("msisdn=255714987654"), Malformed("neither scheme, or both")),
    ("one name in two cases", get("Session_id=1&SESSION_ID=2"), Malformed("a field occurs twice")),
    ("no session", a(Session_id=""), Malformed("session_id is missing")),
    ("an endless session", b(sessionid="s" * 101), Malformed("sessionid is too long or not printable")),
    ("a Kenyan phone", a(MSISDN="254712345678"), Malformed("msisdn is no Tanzanian mobile number")),
    ("letters of any script", a(Ussd_string="Ng'ombe 你 😀"), key("Ng'ombe 你 😀")),
    ("control characters", a(Ussd_string="\0\x1b\n"), key("\0\x1b\n")),
    ("escapes that are not UTF-8", get(urlencode(A) + "&x=%FF"), Malformed("not UTF-8")),
    ("a POST", InboundRequest("POST", "", {}, urlencode(A).encode()), Malformed("not a GET")),
    ("nothing", get(""), Malformed("neither scheme, or both")),
    ("33 fields", get("&".join(f"f{n}=" for n in range(33))), Malformed("more than 32 fields")),
    ("50 kB", a(Ussd_string="9" * 50_000), Malformed("more than 49152 bytes")),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_request_is_this_turn(request_: InboundRequest, expected: Turn | Malformed) -> None:
    assert CHANNEL.parse(request_) == expected


@pytest.mark.parametrize(
    ("screen", "body"),
    [
        (Screen("Bima\n1 Lipa", False), b"CON Bima\n1 Lipa"),
        (Screen("ñ €", True), "END ñ €".encode()),
        (Screen("", True), b"END "),
    ],
)
def test_a_screen_is_these_bytes(screen: Screen, body: bytes) -> None:
    reply = CHANNEL.render(screen, key("1"))
    assert (reply.status, reply.content_type, reply.body) == (200, "text/plain; charset=utf-8", body)
    assert CHANNEL.render(screen).body == body
    assert CHANNEL.acknowledge(Noted("s")).body == b""


def test_the_imsi_is_nowhere_in_the_turn() -> None:
    assert "640021174819835" not in repr(CHANNEL.parse(b()))


@settings(deadline=None)
@given(query=st.text(max_size=200), method=st.sampled_from(["GET", "POST"]))
def test_nothing_makes_it_raise(query: str, method: str) -> None:
    assert isinstance(CHANNEL.parse(InboundRequest(method, query, {}, b"")), Turn | Malformed)


# but for the two keys that come escaped once too often
TYPED = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200).filter(
    lambda text: not any(escape in text.upper() for escape in ("%23", "%2A"))
)


@settings(deadline=None)
@given(text=TYPED, kind=st.sampled_from("AB"))
@example(text="100%", kind="A")
@example(text="%2", kind="B")
def test_every_input_arrives_as_typed(text: str, kind: str) -> None:
    query = urlencode(A if kind == "A" else B).replace("=1&", f"={quote(text)}&", 1)
    heard = CHANNEL.parse(get(query))
    assert isinstance(heard, Turn)
    assert heard.key == text
