"""Where conversations end, counted over the channels' real addresses: with and without words of an end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from channel_lines import (
    CODE,
    LINES,
    AfricasTalking,
    Airtel,
    Beem,
    Halotel,
    Hub,
    Line,
    Request,
    TigoA,
    Vodacom,
    each,
    unpaged,
)
from channel_world import PATIENT, House, Told, house
from played.conversation import NAMED, Conversation, all_conversations
from played.talk import BOOK, LATE, Talk, from_table, new_session
from web_world import Broken, Languages, StandingClock, until

from adapters.sessions.memory import MemorySessions
from adapters.sessions.valkey import ValkeySessions
from gateway.domain.ussd.book import Book
from gateway.domain.ussd.ends import moves
from gateway.domain.ussd.frame import Frame
from gateway.ports import SessionStore
from gateway.service.answer_by_sms import Promises
from gateway.service.answer_ussd import AnswerUssd
from gateway.service.messages import Messages
from gateway.service.screen_counts import ScreenTally
from gateway.service.ussd_effects import UssdEffects

TABLE: dict[str, list[Any]] = {
    "caller": [NAMED["caller"]["covered"]],
    "quote": [NAMED["quote"]["payable"]],
    "control_number": [NAMED["control_number"]["refused"]],
}
# conversations that are not taken up again: each dial is counted by itself
APART = replace(BOOK, limits=replace(BOOK.limits, resume_minutes=0))
DROPPED_PHONE = "255754300400"  # nobody else's: the store is others' too
PHONE, OTHER_PHONE = "255754987654", "255754111222"
DIALLED = {"home shown": 1, "home entered": 1}
ASKED = {**DIALLED, "home left": 1, "confirm shown": 1, "confirm entered": 1}
GIVEN = {**ASKED, "confirm left": 1, "number_refused shown": 1, "number_refused final": 1}


@pytest.fixture(params=["memory", "valkey"])
async def sessions(request: pytest.FixtureRequest) -> AsyncIterator[SessionStore]:
    store: Any = (
        MemorySessions()
        if request.param == "memory"
        else ValkeySessions(request.getfixturevalue("valkey_url"), timeout_s=30)
    )
    yield store
    await store.close()


class Counts:
    """Every channel, and what was counted so far."""

    def __init__(self, at: House, tally: ScreenTally, served: list[AnswerUssd]) -> None:
        self.at = at
        self._tally = tally
        self._served = served
        self._all: Counter[str] = Counter()

    async def somebody_waits(self) -> None:
        """Until a request has come for a session whose turn is in work."""
        await until(lambda: any(bell is not None for served in self._served for bell in served._busy.values()))

    def seen(self, channel: str) -> dict[str, int]:
        """``home shown``, of one channel; every channel that counted anything must be that one."""
        for (name, place, event), count in self._tally.take().items():
            assert name == channel
            label = f"{place.screen}<{place.missed}" if place.missed else place.screen
            self._all[f"{label} {event}"] += count
        return dict(self._all)


@asynccontextmanager
async def counting(
    sessions: SessionStore | None = None, told: Told | None = None, effects: Any = None, book: Book = APART
) -> AsyncIterator[Counts]:
    tally = ScreenTally(book)
    told = told or Told(from_table(TABLE))

    def answer(store: SessionStore) -> AnswerUssd:
        kept = Languages()
        given: Any = (kept, told, Promises(kept, StandingClock(), 50), Messages(BOOK))  # type: ignore[arg-type]
        made: Any = effects or UssdEffects(*given)
        asked: Any = told
        served.append(AnswerUssd(book, store, asked, made, asked, StandingClock(), PATIENT, tally=tally))
        return served[-1]

    served: list[AnswerUssd] = []
    async with house(told, sessions, answer) as at:
        yield Counts(at, tally, served)


# ----------------------------------------------------------------------------------------------------------- the words

Word = Callable[[Line], Request]


def at_end(status: str) -> Word:
    def made(line: Line) -> Request:
        fields = {"sessionId": line.session, "phoneNumber": f"+{line.number}", "status": status}
        return Request("POST", f"{line.path}/end", urlencode({**fields, "hopsMetadata": "home|home"}).encode())

    return made


def beem_end(line: Line) -> Request:
    assert isinstance(line, Beem)
    return line.object("terminate", "")


def hub_end(line: Line) -> Request:
    assert isinstance(line, Hub)
    return line.object("Release", "")


def vodacom_end(kind: str) -> Word:
    def made(line: Line) -> Request:
        assert isinstance(line, Vodacom)
        return line.xml(kind, "")

    return made


def halotel_end(kind: str) -> Word:
    def made(line: Line) -> Request:
        assert isinstance(line, Halotel)
        return line.soap(kind, "", line.number)

    return made


TELLING: list[tuple[type[Line], Word, str]] = [
    (AfricasTalking, at_end("Incomplete"), "hung_up"),
    (AfricasTalking, at_end("Failed"), "failed"),
    (Beem, beem_end, "hung_up"),
    (Hub, hub_end, "hung_up"),
    (Vodacom, vodacom_end("3"), "hung_up"),
    (Vodacom, vodacom_end("4"), "hung_up"),
    (Halotel, halotel_end("102"), "hung_up"),
    (Halotel, halotel_end("104"), "failed"),
]
telling = pytest.mark.parametrize(
    ("kind", "word", "event"), TELLING, ids=[f"{kind.__name__}-{number}" for number, (kind, _, _) in enumerate(TELLING)]
)


async def tell(line: Line, word: Word, number: str = PHONE) -> None:
    status, _, _ = await line.raw(word(replace(line, number=number)))
    assert status == 200


@telling
async def test_a_word_of_an_end_is_counted_where_the_conversation_stood_and_once(
    kind: type[Line], word: Word, event: str, sessions: SessionStore, request: pytest.FixtureRequest
) -> None:
    async with counting(sessions) as counts:
        line = counts.at.line(kind, request.node.name[-40:])
        await line.dial()
        await line.press("1")
        for _ in range(3):
            await tell(line, word)
        assert counts.seen(kind.name) == {**ASKED, f"confirm {event}": 1}


@pytest.mark.parametrize("kind", [Beem, Hub, Vodacom, Halotel], ids=lambda kind: kind.__name__)
async def test_an_id_that_is_used_again_may_end_again(kind: type[Line], sessions: SessionStore) -> None:
    word = {Beem: beem_end, Hub: hub_end, Vodacom: vodacom_end("3"), Halotel: halotel_end("102")}[kind]
    async with counting(sessions) as counts:
        line = counts.at.line(kind, f"again{kind.__name__}")
        await line.dial()
        await line.press("5")
        for _ in range(2):
            await tell(line, word)
        line.turns = 10  # a new request id, where there is one
        await line.send(line.first(CODE))
        for _ in range(2):
            await tell(line, word)
        seen = counts.seen(kind.name)
        assert (seen["more hung_up"], seen["home hung_up"]) == (1, 1)


@telling
async def test_a_word_about_another_phones_session_counts_nothing(kind: type[Line], word: Word, event: str) -> None:
    """But where the label tells the screen (it is the other phone's own then, under the same id)."""
    async with counting() as counts:
        line = counts.at.line(kind, "s1")
        await line.dial()
        await line.press("1")
        await tell(line, word, OTHER_PHONE)
        labelled = {f"home {event}": 1} if kind is AfricasTalking else {}
        assert counts.seen(kind.name) == {**ASKED, **labelled}
        await tell(line, word)
        assert counts.seen(kind.name) == {**ASKED, **labelled, f"confirm {event}": 1}, "the phone's own is still heard"


@telling
async def test_after_the_last_screen_a_word_of_an_end_is_no_loss(kind: type[Line], word: Word, event: str) -> None:
    async with counting() as counts:
        line = counts.at.line(kind, "s1")
        await line.dial()
        await line.press("1")
        await line.press("1")
        await tell(line, word)
        assert counts.seen(kind.name) == GIVEN


@telling
async def test_a_store_that_forgot_leaves_the_label(kind: type[Line], word: Word, event: str) -> None:
    store = MemorySessions()
    async with counting(store) as counts:
        line = counts.at.line(kind, "s1")
        await line.dial()
        await line.press("1")
        await store.close()
        await tell(line, word)
        await tell(line, word)
        labelled = {f"home {event}": 1} if kind is AfricasTalking else {}
        assert counts.seen(kind.name) == {**ASKED, **labelled}


@telling
async def test_a_store_that_is_away_is_no_fault_of_the_word(kind: type[Line], word: Word, event: str) -> None:
    async with counting(Broken(ConnectionError("away"))) as counts:
        line = counts.at.line(kind, "s1")
        await tell(line, word)
        assert counts.seen(kind.name) == ({f"home {event}": 1} if kind is AfricasTalking else {})


async def test_success_is_told_of_what_was_counted_already() -> None:
    async with counting() as counts:
        line = counts.at.line(AfricasTalking, "s1")
        await line.dial()
        await tell(line, at_end("Success"))
        assert counts.seen("africastalking") == DIALLED


async def test_a_word_that_overtakes_a_turn_is_counted_where_the_turn_leads() -> None:
    told = Told(from_table(TABLE))
    async with counting(told=told) as counts:
        line = counts.at.line(AfricasTalking, "s1")
        await line.dial()
        told.held = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(line.press("1"))
            await until(lambda: told.asked[-1] == "quote")
            group.create_task(tell(line, at_end("Incomplete")))
            await counts.somebody_waits()
            told.held.set()
        assert counts.seen("africastalking") == {**ASKED, "confirm hung_up": 1}


# ----------------------------------------------------------------------------------------------------- without any word


@each
async def test_every_turn_of_a_conversation_is_counted(kind: type[Line], sessions: SessionStore) -> None:
    async with counting(sessions) as counts:
        line = counts.at.line(kind, f"turns-{kind.__name__}")
        await line.dial()
        assert counts.seen(kind.name) == DIALLED
        await line.press("7")
        assert counts.seen(kind.name) == DIALLED, "a wrong key leaves it where it was"
        await line.press("1")
        assert counts.seen(kind.name) == ASKED
        await unpaged(line, await line.press("1"))
        assert counts.seen(kind.name) == GIVEN
        await line.press("1")
        assert counts.seen(kind.name) == GIVEN, "a key after the end moves nothing"


@pytest.mark.parametrize("kind", [k for k in LINES if k.repeats_told], ids=lambda kind: kind.__name__)
async def test_repeats_count_nothing(kind: type[Line], sessions: SessionStore) -> None:
    async with counting(sessions) as counts:
        line = counts.at.line(kind, f"again-{kind.__name__}")
        await line.dial()
        await line.again()
        await line.press("1")
        await line.again()
        await unpaged(line, await line.press("1"))
        await line.again()
        assert counts.seen(kind.name) == GIVEN


@each
async def test_twins_at_once_are_one_turn(kind: type[Line]) -> None:
    told = Told(from_table(TABLE))
    async with counting(told=told) as counts:
        line = counts.at.line(kind, "twins")
        await line.dial()
        told.held = asyncio.Event()
        request = line.next("1")
        if kind.repeats_told:  # these say every answer so far, or count their turns
            line.said, line.turns = ["1"], 2
            request = line.next("1")
        async with asyncio.TaskGroup() as group:
            twins = [group.create_task(line.send(request)) for _ in range(2)]
            await counts.somebody_waits()
            told.held.set()
        assert twins[0].result() == twins[1].result()
        assert counts.seen(kind.name) == ASKED


async def test_a_session_that_died_was_given_up_where_it_stood() -> None:
    """It is a new one that begins, and the old one has neither left its screen nor ended."""
    now = 0.0
    async with counting(MemorySessions(monotonic=lambda: now)) as counts:
        line = counts.at.line(TigoA, "s1")
        await line.dial()
        await line.press("1")
        now = 181.0
        await line.press("1")
        assert counts.seen("tigo") == {**ASKED, "home shown": 2, "home entered": 2}


async def test_an_id_that_is_used_again_begins_another_conversation() -> None:
    async with counting() as counts:
        line = counts.at.line(TigoA, "s1")
        await line.dial()
        await line.press("1")
        await line.dial()
        assert counts.seen("tigo") == {**ASKED, "home shown": 2, "home entered": 2}


@each
async def test_answers_inside_the_code_pass_through_screens_that_nobody_sees(kind: type[Line]) -> None:
    async with counting() as counts:
        line = counts.at.line(kind, "s1")
        await line.dial(["1"])
        assert counts.seen(kind.name) == {"confirm shown": 1, "confirm entered": 1}


# ------------------------------------------------------------------------------------------------- what ended it was us


async def test_a_fact_that_does_not_come_is_named() -> None:
    async with counting(told=Told(from_table({**TABLE, "quote": [LATE]}))) as counts:
        line = counts.at.line(TigoA, "s1")
        await line.dial()
        await line.press("1")
        assert counts.seen("tigo") == {
            **DIALLED, "home left": 1, "answer_by_sms<quote shown": 1, "answer_by_sms<quote entered": 1,
            "answer_by_sms<quote final": 1,
        }  # fmt: skip


async def test_what_could_not_be_committed_cut_it_short() -> None:
    async def broken(*_: Any) -> None:
        raise ConnectionError("no database")

    async with counting(effects=broken) as counts:
        line = counts.at.line(TigoA, "s1")
        await line.dial()
        await line.press("1")
        shown = await line.press("1")
        assert shown.final
        assert counts.seen("tigo") == {**ASKED, "confirm cut": 1}


async def test_a_store_that_does_not_save_cut_it_short() -> None:
    class Full(MemorySessions):
        full = False

        async def save(self, key: str, value: bytes, ttl_s: int) -> None:
            if self.full:
                raise ConnectionError("full")
            await super().save(key, value, ttl_s)

    store = Full()
    async with counting(store) as counts:
        line = counts.at.line(TigoA, "s1")
        await line.dial()
        store.full = True
        assert (await line.press("1")).final
        assert counts.seen("tigo") == {**DIALLED, "home cut": 1}
        store.full = False
        await line.press("1")
        assert counts.seen("tigo") == {**ASKED, "home cut": 1}, "what was not saved was not counted"


async def test_too_many_wrong_keys_cut_it_short() -> None:
    async with counting() as counts:
        line = counts.at.line(TigoA, "s1")
        await line.dial()
        for _ in range(5):
            await line.press("9")
        assert counts.seen("tigo") == {**DIALLED, "home cut": 1}


# ----------------------------------------------------------------------------------------------- labels, conversations


async def test_every_screen_is_labelled_for_the_peer_that_keeps_labels() -> None:
    async with counting() as counts:
        line = counts.at.line(AfricasTalking, "s1")

        async def label(said: list[str], body: bytes | None = None) -> str:
            line.said = said
            data = line.turn().body if body is None else body
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            async with line.client.post(line.path, data=data, headers=headers) as response:
                return response.headers["at-ussd-hop-metadata"]

        steps = [[], ["1"], ["1"], ["1", "1"], ["1", "1"]]
        assert [await label(said) for said in steps] == [
            "home",
            "confirm",
            "confirm",
            "number_refused",
            "number_refused",
        ]
        assert await label([], b"what is this") == "end.unreadable"


@pytest.mark.parametrize("kind", [AfricasTalking, Beem, Vodacom, Halotel], ids=lambda kind: kind.__name__)
async def test_a_conversation_that_is_taken_up_again_was_not_given_up(kind: type[Line], sessions: SessionStore) -> None:
    """It had not ended where it was dropped: it goes on to the question, and from there back."""
    async with counting(sessions, book=BOOK) as counts:
        line = replace(counts.at.line(kind, f"dropped-{kind.__name__}"), number=DROPPED_PHONE)
        await line.dial()
        await line.press("1")
        line = replace(counts.at.line(kind, f"again-{kind.__name__}"), number=DROPPED_PHONE)
        await line.dial()
        asked = {**ASKED, "confirm resumed": 1, "confirm left": 1, "resume shown": 1, "resume entered": 1}
        assert counts.seen(kind.name) == asked
        line = replace(counts.at.line(kind, f"once-more-{kind.__name__}"), number=DROPPED_PHONE)
        await line.dial()
        asked = {**asked, "resume resumed": 1}
        assert counts.seen(kind.name) == asked, "dropped at the question, it stood there"
        await line.press("1")
        assert counts.seen(kind.name) == {**asked, "resume left": 1, "confirm shown": 2}, "its menu is entered once"


@pytest.mark.parametrize("kind", [AfricasTalking, Airtel], ids=lambda kind: kind.__name__)
async def test_a_dial_that_ends_for_want_of_a_fact_takes_nothing_up_yet(kind: type[Line]) -> None:
    """The conversation stands where it was dropped until a dial has more luck."""
    facts = TABLE | {"caller": [*TABLE["caller"], LATE, LATE, *TABLE["caller"]]}
    async with counting(told=Told(from_table(facts)), book=BOOK) as counts:
        line = counts.at.line(kind, "one")
        await line.dial()
        await line.press("1")
        for session in ("two", "three"):
            assert (await counts.at.line(kind, session).dial()).final
        late = {"answer_by_sms<caller shown": 2, "answer_by_sms<caller entered": 2, "answer_by_sms<caller final": 2}
        assert counts.seen(kind.name) == {**ASKED, **late}
        await counts.at.line(kind, "four").dial()
        taken_up = {"confirm resumed": 1, "confirm left": 1, "resume shown": 1, "resume entered": 1}
        assert counts.seen(kind.name) == {**ASKED, **late, **taken_up}


ONE_PAGE = Frame(units=100_000)


def pure(conversation: Conversation) -> Counter[str]:
    """What the machine's own turns add, without a wire, on a screen without an end."""
    talk = Talk(from_table(conversation.facts("sw")), new_session(frame=ONE_PAGE))
    counts: Counter[str] = Counter()
    talk.dial()
    before = None
    for turn in conversation.turns[1:]:
        if turn["key"] == "#":  # pages are turned by the phone itself
            continue
        if not turn.get("dialled"):
            counts.update(f"{p.screen}<{p.missed} {event}" for p, event in moves(BOOK, before, talk.session))
            before = talk.session
        talk.press(turn["key"], turn.get("dialled", False))
    counts.update(f"{p.screen}<{p.missed} {event}" for p, event in moves(BOOK, before, talk.session))
    return counts


@each
async def test_every_conversation_counts_the_same_on_every_channel(kind: type[Line]) -> None:
    played = 0
    for conversation in all_conversations():
        if "sw" not in conversation.languages or any(turn.get("dropped") for turn in conversation.turns):
            continue
        async with counting(told=Told(from_table(conversation.facts("sw")))) as counts:
            line = counts.at.line(kind, conversation.name)
            keys = [turn["key"] for turn in conversation.turns[1:] if turn["key"] != "#" and not turn.get("dialled")]
            await unpaged(line, await line.dial([t["key"] for t in conversation.turns[1:] if t.get("dialled")]))
            for key in keys:
                await unpaged(line, await line.press(key))
            seen = counts.seen(kind.name)
        meant = {name.replace("< ", " "): count for name, count in pure(conversation).items()}
        assert seen == meant, conversation.name
        played += 1
    assert played >= 20
