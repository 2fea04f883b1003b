"""Every channel over its real address: lost and forged sessions, hostile input, ends, and screens that are pushed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from channel_lines import (
    CODE,
    LINES,
    SECRET,
    AfricasTalking,
    Airtel,
    Beem,
    Cumulative,
    Halotel,
    Hub,
    LastKey,
    Line,
    Request,
    Shown,
    TigoA,
    Vodacom,
    each,
)
from channel_world import (
    CHFID,
    CONFIRM,
    ENQUIRY,
    GIVEN,
    HOME,
    NAME,
    UNREADABLE,
    WRONG,
    Told,
    counted,
    house,
    in_flight,
    told,
)
from played.talk import LATE
from web_world import until

from adapters.sessions.memory import MemorySessions
from gateway.domain.outcomes import Unreachable
from gateway.http_client import AiohttpClient
from gateway.ports import HttpRequest, HttpResponse
from gateway.service.answer_ussd import Budget
from gateway.service.metrics import ERRORS, USSD_ENDS, USSD_PUSHES

ANEW, LATER = "Tunaanza upya.", "Samahani, hatuwezi kujibu sasa."
LAST_KEY = [kind for kind in LINES if kind not in (AfricasTalking, Cumulative)]
FLAGS_FIRST = [kind for kind in LAST_KEY if kind not in (Airtel, LastKey)]
BY_SETTINGS = (Cumulative, Hub, LastKey)


# ------------------------------------------------------------------------------------------ sessions lost, forged, used


@pytest.mark.parametrize("kind", [k for k in LAST_KEY if k is not Halotel], ids=lambda kind: kind.__name__)
async def test_an_answer_to_a_lost_session_begins_anew_and_says_so(kind: type[Line]) -> None:
    """It answered a screen that nobody knows: played on the first screen it would be another answer."""
    store = MemorySessions()
    async with house(told(), store) as at:
        line = at.line(kind, "lost")
        await line.dial()
        await line.press("1")
        await store.close()
        shown = await line.press("1")
        assert shown.text.split("\n")[:2] == [ANEW, HOME]
        assert at.told.wanted == []
        assert (await line.press("1")).text.startswith(CONFIRM), "and it goes on from there"


async def test_a_lost_session_whose_phone_came_with_it_is_asked_to_dial_again() -> None:
    store = MemorySessions()
    async with house(told(), store) as at:
        line = at.line(Halotel, "lost")
        await line.dial()
        await store.close()
        shown = await line.press("1")
        assert shown.text.startswith(LATER)
        assert shown.final


@pytest.mark.parametrize("kind", [AfricasTalking, Cumulative], ids=lambda kind: kind.__name__)
async def test_a_lost_transcript_is_played_up_to_a_confirmation_of_money(kind: type[Line]) -> None:
    store = MemorySessions()
    async with house(told(), store) as at:
        line = at.line(kind, "lost")
        await line.dial()
        await line.press("1")
        await store.close()
        assert (await line.press("1")).text.startswith(CONFIRM)
        assert at.told.wanted == []


async def test_where_nothing_tells_the_first_turn_a_lost_session_begins() -> None:
    """Codes are what tells it; a channel without any shows the first screen."""
    store = MemorySessions()
    async with house(told(), store, airtel={"codes": ""}) as at:
        line = at.line(Airtel, "lost")
        await line.dial()
        await store.close()
        assert (await line.press("1")).text.startswith(HOME)


@each
async def test_a_session_of_another_phone_is_not_reached(kind: type[Line]) -> None:
    async with house(told()) as at:
        mine = at.line(kind, "one-id")
        await mine.dial()
        assert (await mine.press("1")).text.startswith(CONFIRM)
        forged = at.line(kind, "one-id", "255754111222")
        if kind is Halotel:  # the phone is told once: the transaction is another phone's
            assert isinstance(forged, Halotel)
            shown = await forged.send(forged.soap("101", "1", forged.number))
            assert shown.text.startswith(LATER)
        elif kind in (AfricasTalking, Cumulative):
            forged.said = ["1"]
            assert (await forged.press("1")).text.startswith(CONFIRM), "its own, played anew"
        else:
            assert GIVEN not in (await forged.press("1")).text
        assert at.told.wanted == []
        assert (await mine.press("1")).text.startswith(GIVEN), "mine is where it was"
        assert [wanted.msisdn for wanted in at.told.wanted] == ["+255754987654"]


@each
async def test_one_session_id_on_two_channels_is_two_sessions(kind: type[Line]) -> None:
    other = Vodacom if kind is not Vodacom and kind.name != "vodacom" else TigoA
    async with house(told()) as at:
        first, second = at.line(kind, "x"), at.line(other, "x")
        await first.dial()
        await second.dial()
        await first.press("1")
        await second.press("5")
        assert (await second.press("1")).text.startswith(ENQUIRY)


@pytest.mark.parametrize("kind", LAST_KEY, ids=lambda kind: kind.__name__)
async def test_an_answer_holding_a_star_is_one_answer(kind: type[Line]) -> None:
    async with house(told()) as at:
        line = at.line(kind, "star")
        await line.dial()
        assert (await line.press("1*1")).text.startswith(WRONG)
        assert at.told.wanted == []


@each
async def test_answers_in_the_dialled_code_stop_at_a_confirmation_of_money(kind: type[Line]) -> None:
    async with house(told()) as at:
        assert (await at.line(kind, "ahead").dial(["1", "1", "1"])).text.startswith(CONFIRM)
        assert at.told.wanted == []


@pytest.mark.parametrize("kind", FLAGS_FIRST, ids=lambda kind: kind.__name__)
async def test_a_first_turn_after_answers_begins_again(kind: type[Line]) -> None:
    """The operator uses the session's id once more: the caller dialled anew."""
    async with house(told()) as at:
        line = at.line(kind, "anew")
        await line.dial()
        await line.press("5")  # help, which leaves nothing to take up
        line.turns = 10  # a new request id, where there is one
        assert (await line.send(line.first(CODE))).text.startswith(HOME)


# ---------------------------------------------------------------------------------------------------- whatever is typed


@pytest.mark.parametrize(
    "kind", [k for k in LINES if not k.repeats_told and k is not Halotel], ids=lambda kind: kind.__name__
)
async def test_a_twin_that_comes_before_the_screen_confirms_nothing(kind: type[Line]) -> None:
    """Three times the same key at once: the others cannot be a yes to a screen that nobody has seen."""
    async with house(told()) as at:
        line = at.line(kind, "twin")
        await line.dial()
        asked = len(at.told.asked)
        at.told.held = asyncio.Event()
        twins = [asyncio.create_task(line.send(line.next("1"))) for _ in range(3)]
        await until(lambda: in_flight() == 3 and len(at.told.asked) > asked)
        at.told.held.set()
        shown = await asyncio.gather(*twins)
        assert len({one.text for one in shown}) == 1
        assert shown[0].text.startswith(CONFIRM)
        assert at.told.wanted == []
        assert (await line.press("1")).text.startswith(GIVEN), "a yes that comes afterwards is one"


HOSTILE = [
    "", " ", "9" * 10_000, "a" * 10_000, "*" * 3_000, "#" * 3_000, "*#" * 1_000, "Ng'ombe", "١", "１", "一",
    "😀" * 100, "\u202e1", "<b>1</b>", "&lt;", "]]>", "<![CDATA[1]]>", "{family.state}", "$text", "$in.Mobile",
    "' OR 1=1 --", "%31", "1\r\nX-Header: 1", "null", "-1", "0x1", "1e1", "\\u0031", '"', "<br>",
]  # fmt: skip
CONTROL = ["\0", "\x1b", "\x01\x02", "\x7f", "\ufffe"]


@each
async def test_whatever_is_typed_gets_a_clear_screen(kind: type[Line]) -> None:
    async with house(told()) as at:
        for number, typed in enumerate([*HOSTILE, *CONTROL]):
            line = at.line(kind, f"h{number}")
            await line.dial()
            shown = await line.press(typed)
            first = shown.text.split("\n")[0]
            assert first in (WRONG, HOME, "errorCode -1") or first.startswith(UNREADABLE[:20]), (typed[:20], shown)
            assert not any(word in shown.text for word in ("Error", "Traceback", "Exception", "None", "255"))
        assert at.told.wanted == []
        line = at.line(kind, "after")
        assert (await line.dial()).text.startswith(HOME), "the next one is answered"


def is_clear(shown: Shown) -> bool:
    """A screen of ours, or the wire's own word for what cannot be read; nothing of the machine's insides."""
    inside = ("Error", "Traceback", "Exception", "None", "255")
    ours = len(shown.text) < 190 and not any(word in shown.text for word in inside)
    return shown.text.split("\n")[0] == "errorCode -1" or (ours and bool(shown.text.strip()))


@each
@pytest.mark.parametrize("way", [["3"], ["1"]], ids=["where a number is typed", "at a confirmation of money"])
async def test_whatever_is_typed_asks_and_bills_nothing(kind: type[Line], way: list[str]) -> None:
    async with house(told()) as at:
        for number, typed in enumerate([*HOSTILE, *CONTROL]):
            line = at.line(kind, f"d{number}")
            await line.dial()
            for key in way:
                before = await line.press(key)
            shown = await line.press(typed)
            assert is_clear(shown), (typed[:20], shown)
            if not shown.final and shown.text.split("\n")[0] not in (WRONG, HOME, ANEW):
                assert shown.text == before.text, "or the screen that stands"
        assert at.told.wanted == []
        assert "enquiry" not in at.told.asked


@each
async def test_whatever_is_dialled_along_gets_a_clear_screen(kind: type[Line]) -> None:
    async with house(told()) as at:
        for number, typed in enumerate([*HOSTILE, *CONTROL]):
            shown = await at.line(kind, f"a{number}").dial(["1", typed])
            assert is_clear(shown), (typed[:20], shown)
        assert at.told.wanted == [], "not even past a confirmation that it came to"


@each
@pytest.mark.parametrize("forged", ["9" * 10_000, "a\0b", "\x1b[2J", "一" * 200, "*#" * 500, "../../x", "%0d%0aSET"])
async def test_a_session_id_of_any_shape_reaches_nothing_of_others(kind: type[Line], forged: str) -> None:
    async with house(told()) as at:
        mine = at.line(kind, "mine")
        await mine.dial()
        assert (await mine.press("1")).text.startswith(CONFIRM)
        other = at.line(kind, forged, "255754111222")
        request = other.first(CODE + "#")
        status, _, body = await other.raw(request)
        assert status == 200
        assert b"Traceback" not in body
        assert at.told.wanted == []
        assert (await mine.press("1")).text.startswith(GIVEN), "mine is where it was"


@each
async def test_wrong_answers_come_to_an_end(kind: type[Line]) -> None:
    async with house(told()) as at:
        line = at.line(kind, "wrong")
        await line.dial()
        seen = [await line.press(f"{n}{n}{n}") for n in range(2, 8)]
        assert sum(shown.text.startswith(WRONG) for shown in seen) == 4
        assert [shown.final for shown in seen] == [False] * 4 + [True] * 2


@each
async def test_another_secret_is_not_there(kind: type[Line]) -> None:
    async with house(told()) as at:
        line = at.line(kind, "s")
        request = line.first(CODE)
        for address in (request.address.replace(SECRET, "hushhush-3f9b"), request.address.replace(kind.name, "other")):
            status, _, body = await line.raw(Request(request.method, address, request.body, request.content_type))
            assert status == 404
            assert HOME.encode() not in body
        assert at.told.asked == []


@pytest.mark.parametrize("kind", [k for k in LINES if k not in BY_SETTINGS], ids=lambda kind: kind.__name__)
async def test_networks_that_may_not_call_do_not_reach_it(kind: type[Line]) -> None:
    async with house(told(), **{kind.name: {"allowed_networks": "10.0.0.0/8"}}) as at:  # type: ignore[arg-type]
        line = at.line(kind, "s")
        assert (await line.raw(line.first(CODE)))[0] == 404
        assert at.told.asked == []


@pytest.mark.parametrize("kind", [k for k in LINES if k is not Halotel], ids=lambda kind: kind.__name__)
async def test_beyond_the_bound_there_is_a_polite_end(kind: type[Line]) -> None:
    at_once = told()
    at_once.held = asyncio.Event()
    async with house(at_once, in_flight=1) as at:
        inside = asyncio.create_task(at.line(kind, "inside").dial())
        await until(lambda: bool(at_once.asked))
        outside = at.line(kind, "outside")
        request = outside.first(CODE)
        status, _, body = await outside.raw(request)
        assert status == 200
        assert b"Huduma ina watu wengi sasa." in body
        at_once.held.set()
        assert (await inside).text.startswith(HOME)


async def test_beyond_the_bound_the_polite_end_names_its_session() -> None:
    """Where a wire wants ids in a reply, one without them would be shown to nobody; the word of an end is taken."""
    at_once = told()
    at_once.held = asyncio.Event()
    async with house(at_once, in_flight=1) as at:
        inside = asyncio.create_task(at.line(Beem, "inside").dial())
        await until(lambda: bool(at_once.asked))
        outside = at.line(Beem, "outside")
        outside.turns = 7
        _, _, body = await outside.raw(outside.first(CODE))
        said = json.loads(body)
        assert (said["session_id"], said["command"], said["payload"]["request_id"]) == ("outside", "terminate", 7)
        assert said["payload"]["request"].startswith("Huduma ina watu wengi sasa.")
        before = counted(USSD_ENDS, "beem", "incomplete")
        _, _, body = await outside.raw(outside.object("terminate", ""))
        assert json.loads(body)["payload"]["request"] == ""
        assert counted(USSD_ENDS, "beem", "incomplete") == before + 1
        at_once.held.set()
        assert (await inside).text.startswith(HOME)


@each
async def test_logs_hold_nothing_of_the_caller_and_no_secret(kind: type[Line], log_text: Callable[[], str]) -> None:
    broken = Told(lambda ask: {"count": 1, "families": [{"state": "expired", "until": NAME}]})
    canaries = [
        "254111222",
        "754987654",
        NAME,
        CHFID,
        "994180000017",
        "9941 80",
        SECRET,
        "tel-5f",
        "own-77",
        "640021174819835",
        "77331",
    ]
    for said in (told(), broken, Told(lambda ask: LATE)):
        async with house(said) as at:
            line = at.line(kind, f"77331-{id(said)}")
            await line.dial()
            for key in ("5", "1", CHFID, "00", "1", "1"):
                await line.press(key)
            request = line.next("1")
            torn = Request(request.method, request.address[:-4], request.body[:-30] + b"\xff254111222", "text/xml")
            await line.raw(torn)
    assert [canary for canary in canaries if canary in log_text()] == []


# ----------------------------------------------------------------------------------------------------- ends of sessions


@pytest.mark.parametrize(
    ("kind", "ends", "status"),
    [
        (Beem, lambda line: line.object("terminate", ""), "incomplete"),
        (Hub, lambda line: line.object("Release", ""), "incomplete"),
        (Vodacom, lambda line: line.xml("3", ""), "incomplete"),
        (Vodacom, lambda line: line.xml("4", ""), "incomplete"),
        (Vodacom, lambda line: line.xml("10", ""), "failed"),
        (Halotel, lambda line: line.soap("102", "", "null"), "incomplete"),
        (Halotel, lambda line: line.soap("104", "", "null"), "failed"),
    ],
)
async def test_the_peers_word_of_an_end_is_counted_and_moves_nothing(
    kind: type[Line], ends: Callable[[Any], Request], status: str
) -> None:
    async with house(told()) as at:
        line = at.line(kind, "over")
        await line.dial()
        before = counted(USSD_ENDS, kind.name, status)
        request = ends(line)
        answered, _, body = await line.raw(request)
        assert answered == 200
        assert HOME.encode() not in body
        assert counted(USSD_ENDS, kind.name, status) == before + 1
        assert (await line.press("1")).text.startswith(CONFIRM), "it can be taken up again"


async def test_the_word_that_a_screen_was_displayed_is_taken_and_no_more() -> None:
    async with house(told()) as at:
        line = at.line(Halotel, "shown")
        assert isinstance(line, Halotel)
        await line.dial()
        taken = len(at.operator.taken)
        status, _, body = await line.raw(line.soap("103", "", "null"))
        assert (status, b"<errorCode>0<" in body) == (200, True)
        assert len(at.operator.taken) == taken
        assert (await line.press("1")).text.startswith(CONFIRM)


async def test_the_end_of_a_session_at_its_own_address_is_masked(log_text: Callable[[], str]) -> None:
    end = {
        "sessionId": "s1", "phoneNumber": "+255754987654", "status": "Incomplete", "durationInMillis": "21340",
        "hopsCount": "3", "input": f"3*{CHFID}*4711", "lastAppResponse": f"CON {NAME}",
    }  # fmt: skip
    async with house(told()) as at:
        before = counted(USSD_ENDS, "africastalking", "incomplete")
        async with at.client.post(f"/ussd/africastalking/{SECRET}/end", data=end) as response:
            assert (response.status, await response.read()) == (200, b"")
        assert counted(USSD_ENDS, "africastalking", "incomplete") == before + 1
        async with at.client.post(f"/ussd/africastalking/{SECRET}/end", data={"status": CHFID}) as response:
            assert response.status == 200
    lines = [json.loads(line) for line in log_text().splitlines() if '"ussd_ended"' in line]
    (line,) = lines
    assert (line["status"], line["duration_ms"], line["hops"]) == ("incomplete", 21_340, 3)
    assert (line["answers"], line["last_screen"]) == ("3*?*?", "CON 18")
    assert not any(word in log_text() for word in (CHFID, "4711", NAME, "754987654"))
    assert "ussd_end_unreadable" in log_text()


@pytest.mark.parametrize("name", ["beem", "vodacom", "tigo", "airtel", "halotel", "ttcl"])
async def test_channels_that_tell_no_end_have_no_address_for_it(name: str) -> None:
    async with house(told()) as at, at.client.post(f"/ussd/{name}/{SECRET}/end", data={"a": "b"}) as response:
        assert response.status == 404


# ---------------------------------------------------------------------------------------------- screens that are pushed


async def test_it_is_acknowledged_at_once_and_the_screen_follows() -> None:
    said = told()
    said.held = asyncio.Event()
    async with house(said) as at:
        line = at.line(Halotel, "p1")
        status, _, body = await line.raw(line.first(CODE))
        assert (status, b"<errorCode>0<" in body) == (200, True)
        assert at.operator.taken == [], "the registry has not answered yet"
        said.held.set()
        assert (await at.operator.shown("Wp1")).text.startswith(HOME)


async def test_first_and_further_last_and_not_last_have_their_own_types() -> None:
    async with house(told()) as at:
        line = at.line(Halotel, "p2")
        await line.dial()
        for key in ("1", "1", "2"):
            await line.press(key)
        kinds = ["202", "200", "200", "203"]
        assert [(tx, kind) for tx, kind, _ in at.operator.taken] == [("Wp2", kind) for kind in kinds]
    async with house(Told(lambda ask: LATE)) as at:
        await at.line(Halotel, "p3").dial()
        assert [kind for _, kind, _ in at.operator.taken] == ["201"]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [((200, "1"), "Refused"), ((200, "2"), "Refused"), ((200, "-1"), "Unknown"), ((500, "0"), "Unknown")],
)
async def test_a_screen_that_is_not_taken_is_counted_and_not_sent_twice(
    answer: tuple[int, str], outcome: str, log_text: Callable[[], str]
) -> None:
    async with house(told()) as at:
        at.operator.script = [answer]
        before = counted(ERRORS, "USSD-PUSH"), counted(USSD_PUSHES, "halotel", outcome)
        line = at.line(Halotel, "p4")
        await line.raw(line.first(CODE))
        await until(lambda: counted(ERRORS, "USSD-PUSH") > before[0])
        assert counted(USSD_PUSHES, "halotel", outcome) == before[1] + 1
        assert len(at.operator.taken) == 1
        assert "ussd_push_failed" in log_text()
        # the conversation stands where it stood: what the caller sends next is answered
        at.operator.waiting.clear()
        assert (await line.press("1")).text.startswith(CONFIRM)


async def test_a_push_that_never_left_is_tried_once_more_within_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[float] = []
    real = AiohttpClient.send

    async def send(self: AiohttpClient, request: HttpRequest, timeout_s: float) -> HttpResponse | Any:
        tries.append(timeout_s)
        return Unreachable("refused") if len(tries) == 1 else await real(self, request, timeout_s)

    monkeypatch.setattr(AiohttpClient, "send", send)
    async with house(told(), halotel={"reply_s": 9.0}) as at:
        assert (await at.line(Halotel, "p5").dial()).text.startswith(HOME)
    assert len(tries) == 2
    assert 0 < tries[1] <= tries[0] <= 9.0, "what is left of the channel's nine seconds"


async def test_an_operator_that_cannot_be_reached_is_tried_twice_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[float] = []

    async def send(self: AiohttpClient, request: HttpRequest, timeout_s: float) -> Any:
        tries.append(timeout_s)
        return Unreachable("refused")

    monkeypatch.setattr(AiohttpClient, "send", send)
    async with house(told()) as at:
        before = counted(USSD_PUSHES, "halotel", "Unreachable")
        line = at.line(Halotel, "p6")
        await line.raw(line.first(CODE))
        await until(lambda: counted(USSD_PUSHES, "halotel", "Unreachable") > before)
    assert len(tries) == 2


async def test_a_slow_registry_costs_a_pushed_screen_not_the_call() -> None:
    said = told()
    said.held = asyncio.Event()
    async with house(said, budget=Budget(total_s=0.5, fact_s=0.1)) as at:
        shown = await at.line(Halotel, "p7").dial()
        assert shown.text.startswith("Samahani, jibu linachelewa. Tutakutumia kwa SMS.")
        assert shown.final


async def test_what_was_acknowledged_is_answered_before_the_process_stops() -> None:
    said = told()
    said.held = asyncio.Event()
    async with house(said) as at:
        line = at.line(Halotel, "p8")
        await line.raw(line.first(CODE))
        asyncio.get_running_loop().call_later(0.05, said.held.set)
    assert [(tx, kind) for tx, kind, _ in at.operator.taken] == [("Wp8", "202")]


async def test_a_place_is_held_until_the_screen_is_pushed() -> None:
    said = told()
    said.held = asyncio.Event()
    async with house(said, in_flight=1) as at:
        await (line := at.line(Halotel, "p9")).raw(line.first(CODE))
        other = at.line(Halotel, "p10")
        assert (await other.dial()).text == "errorCode -1", "not taken: there is no room"
        said.held.set()
        await at.operator.shown("Wp9")
        async with asyncio.timeout(10):
            while (await other.dial()).text == "errorCode -1":  # noqa: ASYNC110 - what is waited for rings no bell
                await asyncio.sleep(0.002)


async def test_a_wrong_password_of_theirs_is_told_in_their_own_code(log_text: Callable[[], str]) -> None:
    async with house(told(), halotel={"peer_password": "another-99"}) as at:
        line = at.line(Halotel, "p11")
        assert (await line.dial()).text == "errorCode 1"
        assert at.told.asked == []
    assert "wrong user or password" in log_text()
    assert "tel-5f" not in log_text()
    assert "another-99" not in log_text()
