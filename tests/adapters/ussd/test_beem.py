"""Beem's USSD hub: JSON to turns, screens to JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ussd.beem import BeemUssd
from gateway.ports import Ended, EndStatus, InboundRequest, Malformed, Noted, Screen, Turn, UssdChannel

CHANNEL: UssdChannel = BeemUssd()
SAID: dict[str, Any] = {
    "command": "continue",
    "msisdn": "255754987654",
    "session_id": "4574",
    "operator": "vodacom",
    "payload": {"request_id": 3, "response": "1"},
}
ECHO = {"msisdn": "255754987654", "operator": "vodacom", "session_id": "4574", "request_id": 3}


def post(body: bytes) -> InboundRequest:
    return InboundRequest("POST", "", {"content-type": "application/json"}, body)


def said(without: str = "", payload: dict[str, Any] | None = None, **changed: Any) -> InboundRequest:
    whole = SAID | changed | {"payload": SAID["payload"] | (payload or {})}
    return post(json.dumps({name: value for name, value in whole.items() if name != without}).encode())


def turn(key: str = "1", number: Any = 3, session: Any = "4574", **changed: Any) -> Turn:
    given_ = {
        "network": "vodacom",
        "first": False,
        "turn_id": f"continue:{number}:{key}",
        "echo": ECHO | {"request_id": number, "session_id": session},
        **changed,
    }
    return Turn(str(session), "+255754987654", "", key=key, **given_)


CASES: list[tuple[str, InboundRequest, Turn | Ended | Malformed]] = [
    ("a turn", said(), turn()),
    ("numbers for ids", said(session_id=4574, payload={"request_id": 7}), turn(number=7, session=4574)),
    ("texts for ids", said(payload={"request_id": "a7"}), turn(number="a7")),
    (
        "the first turn, with the dialled code",
        said(command="initiate", payload={"request_id": 0, "response": "*152*00#"}),
        Turn("4574", "+255754987654", "*152*00#", network="vodacom", first=True, turn_id="initiate:0:*152*00#",
             echo=ECHO | {"request_id": 0}),
    ),
    (
        "the first turn without any text",
        said(command="initiate", payload={"request_id": 0, "response": None}),
        Turn("4574", "+255754987654", "", network="vodacom", first=True, turn_id="initiate:0:",
             echo=ECHO | {"request_id": 0}),
    ),
    ("an answer that is a number", said(payload={"response": 1}), turn()),
    ("an answer with a star", said(payload={"response": "1*2"}), turn(key="1*2")),
    ("a byte order mark", post(b"\xef\xbb\xbf" + said().body), turn()),
    ("the key that turns pages", said(payload={"response": "#"}), turn(key="#")),
    ("an answer escaped as in an address stays", said(payload={"response": "%23"}), turn(key="%23")),
    ("a session that is first a number, then a text", said(session_id=4574), turn(session=4574)),
    ("no number for an id is said again", post(said(payload={"request_id": 3}).body.replace(b": 3,", b": NaN,")),
     turn(turn_id="", echo=ECHO | {"request_id": None})),
    ("too large a number either", post(said(payload={"request_id": 3}).body.replace(b": 3,", b": 1e999,")),
     turn(turn_id="", echo=ECHO | {"request_id": None})),
    ("a list for an operator is not said again", said(operator=[["vodacom"]]),
     turn(network=None, echo=ECHO | {"operator": None})),
    ("no answer", said(payload={"response": ""}), turn(key="")),
    ("letters of any script", said(payload={"response": "Ng'ombe 你 😀"}), turn(key="Ng'ombe 你 😀")),
    ("no request id", said(payload={"request_id": None}), turn(turn_id="", echo=ECHO | {"request_id": None})),
    *(
        (f"the operator {name}", said(operator=name), turn(network=network, echo=ECHO | {"operator": name}))
        for name, network in (
            ("tigo", "yas"), ("Yas", "yas"), ("mixx", "yas"), ("zantel", "yas"), ("airtel", "airtel"),
            ("halotel", "halotel"), ("TTCL", "ttcl"), ("athena", None),
        )
    ),
    ("no operator", said(without="operator"), turn(network=None, echo=ECHO | {"operator": None})),
    ("the end of a session", said(command="terminate"),
     Ended("4574", "+255754987654", EndStatus.INCOMPLETE, echo=ECHO)),
    ("the end of a session, null for a payload",
     post(json.dumps(SAID | {"command": "terminate", "payload": None}).encode()),
     Ended("4574", "+255754987654", EndStatus.INCOMPLETE, echo=ECHO | {"request_id": None})),
    ("a number for a phone", said(msisdn=255754987654), turn(echo=ECHO | {"msisdn": 255754987654})),
    ("a national number", said(msisdn="0754 987 654"), turn(echo=ECHO | {"msisdn": "0754 987 654"})),
    ("fields of theirs that we do not know", said(more=[1]), turn()),
    ("another command", said(command="push"), Malformed("no known command")),
    ("no command", said(without="command"), Malformed("no known command")),
    ("no session", said(without="session_id"), Malformed("session_id is missing")),
    ("true for a session", said(session_id=True), Malformed("session_id is missing")),
    ("a list for a session", said(session_id=["4574"]), Malformed("session_id is missing")),
    ("an endless session", said(session_id="4" * 101), Malformed("session_id is too long or not printable")),
    ("no phone", said(without="msisdn"), Malformed("msisdn is missing")),
    ("a Kenyan phone", said(msisdn="254712345678"), Malformed("msisdn is no Tanzanian mobile number")),
    ("an endless operator", said(operator="v" * 101), Malformed("operator is too long or not printable")),
    ("a payload that is a text", post(json.dumps(SAID | {"payload": "1"}).encode()), Malformed("payload is no object")),
    ("no payload", said(without="payload"), turn(key="", turn_id="", echo=ECHO | {"request_id": None})),
    ("a dialled code of 101", said(command="initiate", payload={"response": "1" * 101}),
     Malformed("response is too long or not printable")),
    ("a field twice", post(b'{"command":"continue","command":"continue"}'), Malformed("a field occurs twice")),
    ("a list", post(b"[]"), Malformed("no JSON object")),
    ("a form", post(b"command=continue"), Malformed("not JSON")),
    ("half an object", post(b'{"command"'), Malformed("not JSON")),
    ("ten thousand brackets", post(b"[" * 10_000), Malformed("not JSON")),
    ("bytes that are not UTF-8", post(b'{"command":"\xff"}'), Malformed("not UTF-8")),
    ("nothing", post(b""), Malformed("not JSON")),
    ("17 kB", post(json.dumps(SAID | {"more": "x" * 17_000}).encode()), Malformed("more than 16384 bytes")),
    ("a GET", InboundRequest("GET", "command=continue", {}, b""), Malformed("not JSON")),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_request_is_this(request_: InboundRequest, expected: Turn | Ended | Malformed) -> None:
    assert CHANNEL.parse(request_) == expected


@pytest.mark.parametrize(
    ("first_command", "first", "final", "command"),
    [
        ("continue", True, False, "continue"),
        ("initiate", True, False, "initiate"),
        ("initiate", False, False, "continue"),
        ("initiate", True, True, "terminate"),
        ("continue", False, True, "terminate"),
    ],
)
def test_a_screen_is_this_object(first_command: str, first: bool, final: bool, command: str) -> None:
    reply = BeemUssd(first_command=first_command).render(Screen('Bima\n1 Lipa "x"', final), turn(first=first))
    assert (reply.status, reply.content_type) == (200, "application/json; charset=utf-8")
    assert json.loads(reply.body) == {
        "msisdn": "255754987654",
        "operator": "vodacom",
        "session_id": "4574",
        "command": command,
        "payload": {"request_id": 3, "request": 'Bima\n1 Lipa "x"'},
    }


def test_ids_are_echoed_in_their_own_kind() -> None:
    heard = CHANNEL.parse(said(session_id=4574, payload={"request_id": "7"}))
    assert isinstance(heard, Turn)
    body = json.loads(CHANNEL.render(Screen("a", True), heard).body)
    assert (body["session_id"], body["payload"]["request_id"]) == (4574, "7")


def test_an_end_is_answered_without_a_text() -> None:
    ended = CHANNEL.parse(said(command="terminate"))
    assert isinstance(ended, Ended)
    body = json.loads(CHANNEL.acknowledge(ended).body)
    assert (body["command"], body["payload"], body["session_id"]) == (
        "terminate", {"request_id": 3, "request": ""}, "4574",
    )  # fmt: skip
    assert json.loads(CHANNEL.acknowledge(Noted("s")).body)["command"] == "terminate"


def test_what_cannot_be_read_gets_a_last_screen() -> None:
    body = json.loads(CHANNEL.render(Screen("Samahani", True), Malformed("not JSON")).body)
    assert (body["command"], body["payload"]["request"]) == ("terminate", "Samahani")


@pytest.mark.parametrize("unreadable", [said(msisdn="254712345678"), said(command="push")], ids=["phone", "command"])
def test_a_last_screen_for_what_is_no_turn_names_its_session(unreadable: InboundRequest) -> None:
    """Without its ids the hub would have nobody to show it to."""
    heard = CHANNEL.parse(unreadable)
    assert isinstance(heard, Malformed)
    body = json.loads(CHANNEL.render(Screen("Samahani", True), heard).body)
    assert (body["session_id"], body["payload"]) == ("4574", {"request_id": 3, "request": "Samahani"})
    assert body["msisdn"] == json.loads(unreadable.body)["msisdn"]


def test_a_hub_that_counts_nothing_has_no_turn_ids() -> None:
    heard = BeemUssd(request_ids=False).parse(said())
    assert isinstance(heard, Turn)
    assert heard.turn_id == ""


def test_a_long_answer_makes_a_short_turn_id() -> None:
    heard = CHANNEL.parse(said(payload={"response": "9" * 10_000}))
    assert isinstance(heard, Turn)
    assert (len(heard.turn_id), len(heard.key or "")) == (64, 10_000)


@settings(deadline=None)
@given(body=st.binary(max_size=300))
def test_nothing_makes_it_raise(body: bytes) -> None:
    assert isinstance(CHANNEL.parse(post(body)), Turn | Ended | Malformed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(fields=st.dictionaries(st.sampled_from([*SAID]), JSON), payload=st.dictionaries(
    st.sampled_from(["request_id", "response"]), JSON))  # fmt: skip
def test_no_field_makes_it_raise(fields: dict[str, Any], payload: dict[str, Any]) -> None:
    body = json.dumps(SAID | {"payload": SAID["payload"] | payload} | fields).encode()
    heard = CHANNEL.parse(post(body))
    assert isinstance(heard, Turn | Ended | Malformed)
    if isinstance(heard, Turn):
        json.loads(CHANNEL.render(Screen("a", False), heard).body)
