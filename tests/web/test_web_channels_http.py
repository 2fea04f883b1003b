"""What HTTP lets a peer send, on every channel: other methods, other types, bytes of no text, and a peer that hangs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from channel_lines import (
    CODE,
    SECRET,
    AfricasTalking,
    Airtel,
    Beem,
    Halotel,
    Hub,
    LastKey,
    Line,
    Request,
    TigoA,
    TigoB,
    Vodacom,
    VodacomGet,
    each,
)
from channel_world import CONFIRM, HOME, UNREADABLE, counted, house, in_flight, told
from web_world import until

from gateway.service.metrics import ERRORS, USSD_PUSHES

FORMS = [AfricasTalking, LastKey]


def is_refused(body: bytes) -> bool:
    """A last screen of ours, or the wire's own word for what cannot be read."""
    return UNREADABLE.encode() in body or b"<errorCode>-1<" in body


# ------------------------------------------------------------------------------------------------------------ the shape


@each
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"])
async def test_other_methods_are_not_allowed(kind: type[Line], method: str) -> None:
    async with house(told()) as at:
        line = at.line(kind, "m")
        async with line.client.request(method, line.first(CODE).address) as response:
            assert response.status == 405
            assert await response.read() == b"" or b"Bima" not in await response.read()
        assert at.told.asked == []


@each
async def test_a_wire_of_one_method_reads_nothing_from_the_other(kind: type[Line]) -> None:
    """Forms may come as a GET; what is POSTed to a wire that GETs, or the other way about, is no turn."""
    async with house(told()) as at:
        line = at.line(kind, "m")
        line.turns = 1
        turn = line.first(CODE)
        if turn.method == "GET":
            address, _, query = turn.address.partition("?")
            other = Request("POST", address, query.encode(), "text/xml" if kind is VodacomGet else turn.content_type)
        else:
            other = Request("GET", f"{turn.address}?{turn.body.decode('latin-1')}" if kind in FORMS else turn.address)
        status, _, body = await line.raw(other)
        assert status == 200
        if kind in FORMS:
            assert HOME.encode() in body
        else:
            assert is_refused(body)
            assert at.told.asked == []


@each
@pytest.mark.parametrize(
    "content_type", ["{}; charset=utf-8", "{}; charset=ISO-8859-1", '{};charset="UTF-8"', "application/octet-stream"]
)
async def test_the_content_type_says_nothing_that_the_wire_does_not(kind: type[Line], content_type: str) -> None:
    """Peers name charsets that they do not use: what counts is the wire's own rule, UTF-8 or what an XML declares."""
    async with house(told()) as at:
        line = at.line(kind, "c")
        line.turns = 1
        turn = line.first(CODE)
        shown = await line.send(replace(turn, content_type=content_type.format(turn.content_type)))
        assert shown.text.startswith(HOME)


@each
async def test_no_proxy_between_may_keep_a_screen(kind: type[Line]) -> None:
    """Where keys are GET the same key twice is the same address."""
    async with house(told()) as at:
        line = at.line(kind, "p")
        line.turns = 1
        for turn in (line.first(CODE), line.next("1"), line.next("1")):
            data = turn.body if turn.method == "POST" else None
            async with line.client.request(turn.method, turn.address, data=data) as response:
                assert response.headers["Cache-Control"] == "no-store"


@each
async def test_bytes_that_are_no_text_get_a_clear_last_screen(kind: type[Line]) -> None:
    async with house(told()) as at:
        line = at.line(kind, "b")
        line.turns = 1
        turn = line.first(CODE)
        torn = (
            replace(turn, address=f"{turn.address}&x=%FF%FE")
            if turn.method == "GET"
            else replace(turn, body=turn.body.replace(b"255754987654", b"255754987654\xff"))
        )
        status, _, body = await line.raw(torn)
        assert status == 200
        assert is_refused(body)
        assert at.told.asked == []
        assert (await line.send(turn)).text.startswith(HOME), "the next one is answered"


def said_twice(turn: Request) -> Request:
    """The same turn with the phone in it twice, the second time another's."""
    other = "255754111222"
    if turn.method == "GET":
        name = next(n for n in ("MSISDN", "msisdn") if f"{n}=" in turn.address)
        return replace(turn, address=f"{turn.address}&{name}={other}")
    body = turn.body.decode()
    for found, again in (
        ("</msisdn>", f"</msisdn><msisdn>{other}</msisdn>"),
        ('"msisdn": ', f'"msisdn": "{other}", "msisdn": '),
        ('"Mobile": ', f'"Mobile": "{other}", "Mobile": '),
        ("phoneNumber=", f"phoneNumber={other}&phoneNumber="),
    ):
        if found in body:
            return replace(turn, body=body.replace(found, again).encode())
    raise AssertionError(body)


@each
async def test_a_phone_that_is_said_twice_is_nobody(kind: type[Line]) -> None:
    """Which of the two a proxy before us has looked at is not for us to guess."""
    async with house(told()) as at:
        line = at.line(kind, "t")
        line.turns = 1
        status, _, body = await line.raw(said_twice(line.first(CODE)))
        assert status == 200
        assert is_refused(body)
        assert at.told.asked == []


@pytest.mark.parametrize(
    "kind", [Vodacom, VodacomGet, TigoA, TigoB, Airtel, LastKey, Halotel], ids=lambda k: k.__name__
)
async def test_a_code_that_is_escaped_once_too_often_is_the_code(kind: type[Line]) -> None:
    async with house(told()) as at:
        line: Any = at.line(kind, "e")
        dialled = "%2A152%2A00*5*1%23"
        if kind in (Vodacom, VodacomGet):
            dial = line.xml("1", dialled)
        else:
            dial = line.soap("100", dialled, line.number) if kind is Halotel else line.first(dialled)
        assert (await line.send(dial)).text.startswith("Andika namba"), "and its answers"
        assert (await line.press("00")).text.startswith(HOME)
        assert (await line.press("%23")).text.startswith(HOME), "the key that turns pages: there is one page"


# ----------------------------------------------------------------------------------------------------- ends of sessions


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_an_end_is_posted(method: str) -> None:
    async with house(told()) as at:
        async with at.client.request(method, f"/ussd/africastalking/{SECRET}/end?status=Success") as response:
            assert response.status == 405
        assert at.told.asked == []


@pytest.mark.parametrize(
    "kind", [AfricasTalking, Beem, Hub, Vodacom, VodacomGet, Halotel], ids=lambda kind: kind.__name__
)
async def test_a_word_of_an_end_that_nobody_knows_of_is_taken_and_starts_nothing(kind: type[Line]) -> None:
    """It came before the first turn, or long after: the conversation that follows is one like others."""
    async with house(told()) as at:
        line: Any = at.line(kind, "unknown")
        line.turns = 1
        word = {
            AfricasTalking: lambda: replace(
                line.post(sessionId="unknown", phoneNumber="+255754987654", status="Failed"),
                address=f"/ussd/africastalking/{SECRET}/end",
            ),
            Beem: lambda: line.object("terminate", ""),
            Hub: lambda: line.object("Release", ""),
            Vodacom: lambda: line.xml("3", ""),
            VodacomGet: lambda: line.xml("4", ""),
            Halotel: lambda: line.soap("104", "", "null"),
        }[kind]()
        for _ in range(2):
            status, _, body = await line.raw(word)
            assert status == 200
            assert b"Bima" not in body
        assert at.told.asked == []
        assert at.operator.taken == []
        assert (await line.dial()).text.startswith(HOME)
        assert (await line.press("1")).text.startswith(CONFIRM)


# ---------------------------------------------------------------------------------------------------- a peer that hangs


async def test_a_push_that_hangs_ends_with_the_deadline_and_is_not_sent_twice() -> None:
    """It may have arrived. Its place is given back, other channels are answered meanwhile, and so is the next key."""
    async with house(told(), halotel={"reply_s": 0.5}) as at:
        before = counted(USSD_PUSHES, "halotel", "Unknown"), counted(ERRORS, "USSD-PUSH")
        at.operator.held = asyncio.Event()
        line = at.line(Halotel, "slow")
        await line.raw(line.first(CODE))
        await until(lambda: len(at.operator.taken) == 1)
        assert (await at.line(Airtel, "meanwhile").dial()).text.startswith(HOME)
        await until(lambda: counted(ERRORS, "USSD-PUSH") > before[1])
        assert counted(USSD_PUSHES, "halotel", "Unknown") == before[0] + 1
        assert in_flight() == 0
        assert len(at.operator.taken) == 1
        at.operator.held = None
        assert (await line.press("1")).text.startswith(CONFIRM)


async def test_a_first_turn_that_the_network_repeats_after_a_push_that_failed_is_pushed_again() -> None:
    async with house(told()) as at:
        before = counted(ERRORS, "USSD-PUSH")
        at.operator.script = [(200, "-1")]
        line = at.line(Halotel, "repeat")
        dial = line.first(CODE)
        await line.raw(dial)
        await until(lambda: counted(ERRORS, "USSD-PUSH") > before)
        assert (await line.send(dial)).text.startswith(HOME)
        assert [kind for _, kind, _ in at.operator.taken] == ["202", "202"]
        assert at.told.asked == ["caller"], "the same screen: nothing was run for it"
