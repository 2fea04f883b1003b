"""Vodacom's TruRoute XML: requests to turns, screens to XML."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ussd.vodacom import VodacomUssd
from gateway.ports import Ended, EndStatus, InboundRequest, Malformed, Noted, Screen, Turn, UssdChannel

CHANNEL: UssdChannel = VodacomUssd()
PHONE = "+255754987654"


def post(body: str | bytes) -> InboundRequest:
    return InboundRequest("POST", "", {"content-type": "text/xml"}, body if isinstance(body, bytes) else body.encode())


def ussd(kind: str = "2", msg: str = "1", msisdn: str = "255754987654", session: str = "S1", more: str = "") -> str:
    known = f"<msisdn>{msisdn}</msisdn><sessionid>{session}</sessionid><type>{kind}</type>"
    return f"<ussd>{known}<msg>{msg}</msg>{more}</ussd>"


def get(**fields: str) -> InboundRequest:
    whole = {"msisdn": "255754987654", "sessionid": "S1", "type": "2", "msg": "1"} | fields
    return InboundRequest("GET", urlencode(whole), {}, b"")


NEXT = Turn("S1", PHONE, "", key="1", network="vodacom", first=False)
FIRST = Turn("S1", PHONE, "*152*00#", network="vodacom", first=True)
CASES: list[tuple[str, InboundRequest, Turn | Ended | Malformed]] = [
    ("an answer", post(ussd()), NEXT),
    ("the first request", post(ussd("1", "*152*00#")), FIRST),
    ("a code whose # is escaped once too often", post(ussd("1", "*152*00%23")), FIRST),
    ("the first request without a code", post(ussd("1", "")), Turn("S1", PHONE, "", network="vodacom", first=True)),
    ("released by the caller", post(ussd("3", "")), Ended("S1", PHONE, EndStatus.INCOMPLETE)),
    ("timed out", post(ussd("4", "")), Ended("S1", PHONE, EndStatus.INCOMPLETE)),
    ("a charge that failed", post(ussd("10", "")), Ended("S1", PHONE, EndStatus.FAILED)),
    ("a GET", get(), NEXT),
    ("a first GET", get(type="1", msg="*152*00#"), FIRST),
    ("a GET that ends", get(type="4", msg=""), Ended("S1", PHONE, EndStatus.INCOMPLETE)),
    ("the key that turns pages", post(ussd(msg="#")), replace(NEXT, key="#")),
    ("the key that turns pages, escaped once too often", post(ussd(msg="%23")), replace(NEXT, key="#")),
    ("a GET whose code is escaped once too often", get(type="1", msg="%2A152%2A00%23"),
     FIRST),
    ("a GET with a bare plus before the phone", InboundRequest(
        "GET", "msisdn=+255754987654&sessionid=S1&type=2&msg=1", {}, b""), NEXT),
    ("a POST's query is not read", InboundRequest("POST", get().query, {}, b""), Malformed("not well-formed XML")),
    ("an answer in CDATA", post(ussd(msg="<![CDATA[1]]>")), NEXT),
    ("an empty element", post(ussd().replace("<msg>1</msg>", "<msg/>")), replace(NEXT, key="")),
    ("a name space", post(ussd().replace("<ussd>", '<ussd xmlns="urn:ussd">')), NEXT),
    ("a byte order mark", post(b"\xef\xbb\xbf" + ussd().encode()), NEXT),
    ("UTF-16", post(ussd().encode("utf-16")), NEXT),
    ("Latin-1, declared", post(b'<?xml version="1.0" encoding="iso-8859-1"?>' + ussd(msg="é").encode("latin-1")),
     replace(NEXT, key="é")),
    ("Latin-1, not declared", post(ussd(msg="é").encode("latin-1")), Malformed("not well-formed XML")),
    ("an encoding that nobody knows", post('<?xml version="1.0" encoding="x-ussd"?>' + ussd()),
     Malformed("not well-formed XML")),
    ("a declaration", post('<?xml version="1.0" encoding="UTF-8"?>\n' + ussd()), NEXT),
    ("entities and references", post(ussd(msg="&lt;1&#62;&amp;")), replace(NEXT, key="<1>&")),
    ("white space is kept in an answer", post(ussd(msg=" 1\n")), replace(NEXT, key=" 1\n")),
    ("letters of any script", post(ussd(msg="Ng'ombe 你 😀")),
     replace(NEXT, key="Ng'ombe 你 😀")),
    ("an answer of 10 kB", post(ussd(msg="9" * 10_000)), replace(NEXT, key="9" * 10_000)),
    ("an empty answer", post(ussd(msg="")), replace(NEXT, key="")),
    ("elements that we do not know", post(ussd(more="<premium/>")), NEXT),
    ("another type", post(ussd("5")), Malformed("no known type")),
    ("no type", post("<ussd><msisdn>255754987654</msisdn><sessionid>S1</sessionid></ussd>"),
     Malformed("no known type")),
    ("an answer without a text", post(ussd().replace("<msg>1</msg>", "")), Malformed("msg is missing")),
    ("no session", post(ussd(session="")), Malformed("sessionid is missing")),
    ("an endless session", post(ussd(session="S" * 101)), Malformed("sessionid is too long or not printable")),
    ("a session with a newline", post(ussd(session="a\nb")), Malformed("sessionid is too long or not printable")),
    ("no phone", post(ussd(msisdn="")), Malformed("msisdn is missing")),
    ("a Kenyan phone", post(ussd(msisdn="254712345678")), Malformed("msisdn is no Tanzanian mobile number")),
    ("a code of 101", post(ussd("1", "1" * 101)), Malformed("msg is too long or not printable")),
    ("a value twice", post(ussd(more="<msg>2</msg>")), Malformed("a value is said twice, or nested")),
    ("a value in a value", post(ussd(msg="<b>1</b>")), Malformed("a value is said twice, or nested")),
    ("a comment", post(ussd(msg="<!-- 1 -->2")), Malformed("a value is said twice, or nested")),
    ("a comment between", post(ussd(more="<!-- 1 -->")), Malformed("comments or entities")),
    ("another root", post("<sms/>"), Malformed("no ussd")),
    ("a NUL by reference", post(ussd(msg="&#0;")), Malformed("not well-formed XML")),
    ("a control character", post(ussd(msg="\x01")), Malformed("not well-formed XML")),
    ("half a document", post("<ussd><msisdn>"), Malformed("not well-formed XML")),
    ("bytes that are not UTF-8", post(b"<ussd><msg>\xff</msg></ussd>"), Malformed("not well-formed XML")),
    ("a document type", post('<!DOCTYPE ussd [<!ENTITY e "1">]>' + ussd()), Malformed("a document type")),
    ("an entity of its own", post('<!DOCTYPE ussd [<!ENTITY e "1">]>' + ussd(msg="&e;")), Malformed("a document type")),
    ("a file", post('<!DOCTYPE u [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + ussd(msg="&e;")),
     Malformed("a document type")),
    ("a form", post(b"msisdn=255754987654"), Malformed("not well-formed XML")),
    ("nothing", post(b""), Malformed("not well-formed XML")),
    ("17 kB", post(ussd(msg="9" * 17_000)), Malformed("more than 16384 bytes")),
    ("a GET with a field twice", InboundRequest("GET", "msg=1&msg=2", {}, b""), Malformed("a field occurs twice")),
    ("an empty GET", InboundRequest("GET", "", {}, b""), Malformed("sessionid is missing")),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_request_is_this(request_: InboundRequest, expected: Turn | Ended | Malformed) -> None:
    assert CHANNEL.parse(request_) == expected


SCREENS = [
    ("a menu", Screen("Bima\n1 Lipa", False), "<ussd><type>2</type><msg>Bima&#10;1 Lipa</msg></ussd>"),
    ("the end", Screen("Asante", True), "<ussd><type>3</type><msg>Asante</msg></ussd>"),
    ("escaped, and once", Screen("a<b>&c", True), "<ussd><type>3</type><msg>a&lt;b&gt;&amp;c</msg></ussd>"),
    ("letters beyond ASCII", Screen("ñ €😀", True), "<ussd><type>3</type><msg>&#241; &#8364;&#128512;</msg></ussd>"),
    ("no text", Screen("", True), "<ussd><type>3</type><msg></msg></ussd>"),
]


@pytest.mark.parametrize(("screen", "body"), [c[1:] for c in SCREENS], ids=[c[0] for c in SCREENS])
@pytest.mark.parametrize("heard", [NEXT, Malformed("x"), None], ids=["read", "unreadable", "busy"])
def test_a_screen_is_these_bytes(screen: Screen, body: str, heard: Turn | Malformed | None) -> None:
    reply = CHANNEL.render(screen, heard)
    assert (reply.status, reply.content_type, reply.body) == (200, "text/xml; charset=utf-8", body.encode())
    assert (ElementTree.fromstring(reply.body).findtext("msg") or "") == screen.text, "as a parser reads it"


def test_a_line_break_of_two_arrives_as_two() -> None:
    channel = VodacomUssd(replace(CHANNEL.profile, frame=CHANNEL.profile.frame._replace(newline="\r\n")))
    body = channel.render(Screen("a\nb", True)).body
    assert ElementTree.fromstring(body).findtext("msg") == "a\r\nb"


def test_an_end_is_answered_with_a_release_and_no_text() -> None:
    for event in (Ended("S1", PHONE, EndStatus.INCOMPLETE), Noted("S1")):
        assert CHANNEL.acknowledge(event).body == b"<ussd><type>3</type><msg></msg></ussd>"


@settings(deadline=None)
@given(body=st.binary(max_size=300), query=st.text(max_size=60), method=st.sampled_from(["GET", "POST"]))
def test_nothing_makes_it_raise(body: bytes, query: str, method: str) -> None:
    assert isinstance(CHANNEL.parse(InboundRequest(method, query, {}, body)), Turn | Ended | Malformed)


@settings(deadline=None)
@given(inside=st.text(alphabet="<>/&;#x0a1' \"ussdmg", max_size=60))
def test_no_markup_makes_it_raise(inside: str) -> None:
    assert isinstance(CHANNEL.parse(post(ussd(msg=inside))), Turn | Ended | Malformed)
