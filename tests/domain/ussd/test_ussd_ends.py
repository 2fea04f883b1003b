"""What a turn adds to the counts of screens: a table of turns, and a law that holds for every conversation."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from played.conversation import NAMED
from played.talk import BOOK, LATE, Answerer, Talk, from_table, new_session
from played.walk import keys_for

from gateway.domain.ussd.ends import Move, Place, ScreenEvent, gone_on_with, moves, place_of
from gateway.domain.ussd.machine import Ask
from gateway.domain.ussd.samples import ANSWERS, CALLERS
from gateway.domain.ussd.session import Left, Session

HOME, CONFIRM = Place("family", "home"), Place("renewal", "confirm")
TABLE = {
    "caller": [NAMED["caller"]["covered"]],
    "quote": [NAMED["quote"]["payable"]],
    "bill": [NAMED["bill"]["numbered"]],
    "control_number": [NAMED["control_number"]["numbered"]],
}


def said(found: Iterable[Move]) -> list[str]:
    """``renewal/confirm left``, ``number/answer_by_sms<bill final``"""
    return [f"{p.menu}/{p.screen}{'<' + p.missed if p.missed else ''} {event}" for p, event in found]


def played(*keys: str, table: dict[str, list[object]] | None = None, limit: int = 160) -> list[list[str]]:
    """What dialling and each key add."""
    talk = Talk(from_table({**TABLE, **(table or {})}), new_session(limit=limit))  # type: ignore[dict-item]
    talk.dial()
    added = [said(moves(BOOK, None, talk.session))]
    for key in keys:
        before = talk.session
        talk.press(key)
        added.append(said(moves(BOOK, before, talk.session)))
    return added


DIALLED = ["family/home shown", "family/home entered"]
CONFIRMED = ["family/home left", "renewal/confirm shown", "renewal/confirm entered"]
BACK_HOME = ["renewal/confirm left", "family/home shown", "family/home entered"]

HELP = ["5", "4", "1"]

# what is pressed, and what the last key adds
TURNS = [
    ("the first screen", [], DIALLED),
    ("another menu", ["1"], CONFIRMED),
    ("a further screen of the menu", ["1", "1"], ["renewal/confirm left", "renewal/number_given shown"]),
    ("the last screen", HELP, ["settings/help left", "settings/help_pay shown", "settings/help_pay final"]),
    ("a key after the end", [*HELP, "1"], []),
    ("a wrong key", ["7"], []),
    ("a wrong key, then on", ["7", "1"], CONFIRMED),
    ("back", ["1", "0"], BACK_HOME),
    ("back where there is no way back", ["0"], []),
    ("home", ["1", "00"], BACK_HOME),
    ("home at home", ["00"], []),
    ("a route that leads back", ["1", "2"], BACK_HOME),
    ("another language", ["5", "2", "2"], ["settings/language left", "family/home shown", "family/home entered"]),
    ("too often wrong", ["7"] * 5, ["family/home cut"]),
    ("a key after that", ["7"] * 6, []),
    ("too often wrong elsewhere", ["1", *["7"] * 5], ["renewal/confirm cut"]),
    ("too many keys", ["00"] * 41, ["family/home cut"]),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "last"), [turn[1:] for turn in TURNS], ids=[turn[0] for turn in TURNS])
def test_what_a_turn_adds(keys: list[str], last: list[str]) -> None:
    assert played(*keys)[-1] == last


# a fact that does not come: which, what is pressed, what the last key adds
LATE_FACTS = [
    ("caller", [], ["family/answer_by_sms<caller shown", "family/answer_by_sms<caller entered",
                    "family/answer_by_sms<caller final"]),
    ("bill", ["2"], ["family/home left", "number/answer_by_sms<bill shown", "number/answer_by_sms<bill entered",
                     "number/answer_by_sms<bill final"]),
    ("quote", ["1"], ["family/home left", "renewal/answer_by_sms<quote shown", "renewal/answer_by_sms<quote entered",
                      "renewal/answer_by_sms<quote final"]),
    ("control_number", ["1", "1"], ["renewal/confirm left", "renewal/number_by_sms<control_number shown",
                                    "renewal/number_by_sms<control_number final"]),
]  # fmt: skip


@pytest.mark.parametrize(("fact", "keys", "last"), LATE_FACTS, ids=[case[0] for case in LATE_FACTS])
def test_a_fact_that_does_not_come_is_told_with_the_menu_that_needed_it(
    fact: str, keys: list[str], last: list[str]
) -> None:
    assert played(*keys, table={fact: [LATE]})[-1] == last


def test_a_screen_reached_without_its_fact_is_another_place_than_the_screen_itself() -> None:
    """And a later screen is not blamed for it."""
    without, itself = new_session(), new_session()
    without = without._replace(screen="help", missed="number/bill")
    itself = itself._replace(screen="help")
    assert said(moves(BOOK, without, itself)) == [
        "number/help<bill left",
        "settings/help shown",
        "settings/help entered",
    ]
    talk = Talk(from_table(TABLE), without)  # type: ignore[arg-type]
    talk.press("7")
    assert place_of(BOOK, talk.session) == Place("number", "help", "bill"), "a wrong key leaves it standing there"
    talk.press("00")
    assert place_of(BOOK, talk.session) == HOME


def test_pages_of_a_screen_are_one_place_and_the_last_one_ends_it() -> None:
    bank = ["2", "2"]
    assert played(*bank, limit=120)[-1][-1:] == ["number/number_bank shown"], "two pages: not the last one yet"
    assert played(*bank, "#", limit=120)[-1] == ["number/number_bank final"]
    assert played(*bank, *["7"] * 5, limit=120)[-1] == ["number/number_bank cut"]


def test_dialled_answers_pass_through_screens_that_nobody_is_shown() -> None:
    talk = Talk(from_table(TABLE), new_session())  # type: ignore[arg-type]
    talk.dial()
    talk.press("1", dialled=True)
    assert said(moves(BOOK, None, talk.session)) == ["renewal/confirm shown", "renewal/confirm entered"]


RESUMED = [
    ("where it was", CONFIRM, CONFIRM, ["renewal/confirm resumed"]),
    ("elsewhere", CONFIRM, HOME, [
        "renewal/confirm resumed", "renewal/confirm left", "family/home shown", "family/home entered"]),
]  # fmt: skip


@pytest.mark.parametrize(("dropped", "shown", "added"), [c[1:] for c in RESUMED], ids=[c[0] for c in RESUMED])
def test_a_conversation_that_is_taken_up_again(dropped: Place, shown: Place, added: list[str]) -> None:
    before, after = new_session()._replace(screen=dropped.screen), new_session()._replace(screen=shown.screen)
    assert said(moves(BOOK, before, after, resumed=True)) == added


QUESTION = new_session()._replace(screen="resume", left=Left("confirm", "renewal", "sw", {}, {}, "resume"))
ANSWERED = [
    ("to go on", "confirm", ["resume/resume left", "renewal/confirm shown"]),
    ("to go on, without a fact", "answer_by_sms", ["resume/resume left", "renewal/answer_by_sms<quote shown"]),
    ("to begin anew", "home", ["resume/resume left", "family/home shown", "family/home entered"]),
]


@pytest.mark.parametrize(("screen", "added"), [c[1:] for c in ANSWERED], ids=[c[0] for c in ANSWERED])
def test_who_is_led_back_by_the_question_has_not_entered_that_menu_again(screen: str, added: list[str]) -> None:
    missed = "pay/quote" if screen == "answer_by_sms" else ""
    assert said(moves(BOOK, QUESTION, QUESTION._replace(screen=screen, missed=missed, left=None))) == added


def test_before_the_first_screen_and_on_a_screen_that_is_gone_there_is_no_place() -> None:
    gone = new_session()._replace(screen="of another book")
    assert place_of(BOOK, None) is place_of(BOOK, new_session()) is place_of(BOOK, gone) is None
    assert said(moves(BOOK, gone, new_session()._replace(screen="home"))) == DIALLED
    assert said(moves(BOOK, new_session()._replace(screen="home"), gone)) == []
    assert place_of(BOOK, gone._replace(screen="home", missed="gone/bill")) == Place("family", "home", "bill")


# --------------------------------------------------------------------------------------------------------- for any talk


def answering(chance: random.Random) -> Answerer:
    """Any state of every fact, and now and then nothing in time."""

    def answer(ask: Ask) -> dict[str, object] | str:
        samples = list(CALLERS.values()) if ask.fact == "caller" else ANSWERS[ask.fact]
        return LATE if chance.random() < 0.2 else chance.choice(samples)

    return answer


def conversation(chance: random.Random, counts: Counter[Move]) -> list[Session]:
    """One that goes on until it ends, is given up, or is dropped and taken up again; where it stands at last.

    And before it the dials that ended for want of a fact: each was a conversation of its own.
    """
    talk, ended = Talk(answering(chance), new_session()), list[Session]()
    talk.dial()
    counts.update(moves(BOOK, None, talk.session))
    while chance.random() > 0.08:
        before = talk.session
        if before.left is not None and (before.final or chance.random() < 0.3):
            _dialled_again(before, talk, ended, chance, counts)
        elif before.final:
            break
        else:
            talk.press(chance.choice(keys_for(BOOK, before)))
            counts.update(moves(BOOK, before, talk.session))
    return [*ended, talk.session]


def _dialled_again(
    before: Session, talk: Talk, ended: list[Session], chance: random.Random, counts: Counter[Move]
) -> None:
    """After a drop, or after an end for want of a fact: until a dial has the luck to go on."""
    place = place_of(BOOK, before)
    assert place is not None
    if before.left is None or not before.left.stood:  # what is taken up ended before it, and this one counts by itself
        ended.append(before)
    elif chance.random() < 0.5:
        counts[place, ScreenEvent.HUNG_UP] += 1
    for _ in range(100):
        left = talk.session.left
        assert left is not None
        talk.dial_again()
        dropped = gone_on_with(left, talk.session)
        counts.update(moves(BOOK, dropped, talk.session, resumed=dropped is not None))
        if not talk.session.final or talk.session.left is None:
            return
        ended.append(talk.session)
    raise AssertionError("never taken up")


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_at_every_place_shown_is_left_and_final_and_stood(seed: int) -> None:
    chance = random.Random(seed)
    counts: Counter[Move] = Counter()
    stood: Counter[Place] = Counter()
    menus: Counter[str] = Counter()
    lasts = [last for _ in range(20) for last in conversation(chance, counts)]
    for last in lasts:
        place = place_of(BOOK, last)
        assert place is not None
        if not (last.final and BOOK.screens[place.screen].kind == "end"):
            stood[place] += 1
        menus[place.menu] += 1
    places = {place for place, _ in counts}
    for place in places:
        came = counts[place, ScreenEvent.SHOWN]
        assert came == counts[place, ScreenEvent.LEFT] + counts[place, ScreenEvent.FINAL] + stood[place], place
        assert counts[place, ScreenEvent.CUT] <= stood[place]
    assert sum(counts[place, ScreenEvent.FINAL] + stood[place] for place in places) == len(lasts), "each ends once"
    for menu, ended in menus.items():
        assert sum(counts[p, ScreenEvent.ENTERED] for p in places if p.menu == menu) >= ended


def test_the_law_is_not_empty() -> None:
    """Every event happens in what the law is tried on."""
    counts: Counter[Move] = Counter()
    for seed in range(400):
        conversation(random.Random(seed), counts)
    seen = {event for _, event in counts}
    assert seen == set(ScreenEvent) - {ScreenEvent.FAILED}  # told by a peer only
    assert {place.missed for place, _ in counts} >= {"", "caller", "bill", "quote", "enquiry"}
