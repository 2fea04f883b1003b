"""Ids that come again, twins, retries and turns out of order, on every channel: never a yes that nobody gave."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from channel_lines import AfricasTalking, Airtel, Cumulative, Halotel, LastKey, Line, each
from channel_world import ASKED, CHFID, CONFIRM, GIVEN, HOME, TABLE, WRONG, Told, house, in_flight, told
from played.talk import from_table
from web_world import until

from adapters.sessions.memory import MemorySessions
from gateway.domain.bill import Bill
from gateway.domain.ussd.effects import RequestBill

COVERED = "Bima HAI"
MINE, OTHER = "+255754987654", "+255754111222"
transcripts = pytest.mark.parametrize("kind", [AfricasTalking, Cumulative], ids=lambda kind: kind.__name__)


# ------------------------------------------------------------------------------------------------ ids that come again


@each
async def test_an_id_that_comes_again_after_the_end_is_a_new_conversation(kind: type[Line]) -> None:
    """Within the life of the last one: some operators' id is the phone's number, and each call's turns count from 1."""
    async with house(told()) as at:
        line = at.line(kind, "again")
        for _ in range(2):
            assert (await line.dial()).text.startswith(HOME)
            for key in ("5", "1"):
                await line.press(key)
            last = await line.press(CHFID)
            assert last.text.startswith(COVERED)
            assert last.final
        assert (await line.dial(["1"])).text.startswith(CONFIRM), "and answers may be dialled along"
        assert at.told.wanted == []


@each
async def test_an_id_that_comes_again_the_next_day_is_a_new_conversation(kind: type[Line]) -> None:
    store = MemorySessions()
    async with house(told(), store) as at:
        line = at.line(kind, "again")
        await line.dial()
        await line.press("1")
        await store.close()  # the session's life is over, and that of what it left
        assert (await line.dial()).text.startswith(HOME)
        assert (await line.press("1")).text.startswith(CONFIRM)


@pytest.mark.parametrize("kind", [Airtel, LastKey], ids=lambda kind: kind.__name__)
async def test_where_nothing_tells_the_first_turn_the_code_dialled_anew_takes_up_what_was_dropped(
    kind: type[Line],
) -> None:
    async with house(told()) as at:
        line = at.line(kind, "again")
        await line.dial()
        await line.press("1")
        assert (await line.dial()).text.startswith(ASKED)
        assert (await line.press("1")).text.startswith(CONFIRM)
        assert at.told.wanted == []


@each
@pytest.mark.parametrize("keys", [["1"], ["5", "1", CHFID]], ids=["while it goes on", "after its end"])
async def test_an_id_that_another_phone_dials_with_is_that_phones(kind: type[Line], keys: list[str]) -> None:
    async with house(told()) as at:
        first, second = at.line(kind, "one-id"), at.line(kind, "one-id", OTHER.removeprefix("+"))
        await first.dial()
        for key in keys:
            await first.press(key)
        assert (await second.dial()).text.startswith(HOME)
        assert (await second.press("1")).text.startswith(CONFIRM)
        assert (await second.press("1")).text.startswith(GIVEN)
        assert [wanted.msisdn for wanted in at.told.wanted] == [OTHER]
        if kind is not Halotel:  # there the transaction is all that is known of a caller's later turns
            assert not (await first.press("0")).text.startswith(GIVEN)


# ---------------------------------------------------------------------------------------------------- twins and retries


@dataclass
class SlowBills(Told):
    """Bills are committed once ``bell`` rings."""

    bell: asyncio.Event | None = None

    async def __call__(self, wanted: RequestBill, now: datetime) -> Bill | None:
        assert self.bell is not None
        await self.bell.wait()
        return await super().__call__(wanted, now)


@each
async def test_a_yes_that_the_operator_repeats_while_the_bill_is_being_made_is_one_yes(kind: type[Line]) -> None:
    """A peer that does not wait as long as the database takes, and asks again: all get the one number."""
    slow = SlowBills(from_table(TABLE), bell=asyncio.Event())
    async with house(slow) as at:
        line = at.line(kind, "yes")
        await line.dial()
        await line.press("1")
        line.said.append("1")
        line.turns += 1
        yes = line.next("1")
        twins = [asyncio.create_task(line.send(yes)) for _ in range(3)]
        await until(lambda: in_flight() == 3)
        assert slow.bell is not None
        slow.bell.set()
        shown = await asyncio.gather(*twins)
        assert {one.text for one in shown} == {shown[0].text}
        assert shown[0].text.startswith(GIVEN)
        assert len(slow.wanted) == 1


@each
async def test_a_dial_that_the_operator_repeats_while_it_is_being_answered_is_one_dial(kind: type[Line]) -> None:
    async with house(told()) as at:
        at.told.held = asyncio.Event()
        line = at.line(kind, "dial")
        line.turns = 1
        dial = line.first("*152*00")
        twins = [asyncio.create_task(line.send(dial)) for _ in range(3)]
        await until(lambda: in_flight() == 3 and bool(at.told.asked))
        at.told.held.set()
        shown = await asyncio.gather(*twins)
        assert {one.text.startswith(HOME) for one in shown} == {True}
        assert at.told.asked == ["caller"]
        assert (await line.press("1")).text.startswith(CONFIRM)


@each
async def test_two_ways_at_once_in_one_session_are_taken_one_after_the_other(kind: type[Line]) -> None:
    """Different keys for one screen, from a peer that lost count: whichever comes first moves it, none bills."""
    async with house(told()) as at:
        line = at.line(kind, "two")
        await line.dial()
        line.turns += 1
        line.said = ["5"]
        help_ = line.next("5")
        line.said = ["1"]
        pay = line.next("1")
        shown = await asyncio.gather(line.send(help_), line.send(pay))
        assert all(one.text.strip() and not one.final for one in shown)
        assert at.told.wanted == []


@each
async def test_twins_at_two_processes_confirm_nothing_and_make_one_bill(kind: type[Line]) -> None:
    """Behind a balancer the repeat reaches the other process, which knows of the first only what is stored."""
    store, both = MemorySessions(), told()
    async with house(both, store) as here, house(both, store) as there:
        mine, again = here.line(kind, "two"), there.line(kind, "two")
        await mine.dial()
        for number, screen in enumerate((CONFIRM, GIVEN), 1):
            both.held = asyncio.Event()
            asked = len(both.asked)
            for line in (mine, again):
                line.said, line.turns = ["1"] * number, number + 1
            twins = [asyncio.create_task(line.send(line.next("1"))) for line in (mine, again)]
            if screen == CONFIRM:
                await until(lambda asked=asked: len(both.asked) == asked + 2)  # type: ignore[misc]
                assert both.wanted == []
            both.held.set()
            shown = await asyncio.gather(*twins)
            assert [one.text.startswith(screen) for one in shown] == [True, True]
        assert len({wanted.key for wanted in both.wanted}) == 1, "one business key: the store has one bill for it"


# --------------------------------------------------------------------------------------------------------- out of order


@transcripts
async def test_a_transcript_that_overtakes_the_one_before_is_one_answer_and_no_yes(kind: type[Line]) -> None:
    """The turn between was lost on its way: what is new is taken for one answer that holds a ``*``."""
    async with house(told()) as at:
        line: Any = at.line(kind, "order")
        await line.dial()
        line.said = ["1", "1"]
        assert (await line.send(line.turn())).text.startswith(WRONG)
        line.said = ["1"]  # the one that was overtaken
        assert (await line.send(line.turn())).text.startswith(WRONG), "the screen that stands"
        line.said = ["1", "1"]
        assert (await line.press("1")).text.startswith(CONFIRM), "the key for the screen that stands"
        assert at.told.wanted == []


@transcripts
async def test_a_whole_call_that_is_sent_again_makes_no_second_bill(kind: type[Line]) -> None:
    async with house(told()) as at:
        line: Any = at.line(kind, "replay")
        for _ in range(3):
            for said in ([], ["1"], ["1", "1"], ["1", "1", "2"]):
                line.said = said
                await line.send(line.turn())
        assert len({wanted.key for wanted in at.told.wanted}) == 1
        assert {wanted.msisdn for wanted in at.told.wanted} == {MINE}
