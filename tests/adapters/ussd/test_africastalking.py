"""Africa's Talking USSD: bytes to turns, screens to bytes."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ussd.africastalking import MAX_BODY_BYTES, AfricasTalkingUssd
from gateway.domain.ussd.frame import Frame
from gateway.ports import Ended, EndStatus, InboundRequest, Malformed, Noted, Screen, TellsEnds, Turn, UssdChannel

AT = AfricasTalkingUssd()
CHANNEL: UssdChannel = AT
ENDS: TellsEnds = AT
SESSION = "ATUid_0123456789abcdef0123456789abcdef"
FIELDS = {
    "sessionId": SESSION,
    "phoneNumber": "+255712345678",
    "networkCode": "64004",
    "serviceCode": "*384*123#",
    "text": "1*2",
}
TURN = Turn(SESSION, "+255712345678", "*384*123#", "1*2", network="vodacom")


def post(body: bytes) -> InboundRequest:
    return InboundRequest("POST", "", {"content-type": "application/x-www-form-urlencoded"}, body)


def form(without: str = "", **changed: str) -> InboundRequest:
    return post(urlencode({name: text for name, text in (FIELDS | changed).items() if name != without}).encode())


def turn(
    session_id: str = SESSION, service_code: str = "*384*123#", transcript: str = "1*2", network: str | None = "vodacom"
) -> Turn:
    return Turn(session_id, "+255712345678", service_code, transcript, network=network)


CASES: list[tuple[str, InboundRequest, Turn | Malformed]] = [
    ("a turn", form(), TURN),
    (
        "as their servers spell it",
        post(
            b"sessionId=ATUid_0123456789abcdef0123456789abcdef&phoneNumber=%2B255712345678&networkCode=64004"
            b"&serviceCode=*384*123%23&text=1*2"
        ),
        TURN,
    ),
    (
        "every letter escaped",
        post("&".join(f"{k}=" + "".join(f"%{ord(c):02X}" for c in v) for k, v in FIELDS.items()).encode()),
        TURN,
    ),
    ("the first dial has an empty text", form(text=""), turn(transcript="")),
    ("a bare plus arrives as a space", post(form().body.replace(b"%2B255", b"+255")), TURN),
    ("a number without plus", form(phoneNumber="255712345678"), TURN),
    ("a national number", form(phoneNumber="0712 345 678"), TURN),
    ("a GET carries the same in its query", InboundRequest("GET", form().body.decode(), {}, b""), TURN),
    ("a GET's body is not read", InboundRequest("GET", "", {}, form().body), Malformed("sessionId is missing")),
    (
        "a POST's query is not read",
        InboundRequest("POST", form().body.decode(), {}, b""),
        Malformed("sessionId is missing"),
    ),
    ("fields of theirs that we do not know", form(date="2026-01-01"), TURN),
    ("no network code", form(without="networkCode"), turn(network=None)),
    ("an empty network code", form(networkCode=""), turn(network=None)),
    *(
        (f"network code {code}", form(networkCode=code), turn(network=network))
        for code, network in (
            ("64002", "yas"),
            ("64003", "yas"),
            ("64005", "airtel"),
            ("64007", "ttcl"),
            ("64009", "halotel"),
            ("99999", None),
            ("63902", None),
        )
    ),
    ("no service code", form(without="serviceCode"), turn(service_code="")),
    ("letters of any script", form(text="1*Ng'ombe ñ 你 😀"), turn(transcript="1*Ng'ombe ñ 你 😀")),
    ("UTF-8 that nobody escaped", post(form(text="").body + "ñ".encode()), turn(transcript="ñ")),
    ("spaces and newlines are kept", form(text=" 1\n*2 "), turn(transcript=" 1\n*2 ")),
    ("an input of 10 kB", form(text="9" * 10_000), turn(transcript="9" * 10_000)),
    ("a session id of 100", form(sessionId="s" * 100), turn(session_id="s" * 100)),
    ("a session id of 101", form(sessionId="s" * 101), Malformed("sessionId is too long or not printable")),
    ("a session id with a newline", form(sessionId="a\nb"), Malformed("sessionId is too long or not printable")),
    ("no session id", form(without="sessionId"), Malformed("sessionId is missing")),
    ("a blank session id", form(sessionId=" "), Malformed("sessionId is missing")),
    ("no phone", form(without="phoneNumber"), Malformed("phoneNumber is missing")),
    ("a blank phone", form(phoneNumber=" "), Malformed("phoneNumber is missing")),
    ("a Kenyan phone", form(phoneNumber="+254712345678"), Malformed("phoneNumber is no Tanzanian mobile number")),
    ("a landline", form(phoneNumber="+255222345678"), Malformed("phoneNumber is no Tanzanian mobile number")),
    ("a very long phone", form(phoneNumber="7" * 9999), Malformed("phoneNumber is no Tanzanian mobile number")),
    ("no text", form(without="text"), Malformed("text is missing")),
    ("an endless service code", form(serviceCode="*" * 101), Malformed("serviceCode is too long or not printable")),
    ("a NUL in the network code", form(networkCode="\0"), Malformed("networkCode is too long or not printable")),
    ("a field twice", post(form().body + b"&phoneNumber=0712345679"), Malformed("a field occurs twice")),
    ("escapes that are not UTF-8", post(form(text="").body + b"%FF"), Malformed("not UTF-8")),
    ("bytes that are not UTF-8", post(form(text="").body + b"\xff"), Malformed("not UTF-8")),
    ("an answer escaped twice is unescaped once", form(text="1*%23"), turn(transcript="1*%23")),
    ("a text without its name", post(form(without="text").body + b"&="), Malformed("text is missing")),
    ("a name alone", post(form(without="text").body + b"&text"), turn(transcript="")),
    ("a query that is not UTF-8", InboundRequest("GET", "text=\udcff", {}, b""), Malformed("not UTF-8")),
    ("33 fields", post(b"&".join(b"f%d=" % n for n in range(33))), Malformed("more than 32 fields")),
    (
        "16 KiB",
        post(form(text="").body.ljust(MAX_BODY_BYTES, b"1")),
        turn(transcript="1" * (MAX_BODY_BYTES - len(form(text="").body))),
    ),
    ("a byte more", post(form(text="").body.ljust(MAX_BODY_BYTES + 1, b"1")), Malformed("more than 16384 bytes")),
    ("JSON", post(b'{"sessionId": "a", "phoneNumber": "0712345678"}'), Malformed("sessionId is missing")),
    ("nothing", post(b""), Malformed("sessionId is missing")),
]

SCREENS: list[tuple[str, Screen, bytes]] = [
    ("a menu", Screen("Karibu\n1. Hali\n2. Lipia", final=False), b"CON Karibu\n1. Hali\n2. Lipia"),
    ("the end", Screen("Asante", final=True), b"END Asante"),
    ("letters beyond ASCII", Screen("ñ €", final=True), "END ñ €".encode()),
    ("no text at all", Screen("", final=True), b"END "),
    ("spaces stay", Screen(" a \n", final=False), b"CON  a \n"),
]


@pytest.mark.parametrize(("request_", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_request_is_this_turn(request_: InboundRequest, expected: Turn | Malformed) -> None:
    assert CHANNEL.parse(request_) == expected


@pytest.mark.parametrize(("screen", "body"), [case[1:] for case in SCREENS], ids=[case[0] for case in SCREENS])
@pytest.mark.parametrize("turn_", [TURN, None], ids=["read", "unreadable"])
def test_a_screen_is_these_bytes(screen: Screen, body: bytes, turn_: Turn | None) -> None:
    reply = CHANNEL.render(screen, turn_)
    assert (reply.status, reply.content_type, reply.body) == (200, "text/plain; charset=utf-8", body)


def test_the_profile_is_what_the_wire_allows() -> None:
    profile = CHANNEL.profile
    assert (profile.name, profile.frame) == ("africastalking", Frame(160, "septets", "\n", 4))
    assert (profile.reply_deadline_s, profile.session_ttl_s) == (10, 180)


@settings(deadline=None)
@given(body=st.binary(max_size=400), query=st.text(max_size=100), method=st.sampled_from(["GET", "POST"]))
def test_nothing_makes_it_raise(body: bytes, query: str, method: str) -> None:
    assert isinstance(CHANNEL.parse(InboundRequest(method, query, {}, body)), Turn | Malformed)


@settings(deadline=None)
@given(
    fields=st.dictionaries(st.sampled_from([*FIELDS, "other"]), st.one_of(st.binary(max_size=30), st.text(max_size=30)))
)
def test_no_field_makes_it_raise(fields: dict[str, bytes | str]) -> None:
    body = urlencode(FIELDS | fields, errors="replace").encode()
    assert isinstance(CHANNEL.parse(post(body)), Turn | Malformed)


@settings(deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_every_input_arrives_as_typed(text: str) -> None:
    assert CHANNEL.parse(form(text=text)) == turn(transcript=text)


# ----------------------------------------------------------------------------------------------- the label of the step

LABELS = [
    ("home", "home"),
    ("end.try_later", "end.try_later"),
    ("a|b", "a_b"),
    ("x\r\nSet-Cookie: a=b", "x__Set-Cookie__a_b"),
    ("bima «é»", "bima____"),
    ("n" * 120, "n" * 99),
]


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize(("name", "label"), LABELS)
def test_a_screens_name_labels_the_step(name: str, label: str, final: bool) -> None:
    screen = Screen("Bima ya CHF: HAI", final, name)
    reply = CHANNEL.render(screen)
    assert reply.headers == {"at-ussd-hop-metadata": label}
    assert (reply.status, reply.body) == (200, b"END Bima ya CHF: HAI" if final else b"CON Bima ya CHF: HAI")


def test_a_screen_without_a_name_has_no_label() -> None:
    assert CHANNEL.render(Screen("Bima", False)).headers == {}


# ------------------------------------------------------------------------------------------------- the end of a session

SCREEN = "END Namba ya malipo:\n9941 8000 0017\nAsha Juma"
END = {
    "date": "2026-11-26 09:12:31",
    "sessionId": SESSION,
    "serviceCode": "*384*123#",
    "networkCode": "64004",
    "phoneNumber": "+255712345678",
    "status": "Success",
    "cost": "TZS 1.0",
    "durationInMillis": "21340",
    "hopsCount": "4",
    "hopsMetadata": "home|pay",
    "input": "1*100000014*1234*2",
    "lastAppResponse": SCREEN,
}


def end(without: str = "", **changed: str) -> InboundRequest:
    return post(urlencode({name: text for name, text in (END | changed).items() if name != without}).encode())


def ended(status: EndStatus = EndStatus.SUCCESS, **changed: object) -> Ended:
    whole = {"duration_ms": 21_340, "hops": 4, "answers": "1*?*?*2", "last_screen": "END 45", "hop": "pay", **changed}
    return Ended(SESSION, "+255712345678", status, **whole)  # type: ignore[arg-type]


END_CASES: list[tuple[str, InboundRequest, Ended | Malformed]] = [
    ("with our last screen", end(), ended()),
    ("hung up", end(status="Incomplete"), ended(EndStatus.INCOMPLETE)),
    ("our reply was bad", end(status="Failed", errorMessage="Bad reply for +255712345678"),
     ended(EndStatus.FAILED, error="Bad reply for ?????????????")),
    ("without an input", end(input=""), ended(answers="")),
    ("without a screen", end(without="lastAppResponse"), ended(last_screen="")),
    ("a screen of somebody else's", end(lastAppResponse="Asha"), ended(last_screen="4")),
    ("an endless input", end(input="1*" * 3_000), ended(answers="*".join(["1"] * 60) + "*…")),
    ("letters for numbers", end(durationInMillis="long", hopsCount="-1"), ended(duration_ms=None, hops=None)),
    ("an endless number", end(durationInMillis="9" * 13), ended(duration_ms=None)),
    ("one label", end(hopsMetadata="home"), ended(hop="home")),
    ("no label", end(without="hopsMetadata"), ended(hop="")),
    ("a last screen without a label", end(hopsMetadata="home|"), ended(hop="")),
    ("what is no label of ours", end(hopsMetadata="home|Asha +255\r\n" + "9" * 200),
     ended(hop="Asha__255__" + "9" * 88)),
    ("another status", end(status="Done"), Malformed("no known status")),
    ("no status", end(without="status"), Malformed("no known status")),
    ("no session", end(without="sessionId"), Malformed("sessionId is missing")),
    ("no phone", end(without="phoneNumber"), Malformed("phoneNumber is missing")),
    ("not UTF-8", post(b"status=%FF"), Malformed("not UTF-8")),
    ("nothing", post(b""), Malformed("no known status")),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "expected"), [case[1:] for case in END_CASES], ids=[c[0] for c in END_CASES])
def test_the_word_of_an_end_is_this_fact(request_: InboundRequest, expected: Ended | Malformed) -> None:
    assert ENDS.parse_end(request_) == expected


@pytest.mark.parametrize("personal", ["100000014", "1234", "9941", "Asha", "Namba"])
def test_what_was_typed_and_shown_is_masked(personal: str) -> None:
    found = ENDS.parse_end(end(errorMessage=SCREEN))
    assert isinstance(found, Ended)
    assert personal not in f"{found.answers} {found.last_screen}"
    assert not any(digit in found.error for digit in "0123456789")
    assert personal not in found.error


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (f"Bad response: '{SCREEN}'", "Bad response: ?? ? ? ?:????? ???? ????? ?"),
        ("Bad response: ASHA JUM…", "Bad response: ? ??"),
        ("Input 1*Zo\u00eb was refused", "Input ???? was refused"),
    ],
    ids=["our whole reply", "its beginning", "what was typed"],
)
def test_what_an_error_quotes_of_the_conversation_is_masked(error: str, kept: str) -> None:
    found = ENDS.parse_end(end(status="Failed", input="1*Zo\u00eb", errorMessage=error))
    assert isinstance(found, Ended)
    assert re.sub(r"\?+", "?", found.error) == re.sub(r"\?+", "?", kept)


def test_other_words_need_no_answer() -> None:
    assert CHANNEL.acknowledge(Noted(SESSION)).body == b""


@settings(deadline=None)
@given(body=st.binary(max_size=400))
def test_no_word_of_an_end_makes_it_raise(body: bytes) -> None:
    assert isinstance(ENDS.parse_end(post(body)), Ended | Malformed)
