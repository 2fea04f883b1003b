"""A conversation without a network: keys in, screens out, and what was asked and brought about on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from gateway.domain.ussd.book import Book
from gateway.domain.ussd.effects import KeepLanguage, UssdEffect
from gateway.domain.ussd.explore import LATE, as_event
from gateway.domain.ussd.machine import Ask, Event, Key, Started, Step, step
from gateway.domain.ussd.samples import Fact
from gateway.domain.ussd.session import Session

Answerer = Callable[[Ask], Fact | str]  # ``LATE``: the fact does not come in time


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
    """One conversation. ``answer`` plays the registry; ``take`` is the machine, or one that is watched."""

    answer: Answerer
    session: Session
    book: Book
    take: Callable[[Book, Session, Event], Step] = step

    def dial(self) -> Seen:
        return self._play(Started())

    def press(self, key: str, dialled: bool = False) -> Seen:
        return self._play(Key(key, dialled))

    def _play(self, event: Event) -> Seen:
        asks: list[str] = []
        effects: list[str] = []
        passed: list[str] = []
        taken = self.take(self.book, self.session, event)
        while True:
            effects += [said_effect(effect) for effect in taken.effects]
            if not taken.asks:
                break
            assert len(asks) < self.book.limits.asks, "no end of asking"
            ask = taken.asks[0]
            asks.append(said_ask(ask))
            passed.append(taken.session.target)
            taken = self.take(self.book, taken.session, as_event(ask, self.answer(ask)))
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


_CALLED = {"family_id": "family", "amount_minor": "minor", "msisdn": "for", "language": "in"}


def said_effect(effect: UssdEffect) -> str:
    """``request_bill family:7/product:3 family=7 ... for=+255754100200 in=sw``: the fields in their order."""
    if isinstance(effect, KeepLanguage):  # the language is what it is about, not what the caller happens to read
        return f"keep_language {effect.language} for={effect.msisdn}"
    said = [re.sub(r"(?<!^)(?=[A-Z])", "_", type(effect).__name__).lower()]
    for field in fields(effect):
        value = getattr(effect, field.name)
        said.append(str(value) if field.name == "key" else f"{_CALLED.get(field.name, field.name)}={value}")
    return " ".join(said)
