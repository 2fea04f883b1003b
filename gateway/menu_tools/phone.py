"""A phone in the terminal that plays a book by itself: the registry's answers are the samples.

A line is what would be typed on the keypad; one that begins with ``!`` is a word to the player.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.domain.ussd.book import Book
from gateway.domain.ussd.explore import LATE
from gateway.domain.ussd.frame import Frame, cost
from gateway.domain.ussd.machine import Ask, pages_of
from gateway.domain.ussd.samples import ANSWERS, CALLERS, Fact
from gateway.domain.ussd.session import Session
from gateway.menu_tools.conversation import Recording, played_turn, spoken
from gateway.menu_tools.talk import Seen, Talk

WIDTH = 40  # letters of a line of the drawn screen
HELP = """!late [FACT]           the next fact, or this one, does not come in time
!state [FACT=]STATE    what a fact says from now on, where it has that state
!facts                 what each fact can say, the chosen one marked
!caller NAME           another caller dials
!language CODE         the phone reads another language, and dials
!dial                  dial anew
!drop                  the network drops the call, and the phone dials again
!quit                  hang up"""
NOTICES = ("", "nav.wrong", "nav.anew", "nav.resumed")


class UnknownWordError(ValueError):
    """The player does not know what it was told."""


def states_of(fact: str) -> dict[str, Fact]:
    """What a fact may say, by name; of two samples of one state the first."""
    if fact == "caller":
        return dict(CALLERS)
    named: dict[str, Fact] = {}
    for answer in ANSWERS.get(fact, ()):
        named.setdefault(_state(answer), answer)
    return named


def _state(answer: Fact) -> str:
    """The state of a fact, or of the first thing that it tells of: a commission is of two months."""
    within = (part["state"] for part in answer.values() if isinstance(part, dict) and "state" in part)
    return str(answer["state"] if "state" in answer else next(within, "told"))


@dataclass
class Registry:
    """Answers with the samples: of every fact the first, unless told otherwise."""

    chosen: dict[str, str] = field(default_factory=dict)  # the state by fact
    late: set[str] = field(default_factory=set)  # facts that do not come in time next; "" is whichever

    def __call__(self, ask: Ask) -> Fact | str:
        for name in (ask.fact, ""):
            if name in self.late:
                self.late.remove(name)
                return LATE
        named = states_of(ask.fact)
        return named[self.state_of(ask.fact)] if named else LATE

    def state_of(self, fact: str) -> str:
        """The state that the fact has now."""
        return self.chosen.get(fact) or next(iter(states_of(fact)))

    def choose(self, told: str) -> None:
        """``STATE`` for each fact that has it, or ``FACT=STATE``."""
        fact, equals, state = told.rpartition("=")
        facts = [fact] if equals else [name for name in ANSWERS if told in states_of(name)]
        if not facts or any(state not in states_of(name) for name in facts):
            raise UnknownWordError(f"no fact has the state {told!r}: !facts lists them")
        self.chosen |= dict.fromkeys(facts, state)


class Phone:
    """Plays one conversation after the other and keeps the last for a recording."""

    def __init__(
        self, book: Book, begun: Session, caller: str, dialled: Iterable[str], say: Callable[[str], None]
    ) -> None:
        """``begun``: the session before the dialling. ``dialled``: answers inside the dialled code."""
        self.book = book
        self.begun = begun
        self.registry = Registry({"caller": caller})
        self.dialled = tuple(dialled)
        self.say = say
        self.heard: list[str] = []  # since the last screen
        self.dial()

    def dial(self) -> None:
        """Begin anew; what was recorded before is forgotten."""
        self.recording = Recording(self.begun)
        self.talk = Talk(self._answer, self.begun, self.book)
        self._show(self.talk.dial())
        for key in self.dialled:
            if not self.talk.session.final:
                self.press(key, dialled=True)

    def press(self, key: str, dialled: bool = False) -> None:
        """A key, and the screen that follows."""
        if self.talk.session.final:
            raise UnknownWordError("the conversation has ended: !dial begins another")
        self._play({"key": key, "dialled": True} if dialled else {"key": key})

    def drop(self) -> None:
        """The network drops the call, and the phone dials again."""
        if self.talk.session.final:
            raise UnknownWordError("the conversation has ended: !dial begins another")
        self._play({"dropped": True})

    def _play(self, turn: dict[str, Any]) -> None:
        self.recording.turns.append(turn)
        self._show(played_turn(self.talk, turn))

    def told(self, line: str) -> bool:
        """A line of the player's; False to hang up. Raises UnknownWordError."""
        if not line.startswith("!"):
            self.press(line)
            return True
        word, _, rest = line[1:].strip().partition(" ")
        rest = rest.strip()
        match word:
            case "quit":
                return False
            case "dial":
                self.dial()
            case "drop":
                self.drop()
            case "late" if rest in ("", *ANSWERS, "caller"):
                self.registry.late.add(rest)
            case "state" if rest:
                self.registry.choose(rest)
            case "facts":
                self.say("\n".join(self._facts()))
            case "caller" if rest in CALLERS:
                self.registry.chosen["caller"] = rest
                self.dial()
            case "language" if rest in self.book.languages:
                self.begun = self.begun._replace(language=rest)
                self.dial()
            case "help":
                self.say(HELP)
            case _:
                raise UnknownWordError(f"not known: {line!r}; !help lists what is")
        return True

    def _answer(self, ask: Ask) -> Fact | str:
        value = self.registry(ask)
        self.recording.facts.setdefault(ask.fact, []).append(value)
        if isinstance(value, str):
            self.heard.append(f"  {ask.fact}: late")
            return value
        self.heard.append(f"  {ask.fact}: {self.registry.state_of(ask.fact)}")
        return spoken(ask.fact, value, self.begun.language, self.book)

    def _facts(self) -> Iterable[str]:
        for fact in ("caller", *ANSWERS):
            now = self.registry.state_of(fact)
            yield f"  {fact}: " + ", ".join(f"[{state}]" if state == now else state for state in states_of(fact))

    def _show(self, seen: Seen) -> None:
        lines = [*(f"  committed: {effect}" for effect in seen.effects), *self.heard]
        self.heard.clear()
        for line in lines:
            self.say(line)
        self.say(box(seen.screen))
        self.say(f"  {measured(self.book, seen.session)}{', the last screen' if seen.final else ''}")


def box(text: str) -> str:
    """The screen in a frame."""
    lines = [part for line in text.split("\n") for part in (textwrap.wrap(line, WIDTH) or [""])]
    edge = f"+{'-' * (WIDTH + 2)}+"
    return "\n".join([edge, *(f"| {line.ljust(WIDTH)} |" for line in lines), edge])


def measured(book: Book, session: Session) -> str:
    """``143/160 septets, page 1 of 2``"""
    frame: Frame = session.frame
    used = f"{cost(frame, session.reply) + frame.prefix}/{frame.units} {frame.counted}"
    if session.screen in book.screens:
        for notice in NOTICES:
            pages = pages_of(book, session, book.screens[session.screen], session.trail, notice)
            if session.reply in pages:
                return f"{used}, page {pages.index(session.reply) + 1} of {len(pages)}"
    return f"{used}, page 1 of 1"
