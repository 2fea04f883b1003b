"""Every conversation in ``conversations/`` is played through the machine, key by key, in every language."""

from __future__ import annotations

import re
import tomllib

import pytest
from played.conversation import NAMED, Conversation, all_conversations, written_effects
from played.record import recorded
from played.talk import BOOK, Talk, from_table

from gateway.domain.cover import CoverState
from gateway.domain.ussd.book import item_keys, text_keys
from gateway.domain.ussd.facts import lookup
from gateway.domain.ussd.session import Session
from gateway.menu_tools.conversation import played_turn

CONVERSATIONS = all_conversations()
PLAYED = [(conversation, language) for conversation in CONVERSATIONS for language in conversation.languages]


@pytest.mark.parametrize(("conversation", "language"), PLAYED, ids=[f"{c.name}-{lang}" for c, lang in PLAYED])
def test_a_conversation_goes_as_written(conversation: Conversation, language: str) -> None:
    for number, (turn, seen) in enumerate(conversation.play(language)):
        where = f"{conversation.name}, turn {number}, {turn.get('key', 'dial')!r}"
        assert seen.screen == turn[language], where
        assert seen.final == turn.get("ends", False), where
        assert seen.asks == tuple(turn.get("asks", ())), where
        assert seen.effects == written_effects(turn, language), where


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda c: c.name)
def test_every_turn_is_written_in_every_language(conversation: Conversation) -> None:
    allowed = {"key", "dialled", "dropped", "note", "asks", "effects", "ends", *conversation.languages}
    for turn in conversation.turns:
        assert set(turn) <= allowed
        assert set(conversation.languages) <= set(turn)


def test_what_is_recorded_is_what_is_written() -> None:
    """The recorder loses nothing: a file written anew says the same."""
    for conversation in CONVERSATIONS:
        assert tomllib.loads(recorded(conversation)) == conversation.data


# ------------------------------------------------------------------------------------- nothing in the book is unplayed


@pytest.fixture(scope="module")
def walked() -> dict[str, set[str]]:
    """What the conversations visit: screens, texts shown, options taken, screens entered when a fact failed."""
    found: dict[str, set[str]] = {"screen": set(), "text": set(), "option": set(), "failed": set()}
    for conversation, language in PLAYED:
        talk = Talk(from_table(conversation.facts(language)), conversation.begun)
        for number, turn in enumerate(conversation.turns):
            before = talk.session
            seen = played_turn(talk, turn) if number else talk.dial()
            now = seen.session
            found["screen"] |= {now.screen, *seen.passed}
            found["text"] |= {key for key in text_keys(BOOK, BOOK.screens[now.screen]) if key == _shown(now)}
            found["text"] |= _items_shown(now)
            if "key" in turn and before.screen:
                options = BOOK.screens[before.screen].options
                found["option"] |= {f"{before.screen} {o.key}" for o in options if o.key == turn["key"].strip()}
            for place in seen.passed:
                if BOOK.screens[place].failed == now.screen:
                    found["failed"].add(place)
    return found


def _shown(session: Session) -> str:
    text = BOOK.screens[session.screen].text
    if "{" not in text:
        return text
    head, path = text.rstrip("}").split("{")
    told = {
        "left": {"state": session.left.menu if session.left else ""},
        "network": {"state": session.network},
    }
    return f"{head}{lookup({**told, **session.values, **session.facts}, path)}"


def _items_shown(session: Session) -> set[str]:
    screen = BOOK.screens[session.screen]
    items = lookup({**session.values, **session.facts}, screen.source) if screen.kind == "list" else None
    states = {item["state"] for item in items} if isinstance(items, (list, tuple)) else set()
    return {key for key in item_keys(screen) if key.rpartition(".")[2] in states}


# texts that no phone can come to see, each with the reason
NEVER_SHOWN = {
    "nothing_to_pay.payable": "what is payable goes to the confirmation",
    "enquiry_answer.unknown": "an unknown number is asked for again",
}


def test_every_screen_is_played(walked: dict[str, set[str]]) -> None:
    shows = {s.name for s in BOOK.screens.values() if s.kind != "route"}
    assert shows - walked["screen"] == set()


def test_every_text_is_played(walked: dict[str, set[str]]) -> None:
    texts = {key for s in BOOK.screens.values() for key in (*text_keys(BOOK, s), *item_keys(s))}
    assert texts - walked["text"] == set(NEVER_SHOWN)


def test_every_option_is_played(walked: dict[str, set[str]]) -> None:
    options = {f"{s.name} {o.key}" for s in BOOK.screens.values() for o in s.options}
    assert options - walked["option"] == set()


def test_every_screen_that_needs_a_fact_is_played_without_it(walked: dict[str, set[str]]) -> None:
    needing = {s.name for s in BOOK.screens.values() if s.needs}
    assert needing - walked["failed"] == set()


def test_every_language_has_conversations() -> None:
    assert {language for _, language in PLAYED} == set(BOOK.languages)


# ---------------------------------------------------------------------------------------------------- keys are counted


def named(name: str) -> Conversation:
    return next(c for c in CONVERSATIONS if c.name == name)


@pytest.mark.parametrize("state", list(CoverState))
def test_cover_is_seen_without_a_key(state: str) -> None:
    first = named(f"home_{state}").turns[0]
    assert "key" not in first
    assert first["sw"].startswith(("Bima", "Familia haina bima"))


@pytest.mark.parametrize("name", ["renew", "renew_expired", "officer_number"])
def test_a_known_phone_reaches_a_control_number_in_three_keys_or_fewer(name: str) -> None:
    turns = named(name).turns
    reached = next(number for number, turn in enumerate(turns) if "9941 8000 0017" in turn["sw"])
    assert sum("key" in turn for turn in turns[: reached + 1]) <= 3


def test_a_phone_of_several_families_sees_no_cover_before_it_chose() -> None:
    for name in ("families", "families_many", "families_narrow"):
        for language in ("sw", "en"):
            first = named(name).turns[0][language]
            assert not any(word in first for word in ("HAI", "COVERED", "IMEISHA", "ENDED", "31/12/2026", "31/05/2026"))


@pytest.mark.parametrize("state", list(CoverState))
def test_an_officer_sees_of_a_family_what_any_phone_sees_of_it(state: str) -> None:
    """Covered or not and until when, for the number that was typed: no name, and the same days."""
    told = NAMED["officer_enquiry"][state]
    assert {name: told[name] for name in ("state", "until", "start")} == NAMED["enquiry"][state]
    assert told.keys() - {"state", "until", "start"} == {"id", "chfid", "officer"}
    for language in ("sw", "en"):
        seen = named(f"officer_cover_{state}").turns[-1][language].split("\n")
        assert seen[0].endswith("100000025")
        assert set(re.findall(r"[0-9]{2}/[0-9]{2}/[0-9]{4}", " ".join(seen))) == set(
            re.findall(r"[0-9]{2}/[0-9]{2}/[0-9]{4}", named(f"enquiry_{state}").turns[-1][language])
        )
