"""Every screen, key and fact that a conversation can come to, walked with the longest real data of ``samples``.

An edge is a key pressed on a page and one of the things that come of it. Of a conversation's past only what may still
be read is remembered (``reads``), so the walk grows with the book and not with the number of ways through it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.domain.ussd.book import Book
from gateway.domain.ussd.frame import Frame
from gateway.domain.ussd.machine import (
    BACK,
    HOME,
    MORE,
    Answered,
    Ask,
    AskFailed,
    Event,
    Key,
    Started,
    Step,
    scope_of,
    step,
)
from gateway.domain.ussd.reads import Reads, reads, signature, tells_networks
from gateway.domain.ussd.samples import ANSWERS, CALLERS, TYPED, Fact
from gateway.domain.ussd.session import OTHER_NETWORK, Session
from gateway.domain.ussd.ways import DIALLING, keyed, led_from

MSISDN = "+255754100200"
LATE = "late"  # instead of an answer: the fact does not come in time
WRONG = ("8", "", "Asha", "9" * 41)
MOST_PLACES = 100_000

# as the channels' settings have them, and what else settings allow: the narrowest, and each way of counting
FRAMES: dict[str, Frame] = {
    "form, septets": Frame(160),
    "object, septets": Frame(160, prefix=0),
    "long septets": Frame(182, prefix=0, entities=True),
    "raw bytes": Frame(182, "bytes", "<br>", 0, entities=True),
    "ucs2": Frame(80, "ucs2", prefix=0),
    "characters": Frame(140, "characters", "\r\n"),
    "narrowest": Frame(80, "bytes", "<br>", 4, "ascii", True),
}


class EndlessError(ValueError):
    """The book asks for facts, or makes new places, without an end."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A key pressed on a page, and one of the things that come of it.

    ``before`` is None for the dialling; ``keys`` is the least number of keys that leads here.
    """

    before: Session | None
    key: str
    step: Step
    keys: int = 0


def explore(
    book: Book,
    frame: Frame,
    callers: Sequence[Fact] = tuple(CALLERS.values()),
    answers: Mapping[str, Sequence[Fact]] = ANSWERS,
) -> list[Edge]:
    """Every (place, class of key, class of fact) edge that can be reached, for every language and network.

    Raises EndlessError for a book that has no bound.
    """
    facts = {**answers, "caller": callers}
    live, leading = reads(book), led_from(book)
    tells = [name for name, screen in book.screens.items() if tells_networks(book, screen)]
    # whose keys lead to a screen that tells the networks apart; on that screen itself the caller has one already
    varied = {before for name in tells for before in keyed(book, leading, name)} - {*tells}
    edges = [
        Edge(None, "", taken)
        for session in beginnings(book, frame, _networks(book, DIALLING in varied))
        for taken in outcomes(book, facts, step(book, session, Started()))
    ]
    waiting = deque((edge.step.session, 0) for edge in edges)
    known: set[tuple[object, ...]] = set()
    while waiting:
        session, keys = waiting.popleft()
        session = session._replace(keys=0, wrong=0)
        at = place(live, session)
        if session.final or at in known:
            continue
        known.add(at)
        if len(known) > MOST_PLACES:
            raise EndlessError(f"more than {MOST_PLACES} places")
        if session.trail:  # the way back is of a bounded length: its beginning is forgotten
            waiting.append((step(book, session._replace(trail=()), Key(MORE)).session, keys + 1))
        for network in _networks(book, session.screen in varied, session.network):
            before = session._replace(network=network)
            known_ways = network != session.network
            for key in own_keys(book, session) if known_ways else keys_for(book, session, WRONG[:1]):
                for taken in outcomes(book, facts, step(book, before, Key(key))):
                    edges.append(Edge(before, key, taken, keys + 1))
                    waiting.append((taken.session, keys + 1))
    return edges


def beginnings(book: Book, frame: Frame, networks: Sequence[str]) -> Iterator[Session]:
    """A conversation that has not begun, in every language."""
    for language in book.languages:
        for network in networks:
            yield Session("explored", "explored", MSISDN, language, frame, network=network)


def _networks(book: Book, varied: bool, known: str = OTHER_NETWORK) -> tuple[str, ...]:
    """All where they matter, else the one that is known."""
    return (*book.networks, OTHER_NETWORK) if varied else (known,)


def place(live: Reads, session: Session) -> tuple[object, ...]:
    """What decides how a screen looks and where its keys lead, the whole way back aside."""
    still = signature(live[session.screen], scope_of(session)) if session.screen in live else ()
    return (session.screen, session.page, session.language, session.reply, session.trail[-1:], still)


def keys_for(book: Book, session: Session, wrong: Sequence[str] = WRONG) -> list[str]:
    """One key of each class: every option, each way about, and the wrong ones."""
    return [*own_keys(book, session), BACK, HOME, MORE, *wrong]


def own_keys(book: Book, session: Session) -> list[str]:
    """What the screen itself asks for: options, items within a list and beyond it, typed answers."""
    screen = book.screens[session.screen]
    if screen.kind == "menu":
        return [option.key for option in screen.options]
    if screen.kind == "choose":
        return ["1", "3"]
    return list(TYPED.get(screen.accept, ())) if screen.kind == "input" else []


def outcomes(book: Book, facts: Mapping[str, Sequence[Fact]], taken: Step, asked: int = 0) -> Iterator[Step]:
    """Every reply that may follow, with all effects on the way."""
    if not taken.asks:
        yield taken
        return
    if asked >= book.limits.asks:
        raise EndlessError(f"no end of asking on the way to {taken.session.target!r}")
    ask = taken.asks[0]
    answers: list[Fact | str] = [*facts.get(ask.fact, ()), LATE]
    for answer in answers:
        after = step(book, taken.session, as_event(ask, answer))
        yield from outcomes(book, facts, replace(after, effects=taken.effects + after.effects), asked + 1)


def as_event(ask: Ask, answer: Fact | str) -> Event:
    """What the machine is told of an answer, or of none."""
    return AskFailed(ask.fact, "TimeoutError") if isinstance(answer, str) else Answered(ask.fact, answer)
