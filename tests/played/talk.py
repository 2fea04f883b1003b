"""A phone without a network: keys in, screens out, the session written down and read again between any two events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import menus
from gateway.domain.ussd.book import Book, load_book
from gateway.domain.ussd.effects import KeepLanguage, RequestBill, UssdEffect
from gateway.domain.ussd.explore import LATE, as_event
from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.machine import (
    Ask,
    Event,
    Key,
    Started,
    Step,
    step,
)
from gateway.domain.ussd.session import Session
from gateway.service.session_codec import dump, load

BOOK = load_book(*menus.read())
MSISDN = "+255754100200"

Fact = dict[str, Any]
Answerer = Callable[[Ask], Fact | str]


def new_session(language: str = "sw", limit: int = 160, msisdn: str = MSISDN, frame: Frame | None = None) -> Session:
    """A conversation that has not begun. ``limit``: septets of one screen, with four before the text."""
    return Session("ATUid_1", "africastalking", msisdn, language, frame or Frame(limit))


def kept(session: Session) -> Session:
    """The session after the store had it."""
    again = load(dump(session))
    assert again == session, "a session is not what the store gives back"
    return again


def one_step(book: Book, session: Session, event: Event) -> Step:
    """``step`` on the session as the store gives it back; the same event on the same session gives the same step."""
    before = dump(session)
    taken = step(book, kept(session), event)
    assert dump(session) == before, "the machine changed a session that it was given"
    assert taken == step(book, kept(session), event), "the machine is not deterministic"
    kept(taken.session)
    assert len(taken.asks) <= 1
    assert (taken.reply is None) == bool(taken.asks), "a reply or an ask, never both and never neither"
    return taken


@dataclass(frozen=True)
class Seen:
    """What one key brought about."""

    screen: str
    final: bool
    asks: tuple[str, ...]
    effects: tuple[str, ...]
    session: Session
    passed: tuple[str, ...]  # the places the conversation stood at while facts were fetched


@dataclass
class Talk:
    """One conversation. ``answer`` plays the registry."""

    answer: Answerer
    session: Session
    book: Book = BOOK

    def dial(self) -> Seen:
        return self._play(Started())

    def press(self, key: str, dialled: bool = False) -> Seen:
        return self._play(Key(key, dialled))

    def _play(self, event: Event) -> Seen:
        asks: list[str] = []
        effects: list[str] = []
        passed: list[str] = []
        taken = one_step(self.book, self.session, event)
        while True:
            effects += [said_effect(effect) for effect in taken.effects]
            if not taken.asks:
                break
            assert len(asks) < self.book.limits.asks, "no end of asking"
            ask = taken.asks[0]
            asks.append(said_ask(ask))
            passed.append(taken.session.target)
            taken = one_step(self.book, taken.session, as_event(ask, self.answer(ask)))
        self.session = taken.session
        assert taken.reply is not None
        assert taken.reply == taken.session.reply
        assert taken.final == taken.session.final
        return Seen(taken.reply, taken.final, tuple(asks), tuple(effects), taken.session, tuple(passed))


def from_table(table: Mapping[str, Sequence[Fact | str]]) -> Answerer:
    """Each fact's answers in turn; the last one holds from then on."""
    rest: dict[str, Iterator[Fact | str]] = {name: iter(answers) for name, answers in table.items()}
    last: dict[str, Fact | str] = {}

    def answer(ask: Ask) -> Fact | str:
        last[ask.fact] = next(rest[ask.fact], last.get(ask.fact, LATE))
        return last[ask.fact]

    return answer


def said_ask(ask: Ask) -> str:
    """``quote family_id=7``"""
    return " ".join([ask.fact, *(f"{name}={value}" for name, value in ask.args if name != "msisdn")])


def said_effect(effect: UssdEffect) -> str:
    """An effect as the conversations write it."""
    match effect:
        case RequestBill(key, family_id, amount_minor, msisdn, language):
            return f"request_bill {key} family={family_id} minor={amount_minor} for={msisdn} in={language}"
        case KeepLanguage(msisdn, language):
            return f"keep_language {language} for={msisdn}"
