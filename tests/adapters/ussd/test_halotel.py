"""Halotel's SOAP: requests to turns, acknowledgements, and the request that carries the screen."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ussd.halotel import HalotelUssd
from gateway.domain.outcomes import Done, Outcome, Refused, Unknown
from gateway.domain.ussd.frame import cost
from gateway.domain.ussd.render import paginate
from gateway.ports import (
    Ended,
    EndStatus,
    HttpResponse,
    InboundRequest,
    Malformed,
    Noted,
    PushedChannel,
    Screen,
    Turn,
    UssdChannel,
)

URL = "https://ussdgw.example/push"
HALOTEL = HalotelUssd(url=URL, user="us & co", password="p<w", peer_user="halo", peer_password="tel-5f")
CHANNEL: UssdChannel = HALOTEL
PUSHED: PushedChannel = HALOTEL
PHONE, TX = "+255624987654", "W1-2-1395280360802"


def soap(kind: str = "101", msg: str = "1", without: str = "", prefix: str = "soap", **changed: str) -> InboundRequest:
    fields = {
        "user": "halo",
        "pass": "tel-5f",
        "msisdn": "255624987654",
        "msg": msg,
        "sessionid": "null",
        "transactionid": TX,
        "requestType": kind,
        "ussdgw_id": "1",
        **changed,
    }
    inside = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items() if name != without)
    return post(
        f'<?xml version="1.0" encoding="utf-8"?>'
        f'<{prefix}:Envelope xmlns:{prefix}="http://schemas.xmlsoap.org/soap/envelope/"><{prefix}:Body>'
        f'<InsertMO xmlns="http://tempuri.org/">{inside}</InsertMO></{prefix}:Body></{prefix}:Envelope>'
    )


def post(body: str) -> InboundRequest:
    return InboundRequest("POST", "", {"content-type": "text/xml"}, body.encode())


ECHO = {"msisdn": "255624987654", "sessionid": "null", "ussdgw_id": "1"}
FIRST = Turn(TX, PHONE, "*123#", network="halotel", first=True, echo=ECHO)
NEXT = Turn(TX, PHONE, "", key="1", network="halotel", first=False, echo=ECHO)
NAMELESS = Turn(TX, None, "", key="1", network="halotel", first=False, echo=ECHO | {"msisdn": "null"})
CASES: list[tuple[str, InboundRequest, Turn | Ended | Noted | Malformed]] = [
    ("the first", soap("100", "*123#"), FIRST),
    ("an answer", soap(), NEXT),
    ("an answer without the phone", soap(msisdn="null"), NAMELESS),
    ("an answer with an empty phone", soap(msisdn=""), Turn(TX, None, "", key="1", network="halotel", first=False,
                                                           echo=ECHO | {"msisdn": ""})),
    ("another prefix", soap(prefix="S"), NEXT),
    ("another gateway of theirs", soap(ussdgw_id="4"), Turn(TX, PHONE, "", key="1", network="halotel", first=False,
                                                           echo=ECHO | {"ussdgw_id": "4"})),
    ("letters of any script", soap(msg="Ng'ombe 你"), replace(NEXT, key="Ng'ombe 你")),
    ("an answer of 10 kB", soap(msg="*" * 10_000), replace(NEXT, key="*" * 10_000)),
    ("the first, its # escaped once too often", soap("100", "*123%23"), FIRST),
    ("the key that turns pages, escaped once too often", soap(msg="%23"), replace(NEXT, key="#")),
    ("an answer in CDATA", soap(msg="<![CDATA[1]]>"), NEXT),
    ("a user of two lines", soap(user=" halo\n"), NEXT),
    ("an empty answer", soap(msg=""), replace(NEXT, key="")),
    ("cancelled by the caller", soap("102"), Ended(TX, PHONE, EndStatus.INCOMPLETE)),
    ("cancelled, without the phone", soap("102", msisdn="null"), Ended(TX, None, EndStatus.INCOMPLETE)),
    ("displayed", soap("103"), Noted(TX)),
    ("an error", soap("104"), Ended(TX, PHONE, EndStatus.FAILED)),
    ("another type", soap("105"), Malformed("no known requestType", "-1")),
    ("no type", soap(without="requestType"), Malformed("no known requestType", "-1")),
    ("the first without a phone", soap("100", msisdn="null"), Malformed("msisdn is no Tanzanian mobile number", "-1")),
    ("a Kenyan phone", soap(msisdn="254712345678"), Malformed("msisdn is no Tanzanian mobile number", "-1")),
    ("no transaction", soap(transactionid=""), Malformed("transactionid is missing", "-1")),
    ("an endless transaction", soap(transactionid="W" * 101),
     Malformed("transactionid is too long or not printable", "-1")),
    ("an answer without a text", soap(without="msg"), Malformed("msg is missing", "-1")),
    ("a wrong password", soap(**{"pass": "tell"}), Malformed("wrong user or password", "1")),
    ("a wrong user", soap(user="Halo"), Malformed("wrong user or password", "1")),
    ("no user", soap(without="user"), Malformed("wrong user or password", "1")),
    ("a value twice", soap(msg="1</msg><msg>2"), Malformed("a value is said twice, or nested", "-1")),
    ("two bodies", post("<Envelope><Body/><Body/></Envelope>"), Malformed("no Body", "-1")),
    ("another message", post("<Envelope><Body><Other/></Body></Envelope>"), Malformed("no InsertMO", "-1")),
    ("no envelope", post("<InsertMO/>"), Malformed("no Envelope", "-1")),
    ("a control character", soap(msg="\x01"), Malformed("not well-formed XML", "-1")),
    ("a document type", post("<!DOCTYPE a><a/>"), Malformed("a document type", "-1")),
    ("nothing", post(""), Malformed("not well-formed XML", "-1")),
    ("a GET", InboundRequest("GET", "msg=1", {}, b""), Malformed("not well-formed XML", "-1")),
    ("17 kB", soap(msg="9" * 17_000), Malformed("more than 16384 bytes", "-1")),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_request_is_this(request_: InboundRequest, expected: Turn | Ended | Noted | Malformed) -> None:
    assert CHANNEL.parse(request_) == expected


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (PUSHED.accept(NEXT).body, "0"),
        (CHANNEL.acknowledge(Noted(TX)).body, "0"),
        (CHANNEL.acknowledge(Ended(TX, None, EndStatus.FAILED)).body, "0"),
        (CHANNEL.render(Screen("a", True), Malformed("wrong user or password", "1")).body, "1"),
        (CHANNEL.render(Screen("a", True), Malformed("too large")).body, "-1"),
        (CHANNEL.render(Screen("a", True)).body, "-1"),
    ],
)
def test_it_is_acknowledged_with_this_code(body: bytes, code: str) -> None:
    root = ElementTree.fromstring(body)
    assert root.tag == "{http://schemas.xmlsoap.org/soap/envelope/}Envelope"
    assert root.findtext(".//ussdresponse/errorCode") == code


@pytest.mark.parametrize(
    ("turn", "final", "kind"), [(FIRST, False, "202"), (FIRST, True, "201"), (NEXT, False, "200"), (NEXT, True, "203")]
)
def test_a_screen_is_pushed_in_this_request(turn: Turn, final: bool, kind: str) -> None:
    request = PUSHED.push(Screen("Bima\n1 Lipa", final), turn)
    assert (request.method, request.url) == ("POST", URL)
    assert request.headers == {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": '"http://tempuri.org/InsertMO"',
    }
    assert request.body.decode() == (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        '<InsertMO xmlns="http://tempuri.org/"><user>us &amp; co</user><pass>p&lt;w</pass>'
        "<msisdn>255624987654</msisdn><msg>Bima<br>1 Lipa</msg><sessionid>null</sessionid>"
        f"<transactionid>{TX}</transactionid><requestType>{kind}</requestType><ussdgw_id>1</ussdgw_id>"
        "</InsertMO></soap:Body></soap:Envelope>"
    )


def test_what_they_left_out_is_sent_as_null() -> None:
    heard = CHANNEL.parse(soap(msisdn="", sessionid="", without="ussdgw_id"))
    assert isinstance(heard, Turn)
    body = PUSHED.push(Screen("a", False), heard).body
    for name in ("msisdn", "sessionid", "ussdgw_id"):
        assert f"<{name}>null</{name}>".encode() in body


def test_what_they_sent_is_escaped_again() -> None:
    heard = CHANNEL.parse(soap(transactionid="W&lt;1&gt;&amp;", sessionid="&lt;/msg&gt;", ussdgw_id="&amp;amp;"))
    assert isinstance(heard, Turn)
    body = PUSHED.push(Screen("a", False), heard).body
    found = {child.tag.partition("}")[2]: child.text for child in ElementTree.fromstring(body).iter()}
    assert (found["transactionid"], found["sessionid"], found["ussdgw_id"]) == ("W<1>&", "</msg>", "&amp;")


def test_the_header_can_be_left_out() -> None:
    assert "SOAPAction" not in HalotelUssd(url=URL, soap_action="").push(Screen("a", True), NEXT).headers


@settings(deadline=None)
@given(lines=st.lists(st.text(alphabet="a &<>é習\n", max_size=90), min_size=1, max_size=8))
def test_no_text_is_longer_than_the_network_takes(lines: list[str]) -> None:
    """Counted as the network counts: raw bytes between the tags, entities not decoded."""
    frame = CHANNEL.profile.frame
    for page in paginate(lines, "0 Rudi", "# Zaidi", frame):
        body = PUSHED.push(Screen(page, False), NEXT).body
        between = body[body.index(b"<msg>") + 5 : body.index(b"</msg>")]
        assert len(between) <= 182
        assert len(between) == cost(frame, page)
        assert b"&amp;amp;" not in between, "escaped once"


def answer(code: str, status: int = 200) -> HttpResponse:
    inside = f"<ussdresponse><errorCode>{code}</errorCode></ussdresponse>"
    body = f'<s:Envelope xmlns:s="x"><s:Body>{inside}</s:Body></s:Envelope>'
    return HttpResponse(status, {}, body.encode())


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (answer("0"), Done()),
        (answer(" 0 "), Done()),
        (answer("1"), Refused("1", "user, password or address")),
        (answer("2"), Refused("2", "unknown or closed transaction")),
        (answer("-1"), Unknown("errorCode '-1'")),
        (answer(""), Unknown("errorCode ''")),
        (answer("9" * 99), Unknown("errorCode '9999999999'")),
        (answer("0", 500), Unknown("http 500")),
        (answer("0", 302), Unknown("http 302")),
        (HttpResponse(200, {}, b""), Unknown("unreadable reply")),
        (HttpResponse(200, {}, b"<html>"), Unknown("unreadable reply")),
    ],
)
def test_their_answer_means_this(response: HttpResponse, outcome: Outcome) -> None:
    assert PUSHED.pushed(response) == outcome


def test_without_a_user_of_theirs_none_is_compared() -> None:
    assert HalotelUssd(url=URL).parse(soap()) == NEXT


@pytest.mark.parametrize(
    "known", [{"peer_user": "halo"}, {"peer_password": "tel-5f"}], ids=lambda known: next(iter(known))
)
def test_one_that_is_set_alone_is_compared(known: dict[str, str]) -> None:
    other = {"user": "else", "pass": "else"}
    assert HalotelUssd(url=URL, **known).parse(soap(**other)) == Malformed("wrong user or password", "1")


def test_the_passwords_never_print() -> None:
    assert "p<w" not in repr(HALOTEL)
    assert "tel-5f" not in repr(HALOTEL)


@settings(deadline=None)
@given(body=st.binary(max_size=300))
def test_nothing_makes_it_raise(body: bytes) -> None:
    heard = CHANNEL.parse(InboundRequest("POST", "", {}, body))
    assert isinstance(heard, Turn | Ended | Noted | Malformed)
    assert isinstance(PUSHED.pushed(HttpResponse(200, {}, body)), Unknown)
