"""Taking up a dropped conversation: what is left, what becomes of it, and which books would lead a caller astray."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from played.talk import BOOK, LATE, Fact, Talk, from_table, left_by, new_session
from test_ussd_book import Data, small

import menus
from gateway.domain.ussd.book import Book, BookError, load_book
from gateway.domain.ussd.machine import Key, Started, step
from gateway.domain.ussd.session import Left

PAYABLE: Fact = {
    "state": "payable", "key": "k", "product": "CHF", "amount": 3_000_000, "start": "2026-12-31", "until": "2027-12-30",
}  # fmt: skip
NUMBERED: Fact = {"state": "numbered", "number": "994180000017", "amount": 3_000_000, "expires": "2026-12-31"}


def family(number: int, state: str = "none") -> Fact:
    return {"id": number, "chfid": "100000014", "label": f"Asha {number}", "state": state}


def caller(*families: Fact, language: str | None = None) -> Fact:
    return {"language": language, "count": len(families), "families": list(families)}


def read() -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The menus that ship, with more screens that ask whether to go on: each with a fact of its own on the way back."""
    data, languages = menus.read()
    for name in ("number_how", "number_mobile", "number_bank", "number_given"):
        data["screens"][name] |= {"resume": "ask", "resume_at": "number"}
    for texts in languages.values():
        texts["resume"]["number"] = "Namba?"
    return data, languages


ASKING = load_book(*read())


def talk(book: Book = ASKING, **facts: list[Fact | str]) -> Talk:
    told: dict[str, list[Fact | str]] = {
        "caller": [caller(family(7))], "quote": [PAYABLE], "bill": [NUMBERED], "control_number": [NUMBERED],
        "enquiry": [{"state": "unknown"}],
    }  # fmt: skip
    return Talk(from_table(told | facts), new_session(), book)


def shipped(**change: dict[str, Any]) -> Data:
    data, _ = read()
    for name, fields in change.items():
        data["screens"][name] = {**data["screens"].get(name, {}), **fields}
    return data


def limits(**change: int) -> Data:
    data, _ = read()
    return {**data, "limits": {**data["limits"], **change}}


def resume(**change: str) -> Data:
    data, _ = read()
    return {**data, "resume": {**data["resume"], **change}}


# ------------------------------------------------------------------------------------------------------- what is left

CONFIRM = Left("confirm", "renewal", "sw", {"family": 7}, {})
NUMBER_HOW = Left("number_how", "number", "sw", {"family": 7}, {})
ENQUIRY = Left("enquiry", "enquiry", "sw", {}, {})
LEFT: list[tuple[str, list[str], Left | None]] = [
    ("the first screen", [], None),
    ("a confirmation of money", ["1"], CONFIRM),
    ("after a wrong key", ["1", "8"], CONFIRM),
    ("after a page was turned", ["1", "#"], CONFIRM),
    ("a control number", ["2"], NUMBER_HOW),
    ("an insurance number to type", ["5", "1"], ENQUIRY),
    ("an insurance number mistyped", ["5", "1", "Asha"], ENQUIRY),
    ("an insurance number that is unknown", ["5", "1", "100000014"], ENQUIRY._replace(screen="enquiry_again")),
    ("the languages", ["5", "2"], None),
    ("in the language that was chosen", ["5", "2", "2", "1"], CONFIRM._replace(language="en")),
    ("other services", ["5"], None),
    ("back at the first screen", ["1", "0"], None),
    ("home", ["1", "00"], None),
    ("no to the amount", ["1", "2"], None),
    ("a control number just given", ["1", "1"], CONFIRM._replace(screen="number_given")),
    ("a last screen", ["5", "4", "1"], None),
    ("too many wrong keys", ["1", *["8"] * 5], None),
]


@pytest.mark.parametrize(("keys", "left"), [c[1:] for c in LEFT], ids=[c[0] for c in LEFT])
def test_a_conversation_leaves(keys: list[str], left: Left | None) -> None:
    played = talk()
    played.dial()
    for key in keys:
        played.press(key)
    assert left_by(played.session) == (left and left._replace(stood=left.screen))


def test_nothing_that_was_true_is_left() -> None:
    """Only ids and what was typed: no date, no amount, no name."""
    played = talk()
    played.dial()
    played.press("1")
    left = left_by(played.session)
    assert left is not None
    assert [*left] == ["confirm", "renewal", "sw", {"family": 7}, {}, "confirm"]


def test_the_first_screen_is_no_loss_whatever_it_says() -> None:
    """Dialling shows it anyway. Behind a choice it is the second, and worth it."""
    book = load_book(shipped(home={"resume": "continue"}), read()[1])
    played = talk(book)
    played.dial()
    assert played.session.left is None
    chosen = talk(book, caller=[caller(family(7), family(9))])
    chosen.dial()
    chosen.press("2")
    assert left_by(chosen.session) == Left("home", "family", "sw", {"family": 9}, {}, "home")
    seen = chosen.dial_again()
    assert (seen.session.values["family"]["id"], seen.session.trail) == (9, ("families",))


# ------------------------------------------------------------------------------------------------- what becomes of it

HOME, ASKED, GOES_ON = "Familia haina bima.", "Ulikuwa unalipia bima.", "Tunaendelea."
TAKEN_UP: list[tuple[str, Left | None, str]] = [
    ("nothing left", None, HOME),
    ("a confirmation", CONFIRM, ASKED),
    ("an input", ENQUIRY, GOES_ON),
    ("a screen that the book no longer has", CONFIRM._replace(screen="gone"), HOME),
    ("a screen that begins anew", CONFIRM._replace(screen="help"), HOME),
    ("a route", CONFIRM._replace(screen="pay"), HOME),
    ("the question itself", CONFIRM._replace(screen="resume"), HOME),
    ("a menu that the book no longer has", CONFIRM._replace(menu="gone"), ASKED),
    ("a family that is another's now", CONFIRM._replace(chosen={"family": 8}), HOME),
    ("a family and something else chosen", CONFIRM._replace(chosen={"family": 7, "member": 1}), HOME),
    ("no family, where the way back needs one", CONFIRM._replace(chosen={}), HOME),
    ("a family that was typed", CONFIRM._replace(chosen={}, typed={"family": "7"}), ASKED),
    ("a language that the book no longer has", CONFIRM._replace(language="fr"), ASKED),
]


@pytest.mark.parametrize(("left", "begins"), [c[1:] for c in TAKEN_UP], ids=[c[0] for c in TAKEN_UP])
def test_what_was_left_is_taken_up_or_not(left: Left | None, begins: str) -> None:
    played = talk()
    seen = played._play(Started(left=left))
    assert seen.screen.split("\n")[0] == begins
    assert not seen.effects
    assert seen.session.language == "sw"
    if begins == HOME:
        assert (seen.session.left, seen.session.trail, seen.session.resuming) == (None, (), "")


def test_what_the_first_screens_choose_stands_over_what_was_typed() -> None:
    played = talk()
    played._play(Started(left=CONFIRM._replace(chosen={}, typed={"family": "9"})))
    assert played.press("1").asks == ("quote family_id=7",)


def test_the_language_stays() -> None:
    played = talk()
    assert played._play(Started(left=CONFIRM._replace(language="en"))).screen.startswith("You were paying")
    known = talk(caller=[caller(family(7), language="sw")])
    assert known._play(Started(left=CONFIRM._replace(language="en"))).screen.startswith("Ulikuwa"), (
        "as registered since"
    )


def test_a_phone_that_answers_late_is_spoken_to_in_its_language() -> None:
    played = talk(caller=[LATE])
    seen = played._play(Started(left=ENQUIRY._replace(language="en")))
    assert seen.screen.startswith("Sorry, ")
    assert seen.session.left == ENQUIRY._replace(language="en")


def test_zero_minutes_are_never() -> None:
    never = replace(BOOK, limits=replace(BOOK.limits, resume_minutes=0))
    played = talk(never)
    assert played._play(Started(left=CONFIRM)).screen.startswith(HOME)
    assert played.press("1").session.left is None


def test_a_phone_that_has_one_family_more_or_less_goes_on_with_the_same() -> None:
    """One family, then two, and the other way about."""
    two = caller(family(7), family(9))
    for before, after in ((caller(family(7)), two), (two, caller(family(7)))):
        played = talk(caller=[before, after])
        played.dial()
        if before is two:
            played.press("1")
        played.press("1")
        assert played.dial_again().screen.startswith(ASKED)
        seen = played.press("1")
        assert seen.asks == ("quote family_id=7",)
        assert seen.session.trail == (("families", "home") if after is two else ("home",))


def test_anew_nothing_is_chosen() -> None:
    played = talk(caller=[caller(family(7), family(9))])
    for key in ("", "2", "1"):
        played.press(key) if key else played.dial()
    played.dial_again()
    seen = played.press("2")
    assert (seen.session.screen, seen.session.values, seen.session.trail) == ("families", {}, ())


def test_a_service_that_refuses_the_phone_now_is_not_passed_by() -> None:
    """The first screen is a last one: whatever was left, it is shown."""
    data, languages = read()
    data["screens"]["start"]["routes"].insert(0, {"when": {"caller.count": 1}, "goto": "help_pay"})
    seen = talk(load_book(data, languages))._play(Started(left=ENQUIRY))
    assert (seen.session.screen, seen.final, seen.session.left) == ("help_pay", True, None)


def test_a_repeat_of_the_answer_to_the_question_never_skips_the_confirmation() -> None:
    """On a wire that cannot tell repeats, a doubled 1 answers the confirmation at most, and makes the one bill."""
    played = talk()
    played.dial()
    played.press("1")
    played.dial_again()
    assert not played.press("1").effects
    once = played.press("1").effects
    assert len(once) == 1
    assert step(BOOK, played.session, Key("1")).effects == ()


# --------------------------------------------------------------------------------------------- books that lead astray


def route(goto: str, when: Data | None = None, **fields: Any) -> Data:
    """A route to one screen, whatever the facts."""
    conditional = [{"goto": goto, "when": when}] if when else []
    return {"kind": "route", **fields, "routes": [*conditional, {"goto": goto}]}


OF_OFFICERS = ("officer_family", "officer_family_again", "officer_number", "officer_number_again", "officer_confirm")
QUESTION = [
    {"key": "1", "text": "option.resume", "goto": "start"},
    {"key": "2", "text": "option.anew", "goto": "start"},
]
ASTRAY: list[tuple[str, Data, list[str]]] = [
    ("an unknown way", shipped(help={"resume": "perhaps"}), ["screen help: resumes in the unknown way 'perhaps'"]),
    (
        "at a screen that is not there",
        shipped(confirm={"resume_at": "py"}),
        ["screen confirm: resumes at 'py', which does not exist"],
    ),
    (
        "at itself, without the facts that it shows",
        shipped(confirm={"resume_at": ""}),
        ["screen confirm: taken up again, it lacks the fact 'quote'"],
    ),
    (
        "past what brings something about",
        shipped(number_given={"resume_at": "ask_number"}),
        [
            "screen number_given: taken up again, it lacks the fact 'quote'",
            "screen number_given: taken up again, it passes 'ask_number', which does something",
        ],
    ),
    (
        "past its own confirmation",
        shipped(confirm={"resume": "continue", "resume_at": "help"}),
        ["screen confirm: taken up again, its confirmation is not asked for again"],
    ),
    (
        "a loop of routes",
        shipped(
            help={"resume": "continue", "resume_at": "a"},
            a={"kind": "route", "routes": [{"goto": "b"}]},
            b={"kind": "route", "routes": [{"goto": "a"}]},
        ),
        ["screen help: no way back to it ends at a screen"],
    ),
    (
        "a value that is neither typed nor chosen first",
        shipped(
            help={"resume": "continue", "resume_at": "pay"},
            start={"routes": [{"goto": "stranger"}]},
            families={"into": "chfid"},
            confirm={"resume": "restart"}, number_how={"resume": "restart"}, number_mobile={"resume": "restart"},
            number_bank={"resume": "restart"}, number_given={"resume": "restart"},
            **{name: {"resume": "restart"} for name in OF_OFFICERS},
        ),
        [
            "screen help: taken up again, it lacks 'family', which is neither typed nor chosen first",
            "screen resume: shows no text, or one picked by an unknown fact",
        ],
    ),
    ("too long", limits(resume_minutes=61), ["limits: resume_minutes is between 0 and 60"]),
    ("no time at all", limits(resume_minutes=-1), ["limits: resume_minutes is between 0 and 60"]),
    (
        "a question that no screen asks",
        resume(ask="", default="restart"),
        [
            "resume: 'number_how' would have it asked, and no screen is named to ask",
            "screen resume: option 1 resumes, and only the screen that asks may",
        ],
    ),
    (
        "a question at a screen that is not there",
        resume(ask="gone"),
        [
            "screen resume: option 1 resumes, and only the screen that asks may",
            "the screen that asks whether to resume, 'gone', does not exist",
        ],
    ),
    (
        "a question without a yes",
        shipped(resume={"options": QUESTION}),
        ["screen resume: asks whether to resume: a menu without needs, with one option that resumes"],
    ),
    (
        "a question that has to be fetched first",
        shipped(resume={"needs": ["caller"], "failed": "try_later"}),
        ["screen resume: asks whether to resume: a menu without needs, with one option that resumes"],
    ),
    (
        "a question that ends",
        shipped(resume={"kind": "end", "options": []}),
        ["screen resume: asks whether to resume: a menu without needs, with one option that resumes"],
    ),
    (
        "a fact that is forgotten on the way and not fetched again",
        shipped(help={"resume": "continue", "resume_at": "a"}, a=route("help", {"caller.count": 1}, forget=["caller"])),
        ["screen help: taken up again, it lacks the fact 'caller'"],
    ),
    (
        "more routes than are passed between two replies",
        shipped(
            help={"resume": "continue", "resume_at": "r1"},
            **{f"r{n}": route(f"r{n + 1}" if n < BOOK.limits.hops else "help") for n in range(1, BOOK.limits.hops + 1)},
        ),
        ["screen help: no way back to it ends at a screen"],
    ),
    (
        "a question that leads away",
        shipped(resume={"options": [{**QUESTION[0], "resumes": True}, {**QUESTION[1], "goto": "help"}]}),
        ["screen resume: option 2 must go to the start"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "faults"), [c[1:] for c in ASTRAY], ids=[c[0] for c in ASTRAY])
def test_a_book_that_leads_astray_is_refused(data: Data, faults: list[str]) -> None:
    with pytest.raises(BookError) as raised:
        load_book(data, read()[1])
    assert sorted(raised.value.faults) == faults


GOOD = [
    ("a confirmation that is shown again unasked", shipped(confirm={"resume": "continue"})),
    (
        "a family that is only ever chosen from the list",
        shipped(
            start={"routes": [{"goto": "families"}]},
            **{name: {"resume": "restart"} for name in OF_OFFICERS},
        ),
    ),
    ("by way of another menu", shipped(number_how={"resume_at": "pay"})),
]


@pytest.mark.parametrize("data", [c[1] for c in GOOD], ids=[c[0] for c in GOOD])
def test_a_book_that_only_goes_another_way_is_good(data: Data) -> None:
    load_book(data, read()[1])


def test_a_menu_that_asks_has_a_text_for_where_it_was_left() -> None:
    with pytest.raises(BookError) as raised:
        load_book(shipped(help={"resume": "ask"}), read()[1])
    assert raised.value.faults == ["sw: no text for 'resume.settings'", "en: no text for 'resume.settings'"]


def test_a_book_that_says_nothing_begins_anew() -> None:
    book = load_book(*small())
    assert {screen.resume for screen in book.screens.values()} == {"restart"}
    assert book.resume_uses == {}


def test_a_value_that_the_way_back_sets_is_not_kept() -> None:
    sets = {"kind": "route", "routes": [{"goto": "pay", "put": {"family": "caller.families.0"}}]}
    book = load_book(shipped(help={"resume": "continue", "resume_at": "a"}, a=sets), read()[1])
    assert book.resume_uses["help"] == ()


def test_a_book_keeps_what_its_ways_back_use_and_no_more() -> None:
    shipped_uses = {"enquiry": (), "enquiry_again": (), "confirm": ("family",), "officer_confirm": ("chfid", "officer")}
    shipped_uses |= dict.fromkeys(OF_OFFICERS[:4], ("officer",))  # what their answers ask for needs it
    number = {"number_how", "number_mobile", "number_bank", "number_given"}
    assert BOOK.resume_uses == shipped_uses
    assert ASKING.resume_uses == shipped_uses | {name: ("family",) for name in number}


def test_who_was_told_what_one_dials_for_is_not_asked_whether_to_go_on() -> None:
    """Most hang up with the number, pay, and dial again to see the cover: that is what they are shown."""
    assert {name for name, screen in BOOK.screens.items() if screen.goal and screen.resume != "restart"} == set()
