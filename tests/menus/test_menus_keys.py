"""How many keys what matters is away from the first screen of a known phone: counted over the book, every way tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from played.talk import BOOK, Fact, new_session
from played.walk import outcomes

from gateway.domain.cover import CoverState
from gateway.domain.ussd.machine import Key, Started, Step, step
from gateway.domain.ussd.samples import ANSWERS, caller
from gateway.domain.ussd.session import Session

MOST = 3


def reached(facts: dict[str, list[Fact]], language: str) -> Iterator[tuple[int, Session]]:
    """Every screen within three keys, with how many it took; the nearest first."""
    facts = {**ANSWERS, "caller": [{**caller("covered"), "language": language}], **facts}
    now: list[Step] = [*outcomes(BOOK, facts, step(BOOK, new_session(), Started()))]
    for keys in range(MOST + 1):
        yield from ((keys, taken.session) for taken in now)
        pressed = [
            step(BOOK, taken.session, Key(option.key))
            for taken in now
            for option in BOOK.screens[taken.session.screen].options
        ]
        now = [after for taken in pressed for after in outcomes(BOOK, facts, taken)]


def fewest(screens: set[str], facts: dict[str, list[Fact]], language: str) -> int:
    return next((keys for keys, session in reached(facts, language) if session.screen in screens), MOST + 1)


every_language = pytest.mark.parametrize("language", BOOK.languages)


@every_language
@pytest.mark.parametrize("state", CoverState)
def test_cover_is_on_the_first_screen(language: str, state: CoverState) -> None:
    facts = {"caller": [{**caller(str(state)), "language": language}]}
    keys, session = next(reached(facts, language))
    assert (keys, session.screen, session.language) == (0, "home", language)
    assert session.reply.startswith(BOOK.language(language).say(f"home.{state}", {"family": session.values["family"]}))


@every_language
@pytest.mark.parametrize("state", ["numbered", "none"])
def test_a_control_number_is_three_keys_away_at_most(language: str, state: str) -> None:
    """That of the open bill, and a new one."""
    facts = {"bill": [fact for fact in ANSWERS["bill"] if fact["state"] == state]}
    facts["quote"] = ANSWERS["quote"][:1]
    facts["control_number"] = ANSWERS["control_number"][:1]
    shown = {"number_how"} if state == "numbered" else {"number_given"}
    assert fewest(shown, facts, language) == (1 if state == "numbered" else 2)


@every_language
def test_how_to_pay_is_three_keys_away_at_most(language: str) -> None:
    numbered = {"bill": ANSWERS["bill"][:1]}
    for screens in ({"number_mobile"}, {"number_bank"}):
        assert fewest(screens, numbered, language) == 2


@every_language
def test_a_receipt_is_one_key_away(language: str) -> None:
    paid = [fact for fact in ANSWERS["payment"] if fact["state"] == "paid"]
    session = next(s for keys, s in reached({"payment": paid}, language) if keys == 1 and s.screen == "payment_shown")
    assert paid[0]["receipts"][0]["receipt"] in session.reply


@every_language
def test_each_members_cover_is_one_key_away(language: str) -> None:
    assert fewest({"members_shown"}, {}, language) == 1


def test_a_screen_that_is_further_is_seen_to_be() -> None:
    """A guard of the guard."""
    assert fewest({"help_pay"}, {}, "sw") == MOST
    assert fewest({"no such screen"}, {}, "sw") == MOST + 1
