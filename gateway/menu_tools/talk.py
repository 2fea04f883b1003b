"""A conversation without a network: keys in, screens out, and what was asked and brought about on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.domain.ussd.book import Book
from gateway.domain.ussd.effects import (
    AwaitNumber,
    ClaimFamily,
    DisownFamily,
    KeepLanguage,
    PromiseAnswer,
    RequestBill,
    TellCommission,
    TellHowToPay,
    UssdEffect,
)
from gateway.domain.ussd.explore import LATE, as_event, dialled_again
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

    def dial_again(self) -> Seen:
        """After the network dropped the session."""
        self.session, event = dialled_again(self.book, self.session)
        return self._play(event)

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


def said_effect(effect: UssdEffect) -> str:
    """By the name that screens give it, then what it is about: ``tell_bank 994180000017 network=other ...``"""
    match effect:
        case RequestBill(key, family_id, amount_minor, msisdn, language, officer):
            by = f" by={officer}" if officer else ""
            return f"request_bill {key} family={family_id} minor={amount_minor} for={msisdn} in={language}{by}"
        case AwaitNumber(family_id, msisdn, language):
            return f"await_number family={family_id} for={msisdn} in={language}"
        case PromiseAnswer(fact, args, msisdn, language):
            return " ".join(["answer_by_sms", said_ask(Ask(fact, args)), f"for={msisdn} in={language}"])
        case KeepLanguage(msisdn, language):
            return f"keep_language {language} for={msisdn}"
        case TellHowToPay(number, way, network, msisdn, language):
            return f"tell_{way} {number} network={network} for={msisdn} in={language}"
        case TellCommission(officer, first, reckoned, commission, collected, msisdn, language):
            told = f"minor={commission} of={collected}" if reckoned else f"of={collected}"
            return f"tell_commission {officer} {first} {told} for={msisdn} in={language}"
        case DisownFamily(family_id, msisdn):
            return f"disown_family family={family_id} for={msisdn}"
        case ClaimFamily(chfid, msisdn):
            return f"claim_family {chfid} for={msisdn}"
