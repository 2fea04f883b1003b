"""Dropped and dialled again on every channel: who may take it up, until when, and what a repeat of it gets."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from channel_lines import AfricasTalking, Airtel, Beem, Halotel, Line, Request, Vodacom, each
from channel_world import ASKED, CONFIRM, ENQUIRY, GIVEN, HOME, TABLE, House, house, told
from played.talk import BOOK, LATE

from adapters.sessions.memory import MemorySessions
from gateway.ports import SessionRow, SessionStore
from gateway.service.session_codec import VERSION

GOES_ON, TOO_MANY = "Tunaendelea.", "Umekosea mara nyingi."
OTHER_PHONE = "255754111222"
KEPT_S = BOOK.limits.resume_minutes * 60
some = pytest.mark.parametrize("kind", [AfricasTalking, Beem, Airtel, Halotel], ids=lambda kind: kind.__name__)


class Hand:
    """Seconds that pass when told to."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def left_at_confirmation(at: House, kind: type[Line], session: str = "first") -> Line:
    line = at.line(kind, session)
    await line.dial()
    assert (await line.press("1")).text.startswith(CONFIRM)
    return line


# --------------------------------------------------------------------------------------------- taken up, and only once


@each
async def test_the_first_turn_of_it_again_gets_the_same_and_asks_nothing(kind: type[Line]) -> None:
    """A redelivered dial finds the conversation that it began, whatever was left before."""
    async with house(told()) as at:
        await left_at_confirmation(at, kind)
        line = at.line(kind, "second")
        asked = await line.dial()
        assert asked.text.split("\n") == [ASKED, "1 Endelea", "2 Anza upya"]
        facts = len(at.told.asked)
        for _ in range(3):
            assert await line.again() == asked
        assert len(at.told.asked) == facts
        assert (await line.press("1")).text.startswith(CONFIRM)
        assert at.told.wanted == [], "asked again, not passed"
        assert (await line.press("1")).text.startswith(GIVEN)
        assert len(at.told.wanted) == 1
        assert (await at.line(kind, "third").dial()).text.startswith(HOME), "told what one dials for"


@each
async def test_an_input_goes_on_and_a_repeat_of_that_gets_the_same(kind: type[Line]) -> None:
    async with house(told()) as at:
        line = at.line(kind, "first")
        await line.dial()
        await line.press("5")
        await line.press("1")
        line = at.line(kind, "second")
        on = await line.dial()
        assert on.text.startswith(f"{GOES_ON}\n{ENQUIRY}")
        assert await line.again() == on
        assert (await line.press("100000014")).text.startswith("Bima HAI hadi 31/12/2026")


@each
async def test_anew_and_home_leave_nothing(kind: type[Line]) -> None:
    async with house(told()) as at:
        for key in ("2", "00"):
            await left_at_confirmation(at, kind, f"left {key}")
            line = at.line(kind, f"asked {key}")
            await line.dial()
            assert (await line.press(key)).text.startswith(HOME)
            assert (await at.line(kind, f"after {key}").dial()).text.startswith(HOME)


# -------------------------------------------------------------------------------------------------- whose, and how long


@each
async def test_it_is_this_phones_on_this_channel_only(kind: type[Line]) -> None:
    other = Vodacom if kind.name != "vodacom" else AfricasTalking
    async with house(told()) as at:
        await left_at_confirmation(at, kind)
        assert (await at.line(kind, "second", OTHER_PHONE).dial()).text.startswith(HOME)
        assert (await at.line(other, "second").dial()).text.startswith(HOME)
        assert (await at.line(kind, "third").dial()).text.startswith(ASKED)


@some
async def test_it_is_kept_for_the_time_that_the_book_says(kind: type[Line]) -> None:
    clock = Hand()
    async with house(told(), MemorySessions(monotonic=clock)) as at:
        await left_at_confirmation(at, kind)
        clock.now += KEPT_S - 1  # its session is gone long since
        assert (await at.line(kind, "second").dial()).text.startswith(ASKED)
        clock.now += KEPT_S  # since the last turn
        assert (await at.line(kind, "third").dial()).text.startswith(HOME)


async def test_a_key_to_a_session_that_ran_out_is_not_played_and_the_next_dial_takes_it_up() -> None:
    clock = Hand()
    async with house(told(), MemorySessions(monotonic=clock)) as at:
        line = await left_at_confirmation(at, Vodacom)
        clock.now += 200
        assert (await line.press("1")).text.startswith("Tunaanza upya.")
        assert at.told.wanted == []
        assert (await at.line(Vodacom, "second").dial()).text.startswith(ASKED)


LEFT = ["confirm", "renewal", "sw", {"family": 7}, {}, "confirm"]
FRAME = [160, "septets", "\n", 4, "any", False]
KEPT: list[tuple[str, bytes, str]] = [
    ("as it is written", json.dumps([VERSION, FRAME, LEFT]).encode(), ASKED),
    ("of another version", json.dumps([VERSION - 1, FRAME, LEFT]).encode(), HOME),
    ("laid out in another frame", json.dumps([VERSION, [182, *FRAME[1:]], LEFT]).encode(), HOME),
    ("of another family", json.dumps([VERSION, FRAME, [*LEFT[:3], {"family": 8}, {}, "confirm"]]).encode(), HOME),
    ("of a screen that is not there", json.dumps([VERSION, FRAME, ["gone", *LEFT[1:]]]).encode(), HOME),
    ("with a field less", json.dumps([VERSION, FRAME, LEFT[:5]]).encode(), HOME),
    ("with lists for names", json.dumps([VERSION, FRAME, [*LEFT[:3], [7], {}, "confirm"]]).encode(), HOME),
    ("rubbish", b"\xff", HOME),
    ("nothing", b"", HOME),
]


@pytest.mark.parametrize(("kept", "begins"), [c[1:] for c in KEPT], ids=[c[0] for c in KEPT])
async def test_what_cannot_be_taken_up_is_as_if_it_were_not_there(kept: bytes, begins: str) -> None:
    store = MemorySessions()
    await store.save("airtel:+255754987654", kept, 60)
    async with house(told(), store) as at:
        line = at.line(Airtel, "one")
        assert (await line.dial()).text.startswith(begins)
        assert (await line.press("2" if begins == ASKED else "00")).text.startswith(HOME)


async def test_a_channel_whose_screens_have_changed_begins_anew() -> None:
    store = MemorySessions()
    async with house(told(), store) as at:
        await left_at_confirmation(at, Beem)
    async with house(told(), store, beem={"max_units": 182}) as at:
        assert (await at.line(Beem, "second").dial()).text.startswith(HOME)


# ------------------------------------------------------------------------------------------- the peer's word of an end


@pytest.mark.parametrize("status", ["Incomplete", "Failed", "Success"])
async def test_the_word_that_it_ended_makes_no_difference(status: str) -> None:
    """Nobody can tell a caller who hung up from a network that did."""
    async with house(told()) as at:
        line = await left_at_confirmation(at, AfricasTalking)
        ended = {"sessionId": "first", "phoneNumber": "+255754987654", "status": status, "input": "1"}
        await line.raw(Request("POST", f"{line.path}/end", urlencode(ended).encode()))
        assert (await at.line(AfricasTalking, "second").dial()).text.startswith(ASKED)


async def test_a_terminate_makes_no_difference_either() -> None:
    async with house(told()) as at:
        line = await left_at_confirmation(at, Beem)
        assert isinstance(line, Beem)
        await line.raw(line.object("terminate", ""))
        assert (await at.line(Beem, "second").dial()).text.startswith(ASKED)


# ------------------------------------------------------------------------------------- answers inside the dialled code

MANY = BOOK.limits.keys + 5
# the answers in the code; what is shown; the caller's own next key and what it shows
DIALLED: list[tuple[str, list[str], str, str, str]] = [
    ("to the confirmation", ["1"], CONFIRM, "1", GIVEN),
    ("over the confirmation", ["1", "1"], CONFIRM, "1", GIVEN),
    ("over it and what follows", ["1", "1", "1"], CONFIRM, "1", GIVEN),
    ("over it by any answer", ["1", "8", "2", "1"], CONFIRM, "1", GIVEN),
    ("no back over it", ["1", "0"], CONFIRM, "0", HOME),
    ("no home over it", ["1", "00", "5"], CONFIRM, "00", HOME),
    ("to it by way of the number", ["2", "1", "1"], CONFIRM, "1", GIVEN),
    ("to it by way of the language", ["5", "2", "1", "1", "1"], CONFIRM, "1", GIVEN),
    ("more answers than a conversation may have", ["1"] * MANY, CONFIRM, "1", GIVEN),
    ("a conversation's worth that leads nowhere", ["0"] * MANY, HOME, "1", TOO_MANY),
    ("a wrong answer first", ["8", "1"], CONFIRM, "1", GIVEN),
    ("an empty answer first", ["", "1"], CONFIRM, "1", GIVEN),
    ("wrong answers only", ["8"] * 9, TOO_MANY, "1", TOO_MANY),
    ("a wrong answer last", ["5", "1", "12"], "Si sahihi.", "100000014", "Bima HAI"),
    ("an answer at the end of it", ["5", "1", "100000014"], "Bima HAI", "1", "Bima HAI"),
    ("to an input", ["5", "1"], ENQUIRY, "100000014", "Bima HAI"),
    ("home by itself", ["5", "1", "00"], HOME, "1", CONFIRM),
    ("back by itself", ["5", "0"], HOME, "1", CONFIRM),
]


@each
@pytest.mark.parametrize(("dialled", "shows", "key", "then"), [c[1:] for c in DIALLED], ids=[c[0] for c in DIALLED])
async def test_answers_in_the_code_are_played_up_to_a_confirmation(
    kind: type[Line], dialled: list[str], shows: str, key: str, then: str
) -> None:
    async with house(told()) as at:
        line = at.line(kind, "ahead")
        shown = await line.dial(dialled)
        assert shown.text.startswith(shows)
        assert at.told.wanted == [], "nothing dialled along is a yes"
        assert await line.again() == shown
        assert (await line.press(key)).text.startswith(then)
        assert len(at.told.wanted) == (then == GIVEN), "the next key is the caller's own"


@each
async def test_answers_in_the_code_take_nothing_up(kind: type[Line]) -> None:
    """The caller said where to go. What was left stays until something ends."""
    async with house(told()) as at:
        await left_at_confirmation(at, kind)
        assert (await at.line(kind, "second").dial(["5", "1"])).text.startswith(ENQUIRY)
        assert (await at.line(kind, "third").dial()).text.startswith(GOES_ON), "left later"
        assert (await at.line(kind, "fourth").dial(["1"])).text.startswith(CONFIRM)
        assert (await at.line(kind, "fifth").dial(["5", "1", "100000014"])).final
        assert (await at.line(kind, "sixth").dial()).text.startswith(HOME)


# ---------------------------------------------------------------------------------------------- a store that loses rows


class Losing:
    """A session store that loses what it is told to."""

    def __init__(self) -> None:
        self._store: SessionStore = MemorySessions()
        self._lost: dict[str, int] = {"session": 0, "left": 0}

    def lose(self, what: str) -> None:
        for kind in self._lost if what == "both" else [what]:
            self._lost[kind] += 1

    def _name(self, key: str) -> str:
        kind = "left" if key.count(":") == 1 else "session"
        return f"{self._lost[kind]} {key}"

    async def load(self, key: str) -> bytes | None:
        return await self._store.load(self._name(key))

    async def save(self, key: str, value: bytes, ttl_s: int) -> None:
        await self._store.save(self._name(key), value, ttl_s)

    async def load_all(self, keys: Any) -> Any:
        return await self._store.load_all([self._name(key) for key in keys])

    async def save_all(self, rows: Any) -> None:
        await self._store.save_all([SessionRow(self._name(key), value, ttl) for key, value, ttl in rows])

    async def ping(self) -> bool:
        return True

    async def close(self) -> None: ...


@each
@pytest.mark.parametrize("what", ["session", "left", "both"])
async def test_a_store_that_loses_rows_between_any_two_turns_loses_no_money(kind: type[Line], what: str) -> None:
    """Dropped, taken up and paid for, with the store emptied before one of the turns: no bill but by a yes to it."""
    turns = [None, "1", None, "1", "1"]
    for number in range(1, len(turns) + 1):
        store = Losing()
        async with house(told(), store) as at:
            line, seen = at.line(kind, "0"), ""
            for turn, key in enumerate([*turns, None, "1", "1"]):
                if turn == number:
                    store.lose(what)
                if key is None:
                    line = at.line(kind, f"{turn}")
                before, made = seen, len(at.told.wanted)
                seen = (await (line.dial() if key is None else line.press(key))).text
                assert "Error" not in seen
                if len(at.told.wanted) > made:
                    assert (before.startswith(CONFIRM), key) == (True, "1"), (number, turn, before)
            assert {wanted.key for wanted in at.told.wanted} <= {"family:7/product:3/after:12"}


# ---------------------------------------------------------------------------------- one phone in two sessions at once


@each
async def test_a_second_dial_while_the_first_goes_on_disturbs_neither(kind: type[Line]) -> None:
    async with house(told()) as at:
        first = await left_at_confirmation(at, kind)
        second = at.line(kind, "second")
        assert (await second.dial()).text.startswith(ASKED)
        assert (await second.press("1")).text.startswith(CONFIRM)
        assert (await first.press("0")).text.startswith(HOME)
        assert (await first.press("1")).text.startswith(CONFIRM)
        assert (await second.press("1")).text.startswith(GIVEN)
        assert (await first.press("1")).text.startswith(GIVEN)
        assert len({wanted.key for wanted in at.told.wanted}) == 1, "one business key: the store has one bill for it"


async def test_a_fact_that_is_late_keeps_what_was_left() -> None:
    async with house(told(caller=[*TABLE["caller"], LATE, *TABLE["caller"]])) as at:
        await left_at_confirmation(at, Beem)
        late = await at.line(Beem, "second").dial()
        assert late.final
        assert (await at.line(Beem, "third").dial()).text.startswith(ASKED)
