"""Whatever a phone, an aggregator or a broken store sends: a screen that fits, or nothing; never an exception."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from played.talk import BOOK, LATE, Fact, Talk, kept, new_session

from gateway.domain.commission import Reckoning
from gateway.domain.cover import CoverState
from gateway.domain.segments import units
from gateway.domain.ussd.effects import RequestBill
from gateway.domain.ussd.facts import FACTS, FactSpec
from gateway.domain.ussd.frame import COUNTS, Frame
from gateway.domain.ussd.machine import Answered, Ask, AskFailed, Key, Started, step
from gateway.domain.ussd.session import Left, Session
from gateway.service.session_codec import VERSION, dump, dump_left, load, load_left

# what people, wires and people with cables send
ODD = [
    "",
    " ",
    "\0",
    "\x1b",
    "\r\n",
    "*",
    "#",
    "**",
    "##",
    "0*0",
    "*152*00#",
    "١",
    "１",
    "一",
    "½",
    "²",
    "१",
    "-1",
    "1.0",
    "1e1",
    "1" * 41,
    "9" * 10_000,
    "*" * 10_000,
    "0x1",
    "😀",
    "\ud800",
    "null",
    "{family.state}",
    "%s",
    "<b>",
    "' OR 1=1 --",
    "\u202e1",
]
KEYS = st.one_of(
    st.sampled_from(["1", "2", "3", "4", "5", "0", "00", "#", "100000014"]),
    st.sampled_from(ODD),
    st.text(max_size=60),
    st.text(alphabet="0123456789*# ", max_size=12),
)


def families(count: int) -> st.SearchStrategy[Fact]:
    one = st.fixed_dictionaries(
        {
            "id": st.integers(1, 9),
            "chfid": st.just("100000014"),
            "label": st.text(min_size=0, max_size=28),  # whatever a clerk has typed
            "state": st.sampled_from([str(state) for state in CoverState]),
            "until": st.sampled_from([None, "2026-12-31"]),
            "start": st.sampled_from([None, "2027-01-01"]),
        }
    )
    return st.lists(one, min_size=count, max_size=count).map(
        lambda found: {"language": None, "count": len(found), "families": found}
    )


def callers(count: int, officers: int) -> st.SearchStrategy[Fact]:
    """``officers``: how many share the phone."""
    if not officers:
        return families(count)
    one = st.fixed_dictionaries({"id": st.integers(1, 9), "code": st.text(max_size=8), "label": st.text(max_size=31)})
    several = st.lists(one, min_size=officers, max_size=officers)
    return st.tuples(families(count), several).map(
        lambda known: {**known[0], "officer": True, "officer_count": officers, "officers": known[1]}
    )


MONTHS = st.fixed_dictionaries(
    {
        "state": st.sampled_from([str(state) for state in Reckoning]),
        "first": st.just("2026-11-01"),
        "month": st.just("11/2026"),
        "lines": st.text(max_size=300),
        **{name: st.integers(0, 10**15) for name in ("commission", "collected", "open")},
    }
)


def fact(name: str) -> st.SearchStrategy[Fact | str]:
    if name == "caller":
        return st.one_of(st.just(LATE), *(callers(count, of) for count in (0, 1, 2, 20) for of in (0, 1, 3)))
    if name == "commission":
        return st.one_of(st.just(LATE), st.fixed_dictionaries({"this": MONTHS, "last": MONTHS}))
    filled = {
        "product": st.text(max_size=40),
        "amount": st.integers(0, 10**15),
        "number": st.from_regex(r"[0-9]{12,15}", fullmatch=True),
        "key": st.just("family:1/product:1/after:0"),
        "id": st.integers(1, 9),
        "chfid": st.just("100000014"),
        "officer": st.just("EO001"),
        **{day: st.just("2026-12-31") for day in ("start", "until", "expires")},
        **{listed: items(spec) for listed, spec in FACTS[name].lists},
    }
    return st.one_of(st.just(LATE), st.fixed_dictionaries({"state": st.sampled_from([*FACTS[name].states]), **filled}))


def items(spec: FactSpec) -> st.SearchStrategy[list[Fact]]:
    """As many as a registry may hold, with whatever a clerk has typed for a name."""
    days = {day: st.sampled_from([None, "2026-12-31"]) for day in ("until", "start", "day")}
    filled = {"name": st.text(max_size=14), "amount": st.integers(0, 10**15), "receipt": st.text(max_size=20), **days}
    return st.lists(st.fixed_dictionaries({"state": st.sampled_from([*spec.states]), **filled}), max_size=40)


@settings(max_examples=250, deadline=None)
@given(data=st.data(), limit=st.sampled_from([140, 160, 182]), keys=st.lists(KEYS, max_size=15))
def test_no_conversation_raises_or_outgrows_its_screen(data: st.DataObject, limit: int, keys: list[str]) -> None:
    def answer(ask: Ask) -> Fact | str:
        return data.draw(fact(ask.fact), label=ask.fact)

    talk = Talk(answer, new_session(limit=limit))
    seen = talk.dial()
    for key in keys:
        assert seen.screen
        assert units(seen.screen) <= limit - 4
        if "\ud800" in key:
            continue  # no wire can carry it
        seen = talk.press(key)


@pytest.mark.parametrize("key", ODD)
@pytest.mark.parametrize("way", [[], ["1"], ["5", "1"], ["5", "2"]], ids=["home", "confirm", "enquiry", "language"])
def test_an_odd_answer_is_wrong_or_nothing(way: list[str], key: str) -> None:
    """It moves nothing, and it reaches no fact."""
    known = {"language": None, "count": 1, "families": [{"id": 1, "state": "covered", "until": "2026-12-31"}]}
    payable = {"state": "payable", "key": "k", "product": "CHF", "amount": 1, "start": "2026-12-31", "until": ""}
    talk = Talk(lambda ask: {"caller": known, "quote": payable}[ask.fact], new_session())
    before = talk.dial()
    for pressed in way:
        before = talk.press(pressed)
    after = talk.press(key)
    assert (after.asks, after.effects) == ((), ())
    assert after.session.screen == before.session.screen
    assert after.session.wrong == before.session.wrong + (key.strip() != "#")


@pytest.mark.parametrize("key", ["१", "１", "²", "½", "0" * 40 + "1", "4", "-1", "1.0", "1 1", "0x1", " "])
def test_a_choice_takes_only_its_own_numbers(key: str) -> None:
    three = {"language": None, "count": 3, "families": [{"id": n, "label": f"{n}", "state": "none"} for n in (1, 2, 3)]}
    talk = Talk(lambda _: three, new_session())
    talk.dial()
    after = talk.press(key)
    assert (after.session.screen, after.session.wrong, after.session.values) == ("families", 1, {})


@pytest.mark.parametrize(
    ("typed", "asked"),
    [("100000014", True), (" 100 000 014 ", True), ("1" + " " * 40 + "00000014", False), ("１00000014", False)],
)
def test_an_insurance_number_is_nine_plain_digits(typed: str, asked: bool) -> None:
    told = {"caller": {"language": None, "count": 0, "families": []}, "enquiry": {"state": "none"}}
    talk = Talk(lambda ask: told[ask.fact], new_session())
    talk.dial()
    talk.press("1")
    assert talk.press(typed).asks == (("enquiry chfid=100000014",) if asked else ())


def test_a_yes_to_an_amount_that_is_no_longer_known_bills_nothing() -> None:
    for quote in ({}, {"quote": {"state": "already_renewed"}}):
        session = new_session()._replace(screen="confirm", facts=quote, values={"family": {"id": 3}})
        taken = step(BOOK, session, Key("1"))
        assert taken.effects == ()
        assert [ask.fact for ask in taken.asks] == ["control_number"]


def test_a_conversation_ends_after_forty_answers() -> None:
    known = {"language": None, "count": 0, "families": []}
    talk = Talk(lambda _: known, new_session())
    talk.dial()
    for _ in range(BOOK.limits.keys):
        assert not talk.press("#").final
    last = talk.press("#")
    assert last.final
    assert last.screen == "Umekosea mara nyingi. Tafadhali piga tena."


def test_what_has_ended_stays_ended() -> None:
    talk = Talk(lambda _: LATE, new_session())
    over = talk.dial()
    assert over.final
    for event in (Started(), Key("1"), Answered("caller", {"count": 1}), AskFailed("caller", "late")):
        after = step(BOOK, talk.session, event)
        assert (after.reply, after.final, after.asks, after.effects) == (over.screen, True, (), ())


def test_an_answer_that_nobody_waits_for_changes_nothing() -> None:
    talk = Talk(lambda _: {"language": None, "count": 0, "families": []}, new_session())
    shown = talk.dial()
    after = step(BOOK, talk.session, Answered("quote", {"state": "payable", "key": "k"}))
    assert (after.reply, after.session) == (shown.screen, shown.session)


def test_a_session_whose_screen_the_book_no_longer_has_begins_anew() -> None:
    """Menus may change while conversations run."""
    talk = Talk(lambda _: {"language": None, "count": 0, "families": []}, new_session()._replace(screen="gone"))
    assert "Simu hii haijasajiliwa." in talk.press("1").screen


# -------------------------------------------------------------------------------------------------- the stored session

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


FIELDS = len(Session._fields)
LEFT = st.builds(
    Left,
    *(st.sampled_from([*BOOK.screens]) for _ in range(3)),
    chosen=st.dictionaries(st.text(alphabet="abc_", max_size=9), st.integers(1, 10**9), max_size=2),
    typed=st.dictionaries(st.text(alphabet="abc_", max_size=9), st.text(alphabet="0123456789", max_size=9), max_size=2),
)


@settings(max_examples=300, deadline=None)
@given(data=st.binary(max_size=300))
@example(data=b"")
@example(data=b"null")
@example(data=b"[]")
@example(data=b"{}")
@example(data=b"[" * 100_000)
@example(data=b'{"z":1,"t":5}')
@example(data=json.dumps([VERSION]).encode())
@example(data=json.dumps([VERSION, *("x" * FIELDS)]).encode())
@example(data=json.dumps([VERSION, *([0] * FIELDS)]).encode())
@example(data=json.dumps([VERSION, *([None] * FIELDS)]).encode())
@example(data=json.dumps([VERSION, [], [None] * 5]).encode())
@example(
    data=json.dumps([VERSION, "i", "c", "m", "sw", [160, "septets", "\n", 4, "any", False], "home", 0, 5]).encode()
)
@example(data=json.dumps({VERSION: "i"}).encode())
def test_any_bytes_are_a_session_or_none(data: bytes) -> None:
    found = load(data)
    assert found is None or isinstance(found, Session)
    left = load_left(data, Frame())
    assert left is None or isinstance(left, Left)


@settings(max_examples=200, deadline=None)
@given(fields=st.lists(JSON, min_size=FIELDS - 1, max_size=FIELDS + 1))
def test_any_json_is_a_session_or_none(fields: list[Any]) -> None:
    found = load(json.dumps([VERSION, *fields]).encode())
    assert found is None or isinstance(found, Session)
    left = load_left(json.dumps([VERSION, Frame(), fields[:5]]).encode(), Frame())
    assert left is None or isinstance(left, Left)


@settings(max_examples=200, deadline=None)
@given(
    session=st.builds(
        Session,
        *(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40) for _ in range(4)),
        frame=st.builds(Frame, st.integers(100, 200), st.sampled_from(COUNTS), prefix=st.integers(0, 4)),
        screen=st.sampled_from([*BOOK.screens]),
        page=st.integers(0, 9),
        trail=st.lists(st.sampled_from([*BOOK.screens]), max_size=8).map(tuple),
        values=st.dictionaries(st.text(alphabet="abc_", max_size=9), JSON, max_size=3),
        facts=st.dictionaries(st.sampled_from([*FACTS]), JSON, max_size=3),
        keys=st.integers(0, 40),
        wrong=st.integers(0, 5),
        transcript=st.none() | st.text(alphabet="0123456789*#", max_size=50),
        reply=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=160),
        final=st.booleans(),
        turns=st.lists(st.text(alphabet="0123456789:*# dialled", max_size=64), max_size=8).map(tuple),
        notice=st.sampled_from(["", "nav.anew"]),
        left=st.none() | LEFT,
    )
)
def test_a_session_is_kept_whole(session: Session) -> None:
    assert kept(session) == session


@pytest.mark.parametrize("version", [0, VERSION - 1, VERSION + 1, str(VERSION), None])
def test_a_session_of_another_version_is_none(version: Any) -> None:
    current, *fields = json.loads(dump(new_session()))
    assert load(json.dumps([current, *fields]).encode()) == new_session()
    assert load(json.dumps([version, *fields]).encode()) is None
    assert load(json.dumps([current, *fields, "one more"]).encode()) is None
    assert load(json.dumps([current, *fields[:4]]).encode()) is None


@given(left=LEFT)
def test_what_is_left_is_kept_whole_for_the_frame_it_was_laid_out_in(left: Left) -> None:
    data = dump_left(left, Frame(160))
    assert load_left(data, Frame(160)) == left
    assert load_left(data, Frame(182)) is None
    _, *rest = json.loads(data)
    for version in (VERSION - 1, VERSION + 1, str(VERSION), None):
        assert load_left(json.dumps([version, *rest]).encode(), Frame(160)) is None


def test_a_bill_effect_carries_the_phone_and_the_language_of_the_session() -> None:
    quote = {"state": "payable", "key": "k", "product": "CHF", "amount": 5, "start": "2026-12-31", "until": ""}
    session = new_session("en")._replace(screen="confirm", facts={"quote": quote}, values={"family": {"id": 3}})
    assert step(BOOK, session, Key("1")).effects == (RequestBill("k", 3, 5, session.msisdn, "en"),)


OTHER_BOOKS = {
    "stood on a screen that is gone": {"screen": "gone", "trail": ("home",)},
    "stood there, with its values": {"screen": "gone", "values": {"family": {"id": 1}}, "facts": {"bill": {}}},
    "came by one that is gone": {"screen": "help", "trail": ("home", "gone")},
    "came by one long ago": {"screen": "help", "trail": ("gone", "home")},
}


@pytest.mark.parametrize("stood", OTHER_BOOKS.values(), ids=OTHER_BOOKS)
@pytest.mark.parametrize("key", ["1", "0", "00", "#", "Asha", ""])
def test_a_conversation_of_another_book_begins_anew_and_every_way_from_there_is_good(
    stood: dict[str, Any], key: str
) -> None:
    talk = Talk(lambda _: {"language": None, "count": 0, "families": []}, new_session()._replace(**stood))
    seen = talk.press(key)
    assert (seen.session.screen, seen.session.trail, seen.session.values) == ("stranger", (), {})
    assert seen.screen.startswith("Tunaanza upya.")
    talk.press("0")
    assert talk.session.screen == "stranger"
